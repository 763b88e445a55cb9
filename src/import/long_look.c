/* long_look.c - see long_look.h. */
#include "import/long_look.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/csv_look.h"
#include "import/dictionary.h"
#include "import/probe.h"
#include "util/alloc.h"
#include "util/error.h"

enum { ID, TIME, VARIABLE, VALUE, COLUMNS, SPELLINGS = 12 };

/* How the four columns are called, in any case of letters; NULL: no more. */
static const char *const spellings[COLUMNS][SPELLINGS] = {
    [ID] = {"id", "sample_id", "patient_id", "subject_id", "stay_id", "icustay_id", "hadm_id", "RecordID",
            "patient", "subject", "case_id", "person_id"},
    [TIME] = {"time", "hour", "hours", "minute", "minutes", "day", "days", "t", "offset"},
    [VARIABLE] = {"variable", "parameter", "channel", "item", "feature", "measurement", "itemid", "name", "var", "analyte", "test"},
    [VALUE] = {"value", "valuenum", "result", "values", "val"},
};

typedef struct header {
    char *names[COLUMNS]; /* own; NULL: no such column */
    size_t at[COLUMNS];
    bool clock, any;      /* of the first row */
    bool count;           /* also all samples and variables */
    mmli_dictionary samples, variables;
} header;

/* `id` of a table that has a patient as well is the number of the row. */
static bool is_taken(const header *h, size_t c)
{
    return h->names[c] != NULL && (c != ID || strcasecmp(h->names[c], "id") != 0);
}

static bool is_spelt(const char *name, size_t c)
{
    for (size_t k = 0; k < SPELLINGS && spellings[c][k] != NULL; k++)
        if (strcasecmp(name, spellings[c][k]) == 0)
            return true;
    return false;
}

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    header *h = user;

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < COLUMNS; c++)
            if (!is_taken(h, c) && is_spelt(cells[i].text, c)) {
                mmli_free(h->names[c]);
                h->names[c] = NULL;
                MML_TRY(mmli_strdup(&h->names[c], cells[i].text));
                h->at[c] = i;
            }
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    header *h = user;
    size_t number;

    (void)row;
    (void)n;
    if (!h->any && h->names[TIME] != NULL)
        h->clock = strchr(cells[h->at[TIME]].text, ':') != NULL;
    h->any = true;
    if (h->count) {
        MML_TRY(mmli_dictionary_number(&number, &h->samples, cells[h->at[ID]].text, cells[h->at[ID]].n));
        MML_TRY(mmli_dictionary_number(&number, &h->variables, cells[h->at[VARIABLE]].text, cells[h->at[VARIABLE]].n));
    }
out:
    return st;
}

static void header_free(header *h)
{
    for (size_t c = 0; c < COLUMNS; c++)
        mmli_free(h->names[c]);
    mmli_dictionary_free(&h->samples);
    mmli_dictionary_free(&h->variables);
}

/* Is one cell of the first line one of the spellings? */
static bool line_has(const mmli_probe *p, const char *const *words)
{
    const char *s = (const char *)p->text, *end = memchr(s, '\n', p->n_text);

    for (end = end != NULL ? end : s + p->n_text; s < end;) {
        const char *stop = s;

        while (stop < end && strchr(",;\t\r", *stop) == NULL)
            stop++;
        for (size_t k = 0; k < SPELLINGS && words[k] != NULL; k++)
            if (mmli_text_is(s, (size_t)(stop - s), words[k]))
                return true;
        s = stop + 1;
    }
    return false;
}

mml_status mmli_long_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    if (p->folder || p->n_text == 0 || memchr(p->text, '\0', p->n_text) != NULL)
        return MML_OK;
    for (size_t c = 0; c < COLUMNS; c++)
        if (!line_has(p, spellings[c]))
            return MML_OK;
    (void)snprintf(what, MMLI_WHAT_BYTES, "a table with one measurement a row%s", p->text != p->bytes ? ", packed by gzip" : "");
    *out = MMLI_LIKELY;
    return MML_OK;
}

static const char *const keys[COLUMNS] = {"id", "time", "variable", "value"};

static mml_status read_header(header *h, const char *path)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    const mmli_sheet sheet = {.path = path};

    return mmli_sheet_read(&sheet, &handler, h);
}

mml_status mmli_long_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    header h = {.count = true};
    char list[MMLI_LIST_BYTES];

    MML_TRY(mmli_csv_inspect(facts, path));
    MML_TRY(read_header(&h, path));
    if (h.names[ID] == NULL || h.names[TIME] == NULL || h.names[VARIABLE] == NULL || h.names[VALUE] == NULL)
        goto out; /* said to be long by who asks (--as): all that is known has been told */
    MML_TRY(mmli_fact(facts, "id column", "%s: %zu %s, each in as many rows as it has measurements", h.names[ID], h.samples.n,
                      mmli_by_number(h.samples.n, "sample", "samples")));
    MML_TRY(mmli_fact(facts, "time column", "%s%s", h.names[TIME], h.clock ? " (hours:minutes)" : ""));
    MML_TRY(mmli_fact(facts, "variable column", "%s: %zu %s (%s)", h.names[VARIABLE], h.variables.n,
                      mmli_by_number(h.variables.n, "variable", "variables"),
                      mmli_list(list, (const char *const *)h.variables.texts, h.variables.n)));
    MML_TRY(mmli_fact(facts, "value column", "%s", h.names[VALUE]));
out:
    header_free(&h);
    return st;
}

mml_status mmli_long_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    header h = {0};

    MML_TRY(read_header(&h, path));
    MML_TRY(mmli_suggest_modality(out, path, MML_SERIES, path));
    MML_TRY(mmli_suggest_key(out, "format", "long"));
    for (size_t c = 0; c < COLUMNS; c++) {
        MML_CHECK(h.names[c] != NULL, MML_E_FORMAT, "%s: no column is found that could be the %s; name it in a cohort.ini", path,
                  keys[c]);
        MML_TRY(mmli_suggest_key(out, keys[c], h.names[c]));
    }
    MML_TRY(mmli_suggest_key(out, "bin", h.clock ? "1:00" : "1"));
    MML_TRY(mmli_suggest_key(out, "bins", "48"));
    MML_TRY(mmli_suggest_key(out, "aggregate", "last"));
    MML_TRY(mmli_buf_puts(&out->modalities, "; bin is the width of a bin, in the unit of the times; what lies after the last bin is left out\n"
                                            "; aggregate: last, first, mean, min, max, sum, count\n"));
out:
    header_free(&h);
    return st;
}
