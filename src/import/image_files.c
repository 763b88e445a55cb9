/* image_files.c - see image_files.h. */
#include "import/image_files.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "import/folder_list.h"
#include "io/h5.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

enum { DEEPEST = 16 };

/* Bytes of the name before its ending; SIZE_MAX: the ending is not one of an image. */
static size_t stem(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const size_t n = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t m = strlen(endings[i]);

        if (n > m && strcasecmp(name + n - m, endings[i]) == 0)
            return n - m;
    }
    return SIZE_MAX;
}

/* The image `name` (which may have folders in it) below a folder; NULL: name is a path. */
static mml_status add(mmli_image_files *f, const char *folder, const char *name, mmli_image_folders folders)
{
    mml_status st = MML_OK;
    char *path = NULL, *stub = NULL, *id = NULL;
    const char *slash = folders == MMLI_FOLDERS_SAMPLE ? NULL : strrchr(name, '/');
    size_t cap = f->cap;

    MML_TRY(folder != NULL ? mmli_strf(&path, "%s/%s", folder, name) : mmli_strdup(&path, name));
    MML_TRY(mmli_strdup(&stub, name));
    if (stem(stub) != SIZE_MAX)
        stub[stem(stub)] = '\0';
    MML_TRY(mmli_strdup(&id, slash != NULL ? stub + (slash + 1 - name) : stub));
    if (folders == MMLI_FOLDERS_SAMPLE)
        id[strcspn(id, "/")] = '\0';
    MML_TRY(mmli_grow(&f->paths, &cap, f->n + 1, sizeof *f->paths));
    cap = f->cap;
    MML_TRY(mmli_grow(&f->names, &cap, f->n + 1, sizeof *f->names));
    MML_TRY(mmli_grow(&f->ids, &f->cap, f->n + 1, sizeof *f->ids));
    f->paths[f->n] = path;
    f->names[f->n] = stub;
    f->ids[f->n++] = id;
    path = stub = id = NULL;
out:
    mmli_free(path);
    mmli_free(stub);
    mmli_free(id);
    return st;
}

/* below: "" or "folder/folder/" of what is looked at. */
static mml_status walk(mmli_image_files *f, const char *root, const char *below, mmli_image_folders folders, int depth)
{
    mml_status st = MML_OK;
    mmli_folder_list in = {0};
    char *name = NULL, *path = NULL;

    MML_CHECK(depth <= DEEPEST, MML_E_DATA, "%s: folders are nested more than %d deep", root, DEEPEST);
    MML_TRY(mmli_strf(&path, "%s%s%s", root, below[0] != '\0' ? "/" : "", below));
    MML_TRY(mmli_folder_list_read(&in, path, folders == MMLI_FOLDERS_NO));
    for (size_t i = 0; i < in.n; i++) {
        mmli_free(name);
        mmli_free(path);
        path = NULL;
        MML_TRY(mmli_strf(&name, "%s%s", below, in.names[i]));
        MML_TRY(mmli_strf(&path, "%s/%s", root, name));
        if (folders != MMLI_FOLDERS_NO && mmli_folder_is_real(path)) {
            mmli_free(path);
            path = NULL;
            MML_TRY(mmli_strf(&path, "%s/", name));
            MML_TRY(walk(f, root, path, folders, depth + 1));
        } else if (stem(in.names[i]) == SIZE_MAX)
            f->others++;
        else if (folders == MMLI_FOLDERS_SAMPLE && below[0] == '\0')
            f->loose++;
        else
            MML_TRY(add(f, root, name, folders));
    }
out:
    mmli_free(name);
    mmli_free(path);
    mmli_folder_list_free(&in);
    return st;
}

mml_status mmli_image_files_find(mmli_image_files *f, const char *path, mmli_image_folders folders)
{
    mml_status st = MML_OK;
    struct stat is;
    char text[MMLI_ERRNO_BYTES];

    *f = (mmli_image_files){0};
    MML_CHECK(stat(path, &is) == 0, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    if (!S_ISDIR(is.st_mode)) {
        MML_TRY(add(f, NULL, path, MMLI_FOLDERS_NO));
        goto out;
    }
    MML_TRY(walk(f, path, "", folders, 0));
    MML_CHECK(f->n > 0, MML_E_DATA, "%s: has no .jpg, .jpeg or .png files%s", path,
              folders == MMLI_FOLDERS_NO ? " (folders in it are looked into with folders = sample or folders = any)"
              : folders == MMLI_FOLDERS_SAMPLE ? " in folders" : "");
out:
    if (st != MML_OK)
        mmli_image_files_free(f);
    return st;
}

mml_status mmli_image_files_same_id(size_t *first, size_t *second, const mmli_image_files *f)
{
    mmli_index index = {0};
    const mml_status st = mmli_index_make(&index, (const char *const *)f->ids, f->n, first, second);

    mmli_index_free(&index);
    return st;
}

mml_status mmli_image_files_guess(mmli_image_files *f, mmli_image_folders *folders, const char *path)
{
    mml_status st;
    size_t first, second;

    *folders = MMLI_FOLDERS_NO;
    if ((st = mmli_image_files_find(f, path, MMLI_FOLDERS_NO)) != MML_E_DATA)
        return st;
    *folders = MMLI_FOLDERS_SAMPLE;
    MML_TRY(mmli_image_files_find(f, path, MMLI_FOLDERS_SAMPLE));
    MML_TRY(mmli_image_files_same_id(&first, &second, f));
    if (first == SIZE_MAX)
        goto out;
    mmli_image_files_free(f);
    *folders = MMLI_FOLDERS_ANY;
    MML_TRY(mmli_image_files_find(f, path, MMLI_FOLDERS_ANY));
out:
    return st;
}

void mmli_image_files_free(mmli_image_files *f)
{
    mmli_h5_texts_free(f->paths, f->n);
    mmli_h5_texts_free(f->names, f->n);
    mmli_h5_texts_free(f->ids, f->n);
    *f = (mmli_image_files){0};
}

/* ---- survey ------------------------------------------------------------------------------------------------------------ */

void mmli_image_survey_add(mmli_image_survey *s, const mmli_image *image)
{
    const size_t sides[2] = {image->height, image->width};

    for (int i = 0; i < 2; i++) {
        s->low[i] = s->n == 0 || sides[i] < s->low[i] ? sides[i] : s->low[i];
        s->high[i] = sides[i] > s->high[i] ? sides[i] : s->high[i];
    }
    s->n++;
    s->jpeg += image->jpeg;
    s->grey += image->channels == 1;
    s->deep += image->most > 255;
    s->turned += image->orientation != 1;
}

bool mmli_image_survey_one_size(const mmli_image_survey *s)
{
    return s->n > 0 && s->low[0] == s->high[0] && s->low[1] == s->high[1];
}
