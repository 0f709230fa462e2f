// Ranks of one target a user in the whole catalogue. Nothing but its scores is needed: what is known is masked in place, and a copy of the target's
// score stands before the row, so that the op that ranks candidates counts here too. The target's own column ties with its copy.
#include <pumice/state.h>

#include "train/ranks.h"

struct pm_ranks {
    pm_session         *s;
    const pm_eval_part *part;
    const char         *name;
    uint32_t           *above, *tied, *lower;    // [users]; lower: ties of lower id, for PM_TIES_ID; else NULL
};

static char *tensor_name(const pm_ranks *r, const char *suffix)
{
    return pm_sprintf(r, "%s.all.%s", r->name, suffix);
}

static pm_status add_column(const pm_ranks *r, const char *suffix, const uint32_t *data)
{
    char *name = tensor_name(r, suffix);
    PM_CHECK_ALLOC(name);
    pm_status st = pm_store_add(r->s->store, name, PM_U32, r->part->users, 1);
    if (st == PM_OK && data) st = pm_store_write(r->s->store, name, data);
    pm_free(name);
    return st;
}

static pm_status add_result(pm_ranks *r, const char *suffix, uint32_t **host)
{
    *host = pm_new_array(r, uint32_t, r->part->users);
    PM_CHECK_ALLOC(*host);
    return add_column(r, suffix, NULL);
}

static pm_var column(const pm_ranks *r, pm_graph *g, const char *suffix)
{
    char *name = tensor_name(r, suffix);
    return name ? pm_constant(g, name) : pm_graph_fail(g, PM_ERR_NOMEM, "no memory for a name");
}

pm_status pm_ranks_create(const void *parent, pm_session *s, const pm_eval_part *part, const char *name, pm_ties ties, pm_ranks **out)
{
    pm_ranks *r = *out = pm_new(parent, pm_ranks);
    PM_CHECK_ALLOC(r);
    *r = (pm_ranks){ .s = s, .part = part, .name = name };
    uint32_t *target = pm_new_array(r, uint32_t, 3 * part->users), *count = target + part->users, *until = count + part->users;
    PM_CHECK_ALLOC(target);
    for (int64_t u = 0; u < part->users; u++) {
        target[u] = part->candidate[part->candidate_ptr[u]];
        count[u] = (uint32_t)s->split->train.cols + 1;
        until[u] = target[u] + 1;    // the copy, and the items before the target
    }
    PM_TRY(add_column(r, "target", target));
    PM_TRY(add_column(r, "count", count));
    PM_TRY(add_result(r, "above", &r->above));
    PM_TRY(add_result(r, "tied", &r->tied));
    if (ties == PM_TIES_ID) {
        PM_TRY(add_column(r, "until", until));
        PM_TRY(add_result(r, "lower", &r->lower));
    }
    pm_free(target);
    return PM_OK;
}

static void put(const pm_ranks *r, pm_build *b, pm_var x, const char *suffix)
{
    pm_put_rows(b->g, x, b->state, column(r, b->g, suffix));
}

void pm_ranks_capture(const pm_ranks *r, pm_build *b, pm_var z, pm_var rows)
{
    pm_graph *g = b->g;
    pm_var tied, lower;
    int64_t batch, cols;
    pm_shape_of(g, z, &batch, &cols);
    const pm_var known = pm_mask_rows(g, b->x.ptr, b->x.col, z), target = pm_take_cols(g, known, pm_gather_rows(g, column(r, g, "target"), rows));
    const pm_var s = pm_add(g, pm_place(g, target, batch, cols + 1, 0, 0), pm_place(g, known, batch, cols + 1, 0, 1));
    const pm_var above = pm_rank_target(g, s, pm_gather_rows(g, column(r, g, "count"), rows), &tied);
    put(r, b, above, "above");
    put(r, b, tied, "tied");
    if (!r->lower) return;
    pm_rank_target(g, s, pm_gather_rows(g, column(r, g, "until"), rows), &lower);
    put(r, b, lower, "lower");
}

static pm_status read_column(const pm_ranks *r, const char *suffix, uint32_t *data)
{
    char *name = data ? tensor_name(r, suffix) : NULL;
    if (!data) return PM_OK;
    PM_CHECK_ALLOC(name);
    const pm_status st = pm_store_read(r->s->store, name, data);
    pm_free(name);
    return st;
}

pm_status pm_ranks_read(pm_ranks *r)
{
    PM_TRY(read_column(r, "above", r->above));
    PM_TRY(read_column(r, "tied", r->tied));
    return read_column(r, "lower", r->lower);
}

bool pm_ranks_get(const pm_ranks *r, int64_t row, pm_rank *out)
{
    const pm_eval_part *p = r->part;
    *out = (pm_rank){ .user = p->user[row], .target = p->candidate[p->candidate_ptr[row]], .above = r->above[row], .tied = (int64_t)r->tied[row] - 1,
                      .tied_lower = r->lower ? r->lower[row] : 0,
                      .candidates = r->s->split->train.cols - ((int64_t)p->input.indptr[row + 1] - p->input.indptr[row]) };
    return r->above[row] != PM_ID_NAN;
}
