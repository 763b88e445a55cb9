/* test_encoders.c - encoders that cannot do what is asked: the message names encoder and fact. (Their numbers are tested
 * by tests/golden and test_differences.c.) */
#include <string.h>

#include "tests/lego/rig.h"

START_TEST(self_attention_over_too_many_tokens_is_refused)
{
    static const size_t width[] = {4}, tokens[] = {3, 9, 2};
    mml_block_options o = rig_options("paper", MML_ENCODER_SELFATTN, 3, 4, 1);
    rig r;
    rig_data d;
    rig_vars v;

    o.selfattn_limit = 8;
    rig_data_make(&d, 1, 3, width, tokens, 1);
    rig_open(&r, _i, 1);
    rig_add(&r, &o, width[0], NULL);
    rig_build(&r);
    mmlt_assert_fails(rig_pass(&v, &r, &d, 0), MML_E_ARG, "9 tokens");
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

/* ---- custom encoders that go wrong ----------------------------------------------------------------------------- */

static mml_var *too_wide(void *user, mml_graph *graph, mml_var *x)
{
    (void)user;
    return mml_op_linear(graph, x, mml_graph_param(graph, 0), NULL);
}

static mml_var *no_such_parameter(void *user, mml_graph *graph, mml_var *x)
{
    (void)user;
    return mml_op_linear(graph, x, mml_graph_param(graph, 7), NULL);
}

static mml_var *bad_dropout(void *user, mml_graph *graph, mml_var *x)
{
    (void)user;
    return mml_op_dropout(graph, x, 1.5);
}

static mml_var *nothing(void *user, mml_graph *graph, mml_var *x)
{
    (void)user;
    (void)graph;
    ck_assert_uint_eq(mml_var_rows(x), 6);
    ck_assert_uint_eq(mml_var_cols(x), 4);
    ck_assert_uint_eq(mml_var_rows(NULL), 0);
    ck_assert_uint_eq(mml_var_cols(NULL), 0);
    return NULL;
}

static int fails(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n, size_t in,
                 float *y)
{
    (void)user, (void)params, (void)x, (void)offsets, (void)n, (void)in, (void)y;
    return 1;
}

static int succeeds(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n, size_t in,
                    float *y)
{
    (void)user, (void)params, (void)x, (void)offsets, (void)n, (void)in, (void)y;
    return 0;
}

static int backward_fails(void *user, const float *const *params, const float *x, const int64_t *offsets, size_t n,
                          size_t in, const float *dy, float *const *dparams, float *dx)
{
    (void)user, (void)params, (void)x, (void)offsets, (void)n, (void)in, (void)dy, (void)dparams, (void)dx;
    return 1;
}

static size_t three(void *user, size_t in)
{
    (void)user;
    (void)in;
    return 3;
}

static size_t no_width(void *user, size_t in)
{
    (void)user;
    (void)in;
    return 0;
}

static int one_param(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    (void)user;
    *spec = (mml_param_spec){"w", 5, in, MML_INIT_UNIFORM_FAN_IN};
    return i == 0;
}

static int nameless_param(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    (void)user, (void)in, (void)i;
    *spec = (mml_param_spec){NULL, 1, 1, MML_INIT_ZERO};
    return 1;
}

static int same_param(void *user, size_t in, size_t i, mml_param_spec *spec)
{
    (void)user, (void)in;
    *spec = (mml_param_spec){"w", 1, 1, MML_INIT_ZERO};
    return i < 2;
}

static const struct {
    mml_encoder encoder;
    mml_status status;
    const char *says;
    int mode;
} wrong_passes[] = {
    {{.name = "wide", .width = three, .param = one_param, .forward = too_wide}, MML_E_SHAPE, "(6, 5); (6, 3) was promised", 0},
    {{.name = "greedy", .width = three, .param = one_param, .forward = no_such_parameter}, MML_E_ARG, "parameter 7 of 1", 0},
    {{.name = "wet", .width = three, .forward = bad_dropout}, MML_E_ARG, "1.5", 0},
    {{.name = "mute", .width = three, .forward = nothing}, MML_E_SHAPE, "mute", 0},
    {{.name = "broken", .width = three, .forward_host = fails}, MML_E_ARG, "forward_host failed", 0},
    {{.name = "untrainable", .width = three, .param = one_param, .forward_host = succeeds}, MML_E_ARG, "cannot be trained",
     MMLI_RECORD},
    {{.name = "stuck", .width = three, .param = one_param, .forward_host = succeeds, .backward_host = backward_fails},
     MML_E_ARG, "backward_host failed", MMLI_RECORD}};
enum { N_WRONG_PASSES = sizeof wrong_passes / sizeof *wrong_passes };

START_TEST(custom_encoder_that_goes_wrong_is_named)
{
    static const size_t width[] = {4}, tokens[] = {3, 0, 3};
    const mml_encoder *encoder = &wrong_passes[_i % N_WRONG_PASSES].encoder;
    const mml_block_options o = rig_options("paper", MML_ENCODER_CUSTOM, 3, 4, 1);
    rig r;
    rig_data d;
    rig_vars v;

    rig_data_make(&d, 1, 3, width, tokens, 2);
    rig_open(&r, _i / N_WRONG_PASSES, 1);
    rig_add(&r, &o, width[0], encoder);
    rig_build(&r);
    mmlt_assert_fails(rig_pass(&v, &r, &d, wrong_passes[_i % N_WRONG_PASSES].mode), wrong_passes[_i % N_WRONG_PASSES].status,
                      wrong_passes[_i % N_WRONG_PASSES].says);
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "custom encoder") ? mml_last_error() : strstr(mml_last_error(), "dropout"));
    rig_close(&r);
    rig_data_free(&d);
}
END_TEST

START_TEST(custom_encoder_that_lacks_something_is_not_declared)
{
    static const struct {
        mml_encoder encoder;
        mml_status status;
        const char *says;
    } wrong[] = {{{.name = "a", .forward = nothing}, MML_E_ARG, "lacks `width`"},
                 {{.name = "b", .width = three}, MML_E_ARG, "both `forward` and `forward_host`"},
                 {{.name = "c", .width = no_width, .forward = nothing}, MML_E_SHAPE, "width 4"},
                 {{.name = "d", .width = three, .param = nameless_param, .forward = nothing}, MML_E_ARG, "parameter 0"},
                 {{.name = "e", .width = three, .param = same_param, .forward = nothing}, MML_E_ARG, "encoder.w"}};
    const mml_block_options o = rig_options("paper", MML_ENCODER_CUSTOM, 3, 4, 1);

    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        mmli_params *params = NULL;
        mmli_block block;

        mmlt_assert_ok(mmli_params_new(&params));
        mmlt_assert_fails(mmli_block_declare(&block, params, "", &o, 4, 2, -1, &wrong[k].encoder), wrong[k].status, wrong[k].says);
        mmli_params_free(params);
    }
    {
        mmli_params *params = NULL;
        mmli_block block;

        mmlt_assert_ok(mmli_params_new(&params));
        mmlt_assert_fails(mmli_block_declare(&block, params, "", &o, 4, 2, -1, NULL), MML_E_NOT_FOUND, "custom");
        mmli_params_free(params);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lego/encoders");
    TCase *tc = tcase_create("encoders");
    const int n = mmlt_n_backends();

    tcase_add_loop_test(tc, self_attention_over_too_many_tokens_is_refused, 0, n);
    tcase_add_loop_test(tc, custom_encoder_that_goes_wrong_is_named, 0, N_WRONG_PASSES * n);
    tcase_add_test(tc, custom_encoder_that_lacks_something_is_not_declared);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
