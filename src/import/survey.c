/* survey.c - see survey.h. */
#include "import/survey.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "formats/csv_file.h"
#include "import/csv_look.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum {
    CANDIDATES = 16,      /* columns that may be ids */
    OUTCOMES = 16,        /* columns whose texts are kept besides, */
    OUTCOME_ROWS = 100000 /* of a table that has no more rows: texts lie in memory */
};

/* All cells of a column. */
typedef struct candidate {
    size_t column, n, cap;
    char **cells;
} candidate;

struct mmli_survey_inside {
    mmli_kept *keep;               /* or NULL */
    candidate list[CANDIDATES];    /* may be ids */
    candidate outcomes[OUTCOMES];  /* may be labels; if something is kept */
    size_t n, n_outcomes;
};

/* Names under which the field keeps its ids, the surest first; "" is pandas' and R's unnamed first column. */
static const char *const id_names[] = {"sample_id",  "id",         "case_id",   "patient_id", "patient", "sample",   "subject_id",
                                       "slide_id",   "barcode",    "image_id",  "isic_id",    "stay_id", "icustay_id", "recordid",
                                       "subject",    "pid",        "image_name", "bcr_patient_barcode", "donor_id", ""};

/* Place in id_names, or past its end. */
static size_t id_rank(const char *name)
{
    const size_t n = sizeof id_names / sizeof id_names[0];

    for (size_t i = 0; i < n; i++)
        if (strcasecmp(name, id_names[i]) == 0)
            return i;
    return n;
}

static bool may_be_id(const char *name, size_t column)
{
    const size_t n = strlen(name);

    return column < 3 || id_rank(name) < sizeof id_names / sizeof id_names[0] ||
           (n > 2 && (strcasecmp(name + n - 2, "id") == 0 || strcasecmp(name + n - 2, "no") == 0));
}

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_survey *s = user;
    double x;

    MML_TRY(mmli_calloc(&s->columns, n, sizeof *s->columns));
    s->numbers_in_header = n > 0;
    for (; s->n_columns < n; s->n_columns++) {
        mmli_survey_column *c = &s->columns[s->n_columns];

        MML_TRY(mmli_strdup(&c->name, cells[s->n_columns].text));
        c->whole = true;
        c->least = INFINITY;
        c->most = -INFINITY;
        s->numbers_in_header = s->numbers_in_header && mmli_parse_double(&x, c->name, strlen(c->name));
        if (may_be_id(c->name, s->n_columns) && s->inside->n < CANDIDATES)
            s->inside->list[s->inside->n++].column = s->n_columns;
        else if (s->inside->keep != NULL && s->inside->n_outcomes < OUTCOMES && mmli_may_tell(c->name))
            s->inside->outcomes[s->inside->n_outcomes++].column = s->n_columns;
    }
    if (s->inside->keep != NULL)
        MML_TRY(mmli_kept_begin(s->inside->keep, cells, n));
out:
    return st;
}

static mml_status note_value(mmli_survey_column *c, const mmli_cell *cell)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < c->n_values; i++)
        if (strcmp(c->values[i], cell->text) == 0)
            return MML_OK;
    MML_TRY(mmli_strdup(&c->values[c->n_values], cell->text));
    c->n_values++;
out:
    return st;
}

static mml_status add_cell(candidate *k, const mmli_cell *cells)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&k->cells, &k->cap, k->n + 1, sizeof *k->cells));
    k->cells[k->n] = NULL;
    k->n++;
    MML_TRY(mmli_strdup(&k->cells[k->n - 1], cells[k->column].text));
out:
    return st;
}

static void drop_cells(candidate *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mmli_h5_texts_free(list[i].cells, list[i].n);
        list[i] = (candidate){0};
    }
}

static mml_status add_texts(struct mmli_survey_inside *in, size_t row, const mmli_cell *cells)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < in->n; i++)
        MML_TRY(add_cell(&in->list[i], cells));
    if (row == OUTCOME_ROWS) {
        drop_cells(in->outcomes, in->n_outcomes);
        in->n_outcomes = 0;
    }
    for (size_t i = 0; i < in->n_outcomes; i++)
        MML_TRY(add_cell(&in->outcomes[i], cells));
out:
    return st;
}

/* *x = the number, NaN for a missing cell, infinite for a text. Nothing that says "missing" is a number, so which is asked first does
 * not matter but for the time. */
