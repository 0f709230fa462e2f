// An activation that an op applies to its result; needs math.glsl.
#include "pumice/activation.h"

float pm_activation(uint act, float z)
{
    return act == PM_ACT_TANH ? pm_tanh(z) : act == PM_ACT_SIGMOID ? pm_sigmoid(z) : act == PM_ACT_RELU ? max(z, 0.0) : z;
}
