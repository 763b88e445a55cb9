/* Random numbers and hashes: published vectors first, then what the distributions must look like.
 *
 * The statistical bounds are five standard errors; seeds are fixed, so a test passes always or never. */
#include <math.h>
#include <string.h>

#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/hash.h"
#include "util/rng.h"

START_TEST(philox_gives_the_published_answers)
{
    /* Random123, kat_vectors, "philox4x32 10": counter, key, output */
    static const uint32_t kat[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
         0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
         0x24126ea1}};
    uint32_t out[4];

    for (size_t i = 0; i < 3; i++) {
        mmli_philox4x32(out, kat[i], kat[i] + 4);
        ck_assert_mem_eq(out, kat[i] + 6, sizeof out);
    }
}
END_TEST

START_TEST(philox_takes_key_and_counter_low_word_first)
{
    const uint32_t counter[4] = {0x89abcdef, 0x01234567, 0, 0}, key[2] = {0x76543210, 0xfedcba98};
    uint32_t want[4], got[4];

    mmli_philox4x32(want, counter, key);
    mmli_philox(got, 0xfedcba9876543210u, 0x0123456789abcdefu);
    ck_assert_mem_eq(got, want, sizeof got);
}
END_TEST

START_TEST(siphash_gives_the_published_answers)
{
    /* The reference table: key 00 01 .. 0f, message 00 01 .. n-1 for n = 0 .. 63, as little-endian numbers. */
    static const uint64_t want[64] = {
        0x726fdb47dd0e0e31u, 0x74f839c593dc67fdu, 0x0d6c8009d9a94f5au, 0x85676696d7fb7e2du,
        0xcf2794e0277187b7u, 0x18765564cd99a68du, 0xcbc9466e58fee3ceu, 0xab0200f58b01d137u,
        0x93f5f5799a932462u, 0x9e0082df0ba9e4b0u, 0x7a5dbbc594ddb9f3u, 0xf4b32f46226bada7u,
        0x751e8fbc860ee5fbu, 0x14ea5627c0843d90u, 0xf723ca908e7af2eeu, 0xa129ca6149be45e5u,
        0x3f2acc7f57c29bdbu, 0x699ae9f52cbe4794u, 0x4bc1b3f0968dd39cu, 0xbb6dc91da77961bdu,
        0xbed65cf21aa2ee98u, 0xd0f2cbb02e3b67c7u, 0x93536795e3a33e88u, 0xa80c038ccd5ccec8u,
        0xb8ad50c6f649af94u, 0xbce192de8a85b8eau, 0x17d835b85bbb15f3u, 0x2f2e6163076bcfadu,
        0xde4daaaca71dc9a5u, 0xa6a2506687956571u, 0xad87a3535c49ef28u, 0x32d892fad841c342u,
        0x7127512f72f27cceu, 0xa7f32346f95978e3u, 0x12e0b01abb051238u, 0x15e034d40fa197aeu,
        0x314dffbe0815a3b4u, 0x027990f029623981u, 0xcadcd4e59ef40c4du, 0x9abfd8766a33735cu,
        0x0e3ea96b5304a7d0u, 0xad0c42d6fc585992u, 0x187306c89bc215a9u, 0xd4a60abcf3792b95u,
        0xf935451de4f21df2u, 0xa9538f0419755787u, 0xdb9acddff56ca510u, 0xd06c98cd5c0975ebu,
        0xe612a3cb9ecba951u, 0xc766e62cfcadaf96u, 0xee64435a9752fe72u, 0xa192d576b245165au,
        0x0a8787bf8ecb74b2u, 0x81b3e73d20b49b6fu, 0x7fa8220ba3b2eceau, 0x245731c13ca42499u,
        0xb78dbfaf3a8d83bdu, 0xea1ad565322a1a0bu, 0x60e61c23a3795013u, 0x6606d7e446282b93u,
        0x6ca4ecb15c5f91e1u, 0x9f626da15c9625f3u, 0xe51b38608ef25f57u, 0x958a324ceb064572u};
    unsigned char message[65]; /* one byte off: alignment must not matter */

    for (size_t i = 0; i < 64; i++)
        message[i + 1] = (unsigned char)i;
    for (size_t n = 0; n < 64; n++)
        ck_assert_uint_eq(mmli_siphash24(0x0706050403020100u, 0x0f0e0d0c0b0a0908u, message + 1, n), want[n]);
}
END_TEST

