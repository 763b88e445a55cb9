/* space.c - one table of knobs for each kind of system.
 *
 * The latent of blocks is not among them: blocks are joined only when theirs are of one size, and no block knows what the
 * others would choose.
 */
#include "compare/space.h"

#include <string.h>

typedef enum knob_type { KNOB_DOUBLE, KNOB_SIZE, KNOB_ENUM } knob_type;

struct mmli_knob {
    const char *name;
    knob_type type;
    size_t at;   /* offset in mmli_setup */
    size_t also; /* of KNOB_SIZE: the same value goes there too; 0 = nowhere */
    mmli_dimension range;
    double values[5];             /* of choices, as many as range.choices */
    const char *const *names;     /* of choices of KNOB_ENUM */
    int (*use)(const mmli_setup *defaults); /* NULL = always */
};

#define AT(field) offsetof(mmli_setup, field)

static int has_width(const mmli_setup *s)
{
    return s->block.encoder != MML_ENCODER_NONE && s->block.encoder != MML_ENCODER_EMBEDDING;
}

static int has_own_decay(const mmli_setup *s)
{
    return s->training.encoder_decay > 0;
}

static const mmli_knob block[] = {
    {.name = "learning_rate", .type = KNOB_DOUBLE, .at = AT(training.learning_rate), .range = {1e-4, 1e-2, 1, 0}},
    {.name = "weight_decay", .type = KNOB_DOUBLE, .at = AT(training.weight_decay), .range = {1e-4, 1, 1, 0}},
    {.name = "encoder_decay", .type = KNOB_DOUBLE, .at = AT(training.encoder_decay), .range = {1e-3, 10, 1, 0},
     .use = has_own_decay},
    {.name = "dropout", .type = KNOB_DOUBLE, .at = AT(block.dropout), .range = {0, 0.7, 0, 0}},
    {.name = "steps", .type = KNOB_SIZE, .at = AT(block.steps), .range = {0, 1, 0, 3}, .values = {1, 2, 3}},
    {.name = "encoder_width", .type = KNOB_SIZE, .at = AT(block.encoder_width), .range = {0, 1, 0, 4},
     .values = {32, 64, 128, 256}, .use = has_width},
};

static const char *const aggregations[] = {"harmonic", "mean", "sum"};
static const char *const scales[] = {"raw", "pooled", "layernorm"};
static const char *const weightings[] = {"equal", "validation"};
static const mmli_knob merge[] = {
    {.name = "aggregation", .type = KNOB_ENUM, .at = AT(merge.aggregation), .range = {0, 1, 0, 3},
     .values = {MML_MERGE_HARMONIC, MML_MERGE_MEAN, MML_MERGE_SUM}, .names = aggregations},
    {.name = "scale", .type = KNOB_ENUM, .at = AT(merge.scale), .range = {0, 1, 0, 3},
     .values = {MML_LATENT_RAW, MML_LATENT_POOLED, MML_LATENT_LAYERNORM}, .names = scales},
    {.name = "weights", .type = KNOB_ENUM, .at = AT(merge.weighting), .range = {0, 1, 0, 2},
     .values = {MML_WEIGHT_EQUAL, MML_WEIGHT_VALIDATION}, .names = weightings},
};

static const mmli_knob fuse[] = {
    {.name = "learning_rate", .type = KNOB_DOUBLE, .at = AT(training.learning_rate), .range = {1e-5, 1e-2, 1, 0}},
    {.name = "weight_decay", .type = KNOB_DOUBLE, .at = AT(training.weight_decay), .range = {1e-4, 1, 1, 0}},
    {.name = "modality_dropout", .type = KNOB_DOUBLE, .at = AT(fuse.modality_dropout), .range = {0, 0.5, 0, 0}},
};

static int has_dropout(const mmli_setup *s)
{
    return s->baseline.kind != MML_BASELINE_LINEAR;
}

static int has_vectors(const mmli_setup *s)
{
    return s->baseline.width > 0;
}

static int has_latent(const mmli_setup *s)
{
    return s->baseline.latent_c > 0;
}

static int has_depth(const mmli_setup *s)
{
    return s->baseline.depth > 0;
}

