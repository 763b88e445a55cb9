/* Numbers from and to text, missing cells, suggestions, lists, the growing buffer, sorting. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/rng.h"
#include "util/sort.h"
#include "util/text.h"

static bool parse(double *x, const char *text)
{
    return mmli_parse_double(x, text, strlen(text));
}

START_TEST(numbers_of_the_formats_are_read)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"1", 1},           {"1.0", 1},       {"1e-05", 1e-5},      {"1E+5", 1e5},    {".5", 0.5},
                {"5.", 5},          {"+3.25", 3.25},  {" 7\t", 7},          {"7\r\n", 7},     {"36893", 36893},
                {"inf", HUGE_VAL},  {"-Inf", -HUGE_VAL}, {"+INFINITY", HUGE_VAL}, {"0.1", 0.1},
                {"1e22", 1e22},     {"1e23", 1e23},   {"8.5e-324", 8.5e-324}, {"1e-400", 0},
                {"1.7976931348623157e308", 1.7976931348623157e308}, {"00012", 12},
                {"9007199254740993", 9007199254740992.0}, /* 2^53 + 1: half way, to even */
                {"123456789012345678901234567890", 123456789012345678901234567890.0},
                {"0.000000000000000000000000000000000000000000001", 1e-45}};
    double x = 0;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(parse(&x, good[i].text), "%s", good[i].text);
        ck_assert_msg(x == good[i].value, "%s gave %.17g", good[i].text, x);
    }
    ck_assert(parse(&x, "-0.0"));
    ck_assert(x == 0 && signbit(x));
}
END_TEST

START_TEST(what_is_not_a_number_is_refused_and_nothing_is_written)
{
    static const char *const bad[] = {"",     " ",    "-",     "+",     ".",     "e5",     "1e",      "1e+",   "0x10",
                                      "1,5",  "1 000", "1.2.3", "--1",  "+-1",   "nan",    "NaN",     "-nan",  "12abc",
                                      "1e999", "-1e999", "infinit", "- 1", "1_000", "\xef\xbc\x91", "1d5", "inf inity"};
    double x = 42;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!parse(&x, bad[i]), "%s", bad[i]);
    ck_assert(!mmli_parse_double(&x, "1\0002", 3)); /* a NUL in the middle of a cell */
    ck_assert_double_eq(x, 42);
}
END_TEST

START_TEST(only_the_bytes_given_are_looked_at)
{
    double x = 0;

    ck_assert(mmli_parse_double(&x, "12.5,7", 4));
    ck_assert_double_eq(x, 12.5);
}
END_TEST

START_TEST(every_double_is_read_as_strtod_reads_it)
{
    char text[64];
    uint32_t w[4];
    double x, want, got;

    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits;

        mmli_philox(w, 11, i);
        bits = (uint64_t)w[0] << 32 | w[1];
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x) || i % 2 == 0) /* half: numbers as tables have them, 3 to 17 digits near 1 */
            x = ldexp((double)w[2] / 4294967296.0, (int)(w[3] % 40) - 20);
        snprintf(text, sizeof text, "%.*g", (int)(w[3] % 15) + 3, x);
        want = strtod(text, NULL);
        if (isinf(want)) /* rounded to fewer digits, it passes the largest double */
            continue;
        ck_assert_msg(parse(&got, text) && got == want, "%s: %.17g, not %.17g", text, got, want);
    }
}
END_TEST

