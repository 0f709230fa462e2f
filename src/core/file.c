#define _POSIX_C_SOURCE 200809L
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct pm_file {
    FILE *stream;
    char *path, *temporary;
};

static void close_file(void *ptr)
{
    pm_file *f = ptr;
    if (f->stream) {
        fclose(f->stream);
        unlink(f->temporary);
    }
    f->stream = NULL;
}

pm_status pm_file_create(const void *parent, const char *path, pm_file **out)
{
    *out = NULL;
    pm_file *f = pm_new(parent, pm_file);
    PM_CHECK_ALLOC(f);
    pm_set_destructor(f, close_file);
    f->path = pm_strdup(f, path);
    f->temporary = pm_sprintf(f, "%s.tmp", path);
    if (!f->path || !f->temporary) {
        pm_free(f);
        return PM_ERR_NOMEM;
    }
    f->stream = fopen(f->temporary, "wb");
    if (!f->stream) {
        const pm_status st = pm_fail(parent, PM_ERR_IO, "%s: cannot create: %s", f->temporary, strerror(errno));
        pm_free(f);
        return st;
    }
    *out = f;
    return PM_OK;
}

FILE *pm_file_stream(pm_file *file)
{
    return file->stream;
}

pm_status pm_file_write(pm_file *file, const void *data, size_t size)
{
    if (size && fwrite(data, 1, size, file->stream) != size)
        return pm_fail(file, PM_ERR_IO, "%s: cannot write: %s; free some space and try again", file->path, strerror(errno));
    return PM_OK;
}

static void sync_folder_of(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    const size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof folder) return;
    memcpy(folder, path, n);
    folder[n] = 0;
    const int fd = open(!slash ? "." : n ? folder : "/", O_RDONLY);
    if (fd < 0) return;    // some file systems refuse; the rename itself has happened
    fsync(fd);
    close(fd);
}

pm_status pm_file_commit(pm_file **file)
{
    pm_file *f = *file;
    *file = NULL;
    pm_status st = PM_OK;
    if (ferror(f->stream) || fflush(f->stream) != 0 || fsync(fileno(f->stream)) != 0) {
        st = pm_fail(f, PM_ERR_IO, "%s: cannot write: %s; free some space and try again", f->path, strerror(errno));
    } else {
        const int closed = fclose(f->stream);
        f->stream = NULL;
        if (closed != 0 || rename(f->temporary, f->path) != 0) {
            st = pm_fail(f, PM_ERR_IO, "%s: cannot replace: %s", f->path, strerror(errno));
            unlink(f->temporary);
        } else {
            sync_folder_of(f->path);
        }
    }
    pm_free(f);
    return st;
}

void pm_file_discard(pm_file **file)
{
    pm_free(*file);
    *file = NULL;
}

pm_status pm_file_write_text(const void *object, const char *path, const char *text)
{
    pm_file *file;
    PM_TRY(pm_file_create(object, path, &file));
    pm_status st = pm_file_write(file, text, strlen(text));
    if (st == PM_OK) st = pm_file_write(file, "\n", 1);
    if (st == PM_OK) return pm_file_commit(&file);
    pm_file_discard(&file);
    return st;
}

static pm_status copy_stream(FILE *from, const char *name, pm_file *to)
{
    char part[16384];
    size_t n;
    while ((n = fread(part, 1, sizeof part, from)) > 0) PM_TRY(pm_file_write(to, part, n));
    PM_REQUIRE(to, !ferror(from), PM_ERR_IO, "%s: cannot read: %s", name, strerror(errno));
    return PM_OK;
}

pm_status pm_file_copy(const void *object, const char *from, const char *to)
{
    pm_file *out = NULL;
    FILE *in = fopen(from, "rb");
    PM_REQUIRE(object, in, PM_ERR_IO, "%s: cannot open: %s", from, strerror(errno));
    pm_status st = pm_file_create(object, to, &out);
    if (st == PM_OK) st = copy_stream(in, from, out);
    if (st == PM_OK) st = pm_file_commit(&out);
    else if (out) pm_file_discard(&out);
    fclose(in);
    return st;
}

pm_status pm_make_folder(const void *object, const char *path)
{
    char part[4096];
    const size_t n = strlen(path);
    PM_REQUIRE(object, n > 0 && n < sizeof part, PM_ERR_ARG, "folder name of %zu bytes", n);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != 0) continue;
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return pm_fail(object, PM_ERR_IO, "%s: cannot make the folder: %s", part, strerror(errno));
        part[i] = path[i];
    }
    struct stat s;
    PM_REQUIRE(object, stat(path, &s) == 0 && S_ISDIR(s.st_mode), PM_ERR_IO, "%s: is not a folder", path);
    return PM_OK;
}

bool pm_file_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0;
}

pm_status pm_file_read(const void *parent, const char *path, int64_t limit, char **data, int64_t *size)
{
    *data = NULL;
    *size = 0;
    FILE *f = fopen(path, "rb");
    PM_REQUIRE(parent, f, PM_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    struct stat s;
    char *content = NULL;
    pm_status st = PM_OK;
    if (fstat(fileno(f), &s) != 0 || !S_ISREG(s.st_mode))
        st = pm_fail(parent, PM_ERR_IO, "%s: is not a plain file", path);
    else if (s.st_size > limit)
        st = pm_fail(parent, PM_ERR_DATA, "%s: is %lld bytes long, more than the %" PRId64 " allowed here", path,
                     (long long)s.st_size, limit);
    else if (!(content = pm_alloc(parent, (size_t)s.st_size + 1)))
        st = PM_ERR_NOMEM;
    else if (fread(content, 1, (size_t)s.st_size, f) != (size_t)s.st_size)
        st = pm_fail(parent, PM_ERR_IO, "%s: cannot read: %s", path, ferror(f) ? strerror(errno) : "it got shorter");
    fclose(f);
    if (st != PM_OK) {
        pm_free(content);
        return st;
    }
    *data = content;
    *size = s.st_size;
    return PM_OK;
}

pm_status pm_file_replace(const void *object, const char *from, const char *to)
{
    PM_REQUIRE(object, rename(from, to) == 0, PM_ERR_IO, "%s: cannot take the place of %s: %s", from, to, strerror(errno));
    sync_folder_of(to);
    return PM_OK;
}
