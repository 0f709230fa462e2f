// Which file a path means, and which files lie beside it.
#define _POSIX_C_SOURCE 200809L
#include "data/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/file.h"

static const char *const packings[] = { "", ".gz", ".zst" };

// What is looked for in a folder.
static const struct known {
    const char *name;      // a suffix when it begins with *
    const char *format;    // NULL: by content
} known_files[] = {
    { "split.json", "split" }, { "*.train.rating", "ncf" }, { "Rtrain.npz", "npz" }, { "ratings.dat", NULL },
    { "u.data", NULL },        { "ratings.csv", NULL },     { "ratings.tsv", NULL }, { "ratings.txt", NULL },
    { "train.csv", NULL },     { "train.tsv", NULL },       { "train.txt", NULL },   { "*.inter", NULL },
    { "train.mtx", "mtx" },    { "ratings.mtx", "mtx" },    { "jester-data-1.csv", "jester" },
    { "jester-data-2.csv", "jester" }, { "jester-data-3.csv", "jester" },
};

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

// Whether a base name is the known file, as is or compressed.
static bool name_matches(const char *base, const char *known)
{
    char full[64];
    const bool suffix = *known == '*';
    for (int p = 0; p < PM_COUNT(packings); p++) {
        const size_t n = strlen(known + suffix);
        memcpy(full, known + suffix, n);
        strcpy(full + n, packings[p]);
        if (suffix ? ends_with(base, full) : pm_name_equal(base, full)) return true;
    }
    return false;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *format_of_name(const char *base)
{
    for (int k = 0; k < PM_COUNT(known_files); k++)
        if (name_matches(base, known_files[k].name)) return known_files[k].format;
    return NULL;
}

// Collects the known files of a folder; `list` names them for a message, *found is the last one.
static pm_status scan(const void *parent, DIR *dir, const char **found, int *count, char *list, size_t list_size)
{
    for (const struct dirent *e; (e = readdir(dir));) {
        bool known = false;
        for (int k = 0; k < PM_COUNT(known_files) && !known; k++) known = name_matches(e->d_name, known_files[k].name);
        if (!known) continue;
        // The text files of a written split belong to its split.json.
        if (pm_name_equal(e->d_name, "split.json")) *count = 0, *list = 0;
        if (*found && pm_name_equal(*found, "split.json")) continue;
        const size_t used = strlen(list);
        if (used + strlen(e->d_name) + 3 < list_size) strcat(strcat(list, used ? ", " : ""), e->d_name);
        ++*count;
        *found = pm_strdup(parent, e->d_name);
        PM_CHECK_ALLOC(*found);
    }
    return PM_OK;
}

static pm_status locate_in_folder(const void *parent, const char *path, const char **file)
{
    DIR *dir = opendir(path);
    PM_REQUIRE(parent, dir, PM_ERR_IO, "%s: cannot open the folder: %s", path, strerror(errno));
    const char *found = NULL;
    char list[512] = "";
    int count = 0;
    const pm_status st = scan(parent, dir, &found, &count, list, sizeof list);
    closedir(dir);
    PM_TRY(st);
    PM_REQUIRE(parent, count > 0, PM_ERR_DATA,
               "%s: no known data file in this folder (ratings.dat, u.data, ratings.csv, *.train.rating, Rtrain.npz, "
               "train.csv, split.json, …); "
               "name the file itself",
               path);
    PM_REQUIRE(parent, count == 1, PM_ERR_DATA, "%s: several data files in this folder: %s; name the one to read", path,
               list);
    *file = pm_sprintf(parent, "%s%s%s", path, ends_with(path, "/") ? "" : "/", found);
    PM_CHECK_ALLOC(*file);
    return PM_OK;
}

pm_status pm_locate(const void *parent, const char *path, const char **file, const char **format)
{
    struct stat s;
    *file = path;
    PM_REQUIRE(parent, stat(path, &s) == 0, PM_ERR_IO, "%s: cannot open: %s; check the path", path, strerror(errno));
    if (S_ISDIR(s.st_mode)) PM_TRY(locate_in_folder(parent, path, file));
    *format = format_of_name(base_of(*file));
    return PM_OK;
}

pm_status pm_companion_path(const void *parent, const char *file, const char *from, const char *to, char **out)
{
    *out = NULL;
    const char *base = base_of(file), *at = strstr(base, from);
    if (!at) return PM_OK;
    const char *rest = at + strlen(from);
    size_t rest_length = strlen(rest);
    for (int p = 1; p < PM_COUNT(packings); p++)
        if (ends_with(rest, packings[p])) rest_length -= strlen(packings[p]);
    for (int p = 0; p < PM_COUNT(packings); p++) {
        char *name = pm_sprintf(parent, "%.*s%s%.*s%s", (int)(at - file), file, to, (int)rest_length, rest, packings[p]);
        PM_CHECK_ALLOC(name);
        if (pm_file_exists(name)) {
            *out = name;
            return PM_OK;
        }
        pm_free(name);
    }
    return PM_OK;
}
