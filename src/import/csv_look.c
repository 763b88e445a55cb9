/* csv_look.c - a CSV described, and a cohort.ini suggested for it. */
#include "import/csv_look.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/mcat.h"
#include "import/survey.h"
#include "import/survival_look.h"
#include "util/alloc.h"
#include "util/error.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- inspect -------------------------------------------------------------------------------------------------------------- */

static const char *type_of(const mmli_survey_column *c)
{
    if (c->n_numbers == 0)
        return c->n_texts == 0 ? "empty" : "text";
    if (c->n_texts > 0)
        return "numbers and text";
    return c->whole ? "whole number" : "number";
}

/* "0 to 90", or the distinct cells when they are few. */
static mml_status values_of(mmli_buf *b, const mmli_survey_column *c)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES];

    b->len = 0;
    if (c->n_values <= MMLI_SURVEY_VALUES && (c->n_texts > 0 || c->n_values <= 3)) {
        MML_TRY(mmli_buf_puts(b, mmli_list(list, (const char *const *)c->values, c->n_values)));
    } else if (c->n_numbers > 0) {
        MML_TRY(mmli_buf_double(b, c->least));
        MML_TRY(mmli_buf_puts(b, " to "));
        MML_TRY(mmli_buf_double(b, c->most));
    } else {
        MML_TRY(mmli_buf_printf(b, "%s, %s, ...", c->values[0], c->values[1]));
    }
out:
    return st;
}

static mml_status describe(mmli_facts *f, const mmli_survey *s)
{
    mml_status st = MML_OK;
    size_t missing = 0, texts = 0, constant = 0;
    mmli_buf b = {0};

    MML_TRY(mmli_fact(f, "rows", "%zu", s->n_rows));
    for (size_t i = 0; i < s->n_columns; i++) {
        missing += s->columns[i].n_missing;
        texts += s->columns[i].n_texts > 0;
        constant += s->columns[i].n_values <= 1;
    }
    MML_TRY(mmli_fact(f, "number of columns", "%zu (%zu with text, %zu constant or empty)", s->n_columns, texts, constant));
    if (s->n_rows > 0)
        MML_TRY(mmli_fact_number(f, "cells missing, percent", 100.0 * (double)missing / ((double)s->n_rows * (double)s->n_columns)));
    if (mmli_is_mcat(s))
        MML_TRY(mmli_mcat_inspect(f, s));
    if (s->numbers_in_header)
        MML_TRY(mmli_fact(f, "header", "none: the first row is all numbers (header = no)"));
    else if (s->id == SIZE_MAX)
        MML_TRY(mmli_fact(f, "id column", "none found: no column is without gaps and repetitions and looks like ids"));
    else
        MML_TRY(mmli_fact(f, "id column", "%s (%s to %s)", s->columns[s->id].name[0] != '\0' ? s->columns[s->id].name : "\"\"",
                          s->first_id, s->last_id));
    for (size_t i = 0; i < s->n_columns; i++) {
        MML_TRY(values_of(&b, &s->columns[i]));
        MML_TRY(mmli_fact_column(f, s->columns[i].name, type_of(&s->columns[i]), s->columns[i].n_missing,
                                 b.len > 0 ? b.text : ""));
    }
out:
    mmli_buf_free(&b);
    return st;
}

mml_status mmli_csv_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    mmli_survey s = {0};

    MML_TRY(mmli_survey_read(&s, path, NULL));
    MML_TRY(describe(facts, &s));
out:
    mmli_survey_free(&s);
    return st;
}

/* ---- suggest -------------------------------------------------------------------------------------------------------------- */

static const char *const label_names[] = {"label", "target", "y", "class", "outcome", "y_true"};

static const mmli_survey_column *find(const mmli_survey *s, const char *name)
{
    for (size_t i = 0; i < s->n_columns; i++)
        if (strcasecmp(s->columns[i].name, name) == 0)
            return &s->columns[i];
    return NULL;
}

static mml_status suggest_classes(mmli_suggestion *out, const mmli_survey *s)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < COUNT(label_names); i++) {
        const mmli_survey_column *c = find(s, label_names[i]);

        if (c == NULL || c->n_values < 2)
            continue;
        MML_TRY(mmli_suggest_task(out, c->name,
                                  c->n_values == 2                    ? MML_BINARY
                                  : c->n_values <= MMLI_SURVEY_VALUES ? MML_MULTICLASS
                                                                      : MML_REGRESSION));
        MML_TRY(mmli_buf_printf(&out->tasks, "label = %s\n", c->name));
    }
out:
    return st;
}

bool mmli_fits_list(const char *name)
{
    return name[0] != '\0' && name[0] != '-' && strpbrk(name, ",\r\n") == NULL && strstr(name, " ;") == NULL;
}

