// The built-in data set. Only +, −, ×, ÷ and comparisons of doubles, which every machine rounds alike; no libm.
#include "data/internal.h"

#include <stdio.h>

#include "core/philox.h"

static const pm_synth_preset presets[] = {
    { "small", "2,000 users x 800 items, 60,000 interactions: seconds to train", { 2000, 800, 60000, 12, 0, false } },
    { "ml-1m", "the shape of MovieLens 1M, ratings above 3.5", { 6034, 3533, 575272, 18, 0, false } },
    { "ml-20m", "the shape of MovieLens 20M as Mult-VAE filters it", { 136677, 20108, 9990030, 40, 0, false } },
};

enum { START = 1262304000, SPAN = 94608000 };    // 2010-01-01, three years

const pm_synth_preset *pm_synth_presets(int *count)
{
    *count = PM_COUNT(presets);
    return presets;
}

const pm_synth_preset *pm_synth_find(const char *name)
{
    for (int p = 0; p < PM_COUNT(presets); p++)
        if (pm_name_equal(presets[p].name, name)) return &presets[p];
    return NULL;
}

// Walker's alias table over `count` entries: one draw in constant time.
typedef struct alias_table {
    uint32_t  count;
    uint32_t *item;     // [count]
    uint32_t *other;    // [count] position drawn instead
    double   *share;    // [count] chance to stay
} alias_table;

static pm_status alias_build(const void *scratch, alias_table *t, const double *weight)
{
    const uint32_t n = t->count;
    t->other = pm_new_array(scratch, uint32_t, n);
    t->share = pm_new_array(scratch, double, n);
    uint32_t *small = pm_new_array(scratch, uint32_t, n), *large = pm_new_array(scratch, uint32_t, n);
    if (!t->other || !t->share || !small || !large) return PM_ERR_NOMEM;
    double total = 0.0;
    for (uint32_t i = 0; i < n; i++) total += weight[t->item[i]];
    uint32_t smalls = 0, larges = 0;
    for (uint32_t i = 0; i < n; i++) {
        t->share[i] = weight[t->item[i]] * n / total;
        if (t->share[i] < 1.0) small[smalls++] = i;
        else large[larges++] = i;
    }
    while (smalls && larges) {
        const uint32_t s = small[--smalls], l = large[larges - 1];
        t->other[s] = l;
        t->share[l] -= 1.0 - t->share[s];
        if (t->share[l] >= 1.0) continue;
        larges--;
        small[smalls++] = l;
    }
    while (larges) t->share[large[--larges]] = 1.0;
    while (smalls) t->share[small[--smalls]] = 1.0;    // left over by rounding
    return PM_OK;
}

static uint32_t alias_draw(const alias_table *t, pm_rng *rng)
{
    const uint32_t i = pm_rng_below(rng, t->count);
    return t->item[pm_rng_unit(rng) < t->share[i] ? i : t->other[i]];
}

typedef struct synth {
    pm_synth_params  p;
    alias_table      all, *cluster;    // cluster [clusters]
    double          *weight;           // [items]
    uint32_t        *count;            // [users] items of each user
    uint32_t        *seen;             // [items] last user + 1 that has the item
    pm_interactions *out;
} synth;

// Popularity ranks and clusters are dealt independently: item i's rank by a shuffle, its cluster by its rank.
static pm_status make_items(synth *s, const void *scratch)
{
    const int64_t items = s->p.items;
    const uint32_t clusters = (uint32_t)s->p.clusters;
    s->weight = pm_new_array(scratch, double, items);
    s->all = (alias_table){ .count = (uint32_t)items, .item = pm_new_array(scratch, uint32_t, items) };
    s->cluster = pm_new_array(scratch, alias_table, clusters);
    uint32_t *rank = pm_new_array(scratch, uint32_t, items);
    if (!s->weight || !s->all.item || !s->cluster || !rank) return PM_ERR_NOMEM;
    for (int64_t i = 0; i < items; i++) s->all.item[i] = rank[i] = (uint32_t)i;
    pm_rng rng = { .key = s->p.seed, .stream = pm_stream_of_name("synth.items") };
    for (int64_t i = items - 1; i > 0; i--) {
        const uint32_t j = pm_rng_below(&rng, (uint32_t)i + 1), r = rank[j];
        rank[j] = rank[i];
        rank[i] = r;
    }
    const double flat = (double)items / 100.0 + 1.0;
    for (int64_t i = 0; i < items; i++) s->weight[i] = 1.0 / ((double)rank[i] + flat);
    for (uint32_t c = 0; c < clusters; c++) {
        alias_table *t = &s->cluster[c];
        t->item = pm_new_array(scratch, uint32_t, items / clusters + 1);
        PM_CHECK_ALLOC(t->item);
        for (int64_t i = 0; i < items; i++)
            if (rank[i] % clusters == c) t->item[t->count++] = (uint32_t)i;
        PM_TRY(alias_build(scratch, t, s->weight));
    }
    return alias_build(scratch, &s->all, s->weight);
}

