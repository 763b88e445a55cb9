/* chunks.c - the index of chunks, read from the file.
 *
 * TRIDENT and h5py write bags with one row a chunk. HDF5 looks each chunk up alone, at a cost far above that of reading 4 KiB,
 * and HDF5 1.10 cannot list them (H5Dget_chunk_info walks from the first chunk every time; H5Dchunk_iter came with 1.14). So
 * the index is read here, as the HDF5 File Format Specification 3.0 describes it: object header (IV.A.1), data layout message
 * version 3 (IV.A.2.i), B-tree version 1 of node type 1 (III.A.1). Files in the newest format have other indices
 * (III.C, VII): those are left to HDF5.
 *
 * Nothing in here is believed: every address is checked against the file, every chunk must come once, with the size
 * that it must have. At the first doubt the answer is "cannot be told", and HDF5 finds the words for what is wrong; but not
 * for a chunk of another size, which HDF5 1.10 does not notice. */
#include "io/chunks.h"

#include <string.h>

#include "io/h5.h"
#include "util/alloc.h"

enum {
    MOST_HEADER = 1 << 20, /* bytes of one block of an object header */
    MOST_BLOCKS = 64,      /* of one object header */
    MOST_LEVELS = 8,       /* of the tree: more than 32^8 chunks */
    LAYOUT = 8,            /* kinds of header messages */
    CONTINUATION = 16
};

static uint64_t number(const unsigned char *bytes, int n) /* little-endian */
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | bytes[n];
    return v;
}

/* ---- the object header: where is the tree? ------------------------------------------------------------------------ */

typedef struct block {
    uint64_t at, size; /* of its messages */
} block;

/* What is looked for, and the blocks of the header still to be read. */
typedef struct header {
    const mmli_h5_bytes *file;
    int rank;
    bool old, ordered; /* version 1; version 2 with creation order in every message */
    block blocks[MOST_BLOCKS];
    size_t n;
    bool found;
    uint64_t tree;
} header;

static bool take_layout(header *h, const unsigned char *message, size_t size)
{
    const size_t rank = (size_t)h->rank;

    /* version 3, class 2 = chunked, dimensions with that of the element's bytes, address, lengths */
    if (size < 11 + 4 * (rank + 1) || message[0] != 3 || message[1] != 2 || message[2] != rank + 1)
        return false;
    h->tree = number(message + 3, 8);
    h->found = true;
    return true;
}

static bool take_continuation(header *h, const unsigned char *message, size_t size)
{
    const uint64_t frame = h->old ? 0 : 8; /* version 2: "OCHK" before, a checksum after */
    uint64_t at, length;

    if (size < 16 || h->n == MOST_BLOCKS)
        return false;
    at = number(message, 8);
    length = number(message + 8, 8);
    if (length < frame || length > MOST_HEADER || at > UINT64_MAX - 4)
        return false;
    h->blocks[h->n++] = (block){at + frame / 2, length - frame};
    return true;
}

/* The messages of one block. false: not understood. */
static bool take_messages(header *h, const unsigned char *bytes, size_t size)
{
    const size_t head = h->old ? 8 : h->ordered ? 6 : 4;

    for (size_t at = 0; at + head <= size && !h->found;) {
        const unsigned kind = (unsigned)number(bytes + at, h->old ? 2 : 1);
        const size_t length = (size_t)number(bytes + at + (h->old ? 2 : 1), 2);

        if (length > size - at - head)
            return false;
        if (kind == LAYOUT && !take_layout(h, bytes + at + head, length))
            return false;
        if (kind == CONTINUATION && !take_continuation(h, bytes + at + head, length))
            return false;
        at += head + length;
    }
    return true;
}

