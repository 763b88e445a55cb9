/* Lines cut by eight bytes at once: the same cells, rows, line numbers and refusals as libcsv alone, whatever the text, the pieces in
 * which it comes and the place where a piece ends. */
#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/csv.h"
#include "io/csv_cut.h"
#include "tests/support/mmlt.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/text.h"

static uint64_t key, drawn;

static void begin_drawing(uint64_t seed)
{
    key = mmli_rng_key(seed, "csv", 0);
    drawn = 0;
}

/* Below n. */
static size_t draw(size_t n)
{
    return (size_t)mmli_rng_below(key, drawn++, n);
}

/* ---- what the reader says ------------------------------------------------------------------------------------------------------ */

static mmli_buf seen; /* rows with their line, cells in brackets */

static mml_status on_header(void *user, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;

    (void)user;
    for (size_t i = 0; i < n; i++) {
        MML_CHECK(strlen(cells[i].text) == cells[i].n, MML_E_INTERNAL, "cell %zu is not %zu bytes long", i, cells[i].n);
        MML_TRY(mmli_buf_printf(&seen, "[%s]", cells[i].text));
    }
    MML_TRY(mmli_buf_puts(&seen, "\n"));
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    const mml_status st = mmli_buf_printf(&seen, "%zu ", row);

    return st == MML_OK ? on_header(user, cells, n) : st;
}

/* A text that comes in pieces of 1 to `most` bytes; the first has a whole line, in which the delimiter is found. */
typedef struct pieces {
    const char *text;
    size_t n, most;
    bool begun;
} pieces;

static mml_status next_piece(size_t *n, void *self, void *to, size_t room)
{
    pieces *p = self;

    *n = p->begun ? 0 : strcspn(p->text, "\n");
    p->begun = true;
    *n += 1 + draw(p->most);
    *n = *n < room ? *n : room;
    *n = *n < p->n ? *n : p->n;
    memcpy(to, p->text, *n);
    p->text += *n;
    p->n -= *n;
    return MML_OK;
}

/* ---- what libcsv says ----------------------------------------------------------------------------------------------------------- */

typedef struct oracle {
    mmli_buf said;
    mmli_buf row;
    size_t line, begin, cells, width;
    bool ragged;
} oracle;

static void say_cell(void *text, size_t n, void *user)
{
    oracle *o = user;

    mmlt_assert_ok(mmli_buf_puts(&o->row, "["));
    if (n > 0)
        mmlt_assert_ok(mmli_buf_add(&o->row, text, n));
    mmlt_assert_ok(mmli_buf_puts(&o->row, "]"));
    o->cells++;
}

static void say_row(int end, void *user)
{
    oracle *o = user;

    (void)end;
    if (o->width != 0 && o->cells != o->width)
        o->ragged = true;
    if (!o->ragged) {
        if (o->width != 0)
            mmlt_assert_ok(mmli_buf_printf(&o->said, "%zu ", o->begin));
        mmlt_assert_ok(mmli_buf_printf(&o->said, "%s\n", o->row.text));
    }
    o->width = o->width == 0 ? o->cells : o->width;
    o->cells = 0;
    o->row.len = 0;
    o->begin = o->line;
}

/* true: all of it is a table. Lines are handed over one by one for their numbers. */
static bool ask_libcsv(oracle *o, const char *text, size_t n, unsigned char delimiter)
{
    struct csv_parser p;
    bool fine = csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) == 0;

    *o = (oracle){.line = 1};
    csv_set_delim(&p, delimiter);
    for (size_t length; fine && n > 0 && !o->ragged; text += length, n -= length) {
        const char *end = memchr(text, '\n', n);

        length = end != NULL ? (size_t)(end - text) + 1 : n;
        if (p.pstate == 0)
            o->begin = o->line;
        fine = csv_parse(&p, text, length, say_cell, say_row, o) == length;
        o->line++;
    }
    if (fine && !o->ragged)
        fine = csv_fini(&p, say_cell, say_row, o) == 0;
    csv_free(&p);
    return fine && !o->ragged && o->width > 0;
}

