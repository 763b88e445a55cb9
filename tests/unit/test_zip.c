/* Zip archives: members as streams, tables in them, and one clear message for what is broken or hostile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "formats/csv_file.h"
#include "formats/input.h"
#include "formats/zip.h"
#include "io/inflate.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/text.h"

/* Adds `text` as `name` to the archive, which is made when it is not there. */
static void put(const char *archive, const char *name, const char *text, int method, const char *password)
{
    zip_t *z = zip_open(mmlt_path(archive), ZIP_CREATE, NULL);
    zip_source_t *source;
    zip_int64_t i;

    ck_assert_ptr_nonnull(z);
    if (name[strlen(name) - 1] == '/') {
        ck_assert_int_ge(zip_dir_add(z, name, 0), 0);
    } else {
        ck_assert_ptr_nonnull(source = zip_source_buffer(z, text, strlen(text), 0));
        ck_assert_int_ge(i = zip_file_add(z, name, source, 0), 0);
        ck_assert_int_eq(zip_set_file_compression(z, (zip_uint64_t)i, method, 0), 0);
        if (password != NULL)
            ck_assert_int_eq(zip_file_set_encryption(z, (zip_uint64_t)i, ZIP_EM_AES_256, password), 0);
    }
    ck_assert_int_eq(zip_close(z), 0);
}

static mmli_buf seen;

static mml_status note(void *user, const mmli_cell *cells, size_t n)
{
    (void)user;
    for (size_t i = 0; i < n; i++)
        if (mmli_buf_printf(&seen, "%s%s", i > 0 ? "|" : "", cells[i].text) != MML_OK)
            return MML_E_NOMEM;
    return mmli_buf_puts(&seen, "\n");
}

static mml_status note_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)row;
    return note(user, cells, n);
}

static mml_status read_table(const char *name)
{
    static const mmli_csv_handler handler = {note, note_row};

    mmli_buf_free(&seen);
    mmlt_assert_ok(mmli_buf_puts(&seen, ""));
    return mmli_csv_file_read(mmlt_path(name), &handler, NULL);
}

START_TEST(a_table_alone_in_a_zip_is_read_whatever_its_path)
{
    static const char *const names[] = {"t.csv", "../../dataset_csv/t.csv.zip", "/etc/t", "a\\b.csv", "c:t.csv"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int method = 0; method < 2; method++) {
            char file[24];

            snprintf(file, sizeof file, "t%zu%d.zip", i, method);
            put(file, names[i], "id,x\na,1\nb,\"2,5\"\n", method ? ZIP_CM_DEFLATE : ZIP_CM_STORE, NULL);
            mmlt_assert_ok(read_table(file));
            ck_assert_str_eq(seen.text, "id|x\na|1\nb|2,5\n");
        }
    ck_assert_uint_eq(mmlt_folder_files(), 10); /* nothing was unpacked */
}
END_TEST

START_TEST(plain_and_gzip_tables_are_read_by_the_same_call)
{
    mmlt_write("t.zip", "id,x\na,1\n"); /* the name says nothing */
    mmlt_assert_ok(read_table("t.zip"));
    ck_assert_str_eq(seen.text, "id|x\na|1\n");
    mmlt_write_gz("t.csv.gz", "id,x\nb,2\n");
    mmlt_assert_ok(read_table("t.csv.gz"));
    ck_assert_str_eq(seen.text, "id|x\nb|2\n");
}
END_TEST

START_TEST(folders_and_what_macos_adds_are_no_members)
{
    put("t.zip", "data/", "", 0, NULL);
    put("t.zip", "data/t.csv", "id\na\n", ZIP_CM_DEFLATE, NULL);
    put("t.zip", "__MACOSX/data/._t.csv", "x", ZIP_CM_STORE, NULL);
    put("t.zip", "data/.DS_Store", "x", ZIP_CM_STORE, NULL);
    mmlt_assert_ok(read_table("t.zip"));
    ck_assert_str_eq(seen.text, "id\na\n");
}
END_TEST

