/* survey.c - see survey.h. */
#include "import/survey.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "formats/csv_file.h"
#include "import/import.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { CANDIDATES = 16 /* columns that may be ids */ };

/* All cells of the columns that may be ids. */
typedef struct candidate {
    size_t column, n, cap;
    char **cells;
} candidate;

struct mmli_survey_inside {
    candidate list[CANDIDATES];
    size_t n;
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
    }
out:
    return st;
}

static mml_status note_value(mmli_survey_column *c, const mmli_cell *cell)
{
    mml_status st = MML_OK;

    if (c->n_values > MMLI_SURVEY_VALUES)
        return MML_OK;
    for (size_t i = 0; i < c->n_values; i++)
        if (strcmp(c->values[i], cell->text) == 0)
            return MML_OK;
    MML_TRY(mmli_strdup(&c->values[c->n_values], cell->text));
    c->n_values++;
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    mmli_survey *s = user;
    double x;

    (void)row;
    for (size_t i = 0; i < n; i++) {
        mmli_survey_column *c = &s->columns[i];

        if (mmli_is_missing(cells[i].text, cells[i].n)) {
            c->n_missing++;
            continue;
        }
        if (mmli_parse_double(&x, cells[i].text, cells[i].n)) {
            c->n_numbers++;
            c->least = x < c->least ? x : c->least;
            c->most = x > c->most ? x : c->most;
            c->whole = c->whole && x == floor(x);
        } else {
            c->n_texts++;
        }
        MML_TRY(note_value(c, &cells[i]));
    }
    for (size_t i = 0; i < s->inside->n; i++) {
        candidate *k = &s->inside->list[i];

        MML_TRY(mmli_grow(&k->cells, &k->cap, k->n + 1, sizeof *k->cells));
        k->cells[k->n] = NULL;
        k->n++;
        MML_TRY(mmli_strdup(&k->cells[k->n - 1], cells[k->column].text));
    }
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

mml_status mmli_survey_read(mmli_survey *s, const char *path)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;

    *s = (mmli_survey){.id = SIZE_MAX};
    MML_TRY(mmli_calloc(&s->inside, 1, sizeof *s->inside));
    MML_TRY(mmli_csv_file_read(path, &handler, s));
    if (!s->numbers_in_header)
        MML_TRY(find_id(s));
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
    for (size_t i = 0; s->inside != NULL && i < s->inside->n; i++)
        mmli_h5_texts_free(s->inside->list[i].cells, s->inside->list[i].n);
    mmli_free(s->inside);
    mmli_free(s->columns);
    mmli_free(s->first_id);
    mmli_free(s->last_id);
    *s = (mmli_survey){0};
}
