// Several trainings of one spec, on other splits of the same data: RUN/repeat-1, RUN/repeat-2, … are runs like any other, and RUN/config.json says how many
// there are to be. Going on means going on with each of them; those that are done say again what they said.
#include <math.h>

#include "core/file.h"
#include "train/runfolder.h"

enum { MOST_REPEATS = 10000 };

bool pm_spec_repeats(const pm_spec *spec, int64_t *count)
{
    const bool folds = spec->split.folds > 1 && spec->split.fold == 0;
    *count = folds ? spec->split.folds : spec->repeats;
    return *count > 1;
}

// The spec of the i-th, from 0 on.
static pm_spec spec_of(const pm_spec *complete, int64_t i)
{
    pm_spec one = *complete;
    one.repeats = 0;
    one.repeat = i + 1;
    one.seed += (uint64_t)i;
    one.split_seed_given = true;
    if (one.split.folds) one.split.fold = i + 1;
    else one.split.seed += (uint64_t)i;
    return one;
}

static pm_status train_one(pm_ctx *ctx, const pm_spec *complete, int64_t i, const char *folder, pm_result **out)
{
    const pm_spec one = spec_of(complete, i);
    if (!folder) return pm_train_with(ctx, &one, NULL, NULL, out);
    char *config = pm_sprintf(ctx, "%s/config.json", folder);
    PM_CHECK_ALLOC(config);
    const bool found = pm_file_exists(config);
    pm_free(config);
    return found ? pm_train_resume(ctx, folder, one.device, out) : pm_train_with(ctx, &one, folder, NULL, out);
}

static pm_status copy_metrics(const void *parent, const pm_metric_result *from, int count, pm_metric_result **out)
{
    *out = pm_new_array(parent, pm_metric_result, PM_MAX(count, 1));
    PM_CHECK_ALLOC(*out);
    if (count) memcpy(*out, from, (size_t)count * sizeof *from);
    return PM_OK;
}

static pm_status keep(pm_ctx *ctx, const pm_result *one, const char *folder, void *parent, pm_repeat *to)
{
    char *document;
    PM_TRY(pm_result_json(parent, one, &document));
    *to = (pm_repeat){ .run = folder, .document = document, .epochs = one->epochs, .best_epoch = one->best_epoch,
                       .validation_count = one->validation_count, .metric_count = one->metric_count };
    PM_TRY(copy_metrics(parent, one->validation, one->validation_count, &to->validation));
    PM_TRY(copy_metrics(parent, one->metrics, one->metric_count, &to->metrics));
    if (one->metric_count) pm_log(ctx, PM_LOG_INFO, "%s %.4f on test, epoch %" PRId64, one->metrics[0].name, one->metrics[0].mean, one->best_epoch);
    return PM_OK;
}

// The repeats for the result to own.
static pm_status copy_repeats(pm_result *r, const pm_repeat *from, int count)
{
    r->repeats = pm_new_array(r, pm_repeat, count);
    PM_CHECK_ALLOC(r->repeats);
    for (r->repeat_count = 0; r->repeat_count < count; r->repeat_count++) {
        pm_repeat *to = &r->repeats[r->repeat_count];
        *to = from[r->repeat_count];
        to->document = pm_strdup(r, to->document);
        PM_CHECK_ALLOC(to->document);
        if (to->run) {
            to->run = pm_strdup(r, to->run);
            PM_CHECK_ALLOC(to->run);
        }
        PM_TRY(copy_metrics(r, to->validation, to->validation_count, &to->validation));
        PM_TRY(copy_metrics(r, to->metrics, to->metric_count, &to->metrics));
    }
    return PM_OK;
}

// A metric of a repeat by its name; NULL.
static const pm_metric_result *metric_of(const pm_repeat *repeat, bool validation, const char *name)
{
    const pm_metric_result *all = validation ? repeat->validation : repeat->metrics;
    for (int i = 0; i < (validation ? repeat->validation_count : repeat->metric_count); i++)
        if (pm_name_equal(all[i].name, name)) return &all[i];
    return NULL;
}

