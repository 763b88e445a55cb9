/* h5message.h - the messages of an object header, checked one by one; what they say of the object is collected, to be compared.
 *
 * For h5header.c; see h5header.h.
 */
#ifndef MMLI_IO_H5MESSAGE_H
#define MMLI_IO_H5MESSAGE_H

#include "io/h5check.h"

/* Kinds of messages (IV.A.2). */
enum {
    MMLI_H5_DATASPACE = 0x01, MMLI_H5_LINK_INFO = 0x02, MMLI_H5_DATATYPE = 0x03, MMLI_H5_FILL_OLD = 0x04, MMLI_H5_FILL = 0x05,
    MMLI_H5_LINK = 0x06, MMLI_H5_EXTERNAL = 0x07, MMLI_H5_LAYOUT = 0x08, MMLI_H5_UNUSED = 0x09, MMLI_H5_GROUP_INFO = 0x0a, MMLI_H5_FILTERS = 0x0b,
    MMLI_H5_ATTRIBUTE = 0x0c, MMLI_H5_COMMENT = 0x0d, MMLI_H5_TIME_OLD = 0x0e, MMLI_H5_SHARED_TABLE = 0x0f, MMLI_H5_CONTINUATION = 0x10,
    MMLI_H5_SYMBOLS = 0x11, MMLI_H5_TIME = 0x12, MMLI_H5_TREE_K = 0x13, MMLI_H5_DRIVER = 0x14, MMLI_H5_ATTRIBUTE_INFO = 0x15,
    MMLI_H5_REFERENCES = 0x16, MMLI_H5_FREE_SPACE = 0x17, MMLI_H5_CACHE_IMAGE = 0x18, MMLI_H5_KNOWN = 0x19
};

enum { MMLI_H5_FLAG_SHARED = 0x02 };

/* Where links or attributes lie that do not fit into the header; UINT64_MAX: nowhere. */
typedef struct mmli_h5_dense {
    bool there;
    uint64_t at; /* of the message */
    uint64_t heap, names, order;
} mmli_h5_dense;

typedef enum mmli_h5_layout_class { MMLI_H5_COMPACT, MMLI_H5_CONTIGUOUS, MMLI_H5_CHUNKED, MMLI_H5_VIRTUAL } mmli_h5_layout_class;
/* How chunks are found: version 4 of the layout has the others. */
typedef enum mmli_h5_chunk_index {
    MMLI_H5_BY_TREE, MMLI_H5_ONE_CHUNK, MMLI_H5_IMPLICIT, MMLI_H5_FIXED_ARRAY, MMLI_H5_EXTENSIBLE_ARRAY, MMLI_H5_BY_TREE_2
} mmli_h5_chunk_index;

typedef struct mmli_h5_layout {
    int version;
    mmli_h5_layout_class how;
    uint64_t address, size;
    unsigned rank; /* of a chunk, with the bytes of an element */
    uint64_t chunk[MMLI_H5_RANK_MOST + 1];
    mmli_h5_chunk_index index;
} mmli_h5_layout;

typedef struct mmli_h5_extent {
    unsigned rank;
    bool null;
    uint64_t n, dims[MMLI_H5_RANK_MOST], most[MMLI_H5_RANK_MOST]; /* most: UINT64_MAX without limit */
} mmli_h5_extent;

/* What the messages of a header say. */
typedef struct mmli_h5_facts {
    uint32_t seen; /* a bit for each kind */
    uint64_t at;   /* of the header */
    uint64_t element; /* bytes, of the data type */
    mmli_h5_extent extent;
    mmli_h5_layout layout;
    uint64_t fill[2]; /* bytes, old and new; 0: none */
    unsigned filters;
    uint64_t symbols_tree, symbols_heap;
    mmli_h5_dense links, attributes;
} mmli_h5_facts;

/* One message of that kind. */
bool mmli_h5_message(mmli_h5_check *c, mmli_h5_facts *f, unsigned kind, unsigned flags, mmli_h5_piece p);
/* Parts of messages, and messages that lie elsewhere too. */
bool mmli_h5_datatype(mmli_h5_check *c, mmli_h5_piece *p, uint64_t *size);
bool mmli_h5_link(mmli_h5_check *c, mmli_h5_piece p);
bool mmli_h5_attribute(mmli_h5_check *c, mmli_h5_piece p);
/* A type that another object has (a committed one): its size. */
bool mmli_h5_shared_type(mmli_h5_check *c, mmli_h5_piece p, uint64_t *size);

#endif
