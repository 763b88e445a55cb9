/* slopes.h - a gradient against differences of the objective.
 *
 * The slope along directions u in the space of all elements of an array is compared: half the gradient itself (a strong
 * signal), half random (every element takes part).
 *     s(h) = (f(x + h u) - f(x - h u)) / 2 h,   |u| = 1,   slope = (4 s(h/2) - s(h)) / 3
 * f is a double made of float32 outputs. What is between slope and gradient when all is right:
 * - rounding of the outputs, some 1e-7 in f, which 1/h makes larger: NOISE times the gradient of all parameters together;
 * - h^4 times a fifth derivative, and kinks of SELU, ReLU and LeakyReLU between x - h u and x + h u, each of which moves the
 *   slope by its share of it. Both vanish with h, and most directions meet no kink that matters.
 * So h = 2^-5 .. 2^-9 are tried, the nearest slope counts, and the median of three directions is held to ERROR times the
 * gradient of the tensor. Where a unit happens to sit within 2^-9 of its kink, no h helps: then other tokens should be drawn,
 * up to SLOPE_DRAWS times. A wrong factor or a forgotten term is there for every h, in every direction and for all tokens, and
 * is of the size of the gradient itself.
 */
#ifndef MMLT_LEGO_SLOPES_H
#define MMLT_LEGO_SLOPES_H

#include "tests/support/mmlt.h"

enum { SLOPE_DRAWS = 3 };

/* An array that the objective depends on. */
typedef struct slope_place {
    void *user;
    void (*put)(void *user, const float *x); /* sets the array */
    double (*objective)(void *user);         /* f as things are */
    size_t n;
    const float *x; /* (n) as it is */
    const float *g; /* (n) its gradient */
} slope_place;

/* The gap between slope and gradient in units of what is allowed: at most 1 is right, and then it is no more than that: what would
 * not change it is not computed. whole: the norm of the gradient of all
 * parameters. A gradient of exactly 0 says that f does not depend on x at all. */
double slope_gap(const slope_place *p, const char *name, double whole);
double slope_norm(const float *x, size_t n);

#endif
