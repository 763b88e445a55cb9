/* arena.h - a bump allocator that is emptied at once and keeps its memory. Host or device. */
#ifndef MMLI_OPS_ARENA_H
#define MMLI_OPS_ARENA_H

#include "backends/backend.h"

typedef struct mmli_chunk {
    void *at; /* host pointer or mmli_mem */
    size_t size;
} mmli_chunk;

typedef struct mmli_arena {
    mmli_device *dv; /* NULL = host memory */
    mmli_chunk *list;
    size_t n, cap;
    size_t now, used; /* chunk being filled, bytes used of it */
} mmli_arena;

/* bytes from the arena, 64-byte aligned, contents undefined. */
mml_status mmli_arena_get(void *out, mmli_arena *arena, size_t bytes);
/* Where the arena is; everything given after a mark is free again. Marks end in the order opposite to that of their making. */
typedef struct mmli_arena_mark {
    size_t now, used;
} mmli_arena_mark;
mmli_arena_mark mmli_arena_get_mark(const mmli_arena *arena);
void mmli_arena_release(mmli_arena *arena, mmli_arena_mark mark);
/* Everything given so far is free again. Several chunks are made one, so the next pass of the same size takes one. */
mml_status mmli_arena_reset(mmli_arena *arena);
void mmli_arena_clear(mmli_arena *arena);

#endif
