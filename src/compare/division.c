/* division.c - how the cohort is divided in one fold: a repetition of the seeded protocol, or columns of the cohort. */
#include <string.h>

#include "compare/plan.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* "split_{fold}=train" -> "split_3=train". NULL gives NULL. */
static mml_status with_fold(const char **out, const char *text, int fold)
{
    static const char mark[] = "{fold}";
    mml_status st = MML_OK;
    mmli_buf b = {0};
    char *made = NULL;

    *out = NULL;
    if (!text)
        return MML_OK;
    for (const char *at; (at = strstr(text, mark)) != NULL; text = at + sizeof mark - 1) {
        MML_TRY(mmli_buf_add(&b, text, (size_t)(at - text)));
        MML_TRY(mmli_buf_printf(&b, "%d", fold));
    }
    MML_TRY(mmli_buf_puts(&b, text));
    MML_TRY(mmli_buf_take(&b, &made));
    *out = made;
out:
    mmli_buf_free(&b);
    return st;
}

mml_status mmli_division(mml_split_options *out, const mml_compare *plan, int fold)
{
    mml_status st = MML_OK;

    mml_split_options_init(out);
    out->valid_fraction = plan->valid_fraction;
    out->seed = plan->split_seed;
    if (!plan->train) {
        out->fold = fold;
        goto out;
    }
    out->seed += (uint64_t)fold; /* what is drawn (a validation part) is drawn anew in each fold */
    MML_TRY(with_fold(&out->train, plan->train, fold));
    MML_TRY(with_fold(&out->valid, plan->valid, fold));
    MML_TRY(with_fold(&out->test, plan->test, fold));
out:
    return st;
}

void mmli_division_clear(mml_split_options *split)
{
    mmli_free((void *)split->train);
    mmli_free((void *)split->valid);
    mmli_free((void *)split->test);
    split->train = split->valid = split->test = NULL;
}