START_TEST(hash64_is_the_one_that_files_hold)
{
    /* Sample ids are stored by this hash: these values are part of the model file format. */
    ck_assert_uint_eq(mmli_hash64("132539", 6, 0), 0x51c45b9d829446aau);
    ck_assert_uint_eq(mmli_hash64("", 0, 0), 0x2cef7d9d795960e6u);
    ck_assert_uint_eq(mmli_hash64("132539", 6, 1), 0xff4d65f2487fb119u);
}
END_TEST

START_TEST(streams_differ_in_seed_name_and_step)
{
    const uint64_t keys[] = {mmli_rng_key(0, "head.weight", 0), mmli_rng_key(1, "head.weight", 0),
                             mmli_rng_key(0, "head.bias", 0),   mmli_rng_key(0, "head.weight", 1),
                             mmli_rng_key(0, "", 0),            mmli_rng_key(0, "head", 0)};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(keys[i], keys[j]);
    ck_assert_uint_eq(keys[0], mmli_rng_key(0, "head.weight", 0));
    ck_assert_uint_eq(mmli_rng_key(5, NULL, 2), mmli_rng_key(5, "", 2));
}
END_TEST

START_TEST(uniform_numbers_are_words_of_the_counter)
{
    const uint64_t key = mmli_rng_key(3, "uniform", 0);
    uint32_t w[4];

    for (uint64_t i = 0; i < 64; i++) {
        mmli_philox(w, key, i / 4);
        ck_assert_float_eq(mmli_rng_uniform(key, i), (float)(w[i % 4] >> 8) / 16777216.0f);
    }
}
END_TEST

START_TEST(uniform_numbers_are_uniform)
{
    enum { N = 200000, CELLS = 64 };
    const uint64_t key = mmli_rng_key(3, "uniform", 1);
    double mean = 0, chi2 = 0;
    size_t count[CELLS] = {0};

    for (uint64_t i = 0; i < N; i++) {
        const float u = mmli_rng_uniform(key, i);

        ck_assert(u >= 0.0f && u < 1.0f);
        mean += (double)u / N;
        count[(size_t)(u * CELLS)]++;
    }
    for (size_t c = 0; c < CELLS; c++)
        chi2 += pow((double)count[c] - (double)N / CELLS, 2) / ((double)N / CELLS);
    ck_assert_double_lt(fabs(mean - 0.5), 5 * sqrt(1.0 / 12 / N));
    ck_assert_double_lt(fabs(chi2 - (CELLS - 1)), 5 * sqrt(2.0 * (CELLS - 1)));
}
END_TEST

START_TEST(normal_numbers_are_normal)
{
    enum { N = 200000 };
    const uint64_t key = mmli_rng_key(3, "normal", 0);
    double moment[5] = {0}, pairs = 0, before = 0;
    size_t tail = 0;

    for (uint64_t i = 0; i < N; i++) {
        const double z = (double)mmli_rng_normal(key, i);

        ck_assert(isfinite(z));
        for (int m = 1; m <= 4; m++)
            moment[m] += pow(z, m) / N;
        tail += fabs(z) > 1.959963985;
        pairs += i % 2 == 1 ? z * before / (N / 2) : 0; /* the cosine and the sine of one pair of words */
        before = z;
    }
    /* standard errors of the moments of N(0,1): 1, sqrt 2, sqrt 15, sqrt 96, over sqrt N */
    ck_assert_double_lt(fabs(moment[1]), 5 * sqrt(1.0 / N));
    ck_assert_double_lt(fabs(moment[2] - 1), 5 * sqrt(2.0 / N));
    ck_assert_double_lt(fabs(moment[3]), 5 * sqrt(15.0 / N));
    ck_assert_double_lt(fabs(moment[4] - 3), 5 * sqrt(96.0 / N));
    ck_assert_double_lt(fabs((double)tail / N - 0.05), 5 * sqrt(0.05 * 0.95 / N));
    ck_assert_double_lt(fabs(pairs), 5 * sqrt(2.0 / N));
}
END_TEST

