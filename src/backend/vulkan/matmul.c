// Products: the configurations of the tile kernel, which one a shape gets, and how K is split. docs/vulkan.md has their figures.
#include "backend/vulkan/vk.h"

// Widest first, where two have the same tile the one with more invocations. Every output is one ascending sum, so all give the same bits.
const pm_vk_tile pm_vk_tiles[PM_VK_TILES] = {
    { 128, 128, 16, 8, 8 }, { 128, 128, 8, 8, 8 }, { 128, 64, 16, 8, 8 }, { 64, 128, 16, 8, 8 }, { 128, 64, 8, 8, 8 },
    { 64, 128, 8, 8, 8 },   { 64, 64, 16, 4, 4 },  { 64, 64, 16, 8, 4 },  { 64, 64, 8, 8, 8 },   { 32, 32, 16, 4, 4 },
};

uint32_t pm_vk_tile_invocations(const pm_vk_tile *t)
{
    return t->bm / t->tm * (t->bn / t->tn);
}

// As matmul_tile.glsl declares it: two halves, rows of one vector more.
uint32_t pm_vk_tile_shared(const pm_vk_tile *t)
{
    return 2 * t->bk * (t->bm + 4 + t->bn + 4) * 4;
}

bool pm_vk_tile_fits(const pm_vk_device *d, const pm_vk_tile *t)
{
    return pm_vk_tile_shared(t) <= d->limits.shared && pm_vk_tile_invocations(t) <= d->limits.invocations;
}

static int64_t up(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

// A product of few tiles and many k leaves most of a GPU idle: it is summed in parts. A function of the shape alone, so that bits do
// not depend on which tile was chosen.
int64_t pm_vk_part(const pm_vk_device *d, int64_t m, int64_t n, int64_t k)
{
    enum { TILE = 64, WANTED = 384, MOST = 32, STEP = 32 };
    if (!d->split || m == 0 || n == 0) return k;
    const int64_t parts = PM_MIN(PM_MIN(WANTED / (up(m, TILE) * up(n, TILE)), k / d->split), MOST);
    return parts < 2 ? k : up(up(k, parts), STEP) * STEP;
}

// The widest tile that still gives a GPU enough workgroups, else the one that gives most.
int pm_vk_tile_default(const pm_vk_device *d, int64_t m, int64_t n, int64_t parts)
{
    const int64_t enough = d->base.info.type == PM_DEVICE_INTEGRATED ? 48 : 192;
    int best = PM_VK_TILES - 1;
    int64_t most = 0;
    for (int i = 0; i < PM_VK_TILES; i++) {
        const pm_vk_tile *t = &pm_vk_tiles[i];
        const int64_t groups = up(m, t->bm) * up(n, t->bn) * parts;
        if (!pm_vk_tile_fits(d, t)) continue;
        if (groups >= enough) return i;
        if (groups > most) best = i, most = groups;
    }
    return best;
}

pm_status pm_vk_choose_product(pm_vk_device *d, const pm_plan_node *node, int64_t parts, pm_vk_variant *product, pm_vk_variant *fold)
{
    pm_product size;
    *fold = *product;
    fold->shader = pm_vk_fold_of(node->op);
    if (d->matmul != PM_VK_TILE) return PM_OK;
    const bool any = pm_op_product(node->op, &node->dims, &node->params, &size);    // else it has no work
    int tile = any ? pm_vk_tile_default(d, size.m, size.n, parts) : PM_VK_TILES - 1;
    if (d->switches.tile || d->trial) tile = (d->trial ? d->trial : d->switches.tile) - 1;
    else if (d->tune && any) PM_TRY(pm_vk_tune(d, node, tile, &tile));
    const pm_vk_tile *t = &pm_vk_tiles[tile];
    const uint32_t constants[PM_VK_CONSTANTS] = { pm_vk_tile_invocations(t), d->switches.no_vectors, t->bm, t->bn, t->bk, t->tm, t->tn };
    memcpy(product->constant, constants, sizeof constants);
    return PM_OK;
}
