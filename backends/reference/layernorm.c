/* layernorm.c - y = (x - mean) rstd gamma + beta.
 *
 * With h = (x - mean) rstd and g = dy gamma:  dx = rstd (g - mean(g) - h mean(g h)),
 * dgamma = sum over rows of dy h, dbeta = sum over rows of dy. */
#include <math.h>

#include "backends/reference/ref.h"

static double row_mean(const float *x, size_t cols)
{
    double sum = 0;

    for (size_t j = 0; j < cols; j++)
        sum += (double)x[j];
    return sum / (double)cols;
}

mml_status REF(layernorm)(mmli_device *dv, mmli_mem *y_, mmli_mem *stats_, const mmli_mem *x_, const mmli_mem *gamma_,
                          const mmli_mem *beta_, size_t rows, size_t cols, float eps)
{
    float *y = ref_f(y_), *stats = ref_f(stats_);
    const float *x = ref_f(x_), *gamma = ref_f(gamma_), *beta = ref_f(beta_);

    (void)dv;
    for (size_t r = 0; r < rows && cols > 0; r++) {
        const double mean = row_mean(x + r * cols, cols);
        double var = 0, rstd;

        for (size_t j = 0; j < cols; j++)
            var += ((double)x[r * cols + j] - mean) * ((double)x[r * cols + j] - mean);
        rstd = 1 / sqrt(var / (double)cols + (double)eps);
        for (size_t j = 0; j < cols; j++)
            y[r * cols + j] =
                (float)(((double)x[r * cols + j] - mean) * rstd * (double)gamma[j] + (double)beta[j]);
        if (stats) {
            stats[2 * r] = (float)mean;
            stats[2 * r + 1] = (float)rstd;
        }
    }
    return MML_OK;
}

static void grad_x(float *dx, const float *x, double rstd, const float *gamma, const float *dy, size_t cols)
{
    const double mean = row_mean(x, cols); /* not the rounded one of stats */
    double mean_g = 0, mean_gh = 0;

    for (size_t j = 0; j < cols; j++) {
        const double g = (double)dy[j] * (double)gamma[j];

        mean_g += g / (double)cols;
        mean_gh += g * ((double)x[j] - mean) * rstd / (double)cols;
    }
    for (size_t j = 0; j < cols; j++) {
        const double g = (double)dy[j] * (double)gamma[j], h = ((double)x[j] - mean) * rstd;

        dx[j] = (float)((double)dx[j] + rstd * (g - mean_g - h * mean_gh));
    }
}

mml_status REF(layernorm_grad)(mmli_device *dv, mmli_mem *dx_, mmli_mem *dgamma_, mmli_mem *dbeta_,
                               const mmli_mem *x_, const mmli_mem *stats_, const mmli_mem *gamma_,
                               const mmli_mem *dy_, size_t rows, size_t cols)
{
    float *dx = ref_f(dx_), *dgamma = ref_f(dgamma_), *dbeta = ref_f(dbeta_);
    const float *x = ref_f(x_), *stats = ref_f(stats_), *gamma = ref_f(gamma_), *dy = ref_f(dy_);

    (void)dv;
    for (size_t r = 0; dx && r < rows && cols > 0; r++)
        grad_x(dx + r * cols, x + r * cols, (double)stats[2 * r + 1], gamma, dy + r * cols, cols);
    for (size_t j = 0; j < cols; j++) {
        double sum_h = 0, sum = 0;

        for (size_t r = 0; r < rows; r++) {
            const double g = (double)dy[r * cols + j];

            sum += g;
            if (dgamma)
                sum_h += g * ((double)x[r * cols + j] - (double)stats[2 * r]) * (double)stats[2 * r + 1];
        }
        if (dgamma)
            dgamma[j] = (float)((double)dgamma[j] + sum_h);
        if (dbeta)
            dbeta[j] = (float)((double)dbeta[j] + sum);
    }
    return MML_OK;
}
