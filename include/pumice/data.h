// Interactions, readers, filters, splits and their files. Everything here is on the host and needs no device.
//
// The way of data: pm_data_read (or pm_data_synth) gives interactions; pm_data_filter filters them; pm_data_split cuts them
// by a protocol into a training matrix and two parts to evaluate on. Ids are strings to the user and dense integers inside.
#ifndef PUMICE_DATA_H
#define PUMICE_DATA_H

#include <pumice/ctx.h>

PM_API_BEGIN

// ---- ids -----------------------------------------------------------------------------------------------------------

// A two-way map between strings and 0 .. count−1, in order of first appearance.
typedef struct pm_ids pm_ids;
pm_status   pm_ids_create(const void *parent, pm_ids **out);
int64_t     pm_ids_count(const pm_ids *ids);
const char *pm_ids_name(const pm_ids *ids, int64_t index);          // NULL when out of range
int64_t     pm_ids_find(const pm_ids *ids, const char *name);       // −1 when unknown
pm_status   pm_ids_add(pm_ids *ids, const char *name, size_t length, uint32_t *index);    // finds or adds

// ---- matrices ------------------------------------------------------------------------------------------------------

// A sparse matrix in compressed rows; columns ascend within a row, without repeats. nnz < 2³².
typedef struct pm_csr {
    int64_t   rows, cols, nnz;
    uint32_t *indptr;    // [rows + 1]
    uint32_t *col;       // [nnz]
    float    *val;       // [nnz]
    int64_t  *time;      // [nnz], seconds; NULL where there are none
} pm_csr;

// ---- interactions --------------------------------------------------------------------------------------------------

typedef struct pm_interactions {
    int64_t   count;
    uint32_t *user, *item;    // [count], indices into users, items; in file order
    float    *value;          // [count], 1 where the file has none
    int64_t  *time;           // [count]; NULL where the file has none
    pm_ids   *users, *items;
    // what the file brought along, or NULL: candidate negatives and given parts (NCF, SciPy, `data split`)
    struct pm_companions *companions;
    int64_t   duplicates, skipped_lines;    // dropped on reading, counted
} pm_interactions;

typedef struct pm_read_params {
    const char *path;       // a file or a folder; companions are found beside it
    const char *format;     // NULL or "auto": by content. "movielens", "csv", "tsv", "ncf", "npz", "split"
    const char *columns;    // NULL, or names or 1-based numbers of user,item[,value[,time]], such as "userId,movieId,rating"
    bool        skip_bad_lines;
    bool        one_row;    // a matrix row a user, as npz has it; implied by the format
} pm_read_params;

// Reads interactions and keeps the first of each repeated (user, item), counting the others.
// Errors    PM_ERR_IO; PM_ERR_DATA with file, line, value and remedy; PM_ERR_NOMEM
pm_status pm_data_read(const void *parent, const pm_read_params *params, pm_interactions **out);

typedef struct pm_synth_params {
    int64_t  users, items, interactions;    // 0: 2000, 800, 60000
    int      clusters;                      // 0: 12
    uint64_t seed;
} pm_synth_params;

// Popularity-skewed, clustered interactions with timestamps: a Zipf-like curve over items times a cluster preference of the user.
pm_status pm_data_synth(const void *parent, const pm_synth_params *params, pm_interactions **out);

typedef struct pm_filter_params {
    bool   has_min_rating, has_rating_above;
    double min_rating, rating_above;     // keep value >= min_rating, value > rating_above
    int64_t min_item, min_user;          // 0: no filter. Items first, then users, one pass
    bool   until_stable;                 // repeat both until nothing changes
    bool   binarize;                     // values become 1
} pm_filter_params;

// Filters in the order of the fields; users and items left without interactions leave the id maps.
// Errors    PM_ERR_DATA when nothing is left, naming the filter that took the last
pm_status pm_data_filter(const void *parent, const pm_interactions *in, const pm_filter_params *params, pm_interactions **out);

// ---- splits --------------------------------------------------------------------------------------------------------

// One part to evaluate on: what is known of each user and what is to be found.
typedef struct pm_eval_part {
    int64_t   users;          // rows of the three matrices
    uint32_t *user;           // [users] index into pm_split.users
    pm_csr    input;          // [users, items] known: masked from the ranking, and the input of fold-in models
    pm_csr    target;         // [users, items] T
    bool      sampled;        // leave-one-out: rank the target among candidates only
    uint32_t *candidate_ptr;  // [users + 1]; the first candidate of each row is the target
    uint32_t *candidate;      // [candidate_ptr[users]] item ids, no repeats within a row
    int64_t   excluded_no_target, excluded_no_history, dropped_candidates;    // counted, shown with the metrics
} pm_eval_part;

typedef struct pm_split {
    const char *protocol;
    pm_ids     *users, *items;
    pm_csr      train;           // [train users, items]
    uint32_t   *train_user;      // [train.rows] index into users
    int64_t     interactions;    // after the filters
    bool        held_out_users;  // strong: the users of valid and test are not rows of train
    // At test time a user's known history is train + validation: test.input has both.
    pm_eval_part valid, test;
} pm_split;

typedef struct pm_split_params {
    const char *protocol;        // "strong", "random", "leave-one-out", "files"
    uint64_t    seed;
    int64_t     held_out;        // strong: users in validation and in test each; 0: a tenth, at most 10,000
    double      fold_out;        // strong: share of a held-out user's items to be found, floor; 0: 0.2
    double      test_share, valid_share;    // random: 0: 0.1 and 0.1
    int64_t     negatives;       // leave-one-out: sampled candidates besides the target; 0: 100
    const char *validation;      // leave-one-out: "previous" (NULL) or "random"
} pm_split_params;

// Cuts interactions by a protocol. The result owns its arrays and shares nothing with the interactions but the id maps,
// which it takes over by reference: it hangs from parent, and so must they.
// Errors    PM_ERR_ARG for an unknown protocol, with the list; PM_ERR_DATA when a part would be empty
pm_status pm_data_split(const void *parent, const pm_interactions *in, const pm_split_params *params, pm_split **out);

// Writes a split into a folder as text files that `files` reads back and any program can read.
pm_status pm_split_write(const pm_split *split, const char *folder);

// A hash of everything in a split: the checkpoint keeps it.
uint64_t pm_split_hash(const pm_split *split);

PM_API_END
#endif
