/* anndata_obs.c - see anndata_obs.h. */
#include "import/anndata_obs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/dictionary.h"
#include "util/alloc.h"
#include "util/error.h"

enum { CATEGORIES_MOST = 1000 /* a column with more is no category but a text */ };

typedef struct column {
    const char *name; /* lent by obs */
    float *raw;       /* (rows wanted) the number, or the place of the word; NaN = missing */
    char **words;     /* (n_words) by byte; NULL: it is a number */
    size_t n_words;
} column;

typedef struct reading {
    mmli_source *s;
    const mmli_ann_frame *obs;
    const size_t *rows, *start;
    size_t n; /* rows of the result */
    column *columns;
    size_t n_columns;
} reading;

/* ---- which columns --------------------------------------------------------------------------------------------- */

static bool is_named(const mmli_source *s, const char *name)
{
    for (size_t i = 0; i < s->m->n_columns; i++)
        if (strcmp(s->m->columns[i], name) == 0)
            return true;
    return false;
}

/* MuData copies the column `dead` of its modality rna as `rna:dead`. */
static const char *base_of(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon != NULL ? colon + 1 : name;
}

static bool is_reserved(const mmli_source *s, const char *name)
{
    for (size_t i = 0; i < s->m->n_reserved; i++)
        if (strcmp(base_of(s->m->reserved[i]), base_of(name)) == 0)
            return true;
    return false;
}

/* The picks without those that are reserved under another name. */
static mml_status choose(reading *r, const char *sample)
{
    mml_status st = MML_OK;
    mmli_source *s = r->s;
    size_t kept = 0;

    MML_TRY(mmli_source_choose(s, (const char *const *)r->obs->columns, r->obs->n_columns, sample != NULL ? mmli_ann_column_name(sample) : NULL));
    for (size_t i = 0; i < s->n_picks; i++) {
        const char *name = r->obs->columns[s->picks[i]];

        if (!is_reserved(s, name) || is_named(s, name)) {
            s->picks[kept++] = s->picks[i];
            continue;
        }
        MML_TRY(mmli_strdup(&s->left_out[s->n_left_out], name)); /* there is room for all columns */
        s->n_left_out++;
    }
    s->n_picks = kept;
out:
    return st;
}

/* ---- one column ------------------------------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Rows of obs -> places of words, sorted. */
static mml_status read_words(column *out, float *all, const mmli_ann_column *c, const reading *r)
{
    mml_status st = MML_OK;
    mmli_dictionary d = {0};
    char room[MMLI_NUMBER_BYTES];
    size_t *rank = NULL;

    for (size_t i = 0; i < c->n; i++) {
        const char *text = mmli_ann_column_text(room, c, i);
        size_t at;

        all[i] = NAN;
        if (text[0] == '\0')
            continue;
        MML_TRY(mmli_dictionary_number(&at, &d, text, strlen(text)));
        MML_CHECK(d.n <= CATEGORIES_MOST, MML_E_DATA, "%s: %s/%s has more than %d categories; it looks like a text", r->obs->path,
                  r->obs->name, out->name, CATEGORIES_MOST);
        all[i] = (float)at;
    }
    MML_TRY(mmli_calloc(&out->words, d.n, sizeof *out->words));
    for (; out->n_words < d.n; out->n_words++)
        MML_TRY(mmli_strdup(&out->words[out->n_words], d.texts[out->n_words]));
    if (d.n > 0)
        qsort(out->words, d.n, sizeof *out->words, by_text);
    MML_TRY(mmli_calloc(&rank, d.n, sizeof *rank));
    for (size_t k = 0; k < d.n; k++)
        rank[k] = (size_t)((char **)bsearch(&d.texts[k], out->words, d.n, sizeof *out->words, by_text) - out->words);
    for (size_t i = 0; i < c->n; i++)
        all[i] = isnan(all[i]) ? NAN : (float)rank[(size_t)all[i]];
out:
    mmli_dictionary_free(&d);
    mmli_free(rank);
    return st;
}

/* Of the rows of a sample the one value that they agree in. */
static mml_status agree(float *out, const reading *r, size_t piece, const float *all, const mmli_ann_column *c, const char *name)
{
    mml_status st = MML_OK;
    char a[MMLI_NUMBER_BYTES], b[MMLI_NUMBER_BYTES];
    size_t first = SIZE_MAX;

    *out = NAN;
    for (size_t i = r->start[piece]; i < r->start[piece + 1]; i++) {
        const size_t row = r->rows[i];

        if (isnan(all[row]))
            continue;
        if (first == SIZE_MAX) {
            first = row;
            *out = all[row];
            continue;
        }
        MML_CHECK(all[row] == *out, MML_E_DATA, "%s: %s/%s: sample %s has %.80s and, in row %zu, %.80s; kind = table needs the same in "
                  "all observations of a sample, kind = bag takes each of them", r->obs->path, r->obs->name, name, r->s->ids[piece],
                  mmli_ann_column_text(a, c, first), row, mmli_ann_column_text(b, c, row));
    }
out:
    return st;
}

static mml_status gather(column *out, const reading *r, const float *all, const mmli_ann_column *c)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&out->raw, r->n, sizeof *out->raw));
    for (size_t i = 0; i < r->n; i++) {
        if (r->s->m->kind == MML_BAG)
            out->raw[i] = all[r->rows[i]];
        else
            MML_TRY(agree(&out->raw[i], r, i, all, c, out->name));
    }
