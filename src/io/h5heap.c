/* h5heap.c - see h5heap.h. Format: HDF5 File Format Specification 3.0, III.E (global heap), IV.A.2.d and "Variable-length data" there.
 *
 * The references lie in contiguous, compact or packed data, in an attribute or in a fill value: HDF5 finds them, and hands them out as they
 * are because a conversion of ours, from variable length to opaque bytes, is registered for as long as it reads. The collections are read by
 * us, one after the other in the order of their addresses, so that a few bytes of memory are enough for the whole of a heap.
 */
#include "io/h5heap.h"

#include <stdlib.h>
#include <string.h>

#include "io/h5guard.h"
#include "io/h5_inside.h"
#include "io/h5packed.h"
#include "util/alloc.h"
#include "util/error.h"

#define TAG "mmlego reference" /* of opaque types, and name of the conversion: nobody else's data are meant */

enum {
    LENGTH_BYTES = 4, INDEX_BYTES = 4, /* of a reference, beside the address */
    SIZE_AT = 8,                       /* of the size, in the header of a collection and of an object */
    ALIGNMENT = 8,
    COLLECTION_LEAST = 4096
};

typedef struct reference {
    uint64_t address;
    uint32_t length, object;
    size_t row;
} reference;

typedef struct found {
    size_t at, n;      /* in the bytes of the collection */
    size_t collection; /* which it was in: so nothing has to be cleared */
} found;

typedef struct heap {
    const char *path, *name;
    mmli_h5_bytes file;
    size_t address, length; /* bytes of an address and of a size in this file */
    size_t n;               /* texts */
    unsigned char *bytes;   /* the collection being read */
    size_t size, cap, collections;
    uint64_t at, total, text_bytes; /* its address; bytes of all of them; of the texts */
    found *objects;        /* (n_objects) by number, which has 16 bits */
    size_t n_objects;
} heap;

static mml_status bad(const heap *h, const reference *r, const char *what)
{
    return mmli_fail(MML_E_FORMAT, "%s: %s: text %zu of %zu %s: damaged", h->path, h->name, r->row + 1, h->n, what);
}

/* ---- references ---------------------------------------------------------------------------------------------------------- */

/* Conversion (H5T_conv_t) of a text of variable length to opaque bytes of the same size: nothing to be done. */
static herr_t as_it_is(hid_t from, hid_t to, H5T_cdata_t *state, size_t n, size_t stride, size_t background_stride, void *data,
                       void *background, hid_t transfer)
{
    char *tag;
    bool ours;

    (void)n, (void)stride, (void)background_stride, (void)data, (void)background, (void)transfer;
    if (state->command != H5T_CONV_INIT)
        return 0;
    state->need_bkg = H5T_BKG_NO;
    tag = H5Tget_tag(to);
    ours = tag != NULL && strcmp(tag, TAG) == 0 && H5Tget_size(from) == H5Tget_size(to);
    H5free_memory(tag);
    return ours ? 0 : -1;
}

/* The n references as they are stored, h->address + 8 bytes each. */
static mml_status raw_references(unsigned char **out, const heap *h, hid_t object, hid_t type)
{
    mml_status st = MML_OK;
    const size_t each = LENGTH_BYTES + h->address + INDEX_BYTES;
    const hid_t opaque = H5Tcreate(H5T_OPAQUE, each);
    mmli_h5_note why;
    herr_t is;

    MML_TRY(mmli_calloc(out, h->n, each));
    MML_CHECK(opaque >= 0 && H5Tset_tag(opaque, TAG) >= 0 && H5Tregister(H5T_PERS_SOFT, TAG, type, opaque, as_it_is) >= 0, MML_E_NOMEM,
              "%s: HDF5 has no memory left", h->path);
    is = H5Iget_type(object) == H5I_ATTR ? H5Aread(object, opaque, *out) : H5Dread(object, opaque, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out);
    if (is < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: %s could not be read: damaged file or disk%s", h->path, h->name, why.text);
    }
    H5Tunregister(H5T_PERS_SOFT, TAG, -1, -1, as_it_is);
out:
    mmli_h5_drop(opaque);
    return st;
}

/* An unsigned number of n bytes, the lowest first; false when it does not fit. */
static bool number(uint64_t *out, const unsigned char *bytes, size_t n)
{
    *out = 0;
    for (size_t i = n; i-- > 0;) {
        if (i >= sizeof *out && bytes[i] != 0)
            return false;
        *out = *out << 8 | bytes[i];
    }
    return true;
}