/* 1 to 21 digits, a point between, before or behind any two of them: what fits 64 bits, 2^53, and what does not. */
START_TEST(plain_decimals_are_read_as_strtod_reads_them)
{
    for (uint64_t i = 0; i < 100000; i++) {
        const uint64_t key = mmli_rng_key(12, "decimal", i);
        const size_t digits = 1 + (size_t)mmli_rng_below(key, 0, 21), point = (size_t)mmli_rng_below(key, 1, digits + 2);
        char text[32], *p = text;
        double want, got = 42;

        if (mmli_rng_below(key, 2, 3) == 0)
            *p++ = '-';
        for (size_t k = 0; k < digits; k++) {
            if (k == point)
                *p++ = '.';
            *p++ = (char)('0' + mmli_rng_below(key, 3 + k, i % 4 == 0 ? 2 : 10));
        }
        if (point == digits)
            *p++ = '.';
        *p = '\0';
        want = strtod(text, NULL);
        ck_assert_msg(parse(&got, text) && memcmp(&got, &want, sizeof got) == 0, "%s: %.17g, not %.17g", text, got, want);
    }
}
END_TEST

START_TEST(very_long_numbers_are_read_to_the_last_digit)
{
    /* 1 + 2^-53 exactly, half way to the next double, and then a 1 far behind: rounds up. */
    char text[900] = "1.00000000000000011102230246251565404236316680908203125";
    double x = 0;

    ck_assert(parse(&x, text));
    ck_assert_double_eq(x, 1.0);
    memset(text + strlen(text), '0', 800);
    text[855] = '1';
    text[856] = '\0';
    ck_assert(parse(&x, text));
    ck_assert_double_eq(x, 1.0 + 0x1p-52);
}
END_TEST

/* A locale with a decimal comma, or NULL: minimal systems have none. */
static const char *comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8", "ps_AF"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) != NULL && strcmp(localeconv()->decimal_point, ".") != 0)
            return names[i];
    setlocale(LC_ALL, "C");
    return NULL;
}

