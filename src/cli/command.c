// Finding the command, running it, and what it ends with.
#define _DEFAULT_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <pumice/command.h>
#include <pumice/cpu.h>

#include "cli/cli.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_DEVICE = 3, EXIT_BAD_DATA = 4, EXIT_INTERRUPTED = 130 };

const pm_cli_command *const pm_cli_commands[] = {
    &pm_cli_devices,      &pm_cli_doctor,     &pm_cli_models, &pm_cli_data_stat, &pm_cli_data_split,
    &pm_cli_data_convert, &pm_cli_data_synth, &pm_cli_train,  &pm_cli_evaluate,  &pm_cli_recommend, &pm_cli_predict, &pm_cli_update,
    &pm_cli_compare,      &pm_cli_sweep,      &pm_cli_bench_ops,  &pm_cli_bench_models, &pm_cli_bench_eval,
};
const int pm_cli_command_count = PM_COUNT(pm_cli_commands);

// ---- interruption --------------------------------------------------------------------------------------------------

static pm_ctx *interrupted_ctx;

static void on_signal(int number)
{
    static const char text[] = "\npumice: interrupted; stopping at the next safe point, once more to stop at once\n";
    (void)number;
    const int kept = errno;
    pm_ctx_cancel(interrupted_ctx);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) errno = 0;    // nobody listens: nothing to do about it
    errno = kept;
}

static void watch_signals(pm_ctx *ctx)
{
    interrupted_ctx = ctx;
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)(SA_RESTART | SA_RESETHAND) };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void unwatch_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    interrupted_ctx = NULL;
}

// ---- ending --------------------------------------------------------------------------------------------------------

static int exit_code(pm_status status)
{
    switch (status) {
    case PM_OK: return EXIT_DONE;
    case PM_ERR_ARG:
    case PM_ERR_NOT_FOUND: return EXIT_USAGE;
    case PM_ERR_NO_DEVICE: return EXIT_NO_DEVICE;
    case PM_ERR_DATA:
    case PM_ERR_FORMAT: return EXIT_BAD_DATA;
    case PM_ERR_CANCELLED: return EXIT_INTERRUPTED;
    default: return EXIT_FAILED;
    }
}

// Whether nobody reads stdout any more. Of an earlier write errno tells nothing.
static bool reader_left(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

// A reader of stdout that has seen enough is no failure; a full disk is.
static bool flush_results(pm_terminal *terminal)
{
    errno = 0;
    const bool bad = fflush(stdout) != 0 || ferror(stdout);
    if (!bad || errno == EPIPE || reader_left()) return true;
    pm_terminal_error(terminal, "the results could not be written%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
    return false;
}

static int finish(pm_cli *cli, pm_status st)
{
    pm_terminal_clear(&cli->terminal);
    if (st != PM_OK) {
        const char *message = pm_ctx_message(cli->ctx);
        pm_terminal_error(&cli->terminal, "%s", *message ? message : pm_status_text(st));
    }
    const bool written = flush_results(&cli->terminal);
    if (st == PM_OK && (cli->failed || !written)) return EXIT_FAILED;
    return exit_code(st);
}

// ---- starting ------------------------------------------------------------------------------------------------------

// OpenBLAS reads the variable as it is loaded, so the program has to start again. A failure to do so costs speed alone.
static void restart_for_blas(char **argv)
{
    const char *remedy = pm_cpu_coretype_remedy();
    if (!remedy || getenv("OPENBLAS_CORETYPE") || getenv("PUMICE_REEXEC")) return;
    if (setenv("OPENBLAS_CORETYPE", remedy, 1) != 0 || setenv("PUMICE_REEXEC", "1", 1) != 0) return;
    execv("/proc/self/exe", argv);
}

static int run_command(pm_cli *cli)
{
    pm_terminal_open(&cli->terminal, pm_cli_has(cli, "quiet"));
    const pm_ctx_params params = {
        .log = pm_terminal_log,
        .log_user = &cli->terminal,
        .log_level = PM_LOG_INFO,
        .progress = pm_terminal_progress,
        .progress_user = &cli->terminal,
        .threads = (int)pm_cli_integer(cli, "threads", 0),
    };
    pm_status st = pm_ctx_create(&params, &cli->ctx);
    if (st != PM_OK) {
        pm_terminal_error(&cli->terminal, "%s", pm_status_text(st));
        return exit_code(st);
    }
    watch_signals(cli->ctx);
    st = cli->command->run(cli);
    unwatch_signals();
    const int code = finish(cli, st);
    pm_ctx_destroy(&cli->ctx);
    return code;
}

// A word of a command line, quoted where a shell would read it otherwise.
static size_t add_word(char *to, const char *word)
{
    const bool plain = *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@,+%")];
    size_t n = 0;
    if (!plain) to[n++] = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(to + n, "'\\'", 3);
            n += 3;
        }
        to[n++] = *word;
    }
    if (!plain) to[n++] = '\'';
    return n;
}

