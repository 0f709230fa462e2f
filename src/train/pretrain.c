// Beginning from trained runs of other models: which fit, and what a model makes of their parameters.
#include <stdio.h>

#include "train/use.h"

// Error messages begin with how the user named it.
static const char *named(const void *parent, const pm_pretrained *p)
{
    const char *text = pm_sprintf(parent, "--pretrained-%s %s", p->name, p->run);
    return text ? text : p->name;
}

static const pm_origin *find_origin(const pm_model *model, const char *name)
{
    for (const pm_origin *o = model->origins; o && o->name; o++)
        if (pm_name_equal(o->name, name)) return o;
    return NULL;
}

static const pm_pretrained *find_pretrained(const pm_spec *spec, const char *name)
{
    for (int i = 0; i < spec->pretrained_count; i++)
        if (pm_name_equal(spec->pretrained[i].name, name)) return &spec->pretrained[i];
    return NULL;
}

// All that the model asks for, each once.
static pm_status check_names(const void *parent, const pm_spec *spec, const pm_model *model)
{
    for (int i = 0; i < spec->pretrained_count; i++) {
        const pm_pretrained *p = &spec->pretrained[i];
        PM_REQUIRE(parent, find_origin(model, p->name), PM_ERR_ARG, "%s: %s begins from no such run; leave it out", named(parent, p), model->name);
        PM_REQUIRE(parent, find_pretrained(spec, p->name) == p, PM_ERR_ARG, "%s: --pretrained-%s is given twice", named(parent, p), p->name);
    }
    for (const pm_origin *o = model->origins; o && o->name && spec->pretrained_count; o++)
        PM_REQUIRE(parent, find_pretrained(spec, o->name), PM_ERR_ARG, "%s: %s begins from all of its runs or from none; give --pretrained-%s too",
                   named(parent, &spec->pretrained[0]), model->name, o->name);
    return PM_OK;
}

// Both were made with the same values of the hyperparameters that the table names.
static pm_status check_sizes(const void *parent, const pm_pretrained *p, const pm_origin *origin, const pm_config *theirs, const pm_config *ours)
{
    char name[64];
    for (const char *at = origin->same; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
        const char *x = pm_config_text(theirs, name), *y = pm_config_text(ours, name);
        PM_REQUIRE(parent, x && y && pm_config_number(theirs, name) == pm_config_number(ours, name), PM_ERR_ARG,
                   "%s: it has %s = %s, this run %s; they must be the same", named(parent, p), name, x ? x : "none", y ? y : "none");
    }
    return PM_OK;
}

// Opens a run and holds it against what this one asks; *file is to be closed.
static pm_status open_origin(const void *parent, const pm_spec *spec, const pm_config *config, const pm_pretrained *p, pm_opened *o, pm_st_file **file)
{
    const pm_origin *origin = find_origin(pm_config_model(config), p->name);
    *file = NULL;
    PM_TRY(pm_use_open(parent, p->run, o));
    const char *model = pm_config_model(o->config)->name;
    PM_REQUIRE(parent, pm_name_equal(model, origin->model), PM_ERR_ARG, "%s: it is a run of %s, and must be one of %s", named(parent, p), model, origin->model);
    PM_TRY(check_sizes(parent, p, origin, o->config, config));
    PM_REQUIRE(parent, !o->spec->legacy_test_selection || spec->legacy_test_selection, PM_ERR_ARG,
               "%s: its epoch was chosen on the test part, which this run would inherit; give --legacy-test-selection here too", named(parent, p));
    return pm_checkpoint_open_chosen(o->checkpoint, file);
}

static pm_status find_hash(const void *parent, const pm_spec *spec, const pm_config *config, pm_pretrained *p)
{
    pm_opened o = { .spec = NULL };
    pm_st_file *file;
    PM_TRY(open_origin(parent, spec, config, p, &o, &file));
    p->hash = pm_sprintf(parent, "%016" PRIx64, pm_st_hash(file));
    pm_st_close(&file);
    PM_CHECK_ALLOC(p->hash);
    return PM_OK;
}

pm_status pm_pretrained_resolve(const void *parent, pm_spec *spec, const pm_config *config)
{
    if (!spec->pretrained_count) return PM_OK;
    PM_TRY(check_names(parent, spec, pm_config_model(config)));
    pm_pretrained *all = pm_new_array(parent, pm_pretrained, spec->pretrained_count);
    PM_CHECK_ALLOC(all);
    memcpy(all, spec->pretrained, sizeof *all * (size_t)spec->pretrained_count);
    for (int i = 0; i < spec->pretrained_count; i++)
        if (!all[i].hash) PM_TRY(find_hash(parent, spec, config, &all[i]));
    spec->pretrained = all;
    return PM_OK;
}

