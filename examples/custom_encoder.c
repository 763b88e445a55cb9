/* custom_encoder.c - encoders of your own: trained inside a block, saved with it, found again when it is loaded, and
 * merged with blocks that know nothing of them.
 *
 *     cc custom_encoder.c $(pkg-config --cflags --libs mmlego) -lm && ./a.out COHORT TASK MODALITY OTHER MODEL
 *
 * Trains a block of MODALITY with encoder "mean-of-set" (way 1: a formula of mml_op_...), one of OTHER with encoder
 * "soft-limits" (way 2: two functions on plain arrays, for code that exists already), and one of OTHER with the
 * library's own linear encoder. All three are merged and saved in MODEL. TASK has two classes. */
#include <math.h>
#include <stdio.h>

#include <mmlego/mmlego.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((st = (call)) != MML_OK)                                                               \
            goto out;                                                                              \
    } while (0)

/* ---- way 1: a formula ---------------------------------------------------------------------------------------------
 *
 * What a sample is, whatever the number and the order of its tokens x_1 .. x_n (Zaheer et al., "Deep Sets", 2017):
 *     y = W2 mean_t(elu(W1 x_t + b1)) + b2
 * Gradients come by themselves. A chain of operations needs no checks: after a failure all give NULL, and the status of
 * the first is what the training returns. */

enum { HIDDEN = 32, WIDTH = 16 };

static size_t set_width(void *user, size_t in)
{
    (void)user;
    (void)in; /* any width can be read; 0 would refuse it */
    return WIDTH;
}

/* Names end up in the model file as encoder.w1, ... */
static int set_param(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    const mml_param_spec list[] = {{"w1", HIDDEN, in, MML_INIT_UNIFORM_FAN_IN},
                                   {"b1", 1, HIDDEN, MML_INIT_ZERO},
                                   {"w2", WIDTH, HIDDEN, MML_INIT_UNIFORM_FAN_IN},
                                   {"b2", 1, WIDTH, MML_INIT_ZERO}};

    (void)user;
    if (i >= sizeof list / sizeof *list)
        return 0;
    *spec = list[i];
    return 1;
}

static mml_var *set_forward(void *user, mml_graph *graph, mml_var *tokens)
{
    mml_var *h = mml_op_linear(graph, tokens, mml_graph_param(graph, 0), mml_graph_param(graph, 1));

    (void)user;
    h = mml_op_dropout(graph, mml_op_elu(graph, h), 0.2); /* in training only */
    h = mml_op_segment_mean(graph, h);                    /* the tokens of each sample: (T, 32) -> (n, 32) */
    return mml_op_linear(graph, h, mml_graph_param(graph, 2), mml_graph_param(graph, 3));
}

/* ---- way 2: plain arrays ------------------------------------------------------------------------------------------
 *
 * Each value passes a soft limit of its own, learnt from the data: y_j = tanh(s_j x_j). forward_host fills y;
 * backward_host ADDS dLoss/ds into dparams and dLoss/dx into dx (NULL = not wanted). Threads that predict call
 * forward_host at the same time: it must keep no state. */

static size_t limits_width(void *user, size_t in)
{
    (void)user;
    return in;
}

static int limits_param(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    (void)user;
    *spec = (mml_param_spec){"s", 1, in, MML_INIT_ONE};
    return i == 0;
}

static int limits_forward(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                          size_t in, float *y)
{
    const size_t tokens = (size_t)offsets[n]; /* of all n samples that have the modality */

    (void)user;
    for (size_t t = 0; t < tokens; t++)
        for (size_t j = 0; j < in; j++)
            y[t * in + j] = tanhf(params[0][j] * x[t * in + j]);
    return 0; /* anything else is a failure */
}

static int limits_backward(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                           size_t in, const float *dy, float *const *dparams, float *dx)
{
    (void)user;
    for (size_t t = 0; t < (size_t)offsets[n]; t++)
        for (size_t j = 0; j < in; j++) {
            const size_t at = t * in + j;
            const float y = tanhf(params[0][j] * x[at]), d = dy[at] * (1.0f - y * y);

            if (dparams[0] != NULL)
                dparams[0][j] += d * x[at];
            if (dx != NULL)
                dx[at] += d * params[0][j];
        }
    return 0;
}

