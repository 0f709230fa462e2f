// What the files of the data tier share: growable interactions, what a data set brings along, the state of reading one.
#ifndef PM_DATA_INTERNAL_H
#define PM_DATA_INTERNAL_H

#include <pumice/data.h>

#include "core/core.h"

// Interactions under construction. time is kept always and dropped at the end where the file has none.
typedef struct pm_list {
    int64_t   count, capacity;
    uint32_t *user, *item;
    float    *value;
    int64_t  *time;
    bool      has_time;
} pm_list;

pm_status pm_list_reserve(const void *parent, pm_list *list, int64_t capacity);
pm_status pm_list_add(const void *parent, pm_list *list, uint32_t user, uint32_t item, float value, int64_t time);
pm_status pm_list_append(const void *parent, pm_list *list, const pm_list *other);
// Keeps the first of each repeated (user, item), in order; returns how many went in *dropped.
pm_status pm_list_dedupe(const void *parent, pm_list *list, int64_t users, int64_t items, int64_t *dropped);
// The interactions of a pm_interactions as a list that borrows its arrays.
pm_list pm_list_view(const pm_interactions *in);

// A copy of the interactions with the given parts joined to them, repeats dropped.
pm_status pm_all_interactions(const void *parent, const pm_interactions *in, pm_list *out);

// Roles of users in a split, as users.tsv has them.
enum { PM_ROLE_NONE, PM_ROLE_TRAIN, PM_ROLE_VALID, PM_ROLE_TEST };

// What a data set brings along besides its interactions. A list of `input` is there for "split" alone: elsewhere what is
// known of a user follows from the other parts. Candidates are (user, item) pairs in the order given, the target not
// necessarily among them.
typedef struct pm_given_part {
    pm_list input, target, candidates;
    bool    present, has_candidates;
    int64_t excluded_no_target, excluded_no_history, dropped_candidates, repeated_targets, tied_times, short_candidates;
} pm_given_part;

typedef struct pm_companions {
    const char   *kind;    // "ncf", "npz", "parts" (train, valid, test files) or "split"
    pm_given_part valid, test;
    uint8_t      *role;              // split: [users]
    bool          held_out_users;    // split
    uint64_t      seed;              // split
    int64_t       interactions;      // split
} pm_companions;

// The state of reading one data set. Everything hangs from `out`.
typedef struct pm_reader {
    const pm_read_params *params;
    pm_interactions      *out;
    bool                  fixed_ids;    // an id not in the maps is an error
    int64_t               max_ids;
} pm_reader;

// Ids.
int64_t   pm_ids_find_n(const pm_ids *ids, const char *name, size_t length);
pm_status pm_ids_copy(const void *parent, const pm_ids *ids, pm_ids **out);
// The ids with keep[i] != 0, in order; remap[i], where not NULL, becomes the new index or UINT32_MAX.
pm_status pm_ids_subset(const void *parent, const pm_ids *ids, const uint8_t *keep, uint32_t *remap, pm_ids **out);
// The ids "0" .. "count−1".
pm_status pm_ids_numbers(const void *parent, int64_t count, pm_ids **out);

// Readers of one file each; `path` exists.
pm_status pm_read_table(pm_reader *reader, const char *path, const char *format, const char *columns, pm_list *list);
pm_status pm_read_ncf(pm_reader *reader, const char *train_path, pm_list *train);
pm_status pm_read_lightgcn(pm_reader *reader, const char *train_path, pm_list *train);
pm_status pm_read_mtx(pm_reader *reader, const char *train_path, pm_list *train);
pm_status pm_read_jester(pm_reader *reader, const char *path, pm_list *list);
pm_status pm_read_npz(pm_reader *reader, const char *train_path, pm_list *train);
pm_status pm_read_split_folder(pm_reader *reader, const char *folder, pm_list *train);

// Whether a file that begins with these bytes is a MatrixMarket file, or the Jester matrix.
bool pm_is_mtx(const char *start, size_t length);
bool pm_is_jester(const char *start, size_t length);

// Finds the data file that a path means: itself, or the known file in a folder. *format becomes what its name says, or stays
// NULL.
pm_status pm_locate(const void *parent, const char *path, const char **file, const char **format);
// `file` with the part `from` of its base name replaced by `to`, when such a file exists, as is or compressed; *out is NULL
// otherwise.
pm_status pm_companion_path(const void *parent, const char *file, const char *from, const char *to, char **out);

