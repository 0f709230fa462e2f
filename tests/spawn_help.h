// This program again, as another process. By posix_spawn: under ThreadSanitizer a forked child can die before it execs.
#ifndef SPAWN_HELP_H
#define SPAWN_HELP_H

#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// Starts `path` with these arguments (the last one NULL) and waits, or kills it after `delay` seconds (< 0: never). Its exit code, -1 when a signal ended it.
static inline int spawn_and_wait(const char *path, const char *const argv[], double delay)
{
    pid_t child;
    int status;
    assert_int_equal(posix_spawn(&child, path, NULL, NULL, (char *const *)argv, environ), 0);
    if (delay >= 0) {
        const struct timespec t = { (time_t)delay, (long)(1e9 * (delay - floor(delay))) };
        nanosleep(&t, NULL);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
