// All of Pumice's public headers. Each may also be included alone.
#ifndef PUMICE_PUMICE_H
#define PUMICE_PUMICE_H

#include <pumice/analysis.h>
#include <pumice/command.h>
#include <pumice/cpu.h>
#include <pumice/ctx.h>
#include <pumice/data.h>
#include <pumice/device.h>
#include <pumice/graph.h>
#include <pumice/linear.h>
#include <pumice/metrics.h>
#include <pumice/model.h>
#include <pumice/nn.h>
#include <pumice/op.h>
#include <pumice/activation.h>
#include <pumice/state.h>
#include <pumice/status.h>
#include <pumice/store.h>
#include <pumice/train.h>

#endif