START_TEST(a_decimal_comma_of_the_host_changes_nothing)
{
    const char *name = comma_locale();
    char text[MMLI_NUMBER_BYTES];
    double x = 0;

    if (name == NULL)
        printf("a_decimal_comma_of_the_host_changes_nothing: SKIPPED, no locale with a decimal comma is installed\n");
    ck_assert(parse(&x, "0.5") && x == 0.5);
    ck_assert(parse(&x, "1.2345678901234567890123e-05") && x == 1.2345678901234567890123e-05);
    ck_assert(!parse(&x, "0,5"));
    ck_assert_str_eq(mmli_format_double(text, -1.25e-7), "-1.25e-07");
    ck_assert_str_eq(mmli_format_float(text, 0.1f), "0.1");
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(floats_are_refused_when_they_overflow)
{
    float x = 3;

    ck_assert(!mmli_parse_float(&x, "1e39", 4));
    ck_assert_float_eq(x, 3);
    ck_assert(mmli_parse_float(&x, "3.4028234e38", 12));
    ck_assert(mmli_parse_float(&x, "-inf", 4) && isinf(x) && x < 0);
    ck_assert(mmli_parse_float(&x, "0.1", 3));
    ck_assert_float_eq(x, 0.1f);
}
END_TEST

START_TEST(whole_numbers_have_limits)
{
    uint64_t u = 7;
    size_t s = 7;
    int64_t i = 7;

    ck_assert(mmli_parse_uint64(&u, "18446744073709551615", 20, UINT64_MAX) && u == UINT64_MAX);
    ck_assert(!mmli_parse_uint64(&u, "18446744073709551616", 20, UINT64_MAX));
    ck_assert(!mmli_parse_uint64(&u, "99999999999999999999", 20, UINT64_MAX));
    ck_assert(mmli_parse_uint64(&u, " 64 ", 4, 64) && u == 64);
    ck_assert(!mmli_parse_uint64(&u, "65", 2, 64));
    ck_assert(!mmli_parse_uint64(&u, "", 0, 64) && !mmli_parse_uint64(&u, "-1", 2, 64));
    ck_assert(!mmli_parse_uint64(&u, "+1", 2, 64) && !mmli_parse_uint64(&u, "1.0", 3, 64));
    ck_assert(!mmli_parse_uint64(&u, "1 2", 3, 64) && u == 64);
    ck_assert(mmli_parse_size(&s, "0", 1, 10) && s == 0);
    ck_assert(!mmli_parse_size(&s, "11", 2, 10) && s == 0);
    ck_assert(mmli_parse_int64(&i, "-9223372036854775808", 20, INT64_MIN, INT64_MAX) && i == INT64_MIN);
    ck_assert(mmli_parse_int64(&i, "+9223372036854775807", 20, INT64_MIN, INT64_MAX) && i == INT64_MAX);
    ck_assert(!mmli_parse_int64(&i, "9223372036854775808", 19, INT64_MIN, INT64_MAX));
    ck_assert(!mmli_parse_int64(&i, "-9223372036854775809", 20, INT64_MIN, INT64_MAX));
    ck_assert(mmli_parse_int64(&i, "-0", 2, -1, 1) && i == 0);
    ck_assert(!mmli_parse_int64(&i, "-2", 2, -1, 1) && !mmli_parse_int64(&i, "- 1", 3, -1, 1));
    ck_assert(!mmli_parse_int64(&i, "-", 1, -1, 1) && !mmli_parse_int64(&i, "", 0, -1, 1) && i == 0);
}
END_TEST

START_TEST(flags_are_read_in_every_spelling_of_the_tables)
{
    static const char *const yes[] = {"1", "1.0", "True", "TRUE", "yes", "on"};
    static const char *const no[] = {"0", "0.0", "False", "FALSE", "no", "Off"};
    static const char *const neither[] = {"", "2", "-1", "t", "truee", "10", "nan"};
    bool b = false;

    for (size_t i = 0; i < 6; i++) {
        ck_assert(mmli_parse_bool(&b, yes[i], strlen(yes[i])) && b);
        ck_assert(mmli_parse_bool(&b, no[i], strlen(no[i])) && !b);
    }
    for (size_t i = 0; i < sizeof neither / sizeof *neither; i++)
        ck_assert(!mmli_parse_bool(&b, neither[i], strlen(neither[i])));
}
END_TEST

START_TEST(missing_cells_are_recognised_and_values_are_not)
{
    static const char *const missing[] = {"", "  ", "\t", "NA", "NaN", "nan", "N/A", "NULL", "null", "None", "<NA>", "#N/A",
                                          "-NaN", "1.#QNAN", " NA ", "[Not Available]", "[Not Applicable]"};
    static const char *const values[] = {"0", "na", "Na", "none", "NAN", "N", "-1", "unknown", "NA1", "inf",
                                         "[Not Available] at all"};

    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        ck_assert_msg(mmli_is_missing(missing[i], strlen(missing[i])), "%s", missing[i]);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        ck_assert_msg(!mmli_is_missing(values[i], strlen(values[i])), "%s", values[i]);
    ck_assert(mmli_is_missing(NULL, 0));
}
END_TEST

START_TEST(numbers_are_written_short_and_read_back_the_same)
{
    static const struct {
        double x;
        const char *text;
    } known[] = {{0.1, "0.1"},   {1, "1"},         {-0.0, "-0"},          {1e-5, "1e-05"}, {1e100, "1e+100"},
                 {NAN, "nan"},   {HUGE_VAL, "inf"}, {-HUGE_VAL, "-inf"}, {0.84375, "0.84375"},
                 {1.0 / 3, "0.3333333333333333"}};
    char text[MMLI_NUMBER_BYTES];
    uint32_t w[4];
    double x, back = 0;
    float f, fback = 0;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ck_assert_str_eq(mmli_format_double(text, known[i].x), known[i].text);
    ck_assert_str_eq(mmli_format_float(text, 0.3f), "0.3");
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t bits;

        mmli_philox(w, 12, i);
        bits = (uint64_t)w[0] << 32 | w[1];
        memcpy(&x, &bits, sizeof x);
        memcpy(&f, &w[2], sizeof f);
        if (isfinite(x)) {
            mmli_format_double(text, x);
            ck_assert_msg(parse(&back, text) && back == x, "%s is not %.17g", text, x);
        }
        if (isfinite(f)) {
            mmli_format_float(text, f);
            ck_assert_msg(mmli_parse_float(&fback, text, strlen(text)) && fback == f, "%s is not %.9g", text, (double)f);
        }
    }
}
END_TEST

