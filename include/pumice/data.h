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

// An empty map that hangs from parent.
pm_status pm_ids_create(const void *parent, pm_ids **out);

int64_t pm_ids_count(const pm_ids *ids);

// The name of an index, NULL when out of range. Valid until the next pm_ids_add.
const char *pm_ids_name(const pm_ids *ids, int64_t index);

// The index of a name, −1 when unknown.
int64_t pm_ids_find(const pm_ids *ids, const char *name);

// Finds or adds a name of `length` bytes, none of them zero.
// Errors    PM_ERR_ARG for a zero byte; PM_ERR_DATA beyond 2³² − 2 names; PM_ERR_NOMEM
pm_status pm_ids_add(pm_ids *ids, const char *name, size_t length, uint32_t *index);

// ---- matrices ------------------------------------------------------------------------------------------------------

// A sparse matrix in compressed rows; columns ascend within a row, without repeats. nnz < 2³².
typedef struct pm_csr {
    int64_t   rows, cols, nnz;
    uint32_t *indptr;    // [rows + 1]
    uint32_t *col;       // [nnz]
    float    *val;       // [nnz]
    int64_t  *time;      // [nnz], seconds; NULL where there are none
} pm_csr;

// Builds a matrix from `count` triples in any order; its arrays hang from parent. Of repeated (row, col) the first is kept
// and the others are counted in *duplicates (may be NULL). val NULL: ones. time NULL: none.
// Errors    PM_ERR_ARG for an entry outside [rows, cols]; PM_ERR_NOMEM
pm_status pm_csr_build(const void *parent, int64_t rows, int64_t cols, int64_t count, const uint32_t *row,
                       const uint32_t *col, const float *val, const int64_t *time, pm_csr *out, int64_t *duplicates);

// [rows, cols] → [cols, rows], with values and times.
pm_status pm_csr_transposed(const void *parent, const pm_csr *in, pm_csr *out);

// How many entries `rows` different rows hold at most: what a batch of so many must have room for, at least 1. −1 without memory.
int64_t pm_csr_longest_rows(const void *object, const pm_csr *m, int64_t rows);

// The position of (row, col) in col, val and time; −1 where the matrix has no entry. By bisection.
int64_t pm_csr_find(const pm_csr *csr, int64_t row, uint32_t col);

// Frees the arrays and zeroes the struct. Not needed where the parent goes.
void pm_csr_free(pm_csr *csr);

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
    // what the rating filter dropped of users and items that are still there, when asked for (pm_filter_params.keep_below)
    int64_t   below_count;
    uint32_t *below_user, *below_item;      // [below_count]
    float    *below_value;                  // as in the file
    int64_t  *below_time;                   // NULL where the file has none
} pm_interactions;

typedef struct pm_read_params {
    const char *path;       // a file or a folder; companions are found beside it
    const char *format;     // NULL or "auto": by content. "movielens", "csv", "tsv", "ncf", "npz", "lightgcn", "mtx", "jester", "split"
    const char *columns;    // NULL, or names or 1-based numbers of user,item[,value[,time]], such as "userId,movieId,rating"
    bool        skip_bad_lines;    // count and log bad lines instead of failing at the first
    int64_t     max_ids;    // more distinct users or items are an error: the wrong columns, most likely. 0: 2³¹ − 1
} pm_read_params;

// Reads interactions and keeps the first of each repeated (user, item), counting the others. Files are plain, gzip or zstd,
// told apart by their first bytes. A folder must hold exactly one file of a known name. Companions: X.test.rating and
// X.test.negative beside X.train.rating; Rvalid.npz, Rtest.npz and Rtime.npz beside Rtrain.npz; valid.EXT (or
// validation.EXT) and test.EXT beside train.EXT; what pm_split_write wrote beside split.json. Without `columns`, a first
// line with names such as userId, movie_id, rating, timestamp is a header; otherwise the columns are
// user,item[,rating[,time]]. Times are Unix seconds; fractions are cut off.
// Errors    PM_ERR_IO; PM_ERR_DATA with file, line, value and remedy; PM_ERR_ARG for an unknown format; PM_ERR_CANCELLED;
//           PM_ERR_NOMEM
pm_status pm_data_read(const void *parent, const pm_read_params *params, pm_interactions **out);

typedef struct pm_synth_params {
    int64_t  users, items, interactions;    // 0: 2000, 800, 60000
    int      clusters;                      // 0: 12
    uint64_t seed;
    bool     ratings;                       // values are ratings from 1 to 5 instead of 1
} pm_synth_params;

typedef struct pm_synth_preset {
    const char     *name, *help;
    pm_synth_params params;    // with seed 0
} pm_synth_preset;

