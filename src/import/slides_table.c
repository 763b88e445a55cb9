/* slides_table.c - a table, or the labels file, that says whose a slide is.
 *
 * It gives the slide with or without `.svs`; only this suffix is taken off, not its letters (formats.md 1.5). */
#include "import/slide_files.h"

#include <string.h>

#include "formats/csv_file.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct reading {
    mmli_slides *out;
    mmli_slide_files *files;
    const char *path, *of_name, *slide_name;
    bool optional;    /* the labels file: need not have slides */
    bool has;         /* it has */
    size_t of_at, slide_at;
    mmli_folder_list missing;    /* slides without a file */
    size_t twice;
} reading;

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    const char **columns = NULL;

    MML_TRY(mmli_calloc(&columns, n, sizeof *columns));
    for (size_t i = 0; i < n; i++) {
        columns[i] = cells[i].text;
        r->has = r->has || strcmp(cells[i].text, r->slide_name) == 0;
    }
    if (!r->has && r->optional)
        goto out;
    if (strcmp(r->of_name, "@index") == 0) /* the first column, whatever its name */
        r->of_at = 0;
    else
        MML_TRY(mmli_csv_column(&r->of_at, r->path, columns, n, r->of_name));
    MML_TRY(mmli_csv_column(&r->slide_at, r->path, columns, n, r->slide_name));
    r->has = true;
out:
    mmli_free(columns);
    return st;
}

/* The literal suffix, not its letters. */
static size_t without_suffix(const mmli_cell *slide)
{
    static const char suffix[] = ".svs";
    const size_t n = sizeof suffix - 1;

    return slide->n > n && memcmp(slide->text + slide->n - n, suffix, n) == 0 ? slide->n - n : slide->n;
}

/* A slide again: of the same case it is the same slide, of another it is a mistake. */
static mml_status again(reading *r, size_t at, const mmli_cell *of, size_t row)
{
    for (size_t i = 0; i < r->out->n; i++) {
        const mmli_slide *s = &r->out->list[i];

        if (strcmp(s->id, r->files->ids.names[at]) == 0 && strcmp(s->of, of->text) != 0)
            return mmli_fail(MML_E_DATA, "%s: slide %s is of case %s in row %zu and of case %s in row %zu", r->path, s->id, s->of,
                             s->line, of->text, row);
    }
    r->twice++;
    return MML_OK;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    const mmli_cell *of, *slide;
    size_t at;

    (void)n;
    if (!r->has)
        return MML_OK;
    of = &cells[r->of_at];
    slide = &cells[r->slide_at];
    if (mmli_is_missing(slide->text, slide->n))
        return MML_OK; /* a case without a slide */
    MML_CHECK(mmli_bad_id(of->text) == NULL, MML_E_DATA, "%s: row %zu, column %s: the id cannot be used: %s", r->path, row,
              r->of_name, mmli_bad_id(of->text));
    at = mmli_index_find(&r->files->index, slide->text, slide->n);
    if (at == SIZE_MAX)
        at = mmli_index_find(&r->files->index, slide->text, without_suffix(slide));
    if (at == SIZE_MAX)
        return mmli_folder_list_add(&r->missing, slide->text);
    if (r->files->used[at])
        return again(r, at, of, row);
    r->files->used[at] = 1;
    MML_TRY(mmli_slides_add(r->out, r->files, at, of->text, row));
out:
    return st;
}

/* Counts and examples of what the table and the folder do not share. */
static mml_status note_rest(mmli_buf *notes, const reading *r, const char *path)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES];
    const char **unused = NULL;
    size_t n = 0;

    MML_TRY(mmli_calloc(&unused, r->files->ids.n, sizeof *unused));
    for (size_t i = 0; i < r->files->ids.n; i++)
        if (!r->files->used[i])
            unused[n++] = r->files->ids.names[i];
    if (r->missing.n > 0)
        MML_TRY(mmli_buf_printf(notes, "  %zu %s of %s %s no file in %s: %s\n", r->missing.n, mmli_by_number(r->missing.n, "slide", "slides"), r->path,
                                mmli_by_number(r->missing.n, "has", "have"), path,
                                mmli_list(list, (const char *const *)r->missing.names, r->missing.n)));
    if (n > 0)
        MML_TRY(mmli_buf_printf(notes, "  %zu %s of %s left out, not in %s: %s\n", n, mmli_by_number(n, "file", "files"), path, r->path,
                                mmli_list(list, unused, n)));
    if (r->twice > 0)
        MML_TRY(mmli_buf_printf(notes, "  %zu %s of %s %s a slide again; it is taken once\n", r->twice, mmli_by_number(r->twice, "row", "rows"), r->path,
                                mmli_by_number(r->twice, "names", "name")));
out:
    mmli_free(unused);
    return st;
}

/* One table; of several labels files, each. */
static mml_status read_table(reading *r, const char *path)
{
    const mmli_csv_handler handler = {.header = on_header, .row = on_row};
    mml_status st;

    r->path = path;
    r->has = false;
    st = mmli_csv_file_read(path, &handler, r);
    return st == MML_E_FORMAT && r->optional && !r->has ? MML_OK : st; /* labels need not be a CSV */
}

mml_status mmli_slides_by_table(bool *has, mmli_slides *out, mmli_buf *notes, mmli_slide_files *f, const char *path,
                           const mmli_slides_options *o, const mmli_import_config *config)
{
    mml_status st = MML_OK;
    reading r = {.out = out,
                 .files = f,
                 .of_name = o->of != NULL ? o->of : o->table != NULL ? "case_id" : config->id,
                 .slide_name = o->slide != NULL ? o->slide : "slide_id",
                 .optional = o->table == NULL && o->slide == NULL && o->of == NULL};

    *has = false;
    MML_TRY(read_table(&r, o->table != NULL ? o->table : config->labels));
    *has = r.has;
    for (size_t i = 0; o->table == NULL && r.has && i < config->n_more; i++)
        MML_TRY(read_table(&r, config->more[i]));
    if (!*has)
        goto out;
    out->by_line = true;
    MML_CHECK(out->n > 0, MML_E_DATA, "%s: none of its slides (column %s) has a file in %s; slides look like \"%s\" there and \"%s\" "
              "here", r.path, r.slide_name, path, r.missing.n > 0 ? r.missing.names[0] : "", f->ids.names[0]);
    MML_TRY(mmli_buf_printf(notes, "  slides belong to cases by %s (columns %s and %s)\n", r.path, r.of_name, r.slide_name));
    MML_TRY(note_rest(notes, &r, path));
out:
    mmli_folder_list_free(&r.missing);
    return st;
}
