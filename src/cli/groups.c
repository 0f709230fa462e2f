// Options that several commands share, and the spec that they make.
#include <math.h>
#include <stdlib.h>

#include "cli/cli.h"

const pm_option_group pm_group_common = { "Output", (const pm_option[]){
    PM_FLAG("json", 0, "one JSON document on stdout instead of a table"),
    PM_FLAG("quiet", 'q', "no progress and no log on stderr, warnings and errors alone"),
    { 0 } } };

const pm_option_group pm_group_device = { "Device", (const pm_option[]){
    PM_TEXT("device", 'd', "DEVICE",
            "auto, cpu, ref, vulkan, vulkan:N or vulkan:NAME-PART; see pumice devices. auto takes the fastest GPU there is, else cpu"),
    PM_INTEGER("threads", 0, "N", 1, 1024, "threads of the CPU backends; the results do not depend on it. Default: one per core"),
    { 0 } } };

const pm_option_group pm_group_read = { "Data", (const pm_option[]){
    PM_TEXT("data", 0, "PATH", "a file or a folder, plain, gzip or zstd; companions such as X.test.negative are found beside it. Without it a synthetic data "
      "set is made from the seed"),
    PM_TEXT("synth", 0, "NAME", "shape of the synthetic data set: small, ml-1m, ml-20m"),
    PM_TEXT("format", 0, "NAME", "auto (by content), movielens, csv, tsv, ncf, npz, lightgcn (a user and the items on each line), mtx (MatrixMarket), jester or split"),
    PM_TEXT("columns", 0, "LIST", "names or numbers of user,item[,rating[,time]], such as userId,movieId,rating"),
    PM_FLAG("skip-bad-lines", 0, "count and report bad lines instead of failing at the first"),
    { 0 } } };

const pm_option_group pm_group_filter = { "Filters, in this order", (const pm_option[]){
    PM_NUMBER("min-rating", 0, "X", -1e30, 1e30, "keep ratings of X and above"),
    PM_NUMBER("rating-above", 0, "X", -1e30, 1e30, "keep ratings above X"),
    PM_INTEGER("min-item", 0, "N", 0, 1e15, "drop items with fewer than N interactions"),
    PM_INTEGER("min-user", 0, "N", 0, 1e15, "then users with fewer than N"),
    PM_FLAG("filter-until-stable", 0, "repeat the last two until nothing changes"),
    PM_FLAG("binarize", 0, "every value becomes 1"),
    PM_TEXT("rating-range", 0, "LO,HI", "the least and the highest rating there may be, such as 1,5, for models of ratings. Default: those of the training part"),
    PM_FLAG("clip-predictions", 0, "models of ratings: predictions outside that range are moved to its ends"),
    { 0 } } };

const pm_option_group pm_group_split = { "Split", (const pm_option[]){
    PM_TEXT("protocol", 0, "NAME",
            "strong (held-out users; the default but for models of ratings), random (interactions), temporal (the last days), user-temporal (the last of each user), leave-one-out (the latest of each user among sampled "
            "negatives), rating (known ratings at random, to be predicted), files (the parts that the data came in)"),
    PM_INTEGER("held-out", 0, "N", 1, 1e15, "strong: users held out for validation, and as many for test. Default: a tenth, at most 10000"),
    PM_NUMBER("held-out-share", 0, "X", 1e-9, 0.499999, "strong: the same as a share of the users, such as 0.05"),
    PM_NUMBER("fold-out", 0, "X", 1e-9, 0.999999, "strong: share of a held-out user's items that are to be found. Default: 0.2"),
    PM_NUMBER("test-share", 0, "X", 1e-9, 0.999999, "random, rating: share of the interactions for test, 0.1; user-temporal: of each user's, 0.3"),
    PM_NUMBER("valid-share", 0, "X", 1e-9, 0.999999, "random: share of the interactions for validation, 0.1; user-temporal: of each user's, 0.2; temporal, rating: of those that are not for test, 0.1"),
    PM_INTEGER("test-days", 0, "N", 1, 1e6, "temporal: the last N days are the test part. Default: 30"),
    PM_TEXT("test-from", 0, "DATE", "temporal: the test part begins with this day (2003-02-28, UTC) or second (Unix time)"),
    PM_INTEGER("negatives", 0, "N", 1, 1e9, "leave-one-out: sampled candidates beside the target. Default: 100"),
    PM_CHOICE("validation", 0, "WHICH", "previous|random", "leave-one-out: the validation item of a user, the one before the test item or any"),
    PM_NUMBER("relevant-from", 0, "X", -1e30, 1e30, "random, strong, temporal, user-temporal: only what was rated X and above is to be found; training keeps the rest"),
    PM_SEED("split-seed", 0, "N", "seed of the split alone. Default: --seed"),
    { 0 } } };

