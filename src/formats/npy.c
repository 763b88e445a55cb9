/* npy.c - the elements of an array, whole rows at a time, whatever its order and type. */
#include "formats/npy.h"

#include <stdio.h>
#include <string.h>

#include "formats/npy_header.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

enum {
    HEADER_MOST = 1 << 20, /* NumPy itself reads at most 10 000 bytes unless told */
    PIECE_BYTES = 1 << 20
};

void mmli_npy_close(mmli_npy *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n_fields; i++)
        mmli_free(a->fields[i].name);
    mmli_free(a->fields);
    mmli_free(a->piece);
    mmli_input_close(a->in);
    mmli_free(a);
}

/* Preamble (magic, version, length), header, and whether the file has what they promise. */
static mml_status read_header(mmli_npy *a)
{
    mml_status st = MML_OK;
    const char *name = mmli_input_name(a->in);
    unsigned char s[12];
    char *text = NULL;
    size_t n, at, count = 1;
    uint64_t left;

    MML_CHECK(mmli_input_size(a->in) >= 10, MML_E_FORMAT, "%s: is no array of NumPy (too short)", name);
    MML_TRY(mmli_input_read(a->in, 0, s, 10));
    MML_CHECK(memcmp(s, "\x93NUMPY", 6) == 0, MML_E_FORMAT, "%s: is no array of NumPy (it does not begin with \\x93NUMPY)", name);
    MML_CHECK(s[6] >= 1 && s[6] <= 3, MML_E_FORMAT, "%s: version %d.%d of the format; 1 to 3 are read", name, s[6], s[7]);
    at = s[6] == 1 ? 10 : 12;
    MML_TRY(mmli_input_read(a->in, 0, s, at));
    n = s[8] | (size_t)s[9] << 8;
    if (s[6] > 1)
        n |= (size_t)s[10] << 16 | (size_t)s[11] << 24;
    MML_CHECK(n <= HEADER_MOST, MML_E_FORMAT, "%s: a header of %zu bytes; at most %d are read", name, n, HEADER_MOST);
    MML_CHECK(n <= mmli_input_size(a->in) - at, MML_E_FORMAT, "%s: ends in its header: truncated or damaged", name);
    MML_TRY(mmli_calloc(&text, n, 1));
    MML_TRY(mmli_input_read(a->in, at, text, n));
    MML_TRY(mmli_npy_header(a, text, n, name));
    MML_CHECK(a->record > 0, MML_E_FORMAT, "%s: its elements have no bytes", name);
    a->data = at + n;
    a->row_values = 1;
    for (int i = 0; i < a->rank; i++) {
        MML_CHECK(mmli_mul_size(&count, count, a->dims[i]) && (i == 0 || mmli_mul_size(&a->row_values, a->row_values, a->dims[i])),
                  MML_E_FORMAT, "%s: its dimensions are too large", name);
    }
    MML_CHECK(mmli_mul_size(&count, count, a->record), MML_E_FORMAT, "%s: its dimensions are too large", name);
    left = mmli_input_size(a->in) - a->data;
    MML_CHECK(count <= left, MML_E_FORMAT, "%s: its header promises %zu bytes of data, there are %llu: truncated or damaged", name,
              count, (unsigned long long)left);
    MML_CHECK(count == left, MML_E_FORMAT, "%s: its header promises %zu bytes of data, there are %llu; save one array a file",
              name, count, (unsigned long long)left);
out:
    mmli_free(text);
    return st;
}

/* `in` is the array's, also after a failure. */
static mml_status open_input(mmli_npy **out, mmli_input *in)
{
    mml_status st = MML_OK;
    mmli_npy *a = NULL;

    *out = NULL;
    if ((st = mmli_calloc(&a, 1, sizeof *a)) != MML_OK) {
        mmli_input_close(in);
        goto out;
    }
    a->in = in;
    MML_TRY(read_header(a));
    *out = a;
    a = NULL;
out:
    mmli_npy_close(a);
    return st;
}