static void agree(const char *text, size_t n, unsigned char delimiter, size_t most)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    pieces p = {text, n, most, false};
    oracle o;
    const bool fine = ask_libcsv(&o, text, n, delimiter);
    mml_status st;

    seen.len = 0;
    mmlt_assert_ok(mmli_buf_puts(&seen, ""));
    mmlt_assert_ok(mmli_buf_puts(&o.said, ""));
    st = mmli_csv_read_from(&(mmli_csv_input){next_piece, &p}, "t", &handler, NULL);
    ck_assert_msg(st == (fine ? MML_OK : MML_E_FORMAT), "status %d (%s), libcsv: %d, of\n%.*s", (int)st, mml_last_error(), fine, (int)n, text);
    if (seen.len != o.said.len || memcmp(seen.text, o.said.text, seen.len) != 0)
        ck_abort_msg("of\n%.*s\nlibcsv makes\n%s\nand we\n%s", (int)n, text, o.said.text, seen.text);
    mmli_buf_free(&o.said);
    mmli_buf_free(&o.row);
}

/* ---- texts ---------------------------------------------------------------------------------------------------------------------- */

static void add(mmli_buf *b, const char *text)
{
    mmlt_assert_ok(mmli_buf_puts(b, text));
}

/* A cell as it may come, now and then one that may not. */
static void add_cell(mmli_buf *b)
{
    static const char *const cells[] = {"1",      "-0.125",  "1234567.5", "abcdefgh", "",        "  ",        " x ",      "\t7\t",    "a b",
                                        "\"q\"",  "\"\"",    "\"a,b\"",   "\"\"\"\"", " \"p\" ", "\"c\"\"d\"", "\" e \"", "\"f;g\tx\"", "\xc3\xa9"};
    static const char *const odd[] = {"\"two\nlines\"", "\"l\r\nm\"", "\"n\n\n\"", "a\"b", "\"a\"b", "\"open", "\"a\" \"b\"", "\r", "x\ry"};
    const size_t k = draw(100);

    if (k < 4)
        add(b, odd[draw(sizeof odd / sizeof *odd)]);
    else
        add(b, cells[draw(sizeof cells / sizeof *cells)]);
}

static void make_table(mmli_buf *b, const char *delimiter)
{
    static const char *const ends[] = {"\n", "\n", "\n", "\r\n", "\r\r\n", "\n\n", "\n  \n", ""};
    const size_t width = 1 + draw(6), rows = 1 + draw(8);

    b->len = 0;
    add(b, "h"); /* no blank line before: the delimiter is found in it */
    for (size_t i = 1; i < width; i++) {
        add(b, delimiter);
        add(b, "h");
    }
    add(b, "\n");
    for (size_t row = 0; row < rows; row++) {
        const size_t n = draw(60) == 0 ? width + 1 : width;

        for (size_t i = 0; i < n; i++) {
            if (i > 0)
                add(b, delimiter);
            add_cell(b);
        }
        add(b, row + 1 < rows ? ends[draw(7)] : ends[draw(8)]);
    }
}

START_TEST(random_tables_are_cut_as_libcsv_cuts_them)
{
    static const char *const delimiters[] = {",", "\t", ";"};
    mmli_buf b = {0};

    begin_drawing(20);
    for (int i = 0; i < 20000; i++) {
        const char *delimiter = delimiters[i % 3];

        make_table(&b, delimiter);
        /* of one column: nothing divides cells, so a comma does */
        agree(b.text, b.len, (unsigned char)(b.text[1] == '\n' ? ',' : delimiter[0]), i % 2 == 0 ? 5 : 1000);
    }
    mmli_buf_free(&b);
}
END_TEST

START_TEST(random_bytes_are_cut_as_libcsv_cuts_them)
{
    static const char letters[] = "a1,,,\"\"\n\n\r \t;.";
    char text[64];

    begin_drawing(21);
    for (int i = 0; i < 60000; i++) {
        const size_t n = 2 + draw(sizeof text - 3);

        text[0] = ','; /* two columns: the delimiter is known */
        for (size_t k = 1; k < n; k++)
            text[k] = letters[draw(sizeof letters - 1)];
        text[n] = '\0';
        agree(text, n, ',', i % 2 == 0 ? 3 : 100);
    }
}
END_TEST

/* ---- which way ------------------------------------------------------------------------------------------------------------------ */