/* The models that use them borrow these: they must live as long. */
static const mml_encoder encoders[] = {
    {.name = "mean-of-set", .width = set_width, .pools = 1, .param = set_param, .forward = set_forward},
    {.name = "soft-limits", .width = limits_width, .pools = 0, .param = limits_param, .forward_host = limits_forward,
     .backward_host = limits_backward},
};
enum { N_ENCODERS = sizeof encoders / sizeof *encoders };

/* ---- using them ----------------------------------------------------------------------------------------------------- */

/* A block with an encoder of ours, or with the library's linear one. */
static mml_status train(mml_model **out, mml_cohort *cohort, const char *modality, const char *task,
                        const mml_encoder *encoder)
{
    mml_status st = MML_OK;
    mml_modality_info info;
    mml_block_options block;
    mml_prep_options prep;
    mml_train_options options;

    TRY(mml_cohort_modality(&info, cohort, modality));
    TRY(mml_block_options_init(&block, &prep, "mmlego", info.kind, MML_BINARY));
    TRY(mml_train_options_init(&options, "mmlego", info.kind, MML_BINARY));
    options.weight_folds = 0; /* no cross-validation: the merge below weighs by the validation score, good enough to show */
    block.encoder = encoder != NULL ? MML_ENCODER_CUSTOM : MML_ENCODER_LINEAR;
    TRY(mml_train_block(out, cohort, modality, task, &block, &prep, encoder, &options));
out:
    return st;
}

static mml_status show_score(const char *name, const mml_model *model, mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_evaluation e;

    TRY(mml_evaluate(&e, model, cohort, NULL));
    printf("%-24s %s %.3f  (%.3f to %.3f)\n", name, e.metrics[0].name, e.metrics[0].value, e.metrics[0].low,
           e.metrics[0].high);
out:
    return st;
}

static int show_prediction(void *user, const mml_prediction *p, const size_t *samples)
{
    const char *const *const *ids = user;

    for (size_t b = 0; b < p->n; b++) /* bit i of used: block i of the model */
        printf("%s  %.3f  from%s%s%s\n", (*ids)[samples[b]], p->score[b], p->used[b] & 1 ? " mean-of-set" : "",
               p->used[b] & 2 ? " soft-limits" : "", p->used[b] & 4 ? " linear" : "");
    return 0;
}

int main(int argc, char **argv)
{
    mml_model *blocks[3] = {NULL, NULL, NULL}, *merged = NULL, *loaded = NULL;
    mml_predictor *predictor = NULL;
    mml_cohort *cohort = NULL;
    const char *const *ids;
    mml_status st = MML_OK;

    if (argc != 6) {
        fprintf(stderr, "usage: %s COHORT TASK MODALITY OTHER MODEL\n", argv[0]);
        return 2;
    }
    TRY(mml_cohort_open(&cohort, argv[1]));
    TRY(train(&blocks[0], cohort, argv[3], argv[2], &encoders[0]));
    TRY(show_score("block, mean-of-set", blocks[0], cohort));
    TRY(train(&blocks[1], cohort, argv[4], argv[2], &encoders[1]));
    TRY(show_score("block, soft-limits", blocks[1], cohort));
    TRY(train(&blocks[2], cohort, argv[4], argv[2], NULL));
    TRY(show_score("block, linear", blocks[2], cohort));

    /* To merge, a block is a block, whatever its encoder. */
    TRY(mml_merge(&merged, (const mml_model *const[]){blocks[0], blocks[1], blocks[2]}, 3, NULL));
    TRY(show_score("all three, merged", merged, cohort));
    TRY(mml_model_save(merged, argv[5]));

    /* The file has the parameters of our encoders and their names; what they compute, this program has to bring. */
    TRY(mml_model_load(&loaded, argv[5], encoders, N_ENCODERS));
    TRY(mml_predictor_new(&predictor, loaded, NULL, 0));
    ids = mml_cohort_ids(cohort);
    TRY(mml_predict_cohort(predictor, cohort, (const size_t[]){0, 1, 2}, 3, 0, show_prediction, &ids));
out:
    if (st != MML_OK)
        fprintf(stderr, "%s: %s (%s)\n", argv[0], mml_last_error(), mml_status_name(st));
    mml_predictor_free(predictor);
    mml_model_free(loaded);
    mml_model_free(merged);
    for (size_t i = 0; i < 3; i++)
        mml_model_free(blocks[i]);
    mml_cohort_close(cohort);
    return st != MML_OK;
}
