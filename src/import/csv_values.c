/* csv_values.c - see csv_values.h. */
#include "import/csv_values.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

enum { CATEGORIES_MOST = 1000 /* a column with more is no category but an id or a text */ };

/* ---- numbers ---------------------------------------------------------------------------------------------------------------- */

/* "0,5": a number where a comma is the decimal point. */
static bool has_decimal_comma(const mmli_cell *cell)
{
    size_t commas = 0;

    for (size_t i = 0; i < cell->n; i++) {
        const unsigned char c = (unsigned char)cell->text[i];

        commas += c == ',';
        if (c != ',' && !isdigit(c) && !(i == 0 && c == '-'))
            return false;
    }
    return commas == 1 && cell->n > 2;
}

mml_status mmli_csv_number(float *out, const char *path, size_t row, const char *column, const mmli_cell *cell)
{
    double x;
    bool flag;

    if (mmli_parse_float(out, cell->text, cell->n)) {
        if (isfinite(*out))
            return MML_OK;
        return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is not a measurement; leave the cell empty if the "
                         "value is not known", path, row, column, cell->text);
    }
    if (mmli_is_missing(cell->text, cell->n)) {
        *out = NAN;
        return MML_OK;
    }
    if (mmli_parse_double(&x, cell->text, cell->n))
        return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: %.80s is too large for a 32-bit float", path, row, column,
                         cell->text);
    if (mmli_parse_bool(&flag, cell->text, cell->n)) {
        *out = flag ? 1.0f : 0.0f;
        return MML_OK;
    }
    if (has_decimal_comma(cell))
        return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is not a number: it has a decimal comma, where a point "
                         "is needed", path, row, column, cell->text);
    return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is not a number; a column of text is left out with columns "
                     "= all, -%s, or made of numbers with categorical = %s", path, row, column, cell->text, column, column);
}

/* ---- categories --------------------------------------------------------------------------------------------------------------- */

static size_t find_word(const mmli_categories *c, const char *s, size_t n)
{
    for (size_t i = 0; i < c->n; i++)
        if (strncmp(c->words[i], s, n) == 0 && c->words[i][n] == '\0')
            return i;
    return SIZE_MAX;
}

static mml_status add_word(mmli_categories *c, const char *s, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&c->words, &c->cap, c->n + 1, sizeof *c->words));
    MML_TRY(mmli_strf(&c->words[c->n], "%.*s", (int)n, s));
    c->n++;
out:
    return st;
}

/* "NAME" or "NAME:A|B|C", which fixes the categories. */
static mml_status read_item(mmli_csv_values *v, const mmli_source *s, const char *item)
{
    mml_status st = MML_OK;
    const char *colon = strchr(item, ':');
    const size_t n = colon != NULL ? (size_t)(colon - item) : strlen(item);
    size_t at = 0;

    while (at < v->n && !(strncmp(v->names[at], item, n) == 0 && v->names[at][n] == '\0'))
        at++;
    if (at == v->n) {
        st = mmli_not_found(s->m->file, "chosen column", item, (const char *const *)v->names, v->n);
        goto out;
    }
    v->categorical[at] = 1;
    for (const char *p = colon != NULL ? colon + 1 : NULL; p != NULL; p = strchr(p, '|') != NULL ? strchr(p, '|') + 1 : NULL) {
        const char *word = p;
        size_t length = strcspn(p, "|");

        mmli_trim(&word, &length);
        if (length == 0 || find_word(&v->categories[at], word, length) != SIZE_MAX) {
            st = mmli_source_bad_option(s, "categorical", "the categories are different words divided by |");
            goto out;
        }
        MML_TRY(add_word(&v->categories[at], word, length));
        v->categories[at].fixed = true;
    }
out:
    return st;
}

static mml_status read_categorical(mmli_csv_values *v, const mmli_source *s)
{
    mml_status st = MML_OK;
    const char *value = mmli_source_option(s, "categorical");
    char **items = NULL;
    size_t n = 0;

    if (value == NULL)
        return MML_OK;
    MML_TRY(mmli_ini_list(&items, &n, value));
    MML_TRY(mmli_calloc(&v->categories, v->n, sizeof *v->categories));
    for (size_t i = 0; i < n; i++)
        MML_TRY(read_item(v, s, items[i]));
out:
    mmli_h5_texts_free(items, n);
    return st;
}

