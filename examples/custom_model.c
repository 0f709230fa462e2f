// A model of one's own, with a loss the library does not have, as a command: `custom_model train smooth-tied --epochs 10`. Everything else
// (devices, gradients, protocols, metrics, checkpoints, recommendations) is Pumice's.
//
// An autoencoder whose encoder and decoder share the item vectors V, z = tanh(x̂·V)·Vᵀ + b, trained with the Bernoulli likelihood of
// smoothed labels t = (1−s)·x + s/2 (Szegedy et al., 2016, "Rethinking the Inception architecture", Section 7):
//     L = Σ_i softplus(z_i) − t_i·z_i = Σ_i (softplus(z_i) − s/2·z_i) − (1−s)·x·z
// and x·z = (x·V)·code + x·b needs no dense x.
#include <stdio.h>

#include <pumice/command.h>
#include <pumice/model.h>

static const pm_hyper hypers[] = {
    { "latent", PM_HYPER_INTEGER, "100", 1, 4096, NULL, "length of the item vectors", NULL },
    { "smooth", PM_HYPER_NUMBER, "0.001", 0, 0.5, NULL, "how much of every label is spread", "Section 7" },
    { "dropout", PM_HYPER_NUMBER, "0.5", 0, 0.99, NULL, "share of input entries dropped", NULL },
    { "epochs", PM_HYPER_INTEGER, "50", 1, 1e6, NULL, "passes over the training rows", NULL },
    { "batch", PM_HYPER_INTEGER, "200", 1, 65536, NULL, "rows a step", NULL },
    { "lr", PM_HYPER_NUMBER, "0.003", 0, 10, NULL, "learning rate of Adam", NULL },
    { .name = NULL },
};

static pm_var item_vectors(pm_build *b)
{
    return pm_param(b->net, "items", b->items, pm_config_integer(b->config, "latent"), (pm_init){ PM_INIT_GLOROT, 0 });
}

static pm_var item_biases(pm_build *b)
{
    return pm_param(b->net, "biases", b->items, 1, (pm_init){ PM_INIT_ZERO, 0 });
}

static pm_var encode(pm_build *b)
{
    const float keep = 1.0f - (float)pm_config_number(b->config, "dropout");
    pm_sparse x = pm_normalize_rows(b->g, b->x);
    if (b->training && keep < 1) x = pm_drop_entries(b->g, x, b->state, keep, "input");
    return pm_tanh(b->g, pm_spmm(b->g, x.ptr, x.col, x.val, item_vectors(b)));
}

static pm_var decode(pm_build *b, pm_var code)
{
    const pm_var ones = pm_fill(b->g, b->x.rows, 1, 1);
    return pm_add(b->g, pm_matmul(b->g, code, item_vectors(b), false, true), pm_matmul(b->g, ones, item_biases(b), false, true));
}

static pm_var score(pm_build *b)
{
    return decode(b, encode(b));
}

static void loss(pm_build *b)
{
    const float s = (float)pm_config_number(b->config, "smooth");
    const pm_sparse x = b->x;
    const pm_var code = encode(b), z = decode(b, code);
    const pm_var everywhere = pm_row_sum(b->g, pm_axpy(b->g, z, pm_softplus(b->g, z), -s / 2));
    const pm_var sum = pm_spmm(b->g, x.ptr, x.col, x.val, item_vectors(b));
    const pm_var known = pm_add(b->g, pm_row_sum(b->g, pm_mul(b->g, code, sum)), pm_spmm(b->g, x.ptr, x.col, x.val, item_biases(b)));
    pm_add_loss(b, "smoothed", pm_mul_col(b->g, pm_axpy(b->g, known, everywhere, s - 1), b->row_weight));
}

static const pm_model smooth_tied = {
    .name = "smooth-tied", .title = "Autoencoder with tied item vectors and smoothed labels", .hypers = hypers, .loss = loss, .score = score
};

int main(int argc, char **argv)
{
    pm_ctx *ctx;
    if (pm_ctx_create(NULL, &ctx) != PM_OK) return 1;
    const pm_status status = pm_model_register(ctx, &smooth_tied);
    if (status != PM_OK) fprintf(stderr, "%s\n", pm_ctx_message(ctx));
    pm_ctx_destroy(&ctx);
    return status == PM_OK ? pm_command(argc, argv) : 1;
}
