/* optim.c - reductions to one number, the tally of a training, and the step of AdamW. */
#include <math.h>

#include "backends/reference/ref.h"

mml_status REF(sum)(mmli_device *dv, mmli_mem *out, const mmli_mem *x_, size_t n)
{
    const float *x = ref_f(x_);
    double sum = 0;

    (void)dv;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    *ref_d(out) += sum;
    return MML_OK;
}

mml_status REF(sum_squares)(mmli_device *dv, mmli_mem *out, const mmli_mem *x_, size_t n)
{
    const float *x = ref_f(x_);
    double sum = 0;

    (void)dv;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    *ref_d(out) += sum;
    return MML_OK;
}

mml_status REF(tally)(mmli_device *dv, mmli_mem *tally_, mmli_mem *scale, const mmli_mem *loss, const mmli_mem *sumsq,
                      double weight, float max_norm, uint64_t step)
{
    double *tally = ref_d(tally_);
    const double l = *ref_d(loss) * weight, squares = sumsq ? *ref_d(sumsq) : 0, norm = sqrt(squares);
    const double by = max_norm > 0 ? (double)max_norm / (norm + 1e-6) : 1;

    (void)dv;
    if (tally[MMLI_TALLY_FAILED] == 0 && !(isfinite(l) && isfinite(squares))) {
        tally[MMLI_TALLY_FAILED] = (double)step;
        tally[MMLI_TALLY_BAD_LOSS] = l;
        tally[MMLI_TALLY_BAD_SUMSQ] = squares;
    }
    if (tally[MMLI_TALLY_FAILED] == 0) {
        tally[MMLI_TALLY_LOSS] += l;
        tally[MMLI_TALLY_NORM] += norm;
    }
    if (scale)
        *ref_f(scale) = tally[MMLI_TALLY_FAILED] != 0 ? NAN : by < 1 ? (float)by : 1.0f;
    return MML_OK;
}

mml_status REF(l1_grad)(mmli_device *dv, mmli_mem *g_, const mmli_mem *p_, size_t n, float l1)
{
    float *g = ref_f(g_);
    const float *p = ref_f(p_);

    (void)dv;
    for (size_t i = 0; i < n; i++)
        g[i] += p[i] > 0 ? l1 : p[i] < 0 ? -l1 : 0.0f;
    return MML_OK;
}

mml_status REF(adamw)(mmli_device *dv, mmli_mem *p_, mmli_mem *m_, mmli_mem *v_, const mmli_mem *g_,
                      const mmli_mem *scale_, const mmli_mem *decay_, size_t n, float lr, float b1, float b2, float eps,
                      float c1, float c2)
{
    float *p = ref_f(p_), *m = ref_f(m_), *v = ref_f(v_);
    const float *g = ref_f(g_), *scale = ref_f(scale_), *decay = ref_f(decay_);

    (void)dv;
    if (scale && isnan(*scale))
        return MML_OK;
    for (size_t i = 0; i < n; i++) {
        const double grad = (double)g[i] * (scale ? (double)*scale : 1);
        double x = (double)p[i];

        m[i] = (float)((double)b1 * (double)m[i] + (1 - (double)b1) * grad);
        v[i] = (float)((double)b2 * (double)v[i] + (1 - (double)b2) * grad * grad);
        x -= (double)lr * (double)decay[i / MMLI_DECAY_EACH] * x;
        x -= (double)lr * ((double)m[i] / (double)c1) / (sqrt((double)v[i] / (double)c2) + (double)eps);
        p[i] = (float)x;
    }
    return MML_OK;
}
