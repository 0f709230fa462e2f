// The model suites share one binary: model_suite --device D --suite parity|gradient|repeat|overfit|doctor [--model NAME] [--steps N] [--seed N]
#ifndef PM_MODEL_SUITE_H
#define PM_MODEL_SUITE_H

#include "train/modelproof.h"

typedef struct suite {
    pm_ctx     *ctx;
    const char *device, *only;    // only: this model alone; NULL: all
    uint64_t    seed;
    int64_t     steps;
    int         ran, failed;
} suite;

// One line an outcome.
void suite_say(suite *s, bool good, const char *format, ...) PM_PRINTF(3, 4);

// The gradient that a training step uses, l2 included, against central differences of the whole loss; on ref in double.
pm_status suite_gradient(suite *s, const pm_model *model, const char *setting);

// The same run twice, on the cpu also with other threads: checkpoint and best file must agree byte for byte.
pm_status suite_repeat(suite *s);

// Clustered data: Mult-DAE must beat popularity clearly, on what it was not shown.
pm_status suite_overfit(suite *s);

#endif
