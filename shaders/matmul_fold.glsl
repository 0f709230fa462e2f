// The parts of a split product, added in ascending order.
void main()
{
    EACH(m, n, p.N) {
        float sum = PM_SUM(0u, m, n);
        for (uint part = 1u; part < PM_PARTS; part++) sum += PM_SUM(part, m, n);
        PM_MATMUL_STORE(m, n, sum);
    }
}
