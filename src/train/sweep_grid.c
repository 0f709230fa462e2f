// What a sweep varies: reading a grid, all its combinations, or some drawn at random.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/philox.h"
#include "train/sweep.h"

enum { MAX_AXES = 32, MAX_TIED = 8, MAX_POINTS = 10000, STREAM = 0x737770 };

// One axis: names that go together, and the points they take, or a range.
typedef struct axis {
    int          name_count, point_count;
    const char  *name[MAX_TIED];
    const char **value;    // [point_count, name_count]
    bool         range, logarithmic, whole;
    double       lo, hi;
} axis;

typedef struct grid {
    const pm_model *model;
    int             axis_count;
    axis            axes[MAX_AXES];
} grid;

// ---- reading -------------------------------------------------------------------------------------------------------

static char *trimmed(char *text)
{
    while (*text == ' ') text++;
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == ' ') text[--n] = 0;
    return text;
}

// Cuts at a character, in place; at most `most` pieces. The count, −1 when there are more.
static int cut(char *text, char at, char **pieces, int most)
{
    int n = 0;
    for (char *next; text; text = next) {
        next = strchr(text, at);
        if (next) *next++ = 0;
        if (n == most) return -1;
        pieces[n++] = trimmed(text);
    }
    return n;
}

static const pm_hyper *find_hyper(const pm_model *model, const char *name)
{
    for (const pm_hyper *h = model->hypers; h && h->name; h++)
        if (pm_name_equal(h->name, name)) return h;
    return NULL;
}

static pm_status unknown_name(const void *object, const pm_model *model, const char *name)
{
    const char *names[128] = { NULL };
    char list[1500] = "";
    int n = 0;
    size_t used = 0;
    for (const pm_hyper *h = model->hypers; h && h->name && n < PM_COUNT(names); h++) names[n++] = h->name;
    for (int i = 0; i < n && used < sizeof list; i++) used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    const char *near = pm_nearest_name(name, names, n);
    return pm_fail(object, PM_ERR_ARG, "grid: %s has no hyperparameter \"%s\"%s%s%s It has: %s", model->name, name,
                   near ? "; did you mean \"" : ".", near ? near : "", near ? "\"?" : "", n ? list : "none");
}

static pm_status read_names(const void *object, grid *g, axis *a, char *text)
{
    char *names[MAX_TIED];
    a->name_count = cut(text, '/', names, MAX_TIED);
    PM_REQUIRE(object, a->name_count > 0, PM_ERR_ARG, "grid: more than %d names are tied", MAX_TIED);
    for (int i = 0; i < a->name_count; i++) {
        PM_REQUIRE(object, *names[i], PM_ERR_ARG, "grid: a name is missing before \"=\"; write name=value,value;name=value,value");
        a->name[i] = names[i];
        if (!find_hyper(g->model, names[i])) return unknown_name(object, g->model, names[i]);
        for (const axis *b = g->axes; b <= a; b++)
            for (int k = 0; k < (b == a ? i : b->name_count); k++)
                PM_REQUIRE(object, !pm_name_equal(b->name[k], names[i]), PM_ERR_ARG, "grid: %s is given twice", names[i]);
    }
    return PM_OK;
}

