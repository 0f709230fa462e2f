// A command that computes starts the program again, once, where OpenBLAS needs a variable. Linked with its own answer to that.
#include <stdio.h>
#include <stdlib.h>

#include <pumice/command.h>

const char *__wrap_pm_cpu_coretype_remedy(void);

const char *__wrap_pm_cpu_coretype_remedy(void)
{
    return "Haswell";
}

int main(int argc, char **argv)
{
    const char *type = getenv("OPENBLAS_CORETYPE");
    fprintf(stderr, "started with %s\n", type ? type : "nothing");
    return pm_command(argc, argv);
}
