/* The parser of options, on a table with one option of every type. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/value.h"
#include "tests/support/mmlt.h"

typedef enum fruit { APPLE = 3, PEAR = 7 } fruit;

typedef struct args {
    int flag, both, whole, quiet;
    unsigned bands;
    size_t size, pair[2];
    uint64_t seed;
    double rate;
    const char *text, *word;
    fruit fruit;
    mmlc_list list;
} args;

#define AT(field) offsetof(args, field)

static const mmlc_choice fruits[] = {{"apple", APPLE}, {"pear", PEAR}, {NULL, 0}};
static const mmlc_opt table[] = {
    {.letter = 'f', .name = "flag", .type = MMLC_FLAG, .at = AT(flag), .help = "a flag"},
    {.letter = 'b', .name = "both", .type = MMLC_FLAG, .at = AT(both), .help = "a flag", .rules = MMLC_NEGATABLE},
    {.letter = 'n', .name = "whole", .type = MMLC_INT, .at = AT(whole), .arg = "N", .help = "a number", .min = 1,
     .max = 64},
    {.name = "bands", .type = MMLC_UINT, .at = AT(bands), .arg = "N", .help = "a number"},
    {.name = "size", .type = MMLC_SIZE, .at = AT(size), .arg = "N", .help = "a number"},
    {.name = "pair", .type = MMLC_PAIR, .at = AT(pair), .arg = "CxD", .help = "two numbers", .min = 1, .max = 4096},
    {.name = "seed", .type = MMLC_U64, .at = AT(seed), .arg = "N", .help = "a number"},
    {.letter = 'r', .name = "rate", .type = MMLC_DOUBLE, .at = AT(rate), .arg = "X", .help = "a number", .max = 1.0,
     .rules = MMLC_ABOVE_MIN | MMLC_BELOW_MAX},
    {.letter = 't', .name = "text", .type = MMLC_STR, .at = AT(text), .arg = "TEXT", .help = "some text"},
    {.name = "word", .type = MMLC_STR, .at = AT(word), .choices = fruits, .help = "one of some texts"},
    {.name = "fruit", .type = MMLC_CHOICE, .at = AT(fruit), .choices = fruits, .help = "a choice"},
    {.name = "list", .type = MMLC_LIST, .at = AT(list), .choices = fruits, .help = "a choice or numbers"},
    {.name = NULL},
};
static const mmlc_group groups[] = {{.heading = "Options", .opts = table}, {.heading = NULL}};

static mml_status init(void *p, mml_modality_kind modality, mml_task_kind task)
{
    args *a = p;

    a->whole = modality == MML_SERIES ? 9 : 5;
    a->rate = task == MML_SURVIVAL ? 0.25 : 0.5;
    return MML_OK;
}

static const mmlc_command command = {.name = "test", .summary = "a test", .operands = "[FILE]...", .n_max = 9,
                                     .about = "About.", .groups = groups, .args_size = sizeof(args), .init = init};
/* The table that help.c wants; main.c has the real one. */
const mmlc_command *const mmlc_commands[] = {&command, NULL};

enum { MAX_WORDS = 16 };

/* Parses words ended by NULL; stderr of a usage error goes to the log of the test. */
static int parse(mmlc_call *call, ...)
{
    va_list list;
    char *words[MAX_WORDS];
    int n = 0;

    va_start(list, call);
    for (char *w = va_arg(list, char *); w != NULL && n < MAX_WORDS; w = va_arg(list, char *))
        words[n++] = w;
    va_end(list);
    return mmlc_call_parse(call, &command, n, words);
}

static int accepts(const char *option, const char *value)
{
    mmlc_call call;
    int rc = parse(&call, option, value, (char *)NULL);

    mmlc_call_end(&call);
    ck_assert(rc == MMLC_GO || rc == MMLC_USAGE);
    return rc == MMLC_GO;
}

START_TEST(every_type_is_stored_where_the_table_says)
{
    mmlc_call call;
    const args *a = NULL;

    ck_assert_int_eq(parse(&call, "-f", "--whole=64", "--bands", "4", "--size", "18446744073709551615", "--pair",
                           "32x16", "--seed", "18446744073709551615", (char *)NULL),
                     MMLC_GO);
    a = call.args;
    ck_assert_int_eq(a->flag, 1);
    ck_assert_int_eq(a->whole, 64);
    ck_assert_uint_eq(a->bands, 4);
    ck_assert_uint_eq(a->size, SIZE_MAX);
    ck_assert_uint_eq(a->pair[0], 32);
    ck_assert_uint_eq(a->pair[1], 16);
    ck_assert(a->seed == UINT64_MAX);
    mmlc_call_end(&call);

    ck_assert_int_eq(parse(&call, "--rate", "2.5e-4", "--text=a=b", "--word", "pear", "--fruit", "pear", "--list",
                           "0.5,1,0", (char *)NULL),
                     MMLC_GO);
    a = call.args;
    ck_assert_double_eq(a->rate, 2.5e-4);
    ck_assert_str_eq(a->text, "a=b");
    ck_assert_str_eq(a->word, "pear");
    ck_assert_int_eq(a->fruit, PEAR);
    ck_assert_int_eq(a->list.choice, -1);
    ck_assert_uint_eq(a->list.n, 3);
    ck_assert_double_eq(a->list.number[0], 0.5);
    ck_assert_double_eq(a->list.number[1], 1);
    ck_assert_double_eq(a->list.number[2], 0);
    mmlc_call_end(&call);
}
END_TEST