START_TEST(several_files_or_none_are_named)
{
    put("t.zip", "a.csv", "id\na\n", ZIP_CM_STORE, NULL);
    put("t.zip", "b.csv", "id\na\n", ZIP_CM_STORE, NULL);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.zip: holds 2 files (a.csv, b.csv); one CSV file is needed");
    put("n.zip", "folder/", "", 0, NULL);
    mmlt_assert_fails(read_table("n.zip"), MML_E_FORMAT, "n.zip: the archive is empty");
    mmlt_write_bytes("e.zip", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    mmlt_assert_fails(read_table("e.zip"), MML_E_FORMAT, "e.zip: the archive is empty");
}
END_TEST

START_TEST(a_torch_file_gets_the_recipe_that_converts_it)
{
    put("m.pt", "archive/data.pkl", "\x80\x02.", ZIP_CM_STORE, NULL);
    put("m.pt", "archive/data/0", "abcd", ZIP_CM_STORE, NULL);
    mmlt_assert_fails(read_table("m.pt"), MML_E_FORMAT, "torch.load(FILE, weights_only=True)");
}
END_TEST

START_TEST(an_error_in_a_zipped_table_names_archive_member_and_row)
{
    put("t.zip", "in/t.csv", "id,x\na,1\nb\n", ZIP_CM_DEFLATE, NULL);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.zip: in/t.csv: row 3 has 1 cell but the header has 2");
    put("z.zip", "t.zip", "PK\3\4....", ZIP_CM_STORE, NULL);
    mmlt_assert_fails(read_table("z.zip"), MML_E_FORMAT, "z.zip: t.zip: is a zip archive");
    put("g.zip", "t.csv.gz", "\x1f\x8b....", ZIP_CM_STORE, NULL);
    mmlt_assert_fails(read_table("g.zip"), MML_E_FORMAT, "g.zip: t.csv.gz: is packed by gzip once more");
}
END_TEST

START_TEST(an_encrypted_member_is_said_to_be_encrypted)
{
    put("t.zip", "t.csv", "id\na\n", ZIP_CM_DEFLATE, "secret");
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.csv: is encrypted; unpack it with its password first");
}
END_TEST

START_TEST(a_packing_that_is_not_supported_is_named)
{
    size_t size;
    char *bytes;

    put("t.zip", "t.csv", "id\na\n", ZIP_CM_STORE, NULL);
    /* Central directory: signature, two versions, flags, then the method, here 98 (PPMd). */
    bytes = mmlt_read(mmlt_path("t.zip"), &size);
    ((char *)memmem(bytes, size, "PK\1\2", 4))[10] = 98;
    mmlt_write_bytes("t.zip", bytes, size);
    free(bytes);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.csv: is packed by ppmd, which cannot be unpacked here");
}
END_TEST

START_TEST(damage_is_found)
{
    size_t size;
    char *bytes, *digits;

    put("t.zip", "t.csv", "id,x\na,12345\n", ZIP_CM_STORE, NULL);
    bytes = mmlt_read(mmlt_path("t.zip"), &size);
    digits = memmem(bytes, size, "12345", 5);
    digits[4]++;
    mmlt_write_bytes("t.zip", bytes, size);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.csv: is damaged: its checksum does not fit");
    digits[4]--;
    for (size_t n = 4; n < size; n++) {
        mmlt_write_bytes("t.zip", bytes, n);
        mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.zip: is no zip archive, or its end is missing (truncated)");
    }
    free(bytes);
}
END_TEST

/* The size that the central directory declares for the only member. */
static void declare(const char *name, uint32_t size)
{
    const unsigned char le[4] = {(unsigned char)size, (unsigned char)(size >> 8), (unsigned char)(size >> 16),
                                 (unsigned char)(size >> 24)};
    size_t n;
    char *bytes = mmlt_read(mmlt_path(name), &n), *central = memmem(bytes, n, "PK\1\2", 4);

    memcpy(central + 24, le, 4);
    mmlt_write_bytes(name, bytes, n);
    free(bytes);
}

START_TEST(a_bomb_is_refused_by_what_it_declares_and_by_what_comes_out)
{
    char *text = malloc(100001);

    memset(text, '\n', 100000);
    text[100000] = '\0';
    memcpy(text, "id", 2);
    put("t.zip", "t.csv", text, ZIP_CM_DEFLATE, NULL);
    mmlt_assert_ok(read_table("t.zip"));
    declare("t.zip", 4000000000u);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "beyond 1 GiB at most 400 to 1 is read");
    declare("t.zip", 1000);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.zip: t.csv");
    declare("t.zip", 100001);
    mmlt_assert_fails(read_table("t.zip"), MML_E_FORMAT, "t.zip: t.csv");
    free(text);
}
END_TEST

