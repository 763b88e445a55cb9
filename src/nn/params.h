/* params.h - all parameters of a model in one flat buffer, under stable names.
 *
 * Parameters of a merge lie where they lie in its blocks (mmli_params_share): a finished model is only read, so its buffer
 * can serve several models, and goes with the last of them.
 *
 * The name is the path in the model file ("blocks.labs.steps.0.query.weight"); the key is the name without the
 * block ("steps.0.query.weight") and keys the random start, so blocks of one seed start alike (method.md 3).
 */
#ifndef MMLI_NN_PARAMS_H
#define MMLI_NN_PARAMS_H

#include "backends/backend.h"
#include "mmlego/tensor.h"
#include "ops/tape.h"

typedef enum mmli_role { MMLI_ROLE_WEIGHT = 0, MMLI_ROLE_BIAS, MMLI_ROLE_NORM, MMLI_ROLE_LATENT } mmli_role;
typedef enum mmli_section { MMLI_SECTION_BLOCK = 0, MMLI_SECTION_ENCODER, MMLI_SECTION_HEAD, MMLI_SECTION_LATENT } mmli_section;

typedef struct mmli_param {
    char *name, *key; /* key points into name */
    size_t rows, cols;
    size_t at; /* first float in the flat buffer; 16-float aligned; nothing where store is another's */
    struct mmli_store *store; /* where the values are: the own flat buffer, or another's; NULL until built */
    mmli_mem *mem;            /* and there */
    uint64_t hash;            /* of the name */
    mml_init init;
    float gain; /* multiplies the random start */
    mmli_role role;
    mmli_section section;
    bool dead; /* carried for import and export, never computed (upstream's self-attention) */
} mmli_param;

/* A flat buffer with its device, counted: freed with the last parameter set that has something in it. */
typedef struct mmli_store {
    mmli_device *dv;
    mmli_mem *data;
    atomic_size_t users; /* parameters in it, and the set that built it */
} mmli_store;

typedef struct mmli_params {
    mmli_param *list;
    size_t n, cap;
    size_t total;   /* floats in the flat buffer, padding included */
    mmli_mem *data; /* own->data; NULL until mmli_params_build */
    mmli_store *own;
    mmli_device *dv;
} mmli_params;

mml_status mmli_params_new(mmli_params **out);
void mmli_params_free(mmli_params *params);
/* Declares prefix + key (prefix "" or "blocks.labs."); *index is its place in list. MML_E_ARG on a duplicate name. */
mml_status mmli_params_add(mmli_params *params, size_t *index, const char *prefix, const char *key, size_t rows,
                           size_t cols, mml_init init, float gain, mmli_role role, mmli_section section);
/* Parameter `index`, declared and not yet built, is that of a built set whose memory the device to come can read. Shapes
 * must agree. It is only read from now on. */
mml_status mmli_params_share(mmli_params *params, size_t index, const mmli_params *from, size_t from_index);
/* Allocates the flat buffer on dv, zeroed, for all that is not shared. */
mml_status mmli_params_build(mmli_params *params, mmli_device *dv);
/* Random start of every parameter: stream (seed, scope + "/" + key, member), scope = the task; of the head member 0's in any case, so that
 * the members of a committee share it. */
mml_status mmli_params_start(mmli_params *params, uint64_t seed, const char *scope, uint64_t member);
/* MML_E_NOT_FOUND names it. */
mml_status mmli_params_find(size_t *index, const mmli_params *params, const char *name);
/* Host copies of one parameter, (rows, cols). */
mml_status mmli_params_get(float *out, const mmli_params *params, size_t index);
/* MML_E_INTERNAL for a shared one. */
mml_status mmli_params_set(mmli_params *params, size_t index, const float *values);
/* Scalars, without padding and dead ones. */
size_t mmli_params_count(const mmli_params *params);

/* Parameters as variables of a pass. grads: flat gradient buffer like data, or NULL (no gradients): the first part that
 * flows back to a parameter overwrites what is there. frozen: (n) 1 = no gradient, or NULL: its place is left alone. */
typedef struct mmli_bound {
    const mmli_params *params;
    mmli_var *vars; /* (n) in the host arena of the pass */
} mmli_bound;
mml_status mmli_params_bind(mmli_bound *out, mmli_tape *tape, const mmli_params *params, mmli_mem *grads, const uint8_t *frozen);
/* After the way back: the gradients of parameters that nothing flowed back to become 0. */
mml_status mmli_params_settle(const mmli_bound *bound, mmli_tape *tape);
static inline mmli_var *mmli_p(const mmli_bound *bound, size_t index)
{
    return &bound->vars[index];
}

#endif
