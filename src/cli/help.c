// Help and the manual page, from the tables of the commands.
#include "cli/cli.h"

enum { WIDTH = 100, INDENT = 28 };

// Prints text from column `at` on, wrapped at WIDTH, further lines indented; newlines in the text are kept.
static void print_wrapped(FILE *to, const char *text, int at, int indent)
{
    while (*text) {
        const size_t word = strcspn(text, " \n");
        const int columns = (int)word;
        if (at + columns > WIDTH && at > indent) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
        }
        fprintf(to, "%.*s", (int)word, text);
        at += columns;
        text += word;
        if (*text == '\n') {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
            text++;
        } else if (*text == ' ') {
            while (*text == ' ') text++;
            if (*text && at + 1 + (int)strcspn(text, " \n") <= WIDTH) {
                fputc(' ', to);
                at++;
            } else if (*text) {
                fprintf(to, "\n%*s", indent, "");
                at = indent;
            }
        }
    }
    fputc('\n', to);
}

static void print_entry(FILE *to, const char *head, const char *help)
{
    const int used = fprintf(to, "  %s", head);
    if (used + 2 > INDENT) fprintf(to, "\n%*s", INDENT, "");
    else fprintf(to, "%*s", INDENT - used, "");
    print_wrapped(to, help, INDENT, INDENT);
}

static void option_head(const pm_option *o, char *text, size_t size)
{
    char letter[8] = "";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(text, size, "%s--%s%s%s%s", letter, o->name, o->bare ? "[=" : o->argument ? " " : "", o->argument ? o->argument : "", o->bare ? "]" : "");
}

static void option_help(const pm_option *o, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s%s%s", o->help, o->choices ? " (" : "", o->choices ? o->choices : "", o->choices ? ")" : "",
             o->repeats ? "; may be repeated" : "");
}

// Each line of `lines` behind a prefix.
static void print_lines(FILE *to, const char *lines, const char *first, const char *other, const char *program, const char *middle)
{
    const char *prefix = first;
    do {
        const size_t length = strcspn(lines, "\n");
        fprintf(to, "%s%s %s%.*s\n", prefix, program, middle, (int)length, lines);
        lines += length;
        prefix = other;
    } while (*lines++ == '\n' && *lines);
}

static const char *default_text(const pm_hyper *h)
{
    return h->value && *h->value ? h->value : "none";
}

static void print_hypers(FILE *to, const pm_model *model)
{
    fprintf(to, "\nHyperparameters of %s\n", model->name);
    for (const pm_hyper *h = model->hypers; h && h->name; h++) {
        char head[96], help[1024];
        snprintf(head, sizeof head, "--%s V", h->name);
        snprintf(help, sizeof help, "%s%s%s%s (default %s)", h->help ? h->help : "", h->choices ? " (" : "", h->choices ? h->choices : "",
                 h->choices ? ")" : "", default_text(h));
        print_entry(to, head, help);
    }
}

void pm_help_command(const char *program, const pm_cli_command *c, const pm_model *model, FILE *to)
{
    char middle[64];
    snprintf(middle, sizeof middle, "%s ", c->name);
    print_lines(to, c->operands, "usage: ", "       ", program, middle);
    fprintf(to, "\n");
    print_wrapped(to, c->summary, 0, 0);
    if (c->text) print_wrapped(to, c->text, 0, 0);
    for (const pm_option_group *const *group = c->groups; *group; group++) {
        fprintf(to, "\n%s\n", (*group)->title);
        for (const pm_option *o = (*group)->options; o->name; o++) {
            char head[96], help[1024];
            option_head(o, head, sizeof head);
            option_help(o, help, sizeof help);
            print_entry(to, head, help);
        }
        if (group[1] == NULL) print_entry(to, "-h, --help", "shows this");
    }
    if (c->hypers && model) print_hypers(to, model);
    fprintf(to, "\nExamples\n");
    print_lines(to, c->examples, "  ", "  ", program, "");
}

