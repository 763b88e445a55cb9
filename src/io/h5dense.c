/* h5dense.c - see h5walk.h: links and attributes that do not fit into the header (HDF5 File Format Specification 3.0, III.G).
 *
 * They lie as messages in a fractal heap, and trees name them by ids: an offset and a length in the heap, or the number of an object too
 * large for it. HDF5 1.10 subtracts what a block says of its own place from the offset, decodes without an end, and has tables for as many
 * rows as the header says. So all blocks are found first, and every object that a tree names is checked. */
#include <string.h>

#include "io/h5walk.h"
#include "util/alloc.h"

enum {
    SIGNATURE = 4, CHECKSUM = 4,
    ID_LINK = 7, ID_ATTRIBUTE = 8,
    BY_NAME_LINK = 5, BY_ORDER_LINK = 6, BY_NAME_ATTRIBUTE = 8, BY_ORDER_ATTRIBUTE = 9, HUGE = 1, /* types of trees */
    BLOCK_LEAST = 512, BLOCK_MOST = 1 << 24, WIDTH_MOST = 256
};

/* A block of the heap that has objects. */
typedef struct block {
    uint64_t offset, at, size;
} block;

typedef struct heap {
    mmli_h5_check *c;
    bool links, huge_direct; /* ids of large objects: their places, not their numbers */
    uint64_t at, id_bytes, width, start, direct_most, table, huge;
    unsigned bits, rows, offset_bytes, length_bytes, overhead, direct_rows, most_rows;
    uint64_t object_most; /* bytes of an object in a block */
    block *blocks;        /* (n) by their offsets */
    size_t n, cap;
} heap;

