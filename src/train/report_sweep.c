// A sweep in a report: the winner on test, every setting on validation, and how the value depends on what was varied.
#include <math.h>
#include <stdlib.h>

#include "train/report.h"

enum { MOST_VALUES = 12, MOST_PAIRS = 6, OPEN_ROWS = 30 };

// The different values of a parameter, in order.
typedef struct levels {
    int         parameter, count;
    bool        numeric;
    const char *text[MOST_VALUES + 1];    // the first ones, where there are more
} levels;

static bool to_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && !*end && isfinite(*value);
}

static int level_of(const levels *l, const char *text)
{
    for (int i = 0; i < l->count; i++)
        if (pm_name_equal(l->text[i], text)) return i;
    return -1;
}

static void find_levels(const pm_sweep *w, int parameter, levels *l)
{
    *l = (levels){ .parameter = parameter, .numeric = true };
    for (int i = 0; i < w->setting_count; i++) {
        const char *text = w->settings[i].values[parameter];
        double value, other;
        l->numeric = to_number(text, &value) && l->numeric;
        if (l->count > MOST_VALUES || level_of(l, text) >= 0) continue;
        int at = l->count++;
        for (; at > 0 && l->numeric && to_number(l->text[at - 1], &other) && other > value; at--) l->text[at] = l->text[at - 1];
        l->text[at] = text;
    }
}

static const char *chosen_on(const pm_sweep *w)
{
    return w->legacy_test_selection ? "On the test part, which chose (legacy test selection)" : "On validation";
}

// ---- charts --------------------------------------------------------------------------------------------------------

static bool better(const pm_sweep *w, double a, double b)
{
    return isfinite(a) && (!isfinite(b) || w->direction * (a - b) > 0);
}

// A cell is the best value over all that else was varied.
static void heat_map(pm_report *r, const levels *a, const levels *b, int number, bool others)
{
    const pm_sweep *w = r->p->sweep;
    double y[MOST_VALUES * MOST_VALUES];
    char name[40], title[200], note[300];
    for (int i = 0; i < a->count * b->count; i++) y[i] = NAN;
    for (int i = 0; i < w->setting_count; i++) {
        const pm_sweep_setting *s = &w->settings[i];
        double *cell = &y[level_of(a, s->values[a->parameter]) * b->count + level_of(b, s->values[b->parameter])];
        if (better(w, s->mean, *cell)) *cell = s->mean;
    }
    const pm_sweep_setting *best = &w->settings[w->winner];
    snprintf(name, sizeof name, "heat-%d", number);
    snprintf(title, sizeof title, "%.40s by %.40s and %.40s", w->select, w->parameters[a->parameter], w->parameters[b->parameter]);
    snprintf(note, sizeof note, "%s, means over %d seed%s%s; the frame is the winner's.%s", chosen_on(w), w->seed_count, w->seed_count > 1 ? "s" : "",
             others ? "; a cell is the best over what else was varied" : "",
             w->halving ? " Settings that were stopped have the value they had then." : "");
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_HEAT, .name = name, .title = title, .note = note, .row_name = w->parameters[a->parameter],
                                        .column_name = w->parameters[b->parameter], .value_name = w->select, .rows = a->count, .series = b->count,
                                        .row_label = a->text, .series_name = b->text, .y = y, .digits = 4,
                                        .best_row = level_of(a, best->values[a->parameter]), .best_series = level_of(b, best->values[b->parameter]) });
}

// Whether values are spread over their logarithm rather than evenly: many of them are small.
static bool is_logarithmic(const double *x, int n)
{
    double lo = INFINITY, hi = 0;
    int small = 0;
    for (int i = 0; i < n; i++) lo = fmin(lo, x[i]), hi = fmax(hi, x[i]);
    for (int i = 0; i < n; i++) small += lo > 0 && x[i] < sqrt(lo * hi);
    return lo > 0 && hi > 20 * lo && 4 * small > n;
}

