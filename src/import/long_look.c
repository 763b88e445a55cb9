/* long_look.c - see long_look.h. */
#include "import/long_look.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/probe.h"
#include "util/alloc.h"
#include "util/error.h"

enum { ID, TIME, VARIABLE, VALUE, COLUMNS, SPELLINGS = 8 };

/* How the four columns are called, in any case of letters. */
static const char *const spellings[COLUMNS][SPELLINGS] = {
    [ID] = {"id", "sample_id", "patient_id", "subject_id", "stay_id", "icustay_id", "hadm_id", "RecordID"},
    [TIME] = {"time", "hour", "hours", "minute", "minutes", "day", "t", "offset"},
    [VARIABLE] = {"variable", "parameter", "channel", "item", "feature", "measurement", "itemid", "name"},
    [VALUE] = {"value", "valuenum", "result", "values", "val", "value", "value", "value"},
};

typedef struct header {
    char *names[COLUMNS]; /* own; NULL: no such column */
    bool clock, any;      /* of the first row */
    size_t time_at;
} header;

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    header *h = user;

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < COLUMNS; c++)
            for (size_t k = 0; k < SPELLINGS && h->names[c] == NULL; k++)
                if (strcasecmp(cells[i].text, spellings[c][k]) == 0) {
                    MML_TRY(mmli_strdup(&h->names[c], cells[i].text));
                    h->time_at = c == TIME ? i : h->time_at;
                }
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    header *h = user;

    (void)row;
    (void)n;
    if (!h->any && h->names[TIME] != NULL)
        h->clock = strchr(cells[h->time_at].text, ':') != NULL;
    h->any = true;
    return MML_OK;
}

static void header_free(header *h)
{
    for (size_t c = 0; c < COLUMNS; c++)
        mmli_free(h->names[c]);
}

/* Is one cell of the first line one of the spellings? */
static bool line_has(const mmli_probe *p, const char *const *words)
{
    const char *s = (const char *)p->text, *end = memchr(s, '\n', p->n_text);

    for (end = end != NULL ? end : s + p->n_text; s < end;) {
        const char *stop = s;

        while (stop < end && strchr(",;\t\r", *stop) == NULL)
            stop++;
        for (size_t k = 0; k < SPELLINGS; k++)
            if (mmli_text_is(s, (size_t)(stop - s), words[k]))
                return true;
        s = stop + 1;
    }
    return false;
}

mmli_sureness mmli_long_probe(char *what, const mmli_probe *p)
{
    if (p->folder || p->n_text == 0 || memchr(p->text, '\0', p->n_text) != NULL)
        return MMLI_NOT;
    for (size_t c = 0; c < COLUMNS; c++)
        if (!line_has(p, spellings[c]))
            return MMLI_NOT;
    (void)snprintf(what, MMLI_WHAT_BYTES, "a table with one measurement a row%s", p->text != p->bytes ? ", packed by gzip" : "");
    return MMLI_LIKELY;
}

mml_status mmli_long_suggest(mmli_suggestion *out, const char *path)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    static const char *const keys[COLUMNS] = {"id", "time", "variable", "value"};
    mml_status st = MML_OK;
    const mmli_sheet sheet = {.path = path};
    header h = {0};

    MML_TRY(mmli_sheet_read(&sheet, &handler, &h));
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