// Shares the interactions out among the users, each between 1 and half of all items, so that the sum is exact.
static pm_status make_activity(synth *s, const void *scratch)
{
    const int64_t users = s->p.users;
    const uint32_t most = (uint32_t)PM_MAX(s->p.items / 2, 1);
    double *share = pm_new_array(scratch, double, users);
    s->count = pm_new_array(scratch, uint32_t, users);
    if (!share || !s->count) return PM_ERR_NOMEM;
    double total = 0.0;
    pm_rng rng = { .key = s->p.seed, .stream = pm_stream_of_name("synth.activity") };
    for (int64_t u = 0; u < users; u++) total += share[u] = 1.0 / (pm_rng_unit(&rng) + 0.05);
    const int64_t fewest = PM_MIN(5, s->p.interactions / users);
    int64_t left = s->p.interactions - users * fewest;
    const double unit = (double)left / total;
    for (int64_t u = 0; u < users; u++) {
        const int64_t extra = PM_MIN((int64_t)(unit * share[u]), PM_MIN((int64_t)most - fewest, left));
        s->count[u] = (uint32_t)(fewest + extra);
        left -= extra;
    }
    while (left > 0) {    // rounding, and what the cap cut off
        for (int64_t u = 0; u < users && left > 0; u++) {
            if (s->count[u] >= most) continue;
            s->count[u]++;
            left--;
        }
    }
    return PM_OK;
}

// One item the user has not yet. Popular items are soon taken: after some tries the next free one in order is.
static uint32_t draw_item(synth *s, pm_rng *rng, const uint32_t home[2], uint32_t mark)
{
    enum { TRIES = 64 };
    const uint32_t where = pm_rng_below(rng, 10);    // 6: first home, 3: second, 1: anywhere
    const alias_table *t = where < 6 ? &s->cluster[home[0]] : where < 9 ? &s->cluster[home[1]] : &s->all;
    for (int k = 0; k < TRIES; k++) {
        const uint32_t item = alias_draw(k < TRIES / 2 ? t : &s->all, rng);
        if (s->seen[item] != mark) return item;
    }
    uint32_t item = pm_rng_below(rng, (uint32_t)s->p.items);
    while (s->seen[item] == mark) item = item + 1 == s->p.items ? 0 : item + 1;
    return item;
}

static void make_user(synth *s, uint32_t user, int64_t *at)
{
    pm_rng rng = { .key = s->p.seed, .stream = pm_stream_of_name("synth.user"), .row = user };
    const uint32_t clusters = (uint32_t)s->p.clusters;
    const uint32_t home[2] = { pm_rng_below(&rng, clusters), pm_rng_below(&rng, clusters) };
    int64_t time = START + pm_rng_below(&rng, SPAN);
    pm_interactions *out = s->out;
    for (uint32_t k = 0; k < s->count[user]; k++) {
        const uint32_t item = draw_item(s, &rng, home, user + 1);
        s->seen[item] = user + 1;
        out->user[*at] = user;
        out->item[*at] = item;
        out->value[*at] = 1.0f;
        out->time[(*at)++] = time;
        time += 60 + pm_rng_below(&rng, 86400);
    }
}

static pm_status make_ids(const void *parent, char letter, int64_t count, pm_ids **out)
{
    PM_TRY(pm_ids_create(parent, out));
    for (int64_t i = 0; i < count; i++) {
        char name[24];
        uint32_t index;
        const int length = snprintf(name, sizeof name, "%c%" PRId64, letter, i + 1);
        PM_TRY(pm_ids_add(*out, name, (size_t)length, &index));
    }
    return PM_OK;
}

