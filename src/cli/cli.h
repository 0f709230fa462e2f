// Inside of the command: the tables that options, help and errors come from, what was given, and what is printed with.
#ifndef PM_CLI_H
#define PM_CLI_H

#include <stdio.h>

#include <cjson/cJSON.h>
#include <pumice/train.h>

#include "core/core.h"

// ---- tables --------------------------------------------------------------------------------------------------------

typedef enum pm_option_kind { PM_OPT_FLAG, PM_OPT_TEXT, PM_OPT_INTEGER, PM_OPT_NUMBER, PM_OPT_SEED, PM_OPT_CHOICE } pm_option_kind;

typedef struct pm_option {
    const char    *name;        // without dashes
    char           letter;      // of the short form; 0: none
    pm_option_kind kind;
    const char    *argument;    // what help calls its value; NULL for a flag
    const char    *help;
    double         lo, hi;      // legal range of integers and numbers
    const char    *choices;     // "a|b|c"
    bool           repeats;
    bool           bare;        // may stand without a value, which then only follows a =
} pm_option;

// Lines of a table of options; letter 0: no short form.
#define PM_FLAG(name, letter, help) { name, letter, PM_OPT_FLAG, NULL, help, 0, 0, NULL, false, false }
#define PM_TEXT(name, letter, argument, help) { name, letter, PM_OPT_TEXT, argument, help, 0, 0, NULL, false, false }
#define PM_BARE(name, letter, argument, help) { name, letter, PM_OPT_TEXT, argument, help, 0, 0, NULL, false, true }
#define PM_TEXTS(name, letter, argument, help) { name, letter, PM_OPT_TEXT, argument, help, 0, 0, NULL, true, false }
#define PM_INTEGER(name, letter, argument, lo, hi, help) { name, letter, PM_OPT_INTEGER, argument, help, lo, hi, NULL, false, false }
#define PM_NUMBER(name, letter, argument, lo, hi, help) { name, letter, PM_OPT_NUMBER, argument, help, lo, hi, NULL, false, false }
#define PM_SEED(name, letter, argument, help) { name, letter, PM_OPT_SEED, argument, help, 0, 0, NULL, false, false }
#define PM_CHOICE(name, letter, argument, choices, help) { name, letter, PM_OPT_CHOICE, argument, help, 0, 0, choices, false, false }

// Options that several commands share.
typedef struct pm_option_group {
    const char      *title;
    const pm_option *options;    // ends with a NULL name
} pm_option_group;

typedef struct pm_cli pm_cli;

typedef struct pm_cli_command {
    const char *name;        // "train", "data stat"
    const char *operands;    // "MODEL", as usage shows it; alternatives on lines of their own
    const char *summary;     // one line
    const char *text;        // paragraphs; NULL
    const char *examples;    // command lines, one a line, without "pumice "
    int         least, most; // operands; most −1: any number
    bool        computes;    // worth a processor's best OpenBLAS kernels
    bool        hypers;      // a model's hyperparameters are options too
    pm_status (*run)(pm_cli *cli);
    const pm_option_group *const *groups;    // ends with NULL
} pm_cli_command;

extern const pm_cli_command pm_cli_devices, pm_cli_doctor, pm_cli_models, pm_cli_data_stat, pm_cli_data_split, pm_cli_data_convert,
    pm_cli_data_synth, pm_cli_train, pm_cli_evaluate, pm_cli_recommend, pm_cli_predict, pm_cli_update, pm_cli_compare, pm_cli_sweep, pm_cli_bench_ops, pm_cli_bench_models,
    pm_cli_bench_eval;

// All commands, in the order of the help.
extern const pm_cli_command *const pm_cli_commands[];
extern const int                   pm_cli_command_count;

// Options that many commands have (groups.c).
extern const pm_option_group pm_group_common, pm_group_device, pm_group_read, pm_group_filter, pm_group_split, pm_group_model,
    pm_group_choose, pm_group_repeat, pm_group_save, pm_group_pretrained;

// ---- what was given ------------------------------------------------------------------------------------------------

typedef struct pm_given {
    const pm_option *option;    // NULL: a hyperparameter
    const char      *hyper;
    const char      *value;     // NULL for a flag
} pm_given;