mml_status mmli_npy_open(mmli_npy **out, const char *path)
{
    mml_status st = MML_OK;
    mmli_input *in;

    *out = NULL;
    MML_TRY(mmli_input_open(&in, path));
    MML_TRY(open_input(out, in));
out:
    return st;
}

mml_status mmli_npz_member(mmli_npy **out, mmli_zip *zip, size_t i)
{
    mml_status st = MML_OK;
    mmli_input *in;

    *out = NULL;
    MML_TRY(mmli_input_member(&in, zip, i));
    MML_TRY(open_input(out, in));
out:
    return st;
}

/* Length of the name without .npy; 0 for what is no array. */
static size_t array_name(const char *member)
{
    const size_t n = strlen(member);

    return n > 4 && strcmp(member + n - 4, ".npy") == 0 ? n - 4 : 0;
}

mml_status mmli_npz_find(size_t *out, const mmli_zip *zip, const char *name)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    char list[MMLI_LIST_BYTES];
    size_t n = 0;

    *out = SIZE_MAX;
    MML_TRY(mmli_calloc(&names, mmli_zip_n(zip), sizeof *names));
    for (size_t i = 0; i < mmli_zip_n(zip); i++) {
        const char *member = mmli_zip_member(zip, i)->name;
        const size_t length = array_name(member);

        if (length == 0)
            continue;
        names[n++] = member;
        if (name == NULL || strcmp(member, name) == 0 || (strlen(name) == length && memcmp(member, name, length) == 0))
            *out = i;
    }
    MML_CHECK(n > 0, MML_E_FORMAT, "%s: holds no array of NumPy (.npy)", mmli_zip_path(zip));
    MML_CHECK(name != NULL || n == 1, MML_E_NOT_FOUND, "%s: holds %zu arrays (%s): name one of them", mmli_zip_path(zip), n,
              mmli_list(list, names, n));
    MML_CHECK(*out != SIZE_MAX, MML_E_NOT_FOUND, "%s: no array %s; it holds %s", mmli_zip_path(zip), name,
              mmli_list(list, names, n));
out:
    mmli_free(names);
    return st;
}

size_t mmli_npy_n_rows(const mmli_npy *a)
{
    return a->rank == 0 ? 1 : a->dims[0];
}

mml_status mmli_npy_field_at(size_t *out, const mmli_npy *a, const char *name)
{
    for (size_t i = 0; i < a->n_fields; i++)
        if (strcmp(a->fields[i].name, name) == 0) {
            *out = i;
            return MML_OK;
        }
    if (a->n_fields == 1 && a->fields[0].name[0] == '\0')
        return mmli_fail(MML_E_NOT_FOUND, "%s: no field %s: the array has no named fields", mmli_input_name(a->in), name);
    return mmli_fail(MML_E_NOT_FOUND, "%s: no field %s; the first of %zu is %s", mmli_input_name(a->in), name, a->n_fields,
                     a->fields[0].name);
}

const char *mmli_npy_type_name(char out[64], const mmli_npy_field *f)
{
    static const char *const names[] = {"bool",   "int8",   "int16",   "int32",    "int64",   "uint8",  "uint16",
                                        "uint32", "uint64", "float16", "bfloat16", "float32", "float64"};

    if (f->cls == MMLI_NPY_NUMBER)
        snprintf(out, 64, "%s%s", names[f->number], f->big_endian ? " (big-endian)" : "");
    else if (f->cls == MMLI_NPY_BYTES)
        snprintf(out, 64, "text of %zu bytes", f->size);
    else
        snprintf(out, 64, "text of %zu characters", f->size / 4);
    return out;
}

/* ---- elements ----------------------------------------------------------------------------------------------------------- */

/* Where elements go: one function a kind of result. */
typedef struct sink {
    mml_status (*put)(const struct sink *to, size_t at, size_t step, const char *from, size_t n);
    const mmli_npy *a;
    const mmli_npy_field *field;
    void *out;
} sink;

