/* test_graph.c - steps done as graphs, on a GPU or the emulated one (emulated.sh): steps of the backend by hand, which give what their calls
 * give one by one, to the bit. The emulated GPU does what CUDA does at its worst: a graph has the arguments of its capture and no
 * others, memory that was given back ends the program, and what a capture does not allow spoils it. Trainings: test_graph_training.c. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "tests/cuda/there.h"
#include "tests/support/mmlt.h"

enum { N = 1000, WIDTH = 20, HIDDEN = 12, ROWS = 50 /* ROWS WIDTH = N */, WEIGHTS = 2 * WIDTH * HIDDEN };

typedef struct hand {
    mmli_device *dv;
    mmli_mem *x, *y, *z, *p, *m, *v, *g, *decay, *scale, *tally, *loss, *sumsq, *norm, *w1, *b1, *w2, *b2;
    float host[N];
} hand;

static mmli_mem *numbers(mmli_device *dv, size_t n, unsigned salt)
{
    float *x = calloc(n, sizeof *x);
    mmli_mem *m;

    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((i * 7919u + salt * 104729u) % 1999u) / 1000.0f - 1.0f;
    m = mmlt_upload(dv, x, n * sizeof *x);
    free(x);
    return m;
}

static mmli_mem *zeros(mmli_device *dv, size_t bytes)
{
    void *x = calloc(bytes, 1);
    mmli_mem *m;

    ck_assert_ptr_nonnull(x);
    m = mmlt_upload(dv, x, bytes);
    free(x);
    return m;
}

static void hand_make(hand *h)
{
    mmlt_assert_ok(mmli_device_open(&h->dv, "cuda", 1));
    h->x = numbers(h->dv, N, 1);
    h->y = zeros(h->dv, N * sizeof(float));
    h->z = zeros(h->dv, N * sizeof(float));
    h->p = numbers(h->dv, N, 2);
    h->m = zeros(h->dv, N * sizeof(float));
    h->v = zeros(h->dv, N * sizeof(float));
    h->g = numbers(h->dv, N, 3);
    h->decay = zeros(h->dv, N / MMLI_DECAY_EACH * sizeof(float) + sizeof(float));
    h->scale = zeros(h->dv, sizeof(float));
    h->tally = zeros(h->dv, MMLI_TALLY * sizeof(double));
    h->loss = zeros(h->dv, sizeof(double));
    h->sumsq = zeros(h->dv, sizeof(double));
    h->norm = numbers(h->dv, WIDTH, 4);
    h->w1 = numbers(h->dv, WEIGHTS, 5);
    h->b1 = numbers(h->dv, 2 * HIDDEN, 6);
    h->w2 = numbers(h->dv, WIDTH * HIDDEN, 7);
    h->b2 = numbers(h->dv, WIDTH, 8);
}

static void hand_free(hand *h)
{
    mmli_mem *const all[] = {h->x, h->y, h->z, h->p, h->m, h->v, h->g, h->decay, h->scale, h->tally, h->loss, h->sumsq, h->norm, h->w1,
                             h->b1, h->w2, h->b2};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        h->dv->k.free(h->dv, all[i]);
    mmli_device_close(h->dv);
}