START_TEST(letters_can_be_bundled_and_the_last_may_have_a_value)
{
    mmlc_call call;
    const args *a = NULL;

    ck_assert_int_eq(parse(&call, "-fbn7", "-t", "x", (char *)NULL), MMLC_GO);
    a = call.args;
    ck_assert_int_eq(a->flag, 1);
    ck_assert_int_eq(a->both, 1);
    ck_assert_int_eq(a->whole, 7);
    ck_assert_str_eq(a->text, "x");
    mmlc_call_end(&call);
    ck_assert_int_eq(parse(&call, "-fx", (char *)NULL), MMLC_USAGE);
    mmlc_call_end(&call);
    ck_assert_int_eq(parse(&call, "-fn", (char *)NULL), MMLC_USAGE);
    mmlc_call_end(&call);
}
END_TEST

START_TEST(many_bundled_flags_fit)
{
    mmlc_call call;

    ck_assert_int_eq(parse(&call, "-fbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfb", (char *)NULL), MMLC_GO);
    ck_assert_uint_eq(call.n_given, 44);
    mmlc_call_end(&call);
}
END_TEST

START_TEST(of_a_repeated_option_the_last_counts)
{
    mmlc_call call;
    const args *a = NULL;

    ck_assert_int_eq(parse(&call, "--whole", "1", "--list", "1,2", "--both", "--whole", "2", "--list", "3,4,5",
                           "--no-both", (char *)NULL),
                     MMLC_GO);
    a = call.args;
    ck_assert_int_eq(a->whole, 2);
    ck_assert_int_eq(a->both, 0);
    ck_assert_uint_eq(a->list.n, 3);
    ck_assert_double_eq(a->list.number[2], 5);
    mmlc_call_end(&call);
}
END_TEST

START_TEST(operands_and_options_mix_until_two_hyphens)
{
    mmlc_call call;

    ck_assert_int_eq(parse(&call, "a", "-f", "-", "b", "--", "--flag", "-f", (char *)NULL), MMLC_GO);
    ck_assert_uint_eq(call.n, 5);
    ck_assert_str_eq(call.operand[1], "-");
    ck_assert_str_eq(call.operand[3], "--flag");
    ck_assert_str_eq(call.operand[4], "-f");
    mmlc_call_end(&call);
}
END_TEST

START_TEST(only_what_was_given_overrides_new_defaults)
{
    mmlc_call call;
    args *a = NULL;

    ck_assert_int_eq(parse(&call, "--rate", "0.75", (char *)NULL), MMLC_GO);
    a = call.args;
    ck_assert_int_eq(a->whole, 5);
    ck_assert_int_eq(init(a, MML_SERIES, MML_SURVIVAL), MML_OK);
    ck_assert_double_eq(a->rate, 0.25);
    ck_assert_int_eq(mmlc_call_apply(&call), MMLC_GO);
    ck_assert_int_eq(a->whole, 9);
    ck_assert_double_eq(a->rate, 0.75);
    ck_assert(mmlc_was_given(&call, "rate"));
    ck_assert(!mmlc_was_given(&call, "whole"));
    mmlc_call_end(&call);
}
END_TEST

START_TEST(numbers_are_read_strictly)
{
    static const char *const bad_whole[] = {"", " 1", "1 ", "+1", "-1", "0", "65", "1.0", "0x10", "1e1",
                                            "18446744073709551616", "99999999999999999999999"};
    static const char *const bad_rate[] = {"", "0", "1", "-0.5", "nan", "inf", "0x1p-2", " 0.5", "0.5 ", "0,5", "1e-3x",
                                           "1e999", ".", "e5"};

    for (size_t i = 0; i < sizeof bad_whole / sizeof *bad_whole; i++)
        ck_assert_msg(!accepts("--whole", bad_whole[i]), "--whole '%s' was accepted", bad_whole[i]);
    for (size_t i = 0; i < sizeof bad_rate / sizeof *bad_rate; i++)
        ck_assert_msg(!accepts("--rate", bad_rate[i]), "--rate '%s' was accepted", bad_rate[i]);
    ck_assert(accepts("--whole", "1"));
    ck_assert(accepts("--rate", "1e-300"));
    ck_assert(accepts("--rate", ".5"));
    ck_assert(!accepts("--seed", "18446744073709551616"));
    ck_assert(!accepts("--bands", "4294967296"));
}
END_TEST

