// Inside of the Vulkan backend. Functions come from a table per device (volk), so that two devices can be open at once; those of
// the instance are the loader's own and serve every instance.
#ifndef PM_VK_H
#define PM_VK_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <volk.h>

#include "backend/backend.h"
#include "backend/vulkan/shader.h"

enum { PM_VK_MAX_DEVICES = 16, PM_VK_PUSH_WORDS = 32, PM_VK_IN_FLIGHT = 2, PM_VK_MAX_BINDINGS = 8, PM_VK_CONSTANTS = 7, PM_VK_TILES = 10,
       PM_VK_LEAST_PART = 512 };

// ---- switches: what the environment asks for -------------------------------------------------------------------------------
//   PUMICE_VK_LIMITS=min[,range=64K][,time=20]   the smallest device there may be, on any driver; a binding of 64 KiB at most;
//                                          submissions of 20 microseconds, so that small work is cut in time too; gpu: a software
//                                          driver gets workgroups as large as a GPU's; memory=64M: 64 MiB of device memory
//   PUMICE_VK_DISABLE=a,b                  mapping: device memory is never written directly; timestamps: no node times;
//                                          batching: one submission a run; tiles: no shared-memory matmul; vectors: an element a
//                                          load; subgroup: folds through shared memory
//   PUMICE_VK_FAULT=alloc:N | full:N | lost:N | tile:N | create   the N-th device allocation fails; it and all after it do; the N-th
//                                          submission loses the device; the N-th tile is found fast and wrong; device creation
//                                          fails: for tests
//   PUMICE_VK_VALIDATION=core[,sync][,gpu] the Khronos layer watches, and what it says becomes an error
//   PUMICE_VK_MATMUL=tile|tile:N|block|plain   the matmul shader, the N-th configuration of tiles; all give the same bits
//   PUMICE_VK_SPLIT=on|off|K               products with a small result are summed in parts of at least 512, or K, along k; without
//                                          the switch on GPUs alone
//   PUMICE_TUNE=on|off                     whether tiles are searched for at first use of a product; without it on GPUs alone
//   PUMICE_CACHE=off                       nothing is kept on disk
typedef struct pm_vk_switches {
    bool    min_limits, gpu_limits, no_mapping, no_timestamps, no_batching, no_tiles, no_vectors, no_subgroup, no_cache;
    int64_t range, time, memory;            // bytes, microseconds, bytes; 0: the device's, 100 milliseconds
    int64_t fail_alloc, full_from, lose_at, wrong_tile;    // 0: never
    bool    fail_create, core, sync, gpu;
    int     matmul, tile;                   // pm_vk_matmul + 1, a configuration + 1; 0: chosen by device and shape
    int64_t split;                          // the least k of a part; 0: chosen by device; −1: off
    int     tune;                           // 1: on; −1: off; 0: chosen by device
} pm_vk_switches;

typedef enum pm_vk_matmul { PM_VK_TILE, PM_VK_BLOCK, PM_VK_PLAIN } pm_vk_matmul;

pm_status pm_vk_read_switches(const void *object, pm_vk_switches *out);

// ---- instance --------------------------------------------------------------------------------------------------------------

typedef struct pm_vk_instance {
    VkInstance               handle;
    VkDebugUtilsMessengerEXT messenger;
    VkPhysicalDevice         physical[PM_VK_MAX_DEVICES];
    uint32_t                 count;
    char                     message[2048];    // the first the validation layer had, "" when none
} pm_vk_instance;

// *out is NULL and *note says why when there is no loader or no driver.
pm_status pm_vk_instance_create(const void *parent, const pm_vk_switches *switches, pm_vk_instance **out, const char **note);

// ---- device ----------------------------------------------------------------------------------------------------------------