/* All kernels with numbers that may vary; bad: of a loss that is infinite. */
static void calls_of_step(hand *h, uint64_t t, bool bad)
{
    const mmli_ff ff = {h->norm, h->norm, h->w1, h->b1, h->w2, h->b2, WIDTH, HIDDEN, 1e-5f, 0.3f, 900 + t, 0};
    const mmli_ff_grad grad = {.dx = h->z, .add_x = true};
    const double loss = bad ? (double)INFINITY : 0.5 + (double)t;
    mmli_device *dv = h->dv;

    mmlt_assert_ok(dv->k.upload(dv, h->loss, &loss, sizeof loss));
    mmlt_assert_ok(dv->k.dropout(dv, h->y, h->x, N, 0.4f, 100 + t, 0));
    mmlt_assert_ok(dv->k.copy(dv, h->z, h->y, N * sizeof(float)));
    mmlt_assert_ok(dv->k.dropout_grad(dv, h->z, h->x, N, 0.4f, 200 + t, 0));
    mmlt_assert_ok(dv->k.alpha_dropout(dv, h->y, h->z, N, 0.2f, 300 + t, 0));
    mmlt_assert_ok(dv->k.alpha_dropout_grad(dv, h->z, h->y, N, 0.2f, 400 + t, 0));
    mmlt_assert_ok(dv->k.feed_forward(dv, h->y, h->z, &ff, ROWS));
    mmlt_assert_ok(dv->k.feed_forward_grad(dv, &grad, h->y, h->x, &ff, ROWS));
    mmlt_assert_ok(dv->k.axpy(dv, h->g, h->z, N, 0.01f));
    mmlt_assert_ok(dv->k.fill(dv, h->sumsq, 2, 0.0f));
    mmlt_assert_ok(dv->k.sum_squares(dv, h->sumsq, h->g, N));
    mmlt_assert_ok(dv->k.tally(dv, h->tally, h->scale, h->loss, h->sumsq, 2.0 + (double)t, 1.5f, t));
    mmlt_assert_ok(dv->k.adamw(dv, h->p, h->m, h->v, h->g, h->scale, h->decay, N, 1e-3f * (float)t, 0.9f, 0.999f, 1e-8f,
                               1 - powf(0.9f, (float)t), 1 - powf(0.999f, (float)t)));
}

/* One more step; true: it was done as a graph. */
static bool step(hand *h, uint64_t t, bool bad)
{
    bool again = false;

    mmlt_assert_ok(h->dv->k.step_begin(h->dv));
    calls_of_step(h, t, bad);
    mmlt_assert_ok(h->dv->k.step_end(h->dv, &again));
    return again;
}

static void same_memory(hand *a, const mmli_mem *x, hand *b, const mmli_mem *y, size_t bytes, int line)
{
    unsigned char *p = malloc(bytes), *q = malloc(bytes);

    ck_assert(p && q);
    mmlt_assert_ok(a->dv->k.download(a->dv, p, x, bytes));
    mmlt_assert_ok(b->dv->k.download(b->dv, q, y, bytes));
    mmlt_assert_same_bits_at(__FILE__, line, "memory", p, q, bytes);
    free(p);
    free(q);
}

static void same_hands(hand *a, hand *b, int line)
{
    same_memory(a, a->p, b, b->p, N * sizeof(float), line);
    same_memory(a, a->m, b, b->m, N * sizeof(float), line);
    same_memory(a, a->v, b, b->v, N * sizeof(float), line);
    same_memory(a, a->y, b, b->y, N * sizeof(float), line);
    same_memory(a, a->tally, b, b->tally, MMLI_TALLY * sizeof(double), line);
}

/* The second time the calls are captured, then there is the graph; what varies does, and so does what is uploaded. */
START_TEST(steps_that_are_alike_become_a_graph_and_give_the_same_bits)
{
    hand a, b;

    hand_make(&a);
    hand_make(&b);
    for (uint64_t t = 1; t <= 12; t++) {
        ck_assert_int_eq(step(&a, t, false), t > 1);
        calls_of_step(&b, t, false);
        if (t % 4 == 0)
            same_hands(&a, &b, __LINE__);
    }
    hand_free(&a);
    hand_free(&b);
}
END_TEST

START_TEST(a_graph_notes_the_step_that_was_not_finite)
{
    double tally[MMLI_TALLY];
    hand h;

    hand_make(&h);
    for (uint64_t t = 1; t <= 8; t++)
        ck_assert_int_eq(step(&h, t, t == 6), t > 1);
    mmlt_assert_ok(h.dv->k.download(h.dv, tally, h.tally, sizeof tally));
    ck_assert(tally[MMLI_TALLY_FAILED] == 6 && isinf(tally[MMLI_TALLY_BAD_LOSS]));
    hand_free(&h);
}
END_TEST

