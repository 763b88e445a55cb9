/* slides.c - files of a folder, mapped to cases.
 *
 * Whose a slide is says, in this order: the table that `table` names; the labels file, if it has the column of slides; the
 * TCGA barcode, whose first 12 characters are the patient (TCGA-XX-YYYY); else every slide is a case. The report says which. */
#include "import/slide_files.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum { BARCODE = 12 };

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

mml_status mmli_slides_add(mmli_slides *out, const mmli_slide_files *f, size_t at, const char *of, size_t line)
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

/* ---- without a table ------------------------------------------------------------------------------------------------------ */

/* TCGA-XX-YYYY, and then the end or a dash. */
static bool is_barcode(const char *id)
{
    return strncmp(id, "TCGA-", 5) == 0 && strlen(id) >= BARCODE && id[7] == '-' && strchr(id + 8, '-') != id + 8 &&
           memchr(id + 8, '-', 4) == NULL && (id[BARCODE] == '\0' || id[BARCODE] == '-');
}

static mml_status by_name(mmli_slides *out, mmli_buf *notes, mmli_slide_files *f)
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
        MML_TRY(mmli_slides_add(out, f, i, barcode ? of : f->ids.names[i], 0));
    }
    if (barcodes > 0)
        MML_TRY(mmli_buf_printf(notes, "  no table maps slides to cases: of %zu %s the first 12 characters are the case\n", barcodes,
                                mmli_by_number(barcodes, "name that is a TCGA barcode", "names that are TCGA barcodes")));
    if (barcodes < f->ids.n)
        MML_TRY(mmli_buf_printf(notes, "  no table maps slides to cases: the name of the file is the id of the sample (%zu %s)\n",
                                f->ids.n - barcodes, mmli_by_number(f->ids.n - barcodes, "file", "files")));
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
        MML_TRY(mmli_buf_printf(notes, "  slides = %s: %zu of %zu slides left out\n",
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
    mmli_slide_files f = {0};
    bool has = false;

    *out = (mmli_slides){0};
    MML_TRY(mmli_slide_files_find(&f, path));
    if (o->table != NULL || config->labels != NULL)
        MML_TRY(mmli_slides_by_table(&has, out, notes, &f, path, o, config));
    if (!has)
        MML_TRY(by_name(out, notes, &f));
    MML_TRY(keep_chosen(out, notes, o->which));
out:
    mmli_slide_files_free(&f);
    if (st != MML_OK)
        mmli_slides_free(out);
    return st;
}
