// Negatives: as likely as popularity says, never what the user has, and an end for a user who has everything.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "op/negatives.h"

enum { ITEMS = 50, USERS = 40, ENTRIES = 1000, DRAWS = 200000 };

typedef struct matrix {
    uint32_t indptr[USERS + 1], col[ENTRIES], count[ITEMS], nnz;
} matrix;

// Item i has about (i mod 10) · 4 users of 40: the items 0, 10, 20, … nobody.
static void fill(matrix *m)
{
    *m = (matrix){ .nnz = 0 };
    for (uint32_t u = 0; u < USERS; u++) {
        m->indptr[u] = m->nnz;
        for (uint32_t i = 0; i < ITEMS; i++)
            if ((u * 7 + i * 13) % 40 < i % 10 * 4 && m->nnz < ENTRIES) {
                m->col[m->nnz++] = i;
                m->count[i]++;
            }
    }
    m->indptr[USERS] = m->nnz;
}

static pm_negatives draws_of(const matrix *m, bool popular)
{
    return (pm_negatives){ .col = m->col, .entries = m->nnz, .items = ITEMS, .seed = 42, .step = 3, .stream = 9, .popular = popular };
}

static uint32_t draw(const pm_negatives *d, const uint32_t *own, uint32_t n, uint32_t key, uint32_t s)
{
    uint32_t id[9];
    pm_negatives_of_row(d, own, n, key, 8, id);
    return id[s];
}

// How often each item is drawn for a user; one key a draw.
static void tally(const matrix *m, uint32_t user, bool popular, uint32_t *seen)
{
    const pm_negatives d = draws_of(m, popular);
    for (uint32_t i = 0; i < ITEMS; i++) seen[i] = 0;
    for (uint32_t k = 0; k < DRAWS; k++)
        seen[draw(&d, m->col + m->indptr[user], m->indptr[user + 1] - m->indptr[user], k, 1 + k % 8)]++;
}

// Five standard deviations of chi-square either way: a fair draw is not outside, and one that is too even is not fair either.
static void check_user(const matrix *m, uint32_t user, bool popular)
{
    uint32_t seen[ITEMS];
    bool own[ITEMS] = { false };
    double total = 0, chi = 0;
    int free = -1;
    tally(m, user, popular, seen);
    for (uint32_t e = m->indptr[user]; e < m->indptr[user + 1]; e++) own[m->col[e]] = true;
    for (int i = 0; i < ITEMS; i++) total += own[i] ? 0 : popular ? m->count[i] : 1;
    for (int i = 0; i < ITEMS; i++) {
        const double expected = own[i] ? 0 : DRAWS * (popular ? m->count[i] : 1) / total;
        if (expected == 0) assert_int_equal(seen[i], 0);
        else chi += (seen[i] - expected) * (seen[i] - expected) / expected;
        free += expected > 0;
    }
    assert_true(free > 10);
    if (fabs(chi - free) > 5 * sqrt(2.0 * free)) fail_msg("user %u: chi-square %.1f of %d degrees of freedom", user, chi, free);
}

static void popularity_and_no_positive(void **state)
{
    (void)state;
    matrix m;
    fill(&m);
    for (int i = 0; i < ITEMS; i += 10) assert_int_equal(m.count[i], 0);
    for (uint32_t u = 0; u < 3; u++) check_user(&m, u, true);
}

static void uniform_and_no_positive(void **state)
{
    (void)state;
    matrix m;
    fill(&m);
    for (uint32_t u = 0; u < 3; u++) check_user(&m, u, false);
}

// Draws of neighbouring columns, keys, steps and streams have nothing to do with one another: they agree as often as chance has it.
static void draws_are_apart(void **state)
{
    (void)state;
    matrix m;
    fill(&m);
    pm_negatives a = draws_of(&m, false), b = a, c = a;
    b.step++;
    c.stream++;
    int same[4] = { 0 };
    for (uint32_t k = 0; k < 20000; k++) {
        const uint32_t x = draw(&a, NULL, 0, k, 1);
        same[0] += x == draw(&a, NULL, 0, k, 2);
        same[1] += x == draw(&a, NULL, 0, k + 1, 1);
        same[2] += x == draw(&b, NULL, 0, k, 1);
        same[3] += x == draw(&c, NULL, 0, k, 1);
    }
    for (int i = 0; i < 4; i++) assert_in_range(same[i], 400 - 100, 400 + 100);
}

