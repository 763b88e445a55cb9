/* mcat.c - see mcat.h. The names of the columns are those of the sources named in doc/cohort.md; their order is not fixed. */
#include "import/mcat.h"

#include <string.h>

#include "import/csv_look.h"
#include "util/alloc.h"
#include "util/error.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Suffixes of the features, and the modality of each; a gene may have "_" in its name, so the end decides. */
static const struct suffix {
    const char *text, *modality;
} suffixes[] = {{"_rnaseq", "rnaseq"}, {"_rna", "rnaseq"}, {"_cnv", "cnv"}, {"_mut", "mut"}};

/* What is known of the patient and is neither gene nor outcome. `words`: a column of words, a number a category. */
static const struct clinical {
    const char *name;
    bool words;
} clinical[] = {{"age", false}, {"is_female", false}, {"age_at_initial_pathologic_diagnosis", false}, {"sex", true}};

/* Texts worth keeping, for divisions by site or kind of tumour. `train` is an old flag that nobody reads any more. */
static const char *const texts[] = {"slide_id", "site", "oncotree_code", "train"};
/* Numbers that are no features. */
static const char *const others[] = {"label", "disc_label", "OS", "DSS", "PFI", "DFI", "PFS", "RFS"};

static const mmli_survey_column *find(const mmli_survey *s, const char *name)
{
    for (size_t i = 0; i < s->n_columns; i++)
        if (strcmp(s->columns[i].name, name) == 0)
            return &s->columns[i];
    return NULL;
}

static bool ends(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

/* ---- endpoints ------------------------------------------------------------------------------------------------------------ */

typedef struct endpoint {
    char *name, *censorship; /* own: of the task; of the column */
    const char *unit;
} endpoint;

static void endpoint_free(endpoint *e)
{
    mmli_free(e->name);
    mmli_free(e->censorship);
    *e = (endpoint){0};
}

/* What a column of times belongs to: survival_months, survival_months_dss (months); os_survival_days (days). name NULL: nothing. */
static mml_status endpoint_of(endpoint *out, const mmli_survey *s, const char *column)
{
    static const char months[] = "survival_months", days[] = "_survival_days";
    mml_status st = MML_OK;

    *out = (endpoint){0};
    if (!mmli_fits_list(column) || mmli_bad_name(column) != NULL) /* it is written into an ini, and a stranger has named it */
        return MML_OK;
    if (strncmp(column, months, sizeof months - 1) == 0) {
        out->unit = "months";
        MML_TRY(mmli_strf(&out->censorship, "censorship%s", column + sizeof months - 1));
        MML_TRY(mmli_strf(&out->name, "survival%s", column + sizeof months - 1));
    } else if (ends(column, days)) {
        const int n = (int)(strlen(column) - (sizeof days - 1));

        out->unit = "days";
        MML_TRY(mmli_strf(&out->censorship, "%.*s_censorship", n, column));
        MML_TRY(mmli_strf(&out->name, "%.*s", n, column));
    }
out:
    if (st != MML_OK || (out->name != NULL && find(s, out->censorship) == NULL))
        endpoint_free(out);
    return st;
}

bool mmli_is_mcat(const mmli_survey *s)
{
    endpoint e;
    bool is = false;

    if (find(s, "case_id") == NULL || find(s, "slide_id") == NULL)
        return false;
    for (size_t i = 0; i < s->n_columns && !is; i++) {
        if (endpoint_of(&e, s, s->columns[i].name) != MML_OK)
            return false;
        is = e.name != NULL;
        endpoint_free(&e);
    }
    return is;
}

static mml_status suggest_tasks(mmli_suggestion *out, const mmli_survey *s)
{
    mml_status st = MML_OK;
    endpoint e = {0};

    for (size_t i = 0; i < s->n_columns; i++) {
        const mmli_survey_column *c = &s->columns[i], *flag;

        endpoint_free(&e);
        MML_TRY(endpoint_of(&e, s, c->name));
        if (e.name == NULL || c->n_numbers == 0)
            continue;
        flag = find(s, e.censorship);
        if (flag->n_numbers == 0)
            continue;
        if (flag->least < 0) {
            MML_TRY(mmli_buf_printf(&out->tasks, "\n; left out: %s with %s, which also has -1, another cause (competing risks)\n", c->name,
                                    flag->name));
            continue;
        }
        MML_TRY(mmli_suggest_task(out, e.name, MML_SURVIVAL));
        MML_TRY(mmli_buf_printf(&out->tasks, "time = %s\ncensorship = %s\nunit = %s\n", c->name, flag->name, e.unit));
    }
out:
    endpoint_free(&e);
    return st;
}

/* ---- modalities -------------------------------------------------------------------------------------------------------------- */

static size_t count_suffix(const mmli_survey *s, const char *suffix)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_columns; i++)
        n += ends(s->columns[i].name, suffix);
    return n;
}

