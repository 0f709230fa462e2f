// Parsing lists of metrics: "ndcg@100, recall_capped@20".
#include "metrics/metrics.h"

#include <stdio.h>

enum { MAX_NAMES = 64 };

// "recall@k, rprecision[@k], rmse, …" for messages.
static void list_names(char *out, size_t size)
{
    static const char *const suffix[] = { "", "[@k]", "@k" };
    size_t used = 0;
    for (int i = 0; i < pm_metric_def_count && used < size; i++) {
        const pm_metric_info *info = &pm_metric_defs[i].info;
        used += (size_t)snprintf(out + used, size - used, "%s%s%s", i ? ", " : "", info->name, suffix[info->cutoff]);
    }
}

static pm_status unknown_metric(const void *object, const char *name)
{
    const char *names[MAX_NAMES] = { 0 };
    const int count = PM_MIN(pm_metric_def_count, (int)MAX_NAMES);
    for (int i = 0; i < count; i++) names[i] = pm_metric_defs[i].info.name;
    const char *near = pm_nearest_name(name, names, count);
    char all[640];
    list_names(all, sizeof all);
    return pm_fail(object, PM_ERR_ARG, "unknown metric '%s'%s%s%s; there are %s", name, near ? ", did you mean '" : "",
                   near ? near : "", near ? "'?" : "", all);
}

static const pm_metric_def *find_def(const char *name)
{
    for (int i = 0; i < pm_metric_def_count; i++) {
        if (pm_name_equal(name, pm_metric_defs[i].info.name)) return &pm_metric_defs[i];
    }
    return NULL;
}

// Digits alone, 1 .. PM_METRIC_MAX_K; 0 otherwise.
static int64_t parse_k(const char *text)
{
    int64_t k = 0;
    if (!*text) return 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return 0;
        k = 10 * k + (*text - '0');
        if (k > PM_METRIC_MAX_K) return 0;
    }
    return k;
}

static pm_status parse_entry(const void *object, char *token, pm_metric_entry *entry)
{
    char *at = strchr(token, '@');
    if (at) *at = 0;
    entry->def = find_def(token);
    if (!entry->def) return unknown_metric(object, token);
    const pm_cutoff cutoff = entry->def->info.cutoff;
    PM_REQUIRE(object, at || cutoff != PM_CUTOFF_REQUIRED, PM_ERR_ARG, "metric '%s' needs a cut-off k, such as '%s@10'",
               token, token);
    PM_REQUIRE(object, !at || cutoff != PM_CUTOFF_NONE, PM_ERR_ARG,
               "metric '%s' has no cut-off: write '%s' instead of '%s@%s'", token, token, token, at ? at + 1 : "");
    entry->k = at ? parse_k(at + 1) : 0;
    PM_REQUIRE(object, !at || entry->k, PM_ERR_ARG, "metric '%s@%s': k must be a whole number from 1 to %d, such as '%s@10'",
               token, at ? at + 1 : "", (int)PM_METRIC_MAX_K, token);
    snprintf(entry->name, sizeof entry->name, at ? "%.30s@%" PRId64 : "%.30s", token, entry->k);
    return PM_OK;
}

static pm_status add_token(pm_metric_set *set, const char *begin, size_t length)
{
    char token[PM_METRIC_NAME_SIZE];
    PM_REQUIRE(set, length > 0, PM_ERR_ARG, "a list of metrics has an empty name; write it like 'ndcg@100,recall@20'");
    if (length >= sizeof token) {
        char *name = pm_sprintf(set, "%.*s…", (int)sizeof token - 1, begin);
        PM_CHECK_ALLOC(name);
        return unknown_metric(set, name);
    }
    memcpy(token, begin, length);
    token[length] = 0;
    pm_metric_entry *entry = &set->entries[set->count];
    PM_TRY(parse_entry(set, token, entry));
    if (pm_metric_set_find(set, entry->name) < 0) set->count++;
    return PM_OK;
}

static pm_status parse_into(pm_metric_set *set, const char *text)
{
    int64_t tokens = 1;
    for (const char *c = text; *c; c++) tokens += *c == ',';
    set->entries = pm_new_array(set, pm_metric_entry, tokens);
    PM_CHECK_ALLOC(set->entries);
    for (const char *begin = text;; begin++) {
        const size_t whole = strcspn(begin, ",");
        const char *first = begin + strspn(begin, " \t\n");
        const char *last = begin + whole;
        while (last > first && strchr(" \t\n", last[-1])) last--;
        PM_TRY(add_token(set, first, last > first ? (size_t)(last - first) : 0));
        begin += whole;
        if (!*begin) return PM_OK;
    }
}