static void a_user_with_all_items(void **state)
{
    (void)state;
    matrix m;
    fill(&m);
    uint32_t all[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) all[i] = i;
    for (int popular = 0; popular < 2; popular++) {
        const pm_negatives d = draws_of(&m, popular);
        for (uint32_t k = 0; k < 500; k++) assert_true(draw(&d, all, ITEMS, k, 1) < ITEMS);
    }
}

// A user who lacks one item alone is given it, however rarely it is drawn: also where popularity never draws it.
static void a_user_with_all_items_but_one(void **state)
{
    (void)state;
    matrix m;
    fill(&m);
    for (uint32_t lacking = 0; lacking < ITEMS; lacking++) {
        uint32_t own[ITEMS], n = 0;
        for (uint32_t i = 0; i < ITEMS; i++)
            if (i != lacking) own[n++] = i;
        for (int popular = 0; popular < 2; popular++) {
            const pm_negatives d = draws_of(&m, popular);
            for (uint32_t k = 0; k < 200; k++) assert_int_equal(draw(&d, own, n, k, 1), lacking);
        }
    }
}

// Cells without an entry, every one alike: rows with many entries have as few draws as they have such cells.
static void zeros_of_the_whole_matrix(void **state)
{
    (void)state;
    matrix m;
    fill(&m);
    static uint32_t seen[USERS][ITEMS];
    memset(seen, 0, sizeof seen);
    const pm_negatives d = draws_of(&m, false);
    for (uint32_t k = 0; k < DRAWS; k++) {
        uint32_t user;
        const uint32_t item = pm_zero_cell(&d, m.indptr, USERS, k, 1 + k % 8, &user);
        seen[user][item]++;
    }
    for (uint32_t u = 0; u < USERS; u++)
        for (uint32_t e = m.indptr[u]; e < m.indptr[u + 1]; e++) {
            assert_int_equal(seen[u][m.col[e]], 0);
            seen[u][m.col[e]] = UINT32_MAX;    // an entry, for below
        }
    const int cells = USERS * ITEMS - (int)m.nnz;
    double chi = 0, expected = (double)DRAWS / cells;
    for (int u = 0; u < USERS; u++)
        for (int i = 0; i < ITEMS; i++) chi += seen[u][i] == UINT32_MAX ? 0 : (seen[u][i] - expected) * (seen[u][i] - expected) / expected;
    if (fabs(chi - (cells - 1)) > 5 * sqrt(2.0 * (cells - 1))) fail_msg("chi-square %.1f of %d degrees of freedom", chi, cells - 1);
}

// A matrix with one free cell: where no draw meets it, the row last drawn has every column, or gives the column after.
static void a_matrix_of_one_free_cell(void **state)
{
    (void)state;
    uint32_t indptr[USERS + 1] = { 0 };
    static uint32_t col[USERS * ITEMS];
    uint32_t n = 0;
    for (uint32_t u = 0; u < USERS; u++) {
        for (uint32_t i = 0; i < ITEMS; i++)
            if (u != 7 || i != 11) col[n++] = i;
        indptr[u + 1] = n;
    }
    const pm_negatives d = { .col = col, .items = ITEMS, .seed = 1 };
    for (uint32_t k = 0; k < 500; k++) {
        uint32_t user = USERS;
        const uint32_t item = pm_zero_cell(&d, indptr, USERS, k, 1, &user);
        assert_true(user < USERS && item < ITEMS);
        if (user == 7) assert_int_equal(item, 11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_of_the_whole_matrix),
        cmocka_unit_test(a_matrix_of_one_free_cell),
        cmocka_unit_test(popularity_and_no_positive), cmocka_unit_test(uniform_and_no_positive), cmocka_unit_test(draws_are_apart),
        cmocka_unit_test(a_user_with_all_items), cmocka_unit_test(a_user_with_all_items_but_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
