// Hyperparameter values: defaults from the table, presets, settings; every fault says what would have been right.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/models.h"

enum { MAX_SIZES = 8 };

typedef struct value {
    char   *text;
    double  number;
    int64_t sizes[MAX_SIZES];
    int     size_count;
} value;

struct pm_config {
    const pm_model *model;
    value          *values;
    int             count;
};

static int hyper_count(const pm_model *m)
{
    int n = 0;
    while (m->hypers && m->hypers[n].name) n++;
    return n;
}

static int hyper_index(const pm_config *c, const char *name)
{
    for (int i = 0; i < c->count; i++)
        if (pm_name_equal(c->model->hypers[i].name, name)) return i;
    return -1;
}

static pm_status parse_number(pm_config *c, const pm_hyper *h, const char *text, double *out)
{
    const char *last = text;    // of its numbers: 1/12 has two
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    if (h->type == PM_HYPER_NUMBER && end != text && *end == '/') {
        last = end + 1;
        *out /= strtod(last, &end);
    }
    const bool whole = h->type == PM_HYPER_NUMBER || *out == floor(*out);
    PM_REQUIRE(c, end != last && !*end && errno == 0 && isfinite(*out) && whole && *out >= h->lo && *out <= h->hi, PM_ERR_ARG,
               "%s: %s = \"%s\" must be %s from %g to %g", c->model->name, h->name, text,
               h->type == PM_HYPER_NUMBER ? "a number" : "a whole number", h->lo, h->hi);
    return PM_OK;
}

static pm_status parse_sizes(pm_config *c, const pm_hyper *h, const char *text, value *v)
{
    v->size_count = 0;
    if (!*text || pm_name_equal(text, "none")) return PM_OK;
    for (const char *at = text;;) {
        char *end;
        errno = 0;
        const long long n = strtoll(at, &end, 10);
        PM_REQUIRE(c, end != at && errno == 0 && (*end == ',' || !*end) && (double)n >= h->lo && (double)n <= h->hi, PM_ERR_ARG,
                   "%s: %s = \"%s\" must be layer sizes from %g to %g with commas between, such as 600,200, or none", c->model->name,
                   h->name, text, h->lo, h->hi);
        PM_REQUIRE(c, v->size_count < MAX_SIZES, PM_ERR_ARG, "%s: %s = \"%s\" has more than %d sizes", c->model->name, h->name, text, MAX_SIZES);
        v->sizes[v->size_count++] = n;
        if (!*end) return PM_OK;
        at = end + 1;
    }
}

static bool in_choices(const char *choices, const char *text)
{
    const size_t n = strlen(text);
    for (const char *at = choices; at && *at;) {
        const char *bar = strchr(at, '|');
        const size_t length = bar ? (size_t)(bar - at) : strlen(at);
        if (length == n && strncmp(at, text, n) == 0) return true;
        at = bar ? bar + 1 : NULL;
    }
    return false;
}

static pm_status set_value(pm_config *c, int i, const char *text)
{
    const pm_hyper *h = &c->model->hypers[i];
    value v = { 0 };
    switch (h->type) {
    case PM_HYPER_NUMBER:
    case PM_HYPER_INTEGER: PM_TRY(parse_number(c, h, text, &v.number)); break;
    case PM_HYPER_FLAG:
        v.number = in_choices("on|true|yes|1", text);
        PM_REQUIRE(c, v.number != 0 || in_choices("off|false|no|0", text), PM_ERR_ARG, "%s: %s = \"%s\" must be on or off",
                   c->model->name, h->name, text);
        text = v.number != 0 ? "on" : "off";
        break;
    case PM_HYPER_CHOICE:
        PM_REQUIRE(c, in_choices(h->choices, text), PM_ERR_ARG, "%s: %s = \"%s\" must be one of %s", c->model->name, h->name, text, h->choices);
        break;
    case PM_HYPER_SIZES: PM_TRY(parse_sizes(c, h, text, &v)); break;
    }
    v.text = pm_strdup(c, text);
    PM_CHECK_ALLOC(v.text);
    pm_free(c->values[i].text);
    c->values[i] = v;
    return PM_OK;
}

