// Reading arguments by a command's tables.
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "cli/cli.h"

enum { MAX_NAMES = 256, NAME_LIMIT = 64 };

// ---- looking up ----------------------------------------------------------------------------------------------------

static const pm_option *find_option(const pm_cli_command *command, const char *name, size_t length)
{
    for (const pm_option_group *const *group = command->groups; *group; group++)
        for (const pm_option *o = (*group)->options; o->name; o++)
            if (strlen(o->name) == length && strncmp(o->name, name, length) == 0) return o;
    return NULL;
}

static const pm_option *find_letter(const pm_cli_command *command, char letter)
{
    for (const pm_option_group *const *group = command->groups; *group; group++)
        for (const pm_option *o = (*group)->options; o->name; o++)
            if (o->letter == letter) return o;
    return NULL;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b)) return false;
    return *a == *b;
}

const pm_hyper *pm_cli_find_hyper(const char *name)
{
    for (int i = 0; i < pm_model_count(); i++)
        for (const pm_hyper *h = pm_model_at(i)->hypers; h && h->name; h++)
            if (same_name(h->name, name)) return h;
    return NULL;
}

// ---- complaints ----------------------------------------------------------------------------------------------------

static void unknown_option(pm_cli *cli, const char *name)
{
    const char *names[MAX_NAMES];
    int count = 0;
    for (const pm_option_group *const *group = cli->command->groups; *group; group++)
        for (const pm_option *o = (*group)->options; o->name && count < MAX_NAMES; o++) names[count++] = o->name;
    const int own = count;
    for (int i = 0; cli->command->hypers && i < pm_model_count(); i++)
        for (const pm_hyper *h = pm_model_at(i)->hypers; h && h->name && count < MAX_NAMES; h++) names[count++] = h->name;
    char list[2048] = "";
    size_t at = 0;
    for (int i = 0; i < own && at < sizeof list; i++) at += (size_t)snprintf(list + at, sizeof list - at, " --%s", names[i]);
    const char *near = strlen(name) < NAME_LIMIT ? pm_nearest_name(name, names, count) : NULL;
    pm_terminal_error(&cli->terminal, "%s has no option --%s%s%s. It takes:%s%s", cli->command->name, name,
                      near ? "; did you mean --" : "", near ? near : "", list,
                      cli->command->hypers ? " and the model's own, see pumice models NAME" : "");
}

static bool parse_integer(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno;
}

static bool parse_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out);
}

static bool parse_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return *text && *text != '-' && !*end && !errno;
}

static bool is_choice(const char *choices, const char *value)
{
    const size_t length = strlen(value);
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == length && strncmp(at, value, length) == 0) return true;
    return false;
}

// The choice nearest to a value, in `near`; "" when none is.
static void nearest_choice(const char *choices, const char *value, char *near, size_t size)
{
    char copy[512];
    const char *names[32];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", choices);
    for (char *at = copy, *next; at && count < PM_COUNT(names); at = next) {
        next = strchr(at, '|');
        if (next) *next++ = 0;
        names[count++] = at;
    }
    const char *found = strlen(value) < NAME_LIMIT ? pm_nearest_name(value, names, count) : NULL;
    snprintf(near, size, "%s%s%s", found ? "; did you mean \"" : "", found ? found : "", found ? "\"" : "");
}

static bool check_value(pm_cli *cli, const pm_option *o, const char *value)
{
    int64_t integer;
    double number;
    uint64_t seed;
    char near[96];
    switch (o->kind) {
    case PM_OPT_INTEGER:
        if (parse_integer(value, &integer) && (double)integer >= o->lo && (double)integer <= o->hi) return true;
        pm_terminal_error(&cli->terminal, "--%s \"%s\": give an integer from %.0f to %.0f", o->name, value, o->lo, o->hi);
        return false;
    case PM_OPT_NUMBER:
        if (parse_number(value, &number) && number >= o->lo && number <= o->hi) return true;
        pm_terminal_error(&cli->terminal, "--%s \"%s\": give a number from %g to %g", o->name, value, o->lo, o->hi);
        return false;
    case PM_OPT_SEED:
        if (parse_seed(value, &seed)) return true;
        pm_terminal_error(&cli->terminal, "--%s \"%s\": give an integer from 0 to 18446744073709551615", o->name, value);
        return false;
    case PM_OPT_CHOICE:
        if (is_choice(o->choices, value)) return true;
        nearest_choice(o->choices, value, near, sizeof near);
        pm_terminal_error(&cli->terminal, "--%s \"%s\": give one of %s%s", o->name, value, o->choices, near);
        return false;
    default:
        if (*value) return true;
        pm_terminal_error(&cli->terminal, "--%s wants a %s, and it is empty", o->name, o->argument);
        return false;
    }
}

// ---- parsing -------------------------------------------------------------------------------------------------------

typedef struct reader {
    pm_cli *cli;
    int     argc, at;
    char  **argv;
} reader;

static bool keep(reader *r, const pm_option *option, const char *hyper, const char *value)
{
    pm_cli *cli = r->cli;
    for (int i = 0; option && !option->repeats && i < cli->given_count; i++)
        if (cli->given[i].option == option && option->kind != PM_OPT_FLAG) {
            pm_terminal_error(&cli->terminal, "--%s is given twice: \"%s\" and \"%s\"", option->name,
                              cli->given[i].value ? cli->given[i].value : "", value ? value : "");
            return false;
        }
    cli->given[cli->given_count++] = (pm_given){ option, hyper, value };
    return true;
}

