// A network's parameters: names, initial values, the list that optimisers and checkpoints walk.
#include <pumice/nn.h>

#include <math.h>

#include "core/core.h"
#include "core/parallel.h"
#include "core/philox.h"

enum { PIECE = 1 << 16 };    // initial values that a thread makes at a time

typedef struct param {
    char   *name;
    int64_t rows, cols;
    pm_init init;
    bool    untrained;
    float   max_norm;      // 0: none
    bool    by_columns;    // what it limits
    pm_wait wait;          // in this graph; seen NULL: its rows do not
} param;

struct pm_net {
    pm_graph *g;
    pm_store *store;    // outlives the graph, which compiling consumes
    uint64_t  seed;
    param    *params;
    int       count, capacity;
};

pm_status pm_net_create(pm_graph *g, uint64_t seed, pm_net **out)
{
    *out = pm_new(pm_graph_store(g), pm_net);
    PM_CHECK_ALLOC(*out);
    (*out)->g = g;
    (*out)->store = pm_graph_store(g);
    (*out)->seed = seed;
    return PM_OK;
}

static void forget_wait(param *p)
{
    pm_free((char *)p->wait.seen);
    p->wait.seen = NULL;
}

pm_status pm_net_capture(pm_net *net, pm_graph *g)
{
    PM_REQUIRE(net, pm_graph_store(g) == net->store, PM_ERR_ARG, "a network's graphs must stand on one store");
    net->g = g;
    for (int i = 0; i < net->count; i++) forget_wait(&net->params[i]);
    return PM_OK;
}

void pm_net_destroy(pm_net **net)
{
    if (!net) return;
    pm_free(*net);
    *net = NULL;
}

pm_graph *pm_net_graph(const pm_net *net)
{
    return net->g;
}

int pm_net_param_count(const pm_net *net)
{
    return net->count;
}

const char *pm_net_param_name(const pm_net *net, int index)
{
    return index >= 0 && index < net->count ? net->params[index].name : NULL;
}

static double draw_normal(pm_rng *r)
{
    const double u = pm_rng_unit(r), v = pm_rng_unit(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

static double draw(pm_rng *r, const param *p)
{
    switch (p->init.kind) {
    case PM_INIT_GLOROT: {
        const double scale = p->init.scale != 0 ? p->init.scale : 1.0;
        return scale * sqrt(6.0 / (double)(p->rows + p->cols)) * (2.0 * pm_rng_unit(r) - 1.0);
    }
    case PM_INIT_UNIFORM: return p->init.scale * (2.0 * pm_rng_unit(r) - 1.0);
    case PM_INIT_NORMAL: return p->init.scale * draw_normal(r);
    case PM_INIT_TRUNCATED:
        for (;;) {
            const double x = draw_normal(r);
            if (fabs(x) <= 2.0) return p->init.scale * x;
        }
    case PM_INIT_CONSTANT: return p->init.scale;
    case PM_INIT_ZERO: break;
    }
    return 0.0;
}

typedef struct filling {
    const param *p;
    uint64_t     seed;
    float       *values;
} filling;

// Values [begin, end). Each takes the same count of random words, so a piece knows where its own begin.
static void fill_piece(void *arg, int64_t begin, int64_t end)
{
    const filling *f = arg;
    const uint64_t words = f->p->init.kind == PM_INIT_NORMAL ? 2 : 1;
    pm_rng r = { .key = f->seed, .stream = pm_stream_of_name(f->p->name), .next = (uint64_t)begin * words };
    for (int64_t i = begin; i < end; i++) f->values[i] = (float)draw(&r, f->p);
}

static pm_status write_initial(pm_net *net, const param *p)
{
    const int64_t n = p->rows * p->cols;
    filling f = { p, net->seed, pm_new_array(net, float, n) };
    PM_CHECK_ALLOC(f.values);
    if (p->init.kind == PM_INIT_TRUNCATED) fill_piece(&f, 0, n);    // rejection: how many words were taken is known at the end
    else if (p->init.kind != PM_INIT_ZERO) pm_parallel_for(pm_ctx_threads(pm_ctx_of(net)), n, PIECE, fill_piece, &f);
    const pm_status st = pm_store_write(net->store, p->name, f.values);
    pm_free(f.values);
    return st;
}

static pm_status add_param(pm_net *net, const char *name, int64_t rows, int64_t cols, pm_init init, bool untrained)
{
    if (net->count == net->capacity) {
        const int capacity = net->capacity ? 2 * net->capacity : 16;
        PM_TRY(pm_grow_array(net, (void **)&net->params, capacity, sizeof *net->params));
        net->capacity = capacity;
    }
    param *p = &net->params[net->count];
    *p = (param){ pm_strdup(net, name), rows, cols, init, .untrained = untrained };
    PM_CHECK_ALLOC(p->name);
    net->count++;
    int64_t have_rows, have_cols;
    if (!pm_store_find(net->store, name, NULL, &have_rows, &have_cols)) {
        PM_TRY(pm_store_add(net->store, name, PM_F32, rows, cols));
        return write_initial(net, p);
    }
    PM_REQUIRE(net, have_rows == rows && have_cols == cols, PM_ERR_SHAPE,
               "parameter \"%s\" is [%" PRId64 ", %" PRId64 "] in the store and asked for as [%" PRId64 ", %" PRId64 "]", name,
               have_rows, have_cols, rows, cols);
    return PM_OK;
}

static int index_of(const pm_net *net, const char *name)
{
    for (int i = 0; i < net->count; i++)
        if (pm_name_equal(net->params[i].name, name)) return i;
    return -1;
}

static bool declare(pm_net *net, const char *name, int64_t rows, int64_t cols, pm_init init, bool untrained)
{
    if (pm_graph_status(net->g) != PM_OK) return false;
    if (index_of(net, name) >= 0) return true;
    const pm_status st = add_param(net, name, rows, cols, init, untrained);
    if (st != PM_OK) pm_graph_fail(net->g, st, "%s", pm_ctx_message(pm_ctx_of(net)));
    return st == PM_OK;
}

pm_var pm_param(pm_net *net, const char *name, int64_t rows, int64_t cols, pm_init init)
{
    return declare(net, name, rows, cols, init, false) ? pm_use(net->g, name) : (pm_var){ -1 };
}

pm_var pm_statistic(pm_net *net, const char *name, int64_t rows, int64_t cols, pm_init init)
{
    return declare(net, name, rows, cols, init, true) ? pm_constant(net->g, name) : (pm_var){ -1 };
}

bool pm_net_param_trained(const pm_net *net, int index)
{
    return index >= 0 && index < net->count && !net->params[index].untrained;
}

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), k = strlen(end);
    return n > k && pm_name_equal(name + n - k, end);
}