out:
    return st;
}

static mml_status read_column(column *out, const reading *r, bool named)
{
    mml_status st = MML_OK;
    mmli_ann_column c = {0};
    float *all = NULL;
    double x;

    MML_TRY(mmli_ann_column_read(&c, r->obs, out->name));
    MML_CHECK(named || c.kind != MMLI_ANN_TEXT, MML_E_DATA, "%s: %s/%s is text; columns = ..., %s makes a number of each of its categories",
              r->obs->path, r->obs->name, out->name, out->name);
    MML_TRY(mmli_calloc(&all, c.n, sizeof *all));
    if (c.kind == MMLI_ANN_TEXT || c.kind == MMLI_ANN_CATEGORY)
        MML_TRY(read_words(out, all, &c, r));
    for (size_t i = 0; i < c.n && mmli_ann_column_number(&x, &c, i); i++)
        all[i] = (float)x;
    MML_TRY(gather(out, r, all, &c));
out:
    mmli_free(all);
    mmli_ann_column_free(&c);
    return st;
}

static void column_free(column *c)
{
    mmli_h5_texts_free(c->words, c->n_words);
    mmli_free(c->raw);
    *c = (column){0};
}

/* What a pattern has met and cannot be a feature is left out, and said. */
static mml_status read_columns(reading *r)
{
    mml_status st = MML_OK;
    mmli_source *s = r->s;

    MML_TRY(mmli_calloc(&r->columns, s->n_picks, sizeof *r->columns));
    for (size_t i = 0; i < s->n_picks; i++) {
        column *c = &r->columns[r->n_columns];
        const bool named = is_named(s, r->obs->columns[s->picks[i]]);

        c->name = r->obs->columns[s->picks[i]];
        st = read_column(c, r, named);
        if (st == MML_OK) {
            r->n_columns++;
            continue;
        }
        column_free(c);
        if (named || mmli_machine_failed(st))
            goto out;
        st = MML_OK;
        MML_TRY(mmli_buf_printf(&s->notes, "  left out: %s\n", mml_last_error()));
    }
    MML_CHECK(r->n_columns > 0, MML_E_DATA, "%s: modality %s: no column of %s can be a feature", s->m->file, s->m->name, r->obs->name);
out:
    return st;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static mml_status name_features(reading *r)
{
    mml_status st = MML_OK;
    mmli_source *s = r->s;
    size_t width = 0;
    char list[MMLI_LIST_BYTES];

    for (size_t i = 0; i < r->n_columns; i++)
        width += r->columns[i].n_words + 1;
    MML_TRY(mmli_calloc(&s->names, width, sizeof *s->names));
    MML_TRY(mmli_calloc(&s->category_of, width, sizeof *s->category_of));
    s->rank = 1;
    s->dims[0] = 0;
    for (size_t i = 0; i < r->n_columns; i++) {
        const column *c = &r->columns[i];

        if (c->words == NULL || c->n_words == 0)
            MML_TRY(mmli_source_add_feature(s, c->name, c->words == NULL ? NULL : ""));
        for (size_t k = 0; k < c->n_words; k++)
            MML_TRY(mmli_source_add_feature(s, c->name, c->words[k]));
        if (c->n_words > 0)
            MML_TRY(mmli_buf_printf(&s->notes, "  categories of %s: %s\n", c->name, mmli_list(list, (const char *const *)c->words, c->n_words)));
    }
    mmli_free(s->picks);
    s->picks = NULL;
    s->n_picks = 0;
    MML_TRY(mmli_calloc(&s->picks, s->dims[0], sizeof *s->picks));
    for (; s->n_picks < s->dims[0]; s->n_picks++)
        s->picks[s->n_picks] = s->n_picks;
out:
    return st;
}

static mml_status spread(float **out, const reading *r)
{
    mml_status st = MML_OK;
    const size_t width = r->s->dims[0];
    size_t cells, at = 0;

    MML_CHECK(mmli_mul_size(&cells, r->n, width), MML_E_NOMEM, "%s: %zu rows of %zu features are too many", r->obs->path, r->n, width);
    MML_TRY(mmli_calloc(out, cells, sizeof **out));
    for (size_t i = 0; i < r->n_columns; i++) {
        const column *c = &r->columns[i];
        const size_t wide = c->n_words > 0 ? c->n_words : 1;

        for (size_t row = 0; row < r->n; row++)
            for (size_t k = 0; k < wide; k++)
                (*out)[row * width + at + k] = c->words == NULL || isnan(c->raw[row]) ? c->raw[row] : (float)((size_t)c->raw[row] == k);
        at += wide;
    }
out:
    return st;
}

mml_status mmli_ann_obs_values(float **values, mmli_source *s, const mmli_ann_frame *obs, const size_t *rows, const size_t *start,
                               const char *sample)
{
    mml_status st = MML_OK;
    reading r = {.s = s, .obs = obs, .rows = rows, .start = start, .n = s->m->kind == MML_BAG ? start[s->n_pieces] : s->n_pieces};

    *values = NULL;
    MML_TRY(choose(&r, sample));
    MML_TRY(read_columns(&r));
    MML_TRY(name_features(&r));
    MML_TRY(spread(values, &r));
out:
    for (size_t i = 0; r.columns != NULL && i < r.n_columns; i++)
        column_free(&r.columns[i]);
    mmli_free(r.columns);
    return st;
}
