/* abmil.c - attention over the instances of a bag (Ilse et al. 2018), gated:
 *
 *     h = relu(Wf x + bf),  s = c . (tanh(A h) * sigmoid(B h)),  w = softmax of s over the sample,  out = relu(Wr sum w h + br)
 *
 * Of a bag that does not lie in memory (tape.h, stream) the sum is made piece by piece: a piece gives its own sum and the
 * logarithm of its sum of exp(s), and is joined to those before, as attention is (kernel attention_join). */
#include "nn/abmil.h"

#include <math.h>

#include "ops/internal.h"
#include "ops/pieces.h"
#include "ops/watch.h"
#include "util/rng.h"

enum { PIECE = 4 << 20 /* floats of a piece with all that is made of it, about */ };

static mmli_var *linear(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, size_t i, mmli_var *x)
{
    return mmli_op_linear(tape, x, mmli_p(bound, enc->p[i]), mmli_p(bound, enc->p[i + 1]));
}

/* s from h */
static mmli_var *scores(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *h)
{
    return linear(tape, bound, enc, 4, mmli_op_gate(tape, linear(tape, bound, enc, 2, h), MMLI_GATE_TANH_SIGMOID));
}

/* ---- weights for who watches ---------------------------------------------------------------------------------------------- */

static void show_weights(mmli_tape *tape, const mmli_encoder *enc, const mmli_var *w, const mmli_ragged *ragged)
{
    const mmli_tape_mark mark = mmli_tape_get_mark(tape);
    mmli_device *dv = mmli_tape_device(tape);
    float *host;

    if (!w || !mmli_is_watched(tape))
        return;
    host = mmli_tape_host(tape, w->rows * sizeof *host);
    if (host)
        mmli_tape_fail(tape, dv->k.download(dv, host, w->data, w->rows * sizeof *host));
    mmli_show(tape, &(mmli_seen){.of = enc, .pool = true, .weights = host, .ragged = ragged});
    mmli_tape_release(tape, mark);
}

/* The same from the scores s (T) of one bag on the host, which are overwritten. */
static void show_scores(mmli_tape *tape, const mmli_encoder *enc, float *s, const mmli_ragged *ragged)
{
    double most = -INFINITY, sum = 0;

    for (size_t t = 0; t < ragged->tokens; t++)
        most = fmax(most, (double)s[t]);
    for (size_t t = 0; t < ragged->tokens; t++)
        sum += exp((double)s[t] - most);
    for (size_t t = 0; t < ragged->tokens; t++)
        s[t] = (float)(exp((double)s[t] - most) / sum);
    mmli_show(tape, &(mmli_seen){.of = enc, .pool = true, .weights = s, .ragged = ragged});
}

/* ---- bags in pieces --------------------------------------------------------------------------------------------------- */

/* The sum so far: out (1, hidden) with its state. one: a query that leaves scores as they are. */
typedef struct pooled {
    mmli_mem *out, *state, *one;
    float *scores; /* (T) host, for who watches; else NULL */
} pooled;

static void add_piece(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, const mmli_var *x, size_t first,
                      size_t n, const pooled *p)
{
    const int64_t off[] = {0, (int64_t)n};
    mmli_mem *lse = mmli_tape_mem(tape, sizeof(float)), *unused = mmli_tape_mem(tape, sizeof(float));
    mmli_mem *rows = mmli_piece_rows(tape, x, first, n, x->rows - first - n < n ? x->rows - first - n : n);
    mmli_device *dv = mmli_tape_device(tape);
    mmli_ragged ragged;
    mmli_var *h, *s, *part;

    if (!mmli_tape_ok(tape))
        return;
    mmli_tape_fail(tape, mmli_ragged_make(&ragged, tape, off, 1));
    h = mmli_op_act(tape, linear(tape, bound, enc, 0, mmli_tape_wrap(tape, rows, NULL, n, x->cols, false)), MMLI_ACT_RELU);
    s = scores(tape, bound, enc, h);
    if (s && p->scores)
        mmli_tape_fail(tape, dv->k.download(dv, p->scores + first, s->data, n * sizeof *p->scores));
    part = mmli_op_segment_sum(tape, mmli_op_segment_softmax(tape, s, &ragged), h, &ragged);
    if (part && MMLI_RUN(tape, attention, unused, lse, p->one, s->data, s->data, ragged.off_dev, 1, 1, 1, 1, 1.0f,
                         MMLI_QUERY_SHARED))
        MMLI_RUN(tape, attention_join, p->out, NULL, p->state, part->data, lse, ragged.off_dev, 1, 1, 1, enc->hidden);
}

static mmli_var *sum_in_pieces(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                               const mmli_ragged *bag)
{
    const size_t each = enc->piece ? enc->piece : 1 + PIECE / (enc->in + 4 * enc->hidden);
    mmli_var *out = mmli_tape_var(tape, 1, enc->hidden, false);
    const pooled p = {out ? out->data : NULL, mmli_tape_mem(tape, 2 * sizeof(float)), mmli_tape_mem(tape, sizeof(float)),
                      mmli_is_watched(tape) ? mmli_tape_host(tape, x->rows * sizeof(float)) : NULL};

    if (!out || !mmli_tape_ok(tape) || !MMLI_RUN(tape, fill, p.state, 2, -INFINITY) || !MMLI_RUN(tape, fill, p.one, 1, 1.0f))
        return NULL;
    for (size_t t = 0; t < x->rows && mmli_tape_ok(tape); t += each) {
        const mmli_tape_mark mark = mmli_tape_get_mark(tape);

        add_piece(tape, bound, enc, x, t, x->rows - t < each ? x->rows - t : each, &p);
        mmli_tape_release(tape, mark);
    }
    if (p.scores)
        show_scores(tape, enc, p.scores, bag);
    return mmli_tape_ok(tape) ? out : NULL;
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

mmli_var *mmli_abmil(mmli_tape *tape, const mmli_bound *bound, const mmli_encoder *enc, mmli_var *x,
                     const mmli_ragged *ragged, uint64_t key)
{
    mmli_var *h, *w;

    if (x->stream)
        h = sum_in_pieces(tape, bound, enc, x, ragged);
    else {
        h = mmli_op_act(tape, linear(tape, bound, enc, 0, x), MMLI_ACT_RELU);
        h = mmli_op_dropout_part(tape, h, enc->dropout, mmli_rng_key(key, "encoder", 0), ragged->tokens_before);
        w = mmli_op_segment_softmax(tape, scores(tape, bound, enc, h), ragged);
        show_weights(tape, enc, w, ragged);
        h = mmli_op_segment_sum(tape, w, h, ragged);
    }
    return mmli_op_act(tape, linear(tape, bound, enc, 6, h), MMLI_ACT_RELU);
}
