// The command: everything is in the library, so that a program with models of its own has it too.
#include <pumice/command.h>

int main(int argc, char **argv)
{
    return pm_command(argc, argv);
}
