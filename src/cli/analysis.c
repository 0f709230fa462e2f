// Analyses for people: tables on stdout, long ones by a choice of rows, and all of them as CSV.
#include <math.h>

#include "cli/cli.h"
#include "core/file.h"

enum { MOST_ROWS = 30 };

// Of a long table the rows 1, 2, 5, 10, 20, 50, … and the last.
static bool is_shown(const pm_analysis *a, int64_t row)
{
    if (a->rows <= MOST_ROWS || row == a->rows - 1) return true;
    int64_t n = row + 1;
    while (n % 10 == 0) n /= 10;
    return n == 1 || n == 2 || n == 5;
}

static void show_value(pm_grid *grid, double value)
{
    if (!isfinite(value)) pm_grid_cell(grid, "%s", "");
    else if (value == floor(value) && fabs(value) < 1e15) pm_grid_cell(grid, "%.0f", value);
    else pm_grid_cell(grid, fabs(value) < 0.01 ? "%.3g" : "%.3f", value);
}

static pm_status show_one(pm_cli *cli, const pm_analysis *a)
{
    char align[16] = "l";
    pm_grid *grid;
    memset(align + 1, 'r', (size_t)PM_MIN(a->columns, (int)sizeof align - 2));
    PM_TRY(pm_grid_create(cli->ctx, align, &grid));
    pm_grid_cell(grid, "%s", a->row);
    for (int c = 0; c < a->columns; c++) pm_grid_cell(grid, "%s", a->column[c]);
    for (int64_t r = 0; r < a->rows; r++) {
        if (!is_shown(a, r)) continue;
        pm_grid_cell(grid, "%s", a->label[r]);
        for (int c = 0; c < a->columns; c++) show_value(grid, a->value[r * a->columns + c]);
    }
    printf("\n%s: %s (%s)\n", a->name, a->title, a->paper);
    PM_TRY(pm_grid_print(&grid, true));
    if (a->rows > MOST_ROWS) printf("%" PRId64 " rows in all; --json and --csv have them\n", a->rows);
    return PM_OK;
}

pm_status pm_cli_show_analyses(pm_cli *cli, const pm_result *result)
{
    for (int k = 0; k < result->analysis_count; k++) PM_TRY(show_one(cli, &result->analysis[k]));
    return PM_OK;
}

pm_status pm_cli_write_analyses(pm_cli *cli, const pm_result *result, const char *folder)
{
    PM_TRY(pm_make_folder(cli->ctx, folder));
    for (int k = 0; k < result->analysis_count; k++) {
        char *path = pm_sprintf(cli->ctx, "%s/%s.csv", folder, result->analysis[k].name);
        PM_CHECK_ALLOC(path);
        PM_TRY(pm_analysis_write_csv(cli->ctx, &result->analysis[k], path));
    }
    return PM_OK;
}
