/* colour.c - perceptually even colour maps, computed in OKLab (B. Ottosson 2020). */
#include "draw/draw.h"

#include <math.h>

typedef struct oklab {
    double l, a, b;
} oklab;

/* OKLab to linear sRGB; the matrices are those of the definition. */
static void linear_of(oklab c, double rgb[3])
{
    double l = c.l + 0.3963377774 * c.a + 0.2158037573 * c.b;
    double m = c.l - 0.1055613458 * c.a - 0.0638541728 * c.b;
    double s = c.l - 0.0894841775 * c.a - 1.2914855480 * c.b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

static unsigned char encoded(double v)
{
    v = v > 0 ? (v < 1 ? v : 1) : 0; /* what is no number has no colour */
    v = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (unsigned char)(255 * v + 0.5);
}

/* Where the screen cannot show so much colour at this lightness, there is less of it: the
   lightness, which carries the value, stays. */
static colour shown(double lightness, double chroma, double degrees)
{
    const double radians = degrees * 3.14159265358979323846 / 180;
    double rgb[3];
    for (int i = 0; i < 60; i++, chroma *= 0.96) {
        oklab c = {lightness, chroma * cos(radians), chroma * sin(radians)};
        linear_of(c, rgb);
        bool fits = true;
        for (int k = 0; k < 3; k++) fits = fits && rgb[k] >= -1e-4 && rgb[k] <= 1.0001;
        if (fits) break;
    }
    colour c = {encoded(rgb[0]), encoded(rgb[1]), encoded(rgb[2])};
    return c;
}

static double clamped(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

colour colour_sequential(double share)
{
    double t = clamped(share, 0, 1);
    /* hue runs from blue over green to yellow while lightness rises evenly */
    return shown(0.27 + 0.67 * t, 0.09 + 0.07 * t, 285 - 185 * t);
}

colour colour_diverging(double share)
{
    double t = clamped(share, -1, 1), far = fabs(t);
    return shown(0.955 - 0.46 * far, 0.16 * far, t < 0 ? 255 : 48);
}

bool colour_is_dark(colour c)
{
    return 0.299 * c.r + 0.587 * c.g + 0.114 * c.b < 140;
}
