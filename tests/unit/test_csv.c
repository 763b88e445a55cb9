/* The CSV reader: dialects that are met, and one clear message for every file that is none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/csv.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* What was read, as text: cells between |, rows with their number. */
static mmli_buf seen;
static size_t stop_at;

static mml_status note(const char *start, const mmli_cell *cells, size_t n)
{
    mml_status st = mmli_buf_puts(&seen, start); /* no assertion of Check a cell: they are slow */

    for (size_t i = 0; i < n && st == MML_OK; i++) {
        if (strlen(cells[i].text) != cells[i].n)
            return mmli_fail(MML_E_INTERNAL, "cell %zu is not %zu bytes long", i, cells[i].n);
        st = mmli_buf_printf(&seen, "|%s", cells[i].text);
    }
    return st == MML_OK ? mmli_buf_puts(&seen, "\n") : st;
}

static mml_status on_header(void *user, const mmli_cell *names, size_t n)
{
    (void)user;
    return note("h", names, n);
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    char start[24];

    (void)user;
    if (row == stop_at)
        return mmli_fail(MML_E_DATA, "stopped at row %zu", row);
    snprintf(start, sizeof start, "%zu", row);
    return note(start, cells, n);
}

static mml_status read_csv(const char *name)
{
    static const mmli_csv_handler handler = {on_header, on_row};

    mmli_buf_free(&seen);
    mmlt_assert_ok(mmli_buf_puts(&seen, ""));
    return mmli_csv_read(mmlt_path(name), &handler, NULL);
}

static void reads(const char *csv, const char *want)
{
    mmlt_write("t.csv", csv);
    mmlt_assert_ok(read_csv("t.csv"));
    ck_assert_str_eq(seen.text, want);
}

static void refuses(const char *csv, mml_status status, const char *text)
{
    mmlt_write("t.csv", csv);
    mmlt_assert_fails(read_csv("t.csv"), status, text);
    mmlt_assert_fails(read_csv("t.csv"), status, "t.csv");
}

START_TEST(plain_tables_are_read)
{
    reads("a,b\n1,2\n3,4\n", "h|a|b\n2|1|2\n3|3|4\n");
    reads("a,b\n1,2", "h|a|b\n2|1|2\n"); /* no newline at the end */
    reads("a\n1\n", "h|a\n2|1\n");
    reads("a,b\n", "h|a|b\n");
    reads("a,b\n,\n", "h|a|b\n2||\n");
}
END_TEST

START_TEST(a_byte_order_mark_is_no_part_of_the_first_name)
{
    reads("\xEF\xBB\xBFid,b\n1,2\n", "h|id|b\n2|1|2\n");
}
END_TEST

START_TEST(windows_line_ends_are_line_ends)
{
    reads("a,b\r\n1,2\r\n3,\r\n", "h|a|b\n2|1|2\n3|3|\n");
}
END_TEST

START_TEST(quotes_keep_commas_quotes_and_line_breaks)
{
    reads("\"a,x\",b\n\"say \"\"hi\"\"\",2\n\"two\nlines\",4\n5,6\n",
          "h|a,x|b\n2|say \"hi\"|2\n3|two\nlines|4\n5|5|6\n"); /* the last row is line 5 */
    reads("a,b\n\"\",x\n", "h|a|b\n2||x\n");
}
END_TEST

START_TEST(leading_zeros_and_names_without_a_name_stay)
{
    reads(",site\n007,05\n", "h||site\n2|007|05\n");
}
END_TEST

START_TEST(blank_lines_are_no_rows_but_count_as_lines)
{
    reads("a,b\n\n1,2\n\n\n3,4\n\n", "h|a|b\n3|1|2\n6|3|4\n");
}
END_TEST

START_TEST(gzip_is_unpacked)
{
    mmlt_write_gz("t.csv.gz", "a,b\n1,2\n");
    mmlt_assert_ok(read_csv("t.csv.gz"));
    ck_assert_str_eq(seen.text, "h|a|b\n2|1|2\n");
}
END_TEST