// The shapes known by name: "small" (the default), "ml-1m", "ml-20m".
const pm_synth_preset *pm_synth_presets(int *count);
const pm_synth_preset *pm_synth_find(const char *name);    // NULL when unknown

// Popularity-skewed, clustered interactions with timestamps, values 1; ids are "u1", "u2", … and "i1", "i2", …. The weight
// of the item of rank r is 1/(r + q) (Zipf-Mandelbrot; q = items/100 + 1); each item belongs to a cluster and each user to
// two, from which nine tenths of the user's items come, the rest from all. How many items a user has follows 1/(x + 1/20), x
// uniform in (0, 1). A rating is 3.6, how the user rates, how the item is rated, four tastes and noise, rounded. The same bits from the same parameters on every machine.
// Errors    PM_ERR_ARG when the numbers do not fit: at least 1 and at most half of all items for each user
pm_status pm_data_synth(const void *parent, const pm_synth_params *params, pm_interactions **out);

enum { PM_STAT_QUANTILES = 7, PM_STAT_RATINGS = 32 };    // quantiles 0, .1, .25, .5, .75, .9, 1

typedef struct pm_data_statistics {
    int64_t users, items, interactions, duplicates, skipped_lines;
    int64_t given_valid, given_test;    // interactions of the parts that came with the data
    double  density;                    // interactions / (users · items)
    int64_t per_user[PM_STAT_QUANTILES], per_item[PM_STAT_QUANTILES];    // quantiles of activity and of popularity
    int     ratings;                    // distinct values, ascending; 0 where there are more than PM_STAT_RATINGS
    float   rating[PM_STAT_RATINGS];
    int64_t rating_count[PM_STAT_RATINGS];
    double  rating_mean;
    float   rating_min, rating_max;
    bool    has_time;
    int64_t time_first, time_last;      // seconds
} pm_data_statistics;

// What there is to know of interactions at a glance.
// Errors    PM_ERR_DATA when there are none; PM_ERR_NOMEM
pm_status pm_data_stat(const pm_interactions *in, pm_data_statistics *out);

// Writes interactions with a header user,item,rating[,timestamp] and ids quoted where needed; pm_data_read gives them back.
// Tabs where path ends in .tsv or .tsv.gz, gzip where it ends in .gz. Parts that came with the data are left out.
// Errors    PM_ERR_IO
pm_status pm_data_write_csv(const pm_interactions *in, const char *path);

typedef struct pm_filter_params {
    bool   has_min_rating, has_rating_above;
    double min_rating, rating_above;     // keep value >= min_rating, value > rating_above
    int64_t min_item, min_user;          // 0: no filter. Items first, then users, one pass
    bool   until_stable;                 // repeat both until nothing changes
    bool   binarize;                     // values become 1
    bool   keep_below;                   // what the rating filter drops is kept apart: what was seen and not liked
} pm_filter_params;

// Filters in the order of the fields; users and items left without interactions leave the id maps, the others keep their
// order. Where the data brought their own parts (companions), these are filtered by rating too, ids stay, and min_item and
// min_user are an error.
// Errors    PM_ERR_DATA when nothing is left, naming the filter that took the last; PM_ERR_ARG
pm_status pm_data_filter(const void *parent, const pm_interactions *in, const pm_filter_params *params,
                         pm_interactions **out);

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
    // Counted, shown with the metrics: users who would belong here but have nothing to find, or something to find but no
    // history; candidates that repeated the target or each other; given targets that were known already; targets whose item has
    // no training interaction, and how many such items; leave-one-out: users whose target shares its time with another interaction that it was chosen
    // from, and users with fewer candidates than were asked for, having met nearly all items.
    int64_t   excluded_no_target, excluded_no_history, dropped_candidates, repeated_targets;
    int64_t   unseen_targets, unseen_items;
    int64_t   tied_times, short_candidates;
    // rating: users without training interactions, who are not left out there, and their targets
    int64_t   unseen_users, unseen_user_targets;
} pm_eval_part;

typedef struct pm_split {
    const char *protocol;
    uint64_t    seed;
    pm_ids     *users, *items;
    pm_csr      train;           // [train users, items]
    uint32_t   *train_user;      // [train.rows] index into users, ascending: those with training interactions
    int64_t     interactions;    // after the filters
    bool        held_out_users;  // strong: the users of valid and test are not rows of train
    int64_t     valid_from, test_from;    // temporal: the seconds that the parts begin with; else 0
    // At test time a user's known history is train + validation: test.input has both.
    pm_eval_part valid, test;
    // What the filter kept apart, a row for each of `users`, with its ratings; temporal: only from before validation. No row or target of the
    // other matrices has these, and pm_split_hash leaves them out.
    pm_csr below;
} pm_split;

