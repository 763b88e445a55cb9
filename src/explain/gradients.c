/* gradients.c - integrated gradients (explain.h).
 *
 * The path is cut into intervals, at first with the edges (j/J)^3, for the score turns fastest at the baseline: LayerNorm of
 * the tokens, (x - mean) / sqrt(var + 1e-5), sees the direction of a token long before its length is that of the data. Each
 * gets two points of Gauss and Legendre, and as attributions of an interval must sum to the difference of scores at
 * its ends, one that misses it is halved. So kinks cost points where they are, and for the samples that have them. Points of
 * many intervals and samples go through the model as the samples of one pass. */
#include "explain/gradients.h"

#include <math.h>
#include <string.h>

#include "explain/merged.h"
#include "util/alloc.h"
#include "util/error.h"

enum {
    REFINE = 64, /* times as many points as to begin with, at most, for a sample */
    PASS = 64,             /* intervals in a pass, unless fewer samples at a time are asked for, and ... */
    PASS_VALUES = 1 << 23, /* ... values of their tokens, about */
};
#define ROUNDING 3e-6 /* of a difference of scores from float32 logits, relative to 1 + |score| */

typedef struct interval {
    size_t sample;
    double low, high, from, to; /* places; scores there */
} interval;

typedef struct job {
    mml_explainer *e;
    mmli_explained *x;
    interval *list; /* (n) still to do */
    size_t n, cap;
    mmli_path_point *point; /* of a pass, (2 items) */
    double *score;          /* there */
    size_t items;           /* intervals of a pass at most */
    float *logits, *g;      /* (2 items, k) */
    float **dx;             /* (members) gradients of the tokens of a pass */
    size_t *dx_cap, *row;   /* (members); first row of a point in dx */
} job;

static void end(job *j)
{
    for (size_t m = 0; j->dx && m < j->e->model->n; m++)
        mmli_free(j->dx[m]);
    mmli_free(j->dx);
    mmli_free(j->dx_cap);
    mmli_free(j->row);
    mmli_free(j->list);
    mmli_free(j->point);
    mmli_free(j->score);
    mmli_free(j->logits);
    mmli_free(j->g);
}

static mml_status begin(job *j, mml_explainer *e, mmli_explained *x)
{
    const size_t k = e->model->task->outputs;
    mml_status st = MML_OK;

    *j = (job){.e = e, .x = x, .items = e->o.batch > 0 && e->o.batch < PASS ? e->o.batch : PASS};
    MML_TRY(mmli_calloc(&j->point, 2 * j->items, sizeof *j->point));
    MML_TRY(mmli_calloc(&j->score, 2 * j->items, sizeof *j->score));
    MML_TRY(mmli_calloc(&j->logits, 2 * j->items, k * sizeof *j->logits));
    MML_TRY(mmli_calloc(&j->g, 2 * j->items, k * sizeof *j->g));
    MML_TRY(mmli_calloc(&j->dx, e->model->n, sizeof *j->dx));
    MML_TRY(mmli_calloc(&j->dx_cap, e->model->n, sizeof *j->dx_cap));
    MML_TRY(mmli_calloc(&j->row, e->model->n, sizeof *j->row));
out:
    return st;
}

/* ---- a pass --------------------------------------------------------------------------------------------------------------- */

