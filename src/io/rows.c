/* rows.c - rows as floats: past HDF5 where the bytes in the file are plain, else by its hyperslabs. */
#include "io/rows.h"

#include <stdlib.h>
#include <string.h>

#include "io/chunks.h"
#include "io/h5_inside.h"
#include "io/h5heap.h"
#include "io/h5packed.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/half.h"

enum {
    STAGE_BYTES = 128 << 10, /* converted at once: still in the cache when it is converted */
    SLAB_BYTES = 4 << 20,    /* of one call of HDF5 */
    ALONE_BYTES = 64 << 10   /* a span this large is read straight to its place */
};

/* Numbers of a file that are used as they lie there; OTHER: HDF5 converts. */
typedef enum stored { OTHER = 0, FLOAT32, FLOAT16, INT32, INT64 } stored;

struct mmli_rows {
    hid_t set; /* lent, as path and name */
    const char *path, *name;
    int rank, axis;
    size_t dims[MMLI_H5_MAX_RANK];
    size_t n, width;
    stored stored;
    bool looked, as_bytes;
    mmli_packed *packed; /* of what HDF5 reads */
    hid_t disk_type;  /* of float16: HDF5 hands it over as it is */
    mmli_h5_bytes file;
    size_t disk_bytes; /* of a number in the file */
    size_t row_bytes; /* in the file, when as_bytes */
    uint64_t start;   /* contiguous */
    uint64_t *chunks; /* their addresses, or NULL = contiguous */
    size_t chunk_rows;
    unsigned char *stage; /* (STAGE_BYTES) or one row: numbers to be converted */
    size_t cap_stage;
    float *scratch;   /* of small spans read together */
    size_t cap_scratch;
};

void mmli_rows_close(mmli_rows *rows)
{
    if (rows == NULL)
        return;
    mmli_h5_drop(rows->disk_type);
    mmli_packed_close(rows->packed);
    mmli_free(rows->chunks);
    mmli_free(rows->stage);
    mmli_free(rows->scratch);
    mmli_free(rows);
}

/* ---- opening -------------------------------------------------------------------------------------------------------- */

static bool host_is_little(void)
{
    const uint16_t one = 1;
    unsigned char first;

    memcpy(&first, &one, 1);
    return first == 1;
}

/* A little-endian IEEE float of 2 bytes, as NumPy writes it. Lock held. */
static bool is_half(hid_t type)
{
    size_t sign, exponent, exponent_bits, fraction, fraction_bits;

    return H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == 2 && H5Tget_order(type) == H5T_ORDER_LE &&
           H5Tget_precision(type) == 16 && H5Tget_offset(type) == 0 && H5Tget_ebias(type) == 15 &&
           H5Tget_norm(type) == H5T_NORM_IMPLIED &&
           H5Tget_fields(type, &sign, &exponent, &exponent_bits, &fraction, &fraction_bits) >= 0 && sign == 15 &&
           exponent == 10 && exponent_bits == 5 && fraction == 0 && fraction_bits == 10;
}

static stored stored_as(hid_t type)
{
    if (type < 0 || !host_is_little())
        return OTHER;
    return H5Tequal(type, H5T_IEEE_F32LE) > 0  ? FLOAT32
           : is_half(type)                     ? FLOAT16
           : H5Tequal(type, H5T_STD_I32LE) > 0 ? INT32
           : H5Tequal(type, H5T_STD_I64LE) > 0 ? INT64
                                               : OTHER;
}

static size_t bytes_of(stored as)
{
    return as == FLOAT16 ? 2 : as == INT64 ? 8 : 4;
}

/* Numbers of which kind? Lock held. */
static mml_status look_at_type(mmli_rows *r)
{
    const hid_t type = H5Dget_type(r->set);
    const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);

    r->stored = stored_as(type);
    r->disk_bytes = type < 0 ? 0 : H5Tget_size(type);
    if (r->stored == FLOAT16)
        r->disk_type = type;
    else
        mmli_h5_drop(type);
    if (kind == H5T_FLOAT || kind == H5T_INTEGER)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s: %s: the values are not numbers", r->path, r->name);
}

