// What goes to stdout: tables with aligned columns, JSON documents.
#include <stdlib.h>

#include "cli/cli.h"

struct pm_grid {
    const char *align;
    char      **cells;
    int         columns, count, capacity;
    bool        failed;
};

int pm_text_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++) columns += (*text & 0xC0) != 0x80;
    return columns;
}

pm_status pm_grid_create(const void *parent, const char *align, pm_grid **out)
{
    *out = pm_new(parent, pm_grid);
    PM_CHECK_ALLOC(*out);
    (*out)->columns = (int)strlen(align);
    (*out)->align = pm_strdup(*out, align);
    PM_CHECK_ALLOC((*out)->align);
    return PM_OK;
}

void pm_grid_cell(pm_grid *grid, const char *format, ...)
{
    if (grid->failed) return;
    if (grid->count == grid->capacity) {
        grid->capacity = PM_MAX(64, 2 * grid->capacity);
        grid->failed = pm_grow_array(grid, (void **)&grid->cells, grid->capacity, sizeof *grid->cells) != PM_OK;
        if (grid->failed) return;
    }
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    grid->cells[grid->count] = pm_strdup(grid, text);
    grid->failed = !grid->cells[grid->count++];
}

static void print_cell(const char *text, int width, bool right, bool last)
{
    const int pad = width - pm_text_columns(text);
    if (right) printf("%*s%s", pad, "", text);
    else printf("%s%*s", text, last ? 0 : pad, "");
    if (!last) printf("  ");
}

static int column_width(const pm_grid *grid, int column)
{
    int width = 0;
    for (int i = column; i < grid->count; i += grid->columns) width = PM_MAX(width, pm_text_columns(grid->cells[i]));
    return width;
}

// The last cell of a row that has text, so that lines do not end in blanks.
static int last_cell(const pm_grid *grid, int row)
{
    int last = grid->columns - 1;
    while (last > 0 && !*grid->cells[row + last]) last--;
    return last;
}

pm_status pm_grid_print(pm_grid **grid, bool heading)
{
    pm_grid *g = *grid;
    *grid = NULL;
    int *width = g->failed ? NULL : pm_new_array(g, int, g->columns);
    if (!width) {
        pm_free(g);
        return PM_ERR_NOMEM;
    }
    int total = 2 * (g->columns - 1);
    for (int i = 0; i < g->columns; i++) total += width[i] = column_width(g, i);
    for (int row = 0; row + g->columns <= g->count; row += g->columns) {
        const int last = last_cell(g, row);
        for (int i = 0; i <= last; i++) print_cell(g->cells[row + i], width[i], g->align[i] == 'r', i == last);
        printf("\n");
        for (int i = 0; heading && row == 0 && i < total; i++) putchar('-');
        if (heading && row == 0) printf("\n");
    }
    pm_free(g);
    return PM_OK;
}

char *pm_cli_join(const void *parent, const char *const *names, int count)
{
    size_t size = 1;
    for (int i = 0; i < count; i++) size += strlen(names[i]) + 2;
    char *text = pm_alloc(parent, size);
    for (int i = 0; text && i < count; i++) {
        if (i) strcat(text, ", ");
        strcat(text, names[i]);
    }
    return text;
}

pm_status pm_cli_cut(const void *parent, const char *text, char at, const char ***pieces, int *count)
{
    char *copy = pm_strdup(parent, text);
    PM_CHECK_ALLOC(copy);
    int64_t most = 1;
    for (const char *c = text; *c; c++) most += *c == at;
    *pieces = pm_new_array(copy, const char *, most);
    PM_CHECK_ALLOC(*pieces);
    *count = 0;
    for (char *piece = copy, *next; piece; piece = next) {
        next = strchr(piece, at);
        if (next) *next++ = 0;
        if (*piece) (*pieces)[(*count)++] = piece;
    }
    return PM_OK;
}

pm_status pm_cli_print_json(pm_cli *cli, cJSON *json)
{
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    PM_REQUIRE(cli->ctx, text, PM_ERR_NOMEM, "no memory for the JSON document");
    puts(text);
    free(text);
    return PM_OK;
}
