// data stat, split, convert, synth.
#include "cli/cli.h"
#include "data/date.h"

// ---- stat ----------------------------------------------------------------------------------------------------------

static void quantiles_json(cJSON *json, const char *name, const int64_t *quantiles)
{
    cJSON *list = cJSON_AddArrayToObject(json, name);
    for (int i = 0; i < PM_STAT_QUANTILES; i++) cJSON_AddItemToArray(list, cJSON_CreateNumber((double)quantiles[i]));
}

static cJSON *stat_json(const pm_data_statistics *s)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "users", (double)s->users);
    cJSON_AddNumberToObject(json, "items", (double)s->items);
    cJSON_AddNumberToObject(json, "interactions", (double)s->interactions);
    cJSON_AddNumberToObject(json, "density", s->density);
    quantiles_json(json, "per_user", s->per_user);
    quantiles_json(json, "per_item", s->per_item);
    cJSON *value = cJSON_AddObjectToObject(json, "rating"), *counts = cJSON_AddArrayToObject(value, "counts");
    cJSON_AddNumberToObject(value, "min", s->rating_min);
    cJSON_AddNumberToObject(value, "mean", s->rating_mean);
    cJSON_AddNumberToObject(value, "max", s->rating_max);
    for (int i = 0; i < s->ratings; i++) {
        const double pair[] = { s->rating[i], (double)s->rating_count[i] };
        cJSON_AddItemToArray(counts, cJSON_CreateDoubleArray(pair, 2));
    }
    if (s->has_time) cJSON_AddNumberToObject(json, "time_first", (double)s->time_first);
    if (s->has_time) cJSON_AddNumberToObject(json, "time_last", (double)s->time_last);
    cJSON_AddNumberToObject(json, "given_validation", (double)s->given_valid);
    cJSON_AddNumberToObject(json, "given_test", (double)s->given_test);
    cJSON_AddNumberToObject(json, "duplicates", (double)s->duplicates);
    cJSON_AddNumberToObject(json, "skipped_lines", (double)s->skipped_lines);
    return json;
}

static void print_quantiles(const char *name, const int64_t *q)
{
    printf("%-13s", name);
    for (int i = 0; i < PM_STAT_QUANTILES; i++) printf(" %9" PRId64, q[i]);
    printf("\n");
}

static void print_stat(const pm_data_statistics *s)
{
    printf("%-13s %" PRId64 "\n%-13s %" PRId64 "\n%-13s %" PRId64 " (%.3f %% of all pairs)\n", "users", s->users, "items", s->items,
           "interactions", s->interactions, 100 * s->density);
    if (s->given_valid || s->given_test)
        printf("%-13s %" PRId64 " for validation, %" PRId64 " for test came with the data; see --protocol files\n", "given", s->given_valid,
               s->given_test);
    if (s->has_time) {
        char first[PM_DATE_SIZE], last[PM_DATE_SIZE];
        pm_date_text(s->time_first, first);
        pm_date_text(s->time_last, last);
        printf("%-13s %s to %s\n", "time", first, last);
    }
    printf("%-13s %g to %g, mean %.3f\n", "ratings", s->rating_min, s->rating_max, s->rating_mean);
    for (int i = 0; i < s->ratings && s->ratings > 1; i++)
        printf("  %-11g %" PRId64 " (%.1f %%)\n", s->rating[i], s->rating_count[i], 100.0 * (double)s->rating_count[i] / (double)s->interactions);
    printf("%-13s %" PRId64 " repeated pairs and %" PRId64 " bad lines\n\n", "dropped", s->duplicates, s->skipped_lines);
    printf("%-13s %9s %9s %9s %9s %9s %9s %9s\n", "interactions", "least", "10 %", "25 %", "median", "75 %", "90 %", "most");
    print_quantiles("of a user", s->per_user);
    print_quantiles("of an item", s->per_item);
}

static const pm_option_group seed_group = { "Random", (const pm_option[]){
    PM_SEED("seed", 's', "N", "seed of what is random. Default: 0"),
    { 0 } } };

