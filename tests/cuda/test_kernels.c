/* test_kernels.c - every kernel of the CUDA backend against the reference, on the GPU or on the emulated one: whatever
 * mmlego-cuda.so MMLEGO_CUDA_MODULE names. Without a device all is skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ops/case.h"

static mmli_device *open_reference(void)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open(&dv, "reference", 1));
    return dv;
}

static mmli_device *open_cuda(void)
{
    mmli_device *dv = NULL;

#ifdef MMLT_CUDA_TABLE
    extern const mmli_backend mmli_backend_cuda;
    mmlt_assert_ok(mmli_device_open_table(&dv, &mmli_backend_cuda, 1));
#else
    mmlt_assert_ok(mmli_device_open(&dv, "cuda", 1));
#endif
    return dv;
}

/* _i runs over the cases. One device for all variants: what it keeps from call to call (scratch, plans, staging) meets other
 * shapes. */
START_TEST(a_kernel_agrees_with_the_reference)
{
    const kernel_case *c = case_at((size_t)_i);
    mmli_device *reference = open_reference(), *cuda = open_cuda();

    for (size_t i = 0; i < c->variants; i++) {
        run want, got;

        run_case(&want, c, i, reference);
        run_case(&got, c, i, cuda);
        assert_runs_agree(&got, &want, c, i, "cuda");
        run_free(&got);
        run_free(&want);
    }
    printf("%s: %zu variants agree\n", c->name, c->variants);
    mmli_device_close(cuda);
    mmli_device_close(reference);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda kernels");
    TCase *tc = tcase_create("kernels");
    const char *one = getenv("MMLT_CASE");

    tcase_set_timeout(tc, 60);
    for (int i = 0; i < (int)n_cases(); i++)
        if (!one || strstr(case_at((size_t)i)->name, one))
            tcase_add_loop_test(tc, a_kernel_agrees_with_the_reference, i, i + 1);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
