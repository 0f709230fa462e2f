#include "op/signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
    const char   *at;
    const char   *error;
    pm_signature *sig;
} parser;

static void skip_space(parser *p)
{
    while (isspace((unsigned char)*p->at)) p->at++;
}

static bool fail(parser *p, const char *error)
{
    if (!p->error) p->error = error;
    return false;
}

static bool accept(parser *p, const char *token)
{
    skip_space(p);
    const size_t n = strlen(token);
    if (strncmp(p->at, token, n) != 0) return false;
    p->at += n;
    return true;
}

static bool expect(parser *p, const char *token, const char *error)
{
    return accept(p, token) || fail(p, error);
}

static bool word(parser *p, char out[PM_NAME_SIZE])
{
    skip_space(p);
    int n = 0;
    while (isalnum((unsigned char)*p->at) || *p->at == '_') {
        if (n == PM_NAME_SIZE - 1) return fail(p, "a name is too long");
        out[n++] = *p->at++;
    }
    out[n] = 0;
    return n > 0 || fail(p, "a name is missing");
}

static bool symbol(parser *p, int8_t *out)
{
    skip_space(p);
    if (!isupper((unsigned char)*p->at)) return fail(p, "a dimension letter is missing");
    pm_signature *s = p->sig;
    const char letter = *p->at++;
    for (int i = 0; i < s->symbols; i++)
        if (s->symbol[i] == letter) {
            *out = (int8_t)i;
            return true;
        }
    if (s->symbols == PM_MAX_SYMBOLS) return fail(p, "too many dimension letters");
    s->symbol[s->symbols] = letter;
    *out = (int8_t)s->symbols++;
    return true;
}

static bool number(parser *p, int32_t *out)
{
    char *end;
    *out = (int32_t)strtol(p->at, &end, 10);
    if (end == p->at) return fail(p, "a number is missing");
    p->at = end;
    return true;
}

static bool dimension(parser *p, pm_dim *d)
{
    *d = (pm_dim){ .symbol = -1, .div = 1 };
    skip_space(p);
    if (isdigit((unsigned char)*p->at)) return number(p, &d->number);
    if (!symbol(p, &d->symbol)) return false;
    if (accept(p, "+")) return number(p, &d->add);
    if (accept(p, "/")) return number(p, &d->div);
    return true;
}

static bool shape(parser *p, pm_operand_sig *o)
{
    if (!accept(p, "[")) {    // only state comes without
        o->rows = (pm_dim){ .symbol = -1, .number = 1, .div = 1 };
        o->cols = (pm_dim){ .symbol = -1, .number = 16, .div = 1 };
        return o->domain == PM_STATE || (o->cols.number = 1, o->domain == PM_LIVE) || fail(p, "a shape is missing");
    }
    pm_dim first;
    if (!dimension(p, &first)) return false;
    if (accept(p, ",")) {
        o->rows = first;
        if (!dimension(p, &o->cols)) return false;
    } else {
        o->rows = (pm_dim){ .symbol = -1, .number = 1, .div = 1 };
        o->cols = first;
    }
    return expect(p, "]", "a shape has no ]");
}

static bool dtype(parser *p, pm_operand_sig *o)
{
    char w[PM_NAME_SIZE];
    if (!word(p, w)) return false;
    const bool definite = strcmp(w, "spd") == 0;
    o->dtype = definite || strcmp(w, "f32") == 0 ? PM_F32 : PM_U32;
    o->bound = -1;
    if (definite) {
        o->domain = PM_DEFINITE;
        return true;
    }
    if (strcmp(w, "f32") == 0) {
        if (accept(p, "+")) o->domain = PM_NONNEGATIVE;
        return true;
    }
    if (strcmp(w, "u32") == 0) return true;
    if (strcmp(w, "count") == 0) {
        o->domain = PM_COUNTED;
        return true;
    }
    if (strcmp(w, "b32") == 0) return o->any32 = true;
    if (strcmp(w, "state") == 0) {
        o->domain = PM_STATE;
        return true;
    }
    o->domain = strcmp(w, "idx") == 0    ? PM_INDEX
                : strcmp(w, "ptr") == 0  ? PM_OFFSETS
                : strcmp(w, "live") == 0 ? PM_LIVE
                                         : PM_ANY;
    if (o->domain == PM_ANY) return fail(p, "an unknown element type");
    return expect(p, "<", "idx, ptr and live need <S>") && symbol(p, &o->bound) && expect(p, ">", "idx<S> has no >");
}

// ^p comes before the parameters are known: remembered by name, bound afterwards.
typedef struct marks {
    char transpose[PM_MAX_OPERANDS][PM_NAME_SIZE];
} marks;

static bool operand(parser *p, marks *m, int index, bool output)
{
    pm_operand_sig *o = &p->sig->operand[index];
    *o = (pm_operand_sig){ .bound = -1, .transpose = -1, .alias = -1 };
    if (!word(p, o->name)) return false;
    o->inout = accept(p, "!");
    if (!expect(p, ":", "an operand has no :type") || !dtype(p, o) || !shape(p, o)) return false;
    for (;;) {
        if (accept(p, "^")) {
            if (!word(p, m->transpose[index])) return false;
        } else if (accept(p, "~")) {
            o->windowed = true;
        } else if (output && accept(p, "@")) {
            char name[PM_NAME_SIZE];
            if (!word(p, name)) return false;
            for (int i = 0; i < p->sig->ins; i++)
                if (strcmp(p->sig->operand[i].name, name) == 0) o->alias = (int8_t)i;
            if (o->alias < 0) return fail(p, "@ names no input");
        } else {
            return true;
        }
    }
}

