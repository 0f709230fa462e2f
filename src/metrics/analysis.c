// The analyses of the MIL paper, as tables, and what other analyses make theirs with.
#include <pumice/analysis.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <pumice/state.h>

#include "data/text_out.h"
#include "metrics/analysis.h"

// ---- tables --------------------------------------------------------------------------------------------------------

pm_status pm_table_create(const void *parent, pm_analysis *a, pm_table *t)
{
    t->a = a;
    a->label = t->label = pm_new_array(parent, const char *, PM_MAX(a->rows, 1));
    PM_CHECK_ALLOC(t->label);
    a->value = t->value = pm_new_array(t->label, double, PM_MAX(a->rows * a->columns, 1));
    PM_CHECK_ALLOC(t->value);
    return PM_OK;
}

pm_status pm_table_label(pm_table *t, int64_t row, char *text)
{
    PM_CHECK_ALLOC(text);
    t->label[row] = text;
    return PM_OK;
}

void pm_table_row(pm_table *t, int64_t row, const double *values)
{
    memcpy(t->value + row * t->a->columns, values, sizeof *values * (size_t)t->a->columns);
}

double pm_analysis_at(const pm_analysis *a, const char *label, const char *column)
{
    for (int c = 0; c < a->columns; c++) {
        if (!pm_name_equal(a->column[c], column)) continue;
        for (int64_t r = 0; r < a->rows; r++)
            if (pm_name_equal(a->label[r], label)) return a->value[r * a->columns + c];
    }
    return NAN;
}

pm_status pm_analysis_write_csv(const void *object, const pm_analysis *a, const char *path)
{
    pm_text *t;
    PM_TRY(pm_text_create(object, path, ',', false, &t));
    pm_text_id(t, a->row);
    for (int c = 0; c < a->columns; c++) pm_text_id(t, a->column[c]);
    pm_text_end_line(t);
    for (int64_t r = 0; r < a->rows; r++) {
        pm_text_id(t, a->label[r]);
        for (int c = 0; c < a->columns; c++) pm_text_number(t, a->value[r * a->columns + c]);
        pm_text_end_line(t);
    }
    return pm_text_commit(&t);
}

pm_status pm_analysis_parse(const void *object, const char *names, unsigned *out)
{
    static const char *const all[] = { "preference", "tails", "ranks", "popularity", "density", "all" };
    *out = 0;
    for (const char *at = names; *at;) {
        char name[32];
        const size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)PM_MIN(length, sizeof name - 1), at);
        unsigned bit = 0;
        for (int k = 0; k < PM_COUNT(all); k++)
            if (pm_name_equal(name, all[k])) bit = k == PM_COUNT(all) - 1 ? PM_ANALYSE_ALL : 1u << k;
        const char *near = pm_nearest_name(name, all, PM_COUNT(all));
        PM_REQUIRE(object, bit, PM_ERR_ARG, "unknown analysis '%s'; there are preference, tails, ranks, popularity, density, all%s%s%s", name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        *out |= bit;
        at += length + (at[length] == ',');
    }
    PM_REQUIRE(object, *out, PM_ERR_ARG, "no analysis named; there are preference, tails, ranks, popularity, density, all");
    return PM_OK;
}

// ---- predicted preference ------------------------------------------------------------------------------------------

enum { BANDS = PM_PREFERENCE_EDGES - 1, ITEM_BANDS = 20 };

static const double bounds[PM_PREFERENCE_EDGES] = { 0, 0.01, 0.25, 0.5, 0.7, 0.9, 1 };

void pm_preference_edges(pm_preference preference, float edges[PM_PREFERENCE_EDGES])
{
    for (int k = 0; k < PM_PREFERENCE_EDGES; k++)
        edges[k] = (float)(preference == PM_PREFERENCE_SIGMOID ? log(bounds[k] / (1 - bounds[k])) : bounds[k]);
    edges[BANDS] = nextafterf(1, 2);    // the last band is closed
    if (preference != PM_PREFERENCE_SIGMOID) return;
    edges[0] = -FLT_MAX;
    edges[BANDS] = FLT_MAX;
}

