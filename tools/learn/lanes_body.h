/* lanes_body.h - included by lanes.c once for every level, with LANES_TARGET (a function attribute)
   and LANES_NAME(x) (its suffix). Plain loops that compilers turn into vectors of any width. */

LANES_TARGET static inline float LANES_NAME(fold)(const float *s)
{
    float sum[LANES];
    for (size_t j = 0; j < LANES; j++) sum[j] = s[j];
    for (size_t half = LANES / 2; half; half /= 2)
        for (size_t j = 0; j < half; j++) sum[j] += sum[j + half];
    return sum[0];
}

LANES_TARGET static float LANES_NAME(dot)(const float *x, const float *y, size_t n)
{
    float sum[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) sum[j] += x[i + j] * y[i + j];
    for (size_t j = 0; i + j < n; j++) sum[j] += x[i + j] * y[i + j];
    return LANES_NAME(fold)(sum);
}

/* exp to 1 ulp or 2, Cephes' polynomial (Moshier): x = n ln 2 + r, 2^n (1 + r + r^2 P(r)). */
LANES_TARGET static inline float LANES_NAME(exp_one)(float x)
{
    float whole, n, r, p;
    union {
        int32_t bits;
        float value;
    } power;
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    whole = x > -87.0f
                ? x
                : -87.0f; /* a NaN stays one in the result, and never becomes a whole number */
    n = LANES_WHOLE(whole * 1.44269504f);
    r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    power.bits = ((int32_t)n + 127) * (1 << 23);
    return p * power.value;
}

LANES_TARGET static void LANES_NAME(exp_row)(float *x, size_t n, size_t width, float scale,
                                             float shift)
{
    size_t whole =
        (n + LANES - 1) / LANES * LANES; /* a vector costs less than what is left of it */
    if (whole > width) whole = n;
    for (size_t i = 0; i < whole; i++) x[i] = LANES_NAME(exp_one)(x[i] * scale - shift);
    for (size_t i = n; i < width; i++) x[i] = 0;
}

LANES_TARGET static float LANES_NAME(softmax)(float *x, size_t n, size_t width, float scale,
                                              float *maximum)
{
    float most[LANES], sum[LANES] = {0}, top = x[0];
    size_t i = 0;
    for (size_t j = 0; j < LANES; j++) most[j] = x[0];
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) most[j] = x[i + j] > most[j] ? x[i + j] : most[j];
    for (; i < n; i++) top = x[i] > top ? x[i] : top;
    for (size_t j = 0; j < LANES; j++) top = most[j] > top ? most[j] : top;
    *maximum = top * scale;
    LANES_NAME(exp_row)(x, n, width, scale, *maximum);
    for (i = 0; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) sum[j] += x[i + j];
    for (size_t j = 0; i + j < n; j++) sum[j] += x[i + j];
    return LANES_NAME(fold)(sum);
}

LANES_TARGET static void LANES_NAME(softmax_back)(const float *p, float *dp, size_t n, float d,
                                                  float scale)
{
    for (size_t i = 0; i < n; i++) dp[i] = p[i] * (dp[i] - d) * scale;
}

LANES_TARGET static void LANES_NAME(norm)(const float *x, const float *w, size_t rows, size_t width,
                                          float eps, float *y, float *inverse)
{
    for (size_t r = 0; r < rows; r++, x += width, y += width) {
        const float inv = 1.0f / sqrtf(LANES_NAME(dot)(x, x, width) / (float)width + eps);
        inverse[r] = inv;
        for (size_t i = 0; i < width; i++) y[i] = x[i] * inv * w[i];
    }
}

