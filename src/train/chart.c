// A figure of a page: the gnuplot script of each kind of chart, the legend, the table and the CSV.
#include <math.h>

#include "train/page.h"

enum { COLORS = 8, WIDTH = 440, HEIGHT = 290, SHORT_TABLE = 8 };

// Text in a gnuplot script: in single quotes, where nothing but the quote is special.
static void quoted(pm_page *s, const char *text)
{
    pm_page_raw(s, "'");
    for (; *text; text++) {
        if (*text == '\'') pm_page_raw(s, "''");
        else pm_page_bytes(s, (unsigned char)*text < 0x20 ? " " : text, 1);
    }
    pm_page_raw(s, "'");
}

static void number(pm_page *s, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.10g", value);
    for (char *c = text; *c; c++)
        if (*c == ',') *c = '.';
    pm_page_raw(s, isfinite(value) ? text : "NaN");
}

static double value_at(const pm_chart *c, int64_t row, int series)
{
    return c->y[row * c->series + series];
}

static double error_at(const pm_chart *c, int64_t row, int series)
{
    return c->error ? c->error[row * c->series + series] : NAN;
}

// A series that nothing is known of is in no legend and no table.
static bool has_values(const pm_chart *c, int series)
{
    for (int64_t i = 0; i < c->rows; i++)
        if (isfinite(value_at(c, i, series))) return true;
    return false;
}

// Series colours are told from ink by a colour that no drawing uses; plot.c knows it again.
static void color(pm_page *s, int series)
{
    pm_page_print(s, " lc rgb '#01%02x07'", 1 + series % COLORS);
}

static void begin_script(pm_page *s, const pm_chart *c, int height)
{
    pm_page_print(s, "set terminal svg size %d,%d fixed enhanced font 'sans-serif,13' linewidth 1\nset encoding utf8\nunset key\n", WIDTH, height);
    pm_page_raw(s, "set border 3 lc rgb '#000000'\nset grid ytics lt 1 lw 1 dt 1 lc rgb '#020107'\nset tics nomirror\nset datafile missing 'NaN'\n");
    pm_page_raw(s, "set xlabel ");
    quoted(s, c->kind == PM_CHART_HEAT ? c->column_name : c->row_name);
    pm_page_raw(s, " noenhanced\nset ylabel ");
    quoted(s, c->kind == PM_CHART_HEAT ? c->row_name : c->value_name);
    pm_page_raw(s, " noenhanced\n");
    if (c->log_x) pm_page_raw(s, "set logscale x\n");
    if (c->log_y && c->kind != PM_CHART_HEAT) pm_page_raw(s, "set logscale y\nset format y '%.0e'\nset autoscale yfix\n");
}

// The label of a tic: of a long one its beginning and its end, for the drawing would have no room left. Tables have all of it.
static void tic_label(pm_page *s, const char *label)
{
    enum { MOST = 22, KEPT = 10 };
    char text[8 * MOST];
    const char *head = label, *tail = label + strlen(label);
    int64_t letters = 0;
    for (const char *c = label; *c; c++) letters += (*c & 0xC0) != 0x80;
    if (letters <= MOST) {
        quoted(s, label);
        return;
    }
    for (int n = 0; *head && (n < KEPT || (*head & 0xC0) == 0x80); head++) n += (head[1] & 0xC0) != 0x80;
    for (int n = 0; n < KEPT; n += (*tail & 0xC0) != 0x80) tail--;
    snprintf(text, sizeof text, "%.*s…%s", (int)(head - label), label, tail);
    quoted(s, text);
}

static void category_tics(pm_page *s, const char *axis, const char *const *labels, int64_t count)
{
    size_t letters = 0;
    for (int64_t i = 0; i < count; i++, letters++)
        for (const char *c = labels[i]; *c; c++) letters += (*c & 0xC0) != 0x80;
    pm_page_print(s, "set %stics scale 0 noenhanced", axis);
    if (axis[0] == 'x' && letters > 46) pm_page_raw(s, " rotate by -35 left");
    pm_page_raw(s, " (");
    for (int64_t i = 0; i < count; i++) {
        if (i) pm_page_raw(s, ", ");
        tic_label(s, labels[i]);
        pm_page_print(s, " %d", (int)i);
    }
    pm_page_raw(s, ")\n");
}

