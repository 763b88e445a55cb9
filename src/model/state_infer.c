/* state_infer.c - what a block is, by the names and shapes of its tensors. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/state.h"
#include "util/error.h"

typedef struct looking {
    const mmli_tensors *tensors;
    const char *path, *prefix;
} looking;

static const mmli_tensor *look(const looking *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const mmli_tensor *look(const looking *l, const char *format, ...)
{
    char name[MMLI_STATE_NAME];
    const int start = snprintf(name, sizeof name, "%s", l->prefix);
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(name + start, sizeof name - (size_t)start, format, list);
    va_end(list);
    return n < 0 || (size_t)(start + n) >= sizeof name ? NULL : mmli_tensors_find(l->tensors, name);
}

/* A matrix that must be there. */
static mml_status matrix(size_t *rows, size_t *cols, const looking *l, const char *name)
{
    const mmli_tensor *x = look(l, "%s", name);

    if (x == NULL)
        return mmli_fail(MML_E_FORMAT, "%s: tensor %s%s is missing: is this the state of a LegoBlock?", l->path, l->prefix, name);
    if (x->rank != 2 || x->dims[0] == 0 || x->dims[1] == 0)
        return mmli_fail(MML_E_SHAPE, "%s: tensor %s is not a matrix", l->path, x->name);
    *rows = x->dims[0];
    *cols = x->dims[1];
    return MML_OK;
}

/* The one name that ends so, without that end. *found: how many there are. */
static void ends_with(char out[MMLI_STATE_NAME], size_t *found, const mmli_tensors *tensors, const char *end)
{
    const size_t tail = strlen(end);

    *found = 0;
    for (size_t i = 0; i < tensors->n; i++) {
        const char *name = tensors->list[i].name;
        const size_t n = strlen(name);

        if (n < tail || strcmp(name + n - tail, end) != 0 || (n > tail && name[n - tail - 1] != '.') || n >= MMLI_STATE_NAME)
            continue;
        snprintf(out, MMLI_STATE_NAME, "%.*s", (int)(n - tail), name);
        ++*found;
    }
}

mml_status mmli_state_look(mmli_state_layout *out, const mmli_tensors *tensors, const char *path)
{
    static const char head[] = "to_logits.2.weight", joined[] = "to_logits.combined_layers.2.weight";
    mml_status st = MML_OK;
    looking l = {tensors, path, out->prefix};
    size_t found, cols;

    *out = (mmli_state_layout){.n = 0};
    ends_with(out->prefix, &found, tensors, joined);
    MML_CHECK(found <= 1, MML_E_FORMAT, "%s: has %zu tensors that end in %s: save the state of one model a file", path, found, joined);
    if (found == 1) {
        while (look(&l, "layers.%zu.layers.0.1.norm.weight", out->n) != NULL)
            out->n++;
        MML_CHECK(out->n > 1, MML_E_FORMAT, "%s: has a merged head, but %zu blocks (%slayers.0.layers.0.1.norm.weight, ...)", path,
                  out->n, out->prefix);
        MML_TRY(matrix(&out->outputs, &cols, &l, joined));
        goto out;
    }
    ends_with(out->prefix, &found, tensors, head);
    MML_CHECK(found > 0, MML_E_FORMAT, "%s: has no tensor %s: it is not the state of a LegoBlock, LegoMerge or LegoFuse, and has no "
              "word of libmmlego on what it is", path, head);
    MML_CHECK(found == 1, MML_E_FORMAT, "%s: has %zu tensors that end in %s: save the state of one LegoBlock a file", path, found,
              head);
    MML_TRY(matrix(&out->outputs, &cols, &l, head));
out:
    return st;
}

void mmli_state_block_prefix(char out[MMLI_STATE_NAME], const mmli_state_layout *layout, size_t m)
{
    if (layout->n == 0)
        memcpy(out, layout->prefix, MMLI_STATE_NAME);
    else
        snprintf(out, MMLI_STATE_NAME, "%.400slayers.%zu.", layout->prefix, m);
}

/* The encoder is also the first module of every layer; a file without double tensors has one of the names. */
static const mmli_tensor *look_encoder(const looking *l, const char *module, size_t number, const char *tail)
{
    static const char *const places[] = {"encoder", "layers.0.0", "layers.1.0"};
    const mmli_tensor *x = NULL;

    for (size_t i = 0; i < 3 && x == NULL; i++)
        x = look(l, "%s.%s.%zu%s", places[i], module, number, tail);
    return x;
}

static mml_status encoder_matrix(size_t *rows, size_t *cols, const looking *l, const char *module, const char *tail)
{
    return matrix(rows, cols, l, look_encoder(l, module, 0, tail)->name + strlen(l->prefix));
}