// The one parameter that was varied: a line over its values where they are numbers, else a point each; with deviations of the seeds, or where
// there is one seed with intervals over users (two-headed AutoRec, Figures 5 and 2).
static void points(pm_report *r, const levels *l)
{
    const pm_sweep *w = r->p->sweep;
    double x[MOST_VALUES], y[MOST_VALUES], error[MOST_VALUES];
    char title[120], note[120];
    const bool line = l->numeric && l->count > 2, seeds = w->seed_count > 1;
    bool errors = false;
    for (int i = 0; i < l->count; i++) {
        x[i] = y[i] = error[i] = NAN;
        to_number(l->text[i], &x[i]);
    }
    for (int i = 0; i < w->setting_count; i++) {
        const int at = level_of(l, w->settings[i].values[l->parameter]);
        y[at] = w->settings[i].mean;
        error[at] = seeds ? w->settings[i].sd : w->settings[i].ci95;
        errors = errors || isfinite(error[at]);
    }
    snprintf(title, sizeof title, "%.40s by %.40s", w->select, w->parameters[l->parameter]);
    snprintf(note, sizeof note, "%s%s", chosen_on(w), seeds ? "; means over the seeds, ± one standard deviation." : errors ? "; ± half a 95 % interval over users." : ".");
    pm_page_chart(r->page, &(pm_chart){ .kind = line ? PM_CHART_LINES : PM_CHART_POINTS, .name = line ? "sweep-line" : "sweep-points", .title = title,
                                        .note = note,
                                        .row_name = w->parameters[l->parameter], .value_name = w->select, .rows = l->count, .series = 1,
                                        .row_label = line ? NULL : l->text, .x = x, .log_x = line && is_logarithmic(x, l->count),
                                        .series_name = (const char *[]){ w->select }, .y = y,
                                        .error = errors ? error : NULL, .error_name = seeds ? "± (sd)" : "± (95 %)", .digits = 4, .best_row = -1 });
}

// Drawn values are all different: a dot a setting.
static pm_status dots(pm_report *r, int parameter, int number)
{
    const pm_sweep *w = r->p->sweep;
    double *x = pm_new_array(r->ctx, double, w->setting_count), *y = pm_new_array(x, double, w->setting_count);
    char name[40], title[120], note[120];
    if (!x || !y) return PM_ERR_NOMEM;
    for (int i = 0; i < w->setting_count; i++) {
        to_number(w->settings[i].values[parameter], &x[i]);
        y[i] = w->settings[i].mean;
    }
    snprintf(name, sizeof name, "dots-%d", number);
    snprintf(title, sizeof title, "%.40s by %.40s", w->select, w->parameters[parameter]);
    snprintf(note, sizeof note, "%s; %s.", chosen_on(w), w->halving ? "settings that were stopped have the value they had then" : "a dot a setting");
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_DOTS, .name = name, .title = title,
                                        .note = note,
                                        .row_name = w->parameters[parameter], .value_name = w->select, .rows = w->setting_count, .series = 1, .x = x,
                                        .series_name = (const char *[]){ w->select }, .y = y, .log_x = is_logarithmic(x, w->setting_count),
                                        .digits = 4, .best_row = -1 });
    pm_free(x);
    return PM_OK;
}

static pm_status charts(pm_report *r)
{
    const pm_sweep *w = r->p->sweep;
    levels *varied = pm_new_array(r->ctx, levels, w->parameter_count);
    int few = 0, drawn = 0, pairs = 0;
    PM_CHECK_ALLOC(varied);
    pm_page_raw(r->page, "<div class=\"figures\">\n");
    for (int i = 0; i < w->parameter_count; i++) {
        find_levels(w, i, &varied[few]);
        if (varied[few].count > MOST_VALUES && varied[few].numeric) PM_TRY(dots(r, i, ++drawn));
        else if (varied[few].count > 1 && varied[few].count <= MOST_VALUES) few++;
    }
    if (few == 1 && drawn == 0) points(r, &varied[0]);
    for (int i = 0; i < few; i++)
        for (int k = i + 1; k < few && pairs < MOST_PAIRS; k++) heat_map(r, &varied[i], &varied[k], ++pairs, few > 2 || drawn > 0);
    pm_page_raw(r->page, "</div>\n");
    pm_free(varied);
    return PM_OK;
}

// ---- tables --------------------------------------------------------------------------------------------------------

static void winner_table(const pm_report *r)
{
    const pm_sweep *w = r->p->sweep;
    pm_page_raw(r->page, "<p>The best of ");
    pm_page_print(r->page, "%d settings by ", w->setting_count);
    pm_page_text(r->page, w->select);
    pm_page_print(r->page, " %s, mean over %d seed%s: ", w->legacy_test_selection ? "on the <strong>test part</strong>" : "on validation", w->seed_count, w->seed_count > 1 ? "s" : "");
    for (int i = 0; i < w->parameter_count; i++) {
        pm_page_raw(r->page, i ? ", <code>" : "<code>");
        pm_page_text(r->page, w->parameters[i]);
        pm_page_raw(r->page, " = ");
        pm_page_text(r->page, w->settings[w->winner].values[i]);
        pm_page_raw(r->page, "</code>");
    }
    pm_page_raw(r->page, ".</p>\n");
    if (!w->metric_count) return;
    pm_page_raw(r->page, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">metric</th><th scope=\"col\">test</th>");
    if (w->seed_count > 1) pm_page_raw(r->page, "<th scope=\"col\">sd of the seeds</th>");
    pm_page_raw(r->page, "<th scope=\"col\">users</th></tr></thead><tbody>");
    for (int i = 0; i < w->metric_count; i++) {
        pm_page_raw(r->page, "<tr><th scope=\"row\">");
        pm_page_text(r->page, w->metrics[i].mean.name);
        pm_page_raw(r->page, "</th><td>");
        pm_report_mean(r, &w->metrics[i].mean);
        pm_page_raw(r->page, "</td>");
        if (w->seed_count > 1) {
            pm_page_raw(r->page, "<td>");
            pm_page_real(r->page, 4, w->metrics[i].sd);
            pm_page_raw(r->page, "</td>");
        }
        pm_page_print(r->page, "<td>%" PRId64 "</td></tr>", w->metrics[i].mean.n);
    }
    pm_page_raw(r->page, "</tbody></table></div>\n<p class=\"note\">± is half a 95 % interval over users, each with its mean over the seeds. ");
    pm_page_raw(r->page, w->legacy_test_selection ? "<strong>Chosen on the test set</strong> (--legacy-test-selection), settings and epochs: these figures flatter.</p>\n"
                                                  : "The test part was read for the winner alone.</p>\n");
}

