// style.ops: what an op's comment in ops.def must have. A first line that says what it computes; a Gradient line where
// there is one, and none (or "Gradient  none: why") where there is not.
#include <ctype.h>
#include <stdio.h>

#include "op/op.h"

static int faults;

static void fault(const pm_op_info *info, const char *what)
{
    printf("%s: %s\n", info->name, what);
    faults++;
}

static void check(const pm_op_info *info)
{
    const char *gradient = strstr(info->doc, "// Gradient  ");
    if (strncmp(info->doc, "// ", 3) != 0 || !isupper((unsigned char)info->doc[3])) fault(info, "the comment has no sentence at its head");
    if (!strchr(info->doc, '.') && !strchr(info->doc, ':')) fault(info, "the sentence at its head has no end");
    if (info->grad && (!gradient || strncmp(gradient, "// Gradient  none", 17) == 0)) fault(info, "has a gradient, and no Gradient line");
    if (!info->grad && gradient && strncmp(gradient, "// Gradient  none", 17) != 0) fault(info, "has a Gradient line, and no gradient");
}

int main(void)
{
    for (int op = 0; op < PM_OP_COUNT; op++) check(&pm_op_table[op]);
    printf("%d ops, %d faults\n", (int)PM_OP_COUNT, faults);
    return faults != 0;
}
