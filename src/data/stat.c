// What `data stat` shows, and interactions as a text file.
#include "data/internal.h"
#include "data/text_out.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// The value at rank round(q · (n − 1)) of the sorted counts.
static pm_status quantiles(const void *scratch, const uint32_t *key, int64_t count, int64_t keys,
                           int64_t out[PM_STAT_QUANTILES])
{
    uint32_t *times = pm_new_array(scratch, uint32_t, keys);
    PM_CHECK_ALLOC(times);
    for (int64_t i = 0; i < count; i++) times[key[i]]++;
    qsort(times, (size_t)keys, sizeof *times, by_size);
    static const double at[PM_STAT_QUANTILES] = { 0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0 };
    for (int q = 0; q < PM_STAT_QUANTILES; q++) out[q] = times[(int64_t)(at[q] * (double)(keys - 1) + 0.5)];
    return PM_OK;
}

static void histogram(const pm_interactions *in, pm_data_statistics *s)
{
    for (int64_t i = 0; i < in->count; i++) {
        int b = 0;
        while (b < s->ratings && s->rating[b] != in->value[i]) b++;
        if (b == PM_STAT_RATINGS) {
            s->ratings = 0;    // real-valued: no histogram
            memset(s->rating, 0, sizeof s->rating);
            memset(s->rating_count, 0, sizeof s->rating_count);
            return;
        }
        if (b == s->ratings) s->rating[s->ratings++] = in->value[i];
        s->rating_count[b]++;
    }
    for (int i = 1; i < s->ratings; i++) {
        for (int j = i; j > 0 && s->rating[j] < s->rating[j - 1]; j--) {
            const float value = s->rating[j];
            const int64_t count = s->rating_count[j];
            s->rating[j] = s->rating[j - 1];
            s->rating_count[j] = s->rating_count[j - 1];
            s->rating[j - 1] = value;
            s->rating_count[j - 1] = count;
        }
    }
}

static void ranges(const pm_interactions *in, pm_data_statistics *s)
{
    double sum = 0.0;
    s->rating_min = s->rating_max = in->value[0];
    for (int64_t i = 0; i < in->count; i++) {
        s->rating_min = PM_MIN(s->rating_min, in->value[i]);
        s->rating_max = PM_MAX(s->rating_max, in->value[i]);
        sum += in->value[i];
    }
    s->rating_mean = sum / (double)in->count;
    s->has_time = in->time != NULL;
    if (!s->has_time) return;
    s->time_first = s->time_last = in->time[0];
    for (int64_t i = 0; i < in->count; i++) {
        s->time_first = PM_MIN(s->time_first, in->time[i]);
        s->time_last = PM_MAX(s->time_last, in->time[i]);
    }
}

pm_status pm_data_stat(const pm_interactions *in, pm_data_statistics *out)
{
    *out = (pm_data_statistics){ .users = pm_ids_count(in->users),
                                 .items = pm_ids_count(in->items),
                                 .interactions = in->count,
                                 .duplicates = in->duplicates,
                                 .skipped_lines = in->skipped_lines };
    PM_REQUIRE(in, in->count > 0, PM_ERR_DATA, "stat: there are no interactions");
    out->density = (double)in->count / ((double)out->users * (double)out->items);
    if (in->companions) {
        out->given_valid = in->companions->valid.target.count;
        out->given_test = in->companions->test.target.count;
    }
    char *scratch = pm_new(in, char);
    PM_CHECK_ALLOC(scratch);
    pm_status st = quantiles(scratch, in->user, in->count, out->users, out->per_user);
    if (st == PM_OK) st = quantiles(scratch, in->item, in->count, out->items, out->per_item);
    pm_free(scratch);
    PM_TRY(st);
    histogram(in, out);
    ranges(in, out);
    return PM_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

pm_status pm_data_write_csv(const pm_interactions *in, const char *path)
{
    const bool gzip = ends_with(path, ".gz"), tabs = ends_with(path, ".tsv") || ends_with(path, ".tsv.gz");
    pm_text *t;
    PM_TRY(pm_text_create(in, path, tabs ? '\t' : ',', gzip, &t));
    pm_text_raw(t, tabs ? "user\titem\trating" : "user,item,rating");
    pm_text_raw(t, !in->time ? "\n" : tabs ? "\ttimestamp\n" : ",timestamp\n");
    for (int64_t i = 0; i < in->count; i++) {
        pm_text_id(t, pm_ids_name(in->users, in->user[i]));
        pm_text_id(t, pm_ids_name(in->items, in->item[i]));
        pm_text_value(t, in->value[i]);
        if (in->time) pm_text_integer(t, in->time[i]);
        pm_text_end_line(t);
    }
    return pm_text_commit(&t);
}
