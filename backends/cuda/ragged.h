/* ragged.h - how the rows of a ragged batch are dealt to blocks of threads, worked out on the device.
 *
 * Offsets lie in device memory: the host knows how many segments there are, not how many rows, and asking would mean to
 * wait for everything queued before. So the grid has a number of PARTS fixed by the host, and every block finds its own
 * share of the rows: part p owns rows p chunk .. (p + 1) chunk - 1, whatever segments they belong to. Parts are even for one
 * segment of a million rows and for a million of one row.
 *
 * What a part has of one segment is a piece. A piece that is its whole segment is finished where it is. The others leave a
 * partial result in a slot, and a second kernel combines those of a segment in order: always in the same order, so the same
 * call gives the same bits. At most the first and the last piece of a part are not whole: two slots a part do. */
#ifndef MMLI_CUDA_RAGGED_H
#define MMLI_CUDA_RAGGED_H

#include "backends/cuda/cuda.h"

struct mmli_parts {
    const int64_t *off;
    size_t segs;
    int64_t tokens, chunk; /* chunk >= 1 */
};

/* `least` >= 1: rows of a chunk, at least. */
static __device__ inline mmli_parts mmli_parts_of(const int64_t *off, size_t segs, int parts, int least)
{
    mmli_parts p;
    int64_t chunk;

    p.off = off;
    p.segs = segs;
    p.tokens = segs > 0 ? off[segs] : 0;
    chunk = (p.tokens + parts - 1) / parts;
    p.chunk = chunk < least ? least : chunk;
    return p;
}

/* The segment that owns row t < tokens. */
static __device__ inline size_t mmli_segment_of(const int64_t *off, size_t segs, int64_t t)
{
    size_t lo = 0, hi = segs; /* off[lo] <= t < off[hi] */

    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;

        if (off[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* The pieces of part p in order: for (mmli_piece x = mmli_piece_first(&parts, p); x.from < x.to; mmli_piece_next(&parts, &x)) */
struct mmli_piece {
    size_t s;
    int64_t from, to;    /* its rows */
    int64_t first, last; /* rows of the part */
    int64_t part;
};

static __device__ inline void mmli_piece_end(const mmli_parts *p, mmli_piece *x)
{
    const int64_t end = p->off[x->s + 1];

    x->to = end < x->last ? end : x->last;
}

static __device__ inline mmli_piece mmli_piece_first(const mmli_parts *p, int64_t part)
{
    mmli_piece x;

    x.s = 0;
    x.part = part;
    x.first = part * p->chunk;
    x.last = x.first + p->chunk < p->tokens ? x.first + p->chunk : p->tokens;
    x.from = x.to = x.first;
    if (x.first < x.last) {
        x.s = mmli_segment_of(p->off, p->segs, x.first);
        mmli_piece_end(p, &x);
    }
    return x;
}

static __device__ inline void mmli_piece_next(const mmli_parts *p, mmli_piece *x)
{
    x->from = x->to;
    while (x->from < x->last && x->to == x->from) { /* past empty segments */
        x->s++;
        mmli_piece_end(p, x);
    }
}

static __device__ inline bool mmli_piece_is_whole(const mmli_parts *p, const mmli_piece *x)
{
    return x->from == p->off[x->s] && x->to == p->off[x->s + 1];
}

/* Slot, below 2 parts, of a piece that is not whole. */
static __device__ inline int64_t mmli_piece_slot(const mmli_piece *x)
{
    return 2 * x->part + (x->from > x->first ? 1 : 0);
}

/* The slots of segment s: of part `from` first_slot, of each later part up to `to` 2 part. from = to: nothing to combine. */
struct mmli_slots {
    int64_t from, to, first_slot;
};

static __device__ inline mmli_slots mmli_slots_of(const mmli_parts *p, size_t s)
{
    const int64_t first = p->off[s], end = p->off[s + 1];
    mmli_slots x;

    x.from = x.to = first / p->chunk;
    if (end > first)
        x.to = (end - 1) / p->chunk;
    x.first_slot = 2 * x.from + (first > x.from * p->chunk ? 1 : 0);
    return x;
}

static __device__ inline int64_t mmli_slot_at(const mmli_slots *x, int64_t part)
{
    return part == x->from ? x->first_slot : 2 * part;
}

#endif
