/* h5packed.c - see h5packed.h. The filters that are undone: deflate, LZF and checksums; shuffling leaves the size alone. A chunk that
 * cannot be unpacked at all passes: HDF5 fails when it reads it, and has the words for it. */
#include "io/h5packed.h"

#include <lzf.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "io/chunks.h"
#include "io/h5_inside.h"
#include "io/h5heap.h"
#include "io/h5lzf.h"
#include "util/alloc.h"
#include "util/error.h"

enum { FILTERS_MOST = 8, SCRATCH_BYTES = 1 << 16, CHECKSUM_BYTES = 4, LISTED_MOST = 4096 };

struct mmli_packed {
    hid_t set; /* lent, as path and name */
    const char *path, *name;
    int rank, axis;
    hsize_t dims[MMLI_H5_MAX_RANK], chunk[MMLI_H5_MAX_RANK];
    size_t bytes;       /* of a whole chunk; 0: nothing to be checked */
    hsize_t file_bytes;
    int n_filters;
    H5Z_filter_t filters[FILTERS_MOST];
    bool plain_edges;   /* chunks that go over the edge are not packed */
    bool sized;         /* without filters: the sizes of all chunks are right */
    uint8_t *fine;      /* (n_fine) chunks along the axis, with all beside them; NULL: too many to remember */
    size_t n_fine;
    unsigned char *stored, *scratch; /* a chunk as it is stored, what comes out of it */
    size_t cap_stored, cap_scratch;
    z_stream z;
    bool has_z;
};

void mmli_packed_close(mmli_packed *p)
{
    if (p == NULL)
        return;
    if (p->has_z)
        (void)inflateEnd(&p->z);
    mmli_free(p->fine);
    mmli_free(p->stored);
    mmli_free(p->scratch);
    mmli_free(p);
}

/* ---- opening -------------------------------------------------------------------------------------------------------- */

size_t mmli_h5_bytes_in_file(hid_t type, hid_t object)
{
    enum { LENGTH = 4, INDEX = 4 }; /* beside the address of the heap that has the text */
    const hid_t file = H5Iget_file_id(object), creation = file < 0 ? -1 : H5Fget_create_plist(file);
    size_t address = 0, length = 0, size = H5Tget_size(type), more = 0;
    hid_t member;

    if (creation < 0 || H5Pget_sizes(creation, &address, &length) < 0)
        size = 0;
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0) {
        size = size == 0 ? 0 : LENGTH + address + INDEX;
    } else if (H5Tget_class(type) == H5T_COMPOUND && size > 0) {
        for (int i = 0; i < H5Tget_nmembers(type); i++) {
            if ((member = H5Tget_member_type(type, (unsigned)i)) < 0)
                continue;
            if (H5Tis_variable_str(member) > 0)
                more += LENGTH + address + INDEX - H5Tget_size(member);
            mmli_h5_drop(member);
        }
        size += more;
    }
    mmli_h5_drop(creation);
    mmli_h5_drop(file);
    return size;
}

