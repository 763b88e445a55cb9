/* slides.c - files of a folder, mapped to cases.
 *
 * Whose a slide is says, in this order: the table that `table` names; the labels file, if it has the column of slides; the
 * TCGA barcode, whose first 12 characters are the patient (TCGA-XX-YYYY); else every slide is a case. The report says which.
 * Tables give the slide with or without `.svs`; only this suffix is taken off, not its letters (formats.md 1.5). */
#include "import/slides.h"

#include <string.h>

#include "formats/csv_file.h"
#include "import/folder_list.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

#define ENDING ".h5"
enum { ENDING_BYTES = 3, BARCODE = 12 };

static void free_slide(mmli_slide *s)
{
    mmli_free(s->file);
    mmli_free(s->id);
    mmli_free(s->of);
}

void mmli_slides_free(mmli_slides *s)
{
    for (size_t i = 0; i < s->n; i++)
        free_slide(&s->list[i]);
    mmli_free(s->list);
    *s = (mmli_slides){0};
}

/* ---- names in a folder ------------------------------------------------------------------------------------------------ */

static bool is_bag_name(const char *name)
{
    const size_t n = strlen(name);

    return name[0] != '.' && n > ENDING_BYTES && strcmp(name + n - ENDING_BYTES, ENDING) == 0;
}

/* The one place below a job folder where features can be: h5_files (CLAM), features_* (TRIDENT). */
static mml_status below(char **out, const mmli_folder_list *in, const char *path)
{
    mml_status st = MML_OK;
    const char *found = NULL;
    char *full = NULL, *first = NULL;

    for (size_t i = 0; i < in->n; i++) {
        const char *name = in->names[i];

        if (strcmp(name, "h5_files") != 0 && strncmp(name, "features_", 9) != 0)
            continue;
        mmli_free(full);
        MML_TRY(mmli_strf(&full, "%s/%s", path, name));
        if (!mmli_folder_is(full))
            continue;
        MML_CHECK(found == NULL, MML_E_DATA, "%s: has features in %s and in %s; name the folder that is meant", path, found, name);
        found = name;
        first = full;
        full = NULL;
    }
    *out = first;
    first = NULL;
out:
    mmli_free(full);
    mmli_free(first);
    return st;
}