START_TEST(pairs_lists_and_choices_are_read_strictly)
{
    static const char *const bad_pair[] = {"32", "x32", "32x", "32X32", "0x32", "32x4097", "32x32x32", "3 2x32", "-1x3"};
    static const char *const bad_list[] = {"0.3,", ",0.3", "0.3,,0.7", "0.3;0.7", "banana", "0.3,x", "-1,2", ""};

    for (size_t i = 0; i < sizeof bad_pair / sizeof *bad_pair; i++)
        ck_assert_msg(!accepts("--pair", bad_pair[i]), "--pair '%s' was accepted", bad_pair[i]);
    for (size_t i = 0; i < sizeof bad_list / sizeof *bad_list; i++)
        ck_assert_msg(!accepts("--list", bad_list[i]), "--list '%s' was accepted", bad_list[i]);
    ck_assert(accepts("--pair", "1x4096"));
    ck_assert(accepts("--list", "apple"));
    ck_assert(accepts("--list", "0.3"));
    ck_assert(!accepts("--fruit", "Apple"));
    ck_assert(!accepts("--word", "plum"));
    ck_assert(!accepts("--text", ""));
}
END_TEST

START_TEST(a_forgotten_value_is_noticed)
{
    ck_assert(!accepts("--whole", NULL));
    ck_assert(!accepts("--text", "--flag"));
    ck_assert(accepts("--text=--flag", NULL));
    ck_assert(!accepts("--flag=1", NULL));
    ck_assert(!accepts("--no-flag", NULL));
    ck_assert(!accepts("--no-both=1", NULL));
    ck_assert(!accepts("--who", "1"));
}
END_TEST

static const char *why(const mmlc_opt *opt, const char *text)
{
    static char reason[512];

    ck_assert_int_eq(mmlc_value_set(NULL, opt, text, 0, reason, sizeof reason), 1);
    return reason;
}

START_TEST(reasons_say_what_is_allowed)
{
    ck_assert_str_eq(why(&table[2], "x"), "must be a whole number from 1 to 64, not 'x'");
    ck_assert_str_eq(why(&table[4], "-1"), "must be a whole number of at least 0, not '-1'");
    ck_assert_str_eq(why(&table[7], "1"), "must be a number above 0 and below 1, not '1'");
    ck_assert_str_eq(why(&table[10], "aple"), "must be apple or pear, not 'aple'; did you mean apple?");
    ck_assert_str_eq(why(&table[11], "q"), "must be apple or pear, or numbers such as 0.3,0.7, not 'q'");
    ck_assert_str_eq(why(&table[5], "3"),
                     "must be two whole numbers such as 32x32, each from 1 to 4096, not '3'");
}
END_TEST

START_TEST(the_nearest_name_is_one_slip_away)
{
    static const char *const names[] = {"weights", "weight-decay", "epochs", "lr", "seed"};

    ck_assert_str_eq(mmlc_nearest("epcohs", names, 5), "epochs");
    ck_assert_str_eq(mmlc_nearest("sed", names, 5), "seed");
    ck_assert_str_eq(mmlc_nearest("weigth", names, 5), "weights");
    ck_assert_str_eq(mmlc_nearest("weight-d", names, 5), "weight-decay");
    ck_assert_ptr_null(mmlc_nearest("banana", names, 5));
    ck_assert_ptr_null(mmlc_nearest("x", names, 5));
    ck_assert_ptr_null(mmlc_nearest("", names, 5));
}
END_TEST

START_TEST(help_shows_the_default_of_each_kind)
{
    char right[256];

    mmlc_option_right(right, sizeof right, &command, groups, &table[2]);
    ck_assert_str_eq(right, "a number [table, image, bag: 5; series: 9]");
    mmlc_option_right(right, sizeof right, &command, groups, &table[7]);
    ck_assert_str_eq(right, "a number [binary, multiclass, regression: 0.5; survival: 0.25]");
    mmlc_option_left(right, sizeof right, &table[1]);
    ck_assert_str_eq(right, "-b, --[no-]both");
    mmlc_option_left(right, sizeof right, &table[11]);
    ck_assert_str_eq(right, "    --list apple|pear|A,B,...");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_opt");
    TCase *tc = tcase_create("opt");

    tcase_add_test(tc, every_type_is_stored_where_the_table_says);
    tcase_add_test(tc, letters_can_be_bundled_and_the_last_may_have_a_value);
    tcase_add_test(tc, many_bundled_flags_fit);
    tcase_add_test(tc, of_a_repeated_option_the_last_counts);
    tcase_add_test(tc, operands_and_options_mix_until_two_hyphens);
    tcase_add_test(tc, only_what_was_given_overrides_new_defaults);
    tcase_add_test(tc, numbers_are_read_strictly);
    tcase_add_test(tc, pairs_lists_and_choices_are_read_strictly);
    tcase_add_test(tc, a_forgotten_value_is_noticed);
    tcase_add_test(tc, reasons_say_what_is_allowed);
    tcase_add_test(tc, the_nearest_name_is_one_slip_away);
    tcase_add_test(tc, help_shows_the_default_of_each_kind);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
