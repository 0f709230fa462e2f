// What there is: devices, models.
#include "cli/cli.h"

// ---- devices -------------------------------------------------------------------------------------------------------

static const char *type_name(pm_device_type type)
{
    static const char *const names[] = { "cpu", "discrete", "integrated", "virtual", "software" };
    return (unsigned)type < PM_COUNT(names) ? names[type] : "other";
}

static cJSON *device_json(const pm_device_info *d)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", d->id);
    cJSON_AddStringToObject(json, "backend", d->backend);
    cJSON_AddStringToObject(json, "name", d->name);
    cJSON_AddStringToObject(json, "driver", d->driver);
    cJSON_AddStringToObject(json, "type", type_name(d->type));
    cJSON_AddNumberToObject(json, "memory", (double)d->memory);
    if (*d->problem) cJSON_AddStringToObject(json, "problem", d->problem);
    return json;
}

static pm_status run_devices(pm_cli *cli)
{
    pm_device_info *list;
    int count;
    const char *note;
    PM_TRY(pm_device_list(cli->ctx, &list, &count, &note));
    if (pm_cli_has(cli, "json")) {
        cJSON *json = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(json, "devices");
        for (int i = 0; i < count; i++) cJSON_AddItemToArray(all, device_json(&list[i]));
        if (note) cJSON_AddStringToObject(json, "note", note);
        return pm_cli_print_json(cli, json);
    }
    pm_grid *grid;
    PM_TRY(pm_grid_create(cli->ctx, "lllrll", &grid));
    static const char *const heads[] = { "device", "name", "type", "memory", "driver", "" };
    for (int i = 0; i < PM_COUNT(heads); i++) pm_grid_cell(grid, "%s", heads[i]);
    for (int i = 0; i < count; i++) {
        pm_grid_cell(grid, "%s", list[i].id);
        pm_grid_cell(grid, "%s", list[i].name);
        pm_grid_cell(grid, "%s", type_name(list[i].type));
        if (list[i].memory) pm_grid_cell(grid, "%.1f GiB", (double)list[i].memory / (double)(1 << 30));
        else pm_grid_cell(grid, "host");
        pm_grid_cell(grid, "%s", list[i].driver);
        pm_grid_cell(grid, "%s%s", *list[i].problem ? "cannot be used: " : "", list[i].problem);
    }
    PM_TRY(pm_grid_print(&grid, true));
    if (note) printf("\n%s\n", note);
    return PM_OK;
}

const pm_cli_command pm_cli_devices = {
    .name = "devices", .operands = "[OPTION]…", .summary = "Lists what can compute: the CPU, and the GPUs that Vulkan offers.",
    .examples = "devices\ndevices --json", .run = run_devices,
    .groups = (const pm_option_group *const[]){ &pm_group_common, NULL },
};

// ---- models --------------------------------------------------------------------------------------------------------

static const char *hyper_type(const pm_hyper *h)
{
    static const char *const names[] = { "number", "integer", "flag", "choice", "sizes" };
    return (unsigned)h->type < PM_COUNT(names) ? names[h->type] : "text";
}

static cJSON *model_json(const pm_model *m)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", m->name);
    cJSON_AddStringToObject(json, "title", m->title ? m->title : "");
    cJSON_AddStringToObject(json, "paper", m->paper ? m->paper : "");
    cJSON_AddBoolToObject(json, "by_id", m->by_id);
    cJSON_AddBoolToObject(json, "fold_in", m->fold_in);
    cJSON *hypers = cJSON_AddArrayToObject(json, "hyperparameters"), *presets = cJSON_AddArrayToObject(json, "presets");
    for (const pm_hyper *h = m->hypers; h && h->name; h++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", h->name);
        cJSON_AddStringToObject(one, "type", hyper_type(h));
        cJSON_AddStringToObject(one, "default", h->value ? h->value : "");
        if (h->choices) cJSON_AddStringToObject(one, "choices", h->choices);
        if (!h->choices && h->type != PM_HYPER_FLAG) {
            cJSON_AddNumberToObject(one, "lo", h->lo);
            cJSON_AddNumberToObject(one, "hi", h->hi);
        }
        cJSON_AddStringToObject(one, "help", h->help ? h->help : "");
        cJSON_AddStringToObject(one, "paper", h->paper ? h->paper : "");
        cJSON_AddItemToArray(hypers, one);
    }
    for (const pm_preset *p = m->presets; p && p->name; p++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", p->name);
        cJSON_AddStringToObject(one, "settings", p->settings);
        cJSON_AddStringToObject(one, "help", p->help ? p->help : "");
        cJSON_AddItemToArray(presets, one);
    }
    cJSON *grids = cJSON_AddArrayToObject(json, "grids");
    for (const pm_model_grid *g = m->grids; g && g->name; g++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "name", g->name);
        cJSON_AddStringToObject(one, "grid", g->grid);
        cJSON_AddStringToObject(one, "paper", g->paper ? g->paper : "");
        cJSON_AddItemToArray(grids, one);
    }
    return json;
}