START_TEST(the_nearest_name_is_suggested)
{
    static const char *const names[] = {"rnaseq", "cnv", "mut", "clinical", "series_summary", NULL, "series"};
    static const struct {
        const char *name, *want;
    } asked[] = {{"rna_seq", "rnaseq"}, {"RNASEQ", "rnaseq"},     {"cvn", "cnv"},  {"clincal", "clinical"},
                 {"seires", "series"},  {"series-sumary", "series_summary"}, {"mutt", "mut"}, {"cnv", "cnv"},
                 {"protein", NULL},     {"xyz", NULL},            {"", NULL},      {"m", NULL}};

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const char *got = mmli_nearest(asked[i].name, names, sizeof names / sizeof *names);

        ck_assert_msg((got == NULL) == (asked[i].want == NULL) && (got == NULL || strcmp(got, asked[i].want) == 0),
                      "%s gave %s", asked[i].name, got == NULL ? "nothing" : got);
    }
    ck_assert_ptr_null(mmli_nearest("a", NULL, 0));
}
END_TEST

START_TEST(names_of_any_length_are_safe_to_compare)
{
    char longest[128], longer[129];
    const char *names[2] = {longest, longer};

    memset(longest, 'g', 127);
    longest[127] = '\0';
    memset(longer, 'g', 128);
    longer[128] = '\0';
    ck_assert_ptr_eq(mmli_nearest(longest, names, 2), longest);
    ck_assert_ptr_null(mmli_nearest(longer, names, 2));
}
END_TEST

START_TEST(a_list_of_names_fits_a_message)
{
    const char *many[1000], *const three[] = {"a", "b", "c"}, *const none[] = {NULL};
    char out[MMLI_LIST_BYTES], giant[2000];

    ck_assert_str_eq(mmli_list(out, three, 3), "a, b, c");
    ck_assert_str_eq(mmli_list(out, three, 1), "a");
    ck_assert_str_eq(mmli_list(out, none, 0), "(none)");
    for (size_t i = 0; i < 1000; i++)
        many[i] = "TP53_rnaseq";
    ck_assert_uint_lt(strlen(mmli_list(out, many, 1000)), MMLI_LIST_BYTES);
    ck_assert_str_eq(out + strlen(out) - strlen(", TP53_rnaseq, ... (964 more)"), ", TP53_rnaseq, ... (964 more)");
    memset(giant, 'x', sizeof giant - 1);
    giant[sizeof giant - 1] = '\0';
    many[0] = giant;
    ck_assert_str_eq(mmli_list(out, many, 2), "... (2 more)");
}
END_TEST

START_TEST(errno_has_words)
{
    char out[MMLI_ERRNO_BYTES];

    ck_assert_str_eq(mmli_errno_text(out, 2), "No such file or directory");
    ck_assert_uint_gt(strlen(mmli_errno_text(out, 99999)), 0);
}
END_TEST

START_TEST(a_buffer_grows_and_gives_its_text_away)
{
    mmli_buf b = {0};
    char *text = NULL;

    mmlt_assert_ok(mmli_buf_take(&b, &text));
    ck_assert_str_eq(text, "");
    mmli_free(text);
    mmlt_assert_ok(mmli_buf_puts(&b, "auc\t"));
    mmlt_assert_ok(mmli_buf_double(&b, 0.5));
    for (int i = 0; i < 1000; i++)
        mmlt_assert_ok(mmli_buf_printf(&b, "\t%03d", i));
    mmlt_assert_ok(mmli_buf_add(&b, "\n\0!", 3));
    ck_assert_uint_eq(b.len, 7 + 4000 + 3);
    mmlt_assert_ok(mmli_buf_take(&b, &text));
    ck_assert_ptr_null(b.text);
    ck_assert_int_eq(strncmp(text, "auc\t0.5\t000\t001", 15), 0);
    ck_assert_str_eq(text + 4003, "\t999\n");
    ck_assert_mem_eq(text + 4007, "\n\0!", 4);
    mmli_free(text);
}
END_TEST

