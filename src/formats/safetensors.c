/* safetensors.c - reading: the header is distrusted, then the numbers are read in pieces. */
#include "formats/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum {
    HEADER_MOST = 1 << 24, /* the reference reads 100 MB; the header of a model of 70 billion parameters has 100 kB */
    DEPTH_MOST = 8,        /* three are needed */
    TENSORS_MOST = 1 << 17,
    PIECE_BYTES = 1 << 18
};

void mmli_tensors_close(mmli_tensors *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n; i++)
        mmli_free(t->list[i].name);
    for (size_t i = 0; i < t->n_metadata; i++) {
        mmli_free(t->keys[i]);
        mmli_free(t->values[i]);
    }
    mmli_free(t->list);
    mmli_free(t->keys);
    mmli_free(t->values);
    mmli_free(t->piece);
    mmli_input_close(t->in);
    mmli_free(t);
}

/* The types that the format has; those without a number of ours are not read. */
static const struct {
    const char *name;
    uint8_t bits;
    int8_t number;
} types[] = {{"BOOL", 8, MMLI_BOOL}, {"I8", 8, MMLI_I8},   {"I16", 16, MMLI_I16}, {"I32", 32, MMLI_I32},  {"I64", 64, MMLI_I64},
             {"U8", 8, MMLI_U8},     {"U16", 16, MMLI_U16}, {"U32", 32, MMLI_U32}, {"U64", 64, MMLI_U64},
             {"F16", 16, MMLI_F16},  {"BF16", 16, MMLI_BF16}, {"F32", 32, MMLI_F32}, {"F64", 64, MMLI_F64},
             {"F8_E5M2", 8, -1},     {"F8_E4M3", 8, -1},   {"F8_E8M0", 8, -1},    {"F8_E4M3FNUZ", 8, -1},
             {"F8_E5M2FNUZ", 8, -1}, {"C64", 64, -1},      {"F4", 4, -1},         {"F6_E2M3", 6, -1},     {"F6_E3M2", 6, -1}};

static int type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0)
            return (int)i;
    return -1;
}

const char *mmli_tensor_type_name(const mmli_tensor *x)
{
    if (x->unread != NULL)
        return x->unread;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == (int)x->type)
            return types[i].name;
    return "?";
}

/* ---- the header ----------------------------------------------------------------------------------------------------------- */

/* Brackets in brackets, before a parser that recurses sees them. */
static mml_status check_depth(const char *text, size_t n, const char *name)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < n; i++) {
        if (quoted && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && (text[i] == '{' || text[i] == '[')) {
            if (++depth > DEPTH_MOST)
                return mmli_fail(MML_E_FORMAT, "%s: its header is nested more than %d deep", name, DEPTH_MOST);
        } else if (!quoted && (text[i] == '}' || text[i] == ']')) {
            depth--;
        }
    }
    return MML_OK;
}