START_TEST(whole_numbers_below_n_are_uniform_and_below_n)
{
    enum { N = 70000 };
    const uint64_t key = mmli_rng_key(3, "below", 0);
    double chi2 = 0;
    size_t count[7] = {0};

    for (uint64_t i = 0; i < N; i++) {
        const uint64_t x = mmli_rng_below(key, i, 7);

        ck_assert_uint_lt(x, 7);
        ck_assert_uint_eq(mmli_rng_below(key, i, 1), 0);
        count[x]++;
    }
    for (size_t c = 0; c < 7; c++)
        chi2 += pow((double)count[c] - N / 7.0, 2) / (N / 7.0);
    ck_assert_double_lt(fabs(chi2 - 6), 5 * sqrt(12.0));
}
END_TEST

START_TEST(below_is_the_high_half_of_a_128_bit_product)
{
    const uint64_t key = mmli_rng_key(3, "below", 1);
    uint32_t w[4];

    for (uint64_t i = 0; i < 1000; i++) {
        const uint64_t n = ((uint64_t)1 << (i % 64)) | i;
        uint64_t x;

        mmli_philox(w, key, i / 2);
        x = (uint64_t)w[2 * (i % 2) + 1] << 32 | w[2 * (i % 2)];
        ck_assert_uint_eq(mmli_rng_below(key, i, n), (uint64_t)((__extension__(unsigned __int128)x * n) >> 64));
    }
}
END_TEST

START_TEST(a_shuffle_is_a_permutation_and_every_order_is_as_likely)
{
    enum { N = 24000 };
    size_t order[1000], seen[1000] = {0}, count[256] = {0};
    double chi2 = 0;

    mmli_rng_shuffle(mmli_rng_key(9, "shuffle", 0), order, 1000);
    for (size_t i = 0; i < 1000; i++) {
        ck_assert_uint_lt(order[i], 1000);
        ck_assert_uint_eq(seen[order[i]]++, 0);
    }
    for (uint64_t t = 0; t < N; t++) {
        mmli_rng_shuffle(mmli_rng_key(9, "shuffle four", t), order, 4);
        count[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    for (size_t c = 0; c < 256; c++)
        chi2 += count[c] == 0 ? 0 : pow((double)count[c] - N / 24.0, 2) / (N / 24.0);
    ck_assert_double_lt(fabs(chi2 - 23), 5 * sqrt(2.0 * 23)); /* a missing order would add 1000 elsewhere */
    mmli_rng_shuffle(1, order, 0);
    mmli_rng_shuffle(1, order, 1);
    ck_assert_uint_eq(order[0], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rng");
    TCase *tc = tcase_create("rng");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, philox_gives_the_published_answers);
    tcase_add_test(tc, philox_takes_key_and_counter_low_word_first);
    tcase_add_test(tc, siphash_gives_the_published_answers);
    tcase_add_test(tc, hash64_is_the_one_that_files_hold);
    tcase_add_test(tc, streams_differ_in_seed_name_and_step);
    tcase_add_test(tc, uniform_numbers_are_words_of_the_counter);
    tcase_add_test(tc, uniform_numbers_are_uniform);
    tcase_add_test(tc, normal_numbers_are_normal);
    tcase_add_test(tc, whole_numbers_below_n_are_uniform_and_below_n);
    tcase_add_test(tc, below_is_the_high_half_of_a_128_bit_product);
    tcase_add_test(tc, a_shuffle_is_a_permutation_and_every_order_is_as_likely);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
