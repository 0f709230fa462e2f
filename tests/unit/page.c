// Pages of reports: escaping, numbers, CSV, drawings that follow the page's colours.
#define _DEFAULT_SOURCE
#include "data_help.h"

#include <math.h>
#include <stdlib.h>

#include "train/page.h"

static void contains(const pm_page *page, const char *part)
{
    if (!strstr(page->text, part)) fail_msg("the page lacks %s:\n%s", part, page->text);
}

static void escapes(void **state)
{
    const fixture *f = *state;
    pm_page *page;
    assert_int_equal(pm_page_create(f->ctx, &page), PM_OK);
    pm_page_text(page, "<a href=\"x\">'&\n\x01ü</a>");
    assert_string_equal(page->text, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;  ü&lt;/a&gt;");
    pm_free(page);
}

static void writes_numbers(void **state)
{
    (void)state;
    assert_string_equal(pm_number_text(4, 0.35).text, "0.3500");
    assert_string_equal(pm_number_text(4, NAN).text, "");
    assert_string_equal(pm_number_text(-1, 1e-4).text, "0.0001");
    assert_string_equal(pm_number_text(2, 1e300).text, "1.00e+300");    // and no 300 digits
}

static const pm_chart chart = {
    .kind = PM_CHART_BARS, .name = "a-chart", .title = "it's <bold> `date`", .row_name = "row", .value_name = "value", .rows = 2, .series = 3,
    .row_label = (const char *[]){ "a,b", "say \"c\"" }, .series_name = (const char *[]){ "one", "two's", "none" },
    .y = (const double[]){ 1, 2, NAN, 3, NAN, NAN }, .error = (const double[]){ 0.5, NAN, NAN, 0.25, NAN, NAN }, .error_name = "± (95 %)",
    .digits = 2, .best_row = -1,
};

// Without gnuplot: the numbers, open, and nothing of a series that nothing is known of.
static void keeps_numbers(void **state)
{
    const fixture *f = *state;
    pm_page *page;
    assert_int_equal(pm_page_create(f->ctx, &page), PM_OK);
    snprintf(page->no_plots, sizeof page->no_plots, "no gnuplot");
    pm_page_chart(page, &chart);
    contains(page, "it&#39;s &lt;bold&gt;");
    contains(page, "<details open>");
    contains(page, "<td>1.00 ± 0.50</td><td>2.00</td></tr>");
    contains(page, "<td>3.00 ± 0.25</td><td>–</td></tr>");
    contains(page, "%22a%2Cb%22%2C1%2C0.5%2C2%2C%0D%0A");
    contains(page, "%22say%20%22%22c%22%22%22%2C3%2C0.25%2C%2C%0D%0A");
    assert_null(strstr(page->text, "none"));
    assert_null(strstr(page->text, "<svg"));
    pm_free(page);
}

static void draws(void **state)
{
    const fixture *f = *state;
    pm_page *page;
    char *svg;
    if (pm_plot(f->ctx, "try", "set terminal svg\nplot 1\n", &svg) == PM_ERR_NOT_FOUND) skip();
    assert_int_equal(pm_page_create(f->ctx, &page), PM_OK);
    for (int kind = PM_CHART_LINES; kind <= PM_CHART_HEAT; kind++) {
        pm_chart c = chart;
        c.kind = (pm_chart_kind)kind;
        c.x = (const double[]){ 1, 10 };
        c.log_x = kind == PM_CHART_DOTS;
        if (kind == PM_CHART_LINES || kind == PM_CHART_DOTS) c.row_label = NULL;
        if (kind == PM_CHART_HEAT) {
            c.column_name = "column";
            c.best_row = 0;
        }
        pm_page_chart(page, &c);
        assert_int_equal(page->figures, kind + 1);
    }
    pm_chart c = chart;    // a long label is cut in the drawing, between letters, and whole in the table
    c.row_label = (const char *[]){ "b", "ÄÖÜ-läuft-über-und-über-zu-Ende" };
    pm_page_chart(page, &c);
    contains(page, "ÄÖÜ-läuft-…er-zu-Ende<");
    contains(page, "<th scope=\"row\">ÄÖÜ-läuft-über-und-über-zu-Ende</th>");
    c.kind = PM_CHART_HEAT;    // counts: whole numbers, coloured by their logarithm
    c.column_name = "column";
    c.error = NULL;
    c.log_y = true;
    c.digits = 0;
    pm_page_chart(page, &c);
    contains(page, "<td>3</td>");
    assert_int_equal(page->figures, PM_CHART_HEAT + 3);
    contains(page, "var(--s1)");
    contains(page, "var(--s2)");
    contains(page, "var(--grid)");
    contains(page, "id=\"a-chart-gnuplot_canvas\"");
    contains(page, "`date`");    // text is text
    assert_null(strstr(page->text, "xlink"));
    assert_null(strstr(page->text, "\"black\""));
    assert_int_equal(pm_plot(f->ctx, "bad", "this is no script\n", &svg), PM_ERR_IO);
    assert_null(svg);
    assert_non_null(strstr(pm_ctx_message(f->ctx), "gnuplot failed"));
    pm_free(page);
}

static void misses_gnuplot(void **state)
{
    const fixture *f = *state;
    char *path = strdup(getenv("PATH")), *svg;
    setenv("PATH", f->folder, 1);
    assert_int_equal(pm_plot(f->ctx, "try", "plot 1\n", &svg), PM_ERR_NOT_FOUND);
    assert_null(svg);
    setenv("PATH", path, 1);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(escapes, set_up, tear_down),       cmocka_unit_test_setup_teardown(writes_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_numbers, set_up, tear_down), cmocka_unit_test_setup_teardown(draws, set_up, tear_down),
        cmocka_unit_test_setup_teardown(misses_gnuplot, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("unit.page", tests, NULL, NULL);
}