// ---- kinds ---------------------------------------------------------------------------------------------------------

static void line_blocks(pm_page *s, const pm_chart *c)
{
    for (int k = 0; k < c->series; k++) {
        pm_page_print(s, "$s%d << EOD\n", k);
        for (int64_t i = 0; i < c->rows; i++) {
            if (!isfinite(value_at(c, i, k))) continue;    // a line goes on where a series was not measured
            number(s, c->x[i]);
            pm_page_raw(s, " ");
            number(s, value_at(c, i, k));
            pm_page_raw(s, "\n");
        }
        pm_page_raw(s, "EOD\n");
    }
}

static void stroke(pm_page *s, double x0, double y0, double x1, double y1)
{
    number(s, x0);
    pm_page_raw(s, " ");
    number(s, y0);
    pm_page_raw(s, "\n");
    number(s, x1);
    pm_page_raw(s, " ");
    number(s, y1);
    pm_page_raw(s, "\n\n");
}

// Intervals of a line as upright strokes, without caps, which a logarithmic axis would tear.
static bool line_errors(pm_page *s, const pm_chart *c, int series)
{
    bool any = false;
    pm_page_print(s, "$e%d << EOD\n", series);
    for (int64_t i = 0; i < c->rows; i++) {
        const double y = value_at(c, i, series), e = error_at(c, i, series);
        if (!isfinite(y) || !isfinite(e)) continue;
        stroke(s, c->x[i], y - e, c->x[i], y + e);
        any = true;
    }
    pm_page_raw(s, "EOD\n");
    return any;
}

static void script_lines(pm_page *s, const pm_chart *c)
{
    const bool dots = c->kind == PM_CHART_DOTS;
    begin_script(s, c, HEIGHT);
    pm_page_raw(s, "set autoscale xfix\nset offsets graph 0.02, graph 0.02, graph 0.02, 0\n");
    line_blocks(s, c);
    bool first = true, errors[PM_CHART_MAX_SERIES] = { false };
    for (int k = 0; k < c->series && c->error; k++) errors[k] = line_errors(s, c, k);
    for (int k = 0; k < c->series; k++) {
        if (!has_values(c, k)) continue;
        pm_page_print(s, "%s$s%d using 1:2 with %s", first ? "plot " : ", ", k, dots ? "points" : c->rows <= 30 ? "linespoints" : "lines");
        color(s, k);
        pm_page_print(s, " lw 2 pt 7 ps %s%s", dots ? "0.6" : "0.4", k >= COLORS ? " dt 2" : "");
        if (errors[k]) {
            pm_page_print(s, ", $e%d using 1:2 with lines lw 1.3", k);
            color(s, k);
        }
        first = false;
    }
    pm_page_raw(s, "\n");
}

// Where the k-th of a group stands, and how wide it is.
static double place(const pm_chart *c, int64_t row, int k, double *width)
{
    *width = 0.8 / c->series;
    return (double)row + (k - 0.5 * (c->series - 1)) * *width;
}

// Intervals as strokes: gnuplot's own error bars come with points that cannot be coloured.
static bool error_block(pm_page *s, const pm_chart *c, int only)
{
    bool any = false;
    pm_page_print(s, "$e%d << EOD\n", PM_MAX(only, 0));
    for (int64_t i = 0; i < c->rows; i++)
        for (int k = only < 0 ? 0 : only; k < (only < 0 ? c->series : only + 1); k++) {
            double w;
            const double x = place(c, i, k, &w), y = value_at(c, i, k), e = error_at(c, i, k), cap = fmin(0.25 * w, 0.06);
            if (!isfinite(y) || !isfinite(e)) continue;
            stroke(s, x, y - e, x, y + e);
            stroke(s, x - cap, y - e, x + cap, y - e);
            stroke(s, x - cap, y + e, x + cap, y + e);
            any = true;
        }
    pm_page_raw(s, "EOD\n");
    return any;
}

