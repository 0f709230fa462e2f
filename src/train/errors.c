// The two errors of Section 2.3 of the sparse autoencoders' paper, in squares of the data's units: of prediction, at test ratings from what is known without
// them; of reconstruction, at the same ratings when they themselves are what the model is fed.
#include <pumice/state.h>

#include "train/rating.h"

// What the part is to find becomes what is known of it; where the model encodes all users, of those who have nothing to find nothing is.
static pm_status feed_itself(const void *parent, const pm_session *s, const pm_eval_part *part, pm_eval_part *out)
{
    const pm_split *split = s->split;
    if (!pm_encodes(s->config)) {
        *out = (pm_eval_part){ .users = part->users, .user = part->user, .input = part->target, .target = part->target };
        return PM_OK;
    }
    const int64_t users = PM_MAX(pm_ids_count(split->users), 1), nnz = part->target.nnz;
    uint32_t *row_of = pm_new_array(parent, uint32_t, users), *row = pm_new_array(parent, uint32_t, PM_MAX(nnz, 1));
    out->user = pm_new_array(parent, uint32_t, split->train.rows + part->users);
    if (!row_of || !row || !out->user) return PM_ERR_NOMEM;
    for (int64_t r = 0; r < split->train.rows; r++) {
        out->user[out->users++] = split->train_user[r];
        row_of[split->train_user[r]] = (uint32_t)out->users;
    }
    for (int64_t r = 0; r < part->users; r++) {
        uint32_t *at = part->user[r] < users ? &row_of[part->user[r]] : NULL;
        const bool stranger = !at || !*at;
        if (stranger) out->user[out->users++] = part->user[r];
        if (at && stranger) *at = (uint32_t)out->users;
        for (uint32_t e = part->target.indptr[r]; e < part->target.indptr[r + 1]; e++) row[e] = (at ? *at : (uint32_t)out->users) - 1;
    }
    PM_TRY(pm_csr_build(parent, out->users, part->target.cols, nnz, row, part->target.col, part->target.val, NULL, &out->input, NULL));
    out->target = out->input;
    return PM_OK;
}

static void summarise(const pm_metrics *m, const char *name, pm_metric_result *out)
{
    const int i = pm_metric_set_find(pm_metrics_set(m), "rmse");
    pm_metrics_counts counts;
    pm_metrics_get_counts(m, &counts);
    if (i >= 0) pm_metric_summary(name, pm_metrics_values(m, i), counts.users, out);    // the values of rmse are squares
}

pm_status pm_result_add_errors(pm_result *r, pm_session *s, const pm_eval_part *part)
{
    pm_metric_set *set;
    pm_evaluator *e;
    pm_metrics *m;
    if (!s->center || !r->test_users || pm_metric_set_find(pm_metrics_set(r->test_users), "rmse") < 0) return PM_OK;
    summarise(r->test_users, "prediction_error", &r->prediction_error);
    if (s->model->by_id && !pm_encodes(s->config)) return PM_OK;    // it is fed no ratings
    pm_eval_part *own = pm_new(r, pm_eval_part);
    PM_CHECK_ALLOC(own);
    PM_TRY(feed_itself(own, s, part, own));
    PM_TRY(pm_metric_set_parse(own, "rmse", &set));
    PM_TRY(pm_evaluator_create(s, &(pm_evaluator_params){ .part = own, .name = "reconstruct", .set = set }, &e));
    PM_TRY(pm_evaluator_run(e, own, &m));
    summarise(m, "reconstruction_error", &r->reconstruction_error);
    return PM_OK;
}
