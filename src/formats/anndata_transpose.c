/* anndata_transpose.c - a sparse matrix stored by columns, copied by rows into a temporary file.
 *
 * Rows are needed one after the other and the file has them scattered over all columns. So: one pass counts the entries of
 * each row, which says where each row will lie; a second pass deals the entries out to buckets of neighbouring rows, each a
 * region of the temporary file; then each bucket, which fits in memory, is put in order in its place. Within a row the
 * order is that of the columns. Memory: 8 bytes a row, and what the buckets need, bounded below; time: the file is read
 * twice and the copy written twice.
 */
#include "formats/anndata_inside.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/spool.h"

enum {
    BUCKET = 1 << 18,     /* entries of a bucket at least (4 MiB), unless the file ends */
    MOST_BUCKETS = 2048,  /* then buckets grow */
    BUCKET_ROWS = 1 << 20,
    HELD = 256            /* entries of a bucket written at once */
};

typedef struct buckets {
    size_t n;
    size_t *first_row;     /* (n + 1) */
    uint64_t *next;        /* (n) place of the next entry that is written */
    size_t *held;          /* (n) entries waiting */
    mmli_ann_entry *entries; /* (n, HELD) */
    uint32_t *bucket_of;   /* (rows) */
} buckets;

static void free_buckets(buckets *b)
{
    mmli_free(b->first_row);
    mmli_free(b->next);
    mmli_free(b->held);
    mmli_free(b->entries);
    mmli_free(b->bucket_of);
}

/* pointers (rows + 1) of the copy. */
static mml_status count_rows(uint64_t *pointers, int64_t *rows, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;

    for (size_t at = 0; at < m->stored;) {
        const size_t n = m->stored - at < MMLI_ANN_PIECE ? m->stored - at : MMLI_ANN_PIECE;

        MML_TRY(mmli_ann_sparse_entries(NULL, rows, at, n, m));
        for (size_t i = 0; i < n; i++)
            pointers[rows[i] + 1]++;
        at += n;
    }
    for (size_t i = 0; i < m->n; i++)
        pointers[i + 1] += pointers[i];
out:
    return st;
}

/* A bucket ends before it would be too large; a row that is too large alone has one of its own. */
static mml_status make_buckets(buckets *b, const uint64_t *pointers, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    const uint64_t most = m->stored / MOST_BUCKETS > BUCKET ? m->stored / MOST_BUCKETS : BUCKET;
    size_t cap = 0, first = 0;

    MML_TRY(mmli_calloc(&b->bucket_of, m->n, sizeof *b->bucket_of));
    while (first < m->n) {
        size_t end = first + 1;

        while (end < m->n && pointers[end + 1] - pointers[first] <= most && end - first < BUCKET_ROWS)
            end++;
        MML_TRY(mmli_grow(&b->first_row, &cap, b->n + 2, sizeof *b->first_row));
        b->first_row[b->n] = first;
        b->first_row[b->n + 1] = end;
        for (size_t row = first; row < end; row++)
            b->bucket_of[row] = (uint32_t)b->n;
        b->n++;
        first = end;
    }
    MML_TRY(mmli_calloc(&b->next, b->n, sizeof *b->next));
    MML_TRY(mmli_calloc(&b->held, b->n, sizeof *b->held));
    MML_TRY(mmli_calloc(&b->entries, b->n * HELD, sizeof *b->entries));
    for (size_t i = 0; i < b->n; i++)
        b->next[i] = pointers[b->first_row[i]];
out:
    return st;
}

static mml_status flush(buckets *b, size_t i, int spool, const char *beside)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_spool_write(spool, beside, b->next[i] * sizeof *b->entries, b->entries + i * HELD,
                             b->held[i] * sizeof *b->entries));
    b->next[i] += b->held[i];
    b->held[i] = 0;
out:
    return st;
}

static mml_status deal_out(buckets *b, double *values, int64_t *rows, int spool, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    size_t column = 0;

    for (size_t at = 0; at < m->stored;) {
        const size_t n = m->stored - at < MMLI_ANN_PIECE ? m->stored - at : MMLI_ANN_PIECE;

        MML_TRY(mmli_ann_sparse_entries(values, rows, at, n, m));
        for (size_t i = 0; i < n; i++) {
            const size_t bucket = b->bucket_of[rows[i]];

            while (at + i >= m->pointers[column + 1])
                column++;
            b->entries[bucket * HELD + b->held[bucket]++] = (mmli_ann_entry){
                values[i], (uint32_t)((size_t)rows[i] - b->first_row[bucket]), (uint32_t)column};
            if (b->held[bucket] == HELD)
                MML_TRY(flush(b, bucket, spool, m->beside));
        }
        at += n;
    }
    for (size_t i = 0; i < b->n; i++)
        MML_TRY(flush(b, i, spool, m->beside));
out:
    return st;
}

/* Sorts a bucket of several rows by row, in the order its entries came in. */
static mml_status sort_bucket(const buckets *b, size_t i, const uint64_t *pointers, int spool, const mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    const size_t first = b->first_row[i], rows = b->first_row[i + 1] - first;
    const uint64_t begin = pointers[first];
    const size_t n = (size_t)(pointers[first + rows] - begin);
    mmli_ann_entry *from = NULL, *to = NULL;
    size_t *place = NULL;

    if (rows == 1 || n == 0)
        return MML_OK;
    MML_TRY(mmli_calloc(&from, n, sizeof *from));
    MML_TRY(mmli_calloc(&to, n, sizeof *to));
    MML_TRY(mmli_calloc(&place, rows, sizeof *place));
    MML_TRY(mmli_spool_read(spool, m->beside, begin * sizeof *from, from, n * sizeof *from));
    for (size_t row = 0; row < rows; row++)
        place[row] = (size_t)(pointers[first + row] - begin);
    for (size_t k = 0; k < n; k++) {
        MML_CHECK(from[k].row < rows && place[from[k].row] < n, MML_E_IO, "%s: changed while it was read", m->path);
        to[place[from[k].row]++] = from[k];
    }
    MML_TRY(mmli_spool_write(spool, m->beside, begin * sizeof *to, to, n * sizeof *to));
out:
    mmli_free(from);
    mmli_free(to);
    mmli_free(place);
    return st;
}

mml_status mmli_ann_sparse_transpose(mmli_ann_sparse *m)
{
    mml_status st = MML_OK;
    const size_t room = m->stored < MMLI_ANN_PIECE ? m->stored : MMLI_ANN_PIECE;
    uint64_t *pointers = NULL;
    double *values = NULL;
    int64_t *rows = NULL;
    buckets b = {0};
    int spool = -1;

    MML_TRY(mmli_calloc(&pointers, m->n + 1, sizeof *pointers));
    MML_TRY(mmli_calloc(&values, room, sizeof *values));
    MML_TRY(mmli_calloc(&rows, room, sizeof *rows));
    MML_TRY(count_rows(pointers, rows, m));
    MML_TRY(make_buckets(&b, pointers, m));
    MML_TRY(mmli_spool_open(&spool, m->beside));
    MML_TRY(deal_out(&b, values, rows, spool, m));
    for (size_t i = 0; i < b.n; i++)
        MML_TRY(sort_bucket(&b, i, pointers, spool, m));
    mmli_free(m->pointers);
    m->pointers = pointers;
    m->spool = spool;
    pointers = NULL;
    spool = -1;
out:
    mmli_spool_close(spool);
    mmli_free(pointers);
    mmli_free(values);
    mmli_free(rows);
    free_buckets(&b);
    return st;
}
