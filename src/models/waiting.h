// Rows of parameters that wait (pm_row_param, pm_rows_wait), as the trainer and a captured step have them in common.
#ifndef PM_WAITING_H
#define PM_WAITING_H

#include <pumice/model.h>

enum {
    PM_LEAP_MOST = 1024,       // steps that one leap can make up for
    PM_RATES_MOST = 1 << 22    // steps of an epoch of which the rates are kept: with more no row waits under Adam
};

// How rows wait in a pass.
struct pm_waiting {
    pm_optimiser_kind kind;     // PM_SGD or PM_ADAM
    const char       *seen;     // the steps that rows have taken which are the batch's columns: a tensor's name. NULL: a batch has none
    int64_t           steps;    // of the pass in an epoch
};

// Tensors of the store: what op sgd_leap, or adam_leap, calls power; and for adam_leap the rates of the epoch's steps, of each pass its own.
#define PM_WAITING_POWER "rows.power"
#define PM_WAITING_RATES "rows.rates.%d"

// The rows of a weight take the steps they have missed.
void pm_catch_up(pm_net *net, const char *param, pm_optimiser_kind kind, int pass, pm_var missed, pm_var state);

#endif