static bool take_option(reader *r, const pm_option *o, const char *shown, const char *value)
{
    if (o->kind == PM_OPT_FLAG) {
        if (!value) return keep(r, o, NULL, NULL);
        pm_terminal_error(&r->cli->terminal, "%s takes no value; it is given \"%s\"", shown, value);
        return false;
    }
    if (!value && o->bare) return keep(r, o, NULL, NULL);
    if (!value && r->at < r->argc) value = r->argv[r->at++];
    if (!value) {
        pm_terminal_error(&r->cli->terminal, "%s wants a value: %s %s", shown, shown, o->argument);
        return false;
    }
    return check_value(r->cli, o, value) && keep(r, o, NULL, value);
}

// A model's hyperparameter. A flag may stand alone for "on".
static bool take_hyper(reader *r, const pm_hyper *hyper, const char *value)
{
    const bool more = r->at < r->argc;
    if (!value && hyper->type == PM_HYPER_FLAG)
        value = more && is_choice("on|off|true|false|yes|no|1|0", r->argv[r->at]) ? r->argv[r->at++] : "on";
    if (!value && more) value = r->argv[r->at++];
    if (value) return keep(r, NULL, hyper->name, value);
    pm_terminal_error(&r->cli->terminal, "--%s wants a value (%s)", hyper->name, hyper->help);
    return false;
}

static bool take_long(reader *r, const char *arg)
{
    const char *equals = strchr(arg, '=');
    const size_t length = equals ? (size_t)(equals - arg) : strlen(arg);
    const char *value = equals ? equals + 1 : NULL;
    char name[NAME_LIMIT], shown[NAME_LIMIT + 4];
    snprintf(name, sizeof name, "%.*s", (int)PM_MIN(length, sizeof name - 1), arg);
    snprintf(shown, sizeof shown, "--%s", name);
    const pm_option *option = find_option(r->cli->command, arg, length);
    if (option) return take_option(r, option, shown, value);
    const pm_hyper *hyper = r->cli->command->hypers ? pm_cli_find_hyper(name) : NULL;
    if (hyper) return take_hyper(r, hyper, value);
    unknown_option(r->cli, name);
    return false;
}

static bool take_short(reader *r, const char *arg)
{
    const pm_option *option = find_letter(r->cli->command, arg[0]);
    const char shown[] = { '-', arg[0], 0 };
    if (option) return take_option(r, option, shown, arg[1] ? arg + 1 : NULL);
    unknown_option(r->cli, arg);
    return false;
}

static bool check_operands(pm_cli *cli)
{
    const pm_cli_command *c = cli->command;
    if (cli->operand_count < c->least) {
        pm_terminal_error(&cli->terminal, "%s wants %s", c->name, c->operands);
        return false;
    }
    if (c->most >= 0 && cli->operand_count > c->most) {
        pm_terminal_error(&cli->terminal, "%s: what is \"%s\"? It takes %s", c->name, cli->operand[c->most],
                          c->most ? c->operands : "options alone");
        return false;
    }
    return true;
}

bool pm_cli_parse(pm_cli *cli, int argc, char **argv, bool *help)
{
    reader r = { cli, argc, 0, argv };
    bool options = true;
    *help = false;
    while (r.at < argc) {
        const char *arg = argv[r.at++];
        if (options && strcmp(arg, "--") == 0) {
            options = false;
        } else if (options && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            *help = true;
        } else if (!options || arg[0] != '-' || !arg[1]) {
            cli->operand[cli->operand_count++] = arg;
        } else if (!(arg[1] == '-' ? take_long(&r, arg + 2) : take_short(&r, arg + 1))) {
            return false;
        }
    }
    return *help || check_operands(cli);
}

// ---- asking --------------------------------------------------------------------------------------------------------

static const pm_given *find_given(const pm_cli *cli, const char *name)
{
    for (int i = cli->given_count - 1; i >= 0; i--)
        if (cli->given[i].option && strcmp(cli->given[i].option->name, name) == 0) return &cli->given[i];
    return NULL;
}

const char *pm_cli_text(const pm_cli *cli, const char *name)
{
    const pm_given *given = find_given(cli, name);
    return given ? given->value : NULL;
}

bool pm_cli_has(const pm_cli *cli, const char *name)
{
    return find_given(cli, name) != NULL;
}

int64_t pm_cli_integer(const pm_cli *cli, const char *name, int64_t otherwise)
{
    const char *text = pm_cli_text(cli, name);
    if (text) parse_integer(text, &otherwise);
    return otherwise;
}

double pm_cli_number(const pm_cli *cli, const char *name, double otherwise)
{
    const char *text = pm_cli_text(cli, name);
    if (text) parse_number(text, &otherwise);
    return otherwise;
}

uint64_t pm_cli_seed(const pm_cli *cli, const char *name, uint64_t otherwise)
{
    const char *text = pm_cli_text(cli, name);
    if (text) parse_seed(text, &otherwise);
    return otherwise;
}