static bool at_separator(parser *p)
{
    skip_space(p);
    return *p->at == 0 || *p->at == ';' || *p->at == '/' || strncmp(p->at, "->", 2) == 0;
}

static bool operands(parser *p, marks *m, int first, int *count, bool output)
{
    *count = 0;
    if (at_separator(p)) return true;
    do {
        if (first + *count == PM_MAX_OPERANDS) return fail(p, "too many operands");
        if (!operand(p, m, first + *count, output)) return false;
        ++*count;
    } while (accept(p, ","));
    return true;
}

static bool bounds(parser *p, pm_param_sig *q)
{
    if (!accept(p, "(")) return true;
    char *end;
    q->lo = strtof(p->at, &end);
    if (end == p->at) return fail(p, "a range has no number");
    p->at = end;
    if (!expect(p, ",", "a range needs two ends")) return false;
    skip_space(p);
    if (isupper((unsigned char)*p->at)) {
        if (!symbol(p, &q->hi_minus[0]) || !expect(p, "-", "a range end is S-T") || !symbol(p, &q->hi_minus[1])) return false;
    } else {
        q->hi = strtof(p->at, &end);
        if (end == p->at) return fail(p, "a range has no number");
        p->at = end;
    }
    return expect(p, ")", "a range has no )");
}

static bool dim_relation(parser *p, pm_param_sig *q)
{
    if (!accept(p, "(")) return true;
    q->relation = *p->at++;
    if (q->relation == '<' || q->relation == '>') {
        if (!expect(p, "=", "a relation is <=, >= or =")) return false;
    } else if (q->relation != '=') {
        return fail(p, "a relation is <=, >= or =");
    }
    if (!symbol(p, &q->relation_to[0])) return false;
    if (q->relation == '=' && (!expect(p, "*", "= needs S*T") || !symbol(p, &q->relation_to[1]))) return false;
    return expect(p, ")", "a relation has no )");
}

static bool parameter(parser *p)
{
    pm_signature *s = p->sig;
    if (s->params == PM_MAX_PARAMS) return fail(p, "too many parameters");
    pm_param_sig *q = &s->param[s->params];
    *q = (pm_param_sig){ .symbol = -1, .hi_minus = { -1, -1 }, .relation_to = { -1, -1 } };
    char w[PM_NAME_SIZE];
    if (!word(p, q->name) || !expect(p, ":", "a parameter has no :kind") || !word(p, w)) return false;
    s->params++;
    if (strcmp(w, "dim") == 0) {
        q->kind = PM_PARAM_DIM;
        parser one = { .at = q->name, .sig = s };
        return (symbol(&one, &q->symbol) || fail(p, "a dimension parameter is one letter")) && dim_relation(p, q);
    }
    q->kind = strcmp(w, "float") == 0    ? PM_PARAM_FLOAT
              : strcmp(w, "flag") == 0   ? PM_PARAM_FLAG
              : strcmp(w, "stream") == 0 ? PM_PARAM_STREAM
                                         : PM_PARAM_U32;
    if (q->kind == PM_PARAM_U32 && strcmp(w, "u32") != 0) return fail(p, "an unknown parameter kind");
    return bounds(p, q);
}

static bool bind_marks(parser *p, const marks *m)
{
    pm_signature *s = p->sig;
    const int total = s->ins + s->outs + s->temps;
    s->window = -1;
    for (int i = 0; i < total; i++) {
        pm_operand_sig *o = &s->operand[i];
        for (int k = 0; k < s->params; k++)
            if (strcmp(s->param[k].name, m->transpose[i]) == 0) o->transpose = (int8_t)k;
        if (m->transpose[i][0] && o->transpose < 0) return fail(p, "^ names no parameter");
        if (!o->windowed) continue;
        // matmul: what is stored by k is windowed over k, whichever operand that is
        const int over = o->transpose >= 0 ? (i == 0 ? o->cols.symbol : o->rows.symbol)
                         : o->rows.symbol >= 0 ? o->rows.symbol
                                               : o->cols.symbol;
        if (s->window >= 0 && s->window != over) return fail(p, "windowed operands differ in their first dimension");
        s->window = over;
    }
    return true;
}

bool pm_signature_parse(const char *text, pm_signature *out, const char **error)
{
    memset(out, 0, sizeof *out);
    marks m;
    memset(&m, 0, sizeof m);
    parser p = { .at = text, .sig = out };
    bool good = operands(&p, &m, 0, &out->ins, false);
    if (good && accept(&p, ";")) {
        do good = parameter(&p);
        while (good && accept(&p, ","));
    }
    good = good && expect(&p, "->", "-> is missing") && operands(&p, &m, out->ins, &out->outs, true);
    if (good && accept(&p, "/")) good = operands(&p, &m, out->ins + out->outs, &out->temps, true);
    skip_space(&p);
    if (good && *p.at) good = fail(&p, "text after the end");
    good = good && bind_marks(&p, &m);
    *error = p.error;
    return good;
}
