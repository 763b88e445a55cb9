/* physionet_outcomes.c - the outcomes of the stays of a folder as a table of labels. */
#include <string.h>

#include "import/physionet.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static mml_status index_stays(mmli_index *index, const char ***ids, const mmli_p12_folder *f, const char *path)
{
    mml_status st = MML_OK;
    size_t first, second;

    MML_TRY(mmli_calloc(ids, f->n, sizeof **ids));
    for (size_t i = 0; i < f->n; i++)
        (*ids)[i] = f->stays[i].id;
    MML_TRY(mmli_index_make(index, *ids, f->n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: %s and %s are one stay", path, f->stays[first].file, f->stays[second].file);
out:
    return st;
}

/* The outcomes are of all 4000 stays of a set, whatever part of the records is there: rows of others go. */
static void keep_rows_of(mmli_table *t, const mmli_index *stays)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (mmli_index_find(stays, t->ids[i], strlen(t->ids[i])) == SIZE_MAX) {
            mmli_free(t->ids[i]);
            for (size_t k = 0; k < t->n_columns; k++)
                mmli_free(t->texts[k][i]);
            continue;
        }
        t->ids[kept] = t->ids[i];
        t->rows[kept] = t->rows[i];
        for (size_t k = 0; k < t->n_columns; k++)
            t->texts[k][kept] = t->texts[k][i];
        kept++;
    }
    t->n = kept;
}

static bool is_minus_one(const char *text)
{
    double x;

    return mmli_parse_double(&x, text, strlen(text)) && x == -1;
}

mml_status mmli_p12_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted)
{
    mml_status st = MML_OK;
    mmli_p12_folder f = {0};
    mmli_index index = {0};
    const char **ids = NULL;
    mmli_sheet outcomes;

    MML_CHECK(sheet->n_more == 0 && !sheet->no_header && sheet->names == NULL && sheet->ids == NULL, MML_E_FORMAT,
              "%s: several files, or files without a header, are for CSV; this is a folder of PhysioNet 2012", sheet->path);
    MML_TRY(mmli_p12_folder_read(&f, sheet->path));
    MML_CHECK(f.n_outcomes > 0, MML_E_DATA, "%s: has no Outcomes-a.txt, Outcomes-b.txt or Outcomes-c.txt", sheet->path);
    MML_TRY(index_stays(&index, &ids, &f, sheet->path));
    outcomes = (mmli_sheet){.path = f.outcomes[0], .more = f.outcomes + 1, .n_more = f.n_outcomes - 1, .problems = sheet->problems};
    t->path = outcomes.path;
    MML_TRY(mmli_csv_texts(t, &outcomes, id, wanted, n_wanted));
    keep_rows_of(t, &index);
    for (size_t k = 0; k < t->n_columns; k++)
        for (size_t i = 0; i < t->n; i++)
            if (is_minus_one(t->texts[k][i]))
                t->texts[k][i][0] = '\0';
    MML_CHECK(t->n > 0, MML_E_DATA, "%s: has no outcome of any of the %zu stays", outcomes.path, f.n);
out:
    t->path = sheet->path; /* lent, and the other goes now */
    mmli_index_free(&index);
    mmli_free(ids);
    mmli_p12_folder_free(&f);
    return st;
}
