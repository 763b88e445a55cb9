/* plots.c - explanations as pictures: what report/svg.h draws, as files of their own. */
#include "mmlego/explain.h"
#include "report/svg.h"
#include "util/alloc.h"
#include "util/error.h"

enum { WIDTH = 760 };

static mmli_figure figure_of(const mml_plot_text *text)
{
    return (mmli_figure){.title = text->title,
                         .subtitle = text->subtitle,
                         .width = WIDTH,
                         .x = {.title = text->x_title},
                         .standalone = true};
}

static bool some_below(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] < 0)
            return true;
    return false;
}

static mmli_colours colours_of(const double *values, size_t n)
{
    return some_below(values, n) ? MMLI_COLOURS_DIVERGING : MMLI_COLOURS_SEQUENTIAL;
}

/* Where there are values below 0, bars have the colours of maps: what raises the score is red. */
mml_status mml_plot_bars(char **svg, const mml_plot_text *text, const char *const *names, const double *values, size_t n)
{
    mmli_markup m = {0};
    mml_status st = MML_OK;
    int *style = NULL;
    bool signs;

    MML_GIVEN(svg);
    *svg = NULL;
    MML_GIVEN(text);
    if (n > 0)
        MML_GIVEN(names, values);
    signs = some_below(values, n);
    MML_TRY(mmli_calloc(&style, n, sizeof *style));
    for (size_t i = 0; i < n; i++)
        style[i] = signs && values[i] > 0 ? MMLI_RED : MMLI_BLUE;
    mmli_svg_bar_chart(&m, &(mmli_bar_chart){.figure = figure_of(text), .names = names, .value = values, .style = style, .n = n});
    st = mmli_markup_take(&m, svg);
out:
    mmli_free(style);
    return st;
}

mml_status mml_plot_grid(char **svg, const mml_plot_text *text, const char *const *row_names, size_t rows, const double *at,
                         size_t cols, const double *values)
{
    mmli_markup m = {0};

    MML_GIVEN(svg);
    *svg = NULL;
    MML_GIVEN(text);
    if (rows > 0 && cols > 0)
        MML_GIVEN(row_names, values);
    mmli_svg_heat_map(&m, &(mmli_heat_map){.figure = figure_of(text),
                                           .row_names = row_names,
                                           .rows = rows,
                                           .cols = cols,
                                           .at = at,
                                           .value = values,
                                           .colours = colours_of(values, rows * cols),
                                           .value_title = text->value_title});
    return mmli_markup_take(&m, svg);
}

mml_status mml_plot_patches(char **svg, const mml_plot_text *text, const double *x, const double *y, const double *values,
                            size_t n)
{
    mmli_markup m = {0};

    MML_GIVEN(svg);
    *svg = NULL;
    MML_GIVEN(text);
    if (n > 0)
        MML_GIVEN(x, y, values);
    mmli_svg_patch_map(&m, &(mmli_patch_map){.figure = figure_of(text),
                                             .x = x,
                                             .y = y,
                                             .value = values,
                                             .n = n,
                                             .colours = colours_of(values, n),
                                             .value_title = text->value_title});
    return mmli_markup_take(&m, svg);
}
