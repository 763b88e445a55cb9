/* test_count.c - the counting backend counts what a call costs, and a warm step costs no more than the method needs. */
#include <string.h>

#include "bench/measure.h"
#include "bench/rig.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"

/* A warm repeat of a case, counted. */
static mmli_cost cost_of(const char *name, const mmli_count **count, mmli_bench_rig **rig, uint64_t *host)
{
    mml_bench_options o;
    const mmli_bench_spec *spec;
    uint64_t before;

    mml_bench_options_init(&o);
    o.threads = 2;
    mmlt_assert_ok(mmli_bench_find(&spec, name));
    mmlt_assert_ok(mmli_bench_rig_new(rig, spec, &o));
    for (int i = 0; i < 3; i++)
        mmlt_assert_ok(mmli_bench_rig_repeat(*rig));
    before = mmli_alloc_count();
    mmli_count_start((*rig)->model->dv);
    mmlt_assert_ok(mmli_bench_rig_repeat(*rig));
    mmli_count_stop((*rig)->model->dv);
    *host = mmli_alloc_count() - before;
    *count = mmli_count_of((*rig)->model->dv);
    return mmli_count_total(*count);
}

static void assert_warm(const char *name)
{
    const mmli_count *count;
    mmli_bench_rig *rig;
    uint64_t host;

    cost_of(name, &count, &rig, &host);
    ck_assert_msg(host == 0, "%s: %llu allocations of the host", name, (unsigned long long)host);
    ck_assert_msg(count->allocations == 0, "%s: %llu of the device", name, (unsigned long long)count->allocations);
    mmli_bench_rig_free(rig);
}

START_TEST(a_warm_repeat_allocates_nothing)
{
    static const char *const names[] = {"table-train-32", "table-predict-1", "bag-train-1000", "merge-predict-1",
                                        "fuse-predict-2", "fuse-train-32"};

    assert_warm(names[_i]);
}
END_TEST

/* Needed at least: 2 m n k of every product of the encoder, of values, output and feed-forward in each step (c = d = 64,
 * 8 heads of 64), and of the head. With one token, neither queries nor keys: 64 rows of W1 and W2, one of the others. */
START_TEST(one_token_costs_no_queries_and_no_keys)
{
    const uint64_t encoder = 2 * (2189 * 256 + 3 * 256 * 256), value = 2 * 256 * 512, out = 2 * 512 * 64;
    const uint64_t feed_forward = 2 * 64 * (64 * 512 + 256 * 64), head = 2 * 64 * 4;
    const mmli_count *count;
    mmli_bench_rig *rig;
    uint64_t host;
    const mmli_cost total = cost_of("table-predict-1", &count, &rig, &host);

    ck_assert_uint_eq(total.matrix, encoder + 2 * (value + out + feed_forward) + head);
    mmli_bench_rig_free(rig);
}
END_TEST

START_TEST(cost_of_a_fuse_is_linear_in_its_blocks)
{
    const uint64_t head = 2 * 64 * 4;
    const mmli_count *count;
    mmli_bench_rig *rig;
    uint64_t host, two, sixteen;

    two = cost_of("fuse-predict-2", &count, &rig, &host).matrix;
    mmli_bench_rig_free(rig);
    sixteen = cost_of("fuse-predict-16", &count, &rig, &host).matrix;
    mmli_bench_rig_free(rig);
    ck_assert_uint_eq(sixteen - head, 8 * (two - head));
}
END_TEST

START_TEST(the_start_state_is_transformed_once_for_a_batch)
{
    const mmli_count *count;
    mmli_bench_rig *rig;
    uint64_t host;

    cost_of("table-predict-32", &count, &rig, &host);
    ck_assert_uint_eq(count->kernel[MMLI_KERNEL_fft].calls, 1);
    /* one real array (64, 64) read, two written, whatever the batch */
    ck_assert_uint_eq(count->kernel[MMLI_KERNEL_fft].bytes, 3 * 64 * 64 * sizeof(float));
    mmli_bench_rig_free(rig);
}
END_TEST

START_TEST(a_product_is_counted_by_its_sizes)
{
    mmli_backend table;
    mmli_device *dv = NULL;
    mmli_mem *x = NULL;
    const mmli_cost *gemm;

    mmlt_assert_ok(mmli_count_table(&table, NULL));
    mmlt_assert_ok(mmli_device_open_table(&dv, &table, 1));
    mmli_count_start(dv);
    mmlt_assert_ok(dv->k.alloc(dv, &x, 1000 * sizeof(float)));
    mmlt_assert_ok(dv->k.fill(dv, x, 1000, 1.0f));
    mmlt_assert_ok(dv->k.gemm(dv, false, false, 3, 5, 7, 1.0f, x, 7, mmli_at(x, 100), 5, 1.0f, mmli_at(x, 200), 5));
    gemm = &mmli_count_of(dv)->kernel[MMLI_KERNEL_gemm];
    ck_assert_uint_eq(gemm->calls, 1);
    ck_assert_uint_eq(gemm->matrix, 2 * 3 * 5 * 7);
    ck_assert_uint_eq(gemm->bytes, sizeof(float) * (3 * 7 + 7 * 5 + 2 * 3 * 5));
    ck_assert_uint_eq(mmli_count_of(dv)->allocations, 1);
    ck_assert_uint_eq(mmli_count_of(dv)->live, 1000 * sizeof(float));
    dv->k.free(dv, x);
    ck_assert_uint_eq(mmli_count_of(dv)->live, 0);
    mmli_device_close(dv);
}
END_TEST

