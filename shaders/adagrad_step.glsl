// One step of AdaGrad on the elements at (i, j) of w and a, given the whole gradient; needs the operands and settings of adagrad.
void adagrad_step(uint i, uint j, WIDE grad)
{
    const WIDE sum = a4(i, j) + grad * grad;
    a4(i, j) = sum;
    w4(i, j) -= rate(0u) * grad / (sqrt(sum) + p.eps);
}