// "0.1..0.5" or "log:1e-4..1e-2" for one name. *found: it is a range at all.
static pm_status read_range(const void *object, const grid *g, axis *a, const char *text, bool *found)
{
    const bool logarithmic = strncmp(text, "log:", 4) == 0;
    const char *at = logarithmic ? text + 4 : text, *dots = strstr(at, "..");
    char *end;
    *found = dots != NULL && a->name_count == 1;
    if (!*found) return PM_OK;
    const pm_hyper *h = find_hyper(g->model, a->name[0]);
    a->range = true;
    a->logarithmic = logarithmic;
    a->whole = h->type == PM_HYPER_INTEGER;
    PM_REQUIRE(object, a->whole || h->type == PM_HYPER_NUMBER, PM_ERR_ARG,
               "grid: %s is no number and cannot take a range; list its values", h->name);
    char low[64];    // apart, since "0..1" reads as "0." otherwise
    snprintf(low, sizeof low, "%.*s", (int)PM_MIN(dots - at, (ptrdiff_t)sizeof low - 1), at);
    errno = 0;
    a->lo = strtod(low, &end);
    const bool first = end != low && !*end;
    a->hi = strtod(dots + 2, &end);
    PM_REQUIRE(object, first && end != dots + 2 && !*end && errno == 0 && a->lo < a->hi, PM_ERR_ARG,
               "grid: %s=%s is no range; write lo..hi with lo below hi, such as 0.1..0.5 or log:1e-4..1e-2", h->name, text);
    PM_REQUIRE(object, a->lo >= h->lo && a->hi <= h->hi, PM_ERR_ARG, "grid: %s=%s must be within %g and %g", h->name, text, h->lo, h->hi);
    PM_REQUIRE(object, !logarithmic || a->lo > 0, PM_ERR_ARG,
               "grid: %s=%s has no logarithm at its lower end; it must be above 0", h->name, text);
    return PM_OK;
}

static bool same_point(const axis *a, int i, int k)
{
    for (int n = 0; n < a->name_count; n++)
        if (!pm_name_equal(a->value[i * a->name_count + n], a->value[k * a->name_count + n])) return false;
    return true;
}

static pm_status read_points(const void *object, axis *a, char *text)
{
    char **points = pm_new_array(object, char *, MAX_POINTS);
    PM_CHECK_ALLOC(points);
    a->point_count = cut(text, strchr(text, '|') ? '|' : ',', points, MAX_POINTS);
    PM_REQUIRE(object, a->point_count > 0, PM_ERR_ARG, "grid: %s has more than %d values", a->name[0], MAX_POINTS);
    a->value = pm_new_array(object, const char *, (int64_t)a->point_count * a->name_count);
    PM_CHECK_ALLOC(a->value);
    for (int i = 0; i < a->point_count; i++) {
        char *parts[MAX_TIED] = { points[i] };
        PM_REQUIRE(object, *points[i], PM_ERR_ARG, "grid: a value of %s is missing; write name=value,value;name=value,value", a->name[0]);
        const int n = a->name_count == 1 ? 1 : cut(points[i], '/', parts, MAX_TIED);
        PM_REQUIRE(object, n == a->name_count, PM_ERR_ARG, "grid: %d tied names want %d values with slashes between, and point %d of %s has %d",
                   a->name_count, a->name_count, i + 1, a->name[0], n);
        for (int k = 0; k < n; k++) a->value[i * n + k] = parts[k];
        for (int k = 0; k < i; k++)
            PM_REQUIRE(object, !same_point(a, i, k), PM_ERR_ARG, "grid: %s has the value %s twice", a->name[0], parts[0]);
    }
    pm_free(points);
    return PM_OK;
}

static pm_status read_axis(const void *object, grid *g, char *text)
{
    PM_REQUIRE(object, g->axis_count < MAX_AXES, PM_ERR_ARG, "grid: more than %d parameters", MAX_AXES);
    axis *a = &g->axes[g->axis_count];
    char *equals = strchr(text, '=');
    bool range;
    PM_REQUIRE(object, equals, PM_ERR_ARG, "grid: \"%s\" lacks its values; write name=value,value;name=value,value", text);
    *equals = 0;
    PM_TRY(read_names(object, g, a, text));
    char *values = trimmed(equals + 1);
    PM_REQUIRE(object, *values, PM_ERR_ARG, "grid: %s has no values", a->name[0]);
    PM_TRY(read_range(object, g, a, values, &range));
    if (!range) PM_TRY(read_points(object, a, values));
    g->axis_count++;
    return PM_OK;
}