// "[0.9, 1]", "[0.7, 0.9)", …; with rows for what lies outside, where something can.
static pm_status band_labels(pm_table *t, bool outside, const double *bound, int bands)
{
    for (int b = 0; b < bands; b++)
        PM_TRY(pm_table_label(t, bands - 1 - b + outside,
                         pm_sprintf(t->label, "[%g, %g%c", bound[b], bound[b + 1], b == bands - 1 ? ']' : ')')));
    if (!outside) return PM_OK;
    PM_TRY(pm_table_label(t, 0, pm_sprintf(t->label, "above %g", bound[bands])));
    return pm_table_label(t, bands + 1, pm_sprintf(t->label, "below %g", bound[0]));
}

// Where band b of the table's rows begins and ends; NaN where it has no end.
static double from_of(const double *bound, int bands, int b)
{
    return b < 0 ? NAN : b >= bands ? bound[bands] : bound[b];
}

static double to_of(const double *bound, int bands, int b)
{
    return b < 0 ? bound[0] : b >= bands ? NAN : bound[b + 1];
}

// Items of a user in band b; −1: below all, BANDS: above all.
static uint32_t in_band(const uint32_t *reaching, pm_preference preference, int64_t items, int b)
{
    const bool closed = preference == PM_PREFERENCE_SIGMOID;
    const uint32_t all = (uint32_t)items, from = b < 0 || (closed && b == 0) ? all : reaching[b];
    const uint32_t to = b >= BANDS || (closed && b == BANDS - 1) ? 0 : reaching[b + 1];
    return from - to;
}

pm_status pm_analyse_preference(const void *parent, pm_preference preference, const uint32_t *reaching, int64_t users, int64_t items,
                                pm_analysis *out)
{
    static const char *const columns[] = { "from", "to", "percent", "se", "ci95", "users" };
    const bool outside = preference == PM_PREFERENCE_SCORE;
    pm_table t;
    *out = (pm_analysis){ "preference", "percentage of the catalogue in each band of predicted preference, a user's, averaged over users",
                          "MIL, Table 4", "band", PM_COUNT(columns), columns, BANDS + 2 * outside, NULL, NULL };
    PM_TRY(pm_table_create(parent, out, &t));
    PM_TRY(band_labels(&t, outside, bounds, BANDS));
    for (int64_t u = 0; u < users; u++)
        PM_REQUIRE(parent, reaching[u * PM_PREFERENCE_EDGES] != PM_ID_NAN, PM_ERR_NUMERIC,
                   "the scores of user %" PRId64 " of those evaluated are not finite; the model has diverged: try a lower lr", u);
    double *share = pm_new_array(parent, double, PM_MAX(users, 1));
    PM_CHECK_ALLOC(share);
    for (int64_t r = 0; r < out->rows; r++) {
        const int b = BANDS - 1 - (int)r + outside;
        pm_metric_result s;
        for (int64_t u = 0; u < users; u++)
            share[u] = 100.0 * in_band(reaching + u * PM_PREFERENCE_EDGES, preference, items, b) / (double)items;
        pm_metric_summary(NULL, share, users, &s);
        pm_table_row(&t, r, (const double[]){ from_of(bounds, BANDS, b), to_of(bounds, BANDS, b), s.mean, s.se, s.ci95, (double)users });
    }
    pm_free(share);
    return PM_OK;
}

