// Kernels that are a body spread over the threads.
#include <math.h>

#include "backend/cpu/cpu.h"

enum { MOVE = 1, MATH = 4, RANDOM = 8 };    // what an element costs, in elements copied

static pm_status flat(const pm_call *c, pm_cpu_body *body, int64_t cost)
{
    return pm_cpu_flat(c, body, c->out[0].rows, c->out[0].cols, cost);
}

static pm_status each(const pm_call *c, pm_cpu_body *body, int64_t cost)
{
    return pm_cpu_each(c, body, c->out[0].rows, c->out[0].cols, cost);
}

// By rows of the first output; work: elements a row costs.
static pm_status rows(const pm_call *c, pm_cpu_body *body, int64_t work)
{
    return pm_cpu_rows(c, body, c->out[0].rows, work);
}

pm_status pm_cpu_add(const pm_call *c) { return flat(c, pm_isa_of(c)->add, MOVE); }
pm_status pm_cpu_sub(const pm_call *c) { return flat(c, pm_isa_of(c)->sub, MOVE); }
pm_status pm_cpu_mul(const pm_call *c) { return flat(c, pm_isa_of(c)->mul, MOVE); }
pm_status pm_cpu_scale(const pm_call *c) { return flat(c, pm_isa_of(c)->scale, MOVE); }
pm_status pm_cpu_axpy(const pm_call *c) { return flat(c, pm_isa_of(c)->axpy, MOVE); }
pm_status pm_cpu_fill(const pm_call *c) { return flat(c, pm_isa_of(c)->fill, MOVE); }
pm_status pm_cpu_to_f32(const pm_call *c) { return flat(c, pm_isa_of(c)->to_f32, MOVE); }
pm_status pm_cpu_sigmoid(const pm_call *c) { return flat(c, pm_isa_of(c)->sigmoid, MATH); }
pm_status pm_cpu_tanh(const pm_call *c) { return flat(c, pm_isa_of(c)->tanh, MATH); }
pm_status pm_cpu_tanh_grad(const pm_call *c) { return flat(c, pm_isa_of(c)->tanh_grad, MOVE); }
pm_status pm_cpu_sigmoid_grad(const pm_call *c) { return flat(c, pm_isa_of(c)->sigmoid_grad, MOVE); }
pm_status pm_cpu_relu(const pm_call *c) { return flat(c, pm_isa_of(c)->relu, MOVE); }
pm_status pm_cpu_relu_grad(const pm_call *c) { return flat(c, pm_isa_of(c)->relu_grad, MOVE); }
pm_status pm_cpu_exp(const pm_call *c) { return flat(c, pm_isa_of(c)->exp, MATH); }
pm_status pm_cpu_softplus(const pm_call *c) { return flat(c, pm_isa_of(c)->softplus, MATH); }
pm_status pm_cpu_log_sigmoid(const pm_call *c) { return flat(c, pm_isa_of(c)->log_sigmoid, MATH); }

pm_status pm_cpu_adam(const pm_call *c)
{
    return pm_cpu_flat(c, pm_isa_of(c)->adam, c->in[0].rows, c->in[0].cols, 2 * MOVE);
}

pm_status pm_cpu_adam_clipped(const pm_call *c)
{
    return pm_cpu_flat(c, pm_isa_of(c)->adam_clipped, c->in[0].rows, c->in[0].cols, 2 * MOVE);
}

pm_status pm_cpu_average(const pm_call *c) { return pm_cpu_flat(c, pm_isa_of(c)->average, c->in[0].rows, c->in[0].cols, MOVE); }
pm_status pm_cpu_max_norm_cols(const pm_call *c) { return pm_cpu_each(c, pm_isa_of(c)->max_norm_cols, c->in[0].rows, c->in[0].cols, MOVE); }
pm_status pm_cpu_max_norm_rows(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->max_norm_rows, c->in[0].rows, c->in[0].cols); }
pm_status pm_cpu_grad_squares(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->grad_squares, c->in[1].rows, c->in[1].cols); }
pm_status pm_cpu_col_squares(const pm_call *c) { return pm_cpu_cols(c, pm_isa_of(c)->col_squares, c->in[0].rows, c->in[0].cols); }
pm_status pm_cpu_batch_norm(const pm_call *c) { return pm_cpu_cols(c, pm_isa_of(c)->batch_norm, 4 * c->in[0].rows, c->in[0].cols); }
pm_status pm_cpu_batch_norm_grad(const pm_call *c) { return pm_cpu_cols(c, pm_isa_of(c)->batch_norm_grad, 8 * c->in[0].rows, c->in[0].cols); }
pm_status pm_cpu_batch_norm_apply(const pm_call *c) { return each(c, pm_isa_of(c)->batch_norm_apply, MOVE); }

