// Activations that an op can apply to its result. Read by C and by GLSL, so only numbers here.
#ifndef PUMICE_ACTIVATION_H
#define PUMICE_ACTIVATION_H

#define PM_ACT_LINEAR  0
#define PM_ACT_TANH    1
#define PM_ACT_SIGMOID 2
#define PM_ACT_RELU    3
#define PM_ACT_COUNT   4

#endif