pm_status pm_config_create(const void *parent, const pm_model *model, pm_config **out)
{
    *out = NULL;
    pm_config *c = pm_new(parent, pm_config);
    PM_CHECK_ALLOC(c);
    c->model = model;
    c->count = hyper_count(model);
    c->values = pm_new_array(c, value, c->count);
    pm_status st = c->values ? PM_OK : PM_ERR_NOMEM;
    for (int i = 0; i < c->count && st == PM_OK; i++) st = set_value(c, i, model->hypers[i].value);
    if (st != PM_OK) {
        pm_free(c);
        return st;
    }
    *out = c;
    return PM_OK;
}

// "a, b, c" of the names at `stride` bytes apart, until a NULL name.
static void list_names(const void *table, size_t stride, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (const char *at = table; at && *(const char *const *)(const void *)at && used < size; at += stride)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", *(const char *const *)(const void *)at);
}

static const char *nearest_in_table(const char *name, const void *table, size_t stride)
{
    const char *names[64];
    int n = 0;
    for (const char *at = table; at && *(const char *const *)(const void *)at && n < PM_COUNT(names); at += stride)
        names[n++] = *(const char *const *)(const void *)at;
    return pm_nearest_name(name, names, n);
}

pm_status pm_config_set(pm_config *config, const char *name, const char *text)
{
    const int i = hyper_index(config, name);
    if (i >= 0) return set_value(config, i, text);
    char known[700];
    list_names(config->model->hypers, sizeof(pm_hyper), known, sizeof known);
    const char *near = nearest_in_table(name, config->model->hypers, sizeof(pm_hyper));
    return pm_fail(config, PM_ERR_ARG, "%s has no hyperparameter \"%s\"%s%s%s It has: %s", config->model->name, name,
                   near ? "; did you mean \"" : ".", near ? near : "", near ? "\"?" : "", known);
}

pm_status pm_config_assign(pm_config *config, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    PM_REQUIRE(config, equals && equals > assignment, PM_ERR_ARG, "\"%s\" is no setting; write name=value", assignment);
    char name[64];
    PM_REQUIRE(config, (size_t)(equals - assignment) < sizeof name, PM_ERR_ARG, "\"%s\": the name is too long", assignment);
    memcpy(name, assignment, (size_t)(equals - assignment));
    name[equals - assignment] = 0;
    return pm_config_set(config, name, equals + 1);
}

pm_status pm_config_preset(pm_config *config, const char *name)
{
    const pm_preset *p = config->model->presets;
    while (p && p->name && !pm_name_equal(p->name, name)) p++;
    if (!p || !p->name) {
        char known[700];
        list_names(config->model->presets, sizeof(pm_preset), known, sizeof known);
        const char *near = nearest_in_table(name, config->model->presets, sizeof(pm_preset));
        return pm_fail(config, PM_ERR_ARG, "%s has no preset \"%s\"%s%s%s It has: %s", config->model->name, name,
                       near ? "; did you mean \"" : ".", near ? near : "", near ? "\"?" : "", *known ? known : "none");
    }
    char one[128];
    for (const char *at = p->settings; *at;) {
        const size_t n = strcspn(at, " ");
        PM_REQUIRE(config, n < sizeof one, PM_ERR_INTERNAL, "preset %s: a setting is too long", p->name);
        memcpy(one, at, n);
        one[n] = 0;
        if (n) PM_TRY(pm_config_assign(config, one));
        at += n + (at[n] == ' ');
    }
    return PM_OK;
}

const pm_model *pm_config_model(const pm_config *config)
{
    return config->model;
}

static const value *get(const pm_config *c, const char *name)
{
    static const value nothing = { .text = "" };
    const int i = hyper_index(c, name);
    return i >= 0 ? &c->values[i] : &nothing;
}

const char *pm_config_text(const pm_config *config, const char *name)
{
    const int i = hyper_index(config, name);
    return i >= 0 ? config->values[i].text : NULL;
}

double pm_config_number(const pm_config *config, const char *name)
{
    return get(config, name)->number;
}

int64_t pm_config_integer(const pm_config *config, const char *name)
{
    return (int64_t)get(config, name)->number;
}

bool pm_config_flag(const pm_config *config, const char *name)
{
    return get(config, name)->number != 0;
}

bool pm_config_is(const pm_config *config, const char *name, const char *choice)
{
    return pm_name_equal(get(config, name)->text, choice);
}

int pm_config_sizes(const pm_config *config, const char *name, int64_t *sizes, int capacity)
{
    const value *v = get(config, name);
    for (int i = 0; i < v->size_count && i < capacity; i++) sizes[i] = v->sizes[i];
    return v->size_count;
}