static void note_cell(double *x, mmli_survey_column *c, const mmli_cell *cell)
{
    if (mmli_parse_double(x, cell->text, cell->n)) {
        c->n_numbers++;
        c->least = *x < c->least ? *x : c->least;
        c->most = *x > c->most ? *x : c->most;
        c->whole = c->whole && *x == floor(*x);
    } else if (mmli_is_missing(cell->text, cell->n)) {
        c->n_missing++;
        *x = NAN;
    } else {
        c->n_texts++;
        *x = INFINITY;
    }
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_survey *s = user;
    mmli_kept *keep = s->inside->keep;
    double x;

    for (size_t i = 0; i < n; i++) {
        mmli_survey_column *c = &s->columns[i];

        note_cell(&x, c, &cells[i]);
        if (keep != NULL)
            mmli_kept_cell(keep, i, x);
        if (!isnan(x) && c->n_values <= MMLI_SURVEY_VALUES)
            MML_TRY(note_value(c, &cells[i]));
    }
    MML_TRY(add_texts(s->inside, s->n_rows, cells));
    if (keep != NULL)
        MML_TRY(mmli_kept_row(keep, row));
    s->n_rows++;
out:
    return st;
}

/* Of columns without gaps and repetitions: the one with the best name, else the first that is text. */
static mml_status find_id(mmli_survey *s)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second, best = SIZE_MAX, best_rank = SIZE_MAX;

    for (size_t i = 0; i < s->inside->n; i++) {
        candidate *k = &s->inside->list[i];
        mmli_survey_column *c = &s->columns[k->column];
        const size_t known = sizeof id_names / sizeof id_names[0];
        size_t rank = id_rank(c->name);

        MML_TRY(mmli_index_make(&index, (const char *const *)k->cells, k->n, &first, &second));
        mmli_index_free(&index);
        c->distinct = c->n_missing == 0 && first == SIZE_MAX && k->n > 0;
        if (!c->distinct)
            continue;
        if (rank == known) /* no name that tells: text first, whole numbers in the first column perhaps */
            rank += c->n_texts > 0 ? 0 : c->whole && k->column == 0 ? 1 : 2;
        if (rank <= known + 1 && rank < best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    if (best == SIZE_MAX)
        goto out;
    s->id = s->inside->list[best].column;
    MML_TRY(mmli_strdup(&s->first_id, s->inside->list[best].cells[0]));
    MML_TRY(mmli_strdup(&s->last_id, s->inside->list[best].cells[s->n_rows - 1]));
out:
    mmli_index_free(&index);
    return st;
}

/* The texts change hands. */
static mml_status hand_over(struct mmli_survey_inside *in, const char *path)
{
    for (size_t i = 0; i < in->n; i++)
        mmli_kept_texts(in->keep, in->list[i].column, in->list[i].cells);
    for (size_t i = 0; i < in->n_outcomes; i++)
        mmli_kept_texts(in->keep, in->outcomes[i].column, in->outcomes[i].cells);
    in->n = in->n_outcomes = 0;
    return mmli_kept_end(in->keep, path);
}

mml_status mmli_survey_read(mmli_survey *s, const char *path, mmli_kept *keep)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;

    *s = (mmli_survey){.id = SIZE_MAX};
    MML_TRY(mmli_calloc(&s->inside, 1, sizeof *s->inside));
    s->inside->keep = keep;
    MML_TRY(mmli_csv_file_read(path, &handler, s));
    if (!s->numbers_in_header)
        MML_TRY(find_id(s));
    if (!s->numbers_in_header && keep != NULL)
        MML_TRY(hand_over(s->inside, path));
out:
    if (st != MML_OK)
        mmli_survey_free(s);
    return st;
}

void mmli_survey_free(mmli_survey *s)
{
    for (size_t i = 0; i < s->n_columns; i++) {
        mmli_free(s->columns[i].name);
        for (size_t k = 0; k < s->columns[i].n_values; k++)
            mmli_free(s->columns[i].values[k]);
    }
    if (s->inside != NULL) {
        drop_cells(s->inside->list, s->inside->n);
        drop_cells(s->inside->outcomes, s->inside->n_outcomes);
    }
    mmli_free(s->inside);
    mmli_free(s->columns);
    mmli_free(s->first_id);
    mmli_free(s->last_id);
    *s = (mmli_survey){0};
}
