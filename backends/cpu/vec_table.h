/* vec_table.h - all bodies for one instruction set, and their table. The including file sets W,
 * VEC_TABLE and VEC_NAME, and switches the instruction set on. */
#include "backends/cpu/vec_simd.h"
/* the order matters */
#include "backends/cpu/vec_math.h"
#include "backends/cpu/vec_elements.h"
#include "backends/cpu/vec_random.h"
#include "backends/cpu/vec_rows.h"
#include "backends/cpu/vec_gemm.h"
#include "backends/cpu/vec_dots.h"
#include "backends/cpu/vec_layernorm.h"
#include "backends/cpu/vec_attention.h"
#include "backends/cpu/vec_feed_forward.h"

const mmli_vec VEC_TABLE = {
    .name = VEC_NAME,
    .math = VMATH_NAME,
    .fill = el_fill,
    .add = el_add,
    .mul = el_mul,
    .mul_add = el_mul_add,
    .axpy = el_axpy,
    .scale = el_scale,
    .act = el_act,
    .act_grad = el_act_grad,
    .dropout = el_dropout,
    .dropout_grad = el_dropout_grad,
    .magnitude = el_magnitude,
    .phase = el_phase,
    .unit = el_unit,
    .from_polar = el_from_polar,
    .recip = el_recip,
    .l1_grad = el_l1_grad,
    .adamw = el_adamw,
    .gate = el_gate,
    .gate_grad = el_gate_grad,
    .sum = rows_sum,
    .sum_squares = rows_sum_squares,
    .dot = rows_dot,
    .dot4 = rows_dot4,
    .dots = rows_dots,
    .max = rows_max,
    .exp_sum = rows_exp_sum,
    .col_acc = rows_col_acc,
    .col_acc_dot = rows_col_acc_dot,
    .put_acc = rows_put_acc,
    .mm = mm,
#if W >= 8
    .mm_dots = mm_dots,
#endif
    .ln_rows = ln_rows,
    .ln_grad_rows = ln_grad_rows,
    .ff_gate = ff_gate,
    .ff_gate_grad = ff_gate_grad,
    .attn_softmax = attn_softmax,
    .attn_grad = attn_grad,
    .attn_scale = attn_scale,
    .transpose = attn_transpose,
};
