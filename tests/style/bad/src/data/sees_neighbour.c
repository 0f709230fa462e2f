// A file that style.layers must complain about.
#include "core/core.h"
#include "op/op.h"
#include <pumice/graph.h>
