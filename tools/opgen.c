// Reads include/pumice/ops.def, and what it includes, as text and writes what follows from it: the op table, parameter structs, the
// public calls, the bindings and push block of each shader, and the op reference. Runs at build time.
//     opgen OPS.DEF OUT_FOLDER
// writes OUT/include/pumice/op_calls.h, OUT/generated/{op_table.c,op_calls.c,op_params.h}, OUT/generated/glsl/NAME.glsl,
// OUT/generated/ops.md
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op/signature.h"

enum { MAX_OPS = 256, MAX_FIELDS = 10, PUSH_WORDS = 32 };

typedef struct line {
    char *doc, *field[MAX_FIELDS], signature[1024];
    pm_signature sig;
} line;

static line ops[MAX_OPS];
static int  op_count;

static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("opgen: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) die("%s: cannot open", path);
    fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    rewind(f);
    char *text = calloc((size_t)size + 1, 1);
    if (!text || fread(text, 1, (size_t)size, f) != (size_t)size) die("%s: cannot read", path);
    fclose(f);
    return text;
}

static char *copy_trimmed(const char *from, const char *to)
{
    while (from < to && strchr(" \t\n", *from)) from++;
    while (to > from && strchr(" \t\n", to[-1])) to--;
    char *text = calloc((size_t)(to - from) + 1, 1);
    memcpy(text, from, (size_t)(to - from));
    return text;
}

// Splits PM_OP( … ) at its top-level commas; a string may hold commas.
static const char *split_fields(const char *at, line *l)
{
    int n = 0;
    const char *start = at;
    for (bool quoted = false;; at++) {
        if (!*at) die("a PM_OP has no end");
        if (*at == '"') quoted = !quoted;
        if (quoted || (*at != ',' && *at != ')')) continue;
        if (n == MAX_FIELDS) die("a PM_OP has too many fields");
        l->field[n++] = copy_trimmed(start, at);
        start = at + 1;
        if (*at == ')') break;
    }
    if (n != 9) die("PM_OP(%s): %d fields, 9 are needed", l->field[0], n);
    return at + 1;
}

static void parse_op(const char *doc, const char *at, const char **end)
{
    if (op_count == MAX_OPS) die("more than %d ops", MAX_OPS);
    line *l = &ops[op_count++];
    if (!doc) die("an op has no documentation: %.60s", at);
    l->doc = copy_trimmed(doc, at);
    *end = split_fields(at + 6, l);
    const char *error, *s = l->field[3];
    size_t n = strlen(s);
    if (n < 2 || n > sizeof l->signature) die("%s: the signature must be a string", l->field[0]);
    memcpy(l->signature, s + 1, n - 2);
    if (!pm_signature_parse(l->signature, &l->sig, &error)) die("%s: %s: %s", l->field[0], error, l->signature);
}

// The path that a line #include "…" of the file `from` names.
static char *included(const char *from, const char *at)
{
    const char *name = strchr(at, '"'), *end = name ? strchr(name + 1, '"') : NULL;
    if (!end) die("%s: an #include names a file in quotes: %.60s", from, at);
    const char *slash = strrchr(from, '/');
    const size_t folder = slash ? (size_t)(slash + 1 - from) : 0, n = (size_t)(end - name - 1);
    char *path = calloc(folder + n + 1, 1);
    memcpy(path, from, folder);
    memcpy(path + folder, name + 1, n);
    return path;
}

static void parse_file(const char *path)
{
    const char *doc = NULL;
    for (const char *at = read_text(path); *at;) {
        const char *end = strchr(at, '\n');
        if (!end) end = at + strlen(at);
        if (strncmp(at, "//", 2) == 0) {
            if (!doc) doc = at;
        } else {
            if (strncmp(at, "PM_OP(", 6) == 0) parse_op(doc, at, &end);
            else if (strncmp(at, "#include", 8) == 0) parse_file(included(path, at));
            doc = NULL;
        }
        at = *end ? end + 1 : end;
    }
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    if (!f) die("%s: cannot create", path);
    return f;
}

static void quote(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '\n') fputs("\\n\"\n        \"", f);
        else if (*text == '"' || *text == '\\') fprintf(f, "\\%c", *text);
        else fputc(*text, f);
    }
    fputc('"', f);
}

static void write_dim(FILE *f, const pm_dim *d)
{
    fprintf(f, "{ %d, %d, %d, %d }", d->symbol, d->number, d->add, d->div);
}

