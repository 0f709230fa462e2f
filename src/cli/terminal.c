// Progress and log on stderr: a bar redrawn in place on a terminal, plain lines anywhere else.
#define _DEFAULT_SOURCE
#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

enum { DEFAULT_COLUMNS = 80, BAR = 24, LEAST_BAR = 6 };

static const double redraw_gap = 0.1;    // seconds between drawings
static const double line_gap = 1.0;      // and between lines, at least

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

void pm_terminal_open(pm_terminal *terminal, bool quiet)
{
    const char *kind = getenv("TERM");
    terminal->live = isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0;
    terminal->color = terminal->live && !is_set("NO_COLOR");
    terminal->quiet = quiet;
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return DEFAULT_COLUMNS;
}

// Blanks rather than an escape sequence: every terminal knows them.
void pm_terminal_clear(pm_terminal *terminal)
{
    if (!terminal->drawn) return;
    fprintf(stderr, "\r%*s\r", PM_MIN(terminal->drawn, columns() - 1), "");
    terminal->drawn = 0;
}

static void print_line(pm_terminal *terminal, const char *color, const char *label, const char *line)
{
    pm_terminal_clear(terminal);
    fprintf(stderr, "%s%s%s%s\n", terminal->color ? color : "", label, terminal->color && *color ? "\033[0m" : "", line);
    fflush(stderr);
    terminal->last = pm_clock();
}

// "epoch 12  loss …", the line that every epoch has: where there is a bar, its note says as much.
static bool is_epoch(const char *line)
{
    if (strncmp(line, "epoch ", 6) != 0) return false;
    return line[6 + strspn(line + 6, "0123456789")] == ' ';
}

// Errors are not printed here: the one that made the command fail is its last sentence, and others were dealt with.
void pm_terminal_log(void *user, pm_log_level level, const char *line)
{
    pm_terminal *terminal = user;
    if (level == PM_LOG_WARN) print_line(terminal, "\033[33m", "pumice: warning: ", line);
    else if (level > PM_LOG_WARN && !terminal->quiet && !(terminal->live && is_epoch(line))) print_line(terminal, "", "", line);
}

void pm_terminal_error(pm_terminal *terminal, const char *format, ...)
{
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    print_line(terminal, "\033[31m", "pumice: error: ", line);
}

static void format_time(double seconds, char *text, size_t size)
{
    const long s = lround(fmin(fmax(seconds, 0), 1e8));
    if (s >= 3600) snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

static void format_rate(double rate, char *text, size_t size)
{
    if (rate >= 1e9) snprintf(text, size, "%.1fG", rate / 1e9);
    else if (rate >= 1e6) snprintf(text, size, "%.1fM", rate / 1e6);
    else if (rate >= 1e4) snprintf(text, size, "%.1fk", rate / 1e3);
    else snprintf(text, size, rate < 10 ? "%.2f" : "%.0f", rate);
}

// "  42%  1234/3000 steps  512/s  ETA 0:12  ndcg@100 0.3512", as far as it is known.
static void describe(const pm_terminal *terminal, const pm_progress *p, char *text, size_t size)
{
    const int64_t done = p->done - terminal->first_done;
    const double seconds = pm_clock() - terminal->first, rate = seconds > 0 ? (double)done / seconds : 0;
    char share[16] = "", total[32] = "", speed[32] = "", left[32] = "", number[24];
    if (p->total > 0) {
        snprintf(share, sizeof share, "%3.0f%%  ", 100.0 * (double)PM_MIN(p->done, p->total) / (double)p->total);
        snprintf(total, sizeof total, "/%" PRId64, p->total);
    }
    if (rate > 0) {
        format_rate(rate, number, sizeof number);
        snprintf(speed, sizeof speed, "  %s/s", number);
    }
    if (rate > 0 && p->total > p->done) {
        format_time((double)(p->total - p->done) / rate, number, sizeof number);
        snprintf(left, sizeof left, "  ETA %s", number);
    }
    snprintf(text, size, "%s%" PRId64 "%s %s%s%s%s%s", share, p->done, total, p->unit ? p->unit : "", speed, left,
             p->note && *p->note ? "  " : "", p->note ? p->note : "");
}

// How many bytes of text fit into `limit` columns, never half a character.
static int fitting_bytes(const char *text, int limit)
{
    int bytes = 0, used = 0;
    while (text[bytes]) {
        int next = bytes + 1;
        while ((text[next] & 0xC0) == 0x80) next++;
        if (++used > limit) break;
        bytes = next;
    }
    return bytes;
}

// A bar as wide as what is left of the line allows; none where that is little.
static void make_bar(const pm_progress *p, int room, char *bar)
{
    const int width = PM_MIN(room - 3, BAR);
    bar[0] = 0;
    if (p->total <= 0 || width < LEAST_BAR) return;
    const int full = (int)(width * (double)PM_MIN(p->done, p->total) / (double)p->total);
    bar[0] = '[';
    memset(bar + 1, '#', (size_t)full);
    memset(bar + 1 + full, '.', (size_t)(width - full));
    memcpy(bar + 1 + width, "] ", 3);
}

static void draw(pm_terminal *terminal, const pm_progress *p, const char *text)
{
    char line[1024], bar[BAR + 4];
    const int width = columns() - 1;    // the last column would wrap
    make_bar(p, width - pm_text_columns(p->what) - 2 - pm_text_columns(text), bar);
    snprintf(line, sizeof line, "%s  %s%s", p->what, bar, text);
    line[fitting_bytes(line, width)] = 0;
    const int used = pm_text_columns(line), stale = PM_MAX(PM_MIN(terminal->drawn, width) - used, 0);
    fprintf(stderr, "\r%s%*s", line, stale, "");
    fflush(stderr);
    terminal->drawn = used;
}

// "train epoch 3/50" goes on with "train epoch 2/50".
static bool same_work(const char *a, const char *b)
{
    const size_t n = strcspn(a, "0123456789");
    return n == strcspn(b, "0123456789") && strncmp(a, b, n) == 0;
}

void pm_terminal_progress(void *user, const pm_progress *p)
{
    pm_terminal *terminal = user;
    if (terminal->quiet || !p->what) return;
    const double now = pm_clock();
    if (!same_work(terminal->what, p->what) || p->done < terminal->first_done) {
        snprintf(terminal->what, sizeof terminal->what, "%s", p->what);
        terminal->first_done = p->done;
        terminal->first = now;
        terminal->gap = line_gap;
        if (!terminal->live) terminal->last = now;    // short work says nothing
    }
    const bool over = p->total > 0 && p->done >= p->total;
    if (over && terminal->live) pm_terminal_clear(terminal);
    if (over || now - terminal->last < (terminal->live ? redraw_gap : terminal->gap)) return;
    terminal->last = now;
    char text[512];
    describe(terminal, p, text, sizeof text);
    if (terminal->live) {
        draw(terminal, p, text);
        return;
    }
    terminal->gap = fmax(line_gap, 0.1 * (now - terminal->first));    // long work, ever fewer lines
    fprintf(stderr, "%s  %s\n", p->what, text);
    fflush(stderr);
}