static void group_blocks(pm_page *s, const pm_chart *c)
{
    double w;
    for (int k = 0; k < c->series; k++) {
        pm_page_print(s, "$s%d << EOD\n", k);
        for (int64_t i = 0; i < c->rows; i++) {
            number(s, place(c, i, k, &w));
            pm_page_raw(s, " ");
            number(s, value_at(c, i, k));
            pm_page_raw(s, " ");
            number(s, 0.92 * w);
            pm_page_raw(s, "\n");
        }
        pm_page_raw(s, "EOD\n");
    }
}

static void script_groups(pm_page *s, const pm_chart *c)
{
    const bool bars = c->kind == PM_CHART_BARS;
    bool errors[PM_CHART_MAX_SERIES] = { false };
    begin_script(s, c, HEIGHT);
    category_tics(s, "x", c->row_label, c->rows);
    pm_page_print(s, "set xrange [-0.6:%d.6]\n%s", (int)c->rows - 1, bars ? "set yrange [0:*]\n" : "set offsets 0, 0, graph 0.06, graph 0.06\n");
    group_blocks(s, c);
    if (bars) errors[0] = error_block(s, c, -1);
    for (int k = 0; k < c->series && !bars; k++) errors[k] = error_block(s, c, k);
    for (int k = 0; k < c->series; k++) {
        pm_page_print(s, "%s$s%d using 1:2%s", k ? ", " : "plot ", k, bars ? ":3 with boxes fs solid noborder" : " with points pt 7 ps 0.7");
        color(s, k);
    }
    for (int k = 0; k < c->series; k++) {
        if (!errors[k]) continue;
        pm_page_print(s, ", $e%d using 1:2 with lines lw 1.3", k);
        if (bars) pm_page_raw(s, " lc rgb '#000000'");
        else color(s, k);
    }
    pm_page_raw(s, "\n");
}

// From dark blue over green to yellow, even in lightness (a few stations of viridis).
static int heat_color(double t, bool *dark)
{
    static const int stations[][3] = { { 68, 1, 84 }, { 65, 68, 135 }, { 42, 120, 142 }, { 34, 168, 132 }, { 122, 209, 81 }, { 253, 231, 37 } };
    const double at = fmin(fmax(t, 0), 1) * (PM_COUNT(stations) - 1);
    const int i = PM_MIN((int)at, PM_COUNT(stations) - 2);
    int rgb = 0;
    *dark = t < 0.55;
    for (int k = 0; k < 3; k++) rgb = rgb << 8 | (int)lround(stations[i][k] + (at - i) * (stations[i + 1][k] - stations[i][k]));
    return rgb;
}

// What the colour of a cell goes by.
static double shade(const pm_chart *c, double v)
{
    return c->log_y ? log(v) : v;
}

static void heat_block(pm_page *s, const pm_chart *c)
{
    double lo = INFINITY, hi = -INFINITY;
    const int digits = c->digits == 0 ? 0 : c->series > 6 ? 3 : 4;
    for (int64_t i = 0; i < c->rows * c->series; i++)
        if (isfinite(c->y[i])) lo = fmin(lo, shade(c, c->y[i])), hi = fmax(hi, shade(c, c->y[i]));
    pm_page_raw(s, "$s0 << EOD\n");
    for (int64_t i = 0; i < c->rows; i++)
        for (int k = 0; k < c->series; k++) {
            bool dark;
            const double v = value_at(c, i, k);
            if (!isfinite(v)) continue;
            const int rgb = heat_color(hi > lo ? (shade(c, v) - lo) / (hi - lo) : 1, &dark);
            pm_page_print(s, "%d %d %d %d %s\n", k, (int)i, rgb, dark ? 0xffffff : 0x1a1a1a, pm_number_text(digits, v).text);
        }
    pm_page_raw(s, "EOD\n");
}

