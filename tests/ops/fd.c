/* fd.c - see fd.h. */
#include "tests/ops/fd.h"

#include <math.h>
#include <stdlib.h>

#include "util/rng.h"

#define STEP 0x1p-5
#define GRID 0x1p-10f
#define BEFORE 1.0f /* in dx before the call: it must be added to */

enum { MOST = 64 /* elements of an input or output */ };

const int64_t fd_off[FD_SEGS + 1] = {0, 2, 2, 5, 6};

typedef struct numbers {
    float x[FD_INPUTS][MOST], dy[FD_OUTPUTS][MOST];
} numbers;

static void draw(numbers *n, const fd_case *c)
{
    for (size_t a = 0; a < FD_INPUTS; a++) {
        mmlt_uniform(n->x[a], c->in[a], mmli_rng_key(3, c->name, a), -1.5f, 1.5f);
        for (size_t i = 0; i < c->in[a]; i++) {
            n->x[a][i] = rintf(n->x[a][i] / GRID) * GRID;
            n->x[a][i] += n->x[a][i] < 0 ? -c->margin : c->margin;
        }
    }
    for (size_t a = 0; a < FD_OUTPUTS; a++)
        mmlt_uniform(n->dy[a], c->out[a], mmli_rng_key(4, c->name, a), -1, 1);
}

static void open_case(fd *f, const fd_case *c, mmli_device *dv, const numbers *n)
{
    static const float blank[MOST];

    *f = (fd){.c = c, .dv = dv};
    for (size_t a = 0; a < FD_INPUTS; a++) {
        ck_assert_uint_le(c->in[a], MOST);
        f->x[a] = c->in[a] ? mmlt_upload(dv, n->x[a], c->in[a] * sizeof(float)) : NULL;
        f->dx[a] = c->in[a] ? mmlt_upload(dv, blank, c->in[a] * sizeof(float)) : NULL;
    }
    for (size_t a = 0; a < FD_OUTPUTS; a++) {
        ck_assert_uint_le(c->out[a], MOST);
        f->y[a] = c->out[a] ? mmlt_upload(dv, blank, c->out[a] * sizeof(float)) : NULL;
        f->dy[a] = c->out[a] ? mmlt_upload(dv, n->dy[a], c->out[a] * sizeof(float)) : NULL;
    }
    f->loss = mmlt_upload(dv, blank, sizeof(double));
    f->off = mmlt_upload(dv, fd_off, sizeof fd_off);
    f->stats = mmlt_upload(dv, blank, sizeof blank);
}

static void close_case(fd *f)
{
    mmli_mem *all[] = {f->y[0], f->y[1], f->dy[0], f->dy[1], f->loss, f->off, f->stats};

    for (size_t i = 0; i < FD_INPUTS; i++) {
        f->dv->k.free(f->dv, f->x[i]);
        f->dv->k.free(f->dv, f->dx[i]);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        f->dv->k.free(f->dv, all[i]);
}

static double objective(fd *f, const numbers *n)
{
    double sum = 0;
    float y[MOST];

    mmlt_assert_ok(f->dv->k.upload(f->dv, f->loss, &sum, sizeof sum));
    f->c->forward(f);
    mmlt_download(&sum, f->dv, f->loss, sizeof sum);
    for (size_t a = 0; a < FD_OUTPUTS; a++) {
        if (!f->y[a])
            continue;
        mmlt_download(y, f->dv, f->y[a], f->c->out[a] * sizeof *y);
        for (size_t j = 0; j < f->c->out[a]; j++)
            sum += (double)n->dy[a][j] * (double)y[j];
    }
    return sum;
}

/* L with x[a][i] moved by `by` */
static double moved(fd *f, const numbers *n, size_t a, size_t i, double by)
{
    const float x = n->x[a][i], at = (float)((double)x + by);
    double value;

    ck_assert((double)at - (double)x == by);
    mmlt_assert_ok(f->dv->k.upload(f->dv, mmli_at(f->x[a], i), &at, sizeof at));
    value = objective(f, n);
    mmlt_assert_ok(f->dv->k.upload(f->dv, mmli_at(f->x[a], i), &x, sizeof x));
    return value;
}

static float difference(fd *f, const numbers *n, size_t a, size_t i)
{
    const double near = moved(f, n, a, i, STEP) - moved(f, n, a, i, -STEP);
    const double far = moved(f, n, a, i, 2 * STEP) - moved(f, n, a, i, -2 * STEP);

    return (float)((8 * near - far) / (12 * STEP));
}

const char *fd_check(const fd_case *c, mmli_device *dv)
{
    const bool loss = c->out[0] == 0;
    numbers n = {0};
    float got[MOST], want[MOST], largest = 0;
    fd f;

    draw(&n, c);
    open_case(&f, c, dv, &n);
    for (size_t a = 0; a < FD_INPUTS && c->in[a]; a++)
        mmlt_assert_ok(dv->k.fill(dv, f.dx[a], c->in[a], loss ? NAN : BEFORE));
    objective(&f, &n); /* y and stats for the gradient */
    c->gradient(&f);
    for (size_t a = 0; a < FD_INPUTS && c->in[a]; a++) {
        mmlt_download(got, dv, f.dx[a], c->in[a] * sizeof *got);
        for (size_t i = 0; i < c->in[a]; i++) {
            got[i] -= loss ? 0 : BEFORE;
            want[i] = difference(&f, &n, a, i);
            largest = fmaxf(largest, fabsf(want[i]));
        }
        mmlt_assert_close_at(c->name, (int)a, "derivative by its input", got, want, c->in[a],
                             loss ? FD_LOSS : MMLT_TOL_DIFFERENCE);
    }
    ck_assert_msg(largest > 0.01f, "%s: all derivatives are 0, nothing was tested", c->name);
    close_case(&f);
    return f.called;
}
