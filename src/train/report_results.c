// What is reported in tables: the setting, the results, the paired tests, the runs.
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <time.h>

#include "train/report.h"

// ---- the setting ---------------------------------------------------------------------------------------------------

static void term(const pm_report *r, const char *name)
{
    pm_page_raw(r->page, "<dt>");
    pm_page_text(r->page, name);
    pm_page_raw(r->page, "</dt><dd>");
}

static void count(const pm_report *r, int64_t n, const char *what)
{
    pm_page_print(r->page, "%" PRId64 " %s", n, what);
}

// "; test from 2003-02-28", the day in UTC.
static void day(const pm_report *r, const char *part, int64_t seconds)
{
    char text[32];
    struct tm parts;
    const time_t t = (time_t)seconds;
    if (seconds && gmtime_r(&t, &parts) && strftime(text, sizeof text, "%Y-%m-%d", &parts)) pm_page_print(r->page, "; %s from %s", part, text);
}

static void excluded(const pm_report *r)
{
    const pm_result *first = r->p->entries[0].result;
    const pm_metrics_counts *c = r->p->validation ? &first->validation_counts : &first->test_counts;
    const pm_eval_part *part = pm_report_part(r, 0);
    term(r, r->p->validation ? "evaluated on" : "tested on");
    if (pm_report_of_ratings(r)) {
        count(r, c->users, r->p->validation ? "ratings of the validation part, by " : "ratings by ");
        count(r, part->users, "users");
        if (part->unseen_user_targets || part->unseen_targets)
            pm_page_print(r->page, "; %" PRId64 " are of users and %" PRId64 " of items without training ratings, predicted by means alone", part->unseen_user_targets,
                          part->unseen_targets);
        pm_page_raw(r->page, "</dd>");
        return;
    }
    count(r, c->users, r->p->validation ? "users of the validation part" : "users");
    if (part->excluded_no_target + c->excluded_no_target)
        pm_page_print(r->page, "; %" PRId64 " left out, with nothing to find", part->excluded_no_target + c->excluded_no_target);
    if (part->excluded_no_history) pm_page_print(r->page, "; %" PRId64 " left out, of whom nothing is known", part->excluded_no_history);
    if (part->unseen_targets) pm_page_print(r->page, "; the targets of %" PRId64 " are items never seen in training", part->unseen_targets);
    if (part->tied_times) pm_page_print(r->page, "; %" PRId64 " had another item at the time of the target", part->tied_times);
    if (part->dropped_candidates) pm_page_print(r->page, "; %" PRId64 " repeated candidates dropped", part->dropped_candidates);
    if (part->short_candidates) pm_page_print(r->page, "; %" PRId64 " with fewer candidates than asked for", part->short_candidates);
    if (c->tied) pm_page_print(r->page, "; %s %% with a tied target", pm_number_text(2, 100 * c->tied_share).text);
    pm_page_raw(r->page, "</dd>");
}

pm_status pm_report_setting(pm_report *r)
{
    const pm_result *first = r->p->entries[0].result;
    pm_report_heading(r, "Setting and data");
    pm_page_raw(r->page, "<dl>");
    term(r, "data");
    pm_page_text(r->page, first->source);
    pm_page_raw(r->page, "</dd>");
    term(r, "filters");
    pm_page_text(r->page, first->filters);
    pm_page_raw(r->page, "</dd>");
    term(r, "after them");
    count(r, first->users, "users, ");
    count(r, first->items, "items, ");
    count(r, first->interactions, "interactions");
    if (first->users > 0 && first->items > 0)
        pm_page_print(r->page, " (%s %% of all pairs)",
                      pm_number_text(2, 100.0 * (double)first->interactions / ((double)first->users * (double)first->items)).text);
    pm_page_raw(r->page, "</dd>");
    term(r, "protocol");
    pm_page_text(r->page, first->protocol);
    pm_page_print(r->page, ", split seed %" PRIu64 "; ", first->split->seed);
    count(r, first->train_users, "users trained on");
    day(r, "validation", first->split->valid_from);
    day(r, "test", first->split->test_from);
    pm_page_raw(r->page, "</dd>");
    excluded(r);
    pm_page_raw(r->page, "</dl>\n");
    return PM_OK;
}

// ---- results -------------------------------------------------------------------------------------------------------

// The entry with the best mean; −1 where the metric judges nothing or there is one entry alone.
static int best_entry(const pm_report *r, const char *metric, int direction)
{
    int best = -1;
    double value = NAN;
    for (int i = 0; i < r->p->count && direction && r->p->count > 1; i++) {
        const pm_metric_result *m = pm_report_find(r, i, metric);
        if (r->p->entries[i].result->legacy_test_selection || !m || !isfinite(m->mean) || (best >= 0 && direction * (m->mean - value) <= 0)) continue;
        best = i;
        value = m->mean;
    }
    return best;
}

