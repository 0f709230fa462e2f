// Status codes. What can fail returns a pm_status; the sentence that explains a failure is kept by the context
// (pm_ctx_message) and sent to its log.
#ifndef PUMICE_STATUS_H
#define PUMICE_STATUS_H

#include <pumice/api.h>

PM_API_BEGIN

typedef enum pm_status {
#define PM_STATUS(name, sentence) PM_##name,
#include <pumice/status.def>
#undef PM_STATUS
    PM_STATUS_COUNT
} pm_status;

// The name of a code, such as "PM_ERR_SHAPE"; "PM_?" for a value that is none.
const char *pm_status_name(pm_status status);

// The general sentence of a code, such as "operand shapes do not fit together".
const char *pm_status_text(pm_status status);

PM_API_END
#endif
