/* h5tree2.c - see h5walk.h: version 2 B-trees (HDF5 File Format Specification 3.0, III.A.2).
 *
 * HDF5 1.10 takes the number of records of a node from the pointer to it, and does not compare it with the room in the node nor in its own
 * memory; a record is found by its number with the totals in the pointers. */
#include <string.h>

#include "io/h5walk.h"

enum {
    SIGNATURE = 4, CHECKSUM = 4,
    NODE_HEAD = SIGNATURE + 2, /* version, type */
    LEVELS_MOST = 16,
    NODE_MOST = 1 << 24
};

typedef struct tree {
    mmli_h5_check *c;
    const mmli_h5_tree2 *of;
    uint64_t node_bytes, nodes, nodes_most;
    uint64_t most[LEVELS_MOST + 1]; /* records of a node of a level; 0: leaves */
    unsigned total_bytes[LEVELS_MOST + 1], count_bytes; /* of the numbers in a pointer to a node of a level */
} tree;

static bool levels(tree *t, uint64_t at, uint64_t depth)
{
    uint64_t below, pointer;

    t->most[0] = (t->node_bytes - NODE_HEAD - CHECKSUM) / t->of->record;
    t->count_bytes = mmli_h5_bytes_for(t->most[0]);
    below = t->most[0];
    t->total_bytes[0] = 0;
    for (uint64_t i = 1; i <= depth; i++) {
        pointer = t->c->address + t->count_bytes + t->total_bytes[i - 1];
        if (t->node_bytes < NODE_HEAD + CHECKSUM + 2 * pointer + t->of->record)
            return mmli_h5_bad(t->c, at, "a tree with nodes too small for it");
        t->most[i] = (t->node_bytes - NODE_HEAD - CHECKSUM - pointer) / (t->of->record + pointer);
        if (below > (UINT64_MAX >> 1) / (t->most[i] + 1) - 1)
            return mmli_h5_bad(t->c, at, "a tree of an impossible depth");
        below = (t->most[i] + 1) * below + t->most[i];
        t->total_bytes[i] = mmli_h5_bytes_for(below);
    }
    return true;
}

/* A node with n records; *total: with all that is below. */
static bool node(tree *t, uint64_t at, uint64_t n, uint64_t depth, uint64_t *total)
{
    mmli_h5_check *c = t->c;
    const char *signature = depth > 0 ? "BTIN" : "BTLF";
    mmli_h5_piece p;
    uint64_t child, count, below, all;

    if (n == 0 || n > t->most[depth])
        return mmli_h5_bad(c, at, "a tree has a node with %llu records, at most %llu fit", (unsigned long long)n,
                           (unsigned long long)t->most[depth]);
    if (++t->nodes > t->nodes_most)
        return mmli_h5_bad(c, at, "a tree goes round in circles");
    if (!mmli_h5_load(&p, c, MMLI_H5_TREE + (int)depth, at, t->node_bytes, "a tree's node"))
        return false;
    if (memcmp(p.bytes, signature, SIGNATURE) != 0 || p.bytes[SIGNATURE] != 0 || p.bytes[SIGNATURE + 1] != t->of->type)
        return mmli_h5_bad(c, at, "a tree leads where none of its nodes is");
    (void)mmli_h5_take(&p, NODE_HEAD);
    for (uint64_t i = 0; i < n; i++) {
        const mmli_h5_piece record = mmli_h5_part(&p, t->of->record);

        if (t->of->each != NULL && !t->of->each(t->of->user, c, record))
            return false;
    }
    *total = n;
    for (uint64_t i = 0; depth > 0 && i <= n; i++) {
        child = mmli_h5_address(&p, c);
        count = mmli_h5_number(&p, t->count_bytes);
        all = depth > 1 ? mmli_h5_number(&p, t->total_bytes[depth - 1]) : count;
        if (!node(t, child, count, depth - 1, &below))
            return false;
        if (below != all)
            return mmli_h5_bad(c, at, "a tree has %llu records where it should have %llu", (unsigned long long)below,
                               (unsigned long long)all);
        *total += below;
    }
    return !p.over || mmli_h5_bad(c, at, "a tree's node goes over its end");
}

bool mmli_h5_walk_tree2(mmli_h5_check *c, uint64_t at, const mmli_h5_tree2 *of)
{
    tree t = {.c = c, .of = of};
    mmli_h5_piece p;
    uint64_t record, depth, split, merge, root, n, all, total = 0;

    if (!mmli_h5_load(&p, c, MMLI_H5_TREE, at, NODE_HEAD + 4 + 2 + 2 + 2 + c->address + 2 + c->length + CHECKSUM, "a tree"))
        return false;
    if (memcmp(p.bytes, "BTHD", SIGNATURE + 1) != 0 || p.bytes[SIGNATURE + 1] != of->type) /* version 0 */
        return mmli_h5_bad(c, at, "a tree of links, attributes or chunks is none");
    (void)mmli_h5_take(&p, NODE_HEAD);
    t.node_bytes = mmli_h5_number(&p, 4);
    record = mmli_h5_number(&p, 2);
    depth = mmli_h5_number(&p, 2);
    split = mmli_h5_number(&p, 1);
    merge = mmli_h5_number(&p, 1);
    root = mmli_h5_address(&p, c);
    n = mmli_h5_number(&p, 2);
    all = mmli_h5_length(&p, c);
    if (record != of->record || split == 0 || split > 100 || merge == 0 || merge > 100)
        return mmli_h5_bad(c, at, "a tree of other records than it should have");
    if (t.node_bytes < NODE_HEAD + CHECKSUM + record || t.node_bytes > NODE_MOST || depth > LEVELS_MOST)
        return mmli_h5_bad(c, at, "a tree of an impossible size");
    t.nodes_most = c->file.size / t.node_bytes + 1;
    if (!levels(&t, at, depth))
        return false;
    if (n > 0 && !node(&t, root, n, depth, &total))
        return false;
    return (total == all && (n > 0 || depth == 0)) || mmli_h5_bad(c, at, "a tree has another number of records than it says");
}
