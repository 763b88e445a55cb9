/* Fuzz target: model files; what loads is described, predicts a patient, and is saved again.
 *
 * Seed tests/fuzz/seeds/model/block.h5: mmlego train on a table of two features,
 *     --latent 2x2 --heads 1 --head-width 1 --encoder linear --encoder-width 2 --epochs 1 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmlego/model.h"
#include "mmlego/predict.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "model";

static void predict(const mml_model *model)
{
    const float values[2] = {0.5f, NAN};
    mml_predictor *p = NULL;
    mml_batch *b = NULL;
    mml_prediction out;

    MMLT_PROMISE(mml_batch_new(&b, 1) == MML_OK);
    if (mml_batch_set_table(b, mml_model_block_modality(model, 0), values, NULL, 2) == MML_OK &&
        mml_predictor_new(&p, model, "cpu", 1) == MML_OK && mml_predict(&out, p, b) == MML_OK)
        MMLT_PROMISE(out.n == 1 && out.k == mml_model_n_outputs(model));
    mml_predictor_free(p);
    mml_batch_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    mml_model *model = NULL;
    char *json = NULL;
    const mml_status st = mml_model_load(&model, path, NULL, 0);

    MMLT_PROMISE((st == MML_OK) == (model != NULL));
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL || st == MML_E_NOMEM);
    if (model != NULL) {
        MMLT_PROMISE(mml_model_describe(&json, model) == MML_OK && json[0] == '{');
        mml_string_free(json);
        predict(model);
        MMLT_PROMISE(mml_model_save(model, path) == MML_OK);
    }
    mml_model_free(model);
    unlink(path);
    return 0;
}
