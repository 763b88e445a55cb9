/* h5header.c - see h5header.h. Format: HDF5 File Format Specification 3.0, IV.A.1. */
#include "io/h5header.h"

#include <string.h>

#include "io/h5message.h"
#include "io/h5walk.h"
#include "util/alloc.h"

enum {
    CHUNKS_MOST = 4096,
    BYTES_MOST = 64 << 20, /* of one header */
    PREFIX_1 = 16,         /* bytes before the messages of version 1 */
    SIGNATURE = 4, CHECKSUM = 4,
    FIRST_BYTES = 512      /* read at once, as HDF5 does */
};

/* A header as it is read: its parts, and who is told of its messages. */
typedef struct header {
    mmli_h5_check *c;
    int buffer;
    bool old, ordered; /* version 1; creation order in every message */
    uint64_t at, total;
    mmli_h5_next *chunks; /* (n) the first too, as what is read */
    size_t n, cap;
    bool (*each)(void *user, mmli_h5_check *c, unsigned kind, unsigned flags, mmli_h5_piece p);
    void *user;
} header;

/* ---- chunks ------------------------------------------------------------------------------------------------------------- */

static bool add_chunk(header *h, uint64_t at, uint64_t size, uint64_t from)
{
    if (h->n >= CHUNKS_MOST)
        return mmli_h5_bad(h->c, from, "an object header in too many parts");
    if (size > BYTES_MOST - h->total)
        return mmli_h5_bad(h->c, from, "an object header of an impossible size");
    for (size_t i = 0; i < h->n; i++)
        if (at < h->chunks[i].at + h->chunks[i].size && h->chunks[i].at < at + size)
            return mmli_h5_bad(h->c, from, "an object header whose parts overlap");
    if (mmli_grow(&h->chunks, &h->cap, h->n + 1, sizeof *h->chunks) != MML_OK) {
        h->c->no_memory = true;
        return mmli_h5_bad(h->c, from, "no memory left to look at an object header");
    }
    h->total += size;
    h->chunks[h->n++] = (mmli_h5_next){at, size};
    return true;
}

/* All for which HDF5 gives up, too: else it would not ask for the continuations that are expected then. */
static bool check_flags(header *h, uint64_t at, unsigned kind, unsigned flags)
{
    enum { CONSTANT_NOT_SHARED = 0x04, REFUSE_WRITING = 0x08, MARK = 0x10, UNKNOWN = 0x20, MAY_BE_SHARED = 0x40, REFUSE = 0x80 };
    static const uint32_t can_be_shared = 1u << MMLI_H5_DATASPACE | 1u << MMLI_H5_DATATYPE | 1u << MMLI_H5_FILL_OLD | 1u << MMLI_H5_FILL |
                                          1u << MMLI_H5_FILTERS | 1u << MMLI_H5_ATTRIBUTE;
    const bool known = kind < MMLI_H5_KNOWN && kind != MMLI_H5_UNUSED;

    if (((flags & MMLI_H5_FLAG_SHARED) != 0 && (flags & CONSTANT_NOT_SHARED) != 0) ||
        ((flags & UNKNOWN) != 0 && ((flags & REFUSE_WRITING) != 0 || (flags & MARK) == 0)) ||
        (known && (flags & MAY_BE_SHARED) != 0 && (can_be_shared >> kind & 1) == 0))
        return mmli_h5_bad(h->c, at, "a message with flags that contradict each other");
    if ((flags & REFUSE) != 0 && !known)
        return mmli_h5_bad(h->c, at, "a message that this version of HDF5 must not ignore");
    if (h->old && kind == MMLI_H5_REFERENCES)
        return mmli_h5_bad(h->c, at, "a message of kind %u in an old object header", kind);
    return true;
}

static bool continuation(header *h, mmli_h5_piece p)
{
    const uint64_t from = p.at, at = mmli_h5_address(&p, h->c), size = mmli_h5_length(&p, h->c);
    const size_t least = h->old ? 8 : h->ordered ? SIGNATURE + 6 + CHECKSUM : SIGNATURE + 4 + CHECKSUM;

    if (p.over || size < least || at > h->c->file.size || size > h->c->file.size - at)
        return mmli_h5_bad(h->c, from, "an object header that goes on outside of the file");
    return add_chunk(h, at, size, from);
}

