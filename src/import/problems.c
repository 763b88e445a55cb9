/* problems.c - see problems.h. */
#include "import/problems.h"

#include <string.h>

/* A file that cannot be used may be met twice: for its samples, and for its values. */
static bool is_noted(const mmli_problems *p, const char *message)
{
    const size_t n = strlen(message);

    for (const char *line = p->text.text; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, message, n) == 0 && line[n] == '\n')
            return true;
    return false;
}

mml_status mmli_problem(mmli_problems *p, mml_status st)
{
    if (st == MML_OK || p == NULL || !p->collect || st == MML_E_NOMEM || st == MML_E_STOPPED || st == MML_E_INTERNAL)
        return st;
    p->met++;
    if (p->n < MMLI_PROBLEMS_KEPT && is_noted(p, mml_last_error()))
        return MML_OK;
    if (p->n++ >= MMLI_PROBLEMS_KEPT)
        return MML_OK;
    return mmli_buf_printf(&p->text, "%s\n", mml_last_error());
}
