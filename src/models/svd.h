// A truncated singular value decomposition as passes over steps (svd.c): what pure-svd and nce-plrec share.
#ifndef PM_SVD_H
#define PM_SVD_H

#include "models/models.h"

// Rows of the hyperparameter table.
#define PM_SVD_HYPERS(rank_value)                                                                                                                     \
    { "rank", PM_HYPER_INTEGER, rank_value, 1, 1024, NULL, "singular vectors", "Section 4.2.2" },                                                     \
    { "oversampling", PM_HYPER_INTEGER, "10", 0, 1024, NULL, "more of them than are kept, rank + oversampling at most 1024", NULL },                  \
    { "iterations_power", PM_HYPER_INTEGER, "10", 0, 10000, NULL, "power iterations of the randomised decomposition, each made orthonormal", NULL },  \
    { "exact", PM_HYPER_FLAG, "off", 0, 1, NULL,                                                                                                      \
      "iterate until it stands: at least 60 power iterations, and as much oversampling as rank or 100; the residual says whether it does", NULL }

enum { PM_SVD_FINISH = 3 };    // the pass after its own

// A model's passes: power, project and rotate, then one step of that name, which makes of the vectors what the model wants. Returns how many.
int pm_svd_passes(const pm_config *config, int64_t users, int64_t items, const char *finish, pm_pass *out);
// Its one phase, "decompose": they are gone through once.
int pm_svd_phases(const pm_config *config, pm_phase *out);

// Captures a step of one of them. weight: [items, 1] what each column of the training matrix is multiplied by; NULL: nothing.
void pm_svd_step(pm_build *b, const pm_var *weight);

// After the passes: the first right singular vectors [items, rank], largest value first; *values [1, rank] their singular values. Logs "residual",
// |XᵀX v − v σ²| / |v σ²| over all of them.
pm_var pm_svd_vectors(pm_build *b, const pm_var *weight, pm_var *values);

// Fails the graph, with a sentence, where the rank is above that of any matrix of this shape.
bool pm_svd_fits(pm_build *b);

pm_status pm_svd_check(const pm_config *config, int64_t items);
pm_status pm_svd_watch(const void *object, const pm_config *config, const char *loss, double value);

#endif