static int by_address(const void *a, const void *b)
{
    const reference *x = a, *y = b;

    return (x->address > y->address) - (x->address < y->address);
}

/* References to more than nothing, in the order of their addresses. */
static mml_status decode(reference **out, size_t *n_out, heap *h, const unsigned char *raw)
{
    mml_status st = MML_OK;
    bool sorted = true;
    uint64_t length, index;
    reference *refs, *r;

    MML_TRY(mmli_calloc(out, h->n, sizeof **out));
    refs = *out;
    *n_out = 0;
    for (size_t i = 0; i < h->n; i++, raw += LENGTH_BYTES + h->address + INDEX_BYTES) {
        r = &refs[*n_out];
        r->row = i;
        (void)number(&length, raw, LENGTH_BYTES);
        (void)number(&index, raw + LENGTH_BYTES + h->address, INDEX_BYTES);
        if (length == 0)
            continue;
        r->length = (uint32_t)length;
        r->object = (uint32_t)index;
        if (!number(&r->address, raw + LENGTH_BYTES, h->address) || r->address == 0)
            return bad(h, r, "has a length but no place");
        h->text_bytes += length;
        sorted = sorted && (*n_out == 0 || r[-1].address <= r->address);
        ++*n_out;
    }
    MML_CHECK(h->text_bytes <= h->file.size, MML_E_FORMAT, "%s: %s: the texts are longer than the whole file; damaged",
              h->path, h->name);
    if (!sorted)
        qsort(refs, *n_out, sizeof *refs, by_address);
out:
    return st;
}

/* ---- collections --------------------------------------------------------------------------------------------------------- */