static mml_status look_at_shape(mmli_rows *r)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_shape_of(r->dims, &r->rank, r->set, r->path, r->name));
    MML_CHECK(r->axis < r->rank, MML_E_SHAPE, "%s: %s has %d dimensions", r->path, r->name, r->rank);
    for (int i = 0; i < r->axis; i++)
        MML_CHECK(r->dims[i] == 1, MML_E_SHAPE, "%s: %s: dimension %d is %zu, not 1", r->path, r->name, i + 1, r->dims[i]);
    r->n = r->dims[r->axis];
    r->width = 1;
    for (int i = r->axis + 1; i < r->rank; i++)
        MML_CHECK(mmli_mul_size(&r->width, r->width, r->dims[i]), MML_E_NOMEM, "%s: %s: too large for this machine", r->path,
                  r->name);
    MML_CHECK(r->width <= SIZE_MAX / sizeof(double), MML_E_NOMEM, "%s: %s: too large for this machine", r->path, r->name);
    MML_TRY(mmli_h5_check_stored(r->set, r->n, r->width * (r->disk_bytes < sizeof(double) ? r->disk_bytes : sizeof(double)), r->path,
                                 r->name)); /* or rows that nobody wrote would fill the disk with zeros */
out:
    return st;
}

/* Chunks of whole rows: their addresses. Lock held. */
static mml_status find_chunks(mmli_rows *r, hid_t creation)
{
    mml_status st = MML_OK;
    hsize_t chunk[MMLI_H5_MAX_RANK];
    size_t bytes;
    bool damaged;

    if (H5Pget_chunk(creation, MMLI_H5_MAX_RANK, chunk) != r->rank || chunk[r->axis] == 0 || chunk[r->axis] > SIZE_MAX)
        goto out;
    for (int i = 0; i < r->rank; i++)
        if (i != r->axis && chunk[i] != r->dims[i])
            goto out;
    r->chunk_rows = (size_t)chunk[r->axis];
    if (!mmli_mul_size(&bytes, r->chunk_rows, r->row_bytes))
        goto out;
    MML_TRY(mmli_chunks_find(&r->chunks, &damaged, &r->file, r->set, r->rank, r->axis, r->chunk_rows,
                             r->n / r->chunk_rows + (r->n % r->chunk_rows != 0), bytes));
    MML_CHECK(!damaged, MML_E_FORMAT, "%s: %s: damaged: a chunk has another size than all others", r->path, r->name);
    r->as_bytes = r->chunks != NULL;
out:
    return st;
}

