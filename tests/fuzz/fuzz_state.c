/* Fuzz target: a safetensors file as a model, ours or a state of PyTorch; what becomes one can be saved and predicts. */
#include <string.h>

#include "mmlego/model.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "state";

static void one(const char *path, const mml_state_options *o)
{
    mml_model *model;
    mml_status st;

    st = mml_model_load_state(&model, path, o, NULL, 0);
    MMLT_PROMISE((st == MML_OK) == (model != NULL));
    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT || st == MML_E_SHAPE || st == MML_E_ARG || st == MML_E_NOT_FOUND);
    if (st == MML_OK) {
        MMLT_PROMISE(mml_model_n_blocks(model) > 0 && mml_model_n_outputs(model) > 0);
        MMLT_PROMISE(mml_model_save_state(model, path) == MML_OK);
        mml_model_free(model);
        MMLT_PROMISE(mml_model_load_state(&model, path, NULL, NULL, 0) == MML_OK);
        mml_model_free(model);
    }
    unlink(path);
}

/* As a block, and as what may be several. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const modalities[] = {"x", "y"};
    mml_state_options o;

    mml_state_options_init(&o);
    o.modality = "x";
    o.task = "y";
    o.task_kind = MML_MULTICLASS;
    o.heads = 1;
    one(fuzz_file(bytes, n), &o);
    o.block = 1;
    one(fuzz_file(bytes, n), &o);
    o.block = -1;
    o.modalities = modalities;
    o.n_modalities = 2;
    o.aggregation = MML_MERGE_HARMONIC;
    o.model_kind = MML_MODEL_FUSE;
    one(fuzz_file(bytes, n), &o);
    o.model_kind = MML_MODEL_MERGE;
    one(fuzz_file(bytes, n), &o);
    return 0;
}
