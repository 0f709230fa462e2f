// Functions that a driver's own may be far off in, to a few units in the last place. Polynomials from Cephes (Moshier), single
// precision. A NaN comes back as one; it is told by its bits, since isnan may be optimised away.
#ifndef PM_MATH_GLSL
#define PM_MATH_GLSL

bool pm_is_finite(float x)
{
    return (floatBitsToUint(x) & 0x7F800000u) != 0x7F800000u;
}

bool pm_is_nan(float x)
{
    return (floatBitsToUint(x) & 0x7FFFFFFFu) > 0x7F800000u;
}

// 2^n for n in [-126, 127].
float pm_power_of_two(int n)
{
    return uintBitsToFloat(uint(n + 127) << 23);
}

// exp(x); infinity above 88.73, zero far below.
float pm_exp(float x)
{
    if (pm_is_nan(x)) return x;
    if (x > 88.73) return uintBitsToFloat(0x7F800000u);
    x = max(x, -104.0);
    const float n = floor(x * 1.44269504 + 0.5);
    precise float r = x - n * 0.693359375;
    r = r + n * 2.12194440e-4;
    float q = 1.9875691500e-4;
    q = q * r + 1.3981999507e-3;
    q = q * r + 8.3334519073e-3;
    q = q * r + 4.1665795894e-2;
    q = q * r + 1.6666665459e-1;
    q = q * r + 5.0000001201e-1;
    q = (q * r * r + r) + 1.0;
    const int whole = int(n), half_ = whole >> 1;    // in two steps: 2^n alone may not be a float
    return (q * pm_power_of_two(half_)) * pm_power_of_two(whole - half_);
}

// log((1 + r) · 2^n) for r in [-0.293, 0.415].
float pm_log_of(float r, float n)
{
    const float z = r * r;
    float q = 7.0376836292e-2;
    q = q * r - 1.1514610310e-1;
    q = q * r + 1.1676998740e-1;
    q = q * r - 1.2420140846e-1;
    q = q * r + 1.4249322787e-1;
    q = q * r - 1.6668057665e-1;
    q = q * r + 2.0000714765e-1;
    q = q * r - 2.4999993993e-1;
    q = q * r + 3.3333331174e-1;
    precise float y = r * z * q;
    y = y - n * 2.12194440e-4;
    y = y - 0.5 * z;
    y = r + y;
    return y + n * 0.693359375;
}

// log(x) for normal x > 0.
float pm_log(float x)
{
    const uint bits = floatBitsToUint(x);
    if (bits >= 0x7F800000u) return x;
    int n = int(bits >> 23) - 126;
    float m = uintBitsToFloat((bits & 0x007FFFFFu) | 0x3F000000u);    // [0.5, 1)
    if (m < 0.707106781) {
        n--;
        m += m;
    }
    return pm_log_of(m - 1.0, float(n));
}

// log(1 + t) for t in [0, 1].
float pm_log1p_unit(float t)
{
    return t < 0.414 ? pm_log_of(t, 0.0) : pm_log_of(0.5 * (t - 1.0), 1.0);
}

// a / b: a driver's division may be off by 2.5 units; the remainder corrects it.
float pm_div(float a, float b)
{
    precise float q = a / b;
    precise float left = fma(-q, b, a);
    return pm_is_finite(left) ? q + left / b : q;
}

// 1 / (1 + exp(-x)), exp of nothing positive.
float pm_sigmoid(float x)
{
    const float e = pm_exp(-abs(x));
    return pm_div(x >= 0.0 ? 1.0 : e, 1.0 + e);
}

// sigmoid(x) and 1 − sigmoid(x), both to full precision.
vec2 pm_sigmoids(float x)
{
    const float e = pm_exp(-abs(x)), r = pm_div(1.0, 1.0 + e);
    return x < 0.0 ? vec2(e * r, r) : vec2(r, e * r);
}

// log(1 + exp(x)).
float pm_softplus(float x)
{
    if (pm_is_nan(x)) return x;
    return max(x, 0.0) + pm_log1p_unit(pm_exp(-abs(x)));
}

float pm_tanh(float x)
{
    const float a = abs(x);
    if (pm_is_nan(x)) return x;
    if (a < 0.625) {
        const float z = x * x;
        float q = -5.70498872745e-3;
        q = q * z + 2.06390887954e-2;
        q = q * z - 5.37397155531e-2;
        q = q * z + 1.33314422036e-1;
        q = q * z - 3.33332819422e-1;
        return q * z * x + x;
    }
    const float y = 1.0 - pm_div(2.0, pm_exp(2.0 * min(a, 20.0)) + 1.0);
    return x < 0.0 ? -y : y;
}

// Cosine and sine of 2π·k / 2^24, k below 2^24. The quadrant is taken off in integers, so nothing is lost to a large angle.
vec2 pm_cos_sin(uint k)
{
    const uint quadrant = (k + (1u << 21)) >> 22;
    const float r = float(int(k) - int(quadrant << 22)) * 3.7450702e-7, z = r * r;    // 2π / 2^24
    const float s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
    const float c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
    const vec2 turned = (quadrant & 1u) == 0u ? vec2(c, s) : vec2(-s, c);
    return (quadrant & 2u) == 0u ? turned : -turned;
}

#endif
