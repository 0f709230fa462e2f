// train, evaluate, recommend.
#include "cli/cli.h"

static pm_status show(pm_cli *cli, const pm_result *result)
{
    if (!pm_cli_has(cli, "json")) return pm_cli_show_result(cli, result);
    char *json;
    PM_TRY(pm_result_json(cli->ctx, result, &json));
    puts(json);
    return PM_OK;
}

// ---- train ---------------------------------------------------------------------------------------------------------

// Settings belong to the run; only what changes no result may be given with --resume.
static pm_status check_resume(pm_cli *cli)
{
    static const char *const allowed[] = { "resume", "device", "threads", "json", "quiet" };
    PM_REQUIRE(cli->ctx, !cli->operand_count, PM_ERR_ARG, "--resume goes on with the run's own model; leave out \"%s\"", cli->operand[0]);
    for (int i = 0; i < cli->given_count; i++) {
        const char *name = cli->given[i].option ? cli->given[i].option->name : cli->given[i].hyper;
        bool fine = false;
        for (int k = 0; k < PM_COUNT(allowed); k++) fine = fine || pm_name_equal(name, allowed[k]);
        PM_REQUIRE(cli->ctx, fine, PM_ERR_ARG, "--resume goes on with the run's own settings; leave out --%s", name);
    }
    return PM_OK;
}

static pm_status run_train(pm_cli *cli)
{
    pm_result *result;
    const char *resume = pm_cli_text(cli, "resume");
    if (resume) {
        PM_TRY(check_resume(cli));
        PM_TRY(pm_train_resume(cli->ctx, resume, pm_cli_text(cli, "device"), &result));
        return show(cli, result);
    }
    PM_REQUIRE(cli->ctx, cli->operand_count, PM_ERR_ARG, "train wants a MODEL (see %s models) or --resume RUN", cli->program);
    pm_spec spec;
    const pm_model *model;
    PM_TRY(pm_model_find(cli->ctx, cli->operand[0], &model));
    PM_TRY(pm_cli_spec(cli, &spec));
    spec.model = model->name;
    PM_TRY(pm_train(cli->ctx, &spec, pm_cli_text(cli, "output"), &result));
    return show(cli, result);
}

const pm_cli_command pm_cli_train = {
    .name = "train", .operands = "MODEL [OPTION]…\n--resume RUN [OPTION]…",
    .summary = "Trains a model, chooses its epoch on validation, then evaluates it on the test part.",
    .text = "A model's hyperparameters are options too: see pumice models NAME. Ctrl-C saves a checkpoint and ends with 130.",
    .examples = "train mult-dae -o run\n"
                "train mult-vae --data ratings.dat --rating-above 3.5 --min-user 5 --epochs 50 --dropout 0.5 -o run\n"
                "train mult-dae --data ml-1m.train.rating --protocol leave-one-out --metrics hr@10,ndcg@10\n"
                "train neumf --pretrained-gmf run-gmf --pretrained-mlp run-mlp --set alpha=0.5 --optimizer sgd -o run\n"
                "train --resume run",
    .most = 1, .computes = true, .hypers = true, .run = run_train,
    .groups = (const pm_option_group *const[]){ &pm_group_model, &pm_group_pretrained, &pm_group_read, &pm_group_filter, &pm_group_split, &pm_group_choose,
                                                &pm_group_repeat, &pm_group_save, &pm_group_device, &pm_group_common, NULL },
};

// ---- evaluate ------------------------------------------------------------------------------------------------------

static pm_status run_evaluate(pm_cli *cli)
{
    const char *part = pm_cli_text(cli, "part");
    const pm_evaluate_params params = {
        .run = cli->operand[0],
        .data = pm_cli_text(cli, "data"),
        .metrics = pm_cli_text(cli, "metrics"),
        .device = pm_cli_text(cli, "device"),
        .candidates = pm_cli_text(cli, "candidates"),
        .ties = pm_cli_text(cli, "ties"),
        .validation = part && pm_name_equal(part, "validation"),
        .analysis = !pm_cli_has(cli, "analysis") ? NULL : pm_cli_text(cli, "analysis") ? pm_cli_text(cli, "analysis") : "all",
    };
    pm_result *result;
    const char *csv = pm_cli_text(cli, "csv");
    PM_REQUIRE(cli->ctx, !csv || params.analysis, PM_ERR_ARG, "--csv writes the tables of --analysis; give both");
    PM_TRY(pm_evaluate(cli->ctx, &params, &result));
    if (csv) PM_TRY(pm_cli_write_analyses(cli, result, csv));
    PM_TRY(show(cli, result));
    return pm_cli_has(cli, "json") ? PM_OK : pm_cli_show_analyses(cli, result);
}