static bool tested(const pm_report *r, int entry, const char *metric, pm_paired_test *out)
{
    const pm_metrics *a, *b;
    const double *x = pm_result_values(r->p->entries[entry].result, r->p->validation, metric, &a),
                 *y = pm_result_values(r->p->entries[0].result, r->p->validation, metric, &b);
    const pm_metric_result *m = pm_report_find(r, entry, metric), *n = pm_report_find(r, 0, metric);
    if (entry == 0 || !x || !y || m->n != n->n) return false;
    pm_paired_t_test(x, y, n->n, out);
    return true;
}

static void result_cell(const pm_report *r, int entry, const char *metric, bool best)
{
    pm_paired_test t;
    pm_page_raw(r->page, best ? "<td><b>" : "<td>");
    pm_report_mean(r, pm_report_find(r, entry, metric));
    if (best) pm_page_raw(r->page, "</b>");
    if (!r->p->sweep && tested(r, entry, metric, &t) && *pm_stars(t.p)) pm_page_print(r->page, "<sup>%s</sup>", pm_stars(t.p));
    pm_page_raw(r->page, "</td>");
}

static const pm_result_view *views_of(const pm_report *r, int *count)
{
    const pm_result *first = r->p->entries[0].result;
    *count = r->p->validation ? first->validation_view_count : first->test_view_count;
    return r->p->validation ? first->validation_views : first->test_views;
}

// "Among all items that are not known, …": what a table of leave-one-out is of.
static void view_caption(const pm_report *r, const pm_result_view *view)
{
    const pm_eval_part *part = pm_report_part(r, 0);
    if (!part->sampled) return;
    pm_page_raw(r->page, "<h3>");
    if (strncmp(view->name, "all", 3) == 0) pm_page_raw(r->page, "Among all items that are not known of the user");
    else pm_page_print(r->page, "Among %s sampled or given candidates, the target one of them",
                       pm_number_text(0, part->users ? (double)part->candidate_ptr[part->users] / (double)part->users : 0).text);
    if (strstr(view->name, "seen"))
        pm_page_print(r->page, ", for the %" PRId64 " of %" PRId64 " users whose target was seen in training", view->counts.users, part->users);
    if (r->p->entries[0].result->ties != PM_TIES_EXPECTED)
        pm_page_print(r->page, "; tied targets by the rule %s, not at their expected place", pm_ties_name(r->p->entries[0].result->ties));
    pm_page_raw(r->page, "</h3>\n");
}

static void results_table(const pm_report *r, const pm_result_view *view)
{
    const pm_metric_set *set = pm_metrics_set(view->users);
    view_caption(r, view);
    pm_page_raw(r->page, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\"></th>");
    for (int i = 0; i < pm_metric_set_count(set); i++) {
        if (pm_report_is_tail(pm_metric_set_name(set, i))) continue;
        pm_page_raw(r->page, "<th scope=\"col\">");
        pm_page_text(r->page, pm_metric_set_name(set, i));
        pm_page_raw(r->page, "</th>");
    }
    pm_page_raw(r->page, "</tr></thead><tbody>");
    for (int e = 0; e < r->p->count; e++) {
        pm_page_raw(r->page, "<tr><th scope=\"row\">");
        pm_report_swatch(r, e);
        pm_page_text(r->page, r->names[e]);
        pm_page_raw(r->page, "</th>");
        for (int i = 0; i < pm_metric_set_count(set); i++) {
            const char *name = pm_metric_set_name(set, i);
            if (pm_report_is_tail(name)) continue;
            result_cell(r, e, name, best_entry(r, name, r->p->sweep ? 0 : pm_metric_set_info(set, i)->direction) == e);
        }
        pm_page_raw(r->page, "</tr>");
    }
    pm_page_raw(r->page, "</tbody></table></div>\n");
}

pm_status pm_report_results(pm_report *r)
{
    int count;
    const pm_result_view *views = views_of(r, &count);
    pm_report_heading(r, r->p->sweep ? "The winner, seed by seed" : r->p->validation ? "Results on validation" : "Results on test");
    for (int v = 0; v < count; v++) results_table(r, &views[v]);
    pm_page_print(r->page, "<p class=\"note\">± is half a 95 %% interval over %s.", pm_report_of_ratings(r) ? "ratings" : "users");
    if (pm_report_part(r, 0)->sampled && count > 1)
        pm_page_raw(r->page, " Figures among sampled candidates can order models otherwise than those among all items, which is what a user would be shown.");
    if (r->p->count > 1 && !r->p->sweep) {
        pm_page_raw(r->page, " Bold: the best mean, which need not be better than the next beyond chance. Stars: paired t-test against ");
        pm_page_text(r->page, r->names[0]);
        pm_page_raw(r->page, " (* p &lt; .05, ** p &lt; .01, *** p &lt; .001).");
    }
    pm_page_raw(r->page, "</p>\n");
    pm_report_legacy_note(r);
    return PM_OK;
}

// ---- paired tests --------------------------------------------------------------------------------------------------

