// Checked sizes, names, hashing, time.
#define _POSIX_C_SOURCE 200809L
#include "core/core.h"

#include <time.h>

static const char *const status_names[] = {
#define PM_STATUS(name, sentence) "PM_" #name,
#include <pumice/status.def>
#undef PM_STATUS
};

static const char *const status_texts[] = {
#define PM_STATUS(name, sentence) sentence,
#include <pumice/status.def>
#undef PM_STATUS
};

const char *pm_status_name(pm_status status)
{
    return (unsigned)status < PM_STATUS_COUNT ? status_names[status] : "PM_?";
}

const char *pm_status_text(pm_status status)
{
    return (unsigned)status < PM_STATUS_COUNT ? status_texts[status] : "not a status";
}

bool pm_mul_size(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool pm_add_size(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

bool pm_name_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

// Edit distance of short names; names beyond the buffer count as far.
static int edit_distance(const char *a, const char *b)
{
    enum { LIMIT = 64 };
    const size_t na = strlen(a), nb = strlen(b);
    if (na >= LIMIT || nb >= LIMIT) return LIMIT;
    int row[LIMIT + 1];
    for (size_t j = 0; j <= nb; j++) row[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            const int cost = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = PM_MIN(cost, PM_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[nb];
}

const char *pm_nearest_name(const char *name, const char *const *names, int count)
{
    const char *best = NULL;
    int best_distance = (int)strlen(name) / 2 + 2;    // further than that is no misspelling
    for (int i = 0; i < count; i++) {
        const int distance = edit_distance(name, names[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    return best;
}

uint64_t pm_hash64(const void *data, size_t size, uint64_t start)
{
    const unsigned char *bytes = data;
    uint64_t h = start ? start : 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

double pm_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
