// This program again, as another process. By posix_spawn: under ThreadSanitizer a forked child can die before it execs.
#ifndef SPAWN_HELP_H
#define SPAWN_HELP_H

#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// LLVM's OpenMP keeps a file in shared memory under its process's number, and reads what it finds there when it starts. A process that
// was killed leaves it behind, empty if it was killed at the wrong instant: the next process of that number dies of it.
static inline void remove_openmp_registration(pid_t process)
{
    char name[64];
    snprintf(name, sizeof name, "/__KMP_REGISTERED_LIB_%d_%d", (int)process, (int)getuid());
    shm_unlink(name);
}

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
        siginfo_t end;
        assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);    // still a zombie: nobody else has its number
        remove_openmp_registration(child);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