static pm_status synth_into(synth *s, const void *scratch)
{
    pm_interactions *out = s->out;
    out->user = pm_new_array(out, uint32_t, s->p.interactions);
    out->item = pm_new_array(out, uint32_t, s->p.interactions);
    out->value = pm_new_array(out, float, s->p.interactions);
    out->time = pm_new_array(out, int64_t, s->p.interactions);
    s->seen = pm_new_array(scratch, uint32_t, s->p.items);
    if (!out->user || !out->item || !out->value || !out->time || !s->seen) return PM_ERR_NOMEM;
    PM_TRY(make_ids(out, 'u', s->p.users, &out->users));
    PM_TRY(make_ids(out, 'i', s->p.items, &out->items));
    PM_TRY(make_items(s, scratch));
    PM_TRY(make_activity(s, scratch));
    for (int64_t u = 0; u < s->p.users; u++) {
        PM_REQUIRE(scratch, u % 1024 || !pm_ctx_cancelled(pm_ctx_of(scratch)), PM_ERR_CANCELLED,
                   "interrupted while making data");
        make_user(s, (uint32_t)u, &out->count);
    }
    return PM_OK;
}

enum { TASTES = 4 };

// What ratings of a user or an item have in common, then its tastes; each of mean 0.
static void draw_traits(pm_rng *rng, double traits[1 + TASTES])
{
    for (int k = 0; k <= TASTES; k++) traits[k] = pm_rng_unit(rng) + pm_rng_unit(rng) - 1.0;
}

static void make_ratings(const synth *s)
{
    pm_interactions *out = s->out;
    double user[1 + TASTES], item[1 + TASTES];
    pm_rng noise = { .key = s->p.seed, .stream = pm_stream_of_name("synth.rating") };
    for (int64_t i = 0; i < out->count; i++) {
        pm_rng u = { .key = s->p.seed, .stream = pm_stream_of_name("synth.rating.user"), .row = out->user[i] };
        pm_rng v = { .key = s->p.seed, .stream = pm_stream_of_name("synth.rating.item"), .row = out->item[i] };
        draw_traits(&u, user);
        draw_traits(&v, item);
        double x = 3.6 + user[0] + 1.2 * item[0] + 1.5 * (pm_rng_unit(&noise) + pm_rng_unit(&noise) - 1.0);
        for (int k = 1; k <= TASTES; k++) x += 2.0 * user[k] * item[k];
        const int64_t stars = (int64_t)(PM_MIN(PM_MAX(x, 1.0), 5.0) + 0.5);
        out->value[i] = (float)stars;
    }
}

static pm_status check(const void *parent, const pm_synth_params *p)
{
    PM_REQUIRE(parent, p->users > 0 && p->users < INT32_MAX && p->items > 1 && p->items < INT32_MAX, PM_ERR_ARG,
               "synth: %" PRId64 " users and %" PRId64 " items must be at least 1 and 2, and below 2^31", p->users,
               p->items);
    PM_REQUIRE(parent, p->clusters > 0 && p->clusters <= p->items, PM_ERR_ARG,
               "synth: %d clusters must be 1 to the number of items, %" PRId64, p->clusters, p->items);
    PM_REQUIRE(parent,
               p->interactions >= p->users && p->interactions / p->users < p->items / 2 && p->interactions < UINT32_MAX,
               PM_ERR_ARG,
               "synth: %" PRId64 " interactions of %" PRId64 " users with %" PRId64
               " items: each user takes at least 1 and less than half of all items",
               p->interactions, p->users, p->items);
    return PM_OK;
}

pm_status pm_data_synth(const void *parent, const pm_synth_params *params, pm_interactions **out)
{
    *out = NULL;
    synth s = { .p = *params };
    if (!s.p.users) s.p.users = presets[0].params.users;
    if (!s.p.items) s.p.items = presets[0].params.items;
    if (!s.p.interactions) s.p.interactions = presets[0].params.interactions;
    if (!s.p.clusters) s.p.clusters = presets[0].params.clusters;
    PM_TRY(check(parent, &s.p));
    s.out = pm_new(parent, pm_interactions);
    PM_CHECK_ALLOC(s.out);
    char *scratch = pm_new(s.out, char);
    const pm_status st = scratch ? synth_into(&s, scratch) : PM_ERR_NOMEM;
    if (st != PM_OK) {
        pm_free(s.out);
        return st;
    }
    pm_free(scratch);
    if (s.p.ratings) make_ratings(&s);
    *out = s.out;
    return PM_OK;
}
