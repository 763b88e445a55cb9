/* folds.c - see folds.h. */
#include "import/folds.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum { TRAIN, VAL, TEST, NONE };
static char part_names[][6] = {"train", "val", "test", ""};

/* Part of a column by its name, or NONE. */
static int part_of(const char *column)
{
    for (int p = TRAIN; p < NONE; p++)
        if (strcmp(column, part_names[p]) == 0)
            return p;
    return strcmp(column, "valid") == 0 || strcmp(column, "validation") == 0 ? VAL : NONE;
}

/* ---- is it one? ------------------------------------------------------------------------------------------------------------ */

static mml_status look_header(void *user, const mmli_cell *cells, size_t n)
{
    bool *is = user, part[NONE + 1] = {false};

    *is = true;
    for (size_t i = 0; i < n; i++) {
        part[part_of(cells[i].text)] = true;
        *is = *is && (part_of(cells[i].text) != NONE || mmli_sheet_is_index(cells[i].text));
    }
    *is = *is && part[TRAIN] && (part[VAL] || part[TEST]);
    return MML_E_STOPPED; /* the header is enough */
}

static mml_status look_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)user;
    (void)row;
    (void)cells;
    (void)n;
    return MML_OK;
}

mml_status mmli_is_folds(bool *out, const char *path)
{
    static const mmli_csv_handler handler = {look_header, look_row};
    mml_status st;

    *out = false;
    st = mmli_csv_file_read(path, &handler, out);
    return st == MML_E_STOPPED || st == MML_E_FORMAT ? MML_OK : st; /* no CSV: a table of another format, or of none, which reading it says */
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

typedef struct reading {
    mmli_folds *out;
    const char *path;
    const mmli_index *samples;
    char *const *ids;
    const mmli_table *labels;
    mmli_index other; /* of labels->other */
    int *part;        /* (n_columns) of each column */
    size_t n_columns;
    bool looked;      /* at the first row, which tells what the file is */
    bool flags;       /* a row an id, with True and False */
    size_t *row;      /* (n samples) where it was put into its part */
} reading;

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;

    MML_TRY(mmli_calloc(&r->part, n, sizeof *r->part));
    r->n_columns = n;
    for (size_t i = 0; i < n; i++)
        r->part[i] = part_of(cells[i].text);
out:
    return st;
}

/* The sample of an id, of a slide, of a slide without its ending; or SIZE_MAX. */
static size_t find_sample(const reading *r, const char *text, size_t n)
{
    size_t at = mmli_index_find(r->samples, text, n);
    char with[600];

    if (at != SIZE_MAX || r->labels->n_other == 0)
        return at;
    at = mmli_index_find(&r->other, text, n);
    if (at == SIZE_MAX && n + sizeof ".svs" <= sizeof with) {
        memcpy(with, text, n);
        memcpy(with + n, ".svs", sizeof ".svs");
        at = mmli_index_find(&r->other, with, n + 4);
    }
    if (at == SIZE_MAX && n > 4 && strcmp(text + n - 4, ".svs") == 0)
        at = mmli_index_find(&r->other, text, n - 4);
    return at == SIZE_MAX ? at : r->labels->other_at[at];
}

static mml_status put(reading *r, size_t row, const mmli_cell *cell, int part)
{
    mml_status st = MML_OK;
    const size_t at = find_sample(r, cell->text, cell->n);

    MML_CHECK(at != SIZE_MAX, MML_E_NOT_FOUND, "%s: row %zu, column %s: \"%.200s\" is the id of no sample%s; ids look like \"%.200s\"", r->path, row,
              part_names[part], cell->text, r->labels->n_other > 0 ? ", and no slide of one" : "", r->ids[0]);
    MML_CHECK(r->row[at] == 0 || r->out->parts[at] == part_names[part], MML_E_DATA,
              "%s: row %zu puts %.200s into %s, but row %zu has put sample %s into %s: a sample has one part", r->path, row, cell->text,
              part_names[part], r->row[at], r->ids[at], r->out->parts[at]);
    r->row[at] = row;
    r->out->parts[at] = part_names[part];
out:
    return st;
}