pm_status pm_metric_set_parse(const void *parent, const char *text, pm_metric_set **out)
{
    *out = NULL;
    PM_REQUIRE(parent, text, PM_ERR_ARG, "no list of metrics; write it like 'ndcg@100,recall@20'");
    pm_metric_set *set = pm_new(parent, pm_metric_set);
    PM_CHECK_ALLOC(set);
    const pm_status st = parse_into(set, text);
    if (st == PM_OK)
        *out = set;
    else
        pm_free(set);
    return st;
}

pm_status pm_metric_set_copy(const void *parent, const pm_metric_set *set, pm_metric_set **out)
{
    pm_metric_set *copy = pm_new(parent, pm_metric_set);
    PM_CHECK_ALLOC(copy);
    copy->entries = pm_new_array(copy, pm_metric_entry, set->count);
    PM_CHECK_ALLOC(copy->entries);
    memcpy(copy->entries, set->entries, sizeof *set->entries * (size_t)set->count);
    copy->count = set->count;
    *out = copy;
    return PM_OK;
}

pm_status pm_metric_set_named(const void *parent, const pm_metric_set *set, const char *suffix, pm_metric_set **out)
{
    pm_metric_set *named;
    *out = NULL;
    PM_TRY(pm_metric_set_copy(parent, set, &named));
    for (int i = 0; i < named->count && *suffix; i++) {
        char *name = named->entries[i].name;
        const size_t length = strlen(name);
        snprintf(name + length, PM_METRIC_NAME_SIZE - length, ":%s", suffix);
    }
    *out = named;
    return PM_OK;
}

void pm_metric_set_destroy(pm_metric_set **set)
{
    if (!set) return;
    pm_free(*set);
    *set = NULL;
}

static const pm_metric_entry *entry_at(const pm_metric_set *set, int index)
{
    return index >= 0 && index < set->count ? &set->entries[index] : NULL;
}

int pm_metric_set_count(const pm_metric_set *set)
{
    return set->count;
}

const char *pm_metric_set_name(const pm_metric_set *set, int index)
{
    const pm_metric_entry *e = entry_at(set, index);
    return e ? e->name : NULL;
}

const pm_metric_info *pm_metric_set_info(const pm_metric_set *set, int index)
{
    const pm_metric_entry *e = entry_at(set, index);
    return e ? &e->def->info : NULL;
}

int64_t pm_metric_set_k(const pm_metric_set *set, int index)
{
    const pm_metric_entry *e = entry_at(set, index);
    return e ? e->k : 0;
}

int pm_metric_set_find(const pm_metric_set *set, const char *name)
{
    for (int i = 0; i < set->count; i++) {
        if (pm_name_equal(set->entries[i].name, name)) return i;
    }
    return -1;
}

int64_t pm_metric_set_depth(const pm_metric_set *set, int64_t largest_target)
{
    int64_t depth = 0;
    for (int i = 0; i < set->count; i++) {
        const pm_metric_info *info = &set->entries[i].def->info;
        const int64_t uncut = info->kind == PM_METRIC_HITS ? largest_target : 0;
        depth = PM_MAX(depth, set->entries[i].k ? set->entries[i].k : uncut);
    }
    return depth;
}

static const char *const ties_names[] = {
    [PM_TIES_EXPECTED] = "expected",
    [PM_TIES_OPTIMISTIC] = "optimistic",
    [PM_TIES_PESSIMISTIC] = "pessimistic",
    [PM_TIES_ID] = "id",
};

const char *pm_ties_name(pm_ties ties)
{
    return (unsigned)ties < PM_COUNT(ties_names) ? ties_names[ties] : NULL;
}

pm_status pm_ties_parse(const void *object, const char *name, pm_ties *out)
{
    for (int i = 0; i < PM_COUNT(ties_names); i++) {
        if (!pm_name_equal(name, ties_names[i])) continue;
        *out = (pm_ties)i;
        return PM_OK;
    }
    const char *near = pm_nearest_name(name, ties_names, PM_COUNT(ties_names));
    return pm_fail(object, PM_ERR_ARG,
                   "unknown rule for ties '%.60s'%s%s%s; there are expected, optimistic, pessimistic, id", name,
                   near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}
