/* group.h - several devices of one backend that add up what each of them has.
 *
 *     mmli_group_open(&g, devices, n);
 *     the thread of device i, as often as it likes:
 *         mmli_group_give(g, i, slot, x, n, type);     goes on at once
 *         ... other work ...
 *         mmli_group_take(g, i, slot);                 x is the sum of all devices' x, the same bits on each
 *     mmli_group_close(g);
 *
 * A sum is begun when the last device has given its part, by that one's thread and for all of them: so nobody is ever in a sum that
 * another does not come to, and slots may be given in different orders. On a GPU "begun" and "taken" mean queued: the sums run on
 * a stream of their own, beside what the device computes. The sum is taken in an order that follows from the number of devices
 * (and, on GPUs, from how they are connected).
 *
 * Whoever cannot go on says so (mmli_group_fail), and everybody who waits, or comes later, gets MML_E_STOPPED.
 */
#ifndef MMLI_BACKENDS_GROUP_H
#define MMLI_BACKENDS_GROUP_H

#include "backends/backend.h"

typedef struct mmli_group mmli_group;

/* Devices lent until the end. MML_E_BACKEND: they are of different backends, or theirs cannot (no NCCL). */
mml_status mmli_group_open(mmli_group **out, mmli_device *const *devices, size_t n);
/* When no thread uses it any more. NULL is fine. */
void mmli_group_close(mmli_group *group);

/* x (n numbers; n and type alike for all) of device i, for slot < MMLI_GROUP_SLOTS: not to be touched until it is taken. */
mml_status mmli_group_give(mmli_group *group, size_t i, size_t slot, mmli_mem *x, size_t n, mmli_group_type type);
mml_status mmli_group_take(mmli_group *group, size_t i, size_t slot);

/* Ends all waiting. */
void mmli_group_fail(mmli_group *group);

#endif
