// Adjacency lists, as LightGCN and its relatives have them: a line is a user, then the user's items, separated by spaces or tabs;
// train.txt with valid.txt (where there is one) and test.txt beside it.
#include "data/internal.h"
#include "data/source.h"

static const char blanks[] = " \t";

// The next word of *at, which moves behind it; its length, 0 at the end.
static size_t next_word(char **at, char **word)
{
    *word = *at + strspn(*at, blanks);
    const size_t length = strcspn(*word, blanks);
    *at = *word + length;
    return length;
}

static pm_status id_of(pm_reader *r, const pm_lines *l, pm_ids *ids, const char *what, const char *word, size_t length, uint32_t *index,
                       bool *ok)
{
    int64_t known;
    PM_TRY(pm_reader_find(r, ids, l->path, l->number, what, word, length, &known, ok));
    *index = (uint32_t)known;
    return *ok && known < 0 ? pm_ids_add(ids, word, length, index) : PM_OK;
}

// A user without items is nobody's mistake: such lines stand in test files.
static pm_status read_line(pm_reader *r, const pm_lines *l, pm_list *list)
{
    char shown[PM_SHOWN], *at = l->line, *word;
    uint32_t user, item;
    bool ok;
    if (l->too_long || memchr(l->line, 0, l->length))
        return pm_bad_line(r, l->path, l->number, "malformed line: %s; expected a user and the user's items, separated by spaces",
                           pm_shown(shown, l->line, l->length));
    char *name;
    const size_t name_length = next_word(&at, &name);
    size_t length = next_word(&at, &word);
    if (length == 0) return PM_OK;
    PM_TRY(id_of(r, l, r->out->users, "user", name, name_length, &user, &ok));
    for (; ok && length > 0; length = next_word(&at, &word)) {
        PM_TRY(id_of(r, l, r->out->items, "item", word, length, &item, &ok));
        if (ok) PM_TRY(pm_list_add(r->out, list, user, item, 1.0f, 0));
    }
    return PM_OK;
}

static pm_status read_file(pm_reader *r, const char *path, pm_list *list)
{
    pm_lines *l;
    PM_TRY(pm_lines_open(r->out, path, &l));
    for (;;) {
        PM_TRY(pm_lines_next(l));
        if (!l->line) break;
        PM_TRY(read_line(r, l, list));
    }
    pm_free(l);
    return PM_OK;
}

pm_status pm_read_lightgcn(pm_reader *r, const char *train_path, pm_list *train)
{
    static const char *const names[] = { "valid.", "test." };
    char *path[2];
    PM_TRY(read_file(r, train_path, train));
    for (int p = 0; p < 2; p++) PM_TRY(pm_companion_path(r->out, train_path, "train.", names[p], &path[p]));
    if (!path[1]) return PM_OK;
    pm_companions *c = r->out->companions = pm_new(r->out, pm_companions);
    PM_CHECK_ALLOC(c);
    c->kind = "parts";
    pm_given_part *const part[2] = { &c->valid, &c->test };
    for (int p = 0; p < 2; p++) {
        if (!path[p]) continue;
        PM_TRY(read_file(r, path[p], &part[p]->target));
        part[p]->present = true;
    }
    return PM_OK;
}