/* The folder that really has the files, new; NULL where there is none. */
static mml_status find_folder(char **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_folder_list in = {0};
    bool here = false;

    *out = NULL;
    MML_TRY(mmli_folder_list_read(&in, path, false));
    for (size_t i = 0; i < in.n && !here; i++)
        here = is_bag_name(in.names[i]);
    MML_TRY(here ? mmli_strdup(out, path) : below(out, &in, path));
out:
    mmli_folder_list_free(&in);
    return st;
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

/* The files: ids (names without the ending) and paths, by id. */
typedef struct files {
    mmli_folder_list ids, paths;
    mmli_index index;
    uint8_t *used;
} files;

static void files_free(files *f)
{
    mmli_index_free(&f->index);
    mmli_folder_list_free(&f->ids);
    mmli_folder_list_free(&f->paths);
    mmli_free(f->used);
}

static mml_status add_file(files *f, const char *folder, const char *name)
{
    mml_status st = MML_OK;
    char *path = NULL, *id = NULL;

    MML_TRY(folder != NULL ? mmli_strf(&path, "%s/%s", folder, name) : mmli_strdup(&path, name));
    MML_TRY(mmli_strdup(&id, folder != NULL || strrchr(name, '/') == NULL ? name : strrchr(name, '/') + 1));
    if (is_bag_name(id))
        id[strlen(id) - ENDING_BYTES] = '\0';
    MML_TRY(mmli_folder_list_add(&f->ids, id));
    MML_TRY(mmli_folder_list_add(&f->paths, path));
out:
    mmli_free(path);
    mmli_free(id);
    return st;
}

static mml_status no_files(const mmli_folder_list *in, const char *path)
{
    for (size_t i = 0; i < in->n; i++) {
        const char *dot = strrchr(in->names[i], '.');

        if (dot != NULL && strcmp(dot, ".pt") == 0)
            return mmli_fail(MML_E_FORMAT, "%s: has .pt files, which only PyTorch can read; give the .h5 files of the same features "
                             "(CLAM: folder h5_files; TRIDENT: written as h5)", path);
    }
    return mmli_fail(MML_E_DATA, "%s: has no " ENDING " files", path);
}

static mml_status find_files(files *f, const char *path)
{
    mml_status st = MML_OK;
    mmli_folder_list in = {0};
    char *folder = NULL;
    size_t first, second;

    if (!mmli_folder_is(path)) {
        MML_TRY(add_file(f, NULL, path));
    } else {
        MML_TRY(find_folder(&folder, path));
        MML_TRY(mmli_folder_list_read(&in, folder != NULL ? folder : path, false));
        for (size_t i = 0; i < in.n; i++)
            if (is_bag_name(in.names[i]))
                MML_TRY(add_file(f, folder, in.names[i]));
        if (f->ids.n == 0) {
            st = no_files(&in, folder != NULL ? folder : path);
            goto out;
        }
    }
    for (size_t i = 0; i < f->ids.n; i++)
        MML_CHECK(mmli_bad_id(f->ids.names[i]) == NULL, MML_E_DATA, "%s: the name of the slide cannot be used: %s", f->paths.names[i],
                  mmli_bad_id(f->ids.names[i]));
    MML_TRY(mmli_calloc(&f->used, f->ids.n, 1));
    MML_TRY(mmli_index_make(&f->index, (const char *const *)f->ids.names, f->ids.n, &first, &second));
out:
    mmli_folder_list_free(&in);
    mmli_free(folder);
    return st;
}

mml_status mmli_slides_first(char **out, size_t *n, const char *path)
{
    mml_status st = MML_OK;
    files f = {0};

    *out = NULL;
    *n = 0;
    MML_TRY(find_files(&f, path));
    *n = f.ids.n;
    MML_TRY(mmli_strdup(out, f.paths.names[0]));
out:
    files_free(&f);
    return st;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

typedef struct reading {
    mmli_slides *out;
    files *files;
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

static mml_status add_slide(mmli_slides *out, const files *f, size_t at, const char *of, size_t line)
{
    mml_status st = MML_OK;
    mmli_slide *s;

    MML_TRY(mmli_grow(&out->list, &out->cap, out->n + 1, sizeof *out->list));
    s = &out->list[out->n];
    *s = (mmli_slide){.line = line};
    out->n++;
    MML_TRY(mmli_strdup(&s->file, f->paths.names[at]));
    MML_TRY(mmli_strdup(&s->id, f->ids.names[at]));
    MML_TRY(mmli_strdup(&s->of, of));
out:
    return st;
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
    MML_TRY(add_slide(r->out, r->files, at, of->text, row));
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
        MML_TRY(mmli_buf_printf(notes, "  %zu slides of %s have no file in %s: %s\n", r->missing.n, r->path, path,
                                mmli_list(list, (const char *const *)r->missing.names, r->missing.n)));
    if (n > 0)
        MML_TRY(mmli_buf_printf(notes, "  %zu files of %s are not in %s and were left out: %s\n", n, path, r->path,
                                mmli_list(list, unused, n)));
    if (r->twice > 0)
        MML_TRY(mmli_buf_printf(notes, "  %zu rows of %s name a slide again; it is taken once\n", r->twice, r->path));
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

/* *has = there is a table with a column of slides. */
static mml_status by_table(bool *has, mmli_slides *out, mmli_buf *notes, files *f, const char *path,
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

/* ---- without a table ------------------------------------------------------------------------------------------------------ */

/* TCGA-XX-YYYY, and then the end or a dash. */
static bool is_barcode(const char *id)
{
    return strncmp(id, "TCGA-", 5) == 0 && strlen(id) >= BARCODE && id[7] == '-' && strchr(id + 8, '-') != id + 8 &&
           memchr(id + 8, '-', 4) == NULL && (id[BARCODE] == '\0' || id[BARCODE] == '-');
}

static mml_status by_name(mmli_slides *out, mmli_buf *notes, files *f)
{
    mml_status st = MML_OK;
    size_t barcodes = 0;
    char of[BARCODE + 1];

    for (size_t i = 0; i < f->ids.n; i++)
        barcodes += is_barcode(f->ids.names[i]);
    for (size_t i = 0; i < f->ids.n; i++) {
        const bool barcode = is_barcode(f->ids.names[i]);

        if (barcode) {
            memcpy(of, f->ids.names[i], BARCODE);
            of[BARCODE] = '\0';
        }
        MML_TRY(add_slide(out, f, i, barcode ? of : f->ids.names[i], 0));
    }
    if (barcodes > 0)
        MML_TRY(mmli_buf_printf(notes, "  no table maps slides to cases: of %zu names that are TCGA barcodes the first 12 characters "
                                "are the case\n", barcodes));
    if (barcodes < f->ids.n)
        MML_TRY(mmli_buf_printf(notes, "  no table maps slides to cases: the names of %zu files are taken as ids of samples\n",
                                f->ids.n - barcodes));
out:
    return st;
}

/* ---- the choice ------------------------------------------------------------------------------------------------------------ */

/* The fifth part of a barcode: TCGA-2F-A9KO-01Z-00-DX1.<UUID>. Other names: a part DX1 between separators. */
static bool is_dx1(const char *id)
{
    for (const char *at = strstr(id, "DX1"); at != NULL; at = strstr(at + 1, "DX1"))
        if ((at == id || strchr("-_.", at[-1]) != NULL) && strchr("-_.", at[3]) != NULL) /* '\0' too */
            return true;
    return false;
}

/* keep (n) = 1 for the slides that are taken. */
static mml_status choose(uint8_t *keep, const mmli_slides *s, mmli_slides_which which)
{
    mml_status st = MML_OK;
    const char **of = NULL;
    mmli_index index = {0}; /* finds the first slide of a case */
    size_t first, second;

    MML_TRY(mmli_calloc(&of, s->n, sizeof *of));
    for (size_t i = 0; i < s->n; i++)
        of[i] = s->list[i].of;
    MML_TRY(mmli_index_make(&index, of, s->n, &first, &second));
    for (size_t i = 0; i < s->n; i++)
        keep[i] = which == MMLI_SLIDES_DX1 ? is_dx1(s->list[i].id) : mmli_index_find(&index, of[i], strlen(of[i])) == i;
out:
    mmli_index_free(&index);
    mmli_free(of);
    return st;
}

static mml_status keep_chosen(mmli_slides *s, mmli_buf *notes, mmli_slides_which which)
{
    mml_status st = MML_OK;
    uint8_t *keep = NULL;
    const size_t n = s->n;
    size_t kept = 0;

    if (which == MMLI_SLIDES_ALL)
        goto out;
    MML_TRY(mmli_calloc(&keep, n, 1));
    MML_TRY(choose(keep, s, which));
    for (size_t i = 0; i < n; i++)
        kept += keep[i];
    MML_CHECK(kept > 0, MML_E_DATA, "slides = dx1: none of the %zu slides is one, for example %s", n, s->list[0].id);
    if (kept < n)
        MML_TRY(mmli_buf_printf(notes, "  slides = %s: %zu of %zu slides were left out\n",
                                which == MMLI_SLIDES_DX1 ? "dx1" : "first", n - kept, n));
    kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (keep[i])
            s->list[kept++] = s->list[i];
        else
            free_slide(&s->list[i]);
    }
    s->n = kept;
out:
    mmli_free(keep);
    return st;
}

mml_status mmli_slides_find(mmli_slides *out, mmli_buf *notes, const char *path, const mmli_slides_options *o,
                            const mmli_import_config *config)
{
    mml_status st = MML_OK;
    files f = {0};
    bool has = false;

    *out = (mmli_slides){0};
    MML_TRY(find_files(&f, path));
    if (o->table != NULL || config->labels != NULL)
        MML_TRY(by_table(&has, out, notes, &f, path, o, config));
    if (!has)
        MML_TRY(by_name(out, notes, &f));
    MML_TRY(keep_chosen(out, notes, o->which));
out:
    files_free(&f);
    if (st != MML_OK)
        mmli_slides_free(out);
    return st;
}
