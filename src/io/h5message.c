/* h5message.c - see h5message.h. Each function follows what the decoder of HDF5 1.10 reads (H5O*.c), with the end of the message. */
#include "io/h5message.h"

#include <string.h>

static bool bad(mmli_h5_check *c, const mmli_h5_piece *p, const char *what)
{
    return mmli_h5_bad(c, p->at, "%s", what);
}

static size_t to_eight(size_t n)
{
    return (n + 7) / 8 * 8;
}

/* ---- dataspaces --------------------------------------------------------------------------------------------------------- */

static bool dataspace(mmli_h5_check *c, mmli_h5_extent *out, mmli_h5_piece *p)
{
    const uint64_t version = mmli_h5_number(p, 1), rank = mmli_h5_number(p, 1), flags = mmli_h5_number(p, 1), class = mmli_h5_number(p, 1);

    if (version < 1 || version > 2)
        return bad(c, p, "a dataspace of an unknown version");
    if (rank > MMLI_H5_RANK_MOST)
        return bad(c, p, "a dataspace of too many dimensions");
    if (version == 2 && (class > 2 || (class != 1 && rank > 0)))
        return bad(c, p, "a dataspace of an unknown class");
    if (version == 1)
        (void)mmli_h5_take(p, 4);
    *out = (mmli_h5_extent){.rank = (unsigned)rank, .null = version == 2 && class == 2, .n = 1};
    for (unsigned i = 0; i < rank; i++) {
        out->dims[i] = out->most[i] = mmli_h5_length(p, c);
        if (out->dims[i] > 0 && out->n > (uint64_t)INT64_MAX / out->dims[i])
            return bad(c, p, "a dataspace of an impossible size");
        out->n *= out->dims[i];
    }
    for (unsigned i = 0; (flags & 1) != 0 && i < rank; i++)
        out->most[i] = mmli_h5_length(p, c);
    if (out->null)
        out->n = 0;
    return true;
}

/* ---- links and attributes ----------------------------------------------------------------------------------------------- */

bool mmli_h5_link(mmli_h5_check *c, mmli_h5_piece p)
{
    enum { HARD = 0, SOFT = 1, USER = 64 };
    const uint64_t at = p.at, version = mmli_h5_number(&p, 1), flags = mmli_h5_number(&p, 1);
    const uint64_t type = (flags & 0x08) != 0 ? mmli_h5_number(&p, 1) : HARD;
    uint64_t n;

    if (p.over || version != 1 || flags > 0x1f || (type > SOFT && type < USER))
        return mmli_h5_bad(c, at, "a link of an unknown kind");
    if ((flags & 0x04) != 0)
        (void)mmli_h5_take(&p, 8); /* when it was made */
    if ((flags & 0x10) != 0 && mmli_h5_number(&p, 1) > 1)
        return mmli_h5_bad(c, at, "a link with a name in an unknown encoding");
    n = mmli_h5_number(&p, (size_t)1 << (flags & 3));
    if (n == 0 || n > p.n)
        return mmli_h5_bad(c, at, "a link whose name goes over the end of its message");
    (void)mmli_h5_take(&p, (size_t)n);
    if (type == HARD) {
        (void)mmli_h5_address(&p, c);
    } else {
        n = mmli_h5_number(&p, 2);
        (void)mmli_h5_take(&p, (size_t)n);
    }
    return !p.over || mmli_h5_bad(c, at, "a link that goes over the end of its message");
}

bool mmli_h5_attribute(mmli_h5_check *c, mmli_h5_piece p)
{
    const uint64_t at = p.at, version = mmli_h5_number(&p, 1), flags = mmli_h5_number(&p, 1);
    const size_t name = (size_t)mmli_h5_number(&p, 2), type = (size_t)mmli_h5_number(&p, 2), space = (size_t)mmli_h5_number(&p, 2);
    mmli_h5_piece part;
    mmli_h5_extent extent;
    size_t length;
    uint64_t element;
    bool ok;

    if (version < 1 || version > 3 || (version > 1 && flags > 3))
        return mmli_h5_bad(c, at, "an attribute of an unknown version");
    if (version > 1 && (flags & 2) != 0)
        return mmli_h5_bad(c, at, "an attribute with a shared dataspace; rewrite the file with h5repack");
    if (version == 3)
        (void)mmli_h5_take(&p, 1); /* encoding of the name */
    part = mmli_h5_part(&p, version == 1 ? to_eight(name) : name);
    if (!mmli_h5_text(&length, &part) || length + 1 != name)
        return mmli_h5_bad(c, at, "an attribute's name has another length than it should");
    part = mmli_h5_part(&p, version == 1 ? to_eight(type) : type);
    ok = version > 1 && (flags & 1) != 0 ? mmli_h5_shared_type(c, part, &element) : mmli_h5_datatype(c, &part, &element);
    if (!ok)
        return false;
    part = mmli_h5_part(&p, version == 1 ? to_eight(space) : space);
    if (!dataspace(c, &extent, &part))
        return false;
    if (part.over || p.over || (extent.n > 0 && extent.n > p.n / element))
        return mmli_h5_bad(c, at, "an attribute that goes over the end of its message");
    return true;
}