static void write_table(const char *out)
{
    FILE *f = create(out, "generated/op_table.c");
    fputs("// Generated from ops.def.\n#include \"op/op.h\"\n\nconst pm_op_info pm_op_table[PM_OP_COUNT] = {\n", f);
    for (int i = 0; i < op_count; i++) {
        const line *l = &ops[i];
        const pm_signature *s = &l->sig;
        int growth = -1;
        for (int k = 0; k < s->symbols; k++)
            if (l->field[8][0] == s->symbol[k] && !l->field[8][1]) growth = k;
        if (growth < 0 && strcmp(l->field[8], "1") != 0) die("%s: growth %s is no dimension", l->field[0], l->field[8]);
        fprintf(f, "    [PM_OP_%s] = { \"%s\", ", l->field[1], l->field[0]);
        quote(f, l->signature);
        fputs(", ", f);
        quote(f, l->doc);
        fprintf(f, ", PM_CLASS_%s,\n        { %d, %d, %d, %d, %d, { ", l->field[2], s->ins, s->outs, s->temps, s->params, s->symbols);
        for (int k = 0; k < PM_MAX_SYMBOLS; k++) fprintf(f, "%d, ", s->symbol[k]);
        fputs("}, {\n", f);
        for (int k = 0; k < s->ins + s->outs + s->temps; k++) {
            const pm_operand_sig *o = &s->operand[k];
            fprintf(f, "            { \"%s\", %d, %d, %d, %d, %d, %d, %d, %d, ", o->name, o->dtype, o->domain, o->any32, o->inout,
                    o->windowed, o->bound, o->transpose, o->alias);
            write_dim(f, &o->rows);
            fputs(", ", f);
            write_dim(f, &o->cols);
            fputs(" },\n", f);
        }
        fputs("        }, {\n", f);
        for (int k = 0; k < s->params; k++) {
            const pm_param_sig *q = &s->param[k];
            fprintf(f, "            { \"%s\", %d, %.9ef, %.9ef, { %d, %d }, %d, %d, { %d, %d } },\n", q->name, q->kind, q->lo, q->hi,
                    q->hi_minus[0], q->hi_minus[1], q->symbol, q->relation, q->relation_to[0], q->relation_to[1]);
        }
        if (!s->params) fputs("            { .symbol = -1 },\n", f);
        fprintf(f, "        }, %d },\n        %d, %d, %d, %sf, %d },\n", s->window, strcmp(l->field[4], "own") == 0,
                strcmp(l->field[5], "own") == 0, strcmp(l->field[6], "own") == 0,
                strchr(l->field[7], '.') ? l->field[7] : strcat(strcpy(calloc(32, 1), l->field[7]), ".0"), growth);
    }
    fputs("};\n", f);
    fclose(f);
}

static void write_prototype(FILE *f, const line *l)
{
    const pm_signature *s = &l->sig;
    static const char *const types[] = { "float", "uint32_t", "bool", "const char *", "int64_t" };
    fprintf(f, "%s pm_%s(pm_graph *graph", s->outs ? "pm_var" : "void", l->field[0]);
    for (int i = 0; i < s->ins; i++) fprintf(f, ", pm_var %s", s->operand[i].name);
    for (int i = 0; i < s->params; i++) {
        const char *type = types[s->param[i].kind];
        fprintf(f, ", %s%s%s", type, strchr(type, '*') ? "" : " ", s->param[i].name);
    }
    for (int i = 1; i < s->outs; i++) fprintf(f, ", pm_var *%s", s->operand[s->ins + i].name);
    fputs(")", f);
}

