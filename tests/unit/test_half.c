/* test_half.c - all 65536 halves there and back, and rounding at every place where it can go wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/mmlt.h"
#include "util/half.h"

enum { ALL = 65536 };

static uint16_t halves[ALL];
static float floats[ALL], plain[ALL];

static uint32_t bits_of(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

/* The value by its definition, in double. */
static double defined(unsigned h)
{
    const double sign = h & 0x8000u ? -1.0 : 1.0, fraction = (double)(h & 0x3FFu) / 1024.0;
    const int exponent = (int)(h >> 10 & 31u);

    if (exponent == 31)
        return (h & 0x3FFu) != 0 ? NAN : sign * INFINITY;
    return exponent == 0 ? sign * ldexp(fraction, -14) : sign * ldexp(1.0 + fraction, exponent - 15);
}

static void all(void)
{
    for (unsigned h = 0; h < ALL; h++)
        halves[h] = (uint16_t)h;
    mmli_half_to_float(floats, halves, ALL);
    mmli_half_to_float_plain(plain, halves, ALL);
}

START_TEST(every_half_becomes_the_float_that_it_stands_for)
{
    all();
    for (unsigned h = 0; h < ALL; h++) {
        const double want = defined(h);

        if (isnan(want)) { /* quiet, with sign and payload */
            ck_assert_uint_eq(bits_of(floats[h]), (uint32_t)(h & 0x8000u) << 16 | 0x7FC00000u | (h & 0x3FFu) << 13);
            continue;
        }
        ck_assert_msg((double)floats[h] == want && !signbit(floats[h]) == !signbit(want), "half %04x: %a, not %a", h,
                      (double)floats[h], want);
    }
}
END_TEST

START_TEST(the_instruction_and_plain_c_give_the_same_bits)
{
    all();
    mmlt_assert_same_bits(floats, plain, sizeof floats);
    for (size_t n = 0; n < 40; n++) { /* every length of the rest */
        memset(floats, 0x55, 41 * sizeof *floats);
        mmli_half_to_float(floats, halves + 1000, n);
        mmlt_assert_same_bits(floats, plain + 1000, n * sizeof *floats);
        ck_assert_uint_eq(bits_of(floats[n]), 0x55555555u);
    }
}
END_TEST

START_TEST(every_half_comes_back_from_float)
{
    uint16_t *back = calloc(ALL, sizeof *back);

    ck_assert_ptr_nonnull(back);
    all();
    mmli_half_from_float(back, floats, ALL);
    for (unsigned h = 0; h < ALL; h++) {
        const bool nan = (h & 0x7FFFu) > 0x7C00u;

        ck_assert_msg(back[h] == (nan ? (h | 0x200u) : h), "half %04x came back as %04x", h, back[h]);
    }
    free(back);
}
END_TEST

/* Between each pair of neighbours: the middle goes to the even one, a hair beside it to the nearer one. */
START_TEST(a_float_between_two_halves_becomes_the_nearer_one_and_the_even_one_in_the_middle)
{
    all();
    for (unsigned h = 0; h < 0x7C00u; h++) {
        const double low = defined(h), high = h == 0x7BFFu ? 65536.0 : defined(h + 1);
        const float middle = (float)((low + high) / 2); /* exact: a float has 13 bits more */
        const float below = of_bits(bits_of(middle) - 1), above = of_bits(bits_of(middle) + 1);
        const float in[6] = {middle, below, above, -middle, -below, -above};
        const unsigned even = h % 2 == 0 ? h : h + 1;
        uint16_t out[6];

        mmli_half_from_float(out, in, 6);
        ck_assert_msg(out[0] == even && out[1] == h && out[2] == h + 1, "after half %04x: %04x %04x %04x", h, out[0], out[1],
                      out[2]);
        ck_assert_msg(out[3] == (even | 0x8000u) && out[4] == (h | 0x8000u) && out[5] == ((h + 1) | 0x8000u),
                      "after half -%04x: %04x %04x %04x", h, out[3], out[4], out[5]);
    }
}
END_TEST

START_TEST(what_a_half_cannot_hold_becomes_infinite_or_nothing)
{
    const float in[] = {65519.996f, 65520.0f, 1e38f, INFINITY, 0x1p-25f, 0x1.000002p-25f, 1e-40f, -1e-40f};
    const uint16_t want[] = {0x7BFF, 0x7C00, 0x7C00, 0x7C00, 0, 1, 0, 0x8000};
    uint16_t out[8];

    mmli_half_from_float(out, in, 8);
    mmlt_assert_same_bits(out, want, sizeof out);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("half");
    TCase *tc = tcase_create("half");

    tcase_add_test(tc, every_half_becomes_the_float_that_it_stands_for);
    tcase_add_test(tc, the_instruction_and_plain_c_give_the_same_bits);
    tcase_add_test(tc, every_half_comes_back_from_float);
    tcase_add_test(tc, a_float_between_two_halves_becomes_the_nearer_one_and_the_even_one_in_the_middle);
    tcase_add_test(tc, what_a_half_cannot_hold_becomes_infinite_or_nothing);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