static bool get_size(uint64_t *out, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* Shape and bytes of one tensor, counted from where all of them begin. */
static mml_status read_tensor(mmli_tensor *x, const char *key, const json_t *entry, const char *name)
{
    mml_status st = MML_OK;
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    uint64_t begin, end, dim;
    size_t bits;
    int t;

    MML_TRY(mmli_strdup(&x->name, key));
    MML_CHECK(type != NULL && json_is_array(shape) && json_array_size(offsets) == 2 && json_object_size(entry) == 3, MML_E_FORMAT,
              "%s: tensor %s needs dtype, shape and data_offsets, and nothing else", name, key);
    MML_CHECK((t = type_of(type)) >= 0, MML_E_FORMAT, "%s: tensor %s: unknown type %.32s", name, key, type);
    x->type = types[t].number < 0 ? MMLI_BOOL : (mmli_number)types[t].number;
    x->unread = types[t].number < 0 ? types[t].name : NULL;
    MML_CHECK(json_array_size(shape) <= MMLI_TENSOR_MAX_RANK, MML_E_FORMAT, "%s: tensor %s has %zu dimensions; at most %d are read",
              name, key, json_array_size(shape), MMLI_TENSOR_MAX_RANK);
    x->rank = (int)json_array_size(shape);
    x->count = 1;
    for (int i = 0; i < x->rank; i++) {
        MML_CHECK(get_size(&dim, json_array_get(shape, (size_t)i)) && dim <= SIZE_MAX && mmli_mul_size(&x->count, x->count, (size_t)dim),
                  MML_E_FORMAT, "%s: tensor %s: its shape is not one of sizes, or too large", name, key);
        x->dims[i] = (size_t)dim;
    }
    MML_CHECK(get_size(&begin, json_array_get(offsets, 0)) && get_size(&end, json_array_get(offsets, 1)) && begin <= end,
              MML_E_FORMAT, "%s: tensor %s: its data_offsets are not a range", name, key);
    MML_CHECK(mmli_mul_size(&bits, x->count, types[t].bits) && bits % 8 == 0 && bits / 8 == end - begin, MML_E_FORMAT,
              "%s: tensor %s: %zu numbers of type %s do not fill the %llu bytes of its data_offsets", name, key, x->count,
              type, (unsigned long long)(end - begin));
    x->at = begin;
    x->bytes = end - begin;
out:
    return st;
}

static mml_status read_metadata(mmli_tensors *t, const json_t *object, const char *name)
{
    mml_status st = MML_OK;
    const char *key;
    const json_t *value;

    MML_CHECK(json_is_object(object), MML_E_FORMAT, "%s: __metadata__ is not an object", name);
    MML_TRY(mmli_calloc(&t->keys, json_object_size(object), sizeof *t->keys));
    MML_TRY(mmli_calloc(&t->values, json_object_size(object), sizeof *t->values));
    for (void *i = json_object_iter((json_t *)object); i != NULL; i = json_object_iter_next((json_t *)object, i)) {
        key = json_object_iter_key(i);
        value = json_object_iter_value(i);
        MML_CHECK(json_is_string(value), MML_E_FORMAT, "%s: __metadata__: %s is not a text", name, key);
        t->n_metadata++;
        MML_TRY(mmli_strdup(&t->keys[t->n_metadata - 1], key));
        MML_TRY(mmli_strdup(&t->values[t->n_metadata - 1], json_string_value(value)));
    }
out:
    return st;
}

static int by_bytes(const void *a, const void *b)
{
    const mmli_tensor *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The ranges lie side by side from the first byte to the last: no overlap, no hole. */
static mml_status check_ranges(mmli_tensors *t, uint64_t data, const char *name)
{
    mml_status st = MML_OK;
    const uint64_t size = mmli_input_size(t->in) - data;
    uint64_t end = 0;

    if (t->n > 0)
        qsort(t->list, t->n, sizeof *t->list, by_bytes);
    for (size_t i = 0; i < t->n; i++) {
        mmli_tensor *x = &t->list[i];

        MML_CHECK(x->at == end, MML_E_FORMAT, "%s: tensor %s begins at byte %llu of the data, the one before ends at %llu: %s",
                  name, x->name, (unsigned long long)x->at, (unsigned long long)end, x->at < end ? "an overlap" : "a hole");
        MML_CHECK(x->bytes <= size - end, MML_E_FORMAT, "%s: tensor %s ends beyond the file: truncated or damaged", name, x->name);
        end += x->bytes;
        x->at += data;
    }
    MML_CHECK(end == size, MML_E_FORMAT, "%s: %llu bytes follow the last tensor: damaged", name, (unsigned long long)(size - end));
out:
    return st;
}

static mml_status read_entries(mmli_tensors *t, const json_t *root, uint64_t data, const char *name)
{
    mml_status st = MML_OK;
    const size_t n = json_object_size(root);

    MML_CHECK(n <= TENSORS_MOST, MML_E_FORMAT, "%s: more than %d tensors", name, TENSORS_MOST);
    MML_TRY(mmli_calloc(&t->list, n, sizeof *t->list));
    for (void *i = json_object_iter((json_t *)root); i != NULL; i = json_object_iter_next((json_t *)root, i)) {
        const char *key = json_object_iter_key(i);

        if (strcmp(key, "__metadata__") == 0) {
            MML_TRY(read_metadata(t, json_object_iter_value(i), name));
            continue;
        }
        t->n++;
        MML_TRY(read_tensor(&t->list[t->n - 1], key, json_object_iter_value(i), name));
    }
    MML_TRY(check_ranges(t, data, name));
out:
    return st;
}

static mml_status read_header(mmli_tensors *t)
{
    mml_status st = MML_OK;
    const char *name = mmli_input_name(t->in);
    const uint64_t size = mmli_input_size(t->in);
    unsigned char s[8];
    char *text = NULL;
    json_t *root = NULL;
    json_error_t error;
    uint64_t n = 0;

    MML_CHECK(size >= 10, MML_E_FORMAT, "%s: is no safetensors file (too short)", name);
    MML_TRY(mmli_input_read(t->in, 0, s, 8));
    for (int i = 0; i < 8; i++)
        n |= (uint64_t)s[i] << 8 * i;
    MML_CHECK(memcmp(s, "PK\3\4", 4) != 0, MML_E_FORMAT, "%s: is a zip archive, as torch.save writes them; in Python: "
              "x = torch.load(FILE, weights_only=True), then safetensors.torch.save_file(x, \"x.safetensors\")", name);
    MML_CHECK(n <= size - 8 || n <= HEADER_MOST, MML_E_FORMAT, "%s: is no safetensors file (it does not begin with the length of "
              "its header)", name);
    MML_CHECK(n <= size - 8, MML_E_FORMAT, "%s: ends in its header: truncated or no safetensors file", name);
    MML_CHECK(n <= HEADER_MOST, MML_E_FORMAT, "%s: a header of %llu bytes; at most %d are read", name, (unsigned long long)n,
              HEADER_MOST);
    MML_TRY(mmli_calloc(&text, (size_t)n, 1));
    MML_TRY(mmli_input_read(t->in, 8, text, (size_t)n));
    MML_CHECK(n >= 2 && text[0] == '{', MML_E_FORMAT, "%s: is no safetensors file (its header does not begin with {)", name);
    MML_TRY(check_depth(text, (size_t)n, name));
    MML_CHECK((root = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &error)) != NULL, MML_E_FORMAT,
              "%s: its header is damaged: %s", name, error.text);
    MML_TRY(read_entries(t, root, 8 + n, name));
out:
    json_decref(root);
    mmli_free(text);
    return st;
}

mml_status mmli_tensors_open(mmli_tensors **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_tensors *t = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&t, 1, sizeof *t));
    MML_TRY(mmli_input_open(&t->in, path));
    MML_TRY(read_header(t));
    MML_TRY(mmli_calloc(&t->piece, PIECE_BYTES, 1));
    *out = t;
    t = NULL;
