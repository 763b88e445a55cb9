/* mimic3_list.c - the lists of a folder of the MIMIC-III benchmark: samples and their labels. */
#include <math.h>
#include <string.h>

#include "formats/csv_file.h"
#include "import/folder_list.h"
#include "import/mimic3.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

#define ENDING "_timeseries.csv"

void mmli_m3_folder_free(mmli_m3_folder *f)
{
    for (size_t i = 0; i < f->n; i++) {
        mmli_free(f->samples[i].id);
        mmli_free(f->samples[i].subject);
        mmli_free(f->samples[i].file);
        mmli_h5_texts_free(f->samples[i].texts, f->n_columns);
    }
    mmli_free(f->samples);
    mmli_h5_texts_free(f->columns, f->n_columns);
    *f = (mmli_m3_folder){0};
}

typedef struct list {
    mmli_m3_folder *f;
    char *file, *folder; /* listfile.csv, where the series are */
    const char *set;
    size_t stay, period, *at; /* columns; period = SIZE_MAX: none; at (n_columns) */
} list;

static mml_status on_header(void *user, const mmli_cell *names, size_t n)
{
    mml_status st = MML_OK;
    list *l = user;
    const bool first = l->f->columns == NULL;
    size_t k = 0;

    l->stay = l->period = SIZE_MAX;
    if (first)
        MML_TRY(mmli_calloc(&l->f->columns, n, sizeof *l->f->columns));
    MML_TRY(mmli_calloc(&l->at, n, sizeof *l->at));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i].text, "stay") == 0) {
            l->stay = i;
        } else if (strcmp(names[i].text, "period_length") == 0) {
            l->period = i;
        } else if (first) {
            l->at[k++] = i;
            MML_TRY(mmli_strdup(&l->f->columns[l->f->n_columns], names[i].text));
            l->f->n_columns++;
        } else {
            MML_CHECK(k < l->f->n_columns && strcmp(l->f->columns[k], names[i].text) == 0, MML_E_FORMAT,
                      "%s: row 1: the columns are not those of the list of train", l->file);
            l->at[k++] = i;
        }
    }
    MML_CHECK(l->stay != SIZE_MAX, MML_E_FORMAT, "%s: row 1: there is no column stay", l->file);
    MML_CHECK(k == l->f->n_columns, MML_E_FORMAT, "%s: row 1: the columns are not those of the list of train", l->file);
out:
    return st;
}

/* "10011_episode1_timeseries.csv" -> id, subject and file. */
static mml_status take_stay(mmli_m3_sample *s, const list *l, size_t row, const char *stay, const char *period)
{
    mml_status st = MML_OK;
    const size_t n = strlen(stay), m = sizeof ENDING - 1;
    const char *episode = strstr(stay, "_episode");

    MML_CHECK(n > m && strcmp(stay + n - m, ENDING) == 0 && episode != NULL && strchr(stay, '/') == NULL, MML_E_DATA,
              "%s: row %zu, column stay: \"%.80s\" is no SUBJECT_episodeK" ENDING, l->file, row, stay);
    MML_TRY(mmli_strf(&s->id, "%.*s%s%s", (int)(n - m), stay, period != NULL ? "@" : "", period != NULL ? period : ""));
    MML_TRY(mmli_strf(&s->subject, "%.*s", (int)(episode - stay), stay));
    MML_TRY(mmli_strf(&s->file, "%s/%s", l->folder, stay));
    MML_CHECK(mmli_bad_id(s->id) == NULL, MML_E_DATA, "%s: row %zu, column stay: the id cannot be used: %s", l->file, row,
              mmli_bad_id(s->id));
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    const list *l = user;
    mmli_m3_folder *f = l->f;
    mmli_m3_sample *s;
    const mmli_cell *period = l->period != SIZE_MAX ? &cells[l->period] : NULL;

    (void)n;
    MML_TRY(mmli_grow(&f->samples, &f->cap, f->n + 1, sizeof *f->samples));
    s = &f->samples[f->n++];
    *s = (mmli_m3_sample){.until = INFINITY, .set = l->set, .row = row};
    MML_TRY(mmli_calloc(&s->texts, f->n_columns, sizeof *s->texts));
    if (period != NULL)
        MML_CHECK(mmli_parse_double(&s->until, period->text, period->n) && s->until >= 0, MML_E_DATA,
                  "%s: row %zu, column period_length: \"%.80s\" is no number of hours", l->file, row, period->text);
    MML_TRY(take_stay(s, l, row, cells[l->stay].text, period != NULL ? period->text : NULL));
    for (size_t k = 0; k < f->n_columns; k++)
        MML_TRY(mmli_strdup(&s->texts[k], cells[l->at[k]].text));
out:
    return st;
}

