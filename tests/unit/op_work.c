// What a call costs: bytes that must move, the product inside it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <pumice/state.h>

#include "op/op.h"

// "N=10 C=3" as the lengths of an op; every letter of it must be given.
static pm_dims dims_of(pm_op op, const char *text)
{
    const pm_signature *s = &pm_op_table[op].sig;
    pm_dims dims;
    for (int i = 0; i < s->symbols; i++) {
        const char key[] = { s->symbol[i], '=', 0 }, *at = strstr(text, key);
        if (!at) fail_msg("%s: no %c in \"%s\"", pm_op_name(op), s->symbol[i], text);
        dims.of[i] = atoll(at + 2);
    }
    return dims;
}

static void expect_words(pm_op op, const char *lengths, double words)
{
    const pm_dims dims = dims_of(op, lengths);
    const double got = pm_op_bytes(op, &dims) / 4;
    if (got != words) fail_msg("%s, %s: %g words, not %g", pm_op_name(op), lengths, got, words);
}

static void whole_operands(void **state)
{
    (void)state;
    expect_words(PM_OP_MATMUL, "M=5 K=7 N=3", 35 + 21 + 15);
    expect_words(PM_OP_ADD, "R=4 C=6", 3 * 24);
    expect_words(PM_OP_COL_SUM, "R=9 C=6", 54 + 6);
    expect_words(PM_OP_ROW_SUM, "R=9 C=6", 54 + 9);
    expect_words(PM_OP_ADAM, "R=4 C=6", 3 * 2 * 24 + 24 + 1);
    expect_words(PM_OP_CSR_NORMALIZE, "B=3 E=20", 4 + 20 + 20);
    expect_words(PM_OP_TOP_K, "B=3 C=50 K=4", 150 + 12 + 12);
    expect_words(PM_OP_SPMM_T, "I=9 E=20 B=3 H=5", 10 + 20 + 20 + 20 + 15 + 45);
}

// Of what is pointed into, only as much as is pointed at.
static void parts_of_tables(void **state)
{
    (void)state;
    expect_words(PM_OP_GATHER_ROWS, "N=1000 C=3 B=2", 6 + 2 + 6);
    expect_words(PM_OP_GATHER_ROWS, "N=4 C=3 B=20", 12 + 20 + 60);
    expect_words(PM_OP_TAKE_COLS, "R=5 C=1000 K=2", 10 + 10 + 10);
    expect_words(PM_OP_PUT_ROWS, "B=2 C=3 N=1000", 6 + PM_STATE_COUNT + 2 * 6);
    expect_words(PM_OP_LOG_ROW, "C=3 T=256", 3 + PM_STATE_COUNT + 2 * 3);
    expect_words(PM_OP_SCHEDULE_ROW, "T=256 C=3", 3 + PM_STATE_COUNT + 3);
    expect_words(PM_OP_CSR_ROWS_TAKE, "U=1000 Z=9000 I=50 B=2 E=20", 2 + 20 + 20 + 2 + 3 + 20 + 20);
    expect_words(PM_OP_SPMM, "B=2 E=20 I=1000 H=5", 3 + 20 + 20 + 100 + 10);
    expect_words(PM_OP_SPMM, "B=2 E=20 I=8 H=5", 3 + 20 + 20 + 40 + 10);
}

static void products(void **state)
{
    (void)state;
    const pm_dims dims = dims_of(PM_OP_MATMUL, "M=5 K=7 N=3"), other = dims_of(PM_OP_ADD, "R=4 C=6");
    pm_arg args[PM_MAX_PARAMS + 1] = { { .flag = false }, { .flag = true } };
    pm_params params = pm_params_pack(PM_OP_MATMUL, args);
    pm_product p;
    char text[64], cut[8];
    assert_true(pm_op_product(PM_OP_MATMUL, &dims, &params, &p));
    assert_true(p.m == 5 && p.k == 7 && p.n == 3 && !p.ta && p.tb);
    assert_false(pm_op_product(PM_OP_ADD, &other, &params, &p));
    pm_op_describe(PM_OP_MATMUL, &dims, text, sizeof text);
    assert_string_equal(text, "M=5 K=7 N=3");
    pm_op_describe(PM_OP_MATMUL, &dims, cut, sizeof cut);
    assert_string_equal(cut, "M=5 K=7");
    pm_op_describe(PM_OP_TICK, &dims, text, sizeof text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whole_operands), cmocka_unit_test(parts_of_tables), cmocka_unit_test(products) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
