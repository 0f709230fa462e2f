// Ids and the log of a run.
#define _POSIX_C_SOURCE 200809L
#include "train/runfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/file.h"
#include "data/fields.h"

static const char escaped[] = "\\\t\n\r", letters[] = "\\tnr";

// ---- ids -----------------------------------------------------------------------------------------------------------

static pm_status write_id(pm_file *file, const char *id)
{
    for (;;) {
        const size_t plain = strcspn(id, escaped);
        PM_TRY(pm_file_write(file, id, plain));
        id += plain;
        if (!*id) return pm_file_write(file, "\n", 1);
        const char pair[2] = { '\\', letters[strchr(escaped, *id++) - escaped] };
        PM_TRY(pm_file_write(file, pair, 2));
    }
}

pm_status pm_run_write_ids(const void *parent, const char *path, const pm_ids *ids)
{
    pm_file *file;
    PM_TRY(pm_file_create(parent, path, &file));
    pm_status st = PM_OK;
    for (int64_t i = 0; i < pm_ids_count(ids) && st == PM_OK; i++) {
        const char *id = pm_ids_name(ids, i);
        if (pm_is_utf8(id, strlen(id))) st = write_id(file, id);
        else st = pm_fail(parent, PM_ERR_ARG, "%s: id number %" PRId64 " is not UTF-8", path, i);
    }
    if (st == PM_OK) return pm_file_commit(&file);
    pm_file_discard(&file);
    return st;
}

// Replaces escapes in place. false: an escape that is none.
static bool unescape(char *line, size_t *length)
{
    size_t to = 0;
    for (size_t i = 0; i < *length; i++) {
        if (line[i] == '\\') {
            const char *letter = ++i < *length ? memchr(letters, line[i], sizeof letters - 1) : NULL;
            if (!letter) return false;
            line[i] = escaped[letter - letters];
        }
        line[to++] = line[i];
    }
    *length = to;
    return true;
}

static pm_status read_id(pm_ids *ids, const char *path, int64_t number, char *line, size_t length)
{
    const char *reason = NULL;
    uint32_t index;
    for (size_t i = 0; i < length; i++)
        if (line[i] == 0 || line[i] == '\t' || line[i] == '\r') reason = "a raw tab, return or zero byte";
    if (!pm_is_utf8(line, length)) reason = "text that is not UTF-8";
    if (!reason && !unescape(line, &length)) reason = "a backslash that begins none of \\\\ \\t \\n \\r";
    if (!reason) PM_TRY(pm_ids_add(ids, line, length, &index));
    if (!reason && index != number - 1) reason = "an id given before";
    PM_REQUIRE(ids, !reason, PM_ERR_FORMAT, "%s:%" PRId64 ": %s; the file was changed or damaged", path, number, reason);
    return PM_OK;
}

static pm_status read_lines(pm_ids *ids, const char *path, char *data, int64_t size)
{
    int64_t number = 0;
    for (char *line = data, *end; line < data + size; line = end + 1) {
        number++;
        end = memchr(line, '\n', (size_t)(data + size - line));
        PM_REQUIRE(ids, end, PM_ERR_FORMAT, "%s:%" PRId64 ": the last line has no end; the file was cut off", path, number);
        PM_TRY(read_id(ids, path, number, line, (size_t)(end - line)));
    }
    return PM_OK;
}

pm_status pm_run_read_ids(const void *parent, const char *path, pm_ids **out)
{
    *out = NULL;
    pm_ids *ids;
    char *data;
    int64_t size;
    PM_TRY(pm_ids_create(parent, &ids));
    pm_status st = pm_file_read(ids, path, INT64_C(1) << 40, &data, &size);
    if (st == PM_OK) st = read_lines(ids, path, data, size);
    pm_free(data);
    if (st == PM_OK) *out = ids;
    else pm_free(ids);
    return st;
}

// ---- the log -------------------------------------------------------------------------------------------------------

struct pm_run_log {
    int     descriptor;
    char   *path;
    int64_t length;
};

static void close_log(void *ptr)
{
    const pm_run_log *log = ptr;
    if (log->descriptor >= 0) close(log->descriptor);
}

static pm_status cannot_write(const pm_run_log *log)
{
    return pm_fail(log, PM_ERR_IO, "%s: cannot write: %s; free some space and try again", log->path, strerror(errno));
}

static pm_status cut_log(pm_run_log *log, int64_t length)
{
    char last = '\n';
    const off_t have = lseek(log->descriptor, 0, SEEK_END);
    PM_REQUIRE(log, have >= 0, PM_ERR_IO, "%s: cannot read: %s", log->path, strerror(errno));
    PM_REQUIRE(log, have >= length, PM_ERR_FORMAT,
               "%s: is %lld bytes long where the checkpoint knows %" PRId64 "; the file was cut off", log->path,
               (long long)have, length);
    if (length > 0 && pread(log->descriptor, &last, 1, (off_t)length - 1) != 1)
        return pm_fail(log, PM_ERR_IO, "%s: cannot read: %s", log->path, strerror(errno));
    PM_REQUIRE(log, last == '\n', PM_ERR_FORMAT,
               "%s: no line ends at byte %" PRId64 ", where the checkpoint has it; the file was changed", log->path, length);
    log->length = length;
    if (ftruncate(log->descriptor, (off_t)length) != 0) return cannot_write(log);
    return pm_run_log_sync(log);
}

static pm_status open_log(pm_run_log *log, const char *path, int64_t length)
{
    log->path = pm_strdup(log, path);
    PM_CHECK_ALLOC(log->path);
    PM_REQUIRE(log, length >= 0, PM_ERR_ARG, "%s: a length of %" PRId64, path, length);
    log->descriptor = open(path, O_RDWR | O_CLOEXEC | O_APPEND | (length == 0 ? O_CREAT : 0), 0666);
    PM_REQUIRE(log, log->descriptor >= 0, PM_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    return cut_log(log, length);
}

pm_status pm_run_log_open(const void *parent, const char *path, int64_t length, pm_run_log **out)
{
    *out = NULL;
    pm_run_log *log = pm_new(parent, pm_run_log);
    PM_CHECK_ALLOC(log);
    log->descriptor = -1;
    pm_set_destructor(log, close_log);
    const pm_status st = open_log(log, path, length);
    if (st == PM_OK) *out = log;
    else pm_free(log);
    return st;
}

static bool write_all(int descriptor, const char *data, size_t size)
{
    while (size) {
        const ssize_t n = write(descriptor, data, size);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) data += n, size -= (size_t)n;
    }
    return true;
}

pm_status pm_run_log_append(pm_run_log *log, const char *line)
{
    const size_t size = strlen(line);
    PM_REQUIRE(log, !strchr(line, '\n'), PM_ERR_ARG, "%s: a line with a newline in it", log->path);
    if (!write_all(log->descriptor, line, size) || !write_all(log->descriptor, "\n", 1)) {
        const pm_status st = cannot_write(log);
        if (ftruncate(log->descriptor, (off_t)log->length) != 0)    // the checkpoint's length still tells what is valid
            pm_log(log, PM_LOG_WARN, "%s: ends in half a line", log->path);
        return st;
    }
    log->length += (int64_t)size + 1;
    return PM_OK;
}

pm_status pm_run_log_sync(pm_run_log *log)
{
    return fsync(log->descriptor) == 0 ? PM_OK : cannot_write(log);
}

int64_t pm_run_log_length(const pm_run_log *log)
{
    return log->length;
}
