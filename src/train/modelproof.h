// Proving a device on whole models: a few training steps and the scores after them, held against `ref` computing in double.
// Used by `pumice doctor` and by the model suite; a model that is registered is covered without an edit.
#ifndef PM_MODELPROOF_H
#define PM_MODELPROOF_H

#include "train/session.h"

// What every error below may be at most, in its unit of 2^-24 times a scale.
//
// Why this much: a step is a chain of some twenty ops, forward and back, each within its line's bound (2 to 16 units of its own scale) and of
// condition near 1 (tanh, softmax, products with weights of order 1). Were every op off by 6 units in the worst direction, that would be
// 120; rounding alone was measured at 2 to 10 on every backend. What this proof is for (a value overwritten too early, a barrier
// missing, a dead row counted, a wrong step number) shows as errors of 10^4 units and more.
#define PM_MODEL_BOUND 128.0

typedef struct pm_model_proof {
    // Worst errors, each in units of 2^-24 · scale:
    double loss;         // of a term of the loss, at any step; scale: all terms of that step together
    double gradient;     // of an element, at the first step; scale: the largest element of that parameter's gradient
    double parameter;    // of an element after the last step; scale: see proof_parameters in modelproof.c
    double score;        // of an item for a user, from equal parameters; scale: the user's largest score
    double error;        // the largest of them; infinite where something is not finite or a list is out of order
    double seconds;      // of the device's part
    bool   passed;       // error is at most PM_MODEL_BOUND
    char   where[256];   // of the largest error
} pm_model_proof;

// Trains `steps` steps (1 to PM_SLOTS) of a model on a small synthetic data set on the device and on `ref` in double, and compares.
// setting   "name=value" on top of the model's small configuration, or NULL
// Errors    what the device or the model report; a wrong result is passed = false, not an error
pm_status pm_model_prove(pm_ctx *ctx, const char *device, const pm_model *model, const char *setting, uint64_t seed, int64_t steps,
                         pm_model_proof *out);

// The settings worth proving: index 0 is the model as it is (*setting NULL), then each other choice of each of its choices. false when
// there are no more.
bool pm_model_variant(const pm_model *model, int index, char *setting, size_t size);

// What a proof runs on: a split of 44 training users and some 50 items, and a small configuration. Both hang from parent.
pm_status pm_model_proof_setup(const void *parent, const pm_model *model, const char *setting, uint64_t seed, pm_split **split,
                               pm_config **config);

#endif
