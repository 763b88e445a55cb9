/* kind_long.c - a CSV with one measurement a row: whose, when, of what, how much; each sample becomes (bins, variables).
 *
 * Rows may be in any order. They are parsed once and put aside (events.h); a sample is made of its own when its turn comes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import/bins.h"
#include "import/dictionary.h"
#include "import/events.h"
#include "import/long_look.h"
#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"

enum { TOGETHER = 4096 /* events */, MOST_BINS = 1000000, MOST_CELLS = 1 << 22, COLUMNS = 4 };
enum { ID, TIME, VARIABLE, VALUE };

typedef struct long_source {
    const char *names[COLUMNS]; /* of the columns; lent */
    size_t at[COLUMNS];
    double width, start; /* of a bin, of the window; seconds where `clock` */
    bool clock;          /* times are HH:MM */
    mmli_aggregate how;
    size_t n_bins;
    mmli_dictionary samples, variables;
    mmli_events events;
    size_t before, after, without; /* events outside of the window, rows without a value */
    size_t *column;                /* (variables) in a row, or SIZE_MAX */
    mmli_bins bins;
    mmli_event *some;              /* (TOGETHER) */
} long_source;

/* ---- options -------------------------------------------------------------------------------------------------------------- */

/* A number, or a time HH:MM; *clock says which. */
static bool parse_time(double *out, bool *clock, const char *s, size_t n)
{
    *clock = memchr(s, ':', n) != NULL;
    return *clock ? mmli_parse_clock(out, s, n) : mmli_parse_double(out, s, n) && isfinite(*out);
}

