// Handles of graph construction, apart so that the generated op calls need nothing else.
#ifndef PUMICE_VAR_H
#define PUMICE_VAR_H

#include <pumice/ctx.h>

PM_API_BEGIN

typedef struct pm_graph pm_graph;

// A value in a graph being built. Negative ids are poison: what a call returns once the graph has failed.
typedef struct pm_var {
    int32_t id;
} pm_var;

PM_API_END
#endif