START_TEST(a_buffer_without_memory_fails_and_stays_usable)
{
    mmli_buf b = {0};

    mmlt_assert_ok(mmli_buf_puts(&b, "kept"));
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_buf_printf(&b, "%1000s", "x"), MML_E_NOMEM, "");
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_buf_add(&b, "01234567890123456789", 20), MML_E_NOMEM, "");
    mmlt_assert_fails(mmli_buf_add(&b, "", SIZE_MAX - 2), MML_E_NOMEM, "");
    ck_assert_str_eq(b.text, "kept");
    mmlt_assert_ok(mmli_buf_puts(&b, "!"));
    ck_assert_str_eq(b.text, "kept!");
    mmli_buf_free(&b);
    mmli_buf_free(NULL);
}
END_TEST

START_TEST(argsort_orders_and_keeps_the_order_of_equals)
{
    enum { N = 5000 };
    static double key[N];
    static size_t order[N];

    for (size_t i = 0; i < N; i++)
        key[i] = (double)mmli_rng_below(77, i, 40) - 20 + (i % 3 == 0 ? -0.0 : 0.0);
    key[17] = HUGE_VAL;
    key[18] = -HUGE_VAL;
    mmlt_assert_ok(mmli_argsort(order, key, N));
    for (size_t i = 1; i < N; i++) {
        ck_assert(key[order[i - 1]] <= key[order[i]]);
        ck_assert(key[order[i - 1]] < key[order[i]] || order[i - 1] < order[i]);
    }
    mmli_alloc_fail_at(1);
    mmlt_assert_fails(mmli_argsort(order, key, N), MML_E_NOMEM, "");
    mmlt_assert_ok(mmli_argsort(order, key, 0));
    mmli_sort_doubles(key, N);
    for (size_t i = 1; i < N; i++)
        ck_assert(key[i - 1] <= key[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("text");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, numbers_of_the_formats_are_read);
    tcase_add_test(tc, what_is_not_a_number_is_refused_and_nothing_is_written);
    tcase_add_test(tc, only_the_bytes_given_are_looked_at);
    tcase_add_test(tc, every_double_is_read_as_strtod_reads_it);
    tcase_add_test(tc, plain_decimals_are_read_as_strtod_reads_them);
    tcase_add_test(tc, very_long_numbers_are_read_to_the_last_digit);
    tcase_add_test(tc, a_decimal_comma_of_the_host_changes_nothing);
    tcase_add_test(tc, floats_are_refused_when_they_overflow);
    tcase_add_test(tc, whole_numbers_have_limits);
    tcase_add_test(tc, flags_are_read_in_every_spelling_of_the_tables);
    tcase_add_test(tc, missing_cells_are_recognised_and_values_are_not);
    tcase_add_test(tc, numbers_are_written_short_and_read_back_the_same);
    tcase_add_test(tc, the_nearest_name_is_suggested);
    tcase_add_test(tc, names_of_any_length_are_safe_to_compare);
    tcase_add_test(tc, a_list_of_names_fits_a_message);
    tcase_add_test(tc, errno_has_words);
    tcase_add_test(tc, a_buffer_grows_and_gives_its_text_away);
    tcase_add_test(tc, a_buffer_without_memory_fails_and_stays_usable);
    tcase_add_test(tc, argsort_orders_and_keeps_the_order_of_equals);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