static void script_heat(pm_page *s, const pm_chart *c)
{
    begin_script(s, c, PM_MAX(HEIGHT - 60, 110 + 30 * (int)c->rows));
    category_tics(s, "x", c->series_name, c->series);
    category_tics(s, "y", c->row_label, c->rows);
    pm_page_print(s, "unset grid\nunset border\nset xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n", c->series - 1, (int)c->rows - 1);
    heat_block(s, c);
    if (c->best_row >= 0) {
        const double x0 = c->best_series - 0.5, x1 = c->best_series + 0.5, y0 = c->best_row - 0.5, y1 = c->best_row + 0.5;
        pm_page_raw(s, "$e0 << EOD\n");
        stroke(s, x0, y0, x1, y0);
        stroke(s, x1, y0, x1, y1);
        stroke(s, x1, y1, x0, y1);
        stroke(s, x0, y1, x0, y0);
        pm_page_raw(s, "EOD\n");
    }
    pm_page_raw(s, "plot $s0 using 1:2:($1-.49):($1+.49):($2-.48):($2+.48):3 with boxxyerror fs solid noborder lc rgb variable");
    if (c->best_row >= 0) pm_page_raw(s, ", $e0 using 1:2 with lines lw 3 lc rgb '#000000'");
    if (c->series <= 12) pm_page_raw(s, ", $s0 using 1:2:5:4 with labels noenhanced font 'sans-serif,12' tc rgb variable");
    pm_page_raw(s, "\n");
}

// One drawing failed where others did not: said in its place.
static void missing(pm_page *page, const pm_chart *c)
{
    char why[300];
    snprintf(why, sizeof why, "%s", pm_ctx_message(page->ctx));
    pm_log(page->ctx, PM_LOG_WARN, "the figure \"%s\" is missing: %s", c->title, why);
    pm_page_raw(page, "<p class=\"warn\">The drawing is missing: ");
    pm_page_text(page, why);
    pm_page_raw(page, "</p>");
}

static void draw(pm_page *page, const pm_chart *c)
{
    pm_page *script;
    char *svg = NULL;
    if (page->no_plots[0]) return;
    if (pm_page_create(page->ctx, &script) != PM_OK) {
        page->failed = true;
        return;
    }
    if (c->kind == PM_CHART_HEAT) script_heat(script, c);
    else if (c->kind == PM_CHART_BARS || c->kind == PM_CHART_POINTS) script_groups(script, c);
    else script_lines(script, c);
    const pm_status st = script->failed ? PM_ERR_NOMEM : pm_plot(page->ctx, c->name, script->text, &svg);
    pm_free(script);
    if (st == PM_ERR_NOMEM) page->failed = true;
    if (st != PM_OK && st != PM_ERR_NOMEM) missing(page, c);
    if (st != PM_OK) return;
    const int height = c->kind == PM_CHART_HEAT ? PM_MAX(HEIGHT - 60, 110 + 30 * (int)c->rows) : HEIGHT;
    pm_page_print(page, "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
    pm_page_text(page, c->title);
    pm_page_raw(page, "\">");
    pm_page_raw(page, svg);
    page->figures++;
}

// ---- beside the drawing --------------------------------------------------------------------------------------------

static void legend(pm_page *page, const pm_chart *c)
{
    if (c->series < 2 || c->kind == PM_CHART_HEAT || page->no_plots[0]) return;
    pm_page_raw(page, "<ul class=\"legend\">");
    for (int k = 0; k < c->series; k++) {
        if (!has_values(c, k)) continue;
        pm_page_print(page, "<li><span class=\"swatch%s\" style=\"--c:var(--s%d)\"></span>", k >= COLORS ? " dashed" : "", 1 + k % COLORS);
        pm_page_text(page, c->series_name[k]);
        pm_page_raw(page, "</li>");
    }
    pm_page_raw(page, "</ul>");
}

static void row_head(pm_page *page, const pm_chart *c, int64_t row)
{
    if (c->row_label) pm_page_text(page, c->row_label[row]);
    else pm_page_raw(page, pm_number_text(-1, c->x[row]).text);
}

static void table(pm_page *page, const pm_chart *c)
{
    pm_page_raw(page, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">");
    pm_page_text(page, c->row_name);
    for (int k = 0; k < c->series; k++) {
        if (!has_values(c, k)) continue;
        pm_page_raw(page, "</th><th scope=\"col\">");
        pm_page_text(page, c->series_name[k]);
    }
    pm_page_raw(page, "</th></tr></thead><tbody>");
    for (int64_t i = 0; i < c->rows; i++) {
        pm_page_raw(page, "<tr><th scope=\"row\">");
        row_head(page, c, i);
        pm_page_raw(page, "</th>");
        for (int k = 0; k < c->series; k++) {
            if (!has_values(c, k)) continue;
            pm_page_raw(page, "<td>");
            pm_page_real(page, c->digits, value_at(c, i, k));
            if (isfinite(error_at(c, i, k))) pm_page_print(page, " ± %s", pm_number_text(c->digits, error_at(c, i, k)).text);
            pm_page_raw(page, "</td>");
        }
        pm_page_raw(page, "</tr>");
    }
    pm_page_raw(page, "</tbody></table></div>");
}

// One cell of CSV, percent-encoded for a data: link.
static void csv_cell(pm_page *page, const char *text, bool first)
{
    if (!first) pm_page_raw(page, "%2C");
    const bool quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote) pm_page_raw(page, "%22");
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || strchr("-_.", byte);
        if (plain) pm_page_bytes(page, text, 1);
        else pm_page_print(page, byte == '"' ? "%%22%%%02X" : "%%%02X", byte);
    }
    if (quote) pm_page_raw(page, "%22");
}

