/* words.c - lists on the command line. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int mmlc_words(const char ***out, size_t *n, char **copy, const char *text)
{
    size_t most = 1;

    *out = NULL;
    *n = 0;
    *copy = NULL;
    if (text == NULL)
        return 1;
    for (const char *c = text; *c != '\0'; c++)
        most += *c == ',';
    *copy = strdup(text);
    *out = calloc(most, sizeof **out);
    if (*copy == NULL || *out == NULL)
        return 0;
    for (char *word = *copy, *end; word != NULL; word = end) {
        end = strchr(word, ',');
        if (end != NULL)
            *end++ = '\0';
        if (*word != '\0')
            (*out)[(*n)++] = word;
    }
    return 1;
}
