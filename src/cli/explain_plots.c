/* explain_plots.c - see explain_plots.h. Bars of the summaries; of one patient, tokens with two coordinates as a map, others in
 * their order or time, and a table as bars. */
#include "cli/explain_plots.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* FOLDER/WHAT-BLOCK.svg, with letters that any system has in names; NULL = no memory. */
static char *path_of(const mmlc_plots *p, const char *what, const char *block)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s%s%s.svg", p->folder, what, block != NULL ? "-" : "", block != NULL ? block : "") < 0)
        return NULL;
    for (char *c = path + strlen(p->folder) + 1; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-._", *c) == NULL)
            *c = '_';
    return path;
}

static void write_plot(mmlc_plots *p, mml_status st, char *svg, const char *what, const char *block)
{
    char *path = st == MML_OK ? path_of(p, what, block) : NULL;
    mmlc_out out;

    if (st != MML_OK)
        p->rc = mmlc_fail(p->command, st);
    else if (path == NULL)
        p->rc = mmlc_no_memory(p->command);
    else if ((p->rc = mmlc_out_open(&out, p->command, path)) == MMLC_GO) {
        fputs(svg, out.stream);
        p->rc = mmlc_out_commit(&out);
    }
    free(path);
    mml_string_free(svg);
}

static char *name_of(const char *block, const char *feature, int indicator)
{
    char *name = NULL;

    if (asprintf(&name, "%s%s%s%s", block != NULL ? block : "", block != NULL && feature != NULL ? ": " : "",
                 feature != NULL ? feature : "", indicator ? " (measured)" : "") < 0)
        return NULL;
    return name;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; names != NULL && i < n; i++)
        free(names[i]);
    free(names);
}

/* NULL = no memory: a plot without a title. */
static char *titled(const char *what, const char *block)
{
    char *title = NULL;

    return asprintf(&title, "%s%s", what, block) < 0 ? NULL : title;
}

/* ---- summaries ------------------------------------------------------------------------------------------------------------ */

void mmlc_plot_summary(mmlc_plots *p, const mmlc_table *t, const char *name)
{
    size_t n = p->top > 0 && p->top < t->n ? p->top : t->n;
    char **names = calloc(n + 1, sizeof *names), *svg = NULL;
    double *values = calloc(n + 1, sizeof *values);
    int whole = names != NULL && values != NULL;
    mml_status st;

    for (size_t i = 0; whole && i < n; i++) {
        const mmlc_summary *r = &t->row[i];

        names[i] = name_of(r->block, r->feature, r->indicator);
        values[i] = r->n > 0 ? r->size / (double)r->n : NAN;
        whole = names[i] != NULL;
    }
    if (whole) {
        const mml_plot_text text = {.title = t->first != NULL ? "Features that matter most" : "What modalities contribute",
                                    .subtitle = p->score,
                                    .x_title = t->first != NULL ? "mean absolute attribution" : "mean absolute contribution"};

        st = mml_plot_bars(&svg, &text, (const char *const *)names, values, n);
        write_plot(p, st, svg, name, NULL);
    } else
        p->rc = mmlc_no_memory(p->command);
    free_names(names, n);
    free(values);
}

/* ---- attention ------------------------------------------------------------------------------------------------------------ */

/* x and y of places (n, 2) of a block's tokens: patches of images have row and column, instances of bags x and y. */
static int split_places(double **x, double **y, const mmlc_plots *p, size_t block, const float *place, size_t n)
{
    mml_modality_info info;
    const int row_first = mml_cohort_modality(&info, p->cohort, mml_model_block_modality(p->model, block)) == MML_OK &&
                          info.kind != MML_BAG;

    *x = calloc(n + 1, sizeof **x);
    *y = calloc(n + 1, sizeof **y);
    for (size_t i = 0; *x != NULL && *y != NULL && i < n; i++) {
        (*x)[i] = (double)place[2 * i + (row_first ? 1 : 0)];
        (*y)[i] = (double)place[2 * i + (row_first ? 0 : 1)];
    }
    return *x != NULL && *y != NULL;
}

