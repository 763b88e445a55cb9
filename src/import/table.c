/* table.c - columns of a CSV as texts by sample, and the choice of columns by name and pattern. */
#include <stdio.h>
#include <string.h>

#include "import/kept.h"
#include "import/repeats.h"
#include "import/source.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* ---- which columns -------------------------------------------------------------------------------------------------- */

mml_status mmli_csv_column(size_t *out, const char *path, const char *const *names, size_t n, const char *name)
{
    *out = SIZE_MAX;
    if (strcmp(name, "@index") == 0 && n > 0) {
        *out = 0;
        return MML_OK;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        if (*out != SIZE_MAX)
            return mmli_fail(MML_E_DATA, "%s: columns %zu and %zu are both named %s; which one is meant?", path, *out + 1,
                             i + 1, name);
        *out = i;
    }
    return *out == SIZE_MAX ? mmli_not_found(path, "column", name, names, n) : MML_OK;
}

/* A name against a pattern in which * stands for any bytes. */
static bool matches(const char *pattern, const char *name)
{
    const char *star = NULL, *again = NULL;

    while (*name != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            again = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_reserved(const mmli_import_modality *m, const char *name)
{
    for (size_t i = 0; i < m->n_reserved; i++)
        if (strcmp(m->reserved[i], name) == 0)
            return true;
    return false;
}

typedef struct choice {
    uint8_t *chosen, *left_out;
    const mmli_import_modality *m;
    const char *const *names;
    size_t n;
    const char *skip;
} choice;

/* Applies one item of the list; *met = how many columns it met. */
static void apply(size_t *met, const choice *c, const char *item)
{
    const bool exclude = item[0] == '-';
    const char *pattern = exclude ? item + 1 : strcmp(item, "all") == 0 ? "*" : item;
    const bool wide = strchr(pattern, '*') != NULL;

    *met = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!matches(pattern, c->names[i]))
            continue;
        ++*met;
        if (exclude) {
            c->chosen[i] = c->left_out[i] = 0;
            continue;
        }
        if (wide && ((c->skip != NULL && strcmp(c->names[i], c->skip) == 0) || mmli_sheet_is_index(c->names[i])))
            continue;
        if (wide && is_reserved(c->m, c->names[i])) {
            c->left_out[i] = !c->chosen[i];
            continue;
        }
        c->chosen[i] = 1;
        c->left_out[i] = 0;
    }
}

mml_status mmli_choose_columns(uint8_t *chosen, uint8_t *left_out, const mmli_import_modality *m,
                               const char *const *names, size_t n, const char *skip, mmli_problems *problems)
{
    mml_status st = MML_OK, missing = MML_OK;
    const choice c = {chosen, left_out, m, names, n, skip};
    size_t met, total = 0;

    memset(chosen, 0, n);
    memset(left_out, 0, n);
    if (m->n_columns == 0 || m->columns[0][0] == '-') /* only exclusions: of all */
        apply(&met, &c, "all");
    for (size_t i = 0; i < m->n_columns; i++) {
        const char *item = m->columns[i];

        apply(&met, &c, item);
        if (met > 0)
            continue;
        missing = mmli_not_found(m->file, "column", item[0] == '-' ? item + 1 : item, names, n);
        MML_TRY(mmli_problem(problems, missing));
    }
    if ((st = missing) != MML_OK) /* whose message is the last one: the caller notes it once */
        goto out;
    for (size_t i = 0; i < n; i++)
        total += chosen[i];
    MML_CHECK(total > 0, MML_E_DATA, "%s: modality %s: no column is chosen", m->file, m->name);
out:
    return st;
}

/* ---- texts ------------------------------------------------------------------------------------------------------------ */

typedef struct reading {
    mmli_table *t;
    const char *id;
    const char *const *wanted;
    size_t n_wanted;
    mmli_problems *problems;
    size_t id_at, *at; /* (n_columns) */
    size_t *cap;       /* (n_columns) */
    size_t cap_rows;
} reading;

