// A compute shader as tools/embed.c lays it into the library.
#ifndef PM_VK_SHADER_H
#define PM_VK_SHADER_H

#include <stdint.h>

// What the file says of itself, in lines such as `// passes: 4`; 0 or "" where it says nothing.
//   passes   how often it is dispatched, `p.pass` counting, with barriers between
//   over     the operand whose rows and columns the grid covers; else the first output, else the first operand that is written
//   rows     the dimension that [lo, hi) runs over; else the rows of the operand above
//   items    the dimension the grid covers, an invocation an item
typedef struct pm_vk_shader {
    const char     *name;
    const uint32_t *code;
    uint32_t        size;    // bytes
    uint64_t        hash;
    int             passes;
    char            over[16], rows, items;
} pm_vk_shader;

#define PM_SHADER(name) extern const pm_vk_shader pm_vk_shader_##name;
#include <shaders.def>
#undef PM_SHADER

#endif
