/* svg_style.c - colours, for paper and for dark screens, and the CSS of the plots. */
#include <math.h>
#include <stdio.h>

#include "report/svg.h"

/* Each at least 3:1 against its background, so that thin lines and small points are seen, and any two at least 10 apart (CIELAB, dE76)
 * for normal sight, protanopia, deuteranopia and tritanopia (Machado et al., 2009): they differ in lightness as well. */
static const struct {
    const char *light, *dark;
} palette[MMLI_COLOURS] = {
    [MMLI_BLUE] = {"#0067a8", "#3a8fd0"},   [MMLI_RED] = {"#e06000", "#e56a20"},   [MMLI_GREEN] = {"#006f52", "#2dbf93"},
    [MMLI_PURPLE] = {"#b0458a", "#e79fce"}, [MMLI_OCHRE] = {"#7d5400", "#f5d67a"}, [MMLI_SKY] = {"#2e97d6", "#a5dcfa"},
    [MMLI_GREY] = {"#8c8c8c", "#858585"},
};
static const char *const dashes[MMLI_DASHES] = {"none", "6 3", "2 2.5"};

static void put_palette(mmli_markup *m, bool dark)
{
    for (int i = 0; i < MMLI_COLOURS; i++) {
        const char *colour = dark ? palette[i].dark : palette[i].light;

        mmli_putf(m, ".ln.k%d,.gh.k%d{stroke:%s}.pt.k%d,.dt.k%d,.bd.k%d,.br.k%d{fill:%s}\n", i, i, colour, i, i, i, i, colour);
    }
    mmli_putf(m, ".t,.b{fill:%s}.s{fill:%s}.g{stroke:%s}.a{stroke:%s}.r{stroke:%s}.gh.kn{stroke:%s}.pt,.halo{stroke:%s}\n",
              dark ? "#e4e4e2" : "#262626", dark ? "#b4b4b1" : "#565656", dark ? "#34373b" : "#e6e6e3",
              dark ? "#7c7f84" : "#8b8b88", dark ? "#9b9ea3" : "#6f6f6c", dark ? "#5a5d62" : "#c2c2be",
              dark ? "#1b1d20" : "#ffffff");
}

void mmli_svg_style(mmli_markup *m)
{
    mmli_put(m, "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n"
                "svg text.b{font-weight:600;font-size:13px}svg text.s{font-size:11px}\n"
                ".ln{fill:none;stroke-width:1.8;stroke-linejoin:round}.gh{fill:none;stroke-width:1;opacity:.55}\n"
                ".bd{opacity:.16}.dt{opacity:.6}.pt{stroke-width:1}.g{stroke-width:1}.a{stroke-width:1;fill:none}\n"
                ".cell{shape-rendering:crispEdges}.r{stroke-width:1;stroke-dasharray:4 3;fill:none}.gh.kn{opacity:1}\n");
    for (int i = 1; i < MMLI_DASHES; i++)
        mmli_putf(m, ".ln.d%d{stroke-dasharray:%s}", i, dashes[i]);
    mmli_put(m, "\n");
    put_palette(m, false);
    mmli_put(m, "@media screen and (prefers-color-scheme:dark){\n");
    put_palette(m, true);
    mmli_put(m, "}\n");
}

/* ---- colours of values ------------------------------------------------------------------------------------------------ */

/* Lightness grows evenly from the first to the last of `sequential`, and from both ends to the middle of `diverging`. */
static const unsigned char sequential[][3] = {{35, 20, 84},   {46, 72, 138},   {32, 114, 142},  {31, 152, 139},
                                              {74, 190, 112}, {160, 214, 68}, {250, 230, 60}};
static const unsigned char diverging[][3] = {{5, 75, 140},    {60, 135, 190},  {150, 195, 222}, {243, 243, 240},
                                             {246, 180, 130}, {215, 110, 50},  {150, 45, 10}};

void mmli_colour_of(char out[8], double value, mmli_range range, mmli_colours colours)
{
    const unsigned char(*stops)[3] = colours == MMLI_COLOURS_DIVERGING ? diverging : sequential;
    const size_t n = sizeof sequential / sizeof *sequential;
    double t, part;
    size_t i;
    int rgb[3];

    if (colours == MMLI_COLOURS_DIVERGING) {
        range.high = fmax(fabs(range.low), fabs(range.high));
        range.low = -range.high;
    }
    t = range.high > range.low ? (value - range.low) / (range.high - range.low) : 0.5;
    t = !(t > 0.0) ? 0.0 : t > 1.0 ? 1.0 : t;
    t *= (double)(n - 1);
    i = (size_t)t < n - 1 ? (size_t)t : n - 2;
    part = t - (double)i;
    for (int c = 0; c < 3; c++)
        rgb[c] = (int)lround(stops[i][c] + part * (stops[i + 1][c] - stops[i][c]));
    snprintf(out, 8, "#%02x%02x%02x", (unsigned)rgb[0] & 255u, (unsigned)rgb[1] & 255u, (unsigned)rgb[2] & 255u);
}