static mml_status put_floats(const sink *to, size_t at, size_t step, const char *from, size_t n)
{
    float *out = (float *)to->out + at;
    const size_t record = to->a->record;

    if (step == 1) {
        mmli_number_floats(out, from, n, record, to->field->number, to->field->big_endian);
        return MML_OK;
    }
    for (size_t i = 0; i < n; i++)
        mmli_number_floats(out + i * step, from + i * record, 1, 0, to->field->number, to->field->big_endian);
    return MML_OK;
}

static mml_status put_doubles(const sink *to, size_t at, size_t step, const char *from, size_t n)
{
    double *out = (double *)to->out + at;

    for (size_t i = 0; i < n; i++)
        mmli_number_doubles(out + i * step, from + i * to->a->record, 1, 0, to->field->number, to->field->big_endian);
    return MML_OK;
}

/* UTF-32 to UTF-8; false for what is no character. */
static bool utf8_of(char *out, size_t *used, uint32_t c)
{
    if (c >= 0x110000 || (c >= 0xD800 && c < 0xE000))
        return false;
    if (c < 0x80) {
        out[(*used)++] = (char)c;
    } else if (c < 0x800) {
        out[(*used)++] = (char)(0xC0 | c >> 6);
        out[(*used)++] = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        out[(*used)++] = (char)(0xE0 | c >> 12);
        out[(*used)++] = (char)(0x80 | (c >> 6 & 63));
        out[(*used)++] = (char)(0x80 | (c & 63));
    } else {
        out[(*used)++] = (char)(0xF0 | c >> 18);
        out[(*used)++] = (char)(0x80 | (c >> 12 & 63));
        out[(*used)++] = (char)(0x80 | (c >> 6 & 63));
        out[(*used)++] = (char)(0x80 | (c & 63));
    }
    return true;
}

static mml_status text_of(char **out, const sink *to, const char *from, size_t index)
{
    mml_status st = MML_OK;
    const mmli_npy_field *f = to->field;
    const char *name = mmli_input_name(to->a->in);
    int64_t whole;
    size_t used = 0, n;

    if (f->cls == MMLI_NPY_NUMBER) {
        MML_CHECK(mmli_number_int64(&whole, from, f->number, f->big_endian), MML_E_DATA,
                  "%s: element %zu is not a whole number: ids are texts or whole numbers", name, index);
        return mmli_strf(out, "%lld", (long long)whole);
    }
    if (f->cls == MMLI_NPY_BYTES) {
        for (n = f->size; n > 0 && from[n - 1] == '\0';)
            n--;
        MML_TRY(mmli_calloc(out, n + 1, 1));
        memcpy(*out, from, n);
        MML_CHECK(memchr(*out, '\0', n) == NULL, MML_E_DATA, "%s: element %zu is no text: it has a zero inside", name, index);
        goto out;
    }
    for (n = f->size; n >= 4 && memcmp(from + n - 4, "\0\0\0\0", 4) == 0;)
        n -= 4;
    MML_TRY(mmli_calloc(out, n + 1, 1)); /* UTF-8 is never longer than UTF-32 */
    for (size_t i = 0; i < n; i += 4) {
        double c;

        mmli_number_doubles(&c, from + i, 1, 0, MMLI_U32, f->big_endian);
        MML_CHECK(c > 0 && utf8_of(*out, &used, (uint32_t)c), MML_E_DATA, "%s: element %zu is no text of Unicode", name, index);
    }
out:
    if (st != MML_OK) {
        mmli_free(*out);
        *out = NULL;
    }
    return st;
}

static mml_status put_texts(const sink *to, size_t at, size_t step, const char *from, size_t n)
{
    mml_status st = MML_OK;
    char **out = to->out;

    for (size_t i = 0; i < n; i++)
        MML_TRY(text_of(&out[at + i * step], to, from + i * to->a->record, at + i * step));
out:
    return st;
}