/* Headers of collections and of objects have the same size. */
static size_t header_bytes(const heap *h)
{
    return (SIZE_AT + h->length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static mml_status room_for_object(heap *h, size_t index)
{
    const size_t had = h->n_objects;
    const mml_status st = mmli_grow(&h->objects, &h->n_objects, index + 1, sizeof *h->objects);

    if (st == MML_OK && h->n_objects > had)
        memset(h->objects + had, 0, (h->n_objects - had) * sizeof *h->objects);
    return st;
}

/* Finds the objects of the collection that was read. Number 0 is what is free; its size has its header and is not rounded up. */
static mml_status find_objects(heap *h, const reference *r)
{
    const size_t header = header_bytes(h);
    mml_status st = MML_OK;
    uint64_t n, index;

    for (size_t at = header; h->size - at >= header;) { /* less than a header is free */
        const size_t left = h->size - at;

        (void)number(&index, h->bytes + at, 2);
        if (!number(&n, h->bytes + at + SIZE_AT, h->length) || n > (index == 0 ? left : left - header) || (index == 0 && n < header))
            return bad(h, r, "lies in a heap whose objects do not fit into it");
        if (index == 0) {
            at += (size_t)n;
            continue;
        }
        MML_TRY(room_for_object(h, (size_t)index));
        if (h->objects[index].collection == h->collections)
            return bad(h, r, "lies in a heap with two objects of one number");
        h->objects[index] = (found){at + header, (size_t)n, h->collections};
        n = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        at += n > left - header ? left : header + (size_t)n;
    }
out:
    return st;
}

static mml_status read_collection(heap *h, const reference *r)
{
    mml_status st = MML_OK;
    unsigned char head[SIZE_AT + 32];
    uint64_t size;

    if (h->length > sizeof head - SIZE_AT || !mmli_h5_bytes_get(head, &h->file, r->address, SIZE_AT + h->length))
        return bad(h, r, "lies outside of the file");
    if (memcmp(head, "GCOL\1", 5) != 0)
        return bad(h, r, "lies where no heap is");
    if (!number(&size, head + SIZE_AT, h->length) || size < COLLECTION_LEAST || size > h->file.size - r->address)
        return bad(h, r, "lies in a heap of an impossible size");
    h->total += size; /* each is read once, and in a file they do not overlap: else small files could keep us busy for days */
    if (h->total > h->file.size)
        return bad(h, r, "lies in a heap that overlaps with others");
    MML_TRY(mmli_grow(&h->bytes, &h->cap, (size_t)size, 1));
    if (!mmli_h5_bytes_get(h->bytes, &h->file, r->address, (size_t)size))
        return bad(h, r, "lies in a heap that could not be read");
    h->size = (size_t)size;
    h->at = r->address;
    h->collections++;
    st = find_objects(h, r);
out:
    return st;
}

/* Up to a '\0' that the length may count. */
static mml_status take_text(char **out, const heap *h, const reference *r)
{
    const found *o = r->object < h->n_objects ? &h->objects[r->object] : NULL;
    mml_status st;

    if (o == NULL || o->collection != h->collections)
        return bad(h, r, "lies in a heap that has no object of its number");
    if (o->n < r->length)
        return bad(h, r, "is longer than its object in the heap");
    if ((st = mmli_calloc(out, (size_t)r->length + 1, 1)) == MML_OK)
        memcpy(*out, h->bytes + o->at, r->length);
    return st;
}

static mml_status take_texts(char **texts, heap *h, const reference *refs, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++) {
        if (i == 0 || refs[i].address != h->at)
            MML_TRY(read_collection(h, &refs[i]));
        MML_TRY(take_text(&texts[refs[i].row], h, &refs[i]));
    }
out:
    return st;
}

/* ---- texts --------------------------------------------------------------------------------------------------------------- */

static mml_status read_texts(char **texts, size_t n, hid_t object, hid_t type, const char *path, const char *name)
{
    mml_status st = MML_OK;
    const hid_t file = H5Iget_file_id(object), creation = file < 0 ? -1 : H5Fget_create_plist(file);
    heap h = {.path = path, .name = name, .n = n};
    unsigned char *raw = NULL;
    reference *refs = NULL;
    size_t n_refs = 0;

    MML_CHECK(mmli_h5_bytes_of(&h.file, object), MML_E_INTERNAL, "%s: %s: texts of variable length are read from files opened to be read", path, name);
    MML_CHECK(creation >= 0 && H5Pget_sizes(creation, &h.address, &h.length) >= 0, MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    MML_TRY(raw_references(&raw, &h, object, type));
    MML_TRY(decode(&refs, &n_refs, &h, raw));
    if (n_refs > 0)
        MML_TRY(take_texts(texts, &h, refs, n_refs));
    for (size_t i = 0; i < n; i++)
        if (texts[i] == NULL)
            MML_TRY(mmli_strdup(&texts[i], ""));
out:
    mmli_free(h.objects);
    mmli_free(h.bytes);
    mmli_free(refs);
    mmli_free(raw);
    mmli_h5_drop(creation);
    mmli_h5_drop(file);
    return st;
}

mml_status mmli_h5_heap_texts(char **texts, size_t n, hid_t dataset, hid_t type, const char *path, const char *name)
{
    mml_status st = mmli_h5_check_packed(dataset, path, name);

    return st == MML_OK ? read_texts(texts, n, dataset, type, path, name) : st;
}

mml_status mmli_h5_heap_attr(char **texts, size_t n, hid_t attr, hid_t type, const char *path, const char *name)
{
    mml_status st = MML_OK;
    char *what = NULL;

    MML_TRY(mmli_strf(&what, "attribute %s", name));
    MML_TRY(read_texts(texts, n, attr, type, path, what));
out:
    mmli_free(what);
    return st;
}

/* ---- fill values --------------------------------------------------------------------------------------------------------- */

/* Conversion of a text of variable length in the file to one in memory: none. */
static herr_t to_nothing(hid_t from, hid_t to, H5T_cdata_t *state, size_t n, size_t stride, size_t background_stride, void *data,
                         void *background, hid_t transfer)
{
    (void)background_stride, (void)background, (void)transfer;
    if (state->command == H5T_CONV_INIT) {
        state->need_bkg = H5T_BKG_NO;
        return H5Tis_variable_str(from) > 0 && H5Tis_variable_str(to) > 0 && H5Tget_size(to) <= H5Tget_size(from) ? 0 : -1;
    }
    if (state->command == H5T_CONV_CONV)
        for (size_t i = 0; i < n; i++)
            memset((char *)data + i * (stride > 0 ? stride : H5Tget_size(to)), 0, H5Tget_size(to));
    return 0;
}

hid_t mmli_h5_creation(hid_t dataset)
{
    const hid_t type = H5Dget_type(dataset);
    const bool variable = type >= 0 && H5Tis_variable_str(type) > 0;
    hid_t list;

    if (variable)
        H5Tregister(H5T_PERS_SOFT, TAG, type, type, to_nothing);
    list = H5Dget_create_plist(dataset);
    if (variable)
        H5Tunregister(H5T_PERS_SOFT, TAG, -1, -1, to_nothing);
    mmli_h5_drop(type);
    return list;
}
