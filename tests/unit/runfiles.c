// The smaller files of a run: ids, the log, the configuration.
#define _DEFAULT_SOURCE
#include "train_help.h"

#include <locale.h>
#include <math.h>

#include "core/file.h"
#include "train/json.h"
#include "train/runfiles.h"

static const char *const odd_ids[] = { "1",  "with space", " both ", "Ünï·код", "tab\there", "line\nbreak", "back\\slash\\n",
                                       "\r", "",           "#",      "\"q\"" };

static pm_ids *make_ids(const void *parent)
{
    pm_ids *ids;
    uint32_t index;
    if (pm_ids_create(parent, &ids) != PM_OK) return NULL;
    for (int i = 0; i < PM_COUNT(odd_ids); i++)
        if (pm_ids_add(ids, odd_ids[i], strlen(odd_ids[i]), &index) != PM_OK) return NULL;
    return ids;
}

static void ids_round_trip(void **state)
{
    fixture *f = *state;
    const char *path = in_folder(f, "items.tsv");
    size_t n;
    must(f, pm_run_write_ids(f->ctx, path, make_ids(f->ctx)));
    char *text = slurp(path, &n);
    assert_string_equal(text,
                        "1\nwith space\n both \nÜnï·код\ntab\\there\nline\\nbreak\nback\\\\slash\\\\n\n\\r\n\n#\n\"q\"\n");
    pm_ids *ids;
    must(f, pm_run_read_ids(f->ctx, path, &ids));
    assert_int_equal(pm_ids_count(ids), PM_COUNT(odd_ids));
    for (int i = 0; i < PM_COUNT(odd_ids); i++) assert_string_equal(pm_ids_name(ids, i), odd_ids[i]);
    // Cut anywhere but behind a line, it is refused; behind one, it is a shorter map, which the checkpoint's sizes show.
    for (size_t cut = 1; cut < n; cut++) {
        const pm_status st = pm_run_read_ids(f->ctx, put(f, "cut", text, cut), &ids);
        assert_int_equal(st, text[cut - 1] == '\n' ? PM_OK : PM_ERR_FORMAT);
    }
    free(text);
    assert_int_equal(pm_run_read_ids(f->ctx, in_folder(f, "none"), &ids), PM_ERR_IO);
    assert_null(ids);
    uint32_t index;
    must(f, pm_ids_create(f->ctx, &ids));
    must(f, pm_ids_add(ids, "\xff", 1, &index));
    assert_int_equal(pm_run_write_ids(f->ctx, in_folder(f, "bad"), ids), PM_ERR_ARG);
    assert_false(pm_file_exists(in_folder(f, "bad")));
    assert_false(pm_file_exists(in_folder(f, "bad.tmp")));
}

static void bad_ids_name_the_line(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text;
        size_t      size;
        const char *part;
    } bad[] = {
        { "a\nb\na\n", 6, "ids:3: an id given before" },
        { "a\nb\\x\n", 6, "ids:2: a backslash" },
        { "a\nb\\\n", 5, "ids:2: a backslash" },
        { "a\tb\n", 4, "ids:1: a raw tab" },
        { "a\r\n", 3, "ids:1: a raw tab, return" },
        { "a\n\0\n", 4, "ids:2: a raw tab, return or zero" },
        { "a\n\xc3\n", 4, "ids:2: text that is not UTF-8" },
        { "a\nb", 3, "ids:2: the last line has no end" },
    };
    for (int i = 0; i < PM_COUNT(bad); i++) {
        pm_ids *ids;
        assert_int_equal(pm_run_read_ids(f->ctx, put(f, "ids", bad[i].text, bad[i].size), &ids), PM_ERR_FORMAT);
        assert_null(ids);
        says(f, bad[i].part);
    }
}

