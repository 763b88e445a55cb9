/* image_files.c - see image_files.h. */
#include "import/image_files.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "import/folder_list.h"
#include "util/alloc.h"
#include "util/error.h"

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

static mml_status add(mmli_image_files *f, const char *folder, const char *name)
{
    mml_status st = MML_OK;
    const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name;
    char *path = NULL, *id = NULL;

    MML_TRY(folder != NULL ? mmli_strf(&path, "%s/%s", folder, name) : mmli_strdup(&path, name));
    MML_TRY(mmli_strdup(&id, base));
    if (stem(id) != SIZE_MAX)
        id[stem(id)] = '\0';
    MML_TRY(mmli_grow(&f->paths, &f->cap_paths, f->n + 1, sizeof *f->paths));
    MML_TRY(mmli_grow(&f->ids, &f->cap_ids, f->n + 1, sizeof *f->ids));
    f->paths[f->n] = path;
    f->ids[f->n++] = id;
    path = id = NULL;
out:
    mmli_free(path);
    mmli_free(id);
    return st;
}

mml_status mmli_image_files_find(mmli_image_files *f, const char *path)
{
    mml_status st = MML_OK;
    mmli_folder_list in = {0};
    struct stat is;
    char text[MMLI_ERRNO_BYTES];

    *f = (mmli_image_files){0};
    MML_CHECK(stat(path, &is) == 0, MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    if (!S_ISDIR(is.st_mode)) {
        MML_TRY(add(f, NULL, path));
        goto out;
    }
    MML_TRY(mmli_folder_list_read(&in, path, true));
    for (size_t i = 0; i < in.n; i++) {
        if (stem(in.names[i]) != SIZE_MAX)
            MML_TRY(add(f, path, in.names[i]));
        else
            f->others++;
    }
    MML_CHECK(f->n > 0, MML_E_DATA, "%s: has no .jpg, .jpeg or .png files (folders in it are not looked into)", path);
out:
    mmli_folder_list_free(&in);
    if (st != MML_OK)
        mmli_image_files_free(f);
    return st;
}

void mmli_image_files_free(mmli_image_files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        mmli_free(f->paths[i]);
        mmli_free(f->ids[i]);
    }
    mmli_free(f->paths);
    mmli_free(f->ids);
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
