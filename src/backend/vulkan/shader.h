// A compute shader as tools/embed.c lays it into the library.
#ifndef PM_VK_SHADER_H
#define PM_VK_SHADER_H

#include <stdbool.h>
#include <stdint.h>

// What the file says of itself, in lines such as `// passes: 4`; 0 or "" where it says nothing.
//   passes   how often it is dispatched, `p.pass` counting, with barriers between
//   over     the operand whose rows and columns the grid covers; else the first output, else the first operand that is written
//   rows     the dimension that [lo, hi) runs over; else the rows of the operand above
//   items    the dimension the grid covers, an invocation an item
//   wide     the operands it reaches four elements at a time where all of them allow it
//   lanes    the most invocations a workgroup, of an op that has workgroups of a row or is one workgroup
//   grid     each: an invocation an element although the op is of class ROWS
//   chunk    windows end at multiples of it
//   most     a dimension and the largest length that it has room for
//   slots    two dimensions: a dispatch has no more rows than the second goes into the first, and so a workgroup no second row
//   in place whether it does less where the output lies on its input
typedef struct pm_vk_shader {
    const char     *name;
    const uint32_t *code;
    uint32_t        size;    // bytes
    uint64_t        hash;
    int             passes;
    char            over[48], rows, items, wide[48];
    int             lanes;
    bool            in_place, each;
    int             chunk;
    char            most;
    int             most_length;
    char            slots, slot_size;
} pm_vk_shader;

#define PM_SHADER(name) extern const pm_vk_shader pm_vk_shader_##name;
#include <shaders.def>
#undef PM_SHADER

#endif