out:
    mmli_tensors_close(t);
    return st;
}

const mmli_tensor *mmli_tensors_find(const mmli_tensors *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->list[i].name, name) == 0)
            return &t->list[i];
    return NULL;
}

const char *mmli_tensors_metadata(const mmli_tensors *t, const char *key)
{
    for (size_t i = 0; i < t->n_metadata; i++)
        if (strcmp(t->keys[i], key) == 0)
            return t->values[i];
    return NULL;
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

/* One of floats and doubles is given. */
static mml_status read_numbers(float *floats, double *doubles, mmli_tensors *t, const mmli_tensor *x, size_t from, size_t n)
{
    mml_status st = MML_OK;
    const size_t size = mmli_number_size(x->type), most = PIECE_BYTES / size;

    MML_CHECK(x->unread == NULL, MML_E_FORMAT, "%s: tensor %s is of type %s; floating types F16, BF16, F32, F64, whole numbers and "
              "BOOL are read", mmli_input_name(t->in), x->name, x->unread);
    MML_CHECK(from <= x->count && n <= x->count - from, MML_E_ARG, "%s: tensor %s: elements %zu to %zu of %zu",
              mmli_input_name(t->in), x->name, from, from + n, x->count);
    for (size_t done = 0; done < n;) {
        const size_t now = n - done < most ? n - done : most;

        MML_TRY(mmli_input_read(t->in, x->at + (uint64_t)(from + done) * size, t->piece, now * size));
        if (floats != NULL)
            mmli_number_floats(floats + done, t->piece, now, size, x->type, false);
        else
            mmli_number_doubles(doubles + done, t->piece, now, size, x->type, false);
        done += now;
    }
out:
    return st;
}

mml_status mmli_tensors_floats(float *out, mmli_tensors *t, const mmli_tensor *x, size_t from, size_t n)
{
    return read_numbers(out, NULL, t, x, from, n);
}

mml_status mmli_tensors_doubles(double *out, mmli_tensors *t, const mmli_tensor *x, size_t from, size_t n)
{
    return read_numbers(NULL, out, t, x, from, n);
}