/* A run of elements that lie together in the file, into places `step` apart. */
static mml_status read_run(const sink *to, mmli_npy *a, size_t first, size_t n, size_t at, size_t step)
{
    mml_status st = MML_OK;
    const size_t most = a->record >= PIECE_BYTES ? 1 : PIECE_BYTES / a->record;

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < most ? n - done : most;

        MML_TRY(mmli_grow(&a->piece, &a->cap_piece, now * a->record, 1));
        MML_TRY(mmli_input_read(a->in, a->data + (uint64_t)(first + done) * a->record, a->piece, now * a->record));
        MML_TRY(to->put(to, at + done * step, step, a->piece + to->field->at, now));
        done += now;
    }
out:
    return st;
}

/* Place in C order of element j of a row, when j counts in Fortran order (second dimension fastest). */
static size_t c_place(const mmli_npy *a, size_t j)
{
    size_t place = 0, stride = a->row_values;

    for (int k = 1; k < a->rank; k++) {
        stride /= a->dims[k];
        place += j % a->dims[k] * stride;
        j /= a->dims[k];
    }
    return place;
}

static mml_status read_rows(const sink *to, mmli_npy *a, size_t from, size_t n)
{
    mml_status st = MML_OK;
    const size_t rows = mmli_npy_n_rows(a);

    MML_CHECK(from <= rows && n <= rows - from, MML_E_ARG, "%s: rows %zu to %zu of %zu", mmli_input_name(a->in), from, from + n,
              rows);
    if (n == 0)
        goto out;
    if (!a->fortran || a->rank < 2) {
        MML_TRY(read_run(to, a, from * a->row_values, n * a->row_values, 0, 1));
        goto out;
    }
    for (size_t j = 0; j < a->row_values; j++)
        MML_TRY(read_run(to, a, j * rows + from, n, c_place(a, j), a->row_values));
out:
    return st;
}

static mml_status numbers_only(const mmli_npy *a, size_t field)
{
    char type[64];

    if (a->fields[field].cls == MMLI_NPY_NUMBER)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s: is %s where numbers are needed", mmli_input_name(a->in),
                     mmli_npy_type_name(type, &a->fields[field]));
}

mml_status mmli_npy_floats(float *out, mmli_npy *a, size_t field, size_t from, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(numbers_only(a, field));
    MML_TRY(read_rows(&(sink){put_floats, a, &a->fields[field], out}, a, from, n));
out:
    return st;
}

mml_status mmli_npy_elements(float *out, mmli_npy *a, size_t from, size_t n)
{
    mml_status st = MML_OK;
    const size_t all = mmli_npy_n_rows(a) * a->row_values; /* was checked against the file */

    MML_TRY(numbers_only(a, 0));
    MML_CHECK(!(a->fortran && a->rank > 1) && from <= all && n <= all - from, MML_E_ARG, "%s: elements %zu to %zu of %zu",
              mmli_input_name(a->in), from, from + n, all);
    MML_TRY(read_run(&(sink){put_floats, a, &a->fields[0], out}, a, from, n, 0, 1));
out:
    return st;
}

mml_status mmli_npy_doubles(double *out, mmli_npy *a, size_t field, size_t from, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(numbers_only(a, field));
    MML_TRY(read_rows(&(sink){put_doubles, a, &a->fields[field], out}, a, from, n));
out:
    return st;
}

mml_status mmli_npy_texts(char **out, mmli_npy *a, size_t field, size_t from, size_t n)
{
    mml_status st = MML_OK;
    const size_t count = n * a->row_values;

    for (size_t i = 0; i < count; i++)
        out[i] = NULL;
    MML_TRY(read_rows(&(sink){put_texts, a, &a->fields[field], out}, a, from, n));
out:
    for (size_t i = 0; st != MML_OK && i < count; i++) {
        mmli_free(out[i]);
        out[i] = NULL;
    }
    return st;
}
