// The losses themselves, by predicted preference (MIL, Figure 1): of the runs, or of what a sweep varied.
#include <math.h>

#include "train/report.h"

enum { POINTS = 101, MOST_LOSSES = 16, LABEL = 120 };

// Up to the ends there is no point: cross-entropy would leave no room for the others.
static double preference_at(int i)
{
    return i == 0 ? 0.005 : i == POINTS - 1 ? 0.995 : 0.01 * i;
}

// The lines of one figure.
typedef struct losses {
    int              feedback, count;
    const pm_config *config[PM_CHART_MAX_SERIES];
    const char      *name[PM_CHART_MAX_SERIES];
    char             label[MOST_LOSSES][LABEL];    // of a sweep's
} losses;

static double loss_at(const pm_config *config, int feedback, double p)
{
    const pm_model *model = config ? pm_config_model(config) : NULL;
    return model && model->item_loss ? model->item_loss(config, feedback, p) : NAN;
}

static bool same_line(const pm_config *a, const pm_config *b, int feedback)
{
    for (int i = 0; i < POINTS; i++) {
        const double x = loss_at(a, feedback, preference_at(i)), y = loss_at(b, feedback, preference_at(i));
        if (isfinite(x) != isfinite(y) || (isfinite(x) && x != y)) return false;
    }
    return true;
}

// The first of equal lines stands for all; the others keep their place, so that a run's colour is its own.
static bool drawn_before(const losses *l, int k)
{
    for (int i = 0; i < k; i++)
        if (same_line(l->config[i], l->config[k], l->feedback)) return true;
    return false;
}

// ---- of a sweep ----------------------------------------------------------------------------------------------------

// The winner's config with the values of another setting: of one parameter, or of all (-1). NULL: memory ran out.
static const pm_config *config_of(const pm_report *r, const void *parent, int setting, int parameter)
{
    const pm_sweep *w = r->p->sweep;
    const pm_config *winner = r->p->entries[0].result->config;
    const pm_model *model = pm_config_model(winner);
    pm_config *config;
    if (pm_config_create(parent, model, &config) != PM_OK) return NULL;
    for (const pm_hyper *h = model->hypers; h->name; h++)
        if (pm_config_set(config, h->name, pm_config_text(winner, h->name)) != PM_OK) return NULL;
    for (int k = 0; k < w->parameter_count; k++)
        if ((parameter < 0 || parameter == k) && pm_config_set(config, w->parameters[k], w->settings[setting].values[k]) != PM_OK) return NULL;
    return config;
}

// Whether the line depends on a parameter at all.
static pm_status matters(const pm_report *r, const losses *l, int parameter, bool *out)
{
    *out = false;
    for (int i = 0; i < r->p->sweep->setting_count && !*out; i++) {
        const pm_config *config = config_of(r, l, i, parameter);
        PM_CHECK_ALLOC(config);
        *out = !same_line(config, r->p->entries[0].result->config, l->feedback);
    }
    return PM_OK;
}

static pm_status lines_of_sweep(const pm_report *r, losses *l)
{
    const pm_sweep *w = r->p->sweep;
    bool *named = pm_new_array(l, bool, PM_MAX(w->parameter_count, 1));
    PM_CHECK_ALLOC(named);
    for (int k = 0; k < w->parameter_count; k++) PM_TRY(matters(r, l, k, &named[k]));
    for (int i = 0; i < w->setting_count && l->count < MOST_LOSSES; i++) {
        size_t length = 0;
        char *label = l->label[l->count];
        l->config[l->count] = config_of(r, l, i, -1);
        PM_CHECK_ALLOC(l->config[l->count]);
        if (drawn_before(l, l->count)) continue;
        snprintf(label, LABEL, "%s", r->names[0]);
        for (int k = 0; k < w->parameter_count; k++)
            if (named[k] && length < LABEL)
                length += (size_t)snprintf(label + length, LABEL - length, "%s%s=%s", length ? " " : "", w->parameters[k], w->settings[i].values[k]);
        l->name[l->count++] = label;
    }
    return PM_OK;
}

// ---- the figures ---------------------------------------------------------------------------------------------------

static pm_status draw(pm_report *r, const losses *l, bool *open)
{
    static const char *const names[] = { "loss-disliked", "loss-missing", "loss-liked" };
    static const char *const titles[] = { "Loss of an item that is disliked", "Loss of an item that nothing is known of", "Loss of an item that is liked" };
    double x[POINTS], *y = pm_new_array(l, double, POINTS * l->count);
    bool any = false;
    PM_CHECK_ALLOC(y);
    for (int i = 0; i < POINTS; i++) x[i] = preference_at(i);
    for (int k = 0; k < l->count; k++)
        for (int i = 0; i < POINTS; i++) {
            y[i * l->count + k] = drawn_before(l, k) ? NAN : loss_at(l->config[k], l->feedback, x[i]);
            any = any || isfinite(y[i * l->count + k]);
        }
    if (!any) return PM_OK;
    if (!*open) {
        pm_report_heading(r, "What is minimised");
        pm_page_raw(r->page, "<div class=\"figures\">\n");
    }
    const char *note = "By what is predicted for it (MIL, Figure 1). Equal lines are drawn once, under the first; losses of pairs and of whole lists have none.";
    pm_page_chart(r->page, &(pm_chart){ .kind = PM_CHART_LINES, .name = names[l->feedback + 1], .title = titles[l->feedback + 1],
                                        .note = *open ? NULL : note, .row_name = "predicted preference", .value_name = "loss", .rows = POINTS,
                                        .series = l->count, .x = x, .series_name = l->name, .y = y, .digits = 4, .best_row = -1 });
    *open = true;
    return PM_OK;
}

static pm_status figure(pm_report *r, int feedback, bool *open)
{
    losses *l = pm_new(r->ctx, losses);
    PM_CHECK_ALLOC(l);
    l->feedback = feedback;
    pm_status st = r->p->sweep && r->p->entries[0].result->config ? lines_of_sweep(r, l) : PM_OK;
    for (; !r->p->sweep && l->count < r->p->count; l->count++) {
        l->config[l->count] = r->p->entries[l->count].result->config;
        l->name[l->count] = r->names[l->count];
    }
    if (st == PM_OK && l->count) st = draw(r, l, open);
    pm_free(l);
    return st;
}

pm_status pm_report_losses(pm_report *r)
{
    bool open = false;
    for (int feedback = 1; feedback >= -1; feedback--) PM_TRY(figure(r, feedback, &open));
    if (open) pm_page_raw(r->page, "</div>\n");
    return PM_OK;
}
