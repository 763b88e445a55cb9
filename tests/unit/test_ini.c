/* INI files: sections, entries and their lines, long lists, and one message for every mistake. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/ini.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static mmli_ini ini;

static const mmli_ini *reads(const char *text)
{
    mmli_ini_free(&ini);
    mmlt_write("t.ini", text);
    mmlt_assert_ok(mmli_ini_read(&ini, mmlt_path("t.ini")));
    return &ini;
}

static void refuses(const char *text, mml_status status, const char *words)
{
    mmli_ini none;

    mmlt_write("t.ini", text);
    mmlt_assert_fails(mmli_ini_read(&none, mmlt_path("t.ini")), status, words);
    ck_assert_ptr_null(none.sections);
}

static const char *value(size_t section, const char *key)
{
    const mmli_ini_entry *e = mmli_ini_find(&ini.sections[section], key);

    return e == NULL ? "(absent)" : e->value;
}

START_TEST(sections_and_entries_are_found_with_their_lines)
{
    reads("; a comment\n# another\n[cohort]\nlabels = l.csv ; of 2012\n  # indented\n\nid=sample;id\n[last]\n");
    ck_assert_uint_eq(ini.n, 2);
    ck_assert_str_eq(ini.sections[0].name, "cohort");
    ck_assert_uint_eq(ini.sections[0].line, 3);
    ck_assert_str_eq(value(0, "labels"), "l.csv");
    ck_assert_str_eq(value(0, "id"), "sample;id"); /* a comment has a blank before it */
    ck_assert_uint_eq(mmli_ini_find(&ini.sections[0], "labels")->line, 4);
    ck_assert_uint_eq(mmli_ini_find(&ini.sections[0], "id")->line, 7);
}
END_TEST

START_TEST(a_section_may_be_empty_and_have_blanks_in_its_name)
{
    reads("[a]\nx = 1\n[task \t os ]\ntime=t\nunit: days\nempty =\n[last]\n");
    ck_assert_uint_eq(ini.n, 3);
    ck_assert_str_eq(ini.sections[1].name, "task os");
    ck_assert_str_eq(value(1, "time"), "t");
    ck_assert_str_eq(value(1, "unit"), "days");
    ck_assert_str_eq(value(1, "empty"), "");
    ck_assert_str_eq(value(1, "none"), "(absent)");
    ck_assert_str_eq(ini.sections[2].name, "last");
    ck_assert_uint_eq(ini.sections[2].n, 0);
    ck_assert_uint_eq(ini.sections[2].line, 7);
}
END_TEST

START_TEST(byte_order_mark_and_windows_line_ends_are_no_content)
{
    reads("\xEF\xBB\xBF[a]\r\nx = 1\r\ny = two words\r\n");
    ck_assert_str_eq(ini.sections[0].name, "a");
    ck_assert_str_eq(value(0, "x"), "1");
    ck_assert_str_eq(value(0, "y"), "two words");
}
END_TEST

START_TEST(indented_lines_continue_a_value)
{
    char **items;
    size_t n;

    reads("[a]\nx = 1,\n  2, three\n\t4 ; said\n\ny = 5\n");
    ck_assert_str_eq(value(0, "x"), "1,\n2, three\n4");
    ck_assert_str_eq(value(0, "y"), "5");
    ck_assert_uint_eq(mmli_ini_find(&ini.sections[0], "y")->line, 6);
    mmlt_assert_ok(mmli_ini_list(&items, &n, value(0, "x")));
    ck_assert_uint_eq(n, 4);
    ck_assert_str_eq(items[1], "2");
    ck_assert_str_eq(items[2], "three");
    ck_assert_str_eq(items[3], "4");
    mmli_h5_texts_free(items, n);
    mmlt_assert_ok(mmli_ini_list(&items, &n, " , ,\n"));
    ck_assert_uint_eq(n, 0);
    mmli_h5_texts_free(items, n);
}
END_TEST

START_TEST(a_line_of_any_length_is_one_value)
{
    mmli_buf text = {0};
    char **items, want[32];
    size_t n;

    mmlt_assert_ok(mmli_buf_puts(&text, "[a]\nx = first"));
    for (int i = 0; i < 9000; i++) /* a hundred kilobytes; some names look like comments */
        mmlt_assert_ok(mmli_buf_printf(&text, i % 7 == 0 ? ", #gene%d" : ",gene_%d", i));
    mmlt_assert_ok(mmli_buf_puts(&text, " ; the end, of it\ny = 2\n"));
    reads(text.text);
    mmli_buf_free(&text);
    ck_assert_uint_eq(ini.sections[0].n, 2);
    ck_assert_uint_eq(mmli_ini_find(&ini.sections[0], "y")->line, 3);
    mmlt_assert_ok(mmli_ini_list(&items, &n, value(0, "x")));
    ck_assert_uint_eq(n, 9001);
    for (size_t i = 0; i < 9000; i++) {
        snprintf(want, sizeof want, i % 7 == 0 ? "#gene%zu" : "gene_%zu", i);
        ck_assert_str_eq(items[i + 1], want);
    }
    mmli_h5_texts_free(items, n);
}
END_TEST