/* Of penalised regression nothing: its training chooses the penalty itself. */
static const mmli_knob baseline[] = {
    {.name = "learning_rate", .type = KNOB_DOUBLE, .at = AT(training.learning_rate), .range = {1e-4, 1e-2, 1, 0},
     .use = has_dropout},
    {.name = "weight_decay", .type = KNOB_DOUBLE, .at = AT(training.weight_decay), .range = {1e-4, 1, 1, 0},
     .use = has_dropout},
    {.name = "dropout", .type = KNOB_DOUBLE, .at = AT(baseline.dropout), .range = {0, 0.7, 0, 0}, .use = has_dropout},
    {.name = "width", .type = KNOB_SIZE, .at = AT(baseline.width), .range = {0, 1, 0, 4}, .values = {32, 64, 128, 256},
     .use = has_vectors},
    {.name = "latent", .type = KNOB_SIZE, .at = AT(baseline.latent_c), .also = AT(baseline.latent_d), .range = {0, 1, 0, 3},
     .values = {16, 32, 64}, .use = has_latent},
    {.name = "depth", .type = KNOB_SIZE, .at = AT(baseline.depth), .range = {0, 1, 0, 3}, .values = {1, 2, 3},
     .use = has_depth},
};

static const mmli_knob *knobs_of(size_t *n, const mmli_system *system)
{
    switch (system->type->kind) {
    case MMLI_SYSTEM_BLOCK:
        *n = sizeof block / sizeof *block;
        return block;
    case MMLI_SYSTEM_MERGE:
        *n = sizeof merge / sizeof *merge;
        return merge;
    case MMLI_SYSTEM_STACK:
    case MMLI_SYSTEM_WEAVE:
        *n = sizeof fuse / sizeof *fuse;
        return fuse;
    case MMLI_SYSTEM_BASELINE:
        *n = sizeof baseline / sizeof *baseline;
        return baseline;
    case MMLI_SYSTEM_ENSEMBLE:
    case MMLI_SYSTEM_WEIGHTED:
    case MMLI_SYSTEM_INTERFERENCE:
    default:
        *n = 0;
        return block;
    }
}

void mmli_space_make(mmli_space *out, const mmli_system *system, const mmli_setup *defaults)
{
    size_t n;
    const mmli_knob *knobs = knobs_of(&n, system);

    *out = (mmli_space){0};
    for (size_t i = 0; i < n && out->n < MMLI_SPACE_MOST; i++)
        if (!knobs[i].use || knobs[i].use(defaults)) {
            out->dimensions[out->n] = knobs[i].range;
            out->knobs[out->n++] = &knobs[i];
        }
}

/* ---- values -------------------------------------------------------------------------------------------------- */

static double value_of(const mmli_knob *k, const mmli_setup *s)
{
    const char *at = (const char *)s + k->at;
    size_t whole;
    double real;
    int code;

    switch (k->type) {
    case KNOB_SIZE:
        memcpy(&whole, at, sizeof whole);
        return (double)whole;
    case KNOB_ENUM:
        memcpy(&code, at, sizeof code);
        return code;
    case KNOB_DOUBLE:
    default:
        memcpy(&real, at, sizeof real);
        return real;
    }
}

static void set_value(const mmli_knob *k, mmli_setup *s, double x)
{
    char *at = (char *)s + k->at;
    const size_t whole = (size_t)(x + 0.5);
    const int code = (int)x;

    if (k->type == KNOB_DOUBLE)
        memcpy(at, &x, sizeof x);
    else if (k->type == KNOB_SIZE)
        memcpy(at, &whole, sizeof whole);
    else
        memcpy(at, &code, sizeof code);
    if (k->also)
        memcpy((char *)s + k->also, &whole, sizeof whole);
}

/* The choice nearest to a value. */
static size_t choice_of(const mmli_knob *k, double x)
{
    size_t best = 0;

    for (size_t i = 1; i < k->range.choices; i++) {
        const double far = x - k->values[i], near = x - k->values[best];

        if (far * far < near * near)
            best = i;
    }
    return best;
}

void mmli_space_read(double *x, const mmli_space *space, const mmli_setup *setup)
{
    for (size_t i = 0; i < space->n; i++) {
        const mmli_knob *k = space->knobs[i];

        x[i] = value_of(k, setup);
        if (k->range.choices)
            x[i] = (double)choice_of(k, x[i]);
    }
}

void mmli_space_write(mmli_setup *setup, const mmli_space *space, const double *x)
{
    for (size_t i = 0; i < space->n; i++) {
        const mmli_knob *k = space->knobs[i];

        set_value(k, setup, k->range.choices ? k->values[(size_t)x[i]] : x[i]);
    }
}

json_t *mmli_space_json(const mmli_space *space, const mmli_setup *setup)
{
    json_t *root = json_object();

    for (size_t i = 0; root && i < space->n; i++) {
        const mmli_knob *k = space->knobs[i];
        const double x = value_of(k, setup);
        json_t *value = k->type == KNOB_DOUBLE ? json_real(x)
                        : k->type == KNOB_SIZE ? json_integer((json_int_t)x)
                                               : json_string(k->names[choice_of(k, x)]);

        if (json_object_set_new(root, k->name, value) != 0) {
            json_decref(root);
            root = NULL;
        }
    }
    return root;
}
