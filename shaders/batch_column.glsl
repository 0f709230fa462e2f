// The statistics of a column of x over the live rows; needs p.eps.
// One invocation a column, rows ascending.
struct column {
    float mean, var, inv;
};

column statistics(uint j, uint live)
{
    column c = column(0.0, 0.0, 0.0);
    for (uint i = 0u; i < live; i++) c.mean += x(i, j);
    c.mean = live == 0u ? 0.0 : pm_div(c.mean, float(live));
    for (uint i = 0u; i < live; i++) c.var += (x(i, j) - c.mean) * (x(i, j) - c.mean);
    c.var = live == 0u ? 0.0 : pm_div(c.var, float(live));
    c.inv = pm_div(1.0, sqrt(c.var + p.eps));
    return c;
}
