/* h5walk.h - the structures that object headers lead to, walked to their ends. For h5header.c; see h5header.h. */
#ifndef MMLI_IO_H5WALK_H
#define MMLI_IO_H5WALK_H

#include "io/h5message.h"

/* Kinds of what was walked. */
enum { MMLI_H5_WALKED_SYMBOLS = 1, MMLI_H5_WALKED_LINKS, MMLI_H5_WALKED_ATTRIBUTES, MMLI_H5_WALKED_CHUNKS };

/* h5symbols.c: a group with a symbol table, its tree of nodes and its heap of names. */
bool mmli_h5_walk_symbols(mmli_h5_check *c, uint64_t tree, uint64_t heap);
/* h5index.c: how the chunks of a data set are found. */
bool mmli_h5_walk_chunks(mmli_h5_check *c, const mmli_h5_facts *f);
/* h5dense.c: many links or attributes of an object, in a fractal heap. */
bool mmli_h5_walk_dense(mmli_h5_check *c, const mmli_h5_dense *d, bool links);

/* h5tree2.c: a version 2 B-tree. Its records have `type` and that many bytes; each is called with every one and may be NULL. */
typedef struct mmli_h5_tree2 {
    unsigned type;
    size_t record;
    bool (*each)(void *user, mmli_h5_check *c, mmli_h5_piece record);
    void *user;
} mmli_h5_tree2;
bool mmli_h5_walk_tree2(mmli_h5_check *c, uint64_t at, const mmli_h5_tree2 *t);

#endif