static int ascending(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!(x[i] > x[i - 1]))
            return 0;
    return 1;
}

/* Places on one axis, if there is one and they ascend; else NULL: by number. The caller's to free(). */
static double *line_places(const float *place, size_t n, size_t n_axes)
{
    double *at = n_axes == 1 && place != NULL ? calloc(n + 1, sizeof *at) : NULL;

    for (size_t i = 0; at != NULL && i < n; i++)
        at[i] = (double)place[i];
    if (at != NULL && !ascending(at, n)) {
        free(at);
        at = NULL;
    }
    return at;
}

/* Mean over the steps, or the pooling, on a map. */
static mml_status plot_map(char **svg, const mmlc_plots *p, const mml_plot_text *text)
{
    double *x = NULL, *y = NULL, *mean = calloc(p->n + 1, sizeof *mean);
    mml_status st = MML_E_NOMEM;

    if (mean != NULL && split_places(&x, &y, p, p->block, p->place, p->n)) {
        for (size_t i = 0; i < p->n; i++)
            for (size_t s = 0; s < p->steps; s++)
                mean[i] += p->weight[s * p->n + i] / (double)p->steps;
        st = mml_plot_patches(svg, text, x, y, mean, p->n);
    }
    free(x);
    free(y);
    free(mean);
    return st;
}

static char *step_name(size_t s)
{
    char *name = NULL;

    return asprintf(&name, "step %zu", s + 1) < 0 ? NULL : name;
}

static mml_status plot_steps(char **svg, const mmlc_plots *p, const mml_plot_text *text)
{
    char **names = calloc(p->steps + 1, sizeof *names);
    double *at = line_places(p->place, p->n, p->n_axes);
    mml_status st = names != NULL ? MML_OK : MML_E_NOMEM;

    for (size_t s = 0; st == MML_OK && s < p->steps; s++)
        if ((names[s] = p->pooling ? strdup("pooling") : step_name(s)) == NULL)
            st = MML_E_NOMEM;
    if (st == MML_OK)
        st = mml_plot_grid(svg, text, (const char *const *)names, p->steps, at, p->n, p->weight);
    free_names(names, p->steps);
    free(at);
    return st;
}

void mmlc_plot_attention_end(mmlc_plots *p)
{
    const char *name = mml_model_block_name(p->model, p->block);
    char *title = titled("Weights of the tokens of ", name);
    const mml_plot_text text = {.title = title, .subtitle = p->id, .x_title = p->n_axes == 1 ? "place in [0, 1]" : "token",
                                .value_title = "weight"};
    char *svg = NULL;
    mml_status st;

    if (p->rc == MMLC_OK && p->n > 1 && p->steps > 0) {
        st = p->n_axes == 2 ? plot_map(&svg, p, &text) : plot_steps(&svg, p, &text);
        write_plot(p, st, svg, "attention", name);
    }
    free(title);
    free(p->weight);
    free(p->place);
    p->weight = NULL;
    p->place = NULL;
    p->steps = p->n = 0;
}

void mmlc_plot_attention(mmlc_plots *p, const mml_attention *a)
{
    double *more;

    if (p->steps > 0 && p->block != a->block)
        mmlc_plot_attention_end(p);
    if (p->rc != MMLC_OK || a->tokens == MML_TOKENS_POOLED)
        return;
    if (p->steps == 0) {
        p->block = a->block;
        p->pooling = a->step == MML_STEP_POOLING;
        p->n = a->n;
        p->n_axes = a->positions != NULL ? a->n_axes : 0;
        p->place = calloc(a->n * p->n_axes + 1, sizeof *p->place);
        if (p->place != NULL && p->n_axes > 0)
            memcpy(p->place, a->positions, a->n * p->n_axes * sizeof *p->place);
    }
    more = a->n <= SIZE_MAX / sizeof *more / (p->steps + 1) ? realloc(p->weight, (p->steps + 1) * a->n * sizeof *more) : NULL;
    if (more == NULL || p->place == NULL || a->n != p->n) {
        p->weight = more != NULL ? more : p->weight;
        p->rc = mmlc_no_memory(p->command);
        return;
    }
    p->weight = more;
    for (size_t i = 0; i < a->n; i++)
        p->weight[p->steps * a->n + i] = (double)a->weights[i];
    p->steps++;
}