/* What is asked in the middle of a step comes behind the calls before it: results, memory given back and asked for again, uploads too
 * large to be kept. The next step is a graph again. */
START_TEST(what_is_asked_within_a_step_comes_in_its_turn)
{
    enum { LARGE = 40000 };
    float *large = calloc(LARGE, sizeof *large), y[N], want[N];
    mmli_mem *other = NULL;
    bool again = true;
    hand a, b;

    ck_assert_ptr_nonnull(large);
    hand_make(&a);
    hand_make(&b);
    ck_assert(!step(&a, 1, false) && step(&a, 2, false));
    calls_of_step(&b, 1, false);
    calls_of_step(&b, 2, false);
    mmlt_assert_ok(a.dv->k.step_begin(a.dv));
    calls_of_step(&a, 3, false);
    mmlt_assert_ok(a.dv->k.download(a.dv, y, a.y, sizeof y));
    calls_of_step(&b, 3, false);
    mmlt_assert_ok(b.dv->k.download(b.dv, want, b.y, sizeof want));
    mmlt_assert_same_bits(y, want, sizeof y);
    calls_of_step(&a, 4, false);
    mmlt_assert_ok(a.dv->k.step_end(a.dv, &again));
    ck_assert(!again);
    calls_of_step(&b, 4, false);
    same_hands(&a, &b, __LINE__);

    mmlt_assert_ok(a.dv->k.alloc(a.dv, &other, LARGE * sizeof *large));
    mmlt_assert_ok(a.dv->k.step_begin(a.dv));
    mmlt_assert_ok(a.dv->k.fill(a.dv, other, LARGE, 3.0f));
    mmlt_assert_ok(a.dv->k.scale(a.dv, a.y, other, N, 2.0f));
    a.dv->k.free(a.dv, other);
    mmlt_assert_ok(a.dv->k.alloc(a.dv, &other, LARGE * sizeof *large));
    mmlt_assert_ok(a.dv->k.fill(a.dv, other, LARGE, 5.0f));
    mmlt_assert_ok(a.dv->k.axpy(a.dv, a.y, other, N, 1.0f));
    mmlt_assert_ok(a.dv->k.upload(a.dv, other, large, LARGE * sizeof *large));
    mmlt_assert_ok(a.dv->k.axpy(a.dv, a.y, other, N, 1.0f));
    mmlt_assert_ok(a.dv->k.step_end(a.dv, NULL));
    mmlt_assert_ok(a.dv->k.download(a.dv, y, a.y, sizeof y));
    for (size_t i = 0; i < N; i++)
        ck_assert(y[i] == 11.0f);
    a.dv->k.free(a.dv, other);
    ck_assert(step(&a, 5, false));
    calls_of_step(&b, 5, false);
    same_hands(&a, &b, __LINE__);
    hand_free(&a);
    hand_free(&b);
    free(large);
}
END_TEST

static bool transform_step(hand *h)
{
    bool again = false;

    mmlt_assert_ok(h->dv->k.step_begin(h->dv));
    mmlt_assert_ok(h->dv->k.fft(h->dv, h->y, h->z, h->x, NULL, 2, 15, 20, MMLI_AXIS_C | MMLI_AXIS_D, -1, 1.0f));
    mmlt_assert_ok(h->dv->k.step_end(h->dv, &again));
    return again;
}

