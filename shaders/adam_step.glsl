// One step of Adam on the elements at (i, j) of w, m and v, given the gradient without the decay; needs the operands and settings of adam.
#include "adam_moments.glsl"

void adam_step(uint i, uint j, WIDE g)
{
    const WIDE before = w4(i, j), grad = g + p.decay * before;
    adam_moments(i, j, before, grad);
}