static mml_status needed(const char **out, const mmli_source *s, const char *key, const char *what)
{
    mml_status st = MML_OK;

    *out = mmli_source_option(s, key);
    MML_CHECK(*out != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs %s = %s", s->m->ini_path, s->m->line, s->m->section->name, key, what);
out:
    return st;
}

static mml_status read_window(mmli_source *s, long_source *l)
{
    mml_status st = MML_OK;
    const char *bin, *bins, *start = mmli_source_option(s, "start");
    bool clock = false;

    MML_TRY(needed(&bin, s, "bin", "the width of a bin, in the unit of the times (1, or 1:00)"));
    MML_TRY(needed(&bins, s, "bins", "the number of bins"));
    if (!parse_time(&l->width, &l->clock, bin, strlen(bin)) || !(l->width > 0))
        st = mmli_source_bad_option(s, "bin", "a number above 0, or a time HH:MM, is needed");
    else if (!mmli_parse_size(&l->n_bins, bins, strlen(bins), MOST_BINS) || l->n_bins == 0)
        st = mmli_source_bad_option(s, "bins", "a whole number from 1 to 1000000 is needed");
    else if (start != NULL && (!parse_time(&l->start, &clock, start, strlen(start)) || clock != l->clock))
        st = mmli_source_bad_option(s, "start", "a time as in bin is needed");
out:
    return st;
}

static mml_status read_options(mmli_source *s, long_source *l)
{
    mml_status st = MML_OK;
    const char *how = mmli_source_option(s, "aggregate");
    size_t k = 0;
    char list[MMLI_LIST_BYTES], why[MMLI_LIST_BYTES + 40];

    MML_CHECK(s->m->kind == MML_SERIES, MML_E_FORMAT, "%s:%zu: [%s] a long table is kind = series", s->m->ini_path, s->m->line,
              s->m->section->name);
    l->names[ID] = s->m->id;
    MML_CHECK(s->m->id != NULL, MML_E_FORMAT, "%s:%zu: [%s] needs id = the column with the sample ids", s->m->ini_path, s->m->line,
              s->m->section->name);
    MML_TRY(needed(&l->names[TIME], s, "time", "the column with the times"));
    MML_TRY(needed(&l->names[VARIABLE], s, "variable", "the column that says what was measured"));
    MML_TRY(needed(&l->names[VALUE], s, "value", "the column with the values"));
    MML_TRY(read_window(s, l));
    l->how = MMLI_LAST;
    while (how != NULL && k < MMLI_N_AGGREGATES && strcmp(how, mmli_aggregate_names[k]) != 0)
        k++;
    if (k == MMLI_N_AGGREGATES) {
        (void)snprintf(why, sizeof why, "possible are: %s", mmli_list(list, mmli_aggregate_names, MMLI_N_AGGREGATES));
        st = mmli_source_bad_option(s, "aggregate", why);
        goto out;
    }
    l->how = (mmli_aggregate)k;
out:
    return st;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------ */

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    long_source *l = s->state;
    const char **names = NULL;

    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (size_t i = 0; i < n; i++)
        names[i] = cells[i].text;
    for (size_t k = 0; k < COLUMNS; k++)
        MML_TRY(mmli_csv_column(&l->at[k], s->m->file, names, n, l->names[k]));
out:
    mmli_free(names);
    return st;
}

/* *has = false: the row has no value. */
static mml_status parse_row(mmli_event *e, bool *has, const mmli_source *s, const long_source *l, size_t row, const mmli_cell *cells)
{
    mml_status st = MML_OK;
    const mmli_cell *time = &cells[l->at[TIME]], *value = &cells[l->at[VALUE]], *variable = &cells[l->at[VARIABLE]];
    bool clock;

    *has = false;
    MML_CHECK(parse_time(&e->time, &clock, time->text, time->n), MML_E_DATA,
              "%s: row %zu, column %s: \"%.80s\" is no time (a number, or HH:MM)", s->m->file, row, l->names[TIME], time->text);
    MML_CHECK(clock == l->clock, MML_E_DATA, "%s: row %zu, column %s: %.80s is a %s, and bin = %s is a %s", s->m->file, row,
              l->names[TIME], time->text, clock ? "time HH:MM" : "number", mmli_source_option(s, "bin"),
              l->clock ? "time HH:MM" : "number");
    MML_CHECK(mmli_bad_id(variable->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the name cannot be used: %s", s->m->file,
              row, l->names[VARIABLE], mmli_bad_id(variable->text));
    if (mmli_is_missing(value->text, value->n))
        goto out;
    MML_CHECK(mmli_parse_double(&e->value, value->text, value->n) && fabs(e->value) <= 3.4e38, MML_E_DATA,
              "%s: row %zu, column %s: \"%.80s\" is not a number; texts are written as numbers, or left out, before the import",
              s->m->file, row, l->names[VALUE], value->text);
    *has = true;
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_source *s = user;
    long_source *l = s->state;
    const mmli_cell *id = &cells[l->at[ID]], *variable = &cells[l->at[VARIABLE]];
    mmli_event e = {0};
    size_t sample, channel;
    bool has;
    double bin;

    (void)n;
    MML_CHECK(mmli_bad_id(id->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the id cannot be used: %s", s->m->file, row,
              l->names[ID], mmli_bad_id(id->text));
    MML_TRY(mmli_dictionary_number(&sample, &l->samples, id->text, id->n));
    MML_TRY(mmli_problem(s->context->problems, parse_row(&e, &has, s, l, row, cells)));
    if (!has) {
        l->without++;
        goto out;
    }
    MML_TRY(mmli_dictionary_number(&channel, &l->variables, variable->text, variable->n));
    MML_CHECK(sample < UINT32_MAX && channel < UINT32_MAX, MML_E_SHAPE, "%s: has too many samples or variables", s->m->file);
    bin = floor((e.time - l->start) / l->width);
    l->before += bin < 0;
    l->after += bin >= (double)l->n_bins;
    if (bin < 0 || bin >= (double)l->n_bins)
        goto out;
    e.sample = (uint32_t)sample;
    e.channel = (uint32_t)channel;
    MML_TRY(mmli_events_add(&l->events, &e));
out:
    return st;
}

/* ---- the source --------------------------------------------------------------------------------------------------------------- */

/* Rows have only the variables that are chosen. */
static mml_status choose_variables(mmli_source *s, long_source *l)
{
    mml_status st = MML_OK;
    size_t cells;

    MML_CHECK(l->variables.n > 0, MML_E_DATA, "%s: no row has a value", s->m->file);
    MML_TRY(mmli_source_choose(s, (const char *const *)l->variables.texts, l->variables.n, NULL));
    MML_TRY(mmli_calloc(&l->column, l->variables.n, sizeof *l->column));
    for (size_t i = 0; i < l->variables.n; i++)
        l->column[i] = SIZE_MAX;
    s->rank = 2;
    s->dims[0] = l->n_bins;
    s->dims[1] = s->n_picks;
    MML_TRY(mmli_calloc(&s->names, s->n_picks, sizeof *s->names));
    for (size_t i = 0; i < s->n_picks; i++) {
        l->column[s->picks[i]] = i;
        MML_TRY(mmli_strdup(&s->names[i], l->variables.texts[s->picks[i]]));
        s->picks[i] = i;
    }
    MML_CHECK(mmli_mul_size(&cells, l->n_bins, s->n_picks) && cells <= MOST_CELLS, MML_E_SHAPE,
              "%s: %zu bins of %zu variables are too many cells a sample; choose variables (columns = ...) or wider bins",
              s->m->file, l->n_bins, s->n_picks);
    MML_TRY(mmli_bins_make(&l->bins, l->n_bins, s->n_picks));
out:
    return st;
}

static mml_status note_left_out(mmli_source *s, const long_source *l)
{
    mml_status st = MML_OK;

    if (l->without > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s left out: without a value\n", l->without, mmli_by_number(l->without, "row", "rows")));
    if (l->before > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s left out: before the first bin\n", l->before, mmli_by_number(l->before, "value", "values")));
    if (l->after > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s left out: after the last bin\n", l->after, mmli_by_number(l->after, "value", "values")));
out:
    return st;
}

static mml_status long_open(mmli_source *s)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;
    long_source *l;
    const mmli_sheet sheet = {.path = s->m->file, .more = s->m->more, .n_more = s->m->n_more};

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *l));
    l = s->state;
    MML_TRY(read_options(s, l));
    MML_TRY(mmli_events_open(&l->events, s->context->beside));
    MML_TRY(mmli_calloc(&l->some, TOGETHER, sizeof *l->some));
    MML_TRY(mmli_sheet_read(&sheet, &handler, s));
    MML_TRY(mmli_events_finish(&l->events, l->samples.n));
    MML_TRY(choose_variables(s, l));
    s->ids = l->samples.texts; /* moved */
    s->n_pieces = l->samples.n;
    l->samples.texts = NULL;
    l->samples.n = 0;
    MML_TRY(note_left_out(s, l));
out:
    return st;
}

static void long_close(mmli_source *s)
{
    long_source *l = s->state;

    if (l == NULL)
        return;
    mmli_dictionary_free(&l->samples);
    mmli_dictionary_free(&l->variables);
    mmli_events_close(&l->events);
    mmli_bins_free(&l->bins);
    mmli_free(l->column);
    mmli_free(l->some);
    mmli_free(l);
}

static mml_status read_sample(float *row, long_source *l, size_t sample)
{
    mml_status st = MML_OK;
    const size_t total = l->events.counts[sample];

    mmli_bins_clear(&l->bins);
    for (size_t at = 0, n; at < total; at += n) {
        n = total - at < TOGETHER ? total - at : TOGETHER;
        MML_TRY(mmli_events_get(l->some, &l->events, sample, at, n));
        for (size_t i = 0; i < n; i++) {
            const mmli_event *e = &l->some[i];
            const size_t column = l->column[e->channel];

            if (column != SIZE_MAX)
                mmli_bins_add(&l->bins, (size_t)floor((e->time - l->start) / l->width), column, e->time, e->value);
        }
    }
    for (size_t t = 0; t < l->bins.steps; t++)
        for (size_t c = 0; c < l->bins.channels; c++)
            *row++ = (float)mmli_bins_get(&l->bins, t, c, l->how);
out:
    return st;
}

static mml_status long_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    const size_t width = mmli_source_row_values(s);

    (void)positions;
    for (size_t i = 0; i < n; i++)
        MML_TRY(read_sample(values + spans[i].to * width, s->state, spans[i].piece));
out:
    return st;
}

static const char *const keys[] = {"time", "variable", "value", "bin", "bins", "start", "aggregate", NULL};

const mmli_source_kind mmli_kind_long = {
    .name = "long",
    .what = "a table with one measurement a row",
    .keys = keys,
    .probe = mmli_long_probe,
    .open = long_open,
    .close = long_close,
    .read = long_read,
    .inspect = mmli_long_inspect,
    .suggest = mmli_long_suggest,
    .texts = mmli_csv_texts,
};