const pm_option_group pm_group_model = { "Model", (const pm_option[]){
    PM_TEXT("preset", 0, "NAME", "the settings of a paper; see pumice models NAME"),
    PM_TEXTS("set", 0, "NAME=VALUE", "a hyperparameter; --NAME VALUE does the same. After the preset, in order"),
    PM_INTEGER("epochs", 'e', "N", 1, 1e9, "how many epochs. Default: the model's own"),
    PM_SEED("seed", 's', "N", "seed of everything random. Equal seeds on equal devices: equal bits. Default: 0"),
    { 0 } } };

const pm_option_group pm_group_pretrained = { "Pretraining", (const pm_option[]){
    PM_TEXT("pretrained-gmf", 0, "RUN", "neumf: begin from this run of gmf"),
    PM_TEXT("pretrained-mlp", 0, "RUN", "and from this run of mlp: both of the same factors, data and split"),
    { 0 } } };

const pm_option_group pm_group_choose = { "Choice and evaluation", (const pm_option[]){
    PM_TEXT("metrics", 'm', "LIST", "such as ndcg@100,recall_capped@20. Default: the protocol's usual ones"),
    PM_TEXT("select", 0, "METRIC", "chooses the epoch, on validation. Default: the first of --metrics"),
    PM_INTEGER("patience", 0, "N", 1, 1e9, "stop after N epochs without a better value. Default: never"),
    PM_INTEGER("validate-every", 0, "N", 1, 1e9, "epochs between validations. Default: 1"),
    PM_FLAG("refit", 0, "train once more on train + validation for the chosen length before the test"),
    PM_FLAG("legacy-test-selection", 0, "choose the epoch on the test part, as much published work does; the figures flatter and are marked wherever they go. With --refit "
      "train on train + validation"),
    PM_FLAG("fixed-length", 0, "choose no epoch: train on train + validation from the start, for all of --epochs"),
    PM_CHOICE("candidates", 0, "WHICH", "sampled|all|sampled,all", "leave-one-out: what the target is ranked among, the sampled negatives or all items that are not "
      "known. Default: both, the epoch chosen among the sampled"),
    PM_CHOICE("ties", 0, "RULE", "expected|optimistic|pessimistic|id", "where a tied target ranks (leave-one-out). Default: expected"),
    { 0 } } };

const pm_option_group pm_group_repeat = { "Repetition", (const pm_option[]){
    PM_INTEGER("repeats", 0, "K", 2, 10000, "K trainings on other splits, seeds from the given ones on: means and deviations, a run folder RUN/repeat-N for each"),
    PM_INTEGER("folds", 0, "K", 2, 10000, "rating: K trainings, each tested on another K-th of the ratings"),
    { 0 } } };

const pm_option_group pm_group_save = { "Run", (const pm_option[]){
    PM_TEXT("output", 'o', "RUN", "folder to save into: settings, log, checkpoint, best parameters, ids"),
    PM_TEXT("resume", 0, "RUN", "go on where the checkpoint of a run stands, to the same bits as if never stopped"),
    PM_NUMBER("save-every", 0, "SECONDS", 0.001, 1e9, "between checkpoints, besides those at the ends of epochs. Default: 60"),
    { 0 } } };

// ---- the spec ------------------------------------------------------------------------------------------------------

static pm_status collect_settings(const pm_cli *cli, pm_spec *spec)
{
    const char **settings = pm_new_array(cli->ctx, const char *, cli->given_count + 1);
    PM_CHECK_ALLOC(settings);
    for (int i = 0; i < cli->given_count; i++) {
        const pm_given *given = &cli->given[i];
        if (given->option && strcmp(given->option->name, "set") != 0) continue;
        const char *text = given->hyper ? pm_sprintf(cli->ctx, "%s=%s", given->hyper, given->value) : given->value;
        PM_CHECK_ALLOC(text);
        settings[spec->setting_count++] = text;
    }
    spec->settings = settings;
    return PM_OK;
}

// --pretrained-NAME RUN
static pm_status collect_pretrained(const pm_cli *cli, pm_spec *spec)
{
    static const char prefix[] = "pretrained-";
    pm_pretrained *all = pm_new_array(cli->ctx, pm_pretrained, cli->given_count + 1);
    PM_CHECK_ALLOC(all);
    for (int i = 0; i < cli->given_count; i++) {
        const pm_option *o = cli->given[i].option;
        if (o && strncmp(o->name, prefix, sizeof prefix - 1) == 0)
            all[spec->pretrained_count++] = (pm_pretrained){ .name = o->name + sizeof prefix - 1, .run = cli->given[i].value };
    }
    spec->pretrained = all;
    return PM_OK;
}

pm_status pm_cli_synth_preset(const pm_cli *cli, const char *name, pm_synth_params *params)
{
    const pm_synth_preset *preset = pm_synth_find(name);
    if (preset) {
        *params = preset->params;
        return PM_OK;
    }
    int count;
    const pm_synth_preset *all = pm_synth_presets(&count);
    const char **names = pm_new_array(cli->ctx, const char *, count);
    PM_CHECK_ALLOC(names);
    for (int i = 0; i < count; i++) names[i] = all[i].name;
    const char *near = pm_nearest_name(name, names, count), *list = pm_cli_join(cli->ctx, names, count);
    PM_CHECK_ALLOC(list);
    return pm_fail(cli->ctx, PM_ERR_ARG, "no synthetic data set \"%s\"%s%s%s; there are: %s", name, near ? "; did you mean \"" : "",
                   near ? near : "", near ? "\"" : "", list);
}

