/* Plots: ticks, gaps, marks for data, legends, charts, numbers in any locale. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/svg.h"
#include "tests/support/mmlt.h"
#include "tests/unit/markup_check.h"
#include "util/alloc.h"

static void take(char **text, mmli_markup *m)
{
    mmlt_assert_ok(mmli_markup_take(m, text));
    mmlt_assert_well_formed(*text);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------------- */

static void put_all_numbers(mmli_markup *m)
{
    mmli_put_number(m, -0.0004, 3);
    mmli_put(m, "|");
    mmli_put_number(m, -1.25, 1);
    mmli_put(m, "|");
    mmli_put_number(m, (double)NAN, 2);
    mmli_put(m, "|");
    mmli_put_number(m, 1e300, 2);
    mmli_put(m, "|");
    mmli_put_px(m, -12.34);
    mmli_put(m, "|");
    mmli_put_px(m, 99.96);
    mmli_put(m, "|");
    mmli_put_count(m, -1234567);
    mmli_put(m, "|");
    mmli_put_seconds(m, 0.1234);
    mmli_put(m, "|");
    mmli_put_seconds(m, 3599.4);
    mmli_put(m, "|");
    mmli_put_seconds(m, 7500);
    mmli_put(m, "|");
    mmli_put_bytes(m, 999.6);
    mmli_put(m, "|");
    mmli_put_bytes(m, 2.5e9);
}

START_TEST(numbers_are_written_the_same_in_any_locale)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};

    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        mmli_markup m = {0};
        char *text;

        if (setlocale(LC_ALL, locales[i]) == NULL)
            continue; /* not installed */
        put_all_numbers(&m);
        take(&text, &m);
        ck_assert_str_eq(text, "0.000|\xe2\x88\x92" "1.3|\xe2\x80\x93|1e+300|-12.3|100|\xe2\x88\x92" "1\xe2\x80\xaf" "234\xe2\x80\xaf" "567|0.12 s|59 min 59 s|"
                               "2 h 05 min|1.00 kB|2.50 GB");
        mmli_free(text);
    }
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(a_clipped_text_has_as_many_characters_as_it_may_and_no_half_ones)
{
    mmli_markup m = {0};
    char *text;

    mmli_put_clipped(&m, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3);
    mmli_put(&m, "|");
    mmli_put_clipped(&m, "\xc3\xa4\xc3\xb6\xc3\xbc", 3);
    mmli_put(&m, "|");
    mmli_put_text(&m, "broken \xff\xc3");
    take(&text, &m);
    ck_assert_str_eq(text, "\xc3\xa4\xc3\xb6\xe2\x80\xa6|\xc3\xa4\xc3\xb6\xc3\xbc|broken \xef\xbf\xbd\xef\xbf\xbd");
    mmli_free(text);
}
END_TEST

/* ---- axes ------------------------------------------------------------------------------------------------------------- */

