// The files of Neural Collaborative Filtering (He et al., 2017): X.train.rating, X.test.rating with one row a user,
// X.test.negative with "(user,item)" and the items to rank against it.
#include "data/fields.h"
#include "data/internal.h"
#include "data/source.h"

typedef struct negatives {
    pm_reader *reader;
    pm_lines  *lines;
    pm_list   *out;
    uint32_t  *target;    // [users] item + 1 of test.rating, 0: none
    int64_t    users;
    pm_field   fields[PM_FIELD_LIMIT];
} negatives;

// Splits "(user,item)" at its last comma.
static bool parse_pair(char *text, size_t length, pm_field *user, pm_field *item)
{
    if (length < 5 || text[0] != '(' || text[length - 1] != ')') return false;
    text[length - 1] = 0;
    char *comma = strrchr(text, ',');
    if (!comma) return false;
    *comma = 0;
    *user = (pm_field){ text + 1, strlen(text + 1) };
    *item = (pm_field){ comma + 1, strlen(comma + 1) };
    return true;
}

static pm_status read_negatives_line(negatives *n)
{
    pm_lines *l = n->lines;
    pm_reader *r = n->reader;
    char shown[PM_SHOWN];
    pm_shown(shown, l->line, l->length);
    const int count = l->too_long ? -1 : pm_split_fields(l->line, l->length, PM_DELIM_TAB, n->fields);
    pm_field user, item;
    if (count < 2 || count > PM_FIELD_LIMIT || !parse_pair(n->fields[0].text, n->fields[0].length, &user, &item))
        return pm_bad_line(r, l->path, l->number,
                           "malformed line: %s; expected (user,item), then up to %d item ids, separated by tabs", shown,
                           PM_FIELD_LIMIT - 1);
    const int64_t u = pm_ids_find_n(r->out->users, user.text, user.length),
                  i = pm_ids_find_n(r->out->items, item.text, item.length);
    if (u < 0 || u >= n->users || i < 0 || n->target[u] != (uint32_t)i + 1)
        return pm_bad_line(r, l->path, l->number,
                           "the pair is not in the test ratings: %s; both files must be of the same split", shown);
    for (int k = 1; k < count; k++) {
        int64_t known;
        uint32_t index;
        bool ok;
        PM_TRY(pm_reader_find(r, r->out->items, l->path, l->number, "item", n->fields[k].text, n->fields[k].length, &known,
                              &ok));
        if (!ok) return PM_OK;
        index = (uint32_t)known;
        if (known < 0) PM_TRY(pm_ids_add(r->out->items, n->fields[k].text, n->fields[k].length, &index));
        PM_TRY(pm_list_add(r->out, n->out, (uint32_t)u, index, 1.0f, 0));
    }
    return PM_OK;
}

static pm_status read_negatives(pm_reader *reader, const char *path, const pm_list *test, pm_list *out)
{
    negatives *n = pm_new(reader->out, negatives);
    PM_CHECK_ALLOC(n);
    n->reader = reader;
    n->out = out;
    n->users = pm_ids_count(reader->out->users);
    n->target = pm_new_array(n, uint32_t, n->users);
    PM_CHECK_ALLOC(n->target);
    for (int64_t i = 0; i < test->count; i++) n->target[test->user[i]] = test->item[i] + 1;
    PM_TRY(pm_lines_open(n, path, &n->lines));
    for (;;) {
        PM_TRY(pm_lines_next(n->lines));
        if (!n->lines->line) break;
        if (n->lines->length) PM_TRY(read_negatives_line(n));
    }
    PM_REQUIRE(reader->out, out->count > 0, PM_ERR_DATA,
               "%s:1: the file is empty: it has no negatives; remove it to have them sampled", path);
    pm_free(n);
    return PM_OK;
}

pm_status pm_read_ncf(pm_reader *reader, const char *train_path, pm_list *train)
{
    pm_companions *c = pm_new(reader->out, pm_companions);
    PM_CHECK_ALLOC(c);
    reader->out->companions = c;
    c->kind = "ncf";
    char *test, *negative;
    PM_TRY(pm_companion_path(reader->out, train_path, ".train.rating", ".test.rating", &test));
    PM_TRY(pm_companion_path(reader->out, train_path, ".train.rating", ".test.negative", &negative));
    PM_REQUIRE(reader->out, test, PM_ERR_DATA,
               "%s: format ncf needs a file named X.train.rating with X.test.rating beside it", train_path);
    PM_TRY(pm_read_table(reader, train_path, NULL, NULL, train));
    PM_TRY(pm_read_table(reader, test, NULL, NULL, &c->test.target));
    c->test.present = true;
    if (!negative) return PM_OK;
    c->test.has_candidates = true;
    return read_negatives(reader, negative, &c->test.target, &c->test.candidates);
}