typedef struct pm_vk_limits {
    uint32_t local_size, row_size, one_size;    // invocations a workgroup: of ops in general, at most of a row, of small ops
    uint32_t slices;                            // stretches of a column summed side by side: 8, as in cols.glsl, or 1
    uint32_t groups;                            // workgroups a dispatch
    uint32_t invocations, shared;               // a workgroup may have; bytes of its shared memory
    int64_t  range, align;          // of a storage-buffer binding
    double   seconds;               // of a submission
} pm_vk_limits;

// A pipeline is a shader and its specialisation constants, by id: invocations a workgroup, whether the output lies on its input; of a
// product in tiles: invocations, whether an element a load, bm, bn, bk, tm, tn (pm_vk_tile).
enum { PM_VK_CONSTANT_BM = 2, PM_VK_CONSTANT_BN = 3 };
typedef struct pm_vk_variant {
    const pm_vk_shader *shader;
    uint16_t            width;       // elements a load
    uint16_t            subgroup;    // asked for, full; 0: whatever comes
    uint32_t            constant[PM_VK_CONSTANTS];
} pm_vk_variant;

typedef struct pm_vk_pipeline_entry {
    pm_vk_variant variant;
    uint32_t      bindings;
    VkPipeline    handle;
    VkResult      result;
} pm_vk_pipeline_entry;

typedef struct pm_vk_block pm_vk_block;
typedef struct pm_vk_buffer pm_vk_buffer;

// A buffer of host memory the device copies to or from.
typedef struct pm_vk_staging {
    VkBuffer       handle;
    VkDeviceMemory memory;
    char          *data;
} pm_vk_staging;

// One of the submissions in flight.
typedef struct pm_vk_slot {
    VkFence     fence;
    bool        busy;
    const char *ops;    // what it runs, for the message when the device is lost
} pm_vk_slot;

// A file of the user's cache. data is NULL where there is none of this device, driver and build.
typedef struct pm_vk_cache {
    char       *path, *file;    // path NULL: nothing is kept; file: what data lies in, to be freed
    const char *data;
    size_t      size;
    uint64_t    key;
} pm_vk_cache;

// The configuration of tiles that was fastest for a product. As it lies on disk.
typedef struct pm_vk_tuned {
    int64_t  m, n, k;
    uint32_t flags, tile;    // 1, 2: a, b transposed; 4, 8: rows of a, b are whole vectors
} pm_vk_tuned;

typedef struct pm_vk_device {
    pm_device              base;
    pm_vk_switches         switches;
    pm_vk_instance        *instance;
    VkPhysicalDevice       physical;
    VkDevice               handle;
    struct VolkDeviceTable vk;
    VkQueue                queue;
    uint32_t               family;
    pm_vk_limits           limits;
    pm_vk_matmul           matmul;
    int64_t                split;                 // the least k of a part of a product; 0: never split
    bool                   budget;                // the driver tells how much memory is free
    uint32_t               subgroup;              // its size where folds may use it, else 0
    bool                   full_subgroups;        // pipelines can ask for that size, and for full ones
    bool                   tune;                  // tiles are searched for
    bool                   timestamps;
    double                 tick_seconds;          // of a timestamp
    double                 flops, bandwidth;      // a guess a second, to bound submissions

    uint32_t      memory_type, upload_type, read_type;
    bool          mapped;                         // device memory is the host's too
    int64_t       allocations, allocated;         // how many in all, bytes now
    pm_vk_block  *blocks;
    pm_vk_buffer *buffers;
    pm_vk_staging upload, read;
    pm_vk_buffer *nothing;                        // bound where an operand is empty

    VkCommandPool   pool;
    VkCommandBuffer transfer;
    pm_vk_slot      slot[PM_VK_IN_FLIGHT];
    int             next_slot;
    int64_t         submissions;
    int64_t         barriers, updates, transfers;    // recorded in programs; of descriptor sets; between host and device
    char           *lost;                         // the sentence, once the device is lost

    VkDescriptorSetLayout set_layout[PM_VK_MAX_BINDINGS + 1];
    VkPipelineLayout      layout[PM_VK_MAX_BINDINGS + 1];
    VkPipelineCache       cache;
    pm_vk_cache           pipeline_file, tuned_file;
    bool                  cache_grew, tuned_grew;
    pm_vk_tuned          *tuned;                  // what the search found for each product, this time and before
    int                   tuned_count, tuned_capacity;
    int                   trial;                  // the configuration + 1 the search is at; 0: none
    pm_vk_pipeline_entry *pipelines;
    int                   pipeline_count, pipeline_capacity;
    pm_program_impl      *programs;
} pm_vk_device;