static mml_status category(float *out, mmli_categories *c, const char *path, size_t row, const char *column, const mmli_cell *cell)
{
    mml_status st = MML_OK;
    const char *s = cell->text;
    size_t n = cell->n, at;

    *out = NAN;
    if (mmli_is_missing(s, n))
        goto out;
    mmli_trim(&s, &n);
    at = find_word(c, s, n);
    if (at == SIZE_MAX && c->fixed) {
        c->n_unknown++;
        *out = -1;
        goto out;
    }
    if (at == SIZE_MAX) {
        at = c->n;
        MML_CHECK(at < CATEGORIES_MOST, MML_E_DATA, "%s: row %zu: column %s has more than %d categories; it looks like a text", path,
                  row, column, CATEGORIES_MOST);
        MML_CHECK(mmli_bad_id(cell->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the category cannot be used: %s", path, row,
                  column, mmli_bad_id(cell->text));
        MML_TRY(add_word(c, s, n));
    }
    *out = (float)at;
out:
    return st;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------------------- */

static mml_status check_names(const mmli_csv_values *v, const mmli_source *s, char *const *names, size_t n)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second, only;

    for (size_t i = 0; i < v->n; i++)
        MML_CHECK(mmli_bad_id(v->names[i]) == NULL, MML_E_DATA, "%s: the name of column %zu: %s", s->m->file, v->at[i] + 1,
                  mmli_bad_id(v->names[i]));
    MML_TRY(mmli_index_make(&index, (const char *const *)v->names, v->n, &first, &second));
    if (first != SIZE_MAX)
        MML_TRY(mmli_csv_column(&only, s->m->file, (const char *const *)names, n, v->names[first])); /* says which two */
out:
    mmli_index_free(&index);
    return st;
}

mml_status mmli_csv_values_make(mmli_csv_values *v, mmli_source *s, char *const *names, size_t n, const char *skip)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_source_choose(s, (const char *const *)names, n, skip));
    v->at = s->picks;
    s->picks = NULL;
    MML_TRY(mmli_calloc(&v->names, s->n_picks, sizeof *v->names));
    MML_TRY(mmli_calloc(&v->categorical, s->n_picks, 1));
    for (; v->n < s->n_picks; v->n++)
        MML_TRY(mmli_strdup(&v->names[v->n], names[v->at[v->n]]));
    s->n_picks = 0;
    MML_TRY(check_names(v, s, names, n));
    MML_TRY(read_categorical(v, s));
out:
    return st;
}

void mmli_csv_values_free(mmli_csv_values *v)
{
    for (size_t i = 0; v->categories != NULL && i < v->n; i++) {
        mmli_h5_texts_free(v->categories[i].words, v->categories[i].n);
        mmli_free(v->categories[i].rank);
    }
    mmli_free(v->categories);
    mmli_free(v->categorical);
    mmli_h5_texts_free(v->names, v->n);
    mmli_free(v->at);
    *v = (mmli_csv_values){0};
}

mml_status mmli_csv_value(float *out, mmli_csv_values *v, size_t i, const mmli_source *s, size_t row, const mmli_cell *cell)
{
    *out = NAN; /* what stays of a cell that a check has found wrong */
    if (v->categorical[i])
        return category(out, &v->categories[i], s->m->file, row, v->names[i], cell);
    return mmli_csv_number(out, s->m->file, row, v->names[i], cell);
}

/* Place of each word among the sorted; those of the ini keep their order. */
static mml_status sort_words(mmli_categories *c)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&c->rank, c->n, sizeof *c->rank));
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->n; k++)
            c->rank[i] += c->fixed ? k < i : strcmp(c->words[k], c->words[i]) < 0;
out:
    return st;
}

static mml_status finish_categories(mmli_categories *c, mmli_source *s, const char *name)
{
    mml_status st = MML_OK;
    const char **sorted = NULL;
    char list[MMLI_LIST_BYTES];

    if (c->n == 0) {
        MML_TRY(add_word(c, "", 0)); /* a cohort for prediction may have no word of a column: its one feature is never measured */
        MML_TRY(sort_words(c));
        MML_TRY(mmli_source_add_feature(s, name, ""));
        MML_TRY(mmli_buf_printf(&s->notes, "  WARNING: column %s is empty in all rows\n", name));
        goto out;
    }
    MML_TRY(sort_words(c));
    MML_TRY(mmli_calloc(&sorted, c->n, sizeof *sorted));
    for (size_t k = 0; k < c->n; k++)
        sorted[c->rank[k]] = c->words[k];
    for (size_t k = 0; k < c->n; k++)
        MML_TRY(mmli_source_add_feature(s, name, sorted[k]));
    MML_TRY(mmli_buf_printf(&s->notes, "  categories of %s: %s\n", name, mmli_list(list, sorted, c->n)));
    if (c->n_unknown > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  WARNING: %zu %s of %s %s of none of these categories\n", c->n_unknown,
                                mmli_by_number(c->n_unknown, "cell", "cells"), name, mmli_by_number(c->n_unknown, "is", "are")));
out:
    mmli_free(sorted);
    return st;
}

mml_status mmli_csv_values_finish(mmli_csv_values *v, mmli_source *s)
{
    mml_status st = MML_OK;
    size_t width = v->n;

    for (size_t i = 0; i < v->n; i++)
        if (v->categorical[i])
            width += v->categories[i].n; /* one more than there will be, or exactly */
    MML_TRY(mmli_calloc(&s->names, width, sizeof *s->names));
    if (v->categories != NULL)
        MML_TRY(mmli_calloc(&s->category_of, width, sizeof *s->category_of));
    s->rank = 1;
    s->dims[0] = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (v->categorical[i]) {
            MML_TRY(finish_categories(&v->categories[i], s, v->names[i]));
            continue;
        }
        MML_TRY(mmli_source_add_feature(s, v->names[i], NULL));
    }
    MML_TRY(mmli_calloc(&s->picks, s->dims[0], sizeof *s->picks));
    for (; s->n_picks < s->dims[0]; s->n_picks++)
        s->picks[s->n_picks] = s->n_picks;
out:
    return st;
}

void mmli_csv_values_expand(float *out, const mmli_csv_values *v, const float *raw)
{
    for (size_t i = 0; i < v->n; i++) {
        const mmli_categories *c = v->categorical[i] ? &v->categories[i] : NULL;

        if (c == NULL) {
            *out++ = raw[i];
            continue;
        }
        for (size_t k = 0; k < c->n; k++)
            out[k] = isnan(raw[i]) ? NAN : 0.0f;
        if (raw[i] >= 0)
            out[c->rank[(size_t)raw[i]]] = 1.0f;
        out += c->n;
    }
}