static void write_calls(const char *out)
{
    FILE *h = create(out, "include/pumice/op_calls.h"), *c = create(out, "generated/op_calls.c");
    fputs("// Generated from ops.def: one call an op. Each appends the op to a graph under construction. Every operand is a pm_var of\n"
          "// the same graph; after a failure calls do nothing and return a poison pm_var (graph.h). Outputs after the first come back\n"
          "// through pointers, which may be NULL.\n#ifndef PUMICE_OP_CALLS_H\n#define PUMICE_OP_CALLS_H\n\n#include <pumice/var.h>\n\nPM_API_BEGIN\n\n", h);
    fputs("// Generated from ops.def.\n#include <pumice/op_calls.h>\n\n#include \"graph/graph.h\"\n\n", c);
    for (int i = 0; i < op_count; i++) {
        const line *l = &ops[i];
        const pm_signature *s = &l->sig;
        fprintf(h, "%s\n//     %s\n", l->doc, l->signature);
        write_prototype(h, l);
        fputs(";\n\n", h);
        write_prototype(c, l);
        fputs("\n{\n", c);
        fprintf(c, "    const pm_var in[%d] = { ", s->ins + 1);
        for (int k = 0; k < s->ins; k++) fprintf(c, "%s, ", s->operand[k].name);
        fprintf(c, "{ -1 } };\n    const pm_arg args[%d] = { ", s->params + 1);
        static const char *const fields[] = { "number", "word", "flag", "stream", "dim" };
        for (int k = 0; k < s->params; k++) fprintf(c, "{ .%s = %s }, ", fields[s->param[k].kind], s->param[k].name);
        fprintf(c, "{ .dim = 0 } };\n    pm_var out[%d];\n    pm_graph_op(graph, PM_OP_%s, in, args, out);\n", s->outs + 1, l->field[1]);
        for (int k = 1; k < s->outs; k++) fprintf(c, "    if (%s) *%s = out[%d];\n", s->operand[s->ins + k].name, s->operand[s->ins + k].name, k);
        fputs(s->outs ? "    return out[0];\n}\n\n" : "}\n\n", c);
    }
    fputs("PM_API_END\n#endif\n", h);
    fclose(h);
    fclose(c);
}

static void write_params(const char *out)
{
    FILE *f = create(out, "generated/op_params.h");
    fputs("// Generated from ops.def: the parameters of each op as kernels get them.\n#ifndef PM_OP_PARAMS_H\n#define PM_OP_PARAMS_H\n\n#include <stdint.h>\n\n", f);
    for (int i = 0; i < op_count; i++) {
        const pm_signature *s = &ops[i].sig;
        int n = 0;
        for (int k = 0; k < s->params; k++) n += s->param[k].kind != PM_PARAM_DIM;
        if (!n) continue;
        fprintf(f, "typedef struct pm_%s_params {\n", ops[i].field[0]);
        for (int k = 0; k < s->params; k++)
            if (s->param[k].kind != PM_PARAM_DIM)
                fprintf(f, "    %s %s;\n", s->param[k].kind == PM_PARAM_FLOAT ? "float" : "uint32_t", s->param[k].name);
        fprintf(f, "} pm_%s_params;\n\n", ops[i].field[0]);
    }
    fputs("#endif\n", f);
    fclose(f);
}

// NAME4(i, j): PM_WIDTH elements from column j on, a multiple of PM_WIDTH, through a wider view of the same binding.
static void write_accessor(FILE *f, const pm_operand_sig *o, int binding, bool written)
{
    if (o->transpose >= 0 || o->cols.symbol < 0) return;
    const char *n = o->name;
    fprintf(f, "#ifdef PM_VARIANT_WIDE\nlayout(std430, set = 0, binding = %d) %sbuffer pm_wide_%d { %s %s_wide_[]; };\n", binding,
            written ? "" : "readonly ", binding, o->dtype == PM_F32 ? "vec4" : "uvec4", n);
    if (pm_single_row(o)) fprintf(f, "#define %s4(j) %s_wide_[(p.%s_off + (j)) / 4u]\n#else\n#define %s4(j) %s(j)\n#endif\n", n, n, n, n, n);
    else
        fprintf(f, "#define %s4(i, j) %s_wide_[(p.%s_off + (i) * p.%s_stride + (j)) / 4u]\n#else\n#define %s4(i, j) %s(i, j)\n#endif\n", n, n, n,
                n, n, n);
}

// What the bodies of a product want besides: a and b in fours, and scratch for sums.
static void write_product(FILE *f, const pm_signature *s, int total)
{
    for (int i = 0; i < 2; i++) {
        if (s->ins < 2 || strcmp(s->operand[i].name, i ? "b" : "a") != 0) die("the first operands of an op of class MATMUL are a and b");
        fprintf(f, "layout(std430, set = 0, binding = %d) readonly buffer pm_wide_%d { vec4 %c4_[]; };\n", i, i, "ab"[i]);
    }
    fprintf(f, "layout(std430, set = 0, binding = %d) buffer pm_buffer_%d { float sums_[]; };\n", total, total);
}

