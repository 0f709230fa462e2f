// Which of an op's shaders runs a node, and with what constants: four elements at a time where the operands allow it, a workgroup
// as wide as a row gives work to. What is chosen follows from the node's shapes, strides and places and from the device, never
// from how the node is cut: so cutting leaves the bits.
#include "backend/vulkan/vk.h"

#include <stdio.h>

// Whether `name` is a word of `list`.
static bool lists(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == 0 || at[n] == ' ')) return true;
    return false;
}

// Rows must begin at multiples of 16 bytes and end there.
static bool is_wide(const pm_operand *o)
{
    return o->offset % 16 == 0 && o->cols % 4 == 0 && (o->rows < 2 || o->stride % 4 == 0);
}

static bool all_wide(const pm_plan_node *node, const pm_vk_shader *shader)
{
    const pm_signature *s = &pm_op_table[node->op].sig;
    for (int i = 0; i < s->ins + s->outs + s->temps; i++)
        if (lists(shader->wide, s->operand[i].name) && !is_wide(&node->operand[i])) return false;
    return shader->wide[0] != 0;
}

static bool in_place(const pm_plan_node *node)
{
    const pm_signature *s = &pm_op_table[node->op].sig;
    for (int o = s->ins; o < s->ins + s->outs; o++) {
        const pm_operand *to = &node->operand[o], *from = s->operand[o].alias < 0 ? NULL : &node->operand[s->operand[o].alias];
        if (from && to->buffer == from->buffer && to->offset == from->offset && to->stride == from->stride) return true;
    }
    return false;
}

// A power of two, so that each invocation of a workgroup has a few elements of the row.
static uint32_t lanes_of(const pm_vk_device *d, const pm_vk_shader *shader, int64_t cols, uint32_t width)
{
    enum { LEAST = 32, EACH = 4 };
    const uint32_t most = shader->lanes ? PM_MIN((uint32_t)shader->lanes, d->limits.row_size) : d->limits.row_size;
    uint32_t lanes = PM_MIN(most, PM_MAX(LEAST, d->subgroup));
    while (2 * lanes <= most && (shader->lanes || 2 * (int64_t)lanes * width * EACH <= cols)) lanes *= 2;
    return lanes;
}

// NAME_wide, NAME_subgroup, NAME_wide_subgroup, …, or where the shader was not compiled so (cmake/PumiceShaders.cmake) what comes
// nearest. *done: whether `how` ("subgroup") was.
static const pm_vk_shader *compiled_as(const pm_vk_shader *shader, bool wide, const char *how, bool *done)
{
    char name[96];
    snprintf(name, sizeof name, "%s%s_%s", shader->name, wide ? "_wide" : "", how);
    const pm_vk_shader *found = *how ? pm_vk_shader_named(name) : NULL;
    *done = found != NULL;
    snprintf(name, sizeof name, "%s_wide", shader->name);
    return found ? found : wide ? pm_vk_shader_named(name) : shader;
}

void pm_vk_choose(const pm_vk_device *d, const pm_plan_node *node, int64_t cols, pm_vk_variant *out)
{
    const pm_op_class klass = pm_op_table[node->op].klass;
    const pm_vk_shader *shader = pm_vk_shader_of(d, node->op);
    const bool wide = !d->switches.no_vectors && all_wide(node, shader);
    const uint32_t width = wide ? 4 : 1;
    const bool folds_rows = klass == PM_CLASS_ROWS && !shader->each;
    const uint32_t lanes = folds_rows              ? lanes_of(d, shader, cols, width)
                           : shader->lanes         ? PM_MIN((uint32_t)shader->lanes, d->limits.local_size)
                           : klass == PM_CLASS_ONE ? d->limits.one_size
                                                   : d->limits.local_size;
    const bool sliced = shader->chunk && d->limits.slices > 1, folding = d->subgroup && lanes % d->subgroup == 0;
    bool done;
    shader = compiled_as(shader, wide, sliced ? "slices" : folding ? "subgroup" : "", &done);
    *out = (pm_vk_variant){ .shader = shader, .width = (uint16_t)width,
                            .constant = { lanes, shader->in_place && in_place(node) } };
    if (done && !sliced && d->full_subgroups) out->subgroup = (uint16_t)d->subgroup;
}