static bool is_flag(const mmli_cell *cell, bool *yes)
{
    *yes = mmli_text_is(cell->text, cell->n, "true");
    return *yes || mmli_text_is(cell->text, cell->n, "false");
}

/* Counts of each class (CLAM's splits_0_descriptor.csv) look like a division and are none. */
static bool is_counts(const reading *r, const mmli_cell *cells)
{
    double x;

    if (r->part[0] != NONE || mmli_parse_double(&x, cells[0].text, cells[0].n) || cells[0].n == 0)
        return false;
    for (size_t i = 1; i < r->n_columns; i++)
        if (!mmli_parse_double(&x, cells[i].text, cells[i].n))
            return false;
    return true;
}

static mml_status flags_row(reading *r, size_t row, const mmli_cell *cells)
{
    mml_status st = MML_OK;
    bool yes;

    MML_CHECK(r->part[0] == NONE, MML_E_FORMAT, "%s: has True and False, but no first column with the ids", r->path);
    for (size_t i = 1; i < r->n_columns; i++) {
        if (r->part[i] == NONE)
            continue;
        MML_CHECK(is_flag(&cells[i], &yes), MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is neither True nor False", r->path, row,
                  part_names[r->part[i]], cells[i].text);
        if (yes)
            MML_TRY(put(r, row, &cells[0], r->part[i]));
    }
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    bool yes;

    (void)n;
    if (!r->looked) {
        r->looked = true;
        MML_CHECK(!is_counts(r, cells), MML_E_FORMAT, "%s: is a table of counts and not of ids (CLAM writes it beside the split)", r->path);
        for (size_t i = 0; i < r->n_columns; i++)
            r->flags = r->flags || (r->part[i] != NONE && is_flag(&cells[i], &yes));
    }
    if (r->flags) {
        st = flags_row(r, row, cells);
        goto out;
    }
    for (size_t i = 0; i < r->n_columns; i++)
        if (r->part[i] != NONE && !mmli_is_missing(cells[i].text, cells[i].n))
            MML_TRY(put(r, row, &cells[i], r->part[i]));
out:
    return st;
}

/* "a/splits_0_bool.csv" -> "split_0"; "b/mine.csv" -> "mine". */
static mml_status make_name(char **out, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    static const char plural[] = "splits_", flags[] = "_bool";
    size_t n = strcspn(base, ".");

    if (n > sizeof flags - 1 && memcmp(base + n - (sizeof flags - 1), flags, sizeof flags - 1) == 0)
        n -= sizeof flags - 1;
    if (n > sizeof plural - 1 && memcmp(base, plural, sizeof plural - 1) == 0)
        return mmli_strf(out, "split_%.*s", (int)(n - (sizeof plural - 1)), base + sizeof plural - 1);
    return mmli_strf(out, "%.*s", (int)n, base);
}

mml_status mmli_folds_read(mmli_folds *out, const char *path, const mmli_index *samples, char *const *ids, size_t n,
                           const mmli_table *labels)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;
    reading r = {.out = out, .path = path, .samples = samples, .ids = ids, .labels = labels};
    size_t first, second;

    *out = (mmli_folds){0};
    MML_TRY(make_name(&out->name, path));
    MML_TRY(mmli_calloc(&out->parts, n, sizeof *out->parts));
    MML_TRY(mmli_calloc(&r.row, n, sizeof *r.row));
    for (size_t i = 0; i < n; i++)
        out->parts[i] = part_names[NONE];
    MML_TRY(mmli_index_make(&r.other, (const char *const *)labels->other, labels->n_other, &first, &second));
    MML_TRY(mmli_csv_file_read(path, &handler, &r));
    for (size_t i = 0; i < n; i++)
        out->count[part_of(out->parts[i])]++;
    MML_CHECK(out->count[TRAIN] > 0, MML_E_DATA, "%s: no sample is in train", path);
out:
    mmli_index_free(&r.other);
    mmli_free(r.part);
    mmli_free(r.row);
    if (st != MML_OK)
        mmli_folds_free(out);
    return st;
}

void mmli_folds_free(mmli_folds *f)
{
    mmli_free(f->name);
    mmli_free(f->parts);
    *f = (mmli_folds){0};
}
