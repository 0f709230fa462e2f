// The models there are: the built-in ones, and those a program adds.
#include <stdio.h>

#include "models/models.h"

enum { MAX_ADDED = 64 };

#define PM_MODEL(name) &pm_model_##name,
static const pm_model *const built_in[] = {
#include "models/models.def"
};
#undef PM_MODEL
static const pm_model *added[MAX_ADDED];
static int             added_count;

int pm_model_count(void)
{
    return PM_COUNT(built_in) + added_count;
}

const pm_model *pm_model_at(int index)
{
    if (index < 0 || index >= pm_model_count()) return NULL;
    return index < PM_COUNT(built_in) ? built_in[index] : added[index - PM_COUNT(built_in)];
}

static const pm_model *find(const char *name)
{
    for (int i = 0; i < pm_model_count(); i++)
        if (pm_name_equal(pm_model_at(i)->name, name)) return pm_model_at(i);
    return NULL;
}

pm_status pm_model_find(const void *object, const char *name, const pm_model **out)
{
    *out = find(name);
    if (*out) return PM_OK;
    const char *names[PM_COUNT(built_in) + MAX_ADDED];
    char known[600] = "";
    for (int i = 0; i < pm_model_count(); i++) {
        names[i] = pm_model_at(i)->name;
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", names[i]);
    }
    const char *near = pm_nearest_name(name, names, pm_model_count());
    return pm_fail(object, PM_ERR_NOT_FOUND, "no model \"%s\"%s%s%s There are: %s", name, near ? "; did you mean \"" : ".",
                   near ? near : "", near ? "\"?" : "", known);
}

pm_status pm_model_register(pm_ctx *ctx, const pm_model *model)
{
    PM_REQUIRE(ctx, model->name && *model->name && model->title && model->hypers, PM_ERR_ARG,
               "a model needs a name, a title and a table of hyperparameters");
    PM_REQUIRE(ctx, model->score && (model->loss || model->solve), PM_ERR_ARG, "model %s needs score, and loss or solve", model->name);
    int origins = 0;
    while (model->origins && model->origins[origins].name) origins++;
    PM_REQUIRE(ctx, origins <= PM_MAX_ORIGINS && (!origins || model->inherit), PM_ERR_ARG, "model %s needs inherit for what it begins from, at most %d runs", model->name, PM_MAX_ORIGINS);
    PM_REQUIRE(ctx, !find(model->name), PM_ERR_ARG, "there is a model \"%s\" already", model->name);
    PM_REQUIRE(ctx, added_count < MAX_ADDED, PM_ERR_ARG, "%d models were added already", MAX_ADDED);
    pm_config *defaults;    // the table's own values must be legal
    PM_TRY(pm_config_create(ctx, model, &defaults));
    pm_free(defaults);
    added[added_count++] = model;
    return PM_OK;
}
