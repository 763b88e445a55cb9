/* score.c - the number that is explained, and its derivative by the logits; in float64. */
#include <math.h>

#include "explain/explainer.h"

static bool has_classes(const mmli_task *task)
{
    return task->kind == MML_BINARY || task->kind == MML_MULTICLASS;
}

/* log of the sum of exp(z_i), i != cls */
static double log_sum_others(const float *z, size_t k, size_t cls)
{
    double most = -INFINITY, sum = 0;

    for (size_t i = 0; i < k; i++)
        most = i == cls ? most : fmax(most, (double)z[i]);
    for (size_t i = 0; i < k; i++)
        sum += i == cls ? 0 : exp((double)z[i] - most);
    return most + log(sum);
}

static double hazard(float z)
{
    return 1 / (1 + exp(-(double)z));
}

double mmli_score(const mmli_task *task, const float *z, size_t cls)
{
    const size_t k = task->outputs;
    double alive = 1, sum = 0;

    if (has_classes(task))
        return (double)z[cls] - log_sum_others(z, k, cls);
    if (task->kind == MML_REGRESSION)
        return (double)z[0] * task->sd + task->mean;
    if (mmli_task_is_cox(task))
        return (double)z[0];
    for (size_t j = 0; j < k; j++)
        sum += alive *= 1 - hazard(z[j]);
    return -sum;
}

/* d(-sum_j S_j) / dz_l = h_l sum over j >= l of S_j, as dS_j / dz_l = -h_l S_j */
static void risk_grad(float *g, const float *z, size_t k)
{
    double alive = 1, later = 0;

    for (size_t j = 0; j < k; j++)
        alive *= 1 - hazard(z[j]);
    for (size_t j = k; j-- > 0;) {
        const double h = hazard(z[j]);

        later += alive;
        g[j] = (float)(h * later);
        alive = h < 1 ? alive / (1 - h) : 0; /* S_(j-1) */
    }
}

void mmli_score_grad(float *g, const mmli_task *task, const float *z, size_t cls)
{
    const size_t k = task->outputs;

    if (has_classes(task)) {
        const double others = log_sum_others(z, k, cls);

        for (size_t i = 0; i < k; i++)
            g[i] = i == cls ? 1.0f : (float)-exp((double)z[i] - others);
    } else if (task->kind == MML_REGRESSION)
        g[0] = (float)task->sd;
    else if (mmli_task_is_cox(task))
        g[0] = 1;
    else
        risk_grad(g, z, k);
}

double mmli_score_output(const mmli_task *task, const float *z, size_t cls)
{
    const double score = mmli_score(task, z, cls);

    return has_classes(task) ? 1 / (1 + exp(-score)) : score;
}

size_t mmli_score_class(const mmli_task *task, const float *z, size_t target)
{
    size_t best = 0;

    if (!has_classes(task))
        return 0;
    if (target != SIZE_MAX)
        return target;
    for (size_t i = 1; i < task->outputs; i++)
        best = z[i] > z[best] ? i : best;
    return best;
}