/* Can the bytes be read past HDF5? */
static mml_status look_at_layout(mmli_rows *r)
{
    mml_status st = MML_OK;
    hid_t creation = -1;
    size_t all;

    if (r->looked || r->stored == OTHER)
        return MML_OK;
    mmli_h5_lock();
    creation = mmli_h5_creation(r->set);
    if (creation < 0 || H5Pget_nfilters(creation) != 0 || H5Pget_external_count(creation) != 0 || r->n == 0 ||
        r->width == 0 || !mmli_h5_bytes_of(&r->file, r->set))
        goto out;
    r->row_bytes = r->width * bytes_of(r->stored);
    if (!mmli_mul_size(&all, r->n, r->row_bytes) || all > r->file.size)
        goto out;
    if (H5Pget_layout(creation) == H5D_CHUNKED) {
        MML_TRY(find_chunks(r, creation));
    } else if (H5Pget_layout(creation) == H5D_CONTIGUOUS) {
        const haddr_t at = H5Dget_offset(r->set); /* from the first byte of the file, user block included */

        if (at == HADDR_UNDEF || at < r->file.base || H5Dget_storage_size(r->set) != all)
            goto out;
        r->start = at - r->file.base;
        r->as_bytes = true;
    }
out:
    r->looked = st == MML_OK; /* a failure is found again */
    mmli_h5_drop(creation);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_rows_open(mmli_rows **out, hid_t dataset, int axis, const char *path, const char *name)
{
    mml_status st = MML_OK;
    mmli_rows *r = NULL;

    *out = NULL;
    mmli_h5_lock();
    MML_TRY(mmli_calloc(&r, 1, sizeof *r));
    *r = (mmli_rows){.set = dataset, .path = path, .name = name, .axis = axis, .disk_type = -1};
    MML_TRY(look_at_type(r));
    MML_TRY(look_at_shape(r));
    *out = r;
    r = NULL;
out:
    mmli_rows_close(r);
    mmli_h5_unlock();
    return st;
}

size_t mmli_rows_count(const mmli_rows *rows)
{
    return rows->n;
}

size_t mmli_rows_width(const mmli_rows *rows)
{
    return rows->width;
}

bool mmli_rows_are_half(const mmli_rows *rows)
{
    return rows->stored == FLOAT16;
}

bool mmli_rows_are_bytes(const mmli_rows *rows)
{
    return rows->as_bytes;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

/* The bytes of rows as the file has them; chunks that follow each other in the file are one read. */
static bool get_bytes(void *out, size_t first, size_t count, const mmli_rows *r)
{
    unsigned char *to = out;

    if (r->chunks == NULL)
        return mmli_h5_bytes_get(to, &r->file, r->start + (uint64_t)first * r->row_bytes, count * r->row_bytes);
    while (count > 0) {
        const size_t in = first % r->chunk_rows, bytes = r->chunk_rows * r->row_bytes;
        size_t chunk = first / r->chunk_rows, rows = r->chunk_rows - in;
        const uint64_t at = r->chunks[chunk] + in * r->row_bytes;

        for (; rows < count && r->chunks[chunk + 1] == r->chunks[chunk] + bytes; chunk++)
            rows += r->chunk_rows;
        rows = rows < count ? rows : count;
        if (!mmli_h5_bytes_get(to, &r->file, at, rows * r->row_bytes))
            return false;
        to += rows * r->row_bytes;
        first += rows;
        count -= rows;
    }
    return true;
}

/* The same through HDF5, converted to `type`. */
static mml_status get_slab(void *out, hid_t type, size_t first, size_t count, const mmli_rows *r)
{
    mml_status st = MML_OK;
    hsize_t start[MMLI_H5_MAX_RANK] = {0}, size[MMLI_H5_MAX_RANK];
    hid_t file = -1, memory = -1;
    mmli_h5_note why;

    for (int i = 0; i < r->rank; i++)
        size[i] = r->dims[i];
    start[r->axis] = first;
    size[r->axis] = count;
    mmli_h5_lock();
    file = H5Dget_space(r->set);
    memory = H5Screate_simple(r->rank, size, NULL);
    if (file < 0 || memory < 0 || H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(r->set, type, memory, file, H5P_DEFAULT, out) < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", r->path, r->name, why.text);
    }
    mmli_h5_drop(memory);
    mmli_h5_drop(file);
    mmli_h5_unlock();
    return st;
}

static mml_status get_part(void *out, size_t first, size_t count, mmli_rows *r)
{
    mml_status st = MML_OK;

    if (!r->as_bytes) {
        if (r->packed == NULL)
            MML_TRY(mmli_packed_open(&r->packed, r->set, r->axis, r->path, r->name));
        MML_TRY(mmli_packed_check(r->packed, first, count));
        MML_TRY(get_slab(out, r->stored == FLOAT16 ? r->disk_type : H5T_NATIVE_FLOAT, first, count, r));
    } else if (!get_bytes(out, first, count, r)) {
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk", r->path, r->name);
    }
out:
    return st;
}

static size_t at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

static void convert(float *out, const unsigned char *in, size_t n, stored as)
{
    if (as == FLOAT16)
        mmli_half_to_float(out, (const uint16_t *)(const void *)in, n); /* from calloc: aligned */
    for (size_t i = 0; as == INT32 && i < n; i++) {
        int32_t v;

        memcpy(&v, in + i * sizeof v, sizeof v);
        out[i] = (float)v;
    }
    for (size_t i = 0; as == INT64 && i < n; i++) {
        int64_t v;

        memcpy(&v, in + i * sizeof v, sizeof v);
        out[i] = (float)v;
    }
}

mml_status mmli_rows_get(float *out, size_t first, size_t count, mmli_rows *r)
{
    mml_status st = MML_OK;
    const size_t width = at_least_one(r->width), row = width * bytes_of(r->stored);
    bool staged;
    size_t most;

    MML_CHECK(first <= r->n && count <= r->n - first, MML_E_SHAPE, "%s: %s has %zu rows, rows %zu to %zu needed", r->path,
              r->name, r->n, first, first + count - 1);
    MML_TRY(look_at_layout(r));
    staged = r->stored == FLOAT16 || (r->as_bytes && r->stored != FLOAT32);
    most = at_least_one(staged ? STAGE_BYTES / row : r->as_bytes ? SIZE_MAX : SLAB_BYTES / sizeof(float) / width);
    if (staged && count > 0)
        MML_TRY(mmli_grow(&r->stage, &r->cap_stage, most * row, 1));
    for (size_t at = 0, n; at < count && r->width > 0; at += n) {
        n = count - at < most ? count - at : most;
        MML_TRY(get_part(staged ? (void *)r->stage : out + at * width, first + at, n, r));
        if (staged)
            convert(out + at * width, r->stage, n * width, r->stored);
    }
out:
    return st;
}

/* ---- by list -------------------------------------------------------------------------------------------------------- */

static int by_first(const void *a, const void *b)
{
    const mmli_span *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* Copies what rows lo .. hi-1, just read, hold of the spans i .. j-1. */
static void scatter(float *out, const float *rows, size_t lo, size_t hi, const mmli_span *spans, size_t i, size_t j,
                    size_t width)
{
    for (; i < j && spans[i].first < hi; i++) {
        const size_t end = spans[i].first + spans[i].count;
        const size_t from = spans[i].first > lo ? spans[i].first : lo, to = end < hi ? end : hi;

        if (from < to)
            memcpy(out + (spans[i].to + (from - spans[i].first)) * width, rows + (from - lo) * width,
                   (to - from) * width * sizeof *out);
    }
}

/* Small spans i .. j-1, whose rows end at `end`, by way of the scratch. */
static mml_status get_together(float *out, const mmli_span *spans, size_t i, size_t j, size_t end, mmli_rows *r)
{
    mml_status st = MML_OK;
    const size_t most = at_least_one(SLAB_BYTES / sizeof *out / r->width);

    for (size_t lo = spans[i].first; lo < end; lo += most) {
        const size_t count = end - lo < most ? end - lo : most;

        while (spans[i].first + spans[i].count <= lo)
            i++; /* done with */
        MML_TRY(mmli_grow(&r->scratch, &r->cap_scratch, count * r->width, sizeof *out));
        MML_TRY(mmli_rows_get(r->scratch, lo, count, r));
        scatter(out, r->scratch, lo, lo + count, spans, i, j, r->width);
    }
out:
    return st;
}

mml_status mmli_rows_gather(float *out, mmli_span *spans, size_t n, mmli_rows *r)
{
    enum { GAP_BYTES = 32 << 10 }; /* reading across a gap this small is cheaper than another call */
    mml_status st = MML_OK;
    const size_t row_bytes = at_least_one(r->width) * sizeof *out, gap = GAP_BYTES / row_bytes;
    const size_t alone = at_least_one(ALONE_BYTES / row_bytes);

    if (r->width == 0)
        goto out;
    if (n > 1)
        qsort(spans, n, sizeof *spans, by_first);
    for (size_t i = 0, j; i < n; i = j) {
        size_t end = spans[i].first + spans[i].count;

        for (j = i + 1; j < n && spans[i].count < alone && spans[j].count < alone && spans[j].first <= end + gap; j++)
            if (spans[j].first + spans[j].count > end)
                end = spans[j].first + spans[j].count;
        if (j == i + 1)
            MML_TRY(mmli_rows_get(out + spans[i].to * r->width, spans[i].first, spans[i].count, r));
        else
            MML_TRY(get_together(out, spans, i, j, end, r));
    }
out:
    return st;
}
