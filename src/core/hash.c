#include "core/hash.h"

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9E3779B185EBCA87u;
    return h ^ (h >> 29);
}

static uint64_t word_at(const unsigned char *b)
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--) word = word << 8 | b[i];    // compilers make one load of it
    return word;
}

void pm_hash_start(pm_hash *hash)
{
    *hash = (pm_hash){ .state = 0xcbf29ce484222325u };
}

void pm_hash_add(pm_hash *hash, const void *data, size_t size)
{
    const unsigned char *b = data;
    size_t have = hash->length % 8;
    hash->length += size;
    while (size && have) {
        hash->rest[have++] = *b++;
        size--;
        if (have < 8) continue;
        hash->state = mix(hash->state, word_at(hash->rest));
        have = 0;
    }
    uint64_t h = hash->state;
    for (; size >= 8; b += 8, size -= 8) h = mix(h, word_at(b));
    hash->state = h;
    for (size_t i = 0; i < size; i++) hash->rest[have + i] = b[i];
}

uint64_t pm_hash_end(const pm_hash *hash)
{
    const size_t have = hash->length % 8;
    uint64_t h = hash->state;
    if (have) {
        unsigned char last[8] = { 0 };
        memcpy(last, hash->rest, have);
        h = mix(h, word_at(last));
    }
    h = mix(h, hash->length);
    return mix(h, 0);
}
