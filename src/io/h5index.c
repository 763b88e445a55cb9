/* h5index.c - see h5walk.h: how the chunks of a data set are found (HDF5 File Format Specification 3.0, III.A.1, III.A.2, VII).
 *
 * HDF5 1.10 follows a tree into itself, and takes from an array what is there instead of what the data set needs. Where chunks lie and how
 * large they are is looked at by chunks.c and h5packed.c. */
#include <string.h>

#include "io/h5walk.h"

enum { SIGNATURE = 4, CHECKSUM = 4, MASK = 4 };

/* ---- trees of version 1 ------------------------------------------------------------------------------------------------- */

typedef struct tree {
    mmli_h5_check *c;
    size_t key; /* bytes */
    uint64_t nodes, nodes_most;
} tree;

/* A node and those below it that are no leaves; of a leaf only what it is. */
static bool node(tree *t, uint64_t at, int level, int depth)
{
    mmli_h5_check *c = t->c;
    const size_t head = SIGNATURE + 4 + 2 * (size_t)c->address;
    mmli_h5_piece p;
    uint64_t n;
    int own;

    if (depth >= MMLI_H5_DEPTH_MOST || ++t->nodes > t->nodes_most)
        return mmli_h5_bad(c, at, "a tree of chunks has too many levels, or goes round in circles");
    if (!mmli_h5_load(&p, c, MMLI_H5_TREE + depth, at, head, "a tree of chunks"))
        return false;
    if (memcmp(p.bytes, "TREE\1", SIGNATURE + 1) != 0) /* type 1: of chunks */
        return mmli_h5_bad(c, at, "a tree of chunks is none");
    (void)mmli_h5_take(&p, SIGNATURE + 1);
    own = (int)mmli_h5_number(&p, 1);
    n = mmli_h5_number(&p, 2);
    if (level >= 0 && own != level)
        return mmli_h5_bad(c, at, "a tree of chunks has levels that do not follow each other");
    if (own == 0)
        return true;
    if (!mmli_h5_load(&p, c, MMLI_H5_TREE + depth, at + head, n * (t->key + c->address), "a tree of chunks"))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        (void)mmli_h5_take(&p, t->key);
        if (!node(t, mmli_h5_address(&p, c), own - 1, depth + 1))
            return false;
    }
    return true;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------------- */

/* Bytes of an element of an array, and of a record of a tree but for the places of chunks; filtered chunks have a size and a mask too. */
static size_t element(const mmli_h5_check *c, const mmli_h5_facts *f)
{
    enum { MOST = 8 };
    uint64_t chunk = 1;
    unsigned bits = 0;
    size_t size;

    if (f->filters == 0)
        return c->address;
    for (unsigned i = 0; i < f->layout.rank; i++)
        chunk *= f->layout.chunk[i];
    while (chunk >>= 1)
        bits++;
    size = 1 + (bits + 8) / 8;
    return c->address + (size < MOST ? size : MOST) + MASK;
}

/* How many chunks the data set has, or may have in the dimensions that have a limit. */
static bool chunks_of(uint64_t *out, mmli_h5_check *c, const mmli_h5_facts *f)
{
    enum { MOST = 1 << 30 };

    *out = 1;
    for (unsigned i = 0; i < f->extent.rank; i++) {
        const uint64_t size = f->extent.most[i] == UINT64_MAX ? f->extent.dims[i] : f->extent.most[i], chunk = f->layout.chunk[i];
        const uint64_t n = size / chunk + (size % chunk != 0);

        if (f->extent.dims[i] > size || (n > 0 && *out > MOST / n))
            return mmli_h5_bad(c, f->at, "a data set of too many chunks for its index");
        *out *= n;
    }
    return true;
}

/* Version 0, and whether it is for filtered chunks. */
static bool array_head(mmli_h5_check *c, const mmli_h5_facts *f, mmli_h5_piece *p, const char *signature)
{
    const uint64_t at = p->at;
    const unsigned char *head = mmli_h5_take(p, SIGNATURE + 2);

    if (memcmp(head, signature, SIGNATURE + 1) != 0 || head[SIGNATURE + 1] != (f->filters > 0))
        return mmli_h5_bad(c, at, "an array of chunks is none, or of another kind");
    if (mmli_h5_number(p, 1) != element(c, f))
        return mmli_h5_bad(c, at, "an array of chunks with elements of another size");
    return true;
}

