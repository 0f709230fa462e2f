// Rows of parameters that wait (pm_row_param), as the trainer and a captured step have them in common.
#ifndef PM_WAITING_H
#define PM_WAITING_H

#include <pumice/model.h>

enum { PM_LEAP_MOST = 1024 };    // steps that one leap can make up for

struct pm_waiting {
    const char *seen;     // the name of the steps that rows have taken
    int64_t     steps;    // of the pass in an epoch
    // filled where a parameter's rows wait
    bool   any;
    pm_var met, missed, power;    // offsets of the batch's transpose; op rows_missed; op sgd_leap
};

#define PM_WAITING_POWER "rows.power"

#endif
