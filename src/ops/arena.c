/* arena.c - chunks grow geometrically; reset joins them, so a steady load ends with one chunk. */
#include "ops/arena.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum { ALIGN = 64, FIRST_CHUNK = 1 << 16 };

static mml_status chunk_new(mmli_arena *arena, size_t size)
{
    mml_status st = MML_OK;
    mmli_chunk chunk = {NULL, size};

    MML_TRY(mmli_grow(&arena->list, &arena->cap, arena->n + 1, sizeof *arena->list));
    if (arena->dv) {
        mmli_mem *mem = NULL;
        MML_TRY(arena->dv->k.alloc(arena->dv, &mem, size));
        chunk.at = mem;
    } else {
        /* room to align by hand: the host allocator promises 16 bytes only */
        MML_TRY(mmli_calloc(&chunk.at, size + ALIGN, 1));
    }
    arena->list[arena->n++] = chunk;
out:
    return st;
}

static void chunk_free(mmli_arena *arena, mmli_chunk *chunk)
{
    if (arena->dv)
        arena->dv->k.free(arena->dv, chunk->at);
    else
        mmli_free(chunk->at);
}

static void *chunk_base(const mmli_arena *arena, const mmli_chunk *chunk)
{
    if (arena->dv)
        return chunk->at;
    return (void *)(((uintptr_t)chunk->at + ALIGN - 1) / ALIGN * ALIGN);
}

mml_status mmli_arena_get(void *out, mmli_arena *arena, size_t bytes)
{
    mml_status st = MML_OK;
    void **result = out;

    *result = NULL;
    MML_CHECK(bytes <= SIZE_MAX / 4, MML_E_NOMEM, "a buffer of %zu bytes is too large", bytes);
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    while (arena->now < arena->n && arena->list[arena->now].size - arena->used < bytes) {
        arena->now++;
        arena->used = 0;
    }
    if (arena->now == arena->n) {
        size_t size = arena->n ? 2 * arena->list[arena->n - 1].size : FIRST_CHUNK;
        MML_TRY(chunk_new(arena, size > bytes ? size : bytes));
        arena->used = 0;
    }
    *result = (void *)((uintptr_t)chunk_base(arena, &arena->list[arena->now]) + arena->used);
    arena->used += bytes;
out:
    return st;
}

mmli_arena_mark mmli_arena_get_mark(const mmli_arena *arena)
{
    return (mmli_arena_mark){arena->now, arena->used};
}

void mmli_arena_release(mmli_arena *arena, mmli_arena_mark mark)
{
    arena->now = mark.now;
    arena->used = mark.used;
}

mml_status mmli_arena_reset(mmli_arena *arena)
{
    mml_status st = MML_OK;

    if (arena->n > 1) {
        size_t total = 0;
        for (size_t i = 0; i < arena->n; i++) {
            total += arena->list[i].size;
            chunk_free(arena, &arena->list[i]);
        }
        arena->n = 0;
        MML_TRY(chunk_new(arena, total));
    }
out:
    arena->now = 0;
    arena->used = 0;
    return st;
}

void mmli_arena_clear(mmli_arena *arena)
{
    for (size_t i = 0; i < arena->n; i++)
        chunk_free(arena, &arena->list[i]);
    mmli_free(arena->list);
    memset(arena, 0, sizeof *arena);
}
