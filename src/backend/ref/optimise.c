// Reference kernels of the optimisers.
#include "ref.h"

// Scale: each moment's summands; the weight's adds what the errors of both moments do to the step.
pm_status pm_ref_adam(const pm_call *c)
{
    const pm_adam_params *p = c->params;
    const double b1 = p->beta1, b2 = p->beta2, rate = pm_get(&c->in[4], 0, 0);
    const pm_view *w = &c->in[0], *m = &c->in[1], *v = &c->in[2];
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0; j < w->cols; j++) {
            const double weight = pm_get(w, i, j), g = pm_get(&c->in[3], i, j), pull = p->decay * weight;
            const double grad = g + pull, size = fabs(g) + fabs(pull);
            const double m1 = b1 * pm_get(m, i, j) + (1 - b1) * grad, m_scale = b1 * fabs(pm_get(m, i, j)) + (1 - b1) * size;
            const double v1 = b2 * pm_get(v, i, j) + (1 - b2) * grad * grad, v_scale = b2 * pm_get(v, i, j) + (1 - b2) * size * size;
            const double root = sqrt(v1), below = root + p->eps, step = rate * m1 / below;
            const double from_v = v1 > 0 ? fabs(step) * v_scale / (2 * root * below) : 0;
            pm_put(c, 0, w, i, j, weight - step, fabs(weight) + rate * m_scale / below + from_v);
            pm_put(c, 1, m, i, j, m1, m_scale);
            pm_put(c, 2, v, i, j, v1, v_scale);
        }
    return PM_OK;
}