// One number.
pm_status pm_cpu_clip_factor(const pm_call *c)
{
    const pm_clip_factor_params *q = c->params;
    const float x = *pm_row(&c->in[0], 0);
    *pm_row(&c->out[0], 0) = x > q->limit * q->limit ? q->limit / sqrtf(x) : 1.0f;
    return PM_OK;
}

pm_status pm_cpu_add_row(const pm_call *c) { return each(c, pm_isa_of(c)->add_row, MOVE); }
pm_status pm_cpu_mul_col(const pm_call *c) { return each(c, pm_isa_of(c)->mul_col, MOVE); }
pm_status pm_cpu_broadcast_row(const pm_call *c) { return each(c, pm_isa_of(c)->broadcast_row, MOVE); }
pm_status pm_cpu_broadcast_col(const pm_call *c) { return each(c, pm_isa_of(c)->broadcast_col, MOVE); }
pm_status pm_cpu_dropout(const pm_call *c) { return each(c, pm_isa_of(c)->dropout, RANDOM); }
pm_status pm_cpu_normal(const pm_call *c) { return each(c, pm_isa_of(c)->normal, RANDOM); }
pm_status pm_cpu_reparameterize(const pm_call *c) { return each(c, pm_isa_of(c)->reparameterize, RANDOM); }

pm_status pm_cpu_draw_counts(const pm_call *c)
{
    const pm_draw_counts_params *q = c->params;
    return rows(c, pm_isa_of(c)->draw_counts, q->many ? 2 * RANDOM * c->out[0].cols : c->out[0].cols + (int64_t)RANDOM * q->draws);
}

pm_status pm_cpu_row_sum(const pm_call *c) { return rows(c, pm_isa_of(c)->row_sum, c->in[0].cols); }
pm_status pm_cpu_softmax(const pm_call *c) { return rows(c, pm_isa_of(c)->softmax, MATH * c->in[0].cols); }
pm_status pm_cpu_log_softmax(const pm_call *c) { return rows(c, pm_isa_of(c)->log_softmax, MATH * c->in[0].cols); }
pm_status pm_cpu_loss_multinomial(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_multinomial, MATH * c->in[3].cols); }
pm_status pm_cpu_loss_gaussian(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_gaussian, MATH * c->in[3].cols); }
pm_status pm_cpu_loss_logistic(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_logistic, MATH * c->in[3].cols); }
pm_status pm_cpu_loss_square(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_square, MATH * c->in[3].cols); }
pm_status pm_cpu_loss_cross_entropy(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_cross_entropy, MATH * c->in[3].cols); }
pm_status pm_cpu_loss_mil(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_mil, MATH * c->in[3].cols); }
pm_status pm_cpu_loss_pair(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_pair, 16 * MATH * c->in[3].cols); }
pm_status pm_cpu_loss_counts(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_counts, MATH * c->in[3].cols); }
pm_status pm_cpu_kl_gaussian(const pm_call *c) { return rows(c, pm_isa_of(c)->kl_gaussian, 4 * MATH * c->in[0].cols); }
pm_status pm_cpu_top_k(const pm_call *c) { return rows(c, pm_isa_of(c)->top_k, MATH * c->in[0].cols); }
pm_status pm_cpu_rank_target(const pm_call *c) { return rows(c, pm_isa_of(c)->rank_target, c->in[0].cols); }

pm_status pm_cpu_count_reaching(const pm_call *c)
{
    return rows(c, pm_isa_of(c)->count_reaching, c->in[0].cols * (1 + c->out[0].cols));
}

