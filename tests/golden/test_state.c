/* test_state.c - the state of a LegoBlock of the original code, as PyTorch saves it, predicts the logits that the original
 * code computed. The file is written here from the parameters of the golden files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/safetensors.h"
#include "mmlego/predict.h"
#include "tests/golden/gold.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"

enum { MOST = 256 };

typedef struct state {
    const gold *g;
    mmli_tensor_out list[MOST];
    char names[MOST][128];
    size_t n;
} state;

static herr_t add(hid_t loc, const char *name, const H5O_info_t *info, void *user)
{
    state *s = user;
    hid_t set, space;
    hsize_t dims[8];

    if (info->type != H5O_TYPE_DATASET)
        return 0;
    ck_assert_uint_lt(s->n, MOST);
    set = H5Dopen2(loc, name, H5P_DEFAULT);
    space = H5Dget_space(set);
    snprintf(s->names[s->n], sizeof *s->names, "%s", name);
    s->list[s->n].name = s->names[s->n];
    s->list[s->n].rank = H5Sget_simple_extent_dims(space, dims, NULL);
    for (int i = 0; i < s->list[s->n].rank; i++)
        s->list[s->n].dims[i] = (size_t)dims[i];
    s->n++;
    H5Sclose(space);
    H5Dclose(set);
    return 0;
}

static mml_status fill(float *out, void *user, size_t i)
{
    const state *s = user;
    char path[160];
    size_t n;
    float *values;

    snprintf(path, sizeof path, "params/%s", s->names[i]);
    values = gold_floats(s->g, path, &n);
    memcpy(out, values, n * sizeof *out);
    free(values);
    return MML_OK;
}

static void write_state(const gold *g, const char *path)
{
    static state s;
    hid_t group = H5Gopen2(g->file, "params", H5P_DEFAULT);

    s.g = g;
    s.n = 0;
    ck_assert_int_ge(group, 0);
#if H5_VERSION_GE(1, 12, 0)
    ck_assert_int_ge(H5Ovisit(group, H5_INDEX_NAME, H5_ITER_INC, add, &s, H5O_INFO_BASIC), 0);
#else
    ck_assert_int_ge(H5Ovisit(group, H5_INDEX_NAME, H5_ITER_INC, add, &s), 0);
#endif
    H5Gclose(group);
    mmlt_assert_ok(mmli_tensors_write(path, s.list, s.n, fill, &s, NULL, NULL, 0));
}

static const char *const files[] = {"block_raw",
                                    "block_raw_depth1",
                                    "block_raw_imaginary_dropped",
                                    "block_raw_not_normalised",
                                    "block_raw_odd_depth3",
                                    "block_raw_one_token",
                                    "block_raw_spatial_domain",
                                    "block_snn",
                                    "block_abmil"};

static void predicts(const mml_model *model, const gold *g)
{
    size_t n_values, n, tokens = (size_t)gold_number(g, "tokens", 0), samples;
    float *values = gold_floats(g, "inputs/x0", &n_values), *logits = gold_floats(g, "outputs/logits", &n);
    int64_t *offsets;
    mml_predictor *predictor;
    mml_prediction p;
    mml_batch *batch;

    samples = n / mml_model_n_outputs(model);
    offsets = calloc(samples + 1, sizeof *offsets);
    for (size_t b = 0; b <= samples; b++)
        offsets[b] = (int64_t)(b * tokens);
    mmlt_assert_ok(mml_batch_new(&batch, samples));
    mmlt_assert_ok(mml_batch_set(batch, "x", values, offsets, n_values / samples / tokens, NULL, 0));
    mmlt_assert_ok(mml_predictor_new(&predictor, model, NULL, 1));
    mmlt_assert_ok(mml_predict(&p, predictor, batch));
    mmlt_assert_close_at(__FILE__, __LINE__, g->name, p.logits, logits, n, MMLT_TOL_GOLDEN);
    printf("%-28s largest relative error of the logits %.1e\n", g->name, mmlt_relative_error(p.logits, logits, n));
    mml_predictor_free(predictor);
    mml_batch_free(batch);
    free(offsets);
    free(values);
    free(logits);
}

START_TEST(a_state_of_the_original_code_predicts_its_logits)
{
    char path[64], copy[80];
    mml_state_options o;
    mml_model *model = NULL;
    gold g;

    if (!gold_open(&g, files[_i]))
        return;
    snprintf(path, sizeof path, "golden-%ld.safetensors", (long)getpid());
    snprintf(copy, sizeof copy, "%s.h5", path);
    write_state(&g, path);
    mml_state_options_init(&o);
    o.modality = "x";
    o.task = "class";
    o.task_kind = MML_MULTICLASS;
    o.spatial = gold_number(&g, "frequency_domain", 1) == 0;
    o.drop_imaginary = gold_number(&g, "track_imaginary", 1) == 0;
    o.not_normalised = gold_number(&g, "normalise", 1) == 0;
    mmlt_assert_ok(mml_model_load_state(&model, path, &o, NULL, 0));
    mmlt_assert_ok(mml_model_save(model, copy)); /* what `mmlego predict` reads */
    mml_model_free(model);
    mmlt_assert_ok(mml_model_load(&model, copy, NULL, 0));
    predicts(model, &g);
    mml_model_free(model);
    unlink(path);
    unlink(copy);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/state");
    TCase *tc = tcase_create("states");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_state_of_the_original_code_predicts_its_logits, 0, sizeof files / sizeof *files);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