static bool dense(mmli_h5_check *c, mmli_h5_dense *out, mmli_h5_piece *p, size_t counter)
{
    const uint64_t at = p->at, version = mmli_h5_number(p, 1), flags = mmli_h5_number(p, 1);

    if (version != 0 || flags > 3)
        return bad(c, p, "an index of links or attributes of an unknown version");
    if ((flags & 1) != 0)
        (void)mmli_h5_take(p, counter);
    *out = (mmli_h5_dense){.there = true, .at = at};
    out->heap = mmli_h5_address(p, c);
    out->names = mmli_h5_address(p, c);
    out->order = (flags & 2) != 0 ? mmli_h5_address(p, c) : UINT64_MAX;
    return true;
}

/* ---- how values are stored ---------------------------------------------------------------------------------------------- */

static bool fill(mmli_h5_check *c, uint64_t *out, mmli_h5_piece *p)
{
    enum { UNDEFINED = 0x10, DEFINED = 0x20 };
    const uint64_t version = mmli_h5_number(p, 1), flags = version == 3 ? mmli_h5_number(p, 1) : 0;
    bool has = (flags & DEFINED) != 0;

    if (version < 1 || version > 3)
        return bad(c, p, "a fill value of an unknown version");
    if (version == 3 && (flags > 0x3f || (flags & (UNDEFINED | DEFINED)) == (UNDEFINED | DEFINED)))
        return bad(c, p, "a fill value of an unknown kind");
    if (version < 3) {
        (void)mmli_h5_take(p, 2);
        has = mmli_h5_number(p, 1) != 0;
    }
    *out = has ? mmli_h5_number(p, 4) : 0;
    if (version < 3 && *out == UINT32_MAX) /* as HDF5 writes "none" */
        *out = 0;
    (void)mmli_h5_take(p, (size_t)*out);
    return true;
}

static bool fill_old(uint64_t *out, mmli_h5_piece *p)
{
    *out = mmli_h5_number(p, 4);
    (void)mmli_h5_take(p, (size_t)*out);
    return true;
}

static bool chunk_sizes(mmli_h5_check *c, mmli_h5_layout *out, mmli_h5_piece *p, uint64_t rank, size_t bytes)
{
    uint64_t total = 1;

    if (p->over || rank < 2 || rank > MMLI_H5_RANK_MOST + 1)
        return bad(c, p, "chunks of too many or too few dimensions");
    out->rank = (unsigned)rank;
    for (uint64_t i = 0; i < rank; i++) {
        out->chunk[i] = mmli_h5_number(p, bytes);
        if (out->chunk[i] == 0 || total > UINT32_MAX / out->chunk[i]) /* HDF5 multiplies in 32 bits */
            return bad(c, p, "chunks of an impossible size");
        total *= out->chunk[i];
    }
    return true;
}

/* Version 4. */
static bool new_index(mmli_h5_check *c, mmli_h5_layout *out, mmli_h5_piece *p, uint64_t flags)
{
    const uint64_t kind = mmli_h5_number(p, 1);

    switch (kind) {
    case 1:
        out->index = MMLI_H5_ONE_CHUNK;
        if ((flags & 2) != 0)
            (void)mmli_h5_take(p, c->length + 4);
        break;
    case 2: out->index = MMLI_H5_IMPLICIT; break;
    case 3:
        out->index = MMLI_H5_FIXED_ARRAY;
        (void)mmli_h5_take(p, 1);
        break;
    case 4:
        out->index = MMLI_H5_EXTENSIBLE_ARRAY;
        (void)mmli_h5_take(p, 5);
        break;
    case 5:
        out->index = MMLI_H5_BY_TREE_2;
        (void)mmli_h5_take(p, 6);
        break;
    default: return bad(c, p, "chunks with an index of an unknown kind");
    }
    out->address = mmli_h5_address(p, c);
    return true;
}