// The operand, or --data, or synthetic data; filtered.
static pm_status load(pm_cli *cli, pm_spec *spec, pm_interactions **out)
{
    PM_TRY(pm_cli_spec(cli, spec));
    if (cli->operand_count) {
        PM_REQUIRE(cli->ctx, !spec->data && !pm_cli_has(cli, "synth"), PM_ERR_ARG, "%s: give \"%s\", --data or --synth, one of them",
                   cli->command->name, cli->operand[0]);
        spec->data = spec->read.path = cli->operand[0];
    }
    pm_interactions *all;
    if (spec->data) PM_TRY(pm_data_read(cli->ctx, &spec->read, &all));
    else PM_TRY(pm_data_synth(cli->ctx, &spec->synth, &all));
    PM_TRY(pm_data_filter(cli->ctx, all, &spec->filter, out));
    (*out)->duplicates = all->duplicates;    // the whole way's, whatever the filter copied
    (*out)->skipped_lines = all->skipped_lines;
    return PM_OK;
}

static void part_json(cJSON *json, const char *name, const pm_eval_part *part)
{
    cJSON *one = cJSON_AddObjectToObject(json, name);
    cJSON_AddNumberToObject(one, "users", (double)part->users);
    cJSON_AddNumberToObject(one, "known", (double)part->input.nnz);
    cJSON_AddNumberToObject(one, "targets", (double)part->target.nnz);
    cJSON_AddNumberToObject(one, "excluded_no_target", (double)part->excluded_no_target);
    cJSON_AddNumberToObject(one, "excluded_no_history", (double)part->excluded_no_history);
    cJSON_AddNumberToObject(one, "unseen_targets", (double)part->unseen_targets);
    cJSON_AddNumberToObject(one, "unseen_items", (double)part->unseen_items);
    if (!part->sampled) return;
    cJSON_AddNumberToObject(one, "candidates", (double)part->candidate_ptr[part->users]);
    cJSON_AddNumberToObject(one, "dropped_candidates", (double)part->dropped_candidates);
    cJSON_AddNumberToObject(one, "short_candidates", (double)part->short_candidates);
    cJSON_AddNumberToObject(one, "tied_times", (double)part->tied_times);
}

static void print_part(const char *name, const pm_eval_part *part)
{
    printf("%-11s %" PRId64 " users, %" PRId64 " known interactions, %" PRId64 " to find", name, part->users, part->input.nnz, part->target.nnz);
    if (part->excluded_no_target) printf("; %" PRId64 " users have nothing to find", part->excluded_no_target);
    if (part->excluded_no_history) printf("; of %" PRId64 " users nothing is known", part->excluded_no_history);
    if (part->unseen_targets)
        printf("; %" PRId64 " of those to find are %" PRId64 " items never seen in training", part->unseen_targets, part->unseen_items);
    if (part->sampled) printf("; among %" PRIu32 " candidates in all", part->candidate_ptr[part->users]);
    if (part->dropped_candidates) printf("; %" PRId64 " repeated candidates dropped", part->dropped_candidates);
    if (part->short_candidates) printf("; %" PRId64 " users with fewer candidates than asked for", part->short_candidates);
    if (part->tied_times) printf("; %" PRId64 " users had another item at the same time", part->tied_times);
    printf("\n");
}

static void split_json(cJSON *json, const pm_split *split)
{
    cJSON_AddStringToObject(json, "protocol", split->protocol);
    cJSON_AddNumberToObject(json, "users", (double)pm_ids_count(split->users));
    cJSON_AddNumberToObject(json, "items", (double)pm_ids_count(split->items));
    if (split->test_from) cJSON_AddNumberToObject(json, "valid_from", (double)split->valid_from);
    if (split->test_from) cJSON_AddNumberToObject(json, "test_from", (double)split->test_from);
    cJSON *train = cJSON_AddObjectToObject(json, "train");
    cJSON_AddNumberToObject(train, "users", (double)split->train.rows);
    cJSON_AddNumberToObject(train, "interactions", (double)split->train.nnz);
    part_json(json, "validation", &split->valid);
    part_json(json, "test", &split->test);
}