static const pm_option_group evaluate_group = { "Evaluation", (const pm_option[]){
    PM_TEXT("data", 0, "PATH", "other data, by the run's own protocol and filters. Default: the run's own"),
    PM_TEXT("metrics", 'm', "LIST", "such as ndcg@100,recall_capped@20. Default: the run's own"),
    PM_CHOICE("part", 0, "PART", "test|validation", "which part to evaluate on. Default: test"),
    PM_CHOICE("candidates", 0, "WHICH", "sampled|all|sampled,all", "leave-one-out: rank the target among the sampled negatives or all items. Default: the run's own"),
    PM_CHOICE("ties", 0, "RULE", "expected|optimistic|pessimistic|id", "where a tied target ranks (leave-one-out). Default: the run's own"),
    PM_BARE("analysis", 0, "LIST",
            "also what is predicted and shown: preference (the catalogue by predicted preference), tails (of popularity in the top 200), "
            "ranks (users shown each tail, by rank), popularity (of items in the parts), density (of popularity in the top 10). Default: all that the model has"),
    PM_TEXT("csv", 0, "DIR", "write the analyses into a folder, one file each"),
    { 0 } } };

const pm_cli_command pm_cli_evaluate = {
    .name = "evaluate", .operands = "RUN [OPTION]…", .summary = "Evaluates the chosen parameters of a run.",
    .examples = "evaluate run\nevaluate run --metrics ndcg@10,recall@20,coverage@20 --device vulkan --json\nevaluate run --analysis=tails,ranks --csv tables\nevaluate run --ties optimistic",
    .least = 1, .most = 1,
    .computes = true, .run = run_evaluate,
    .groups = (const pm_option_group *const[]){ &evaluate_group, &pm_group_device, &pm_group_common, NULL },
};

// ---- recommend -----------------------------------------------------------------------------------------------------

static pm_status show_list(pm_cli *cli, const pm_recommendation *list, int64_t count)
{
    if (pm_cli_has(cli, "json")) {
        cJSON *json = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(json, "recommendations");
        if (pm_cli_has(cli, "user")) cJSON_AddStringToObject(json, "user", pm_cli_text(cli, "user"));
        for (int64_t i = 0; i < count; i++) {
            cJSON *one = cJSON_CreateObject();
            cJSON_AddNumberToObject(one, "rank", (double)(i + 1));
            cJSON_AddStringToObject(one, "item", list[i].item);
            char score[32];    // the nine digits that tell floats apart, not the seventeen of a double
            snprintf(score, sizeof score, "%.9g", list[i].score);
            cJSON_AddRawToObject(one, "score", score);
            cJSON_AddItemToArray(all, one);
        }
        return pm_cli_print_json(cli, json);
    }
    pm_grid *grid;
    PM_TRY(pm_grid_create(cli->ctx, "rlr", &grid));
    pm_grid_cell(grid, "rank");
    pm_grid_cell(grid, "item");
    pm_grid_cell(grid, "score");
    for (int64_t i = 0; i < count; i++) {
        pm_grid_cell(grid, "%" PRId64, i + 1);
        pm_grid_cell(grid, "%s", list[i].item);
        pm_grid_cell(grid, "%.5g", list[i].score);
    }
    return pm_grid_print(&grid, true);
}

static pm_status run_recommend(pm_cli *cli)
{
    const char *items = pm_cli_text(cli, "items");
    PM_REQUIRE(cli->ctx, pm_cli_has(cli, "user") != (items != NULL), PM_ERR_ARG, "recommend wants --user ID or --items ID,ID,…, one of them");
    pm_recommend_params params = {
        .run = cli->operand[0],
        .device = pm_cli_text(cli, "device"),
        .user = pm_cli_text(cli, "user"),
        .top = pm_cli_integer(cli, "top", 10),
    };
    const char **pieces = NULL;
    if (items) PM_TRY(pm_cli_cut(cli->ctx, items, ',', &pieces, &params.item_count));
    params.items = pieces;
    pm_recommendation *list;
    int64_t count;
    PM_TRY(pm_recommend(cli->ctx, &params, &list, &count));
    return show_list(cli, list, count);
}

static const pm_option_group recommend_group = { "For whom", (const pm_option[]){
    PM_TEXT("user", 'u', "ID", "a user of the data; items the user knows are left out"),
    PM_TEXT("items", 'i', "ID,ID,…", "anybody who knows these items; for models that score by history"),
    PM_INTEGER("top", 'n', "N", 1, 1e6, "how many. Default: 10"),
    { 0 } } };

const pm_cli_command pm_cli_recommend = {
    .name = "recommend", .operands = "RUN --user ID [OPTION]…\nRUN --items ID,ID,… [OPTION]…",
    .summary = "Prints the best items for a user, or for a list of items; for a model of ratings each with a rating.",
    .examples = "recommend run --user u7\nrecommend run --items i3,i14,i15 --top 5 --json\nrecommend run --items i3:5,i14:2.5", .least = 1, .most = 1, .computes = true,
    .run = run_recommend,
    .groups = (const pm_option_group *const[]){ &recommend_group, &pm_group_device, &pm_group_common, NULL },
};