static bool layout_old(mmli_h5_check *c, mmli_h5_layout *out, mmli_h5_piece *p)
{
    const uint64_t rank = mmli_h5_number(p, 1), class = mmli_h5_number(p, 1);

    (void)mmli_h5_take(p, 5);
    if (rank == 0 || rank > MMLI_H5_RANK_MOST + 1 || class > MMLI_H5_CHUNKED)
        return bad(c, p, "a layout of an unknown class");
    out->how = (mmli_h5_layout_class)class;
    out->address = class == MMLI_H5_COMPACT ? UINT64_MAX : mmli_h5_address(p, c);
    if (class == MMLI_H5_CHUNKED)
        return chunk_sizes(c, out, p, rank, 4);
    (void)mmli_h5_take(p, 4 * (size_t)rank);
    if (class == MMLI_H5_COMPACT) {
        out->size = mmli_h5_number(p, 4);
        (void)mmli_h5_take(p, (size_t)out->size);
    }
    return true;
}

static bool layout(mmli_h5_check *c, mmli_h5_layout *out, mmli_h5_piece *p)
{
    const uint64_t version = mmli_h5_number(p, 1), class = version < 3 ? 0 : mmli_h5_number(p, 1);
    uint64_t flags, rank;

    *out = (mmli_h5_layout){.version = (int)version, .how = (mmli_h5_layout_class)class, .address = UINT64_MAX};
    if (version == 0 || version > 4 || class > MMLI_H5_VIRTUAL)
        return bad(c, p, "a layout that HDF5 1.10 does not know; write the file with libver='v110'");
    if (version < 3)
        return layout_old(c, out, p);
    switch (out->how) {
    case MMLI_H5_COMPACT:
        out->size = mmli_h5_number(p, 2);
        (void)mmli_h5_take(p, (size_t)out->size);
        break;
    case MMLI_H5_CONTIGUOUS:
        out->address = mmli_h5_address(p, c);
        out->size = mmli_h5_length(p, c);
        break;
    case MMLI_H5_CHUNKED:
        flags = version == 4 ? mmli_h5_number(p, 1) : 0;
        rank = mmli_h5_number(p, 1);
        if (version == 3) {
            out->address = mmli_h5_address(p, c);
            return chunk_sizes(c, out, p, rank, 4);
        } else {
            const uint64_t bytes = mmli_h5_number(p, 1);

            if (flags > 3 || bytes == 0 || bytes > 8)
                return bad(c, p, "chunks with sizes in an unknown form");
            return chunk_sizes(c, out, p, rank, (size_t)bytes) && new_index(c, out, p, flags);
        }
    case MMLI_H5_VIRTUAL:
        (void)mmli_h5_take(p, c->address + 4);
        break;
    }
    return true;
}

