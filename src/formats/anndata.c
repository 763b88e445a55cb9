/* anndata.c - which kind of file this is; AnnData opened. */
#include "formats/anndata.h"
#include "formats/anndata_inside.h"

#include <string.h>

#include "io/h5.h"
#include "util/alloc.h"
#include "util/error.h"

/* Whether group `name` has all of these members (NULL ends them). */
static mml_status has_all(bool *out, hid_t file, const char *path, const char *group, const char *const *members)
{
    mml_status st = MML_OK;
    char *name = NULL;

    *out = true;
    for (size_t i = 0; members[i] != NULL && *out; i++) {
        mmli_free(name);
        MML_TRY(mmli_strf(&name, "%s%s%s", group, group[0] != '\0' ? "/" : "", members[i]));
        MML_TRY(mmli_h5_exists(out, file, path, name));
    }
out:
    mmli_free(name);
    return st;
}

/* Files that people take for AnnData. Cell Ranger 3 and later: group `matrix`; before: one group a genome. */
static mml_status what_else(const char **why, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    char **groups = NULL;
    size_t n = 0;
    bool is = false;

    *why = NULL;
    MML_TRY(has_all(&is, file, path, "", (const char *const[]){"matrix", "row_attrs", "col_attrs", NULL}));
    if (is) {
        *why = "a Loom file; convert it once in Python: anndata.read_loom(FILE).write_h5ad(\"out.h5ad\")";
        goto out;
    }
    MML_TRY(mmli_h5_members(&groups, &n, file, path, NULL));
    for (size_t i = 0; i < n && !is; i++)
        MML_TRY(has_all(&is, file, path, groups[i], (const char *const[]){"barcodes", "indptr", "shape", NULL}));
    if (is)
        *why = "a 10x Genomics file, genes by cells, not AnnData; convert it once in Python: "
               "scanpy.read_10x_h5(FILE).write_h5ad(\"out.h5ad\")";
out:
    mmli_h5_texts_free(groups, n);
    return st;
}

mml_status mmli_ann_layout_of(mmli_ann_layout *out, const char **why, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    char *encoding = NULL;
    bool is, mods;

    *out = MMLI_ANN_NONE;
    if (why != NULL)
        *why = NULL;
    MML_TRY(mmli_ann_attr(&encoding, file, path, ".", "encoding-type"));
    /* Files of before 0.8 do not say what they are. */
    MML_TRY(mmli_h5_exists(&mods, file, path, "mod"));
    MML_TRY(has_all(&is, file, path, "", (const char *const[]){"obs", "var", NULL}));
    if (encoding != NULL ? strcmp(encoding, "MuData") == 0 : mods && is)
        *out = MMLI_ANN_MUDATA;
    else if (encoding != NULL ? strcmp(encoding, "anndata") == 0 : is)
        *out = MMLI_ANN_ANNDATA;
    else if (why != NULL)
        MML_TRY(what_else(why, file, path));
out:
    mmli_free(encoding);
    return st;
}

mml_status mmli_ann_open_at(mmli_ann **out, hid_t file, const char *path, const char *prefix)
{
    mml_status st = MML_OK;
    mmli_ann *a = NULL;
    char *obs = NULL, *var = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&a, 1, sizeof *a));
    a->loc = a->obs.loc = a->var.loc = -1;
    MML_TRY(mmli_strdup(&a->path, path));
    MML_TRY(mmli_strdup(&a->prefix, prefix));
    MML_TRY(mmli_strf(&obs, "%sobs", prefix));
    MML_TRY(mmli_strf(&var, "%svar", prefix));
    MML_TRY(mmli_h5_group(&a->loc, file, path, "."));
    MML_TRY(mmli_ann_frame_open(&a->obs, a->loc, a->path, obs));
    MML_TRY(mmli_ann_frame_open(&a->var, a->loc, a->path, var));
    *out = a;
    a = NULL;
out:
    mmli_ann_close(a);
    mmli_free(obs);
    mmli_free(var);
    return st;
}

mml_status mmli_ann_open(mmli_ann **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_ann_layout layout;
    const char *why;
    hid_t file = -1;

    *out = NULL;
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(mmli_ann_layout_of(&layout, &why, file, path));
    MML_CHECK(layout != MMLI_ANN_MUDATA, MML_E_FORMAT, "%s: is a MuData file, of several modalities, not AnnData", path);
    MML_CHECK(layout == MMLI_ANN_ANNDATA, MML_E_FORMAT, "%s: is %s", path,
              why != NULL ? why : "not an AnnData file: it has no tables obs and var");
    MML_TRY(mmli_ann_open_at(out, file, path, ""));
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_h5_drop(file); /* the group keeps it open */
    return st;
}

void mmli_ann_close(mmli_ann *a)
{
    if (a == NULL)
        return;
    mmli_ann_frame_free(&a->obs);
    mmli_ann_frame_free(&a->var);
    mmli_h5_drop(a->loc);
    mmli_free(a->prefix);
    mmli_free(a->path);
    mmli_free(a);
}