/* Scores of n points, and with `back` the gradients of their tokens. choose: the class of each sample is decided here. */
static mml_status run(job *j, size_t n, bool back, bool choose)
{
    mml_explainer *e = j->e;
    const mmli_task *task = e->model->task;
    const size_t k = task->outputs;
    mml_status st = MML_OK;
    mmli_inputs in;
    mmli_bound bound;
    mmli_merged merged;
    mmli_var *logits = NULL;
    bool any = false;

    MML_TRY(mmli_tape_begin(e->tape, back ? MMLI_RECORD : 0, 0, 0));
    MML_TRY(mmli_path_inputs(&in, e->tape, &j->x->path, j->point, n));
    for (size_t m = 0; m < e->model->n; m++)
        any = any || in.in[m].x != NULL;
    if (any) {
        MML_TRY(mmli_params_bind(&bound, e->tape, e->params, NULL, NULL));
        MML_TRY(mmli_merged_forward(&logits, &merged, e, &bound, &in));
    }
    MML_TRY(mmli_explainer_logits(j->logits, e, &in, logits));
    for (size_t i = 0; i < n; i++) {
        size_t *cls = &j->x->cls[j->point[i].sample];

        *cls = choose ? mmli_score_class(task, j->logits + i * k, e->target) : *cls;
        j->score[i] = mmli_score(task, j->logits + i * k, *cls);
        mmli_score_grad(j->g + i * k, task, j->logits + i * k, *cls);
    }
    if (!any || !back)
        goto out;
    MML_TRY(mmli_merged_back(&merged, e, &in, logits, j->g));
    MML_TRY(mmli_tape_backward(e->tape));
    st = mmli_path_gradients(j->dx, j->dx_cap, j->row, e->tape, &j->x->path, &in, j->point, n);
out:
    return st;
}

/* Values of all tokens of a sample; as float64, which cannot overflow. */
static double values_of(const job *j, size_t sample)
{
    double values = 0;

    for (size_t m = 0; m < j->e->model->n; m++) {
        const mmli_path_part *p = &j->x->path.part[m];

        values += (double)(p->off[sample + 1] - p->off[sample]) * (double)p->width;
    }
    return values;
}

/* ---- scores at the edges -------------------------------------------------------------------------------------------------- */

static double edge(size_t i, size_t J)
{
    return pow((double)i / (double)J, 3);
}

static mml_status push(job *j, interval next)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&j->list, &j->cap, j->n + 1, sizeof *j->list));
    j->list[j->n++] = next;
out:
    return st;
}

/* The first intervals of a sample: its scores at the edges, the whole way first, which decides the class. */
static mml_status cut(job *j, size_t b)
{
    const size_t J = j->e->o.points / 2, most = values_of(j, b) > PASS_VALUES ? 1 : 2 * j->items;
    mml_status st = MML_OK;
    double before = NAN;

    j->point[0] = (mmli_path_point){b, 1};
    MML_TRY(run(j, 1, false, true));
    j->x->score[b] = j->score[0];
    for (size_t i = 0; i <= J; i += most) {
        const size_t n = J + 1 - i < most ? J + 1 - i : most;

        for (size_t o = 0; o < n; o++)
            j->point[o] = (mmli_path_point){b, edge(i + o, J)};
        MML_TRY(run(j, n, false, false));
        if (i == 0)
            j->x->base[b] = j->score[0];
        for (size_t o = 0; o < n; before = j->score[o++])
            if (i + o > 0)
                MML_TRY(push(j, (interval){b, edge(i + o - 1, J), edge(i + o, J), before, j->score[o]}));
    }
out:
    return st;
}

/* ---- intervals ------------------------------------------------------------------------------------------------------------ */

/* Of the interval whose two points are the next in dx: attributions summed, and their absolute values; with `add` they are
 * added to those of the sample, and the points are behind. */
static void visit(job *j, const interval *v, double *sum, double *size, bool add)
{
    *sum = *size = 0;
    for (size_t m = 0; m < j->e->model->n; m++) {
        const mmli_path_part *p = &j->x->path.part[m];
        const size_t first = (size_t)p->off[v->sample], rows = (size_t)p->off[v->sample + 1] - first;

        for (size_t t = 0; p->moves && t < rows; t++) {
            const float *dx = j->dx[m] + (j->row[m] + t) * p->width, *more = dx + rows * p->width;
            const size_t at = (first + t) * p->width;

            for (size_t c = 0; c < p->columns; c++) {
                const double far = (double)p->x[at + c] - (double)p->base[at + c];
                const double a = (v->high - v->low) / 2 * far * ((double)dx[c] + (double)more[c]);

                *sum += a;
                *size += fabs(a);
                if (add)
                    j->x->sum[m][(first + t) * p->columns + c] += a;
            }
        }
        j->row[m] += add ? 2 * rows : 0;
    }
}

