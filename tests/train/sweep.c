// kill -9 at random instants of a sweep, the same command again until done: the same result as a sweep that was left alone, no finished
// run repeated. The victim is this program again, in a process of its own: sweep FOLDER HALVING JOBS.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include "spawn_help.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static pm_status run_sweep(pm_ctx *ctx, const char *folder, bool halving, int jobs, pm_sweep **out)
{
    pm_spec spec = small_spec("mult-dae");
    spec.save_every = 1e-9;    // most kills come while files are written
    const pm_sweep_params params = { .spec = &spec, .grid = "dropout=0,0.5;lr=0.001,0.01,0.03", .seeds = 2, .jobs = jobs, .halving = halving, .folder = folder };
    return pm_sweep_run(ctx, &params, out);
}

static char *sweep_text(const char *folder, bool halving, int jobs)
{
    pm_ctx *ctx;
    pm_sweep *sweep;
    char *json;
    assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .threads = 1 }, &ctx), PM_OK);
    if (run_sweep(ctx, folder, halving, jobs, &sweep) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    sweep->found = 0;    // what was found done, and where, may differ
    sweep->folder = "";
    const char *nowhere[2] = { "", "" };
    sweep->winner_runs = nowhere;
    assert_int_equal(pm_sweep_json(ctx, sweep, &json), PM_OK);
    char *copy = strdup(json);
    pm_ctx_destroy(&ctx);
    return copy;
}

static int victim(char **argv)
{
    pm_ctx *ctx;
    pm_sweep *sweep;
    if (pm_ctx_create(&(pm_ctx_params){ .threads = 1 }, &ctx) != PM_OK) return 1;
    const pm_status st = run_sweep(ctx, argv[1], atoi(argv[2]) != 0, atoi(argv[3]), &sweep);
    if (st != PM_OK) fprintf(stderr, "victim: %s: %s\n", pm_status_name(st), pm_ctx_message(ctx));
    pm_ctx_destroy(&ctx);
    return st == PM_OK ? 0 : 1;
}

// Starts a victim and kills it after `delay` seconds (< 0: never). Its exit code, −1 when it was killed.
static int send_to_death(const char *folder, bool halving, int jobs, double delay)
{
    char jobs_text[16];
    snprintf(jobs_text, sizeof jobs_text, "%d", jobs);
    return spawn_and_wait("/proc/self/exe", (const char *const[]){ "sweep", folder, halving ? "1" : "0", jobs_text, NULL }, delay);
}

// The documents of finished runs, by their inode: a run done again would have a new one.
typedef struct documents {
    int   count;
    ino_t inode[64];
    char  name[64][64];
} documents;

