/* explain_tables.c - see explain_tables.h. Tables are long: one number a line, so that other programs can filter and pivot them. */
#include "cli/explain_plots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int has_classes(const mmlc_table *t)
{
    return mml_model_n_classes(t->model) > 0;
}

static int stop(const mmlc_table *t)
{
    return mmlc_signal() != 0 || ferror(t->to) || t->no_memory || (t->scores != NULL && ferror(t->scores));
}

static void count(mmlc_table *t, size_t sample)
{
    t->lines += t->lines == 0 || t->last != sample;
    t->last = sample;
}

/* "0.25,0.75"; "-" where there is none */
static void put_place(FILE *to, const float *at, size_t n)
{
    if (at == NULL || n == 0)
        fputs("\t-", to);
    for (size_t i = 0; at != NULL && i < n; i++)
        fprintf(to, "%c%.9g", i > 0 ? ',' : '\t', (double)at[i]);
}

/* A new row of the summary; NULL = no memory. */
static mmlc_summary *add_row(mmlc_table *t, const mmlc_summary *row)
{
    if (t->n == t->cap) {
        size_t cap = t->cap > 0 ? 2 * t->cap : 64;
        mmlc_summary *more = realloc(t->row, cap * sizeof *more);

        if (more == NULL) {
            t->no_memory = 1;
            return NULL;
        }
        t->row = more;
        t->cap = cap;
    }
    t->row[t->n] = *row;
    return &t->row[t->n++];
}

static void add_value(mmlc_summary *row, double value)
{
    row->n++;
    row->sum += value;
    row->size += fabs(value);
}

/* ---- attention ------------------------------------------------------------------------------------------------------------ */

void mmlc_attention_header(const mmlc_table *t)
{
    fputs("id\tblock\tstep\tkind\ttoken\tposition\tweight\n", t->to);
}

static const char *kind_of(const mml_attention *a)
{
    switch (a->tokens) {
    case MML_TOKENS_POOLED: return "pooled";
    case MML_TOKENS_FREQUENCY: return "frequency";
    case MML_TOKENS:
    default: return a->n == 1 && a->positions == NULL ? "row" : "token";
    }
}

int mmlc_attention_line(void *table, const mml_attention *a)
{
    mmlc_table *t = table;

    count(t, a->sample);
    for (size_t i = 0; i < a->n; i++) {
        mmlc_put_name(t->to, t->ids[a->sample]);
        fputc('\t', t->to);
        mmlc_put_name(t->to, mml_model_block_name(t->model, a->block));
        if (a->step == MML_STEP_POOLING)
            fputs("\tpooling", t->to);
        else
            fprintf(t->to, "\t%zu", a->step + 1);
        fprintf(t->to, "\t%s\t%zu", kind_of(a), a->tokens == MML_TOKENS_FREQUENCY ? i : i + 1);
        put_place(t->to, a->positions != NULL ? a->positions + i * a->n_axes : NULL, a->n_axes);
        fprintf(t->to, "\t%.9g\n", (double)a->weights[i]);
    }
    if (t->plots != NULL)
        mmlc_plot_attention(t->plots, a);
    return stop(t);
}

/* ---- modalities ----------------------------------------------------------------------------------------------------------- */

void mmlc_modalities_header(const mmlc_table *t)
{
    fputs("id\tmodality", t->to);
    if (has_classes(t))
        fputs("\tclass", t->to);
    fputs("\tscore\twithout\talone\tcontribution", t->to);
    if (has_classes(t))
        fputs("\tprobability\tprobability_without\tprobability_alone", t->to);
    fputs("\tprior\n", t->to);
}

int mmlc_modalities_line(void *table, const mml_contribution *c)
{
    mmlc_table *t = table;
    mmlc_summary *row = NULL;

    count(t, c->sample);
    for (size_t i = 0; i < t->n && row == NULL; i++)
        row = strcmp(t->row[i].block, c->modality) == 0 ? &t->row[i] : NULL;
    if (row == NULL && (row = add_row(t, &(mmlc_summary){.block = c->modality})) == NULL)
        return 1;
    add_value(row, c->score - c->without);
    mmlc_put_name(t->to, t->ids[c->sample]);
    fputc('\t', t->to);
    mmlc_put_name(t->to, c->modality);
    if (has_classes(t)) {
        fputc('\t', t->to);
        mmlc_put_name(t->to, mml_model_class(t->model, c->class_index));
    }
    fprintf(t->to, "\t%.9g\t%.9g\t%.9g\t%.9g", c->score, c->without, c->alone, c->score - c->without);
    if (has_classes(t))
        fprintf(t->to, "\t%.9g\t%.9g\t%.9g", c->output, c->output_without, c->output_alone);
    fprintf(t->to, "\t%d\n", c->prior);
    return stop(t);
}

/* ---- features ------------------------------------------------------------------------------------------------------------- */

void mmlc_gradients_header(const mmlc_table *t)
{
    fputs("id\tblock", t->to);
    if (t->per != MMLC_PER_FEATURE)
        fputs("\ttoken\tposition", t->to);
    if (t->per != MMLC_PER_TOKEN)
        fputs("\tfeature\tpart", t->to);
    fputs("\tattribution\n", t->to);
    if (t->scores != NULL)
        fprintf(t->scores, "id%s\tscore\tbaseline\tgap\tpoints\n", has_classes(t) ? "\tclass" : "");
}

