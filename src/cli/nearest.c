/* nearest.c - the name a user may have meant. */
#include <string.h>

#include "cli/opt.h"

enum { LONGEST = 64 };

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal string alignment). */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    size_t rows[3][LONGEST + 1];

    if (na > LONGEST || nb > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[na % 3][nb];
}

const char *mmlc_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t length = strlen(word), least = 0;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);

        /* The beginning of a name counts as one slip: --weight for --weight-decay. */
        if (length >= 3 && strncmp(word, names[i], length) == 0)
            d = 1;
        if (d <= 1 + length / 4 && d < length && (best == NULL || d < least)) {
            best = names[i];
            least = d;
        }
    }
    return best;
}
