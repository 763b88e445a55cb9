/* problems.c - see problems.h. */
#include "import/problems.h"

mml_status mmli_problem(mmli_problems *p, mml_status st)
{
    if (st == MML_OK || !p->collect || st == MML_E_NOMEM || st == MML_E_STOPPED || st == MML_E_INTERNAL)
        return st;
    if (p->n++ >= MMLI_PROBLEMS_KEPT)
        return MML_OK;
    return mmli_buf_printf(&p->text, "%s\n", mml_last_error());
}