// Means over the repeats, and their deviations; of a metric that not all have, over those that have it.
static pm_status combine(pm_result *r, bool validation, int count, pm_metric_result **out, double **sd)
{
    const pm_metric_result *last = validation ? r->validation : r->metrics;
    double *values = pm_new_array(r, double, r->repeat_count);
    *out = pm_new_array(r, pm_metric_result, PM_MAX(count, 1));
    *sd = pm_new_array(r, double, PM_MAX(count, 1));
    if (!values || !*out || !*sd) return PM_ERR_NOMEM;
    for (int m = 0; m < count; m++) {
        pm_metric_result *to = &(*out)[m];
        int64_t all = 0;
        int n = 0;
        for (int i = 0; i < r->repeat_count; i++) {
            const pm_metric_result *one = metric_of(&r->repeats[i], validation, last[m].name);
            if (!one) continue;
            values[n++] = one->mean;
            all += one->n;
        }
        pm_metric_summary(last[m].name, values, n, to);
        (*sd)[m] = to->se * sqrt(n);
        to->ci95 = to->se * pm_student_quantile(0.05, n - 1);
        to->n = all;
    }
    pm_free(values);
    return PM_OK;
}

static pm_status train_all(pm_ctx *ctx, const pm_spec *spec, const char *run, int64_t count, void *kept, pm_repeat *repeats, pm_result **last)
{
    double seconds = 0, evaluation = 0;
    int64_t steps = 0;
    for (int64_t i = 0; i < count; i++) {
        char *folder = run ? pm_run_repeat(kept, run, i + 1) : NULL;
        if (run) PM_CHECK_ALLOC(folder);
        pm_log(ctx, PM_LOG_INFO, "%s %" PRId64 " of %" PRId64, spec->split.folds ? "fold" : "repeat", i + 1, count);
        if (*last) pm_result_destroy(last);
        const pm_status st = train_one(ctx, spec, i, folder, last);
        if (st == PM_ERR_CANCELLED && run) return pm_fail(ctx, st, "interrupted; pumice train --resume %s goes on from here", run);
        if (st != PM_OK) return st;
        PM_TRY(keep(ctx, *last, folder, kept, &repeats[i]));
        seconds += (*last)->train_seconds;
        evaluation += (*last)->eval_seconds;
        steps += (*last)->steps;
    }
    (*last)->train_seconds = seconds;
    (*last)->eval_seconds = evaluation;
    (*last)->steps = steps;
    return PM_OK;
}

static pm_status make_result(pm_result *r, const pm_spec *spec, const char *run, int64_t count, const pm_repeat *repeats)
{
    PM_TRY(copy_repeats(r, repeats, (int)count));
    r->seed = spec->seed;
    r->run = run ? pm_strdup(r, run) : NULL;
    if (run) PM_CHECK_ALLOC(r->run);
    r->epochs = r->best_epoch = 0;    // each has its own
    PM_TRY(combine(r, true, r->validation_count, &r->validation, &r->validation_sd));
    PM_TRY(combine(r, false, r->metric_count, &r->metrics, &r->metrics_sd));
    r->validation_users = r->test_users = NULL;
    r->validation_view_count = r->test_view_count = 0;
    return PM_OK;
}

pm_status pm_train_repeats(pm_ctx *ctx, const pm_spec *spec, const char *run, bool resume, pm_result **out)
{
    int64_t count;
    pm_spec complete;
    *out = NULL;
    pm_spec_repeats(spec, &count);
    PM_REQUIRE(ctx, count <= MOST_REPEATS, PM_ERR_ARG, "repeats = %" PRId64 " must be at most %d", count, MOST_REPEATS);
    void *kept = pm_alloc(ctx, 1);    // what outlives the single results
    PM_CHECK_ALLOC(kept);
    pm_repeat *repeats = pm_new_array(kept, pm_repeat, count);
    pm_status st = repeats ? pm_spec_complete(kept, spec, &complete) : PM_ERR_NOMEM;
    if (st == PM_OK && run && !resume) st = pm_run_begin(ctx, run, spec);
    if (st == PM_OK) st = train_all(ctx, &complete, run, count, kept, repeats, out);
    if (st == PM_OK) st = make_result(*out, &complete, run, count, repeats);
    if (st != PM_OK) pm_result_destroy(out);
    pm_free(kept);
    return st;
}