/* The messages of a chunk. */
static bool messages(header *h, mmli_h5_piece p)
{
    const size_t head = h->old ? 8 : h->ordered ? 6 : 4;
    mmli_h5_piece body;
    uint64_t kind, size, flags, at;

    while (p.n >= head || (h->old && p.n > 0)) {
        at = p.at;
        kind = mmli_h5_number(&p, h->old ? 2 : 1);
        size = mmli_h5_number(&p, 2);
        flags = mmli_h5_number(&p, 1);
        (void)mmli_h5_take(&p, head - (h->old ? 5 : 4));
        body = mmli_h5_part(&p, (size_t)size);
        if (body.over || (h->old && size % 8 != 0))
            return mmli_h5_bad(h->c, at, "a message that goes over the end of its object header");
        if (!check_flags(h, at, (unsigned)kind, (unsigned)flags))
            return false;
        if (kind == MMLI_H5_CONTINUATION && !continuation(h, body))
            return false;
        if (!h->each(h->user, h->c, (unsigned)kind, (unsigned)flags, body))
            return false;
    }
    return true; /* less than a message may be left over in version 2 */
}

/* Version 1: the number of messages is not looked at here, HDF5 compares it. */
static bool first_old(header *h, mmli_h5_piece p, uint64_t *size, size_t *prefix)
{
    const uint64_t version = mmli_h5_number(&p, 1);
    uint64_t n;

    if (version != 1)
        return mmli_h5_bad(h->c, h->at, "an object header of an unknown version");
    (void)mmli_h5_take(&p, 1);
    n = mmli_h5_number(&p, 2);
    (void)mmli_h5_number(&p, 4); /* links to it */
    *size = mmli_h5_number(&p, 4);
    *prefix = PREFIX_1;
    if (p.over || p.n < 4 || (n > 0 && *size < 8) || (n == 0 && *size > 0))
        return mmli_h5_bad(h->c, h->at, "an object header of an impossible size");
    h->old = true;
    h->ordered = false;
    return true;
}

static bool first_new(header *h, mmli_h5_piece p, uint64_t *size, size_t *prefix)
{
    enum { ORDERED = 0x04, PHASES = 0x10, TIMES = 0x20, ALL = 0x3f };
    const size_t had = p.n;
    uint64_t version, flags;

    (void)mmli_h5_take(&p, SIGNATURE);
    version = mmli_h5_number(&p, 1);
    flags = mmli_h5_number(&p, 1);
    if (version != 2 || flags > ALL)
        return mmli_h5_bad(h->c, h->at, "an object header of an unknown version");
    (void)mmli_h5_take(&p, (flags & TIMES) != 0 ? 16 : 0);
    if ((flags & PHASES) != 0) {
        const uint64_t most = mmli_h5_number(&p, 2);

        if (mmli_h5_number(&p, 2) > most)
            return mmli_h5_bad(h->c, h->at, "an object header with impossible properties");
    }
    h->old = false;
    h->ordered = (flags & ORDERED) != 0;
    *size = mmli_h5_number(&p, (size_t)1 << (flags & 3));
    *prefix = had - p.n;
    if (p.over || p.n < CHECKSUM || (*size > 0 && *size < (h->ordered ? 6 : 4)))
        return mmli_h5_bad(h->c, h->at, "an object header of an impossible size");
    return true;
}

/* Reads the header at h->at to its end. n: bytes of it that HDF5 has at least. */
static bool read_header(header *h, size_t n)
{
    const uint64_t left = h->at < h->c->file.size ? h->c->file.size - h->at : 0;
    mmli_h5_piece p;
    uint64_t size = 0;
    size_t prefix = 0, more;

    if (!mmli_h5_load(&p, h->c, h->buffer, h->at, left < FIRST_BYTES ? left : FIRST_BYTES, "an object header"))
        return false;
    if (p.n > n) /* HDF5 has no more of what says how long it is */
        p.n = n;
    if (p.n < SIGNATURE)
        return mmli_h5_bad(h->c, h->at, "an object header goes over the end of the file");
    if (!(memcmp(p.bytes, "OHDR", SIGNATURE) == 0 ? first_new(h, p, &size, &prefix) : first_old(h, p, &size, &prefix)))
        return false;
    more = h->old ? 0 : CHECKSUM;
    if (size > BYTES_MOST || !add_chunk(h, h->at, prefix + size + more, h->at))
        return mmli_h5_bad(h->c, h->at, "an object header of an impossible size");
    for (size_t i = 0; i < h->n; i++) { /* it grows meanwhile */
        const size_t before = i == 0 ? prefix : h->old ? 0 : SIGNATURE;

        if ((i > 0 || h->chunks[0].size > FIRST_BYTES || h->chunks[0].size > left) &&
            !mmli_h5_load(&p, h->c, h->buffer, h->chunks[i].at, h->chunks[i].size, "an object header"))
            return false;
        p = (mmli_h5_piece){h->c->buffers[h->buffer].bytes, (size_t)h->chunks[i].size, h->chunks[i].at, false};
        if (i > 0 && !h->old && memcmp(p.bytes, "OCHK", SIGNATURE) != 0)
            return mmli_h5_bad(h->c, p.at, "an object header goes on where none of its parts is");
        p.n -= more;
        (void)mmli_h5_take(&p, before);
        if (!messages(h, p))
            return false;
    }
    return true;
}

