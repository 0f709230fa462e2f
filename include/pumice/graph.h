// Graphs and programs. A graph is captured once, with the op calls of op_calls.h; its gradient is appended; it is compiled into a
// program, which is then run as often as needed without anything crossing the bus.
//
//     pm_graph *g;
//     pm_graph_create(store, &g);
//     pm_var y = pm_matmul(g, pm_use(g, "x"), pm_use(g, "w"), false, false);
//     pm_output(g, y, "y");
//     pm_program *program;
//     pm_graph_compile(&g, &program);
//     pm_program_run(program, 1);
//     pm_store_read(store, "y", result);
//
// After a failure every call is a no-op that returns a poison pm_var, and pm_graph_compile reports the first failure.
#ifndef PUMICE_GRAPH_H
#define PUMICE_GRAPH_H

#include <pumice/op_calls.h>
#include <pumice/store.h>

PM_API_BEGIN

typedef struct pm_program pm_program;

pm_status pm_graph_create(pm_store *store, pm_graph **out);
void      pm_graph_destroy(pm_graph **g);
pm_store *pm_graph_store(const pm_graph *g);

// Keeps the first failure; later calls do nothing. What model code calls when it finds fault itself.
pm_var pm_graph_fail(pm_graph *g, pm_status status, const char *format, ...);
pm_status pm_graph_status(const pm_graph *g);

// What the nodes captured from here on are called in traces and messages; NULL for nothing.
void pm_graph_label(pm_graph *g, const char *label);

// A tensor of the store. Using it twice gives the same value.
pm_var pm_use(pm_graph *g, const char *name);

// The same for data and schedules: no gradient flows into it, and ops without a gradient may stand on it.
pm_var pm_constant(pm_graph *g, const char *name);

// A view: rows r0 … r0 + rows − 1 and columns c0 … c0 + cols − 1 of x. No copy.
// Gradient  place(dy)
pm_var pm_slice(pm_graph *g, pm_var x, int64_t r0, int64_t rows, int64_t c0, int64_t cols);

// The shape of a value; [0, 0] for poison.
void pm_shape_of(const pm_graph *g, pm_var x, int64_t *rows, int64_t *cols);

// Has the value live in a tensor of the store: that one when there is such a tensor of its shape, else a new one.
void pm_output(pm_graph *g, pm_var x, const char *name);

// Where rows of a table [rows, …] are read at id by ops embed or pick_scores: op index_transpose, or what it gave where it was captured before. Their gradient
// looks it up here too.
pm_var pm_places(pm_graph *g, pm_var id, pm_var live, int64_t rows, pm_var *trow, pm_var *tpos);

// Appends the gradient of the sum of all elements of the losses, with respect to everything they depend on.
// Gradients add up over calls.
// Errors (by the graph)   PM_ERR_UNSUPPORTED naming an op on the way that has no gradient
void pm_backward(pm_graph *g, const pm_var *losses, int count);

// The gradient of x after pm_backward; a matrix of zeros when the losses do not depend on x.
pm_var pm_gradient(pm_graph *g, pm_var x);

// Has later gradients begin at nothing: what pm_backward added up so far is no longer looked at.
void pm_forget_gradients(pm_graph *g);

// Plans memory, compiles, destroys the graph either way and leaves null.
// Errors    the first failure of the graph; PM_ERR_DEVICE_MEMORY, PM_ERR_UNSUPPORTED from the device
pm_status pm_graph_compile(pm_graph **g, pm_program **out);

// Runs a program n times in order. May return before it is done; reading a tensor waits.
// Errors    PM_ERR_DEVICE_LOST, PM_ERR_DEVICE_MEMORY
pm_status pm_program_run(pm_program *program, int64_t n);
void      pm_program_destroy(pm_program **program);

typedef struct pm_program_stats {
    int     nodes;              // ops after dead ones are gone
    int64_t arena, live_peak;   // bytes of scratch planned, and the lower bound: the largest sum of tensors alive at once
    double  flops, bytes;       // of one run
} pm_program_stats;
pm_program_stats pm_program_get_stats(const pm_program *program);

// One op of a program, and how long it took where the device can tell; else 0 seconds. On hosts the mean over the runs of the last
// pm_program_run, elsewhere its last run.
typedef struct pm_program_op {
    const char *op, *label;    // label: as pm_graph_label named it, or NULL
    char        shape[96];     // lengths of its signature's letters: "M=500 K=600 N=20108 tb"
    double      seconds;
    double      start;         // seconds after the first op began
    double      flops, bytes;  // arithmetic, and what must move at least
    bool        is_product;    // a matrix product, whatever it does besides
    pm_product  product;       // then its size
} pm_program_op;
// Fills up to `capacity` entries in the order of running; returns how many ops there are. Waits for work under way.
int pm_program_profile(const pm_program *program, pm_program_op *ops, int capacity);

PM_API_END
#endif