// The command line for those who want to repeat it; NULL when memory is out, which only costs them that.
static char *command_line(const char *program, char **argv)
{
    size_t size = strlen(program) + 1, n = strlen(program);
    for (int i = 1; argv[i]; i++) size += 4 * strlen(argv[i]) + 4;
    char *line = malloc(size);
    if (!line) return NULL;
    memcpy(line, program, n);
    for (int i = 1; argv[i]; i++) {
        line[n++] = ' ';
        n += add_word(line + n, argv[i]);
    }
    line[n] = 0;
    return line;
}

static int start_command(const pm_cli_command *command, const char *program, int argc, char **argv, char **all)
{
    pm_cli cli = { .command = command, .program = program };
    pm_terminal_open(&cli.terminal, false);
    cli.operand = calloc((size_t)argc + 1, sizeof *cli.operand);
    cli.given = calloc((size_t)argc + 1, sizeof *cli.given);
    bool help = false;
    int code = EXIT_FAILED;
    if (!cli.operand || !cli.given) {
        pm_terminal_error(&cli.terminal, "%s", pm_status_text(PM_ERR_NOMEM));
    } else if (!pm_cli_parse(&cli, argc, argv, &help)) {
        fprintf(stderr, "See %s %s --help\n", program, command->name);
        code = EXIT_USAGE;
    } else if (help) {
        const pm_model *model = NULL;
        for (int i = 0; i < pm_model_count() && cli.operand_count; i++)
            if (pm_name_equal(pm_model_at(i)->name, cli.operand[0])) model = pm_model_at(i);
        pm_help_command(program, command, model, stdout);
        code = flush_results(&cli.terminal) ? EXIT_DONE : EXIT_FAILED;
    } else {
        if (command->computes) restart_for_blas(all);
        cli.line = command_line(program, all);
        code = run_command(&cli);
        free(cli.line);
    }
    free(cli.operand);
    free(cli.given);
    return code;
}

// ---- finding -------------------------------------------------------------------------------------------------------

// Whether `name` starts with `word` as a word of its own.
static bool has_word(const char *name, const char *word)
{
    const size_t n = strlen(word);
    return strncmp(name, word, n) == 0 && (name[n] == ' ' || name[n] == 0);
}

// The command of argv[1] and, where it has parts, argv[2]; *used counts those words.
static const pm_cli_command *find_command(int argc, char **argv, int *used)
{
    for (int i = 0; i < pm_cli_command_count && argc > 1; i++) {
        const char *name = pm_cli_commands[i]->name, *space = strchr(name, ' ');
        *used = space ? 2 : 1;
        if (!has_word(name, argv[1])) continue;
        if (!space || (argc > 2 && strcmp(space + 1, argv[2]) == 0)) return pm_cli_commands[i];
    }
    return NULL;
}