static bool is_clinical(const char *name)
{
    for (size_t i = 0; i < COUNT(clinical); i++)
        if (strcmp(clinical[i].name, name) == 0)
            return true;
    return false;
}

static bool among(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

/* A feature whose name says no modality. Names of genes have capitals (STAT1, TIMELESS), those of outcomes have not. */
static bool is_unsuffixed(const mmli_survey_column *c)
{
    if (c->n_texts > 0 || c->n_numbers == 0 || mmli_sheet_is_index(c->name) || strcmp(c->name, "case_id") == 0 || is_clinical(c->name) ||
        among(c->name, texts, COUNT(texts)) || among(c->name, others, COUNT(others)))
        return false;
    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (ends(c->name, suffixes[i].text))
            return false;
    if (mmli_is_endpoint(c->name))
        return false;
    return c->name[strcspn(c->name, "abcdefghijklmnopqrstuvwxyz")] == '\0' || !mmli_may_tell(c->name);
}

static size_t count_unsuffixed(const mmli_survey *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_columns; i++)
        n += is_unsuffixed(&s->columns[i]);
    return n;
}

/* [modality NAME] of the table, its id that of the cohort. */
static mml_status begin(mmli_suggestion *out, const char *name, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_suggest_modality(out, name, MML_TABLE, path));
    if (strcmp(out->id, "case_id") != 0)
        MML_TRY(mmli_suggest_key(out, "id", "case_id"));
out:
    return st;
}

static mml_status suggest_suffixed(mmli_suggestion *out, const mmli_survey *s, const char *path)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < COUNT(suffixes); i++) {
        const bool again = i > 0 && strcmp(suffixes[i].modality, suffixes[i - 1].modality) == 0;
        const bool next = i + 1 < COUNT(suffixes) && strcmp(suffixes[i].modality, suffixes[i + 1].modality) == 0;
        const bool here = count_suffix(s, suffixes[i].text) > 0;
        const bool then = next && count_suffix(s, suffixes[i + 1].text) > 0;

        if (again || (!here && !then))
            continue;
        MML_TRY(begin(out, suffixes[i].modality, path));
        MML_TRY(mmli_buf_printf(&out->modalities, "columns = %s%s%s%s%s\n", here ? "*" : "", here ? suffixes[i].text : "",
                                here && then ? ", " : "", then ? "*" : "", then ? suffixes[i + 1].text : ""));
    }
out:
    return st;
}

static mml_status suggest_clinical(mmli_suggestion *out, const mmli_survey *s, const char *path)
{
    mml_status st = MML_OK;
    size_t n = 0, words = 0;

    for (size_t k = 0; k < COUNT(clinical); k++) {
        const mmli_survey_column *c = find(s, clinical[k].name);

        if (c == NULL || (clinical[k].words ? c->n_texts == 0 || c->n_values > MMLI_SURVEY_VALUES : c->n_texts > 0 || c->n_numbers == 0))
            continue;
        if (n == 0)
            MML_TRY(begin(out, "clinical", path));
        MML_TRY(mmli_buf_printf(&out->modalities, "%s%s", n++ == 0 ? "columns = " : ", ", c->name));
        words += clinical[k].words;
    }
    if (n > 0)
        MML_TRY(mmli_buf_puts(&out->modalities, words > 0 ? "\ncategorical = sex\n" : "\n"));
out:
    return st;
}

