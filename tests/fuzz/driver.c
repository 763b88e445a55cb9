/* driver.c - runs a fuzz target without libFuzzer: on the files named, or on the stored seeds and mutations of them.
 *
 * The mutations are drawn from Philox by (seed file, number): the same on every machine, so a failure can be had again.
 * MMLT_FUZZ_RUNS = mutations of each seed [200]. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "util/rng.h"

enum { ROOM = 1 << 20 };

static size_t inputs;
static bool verbose;

static size_t load(uint8_t *bytes, const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL) {
        perror(path);
        exit(99);
    }
    n = fread(bytes, 1, ROOM / 2, f);
    fclose(f);
    return n;
}

/* One change: a byte, a bit, a run cut out, copied or repeated, a number at its edge, the end cut off. */
static size_t change(uint8_t *b, size_t n, uint64_t key, uint64_t *i)
{
    const size_t at = n == 0 ? 0 : (size_t)mmli_rng_below(key, (*i)++, n);
    const size_t left = n - at, length = left == 0 ? 0 : 1 + (size_t)mmli_rng_below(key, (*i)++, left < 64 ? left : 64);
    static const uint8_t odd[] = {0, 0xFF, 0x7F, 0x80, '"', ',', '\n', '\r', '=', '[', ';', ' '};

    if (n == 0)
        return 0;
    switch (mmli_rng_below(key, (*i)++, 7)) {
    case 0: b[at] = (uint8_t)mmli_rng_below(key, (*i)++, 256); return n;
    case 1: b[at] ^= (uint8_t)(1u << mmli_rng_below(key, (*i)++, 8)); return n;
    case 2: b[at] = odd[mmli_rng_below(key, (*i)++, sizeof odd)]; return n;
    case 3: memmove(b + at, b + at + length, left - length); return n - length;
    case 4:
        if (n + length > ROOM)
            return n;
        memmove(b + at + length, b + at, left); /* the run twice */
        return n + length;
    case 5: memset(b + at, mmli_rng_below(key, (*i)++, 2) ? 0xFF : 0, length); return n;
    default: return at + length; /* truncated */
    }
}

static void mutate(const char *path, const uint8_t *seed, size_t n, size_t runs)
{
    static uint8_t bytes[ROOM];

    for (size_t r = 0; r < runs; r++) {
        const uint64_t key = mmli_rng_key(r, strrchr(path, '/') + 1, 0);
        uint64_t i = 1;
        size_t size = n;

        memcpy(bytes, seed, n);
        for (uint64_t k = 1 + mmli_rng_below(key, 0, 4); k > 0; k--)
            size = change(bytes, size, key, &i);
        if (verbose)
            fprintf(stderr, "%s, mutation %zu\n", path, r);
        LLVMFuzzerTestOneInput(bytes, size);
        inputs++;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    static uint8_t bytes[ROOM];
    const char *source = getenv("MMLT_SRCDIR"), *given = getenv("MMLT_FUZZ_RUNS");
    const size_t runs = given == NULL ? 200 : (size_t)strtoul(given, NULL, 10);
    char folder[600], path[900], *names[1000];
    struct dirent *e;
    size_t n_names = 0;
    DIR *d;

    verbose = getenv("MMLT_FUZZ_VERBOSE") != NULL;
    for (int i = 1; i < argc; i++) {
        LLVMFuzzerTestOneInput(bytes, load(bytes, argv[i]));
        printf("ok - %s\n", argv[i]);
    }
    if (argc > 1)
        return 0;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/seeds/%s", source == NULL ? "." : source, mmlt_fuzz_name);
    if ((d = opendir(folder)) == NULL) {
        perror(folder);
        return 99;
    }
    while ((e = readdir(d)) != NULL && n_names < 1000)
        if (e->d_name[0] != '.')
            names[n_names++] = strdup(e->d_name);
    closedir(d);
    qsort(names, n_names, sizeof *names, by_name);
    for (size_t i = 0; i < n_names; i++) {
        size_t n;

        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        n = load(bytes, path);
        LLVMFuzzerTestOneInput(bytes, n);
        inputs++;
        if (strncmp(names[i], "once_", 5) != 0) /* make_seeds.py says why */
            mutate(path, bytes, n, runs);
        printf("ok - %s and what comes of it\n", names[i]);
        free(names[i]);
    }
    fprintf(stderr, "%s: %zu inputs\n", mmlt_fuzz_name, inputs);
    return n_names > 0 ? 0 : 1;
}
