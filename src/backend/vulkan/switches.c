#include "backend/vulkan/vk.h"

#include <stdio.h>
#include <stdlib.h>

// Calls take(word, arg) for each word of a list with commas.
static pm_status each_word(const void *object, const char *variable, pm_status (*take)(const void *, const char *, void *), void *arg)
{
    const char *text = getenv(variable);
    while (text && *text) {
        char word[64];
        const size_t n = strcspn(text, ",");
        PM_REQUIRE(object, n < sizeof word, PM_ERR_ARG, "%s: \"%.40s…\" is no word it knows", variable, text);
        memcpy(word, text, n);
        word[n] = 0;
        if (n) PM_TRY(take(object, word, arg));
        text += n + (text[n] == ',');
    }
    return PM_OK;
}

static bool read_number(const char *text, int64_t *out)
{
    char *end;
    *out = strtoll(text, &end, 10);
    if (*end == 'K') *out *= 1024, end++;
    else if (*end == 'M') *out *= 1024 * 1024, end++;
    return end != text && !*end && *out > 0;
}

static pm_status take_limit(const void *object, const char *word, void *arg)
{
    pm_vk_switches *s = arg;
    if (pm_name_equal(word, "min") || pm_name_equal(word, "gpu")) {
        *(word[0] == 'm' ? &s->min_limits : &s->gpu_limits) = true;
        return PM_OK;
    }
    if (strncmp(word, "memory=", 7) == 0 && read_number(word + 7, &s->memory)) return PM_OK;
    if (strncmp(word, "time=", 5) == 0 && read_number(word + 5, &s->time)) return PM_OK;
    PM_REQUIRE(object, strncmp(word, "range=", 6) == 0 && read_number(word + 6, &s->range) && s->range >= 4096, PM_ERR_ARG,
               "PUMICE_VK_LIMITS: \"%s\" is not one of min, gpu, range=BYTES (4K or more), time=MICROSECONDS, memory=BYTES", word);
    return PM_OK;
}

static pm_status take_disable(const void *object, const char *word, void *arg)
{
    pm_vk_switches *s = arg;
    bool *const flags[] = { &s->no_mapping, &s->no_timestamps, &s->no_batching, &s->no_tiles, &s->no_vectors, &s->no_subgroup };
    static const char *const names[] = { "mapping", "timestamps", "batching", "tiles", "vectors", "subgroup" };
    for (int i = 0; i < PM_COUNT(names); i++)
        if (pm_name_equal(word, names[i])) {
            *flags[i] = true;
            return PM_OK;
        }
    return pm_fail(object, PM_ERR_ARG, "PUMICE_VK_DISABLE: \"%s\" is not one of mapping, timestamps, batching, tiles, vectors, subgroup", word);
}

static pm_status take_fault(const void *object, const char *word, void *arg)
{
    pm_vk_switches *s = arg;
    if (pm_name_equal(word, "create")) {
        s->fail_create = true;
        return PM_OK;
    }
    if (strncmp(word, "alloc:", 6) == 0 && read_number(word + 6, &s->fail_alloc)) return PM_OK;
    if (strncmp(word, "full:", 5) == 0 && read_number(word + 5, &s->full_from)) return PM_OK;
    if (strncmp(word, "lost:", 5) == 0 && read_number(word + 5, &s->lose_at)) return PM_OK;
    if (strncmp(word, "tile:", 5) == 0 && read_number(word + 5, &s->wrong_tile)) return PM_OK;
    return pm_fail(object, PM_ERR_ARG, "PUMICE_VK_FAULT: \"%s\" is not one of alloc:N, full:N, lost:N, tile:N, create", word);
}

static pm_status take_validation(const void *object, const char *word, void *arg)
{
    pm_vk_switches *s = arg;
    s->core = true;
    if (pm_name_equal(word, "sync")) s->sync = true;
    else if (pm_name_equal(word, "gpu")) s->gpu = true;
    else PM_REQUIRE(object, pm_name_equal(word, "core"), PM_ERR_ARG, "PUMICE_VK_VALIDATION: \"%s\" is not one of core, sync, gpu", word);
    return PM_OK;
}

static pm_status take_matmul(const void *object, const char *word, void *arg)
{
    static const char *const names[] = { "tile", "block", "plain" };
    pm_vk_switches *s = arg;
    int64_t tile;
    if (strncmp(word, "tile:", 5) == 0 && read_number(word + 5, &tile) && tile <= PM_VK_TILES) {
        s->matmul = PM_VK_TILE + 1;
        s->tile = (int)tile;
        return PM_OK;
    }
    for (int i = 0; i < PM_COUNT(names); i++)
        if (pm_name_equal(word, names[i])) {
            s->matmul = i + 1;
            return PM_OK;
        }
    return pm_fail(object, PM_ERR_ARG, "PUMICE_VK_MATMUL: \"%s\" is not one of tile, tile:1 to tile:%d, block, plain", word, PM_VK_TILES);
}

static pm_status take_split(const void *object, const char *word, void *arg)
{
    pm_vk_switches *s = arg;
    s->split = pm_name_equal(word, "on") ? PM_VK_LEAST_PART : -1;
    PM_REQUIRE(object, s->split > 0 || pm_name_equal(word, "off") || read_number(word, &s->split), PM_ERR_ARG,
               "PUMICE_VK_SPLIT: \"%s\" is not one of on, off, or the least k of a part", word);
    return PM_OK;
}

static pm_status take_tune(const void *object, const char *word, void *arg)
{
    const bool on = pm_name_equal(word, "on");
    PM_REQUIRE(object, on || pm_name_equal(word, "off"), PM_ERR_ARG, "PUMICE_TUNE: \"%s\" is not one of on, off", word);
    ((pm_vk_switches *)arg)->tune = on ? 1 : -1;
    return PM_OK;
}

pm_status pm_vk_read_switches(const void *object, pm_vk_switches *out)
{
    memset(out, 0, sizeof *out);
    PM_TRY(each_word(object, "PUMICE_VK_LIMITS", take_limit, out));
    PM_TRY(each_word(object, "PUMICE_VK_DISABLE", take_disable, out));
    PM_TRY(each_word(object, "PUMICE_VK_FAULT", take_fault, out));
    PM_TRY(each_word(object, "PUMICE_VK_VALIDATION", take_validation, out));
    PM_TRY(each_word(object, "PUMICE_VK_MATMUL", take_matmul, out));
    PM_TRY(each_word(object, "PUMICE_VK_SPLIT", take_split, out));
    PM_TRY(each_word(object, "PUMICE_TUNE", take_tune, out));
    const char *cache = getenv("PUMICE_CACHE");
    out->no_cache = cache && pm_name_equal(cache, "off");
    return PM_OK;
}
