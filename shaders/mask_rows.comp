#version 450
#extension GL_GOOGLE_include_directive : require
#include "rows.glsl"
#include "pumice/state.h"
#include "mask_rows.glsl"

#define TILE_VALUE(e) 1.0
#include "tile.glsl"

void main()
{
    EACH_ROW(b) {
        for (uint c0 = 0u; c0 < p.I; c0 += TILE) {
            const uint n = min(TILE, p.I - c0);
            tile_load(ptr(b), ptr(b + 1u), c0, n);
            EACH_COL(t, n) y(b, c0 + t) = tile[t] != 0.0 ? PM_MASKED : z(b, c0 + t);
        }
    }
}
