/* predict_one.c - what a clinical application would embed: load a model, describe one patient, predict.
 *
 *     cc predict_one.c $(pkg-config --cflags --libs mmlego) && ./a.out model.h5
 *
 * The model here knows two modalities, `labs` and `vitals` (predict_one.sh trains it); this patient has no vitals. */
#include <math.h>
#include <stdio.h>

#include <mmlego/mmlego.h>

int main(int argc, char **argv)
{
    /* sodium mmol/l, lactate mmol/l (not measured), creatinine mg/dl: raw values, as in the cohort of training */
    const float labs[] = {131.0f, NAN, 2.4f};
    mml_model *model = NULL;
    mml_predictor *predictor = NULL;
    mml_batch *patient = NULL;
    mml_prediction p;
    int failed = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return 2;
    }
    /* Once in the life of the application: the model can be shared, a predictor belongs to one thread. */
    if (mml_model_load(&model, argv[1], NULL, 0) != MML_OK || mml_predictor_new(&predictor, model, NULL, 1) != MML_OK)
        goto out;

    /* For every patient: the modalities there are. What is not set is missing, and predicted without. */
    if (mml_batch_new(&patient, 1) != MML_OK || mml_batch_set_table(patient, "labs", labs, NULL, 3) != MML_OK ||
        mml_predict(&p, predictor, patient) != MML_OK)
        goto out;

    printf("%s, predicted from", mml_model_task(model));
    for (size_t i = 0; i < mml_model_n_blocks(model) && i < 64; i++)
        if (p.used[0] >> i & 1)
            printf(" %s", mml_model_block_name(model, i));
    printf("%s\n", p.prior[0] ? " nothing: the rate of the training patients" : "");
    for (size_t j = 0; j < p.k; j++)
        printf("  %-8s %.3f\n", mml_model_class(model, j), (double)p.output[j]);
    failed = 0;
out:
    if (failed)
        fprintf(stderr, "%s: %s\n", argv[0], mml_last_error());
    mml_batch_free(patient);
    mml_predictor_free(predictor);
    mml_model_free(model);
    return failed;
}