typedef struct pm_split_params {
    const char *protocol;        // "strong", "random", "temporal", "user-temporal", "leave-one-out", "rating", "files"
    uint64_t    seed;
    int64_t     held_out;        // strong: users in validation and in test each; 0: a tenth, at most 10,000
    double      held_out_share;  // strong, instead: as a share of the users, floor
    double      fold_out;        // strong: share of a held-out user's items to be found, floor; 0: 0.2
    double      test_share, valid_share;    // random: 0: 0.1 and 0.1. user-temporal: 0: 0.3 and 0.2. temporal: valid_share, 0: 0.1.
                                            // rating: 0: 0.1, and 0.1 of the rest
    int64_t     test_days;       // temporal: the window of the test part in days, up to the last interaction; 0: 30
    const char *test_from;       // temporal, instead: the day it begins with, such as "2003-02-28" (UTC), or Unix seconds
    int64_t     negatives;       // leave-one-out: sampled candidates besides the target; 0: 100
    const char *validation;      // leave-one-out: "previous" (NULL) or "random"
    bool        has_relevant;    // what is to be found are items with a value of `relevant` and above alone; training and what is known keep the others
    double      relevant;        // (strong, random, temporal, user-temporal)
    int64_t     folds, fold;     // rating: with folds above 0 the test part is the fold-th of so many equal parts; fold 0 is the first
} pm_split_params;

// Cuts interactions by a protocol. The result owns everything it points to, id maps included.
// strong         held_out users for validation and as many for test; items that no training user has leave the item map and
//                the held-out users. ⌊fold_out · n⌋ of a held-out user's n items are the target, chosen at random; with
//                fewer than 5 items all are input and the user is excluded.
// random         ⌊test_share · n⌋ interactions to test, ⌊valid_share · n⌋ to validation, the rest to training.
// temporal       the interactions from a day on, or of the last days, are to be found in the test part; of those before it the last
//                ⌊valid_share · n⌋ in validation; the rest is training. A user with something to find but without history is left out
//                and counted, and so are targets whose item has no training interaction. Of equal times the last in the file is the
//                latest. MIL's Netflix-cutoff (Section 3.1).
// user-temporal  of each user's n interactions by time the first ⌈0.5 n⌉ are training, the last ⌊0.3 n⌋ test, the rest validation: the last
//                ⌊test_share · n⌋ and the first ⌈(1 − test_share − valid_share) · n⌉. Ties in time keep file order. Without timestamps the order is a
//                random one, which is said. Users too short for a test item are excluded and counted. Two-headed AutoRec (Section 4.1).
// leave-one-out  given parts (NCF): test.rating is the target, test.negative its candidates. Otherwise the latest of each
//                user with two or more interactions is the test target, with sampled candidates. The validation target is
//                the latest of what is left (or a random one) of each user with two or more left, with sampled candidates.
//                Ties in time keep file order (the last of them is the latest), and so does a file without times; they are
//                counted. Sampled candidates are items that the user interacted with in no part; they depend on the seed and
//                the user alone. A user with one interaction is trained on, and counted as having nothing to find.
// rating         ratings dealt at random: ⌊test_share · n⌋ to test, or one of `folds` equal parts; of the rest ⌊valid_share · n⌋ to validation.
//                Users and items without training ratings stay in the parts and are counted. The folds of one seed do not overlap and cover
//                all. Sparse stacked denoising autoencoders (Section 4.1).
// files          the parts that came with the data (npz, train/valid/test files, a written split; NCF as leave-one-out).
// All protocols but these two join given parts to the interactions first. Random choices come from Philox streams of the
// seed, by user or in file order, so that they are the same on every machine.
// Errors    PM_ERR_ARG for an unknown protocol, with the list, and for shares or windows that make no sense; PM_ERR_DATA when a part
//           would be empty, where temporal finds no timestamps, or where leave-one-out is to draw more candidates than there are items
//           beside the target
pm_status pm_data_split(const void *parent, const pm_interactions *in, const pm_split_params *params, pm_split **out);

// Writes a split into a folder (made where missing) as tab-separated text that any program can read, and that pm_data_read
// with protocol `files` gives back with the same hash: users.tsv (with roles), items.tsv, train.tsv, valid_input.tsv,
// valid_target.tsv, test_input.tsv, test_target.tsv, X_candidates.tsv where there are candidates, and split.json, written
// last.
// Errors    PM_ERR_IO; PM_ERR_NOMEM
pm_status pm_split_write(const pm_split *split, const char *folder);

// A hash of ids, training matrix and parts, whatever protocol made them: the checkpoint keeps it.
uint64_t pm_split_hash(const pm_split *split);

PM_API_END
#endif