static void print_split(const pm_split *split)
{
    printf("%-11s %s, %" PRId64 " items\n", "protocol", split->protocol, pm_ids_count(split->items));
    if (split->test_from) {
        char valid[PM_DATE_SIZE], test[PM_DATE_SIZE];
        pm_date_text(split->valid_from, valid);
        pm_date_text(split->test_from, test);
        printf("%-11s validation from %s, test from %s\n", "windows", valid, test);
    }
    printf("%-11s %" PRId64 " users, %" PRId64 " interactions\n", "train", split->train.rows, split->train.nnz);
    print_part("validation", &split->valid);
    print_part("test", &split->test);
}

static pm_status run_stat(pm_cli *cli)
{
    pm_spec spec;
    pm_interactions *in;
    pm_data_statistics s;
    PM_TRY(load(cli, &spec, &in));
    pm_split *split = NULL;
    PM_TRY(pm_data_stat(in, &s));
    if (spec.split.protocol) PM_TRY(pm_data_split(cli->ctx, in, &spec.split, &split));
    if (pm_cli_has(cli, "json")) {
        cJSON *json = stat_json(&s);
        if (split) split_json(cJSON_AddObjectToObject(json, "split"), split);
        return pm_cli_print_json(cli, json);
    }
    print_stat(&s);
    if (split) printf("\n");
    if (split) print_split(split);
    return PM_OK;
}

const pm_cli_command pm_cli_data_stat = {
    .name = "data stat", .operands = "[PATH] [OPTION]…", .summary = "Counts users, items and interactions, after the filters.",
    .text = "With --protocol also what is trained on and what is to be found after that split.",
    .examples = "data stat ratings.dat\ndata stat ratings.dat --min-rating 4 --protocol temporal --test-days 365\ndata stat ratings.csv --columns userId,movieId,rating --min-rating 4 --json", .most = 1,
    .run = run_stat,
    .groups = (const pm_option_group *const[]){ &pm_group_read, &pm_group_filter, &pm_group_split, &seed_group, &pm_group_common,
                                                NULL },
};

// ---- split ---------------------------------------------------------------------------------------------------------

static const pm_option_group folder_group = { "Files", (const pm_option[]){
    PM_TEXT("output", 'o', "DIR", "folder to write into"),
    { 0 } } };

static const pm_option_group file_group = { "Files", (const pm_option[]){
    PM_TEXT("output", 'o', "FILE", "file to write, with a header: tabs where it ends in .tsv or .tsv.gz, else commas; gzip where it ends in .gz"),
    { 0 } } };

static pm_status want_output(pm_cli *cli, const char **out)
{
    *out = pm_cli_text(cli, "output");
    PM_REQUIRE(cli->ctx, *out, PM_ERR_ARG, "%s wants -o: where to write", cli->command->name);
    return PM_OK;
}

static pm_status run_split(pm_cli *cli)
{
    pm_spec spec;
    pm_interactions *in;
    pm_split *split;
    const char *folder;
    PM_TRY(want_output(cli, &folder));
    PM_TRY(load(cli, &spec, &in));
    if (!spec.split.protocol) spec.split.protocol = "strong";
    PM_TRY(pm_data_split(cli->ctx, in, &spec.split, &split));
    PM_TRY(pm_split_write(split, folder));
    if (pm_cli_has(cli, "json")) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "folder", folder);
        split_json(json, split);
        return pm_cli_print_json(cli, json);
    }
    print_split(split);
    printf("written to %s; --data %s --protocol files reads it back\n", folder, folder);
    return PM_OK;
}

const pm_cli_command pm_cli_data_split = {
    .name = "data split", .operands = "[PATH] [OPTION]… -o DIR",
    .summary = "Cuts data by a protocol into text files, which --protocol files reads back and any other program can read.",
    .examples = "data split ratings.dat --protocol strong --rating-above 3.5 --min-user 5 -o split\ntrain mult-vae --data split --protocol files",
    .most = 1, .run = run_split,
    .groups = (const pm_option_group *const[]){ &pm_group_read, &pm_group_filter, &pm_group_split, &seed_group, &folder_group,
                                                &pm_group_common, NULL },
};