pm_status pm_vk_list(pm_ctx *ctx, pm_device_info *list, int capacity, int *count, const char **note);
pm_status pm_vk_open(pm_ctx *ctx, int index, const pm_device_params *params, pm_device **out);
const char *pm_vk_result_name(VkResult result);

// Turns a Vulkan result into a status; what: "making a buffer".
pm_status pm_vk_check(pm_vk_device *d, VkResult result, const char *what);

// ---- memory ----------------------------------------------------------------------------------------------------------------

struct pm_vk_buffer {
    pm_buffer     base;
    VkBuffer      handle;
    pm_vk_block  *block;
    int64_t       offset, size;    // within the block
    char         *data;            // where the memory is mapped
    pm_vk_buffer *next;
};

pm_status pm_vk_memory_open(pm_vk_device *d);
void      pm_vk_memory_close(pm_vk_device *d);
pm_status pm_vk_buffer_create(pm_device *device, int64_t size, pm_buffer **out);
void      pm_vk_buffer_destroy(pm_buffer *buffer);
pm_status pm_vk_upload(pm_buffer *buffer, int64_t offset, const void *data, int64_t size);
pm_status pm_vk_download(pm_buffer *buffer, int64_t offset, void *data, int64_t size);

// ---- products --------------------------------------------------------------------------------------------------------------

// A configuration of the tile kernel (shaders/matmul_tile.glsl): a workgroup's outputs, the depth of a step, an invocation's outputs.
typedef struct pm_vk_tile {
    uint32_t bm, bn, bk, tm, tn;
} pm_vk_tile;

extern const pm_vk_tile pm_vk_tiles[PM_VK_TILES];
uint32_t pm_vk_tile_invocations(const pm_vk_tile *tile);
uint32_t pm_vk_tile_shared(const pm_vk_tile *tile);    // bytes
bool     pm_vk_tile_fits(const pm_vk_device *d, const pm_vk_tile *tile);
int      pm_vk_tile_default(const pm_vk_device *d, int64_t m, int64_t n, int64_t parts);

// Which kernels compute a product that is summed in parts: fills in what pm_vk_choose left open of *product, and *fold. May search.
pm_status pm_vk_choose_product(pm_vk_device *d, const pm_plan_node *node, int64_t parts, pm_vk_variant *product, pm_vk_variant *fold);

// The configuration that is fastest, as far as `fallback` and others that fit were measured; searches where the product is new. None of
// a search's candidates gives other bits than `fallback` does.
pm_status pm_vk_tune(pm_vk_device *d, const pm_plan_node *node, int fallback, int *out);
void      pm_vk_tuned_open(pm_vk_device *d);
void      pm_vk_tuned_close(pm_vk_device *d);    // keeps what was found

// How much of k a part of a product sums: k itself where it is not split.
int64_t pm_vk_part(const pm_vk_device *d, int64_t m, int64_t n, int64_t k);

// ---- the user's cache ------------------------------------------------------------------------------------------------------

uint64_t pm_vk_cache_key(pm_vk_device *d);    // device, driver, build
// $XDG_CACHE_HOME/pumice/KIND-KEY.bin or the like under ~/.cache.
void pm_vk_cache_open(pm_vk_device *d, const char *kind, uint64_t key, pm_vk_cache *out);
void pm_vk_cache_save(pm_vk_device *d, const pm_vk_cache *cache, const void *data, size_t size);

// ---- pipelines -------------------------------------------------------------------------------------------------------------