/* Features of no suffix: some releases have their mutations so. */
static mml_status suggest_rest(mmli_suggestion *out, const mmli_survey *s, const char *path)
{
    mml_status st = MML_OK;
    const size_t n = count_unsuffixed(s);

    if (n == 0)
        return MML_OK;
    MML_TRY(begin(out, "unsuffixed", path));
    MML_TRY(mmli_buf_printf(&out->modalities, "; WARNING: the names of these %zu columns do not say what they measure; name the modality by it\n"
                            "columns = all", n));
    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (count_suffix(s, suffixes[i].text) > 0)
            MML_TRY(mmli_buf_printf(&out->modalities, ", -*%s", suffixes[i].text));
    for (size_t i = 0; i < s->n_columns; i++) {
        const mmli_survey_column *c = &s->columns[i];
        bool suffixed = false;

        for (size_t k = 0; k < COUNT(suffixes); k++)
            suffixed = suffixed || ends(c->name, suffixes[k].text);
        if (!suffixed && !is_unsuffixed(c) && !mmli_sheet_is_index(c->name))
            MML_TRY(mmli_suggest_without(&out->modalities, ", ", c->name));
    }
    MML_TRY(mmli_buf_puts(&out->modalities, "\n"));
out:
    return st;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------- */

mml_status mmli_mcat_inspect(mmli_facts *f, const mmli_survey *s)
{
    size_t n[COUNT(suffixes)];

    for (size_t i = 0; i < COUNT(suffixes); i++)
        n[i] = count_suffix(s, suffixes[i].text);
    return mmli_fact(f, "layout", "of MCAT and PORPOISE: a row a slide, samples are cases; columns rnaseq %zu, cnv %zu, mut %zu", n[0] + n[1], n[2],
                     n[3]);
}

mml_status mmli_mcat_suggest(mmli_suggestion *out, const mmli_survey *s, const char *path)
{
    mml_status st = MML_OK;
    bool taken, genes = false, days = false;
    size_t kept = 0;

    MML_TRY(mmli_suggest_labels(&taken, out, path, "case_id", NULL));
    if (taken) {
        MML_TRY(mmli_buf_puts(&out->cohort, "repeats = slide_id\n"));
        for (size_t i = 0; i < COUNT(texts); i++)
            if (find(s, texts[i]) != NULL)
                MML_TRY(mmli_buf_printf(&out->cohort, "%s%s", kept++ == 0 ? "columns = " : ", ", texts[i]));
        MML_TRY(mmli_buf_puts(&out->cohort, "\n"));
        MML_TRY(suggest_tasks(out, s));
    }
    for (size_t i = 0; i < COUNT(suffixes); i++)
        genes = genes || count_suffix(s, suffixes[i].text) > 0;
    for (size_t i = 0; i < s->n_columns; i++)
        days = days || ends(s->columns[i].name, "_survival_days");
    MML_TRY(suggest_suffixed(out, s, path));
    MML_TRY(suggest_clinical(out, s, path));
    if (genes || !days) /* MMP has no genes, but numbers about the slide */
        MML_TRY(suggest_rest(out, s, path));
out:
    return st;
}

mml_status mmli_mcat_suggest_file(mmli_suggestion *out, const char *path)
{
    static const char *const needed[] = {"case_id", "slide_id"};
    mml_status st = MML_OK;
    mmli_survey s = {0};

    MML_TRY(mmli_survey_read(&s, path, out->keep));
    for (size_t i = 0; i < COUNT(needed); i++)
        MML_CHECK(find(&s, needed[i]) != NULL, MML_E_FORMAT, "%s: is no table of MCAT or PORPOISE: it has no column %s; "
                  "--as csv takes it for any other table", path, needed[i]);
    MML_CHECK(mmli_is_mcat(&s), MML_E_FORMAT, "%s: is no table of MCAT or PORPOISE: it has no time with its censorship "
              "(survival_months and censorship, or os_survival_days and os_censorship); --as csv takes it for any other table", path);
    MML_TRY(mmli_mcat_suggest(out, &s, path));
out:
    mmli_survey_free(&s);
    return st;
}
