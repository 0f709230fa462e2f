// kill -9 at random instants, resumed until done: the same bytes as a run that was left alone. The victim is this program again,
// in a process of its own: kill RUN MODEL.
#define _DEFAULT_SOURCE
#include "train/run_help.h"

#include "spawn_help.h"

static double seconds = 8;    // of killing

// Saves after every look at the clock, so that most kills come while files are written.
static pm_spec victim_spec(const char *model, const char *settings[16])
{
    pm_spec spec = small_spec(model);
    int n = 0;
    for (int i = 0; i < spec.setting_count; i++) settings[n++] = spec.settings[i];
    if (strcmp(model, "mult-vae") == 0) {
        settings[n++] = "anneal=auto";
        settings[n++] = "anneal_epochs=2";
        spec.refit = true;
    }
    if (strcmp(model, "cml") == 0) {
        settings[n++] = "batch=200";
        settings[n++] = "negatives=3";
        spec.split.protocol = "random";
    }
    if (strcmp(model, "vencoder") == 0) {    // phases of one epoch and of two, so that many kills come near a border
        settings[n++] = "outer_epochs=2";
        settings[n++] = "inner_epochs=1";
        spec.split.protocol = "random";
    }
    spec.settings = settings;
    spec.setting_count = n;
    spec.epochs = 3;
    spec.save_every = 1e-9;
    return spec;
}

static int victim(const char *run, const char *model)
{
    const char *settings[16];
    char config[600], message[512];
    const pm_spec spec = victim_spec(model, settings);
    snprintf(config, sizeof config, "%s/config.json", run);
    const pm_status st = train_until(access(config, F_OK) == 0 ? NULL : &spec, run, -1, 1, NULL, NULL, message);
    if (st != PM_OK) fprintf(stderr, "victim: %s: %s\n", pm_status_name(st), message);
    return st == PM_OK ? 0 : 1;
}

// Starts a victim and kills it after `delay` seconds (< 0: never). Its exit code, −1 when it was killed.
static int send_to_death(const char *run, const char *model, double delay)
{
    return spawn_and_wait("/proc/self/exe", (const char *const[]){ "kill", run, model, NULL }, delay);
}

static void kills_cost_nothing(void **state)
{
    const fixture *f = *state;
    static const char *const models[] = { "mult-vae", "mult-dae", "cml", "vencoder" };
    const uint64_t seed = (uint64_t)time(NULL);
    int kills = 0, runs = 0;
    for (int m = 0; m < PM_COUNT(models); m++) {
        const char *whole = in_folder(f, "whole"), *run = in_folder(f, "run");
        double before = pm_clock();
        assert_int_equal(send_to_death(whole, models[m], -1), 0);
        const double length = pm_clock() - before;
        before = pm_clock();
        for (int round = 0; round == 0 || pm_clock() - before < seconds / PM_COUNT(models); round++, runs++) {
            for (int code = -1, k = 0; code != 0; k++) {
                const int64_t draw[4] = { (int64_t)seed, m, round, k };
                const double chance = (double)(pm_hash64(draw, sizeof draw, 0) >> 11) * 0x1p-53;
                code = send_to_death(run, models[m], k > 200 ? -1 : chance * length * 0.6);
                if (code > 0) fail_msg("%s, seed %d, round %d, after %d kills: it could not go on", models[m], (int)seed, round, k);
                kills += code < 0;
            }
            char when[128];
            snprintf(when, sizeof when, "%s, seed %d, round %d", models[m], (int)seed, round);
            assert_same_run(whole, run, when);
            assert_tidy(run);
            remove_folder(run);
        }
        remove_folder(whole);
    }
    printf("%d runs, %d kills\n", runs, kills);
    assert_true(kills > 0);
}

int main(int argc, char **argv)
{
    if (argc == 3) return victim(argv[1], argv[2]);
    if (argc == 2) seconds = atof(argv[1]);
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(kills_cost_nothing, set_up, tear_down) };
    return cmocka_run_group_tests_name("train.kill", tests, NULL, NULL);
}
