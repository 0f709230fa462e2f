// A program with a model of its own has the whole command line: registers "my-dae" and hands over.
#include <pumice/command.h>
#include <pumice/model.h>

int main(int argc, char **argv)
{
    pm_ctx *ctx;
    const pm_model *built_in;
    static pm_model mine;
    if (pm_ctx_create(NULL, &ctx) != PM_OK || pm_model_find(ctx, "mult-dae", &built_in) != PM_OK) return 1;
    mine = *built_in;
    mine.name = "my-dae";
    if (pm_model_register(ctx, &mine) != PM_OK) return 1;
    pm_ctx_destroy(&ctx);
    return pm_command(argc, argv);
}
