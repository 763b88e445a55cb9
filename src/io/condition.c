/* condition.c - choosing samples by the text of a column. */
#include "io/condition.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static int by_byte(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

mml_status mmli_distinct(const char ***out, size_t *n_out, char *const *texts, size_t n)
{
    mml_status st = MML_OK;
    const char **all = NULL;
    size_t kept = 0;

    *out = NULL;
    *n_out = 0;
    MML_TRY(mmli_calloc(&all, n, sizeof *all));
    for (size_t i = 0; i < n; i++)
        all[i] = texts[i];
    qsort(all, n, sizeof *all, by_byte);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(all[kept - 1], all[i]) != 0)
            all[kept++] = all[i];
    *out = all;
    *n_out = kept;
out:
    return st;
}

static mml_status no_such_value(const mml_cohort *c, const char *column, char *const *texts, const char *value)
{
    mml_status st = MML_OK;
    const char **all = NULL;
    size_t n = 0;
    char list[MMLI_LIST_BYTES];

    MML_TRY(mmli_distinct(&all, &n, texts, c->n));
    if (n > 0 && all[0][0] == '\0')
        all[0] = "(empty)";
    st = mmli_fail(MML_E_NOT_FOUND, "%s: no sample has %s=%s; column %s has: %s", c->path, column, value, column,
                   mmli_list(list, all, n));
out:
    mmli_free(all);
    return st;
}

static mml_status choose(uint8_t *chosen, const mml_cohort *c, const char *column, char *const *texts, const char *value)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        if (strcmp(texts[i], value) == 0) {
            chosen[i] = 1;
            n++;
        }
    return n > 0 ? MML_OK : no_such_value(c, column, texts, value);
}

/* A text column, or the groups under the name `group` unless a column has that name. */
static mml_status find_texts(char *const **texts, const mml_cohort *c, const char *column)
{
    mml_status st = MML_OK;
    size_t at = SIZE_MAX;

    for (size_t i = 0; i < c->n_columns; i++)
        if (strcmp(c->columns[i].name, column) == 0)
            at = i;
    if (at == SIZE_MAX && strcmp(column, "group") == 0 && c->groups != NULL) {
        *texts = c->groups;
        goto out;
    }
    MML_TRY(mmli_cohort_find_column(&at, c, column));
    *texts = c->columns[at].text;
out:
    return st;
}

mml_status mmli_condition(uint8_t *chosen, const mml_cohort *c, const char *condition)
{
    mml_status st = MML_OK;
    char *copy = NULL, *value, *comma;
    const char *column, *piece;
    char *const *texts;
    size_t n;

    memset(chosen, 0, c->n);
    MML_CHECK(condition != NULL && strchr(condition, '=') != NULL, MML_E_ARG,
              "\"%s\": column=value is needed, such as challenge_set=b", condition == NULL ? "" : condition);
    MML_TRY(mmli_strdup(&copy, condition));
    value = strchr(copy, '=');
    *value++ = '\0';
    column = copy;
    n = strlen(column);
    mmli_trim(&column, &n);
    copy[(size_t)(column - copy) + n] = '\0';
    MML_TRY(find_texts(&texts, c, column));
    for (; value != NULL; value = comma == NULL ? NULL : comma + 1) {
        comma = strchr(value, ',');
        if (comma != NULL)
            *comma = '\0';
        piece = value;
        n = strlen(piece);
        mmli_trim(&piece, &n);
        value[(size_t)(piece - value) + n] = '\0';
        MML_TRY(choose(chosen, c, column, texts, piece));
    }
out:
    mmli_free(copy);
    return st;
}

mml_status mml_select(uint8_t *chosen, const mml_cohort *cohort, const char *condition)
{
    MML_GIVEN(chosen, cohort);
    return mmli_condition(chosen, cohort, condition);
}
