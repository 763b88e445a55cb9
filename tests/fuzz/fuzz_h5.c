/* Fuzz target: HDF5 files of any content, listed to the last member, with attributes, values and texts. */
#include <hdf5.h>
#include <string.h>

#include "io/h5.h"
#include "io/h5foreign.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"
#include "util/alloc.h"

const char mmlt_fuzz_name[] = "h5";

enum { OBJECTS_MOST = 300, DEPTH_MOST = 6, VALUES_MOST = 1 << 20 };

static const char *path;
static size_t objects;

static void look_at(hid_t parent, const char *name, int depth);

static void attributes(hid_t object)
{
    static const char *const names[] = {"n", "text", "list", "attr7"};
    bool has;
    double number;
    char *text = NULL, **texts = NULL;
    size_t n;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (mmli_h5_has_attr(&has, object, path, names[i]) != MML_OK || !has)
            continue;
        (void)!mmli_h5_attr_f64(&number, object, path, names[i]);
        if (mmli_h5_attr_text(&text, object, path, names[i]) == MML_OK)
            MMLT_PROMISE(text != NULL);
        mmli_free(text);
        text = NULL;
        if (mmli_h5_attr_texts(&texts, &n, object, path, names[i]) == MML_OK)
            mmli_h5_texts_free(texts, n);
    }
}

static void values(hid_t parent, const char *name)
{
    size_t dims[MMLI_H5_MAX_RANK], n = 1, n_texts;
    double *numbers = NULL;
    char **texts = NULL;
    int rank;

    if (mmli_h5_shape(dims, &rank, parent, path, name) != MML_OK)
        return;
    for (int i = 0; i < rank; i++)
        if (!mmli_mul_size(&n, n, dims[i]))
            return;
    if (n > VALUES_MOST)
        return;
    if (mmli_h5_get_new(&numbers, MMLI_H5_F64, rank, dims, parent, path, name) == MML_OK)
        for (size_t i = 0; i < n; i++)
            MMLT_PROMISE(numbers[i] == numbers[i] || numbers[i] != numbers[i]); /* every one can be looked at */
    mmli_free(numbers);
    if (mmli_h5_get_texts(&texts, &n_texts, parent, path, name) == MML_OK)
        mmli_h5_texts_free(texts, n_texts);
}

static void look_into(hid_t group, int depth)
{
    char **members;
    size_t n;

    if (mmli_h5_members(&members, &n, group, path, NULL) != MML_OK)
        return;
    for (size_t i = 0; i < n; i++)
        look_at(group, members[i], depth + 1);
    mmli_h5_texts_free(members, n);
}

static void look_at(hid_t parent, const char *name, int depth)
{
    hid_t id;

    if (depth > DEPTH_MOST || ++objects > OBJECTS_MOST)
        return;
    if (mmli_h5_object(&id, parent, path, name) != MML_OK) {
        MMLT_PROMISE(strstr(mml_last_error(), path) != NULL);
        return;
    }
    attributes(id);
    if (H5Iget_type(id) == H5I_GROUP)
        look_into(id, depth);
    else
        values(parent, name);
    mmli_h5_drop(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    hid_t file;

    path = fuzz_file(bytes, n);
    objects = 0;
    if (mmli_h5_open(&file, path) == MML_OK) {
        attributes(file);
        look_into(file, 0);
    } else {
        MMLT_PROMISE(strstr(mml_last_error(), path) != NULL);
    }
    mmli_h5_drop(file);
    unlink(path);
    return 0;
}
