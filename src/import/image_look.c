/* image_look.c - see image_look.h. Headers only: no pixel is decoded. */
#include "import/image_look.h"

#include <stdio.h>

#include "import/image_files.h"
#include "util/alloc.h"
#include "util/error.h"

enum { PATCH = 16, LARGEST = 224 }; /* of a suggestion */

/* All headers; *bad counts those that cannot be read. */
static mml_status look(mmli_image_survey *survey, mmli_image_files *files, mmli_image_folders *folders, size_t *bad,
                       const char *path)
{
    mml_status st = MML_OK;
    mmli_image image;

    *survey = (mmli_image_survey){0};
    *bad = 0;
    MML_TRY(mmli_image_files_guess(files, folders, path));
    for (size_t i = 0; i < files->n; i++) {
        if ((st = mmli_image_look(&image, files->paths[i])) == MML_E_NOMEM)
            goto out;
        if (st == MML_OK)
            mmli_image_survey_add(survey, &image);
        else
            ++*bad;
    }
    if (survey->n > 0)
        st = MML_OK; /* else the message about the last one */
out:
    return st;
}

mml_status mmli_images_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    mmli_image_files files = {0};
    mmli_image_survey s;
    mmli_image_folders folders;
    size_t bad;

    MML_TRY(look(&s, &files, &folders, &bad, path));
    MML_TRY(mmli_fact_number(facts, "images", (double)files.n));
    MML_TRY(mmli_fact(facts, "ids", "%s%s%s", files.ids[0], files.n > 1 ? " to " : "", files.n > 1 ? files.ids[files.n - 1] : ""));
    if (mmli_image_survey_one_size(&s))
        MML_TRY(mmli_fact(facts, "size", "%zu x %zu (height x width)", s.low[0], s.low[1]));
    else
        MML_TRY(mmli_fact(facts, "size", "height %zu to %zu, width %zu to %zu", s.low[0], s.high[0], s.low[1], s.high[1]));
    MML_TRY(mmli_fact(facts, "colour", "%s", s.grey == s.n ? "grey" : s.grey == 0 ? "red, green, blue" : "some grey"));
    MML_TRY(mmli_fact_number(facts, "jpeg", (double)s.jpeg));
    MML_TRY(mmli_fact_number(facts, "png", (double)(s.n - s.jpeg)));
    if (s.deep > 0)
        MML_TRY(mmli_fact_number(facts, "of 16 bits", (double)s.deep));
    if (s.turned > 0)
        MML_TRY(mmli_fact_number(facts, "turned by Exif", (double)s.turned));
    if (bad > 0)
        MML_TRY(mmli_fact_number(facts, "cannot be read", (double)bad));
    if (folders != MMLI_FOLDERS_NO)
        MML_TRY(mmli_fact(facts, "folders", "%s", folders == MMLI_FOLDERS_SAMPLE ? "one for each image" : "with several images"));
    if (files.others > 0)
        MML_TRY(mmli_fact_number(facts, "other files", (double)files.others));
out:
    mmli_image_files_free(&files);
    return st;
}

/* The largest side of a patch up to PATCH that divides both; 0: none that is more than a few pixels. */
static size_t patch_of(size_t h, size_t w)
{
    for (size_t p = PATCH; p >= 4; p--)
        if (h % p == 0 && w % p == 0)
            return p;
    return 0;
}

/* A side in whole patches, not larger than the images are. */
static size_t whole_patches(size_t side)
{
    side = side < LARGEST ? side : LARGEST;
    return side < PATCH ? PATCH : side / PATCH * PATCH;
}

mml_status mmli_images_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    mmli_image_files files = {0};
    mmli_image_survey s;
    mmli_image_folders folders;
    size_t bad, patch;
    char text[64];
    bool as_is;

    MML_TRY(look(&s, &files, &folders, &bad, path));
    patch = patch_of(s.low[0], s.low[1]);
    as_is = mmli_image_survey_one_size(&s) && patch > 0 && s.low[0] <= LARGEST && s.low[1] <= LARGEST;
    MML_TRY(mmli_suggest_modality(out, path, MML_IMAGE, path));
    MML_TRY(mmli_suggest_key(out, "format", "images"));
    if (folders != MMLI_FOLDERS_NO)
        MML_TRY(mmli_suggest_key(out, "folders", folders == MMLI_FOLDERS_SAMPLE ? "sample" : "any"));
    (void)snprintf(text, sizeof text, "%zux%zu", as_is ? s.low[0] : whole_patches(s.low[0]),
                   as_is ? s.low[1] : whole_patches(s.low[1]));
    MML_TRY(mmli_suggest_key(out, "size", text));
    (void)snprintf(text, sizeof text, "%zu", as_is ? patch : (size_t)PATCH);
    MML_TRY(mmli_suggest_key(out, "patch", text));
    MML_TRY(mmli_suggest_key(out, "colour", s.grey == s.n ? "grey" : "rgb"));
out:
    mmli_image_files_free(&files);
    return st;
}
