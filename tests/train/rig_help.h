// A session whose passes a test runs itself, and what it looks at in the store.
#ifndef RIG_HELP_H
#define RIG_HELP_H

#include "train/run_help.h"

#include <math.h>

#include "train/session.h"

typedef struct rig {
    pm_split   *split;
    pm_config  *config;
    pm_session *s;
} rig;

static inline rig open_rig_of(fixture *f, const pm_spec *spec, bool eager)
{
    const pm_model *m;
    rig r;
    must(f, pm_spec_load(f->ctx, spec, &r.split));
    must(f, pm_model_find(f->ctx, spec->model, &m));
    must(f, pm_config_create(f->ctx, m, &r.config));
    for (int i = 0; i < spec->setting_count; i++) must(f, pm_config_assign(r.config, spec->settings[i]));
    must(f, pm_session_open(f->ctx, &(pm_session_params){ .split = r.split, .config = r.config, .device = spec->device, .seed = 1, .eager = eager }, &r.s));
    must(f, pm_session_prepare_training(r.s));
    return r;
}

// Steps of an epoch from its beginning on, and its end.
static inline void run_steps(fixture *f, rig *r, int pass, int64_t epoch, int64_t n)
{
    const pm_session_pass *p = &r->s->pass[pass];
    pm_progress_state at = { .config = r->config, .steps_per_epoch = n, .epoch = epoch, .step = epoch * n };
    while (at.phase + 1 < r->s->phase_count && r->s->phase[at.phase].first + PM_MAX(r->s->phase[at.phase].count, 1) <= pass) at.phase++;
    for (int64_t done = 0, count; done < n; done += count, at.step += count) {
        count = PM_MIN(n - done, PM_SLOTS);
        must(f, pm_session_write_schedule(r->s, pass, &at, count));
        must(f, pm_session_run(r->s, pass, &(pm_position){ .step = at.step, .epoch = epoch, .row = done * p->batch }, count));
    }
    must(f, pm_session_end_pass(r->s, pass, &at, PM_MIN(n * p->batch, p->total)));
}

static inline float *values_of(fixture *f, const rig *r, const char *name, int64_t *count)
{
    int64_t rows = 0, cols = 0;
    assert_true(pm_store_find(r->s->store, name, NULL, &rows, &cols));
    float *values = pm_new_array(r->s, float, *count = rows * cols);
    must(f, pm_store_read(r->s->store, name, values));
    return values;
}

static inline void assert_near(fixture *f, const rig *a, const rig *b, const char *name)
{
    int64_t n, m;
    const float *x = values_of(f, a, name, &n), *y = values_of(f, b, name, &m);
    float most = 0;
    assert_int_equal(n, m);
    for (int64_t k = 0; k < n; k++) most = fmaxf(most, fabsf(y[k]));
    for (int64_t k = 0; k < n; k++)
        if (!(fabsf(x[k] - y[k]) <= 2e-5f * most)) fail_msg("%s[%d]: %g where rows wait, %g where none does", name, (int)k, (double)x[k], (double)y[k]);
}

// How many rows have taken steps of this epoch.
static inline int64_t rows_that_count(fixture *f, const rig *r, const char *seen, int64_t *rows)
{
    int64_t counted = 0;
    const float *words = values_of(f, r, seen, rows);    // 0 in either type
    for (int64_t k = 0; k < *rows; k++) counted += memcmp(&words[k], &(uint32_t){ 0 }, 4) != 0;
    return counted;
}

#endif