// Progress and log on stderr.
typedef struct pm_terminal {
    bool   live, color, quiet;    // live: a bar is redrawn in place
    int    drawn;                 // columns of the bar on the line now
    double last;                  // pm_clock of the last line or drawing
    char    what[64];             // work under way
    int64_t first_done;           // its count when first heard of, so that resumed work has an honest rate
    double  first, gap;           // pm_clock then; seconds between plain lines
} pm_terminal;

struct pm_cli {
    const pm_cli_command *command;
    const char           *program;
    pm_ctx               *ctx;
    const char          **operand;
    int                   operand_count;
    pm_given             *given;
    int                   given_count;
    pm_terminal           terminal;
    bool                  failed;    // done, but the answer is no: exit 1
    char                 *line;      // the command line, as a shell would take it
};

// Reads argv[0] … argv[argc − 1], which stand behind the command's name, into cli. False after saying what is wrong.
// *help: --help was among them.
bool pm_cli_parse(pm_cli *cli, int argc, char **argv, bool *help);

// The value given last; NULL, false or `otherwise` when the option was not given.
const char *pm_cli_text(const pm_cli *cli, const char *name);
bool        pm_cli_has(const pm_cli *cli, const char *name);
int64_t     pm_cli_integer(const pm_cli *cli, const char *name, int64_t otherwise);
double      pm_cli_number(const pm_cli *cli, const char *name, double otherwise);
uint64_t    pm_cli_seed(const pm_cli *cli, const char *name, uint64_t otherwise);

// The hyperparameter called `name` in any model's table, dashes standing for underscores; NULL.
const pm_hyper *pm_cli_find_hyper(const char *name);

// "a, b, c" of count names, hanging from parent.
char *pm_cli_join(const void *parent, const char *const *names, int count);

// Cuts "a,b,c" at a character into an array hanging from parent; empty pieces are dropped.
pm_status pm_cli_cut(const void *parent, const char *text, char at, const char ***pieces, int *count);

// ---- commands' common ground ---------------------------------------------------------------------------------------

// A spec from what was given. Its strings are borrowed; `settings` hangs from the context.
pm_status pm_cli_spec(const pm_cli *cli, pm_spec *spec);

// The parameters of a synthetic data set known by name; the error lists the names.
pm_status pm_cli_synth_preset(const pm_cli *cli, const char *name, pm_synth_params *params);

// A result for people.
pm_status pm_cli_show_result(pm_cli *cli, const pm_result *result);
// What the names of its metrics mean, where there is more than one way to rank.
void pm_cli_explain_views(const pm_result *result);
// Its analyses for people, and as files of a folder, made where missing.
pm_status pm_cli_show_analyses(pm_cli *cli, const pm_result *result);
pm_status pm_cli_write_analyses(pm_cli *cli, const pm_result *result, const char *folder);
// "0.4123 ± 0.0081", or without interval where there is none.
char *pm_cli_mean(const void *parent, const pm_metric_result *metric);

// Prints a JSON document and destroys it.
pm_status pm_cli_print_json(pm_cli *cli, cJSON *json);

// ---- printing ------------------------------------------------------------------------------------------------------

// A table of text with aligned columns.
typedef struct pm_grid pm_grid;
// align: one letter a column, 'l' or 'r'.
pm_status pm_grid_create(const void *parent, const char *align, pm_grid **out);
// Appends the next cell, row after row.
void pm_grid_cell(pm_grid *grid, const char *format, ...) PM_PRINTF(2, 3);
// Prints to stdout, the first row as a heading where wanted, and destroys the grid. Memory that ran out is reported here.
pm_status pm_grid_print(pm_grid **grid, bool heading);
// Columns that UTF-8 text takes on a terminal.
int pm_text_columns(const char *text);

void pm_terminal_open(pm_terminal *terminal, bool quiet);
void pm_terminal_log(void *terminal, pm_log_level level, const char *line);
void pm_terminal_progress(void *terminal, const pm_progress *progress);
void pm_terminal_clear(pm_terminal *terminal);    // takes the bar away
void pm_terminal_error(pm_terminal *terminal, const char *format, ...) PM_PRINTF(2, 3);

void pm_help_all(const char *program, FILE *to);
void pm_help_command(const char *program, const pm_cli_command *command, const pm_model *model, FILE *to);
void pm_help_man(FILE *to);    // all of it as a manual page

#endif