static bool filters(mmli_h5_check *c, unsigned *out, mmli_h5_piece *p)
{
    enum { MOST = 32, REGISTERED = 256 /* those from here on have names in version 2 */ };
    const uint64_t version = mmli_h5_number(p, 1), n = mmli_h5_number(p, 1);
    uint64_t id, name, values;
    size_t length;
    mmli_h5_piece part;

    if (version < 1 || version > 2 || n > MOST)
        return bad(c, p, "filters of an unknown version, or too many");
    if (version == 1)
        (void)mmli_h5_take(p, 6);
    for (uint64_t i = 0; i < n; i++) {
        id = mmli_h5_number(p, 2);
        name = version == 1 || id >= REGISTERED ? mmli_h5_number(p, 2) : 0;
        (void)mmli_h5_number(p, 2); /* flags */
        values = mmli_h5_number(p, 2);
        if (name > 0) {
            part = mmli_h5_part(p, (size_t)name);
            if (!mmli_h5_text(&length, &part))
                return bad(c, p, "a filter's name has no end");
        }
        (void)mmli_h5_take(p, 4 * (size_t)(version == 1 ? values + values % 2 : values));
    }
    *out = (unsigned)n;
    return true;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------- */

static bool group_info(mmli_h5_check *c, mmli_h5_piece *p)
{
    const uint64_t version = mmli_h5_number(p, 1), flags = mmli_h5_number(p, 1);

    (void)mmli_h5_take(p, ((flags & 1) != 0 ? 4 : 0) + ((flags & 2) != 0 ? 4 : 0));
    return (version == 0 && flags <= 3) || bad(c, p, "properties of a group of an unknown version");
}

static bool free_space(mmli_h5_check *c, mmli_h5_piece *p)
{
    enum { MANAGERS_OLD = 6, MANAGERS = 12, PAGE_LEAST = 512, PAGE_MOST = 1 << 30 };
    const uint64_t version = mmli_h5_number(p, 1), strategy = mmli_h5_number(p, 1);
    uint64_t keeps, page;

    if (version > 1)
        return bad(c, p, "free space of an unknown version");
    if (version == 0) {
        (void)mmli_h5_take(p, c->length + (strategy == 1 ? MANAGERS_OLD * c->address : 0));
        return true;
    }
    keeps = mmli_h5_number(p, 1);
    (void)mmli_h5_length(p, c);
    page = mmli_h5_length(p, c);
    (void)mmli_h5_take(p, 2 + c->address + (keeps != 0 ? MANAGERS * c->address : 0));
    return (strategy <= 3 && page >= PAGE_LEAST && page <= PAGE_MOST) || bad(c, p, "free space in pages of an impossible size");
}

static bool tree_k(mmli_h5_check *c, mmli_h5_piece *p)
{
    enum { MOST = 1 << 15 };
    const uint64_t version = mmli_h5_number(p, 1);
    bool ok = version == 0;

    for (int i = 0; i < 3; i++) {
        const uint64_t k = mmli_h5_number(p, 2);

        ok = ok && k > 0 && k < MOST;
    }
    return ok || p->over || bad(c, p, "trees of an impossible width");
}

static bool versioned(mmli_h5_check *c, mmli_h5_piece *p, uint64_t version, size_t n, const char *what)
{
    const uint64_t is = mmli_h5_number(p, 1);

    (void)mmli_h5_take(p, n);
    return is == version || mmli_h5_bad(c, p->at, "%s of an unknown version", what);
}

static bool of_its_kind(mmli_h5_check *c, mmli_h5_facts *f, unsigned kind, mmli_h5_piece *p)
{
    size_t length;

    switch (kind) {
    case MMLI_H5_DATASPACE: return dataspace(c, &f->extent, p);
    case MMLI_H5_LINK_INFO: return dense(c, &f->links, p, 8);
    case MMLI_H5_DATATYPE: return mmli_h5_datatype(c, p, &f->element);
    case MMLI_H5_FILL_OLD: return fill_old(&f->fill[0], p);
    case MMLI_H5_FILL: return fill(c, &f->fill[1], p);
    case MMLI_H5_LINK: return mmli_h5_link(c, *p);
    case MMLI_H5_LAYOUT: return layout(c, &f->layout, p);
    case MMLI_H5_GROUP_INFO: return group_info(c, p);
    case MMLI_H5_FILTERS: return filters(c, &f->filters, p);
    case MMLI_H5_ATTRIBUTE: return mmli_h5_attribute(c, *p);
    case MMLI_H5_COMMENT: return mmli_h5_text(&length, p) || bad(c, p, "a comment without an end");
    case MMLI_H5_TIME_OLD: (void)mmli_h5_take(p, 14); return true;
    case MMLI_H5_SYMBOLS:
        f->symbols_tree = mmli_h5_address(p, c);
        f->symbols_heap = mmli_h5_address(p, c);
        return true;
    case MMLI_H5_TIME: return versioned(c, p, 1, 3 + 4, "a time");
    case MMLI_H5_TREE_K: return tree_k(c, p);
    case MMLI_H5_ATTRIBUTE_INFO: return dense(c, &f->attributes, p, 2);
    case MMLI_H5_REFERENCES: return versioned(c, p, 0, 4, "a count of references");
    case MMLI_H5_FREE_SPACE: return free_space(c, p);
    case MMLI_H5_EXTERNAL: /* the caller has its own words for it */
        (void)mmli_h5_take(p, 4 + 2 + 2 + c->address);
        return true;
    case MMLI_H5_SHARED_TABLE: return bad(c, p, "messages that objects share; rewrite the file with h5repack");
    case MMLI_H5_DRIVER: return bad(c, p, "a file in several parts; rewrite it with h5repack");
    case MMLI_H5_CACHE_IMAGE: return bad(c, p, "an image of HDF5's cache; rewrite the file with h5repack");
    default: return true; /* nothing that HDF5 1.10 looks into */
    }
}

bool mmli_h5_message(mmli_h5_check *c, mmli_h5_facts *f, unsigned kind, unsigned flags, mmli_h5_piece p)
{
    const uint64_t at = p.at;

    if (kind >= MMLI_H5_KNOWN)
        return true;
    if (kind != 0 && kind != MMLI_H5_LINK && kind != MMLI_H5_ATTRIBUTE && kind != MMLI_H5_CONTINUATION) {
        if ((f->seen >> kind & 1) != 0)
            return mmli_h5_bad(c, at, "two messages of kind %u in one object header", kind);
        f->seen |= (uint32_t)1 << kind;
    }
    if ((flags & MMLI_H5_FLAG_SHARED) != 0 && kind == MMLI_H5_DATATYPE)
        return mmli_h5_shared_type(c, p, &f->element);
    if ((flags & MMLI_H5_FLAG_SHARED) != 0 && kind != 0)
        return mmli_h5_bad(c, at, "a message of kind %u that objects share; rewrite the file with h5repack", kind);
    if (!of_its_kind(c, f, kind, &p))
        return false;
    return !p.over || mmli_h5_bad(c, at, "a message of kind %u goes over its end", kind);
}