START_TEST(ticks_are_round_numbers_inside_the_range)
{
    static const struct {
        mmli_range range;
        bool logarithmic;
        size_t most;
        const char *want;
    } cases[] = {
        {{0, 1}, false, 5, "0 0.2 0.4 0.6 0.8 1"},
        {{0.613, 0.871}, false, 5, "0.65 0.7 0.75 0.8 0.85"},
        {{-3, 12}, false, 4, "0 5 10"},
        {{0, 143}, false, 5, "0 50 100"},
        {{0.3, 120}, true, 6, "0.3 1 3 10 30 100"},
        {{0.3, 120}, true, 12, "0.5 1 2 5 10 20 50 100"},
        {{1, 1e9}, true, 5, "1 100 10000 1e+06 1e+08"},
        {{1e-300, 1e-299}, false, 5, ""},
        {{5, 5}, false, 5, ""},
        {{-1, 10}, true, 5, ""},
        {{1e15, 1e15 + 0.001}, false, 5, ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double at[MMLI_MOST_TICKS];
        char text[400] = "";
        int digits;
        const size_t n = mmli_ticks(at, &digits, cases[i].range, cases[i].logarithmic, cases[i].most);

        for (size_t k = 0; k < n; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.6g", k > 0 ? " " : "", at[k]);
        ck_assert_msg(strcmp(text, cases[i].want) == 0, "%g to %g: %s, not %s", cases[i].range.low, cases[i].range.high, text, cases[i].want);
    }
}
END_TEST

START_TEST(any_range_has_few_ticks_in_ascending_order_inside_it)
{
    for (int low = -20; low <= 20; low++)
        for (int width = -8; width <= 20; width++)
            for (size_t most = 2; most <= 12; most++) {
                const mmli_range r = {low * 1.37, low * 1.37 + 3.3 * pow(10, width)};
                double at[MMLI_MOST_TICKS];
                int digits;
                const size_t n = mmli_ticks(at, &digits, r, false, most);

                ck_assert_uint_le(n, most + 1);
                ck_assert_uint_ge(n, 1);
                for (size_t i = 0; i < n; i++) {
                    ck_assert(at[i] >= r.low - 1e-6 * (r.high - r.low) && at[i] <= r.high + 1e-6 * (r.high - r.low));
                    ck_assert(i == 0 || at[i] > at[i - 1]);
                }
            }
}
END_TEST

START_TEST(a_range_leaves_out_what_is_no_number)
{
    const double x[] = {(double)NAN, 3, (double)INFINITY, -1, 1e200};
    mmli_range r = MMLI_NOTHING, padded;

    ck_assert(mmli_range_empty(&r));
    mmli_range_add_all(&r, x, 5);
    ck_assert_double_eq(r.low, -1);
    ck_assert_double_eq(r.high, 3);
    padded = mmli_range_padded(r, 0.25);
    ck_assert_double_eq(padded.low, -2);
    ck_assert_double_eq(padded.high, 4);
    padded = mmli_range_padded((mmli_range){7, 7}, 0.1);
    ck_assert(padded.low < 7 && padded.high > 7);
    padded = mmli_range_padded(MMLI_NOTHING, 0.1);
    ck_assert(padded.low == 0 && padded.high == 1);
}
END_TEST

/* ---- marks ------------------------------------------------------------------------------------------------------------ */

static const mmli_figure plain = {.title = "T", .width = 400, .height = 200, .x = {.range = {0, 10}}, .y = {.range = {0, 1}}};

START_TEST(a_gap_divides_a_line_and_a_band_and_is_never_0)
{
    const double x[] = {0, 1, 2, 3, 4, 5, 6}, y[] = {0.5, 0.6, (double)NAN, 0.7, (double)NAN, 0.8, 0.9}, low[] = {0, 0, 0, 0, 0, 0, 0};
    mmli_markup m = {0};
    mmli_plot p;
    char *text;

    mmli_plot_begin(&p, &m, &plain);
    mmli_plot_line(&p, x, y, 7, 0);
    mmli_plot_band(&p, x, low, y, 7, 0);
    mmli_plot_point(&p, (double)NAN, 0.5, 0, "nowhere");
    mmli_plot_interval(&p, 1, (double)NAN, 0.5, 0);
    mmli_plot_box(&p, 0, 0, (double)NAN, 1, 0, NULL);
    mmli_plot_vertical(&p, (double)INFINITY);
    mmli_plot_end(&p);
    take(&text, &m);
    ck_assert_uint_eq(mmlt_count(text, "class=\"ln "), 1);
    ck_assert_uint_eq(mmlt_count_between(text, "class=\"ln k0\" d=", "/>", "M"), 3);
    ck_assert_uint_eq(mmlt_count_between(text, "class=\"ln k0\" d=", "/>", "L"), 2);
    ck_assert_uint_eq(mmlt_count(text, "class=\"dt "), 1); /* the value between two gaps */
    ck_assert_uint_eq(mmlt_count(text, "class=\"bd "), 2);
    ck_assert_uint_eq(mmlt_count(text, "class=\"pt "), 0);
    ck_assert_uint_eq(mmlt_count(text, "<rect"), 0);
    ck_assert_uint_eq(mmlt_count(text, "class=\"r\""), 0);
    mmli_free(text);
}
END_TEST

START_TEST(steps_keep_a_value_until_the_next)
{
    const double x[] = {0, 5, 10}, y[] = {1, 0.5, 0};
    mmli_figure f = plain;
    mmli_markup m = {0};
    mmli_plot p;
    char wanted[120], *text;

    mmli_plot_begin(&p, &m, &f);
    mmli_plot_steps(&p, x, y, 3, 0);
    mmli_plot_end(&p);
    /* All of these are whole numbers of pixels. */
    snprintf(wanted, sizeof wanted, "d=\"M%.0f %.0fL%.0f %.0fL%.0f %.0fL%.0f %.0fL%.0f %.0f\"", p.left, p.top, (p.left + p.right) / 2, p.top,
             (p.left + p.right) / 2, (p.top + p.bottom) / 2, p.right, (p.top + p.bottom) / 2, p.right, p.bottom);
    take(&text, &m);
    ck_assert_ptr_nonnull(strstr(text, wanted));
    mmli_free(text);
}
END_TEST

/* ---- legends ---------------------------------------------------------------------------------------------------------- */

START_TEST(entries_of_a_legend_do_not_overlap)
{
    static const char *const names[] = {"a", "LegoFuse (stack)", "a name that is much longer than any name of a system should be, and goes on",
                                        "SNN", "Perceiver, early concatenation", "b", "MultiModN", "HEALNet", "late fusion"};
    enum { N = sizeof names / sizeof *names };
    mmli_key keys[N];
    mmli_markup m = {0};
    mmli_figure f = plain;
    mmli_plot p;
    double last_x = 0, last_y = 0, last_width = 0;
    char *text, *at;

    for (size_t i = 0; i < N; i++)
        keys[i] = (mmli_key){names[i], (int)i, MMLI_SIGN_LINE};
    f.keys = keys;
    f.n_keys = N;
    mmli_plot_begin(&p, &m, &f);
    mmli_plot_end(&p);
    take(&text, &m);
    ck_assert_uint_eq(mmlt_count(text, "<g class=\"key\">"), N);
    at = strstr(text, "<g class=\"key\">");
    for (size_t i = 0; i < N; i++) { /* the text after each sign */
        double x, y;

        at = strstr(at, "<text");
        x = strtod(strstr(at, " x=\"") + 4, NULL);
        y = strtod(strstr(at, " y=\"") + 4, NULL);
        ck_assert_msg(y > last_y + 12 || (y == last_y && x - 28 >= last_x + last_width), "%s: %g %g after %g %g", names[i], x, y, last_x, last_y);
        last_x = x;
        last_y = y;
        last_width = 6.6 * (double)(strlen(names[i]) < 48 ? strlen(names[i]) : 48); /* as wide as DejaVu Sans is on average */
        ck_assert_double_le(y, p.total);
        at++;
    }
    mmli_free(text);
}
END_TEST

/* ---- charts ----------------------------------------------------------------------------------------------------------- */

START_TEST(a_heat_map_has_a_cell_for_every_value)
{
    static const char *const rows[] = {"HR", "a <b>", "pH"};
    const double value[] = {1, 2, (double)NAN, 4, -5, 6, 7, (double)NAN, 9}, at[] = {0, 1, 4};
    mmli_heat_map map = {.figure = {.title = "H", .width = 400, .standalone = true}, .row_names = rows, .rows = 3, .cols = 3, .at = at,
                         .value = value, .colours = MMLI_COLOURS_DIVERGING, .value_title = "attribution"};
    mmli_markup m = {0};
    char *text;

    mmli_svg_heat_map(&m, &map);
    take(&text, &m);
    ck_assert_uint_eq(mmlt_count(text, "<rect class=\"cell\""), 7);
    ck_assert_ptr_nonnull(strstr(text, "xmlns=\"http://www.w3.org/2000/svg\""));
    ck_assert_ptr_nonnull(strstr(text, "<style>"));
    ck_assert_ptr_nonnull(strstr(text, "<title>a &lt;b&gt;: "));
    mmli_free(text);
}
END_TEST

START_TEST(patches_are_squares_at_their_places_and_very_many_are_averaged)
{
    enum { SIDE = 10500, N = 2 * SIDE }; /* two long rows */
    double *x, *y, *value;
    mmli_patch_map map = {.figure = {.title = "P", .width = 400}, .value_title = "attention"};
    mmli_markup m = {0};
    char *text;
    size_t drawn;

    mmlt_assert_ok(mmli_calloc(&x, N, sizeof *x));
    mmlt_assert_ok(mmli_calloc(&y, N, sizeof *y));
    mmlt_assert_ok(mmli_calloc(&value, N, sizeof *value));
    for (size_t i = 0; i < N; i++) {
        x[i] = 256.0 * (double)(i % SIDE);
        y[i] = 256.0 * (double)(i / SIDE);
        value[i] = (double)i;
    }
    map.x = x;
    map.y = y;
    map.value = value;
    map.n = 1000;
    value[7] = (double)NAN;
    mmli_svg_patch_map(&m, &map);
    take(&text, &m);
    ck_assert_uint_eq(mmlt_count(text, "<rect class=\"cell\""), 999);
    mmli_free(text);
    map.n = N;
    mmli_svg_patch_map(&m, &map);
    take(&text, &m);
    drawn = mmlt_count(text, "<rect class=\"cell\"");
    ck_assert_uint_ge(drawn, 199); /* 200 cells along the longer side, and both rows in one */
    ck_assert_uint_le(drawn, 201);
    mmli_free(text);
    map.n = 1; /* one alone has no neighbours to tell its size */
    mmli_svg_patch_map(&m, &map);
    take(&text, &m);
    ck_assert_uint_eq(mmlt_count(text, "<rect class=\"cell\""), 1);
    mmli_free(text);
    map.n = 0;
    mmli_svg_patch_map(&m, &map);
    take(&text, &m);
    ck_assert_str_eq(text, "");
    mmli_free(text);
    mmli_free(x);
    mmli_free(y);
    mmli_free(value);
}
END_TEST

START_TEST(a_bar_begins_at_0_and_is_as_long_as_its_value)
{
    static const char *const names[] = {"a", "b", "none"};
    const double value[] = {4, -2, (double)NAN}, low[] = {3, -3, (double)NAN}, high[] = {5, -1, (double)NAN};
    mmli_bar_chart chart = {.figure = {.title = "B", .width = 400, .x = {.title = "share"}}, .names = names, .value = value, .low = low,
                            .high = high, .n = 3};
    mmli_markup m = {0};
    double width[2];
    char *text, *at;

    mmli_svg_bar_chart(&m, &chart);
    take(&text, &m);
    ck_assert_uint_eq(mmlt_count(text, "<rect class=\"br "), 2);
    ck_assert_uint_eq(mmlt_count(text, "class=\"ln k6\""), 2);
    at = text;
    for (int i = 0; i < 2; i++) {
        at = strstr(at, "<rect class=\"br ") + 1;
        width[i] = strtod(strstr(at, "width=\"") + 7, NULL);
    }
    ck_assert_double_eq_tol(width[0], 2 * width[1], 0.31); /* coordinates are tenths of a pixel */
    ck_assert_ptr_nonnull(strstr(text, ">share<"));
    mmli_free(text);
}
END_TEST

START_TEST(colours_run_from_end_to_end_and_diverging_ones_from_0)
{
    char a[8], b[8], c[8];
    const mmli_range r = {-1, 4};

    mmli_colour_of(a, -1, r, MMLI_COLOURS_SEQUENTIAL);
    mmli_colour_of(b, -99, r, MMLI_COLOURS_SEQUENTIAL);
    mmli_colour_of(c, 4, r, MMLI_COLOURS_SEQUENTIAL);
    ck_assert_str_eq(a, b);
    ck_assert_str_eq(a, "#231454");
    ck_assert_str_eq(c, "#fae63c");
    mmli_colour_of(a, 0, r, MMLI_COLOURS_DIVERGING);
    ck_assert_str_eq(a, "#f3f3f0");
    mmli_colour_of(a, 4, r, MMLI_COLOURS_DIVERGING);
    mmli_colour_of(b, -4, r, MMLI_COLOURS_DIVERGING);
    ck_assert_str_eq(a, "#962d0a");
    ck_assert_str_eq(b, "#054b8c");
    mmli_colour_of(a, 1, (mmli_range){1, 1}, MMLI_COLOURS_SEQUENTIAL); /* all values equal */
    ck_assert_uint_eq(strlen(a), 7);
}
END_TEST

/* ---- colours ---------------------------------------------------------------------------------------------------------- */

static double linear(unsigned byte)
{
    const double c = byte / 255.0;

    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* CIELAB of what is seen of a colour with kind of sight k: none missing, or the long, middle or short cones (Machado et al., 2009). */
static void seen(double lab[3], unsigned rgb, int k)
{
    static const double sight[4][3][3] = {
        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
        {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
        {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
        {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};
    static const double xyz[3][3] = {{0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}};
    static const double white[3] = {0.9505, 1.0, 1.089};
    const double given[3] = {linear(rgb >> 16 & 255), linear(rgb >> 8 & 255), linear(rgb & 255)};
    double r[3], f[3];

    for (int i = 0; i < 3; i++)
        r[i] = fmin(fmax(sight[k][i][0] * given[0] + sight[k][i][1] * given[1] + sight[k][i][2] * given[2], 0.0), 1.0);
    for (int i = 0; i < 3; i++) {
        const double t = (xyz[i][0] * r[0] + xyz[i][1] * r[1] + xyz[i][2] * r[2]) / white[i];

        f[i] = t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116.0;
    }
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

START_TEST(any_two_colours_are_told_apart_by_everybody_on_paper_and_on_screens)
{
    mmli_markup m = {0};
    unsigned colour[2][MMLI_COLOURS];
    char *css, *at;

    mmli_svg_style(&m);
    mmlt_assert_ok(mmli_markup_take(&m, &css));
    at = css;
    for (int dark = 0; dark < 2; dark++)
        for (int i = 0; i < MMLI_COLOURS; i++) {
            char rule[32];

            snprintf(rule, sizeof rule, ".br.k%d{fill:#", i);
            at = strstr(at, rule);
            ck_assert_ptr_nonnull(at);
            colour[dark][i] = (unsigned)strtoul(at + strlen(rule), NULL, 16);
        }
    mmli_free(css);
    for (int dark = 0; dark < 2; dark++)
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < MMLI_COLOURS; i++)
                for (int j = 0; j < i; j++) {
                    double a[3], b[3];

                    seen(a, colour[dark][i], k);
                    seen(b, colour[dark][j], k);
                    ck_assert_msg(hypot(hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]) > 10, "%s, sight %d: colours %d and %d",
                                  dark ? "dark" : "light", k, i, j);
                }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("svg");
    TCase *tc = tcase_create("plots");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, numbers_are_written_the_same_in_any_locale);
    tcase_add_test(tc, a_clipped_text_has_as_many_characters_as_it_may_and_no_half_ones);
    tcase_add_test(tc, ticks_are_round_numbers_inside_the_range);
    tcase_add_test(tc, any_range_has_few_ticks_in_ascending_order_inside_it);
    tcase_add_test(tc, a_range_leaves_out_what_is_no_number);
    tcase_add_test(tc, a_gap_divides_a_line_and_a_band_and_is_never_0);
    tcase_add_test(tc, steps_keep_a_value_until_the_next);
    tcase_add_test(tc, entries_of_a_legend_do_not_overlap);
    tcase_add_test(tc, a_heat_map_has_a_cell_for_every_value);
    tcase_add_test(tc, patches_are_squares_at_their_places_and_very_many_are_averaged);
    tcase_add_test(tc, a_bar_begins_at_0_and_is_as_long_as_its_value);
    tcase_add_test(tc, any_two_colours_are_told_apart_by_everybody_on_paper_and_on_screens);
    tcase_add_test(tc, colours_run_from_end_to_end_and_diverging_ones_from_0);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
