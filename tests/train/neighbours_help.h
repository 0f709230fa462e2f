// What the tests of item-knn and of eals share: a small data set, a session without a run, scores against wanted ones.
#ifndef TESTS_NEIGHBOURS_HELP_H
#define TESTS_NEIGHBOURS_HELP_H

#include "train/run_help.h"

#include <math.h>

#include "train/session.h"

enum { USERS = 30, ITEMS = 20, MOST_USERS = USERS + 2, MOST_ITEMS = ITEMS + 2 };

// Users 0 and 1 rate everything they have alike.
static inline double rating(int u, int i)
{
    if ((u * 5 + i * i * 3 + i) % 7 > 2) return 0;
    return u < 2 ? 3.7 : 1 + (u * i + i) % 5;
}

static inline const char *write_data(const fixture *f, int users, const char *name)
{
    char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "user,item,rating\n");
    for (int u = 0; u < users; u++)
        for (int i = 0; i < ITEMS; i++)
            if (rating(u, i) > 0) n += (size_t)snprintf(text + n, sizeof text - n, "u%d,i%d,%g\n", u, i, rating(u, i));
    return put(f, name, text, n);
}

static inline pm_split *make_split(const fixture *f)
{
    pm_interactions *data;
    pm_split *split;
    assert_int_equal(pm_data_read(f->ctx, &(pm_read_params){ .path = write_data(f, USERS, "data.csv") }, &data), PM_OK);
    assert_int_equal(pm_data_split(f->ctx, data, &(pm_split_params){ .protocol = "strong", .seed = 5, .held_out = 4 }, &split), PM_OK);
    return split;
}

static inline pm_session *open_session(const fixture *f, pm_split *split, const char *model, const char *settings)
{
    pm_session *s;
    assert_int_equal(pm_session_open(f->ctx, &(pm_session_params){ .split = split, .config = make_config(f, model, settings), .device = host_device(), .seed = 1 }, &s), PM_OK);
    return s;
}

static inline void run_epoch(pm_session *s)
{
    for (int pass = 0; pass < s->pass_count; pass++) assert_int_equal(pm_session_run(s, pass, &(pm_position){ 0, 0, 0, 0 }, s->pass[pass].steps), PM_OK);
}

static inline void read_double(const pm_session *s, const char *name, double *out, int64_t count)
{
    float values[MOST_USERS * MOST_ITEMS];
    assert_true(count <= PM_COUNT(values));
    assert_int_equal(pm_store_read(s->store, name, values), PM_OK);
    for (int64_t i = 0; i < count; i++) out[i] = (double)values[i];
}

// The score of every item that a user of validation has not, against want[user][item].
static inline void assert_scores(pm_session *s, double want[][MOST_ITEMS], const char *what)
{
    const pm_eval_part *part = &s->split->valid;
    pm_evaluator *e;
    const uint32_t *ids;
    const float *scores;
    int64_t depth, seen = 0;
    assert_int_equal(pm_evaluator_create(s, &(pm_evaluator_params){ .part = part, .name = "valid", .depth = s->split->train.cols }, &e), PM_OK);
    assert_int_equal(pm_evaluator_lists(e, &ids, &scores, &depth), PM_OK);
    for (int64_t k = 0; k < part->users * depth; k++) {
        if (ids[k] >= (uint32_t)s->split->train.cols) continue;
        const double there = want[k / depth][ids[k]];
        if (!(fabs((double)scores[k] - there) <= 1e-4 * fmax(1, fabs(there)))) fail_msg("%s: user %d, item %d scores %.7g, not %.7g", what, (int)(k / depth), (int)ids[k],
                                                                                      (double)scores[k], there);
        seen++;
    }
    assert_true(seen > part->users);
}

#endif
