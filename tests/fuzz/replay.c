// Runs a fuzzer's corpus without libFuzzer. With a folder as argument it writes the corpus there instead, as seeds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static int inputs;

static void run(void *user, const uint8_t *data, size_t size)
{
    (void)user;
    uint8_t *copy = malloc(size + 1);    // of the exact size where a sanitizer watches
    LLVMFuzzerTestOneInput(data, size);
    const size_t step = size / 24 + 1;
    for (size_t cut = 1; cut < size; cut += step) {
        uint8_t *shorter = malloc(cut);
        memcpy(shorter, data, cut);
        LLVMFuzzerTestOneInput(shorter, cut);
        free(shorter);
        inputs++;
    }
    for (size_t at = 0; at < size; at += step) {
        static const uint8_t changes[] = { 0x01, 0x80, 0xff };
        for (size_t k = 0; k < sizeof changes; k++) {
            memcpy(copy, data, size);
            copy[at] ^= changes[k];
            LLVMFuzzerTestOneInput(copy, size);
            inputs++;
        }
    }
    free(copy);
    inputs++;
}

static void write_seed(void *user, const uint8_t *data, size_t size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/seed%03d", (const char *)user, inputs++);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size) exit(1);
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc > 1) fuzz_corpus(write_seed, argv[1]);
    else fuzz_corpus(run, NULL);
    printf("%d inputs\n", inputs);
    return inputs > 0 ? 0 : 1;
}
