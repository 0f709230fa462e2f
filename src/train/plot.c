// Figures: gnuplot as a child process, and its SVG made to follow the page's colours.
#define _GNU_SOURCE    // posix_spawnp's environment
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/page.h"

enum { SVG_LIMIT = 16 << 20, SERIES_COLORS = 8 };

extern char **environ;

// ---- the child -----------------------------------------------------------------------------------------------------

static pm_status read_back(pm_ctx *ctx, FILE *file, char **text)
{
    const long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    PM_REQUIRE(ctx, size >= 0 && size <= SVG_LIMIT, PM_ERR_IO, "gnuplot: its output cannot be read back");
    *text = pm_alloc(ctx, (size_t)size + 1);
    PM_CHECK_ALLOC(*text);
    rewind(file);
    PM_REQUIRE(ctx, fread(*text, 1, (size_t)size, file) == (size_t)size, PM_ERR_IO, "gnuplot: its output cannot be read back");
    return PM_OK;
}

// -d: no settings of the user's own.
static pm_status spawn(pm_ctx *ctx, FILE *in, FILE *out, FILE *err, int *status)
{
    char *const argv[] = { "gnuplot", "-d", NULL };
    posix_spawn_file_actions_t files;
    pid_t child;
    if (posix_spawn_file_actions_init(&files) != 0) return PM_ERR_NOMEM;
    posix_spawn_file_actions_adddup2(&files, fileno(in), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, fileno(out), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, fileno(err), STDERR_FILENO);
    const int failed = posix_spawnp(&child, "gnuplot", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    PM_REQUIRE(ctx, !failed, failed == ENOENT ? PM_ERR_NOT_FOUND : PM_ERR_IO, "gnuplot cannot be started: %s", strerror(failed));
    while (waitpid(child, status, 0) < 0)
        PM_REQUIRE(ctx, errno == EINTR, PM_ERR_IO, "gnuplot: cannot wait for it: %s", strerror(errno));
    return PM_OK;
}

static pm_status run(pm_ctx *ctx, FILE *in, FILE *out, FILE *err, const char *script, char **raw)
{
    int status;
    char *said;
    PM_REQUIRE(ctx, fputs(script, in) >= 0 && fflush(in) == 0 && lseek(fileno(in), 0, SEEK_SET) == 0, PM_ERR_IO,
               "gnuplot: no room for its script: %s", strerror(errno));
    PM_TRY(spawn(ctx, in, out, err, &status));
    // A shell-like 127 comes from libraries whose spawn reports a missing program so.
    PM_REQUIRE(ctx, !WIFEXITED(status) || WEXITSTATUS(status) != 127, PM_ERR_NOT_FOUND, "gnuplot cannot be started");
    PM_TRY(read_back(ctx, err, &said));
    PM_REQUIRE(ctx, WIFEXITED(status) && WEXITSTATUS(status) == 0, PM_ERR_IO, "gnuplot failed: %.200s", said);
    pm_free(said);
    return read_back(ctx, out, raw);
}

// ---- the drawing ---------------------------------------------------------------------------------------------------

typedef struct drawing {
    pm_page    *page;    // a growing text
    const char *name;
} drawing;

// Black is the page's ink; 1,N,7 is series N and 2,1,7 the grid, as the scripts write them. Anything else stays what it is.
static bool map_color(drawing *d, int r, int g, int b)
{
    if (r == 0 && g == 0 && b == 0) pm_page_raw(d->page, "currentColor");
    else if (r == 1 && b == 7 && g >= 1 && g <= SERIES_COLORS) pm_page_print(d->page, "var(--s%d)", g);
    else if (r == 2 && g == 1 && b == 7) pm_page_raw(d->page, "var(--grid)");
    else return false;
    return true;
}

static bool starts(const char *at, const char *with, size_t *length)
{
    *length = strlen(with);
    return strncmp(at, with, *length) == 0;
}

// Rewrites what begins at `at`; the bytes it took, 0 where it is nothing special.
static size_t rewrite(drawing *d, const char *at)
{
    static const char *const inks[] = { "\"black\"", "\"gray\"", "\"white\"" };
    size_t n;
    int r, g, b, used = 0;
    if (*at == 'r' && sscanf(at, "rgb( %d , %d , %d )%n", &r, &g, &b, &used) == 3 && used > 0) return map_color(d, r, g, b) ? (size_t)used : 0;
    for (int i = 0; *at == '"' && i < PM_COUNT(inks); i++)
        if (starts(at, inks[i], &n)) {
            pm_page_raw(d->page, "\"currentColor\"");
            return n;
        }
    if (starts(at, " id='", &n) || starts(at, " id=\"", &n)) {
        pm_page_bytes(d->page, at, (int64_t)n);
        pm_page_print(d->page, "%s-", d->name);
        return n;
    }
    if (starts(at, "xlink:href='#", &n)) {
        pm_page_print(d->page, "href='#%s-", d->name);
        return n;
    }
    if (starts(at, "<title>", &n)) {    // what the script called it, of no use to a reader
        const char *end = strstr(at, "</title>");
        return end ? (size_t)(end - at) + 8 : 0;
    }
    if (starts(at, "<filter", &n)) {
        const char *end = strstr(at, "</filter>");
        return end ? (size_t)(end - at) + 9 : 0;
    }
    return 0;
}

pm_status pm_plot(pm_ctx *ctx, const char *name, const char *script, char **svg)
{
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    char *raw = NULL;
    drawing d = { .name = name };
    *svg = NULL;
    pm_status st = in && out && err ? run(ctx, in, out, err, script, &raw) :
                                      pm_fail(ctx, PM_ERR_IO, "gnuplot: no temporary file: %s", strerror(errno));
    if (in) fclose(in);
    if (out) fclose(out);
    if (err) fclose(err);
    const char *const before = "</desc>", *at = raw ? strstr(raw, before) : NULL;    // after the prolog and its size in pixels
    if (st == PM_OK && !at) st = pm_fail(ctx, PM_ERR_IO, "gnuplot wrote no SVG");
    if (st == PM_OK) st = pm_page_create(ctx, &d.page);
    if (st == PM_OK) at += strlen(before);
    while (st == PM_OK && *at) {
        const size_t taken = rewrite(&d, at);
        if (!taken) pm_page_bytes(d.page, at, 1);
        at += taken ? taken : 1;
    }
    pm_free(raw);
    if (st == PM_OK && d.page->failed) st = PM_ERR_NOMEM;
    if (st == PM_OK) *svg = d.page->text;
    return st;
}