static void list_finished(const char *folder, documents *d)
{
    char runs[600], path[1200];
    snprintf(runs, sizeof runs, "%s/runs", folder);
    d->count = 0;
    DIR *dir = opendir(runs);
    if (!dir) return;    // killed before it had any
    for (struct dirent *e; (e = readdir(dir));) {
        size_t size;
        const size_t length = strlen(e->d_name);
        if (length < 5 || strcmp(e->d_name + length - 5, ".json") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", runs, e->d_name);
        char *text = slurp(path, &size);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        if (strstr(text, "\"finished\":\ttrue")) {
            d->inode[d->count] = info.st_ino;
            snprintf(d->name[d->count++], sizeof d->name[0], "%.60s", e->d_name);
        }
        free(text);
    }
    closedir(dir);
}

static void assert_untouched(const char *folder, const documents *before)
{
    documents after;
    list_finished(folder, &after);
    for (int i = 0; i < before->count; i++) {
        bool found = false;
        for (int k = 0; k < after.count; k++)
            if (strcmp(after.name[k], before->name[i]) == 0) found = after.inode[k] == before->inode[i];
        if (!found) fail_msg("%s was done again", before->name[i]);
    }
}

static void kill_until_done(const fixture *f, bool halving, int jobs)
{
    const uint64_t seed = (uint64_t)time(NULL);
    const char *whole = in_folder(f, "whole"), *killed = in_folder(f, "killed");
    const double before = pm_clock();
    assert_int_equal(send_to_death(whole, halving, jobs, -1), 0);
    const double length = pm_clock() - before;
    char *wanted = sweep_text(whole, halving, jobs);
    int kills = 0;
    for (int code = -1; code != 0;) {
        documents done;
        const int64_t draw[3] = { (int64_t)seed, jobs, kills };
        const double chance = (double)(pm_hash64(draw, sizeof draw, 0) >> 11) * 0x1p-53;
        list_finished(killed, &done);
        code = send_to_death(killed, halving, jobs, kills > 12 ? -1 : (0.1 + 0.4 * chance) * length);
        if (code > 0) fail_msg("seed %d: it could not go on after %d kills", (int)seed, kills);
        kills += code < 0;
        assert_untouched(killed, &done);
    }
    assert_true(kills > 0);
    char *got = sweep_text(killed, halving, 1);
    assert_string_equal(got, wanted);
    free(got);
    free(wanted);
    remove_folder(whole);
    remove_folder(killed);
}

static void kills_repeat_nothing(void **state)
{
    kill_until_done(*state, false, 1);
    kill_until_done(*state, false, 3);
    kill_until_done(*state, true, 2);
}

// A second process in the folder is refused while the first is at work.
static void one_at_a_time(void **state)
{
    const fixture *f = *state;
    const char *folder = in_folder(f, "busy");
    pm_ctx *a, *b;
    pm_sweep *sweep;
    assert_int_equal(pm_ctx_create(NULL, &a), PM_OK);
    assert_int_equal(pm_ctx_create(NULL, &b), PM_OK);
    assert_int_equal(run_sweep(a, folder, false, 2, &sweep), PM_OK);
    char lock[700];
    snprintf(lock, sizeof lock, "%s/.lock", folder);
    const int fd = open(lock, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(run_sweep(b, folder, false, 2, &sweep), PM_ERR_ARG);
    assert_non_null(strstr(pm_ctx_message(b), "at work"));
    close(fd);
    assert_int_equal(run_sweep(b, folder, false, 2, &sweep), PM_OK);
    assert_int_equal(sweep->found, sweep->runs);
    pm_ctx_destroy(&a);
    pm_ctx_destroy(&b);
    remove_folder(folder);
}

// Killed while it wrote its first file, a sweep has left nothing but that file's beginning.
static void a_first_file_cut_short(void **state)
{
    const fixture *f = *state;
    const char *folder = in_folder(f, "begun");
    pm_ctx *ctx;
    pm_sweep *sweep;
    assert_int_equal(mkdir(folder, 0777), 0);
    put_text(f, "begun/sweep.json.tmp", "{");
    assert_int_equal(pm_ctx_create(NULL, &ctx), PM_OK);
    if (run_sweep(ctx, folder, false, 2, &sweep) != PM_OK) fail_msg("%s", pm_ctx_message(ctx));
    assert_int_equal(sweep->found, 0);
    pm_ctx_destroy(&ctx);
    remove_folder(folder);
}

typedef struct canceller {
    pm_ctx *ctx;
    int     ended;
} canceller;

static void cancel_at_fifth(void *user, pm_log_level level, const char *line)
{
    canceller *c = user;
    (void)level;
    if (strncmp(line, "run ", 4) == 0 && ++c->ended == 5) pm_ctx_cancel(c->ctx);
}

// A cancelled sweep says so and goes on to the same result.
static void cancelled_and_resumed(void **state)
{
    const fixture *f = *state;
    const char *whole = in_folder(f, "whole"), *folder = in_folder(f, "cancelled");
    canceller c = { 0 };
    pm_sweep *sweep;
    char *wanted = sweep_text(whole, false, 1);
    assert_int_equal(pm_ctx_create(&(pm_ctx_params){ .log = cancel_at_fifth, .log_user = &c, .log_level = PM_LOG_INFO, .threads = 2 }, &c.ctx), PM_OK);
    assert_int_equal(run_sweep(c.ctx, folder, false, 2, &sweep), PM_ERR_CANCELLED);
    assert_null(sweep);
    pm_ctx_destroy(&c.ctx);
    documents done;
    list_finished(folder, &done);
    assert_true(done.count >= 5 && done.count < 12);
    char *got = sweep_text(folder, false, 1);
    assert_untouched(folder, &done);
    assert_string_equal(got, wanted);
    free(got);
    free(wanted);
    remove_folder(whole);
    remove_folder(folder);
}

int main(int argc, char **argv)
{
    if (argc == 4) return victim(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kills_repeat_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_first_file_cut_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled_and_resumed, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("train.sweep", tests, NULL, NULL);
}