static void cuts(const char *text, bool want, const char *cells)
{
    mmli_csv_cut cut = {0};
    mmli_buf b = {0};
    char line[64];
    const size_t n = strlen(text);
    bool done;

    memcpy(line, text, n + 1);
    mmlt_assert_ok(mmli_csv_cut_line(&done, &cut, line, n, ','));
    ck_assert_msg(done == want, "%s", text);
    if (!done)
        ck_assert_str_eq(line, text); /* for libcsv */
    mmlt_assert_ok(mmli_buf_puts(&b, ""));
    for (size_t i = 0; done && i < cut.n; i++)
        mmlt_assert_ok(mmli_buf_printf(&b, "[%s]", cut.cells[i].text));
    ck_assert_str_eq(b.text, cells);
    mmli_buf_free(&b);
    mmli_csv_cut_free(&cut);
}

START_TEST(plain_and_quoted_lines_need_no_libcsv)
{
    cuts("1,2\n", true, "[1][2]");
    cuts("S0001,-0.125,NaN,,7\r\n", true, "[S0001][-0.125][NaN][][7]");
    cuts("\"S 1\",\"a,b\", \"c\"\"d\" ,7\n", true, "[S 1][a,b][c\"d][7]");
    cuts(",\n", true, "[][]");
    cuts("\"\"\n", true, "[]");
    cuts("\n", true, "");
    cuts(" \t\r\n", true, "");
}
END_TEST

START_TEST(what_is_unusual_is_left_to_libcsv_as_it_was)
{
    cuts("a,\"open\n", false, "");
    cuts("a\"b,c\n", false, "");
    cuts("\"a\"b,c\n", false, "");
    cuts("\"a\"\"\"b,c\n", false, "");
    cuts("a\rb,c\n", false, "");
}
END_TEST

/* ---- long lines ----------------------------------------------------------------------------------------------------------------- */

/* Lines longer than a block are kept whole; of 10 MiB libcsv gets pieces. Cells are as before. */
START_TEST(lines_of_any_length_are_cut)
{
    static const size_t widths[] = {60000, 1500000}; /* 0.4 and 10 MB */

    begin_drawing(22);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        mmli_buf b = {0};

        for (size_t row = 0; row < 3; row++) {
            for (size_t i = 0; i < widths[w]; i++)
                mmlt_assert_ok(mmli_buf_printf(&b, "%s%zu", i > 0 ? "," : "", i + row));
            add(&b, "\n");
        }
        agree(b.text, b.len, ',', 300000);
        mmli_buf_free(&b);
    }
}
END_TEST

START_TEST(a_cell_of_more_than_a_mebibyte_is_refused_with_or_without_its_end)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    static const size_t lengths[] = {(1 << 20) + 300000, 9 << 20};

    begin_drawing(23);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *text = calloc(lengths[i] + 9, 1); /* ends with a '\0', for strcspn() */
        pieces p = {text, lengths[i] + 8, 1 << 18, false};

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', lengths[i] + 8);
        memcpy(text, "a,b\n", 4);
        memcpy(text + lengths[i] + 4, ",1\nz", 4);
        mmlt_assert_fails(mmli_csv_read_from(&(mmli_csv_input){next_piece, &p}, "t", &handler, NULL), MML_E_FORMAT,
                          "t: row 2: a cell of more than 1 MiB; is a quote (\") not closed?");
        free(text);
    }
}
END_TEST

static void forget(void)
{
    mmli_buf_free(&seen);
}

int main(void)
{
    Suite *s = suite_create("cutting lines");
    TCase *t = tcase_create("as libcsv");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, NULL, forget);
    tcase_add_test(t, random_tables_are_cut_as_libcsv_cuts_them);
    tcase_add_test(t, random_bytes_are_cut_as_libcsv_cuts_them);
    tcase_add_test(t, plain_and_quoted_lines_need_no_libcsv);
    tcase_add_test(t, what_is_unusual_is_left_to_libcsv_as_it_was);
    tcase_add_test(t, lines_of_any_length_are_cut);
    tcase_add_test(t, a_cell_of_more_than_a_mebibyte_is_refused_with_or_without_its_end);
    suite_add_tcase(s, t);
    return mmlt_main(s);
}