static void setting_row(const pm_report *r, int index)
{
    const pm_sweep *w = r->p->sweep;
    const pm_sweep_setting *s = &w->settings[index];
    pm_page_raw(r->page, index == w->winner ? "<tr class=\"win\">" : "<tr>");
    for (int i = 0; i < w->parameter_count; i++) {
        pm_page_raw(r->page, i ? "<td>" : "<th scope=\"row\">");
        pm_page_text(r->page, s->values[i]);
        pm_page_raw(r->page, i ? "</td>" : "</th>");
    }
    pm_page_raw(r->page, index == w->winner ? "<td><b>" : "<td>");
    pm_page_real(r->page, 4, s->mean);
    if (isfinite(s->sd)) pm_page_print(r->page, " ± %s", pm_number_text(4, s->sd).text);
    else if (isfinite(s->ci95)) pm_page_print(r->page, " ± %s", pm_number_text(4, s->ci95).text);
    pm_page_raw(r->page, index == w->winner ? "</b></td><td>" : "</td><td>");
    for (int k = 0; k < w->seed_count; k++) pm_page_print(r->page, "%s%" PRId64, k ? ", " : "", s->best_epoch[k]);
    pm_page_raw(r->page, "</td><td class=\"w\">");
    if (s->failed) {
        pm_page_raw(r->page, "cannot win: ");
        pm_page_text(r->page, s->failed);
    } else if (s->share < 1) {
        pm_page_print(r->page, "stopped at %.0f %% of its epochs", 100 * s->share);
    } else if (index == w->winner) {
        pm_page_raw(r->page, "winner");
    }
    pm_page_raw(r->page, "</td></tr>");
}

typedef struct place {
    int    index, direction;
    double share, mean;
} place;

// What was trained longest first, then by the value, then by the grid.
static int better_first(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (isfinite(x->mean) != isfinite(y->mean)) return isfinite(x->mean) ? -1 : 1;
    if (x->share != y->share) return x->share > y->share ? -1 : 1;
    if (isfinite(x->mean) && x->mean != y->mean) return x->direction * (x->mean - y->mean) > 0 ? -1 : 1;
    return x->index - y->index;
}

static pm_status settings_table(const pm_report *r)
{
    const pm_sweep *w = r->p->sweep;
    place *order = pm_new_array(r->ctx, place, w->setting_count);
    PM_CHECK_ALLOC(order);
    for (int i = 0; i < w->setting_count; i++) order[i] = (place){ i, w->direction, w->settings[i].share, w->settings[i].mean };
    qsort(order, (size_t)w->setting_count, sizeof *order, better_first);
    pm_page_print(r->page, "<details%s><summary>all %d settings</summary><div class=\"scroll\"><table><thead><tr>",
                  w->setting_count <= OPEN_ROWS ? " open" : "", w->setting_count);
    for (int i = 0; i < w->parameter_count; i++) {
        pm_page_raw(r->page, "<th scope=\"col\">");
        pm_page_text(r->page, w->parameters[i]);
        pm_page_raw(r->page, "</th>");
    }
    pm_page_raw(r->page, "<th scope=\"col\">");
    pm_page_text(r->page, w->select);
    pm_page_raw(r->page, "</th><th scope=\"col\">chosen epoch</th><th></th></tr></thead><tbody>");
    for (int i = 0; i < w->setting_count; i++) setting_row(r, order[i].index);
    pm_page_print(r->page, "</tbody></table></div></details>\n<p class=\"note\">%s%s.</p>\n", chosen_on(w),
                  w->seed_count > 1 ? ": mean over the seeds ± one standard deviation" : "; ± is half a 95 % interval over users");
    pm_free(order);
    return PM_OK;
}

pm_status pm_report_sweep(pm_report *r)
{
    if (!r->p->sweep) return PM_OK;
    pm_report_heading(r, "The sweep");
    winner_table(r);
    PM_TRY(charts(r));
    return settings_table(r);
}
