/* tasks.c - from the texts of the labels file to class codes, times and values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "io/condition.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* ---- classes ---------------------------------------------------------------------------------------------------------- */

typedef struct class_name {
    char *text;
    double number; /* when all are */
} class_name;

static int by_number(const void *a, const void *b)
{
    const class_name *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static int by_byte(const void *a, const void *b)
{
    const class_name *x = a, *y = b;

    return strcmp(x->text, y->text);
}

/* The cells of a label, NULL where there is none. Numbers are written alike (1 and 1.0 are one class) if all are. */
static mml_status clean_labels(char **out, bool *numbers, char *const *texts, size_t n)
{
    mml_status st = MML_OK;
    double x;
    char word[MMLI_NUMBER_BYTES];

    *numbers = true;
    for (size_t i = 0; i < n && *numbers; i++)
        *numbers = mmli_is_missing(texts[i], strlen(texts[i])) ||
                   (mmli_parse_double(&x, texts[i], strlen(texts[i])) && isfinite(x));
    for (size_t i = 0; i < n; i++) {
        const char *s = texts[i];
        size_t length = strlen(s);

        if (mmli_is_missing(s, length))
            continue;
        if (*numbers) {
            (void)mmli_parse_double(&x, s, length);
            MML_TRY(mmli_strdup(&out[i], mmli_format_double(word, x == 0 ? 0.0 : x)));
            continue;
        }
        mmli_trim(&s, &length);
        MML_TRY(mmli_calloc(&out[i], length + 1, 1));
        memcpy(out[i], s, length);
    }
out:
    return st;
}

/* Distinct labels, sorted. Texts lent by `labels`. */
static mml_status distinct_labels(class_name **out, size_t *n_out, char *const *labels, size_t n, bool numbers)
{
    mml_status st = MML_OK;
    class_name *all = NULL;
    size_t count = 0, kept = 0;

    MML_TRY(mmli_calloc(&all, n + 2, sizeof *all));
    for (size_t i = 0; i < n; i++)
        if (labels[i] != NULL) {
            all[count].text = labels[i];
            if (numbers)
                (void)mmli_parse_double(&all[count].number, labels[i], strlen(labels[i]));
            count++;
        }
    qsort(all, count, sizeof *all, numbers ? by_number : by_byte);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(all[kept - 1].text, all[i].text) != 0)
            all[kept++] = all[i];
    *out = all;
    *n_out = kept;
out:
    return st;
}

/* Binary labels 0 or 1 alone are one of two known classes: a test set of survivors is still a cohort. */
static void complete_binary(class_name *classes, size_t *k)
{
    static char zero[] = "0", one[] = "1";

    if (*k != 1 || (strcmp(classes[0].text, "0") != 0 && strcmp(classes[0].text, "1") != 0))
        return;
    classes[0].text = zero;
    classes[1].text = one;
    *k = 2;
}

static mml_status check_classes(const mmli_import_task *t, const char *path, const class_name *classes, size_t k)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    char list[MMLI_LIST_BYTES];

    MML_TRY(mmli_calloc(&names, k, sizeof *names));
    for (size_t i = 0; i < k; i++)
        names[i] = classes[i].text;
    MML_CHECK(k > 0, MML_E_DATA, "%s: column %s of task %s has no label at all; leave the task out", path, t->label, t->name);
    MML_CHECK(k > 1, MML_E_DATA, "%s: column %s of task %s has only one class, %s: there is nothing to learn", path,
              t->label, t->name, names[0]);
    MML_CHECK(k == 2 || t->kind != MML_BINARY, MML_E_DATA,
              "%s: column %s of the binary task %s has %zu classes: %s; two are needed, or kind = multiclass", path, t->label,
              t->name, k, mmli_list(list, names, k));
out:
    mmli_free(names);
    return st;
}