/* With z = x inv: dw += dy z, dx += inv (dy w - z mean(dy w z)). */
LANES_TARGET static void LANES_NAME(norm_back)(const float *dy, const float *x, const float *w,
                                               const float *inverse, size_t rows, size_t width,
                                               float *dx, float *dw)
{
    for (size_t r = 0; r < rows; r++, dy += width, x += width, dx += width) {
        const float inv = inverse[r];
        float sum[LANES] = {0}, mean;
        size_t i = 0;
        for (; i + LANES <= width; i += LANES)
            for (size_t j = 0; j < LANES; j++) sum[j] += dy[i + j] * w[i + j] * x[i + j];
        for (size_t j = 0; i + j < width; j++) sum[j] += dy[i + j] * w[i + j] * x[i + j];
        mean = LANES_NAME(fold)(sum) / (float)width * inv * inv;
        for (i = 0; i < width; i++) dw[i] += dy[i] * x[i] * inv;
        for (i = 0; i < width; i++) dx[i] += inv * (dy[i] * w[i] - x[i] * mean);
    }
}

LANES_TARGET static void LANES_NAME(gate)(const float *gate, const float *up, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gate[i] / (1.0f + LANES_NAME(exp_one)(-gate[i])) * up[i];
}

/* silu'(g) = s (1 + g (1 - s)), s the logistic function of g. */
LANES_TARGET static void LANES_NAME(gate_back)(const float *dout, size_t n, float *gate, float *up,
                                               float *out)
{
    for (size_t i = 0; i < n; i++) {
        const float g = gate[i], u = up[i], d = 1.0f + LANES_NAME(exp_one)(-g), s = 1.0f / d;
        out[i] = g / d * u;
        up[i] = dout[i] * g * s;
        gate[i] = dout[i] * u * s * (1.0f + g * (1.0f - s));
    }
}

LANES_TARGET static void LANES_NAME(scale)(float *x, size_t n, float by)
{
    for (size_t i = 0; i < n; i++) x[i] *= by;
}

LANES_TARGET static void LANES_NAME(add)(float *x, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] += y[i];
}

LANES_TARGET static void LANES_NAME(add_rows)(float *x, const float *row, size_t rows, size_t width)
{
    for (size_t r = 0; r < rows; r++, x += width)
        for (size_t i = 0; i < width; i++) x[i] += row[i];
}

LANES_TARGET static void LANES_NAME(sum_rows)(const float *x, size_t rows, size_t width, float *sum)
{
    for (size_t r = 0; r < rows; r++, x += width)
        for (size_t i = 0; i < width; i++) sum[i] += x[i];
}

/* AdamW (Loshchilov and Hutter 2019, 1711.05101): decay first, apart from the gradient. */
LANES_TARGET static void LANES_NAME(adam)(const adam_step *s, size_t n, const float *gradient,
                                          float *weight, float *m, float *v)
{
    const float b1 = s->beta1, b2 = s->beta2, keep = 1.0f - s->decay;
    for (size_t i = 0; i < n; i++) {
        const float g = gradient[i] * s->scale;
        m[i] = b1 * m[i] + (1.0f - b1) * g;
        v[i] = b2 * v[i] + (1.0f - b2) * g * g;
        weight[i] =
            weight[i] * keep - s->lr * (m[i] / s->correct1) / (sqrtf(v[i] / s->correct2) + s->eps);
    }
}

static const lanes LANES_NAME(lanes) = {
    LANES_LEVEL,
    {LANES_TILE_MR, LANES_TILE_FEW},
    {LANES_TILE_NR, LANES_TILE_NARROW},
    {{LANES_NAME(tile), LANES_NAME(tile_narrow)},
     {LANES_NAME(tile_few), LANES_NAME(tile_few_narrow)}},
    {LANES_NAME(copy), LANES_NAME(copy_narrow)},
    LANES_NAME(norm),
    LANES_NAME(norm_back),
    LANES_NAME(gate),
    LANES_NAME(gate_back),
    LANES_NAME(softmax),
    LANES_NAME(exp_row),
    LANES_NAME(softmax_back),
    LANES_NAME(scale),
    LANES_NAME(add),
    LANES_NAME(add_rows),
    LANES_NAME(sum_rows),
    LANES_NAME(dot),
    LANES_NAME(adam),
};
