/* test_heads.c - linear interpolation of heads against the original code; alpha is the weight of the first head there.
 * (That code's slerp is no spherical interpolation; its own properties are tested in tests/lego/test_heads.c.) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lego/heads.h"
#include "tests/golden/gold.h"
#include "tests/support/mmlt.h"

static const char *const files[] = {"heads_linear_0.25", "heads_linear_0.5", "heads_linear_0.8"};
static const char *const tensors[] = {"ln_weight", "ln_bias", "weight", "bias"};

START_TEST(linear_heads_match_the_original_code)
{
    gold g;
    double worst = 0, alpha;

    if (!gold_open(&g, files[_i]))
        return;
    alpha = gold_number(&g, "alpha", NAN);
    for (size_t t = 0; t < 4; t++) {
        char path[64];
        size_t n;
        float *w1, *w2, *want, *got;

        snprintf(path, sizeof path, "inputs/w1_%s", tensors[t]);
        w1 = gold_floats(&g, path, &n);
        snprintf(path, sizeof path, "inputs/w2_%s", tensors[t]);
        w2 = gold_floats(&g, path, &n);
        snprintf(path, sizeof path, "outputs/%s", tensors[t]);
        want = gold_floats(&g, path, &n);
        got = calloc(n, sizeof *got);
        mmlt_assert_ok(mmli_vector_mean(got, (const float *const[]){w1, w2}, (const double[]){alpha, 1 - alpha}, 2, n,
                                        MML_HEAD_LINEAR));
        mmlt_assert_close_at(__FILE__, __LINE__, path, got, want, n, MMLT_TOL_GOLDEN);
        worst = fmax(worst, mmlt_relative_error(got, want, n));
        free(w1);
        free(w2);
        free(want);
        free(got);
    }
    printf("%-20s largest relative error: %.1e\n", g.name, worst);
    gold_close(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden/heads");
    TCase *tc = tcase_create("heads");

    tcase_add_loop_test(tc, linear_heads_match_the_original_code, 0, 3);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