/* Rank, chunks, filters. Lock held. */
static mml_status look(mmli_packed *p)
{
    mml_status st = MML_OK;
    const hid_t list = mmli_h5_creation(p->set), space = H5Dget_space(p->set), type = H5Dget_type(p->set);
    const hid_t file = H5Iget_file_id(p->set);
    unsigned options = 0;
    size_t bytes;

    MML_CHECK(list >= 0 && space >= 0 && type >= 0 && file >= 0 && H5Fget_filesize(file, &p->file_bytes) >= 0, MML_E_FORMAT,
              "%s: %s: damaged", p->path, p->name);
    if (H5Pget_layout(list) != H5D_CHUNKED)
        goto out;
    p->rank = H5Sget_simple_extent_ndims(space);
    MML_CHECK(p->rank > p->axis && p->rank <= MMLI_H5_MAX_RANK && H5Sget_simple_extent_dims(space, p->dims, NULL) == p->rank &&
                  H5Pget_chunk(list, MMLI_H5_MAX_RANK, p->chunk) == p->rank && (bytes = mmli_h5_bytes_in_file(type, p->set)) > 0,
              MML_E_FORMAT, "%s: %s: damaged", p->path, p->name);
    for (int i = 0; i < p->rank; i++)
        MML_CHECK(p->chunk[i] > 0 && p->chunk[i] <= SIZE_MAX && mmli_mul_size(&bytes, bytes, (size_t)p->chunk[i]), MML_E_FORMAT,
                  "%s: %s: its chunks are too large", p->path, p->name);
    p->n_filters = H5Pget_nfilters(list);
    MML_CHECK(p->n_filters >= 0 && p->n_filters <= FILTERS_MOST, MML_E_FORMAT, "%s: %s is packed with %d filters, at most %d are read",
              p->path, p->name, p->n_filters, FILTERS_MOST);
    for (int i = 0; i < p->n_filters; i++)
        p->filters[i] = H5Pget_filter2(list, (unsigned)i, &(unsigned){0}, &(size_t){0}, NULL, 0, NULL, &(unsigned){0});
    p->plain_edges = H5Pget_chunk_opts(list, &options) >= 0 && (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
    p->bytes = bytes;
out:
    mmli_h5_drop(file);
    mmli_h5_drop(type);
    mmli_h5_drop(space);
    mmli_h5_drop(list);
    return st;
}

mml_status mmli_packed_open(mmli_packed **out, hid_t dataset, int axis, const char *path, const char *name)
{
    mml_status st = MML_OK;
    mmli_packed *p = NULL;
    hsize_t n;

    *out = NULL;
    mmli_h5_lock();
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    *p = (mmli_packed){.set = dataset, .path = path, .name = name, .axis = axis};
    MML_TRY(look(p));
    if (p->bytes > 0) {
        n = p->dims[axis] / p->chunk[axis] + (p->dims[axis] % p->chunk[axis] != 0);
        if (n <= p->file_bytes) { /* every chunk that is there takes some bytes */
            p->n_fine = (size_t)n;
            MML_TRY(mmli_calloc(&p->fine, p->n_fine, 1));
        }
    }
    *out = p;
    p = NULL;
out:
    mmli_packed_close(p);
    mmli_h5_unlock();
    return st;
}

/* ---- unpacking ------------------------------------------------------------------------------------------------------ */

/* Bytes that deflate makes of n, counted until they are `enough`; 0: HDF5 cannot unpack it either. */
static mml_status inflated(size_t *out, mmli_packed *p, size_t n, size_t enough)
{
    mml_status st = MML_OK;
    int code = Z_OK;

    *out = 0;
    MML_TRY(mmli_grow(&p->scratch, &p->cap_scratch, SCRATCH_BYTES, 1));
    if (!p->has_z) {
        MML_CHECK(inflateInit(&p->z) == Z_OK, MML_E_NOMEM, "%s: %s: no memory left to unpack it", p->path, p->name);
        p->has_z = true;
    }
    (void)inflateReset(&p->z);
    p->z.next_in = p->stored;
    p->z.avail_in = (uInt)n; /* a chunk has less than 4 GiB */
    while (code == Z_OK && *out < enough) {
        p->z.next_out = p->scratch;
        p->z.avail_out = SCRATCH_BYTES;
        code = inflate(&p->z, Z_NO_FLUSH);
        *out += SCRATCH_BYTES - p->z.avail_out;
    }
    if (code != Z_OK && code != Z_STREAM_END)
        *out = 0;
out:
    return st;
}

static mml_status lzf_unpacked(size_t *out, mmli_packed *p, size_t n, size_t enough)
{
    mml_status st = MML_OK;

    *out = 0;
    MML_TRY(mmli_grow(&p->scratch, &p->cap_scratch, enough, 1));
    if (n <= UINT_MAX && enough <= UINT_MAX)
        *out = lzf_decompress(p->stored, (unsigned)n, p->scratch, (unsigned)enough);
out:
    return st;
}

/* Bytes that a stored chunk of n unpacks to, or at least `enough`. skipped: bits of filters that were left out for it. */
static mml_status unpacked_size(size_t *out, mmli_packed *p, size_t n, uint32_t skipped, size_t enough)
{
    mml_status st = MML_OK;
    bool as_stored = true; /* the bytes are those in p->stored */

    for (int i = p->n_filters; i-- > 0;) {
        const H5Z_filter_t filter = p->filters[i];

        if ((skipped >> i & 1) != 0)
            continue;
        if (filter == H5Z_FILTER_FLETCHER32) {
            MML_CHECK(n >= CHECKSUM_BYTES, MML_E_FORMAT, "%s: %s: a chunk is smaller than its checksum: damaged", p->path, p->name);
            n -= CHECKSUM_BYTES;
        } else if (filter == H5Z_FILTER_DEFLATE || filter == MMLI_H5_LZF) {
            MML_CHECK(as_stored, MML_E_FORMAT, "%s: %s is packed twice, or shuffled after it was packed; repack it with gzip where it is "
                      "(h5repack -f GZIP=4)", p->path, p->name);
            MML_TRY(filter == H5Z_FILTER_DEFLATE ? inflated(&n, p, n, enough) : lzf_unpacked(&n, p, n, enough));
            n = n > 0 ? n : enough;
            as_stored = false;
        } else if (filter == H5Z_FILTER_SHUFFLE) {
            as_stored = false;
        } else { /* of a plug-in: whoever installs one trusts it */
            n = enough;
            as_stored = false;
        }
    }
    *out = n;
out:
    return st;
}

static bool over_the_edge(const mmli_packed *p, const hsize_t *at)
{
    for (int i = 0; i < p->rank; i++)
        if (p->chunk[i] > p->dims[i] - at[i])
            return true;
    return false;
}

/* The chunk whose first element is at `at`. Lock held. */
static mml_status check_chunk(mmli_packed *p, const hsize_t *at)
{
    mml_status st = MML_OK;
#if H5_VERSION_GE(1, 10, 3)
    hsize_t stored = 0;
    uint32_t skipped = 0;
    size_t n;
    mmli_h5_note why;

    /* Fails, or is 0, when the chunk was never written; what else may be wrong is found by HDF5 in the same way when it reads. */
    if (H5Dget_chunk_storage_size(p->set, at, &stored) < 0 || stored == 0)
        goto out;
    MML_CHECK(stored <= p->file_bytes && stored < UINT32_MAX, MML_E_FORMAT, "%s: %s: a chunk of %llu bytes is larger than the file: "
              "damaged", p->path, p->name, (unsigned long long)stored);
    n = (size_t)stored;
    if (!(p->plain_edges && over_the_edge(p, at))) {
        MML_TRY(mmli_grow(&p->stored, &p->cap_stored, n > p->bytes ? n : p->bytes, 1));
        if (H5Dread_chunk(p->set, H5P_DEFAULT, at, &skipped, p->stored) < 0) {
            why = mmli_h5_why();
            st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", p->path, p->name, why.text);
            goto out;
        }
        MML_TRY(unpacked_size(&n, p, n, skipped, p->bytes + (size_t)p->n_filters * CHECKSUM_BYTES));
    }
    MML_CHECK(n >= p->bytes, MML_E_FORMAT, "%s: %s: a chunk has %zu bytes, it must have %zu: damaged", p->path, p->name, n, p->bytes);
out:
#else
    (void)p, (void)at;
#endif
    return st;
}

/* Chunks without filters have their size in the index, which HDF5 believes. */
static mml_status check_sizes(mmli_packed *p)
{
    mml_status st = MML_OK;
    bool told, damaged;

    MML_TRY(mmli_chunks_sizes(&told, &damaged, p->set, p->rank, p->bytes));
#if H5_VERSION_GE(1, 10, 5)
    if (!told) { /* one by one, which takes the square of their number */
        const hid_t space = H5Dget_space(p->set);
        hsize_t n = 0, size, at[MMLI_H5_MAX_RANK];

        if (space >= 0 && H5Dget_num_chunks(p->set, space, &n) >= 0 && n <= LISTED_MOST)
            for (hsize_t i = 0; i < n && !damaged; i++)
                damaged = H5Dget_chunk_info(p->set, space, i, at, NULL, NULL, &size) < 0 || size < p->bytes;
        mmli_h5_drop(space);
    }
#endif
    MML_CHECK(!damaged, MML_E_FORMAT, "%s: %s: a chunk has another size than the %zu bytes that it must have: damaged", p->path, p->name,
              p->bytes);
    p->sized = true;
out:
    return st;
}

/* All chunks that are number `row` along the axis. */
static mml_status check_across(mmli_packed *p, size_t row)
{
    mml_status st = MML_OK;
    hsize_t at[MMLI_H5_MAX_RANK] = {0};
    int i;

    at[p->axis] = row * p->chunk[p->axis];
    do {
        MML_TRY(check_chunk(p, at));
        for (i = p->rank; i-- > 0;) { /* the next one: the last dimension first */
            if (i == p->axis)
                continue;
            if (p->dims[i] - at[i] > p->chunk[i]) {
                at[i] += p->chunk[i];
                break;
            }
            at[i] = 0;
        }
    } while (i >= 0);
out:
    return st;
}

mml_status mmli_packed_check(mmli_packed *p, size_t first, size_t count)
{
    mml_status st = MML_OK;

    if (p->bytes == 0 || count == 0)
        return MML_OK;
    mmli_h5_lock();
    for (int i = 0; i < p->rank; i++)
        if (p->dims[i] == 0)
            goto out;
    MML_CHECK(first < p->dims[p->axis] && count <= p->dims[p->axis] - first, MML_E_SHAPE, "%s: %s: rows %zu to %zu are not there", p->path,
              p->name, first, first + count - 1);
    if (p->n_filters == 0) {
        st = p->sized ? MML_OK : check_sizes(p);
        goto out;
    }
    for (size_t row = (size_t)(first / p->chunk[p->axis]); row <= (first + count - 1) / p->chunk[p->axis]; row++) {
        if (p->fine != NULL && p->fine[row])
            continue;
        MML_TRY(check_across(p, row));
        if (p->fine != NULL)
            p->fine[row] = 1;
    }
out:
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_check_packed(hid_t dataset, const char *path, const char *name)
{
    mml_status st = MML_OK;
    mmli_packed *p = NULL;

    MML_TRY(mmli_packed_open(&p, dataset, 0, path, name));
    if (p->bytes > 0 && p->dims[0] <= SIZE_MAX)
        MML_TRY(mmli_packed_check(p, 0, (size_t)p->dims[0]));
out:
    mmli_packed_close(p);
    return st;
}