static bool bad(heap *h, const char *what)
{
    return mmli_h5_bad(h->c, h->at, "a heap of %s %s", h->links ? "links" : "attributes", what);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------- */

static uint64_t row_size(const heap *h, unsigned row)
{
    return row == 0 ? h->start : h->start << (row - 1);
}

/* Signature, version, owner and place, which direct and indirect blocks begin with. */
static bool block_head(heap *h, mmli_h5_piece *p, const char *signature, uint64_t offset)
{
    const unsigned char *head = mmli_h5_take(p, SIGNATURE + 1);

    if (head == NULL || memcmp(head, signature, SIGNATURE + 1) != 0 || mmli_h5_address(p, h->c) != h->at ||
        mmli_h5_number(p, h->offset_bytes) != offset)
        return bad(h, "has a block that does not belong there");
    return true;
}

static bool direct(heap *h, uint64_t at, uint64_t offset, uint64_t size)
{
    mmli_h5_piece p;

    if (at > h->c->file.size || size > h->c->file.size - at)
        return bad(h, "has a block outside of the file");
    if (!mmli_h5_load(&p, h->c, MMLI_H5_OBJECT, at, h->overhead, "a heap's block") || !block_head(h, &p, "FHDB", offset))
        return false;
    if (mmli_grow(&h->blocks, &h->cap, h->n + 1, sizeof *h->blocks) != MML_OK) {
        h->c->no_memory = true;
        return bad(h, "is too large for the memory left");
    }
    h->blocks[h->n++] = (block){offset, at, size};
    return true;
}

static bool indirect(heap *h, uint64_t at, uint64_t offset, unsigned rows, int depth)
{
    const uint64_t n = rows * h->width;
    mmli_h5_piece p;
    uint64_t child, size;
    unsigned row;

    if (depth >= MMLI_H5_DEPTH_MOST || rows == 0 || rows > h->most_rows)
        return bad(h, "has an impossible shape");
    if (!mmli_h5_load(&p, h->c, MMLI_H5_TREE + depth, at, SIGNATURE + 1 + h->c->address + h->offset_bytes + n * h->c->address + CHECKSUM,
                      "a heap's block") ||
        !block_head(h, &p, "FHIB", offset))
        return false;
    for (uint64_t i = 0; i < n; i++, offset += size) {
        row = (unsigned)(i / h->width);
        size = row_size(h, row);
        child = mmli_h5_address(&p, h->c);
        if (child == UINT64_MAX)
            continue;
        if (row < h->direct_rows ? !direct(h, child, offset, size)
                                 : !indirect(h, child, offset,
                                             (unsigned)(mmli_h5_log2(size) - mmli_h5_log2(h->start) - mmli_h5_log2(h->width)) + 1, depth + 1))
            return false;
    }
    return true;
}

static bool shape(heap *h)
{
    const int start = mmli_h5_log2(h->start), direct_most = mmli_h5_log2(h->direct_most), width = mmli_h5_log2(h->width);

    if (start < 0 || direct_most < start || width < 0 || h->start < BLOCK_LEAST || h->direct_most > BLOCK_MOST || h->width > WIDTH_MOST ||
        h->bits > 64 || (int)h->bits < direct_most + width || h->object_most > h->direct_most)
        return bad(h, "has blocks of impossible sizes");
    h->direct_rows = (unsigned)(direct_most - start) + 2;
    h->most_rows = h->bits - (unsigned)(start + width) + 1;
    h->offset_bytes = (h->bits + 7) / 8;
    h->length_bytes = (unsigned)(direct_most + 7) / 8;
    if (mmli_h5_bytes_for(h->object_most) < h->length_bytes)
        h->length_bytes = mmli_h5_bytes_for(h->object_most);
    h->overhead += SIGNATURE + 1 + h->c->address + h->offset_bytes;
    if (h->rows > h->most_rows || 1 + h->offset_bytes + h->length_bytes > h->id_bytes)
        return bad(h, "has blocks of impossible sizes");
    return true;
}

static bool open_heap(heap *h)
{
    enum { FLAGS_KNOWN = 3, CHECKED = 2 };
    mmli_h5_check *c = h->c;
    mmli_h5_piece p;
    uint64_t filters, flags;

    if (!mmli_h5_load(&p, c, MMLI_H5_HEAP, h->at, SIGNATURE + 1 + 2 + 2 + 1 + 4 + 12 * c->length + 3 * c->address + 8 + CHECKSUM,
                      "a heap of links or attributes"))
        return false;
    if (memcmp(p.bytes, "FRHP", SIGNATURE + 1) != 0) /* version 0 */
        return bad(h, "is none");
    (void)mmli_h5_take(&p, SIGNATURE + 1);
    h->id_bytes = mmli_h5_number(&p, 2);
    filters = mmli_h5_number(&p, 2);
    flags = mmli_h5_number(&p, 1);
    h->object_most = mmli_h5_number(&p, 4);
    (void)mmli_h5_length(&p, c);
    h->huge = mmli_h5_address(&p, c);
    (void)mmli_h5_take(&p, c->length + c->address + 8 * c->length); /* what is free, statistics */
    h->width = mmli_h5_number(&p, 2);
    h->start = mmli_h5_length(&p, c);
    h->direct_most = mmli_h5_length(&p, c);
    h->bits = (unsigned)mmli_h5_number(&p, 2);
    (void)mmli_h5_number(&p, 2); /* rows to begin with */
    h->table = mmli_h5_address(&p, c);
    h->rows = (unsigned)mmli_h5_number(&p, 2);
    if (filters != 0)
        return bad(h, "is packed; rewrite the file with h5repack");
    if (flags > FLAGS_KNOWN || h->id_bytes != (h->links ? ID_LINK : ID_ATTRIBUTE))
        return bad(h, "is of an unknown kind");
    h->huge_direct = c->address + c->length + 1 <= h->id_bytes;
    h->overhead = (flags & CHECKED) != 0 ? CHECKSUM : 0;
    if (!shape(h))
        return false;
    if (h->table == UINT64_MAX)
        return true;
    return h->rows == 0 ? direct(h, h->table, 0, h->start) : indirect(h, h->table, 0, h->rows, 0);
}

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

static const block *block_with(const heap *h, uint64_t offset)
{
    size_t low = 0, high = h->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (h->blocks[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && offset - h->blocks[low - 1].offset < h->blocks[low - 1].size ? &h->blocks[low - 1] : NULL;
}

static bool check_message(heap *h, uint64_t at, uint64_t size)
{
    mmli_h5_piece p;

    if (!mmli_h5_load(&p, h->c, MMLI_H5_OBJECT, at, size, "a link or an attribute"))
        return false;
    return h->links ? mmli_h5_link(h->c, p) : mmli_h5_attribute(h->c, p);
}

/* An object of its own, too large for a block. */
static bool huge_record(void *user, mmli_h5_check *c, mmli_h5_piece record)
{
    const uint64_t at = mmli_h5_address(&record, c), size = mmli_h5_length(&record, c);

    return check_message(user, at, size);
}

/* All large objects, whichever an id means. */
static bool huge_objects(heap *h)
{
    const mmli_h5_tree2 tree = {HUGE, h->c->address + 2 * h->c->length, huge_record, h};

    return h->huge == UINT64_MAX || h->huge_direct || mmli_h5_walk_tree2(h->c, h->huge, &tree);
}

/* What an id in a tree means. */
static bool check_object(heap *h, mmli_h5_piece id)
{
    enum { MANAGED = 0, HUGE_ONE = 0x10, TINY = 0x20, LENGTH = 0x0f };
    const uint64_t kind = mmli_h5_number(&id, 1);
    uint64_t offset, size;
    const block *b;

    switch (kind & 0xf0) {
    case MANAGED:
        offset = mmli_h5_number(&id, h->offset_bytes);
        size = mmli_h5_number(&id, h->length_bytes);
        b = block_with(h, offset);
        if (b == NULL || offset - b->offset < h->overhead || size == 0 || size > h->object_most || size > b->size - (offset - b->offset))
            return bad(h, "has an object outside of its blocks");
        return check_message(h, b->at + (offset - b->offset), size);
    case HUGE_ONE:
        if (h->huge_direct) {
            offset = mmli_h5_address(&id, h->c);
            size = mmli_h5_length(&id, h->c);
            return check_message(h, offset, size);
        }
        return h->huge != UINT64_MAX || bad(h, "has no large objects but needs one");
    case TINY:
        size = (kind & LENGTH) + 1;
        return size < h->id_bytes ? check_message(h, id.at, size) : bad(h, "has an object that is larger than its name");
    default: return bad(h, "has an object of an unknown kind");
    }
}

static bool link_record(void *user, mmli_h5_check *c, mmli_h5_piece record)
{
    (void)c;
    (void)mmli_h5_take(&record, record.n - ID_LINK); /* hash or creation order */
    return check_object(user, record);
}

static bool attribute_record(void *user, mmli_h5_check *c, mmli_h5_piece record)
{
    const mmli_h5_piece id = mmli_h5_part(&record, ID_ATTRIBUTE);
    const uint64_t flags = mmli_h5_number(&record, 1);

    if ((flags & MMLI_H5_FLAG_SHARED) != 0)
        return mmli_h5_bad(c, record.at, "an attribute that objects share; rewrite the file with h5repack");
    return check_object(user, id);
}

static bool trees(heap *h, const mmli_h5_dense *d)
{
    const mmli_h5_tree2 names = {h->links ? BY_NAME_LINK : BY_NAME_ATTRIBUTE, h->links ? 4 + ID_LINK : ID_ATTRIBUTE + 1 + 4 + 4,
                                 h->links ? link_record : attribute_record, h};
    const mmli_h5_tree2 order = {h->links ? BY_ORDER_LINK : BY_ORDER_ATTRIBUTE, h->links ? 8 + ID_LINK : ID_ATTRIBUTE + 1 + 4,
                                 h->links ? link_record : attribute_record, h};

    return huge_objects(h) && mmli_h5_walk_tree2(h->c, d->names, &names) && (d->order == UINT64_MAX || mmli_h5_walk_tree2(h->c, d->order, &order));
}

bool mmli_h5_walk_dense(mmli_h5_check *c, const mmli_h5_dense *d, bool links)
{
    heap h = {.c = c, .links = links, .at = d->heap};
    const int kind = links ? MMLI_H5_WALKED_LINKS : MMLI_H5_WALKED_ATTRIBUTES;
    bool ok;

    if (d->heap == UINT64_MAX)
        return true; /* all in the header */
    if (d->names == UINT64_MAX)
        return mmli_h5_bad(c, d->at, "an index of links or attributes of which a part is missing");
    if (mmli_h5_was_walked(c, kind, d->heap, d->names) && (d->order == UINT64_MAX || mmli_h5_was_walked(c, kind, d->heap, d->order)))
        return true;
    ok = open_heap(&h) && trees(&h, d);
    mmli_free(h.blocks);
    if (ok) {
        mmli_h5_walked_add(c, kind, d->heap, d->names);
        mmli_h5_walked_add(c, kind, d->heap, d->order);
    }
    return ok;
}
