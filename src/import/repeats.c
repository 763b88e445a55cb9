/* repeats.c - see repeats.h. */
#include "import/repeats.h"

#include <string.h>

#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* Texts by which a sample is known besides its id: every text of the column, with the place of its sample. */
static mml_status keep_other(mmli_table *t, size_t column, const size_t *place)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&t->other, t->n, sizeof *t->other));
    MML_TRY(mmli_calloc(&t->other_at, t->n, sizeof *t->other_at));
    for (size_t i = 0; i < t->n; i++) {
        const char *text = t->texts[column][i];

        if (mmli_is_missing(text, strlen(text)))
            continue;
        MML_TRY(mmli_strdup(&t->other[t->n_other], text));
        t->other_at[t->n_other++] = place[i];
    }
out:
    return st;
}

/* Row i is again sample `kept`. */
static mml_status check_same(const mmli_table *t, size_t first, size_t i, size_t column)
{
    mml_status st = MML_OK;

    for (size_t k = 0; k < t->n_columns; k++)
        MML_CHECK(k == column || strcmp(t->texts[k][first], t->texts[k][i]) == 0, MML_E_DATA,
                  "%s: rows %zu and %zu are both %s, but column %s has \"%.80s\" in one and \"%.80s\" in the other; rows of one sample must "
                  "agree", t->path, t->rows[first], t->rows[i], t->ids[i], t->names[k], t->texts[k][first], t->texts[k][i]);
out:
    return st;
}

/* The texts of a sample's rows, in their order, divided by ';'. Rows of a sample need not follow each other. */
static mml_status join(char ***out, const mmli_table *t, size_t column, const size_t *place, size_t n)
{
    mml_status st = MML_OK;
    size_t *bytes = NULL;
    char **joined = NULL;

    MML_TRY(mmli_calloc(&bytes, n, sizeof *bytes));
    MML_TRY(mmli_calloc(&joined, n, sizeof *joined));
    for (size_t i = 0; i < t->n; i++)
        bytes[place[i]] += strlen(t->texts[column][i]) + 1;
    for (size_t s = 0; s < n; s++)
        MML_TRY(mmli_calloc(&joined[s], bytes[s] + 1, 1));
    memset(bytes, 0, n * sizeof *bytes);
    for (size_t i = 0; i < t->n; i++) {
        const char *text = t->texts[column][i];
        char *to = joined[place[i]];
        size_t *used = &bytes[place[i]];

        if (text[0] == '\0')
            continue;
        if (*used > 0)
            to[(*used)++] = ';';
        memcpy(to + *used, text, strlen(text));
        *used += strlen(text);
    }
    *out = joined;
    joined = NULL;
out:
    mmli_h5_texts_free(joined, n);
    mmli_free(bytes);
    return st;
}

/* Rows that are not the first of their sample go. */
static void drop_rows(mmli_table *t, const uint8_t *again)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (again[i]) {
            mmli_free(t->ids[i]);
            for (size_t k = 0; k < t->n_columns; k++)
                mmli_free(t->texts[k][i]);
            continue;
        }
        t->ids[n] = t->ids[i];
        t->rows[n] = t->rows[i];
        for (size_t k = 0; k < t->n_columns; k++)
            t->texts[k][n] = t->texts[k][i];
        n++;
    }
    t->n = n;
}

mml_status mmli_table_fold(mmli_table *t, const char *name)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second, n = 0, column = SIZE_MAX;
    size_t *place = NULL;
    uint8_t *again = NULL;
    char **joined = NULL;

    for (size_t k = 0; k < t->n_columns; k++)
        if (strcmp(t->names[k], name) == 0)
            column = k;
    MML_TRY(mmli_index_make(&index, (const char *const *)t->ids, t->n, &first, &second));
    MML_TRY(mmli_calloc(&place, t->n, sizeof *place));
    MML_TRY(mmli_calloc(&again, t->n, 1));
    for (size_t i = 0; i < t->n; i++) {
        const size_t at = mmli_index_find(&index, t->ids[i], strlen(t->ids[i]));

        again[i] = at != i;
        if (again[i])
            MML_TRY(check_same(t, at, i, column));
        place[i] = again[i] ? place[at] : n++;
    }
    if (column != SIZE_MAX) {
        MML_TRY(keep_other(t, column, place));
        MML_TRY(join(&joined, t, column, place, n));
    }
    drop_rows(t, again);
    for (size_t s = 0; joined != NULL && s < n; s++) {
        mmli_free(t->texts[column][s]);
        t->texts[column][s] = joined[s];
    }
    mmli_free(joined); /* its texts are the table's now */
    joined = NULL;
out:
    mmli_free(joined);
    mmli_free(again);
    mmli_free(place);
    mmli_index_free(&index);
    return st;
}
