// Elementary functions on floats, written so that a loop over them vectorises: no branches, no calls, no tables. Compiled
// without contraction and without -ffast-math, each gives the same bits on every instruction set and in the tail of a loop.
// Largest errors, swept against double (tests/unit/cpu_math.c): 2 units in the last place.
#ifndef PM_VEC_MATH_H
#define PM_VEC_MATH_H

#include <stdint.h>
#include <string.h>

static inline uint32_t vec_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float vec_float(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline float vec_abs(float x)
{
    return vec_float(vec_bits(x) & 0x7FFFFFFFu);
}

static inline float vec_copysign(float x, float sign)
{
    return vec_float((vec_bits(x) & 0x7FFFFFFFu) | (vec_bits(sign) & 0x80000000u));
}

// exp(x) = 2^n · exp(r), |r| ≤ ln 2 / 2 (Cody and Waite; polynomial of Cephes expf). 2^n is applied in two halves, so that
// results down to the smallest subnormal come out, and infinity above 88.72.
static inline float vec_exp(float x)
{
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    const float shifted = x * 1.44269504f + 12582912.0f;    // the sum's low bits are n
    const int32_t n = (int32_t)(vec_bits(shifted) - 0x4B400000u);
    const float nf = shifted - 12582912.0f;
    const float r = (x - nf * 0.693359375f) - nf * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = (p * (r * r) + r) + 1.0f;
    const int32_t half = n >> 1;
    return p * vec_float((uint32_t)(half + 127) << 23) * vec_float((uint32_t)(n - half + 127) << 23);
}

// log(x) for positive normal x: x = m · 2^e, m in [√½, √2) (Cephes logf).
static inline float vec_log(float x)
{
    const uint32_t shifted = vec_bits(x) + (0x3F800000u - 0x3F3504F3u);
    const float e = (float)((int32_t)(shifted >> 23) - 127);
    const float m = vec_float((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    const float z = m * m;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    const float tail = (p * m * z + e * -2.12194440e-4f) - 0.5f * z;
    return (m + tail) + e * 0.693359375f;
}

// 2 · atanh(t/2) for t in [0, 2/3]: log1p(e) is this at 2e/(2+e), −log1p(−w) at 2w/(2−w). Small arguments keep full precision.
static inline float vec_2atanh_half(float t)
{
    const float z = t * t * 0.25f;
    float p = 1.0f / 17.0f;
    p = p * z + 1.0f / 15.0f;
    p = p * z + 1.0f / 13.0f;
    p = p * z + 1.0f / 11.0f;
    p = p * z + 1.0f / 9.0f;
    p = p * z + 1.0f / 7.0f;
    p = p * z + 1.0f / 5.0f;
    p = p * z + 1.0f / 3.0f;
    return t + t * (z * p);
}

// log(1 + e) for e in [0, 1].
static inline float vec_log1p(float e)
{
    return vec_2atanh_half((e + e) / (2.0f + e));
}

static inline float vec_softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + vec_log1p(vec_exp(-vec_abs(x)));
}

// Through exp(−|x|), because exp(−x) overflows where the result is still a subnormal number.
static inline float vec_sigmoid(float x)
{
    const float e = vec_exp(-vec_abs(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

// Polynomial of Cephes tanhf below 0.625, where the formula with exp would cancel.
static inline float vec_tanh(float x)
{
    const float a = vec_abs(x), z = x * x;
    float p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const float low = x + x * (p * z);
    const float high = vec_copysign(1.0f - 2.0f / (vec_exp(a + a) + 1.0f), x);
    return a < 0.625f ? low : high;
}

// −2 · log of the open uniform n / 2²⁴, n odd: near 1 through the distance to 1.
static inline float vec_minus_2log_uniform(int32_t n)
{
    const float u = (float)n * 0x1p-24f, w = (float)(0x1000000 - n) * 0x1p-24f;
    const float far = -2.0f * vec_log(u), near = 2.0f * vec_2atanh_half((w + w) / (2.0f - w));
    return n > 0x800000 ? near : far;
}

// sin and cos of 2π · n / 2²⁴. The angle is reduced in integers, to within an eighth of a turn of a quarter. Polynomials of
// Cephes sinf and cosf.
static inline void vec_sincos_uniform(int32_t n, float *sine, float *cosine)
{
    const uint32_t quarter = ((uint32_t)n + 0x200000u) >> 22;
    const float a = (float)(n - (int32_t)(quarter << 22)) * 3.7450704e-7f;    // 2π / 2²⁴
    const float z = a * a;
    const float s = a + a * (z * ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f));
    const float c = (1.0f - 0.5f * z) + z * z * ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f);
    const float sn = quarter & 1u ? c : s, cs = quarter & 1u ? s : c;
    *sine = vec_float(vec_bits(sn) ^ (quarter & 2u) << 30);
    *cosine = vec_float(vec_bits(cs) ^ ((quarter + 1u) & 2u) << 30);
}

// log of a positive normal double, for the one logarithm of a row: libm has several, and picks by processor.
static inline double vec_log_double(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    const uint64_t shifted = u + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
    const double e = (double)((int64_t)(shifted >> 52) - 1023);
    u = (shifted & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu;
    double m;
    memcpy(&m, &u, sizeof m);
    const double s = (m - 1.0) / (m + 1.0), z = s * s;
    double p = 1.0 / 23.0;
    for (int k = 21; k >= 3; k -= 2) p = p * z + 1.0 / k;
    return (2.0 * s + 2.0 * s * z * p) + e * 0.69314718055994531;
}

// ---- sums ----------------------------------------------------------------------------------------------------------
// In double and over 16 virtual lanes, folded in one order: a row of 20,108 loses nothing, and every instruction set adds alike.

typedef float  vec_f8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef double vec_d8 __attribute__((vector_size(64)));

typedef struct vec_sum {
    vec_d8 low, high;
} vec_sum;

static inline void vec_sum_add(vec_sum *s, const float *x, int64_t n)
{
    vec_d8 low = s->low, high = s->high;
    int64_t j = 0;
    for (; j + 16 <= n; j += 16) {
        low += __builtin_convertvector(*(const vec_f8 *)(x + j), vec_d8);
        high += __builtin_convertvector(*(const vec_f8 *)(x + j + 8), vec_d8);
    }
    for (int lane = 0; j < n; j++, lane++) {
        if (lane < 8) low[lane] += (double)x[j];
        else high[lane - 8] += (double)x[j];
    }
    s->low = low;
    s->high = high;
}

// Adds the squares.
static inline void vec_sum_squares(vec_sum *s, const float *x, int64_t n)
{
    vec_d8 low = s->low, high = s->high;
    int64_t j = 0;
    for (; j + 16 <= n; j += 16) {
        const vec_d8 a = __builtin_convertvector(*(const vec_f8 *)(x + j), vec_d8);
        const vec_d8 b = __builtin_convertvector(*(const vec_f8 *)(x + j + 8), vec_d8);
        low += a * a;
        high += b * b;
    }
    for (int lane = 0; j < n; j++, lane++) {
        if (lane < 8) low[lane] += (double)x[j] * (double)x[j];
        else high[lane - 8] += (double)x[j] * (double)x[j];
    }
    s->low = low;
    s->high = high;
}

static inline double vec_sum_fold(const vec_sum *s)
{
    const vec_d8 v = s->low + s->high;
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

#endif