mml_status mmli_suggest_without(mmli_buf *list, const char *before, const char *name)
{
    mml_status st = MML_OK;
    char *pattern = NULL;

    if (name[0] == '\0') /* patterns do not meet what has no name */
        return MML_OK;
    MML_TRY(mmli_strdup(&pattern, name));
    for (char *c = pattern; *c != '\0' && !mmli_fits_list(name); c++)
        if (strchr(",;\r\n", *c) != NULL || (c == pattern && *c == '-'))
            *c = '*';
    MML_TRY(mmli_buf_printf(list, "%s-%s", before, pattern));
out:
    mmli_free(pattern);
    return st;
}

bool mmli_is_endpoint(const char *name)
{
    static const char *const endpoints[] = {"OS", "DSS", "DFI", "PFI", "DFS", "PFS", "RFS"}; /* EFS is a gene */

    for (size_t i = 0; i < COUNT(endpoints); i++)
        if (strcasecmp(name, endpoints[i]) == 0)
            return true;
    return false;
}

bool mmli_may_tell(const char *name)
{
    static const char *const words[] = {"surviv", "death",  "dead",   "decease", "cens",  "event",   "time",  "days",   "month",  "label",
                                        "outcome", "target", "follow", "lenfol",  "fold",  "split",   "train", "relapse", "recur", "stat",
                                        "y_true",  "mortal", "progress", "died", "alive", "respon", "remission", "readmi", "metasta"};
    static const char *const genes[] = {"_rnaseq", "_rna", "_cnv", "_mut"}; /* TIMELESS_rnaseq is a gene */
    const size_t n = strlen(name);

    for (size_t i = 0; i < COUNT(genes); i++)
        if (n > strlen(genes[i]) && strcmp(name + n - strlen(genes[i]), genes[i]) == 0)
            return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcasestr(name, words[i]) != NULL)
            return true;
    for (size_t i = 0; i < COUNT(label_names); i++)
        if (strcasecmp(name, label_names[i]) == 0)
            return true;
    return mmli_is_endpoint(name);
}

/* All cells are what an import takes for 1 and 0: yes, no, TRUE, FALSE, ... */
static bool is_yes_no(const mmli_survey_column *c)
{
    bool yes;

    if (c->n_texts == 0 || c->n_values > MMLI_SURVEY_VALUES)
        return false;
    for (size_t i = 0; i < c->n_values; i++)
        if (!mmli_parse_bool(&yes, c->values[i], strlen(c->values[i])))
            return false;
    return true;
}

/* Two words that are an answer as well, but not to an import: of a column of numbers "n" might as well mean "not done". */
static bool is_pair(const mmli_survey_column *c)
{
    static const char *const pairs[][2] = {{"y", "n"}, {"t", "f"}, {"positive", "negative"}, {"pos", "neg"}, {"present", "absent"}};

    if (c->n_numbers > 0 || c->n_values != 2 || !mmli_fits_list(c->name) || strpbrk(c->name, ":*?") != NULL)
        return false;
    for (size_t i = 0; i < COUNT(pairs); i++)
        for (size_t first = 0; first < 2; first++)
            if (strcasecmp(c->values[0], pairs[i][first]) == 0 && strcasecmp(c->values[1], pairs[i][1 - first]) == 0)
                return true;
    return false;
}

/* Who is in it may be said by True and False; a number of this name can be the result of a test. */
static bool is_part(const char *name)
{
    static const char *const parts[] = {"val", "valid", "validation", "test", "holdout"};

    for (size_t i = 0; i < COUNT(parts); i++)
        if (strcasecmp(name, parts[i]) == 0)
            return true;
    return false;
}

static bool is_feature(const mmli_survey_column *c)
{
    const bool answer = (is_yes_no(c) || is_pair(c)) && !is_part(c->name);

    return ((c->n_texts == 0 && c->n_numbers > 0) || answer) && c->name[0] != '\0' && !mmli_may_tell(c->name);
}

/* A column of numbers but for some cells is no feature either, and that is easily missed: "<0.3", "5 mg". */
static mml_status tell_mixed(mmli_suggestion *out, const mmli_survey *s)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < s->n_columns; i++) {
        const mmli_survey_column *c = &s->columns[i];

        if (i != s->id && !is_feature(c) && c->n_texts > 0 && c->n_numbers > c->n_texts && mmli_fits_list(c->name))
            MML_TRY(mmli_buf_printf(&out->modalities, "; %s has %zu numbers, and %zu other cell%s, for which it is left out: make of them numbers, or empty\n",
                                    c->name, c->n_numbers, c->n_texts, c->n_texts == 1 ? "" : "s"));
    }
out:
    return st;
}

