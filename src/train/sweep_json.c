// The document of a sweep.
#include <math.h>

#include "train/json.h"
#include "train/sweep.h"

static bool add_reals(cJSON *array, const double *values, int count)
{
    bool good = array != NULL;
    for (int i = 0; i < count && good; i++) {
        cJSON *value = isfinite(values[i]) ? cJSON_CreateNumber(values[i]) : cJSON_CreateNull();
        good = value && cJSON_AddItemToArray(array, value);
    }
    return good;
}

static bool add_integers(cJSON *array, const int64_t *values, int count)
{
    bool good = array != NULL;
    for (int i = 0; i < count && good; i++) {
        cJSON *value = cJSON_CreateNumber((double)values[i]);
        good = value && cJSON_AddItemToArray(array, value);
    }
    return good;
}

static bool add_values(cJSON *to, const pm_sweep *w, const pm_sweep_setting *s)
{
    cJSON *values = cJSON_AddObjectToObject(to, "setting");
    bool good = values != NULL;
    for (int i = 0; i < w->parameter_count && good; i++) good = cJSON_AddStringToObject(values, w->parameters[i], s->values[i]) != NULL;
    return good;
}

static bool add_setting(cJSON *array, const pm_sweep *w, int index)
{
    const pm_sweep_setting *s = &w->settings[index];
    cJSON *one = cJSON_CreateObject(), *validation;
    if (!one || !cJSON_AddItemToArray(array, one)) return false;
    return add_values(one, w, s) && (validation = cJSON_AddObjectToObject(one, "validation")) && pm_json_add_real(validation, "mean", s->mean) &&
           pm_json_add_real(validation, "sd", s->sd) && pm_json_add_real(validation, "ci95", s->ci95) && add_reals(cJSON_AddArrayToObject(validation, "seeds"), s->score, w->seed_count) &&
           add_integers(cJSON_AddArrayToObject(one, "best_epoch"), s->best_epoch, w->seed_count) &&
           add_integers(cJSON_AddArrayToObject(one, "epochs"), s->epochs, w->seed_count) && pm_json_add_real(one, "share", s->share) &&
           (!s->failed || cJSON_AddStringToObject(one, "failed", s->failed)) && cJSON_AddBoolToObject(one, "winner", index == w->winner);
}

static bool add_winner(cJSON *to, const pm_sweep *w)
{
    cJSON *winner = cJSON_AddObjectToObject(to, "winner"), *runs;
    bool good = winner && pm_json_add_integer(winner, "index", w->winner) && add_values(winner, w, &w->settings[w->winner]) &&
                cJSON_AddBoolToObject(winner, "refit", w->refit) && (runs = cJSON_AddArrayToObject(winner, "runs"));
    for (int k = 0; k < w->seed_count && good; k++) {
        cJSON *name = cJSON_CreateString(w->winner_runs[k]);
        good = name && cJSON_AddItemToArray(runs, name);
    }
    return good && pm_sweep_add_metrics(winner, w);
}

static bool fill(cJSON *d, const pm_sweep *w)
{
    cJSON *data, *seeds, *settings;
    bool good = cJSON_AddStringToObject(d, "model", w->model) && cJSON_AddStringToObject(d, "protocol", w->protocol) &&
                (data = cJSON_AddObjectToObject(d, "data")) && pm_json_add_integer(data, "users", w->users) &&
                pm_json_add_integer(data, "items", w->items) && pm_json_add_integer(data, "interactions", w->interactions) &&
                cJSON_AddStringToObject(d, "select", w->select) && cJSON_AddBoolToObject(d, "halving", w->halving) &&
                cJSON_AddBoolToObject(d, "legacy_test_selection", w->legacy_test_selection) &&
                pm_json_add_integer(d, "runs", w->runs) && pm_json_add_integer(d, "found_done", w->found) &&
                (seeds = cJSON_AddArrayToObject(d, "seeds")) && (settings = cJSON_AddArrayToObject(d, "settings"));
    for (int k = 0; k < w->seed_count && good; k++) {
        cJSON *seed = cJSON_CreateNumber((double)w->seeds[k]);
        good = seed && cJSON_AddItemToArray(seeds, seed);
    }
    for (int i = 0; i < w->setting_count && good; i++) good = add_setting(settings, w, i);
    return good && add_winner(d, w);
}

pm_status pm_sweep_json(const void *parent, const pm_sweep *sweep, char **text)
{
    pm_json *json;
    *text = NULL;
    PM_TRY(pm_json_create(parent, &json));
    pm_status st = fill(json->root, sweep) ? PM_OK : pm_fail(parent, PM_ERR_NOMEM, "no memory for the document of the sweep");
    if (st == PM_OK) st = pm_json_print(parent, json, true, text);
    pm_free(json);
    return st;
}
