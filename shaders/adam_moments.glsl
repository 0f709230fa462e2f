// One step of Adam on the elements at (i, j) of w, m and v, given the whole gradient and the weight as it is; needs the operands of adam and its settings but
// for the decay.
void adam_moments(uint i, uint j, WIDE before, WIDE grad)
{
    const WIDE first = p.beta1 * m4(i, j) + (1.0 - p.beta1) * grad;
    const WIDE second = p.beta2 * v4(i, j) + (1.0 - p.beta2) * grad * grad;
    m4(i, j) = first;
    v4(i, j) = second;
    w4(i, j) = before - rate(0u) * first / (sqrt(second) + p.eps);
}