// Bindings in operand order; push block: offset (and stride) of each operand, the dimensions, the parameters, then what the
// backend adds: the rows [lo, hi) and the window [win_lo, win_hi) of this dispatch, and the pass. A product has one binding more,
// scratch, the length of a part of K, the first of its columns, and PM_MATMUL_WAIT: where a sum lies between windows over K.
static void write_glsl(const char *out, const line *l)
{
    const pm_signature *s = &l->sig;
    char name[256];
    snprintf(name, sizeof name, "generated/glsl/%s.glsl", l->field[0]);
    FILE *f = create(out, name);
    fprintf(f, "// Generated from ops.def: bindings and push block of %s.\n//     %s\n", l->field[0], l->signature);
    const bool matmul = strcmp(l->field[2], "MATMUL") == 0;
    fprintf(f, "layout(constant_id = 1) const uint %s = 0u;\n", matmul ? "PM_NARROW" : "PM_IN_PLACE");
    const int total = s->ins + s->outs + s->temps;
    for (int i = 0; i < total; i++) {
        const pm_operand_sig *o = &s->operand[i];
        fprintf(f, "layout(std430, set = 0, binding = %d) %sbuffer pm_buffer_%d { %s %s_[]; };\n", i,
                i < s->ins && !o->inout ? "readonly " : "", i, o->dtype == PM_F32 ? "float" : "uint", o->name);
    }
    if (matmul) write_product(f, s, total);
    fputs("layout(push_constant) uniform pm_push {\n", f);
    int words = 0;
    for (int i = 0; i < total; i++) {
        fprintf(f, "    uint %s_off;\n", s->operand[i].name);
        words++;
        if (pm_single_row(&s->operand[i])) continue;
        fprintf(f, "    uint %s_stride;\n", s->operand[i].name);
        words++;
    }
    for (int i = 0; i < s->symbols; i++, words++) fprintf(f, "    uint %c;\n", s->symbol[i]);
    for (int i = 0; i < s->params; i++) {
        if (s->param[i].kind == PM_PARAM_DIM) continue;
        fprintf(f, "    %s %s;\n", s->param[i].kind == PM_PARAM_FLOAT ? "float" : "uint", s->param[i].name);
        words++;
    }
    fprintf(f, "    uint lo, hi, win_lo, win_hi%s, pass;\n} p;\n", matmul ? ", part, col" : "");
    words += 5 + 2 * matmul;
    if (words > PUSH_WORDS) die("%s: push block of %d words, %d are allowed", l->field[0], words, PUSH_WORDS);
    for (int i = 0; i < total; i++) {
        const char *o = s->operand[i].name;
        if (pm_single_row(&s->operand[i])) fprintf(f, "#define %s(j) %s_[p.%s_off + (j)]\n", o, o, o);
        else fprintf(f, "#define %s(i, j) %s_[p.%s_off + (i) * p.%s_stride + (j)]\n", o, o, o, o);
    }
    for (int i = 0; i < total; i++) write_accessor(f, &s->operand[i], i, i >= s->ins || s->operand[i].inout);
    if (matmul && s->outs) fprintf(f, "#define PM_MATMUL_WAIT(i, j) %s(i, j)\n", s->operand[s->ins].name);
    else if (matmul) fputs("#define PM_MATMUL_WAIT(i, j) sums_[((i) - p.lo) * p.N + (j)]\n", f);
    fclose(f);
}

static void write_reference(const char *out)
{
    FILE *f = create(out, "generated/ops.md");
    fputs("# Ops\n\nGenerated from `include/pumice/ops.def`. `ref` runs every op. cpu: own kernel, or inherited from `ref`. The bound is the\n"
          "largest error against `ref` in units of 2⁻²⁴ times the operands' scale, times √growth; 0 means equal bits.\n\n"
          "| op | signature | cpu | vulkan | gradient | bound | growth |\n|---|---|---|---|---|---|---|\n", f);
    for (int i = 0; i < op_count; i++)
        fprintf(f, "| `%s` | `%s` | %s | %s | %s | %s | %s |\n", ops[i].field[0], ops[i].signature, ops[i].field[4], ops[i].field[5],
                ops[i].field[6], ops[i].field[7], ops[i].field[8]);
    for (int i = 0; i < op_count; i++) {
        fprintf(f, "\n## %s\n\n```\n", ops[i].field[0]);
        for (const char *at = ops[i].doc; *at;) {
            const char *end = strchr(at, '\n');
            const size_t n = end ? (size_t)(end - at) : strlen(at);
            const size_t skip = n >= 3 ? 3 : n;
            fprintf(f, "%.*s\n", (int)(n - skip), at + skip);
            at += n + (end != NULL);
        }
        fputs("```\n", f);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc != 3) die("usage: opgen OPS.DEF OUT_FOLDER");
    parse_file(argv[1]);
    write_table(argv[2]);
    write_calls(argv[2]);
    write_params(argv[2]);
    for (int i = 0; i < op_count; i++) write_glsl(argv[2], &ops[i]);
    write_reference(argv[2]);
    return 0;
}
