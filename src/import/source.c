/* source.c - what all formats have in common: which one a file is, and that a source keeps its promises. */
#include "import/source.h"

#include <string.h>

#include "formats/zip.h"
#include "import/foreign.h"
#include "import/probe.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

/* ---- options and columns --------------------------------------------------------------------------------------------------- */

const char *mmli_source_option(const mmli_source *s, const char *key)
{
    const mmli_ini_entry *e = mmli_ini_find(s->m->section, key);

    return e != NULL ? e->value : NULL;
}

mml_status mmli_source_bad_option(const mmli_source *s, const char *key, const char *why)
{
    const mmli_ini_entry *e = mmli_ini_find(s->m->section, key);

    return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s = %s: %s", s->m->ini_path, e != NULL ? e->line : s->m->section->line,
                     s->m->section->name, key, e != NULL ? e->value : "", why);
}

mml_status mmli_source_choose(mmli_source *s, const char *const *names, size_t n, const char *skip)
{
    mml_status st = MML_OK;
    uint8_t *chosen = NULL, *left_out = NULL;

    MML_TRY(mmli_calloc(&chosen, n, 1));
    MML_TRY(mmli_calloc(&left_out, n, 1));
    MML_TRY(mmli_choose_columns(chosen, left_out, s->m, names, n, skip, s->context->problems));
    MML_TRY(mmli_calloc(&s->picks, n, sizeof *s->picks));
    MML_TRY(mmli_calloc(&s->left_out, n, sizeof *s->left_out));
    for (size_t i = 0; i < n; i++) {
        if (chosen[i])
            s->picks[s->n_picks++] = i;
        if (left_out[i]) {
            MML_TRY(mmli_strdup(&s->left_out[s->n_left_out], names[i]));
            s->n_left_out++;
        }
    }
out:
    mmli_free(chosen);
    mmli_free(left_out);
    return st;
}

mml_status mmli_source_add_feature(mmli_source *s, const char *column, const char *word)
{
    mml_status st = MML_OK;
    const size_t at = s->dims[0]++; /* closing frees what is there, NULL too */

    MML_TRY(word != NULL ? mmli_strf(&s->names[at], "%s=%s", column, word) : mmli_strdup(&s->names[at], column));
    if (s->category_of != NULL)
        MML_TRY(mmli_strdup(&s->category_of[at], word != NULL ? column : ""));
out:
    return st;
}

/* ---- which format -------------------------------------------------------------------------------------------------------------- */

mml_status mmli_source_recognise(const mmli_source_kind **out, char *what, const char *path)
{
    mml_status st = MML_OK;
    mmli_probe_file file = {0};
    size_t n;
    const mmli_source_kind *const *kinds = mmli_source_kinds(&n);
    mmli_sureness best = MMLI_NOT;
    char words[MMLI_WHAT_BYTES];

    *out = NULL;
    MML_TRY(mmli_probe_open(&file, path));
    if (mmli_foreign_of(&file.probe) != NULL) {
        st = mmli_foreign_fail(mmli_foreign_of(&file.probe), path);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        mmli_sureness sure = MMLI_NOT;

        words[0] = '\0';
        MML_TRY(kinds[i]->probe(&sure, words, &file.probe));
        if (sure <= best)
            continue;
        best = sure;
        *out = kinds[i];
        if (what != NULL)
            memcpy(what, words, sizeof words);
    }
    MML_CHECK(*out != NULL, MML_E_FORMAT, "%s: is %s of no format that import knows", path,
              file.probe.folder ? "a folder" : "a file");
out:
    if (st != MML_OK)
        *out = NULL;
    mmli_probe_close(&file);
    return st;
}

/* An option that only other formats have. */
static mml_status check_keys(const mmli_source *s)
{
    size_t n;
    const mmli_source_kind *const *kinds = mmli_source_kinds(&n);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; kinds[i]->keys != NULL && kinds[i]->keys[k] != NULL; k++) {
            const char *key = kinds[i]->keys[k];
            bool own = false;

            for (size_t j = 0; s->kind->keys != NULL && s->kind->keys[j] != NULL; j++)
                own = own || strcmp(s->kind->keys[j], key) == 0;
            if (!own && mmli_source_option(s, key) != NULL)
                return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] %s is not for %s", s->m->ini_path,
                                 mmli_ini_find(s->m->section, key)->line, s->m->section->name, key, s->kind->what);
        }
    return MML_OK;
}

/* ---- promises --------------------------------------------------------------------------------------------------------------------- */

size_t mmli_source_row_values(const mmli_source *s)
{
    size_t n = 1;

    for (int i = 0; i < s->rank; i++)
        n *= s->dims[i]; /* checked once, below */
    return n;
}

size_t mmli_source_count(const mmli_source *s, size_t piece)
{
    return s->counts != NULL ? s->counts[piece] : 1;
}

static mml_status check_shape(const mmli_source *s)
{
    mml_status st = MML_OK;
    size_t n = 1;

    MML_CHECK(s->rank >= 1 && s->rank <= 3 && (s->rank == 1 || (s->counts == NULL && s->n_axes == 0)), MML_E_INTERNAL,
              "%s: the format %s gives rows of no known shape", s->m->file, s->kind->name);
    for (int i = 0; i < s->rank; i++)
        MML_CHECK(s->dims[i] > 0 && mmli_mul_size(&n, n, s->dims[i]), MML_E_SHAPE,
                  "%s: modality %s: an empty or too large dimension", s->m->file, s->m->name);
    MML_CHECK(n <= (size_t)1 << 32, MML_E_SHAPE, "%s: modality %s: one row of %zu values is too large", s->m->file,
              s->m->name, n);
out:
    return st;
}