// A bad line: PM_OK when such lines are skipped (counted, the first ones logged), otherwise the error.
pm_status pm_bad_line(pm_reader *reader, const char *path, int64_t line, const char *format, ...) PM_PRINTF(4, 5);
// A piece of a file made fit for a message: quoted, control characters escaped, cut when long.
enum { PM_SHOWN = 96 };
const char *pm_shown(char buffer[PM_SHOWN], const char *text, size_t length);
// Checks an id and finds it; *index is −1 when it is new. What is wrong with it goes through pm_bad_line and leaves *ok
// false.
pm_status pm_reader_find(pm_reader *reader, const pm_ids *ids, const char *path, int64_t line, const char *what,
                         const char *name, size_t length, int64_t *index, bool *ok);

// The same, and adds what is new. The second takes a whole number as the id.
pm_status pm_reader_id(pm_reader *reader, pm_ids *ids, const char *path, int64_t line, const char *what, const char *name, size_t length,
                       uint32_t *index, bool *ok);
pm_status pm_reader_number(pm_reader *reader, pm_ids *ids, const char *path, int64_t line, const char *what, int64_t number, uint32_t *index,
                           bool *ok);

// train.EXT by a reader of one file, and by the same valid.EXT (where there is one) and test.EXT beside it.
typedef pm_status (*pm_read_file_fn)(pm_reader *reader, const char *path, pm_list *list);
pm_status pm_read_with_parts(pm_reader *reader, const char *train_path, pm_read_file_fn read, pm_list *train);

// Splits, by protocol.
pm_status pm_split_strong(pm_split *split, const pm_interactions *in, const pm_split_params *params);
pm_status pm_split_random(pm_split *split, const pm_interactions *in, const pm_split_params *params);
pm_status pm_split_temporal(pm_split *split, const pm_interactions *in, const pm_split_params *params);
pm_status pm_split_user_temporal(pm_split *split, const pm_interactions *in, const pm_split_params *params);
pm_status pm_split_leave_one_out(pm_split *split, const pm_interactions *in, const pm_split_params *params);
pm_status pm_split_rating(pm_split *split, const pm_interactions *in, const pm_split_params *params);
pm_status pm_split_files(pm_split *split, const pm_interactions *in, const pm_split_params *params);

// The interactions whose label has a bit of `mask`; the list hangs from parent.
pm_status pm_list_select(const void *parent, const pm_list *in, const uint8_t *label, uint8_t mask, pm_list *out);
pm_status pm_csr_of_list(const void *parent, const pm_list *list, int64_t rows, int64_t cols, pm_csr *out);
// Both: the matrix over all users and items of the split that they make; it hangs from scratch.
pm_status pm_csr_select(const pm_split *split, const void *scratch, const pm_list *all, const uint8_t *label, uint8_t mask, pm_csr *out);
// The given rows of a matrix.
pm_status pm_csr_take_rows(const void *parent, const pm_csr *in, const uint32_t *rows, int64_t count, pm_csr *out);
// Makes a part from matrices over all users: the users with role[user] == wanted (role NULL: all) that have both input and
// target; strangers: also those of whom nothing is known.
pm_status pm_part_build(pm_split *split, pm_eval_part *part, const pm_csr *input, const pm_csr *target, const uint8_t *role,
                        int wanted, bool strangers);
// The training matrix of a list: the users who have entries, in order. *known, over all users, hangs from scratch.
pm_status pm_train_users(pm_split *split, const void *scratch, const pm_list *list, pm_csr *known);
// Training and parts from labels (1 training, 2 validation, 4 test): validation knows training, test knows both.
enum { PM_LABEL_TRAIN = 1, PM_LABEL_VALID = 2, PM_LABEL_TEST = 4 };
pm_status pm_split_by_label(pm_split *split, const void *scratch, const pm_list *all, const uint8_t *label);
// Candidates from given pairs: the target first, repeats and the target itself dropped and counted. target_first: the pairs
// of a user begin with the target, as they should.
pm_status pm_part_given_candidates(pm_split *split, pm_eval_part *part, const pm_list *pairs, bool target_first);
// Candidates drawn without replacement from the items that have no entry in `known` [all users, items].
pm_status pm_part_sample_candidates(pm_split *split, pm_eval_part *part, const pm_csr *known, int64_t negatives,
                                    uint64_t seed, const char *stream);

#endif