static mml_status copy_cell(char **out, const mmli_cell *cell)
{
    mml_status st;

    if ((st = mmli_calloc(out, cell->n + 1, 1)) == MML_OK)
        memcpy(*out, cell->text, cell->n);
    return st;
}

/* *out = SIZE_MAX: it is not there, which is noted; *missing = the failure. */
static mml_status find_column(mml_status *missing, size_t *out, const reading *r, const char *const *names, size_t n, const char *name)
{
    const mml_status st = mmli_csv_column(out, r->t->path, names, n, name);

    if (st == MML_OK)
        return MML_OK;
    *out = SIZE_MAX;
    *missing = st;
    return mmli_problem(r->problems, st);
}

static mml_status find_columns(reading *r, const char *const *names, size_t n)
{
    mml_status st = MML_OK;
    mmli_table *t = r->t;
    const size_t most = r->wanted != NULL ? r->n_wanted : n;
    mml_status missing = MML_OK;

    MML_TRY(find_column(&missing, &r->id_at, r, names, n, r->id));
    MML_TRY(mmli_calloc(&t->names, most, sizeof *t->names));
    MML_TRY(mmli_calloc(&t->texts, most, sizeof *t->texts));
    MML_TRY(mmli_calloc(&r->at, most, sizeof *r->at));
    MML_TRY(mmli_calloc(&r->cap, most, sizeof *r->cap));
    for (size_t i = 0; i < most; i++) {
        const char *name = r->wanted != NULL ? r->wanted[i] : names[i];

        if ((r->wanted == NULL && (i == r->id_at || mmli_sheet_is_index(name))) || mmli_table_column(t, name) != NULL)
            continue;
        MML_TRY(find_column(&missing, &r->at[t->n_columns], r, names, n, name));
        if (r->at[t->n_columns] == SIZE_MAX)
            continue;
        MML_TRY(mmli_strdup(&t->names[t->n_columns], name));
        t->n_columns++; /* from here freeing the table frees the name */
        MML_TRY(mmli_calloc(&t->texts[t->n_columns - 1], 1, sizeof **t->texts));
    }
    st = missing; /* whose message is the last one: the caller notes it once */
out:
    return st;
}

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    const reading *r = user;
    const char **names = NULL;

    if (r->t->names != NULL) /* the file is read after all (from_kept) */
        return MML_OK;
    MML_TRY(mmli_calloc(&names, n, sizeof *names));
    for (size_t i = 0; i < n; i++)
        names[i] = cells[i].text;
    MML_TRY(find_columns(user, names, n));