static void log_is_cut_to_its_valid_length(void **state)
{
    fixture *f = *state;
    char path[256];
    strcpy(path, in_folder(f, "metrics.jsonl"));
    pm_run_log *log;
    must(f, pm_run_log_open(f->ctx, path, 0, &log));
    must(f, pm_run_log_append(log, "{\"epoch\":1}"));
    must(f, pm_run_log_sync(log));
    const int64_t valid = pm_run_log_length(log);
    assert_int_equal(valid, 12);
    must(f, pm_run_log_append(log, "{\"epoch\":2}"));
    assert_int_equal(pm_run_log_append(log, "a\nb"), PM_ERR_ARG);
    assert_int_equal(pm_run_log_length(log), 24);
    pm_free(log);    // killed here: line 2 is no part of the checkpoint
    must(f, pm_run_log_open(f->ctx, path, valid, &log));
    must(f, pm_run_log_append(log, "{\"epoch\":3}"));
    pm_free(log);
    size_t n;
    char *text = slurp(path, &n);
    assert_string_equal(text, "{\"epoch\":1}\n{\"epoch\":3}\n");
    free(text);
    assert_int_equal(pm_run_log_open(f->ctx, path, 25, &log), PM_ERR_FORMAT);
    says(f, "cut off");
    assert_int_equal(pm_run_log_open(f->ctx, path, 11, &log), PM_ERR_FORMAT);
    says(f, "no line ends at byte 11");
    assert_int_equal(pm_run_log_open(f->ctx, path, -1, &log), PM_ERR_ARG);
    assert_int_equal(pm_run_log_open(f->ctx, in_folder(f, "none"), 12, &log), PM_ERR_IO);
    assert_null(log);
    text = slurp(path, &n);
    assert_int_equal(n, 24);    // refusing did not cut
    free(text);
    must(f, pm_run_log_open(f->ctx, path, 0, &log));
    assert_int_equal(pm_run_log_length(log), 0);
}

// A spec in which every field has a value of its own.
static const char *const settings[] = { "lr=1e-3", "hidden=600,200", "naïve=\"ü\"" };
static const pm_pretrained origins[] = { { "gmf", "a \"run\"", "0123456789abcdef" }, { "mlp", "b", NULL } };

static pm_spec full_spec(void)
{
    return (pm_spec){
        .model = "mult-vae",
        .preset = "paper-ml-20m",
        .settings = settings,
        .setting_count = 3,
        .data = "/tmp/a \"b\"/r.csv",
        .update = "update.tsv",
        .read = { .path = "/tmp/a \"b\"/r.csv", .format = "csv", .columns = "u,i", .skip_bad_lines = true, .max_ids = 11 },
        .filter = { true, true, 0.1, -1e-300, 12, 13, true, true, false },
        .synth = { 14, 15, 16, 17, UINT64_MAX, true },
        .split = { "strong", (UINT64_C(1) << 53) + 1, 18, 0.45, 1.0 / 3.0, 0.3, 5e-324, 22, "2003-02-28", 19, "random", true, 0.75, 23, 24 },
        .rating = { true, -2.5, 2.6, true },
        .device = "vulkan:0",
        .seed = UINT64_C(1) << 53,
        .split_seed_given = true,
        .epochs = INT64_C(1) << 53,
        .metrics = "ndcg@100,recall@20",
        .select = "ndcg@100",
        .patience = 20,
        .validate_every = 21,
        .save_every = 1.7976931348623157e308,
        .refit = true,
        .legacy_test_selection = true,
        .fixed_length = true,
        .ties = PM_TIES_ID,
        .repeats = 25,
        .repeat = 26,
        .candidates = "all",
        .pretrained = origins, .pretrained_count = 2,
    };
}

static void same_text(const char *a, const char *b)
{
    assert_true((!a && !b) || (a && b && strcmp(a, b) == 0));
}

