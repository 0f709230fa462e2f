// Makes one deliberate mistake, to prove that the sanitizer of this build sees it: without that, its silence over the other tests
// would mean nothing. The argument says which; "clean" makes none, with the same threads at work.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *mistake = argc > 1 ? argv[1] : "clean";
    int cell[64] = { 0 }, sum = 0;
    const int race = strcmp(mistake, "race") == 0;
#pragma omp parallel for schedule(static) num_threads(2)    // static: each thread has its share, however late it wakes
    for (int i = 0; i < 64; i++) {
        cell[i] = i;
        if (race) sum += i;
    }
    if (!race)
        for (int i = 0; i < 64; i++) sum += cell[i];
    if (strcmp(mistake, "overrun") == 0) {
        char *volatile block = malloc((size_t)sum);
        if (block) printf("%d\n", block[sum]);
        free(block);
    }
    if (strcmp(mistake, "leak") == 0) {
        char *volatile block = malloc((size_t)sum);
        if (block) block[0] = 1;
        block = NULL;
    }
    if (strcmp(mistake, "overflow") == 0) sum += INT_MAX;
    printf("%d\n", sum);
    return 0;
}