START_TEST(a_wrong_name_is_answered_with_the_nearest)
{
    mml_bench_result r = {.struct_size = sizeof r};

    mmlt_assert_fails(mml_bench_run(&r, "table-trian-32", NULL), MML_E_ARG, "did you mean 'table-train-32'?");
    r.struct_size = 3;
    mmlt_assert_fails(mml_bench_run(&r, "table-predict-1", NULL), MML_E_ARG, "struct_size");
}
END_TEST

START_TEST(the_model_of_a_case_has_its_blocks)
{
    static const struct {
        const char *name;
        mml_model_kind kind;
        size_t blocks;
    } cases[] = {{"table-predict-1", MML_MODEL_BLOCK, 1}, {"merge-build", MML_MODEL_MERGE, 2}, {"fuse-predict-16", MML_MODEL_FUSE, 16}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mml_model *model = NULL;

        mmlt_assert_ok(mml_bench_model(&model, cases[i].name, NULL));
        ck_assert_int_eq(mml_model_get_kind(model), cases[i].kind);
        ck_assert_uint_eq(mml_model_n_blocks(model), cases[i].blocks);
        ck_assert_uint_eq(mml_model_n_outputs(model), 4);
        mml_model_free(model);
    }
}
END_TEST

START_TEST(the_batch_of_a_case_is_predicted_by_its_model)
{
    static const char *const names[] = {"table-predict-32", "merge-predict-1", "fuse-predict-2"};
    static const size_t samples[] = {32, 1, 1};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mml_model *model = NULL;
        mml_batch *batch = NULL;
        mml_predictor *predictor = NULL;
        mml_prediction p;

        mmlt_assert_ok(mml_bench_model(&model, names[i], NULL));
        mmlt_assert_ok(mml_bench_batch(&batch, names[i]));
        mmlt_assert_ok(mml_predictor_new(&predictor, model, NULL, 2));
        mmlt_assert_ok(mml_predict(&p, predictor, batch));
        ck_assert_uint_eq(p.n, samples[i]);
        for (size_t b = 0; b < p.n; b++)
            ck_assert_uint_eq(p.used[b], (UINT64_C(1) << mml_model_n_blocks(model)) - 1);
        mml_predictor_free(predictor);
        mml_batch_free(batch);
        mml_model_free(model);
    }
    ck_assert_int_eq(mml_bench_batch(&(mml_batch *){NULL}, "table-trian-32"), MML_E_ARG);
}
END_TEST

START_TEST(a_case_runs_and_its_times_are_in_order)
{
    mml_bench_options o;
    mml_bench_result r = {.struct_size = sizeof r};

    mml_bench_options_init(&o);
    o.seconds = 0.01;
    o.threads = 2;
    mmlt_assert_ok(mml_bench_run(&r, "table-predict-1", &o));
    ck_assert_uint_ge(r.repeats, 3);
    ck_assert(r.least > 0 && r.least <= r.low && r.low <= r.median && r.median <= r.high && r.high <= r.p95);
    ck_assert_int_eq(r.threads, 2);
    ck_assert(r.input == 2189 * sizeof(float));
}
END_TEST

START_TEST(memory_of_a_device_is_timed_without_touching_it)
{
    mmli_device *dv = NULL;
    double copy = 0, sum = 0;

    mmlt_assert_ok(mmli_device_open_table(&dv, &mmlt_backend_hidden, 1));
    mmlt_assert_ok(mmli_bench_time_memory(&copy, &sum, dv, 100000, 0.01));
    ck_assert_double_gt(copy, 1e6); /* a megabyte a second: slower is no memory */
    ck_assert_double_gt(sum, 1e6);
    ck_assert_double_lt(copy, 1e14);
    ck_assert_double_lt(sum, 1e14);
    ck_assert_uint_eq(mmlt_hidden_live(), 0);
    mmli_device_close(dv);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench");
    TCase *tc = tcase_create("count");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_warm_repeat_allocates_nothing, 0, 6);
    tcase_add_test(tc, one_token_costs_no_queries_and_no_keys);
    tcase_add_test(tc, cost_of_a_fuse_is_linear_in_its_blocks);
    tcase_add_test(tc, the_start_state_is_transformed_once_for_a_batch);
    tcase_add_test(tc, a_product_is_counted_by_its_sizes);
    tcase_add_test(tc, a_wrong_name_is_answered_with_the_nearest);
    tcase_add_test(tc, the_model_of_a_case_has_its_blocks);
    tcase_add_test(tc, the_batch_of_a_case_is_predicted_by_its_model);
    tcase_add_test(tc, a_case_runs_and_its_times_are_in_order);
    tcase_add_test(tc, memory_of_a_device_is_timed_without_touching_it);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