bool pm_net_param_decays(const pm_net *net, int index)
{
    return pm_net_param_trained(net, index) && !ends_with(net->params[index].name, ".b") && !ends_with(net->params[index].name, ".gain");
}

void pm_net_max_norm(pm_net *net, const char *name, float limit, bool columns)
{
    const int i = index_of(net, name);
    if (i < 0) {
        pm_graph_fail(net->g, PM_ERR_NOT_FOUND, "max-norm: the network has no parameter \"%s\" yet", name);
        return;
    }
    if (!(limit >= 0) || isinf(limit)) {
        pm_graph_fail(net->g, PM_ERR_ARG, "max-norm of %s: the limit %g must be a number of at least 0", name, (double)limit);
        return;
    }
    if (limit > 0 && net->params[i].wait.seen) {
        pm_graph_fail(net->g, PM_ERR_ARG, "max-norm of %s: its rows wait for a batch to meet them, and one that waits cannot be shortened", name);
        return;
    }
    net->params[i].max_norm = limit;
    net->params[i].by_columns = columns;
}

void pm_net_constrain(pm_net *net, int index)
{
    const param *p = &net->params[index];
    if (pm_graph_status(net->g) != PM_OK || !(p->max_norm > 0)) return;
    const pm_var w = pm_use(net->g, p->name);
    pm_graph_label(net->g, p->name);
    if (p->by_columns) pm_max_norm_cols(net->g, w, pm_col_squares(net->g, w), p->max_norm);
    else pm_max_norm_rows(net->g, w, p->max_norm);
    pm_graph_label(net->g, NULL);
}

bool pm_net_may_wait(const pm_net *net, const char *name)
{
    const int i = index_of(net, name);
    return i >= 0 && pm_net_param_decays(net, i) && !(net->params[i].max_norm > 0);
}

void pm_net_wait(pm_net *net, const char *name, const pm_wait *how)
{
    if (pm_graph_status(net->g) != PM_OK) return;
    if (!pm_net_may_wait(net, name)) {
        pm_graph_fail(net->g, PM_ERR_ARG, "the rows of %s cannot wait: it is no weight, or under a max-norm", name);
        return;
    }
    param *p = &net->params[index_of(net, name)];
    const char *seen = pm_strdup(net, how->seen);    // which may be what is forgotten
    const pm_wait now = { how->met, how->missed, seen };
    forget_wait(p);
    p->wait = now;
    if (!seen) pm_graph_fail(net->g, PM_ERR_NOMEM, "no memory for a name");
}

const pm_wait *pm_net_param_wait(const pm_net *net, int index)
{
    return index >= 0 && index < net->count && net->params[index].wait.seen ? &net->params[index].wait : NULL;
}

pm_status pm_net_reset(pm_net *net)
{
    for (int i = 0; i < net->count; i++) PM_TRY(write_initial(net, &net->params[i]));
    return PM_OK;
}