pm_status pm_vk_pipelines_open(pm_vk_device *d);
void      pm_vk_pipelines_close(pm_vk_device *d);    // keeps the cache on disk
const pm_vk_shader *pm_vk_shader_of(const pm_vk_device *d, pm_op op);
const pm_vk_shader *pm_vk_fold_of(pm_op op);    // what adds the parts of a product
const pm_vk_shader *pm_vk_shader_named(const char *name);    // NULL when there is none
int       pm_vk_binding_count(pm_op op);    // its operands, and the scratch of a product
pm_status pm_vk_pipeline(pm_vk_device *d, const pm_vk_variant *variant, uint32_t bindings, VkPipeline *out);    // created where it is not yet
uint64_t  pm_vk_shader_set(void);    // hash of all shaders

// ---- from nodes to dispatches ----------------------------------------------------------------------------------------------

typedef struct pm_vk_binding {
    VkBuffer buffer;          // null: the program's scratch
    int64_t  offset, size;    // aligned: may begin before the first byte that is touched
    bool     write;
} pm_vk_binding;

typedef struct pm_vk_dispatch {
    int           node, passes, bindings, words;
    pm_vk_variant variant;
    pm_vk_binding binding[PM_VK_MAX_BINDINGS];
    uint32_t      push[PM_VK_PUSH_WORDS];    // the pass is the last word
    uint32_t      groups;
    double        seconds;                   // a guess
} pm_vk_dispatch;

typedef struct pm_vk_dispatches {
    pm_vk_dispatch *list;
    int             count, capacity;
    int64_t         scratch;    // bytes the program must have
} pm_vk_dispatches;

// cols: of what the grid covers.
void pm_vk_choose(const pm_vk_device *d, const pm_plan_node *node, int64_t cols, pm_vk_variant *out);

pm_status pm_vk_pipelines_create(pm_vk_device *d, const pm_vk_dispatches *all);    // those that are not yet, on all threads

// Appends the dispatches of node `n`: one, or as many as its operands' sizes and the time of a submission ask for.
pm_status pm_vk_cut(pm_vk_device *d, const pm_plan *plan, int n, pm_vk_dispatches *out);

// ---- programs and submission -----------------------------------------------------------------------------------------------

// Records a full barrier: everything before is done and seen.
void pm_vk_full_barrier(pm_vk_device *d, VkCommandBuffer commands);
pm_status pm_vk_submission_open(pm_vk_device *d);
void      pm_vk_submission_close(pm_vk_device *d);
pm_status pm_vk_alive(pm_vk_device *d);    // PM_ERR_DEVICE_LOST for ever after the device was lost
pm_status pm_vk_submit(pm_vk_device *d, const VkCommandBuffer *commands, uint32_t count, const char *ops);
pm_status pm_vk_drain(pm_vk_device *d);
// One-time commands on d->transfer: begin, record, then finish submits and waits.
pm_status pm_vk_transfer_begin(pm_vk_device *d);
pm_status pm_vk_transfer_finish(pm_vk_device *d, const char *what);

// A shader that is no op, run once and waited for. Buffers are bound from an offset, a multiple of the device's alignment, to their end.
typedef struct pm_vk_direct {
    pm_vk_variant variant;
    pm_buffer    *buffer[PM_VK_MAX_BINDINGS];
    int64_t       offset[PM_VK_MAX_BINDINGS];
    int           bindings;
    uint32_t      push[4], groups;
} pm_vk_direct;

// *seconds by the device's clock, else the host's.
pm_status pm_vk_run_direct(pm_vk_device *d, const pm_vk_direct *direct, double *seconds);
pm_status pm_vk_peak_flops(pm_device *device, double *flops);

pm_status pm_vk_prepare(pm_device *device, const pm_plan *plan, pm_program_impl **out);
void      pm_vk_program_destroy(pm_program_impl *program);
pm_status pm_vk_run(pm_program_impl *program, int64_t n);
pm_status pm_vk_wait(pm_device *device);
bool      pm_vk_node_seconds(pm_program_impl *program, double *seconds, double *starts);

#endif