out:
    mmli_free(names);
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    mmli_table *t = r->t;

    (void)n;
    MML_CHECK(mmli_bad_id(cells[r->id_at].text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the id cannot be used: %s",
              t->path, row, r->id, mmli_bad_id(cells[r->id_at].text));
    for (size_t k = 0; k < t->n_columns; k++) {
        const mmli_cell *cell = &cells[r->at[k]];

        MML_CHECK(cell->n == 0 || mmli_bad_id(cell->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the text cannot be "
                  "used: %s", t->path, row, t->names[k], mmli_bad_id(cell->text));
    }
    if (t->n == r->cap_rows) {
        size_t cap = r->cap_rows;

        MML_TRY(mmli_grow(&t->rows, &cap, t->n + 1, sizeof *t->rows));
        MML_TRY(mmli_grow(&t->ids, &r->cap_rows, t->n + 1, sizeof *t->ids)); /* the same growth */
    }
    for (size_t k = 0; k < t->n_columns; k++)
        MML_TRY(mmli_grow(&t->texts[k], &r->cap[k], t->n + 1, sizeof **t->texts));
    t->rows[t->n] = row;
    t->ids[t->n] = NULL;
    for (size_t k = 0; k < t->n_columns; k++)
        t->texts[k][t->n] = NULL;
    t->n++; /* from here freeing the table frees this row too */
    MML_TRY(copy_cell(&t->ids[t->n - 1], &cells[r->id_at]));
    for (size_t k = 0; k < t->n_columns; k++)
        MML_TRY(copy_cell(&t->texts[k][t->n - 1], &cells[r->at[k]]));
out:
    return st;
}

/* Without the file, if the texts are kept. */
static mml_status from_kept(bool *done, reading *r, const mmli_csv_handler *handler, const mmli_kept *k)
{
    mml_status st = MML_OK;
    const mmli_table *t = r->t;
    mmli_cell *cells = NULL;

    *done = false;
    MML_TRY(mmli_kept_header(k, handler, r));
    if (!mmli_kept_has_texts(k, r->id_at))
        goto out;
    for (size_t i = 0; i < t->n_columns; i++)
        if (!mmli_kept_has_texts(k, r->at[i]))
            goto out;
    MML_TRY(mmli_calloc(&cells, k->n_columns, sizeof *cells)); /* those that are asked for */
    for (size_t row = 0; row < k->n_rows; row++) {
        cells[r->id_at] = mmli_kept_text(k, row, r->id_at);
        for (size_t i = 0; i < t->n_columns; i++)
            cells[r->at[i]] = mmli_kept_text(k, row, r->at[i]);
        MML_TRY(handler->row(r, k->lines[row], cells, k->n_columns));
    }
    *done = true;
out:
    mmli_free(cells);
    return st;
}

mml_status mmli_csv_texts(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_OK;
    reading r = {.t = t, .id = id, .wanted = wanted, .n_wanted = n_wanted, .problems = sheet->problems};
    bool done = false;

    if (mmli_kept_is(sheet->kept, sheet))
        MML_TRY(from_kept(&done, &r, &handler, sheet->kept));
    if (!done)
        MML_TRY(mmli_sheet_read(sheet, &handler, &r));
    MML_CHECK(t->n > 0, MML_E_DATA, "%s: has a header but no rows", sheet->path);
out:
    mmli_free(r.at);
    mmli_free(r.cap);
    return st;
}

mml_status mmli_table_read(mmli_table *t, const mmli_sheet *sheet, const char *id, const char *const *wanted, size_t n_wanted)
{
    mml_status st = MML_OK;
    const mmli_source_kind *kind;
    const char *path = sheet->path;
    const size_t met = sheet->problems != NULL ? sheet->problems->met : 0;
    mmli_index index = {0};
    size_t first, second;

    *t = (mmli_table){.path = path};
    MML_TRY(mmli_source_recognise(&kind, NULL, path));
    MML_CHECK(kind->texts != NULL, MML_E_FORMAT, "%s: is %s, which cannot be a table of labels; a CSV is needed", path,
              kind->what);
    MML_TRY(kind->texts(t, sheet, id, wanted, n_wanted));
    if (sheet->problems != NULL && sheet->problems->met > met) { /* columns are missing, and told */
        mmli_table_free(t);
        goto out;
    }
    if (sheet->repeats != NULL)
        MML_TRY(mmli_table_fold(t, sheet->repeats));
    MML_TRY(mmli_index_make(&index, (const char *const *)t->ids, t->n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: rows %zu and %zu have the same id %s; several rows a sample need repeats = the "
              "column in which they differ, in [cohort]", path, t->rows[first],
              t->rows[second], t->ids[second]);
out:
    mmli_index_free(&index);
    if (st != MML_OK)
        mmli_table_free(t);
    return st;
}

void mmli_table_free(mmli_table *t)
{
    mmli_h5_texts_free(t->ids, t->n);
    mmli_free(t->rows);
    mmli_h5_texts_free(t->other, t->n_other);
    mmli_free(t->other_at);
    for (size_t k = 0; t->texts != NULL && k < t->n_columns; k++)
        mmli_h5_texts_free(t->texts[k], t->n);
    mmli_free(t->texts);
    mmli_h5_texts_free(t->names, t->n_columns);
    *t = (mmli_table){0};
}

char **mmli_table_column(const mmli_table *t, const char *name)
{
    for (size_t k = 0; k < t->n_columns; k++)
        if (strcmp(t->names[k], name) == 0)
            return t->texts[k];
    return NULL;
}
