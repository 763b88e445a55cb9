#!/usr/bin/env python3
"""Coefficients of penalised linear models on a small table, by Newton's method with derivatives written out: independent of
src/baselines/glm.c, which goes by L-BFGS. Prints the arrays of tests/baselines/test_glm.c. Nothing but the standard library."""
import math
import random

N, P, K, PENALTY = 20, 3, 3, 0.05
rng = random.Random(20)
X = [[round(rng.gauss(0, 1), 2) for _ in range(P)] for _ in range(N)]
LABEL = [int(x[0] - 0.5 * x[1] + rng.gauss(0, 1) > 0) for x in X]
CLASS = [max(range(K), key=lambda c: [x[0], x[1] + 0.3, -x[2]][c] + rng.gauss(0, 1)) for x in X]
TARGET = [round(2 * x[0] - x[2] + rng.gauss(0, 0.5), 2) for x in X]
TIME = [float(math.ceil(4 * math.exp(-0.7 * x[0]) * rng.random() + 0.1)) for x in X]  # whole numbers: many ties
EVENT = [float(rng.random() < 0.7) for _ in X]
WEIGHT = [1.0 if i % 3 else 2.0 for i in range(N)]


def solve(a, b):
    n = len(b)
    m = [row[:] + [v] for row, v in zip(a, b)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[pivot] = m[pivot], m[i]
        for r in range(i + 1, n):
            f = m[r][i] / m[i][i]
            for c in range(i, n + 1):
                m[r][c] -= f * m[i][c]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (m[i][n] - sum(m[i][c] * x[c] for c in range(i + 1, n))) / m[i][i]
    return x


def newton(slope_and_curvature, size):
    beta = [0.0] * size
    for _ in range(200):
        g, h = slope_and_curvature(beta)
        step = solve(h, g)
        beta = [b - s for b, s in zip(beta, step)]
        if max(abs(s) for s in step) < 1e-15:
            break
    assert max(abs(v) for v in slope_and_curvature(beta)[0]) < 1e-13
    return beta


def penalised(g, h, beta, rows, width):
    for r in range(rows):
        for j in range(P):
            i = r * width + j
            g[i] += PENALTY * beta[i]
            h[i][i] += PENALTY
    return g, h


def logistic(beta, w=WEIGHT):
    g, h = [0.0] * (P + 1), [[0.0] * (P + 1) for _ in range(P + 1)]
    for x, y, wi in zip(X, LABEL, w):
        v = x + [1.0]
        p = 1 / (1 + math.exp(-sum(a * b for a, b in zip(beta, v))))
        for i in range(P + 1):
            g[i] += wi / sum(w) * (p - y) * v[i]
            for j in range(P + 1):
                h[i][j] += wi / sum(w) * p * (1 - p) * v[i] * v[j]
    return penalised(g, h, beta, 1, P + 1)


def multinomial(beta):
    size = K * (P + 1)
    g, h = [0.0] * size, [[0.0] * size for _ in range(size)]
    for x, y in zip(X, CLASS):
        v = x + [1.0]
        z = [math.exp(sum(beta[r * (P + 1) + i] * v[i] for i in range(P + 1))) for r in range(K)]
        p = [a / sum(z) for a in z]
        for r in range(K):
            for i in range(P + 1):
                g[r * (P + 1) + i] += (p[r] - (y == r)) * v[i] / N
                for s in range(K):
                    for j in range(P + 1):
                        h[r * (P + 1) + i][s * (P + 1) + j] += p[r] * ((r == s) - p[s]) * v[i] * v[j] / N
    penalised(g, h, beta, K, P + 1)
    for r in range(K):  # intercepts are known up to one constant: start and stay at sum 0
        for s in range(K):
            h[r * (P + 1) + P][s * (P + 1) + P] += 1.0
    return g, h


def ridge(beta):
    g, h = [0.0] * (P + 1), [[0.0] * (P + 1) for _ in range(P + 1)]
    for x, y in zip(X, TARGET):
        v = x + [1.0]
        d = sum(a * b for a, b in zip(beta, v)) - y
        for i in range(P + 1):
            g[i] += d * v[i] / N
            for j in range(P + 1):
                h[i][j] += v[i] * v[j] / N
    return penalised(g, h, beta, 1, P + 1)


def cox(beta):
    events = sum(EVENT)
    g, h = [0.0] * P, [[0.0] * P for _ in range(P)]
    for x, t, e in zip(X, TIME, EVENT):
        if not e:
            continue
        at_risk = [(y, math.exp(sum(a * b for a, b in zip(beta, y)))) for y, u in zip(X, TIME) if u >= t]
        total = sum(r for _, r in at_risk)
        mean = [sum(r * y[i] for y, r in at_risk) / total for i in range(P)]
        for i in range(P):
            g[i] -= (x[i] - mean[i]) / events
            for j in range(P):
                h[i][j] += (sum(r * y[i] * y[j] for y, r in at_risk) / total - mean[i] * mean[j]) / events
    return penalised(g, h, beta, 1, P)


def show(name, values, form="%g", kind="double"):
    text = ", ".join(form % v for v in values)
    print(f"static const {kind} {name}[] = {{{text}}};")


show("x", [v for row in X for v in row])
show("label", LABEL, "%d", "int32_t")
show("class_of", CLASS, "%d", "int32_t")
show("target", TARGET)
show("times", TIME)
show("event", EVENT)
show("weight", WEIGHT)
show("logistic", newton(logistic, P + 1), "%.12f")
show("multinomial", newton(multinomial, K * (P + 1)), "%.12f")
show("cox", newton(cox, P), "%.12f")
show("ridge", newton(ridge, P + 1), "%.12f")
