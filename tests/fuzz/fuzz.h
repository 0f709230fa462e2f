// A fuzzer is a file fuzz_X.c with the two functions below. With -DPUMICE_FUZZ=ON (clang) libFuzzer drives it; in every
// build replay.c runs its corpus, with each input cut short and with bytes changed.
#ifndef PUMICE_FUZZ_H
#define PUMICE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Gives each input of the corpus, made in code.
typedef void (*fuzz_seed_fn)(void *user, const uint8_t *data, size_t size);
void fuzz_corpus(fuzz_seed_fn give, void *user);

#endif