START_TEST(mistakes_are_told_with_their_line)
{
    char text[600] = "[a]\nx = ";

    refuses("[a]\nx = 1\nnonsense\n", MML_E_FORMAT, "t.ini:3: neither [section] nor key = value: nonsense");
    refuses("[a]\n[b\nx = 1\n", MML_E_FORMAT, "t.ini:2: neither [section]");
    refuses("x = 1\n[a]\n", MML_E_FORMAT, "t.ini:1: x stands before the first section");
    refuses("[a]\nx = 1\ny = 2\nx = 3\n", MML_E_FORMAT, "t.ini:4: x was already given in line 2");
    refuses("[a]\n[b]\n[ a ]\n", MML_E_FORMAT, "t.ini:3: section [a] was already begun in line 1");
    refuses("[]\n", MML_E_FORMAT, "t.ini:1: the name of a section has 1 to 48 bytes");
    refuses("[a2345678901234567890123456789012345678901234567890]\n", MML_E_FORMAT, "1 to 48 bytes");
    memset(text + strlen(text), 'x', 500);
    refuses(text, MML_E_FORMAT, "t.ini:2: more than 197 bytes without a comma");
    mmlt_write_bytes("t.ini", "[a]\nx = \0 1\n", 12);
    mmlt_assert_fails(mmli_ini_read(&ini, mmlt_path("t.ini")), MML_E_FORMAT, "t.ini:2: holds a zero byte");
    mmlt_assert_fails(mmli_ini_read(&ini, mmlt_path("none.ini")), MML_E_IO, "none.ini: cannot be opened");
    mmlt_assert_fails(mmli_ini_read(&ini, mmlt_path("")), MML_E_IO, "a file is needed");
    mmlt_assert_fails(mmli_ini_read(&ini, ""), MML_E_ARG, "empty");
    reads("");
    ck_assert_uint_eq(ini.n, 0);
}
END_TEST

START_TEST(unknown_keys_are_answered_with_the_nearest)
{
    static const char *const keys[] = {"labels", "id", "group"};

    reads("[cohort]\nid = x\nlables = y\n");
    mmlt_assert_fails(mmli_ini_check_keys(&ini, &ini.sections[0], keys, 3), MML_E_FORMAT,
                      "t.ini:3: [cohort] has no key lables (did you mean labels?); its keys are: labels, id, group");
    reads("[cohort]\nid = x\nzebra = y\n");
    mmlt_assert_fails(mmli_ini_check_keys(&ini, &ini.sections[0], keys, 3), MML_E_FORMAT, "no key zebra; its keys are");
    reads("[cohort]\nid = x\n");
    mmlt_assert_ok(mmli_ini_check_keys(&ini, &ini.sections[0], keys, 3));
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;

    mmlt_write("t.ini", "[a]\nx = 1,\n 2\n[b]\ny = 3\n");
    for (uint64_t k = 1; st != MML_OK; k++) {
        ck_assert_uint_lt(k, 100);
        mmli_ini_free(&ini);
        mmli_alloc_fail_at(k);
        st = mmli_ini_read(&ini, mmlt_path("t.ini"));
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "%s", mml_last_error());
    }
}
END_TEST

static void drop(void)
{
    mmli_ini_free(&ini);
    mmlt_folder_remove();
}

int main(void)
{
    Suite *s = suite_create("ini");
    TCase *tc = tcase_create("ini");

    tcase_add_checked_fixture(tc, mmlt_folder_make, drop);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, sections_and_entries_are_found_with_their_lines);
    tcase_add_test(tc, a_section_may_be_empty_and_have_blanks_in_its_name);
    tcase_add_test(tc, byte_order_mark_and_windows_line_ends_are_no_content);
    tcase_add_test(tc, indented_lines_continue_a_value);
    tcase_add_test(tc, a_line_of_any_length_is_one_value);
    tcase_add_test(tc, mistakes_are_told_with_their_line);
    tcase_add_test(tc, unknown_keys_are_answered_with_the_nearest);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