/* A column of few words could be categories. */
static mml_status tell_words(mmli_suggestion *out, const mmli_survey *s)
{
    mml_status st = MML_OK;
    size_t n = 0;

    for (size_t i = 0; i < s->n_columns; i++) {
        const mmli_survey_column *c = &s->columns[i];

        if (i == s->id || is_feature(c) || c->n_texts == 0 || c->n_numbers > 0 || c->n_values < 2 || c->n_values > MMLI_SURVEY_VALUES ||
            !mmli_fits_list(c->name) || mmli_may_tell(c->name))
            continue;
        MML_TRY(mmli_buf_printf(&out->modalities, "%s%s", n++ == 0 ? "; for categories, unless it is an outcome: take its exclusion away, and add categorical = " : ", ",
                                c->name));
    }
    if (n > 0)
        MML_TRY(mmli_buf_puts(&out->modalities, "\n"));
out:
    return st;
}

/* Names of the features of which `which` is true, after `before`; a line of its own. */
static mml_status put_features(mmli_suggestion *out, const mmli_survey *s, bool (*which)(const mmli_survey_column *), const char *before)
{
    mml_status st = MML_OK;
    size_t n = 0;

    for (size_t i = 0; i < s->n_columns; i++)
        if (i != s->id && is_feature(&s->columns[i]) && mmli_fits_list(s->columns[i].name) && which(&s->columns[i]))
            MML_TRY(mmli_buf_printf(&out->modalities, "%s%s", n++ == 0 ? before : ", ", s->columns[i].name));
    if (n > 0)
        MML_TRY(mmli_buf_puts(&out->modalities, "\n"));
out:
    return st;
}

/* The columns of numbers, and of answers to a question, as a table; others are excluded by name. */
static mml_status suggest_table(mmli_suggestion *out, const mmli_survey *s, const char *path, const char *id)
{
    mml_status st = MML_OK;
    size_t numeric = 0, without = 0, telling = 0;

    for (size_t i = 0; i < s->n_columns; i++)
        numeric += i != s->id && is_feature(&s->columns[i]);
    if (numeric == 0)
        return MML_OK;
    MML_TRY(mmli_suggest_modality(out, path, MML_TABLE, path));
    if (out->id == NULL || strcmp(out->id, id) != 0)
        MML_TRY(mmli_suggest_key(out, "id", id));
    for (size_t i = 0; i < s->n_columns; i++) {
        const mmli_survey_column *c = &s->columns[i];

        if (i == s->id || is_feature(c) || c->name[0] == '\0')
            continue;
        MML_TRY(mmli_suggest_without(&out->modalities, without == 0 ? "columns = all, " : ", ", c->name));
        without++;
        telling += c->n_texts == 0;
    }
    if (without > 0)
        MML_TRY(mmli_buf_puts(&out->modalities, "\n"));
    if (telling > 0)
        MML_TRY(mmli_buf_puts(&out->modalities, "; left out are texts, and numbers that may tell the outcome by their names\n"));
    MML_TRY(put_features(out, s, is_pair, "; an outcome among these belongs into a section [task NAME], and not here\ncategorical = "));
    MML_TRY(put_features(out, s, is_yes_no, "; yes is 1 and no is 0, unless it is an outcome, which belongs into a section [task NAME]: "));
    MML_TRY(tell_words(out, s));
    MML_TRY(tell_mixed(out, s));
out:
    return st;
}

/* Numbers and nothing else: rows are samples by their order. */
static mml_status suggest_bare(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_suggest_modality(out, path, MML_TABLE, path));
    MML_TRY(mmli_buf_puts(&out->modalities, "header = no\nid = @row\n"
                                            "; names = FILE with the name of each column, one a line\n"));
out:
    return st;
}

mml_status mmli_csv_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    mmli_survey s = {0};
    bool taken;
    const char *id;

    MML_TRY(mmli_survey_read(&s, path, out->keep));
    if (s.numbers_in_header) {
        MML_TRY(suggest_bare(out, path));
        goto out;
    }
    if (mmli_is_mcat(&s)) {
        MML_TRY(mmli_mcat_suggest(out, &s, path));
        goto out;
    }
    MML_CHECK(s.id != SIZE_MAX, MML_E_DATA, "%s: no column is found that has ids (no gaps, no two alike); name it in a "
              "cohort.ini, or id = @row, the number of the row", path);
    id = s.columns[s.id].name[0] != '\0' ? s.columns[s.id].name : "@index";
    MML_TRY(mmli_suggest_labels(&taken, out, path, id, NULL));
    if (taken) {
        MML_TRY(mmli_suggest_survival(out, &s));
        MML_TRY(suggest_classes(out, &s));
        if (out->n_tasks == 0)
            MML_TRY(mmli_buf_puts(&out->tasks, "\n; No outcome was recognised. Name it in a section [task NAME]: it is then left out of the "
                                               "features.\n"));
    }
    MML_TRY(suggest_table(out, &s, path, id));
out:
    mmli_survey_free(&s);
    return st;
}
