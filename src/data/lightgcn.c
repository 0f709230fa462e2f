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
    PM_TRY(pm_reader_id(r, r->out->users, l->path, l->number, "user", name, name_length, &user, &ok));
    for (; ok && length > 0; length = next_word(&at, &word)) {
        PM_TRY(pm_reader_id(r, r->out->items, l->path, l->number, "item", word, length, &item, &ok));
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
    return pm_read_with_parts(r, train_path, read_file, train);
}
