/* h5check.h - what the files that check HDF5's own structures share (h5header.h says why); others use io/h5header.h.
 *
 * Numbers are little-endian, addresses count from the superblock. Format: HDF5 File Format Specification 3.0.
 */
#ifndef MMLI_IO_H5CHECK_H
#define MMLI_IO_H5CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/h5guard.h"

enum { MMLI_H5_RANK_MOST = 32, MMLI_H5_DEPTH_MOST = 32 /* of types in types, and of trees */ };

/* What is in memory at the same time: each has a buffer of its own. */
enum { MMLI_H5_HEADER, MMLI_H5_SHARED, MMLI_H5_HEAP, MMLI_H5_OBJECT, MMLI_H5_TREE, MMLI_H5_BUFFERS = MMLI_H5_TREE + MMLI_H5_DEPTH_MOST };

/* Two addresses of a structure that was walked and is sound, and of what kind it is. */
typedef struct mmli_h5_walked {
    uint64_t a, b;
    int kind;
} mmli_h5_walked;

typedef struct mmli_h5_buffer {
    unsigned char *bytes;
    size_t cap;
} mmli_h5_buffer;

/* An open file: its bytes, as far as HDF5 may read them, and what is known of it. */
typedef struct mmli_h5_check {
    mmli_h5_bytes file;
    unsigned address, length; /* bytes of an address and of a size */
    mmli_h5_walked *walked;   /* (cap_walked, a power of 2) by hash; kind 0: free */
    size_t n_walked, cap_walked;
    mmli_h5_buffer buffers[MMLI_H5_BUFFERS];
    uint64_t loaded; /* bytes, for one header with what it leads to */
    bool no_memory;
    char why[240]; /* the first thing that was found wrong */
} mmli_h5_check;

/* Bytes of the file in memory, taken from the front. After a failure `over` is set and all that follows fails too. */
typedef struct mmli_h5_piece {
    const unsigned char *bytes;
    size_t n;
    uint64_t at; /* in the file */
    bool over;
} mmli_h5_piece;

/* Says what is wrong at that byte, unless something was said before. false. */
bool mmli_h5_bad(mmli_h5_check *c, uint64_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The next n bytes; NULL when there are fewer. */
const unsigned char *mmli_h5_take(mmli_h5_piece *p, size_t n);
/* A number of n bytes; 0 when there are fewer, UINT64_MAX when it does not fit. */
uint64_t mmli_h5_number(mmli_h5_piece *p, size_t n);
uint64_t mmli_h5_address(mmli_h5_piece *p, const mmli_h5_check *c); /* UINT64_MAX: undefined */
uint64_t mmli_h5_length(mmli_h5_piece *p, const mmli_h5_check *c);
/* The next n bytes as a piece of their own. */
mmli_h5_piece mmli_h5_part(mmli_h5_piece *p, size_t n);
/* Takes a text with its '\0'; its length without; false when it has no end here. */
bool mmli_h5_text(size_t *length, mmli_h5_piece *p);

/* n bytes of the file into one of the buffers; complains with `what`. */
bool mmli_h5_load(mmli_h5_piece *out, mmli_h5_check *c, int buffer, uint64_t at, uint64_t n, const char *what);

bool mmli_h5_was_walked(const mmli_h5_check *c, int kind, uint64_t a, uint64_t b);
/* Only saves time: without memory it is walked again. */
void mmli_h5_walked_add(mmli_h5_check *c, int kind, uint64_t a, uint64_t b);

/* log2 of a power of 2; -1 for others. */
int mmli_h5_log2(uint64_t v);
/* Bytes that HDF5 gives a number up to v (H5VM_limit_enc_size). */
unsigned mmli_h5_bytes_for(uint64_t v);

#endif