static pm_status show_hypers(pm_cli *cli, const pm_model *m)
{
    pm_grid *grid;
    PM_TRY(pm_grid_create(cli->ctx, "lllll", &grid));
    static const char *const heads[] = { "hyperparameter", "default", "allowed", "paper", "what it is" };
    for (int i = 0; i < PM_COUNT(heads); i++) pm_grid_cell(grid, "%s", heads[i]);
    for (const pm_hyper *h = m->hypers; h && h->name; h++) {
        pm_grid_cell(grid, "%s", h->name);
        pm_grid_cell(grid, "%s", h->value && *h->value ? h->value : "none");
        if (h->type == PM_HYPER_FLAG) pm_grid_cell(grid, "on|off");
        else if (h->choices) pm_grid_cell(grid, "%s", h->choices);
        else pm_grid_cell(grid, "%g … %g%s", h->lo, h->hi, h->type == PM_HYPER_SIZES ? " each" : "");
        pm_grid_cell(grid, "%s", h->paper ? h->paper : "");
        pm_grid_cell(grid, "%s", h->help ? h->help : "");
    }
    return pm_grid_print(&grid, true);
}

static pm_status show_model(pm_cli *cli, const pm_model *m)
{
    printf("%s: %s\n", m->name, m->title ? m->title : "");
    if (m->paper) printf("%s\n", m->paper);
    printf("%s\n", !m->by_id    ? "Knows users by their history: it scores any user, also one who was not trained on."
                   : m->fold_in ? "Knows users by id; of one who was not trained on it fits what it lacks from the user's items."
                                : "Knows users by id: it cannot score users who were not trained on (--protocol strong).");
    printf("\n");
    if (m->hypers && m->hypers->name) PM_TRY(show_hypers(cli, m));
    else printf("It has no hyperparameters.\n");
    for (const pm_preset *p = m->presets; p && p->name; p++)
        printf("%s  --preset %s: %s\n      %s\n", p == m->presets ? "\nPresets\n" : "", p->name, p->help ? p->help : "", p->settings);
    for (const pm_model_grid *g = m->grids; g && g->name; g++)
        printf("%s  --preset-grid %s: %s\n      %s\n", g == m->grids ? "\nGrids, for sweep\n" : "", g->name, g->paper ? g->paper : "", g->grid);
    bool epochs = false;
    for (const pm_hyper *h = m->hypers; h && h->name; h++) epochs = epochs || strcmp(h->name, "epochs") == 0;
    printf("\nExample\n  %s train %s%s -o run\n", cli->program, m->name, epochs ? " --epochs 20" : "");
    return PM_OK;
}

static pm_status run_models(pm_cli *cli)
{
    const bool as_json = pm_cli_has(cli, "json");
    if (cli->operand_count) {
        const pm_model *model;
        PM_TRY(pm_model_find(cli->ctx, cli->operand[0], &model));
        return as_json ? pm_cli_print_json(cli, model_json(model)) : show_model(cli, model);
    }
    if (as_json) {
        cJSON *json = cJSON_CreateObject(), *all = cJSON_AddArrayToObject(json, "models");
        for (int i = 0; i < pm_model_count(); i++) cJSON_AddItemToArray(all, model_json(pm_model_at(i)));
        return pm_cli_print_json(cli, json);
    }
    pm_grid *grid;
    PM_TRY(pm_grid_create(cli->ctx, "lll", &grid));
    static const char *const heads[] = { "model", "title", "paper" };
    for (int i = 0; i < PM_COUNT(heads); i++) pm_grid_cell(grid, "%s", heads[i]);
    for (int i = 0; i < pm_model_count(); i++) {
        const pm_model *m = pm_model_at(i);
        pm_grid_cell(grid, "%s", m->name);
        pm_grid_cell(grid, "%s", m->title ? m->title : "");
        pm_grid_cell(grid, "%s", m->paper ? m->paper : "");
    }
    return pm_grid_print(&grid, true);
}

const pm_cli_command pm_cli_models = {
    .name = "models", .operands = "[NAME] [OPTION]…",
    .summary = "Lists the models, or one model's hyperparameters and presets.",
    .examples = "models\nmodels mult-vae", .most = 1, .run = run_models,
    .groups = (const pm_option_group *const[]){ &pm_group_common, NULL },
};