/* ---- types of other objects --------------------------------------------------------------------------------------------- */

typedef struct wanted {
    bool found;
    uint64_t size;
} wanted;

static bool only_type(void *user, mmli_h5_check *c, unsigned kind, unsigned flags, mmli_h5_piece p)
{
    wanted *w = user;
    const uint64_t at = p.at;

    if (kind != MMLI_H5_DATATYPE || w->found)
        return true;
    w->found = true;
    if ((flags & MMLI_H5_FLAG_SHARED) != 0) /* HDF5 would go round in circles */
        return mmli_h5_bad(c, at, "a datatype that is shared twice");
    return mmli_h5_datatype(c, &p, &w->size);
}

bool mmli_h5_shared_type(mmli_h5_check *c, mmli_h5_piece p, uint64_t *size)
{
    enum { COMMITTED = 2 };
    const uint64_t from = p.at, version = mmli_h5_number(&p, 1), type = mmli_h5_number(&p, 1);
    wanted w = {false, 0};
    header h = {.c = c, .buffer = MMLI_H5_SHARED, .each = only_type, .user = &w};
    bool ok;

    *size = 0;
    if (version == 1)
        (void)mmli_h5_take(&p, 6 + c->length);
    h.at = mmli_h5_address(&p, c);
    if (p.over || version < 1 || version > 3)
        return mmli_h5_bad(c, from, "a shared message of an unknown version");
    if (version == 3 && type != COMMITTED)
        return mmli_h5_bad(c, from, "a message that objects share; rewrite the file with h5repack");
    ok = read_header(&h, FIRST_BYTES);
    mmli_free(h.chunks);
    if (!ok)
        return false;
    *size = w.size;
    return w.found || mmli_h5_bad(c, from, "a shared datatype that is none");
}

/* ---- the header as a whole ---------------------------------------------------------------------------------------------- */

static bool each_message(void *user, mmli_h5_check *c, unsigned kind, unsigned flags, mmli_h5_piece p)
{
    return mmli_h5_message(c, user, kind, flags, p);
}

static bool has(const mmli_h5_facts *f, unsigned kind)
{
    return (f->seen >> kind & 1) != 0;
}

/* What HDF5 takes for granted of a data set's messages. */
static bool fit_together(mmli_h5_check *c, const mmli_h5_facts *f)
{
    const mmli_h5_layout *l = &f->layout;

    if (!has(f, MMLI_H5_LAYOUT) || !has(f, MMLI_H5_DATATYPE) || !has(f, MMLI_H5_DATASPACE))
        return true;
    if (f->extent.n > (uint64_t)INT64_MAX / f->element)
        return mmli_h5_bad(c, f->at, "a data set of an impossible size");
    for (int i = 0; i < 2; i++)
        if (f->fill[i] != 0 && f->fill[i] != f->element)
            return mmli_h5_bad(c, f->at, "a data set with a fill value of another size than its elements");
    if (l->how == MMLI_H5_CHUNKED && (l->rank != f->extent.rank + 1 || l->chunk[l->rank - 1] != f->element))
        return mmli_h5_bad(c, f->at, "a data set with chunks of other dimensions or other elements");
    if (l->how == MMLI_H5_CONTIGUOUS && l->version >= 3 && l->address != UINT64_MAX && l->size != f->extent.n * f->element)
        return mmli_h5_bad(c, f->at, "a data set with %llu bytes of values that should have %llu", (unsigned long long)l->size,
                           (unsigned long long)(f->extent.n * f->element));
    return l->how != MMLI_H5_CHUNKED || mmli_h5_walk_chunks(c, f);
}

static bool header_at(mmli_h5_headers *h, uint64_t at, size_t n)
{
    mmli_h5_facts f = {.at = at, .symbols_tree = UINT64_MAX, .symbols_heap = UINT64_MAX};
    header one = {.c = &h->c, .buffer = MMLI_H5_HEADER, .at = at, .chunks = h->next, .cap = h->cap_next, .each = each_message, .user = &f};
    bool ok;

    h->external = false;
    ok = read_header(&one, n);
    h->next = one.chunks;
    h->cap_next = one.cap;
    h->n_next = one.old && ok ? one.n : 0;
    h->at_next = 1; /* behind the first */
    if (ok && has(&f, MMLI_H5_EXTERNAL)) {
        h->external = true;
        ok = mmli_h5_bad(&h->c, at, "a data set that keeps its values in another file");
    }
    return ok && fit_together(&h->c, &f) && (!has(&f, MMLI_H5_SYMBOLS) || mmli_h5_walk_symbols(&h->c, f.symbols_tree, f.symbols_heap)) &&
           (!f.links.there || mmli_h5_walk_dense(&h->c, &f.links, true)) &&
           (!f.attributes.there || mmli_h5_walk_dense(&h->c, &f.attributes, false));
}

