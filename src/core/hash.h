// A streaming 64-bit hash for contents of files: fast, the same on every machine, no defence against an adversary.
//
// Over the words w of 8 little-endian bytes, the last padded with zeros, then the length in bytes:
//     h ← (h ⊕ w) · 0x9E3779B185EBCA87 mod 2⁶⁴;  h ← h ⊕ (h >> 29),  from h = 0xcbf29ce484222325
// A step is a bijection of h and of w, so any change within one word changes the hash. The shift brings high bits down:
// without it two flipped sign bits would cancel.
#ifndef PM_HASH_H
#define PM_HASH_H

#include "core/core.h"

typedef struct pm_hash {
    uint64_t state, length;
    unsigned char rest[8];    // length % 8 bytes of a word under way
} pm_hash;

void pm_hash_start(pm_hash *hash);
// The same however the bytes are cut into calls.
void pm_hash_add(pm_hash *hash, const void *data, size_t size);
uint64_t pm_hash_end(const pm_hash *hash);

#endif