static void test_row(const pm_report *r, const char *metric, int entry, const pm_paired_test *t)
{
    pm_page_raw(r->page, "<tr><th scope=\"row\">");
    pm_page_text(r->page, metric);
    if (pm_name_equal(metric, "rmse")) pm_page_raw(r->page, ", squares");
    pm_page_raw(r->page, "</th><td class=\"l\">");
    pm_report_swatch(r, entry);
    pm_page_text(r->page, r->names[entry]);
    pm_page_print(r->page, "</td><td>%s%s ± %s</td><td>", t->difference >= 0 ? "+" : "", pm_number_text(4, t->difference).text,
                  pm_number_text(4, t->ci95).text);
    pm_page_real(r->page, 2, t->t);
    pm_page_raw(r->page, "</td><td>");
    if (t->p >= 0 && t->p < 1e-4) pm_page_raw(r->page, "&lt; .0001");
    else pm_page_real(r->page, 4, t->p);
    pm_page_print(r->page, "</td><td>%" PRId64 "</td><td class=\"l\">%s</td></tr>", t->n, pm_stars(t->p));
}

pm_status pm_report_tests(pm_report *r)
{
    const pm_result *first = r->p->entries[0].result;
    const pm_metric_result *all = r->p->validation ? first->validation : first->metrics;
    const int count = r->p->validation ? first->validation_count : first->metric_count;
    if (r->p->count < 2 || r->p->sweep) return PM_OK;
    pm_report_heading(r, "Paired significance");
    pm_page_raw(r->page, "<p class=\"note\">Against ");
    pm_page_text(r->page, r->names[0]);
    const char *unit = pm_report_of_ratings(r) ? "ratings" : "users";
    pm_page_print(r->page, ", on the same %s. ± is half a 95 %% interval of the difference; p is two-sided and not corrected for how many tests there "
                           "are.</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">metric</th><th scope=\"col\" class=\"l\">run</th>"
                           "<th scope=\"col\">difference</th><th scope=\"col\">t</th><th scope=\"col\">p</th><th scope=\"col\">%s</th><th></th></tr>"
                           "</thead><tbody>", unit, unit);
    for (int i = 0; i < count; i++)
        for (int e = 1; e < r->p->count; e++) {
            pm_paired_test t;
            const char *name = all[i].name;
            if (!pm_report_is_tail(name) && tested(r, e, name, &t)) test_row(r, name, e, &t);
        }
    pm_page_raw(r->page, "</tbody></table></div>\n");
    pm_report_legacy_note(r);
    return PM_OK;
}

// ---- the runs ------------------------------------------------------------------------------------------------------

static void run_row(const pm_report *r, int entry)
{
    const pm_result *x = r->p->entries[entry].result;
    pm_page_raw(r->page, "<tr><th scope=\"row\">");
    pm_report_swatch(r, entry);
    pm_page_text(r->page, r->names[entry]);
    pm_page_raw(r->page, "</th><td class=\"l\">");
    pm_page_text(r->page, x->model);
    pm_page_print(r->page, "</td><td>%" PRIu64 "</td><td>%" PRId64 "</td><td>%" PRId64 "</td><td>", x->seed, x->epochs, x->best_epoch);
    pm_page_real(r->page, 1, x->train_seconds);
    pm_page_print(r->page, "</td><td class=\"l\">%s</td><td class=\"l\">%s</td><td class=\"l\">", x->legacy_test_selection ? "test set" : x->fixed_length ? "nothing" : "validation",
                  x->refit ? "yes" : "no");
    pm_page_text(r->page, x->device);
    pm_page_raw(r->page, "</td></tr>");
}

static void run_settings(const pm_report *r, int entry)
{
    const pm_config *config = r->p->entries[entry].result->config;
    pm_page_raw(r->page, "<details><summary>");
    pm_page_text(r->page, r->names[entry]);
    pm_page_raw(r->page, ": hyperparameters</summary><dl>");
    for (const pm_hyper *h = pm_config_model(config)->hypers; h && h->name; h++) {
        term(r, h->name);
        pm_page_text(r->page, pm_config_text(config, h->name));
        pm_page_raw(r->page, "</dd>");
    }
    pm_page_raw(r->page, "</dl></details>\n");
}

pm_status pm_report_runs(pm_report *r)
{
    pm_report_heading(r, "The runs");
    pm_page_raw(r->page, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"l\">model</th><th scope=\"col\">seed</th>"
                         "<th scope=\"col\">epochs</th><th scope=\"col\">chosen</th><th scope=\"col\">seconds of training</th>"
                         "<th scope=\"col\" class=\"l\">chosen on</th><th scope=\"col\" class=\"l\">refit</th><th scope=\"col\" class=\"l\">evaluated on</th></tr></thead><tbody>");
    for (int i = 0; i < r->p->count; i++) run_row(r, i);
    pm_page_raw(r->page, "</tbody></table></div>\n");
    for (int i = 0; i < r->p->count; i++) run_settings(r, i);
    return PM_OK;
}