static void put_line(const mmlc_table *t, const mml_attributions *a, size_t token, size_t column, double value)
{
    mmlc_put_name(t->to, t->ids[a->sample]);
    fputc('\t', t->to);
    mmlc_put_name(t->to, mml_model_block_name(t->model, a->block));
    if (t->per != MMLC_PER_FEATURE) {
        fprintf(t->to, "\t%zu", token + 1);
        put_place(t->to, a->positions != NULL ? a->positions + token * a->n_axes : NULL, a->n_axes);
    }
    if (t->per != MMLC_PER_TOKEN) {
        fputc('\t', t->to);
        mmlc_put_name(t->to, a->features[a->feature[column]]);
        fputs(a->indicator[column] ? "\tmeasured" : "\tvalue", t->to);
    }
    fprintf(t->to, "\t%.9g\n", value);
}

static double of_column(const mml_attributions *a, size_t column)
{
    double sum = 0;

    for (size_t i = 0; i < a->n_tokens; i++)
        sum += a->values[i * a->n_columns + column];
    return sum;
}

static double of_token(const mml_attributions *a, size_t token)
{
    double sum = 0;

    for (size_t i = 0; i < a->n_columns; i++)
        sum += a->values[token * a->n_columns + i];
    return sum;
}

static void put_attributions(const mmlc_table *t, const mml_attributions *a)
{
    switch (t->per) {
    case MMLC_PER_FEATURE:
        for (size_t c = 0; c < a->n_columns; c++)
            put_line(t, a, 0, c, of_column(a, c));
        break;
    case MMLC_PER_TOKEN:
        for (size_t i = 0; i < a->n_tokens; i++)
            put_line(t, a, i, 0, of_token(a, i));
        break;
    case MMLC_PER_VALUE:
        for (size_t i = 0; i < a->n_tokens; i++)
            for (size_t c = 0; c < a->n_columns; c++)
                put_line(t, a, i, c, a->values[i * a->n_columns + c]);
        break;
    }
}

static void put_scores(const mmlc_table *t, const mml_attributions *a)
{
    mmlc_put_name(t->scores, t->ids[a->sample]);
    if (has_classes(t)) {
        fputc('\t', t->scores);
        mmlc_put_name(t->scores, mml_model_class(t->model, a->class_index));
    }
    fprintf(t->scores, "\t%.9g\t%.9g\t%.3g\t%zu\n", a->score, a->baseline, a->gap, a->points);
}

int mmlc_gradients_lines(void *table, const mml_attributions *a)
{
    mmlc_table *t = table;

    if (t->scores != NULL && (t->lines == 0 || t->last != a->sample))
        put_scores(t, a);
    count(t, a->sample);
    for (size_t c = 0; t->first[a->block] == 0 && c < a->n_columns; c++)
        if (add_row(t, &(mmlc_summary){.block = mml_model_block_name(t->model, a->block),
                                       .feature = a->features[a->feature[c]],
                                       .indicator = a->indicator[c]}) == NULL)
            return 1;
    if (t->first[a->block] == 0)
        t->first[a->block] = t->n - a->n_columns + 1;
    for (size_t c = 0; c < a->n_columns; c++)
        add_value(&t->row[t->first[a->block] - 1 + c], of_column(a, c));
    put_attributions(t, a);
    if (t->plots != NULL)
        mmlc_plot_gradients(t->plots, a);
    return stop(t);
}

/* ---- summaries ------------------------------------------------------------------------------------------------------------ */

static double mean_size(const mmlc_summary *r)
{
    return r->n > 0 ? r->size / (double)r->n : 0;
}

/* Greatest first; equal ones by name, so that the order is one. */
static int greater_first(const void *a, const void *b)
{
    const mmlc_summary *x = a, *y = b;
    const double u = mean_size(x), v = mean_size(y);
    int by_name = strcmp(x->block, y->block);

    if (u != v)
        return u > v ? -1 : 1;
    if (by_name == 0 && x->feature != NULL && y->feature != NULL)
        by_name = strcmp(x->feature, y->feature);
    return by_name != 0 ? by_name : x->indicator - y->indicator;
}

void mmlc_put_summary(FILE *to, mmlc_table *t, size_t top)
{
    const int features = t->first != NULL;

    if (t->n > 0)
        qsort(t->row, t->n, sizeof *t->row, greater_first);
    fputs(features ? "block\tfeature\tpart" : "modality", to);
    fputs("\tmean_absolute\tmean\tpatients\n", to);
    for (size_t i = 0; i < t->n && (top == 0 || i < top); i++) {
        const mmlc_summary *r = &t->row[i];

        mmlc_put_name(to, r->block);
        if (features) {
            fputc('\t', to);
            mmlc_put_name(to, r->feature);
            fputs(r->indicator ? "\tmeasured" : "\tvalue", to);
        }
        fprintf(to, "\t%.9g\t%.9g\t%zu\n", mean_size(r), r->n > 0 ? r->sum / (double)r->n : 0, r->n);
    }
}
