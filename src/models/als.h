// What models share that find factors of users and of items by turns, each row the best for those of the other side (als.c).
#ifndef PM_ALS_H
#define PM_ALS_H

#include "models/models.h"

// How they are trained; the trainer reads these by name.
#define PM_SWEEP_HYPERS(epochs_value)                                                                                           \
    { "epochs", PM_HYPER_INTEGER, epochs_value, 1, 1e6, NULL, "sweeps over items and users", NULL },                            \
    { "batch", PM_HYPER_INTEGER, "1024", 1, 65536, NULL, "rows a step", NULL }

// Of models whose `solver` may be cg.
#define PM_CG_HYPERS                                                                                                            \
    { "cg_iterations", PM_HYPER_INTEGER, "3", 1, 1000, NULL, "solver=cg: steps for a row in each sweep", NULL },                \
    { "fold_in_iterations", PM_HYPER_INTEGER, "10", 1, 1000, NULL, "solver=cg: steps for a user that is scored, from zero", NULL }

// ---- sweeps --------------------------------------------------------------------------------------------------------

// An epoch of a model in which absent entries count: the items, then the users, each after a step that sums up in a matrix of rank · rank what absent
// entries are to them. Users last: validation sees the least squares of the items' newest factors in any case.
int pm_als_passes(const pm_config *config, int64_t users, int64_t items, pm_pass *out);
// Which of these passes is captured: true where it solves rows, false where it sums up; *users: of users, or of items. Refuses a rank above the users.
bool pm_als_solves(pm_build *b, bool *users);
// pm_model.check: refuses a rank above the items.
pm_status pm_als_check(const pm_config *config, int64_t items);

// The tables "users" and "items" [rows, rank], normal of deviation `init` at first.
pm_var pm_als_factors(pm_build *b, bool users);
// What the passes sum up of them: the statistics "users.gram" and "items.gram" [rank, rank].
pm_var pm_als_gram(pm_build *b, bool users);

// ---- least squares -------------------------------------------------------------------------------------------------

// The rows of a batch solved for: the systems of the ops als_cg and als_cholesky, their right sides made here.
typedef struct pm_als {
    pm_sparse     x;                      // the rows; its values are not looked at
    pm_var        confidence, target;     // [entries] each: c of the ops; what each entry adds to the right side, times its factors
    pm_var        y, gram;                // [n, k] the other side's factors, [k, k] what absent entries count, or zeros
    float         ridge;
    bool          by_count, exact;        // ridge times the row's entries; Cholesky, else conjugate gradients
    uint32_t      iterations;
    const pm_var *start;                  // [rows, k], of conjugate gradients; NULL: zeros
} pm_als;
pm_var pm_als_solve(pm_graph *g, const pm_als *system);

// For models with these tables and the hyperparameters lambda (the ridge), solver, cg_iterations and fold_in_iterations, which fill in the system from y on
// but for gram and by_count. The first solves a pass's rows and logs how far they went, the mean of |now - old|^2; the second scores users by their rows.
void   pm_als_sweep(pm_build *b, bool users, pm_als system);
pm_var pm_als_score(pm_build *b, pm_als system);

// pm_model.diverged of such models: a value that is not finite, and what to do about it.
const char *pm_als_diverged(const pm_config *config, const char *loss, double value);

#endif