/* ---- gradients ------------------------------------------------------------------------------------------------------------ */

typedef struct ranked {
    double size;
    size_t column;
} ranked;

static int greater_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* The columns by falling sum of absolute values, (n_columns); NULL = no memory. */
static ranked *rank(const mml_attributions *a)
{
    ranked *list = calloc(a->n_columns + 1, sizeof *list);

    for (size_t c = 0; list != NULL && c < a->n_columns; c++) {
        list[c].column = c;
        for (size_t t = 0; t < a->n_tokens; t++)
            list[c].size += fabs(a->values[t * a->n_columns + c]);
    }
    if (list != NULL)
        qsort(list, a->n_columns, sizeof *list, greater_first);
    return list;
}

/* Sums of tokens on a map. */
static mml_status plot_patches(char **svg, const mmlc_plots *p, const mml_attributions *a, const mml_plot_text *text)
{
    double *x = NULL, *y = NULL, *sum = calloc(a->n_tokens + 1, sizeof *sum);
    mml_status st = MML_E_NOMEM;

    if (sum != NULL && split_places(&x, &y, p, a->block, a->positions, a->n_tokens)) {
        for (size_t t = 0; t < a->n_tokens; t++)
            for (size_t c = 0; c < a->n_columns; c++)
                sum[t] += a->values[t * a->n_columns + c];
        st = mml_plot_patches(svg, text, x, y, sum, a->n_tokens);
    }
    free(x);
    free(y);
    free(sum);
    return st;
}

/* The columns that do most: bars of one token, rows over several. */
static mml_status plot_columns(char **svg, const mml_attributions *a, const mml_plot_text *text, size_t top)
{
    const size_t n = top > 0 && top < a->n_columns ? top : a->n_columns, T = a->n_tokens;
    ranked *list = rank(a);
    char **names = calloc(n + 1, sizeof *names);
    double *values = calloc(n * T + 1, sizeof *values), *at = line_places(a->positions, T, a->n_axes);
    mml_status st = list != NULL && names != NULL && values != NULL ? MML_OK : MML_E_NOMEM;

    for (size_t i = 0; st == MML_OK && i < n; i++) {
        const size_t c = list[i].column;

        names[i] = name_of(NULL, a->features[a->feature[c]], a->indicator[c]);
        st = names[i] != NULL ? MML_OK : MML_E_NOMEM;
        for (size_t t = 0; t < T; t++)
            values[i * T + t] = a->values[t * a->n_columns + c];
    }
    if (st == MML_OK)
        st = T == 1 ? mml_plot_bars(svg, text, (const char *const *)names, values, n)
                    : mml_plot_grid(svg, text, (const char *const *)names, n, at, T, values);
    free(list);
    free_names(names, n);
    free(values);
    free(at);
    return st;
}

void mmlc_plot_gradients(mmlc_plots *p, const mml_attributions *a)
{
    const char *name = mml_model_block_name(p->model, a->block);
    char *title = titled("What the features did of ", name);
    const mml_plot_text text = {.title = title, .subtitle = p->id,
                                .x_title = a->n_tokens == 1 ? p->score : a->n_axes == 1 ? "place in [0, 1]" : "token",
                                .value_title = p->score};
    char *svg = NULL;
    mml_status st;

    if (p->rc != MMLC_OK) {
        free(title);
        return;
    }
    st = a->n_axes == 2 && a->n_tokens > 1 ? plot_patches(&svg, p, a, &text) : plot_columns(&svg, a, &text, p->top);
    write_plot(p, st, svg, "gradients", name);
    free(title);
}