/* Scratch memory that had to grow, plans that had to make room: the graphs from before are captured anew, not launched. */
START_TEST(a_graph_is_not_used_when_memory_of_the_device_behind_it_is_gone)
{
    enum { MANY = 200 };
    float y[600], want[600];
    mmli_mem *large, *small;
    hand h;

    hand_make(&h);
    large = numbers(h.dv, MANY * 300, 9);
    small = numbers(h.dv, 600, 9);
    ck_assert(!transform_step(&h) && transform_step(&h));
    mmlt_assert_ok(h.dv->k.download(h.dv, want, h.y, sizeof want));
    mmlt_assert_ok(h.dv->k.fft(h.dv, large, NULL, large, NULL, MANY, 15, 20, MMLI_AXIS_C | MMLI_AXIS_D, -1, 1.0f));
    mmlt_assert_ok(h.dv->k.fill(h.dv, h.y, 600, 0.0f));
    ck_assert(transform_step(&h));
    mmlt_assert_ok(h.dv->k.download(h.dv, y, h.y, sizeof y));
    mmlt_assert_same_bits(y, want, sizeof y);
    for (size_t d = 2; d < 72; d++) /* more than there are plans */
        mmlt_assert_ok(h.dv->k.fft(h.dv, small, NULL, small, NULL, 1, 1, d, MMLI_AXIS_D, -1, 1.0f));
    mmlt_assert_ok(h.dv->k.fill(h.dv, h.y, 600, 0.0f));
    (void)transform_step(&h); /* its plan is gone: not a graph, or one with a new plan */
    ck_assert(transform_step(&h));
    mmlt_assert_ok(h.dv->k.download(h.dv, y, h.y, sizeof y));
    mmlt_assert_same_bits(y, want, sizeof y);
    h.dv->k.free(h.dv, large);
    h.dv->k.free(h.dv, small);
    hand_free(&h);
}
END_TEST

/* Sizes, places, other arguments: each makes another step of it, and there may be more of them than are kept. */
START_TEST(steps_that_differ_are_told_apart)
{
    enum { KINDS = 12 };
    float y[N];
    hand h;

    hand_make(&h);
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < KINDS; i++) {
            const size_t n = N - (size_t)i;

            for (int twice = 0; twice < 2; twice++) {
                mmlt_assert_ok(h.dv->k.step_begin(h.dv));
                mmlt_assert_ok(h.dv->k.fill(h.dv, h.y, N, -1.0f));
                mmlt_assert_ok(h.dv->k.fill(h.dv, mmli_at(h.y, (size_t)i), n - (size_t)i, (float)(i + 2)));
                mmlt_assert_ok(h.dv->k.step_end(h.dv, NULL));
            }
            mmlt_assert_ok(h.dv->k.download(h.dv, y, h.y, sizeof y));
            for (size_t k = 0; k < N; k++)
                ck_assert(y[k] == (k >= (size_t)i && k < n ? (float)(i + 2) : -1.0f));
        }
    hand_free(&h);
}
END_TEST

/* Offsets on the host decide what is queued: they are part of the step, and nobody keeps the caller's. */
START_TEST(offsets_of_a_transform_are_part_of_the_step)
{
    static const int64_t cuts[2][3] = {{0, 12, 30}, {0, 17, 30}};
    float y[2][30 * WIDTH], got[30 * WIDTH];
    hand h;

    hand_make(&h);
    for (int t = 0; t < 8; t++) {
        const int64_t *cut = cuts[t / 2 % 2];
        int64_t mine[3] = {cut[0], cut[1], cut[2]};
        mmli_mem *off = mmlt_upload(h.dv, mine, sizeof mine);

        mmlt_assert_ok(h.dv->k.step_begin(h.dv));
        mmlt_assert_ok(h.dv->k.segment_dft_real(h.dv, h.y, h.x, off, mine, 2, WIDTH));
        memset(mine, 0xee, sizeof mine);
        mmlt_assert_ok(h.dv->k.step_end(h.dv, NULL));
        mmlt_assert_ok(h.dv->k.download(h.dv, got, h.y, sizeof got));
        if (t % 4 == 0 || t == 2)
            mmlt_assert_ok(h.dv->k.segment_dft_real(h.dv, h.y, h.x, off, cut, 2, WIDTH));
        if (t == 0 || t == 2)
            mmlt_assert_ok(h.dv->k.download(h.dv, y[t / 2], h.y, sizeof *y));
        mmlt_assert_same_bits(got, y[t / 2 % 2], sizeof got);
        h.dv->k.free(h.dv, off);
    }
    hand_free(&h);
}
END_TEST