START_TEST(the_limits_of_unpacking_leave_room_for_real_tables)
{
    const uint64_t gib = (uint64_t)1 << 30;

    mmlt_assert_ok(mmli_inflate_check("f", 0, gib));
    mmlt_assert_ok(mmli_inflate_check("f", gib / 100, 4 * gib));
    mmlt_assert_ok(mmli_inflate_check("f", 2 * gib, 200 * gib));
    mmlt_assert_fails(mmli_inflate_check("f", gib / 1000, gib + 1000), MML_E_FORMAT, "f: 1073741 bytes unpack to 1073742824 or more");
    mmlt_assert_fails(mmli_inflate_check("f", 200 * gib, 300 * gib), MML_E_FORMAT, "more than 256 GiB");
    mmlt_assert_fails(mmli_inflate_check("f", UINT64_MAX, UINT64_MAX), MML_E_FORMAT, "more than 256 GiB");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    mmli_zip *z;

    mmlt_assert_fails(mmli_zip_open(&z, mmlt_path("none.zip")), MML_E_IO, "none.zip: cannot be opened");
    mmlt_assert_fails(mmli_zip_open(&z, mmlt_path(".")), MML_E_IO, "folder");
    mmlt_write("t.zip", "id\na\n");
    mmlt_assert_fails(mmli_zip_open(&z, mmlt_path("t.zip")), MML_E_FORMAT, "is no zip archive");
    ck_assert_ptr_null(z);
}
END_TEST

START_TEST(bytes_are_read_by_position_from_files_and_members)
{
    char *text = malloc(300001), got[8];

    for (size_t i = 0; i < 300000; i++)
        text[i] = (char)('a' + i % 23);
    text[300000] = '\0';
    mmlt_write("plain", text);
    put("t.zip", "stored", text, ZIP_CM_STORE, NULL);
    put("t.zip", "packed", text, ZIP_CM_DEFLATE, NULL);
    for (int kind = 0; kind < 3; kind++) {
        static const uint64_t at[] = {0, 8, 200000, 299992, 5, 100000};
        mmli_zip *z = NULL;
        mmli_input *in;

        mmlt_assert_ok(mmli_zip_open(&z, mmlt_path("t.zip")));
        if (kind == 0)
            mmlt_assert_ok(mmli_input_open(&in, mmlt_path("plain")));
        else
            mmlt_assert_ok(mmli_input_member(&in, z, (size_t)kind - 1));
        ck_assert_uint_eq(mmli_input_size(in), 300000);
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            mmlt_assert_ok(mmli_input_read(in, at[i], got, 8));
            ck_assert_int_eq(memcmp(got, text + at[i], 8), 0);
        }
        mmlt_assert_fails(mmli_input_read(in, 299993, got, 8), MML_E_FORMAT, "ends too early");
        mmlt_assert_fails(mmli_input_read(in, UINT64_MAX, got, 8), MML_E_FORMAT, "ends too early");
        mmlt_assert_ok(mmli_input_read(in, 300000, got, 0));
        mmli_input_close(in);
        mmli_zip_close(z);
    }
    free(text);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;

    put("t.zip", "t.csv", "id,x\na,1\n", ZIP_CM_DEFLATE, NULL);
    for (uint64_t k = 1; st != MML_OK; k++) {
        static const mmli_csv_handler handler = {note, note_row};

        seen.len = 0;
        mmli_alloc_fail_at(k);
        st = mmli_csv_file_read(mmlt_path("t.zip"), &handler, NULL);
        mmli_alloc_fail_at(0);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_uint_lt(k, 100);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("zip");
    TCase *good = tcase_create("members"), *bad = tcase_create("refused");

    tcase_add_checked_fixture(good, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_checked_fixture(bad, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(bad, 60);
    tcase_add_test(good, a_table_alone_in_a_zip_is_read_whatever_its_path);
    tcase_add_test(good, plain_and_gzip_tables_are_read_by_the_same_call);
    tcase_add_test(good, folders_and_what_macos_adds_are_no_members);
    tcase_add_test(good, bytes_are_read_by_position_from_files_and_members);
    tcase_add_test(good, the_limits_of_unpacking_leave_room_for_real_tables);
    tcase_add_test(bad, several_files_or_none_are_named);
    tcase_add_test(bad, a_torch_file_gets_the_recipe_that_converts_it);
    tcase_add_test(bad, an_error_in_a_zipped_table_names_archive_member_and_row);
    tcase_add_test(bad, an_encrypted_member_is_said_to_be_encrypted);
    tcase_add_test(bad, a_packing_that_is_not_supported_is_named);
    tcase_add_test(bad, damage_is_found);
    tcase_add_test(bad, a_bomb_is_refused_by_what_it_declares_and_by_what_comes_out);
    tcase_add_test(bad, what_is_no_file_is_refused);
    tcase_add_test(bad, every_failed_allocation_is_reported);
    suite_add_tcase(s, good);
    suite_add_tcase(s, bad);
    return mmlt_main(s);
}