/* The first block: where its messages are. */
static bool begin_header(header *h, uint64_t at)
{
    unsigned char bytes[48] = {0};
    const uint64_t left = at < h->file->size ? h->file->size - at : 0;
    size_t to = 6, width;

    if (!mmli_h5_bytes_get(bytes, h->file, at, left < sizeof bytes ? (size_t)left : sizeof bytes))
        return false;
    h->old = bytes[0] == 1;
    if (h->old) { /* version, 0, messages (2), references (4), size (4), 4 bytes to a multiple of 8 */
        h->blocks[h->n++] = (block){at + 16, number(bytes + 8, 4)};
        return true;
    }
    if (memcmp(bytes, "OHDR\2", 5) != 0)
        return false;
    h->ordered = (bytes[5] & 4) != 0;
    to += ((bytes[5] & 0x20) != 0 ? 16u : 0u) + ((bytes[5] & 0x10) != 0 ? 4u : 0u); /* times; limits of attributes */
    width = (size_t)1 << (bytes[5] & 3);
    h->blocks[h->n++] = (block){at + to + width, number(bytes + to, (int)width)};
    return true;
}

static mml_status find_tree(uint64_t *tree, bool *found, const mmli_h5_bytes *file, uint64_t at, int rank)
{
    mml_status st = MML_OK;
    header h = {.file = file, .rank = rank};
    unsigned char *bytes = NULL;

    *found = false;
    if (!begin_header(&h, at))
        return MML_OK;
    for (size_t i = 0; i < h.n && !h.found; i++) {
        const block b = h.blocks[i];

        mmli_free(bytes);
        bytes = NULL;
        if (b.size > MOST_HEADER || b.size > file->size)
            goto out;
        if ((st = mmli_calloc(&bytes, (size_t)b.size, 1)) != MML_OK)
            goto out;
        if (!mmli_h5_bytes_get(bytes, file, b.at, (size_t)b.size) || !take_messages(&h, bytes, (size_t)b.size))
            goto out;
    }
    *found = h.found;
    *tree = h.tree;
out:
    mmli_free(bytes);
    return st;
}

/* ---- the tree ------------------------------------------------------------------------------------------------------- */

typedef struct walk {
    const mmli_h5_bytes *file;
    int rank, axis;
    size_t rows, n, seen, chunk_bytes;
    uint64_t *at; /* UINT64_MAX = not seen yet; NULL: only the sizes are looked at */
    bool damaged;
} walk;

/* A chunk by its key: size, filters left out, place of its first element in each dimension, 0. */
static bool take_chunk(walk *w, const unsigned char *key, uint64_t address)
{
    size_t which = 0;

    w->damaged = w->damaged || number(key, 4) != w->chunk_bytes;
    if (w->at == NULL)
        return !w->damaged && w->seen++ < w->n;
    if (w->damaged || number(key + 4, 4) != 0)
        return false;
    for (int i = 0; i <= w->rank; i++) {
        const uint64_t first = number(key + 8 + 8 * i, 8);

        if (i != w->axis && first != 0)
            return false;
        if (i == w->axis && (first % w->rows != 0 || first / w->rows >= w->n))
            return false;
        if (i == w->axis)
            which = (size_t)(first / w->rows);
    }
    if (w->at[which] != UINT64_MAX || address > w->file->size || w->chunk_bytes > w->file->size - address)
        return false;
    w->at[which] = address;
    w->seen++;
    return true;
}

/* The subtree at `at`, which must be of that level (-1: the root, of any). */
static bool take_node(walk *w, uint64_t at, int level)
{
    enum { HEAD = 24, TOGETHER = 64 /* entries, the usual size of a node */ };
    const size_t key = 8 + 8 * (size_t)(w->rank + 1), step = key + 8;
    unsigned char head[HEAD], some[TOGETHER * (8 + 8 * (MMLI_H5_MAX_RANK + 1) + 8)];
    size_t entries;

    if (!mmli_h5_bytes_get(head, w->file, at, HEAD) || memcmp(head, "TREE\1", 5) != 0 || head[5] >= MOST_LEVELS ||
        (level >= 0 && head[5] != level))
        return false;
    entries = (size_t)number(head + 6, 2);
    if (entries == 0 && level >= 0) /* an empty node below the root could make a small file into endless work */
        return false;
    for (size_t i = 0; i < entries; i++) {
        const unsigned char *entry = some + i % TOGETHER * step;
        const size_t left = entries - i;

        if (i % TOGETHER == 0 &&
            !mmli_h5_bytes_get(some, w->file, at + HEAD + i * step, (left < TOGETHER ? left : TOGETHER) * step))
            return false;
        if (head[5] == 0 ? !take_chunk(w, entry, number(entry + key, 8))
                         : !take_node(w, number(entry + key, 8), head[5] - 1))
            return false;
    }
    return true;
}