/* ---- what the guard asks ------------------------------------------------------------------------------------------------ */

/* The sizes in the superblock (II). The root group of an old one may have its table named there, which HDF5 uses instead of the group's
 * own when that is damaged. */
static bool superblock(mmli_h5_headers *h)
{
    enum { LARGEST = 24 + 4 + 4 * 8 + 2 * 8 + 8 + 16, TABLE_IS_NAMED = 1 };
    mmli_h5_check *c = &h->c;
    unsigned char bytes[LARGEST];
    const size_t n = c->file.size < sizeof bytes ? (size_t)c->file.size : sizeof bytes;
    mmli_h5_piece p = {bytes, n, 0, false};
    uint64_t version, tree, heap;

    if (!mmli_h5_bytes_get(bytes, &c->file, 0, n))
        return mmli_h5_bad(c, 0, "the superblock could not be read");
    (void)mmli_h5_take(&p, 8);
    version = mmli_h5_number(&p, 1);
    (void)mmli_h5_take(&p, version < 2 ? 4 : 0);
    c->address = (unsigned)mmli_h5_number(&p, 1);
    c->length = (unsigned)mmli_h5_number(&p, 1);
    if (p.over || (c->address != 2 && c->address != 4 && c->address != 8) || (c->length != 2 && c->length != 4 && c->length != 8))
        return mmli_h5_bad(c, 0, "a superblock with addresses of %u and sizes of %u bytes; rewrite the file with h5repack", c->address,
                           c->length);
    h->known = true;
    if (version >= 2)
        return true;
    (void)mmli_h5_take(&p, (version == 1 ? 13u : 9u) + 5 * c->address + c->length); /* to the kind of what the root's entry names */
    if (mmli_h5_number(&p, 4) != TABLE_IS_NAMED || p.over)
        return true;
    (void)mmli_h5_take(&p, 4);
    tree = mmli_h5_address(&p, c);
    heap = mmli_h5_address(&p, c);
    return p.over || mmli_h5_walk_symbols(c, tree, heap);
}

bool mmli_h5_header_ok(mmli_h5_headers *h, uint64_t at, const unsigned char *bytes, size_t n)
{
    /* What else counts as object headers: walked with the header that names it, or part of one that was checked. */
    static const char others[][SIGNATURE + 1] = {"OCHK", "FRHP", "FHIB", "FAHD", "EAHD", "EAIB"};

    h->c.why[0] = '\0';
    h->c.loaded = 0;
    if (!h->known && !superblock(h))
        return false;
    for (size_t i = 0; n >= SIGNATURE && i < sizeof others / sizeof *others; i++)
        if (memcmp(bytes, others[i], SIGNATURE) == 0)
            return true;
    if (h->at_next < h->n_next && h->next[h->at_next].at == at && h->next[h->at_next].size == n) {
        h->at_next++;
        return true;
    }
    if (n < SIGNATURE || (bytes[0] != 1 && memcmp(bytes, "OHDR", SIGNATURE) != 0)) /* HDF5 takes it for none either */
        return true;
    if (at == h->last && n >= h->last_n && h->at_next <= 1) /* the rest of a long one */
        return true;
    h->last = UINT64_MAX;
    if (!header_at(h, at, n)) {
        h->n_next = 0;
        return false;
    }
    h->last = at;
    h->last_n = n;
    return true;
}

mml_status mmli_h5_headers_init(mmli_h5_headers *h)
{
    enum { CHUNKS = 16, BYTES = 4096 };
    static const int used[] = {MMLI_H5_HEADER, MMLI_H5_SHARED, MMLI_H5_HEAP, MMLI_H5_OBJECT, MMLI_H5_TREE};
    mml_status st = mmli_grow(&h->next, &h->cap_next, CHUNKS, sizeof *h->next);

    h->last = UINT64_MAX;
    for (size_t i = 0; st == MML_OK && i < sizeof used / sizeof *used; i++)
        st = mmli_grow(&h->c.buffers[used[i]].bytes, &h->c.buffers[used[i]].cap, BYTES, 1);
    return st;
}

void mmli_h5_headers_free(mmli_h5_headers *h)
{
    for (int i = 0; i < MMLI_H5_BUFFERS; i++)
        mmli_free(h->c.buffers[i].bytes);
    mmli_free(h->c.walked);
    mmli_free(h->next);
}