static void same_spec(const pm_spec *a, const pm_spec *b)
{
    same_text(a->model, b->model), same_text(a->preset, b->preset), same_text(a->data, b->data), same_text(a->update, b->update),
        same_text(a->device, b->device);
    same_text(a->metrics, b->metrics), same_text(a->select, b->select), same_text(a->candidates, b->candidates);
    assert_int_equal(a->setting_count, b->setting_count);
    for (int i = 0; i < a->setting_count; i++) assert_string_equal(a->settings[i], b->settings[i]);
    same_text(a->read.path, b->read.path), same_text(a->read.format, b->read.format),
        same_text(a->read.columns, b->read.columns);
    assert_true(a->read.skip_bad_lines == b->read.skip_bad_lines && a->read.max_ids == b->read.max_ids);
    assert_true(a->repeats == b->repeats && a->repeat == b->repeat);
    assert_true(a->split.has_relevant == b->split.has_relevant && a->split.relevant == b->split.relevant);
    assert_true(a->split.folds == b->split.folds && a->split.fold == b->split.fold);
    assert_true(a->rating.has_range == b->rating.has_range && a->rating.lo == b->rating.lo && a->rating.hi == b->rating.hi &&
                a->rating.clip == b->rating.clip);
    const pm_filter_params *fa = &a->filter, *fb = &b->filter;
    assert_true(fa->has_min_rating == fb->has_min_rating && fa->has_rating_above == fb->has_rating_above &&
                fa->min_rating == fb->min_rating);
    assert_true(fa->rating_above == fb->rating_above && fa->min_item == fb->min_item && fa->min_user == fb->min_user);
    assert_true(fa->until_stable == fb->until_stable && fa->binarize == fb->binarize);
    const pm_synth_params *ya = &a->synth, *yb = &b->synth;
    assert_true(ya->users == yb->users && ya->items == yb->items && ya->interactions == yb->interactions &&
                ya->clusters == yb->clusters);
    assert_true(ya->seed == yb->seed && ya->ratings == yb->ratings);
    const pm_split_params *sa = &a->split, *sb = &b->split;
    same_text(sa->protocol, sb->protocol), same_text(sa->validation, sb->validation), same_text(sa->test_from, sb->test_from);
    assert_true(sa->seed == sb->seed && sa->held_out == sb->held_out && sa->fold_out == sb->fold_out &&
                sa->test_share == sb->test_share);
    assert_true(sa->valid_share == sb->valid_share && sa->negatives == sb->negatives && sa->test_days == sb->test_days);
    assert_true(a->seed == b->seed && a->split_seed_given == b->split_seed_given && a->epochs == b->epochs &&
                a->patience == b->patience);
    assert_true(a->validate_every == b->validate_every && a->save_every == b->save_every && a->refit == b->refit && a->legacy_test_selection == b->legacy_test_selection && a->fixed_length == b->fixed_length &&
                a->ties == b->ties);
    assert_int_equal(a->pretrained_count, b->pretrained_count);
    for (int i = 0; i < a->pretrained_count; i++) {
        const pm_pretrained *x = &a->pretrained[i], *y = &b->pretrained[i];
        same_text(x->name, y->name), same_text(x->run, y->run), same_text(x->hash, y->hash);
    }
}

static void config_round_trips(void **state)
{
    fixture *f = *state;
    const char *path = in_folder(f, "config.json");
    const pm_spec full = full_spec(), bare = { .model = "item-pop" };
    pm_spec *back;
    must(f, pm_spec_write(f->ctx, path, &full));
    must(f, pm_spec_read(f->ctx, path, &back));
    same_spec(&full, back);
    char *a, *b;
    must(f, pm_spec_text(f->ctx, &full, &a));
    must(f, pm_spec_text(f->ctx, back, &b));
    assert_string_equal(a, b);
    must(f, pm_spec_write(f->ctx, path, &bare));
    must(f, pm_spec_read(f->ctx, path, &back));
    same_spec(&bare, back);
    // Who adds a field to a spec adds it to runconfig.c and to this test, then changes this number.
    if (sizeof(void *) == 8 && sizeof(double) == 8) assert_int_equal(sizeof(pm_spec), 456);
}

static void numbers_are_exact_in_any_locale(void **state)
{
    fixture *f = *state;
    static const double values[] = {
        0, 0.1, 1.0 / 3, 123456789.123456789, 5e-324, 2.2250738585072014e-308, 9007199254740993.0, -1e22, 0.1 + 0.2
    };
    static const char *const locales[] = { "C", "de_DE.UTF-8" };
    for (int l = 0; l < PM_COUNT(locales); l++) {
        if (!setlocale(LC_NUMERIC, locales[l])) continue;
        for (int i = 0; i < PM_COUNT(values); i++) {
            pm_json *json, *back;
            char *text;
            must(f, pm_json_create(f->ctx, &json));
            assert_true(pm_json_add_real(json->root, "v", values[i]));
            must(f, pm_json_print(f->ctx, json, false, &text));
            assert_null(strchr(text, ','));
            must(f, pm_json_parse(f->ctx, "t", text, (int64_t)strlen(text), &back));
            assert_true(cJSON_GetObjectItem(back->root, "v")->valuedouble == values[i]);
        }
    }
    setlocale(LC_NUMERIC, "C");
    pm_json *json;
    char *text;
    must(f, pm_json_create(f->ctx, &json));
    assert_true(pm_json_add_real(json->root, "n", NAN) && pm_json_add_real(json->root, "i", INFINITY));
    must(f, pm_json_print(f->ctx, json, false, &text));
    assert_string_equal(text, "{\"n\":null,\"i\":null}");
}

