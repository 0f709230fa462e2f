// One step of gradient descent with momentum on the elements at (i, j) of w and m, given the gradient; needs the operands and settings of sgd.
void sgd_step(uint i, uint j, WIDE grad)
{
    const WIDE before = w4(i, j), by = p.momentum * m4(i, j) + (grad + p.decay * before);
    m4(i, j) = by;
    w4(i, j) = before - rate(0u) * by;
}