static pm_status read_grid(const void *object, const pm_sweep_params *p, const char *text, grid *g)
{
    char *copy = pm_strdup(object, text);
    PM_CHECK_ALLOC(copy);
    for (char *piece = copy, *next; piece; piece = next) {
        next = strchr(piece, ';');
        if (next) *next++ = 0;
        piece = trimmed(piece);
        if (*piece) PM_TRY(read_axis(object, g, piece));
    }
    PM_REQUIRE(object, g->axis_count > 0, PM_ERR_ARG, "grid: it is empty; write name=value,value;name=value,value");
    for (int i = 0; i < g->axis_count; i++)
        PM_REQUIRE(object, p->random > 0 || !g->axes[i].range, PM_ERR_ARG,
                   "grid: %s is a range, from which --random N draws; without it list values", g->axes[i].name[0]);
    return PM_OK;
}

static pm_status find_named(const void *object, const pm_model *model, const char *name, const char **text)
{
    const char *names[64] = { NULL };
    char list[700] = "";
    int n = 0;
    size_t used = 0;
    for (const pm_model_grid *m = model->grids; m && m->name && n < PM_COUNT(names); m++) {
        *text = m->grid;
        if (pm_name_equal(m->name, name)) return PM_OK;
        names[n++] = m->name;
        if (used < sizeof list) used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", m->name);
    }
    const char *near = pm_nearest_name(name, names, n);
    return pm_fail(object, PM_ERR_ARG, "%s has no grid \"%s\"%s%s%s It has: %s", model->name, name, near ? "; did you mean \"" : ".",
                   near ? near : "", near ? "\"?" : "", n ? list : "none");
}

// ---- settings ------------------------------------------------------------------------------------------------------

// All combinations; −1 where a range makes them endless, or they are too many to count.
static int64_t combinations(const grid *g)
{
    int64_t n = 1;
    for (int i = 0; i < g->axis_count; i++)
        if (g->axes[i].range || !pm_mul_size(n, g->axes[i].point_count, &n)) return -1;
    return n;
}

static void put_point(const axis *a, int point, const char **values)
{
    for (int k = 0; k < a->name_count; k++) values[k] = a->value[point * a->name_count + k];
}

// The index-th combination, the last axis running fastest.
static void put_combination(const grid *g, const pm_space *s, int64_t index, const char **values)
{
    int at = s->parameter_count;
    for (int i = g->axis_count - 1; i >= 0; i--) {
        const axis *a = &g->axes[i];
        at -= a->name_count;
        put_point(a, (int)(index % a->point_count), values + at);
        index /= a->point_count;
    }
}

static double draw_unit(uint64_t seed, uint32_t attempt, uint32_t column)
{
    return pm_open_unit_from_bits(pm_random_bits(seed, STREAM, 0, 0, attempt, column));
}

static pm_status draw_value(const void *object, const axis *a, double u, const char **value)
{
    double v = a->logarithmic ? exp(log(a->lo) + u * (log(a->hi) - log(a->lo))) : a->lo + u * (a->hi - a->lo);
    if (a->whole) v = fmin(floor(a->lo + u * (a->hi - a->lo + 1)), a->hi);
    if (a->whole && a->logarithmic) v = round(exp(log(a->lo) + u * (log(a->hi) - log(a->lo))));
    char text[32];
    snprintf(text, sizeof text, a->whole ? "%.0f" : "%.4g", v);
    for (char *c = text; *c; c++)
        if (*c == ',') *c = '.';    // some locales write it so
    *value = pm_strdup(object, text);
    return *value ? PM_OK : PM_ERR_NOMEM;
}

static pm_status draw(const void *object, const grid *g, uint64_t seed, uint32_t attempt, const char **values)
{
    for (int i = 0, at = 0; i < g->axis_count; at += g->axes[i].name_count, i++) {
        const axis *a = &g->axes[i];
        const double u = draw_unit(seed, attempt, (uint32_t)i);
        if (a->range) PM_TRY(draw_value(object, a, u, &values[at]));
        else put_point(a, PM_MIN((int)(u * a->point_count), a->point_count - 1), values + at);
    }
    return PM_OK;
}

static bool equal_values(const char *const *a, const char *const *b, int n)
{
    for (int i = 0; i < n; i++)
        if (!pm_name_equal(a[i], b[i])) return false;
    return true;
}

