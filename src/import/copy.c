/* copy.c - see copy.h. Whatever the size of a piece, no more than a block of it is in memory. */
#include "import/copy.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum { BLOCK_BYTES = 8 << 20 }; /* of rows in memory at once */

static int by_sample(const void *a, const void *b)
{
    const mmli_visit *x = a, *y = b;

    if (x->sample != y->sample)
        return x->sample < y->sample ? -1 : 1;
    return x->piece < y->piece ? -1 : x->piece > y->piece;
}

mml_status mmli_visits_make(mmli_visits *out, const mmli_source *s, const mmli_index *samples)
{
    mml_status st = MML_OK;

    *out = (mmli_visits){0};
    MML_TRY(mmli_calloc(&out->list, s->n_pieces, sizeof *out->list));
    for (size_t i = 0; i < s->n_pieces; i++) {
        const size_t at = mmli_index_find(samples, s->ids[i], strlen(s->ids[i]));

        if (at != SIZE_MAX)
            out->list[out->n++] = (mmli_visit){at, i};
    }
    qsort(out->list, out->n, sizeof *out->list, by_sample);
out:
    return st;
}

void mmli_visits_free(mmli_visits *v)
{
    mmli_free(v->list);
    *v = (mmli_visits){0};
}

mml_status mmli_copy_tell(const mmli_copy_watch *watch, size_t done, size_t total)
{
    if (watch->progress == NULL || watch->progress(watch->user, watch->what, done, total) == 0)
        return MML_OK;
    return mmli_fail(MML_E_STOPPED, "the import was stopped on request; nothing was written");
}

/* Rows in memory, and whose they are. */
typedef struct block {
    size_t rows, most, n_spans, row_values, n_axes;
    float *values, *places; /* (most, row_values), (most, n_axes) */
    mmli_piece_span *spans; /* (most) */
    size_t *sample;         /* (most) of each row */
    float *tokens, *positions; /* of one row */
} block;

static mml_status block_make(block *b, const mmli_tokenizer *t, const mmli_source *s)
{
    mml_status st = MML_OK;

    b->row_values = mmli_source_row_values(s);
    b->n_axes = s->n_axes;
    b->most = (size_t)BLOCK_BYTES / sizeof(float) / b->row_values;
    b->most = b->most == 0 ? 1 : b->most;
    if (s->counts == NULL && s->n_pieces < b->most)
        b->most = s->n_pieces;
    MML_TRY(mmli_calloc(&b->values, b->most, b->row_values * sizeof(float)));
    MML_TRY(mmli_calloc(&b->places, b->most, b->n_axes * sizeof(float)));
    MML_TRY(mmli_calloc(&b->spans, b->most, sizeof *b->spans));
    MML_TRY(mmli_calloc(&b->sample, b->most, sizeof *b->sample));
    MML_TRY(mmli_calloc(&b->tokens, t->most, t->width * sizeof(float)));
    MML_TRY(mmli_calloc(&b->positions, t->most, t->n_axes * sizeof(float)));
out:
    return st;
}

static void block_free(block *b)
{
    mmli_free(b->values);
    mmli_free(b->places);
    mmli_free(b->spans);
    mmli_free(b->sample);
    mmli_free(b->tokens);
    mmli_free(b->positions);
}

/* Reads what the block has collected and writes its tokens; the block is empty again. */
static mml_status block_pass(block *b, mmli_token_writer *w, const mmli_tokenizer *t, mmli_source *s, char *const *ids)
{
    mml_status st = MML_OK;
    size_t tokens;

    if (b->rows == 0)
        return MML_OK;
    MML_TRY(s->kind->read(b->values, b->places, b->spans, b->n_spans, s));
    for (size_t i = 0; i < b->rows; i++) {
        tokens = 0; /* a check goes on after a wrong row */
        MML_TRY(mmli_problem(s->context->problems,
                             mmli_tokenize(b->tokens, b->positions, &tokens, t, b->values + i * b->row_values,
                                           b->places + i * b->n_axes, ids[b->sample[i]])));
        MML_TRY(mmli_token_write(w, b->sample[i], b->tokens, b->positions, tokens));
    }
    b->rows = b->n_spans = 0;
out:
    return st;
}

/* Rows of a piece into the block, which is passed on whenever it is full. */
static mml_status block_add(block *b, const mmli_visit *v, mmli_token_writer *w, const mmli_tokenizer *t, mmli_source *s,
                            char *const *ids)
{
    mml_status st = MML_OK;
    const size_t n = mmli_source_count(s, v->piece);

    for (size_t at = 0, count; at < n; at += count) {
        count = n - at < b->most - b->rows ? n - at : b->most - b->rows;
        b->spans[b->n_spans++] = (mmli_piece_span){.piece = v->piece, .first = at, .count = count, .to = b->rows};
        for (size_t i = 0; i < count; i++)
            b->sample[b->rows + i] = v->sample;
        b->rows += count;
        if (b->rows == b->most)
            MML_TRY(block_pass(b, w, t, s, ids));
    }
out:
    return st;
}

mml_status mmli_copy_tokens(mmli_token_writer *w, const mmli_tokenizer *t, mmli_source *s, const mmli_visits *visits,
                            char *const *ids, const mmli_copy_watch *watch)
{
    mml_status st = MML_OK;
    block b = {0};

    MML_TRY(block_make(&b, t, s));
    for (size_t i = 0; i < visits->n; i++) {
        if (b.rows == 0) /* a block begins */
            MML_TRY(mmli_copy_tell(watch, i, visits->n));
        MML_TRY(block_add(&b, &visits->list[i], w, t, s, ids));
    }
    MML_TRY(block_pass(&b, w, t, s, ids));
    MML_TRY(mmli_copy_tell(watch, visits->n, visits->n));
out:
    block_free(&b);
    return st;
}