static mml_status complete_names(mmli_source *s)
{
    mml_status st = MML_OK;
    const size_t width = s->dims[s->rank - 1];
    mmli_index index = {0};
    size_t first, second;
    const char *from = s->names_from != NULL ? s->names_from : s->m->name;

    if (s->names == NULL) {
        MML_TRY(mmli_calloc(&s->names, width, sizeof *s->names));
        for (size_t i = 0; i < width; i++)
            MML_TRY(mmli_strf(&s->names[i], "c%zu", i));
    }
    for (size_t i = 0; i < width; i++)
        MML_CHECK(mmli_bad_id(s->names[i]) == NULL, MML_E_DATA, "%s: %s: name %zu cannot be used: %s", s->m->file, from, i,
                  mmli_bad_id(s->names[i]));
    MML_TRY(mmli_index_make(&index, (const char *const *)s->names, width, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: %s: names %zu and %zu are both %s", s->m->file, from, first, second,
              s->names[second]);
    if (s->picks == NULL)
        MML_TRY(mmli_source_choose(s, (const char *const *)s->names, width, NULL));
out:
    mmli_index_free(&index);
    return st;
}

/* Two pieces of one sample are a mistake, but for a bag, whose instances they are. */
static mml_status check_ids(const mmli_source *s)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    MML_CHECK(s->n_pieces > 0, MML_E_DATA, "%s: modality %s: there are no rows", s->m->file, s->m->name);
    for (size_t i = 0; i < s->n_pieces; i++)
        MML_CHECK(mmli_bad_id(s->ids[i]) == NULL, MML_E_DATA, "%s: modality %s: id %zu cannot be used: %s", s->m->file,
                  s->m->name, i, mmli_bad_id(s->ids[i]));
    if (s->m->kind == MML_BAG)
        goto out;
    MML_TRY(mmli_index_make(&index, (const char *const *)s->ids, s->n_pieces, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: rows %zu and %zu have the same id %s%s", s->m->file,
              s->lines != NULL ? s->lines[first] : first, s->lines != NULL ? s->lines[second] : second, s->ids[second],
              s->m->kind == MML_TABLE ? "; several rows a sample are kind = bag" : "");
    for (size_t i = 0; i < s->n_pieces; i++)
        MML_CHECK(s->m->kind != MML_TABLE || mmli_source_count(s, i) <= 1, MML_E_DATA,
                  "%s: sample %s has %zu rows; several rows a sample are kind = bag", s->m->file, s->ids[i],
                  mmli_source_count(s, i));
out:
    mmli_index_free(&index);
    return st;
}

/* What the rows of a kind of modality can be. */
static mml_status check_kind(const mmli_source *s)
{
    mml_status st = MML_OK;
    const bool fits[] = {[MML_TABLE] = s->rank == 1,
                         [MML_SERIES] = s->rank == 2 || (s->rank == 1 && s->n_axes > 0),
                         [MML_IMAGE] = s->rank == 3 || (s->rank == 1 && s->n_axes > 0),
                         [MML_BAG] = s->rank == 1};

    MML_CHECK(fits[s->m->kind], MML_E_SHAPE, "%s: modality %s: rows of %d dimension%s cannot be a%s %s", s->m->file,
              s->m->name, s->rank, s->rank == 1 ? "" : "s", s->m->kind == MML_IMAGE ? "n" : "",
              mmli_modality_kind_name(s->m->kind));
out:
    return st;
}

/* ---- opening -------------------------------------------------------------------------------------------------------------------------- */

static mml_status choose_kind(mmli_source *s)
{
    if (s->m->format != NULL) {
        s->kind = mmli_source_kind_named(s->m->format); /* checked when the ini was read */
        return s->kind != NULL ? MML_OK : mmli_fail(MML_E_INTERNAL, "unknown format %s", s->m->format);
    }
    if (s->m->dataset != NULL && !mmli_zip_is(s->m->file)) {
        s->kind = &mmli_kind_hdf5;
        return MML_OK;
    }
    return mmli_source_recognise(&s->kind, NULL, s->m->file);
}

mml_status mmli_source_open(mmli_source **out, const mmli_import_modality *modality, const mmli_source_context *context)
{
    mml_status st = MML_OK;
    mmli_source *s = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&s, 1, sizeof *s));
    s->m = modality;
    s->copy = *context;
    s->context = &s->copy;
    s->scale = 1.0f;
    MML_TRY(choose_kind(s));
    MML_TRY(check_keys(s));
    MML_TRY(s->kind->open(s));
    MML_TRY(check_shape(s));
    MML_TRY(check_kind(s));
    MML_TRY(complete_names(s));
    MML_TRY(check_ids(s));
    *out = s;
    s = NULL;
out:
    mmli_source_close(s);
    return st;
}

void mmli_source_close(mmli_source *s)
{
    if (s == NULL)
        return;
    if (s->kind != NULL && s->kind->close != NULL)
        s->kind->close(s);
    else
        mmli_free(s->state);
    mmli_h5_texts_free(s->ids, s->n_pieces);
    mmli_h5_texts_free(s->names, s->rank > 0 ? s->dims[s->rank - 1] : 0);
    mmli_h5_texts_free(s->category_of, s->rank > 0 ? s->dims[s->rank - 1] : 0);
    mmli_h5_texts_free(s->left_out, s->n_left_out);
    mmli_free(s->lines);
    mmli_free(s->counts);
    mmli_free(s->picks);
    mmli_buf_free(&s->notes);
    mmli_free(s);
}