// Different settings, as many as were asked for, or as can be found.
static pm_status draw_all(pm_space *s, const grid *g, int64_t wanted, uint64_t seed, const char **values)
{
    const int n = s->parameter_count;
    const uint32_t patience = (uint32_t)PM_MIN(200 * wanted + 1000, 100000000);
    for (uint32_t attempt = 0; s->setting_count < wanted && attempt < patience; attempt++) {
        const char **mine = values + (int64_t)s->setting_count * n;
        bool new = true;
        PM_TRY(draw(s, g, seed, attempt, mine));
        for (int i = 0; i < s->setting_count && new; i++) new = !equal_values(values + (int64_t)i * n, mine, n);
        s->setting_count += new;
    }
    if (s->setting_count < wanted)
        pm_log(s, PM_LOG_WARN, "only %d different settings were found for --random %" PRId64, s->setting_count, wanted);
    return PM_OK;
}

static pm_status make_settings(pm_space *s, const grid *g, const pm_sweep_params *p)
{
    const int64_t all = combinations(g);
    const bool drawn = p->random > 0 && (all < 0 || all > p->random);
    const int64_t count = drawn ? p->random : all;
    PM_REQUIRE(s, count >= 0 && count <= PM_SWEEP_MAX_SETTINGS, PM_ERR_ARG, "grid: it has more than %d settings; draw some with --random N",
               PM_SWEEP_MAX_SETTINGS);
    for (int i = 0; i < g->axis_count; i++) s->parameter_count += g->axes[i].name_count;
    const char **values = pm_new_array(s, const char *, count * s->parameter_count);
    s->parameters = pm_new_array(s, const char *, s->parameter_count);
    if (!values || !s->parameters) return PM_ERR_NOMEM;
    s->values = values;
    for (int i = 0, at = 0; i < g->axis_count; i++)
        for (int k = 0; k < g->axes[i].name_count; k++) s->parameters[at++] = g->axes[i].name[k];
    if (drawn) return draw_all(s, g, count, p->spec->seed, values);
    if (p->random > all)
        pm_log(s, PM_LOG_INFO, "the grid has %" PRId64 " settings, fewer than --random %" PRId64 ": all are run", all, p->random);
    for (; s->setting_count < count; s->setting_count++)
        put_combination(g, s, s->setting_count, values + (int64_t)s->setting_count * s->parameter_count);
    return PM_OK;
}

// Every value by the model's table, before the first run starts.
static pm_status check_settings(const pm_space *s, const pm_sweep_params *p)
{
    pm_config *config;
    PM_TRY(pm_spec_config(s, p->spec, &config));
    for (int i = 0; i < s->setting_count; i++)
        for (int k = 0; k < s->parameter_count; k++)
            PM_TRY(pm_config_set(config, s->parameters[k], s->values[(int64_t)i * s->parameter_count + k]));
    pm_free(config);
    return PM_OK;
}

pm_status pm_space_create(const void *parent, const pm_sweep_params *p, const pm_model *model, pm_space **out)
{
    const char *text = p->grid;
    *out = NULL;
    PM_REQUIRE(parent, !p->grid || !p->grid_name, PM_ERR_ARG, "a grid and a grid of the model's own exclude each other");
    PM_REQUIRE(parent, p->grid || p->grid_name, PM_ERR_ARG,
               "sweep: what is to be varied? Give --grid \"name=value,value;…\" or --preset-grid NAME");
    pm_space *s = pm_new(parent, pm_space);
    PM_CHECK_ALLOC(s);
    grid *g = pm_new(s, grid);
    PM_CHECK_ALLOC(g);
    g->model = model;
    if (p->grid_name) PM_TRY(find_named(s, model, p->grid_name, &text));
    PM_TRY(read_grid(s, p, text, g));
    PM_TRY(make_settings(s, g, p));
    PM_TRY(check_settings(s, p));
    *out = s;
    return PM_OK;
}
