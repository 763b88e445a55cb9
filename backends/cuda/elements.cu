/* elements.cu - one number in, one number out: arithmetic, activations, gates. Limited by memory alone. */
#include "backends/cuda/activate.h"
#include "backends/cuda/map.h"

namespace {

struct put_value {
    float value;
    __device__ float operator()(const float *) const { return value; }
};
struct put_sum {
    __device__ float operator()(const float *x) const { return x[0] + x[1]; }
};
struct put_product {
    __device__ float operator()(const float *x) const { return x[0] * x[1]; }
};
/* x[0] is what lies there */
struct add_product {
    __device__ float operator()(const float *x) const { return fmaf(x[1], x[2], x[0]); }
};
struct add_multiple {
    float alpha;
    __device__ float operator()(const float *x) const { return fmaf(alpha, x[1], x[0]); }
};
struct put_multiple {
    float alpha;
    __device__ float operator()(const float *x) const { return alpha * x[0]; }
};
struct put_act {
    mmli_act kind;
    __device__ float operator()(const float *x) const { return act_value(x[0], kind); }
};
/* y, dy; and what lies there */
struct put_act_grad {
    mmli_act kind;
    __device__ float operator()(const float *x) const { return x[1] * act_slope(x[0], kind); }
};
struct add_act_grad {
    mmli_act kind;
    __device__ float operator()(const float *x) const { return fmaf(x[1], act_slope(x[0], kind), x[2]); }
};

struct put_gate {
    float *y;
    const float *z;
    size_t f;
    mmli_gate kind;
    __device__ void operator()(size_t r, size_t j) const
    {
        y[r * f + j] = gate_value(z[r * 2 * f + j], z[r * 2 * f + f + j], kind);
    }
};
struct put_gate_grad {
    float *dz;
    const float *z, *dy;
    size_t f;
    mmli_gate kind;
    bool add;
    __device__ void operator()(size_t r, size_t j) const
    {
        const size_t at_a = r * 2 * f + j, at_g = at_a + f;
        const float d = dy[r * f + j];
        float da, dg;

        gate_slopes(&da, &dg, z[at_a], z[at_g], kind);
        dz[at_a] = add ? fmaf(d, da, dz[at_a]) : d * da;
        dz[at_g] = add ? fmaf(d, dg, dz[at_g]) : d * dg;
    }
};

} // namespace

mml_status cuda_fill(mmli_device *dv, mmli_mem *y, size_t n, float value)
{
    return map_launch<1>(dv, dev_f(y), map_inputs<1>{{dev_f(y)}}, n, put_value{value});
}

mml_status cuda_add(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    return map(dv, y, a, b, n, put_sum());
}

mml_status cuda_mul(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    return map(dv, y, a, b, n, put_product());
}

mml_status cuda_mul_add(mmli_device *dv, mmli_mem *y, const mmli_mem *a, const mmli_mem *b, size_t n)
{
    return map(dv, y, y, a, b, n, add_product());
}

mml_status cuda_axpy(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float alpha)
{
    return map(dv, y, y, x, n, add_multiple{alpha});
}

mml_status cuda_scale(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, float alpha)
{
    return map(dv, y, x, n, put_multiple{alpha});
}

mml_status cuda_act(mmli_device *dv, mmli_mem *y, const mmli_mem *x, size_t n, mmli_act kind)
{
    return map(dv, y, x, n, put_act{kind});
}

mml_status cuda_act_grad(mmli_device *dv, mmli_mem *dx, const mmli_mem *y, const mmli_mem *dy, size_t n, mmli_act kind,
                         bool add)
{
    return add ? map(dv, dx, y, dy, dx, n, add_act_grad{kind}) : map(dv, dx, y, dy, n, put_act_grad{kind});
}

mml_status cuda_gate(mmli_device *dv, mmli_mem *y, const mmli_mem *z, size_t rows, size_t f, mmli_gate kind)
{
    return cells(dv, rows, f, put_gate{dev_f(y), dev_f(z), f, kind});
}

mml_status cuda_gate_grad(mmli_device *dv, mmli_mem *dz, const mmli_mem *z, const mmli_mem *dy, size_t rows, size_t f,
                          mmli_gate kind, bool add)
{
    return cells(dv, rows, f, put_gate_grad{dev_f(dz), dev_f(z), dev_f(dy), f, kind, add});
}
