/* mudata.c - see mudata.h. */
#include "formats/mudata.h"

#include <inttypes.h>
#include <string.h>

#include "formats/anndata_inside.h"
#include "io/h5.h"
#include "io/h5foreign.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

/* Names of the modalities: the attribute mod-order, or as they lie there. */
static mml_status read_names(mmli_mudata *m)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    size_t first, second;
    mmli_index index = {0};
    bool ordered;

    MML_TRY(mmli_h5_group(&group, m->file, m->path, "mod"));
    MML_TRY(mmli_h5_has_attr(&ordered, group, m->path, "mod-order"));
    if (ordered)
        MML_TRY(mmli_h5_attr_texts(&m->names, &m->n, group, m->path, "mod-order"));
    else
        MML_TRY(mmli_h5_members(&m->names, &m->n, group, m->path, NULL));
    MML_CHECK(m->n > 0, MML_E_DATA, "%s: has no modalities", m->path);
    MML_TRY(mmli_index_make(&index, (const char *const *)m->names, m->n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_FORMAT, "%s: mod-order names %s twice", m->path, m->names[first]);
out:
    mmli_index_free(&index);
    mmli_h5_drop(group);
    return st;
}

/* obsmap/NAME: for each observation 1 + its row in the modality, 0 = absent. */
static mml_status read_map(size_t *rows, mmli_mudata *m, const mmli_ann *mod, const char *name)
{
    mml_status st = MML_OK;
    uint8_t *seen = NULL;
    int64_t *map = NULL;
    size_t n = 0;

    MML_TRY(mmli_h5_get_new(&map, MMLI_H5_I64, 1, &n, m->file, m->path, name));
    MML_CHECK(n == m->obs.n, MML_E_SHAPE, "%s: %s has %zu entries, the table obs has %zu rows", m->path, name, n, m->obs.n);
    MML_TRY(mmli_calloc(&seen, mod->obs.n, 1));
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(map[i] >= 0 && (uint64_t)map[i] <= mod->obs.n, MML_E_FORMAT,
                  "%s: %s: observation %s is mapped to row %" PRId64 " of %zu (0 = absent)", m->path, name, m->obs.ids[i],
                  map[i], mod->obs.n);
        rows[i] = map[i] == 0 ? SIZE_MAX : (size_t)map[i] - 1;
        if (map[i] == 0)
            continue;
        MML_CHECK(!seen[rows[i]], MML_E_DATA, "%s: %s: row %" PRId64 " belongs to two observations, the second is %s",
                  m->path, name, map[i], m->obs.ids[i]);
        seen[rows[i]] = 1;
    }
out:
    mmli_free(seen);
    mmli_free(map);
    return st;
}

static mml_status match_ids(size_t *rows, mmli_mudata *m, const mmli_ann *mod)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    MML_TRY(mmli_index_make(&index, (const char *const *)m->obs.ids, m->obs.n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: obs: observations %zu and %zu have the same id %s, and there is no obsmap that would tell "
              "their rows in %s apart", m->path, first, second, m->obs.ids[first], mod->obs.name);
    mmli_index_free(&index);
    MML_TRY(mmli_index_make(&index, (const char *const *)mod->obs.ids, mod->obs.n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: %s: rows %zu and %zu have the same id %s, and there is no obsmap", m->path,
              mod->obs.name, first, second, mod->obs.ids[first]);
    for (size_t i = 0; i < m->obs.n; i++)
        rows[i] = mmli_index_find(&index, m->obs.ids[i], strlen(m->obs.ids[i]));
out:
    mmli_index_free(&index);
    return st;
}

static mml_status open_modality(mmli_mudata *m, size_t i)
{
    mml_status st = MML_OK;
    char *prefix = NULL, *map = NULL;
    bool mapped;

    MML_TRY(mmli_strf(&prefix, "mod/%s/", m->names[i]));
    MML_TRY(mmli_ann_open_at(&m->mods[i], m->file, m->path, prefix));
    MML_TRY(mmli_calloc(&m->rows[i], m->obs.n, sizeof **m->rows));
    MML_TRY(mmli_strf(&map, "obsmap/%s", m->names[i]));
    MML_TRY(mmli_h5_exists(&mapped, m->file, m->path, map));
    MML_TRY(mapped ? read_map(m->rows[i], m, m->mods[i], map) : match_ids(m->rows[i], m, m->mods[i]));
out:
    mmli_free(prefix);
    mmli_free(map);
    return st;
}

mml_status mmli_mudata_open(mmli_mudata **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_mudata *m = NULL;
    mmli_ann_layout layout;
    const char *why;
    bool has_axis;

    *out = NULL;
    MML_TRY(mmli_calloc(&m, 1, sizeof *m));
    m->file = m->obs.loc = -1;
    MML_TRY(mmli_strdup(&m->path, path));
    MML_TRY(mmli_h5_open(&m->file, path));
    MML_TRY(mmli_ann_layout_of(&layout, &why, m->file, path));
    MML_CHECK(layout != MMLI_ANN_ANNDATA, MML_E_FORMAT, "%s: is AnnData, of one modality, not MuData", path);
    MML_CHECK(layout == MMLI_ANN_MUDATA, MML_E_FORMAT, "%s: is %s", path,
              why != NULL ? why : "not a MuData file: it has no group mod");
    MML_TRY(mmli_h5_has_attr(&has_axis, m->file, path, "axis"));
    if (has_axis)
        MML_TRY(mmli_h5_attr_i64(&m->axis, m->file, path, "axis"));
    MML_TRY(mmli_ann_frame_open(&m->obs, m->file, m->path, "obs"));
    MML_TRY(read_names(m));
    MML_TRY(mmli_calloc(&m->mods, m->n, sizeof *m->mods));
    MML_TRY(mmli_calloc(&m->rows, m->n, sizeof *m->rows));
    for (size_t i = 0; i < m->n; i++)
        MML_TRY(open_modality(m, i));
    *out = m;
    m = NULL;
out:
    st = mmli_h5_guard_verdict(st, m == NULL ? -1 : m->file, path);
    mmli_mudata_close(m);
    return st;
}

void mmli_mudata_close(mmli_mudata *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n; i++) {
        if (m->mods != NULL)
            mmli_ann_close(m->mods[i]);
        if (m->rows != NULL)
            mmli_free(m->rows[i]);
    }
    mmli_free(m->mods);
    mmli_free(m->rows);
    mmli_ann_frame_free(&m->obs);
    mmli_h5_texts_free(m->names, m->n);
    mmli_h5_drop(m->file);
    mmli_free(m->path);
    mmli_free(m);
}
