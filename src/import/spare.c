/* spare.c - the output of an import may not take the place of what it reads. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "import/importing.h"
#include "mmlego/data.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct output {
    const char *path;
    struct stat is;
    char *real;
} output;

/* A file that is in a folder of slides or images is one of them; an older cohort there is not. */
static mml_status spare_folder(const output *o, const char *folder)
{
    mml_status st = MML_OK;
    char *real = realpath(folder, NULL);
    const size_t n = real == NULL ? 0 : strlen(real);
    mml_file_kind kind;

    if (n == 0 || strncmp(o->real, real, n) != 0 || o->real[n] != '/')
        goto out;
    if (mml_file_kind_of(&kind, o->path) != MML_OK) /* damaged: whose it was cannot be told */
        kind = MML_FILE_OTHER;
    MML_CHECK(kind == MML_FILE_COHORT, MML_E_ARG, "%s: is a file of the folder %s, which is imported; name another for the cohort", o->path, folder);
out:
    free(real); /* realpath's own malloc */
    return st;
}

static mml_status spare(const output *o, const char *path)
{
    struct stat is;

    if (path == NULL || stat(path, &is) != 0) /* what is not there is told when it is read */
        return MML_OK;
    if (S_ISDIR(is.st_mode))
        return spare_folder(o, path);
    if (is.st_dev == o->is.st_dev && is.st_ino == o->is.st_ino)
        return mmli_fail(MML_E_ARG, "%s: is one of the files that are imported; name another for the cohort", o->path);
    return MML_OK;
}

static mml_status spare_all(const output *o, char *const *paths, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        MML_TRY(spare(o, paths[i]));
out:
    return st;
}

static mml_status spare_modality(const output *o, const mmli_import_config *c, const mmli_import_modality *m)
{
    static const char *const keys[] = {"names", "ids", "table"}; /* of formats, with one file each */
    mml_status st = MML_OK;
    char *path = NULL;

    MML_TRY(spare(o, m->file));
    MML_TRY(spare_all(o, m->more, m->n_more));
    MML_TRY(spare(o, m->signatures));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const mmli_ini_entry *e = mmli_ini_find(m->section, keys[i]);

        if (e == NULL)
            continue;
        MML_TRY(mmli_import_file_name(&path, c, e->value));
        MML_TRY(spare(o, path));
        mmli_free(path);
        path = NULL;
    }
out:
    mmli_free(path);
    return st;
}

mml_status mmli_importing_spare(const mmli_import_config *c, const char *out_path)
{
    mml_status st = MML_OK;
    output o = {.path = out_path};

    if (out_path == NULL || stat(out_path, &o.is) != 0 || (o.real = realpath(out_path, NULL)) == NULL)
        goto out; /* nothing is there */
    MML_TRY(spare(&o, c->ini.path));
    MML_TRY(spare(&o, c->labels));
    MML_TRY(spare_all(&o, c->more, c->n_more));
    MML_TRY(spare(&o, c->names));
    MML_TRY(spare(&o, c->splits));
    MML_TRY(spare_all(&o, c->more_splits, c->n_more_splits));
    for (size_t i = 0; i < c->n_tasks; i++)
        MML_TRY(spare(&o, c->tasks[i].file));
    for (size_t i = 0; i < c->n_modalities; i++)
        MML_TRY(spare_modality(&o, c, &c->modalities[i]));
out:
    free(o.real); /* realpath's own malloc */
    return st;
}