pm_status pm_cpu_col_sum(const pm_call *c)
{
    return pm_cpu_cols(c, pm_isa_of(c)->col_sum, c->in[0].rows, c->in[0].cols);
}

// A batch has rows of very unequal lengths, so a part holds few of them.
pm_status pm_cpu_csr_normalize(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->csr_normalize, c->in[0].cols - 1, 512); }
pm_status pm_cpu_csr_dropout(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->csr_dropout, c->in[0].cols - 1, 2048); }

pm_status pm_cpu_spmm_affine(const pm_call *c) { return pm_cpu_sums(c, pm_isa_of(c)->spmm_affine, &c->in[0], c->out[0].cols); }
pm_status pm_cpu_spmm_t(const pm_call *c) { return pm_cpu_sums(c, pm_isa_of(c)->spmm_t, &c->in[0], c->out[0].cols); }

pm_status pm_cpu_spmm_t_adam(const pm_call *c)
{
    return pm_cpu_streams(c, pm_isa_of(c)->spmm_t_adam, c->in[4].rows, 4 * c->in[4].cols, 64);
}

pm_status pm_cpu_sddmm(const pm_call *c) { return pm_cpu_sums(c, pm_isa_of(c)->sddmm, &c->in[0], c->in[2].cols); }
pm_status pm_cpu_csr_spread(const pm_call *c) { return each(c, pm_isa_of(c)->csr_spread, MOVE); }
pm_status pm_cpu_corrupt(const pm_call *c) { return each(c, pm_isa_of(c)->corrupt, RANDOM); }
pm_status pm_cpu_loss_weighted(const pm_call *c) { return each(c, pm_isa_of(c)->loss_weighted, MOVE); }

// ---- pairs ----

pm_status pm_cpu_pick_scores(const pm_call *c) { return each(c, pm_isa_of(c)->pick_scores, PM_MAX(1, c->in[0].cols)); }
pm_status pm_cpu_pick_sum(const pm_call *c) { return rows(c, pm_isa_of(c)->pick_sum, c->in[0].cols * c->in[1].cols); }
pm_status pm_cpu_loss_bpr(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_bpr, MATH * c->in[0].cols); }
pm_status pm_cpu_loss_hinge(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_hinge, MATH * c->in[0].cols); }
pm_status pm_cpu_loss_match(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_match, MATH * c->in[0].cols); }
pm_status pm_cpu_unit_rows(const pm_call *c) { return rows(c, pm_isa_of(c)->unit_rows, c->in[0].cols); }
pm_status pm_cpu_loss_log(const pm_call *c) { return rows(c, pm_isa_of(c)->loss_log, MATH * c->in[0].cols); }
pm_status pm_cpu_spmm_t_away(const pm_call *c) { return pm_cpu_sums(c, pm_isa_of(c)->spmm_t_away, &c->in[0], c->out[0].cols); }
pm_status pm_cpu_adagrad(const pm_call *c) { return pm_cpu_flat(c, pm_isa_of(c)->adagrad, c->in[0].rows, c->in[0].cols, 2 * MOVE); }
pm_status pm_cpu_sgd(const pm_call *c) { return pm_cpu_flat(c, pm_isa_of(c)->sgd, c->in[0].rows, c->in[0].cols, MOVE); }

pm_status pm_cpu_spmm_t_adagrad(const pm_call *c)
{
    return pm_cpu_rows(c, pm_isa_of(c)->spmm_t_adagrad, c->in[4].rows, 4 * c->in[4].cols);
}

// Most rows of a large table are not met: those that are lie far apart, so parts are cut as if each took little.
pm_status pm_cpu_adam_rows(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->adam_rows, c->in[0].rows, c->in[0].cols); }
pm_status pm_cpu_adam_leap(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->adam_leap, c->in[0].rows, 8 * c->in[0].cols); }
pm_status pm_cpu_sgd_rows(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->sgd_rows, c->in[0].rows, c->in[0].cols); }
pm_status pm_cpu_spmm_t_sgd(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->spmm_t_sgd, c->in[4].rows, 4 * c->in[4].cols); }
pm_status pm_cpu_sgd_leap(const pm_call *c) { return pm_cpu_rows(c, pm_isa_of(c)->sgd_leap, c->in[0].rows, c->in[0].cols); }