pm_status pm_analyse_item_preference(const void *parent, pm_preference preference, const double *mean, int64_t items, pm_analysis *out)
{
    static const char *const columns[] = { "from", "to", "items", "percent" };
    const bool outside = preference == PM_PREFERENCE_SCORE;
    double bound[ITEM_BANDS + 1], count[ITEM_BANDS + 2] = { 0 };
    pm_table t;
    *out = (pm_analysis){ "item-preference", "items by their mean predicted preference over users", "MIL, Section 4.2", "band",
                          PM_COUNT(columns), columns, ITEM_BANDS + 2 * outside, NULL, NULL };
    for (int b = 0; b <= ITEM_BANDS; b++) bound[b] = (double)b / ITEM_BANDS;
    PM_TRY(pm_table_create(parent, out, &t));
    PM_TRY(band_labels(&t, outside, bound, ITEM_BANDS));
    for (int64_t i = 0; i < items; i++) {
        PM_REQUIRE(parent, isfinite(mean[i]), PM_ERR_NUMERIC,
                   "the mean preference of item %" PRId64 " is not finite; the model has diverged: try a lower lr", i);
        int b = -1;
        while (b < ITEM_BANDS && mean[i] >= bound[b + 1]) b++;
        if (mean[i] == 1 || (!outside && b == ITEM_BANDS)) b = ITEM_BANDS - 1;
        count[(outside ? b : PM_MAX(b, 0)) + 1]++;
    }
    for (int64_t r = 0; r < out->rows; r++) {
        const int b = ITEM_BANDS - 1 - (int)r + outside;
        pm_table_row(&t, r, (const double[]){ from_of(bound, ITEM_BANDS, b), to_of(bound, ITEM_BANDS, b), count[b + 1],
                                         100.0 * count[b + 1] / (double)items });
    }
    return PM_OK;
}

// ---- what is shown -------------------------------------------------------------------------------------------------

static const char *const tail_names[] = { [PM_TAIL_SHORT] = "short", [PM_TAIL_MEDIUM] = "medium", [PM_TAIL_LONG] = "long" };
enum { TAILS = PM_COUNT(tail_names) };

static pm_status tails_of(const void *parent, const pm_shown_lists *s, uint8_t **tail)
{
    *tail = pm_new_array(parent, uint8_t, PM_MAX(s->items, 1));
    PM_CHECK_ALLOC(*tail);
    return pm_popularity_tails(parent, s->popularity, s->items, *tail);
}

pm_status pm_analyse_tails(const void *parent, const pm_shown_lists *s, pm_analysis *out)
{
    static const char *const columns[] = { "items", "percent", "se", "ci95", "users" };
    pm_table t;
    uint8_t *tail;
    int64_t size[TAILS] = { 0 };
    *out = (pm_analysis){ "tails", NULL, "MIL, Figure 3", "tail", PM_COUNT(columns), columns, TAILS, NULL, NULL };
    PM_TRY(pm_table_create(parent, out, &t));
    out->title = pm_sprintf(t.label, "percentage of the top %" PRId64 " in each popularity tail, a user's, averaged over users", s->depth);
    double *share = pm_new_array(t.label, double, PM_MAX(TAILS * s->users, 1));
    PM_CHECK_ALLOC(out->title);
    PM_CHECK_ALLOC(share);
    PM_TRY(tails_of(t.label, s, &tail));
    for (int64_t i = 0; i < s->items; i++) size[tail[i]]++;
    for (int64_t u = 0; u < s->users; u++) {
        const uint32_t *list = s->lists + u * s->depth;
        int64_t length = 0, in[TAILS] = { 0 };
        while (length < s->depth && list[length] < s->items) in[tail[list[length++]]]++;
        for (int k = 0; k < TAILS && length; k++) share[k * s->users + u] = 100.0 * (double)in[k] / (double)length;
    }
    for (int k = 0; k < TAILS; k++) {
        pm_metric_result m;
        pm_metric_summary(NULL, share + k * s->users, s->users, &m);
        t.label[k] = tail_names[k];
        pm_table_row(&t, k, (const double[]){ (double)size[k], m.mean, m.se, m.ci95, (double)s->users });
    }
    return PM_OK;
}

pm_status pm_analyse_ranks(const void *parent, const pm_shown_lists *s, pm_analysis *out)
{
    pm_table t;
    uint8_t *tail;
    *out = (pm_analysis){ "ranks", "users whose item at a rank is of each popularity tail", "MIL, Figure 4", "rank", TAILS, tail_names,
                          s->depth, NULL, NULL };
    PM_TRY(pm_table_create(parent, out, &t));
    PM_TRY(tails_of(t.label, s, &tail));
    for (int64_t r = 0; r < s->depth; r++) {
        double users[TAILS] = { 0 };
        for (int64_t u = 0; u < s->users; u++) {
            const uint32_t item = s->lists[u * s->depth + r];
            if (item < s->items) users[tail[item]]++;
        }
        PM_TRY(pm_table_label(&t, r, pm_sprintf(t.label, "%" PRId64, r + 1)));
        pm_table_row(&t, r, users);
    }
    return PM_OK;
}