// ---- convert, synth ------------------------------------------------------------------------------------------------

static pm_status show_written(pm_cli *cli, const char *path, const pm_interactions *in)
{
    if (pm_cli_has(cli, "json")) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "file", path);
        cJSON_AddNumberToObject(json, "users", (double)pm_ids_count(in->users));
        cJSON_AddNumberToObject(json, "items", (double)pm_ids_count(in->items));
        cJSON_AddNumberToObject(json, "interactions", (double)in->count);
        return pm_cli_print_json(cli, json);
    }
    printf("%s: %" PRId64 " interactions of %" PRId64 " users with %" PRId64 " items\n", path, in->count, pm_ids_count(in->users),
           pm_ids_count(in->items));
    return PM_OK;
}

static pm_status run_convert(pm_cli *cli)
{
    pm_spec spec;
    pm_interactions *in;
    const char *path;
    PM_TRY(want_output(cli, &path));
    PM_TRY(load(cli, &spec, &in));
    PM_TRY(pm_data_write_csv(in, path));
    return show_written(cli, path, in);
}

const pm_cli_command pm_cli_data_convert = {
    .name = "data convert", .operands = "PATH [OPTION]… -o FILE",
    .summary = "Reads any format, filters, and writes a text file with a header.",
    .examples = "data convert u.data -o ratings.csv\ndata convert ratings.dat --min-rating 4 --binarize -o liked.tsv", .least = 1, .most = 1,
    .run = run_convert,
    .groups = (const pm_option_group *const[]){ &pm_group_read, &pm_group_filter, &seed_group, &file_group, &pm_group_common, NULL },
};

static const pm_option_group synth_group = { "Shape", (const pm_option[]){
    PM_TEXT("preset", 0, "NAME", "small (the default), ml-1m or ml-20m"),
    PM_INTEGER("users", 0, "N", 1, 1e9, "how many users; with --items and --interactions, in place of a preset"),
    PM_INTEGER("items", 0, "N", 1, 1e9, "how many items"),
    PM_INTEGER("interactions", 0, "N", 1, 4e9, "how many interactions"),
    PM_FLAG("ratings", 0, "ratings from 1 to 5 instead of ones"),
    PM_INTEGER("clusters", 0, "N", 1, 1e6, "clusters of items that users have a taste for. Default: 12"),
    { 0 } } };

static pm_status run_synth(pm_cli *cli)
{
    const char *path, *preset = pm_cli_text(cli, "preset");
    PM_TRY(want_output(cli, &path));
    pm_synth_params params = { 0 };
    if (preset) PM_TRY(pm_cli_synth_preset(cli, preset, &params));
    params.seed = pm_cli_seed(cli, "seed", 0);
    params.users = pm_cli_integer(cli, "users", params.users);
    params.items = pm_cli_integer(cli, "items", params.items);
    params.interactions = pm_cli_integer(cli, "interactions", params.interactions);
    params.clusters = (int)pm_cli_integer(cli, "clusters", params.clusters);
    params.ratings = pm_cli_has(cli, "ratings");
    pm_interactions *in;
    PM_TRY(pm_data_synth(cli->ctx, &params, &in));
    PM_TRY(pm_data_write_csv(in, path));
    return show_written(cli, path, in);
}

const pm_cli_command pm_cli_data_synth = {
    .name = "data synth", .operands = "[OPTION]… -o FILE",
    .summary = "Makes a popularity-skewed, clustered data set. Not real data, and never to be presented as such.",
    .examples = "data synth -o small.csv\ndata synth --preset ml-20m --seed 1 -o large.tsv", .run = run_synth,
    .groups = (const pm_option_group *const[]){ &synth_group, &seed_group, &file_group, &pm_group_common, NULL },
};