// `data` or `bench` alone, or with a part they do not have: what parts there are.
static int show_parts(const char *program, const char *word, const char *part, bool asked)
{
    const char *names[16];
    int count = 0;
    FILE *to = asked ? stdout : stderr;
    for (int i = 0; i < pm_cli_command_count && count < PM_COUNT(names); i++)
        if (has_word(pm_cli_commands[i]->name, word)) names[count++] = strchr(pm_cli_commands[i]->name, ' ') + 1;
    const char *near = part ? pm_nearest_name(part, names, count) : NULL;
    if (!asked && part)
        fprintf(to, "pumice: error: %s has no command \"%s\"%s%s%s\n", word, part, near ? "; did you mean \"" : "", near ? near : "",
                near ? "\"" : "");
    fprintf(to, "usage: %s %s COMMAND …\n\nCommands\n", program, word);
    for (int i = 0; i < pm_cli_command_count; i++)
        if (has_word(pm_cli_commands[i]->name, word)) fprintf(to, "  %-14s %s\n", pm_cli_commands[i]->name, pm_cli_commands[i]->summary);
    fprintf(to, "\nExample\n  %s %s %s --help\n", program, word, names[0]);
    return asked ? EXIT_DONE : EXIT_USAGE;
}

static bool has_parts(const char *word)
{
    for (int i = 0; i < pm_cli_command_count; i++)
        if (has_word(pm_cli_commands[i]->name, word) && strchr(pm_cli_commands[i]->name, ' ')) return true;
    return false;
}

static int unknown_command(const char *program, const char *name)
{
    const char *names[32] = { "help" };
    int count = 1;
    for (int i = 0; i < pm_cli_command_count && count < PM_COUNT(names); i++) names[count++] = pm_cli_commands[i]->name;
    const char *near = pm_nearest_name(name, names, count);
    fprintf(stderr, "pumice: error: no command \"%s\"%s%s%s. There are:", name, near ? "; did you mean \"" : "", near ? near : "",
            near ? "\"" : "");
    for (int i = 0; i < count; i++) fprintf(stderr, "%s %s", i ? "," : "", names[i]);
    fprintf(stderr, "\nSee %s --help\n", program);
    return EXIT_USAGE;
}

static int show_help(const char *program, int argc, char **argv)
{
    int used;
    if (argc < 2) {
        pm_help_all(program, stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--man") == 0) {
        pm_help_man(stdout);
        return EXIT_DONE;
    }
    const pm_cli_command *command = find_command(argc, argv, &used);
    if (command) return start_command(command, program, 1, (char *[]){ "--help" }, argv);
    if (has_parts(argv[1])) return show_parts(program, argv[1], argc > 2 ? argv[2] : NULL, argc == 2);
    return unknown_command(program, argv[1]);
}

static int show_version(void)
{
    printf("pumice %s\nbackends: ref%s%s\n", PUMICE_VERSION, PUMICE_HAVE_CPU ? " cpu" : "", PUMICE_HAVE_VULKAN ? " vulkan" : "");
    return EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *program = slash ? slash + 1 : argc > 0 ? argv[0] : "pumice";
    int used;
    if (argc < 2) {
        pm_help_all(program, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) return show_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return show_help(program, 1, argv);
    if (strcmp(argv[1], "help") == 0) return show_help(program, argc - 1, argv + 1);
    const pm_cli_command *command = find_command(argc, argv, &used);
    if (command) return start_command(command, program, argc - 1 - used, argv + 1 + used, argv);
    if (!has_parts(argv[1])) return unknown_command(program, argv[1]);
    const bool asked = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    return show_parts(program, argv[1], argc > 2 ? argv[2] : NULL, asked);
}

int pm_command(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);    // training outlives whoever read its log
    const int code = dispatch(argc, argv);
    return fflush(stdout) != 0 && errno != EPIPE ? EXIT_FAILED : code;
}
