/* h5symbols.c - see h5walk.h: groups of the old format (HDF5 File Format Specification 3.0, III.A.1, III.B, III.D).
 *
 * A group has a tree whose leaves are nodes of symbols, and a heap with the names. HDF5 1.10 checks that a name begins inside of the heap,
 * not that it ends there, and follows a tree into itself. */
#include <string.h>

#include "io/h5walk.h"

enum { SIGNATURE = 4 };

typedef struct group {
    mmli_h5_check *c;
    size_t n_names, heap; /* bytes of the heap up to its last '\0', all of it */
    uint64_t nodes, nodes_most; /* more than the file has room for: a node is in the tree twice */
} group;

/* The list of what is free in a heap; HDF5 reads it whole. */
static bool free_list(mmli_h5_check *c, mmli_h5_piece heap, uint64_t first)
{
    enum { NONE = 1 };
    const uint64_t size = heap.n;

    for (uint64_t at = first, steps = 0; at != NONE; steps++) {
        mmli_h5_piece p = heap;
        uint64_t free_bytes;

        (void)mmli_h5_take(&p, at <= size ? (size_t)at : (size_t)size + 1);
        at = mmli_h5_length(&p, c);
        free_bytes = mmli_h5_length(&p, c);
        if (p.over || at == 0 || free_bytes > size || steps > size / c->length)
            return mmli_h5_bad(c, heap.at, "a heap of names with an impossible list of what is free");
    }
    return true;
}

static bool heap_of_names(group *g, uint64_t at)
{
    mmli_h5_check *c = g->c;
    mmli_h5_piece p;
    const unsigned char *start;
    uint64_t size, first, data;

    if (!mmli_h5_load(&p, c, MMLI_H5_HEAP, at, SIGNATURE + 4 + 2 * c->length + c->address, "a heap of names"))
        return false;
    start = mmli_h5_take(&p, SIGNATURE + 4);
    if (memcmp(start, "HEAP", SIGNATURE + 1) != 0) /* version 0 */
        return mmli_h5_bad(c, at, "a group's heap of names is none");
    size = mmli_h5_length(&p, c);
    first = mmli_h5_length(&p, c);
    data = mmli_h5_address(&p, c);
    if (size == 0)
        return true;
    if (!mmli_h5_load(&p, c, MMLI_H5_HEAP, data, size, "a heap of names"))
        return false;
    g->heap = p.n;
    for (g->n_names = p.n; g->n_names > 0 && p.bytes[g->n_names - 1] != '\0';)
        g->n_names--;
    return free_list(c, p, first);
}

static bool name(const group *g, uint64_t offset, uint64_t at)
{
    return offset < g->n_names || mmli_h5_bad(g->c, at, "a group has a name outside of its heap, or without an end");
}

/* Between two nodes; it may be of a name that was taken away, with which HDF5 fails where it begins outside of the heap. */
static bool key(const group *g, uint64_t offset, uint64_t at)
{
    return offset >= g->heap || name(g, offset, at);
}

static bool count_node(group *g, uint64_t at)
{
    return ++g->nodes <= g->nodes_most || mmli_h5_bad(g->c, at, "a group's tree goes round in circles");
}

static bool symbols(group *g, uint64_t at, int level)
{
    enum { SCRATCH = 16, SOFT_LINK = 2 };
    mmli_h5_check *c = g->c;
    mmli_h5_piece p, scratch;
    uint64_t n, type;

    if (!mmli_h5_load(&p, c, MMLI_H5_TREE + level, at, 8, "a node of a group"))
        return false;
    if (memcmp(p.bytes, "SNOD\1", SIGNATURE + 1) != 0)
        return mmli_h5_bad(c, at, "a group's tree leads where no node is");
    (void)mmli_h5_take(&p, 6);
    n = mmli_h5_number(&p, 2);
    if (!count_node(g, at) ||
        !mmli_h5_load(&p, c, MMLI_H5_TREE + level, at + 8, n * (c->length + c->address + 8 + SCRATCH), "a node of a group"))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!name(g, mmli_h5_length(&p, c), p.at))
            return false;
        (void)mmli_h5_address(&p, c);
        type = mmli_h5_number(&p, 4);
        (void)mmli_h5_take(&p, 4);
        scratch = mmli_h5_part(&p, SCRATCH);
        if (type > SOFT_LINK)
            return mmli_h5_bad(c, scratch.at, "a group with a symbol of an unknown kind");
        if (type == SOFT_LINK && !name(g, mmli_h5_number(&scratch, 4), scratch.at))
            return false;
    }
    return true;
}

/* A node of the tree; level: that it must have, or -1. depth: of the calls. */
static bool node(group *g, uint64_t at, int level, int depth)
{
    mmli_h5_check *c = g->c;
    const size_t head = SIGNATURE + 4 + 2 * (size_t)c->address;
    mmli_h5_piece p;
    uint64_t n, child;
    int own;

    if (depth >= MMLI_H5_DEPTH_MOST - 1 || !count_node(g, at))
        return mmli_h5_bad(c, at, "a group's tree has too many levels");
    if (!mmli_h5_load(&p, c, MMLI_H5_TREE + depth, at, head, "a group's tree"))
        return false;
    if (memcmp(p.bytes, "TREE", SIGNATURE + 1) != 0) /* type 0: of a group */
        return mmli_h5_bad(c, at, "a group's tree is none");
    (void)mmli_h5_take(&p, SIGNATURE + 1);
    own = (int)mmli_h5_number(&p, 1);
    n = mmli_h5_number(&p, 2);
    if (level >= 0 && own != level)
        return mmli_h5_bad(c, at, "a group's tree has levels that do not follow each other");
    if (!mmli_h5_load(&p, c, MMLI_H5_TREE + depth, at + head, n * (c->length + c->address) + (n > 0 ? c->length : 0), "a group's tree"))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!key(g, mmli_h5_length(&p, c), p.at))
            return false;
        child = mmli_h5_address(&p, c);
        if (!(own == 0 ? symbols(g, child, depth + 1) : node(g, child, own - 1, depth + 1)))
            return false;
    }
    return n == 0 || key(g, mmli_h5_length(&p, c), p.at);
}

bool mmli_h5_walk_symbols(mmli_h5_check *c, uint64_t tree, uint64_t heap)
{
    group g = {.c = c, .nodes_most = c->file.size / 8 + 1};

    if (mmli_h5_was_walked(c, MMLI_H5_WALKED_SYMBOLS, tree, heap))
        return true;
    if (!heap_of_names(&g, heap) || !node(&g, tree, -1, 0))
        return false;
    mmli_h5_walked_add(c, MMLI_H5_WALKED_SYMBOLS, tree, heap);
    return true;
}