static void config_refuses_what_it_cannot_hold(void **state)
{
    fixture *f = *state;
    char *text;
    pm_spec spec = { .model = NULL };
    assert_int_equal(pm_spec_text(f->ctx, &spec, &text), PM_ERR_ARG);
    spec = (pm_spec){ .model = "m", .filter.min_rating = NAN };
    assert_int_equal(pm_spec_text(f->ctx, &spec, &text), PM_ERR_ARG);
    says(f, "filter.min_rating");
    spec = (pm_spec){ .model = "m", .read.columns = "\xff" };
    assert_int_equal(pm_spec_text(f->ctx, &spec, &text), PM_ERR_ARG);
    says(f, "read.columns");
    spec = (pm_spec){ .model = "m", .epochs = -1 };
    assert_int_equal(pm_spec_text(f->ctx, &spec, &text), PM_ERR_ARG);
    says(f, "epochs");
    spec = (pm_spec){ .model = "m", .ties = (pm_ties)9 };
    assert_int_equal(pm_spec_text(f->ctx, &spec, &text), PM_ERR_ARG);
    assert_null(text);
}

static void bad_configs_name_the_key(void **state)
{
    fixture *f = *state;
    static const char *const bad[][2] = {
        { "", "not valid JSON" },
        { "[]", "not an object" },
        { "{}", "has no whole number 'format'" },
        { "{\"format\":2}", "has format 2" },
        { "{\"format\":1}", "'model' is missing" },
        { "{\"format\":1,\"model\":\"m\"}", "'seed' is missing" },
        { "{\"format\":1,\"model\":\"m\",\"Seed\":1}", "unknown key 'Seed'; did you mean 'seed'" },
        { "{\"format\":1,\"model\":null,\"seed\":1}", "'model' is missing" },
        { "{\"format\":1,\"model\":7,\"seed\":1}", "'model' is not a string" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":-1}", "'seed' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1.5}", "'seed' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":18446744073709551615}", "'seed' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":\"18446744073709551616\"}", "'seed' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":\"\"}", "'seed' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":\"0x1\"}", "'seed' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"seed\":1}", "'seed' is given twice" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"splt\":{}}", "unknown key 'splt'; did you mean 'split'" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"split\":7}", "'split' is not an object" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"split\":{\"negative\":1}}",
          "unknown key 'split.negative'; did you mean 'negatives'" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"split\":{\"split\":{}}}", "unknown key 'split.split'" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"split\":{\"negatives\":\"1\"}}",
          "'split.negatives' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"synth\":{\"clusters\":2147483648}}",
          "'synth.clusters' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"synth\":{\"users\":1e300}}", "'synth.users' is not a whole number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"save_every\":1e999}", "'save_every' is not a finite number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"save_every\":null}", "'save_every' is not a finite number" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"refit\":1}", "'refit' is not true or false" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"ties\":\"none\"}", "'ties' is not one of expected" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"settings\":\"a=b\"}", "'settings' is not an array" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"pretrained\":1}", "'pretrained' is not a list of runs" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"pretrained\":[{},{},{},{},{}]}", "'pretrained' is not a list of runs" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"pretrained\":[{\"name\":\"a\"}]}", "each with its name and run" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"pretrained\":[{\"name\":\"a\",\"to\":\"b\"}]}", "of name, run and hash" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"pretrained\":[{\"name\":\"a\",\"run\":1}]}", "'pretrained' is not a string or null" },
        { "{\"format\":1,\"model\":\"m\",\"seed\":1,\"settings\":[1]}", "'settings' is not an array of strings" },
    };
    for (int i = 0; i < PM_COUNT(bad); i++) {
        pm_spec *spec;
        if (pm_spec_read(f->ctx, put_text(f, "config.json", bad[i][0]), &spec) != PM_ERR_FORMAT)
            fail_msg("read: %s", bad[i][0]);
        assert_null(spec);
        says(f, bad[i][1]);
        says(f, "config.json");
    }
    pm_spec *spec;
    must(f,
         pm_spec_read(f->ctx, put_text(f, "c", "{\"format\":1,\"model\":\"m\",\"seed\":\"18446744073709551615\"}"), &spec));
    assert_true(spec->seed == UINT64_MAX);
    assert_int_equal(pm_spec_read(f->ctx, in_folder(f, "none"), &spec), PM_ERR_IO);
    // Every truncation of a real one.
    const pm_spec full = full_spec();
    char *text;
    must(f, pm_spec_text(f->ctx, &full, &text));
    for (size_t cut = 0; cut < strlen(text); cut++)
        assert_int_equal(pm_spec_parse(f->ctx, "cut", text, (int64_t)cut, &spec), PM_ERR_FORMAT);
    must(f, pm_spec_parse(f->ctx, "whole", text, (int64_t)strlen(text), &spec));
}

