// One step of Adam on element (i, j) of w, m and v with gradient g; needs the operands and settings of adam.
void adam_step(uint i, uint j, float g)
{
    const float grad = g + p.decay * w(i, j);
    const float first = p.beta1 * m(i, j) + (1.0 - p.beta1) * grad, second = p.beta2 * v(i, j) + (1.0 - p.beta2) * grad * grad;
    m(i, j) = first;
    v(i, j) = second;
    w(i, j) -= rate(0u) * first / (sqrt(second) + p.eps);
}