static mml_status infer_encoder(mml_block_options *o, mml_modality_kind *kind, size_t *width, const looking *l)
{
    mml_status st = MML_OK;
    size_t rows = 0, cols = 0;

    o->encoder_width = o->encoder_layers = 0;
    o->raw_layers = 0;
    if (look_encoder(l, "fc_omic", 0, ".0.weight") != NULL) {
        MML_TRY(encoder_matrix(&o->encoder_width, width, l, "fc_omic", ".0.weight"));
        o->encoder = MML_ENCODER_SNN;
        while (o->encoder_layers < 64 && look_encoder(l, "fc_omic", o->encoder_layers, ".0.weight") != NULL)
            o->encoder_layers++;
        *kind = MML_TABLE;
    } else if (look_encoder(l, "attention_net", 0, ".weight") != NULL) {
        MML_TRY(encoder_matrix(&o->encoder_width, width, l, "attention_net", ".weight"));
        o->encoder = MML_ENCODER_ABMIL;
        *kind = MML_BAG;
    } else if (look(l, "layers.0.3.norm.weight") != NULL) {
        MML_TRY(matrix(&rows, width, l, "layers.0.2.fn.to_kv.weight"));
        o->encoder = MML_ENCODER_SELFATTN;
        o->raw_layers = 1;
        *kind = MML_SERIES;
    } else {
        for (size_t i = 0; i < l->tensors->n; i++)
            MML_CHECK(strncmp(l->tensors->list[i].name, l->prefix, strlen(l->prefix)) != 0 ||
                          strncmp(l->tensors->list[i].name + strlen(l->prefix), "encoder.", 8) != 0, MML_E_FORMAT,
                      "%s: tensor %s: an encoder that is not known here; SNN (encoder.fc_omic) and attention-based MIL "
                      "(encoder.attention_net) are", l->path, l->tensors->list[i].name);
        MML_TRY(matrix(&rows, &cols, l, "layers.0.1.fn.to_kv.weight"));
        *width = cols;
        o->encoder = MML_ENCODER_NONE;
        *kind = MML_SERIES;
    }
out:
    return st;
}

/* A fuse of the released code that has run leaves the latents of its last batch here, (B, c, d): state_read.c. */
static mml_status infer_latent(mml_block_options *o, const looking *l)
{
    mml_status st = MML_OK;
    const mmli_tensor *x = look(l, "latent");

    MML_CHECK(x != NULL, MML_E_FORMAT, "%s: tensor %slatent is missing: is this the state of a LegoBlock?", l->path, l->prefix);
    MML_CHECK(x->rank == 2 || x->rank == 3, MML_E_SHAPE, "%s: tensor %s has %d dimensions, 2 are needed", l->path, x->name, x->rank);
    o->latent_c = x->dims[x->rank - 2];
    o->latent_d = x->dims[x->rank - 1];
    MML_CHECK(o->latent_c > 0 && o->latent_d > 0, MML_E_SHAPE, "%s: tensor %s is empty", l->path, x->name);
out:
    return st;
}

mml_status mmli_state_infer(mml_block_options *o, mml_modality_kind *kind, size_t *width, const char *prefix,
                            const mmli_tensors *tensors, const mml_state_options *options, const char *path)
{
    mml_status st = MML_OK;
    const looking l = {tensors, path, prefix};
    size_t inner = 0, cols = 0, steps = 0;

    MML_TRY(mml_block_options_init(o, NULL, "upstream", MML_TABLE, MML_BINARY));
    MML_TRY(infer_encoder(o, kind, width, &l));
    MML_TRY(infer_latent(o, &l));
    while (steps < 64 && look(&l, "layers.%zu.%d.fn.to_q.weight", steps, o->raw_layers ? 2 : 1) != NULL)
        steps++;
    o->steps = options->steps > 0 ? options->steps : steps;
    MML_CHECK(steps > 0, MML_E_FORMAT, "%s: has no cross-attention (%slayers.0.1.fn.to_q.weight)", path, l.prefix);
    MML_CHECK(o->steps >= steps, MML_E_ARG, "%s: has %zu steps, more than the %zu asked for", path, steps, o->steps);
    MML_TRY(matrix(&inner, &cols, &l, o->raw_layers ? "layers.0.2.fn.to_q.weight" : "layers.0.1.fn.to_q.weight"));
    o->heads = options->heads > 0 ? options->heads : 8;
    MML_CHECK(inner % o->heads == 0, MML_E_ARG, "%s: attention of width %zu cannot be divided into %zu heads; say how many there are",
              path, inner, o->heads);
    o->head_width = inner / o->heads;
    if (options->spatial)
        o->transform = MML_TRANSFORM_SPATIAL;
    o->drop_imaginary = options->drop_imaginary;
    o->normalise_latent = !options->not_normalised;
out:
    return st;
}
