/* test_step.c - training steps on a GPU, or the emulated one (emulated.sh): batches that come in while the one before is computed with give
 * the model that batches give which come in their turn, to the bit. */
#include <string.h>

#include "tests/cuda/there.h"
#include "tests/unit/train_rig.h"

static mml_model *train_on(mml_cohort *cohort, const char *modality, const mml_train_options *o, const mmli_backend *table)
{
    mml_block_options block = rig_block(strcmp(modality, "labs") == 0 ? MML_ENCODER_SNN : MML_ENCODER_NONE);
    mml_model *model = NULL;

    mmlt_assert_ok(mmli_train_block_on(&model, cohort, modality, "outcome", &block, NULL, NULL, o, table));
    return model;
}

/* Two epochs, so that both sets of memory are filled again and again; the second one is trained without sending. */
START_TEST(batches_that_are_sent_ahead_give_the_same_model)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_train_options o = rig_options();
    mml_model *sent, *uploaded;
    mmli_backend table;

    mmlt_assert_ok(mmli_device_find(&table, "cuda"));
    ck_assert(table.turn && table.send);
    cohort = rig_cohort(&made, NULL);
    o.epochs = 2;
    sent = train_on(cohort, modalities[_i], &o, &table);
    table.turn = NULL;
    table.send = NULL;
    uploaded = train_on(cohort, modalities[_i], &o, &table);
    rig_same_parameters(sent, uploaded);
    mml_model_free(sent);
    mml_model_free(uploaded);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda step");
    TCase *tc = tcase_create("step");

    if (!mmlt_cuda_is_there("training on a GPU"))
        return 77;
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, batches_that_are_sent_ahead_give_the_same_model, 0, 2);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