static mml_status read_classes(mmli_cohort_task *out, const mmli_import_task *t, const mmli_table *labels,
                               char *const *texts)
{
    mml_status st = MML_OK;
    char **clean = NULL;
    class_name *classes = NULL;
    size_t k = 0;
    bool numbers;

    MML_TRY(mmli_calloc(&clean, labels->n, sizeof *clean));
    MML_TRY(clean_labels(clean, &numbers, texts, labels->n));
    MML_TRY(distinct_labels(&classes, &k, clean, labels->n, numbers));
    if (t->kind == MML_BINARY)
        complete_binary(classes, &k);
    MML_TRY(check_classes(t, labels->path, classes, k));
    MML_TRY(mmli_calloc(&out->classes, k, sizeof *out->classes));
    out->n_classes = k;
    for (size_t j = 0; j < k; j++)
        MML_TRY(mmli_strdup(&out->classes[j], classes[j].text));
    for (size_t i = 0; i < labels->n; i++) {
        size_t low = 0, high = k;
        double x = 0;

        out->value[i] = NAN;
        if (clean[i] == NULL)
            continue;
        if (numbers)
            (void)mmli_parse_double(&x, clean[i], strlen(clean[i]));
        while (high - low > 1) { /* the classes are sorted */
            const size_t mid = low + (high - low) / 2;
            double middle = 0;

            if (numbers)
                (void)mmli_parse_double(&middle, out->classes[mid], strlen(out->classes[mid]));
            if (numbers ? x >= middle : strcmp(clean[i], out->classes[mid]) >= 0)
                low = mid;
            else
                high = mid;
        }
        out->value[i] = (double)low;
    }
out:
    mmli_h5_texts_free(clean, labels->n);
    mmli_free(classes);
    return st;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

static mml_status read_number(double *out, const mmli_table *labels, size_t i, const char *column, char *const *texts)
{
    const char *s = texts[i];

    *out = NAN;
    if (mmli_is_missing(s, strlen(s)))
        return MML_OK;
    if (mmli_parse_double(out, s, strlen(s)) && isfinite(*out))
        return MML_OK;
    *out = NAN;
    return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is not a number", labels->path, labels->rows[i], column, s);
}

static mml_status read_time(double *out, const mmli_table *labels, size_t i, const char *column, char *const *texts)
{
    mml_status st = MML_OK;

    MML_TRY(read_number(out, labels, i, column, texts));
    MML_CHECK(!(*out < 0), MML_E_DATA, "%s: row %zu, column %s: the time %s is negative", labels->path, labels->rows[i], column,
              texts[i]);
out:
    if (st != MML_OK)
        *out = NAN;
    return st;
}

/* MMP writes -1 for the death of another cause where competing risks are told apart: no censorship that can be learnt from. */
static bool is_other_cause(const char *s)
{
    double x;

    return mmli_parse_double(&x, s, strlen(s)) && x == -1;
}

/* 1, 1.0, true, and their opposites: the spellings of formats.md 2.1 and 3, and nothing else. */
static mml_status read_flag(double *out, const mmli_table *labels, size_t i, const char *column, char *const *texts)
{
    const char *s = texts[i];
    size_t n = strlen(s);
    double x;

    *out = NAN;
    if (mmli_is_missing(s, n))
        return MML_OK;
    if (mmli_parse_double(&x, s, n) && (x == 0 || x == 1)) {
        *out = x == 1;
        return MML_OK;
    }
    mmli_trim(&s, &n);
    if (mmli_text_is(s, n, "true") || mmli_text_is(s, n, "false")) {
        *out = mmli_text_is(s, n, "true");
        return MML_OK;
    }
    return mmli_fail(MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is neither 0 nor 1 (nor true or false); if it is the word "
                     "that means it: %s:%.80s", labels->path, labels->rows[i], column, texts[i], column, texts[i]);
}

/* A flag given as text: the word, or any other. */
static void read_word(double *out, const char *word, const char *cell)
{
    const char *s = cell;
    size_t n = strlen(s);

    *out = NAN;
    if (mmli_is_missing(s, n))
        return;
    mmli_trim(&s, &n);
    *out = n == strlen(word) && memcmp(s, word, n) == 0;
}

/* The word must be there: a misspelt one would censor everybody. */
static mml_status check_word(const mmli_import_task *t, const mmli_table *labels, const char *column, char *const *texts)
{
    mml_status st = MML_OK;
    const char **words = NULL;
    char list[MMLI_LIST_BYTES];
    const char *near;
    size_t n = 0;
    double is;

    MML_TRY(mmli_calloc(&words, labels->n, sizeof *words));
    for (size_t i = 0; i < labels->n; i++) {
        bool known = false;

        read_word(&is, t->word, texts[i]);
        if (is == 1)
            goto out;
        for (size_t k = 0; k < n && !known && n < 50; k++)
            known = strcmp(words[k], texts[i]) == 0;
        if (!known && !isnan(is))
            words[n++] = texts[i];
    }
    near = mmli_nearest(t->word, words, n);
    st = mmli_fail(MML_E_DATA, "%s: no cell of column %s is %s%s%s%s; there are: %s", labels->path, column, t->word,
                   near != NULL ? " (did you mean " : "", near != NULL ? near : "", near != NULL ? "?)" : "",
                   mmli_list(list, words, n));
out:
    mmli_free(words);
    return st;
}

static mml_status read_survival(mmli_cohort_task *out, const mmli_import_task *t, const mmli_table *labels,
                                mmli_problems *problems)
{
    mml_status st = MML_OK;
    const char *flag_name = t->event != NULL ? t->event : t->censorship;
    char *const *times = mmli_table_column(labels, t->time), *const *flags = mmli_table_column(labels, flag_name);
    double flag;

    MML_TRY(mmli_calloc(&out->event, labels->n, sizeof *out->event));
    if (t->word != NULL)
        MML_TRY(check_word(t, labels, flag_name, flags));
    for (size_t i = 0; i < labels->n; i++) {
        MML_TRY(mmli_problem(problems, read_time(&out->value[i], labels, i, t->time, times)));
        if (t->word != NULL)
            read_word(&flag, t->word, flags[i]);
        else if (t->censorship != NULL && is_other_cause(flags[i]))
            flag = NAN;
        else
            MML_TRY(mmli_problem(problems, read_flag(&flag, labels, i, flag_name, flags)));
        if (isnan(flag) || isnan(out->value[i])) {
            out->value[i] = NAN; /* half a label is none */
            continue;
        }
        out->event[i] = t->event != NULL ? flag == 1 : flag == 0;
    }
out:
    return st;
}

size_t mmli_import_task_columns(const char *names[4], const mmli_import_task *t)
{
    const char *const all[] = {t->label, t->time, t->event, t->censorship};
    size_t n = 0;

    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        if (all[k] != NULL)
            names[n++] = all[k];
    return n;
}

mml_status mmli_import_task_read(mmli_cohort_task *out, const mmli_import_task *t, const mmli_table *labels,
                                 mmli_problems *problems)
{
    mml_status st = MML_OK;
    char *const *texts = t->label != NULL ? mmli_table_column(labels, t->label) : NULL;
    size_t known = 0;

    out->kind = t->kind;
    MML_TRY(mmli_strdup(&out->name, t->name));
    MML_TRY(mmli_strdup(&out->unit, t->unit == NULL ? "" : t->unit));
    MML_TRY(mmli_calloc(&out->value, labels->n, sizeof *out->value));
    switch (t->kind) {
    case MML_BINARY:
    case MML_MULTICLASS: MML_TRY(read_classes(out, t, labels, texts)); break;
    case MML_SURVIVAL: MML_TRY(read_survival(out, t, labels, problems)); break;
    case MML_REGRESSION:
        for (size_t i = 0; i < labels->n; i++)
            MML_TRY(mmli_problem(problems, read_number(&out->value[i], labels, i, t->label, texts)));
        break;
    }
    for (size_t i = 0; i < labels->n; i++)
        if (!isnan(out->value[i]))
            known++;
    MML_CHECK(known > 0, MML_E_DATA, "%s: no row has a label of task %s; leave the task out", labels->path, t->name);
out:
    return st;
}