static bool fixed_array(mmli_h5_check *c, const mmli_h5_facts *f)
{
    enum { BITS_MOST = 24 };
    const uint64_t at = f->layout.address;
    mmli_h5_piece p;
    uint64_t bits, n, block;

    if (!mmli_h5_load(&p, c, MMLI_H5_HEAP, at, SIGNATURE + 4 + c->length + c->address + CHECKSUM, "an array of chunks") ||
        !array_head(c, f, &p, "FAHD"))
        return false;
    bits = mmli_h5_number(&p, 1);
    if (!chunks_of(&n, c, f))
        return false;
    if (bits == 0 || bits > BITS_MOST || mmli_h5_length(&p, c) != n)
        return mmli_h5_bad(c, at, "an array of another number of chunks than its data set has");
    block = mmli_h5_address(&p, c);
    if (block != UINT64_MAX && (block > c->file.size || n > (c->file.size - block) / element(c, f)))
        return mmli_h5_bad(c, at, "an array of chunks that goes over the end of the file");
    return true;
}

/* What the array is like follows from five numbers, for which HDF5 has no other values. */
static bool extensible_array(mmli_h5_check *c, const mmli_h5_facts *f)
{
    static const unsigned char only[] = {32, 4, 16, 4, 10};
    const uint64_t at = f->layout.address;
    mmli_h5_piece p;
    uint64_t n, used;

    if (!mmli_h5_load(&p, c, MMLI_H5_HEAP, at, SIGNATURE + 3 + sizeof only + 6 * c->length + c->address + CHECKSUM, "an array of chunks") ||
        !array_head(c, f, &p, "EAHD"))
        return false;
    if (memcmp(p.bytes, only, sizeof only) != 0)
        return mmli_h5_bad(c, at, "an array of chunks of an unknown shape; rewrite the file with h5repack");
    if (!chunks_of(&n, c, f))
        return false;
    (void)mmli_h5_take(&p, sizeof only + 4 * c->length);
    used = mmli_h5_length(&p, c); /* HDF5 looks at as many; after a data set has become smaller there are more than it has */
    return used <= n || used <= c->file.size || mmli_h5_bad(c, at, "an array of more chunks than its data set has");
}

/* Chunks that lie one after the other, all of them. */
static bool implicit(mmli_h5_check *c, const mmli_h5_facts *f)
{
    const uint64_t at = f->layout.address;
    uint64_t n, bytes = 1;

    if (!chunks_of(&n, c, f))
        return false;
    for (unsigned i = 0; i < f->layout.rank; i++)
        bytes *= f->layout.chunk[i];
    if (at > c->file.size || n > (c->file.size - at) / bytes)
        return mmli_h5_bad(c, f->at, "a data set whose chunks go over the end of the file");
    return true;
}

bool mmli_h5_walk_chunks(mmli_h5_check *c, const mmli_h5_facts *f)
{
    enum { OFFSET = 8, WITH_FILTERS = 11, WITHOUT = 10 };
    const uint64_t at = f->layout.address;
    tree t = {.c = c, .key = 4 + MASK + OFFSET * (size_t)f->layout.rank, .nodes_most = c->file.size / (SIGNATURE + 4) + 1};
    const mmli_h5_tree2 records = {f->filters > 0 ? WITH_FILTERS : WITHOUT, element(c, f) + OFFSET * f->extent.rank, NULL, NULL};
    const int kind = MMLI_H5_WALKED_CHUNKS + (int)f->layout.index;
    bool ok = true;

    if (at == UINT64_MAX || mmli_h5_was_walked(c, kind, at, f->at))
        return true; /* no chunks yet */
    switch (f->layout.index) {
    case MMLI_H5_BY_TREE: ok = node(&t, at, -1, 0); break;
    case MMLI_H5_ONE_CHUNK: return true;
    case MMLI_H5_IMPLICIT: return implicit(c, f);
    case MMLI_H5_FIXED_ARRAY: ok = fixed_array(c, f); break;
    case MMLI_H5_EXTENSIBLE_ARRAY: ok = extensible_array(c, f); break;
    case MMLI_H5_BY_TREE_2: ok = mmli_h5_walk_tree2(c, at, &records); break;
    }
    if (ok)
        mmli_h5_walked_add(c, kind, at, f->at);
    return ok;
}
