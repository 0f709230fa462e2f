// The whole command line as a function, for programs that bring models of their own.
//
//     static const pm_model mine = { … };
//     int main(int argc, char **argv)
//     {
//         pm_ctx *ctx;
//         if (pm_ctx_create(NULL, &ctx) != PM_OK || pm_model_register(ctx, &mine) != PM_OK) return 1;
//         pm_ctx_destroy(&ctx);
//         return pm_command(argc, argv);    // `./mine train mine --data ratings.csv`
//     }
#ifndef PUMICE_COMMAND_H
#define PUMICE_COMMAND_H

#include <pumice/api.h>

PM_API_BEGIN

// Does what `pumice` does with these arguments. Unlike the rest of the library it prints (results to stdout, progress and log to
// stderr), handles SIGINT and SIGTERM while it works, and ignores SIGPIPE. A command that computes may first execute the program
// again with OPENBLAS_CORETYPE set (pm_cpu_coretype_remedy), once, so call it early in main.
// argv      [argc], argv[0] the program's name as messages and help show it
// returns   0 done, 1 failed, 2 usage, 3 no such device, 4 bad data, 130 interrupted
int pm_command(int argc, char **argv);

PM_API_END
#endif