START_TEST(a_gzip_that_ends_too_early_is_an_error)
{
    size_t n;
    char *bytes, *text = malloc(100000), *at = text;

    ck_assert_ptr_nonnull(text);
    at += sprintf(at, "a\n");
    for (unsigned i = 0; i < 9000; i++)
        at += sprintf(at, "%u\n", i * 2654435761u);
    mmlt_write_gz("t.csv.gz", text);
    bytes = mmlt_read(mmlt_path("t.csv.gz"), &n);
    mmlt_write_bytes("cut.csv.gz", bytes, n / 2);
    mmlt_assert_fails(read_csv("cut.csv.gz"), MML_E_FORMAT, "cut.csv.gz: is damaged or truncated");
    bytes[n / 2] = (char)(bytes[n / 2] ^ 0x55);
    mmlt_write_bytes("bad.csv.gz", bytes, n);
    mmlt_assert_fails(read_csv("bad.csv.gz"), MML_E_FORMAT, "bad.csv.gz: ");
    free(bytes);
    free(text);
}
END_TEST

/* A header, then that many MiB of spaces before a row that never comes, which the parser skips: 1 KiB each, as tight as gzip packs. */
static void write_bomb(const char *name, size_t mib)
{
    char *spaces = malloc((1 << 20) + 1), *packed, *all;
    size_t n, n_all;

    ck_assert_ptr_nonnull(spaces);
    memset(spaces, ' ', 1 << 20);
    spaces[1 << 20] = '\0';
    mmlt_write_gz("spaces.gz", spaces);
    packed = mmlt_read(mmlt_path("spaces.gz"), &n);
    mmlt_write_gz("header.gz", "a,b\n1,2\n");
    all = mmlt_read(mmlt_path("header.gz"), &n_all);
    ck_assert_ptr_nonnull(all = realloc(all, n_all + mib * n));
    for (size_t i = 0; i < mib; i++, n_all += n) /* one member of gzip after the other is as one */
        memcpy(all + n_all, packed, n);
    mmlt_write_bytes(name, all, n_all);
    free(all);
    free(packed);
    free(spaces);
}

START_TEST(a_small_gzip_may_unpack_to_much)
{
    write_bomb("small.csv.gz", 16);
    mmlt_assert_ok(read_csv("small.csv.gz"));
    ck_assert_str_eq(seen.text, "h|a|b\n2|1|2\n");
}
END_TEST

/* Five seconds. */
START_TEST(a_small_gzip_that_unpacks_to_more_than_a_gigabyte_is_refused)
{
    write_bomb("bomb.csv.gz", 1030);
    mmlt_assert_fails(read_csv("bomb.csv.gz"), MML_E_FORMAT, "bomb.csv.gz: ");
    ck_assert_msg(strstr(mml_last_error(), " or more: beyond 1 GiB at most 400 to 1 is read") != NULL, "%s", mml_last_error());
}
END_TEST

START_TEST(a_row_of_another_length_is_named)
{
    refuses("a,b,c\n1,2,3\n1,2\n", MML_E_FORMAT, "row 3 has 2 cells but the header has 3");
    refuses("a,b\n1,2\n1,2,3\n", MML_E_FORMAT, "row 3 has 3 cells but the header has 2; if R wrote row names");
    refuses("a,b\n1\n", MML_E_FORMAT, "row 2 has 1 cell but");
}
END_TEST

START_TEST(quotes_that_make_no_sense_are_named)
{
    refuses("a,b\n1,2\n3,x\"y\n", MML_E_FORMAT, "row 3: a quote");
    refuses("a,b\n\"x\"y,2\n", MML_E_FORMAT, "row 2: a quote");
    refuses("a,b\n1,2\n\"x,2\n3,4\n", MML_E_FORMAT, "begins in row 3 is never closed");
}
END_TEST

START_TEST(an_endless_cell_is_refused_before_it_fills_the_memory)
{
    const size_t n = (size_t)3 << 20;
    char *text = malloc(n + 16);

    ck_assert_ptr_nonnull(text);
    memcpy(text, "a,b\n1,\"", 7);
    memset(text + 7, 'x', n);
    for (size_t i = 100; i < n; i += 100)
        text[i] = '\n';
    mmlt_write_bytes("t.csv", text, n);
    mmlt_assert_fails(read_csv("t.csv"), MML_E_FORMAT, "row 2: a cell of more than 1 MiB");
    free(text);
}
END_TEST