void pm_help_all(const char *program, FILE *to)
{
    fprintf(to, "usage: %s COMMAND …\n\nTrains recommender models on any Vulkan GPU, or on the CPU.\n\nCommands\n", program);
    for (int i = 0; i < pm_cli_command_count; i++) print_entry(to, pm_cli_commands[i]->name, pm_cli_commands[i]->summary);
    print_entry(to, "help COMMAND", "what a command does, its options, an example; so does COMMAND --help");
    print_entry(to, "--version", "the version, and the backends of this build");
    fprintf(to, "\nExamples\n  %s train mult-dae -o run\n  %s recommend run --user u7\n", program, program);
}

// ---- the manual page -----------------------------------------------------------------------------------------------

static void roff(FILE *to, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", to);
        start = *text == '\n';
        if (*text == '-') fputs("\\-", to);
        else if (*text == '\\') fputs("\\e", to);
        else fputc(*text, to);
    }
}

static void man_options(FILE *to, const pm_option_group *group)
{
    fprintf(to, ".TP\n.I \"%s\"\n", group->title);
    for (const pm_option *o = group->options; o->name; o++) {
        char head[96], help[1024];
        option_head(o, head, sizeof head);
        option_help(o, help, sizeof help);
        fputs(".TP\n.B ", to);
        roff(to, head);
        fputs("\n", to);
        roff(to, help);
        fputs("\n", to);
    }
}

static void man_command(FILE *to, const pm_cli_command *c)
{
    fprintf(to, ".SS \"pumice %s\"\n", c->name);
    roff(to, c->summary);
    fputs("\n", to);
    if (c->text) {
        fputs(".PP\n", to);
        roff(to, c->text);
        fputs("\n", to);
    }
    char middle[64];
    snprintf(middle, sizeof middle, "%s ", c->name);
    fputs(".PP\nUsage:\n.PP\n.nf\n.RS\n", to);
    print_lines(to, c->operands, "", "", "pumice", middle);
    fputs(".RE\n.fi\n", to);
    for (const pm_option_group *const *group = c->groups; *group; group++) man_options(to, *group);
    fputs(".PP\nExamples:\n.PP\n.nf\n.RS\n", to);
    print_lines(to, c->examples, "", "", "pumice", "");
    fputs(".RE\n.fi\n", to);
}

void pm_help_man(FILE *to)
{
    fputs(".TH PUMICE 1 \"\" \"pumice " PUMICE_VERSION "\" \"User Commands\"\n"
          ".SH NAME\npumice \\- train recommender models on any Vulkan GPU, or on the CPU\n"
          ".SH SYNOPSIS\n.B pumice\n.I COMMAND\n[\\fIARGUMENT\\fR]...\n"
          ".SH DESCRIPTION\n"
          "Trains, evaluates, compares and uses recommender models on AMD, Intel and NVIDIA graphics cards through Vulkan,\n"
          "or on the CPU, with the same results. Results go to standard output, a table or, with\n.BR \\-\\-json ,\n"
          "one JSON document; progress and log go to standard error.\n"
          "Options are written\n.BI \\-\\-name \" value\"\nor\n.BI \\-\\-name= value\\fR.\n"
          ".SH COMMANDS\n", to);
    for (int i = 0; i < pm_cli_command_count; i++) man_command(to, pm_cli_commands[i]);
    fputs(".SH EXIT STATUS\n"
          ".TP\n.B 0\ndone\n.TP\n.B 1\nfailed\n.TP\n.B 2\nusage: an unknown command, option, model, parameter or value\n"
          ".TP\n.B 3\nno such device\n.TP\n.B 4\nbad data: the message has file and line\n"
          ".TP\n.B 130\ninterrupted, after a checkpoint where a run is being saved\n"
          ".SH ENVIRONMENT\n"
          ".TP\n.B NO_COLOR\nset: no colours, whatever the terminal\n"
          ".TP\n.B OPENBLAS_CORETYPE\nthe processor that OpenBLAS is to take this one for. Where it is not set and OpenBLAS leaves\n"
          "AVX\\-512 unused, commands that compute set it and start again, once\n"
          ".TP\n.B VK_ICD_FILENAMES\nwhich Vulkan drivers the loader offers\n", to);
}
