/* slide_files.c - see slide_files.h. */
#include "import/slide_files.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

#define ENDING ".h5"
enum { ENDING_BYTES = 3 };

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

void mmli_slide_files_free(mmli_slide_files *f)
{
    mmli_index_free(&f->index);
    mmli_folder_list_free(&f->ids);
    mmli_folder_list_free(&f->paths);
    mmli_free(f->used);
}

static mml_status add_file(mmli_slide_files *f, const char *folder, const char *name)
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

mml_status mmli_slide_files_find(mmli_slide_files *f, const char *path)
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
    mmli_slide_files f = {0};

    *out = NULL;
    *n = 0;
    MML_TRY(mmli_slide_files_find(&f, path));
    *n = f.ids.n;
    MML_TRY(mmli_strdup(out, f.paths.names[0]));
out:
    mmli_slide_files_free(&f);
    return st;
}