static void csv(pm_page *page, const pm_chart *c)
{
    pm_page_raw(page, "<p class=\"csv\"><a download=\"");
    pm_page_text(page, c->name);
    pm_page_raw(page, ".csv\" href=\"data:text/csv;charset=utf-8,");
    csv_cell(page, c->row_name, true);
    for (int k = 0; k < c->series; k++) {
        if (!has_values(c, k)) continue;
        csv_cell(page, c->series_name[k], false);
        if (c->error) csv_cell(page, c->error_name, false);
    }
    pm_page_raw(page, "%0D%0A");
    for (int64_t i = 0; i < c->rows; i++) {
        csv_cell(page, c->row_label ? c->row_label[i] : pm_number_text(-1, c->x[i]).text, true);
        for (int k = 0; k < c->series; k++) {
            if (!has_values(c, k)) continue;
            char text[40] = "";
            if (isfinite(value_at(c, i, k))) snprintf(text, sizeof text, "%.10g", value_at(c, i, k));
            csv_cell(page, text, false);
            text[0] = 0;
            if (isfinite(error_at(c, i, k))) snprintf(text, sizeof text, "%.10g", error_at(c, i, k));
            if (c->error) csv_cell(page, text, false);
        }
        pm_page_raw(page, "%0D%0A");
    }
    pm_page_raw(page, "\">CSV</a></p>");
}

void pm_page_chart(pm_page *page, const pm_chart *c)
{
    pm_page_raw(page, "<figure id=\"");
    pm_page_text(page, c->name);
    pm_page_raw(page, "\"><figcaption>");
    pm_page_text(page, c->title);
    pm_page_raw(page, "</figcaption>");
    draw(page, c);
    legend(page, c);
    if (c->note) {
        pm_page_raw(page, "<p class=\"note\">");
        pm_page_text(page, c->note);
        pm_page_raw(page, "</p>");
    }
    pm_page_print(page, "<details%s><summary>the numbers</summary>", c->rows <= SHORT_TABLE || page->no_plots[0] ? " open" : "");
    table(page, c);
    csv(page, c);
    pm_page_raw(page, "</details></figure>\n");
}
