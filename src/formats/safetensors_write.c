/* safetensors_write.c - float32 tensors into a file, whole or not at all. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/output.h"
#include "util/text.h"

enum { PIECE = 1 << 14 }; /* floats put into bytes at once */

typedef struct writing {
    const char *path;
    const mmli_tensor_out *tensors;
    size_t n, *order, most;
} writing;

static size_t count_of(const mmli_tensor_out *x)
{
    size_t count = 1;

    for (int i = 0; i < x->rank; i++)
        if (!mmli_mul_size(&count, count, x->dims[i]))
            return SIZE_MAX;
    return count;
}

/* By name, without global state: names are few. */
static void sort_names(writing *w)
{
    for (size_t i = 0; i < w->n; i++) {
        size_t k = i;

        for (; k > 0 && strcmp(w->tensors[w->order[k - 1]].name, w->tensors[i].name) > 0; k--)
            w->order[k] = w->order[k - 1];
        w->order[k] = i;
    }
}

static mml_status add_tensor(json_t *root, const mmli_tensor_out *x, uint64_t *end, const char *path)
{
    mml_status st = MML_OK;
    json_t *shape = json_array(), *entry;
    const uint64_t begin = *end;
    bool ok = shape != NULL;

    *end += count_of(x) * 4;
    for (int i = 0; ok && i < x->rank; i++)
        ok = json_array_append_new(shape, json_integer((json_int_t)x->dims[i])) == 0;
    MML_CHECK(json_object_get(root, x->name) == NULL, MML_E_ARG, "%s: two tensors are called %s", path, x->name);
    entry = ok ? json_pack("{s:s, s:O, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)begin, (json_int_t)*end)
               : NULL;
    MML_CHECK(entry != NULL && json_object_set_new(root, x->name, entry) == 0, MML_E_ARG,
              "%s: tensor %s: its name is not UTF-8, or there is no memory", path, x->name);
out:
    json_decref(shape);
    return st;
}

/* Length and header, padded to a multiple of 8 bytes by spaces. */
static mml_status make_header(mmli_buf *out, const writing *w, const char *const *keys, const char *const *values, size_t n)
{
    mml_status st = MML_OK;
    json_t *root = json_object(), *metadata = n > 0 ? json_object() : NULL;
    char *text = NULL;
    uint64_t end = 0;
    bool ok = root != NULL && (n == 0 || metadata != NULL);
    size_t length;

    for (size_t i = 0; ok && i < n; i++)
        ok = json_object_set_new(metadata, keys[i], json_string(values[i])) == 0;
    if (ok && n > 0)
        ok = json_object_set(root, "__metadata__", metadata) == 0;
    MML_CHECK(ok, MML_E_ARG, "%s: a text of the metadata is not UTF-8, or there is no memory", w->path);
    for (size_t i = 0; i < w->n; i++)
        MML_TRY(add_tensor(root, &w->tensors[w->order[i]], &end, w->path));
    MML_CHECK((text = json_dumps(root, JSON_COMPACT)) != NULL, MML_E_NOMEM, "%s: no memory for the header", w->path);
    length = (strlen(text) + 7) / 8 * 8;
    for (int i = 0; i < 8; i++)
        MML_TRY(mmli_buf_add(out, &(char){(char)((uint64_t)length >> 8 * i & 255)}, 1));
    MML_TRY(mmli_buf_puts(out, text));
    while (out->len < 8 + length)
        MML_TRY(mmli_buf_puts(out, " "));
out:
    free(text); /* jansson's own malloc */
    json_decref(metadata);
    json_decref(root);
    return st;
}

static mml_status put_numbers(mmli_output *o, const writing *w, mmli_tensor_fill fill, void *user)
{
    mml_status st = MML_OK;
    float *values = NULL;
    char *bytes = NULL;

    MML_TRY(mmli_calloc(&values, w->most, sizeof *values));
    MML_TRY(mmli_calloc(&bytes, PIECE, 4));
    for (size_t i = 0; i < w->n; i++) {
        const size_t count = count_of(&w->tensors[w->order[i]]);

        MML_TRY(fill(values, user, w->order[i]));
        for (size_t done = 0; done < count;) {
            const size_t now = count - done < PIECE ? count - done : PIECE;

            mmli_number_put_floats(bytes, values + done, now);
            MML_TRY(mmli_output_put(o, bytes, now * 4));
            done += now;
        }
    }
out:
    mmli_free(values);
    mmli_free(bytes);
    return st;
}

mml_status mmli_tensors_write(const char *path, const mmli_tensor_out *tensors, size_t n, mmli_tensor_fill fill, void *user,
                              const char *const *keys, const char *const *values, size_t n_metadata)
{
    mml_status st = MML_OK;
    writing w = {.path = path, .tensors = tensors, .n = n};
    mmli_buf header = {0};
    mmli_output o = {0};

    for (size_t i = 0; i < n; i++) {
        const size_t count = count_of(&tensors[i]);

        MML_CHECK(count <= SIZE_MAX / 8, MML_E_ARG, "%s: tensor %s is too large", path, tensors[i].name);
        w.most = count > w.most ? count : w.most;
    }
    MML_TRY(mmli_calloc(&w.order, n, sizeof *w.order));
    sort_names(&w);
    MML_TRY(make_header(&header, &w, keys, values, n_metadata));
    MML_TRY(mmli_output_begin(&o, path));
    MML_TRY(mmli_output_put(&o, header.text, header.len));
    MML_TRY(put_numbers(&o, &w, fill, user));
out:
    st = mmli_output_end(&o, st);
    mmli_buf_free(&header);
    mmli_free(w.order);
    return st;
}