/* *is = false: the folder has no list. */
static mml_status read_list(bool *is, mmli_m3_folder *f, const char *path, const char *set)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;
    list l = {.f = f, .set = set};

    MML_TRY(set[0] != '\0' ? mmli_strf(&l.folder, "%s/%s", path, set) : mmli_strdup(&l.folder, path));
    MML_TRY(mmli_strf(&l.file, "%s/listfile.csv", l.folder));
    *is = mmli_file_is(l.file);
    if (*is)
        MML_TRY(mmli_csv_file_read(l.file, &handler, &l));
out:
    mmli_free(l.at);
    mmli_free(l.file);
    mmli_free(l.folder);
    return st;
}

mml_status mmli_m3_folder_read(mmli_m3_folder *f, const char *path)
{
    mml_status st = MML_OK;
    bool here, train, test;

    *f = (mmli_m3_folder){0};
    MML_TRY(read_list(&here, f, path, ""));
    if (here)
        goto out;
    MML_TRY(read_list(&train, f, path, "train"));
    MML_TRY(read_list(&test, f, path, "test"));
    MML_CHECK(train || test, MML_E_DATA, "%s: has no listfile.csv, nor have train and test in it", path);
out:
    if (st != MML_OK)
        mmli_m3_folder_free(f);
    return st;
}

mml_status mmli_m3_is(bool *out, const char *path)
{
    static const char *const places[] = {"", "train/", "test/"};
    mml_status st = MML_OK;

    *out = false;
    for (size_t i = 0; i < 3 && !*out; i++) {
        char *name = NULL;

        MML_TRY(mmli_strf(&name, "%s/%slistfile.csv", path, places[i]));
        *out = mmli_file_is(name);
        mmli_free(name);
    }
out:
    return st;
}

/* ---- as a table ----------------------------------------------------------------------------------------------------------- */

static const char *text_of(const mmli_m3_folder *f, const mmli_m3_sample *s, const char *name)
{
    if (strcmp(name, "set") == 0)
        return s->set;
    if (strcmp(name, "subject") == 0)
        return s->subject;
    for (size_t k = 0; k < f->n_columns; k++)
        if (strcmp(f->columns[k], name) == 0)
            return s->texts[k];
    return NULL;
}

static mml_status add_column(mmli_table *t, const mmli_m3_folder *f, const char *name)
{
    mml_status st = MML_OK;
    const size_t k = t->n_columns;

    if (mmli_table_column(t, name) != NULL)
        return MML_OK;
    if (text_of(f, &f->samples[0], name) == NULL)
        return mmli_not_found(t->path, "column", name, (const char *const *)f->columns, f->n_columns);
    MML_TRY(mmli_calloc(&t->texts[k], t->n, sizeof **t->texts));
    t->n_columns++; /* freed from now on */
    MML_TRY(mmli_strdup(&t->names[k], name));
    for (size_t i = 0; i < t->n; i++) {
        const char *text = text_of(f, &f->samples[i], name);

        MML_CHECK(text[0] == '\0' || mmli_bad_id(text) == NULL, MML_E_DATA, "%s: listfile.csv: row %zu, column %s: the text cannot be used: %s",
                  t->path, f->samples[i].row, name, mmli_bad_id(text));
        MML_TRY(mmli_strdup(&t->texts[k][i], text));
    }
out:
    return st;
}

mml_status mmli_m3_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted)
{
    mml_status st = MML_OK;
    mmli_m3_folder f = {0};
    size_t n;

    MML_CHECK(sheet->n_more == 0 && !sheet->no_header && sheet->names == NULL && sheet->ids == NULL, MML_E_FORMAT,
              "%s: several files, or files without a header, are for CSV; this is a folder of the MIMIC-III benchmark", sheet->path);
    MML_CHECK(strcmp(id, "stay") == 0, MML_E_FORMAT, "%s: id = %s: in a folder of the MIMIC-III benchmark it is stay", sheet->path, id);
    MML_TRY(mmli_m3_folder_read(&f, sheet->path));
    MML_CHECK(f.n > 0, MML_E_DATA, "%s: the lists have no stays", sheet->path);
    n = wanted != NULL ? n_wanted : f.n_columns;
    MML_TRY(mmli_calloc(&t->ids, f.n, sizeof *t->ids));
    MML_TRY(mmli_calloc(&t->rows, f.n, sizeof *t->rows));
    MML_TRY(mmli_calloc(&t->names, n, sizeof *t->names));
    MML_TRY(mmli_calloc(&t->texts, n, sizeof *t->texts));
    for (t->n = 0; t->n < f.n; t->n++) {
        MML_TRY(mmli_strdup(&t->ids[t->n], f.samples[t->n].id));
        t->rows[t->n] = f.samples[t->n].row;
    }
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_problem(sheet->problems, add_column(t, &f, wanted != NULL ? wanted[i] : f.columns[i])));
out:
    mmli_m3_folder_free(&f);
    return st;
}