static void skip(job *j, const interval *v)
{
    for (size_t m = 0; m < j->e->model->n; m++) {
        const mmli_path_part *p = &j->x->path.part[m];

        j->row[m] += 2 * (size_t)(p->off[v->sample + 1] - p->off[v->sample]);
    }
}

/* Takes intervals from the end of the list for one pass: how many. */
static size_t choose(const job *j)
{
    double values = 0;
    size_t n = 0;

    while (n < j->n && n < j->items) {
        values += 2 * values_of(j, j->list[j->n - 1 - n].sample);
        if (n > 0 && values > PASS_VALUES)
            break;
        n++;
    }
    return n;
}

/* Halves the intervals at list[first .. first + n - 1], which are then n more at the end. */
static mml_status halve(job *j, size_t first, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        j->point[i] = (mmli_path_point){j->list[first + i].sample, (j->list[first + i].low + j->list[first + i].high) / 2};
    if (n > 0)
        MML_TRY(run(j, n, false, false));
    for (size_t i = 0; i < n; i++) {
        const interval v = j->list[first + i];

        j->list[first + i].low = j->point[i].at;
        j->list[first + i].from = j->score[i];
        MML_TRY(push(j, (interval){v.sample, v.low, j->point[i].at, v.from, j->score[i]}));
    }
out:
    return st;
}

static mml_status integrate(job *j, size_t n)
{
    const size_t first = j->n - n;
    mml_status st = MML_OK;
    size_t missed = 0;

    for (size_t i = 0; i < n; i++) {
        const interval *v = &j->list[first + i];
        const double middle = (v->low + v->high) / 2, off = (v->high - v->low) / 2 / sqrt(3);

        j->point[2 * i] = (mmli_path_point){v->sample, middle - off};
        j->point[2 * i + 1] = (mmli_path_point){v->sample, middle + off};
        j->x->points[v->sample] += 2;
    }
    MML_TRY(run(j, 2 * n, true, false));
    memset(j->row, 0, j->e->model->n * sizeof *j->row);
    for (size_t i = 0; i < n; i++) {
        const interval v = j->list[first + i];
        double sum, size;

        visit(j, &v, &sum, &size, false);
        if (j->x->points[v.sample] >= REFINE * j->e->o.points ||
            fabs(sum - (v.to - v.from)) <= j->e->o.tolerance * size + ROUNDING * (1 + fabs(v.to)))
            visit(j, &v, &sum, &size, true);
        else {
            skip(j, &v);
            j->list[first + missed++] = v;
        }
    }
    j->n = first + missed;
    st = halve(j, first, missed);
out:
    return st;
}

static void find_gaps(mmli_explained *x)
{
    for (size_t b = 0; b < x->path.B; b++) {
        double sum = 0;

        for (size_t m = 0; m < x->path.model->n; m++) {
            const mmli_path_part *p = &x->path.part[m];

            for (size_t i = (size_t)p->off[b] * p->columns; x->sum[m] && i < (size_t)p->off[b + 1] * p->columns; i++)
                sum += x->sum[m][i];
        }
        x->gap[b] = sum - (x->score[b] - x->base[b]);
    }
}

mml_status mmli_explain_gradients(mml_explainer *e, mmli_explained *x)
{
    mml_status st = MML_OK;
    job j;

    MML_TRY(begin(&j, e, x));
    for (size_t b = 0; b < x->path.B; b++) {
        MML_TRY(cut(&j, b));
        while (j.n > 0 && (j.n >= j.items || b + 1 == x->path.B))
            MML_TRY(integrate(&j, choose(&j)));
    }
    find_gaps(x);
out:
    end(&j);
    return st;
}