static void full_disk_keeps_the_old_files(void **state)
{
    fixture *f = *state;
    char items[256], config[256], metrics[256];
    strcpy(items, in_folder(f, "items.tsv")), strcpy(config, in_folder(f, "config.json")),
        strcpy(metrics, in_folder(f, "metrics.jsonl"));
    const pm_spec bare = { .model = "item-pop" }, full = full_spec();
    pm_ids *ids;
    pm_run_log *log;
    must(f, pm_spec_write(f->ctx, config, &bare));
    must(f, pm_run_write_ids(f->ctx, items, make_ids(f->ctx)));
    must(f, pm_run_log_open(f->ctx, metrics, 0, &log));
    must(f, pm_run_log_append(log, "{\"epoch\":1}"));
    limit_files(20);
    assert_int_equal(pm_spec_write(f->ctx, config, &full), PM_ERR_IO);
    assert_int_equal(pm_run_write_ids(f->ctx, items, make_ids(f->ctx)), PM_ERR_IO);
    assert_int_equal(pm_run_log_append(log, "{\"epoch\":2}"), PM_ERR_IO);
    limit_files(RLIM_INFINITY);
    assert_int_equal(pm_run_log_length(log), 12);
    must(f, pm_run_log_append(log, "{\"epoch\":3}"));
    size_t n;
    char *text = slurp(metrics, &n);
    assert_string_equal(text, "{\"epoch\":1}\n{\"epoch\":3}\n");    // no half of line 2
    free(text);
    pm_spec *spec;
    must(f, pm_spec_read(f->ctx, config, &spec));
    same_spec(&bare, spec);
    must(f, pm_run_read_ids(f->ctx, items, &ids));
    assert_int_equal(pm_ids_count(ids), PM_COUNT(odd_ids));
}

static pm_status use_config(pm_ctx *ctx, fixture *f)
{
    const pm_spec full = full_spec();
    pm_spec *spec;
    PM_TRY(pm_spec_write(ctx, in_folder(f, "config.json"), &full));
    PM_TRY(pm_spec_read(ctx, in_folder(f, "config.json"), &spec));
    same_spec(&full, spec);
    return PM_OK;
}

static pm_status use_ids_and_log(pm_ctx *ctx, fixture *f)
{
    pm_ids *ids = make_ids(ctx);
    PM_CHECK_ALLOC(ids);
    PM_TRY(pm_run_write_ids(ctx, in_folder(f, "items.tsv"), ids));
    PM_TRY(pm_run_read_ids(ctx, in_folder(f, "items.tsv"), &ids));
    pm_run_log *log;
    PM_TRY(pm_run_log_open(ctx, in_folder(f, "metrics.jsonl"), 0, &log));
    return pm_run_log_append(log, "{}");
}

static void memory_runs_out(void **state)
{
    fail_every_allocation(use_config, *state);
    fail_every_allocation(use_ids_and_log, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(ids_round_trip),
        DATA_TEST(bad_ids_name_the_line),
        DATA_TEST(log_is_cut_to_its_valid_length),
        DATA_TEST(config_round_trips),
        DATA_TEST(numbers_are_exact_in_any_locale),
        DATA_TEST(config_refuses_what_it_cannot_hold),
        DATA_TEST(bad_configs_name_the_key),
        DATA_TEST(full_disk_keeps_the_old_files),
        DATA_TEST(memory_runs_out),
    };
    return cmocka_run_group_tests_name("runfiles", tests, NULL, NULL);
}
