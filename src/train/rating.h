// Centring: what the values of ratings are freed of before a model sees them, and what its scores are given back.
//     x = (r − (lo + hi) / 2) / ((hi − lo) / 2) lies in [−1, 1];  x̄ is the mean of training ratings, x̄_u a user's, x̄_i an item's
//     center = user: x − x̄_u;  item: x − x̄_i;  both: x + x̄ − x̄_u − x̄_i;  global: x − x̄;  none: x
// Sparse stacked denoising autoencoders, Section 4.1. A user or item without training ratings has x̄; what is predicted there is the bias alone.
#ifndef PM_RATING_H
#define PM_RATING_H

#include "train/session.h"

enum { PM_CENTER_TENSORS = 4 };

struct pm_center {
    bool      by_user, by_item;
    int       by_mean;         // how often x̄ is taken off
    float     lo, hi, mean;    // mean: x̄
    int64_t   users, items;
    float    *user, *item;     // [users] of the training matrix's rows, [items]: x̄_u and x̄_i
    float    *seen;            // [items] 1: has a training rating; 0
    uint32_t *row_of;          // [users of the split] training row; PM_ID_NONE
};

// Whether scores of the model are ratings: it reads ratings and has a hyperparameter `center`.
bool pm_predicts_ratings(const pm_config *config);

// The session's center, empty; nothing where scores are no ratings.
pm_status pm_center_create(pm_session *s);

// Fills it from the session's training matrix and puts it into the store as tensors center.*, which checkpoints and best parameters keep.
pm_status pm_center_measure(pm_session *s, const pm_rating_params *params);

// Those tensors, [rows, 1], by number from 0 on; NULL past the last or where there is no center. set: fills the center from a saved one, in their order.
bool        pm_is_center(const char *name);
const char *pm_center_tensor(const pm_session *s, int i, int64_t *rows);
pm_status   pm_center_set(pm_session *s, int i, int64_t rows, const float *values);

// Items behind those of a saved center have the means of the session's matrix.
pm_status pm_center_extend(pm_session *s);

// The users are others than those of training: each is known by the ratings of its row alone.
void pm_center_forget_users(pm_session *s);

// m with centred values; all but the values is shared. user: of each row, an index into the split's users.
pm_status pm_center_apply(const pm_session *s, const void *parent, const pm_csr *m, const uint32_t *user, pm_csr *out);

// What undoes it: rating = scale · (score − base) · known + shift, shift and known the sum and the product of an item's and a user's. The items' go into the store as
// center.shift and center.known, [items, 1] each; the users' are those of the rows of m. *unseen: whether any known is 0.
float     pm_center_base(const pm_session *s);
float     pm_center_scale(const pm_session *s);
pm_status pm_center_items(pm_session *s, bool *unseen);
void      pm_center_users(const pm_session *s, const pm_csr *m, const uint32_t *user, float *shift, float *known, bool *unseen);

float pm_center_clip(const pm_session *s, float rating);

#endif