/* Of a call that has been held back: the end of the step tells, and the device goes on. */
START_TEST(a_call_that_fails_is_told_at_the_end_of_its_step)
{
    enum { ARRAYS = 5000 };
    mmli_mem *x, *y;
    hand h;

    if (!mmlt_cuda_is_emulated())
        return; /* a GPU is never so small */
    setenv("MMLT_CUDA_MIB", "24", 1);
    hand_make(&h);
    x = zeros(h.dv, (size_t)ARRAYS * 400 * sizeof(float));
    mmlt_assert_ok(h.dv->k.alloc(h.dv, &y, (size_t)ARRAYS * 400 * sizeof(float)));
    mmlt_assert_ok(h.dv->k.step_begin(h.dv));
    mmlt_assert_ok(h.dv->k.fft(h.dv, y, NULL, x, NULL, ARRAYS, 20, 20, MMLI_AXIS_D, -1, 1.0f));
    mmlt_assert_fails(h.dv->k.step_end(h.dv, NULL), MML_E_NOMEM, "out of memory on the GPU");
    mmlt_assert_ok(h.dv->k.step_begin(h.dv));
    mmlt_assert_ok(h.dv->k.fft(h.dv, y, NULL, x, NULL, ARRAYS, 20, 20, MMLI_AXIS_D, -1, 1.0f));
    mmlt_assert_fails(h.dv->k.sync(h.dv), MML_E_NOMEM, "out of memory on the GPU");
    h.dv->k.free(h.dv, x);
    h.dv->k.free(h.dv, y);
    ck_assert(!step(&h, 1, false) && step(&h, 2, false));
    hand_free(&h);
    unsetenv("MMLT_CUDA_MIB");
}
END_TEST

/* Devices that come and go while another thread trains: each waits for the GPU. */
static void *open_and_close(void *user)
{
    atomic_int *go_on = user;
    size_t *opened = calloc(1, sizeof *opened);

    while (opened && atomic_load(go_on)) {
        mmli_device *dv = NULL;

        if (mmli_device_open(&dv, "cuda", 1) != MML_OK) {
            free(opened);
            return NULL;
        }
        mmli_device_close(dv);
        ++*opened;
    }
    return opened;
}

START_TEST(devices_are_opened_and_closed_while_steps_are_captured)
{
    atomic_int go_on = 1;
    size_t *opened = NULL;
    pthread_t thread;
    hand h;

    hand_make(&h);
    ck_assert_int_eq(pthread_create(&thread, NULL, open_and_close, &go_on), 0);
    for (size_t n = 1; n < 300; n++)
        for (int twice = 0; twice < 2; twice++) {
            bool again = false;

            mmlt_assert_ok(h.dv->k.step_begin(h.dv));
            for (int i = 0; i < 30; i++)
                mmlt_assert_ok(h.dv->k.fill(h.dv, h.y, n, 1.0f));
            mmlt_assert_ok(h.dv->k.step_end(h.dv, &again));
            ck_assert_int_eq(again, twice);
        }
    atomic_store(&go_on, 0);
    ck_assert_int_eq(pthread_join(thread, (void **)&opened), 0);
    ck_assert_ptr_nonnull(opened);
    ck_assert_uint_gt(*opened, 0);
    free(opened);
    hand_free(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda graph");
    TCase *tc = tcase_create("steps");

    if (!mmlt_cuda_is_there("steps as graphs"))
        return 77;
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, steps_that_are_alike_become_a_graph_and_give_the_same_bits);
    tcase_add_test(tc, a_graph_notes_the_step_that_was_not_finite);
    tcase_add_test(tc, what_is_asked_within_a_step_comes_in_its_turn);
    tcase_add_test(tc, a_graph_is_not_used_when_memory_of_the_device_behind_it_is_gone);
    tcase_add_test(tc, steps_that_differ_are_told_apart);
    tcase_add_test(tc, offsets_of_a_transform_are_part_of_the_step);
    tcase_add_test(tc, a_call_that_fails_is_told_at_the_end_of_its_step);
    tcase_add_test(tc, devices_are_opened_and_closed_while_steps_are_captured);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