/* Where the header of an object is, without what else HDF5 would count (it walks the index for some of it). */
static bool header_address(uint64_t *out, hid_t object)
{
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;
    haddr_t at;

    if (H5Oget_info3(object, &info, H5O_INFO_BASIC) < 0 || H5VLnative_token_to_addr(object, info.token, &at) < 0)
        return false;
    *out = at;
#elif H5_VERSION_GE(1, 10, 3)
    H5O_info_t info;

    if (H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0)
        return false;
    *out = info.addr;
#else
    H5O_info_t info;

    if (H5Oget_info(object, &info) < 0)
        return false;
    *out = info.addr;
#endif
    return true;
}

/* Where the tree of a data set is, if its file has addresses as nearly all have. */
static mml_status tree_of(uint64_t *tree, bool *found, const mmli_h5_bytes *file, hid_t dataset, int rank)
{
    mml_status st = MML_OK;
    const hid_t id = H5Iget_file_id(dataset), creation = id < 0 ? -1 : H5Fget_create_plist(id);
    size_t address_size = 0, length_size = 0;
    uint64_t at;

    *found = false;
    if (creation >= 0 && H5Pget_sizes(creation, &address_size, &length_size) >= 0 && address_size == 8 && length_size == 8 &&
        header_address(&at, dataset))
        st = find_tree(tree, found, file, at, rank);
    mmli_h5_drop(creation);
    mmli_h5_drop(id);
    return st;
}

mml_status mmli_chunks_sizes(bool *told, bool *damaged, hid_t dataset, int rank, size_t chunk_bytes)
{
    mml_status st = MML_OK;
    mmli_h5_bytes file;
    walk w = {.file = &file, .rank = rank, .chunk_bytes = chunk_bytes};
    uint64_t tree;
    bool found;

    *told = *damaged = false;
    if (!mmli_h5_bytes_of(&file, dataset))
        return MML_OK;
    if ((st = tree_of(&tree, &found, &file, dataset, rank)) != MML_OK || !found)
        return st;
    w.n = file.size / 40 > SIZE_MAX ? SIZE_MAX : (size_t)(file.size / 40); /* the least that an entry takes */
    *told = take_node(&w, tree, -1) || w.damaged;
    *damaged = w.damaged;
    return MML_OK;
}

mml_status mmli_chunks_find(uint64_t **out, bool *damaged, const mmli_h5_bytes *file, hid_t dataset, int rank, int axis, size_t rows,
                            size_t n, size_t chunk_bytes)
{
    mml_status st = MML_OK;
    walk w = {.file = file, .rank = rank, .axis = axis, .rows = rows, .n = n, .chunk_bytes = chunk_bytes};
    uint64_t tree;
    bool found;

    *out = NULL;
    *damaged = false;
    if (n > file->size / 40) /* the least that an entry takes */
        goto out;
    if ((st = tree_of(&tree, &found, file, dataset, rank)) != MML_OK || !found)
        goto out;
    if ((st = mmli_calloc(&w.at, n, sizeof *w.at)) != MML_OK)
        goto out;
    memset(w.at, 0xFF, n * sizeof *w.at);
    if (!take_node(&w, tree, -1) || w.seen != n)
        goto out;
    *out = w.at;
    w.at = NULL;
out:
    *damaged = w.damaged;
    mmli_free(w.at);
    return st;
}