// ---- their parameters ----------------------------------------------------------------------------------------------

typedef struct beginning {
    pm_trainer          *t;
    const pm_pretrained *run[PM_MAX_ORIGINS];     // in the order of the model's table
    pm_st_file          *file[PM_MAX_ORIGINS];
    int                  count;
} beginning;

static pm_status open_file(void *scratch, beginning *b, const pm_pretrained *p)
{
    pm_opened o = { .spec = NULL };
    pm_st_file **file = &b->file[b->count];
    char hash[24];
    PM_TRY(open_origin(scratch, b->t->spec, b->t->result->config, p, &o, file));
    b->run[b->count++] = p;
    snprintf(hash, sizeof hash, "%016" PRIx64, pm_st_hash(*file));
    PM_REQUIRE(scratch, pm_name_equal(hash, p->hash), PM_ERR_DATA, "%s: its parameters are no longer those that this run began from (%s, was %s)",
               named(scratch, p), hash, p->hash);
    PM_REQUIRE(scratch, pm_checkpoint_data_hash(o.checkpoint) == pm_split_hash(b->t->result->split), PM_ERR_DATA,
               "%s: it was trained on other data, or on another split of them; give both the same data, filters, --protocol and --split-seed", named(scratch, p));
    if (pm_use_joined(&o) && b->t->validation && !b->t->spec->legacy_test_selection)
        pm_log(scratch, PM_LOG_WARN, "%s: it was trained on train + validation: it has seen the validation part, which flatters the choice of an epoch", named(scratch, p));
    return PM_OK;
}

// A parameter of each run, where it has it.
static pm_status read_theirs(void *scratch, const beginning *b, const char *name, int64_t rows, int64_t cols, const float **theirs)
{
    for (int k = 0; k < b->count; k++) {
        const pm_st_tensor *tensor = pm_st_find(b->file[k], name);
        theirs[k] = NULL;
        if (!tensor) continue;
        PM_REQUIRE(scratch, tensor->dtype == PM_F32 && tensor->rows == rows && tensor->cols == cols, PM_ERR_FORMAT,
                   "%s: its %s is [%" PRId64 ", %" PRId64 "], this run's [%" PRId64 ", %" PRId64 "]", named(scratch, b->run[k]), name,
                   tensor->rows, tensor->cols, rows, cols);
        float *values = pm_new_array(scratch, float, rows * cols);
        PM_CHECK_ALLOC(values);
        PM_TRY(pm_st_read_rows(b->file[k], name, 0, rows, values));
        theirs[k] = values;
    }
    return PM_OK;
}

static pm_status inherit(const beginning *b, const char *name)
{
    const pm_session *s = b->t->session;
    const float *theirs[PM_MAX_ORIGINS];
    int64_t rows = 0, cols = 0;
    pm_store_find(s->store, name, NULL, &rows, &cols);
    float *values = pm_new_array(b->t->result, float, rows * cols);    // what follows hangs from it
    PM_CHECK_ALLOC(values);
    pm_status st = read_theirs(values, b, name, rows, cols, theirs);
    if (st == PM_OK && s->model->inherit(s->config, name, rows * cols, theirs, values)) st = pm_store_write(s->store, name, values);
    pm_free(values);
    return st;
}

pm_status pm_pretrained_begin(pm_trainer *t)
{
    const pm_spec *spec = t->spec;
    beginning b = { .t = t };
    if (!spec->pretrained_count) return PM_OK;
    void *scratch = pm_alloc(t->result, 1);
    PM_CHECK_ALLOC(scratch);
    pm_status st = PM_OK;
    for (const pm_origin *o = t->session->model->origins; st == PM_OK && o->name; o++) st = open_file(scratch, &b, find_pretrained(spec, o->name));
    for (int i = 0; st == PM_OK && i < pm_net_param_count(t->session->net); i++) st = inherit(&b, pm_net_param_name(t->session->net, i));
    for (int k = 0; k < PM_MAX_ORIGINS; k++)
        if (b.file[k]) pm_st_close(&b.file[k]);
    pm_free(scratch);
    return st;
}
