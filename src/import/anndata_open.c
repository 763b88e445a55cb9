/* anndata_open.c - see anndata_open.h. */
#include "import/anndata_open.h"

#include <stdio.h>
#include <string.h>

#include "import/probe.h"
#include "io/h5.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_ann_file_open(mmli_ann_file *out, const char *path, mmli_ann_layout wanted)
{
    mml_status st = MML_OK;
    mmli_ann_layout layout;
    hid_t file = -1;

    *out = (mmli_ann_file){0};
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(mmli_ann_layout_of(&layout, NULL, file, path));
    if (wanted == MMLI_ANN_MUDATA || (wanted == MMLI_ANN_NONE && layout == MMLI_ANN_MUDATA)) {
        MML_TRY(mmli_mudata_open(&out->mudata, path));
        out->obs = &out->mudata->obs;
    } else {
        MML_TRY(mmli_ann_open(&out->ann, path)); /* says what else it is */
        out->obs = &out->ann->obs;
    }
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_h5_drop(file);
    return st;
}

mml_status mmli_ann_file_verdict(mml_status st, const mmli_ann_file *f, const char *path)
{
    return mmli_h5_guard_verdict(st, f->obs == NULL ? -1 : f->obs->loc, path);
}

void mmli_ann_file_close(mmli_ann_file *f)
{
    mmli_ann_close(f->ann);
    mmli_mudata_close(f->mudata);
    *f = (mmli_ann_file){0};
}

/* The signature of HDF5 stands at the beginning, or behind the user block that MuData writes. */
static bool is_hdf5(const mmli_probe *p)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";

    return mmli_probe_begins(p, signature, 8) || (!p->folder && p->n >= 520 && memcmp(p->bytes + 512, signature, 8) == 0);
}

/* A 10x or Loom file counts as AnnData: people take it for one, and opening it says what it is. */
mml_status mmli_ann_probe(mmli_sureness *out, char *what, const mmli_probe *p, mmli_ann_layout layout)
{
    mml_status st = MML_OK;
    mmli_ann_layout is = MMLI_ANN_NONE;
    const char *why = NULL;
    hid_t file = -1;

    if (!is_hdf5(p))
        return MML_OK;
    mmli_h5_lock();
    MML_TRY(mmli_h5_open(&file, p->path));
    MML_TRY(mmli_ann_layout_of(&is, &why, file, p->path));
    MML_TRY(mmli_h5_guard_trouble(file, p->path));
    if (is == layout && layout != MMLI_ANN_NONE) {
        (void)snprintf(what, MMLI_WHAT_BYTES, "%s", layout == MMLI_ANN_MUDATA ? "a MuData file: modalities of observations"
                                                                              : "an AnnData file: observations by variables");
        *out = MMLI_CERTAIN;
    } else if (is == MMLI_ANN_NONE && why != NULL && layout == MMLI_ANN_ANNDATA) {
        (void)snprintf(what, MMLI_WHAT_BYTES, "%s", why);
        *out = MMLI_CERTAIN;
    }
out:
    st = mmli_h5_guard_verdict(st, file, p->path);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    return mmli_probe_failure(st);
}

/* ---- samples ------------------------------------------------------------------------------------------------------------------- */

const char *mmli_ann_column_name(const char *name)
{
    return strncmp(name, "obs:", 4) == 0 ? name + 4 : name;
}

static mml_status each_row(mmli_ann_samples *s, const mmli_ann_frame *obs)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    MML_TRY(mmli_index_make(&index, (const char *const *)obs->ids, obs->n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: %s: observations %zu and %zu have the same id %s; make them different (in Python: "
              "obs_names_make_unique()), or say with a column of obs whose they are", obs->path, obs->name, first, second,
              obs->ids[first]);
    for (; s->n < obs->n; s->n++) {
        s->first[s->n] = s->of[s->n] = s->n;
        MML_TRY(mmli_strdup(&s->ids[s->n], obs->ids[s->n]));
    }
out:
    mmli_index_free(&index);
    return st;
}

/* Texts of the column, "" where it says nothing; yours: mmli_h5_texts_free(). */
static mml_status texts_of(char ***out, const mmli_ann_column *c)
{
    mml_status st = MML_OK;
    char **texts = NULL, room[MMLI_NUMBER_BYTES];

    MML_TRY(mmli_calloc(&texts, c->n, sizeof *texts));
    for (size_t i = 0; i < c->n; i++)
        MML_TRY(mmli_strdup(&texts[i], mmli_ann_column_text(room, c, i)));
    *out = texts;
    texts = NULL;
out:
    mmli_h5_texts_free(texts, c->n);
    return st;
}

static mml_status by_column(mmli_ann_samples *s, const mmli_ann_frame *obs, const char *name)
{
    mml_status st = MML_OK;
    mmli_ann_column c = {0};
    mmli_index index = {0};
    char **texts = NULL;
    size_t first, second;

    s->by_column = true;
    MML_TRY(mmli_ann_column_read(&c, obs, name));
    MML_TRY(texts_of(&texts, &c));
    MML_TRY(mmli_index_make(&index, (const char *const *)texts, obs->n, &first, &second));
    for (size_t i = 0; i < obs->n; i++) {
        const size_t at = mmli_index_find(&index, texts[i], strlen(texts[i])); /* of those alike the first */

        s->of[i] = texts[i][0] == '\0' ? SIZE_MAX : at == i ? s->n : s->of[at];
        s->n_without += texts[i][0] == '\0';
        if (texts[i][0] == '\0' || at != i)
            continue;
        s->first[s->n] = i;
        s->ids[s->n++] = texts[i];
    }
    for (size_t k = 0; k < s->n; k++)
        texts[s->first[k]] = NULL; /* is ours now */
out:
    mmli_index_free(&index);
    mmli_h5_texts_free(texts, obs->n);
    mmli_ann_column_free(&c);
    return st;
}

mml_status mmli_ann_samples_make(mmli_ann_samples *out, const mmli_ann_frame *obs, const char *sample)
{
    mml_status st = MML_OK;
    const char *name = sample != NULL ? mmli_ann_column_name(sample) : NULL;

    *out = (mmli_ann_samples){.n_rows = obs->n};
    MML_TRY(mmli_calloc(&out->ids, obs->n, sizeof *out->ids));
    MML_TRY(mmli_calloc(&out->first, obs->n, sizeof *out->first));
    MML_TRY(mmli_calloc(&out->of, obs->n, sizeof *out->of));
    MML_TRY(name == NULL || strcmp(name, "@index") == 0 || strcmp(name, obs->index) == 0 ? each_row(out, obs)
                                                                                        : by_column(out, obs, name));
out:
    if (st != MML_OK)
        mmli_ann_samples_free(out);
    return st;
}

void mmli_ann_samples_free(mmli_ann_samples *s)
{
    mmli_h5_texts_free(s->ids, s->n);
    mmli_free(s->first);
    mmli_free(s->of);
    *s = (mmli_ann_samples){0};
}
