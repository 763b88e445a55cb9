/* sums.c - see sums.h. */
#include "train/sums.h"

#include "util/error.h"

enum { SLOT_LOSS = MMLI_BUCKETS_MOST, SLOT_RISKS, SLOTS };
_Static_assert((int)SLOTS <= (int)MMLI_GROUP_SLOTS, "a group has too few slots");

static mml_status give_bucket(void *user, size_t b)
{
    const mmli_sums *s = user;
    const mmli_bucket *bucket = &s->buckets.list[b];

    return mmli_group_give(s->group, s->rank, b, mmli_at(s->grads, bucket->at), bucket->n, MMLI_GROUP_F32);
}

mml_status mmli_sums_backward(mmli_sums *s, const mmli_bound *bound, mmli_tape *tape)
{
    return mmli_buckets_backward(&s->buckets, bound, tape, give_bucket, s);
}

mml_status mmli_sums_nothing(mmli_sums *s, mmli_device *dv)
{
    mml_status st = MML_OK;

    for (size_t b = 0; b < s->buckets.n; b++) {
        MML_TRY(dv->k.fill(dv, mmli_at(s->grads, s->buckets.list[b].at), s->buckets.list[b].n, 0.0f));
        MML_TRY(give_bucket(s, b));
    }
out:
    return st;
}

mml_status mmli_sums_take(mmli_sums *s)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_group_give(s->group, s->rank, SLOT_LOSS, s->loss, 1, MMLI_GROUP_F64));
    for (size_t b = 0; b < s->buckets.n; b++)
        MML_TRY(mmli_group_take(s->group, s->rank, b));
    MML_TRY(mmli_group_take(s->group, s->rank, SLOT_LOSS));
out:
    return st;
}

mml_status mmli_sums_risks(mmli_var **all, mmli_sums *s, mmli_tape *tape, const mmli_var *risks, const mmli_shard *shard)
{
    mmli_device *dv = mmli_tape_device(tape);
    mmli_var *x = mmli_tape_var(tape, shard->all, 1, true);
    mml_status st = MML_OK;

    MML_TRY(mmli_tape_status(tape));
    MML_TRY(dv->k.fill(dv, x->data, shard->all, 0.0f)); /* one device has a risk, the others add 0: it is what it was */
    if (risks)
        MML_TRY(dv->k.copy(dv, mmli_at(x->data, shard->first), risks->data, shard->count * sizeof(float)));
    MML_TRY(mmli_group_give(s->group, s->rank, SLOT_RISKS, x->data, shard->all, MMLI_GROUP_F32));
    MML_TRY(mmli_group_take(s->group, s->rank, SLOT_RISKS));
    *all = x;
out:
    return st;
}