// "1,5"
static pm_status read_range(const pm_cli *cli, pm_rating_params *r)
{
    const char *text = pm_cli_text(cli, "rating-range");
    if (!text) return PM_OK;
    char *end = NULL;
    r->lo = strtod(text, &end);
    const bool one = end != text && *end == ',';
    const char *second = one ? end + 1 : end;
    r->hi = one ? strtod(second, &end) : 0;
    PM_REQUIRE(cli->ctx, one && end != second && !*end && isfinite(r->lo) && isfinite(r->hi) && r->lo < r->hi, PM_ERR_ARG,
               "--rating-range \"%s\": give the least and the highest rating with a comma between, such as 1,5", text);
    r->has_range = true;
    return PM_OK;
}

pm_status pm_cli_spec(const pm_cli *cli, pm_spec *spec)
{
    *spec = (pm_spec){
        .preset = pm_cli_text(cli, "preset"),
        .data = pm_cli_text(cli, "data"),
        .read = { .path = pm_cli_text(cli, "data"), .format = pm_cli_text(cli, "format"), .columns = pm_cli_text(cli, "columns"),
                  .skip_bad_lines = pm_cli_has(cli, "skip-bad-lines") },
        .filter = { .has_min_rating = pm_cli_has(cli, "min-rating"), .min_rating = pm_cli_number(cli, "min-rating", 0),
                    .has_rating_above = pm_cli_has(cli, "rating-above"), .rating_above = pm_cli_number(cli, "rating-above", 0),
                    .min_item = pm_cli_integer(cli, "min-item", 0), .min_user = pm_cli_integer(cli, "min-user", 0),
                    .until_stable = pm_cli_has(cli, "filter-until-stable"), .binarize = pm_cli_has(cli, "binarize") },
        .split = { .protocol = pm_cli_text(cli, "protocol"), .held_out = pm_cli_integer(cli, "held-out", 0),
                   .held_out_share = pm_cli_number(cli, "held-out-share", 0),
                   .fold_out = pm_cli_number(cli, "fold-out", 0), .test_share = pm_cli_number(cli, "test-share", 0),
                   .valid_share = pm_cli_number(cli, "valid-share", 0), .negatives = pm_cli_integer(cli, "negatives", 0),
                   .validation = pm_cli_text(cli, "validation"), .test_days = pm_cli_integer(cli, "test-days", 0),
                   .test_from = pm_cli_text(cli, "test-from"), .folds = pm_cli_integer(cli, "folds", 0),
                   .has_relevant = pm_cli_has(cli, "relevant-from"), .relevant = pm_cli_number(cli, "relevant-from", 0) },
        .rating = { .clip = pm_cli_has(cli, "clip-predictions") },
        .device = pm_cli_text(cli, "device"),
        .seed = pm_cli_seed(cli, "seed", 0),
        .split_seed_given = pm_cli_has(cli, "split-seed"),
        .epochs = pm_cli_integer(cli, "epochs", 0),
        .metrics = pm_cli_text(cli, "metrics"),
        .select = pm_cli_text(cli, "select"),
        .patience = pm_cli_integer(cli, "patience", 0),
        .validate_every = pm_cli_integer(cli, "validate-every", 0),
        .save_every = pm_cli_number(cli, "save-every", 0),
        .candidates = pm_cli_text(cli, "candidates"),
        .refit = pm_cli_has(cli, "refit"),
        .repeats = pm_cli_integer(cli, "repeats", 0),
        .legacy_test_selection = pm_cli_has(cli, "legacy-test-selection"),
        .fixed_length = pm_cli_has(cli, "fixed-length"),
    };
    spec->split.seed = pm_cli_seed(cli, "split-seed", spec->seed);
    if (pm_cli_has(cli, "ties")) PM_TRY(pm_ties_parse(cli->ctx, pm_cli_text(cli, "ties"), &spec->ties));
    PM_TRY(read_range(cli, &spec->rating));
    const char *synth = pm_cli_text(cli, "synth");
    PM_REQUIRE(cli->ctx, !synth || !spec->data, PM_ERR_ARG, "--data and --synth exclude each other");
    if (synth) PM_TRY(pm_cli_synth_preset(cli, synth, &spec->synth));
    const char *protocol = spec->split.protocol;
    PM_REQUIRE(cli->ctx, !spec->split.negatives || (protocol && pm_name_equal(protocol, "leave-one-out")), PM_ERR_ARG,
               "--negatives are the sampled candidates of --protocol leave-one-out; what a model draws in training is --set negatives=%" PRId64,
               spec->split.negatives);
    spec->synth.seed = spec->split.seed;
    PM_TRY(collect_pretrained(cli, spec));
    return collect_settings(cli, spec);
}