// ---- popularity ----------------------------------------------------------------------------------------------------

enum { PARTS = 3 };

typedef struct counted {
    uint32_t item, count[PARTS];
} counted;

static int more_popular(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    if (x->count[0] != y->count[0]) return x->count[0] > y->count[0] ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static pm_status count_items(const void *parent, const pm_split *split, counted **out)
{
    const pm_csr *const part[PARTS] = { &split->train, &split->valid.target, &split->test.target };
    const int64_t items = split->train.cols;
    counted *c = *out = pm_new_array(parent, counted, PM_MAX(items, 1));
    PM_CHECK_ALLOC(c);
    for (int64_t i = 0; i < items; i++) c[i].item = (uint32_t)i;
    for (int p = 0; p < PARTS; p++)
        for (int64_t e = 0; e < part[p]->nnz; e++)
            if (part[p]->col[e] < items) c[part[p]->col[e]].count[p]++;
    qsort(c, (size_t)items, sizeof *c, more_popular);
    return PM_OK;
}

// The last rank of the band after one that ends with `end`: 10, 20, 50, 100, 200, 500, …
static int64_t next_end(int64_t end)
{
    int64_t unit = 10;
    while (unit * 10 <= end) unit *= 10;
    return end < 10 ? 10 : end < 2 * unit ? 2 * unit : end < 5 * unit ? 5 * unit : 10 * unit;
}

pm_status pm_analyse_popularity(const void *parent, const pm_split *split, pm_analysis *out)
{
    static const char *const columns[] = { "items", "train", "validation", "test" };
    const int64_t items = split->train.cols;
    pm_table t;
    counted *c;
    *out = (pm_analysis){ "popularity", "percentage of each part's interactions with the items of each band of training popularity",
                          "MIL, Figure 2", "ranks", PM_COUNT(columns), columns, 0, NULL, NULL };
    for (int64_t end = 0; end < items; end = next_end(end)) out->rows++;
    PM_TRY(pm_table_create(parent, out, &t));
    PM_TRY(count_items(t.label, split, &c));
    double total[PARTS] = { 0 };
    for (int64_t i = 0; i < items; i++)
        for (int p = 0; p < PARTS; p++) total[p] += c[i].count[p];
    int64_t begin = 0;
    for (int64_t r = 0; r < out->rows; r++) {
        const int64_t end = PM_MIN(next_end(begin), items);
        double row[1 + PARTS] = { (double)(end - begin) };
        for (int64_t i = begin; i < end; i++)
            for (int p = 0; p < PARTS; p++) row[1 + p] += c[i].count[p];
        for (int p = 0; p < PARTS; p++) row[1 + p] = total[p] > 0 ? 100 * row[1 + p] / total[p] : NAN;
        PM_TRY(pm_table_label(&t, r, pm_sprintf(t.label, "%" PRId64 "-%" PRId64, begin + 1, end)));
        pm_table_row(&t, r, row);
        begin = end;
    }
    return PM_OK;
}

pm_status pm_analyse_item_popularity(const void *parent, const pm_split *split, pm_analysis *out)
{
    static const char *const columns[] = { "rank", "train", "validation", "test" };
    pm_table t;
    counted *c;
    *out = (pm_analysis){ "item-popularity", "interactions of each item in training, validation and test", "MIL, Figure 2", "item",
                          PM_COUNT(columns), columns, split->train.cols, NULL, NULL };
    PM_TRY(pm_table_create(parent, out, &t));
    PM_TRY(count_items(t.label, split, &c));
    for (int64_t i = 0; i < out->rows; i++) {
        PM_TRY(pm_table_label(&t, i, pm_strdup(t.label, pm_ids_name(split->items, c[i].item))));
        pm_table_row(&t, i, (const double[]){ (double)(i + 1), c[i].count[0], c[i].count[1], c[i].count[2] });
    }
    return PM_OK;
}