START_TEST(what_is_not_a_csv_is_called_by_its_name)
{
    refuses("", MML_E_FORMAT, "is empty");
    refuses("\xEF\xBB\xBF", MML_E_FORMAT, "is empty");
    refuses("\n\n", MML_E_FORMAT, "is empty");
    refuses("PK\3\4 and so on", MML_E_FORMAT, "zip archive");
    refuses("\x89HDF\r\n\x1a\n", MML_E_FORMAT, "HDF5");
    mmlt_write_bytes("t.csv", "\xFF\xFE" "a\0,\0b\0", 8);
    mmlt_assert_fails(read_csv("t.csv"), MML_E_FORMAT, "UTF-16");
    mmlt_write_bytes("t.csv", "a,b\n1,\0002\n", 9);
    mmlt_assert_fails(read_csv("t.csv"), MML_E_FORMAT, "row 2 holds a zero byte");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_io_error)
{
    mmlt_assert_fails(read_csv("none.csv"), MML_E_IO, "none.csv: cannot be opened");
    mmlt_assert_fails(read_csv("."), MML_E_IO, "folder");
}
END_TEST

START_TEST(the_first_failure_of_a_handler_ends_the_reading)
{
    mmlt_write("t.csv", "a\n1\n2\n3\n");
    stop_at = 3;
    mmlt_assert_fails(read_csv("t.csv"), MML_E_DATA, "stopped at row 3");
    ck_assert_str_eq(seen.text, "h|a\n2|1\n");
    stop_at = 0;
}
END_TEST

START_TEST(blocks_cut_rows_without_harm)
{
    /* Rows of 1 to 13 bytes cross the 256 KiB blocks at every place. */
    const size_t rows = 100000;
    char *text = malloc(rows * 16), *at = text, want[64];

    ck_assert_ptr_nonnull(text);
    at += sprintf(at, "a,b\r\n");
    for (size_t i = 0; i < rows; i++)
        at += sprintf(at, i % 3 == 0 ? "\"%zu\",x\r\n" : "%zu,x\r\n", i);
    mmlt_write("t.csv", text);
    mmlt_assert_ok(read_csv("t.csv"));
    at = seen.text + strlen("h|a|b\n");
    for (size_t i = 0; i < rows; i++) {
        const int n = snprintf(want, sizeof want, "%zu|%zu|x\n", i + 2, i);

        if (strncmp(at, want, (size_t)n) != 0)
            ck_abort_msg("row %zu", i + 2);
        at += n;
    }
    ck_assert_str_eq(at, "");
    free(text);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    mml_status st = MML_E_NOMEM;

    mmlt_write("t.csv", "a,b,c,d,e,f,g,h,i,j\n1,2,3,4,5,6,7,8,9,10\n");
    mmlt_assert_ok(mmli_buf_printf(&seen, "%4000s", "")); /* room for the notes */
    for (uint64_t k = 1; st != MML_OK; k++) {
        seen.len = 0;
        mmli_alloc_fail_at(k);
        st = mmli_csv_read(mmlt_path("t.csv"), &handler, NULL);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_uint_lt(k, 100);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("csv");
    TCase *good = tcase_create("dialects"), *bad = tcase_create("errors");

    tcase_add_checked_fixture(good, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(good, 60);
    tcase_add_checked_fixture(bad, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(bad, 300);
    tcase_add_test(good, plain_tables_are_read);
    tcase_add_test(good, a_byte_order_mark_is_no_part_of_the_first_name);
    tcase_add_test(good, windows_line_ends_are_line_ends);
    tcase_add_test(good, quotes_keep_commas_quotes_and_line_breaks);
    tcase_add_test(good, leading_zeros_and_names_without_a_name_stay);
    tcase_add_test(good, blank_lines_are_no_rows_but_count_as_lines);
    tcase_add_test(good, gzip_is_unpacked);
    tcase_add_test(good, blocks_cut_rows_without_harm);
    tcase_add_test(bad, a_gzip_that_ends_too_early_is_an_error);
    tcase_add_test(bad, a_small_gzip_may_unpack_to_much);
    if (!mmlt_fast("a gzip of more than a gigabyte takes five seconds"))
        tcase_add_test(bad, a_small_gzip_that_unpacks_to_more_than_a_gigabyte_is_refused);
    tcase_add_test(bad, a_row_of_another_length_is_named);
    tcase_add_test(bad, quotes_that_make_no_sense_are_named);
    tcase_add_test(bad, an_endless_cell_is_refused_before_it_fills_the_memory);
    tcase_add_test(bad, what_is_not_a_csv_is_called_by_its_name);
    tcase_add_test(bad, a_file_that_is_not_there_is_an_io_error);
    tcase_add_test(bad, the_first_failure_of_a_handler_ends_the_reading);
    tcase_add_test(bad, every_failed_allocation_is_reported);
    suite_add_tcase(s, good);
    suite_add_tcase(s, bad);
    return mmlt_main(s);
}
