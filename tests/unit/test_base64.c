/* test_base64.c - text of bytes and back. */
#include <string.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/base64.h"

START_TEST(base64_is_that_of_the_standard)
{
    static const char *const pairs[][2] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},        {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {"Zg=", "Z===", "Zg==Zg==", "Z*==", "=AAA", "Zm 9"};
    unsigned char *bytes;
    char *text;
    size_t n;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        mmlt_assert_ok(mmli_base64_encode(&text, pairs[i][0], strlen(pairs[i][0])));
        ck_assert_str_eq(text, pairs[i][1]);
        mmlt_assert_ok(mmli_base64_decode(&bytes, &n, text));
        ck_assert_uint_eq(n, strlen(pairs[i][0]));
        mmlt_assert_same_bits(bytes, pairs[i][0], n);
        mmli_free(text);
        mmli_free(bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        mmlt_assert_fails(mmli_base64_decode(&bytes, &n, bad[i]), MML_E_FORMAT, "base64");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("util/base64");
    TCase *tc = tcase_create("state");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, base64_is_that_of_the_standard);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
