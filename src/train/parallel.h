/* parallel.h - a training on several devices: each has the whole model, and works on its part of every batch.
 *
 * Gradients are added up before each device takes the same optimiser step, so all of them hold the same bits at any time. Validation is
 * shared by batches: what a patient is told does not depend on which device says it. The first device is the training itself: it also
 * keeps the best weights and writes checkpoints; the others follow, each with a thread of its own.
 */
#ifndef MMLI_TRAIN_PARALLEL_H
#define MMLI_TRAIN_PARALLEL_H

#include "train/trainer.h"

/* t: set up on the first of the devices; the others get copies, divided as t is by `part` (N) and with its frozen parameters. */
mml_status mmli_parallel_new(mmli_parallel **out, mmli_trainer *t, const mmli_devices *devices, const mml_part *part);
/* Ends the threads. NULL is fine. */
void mmli_parallel_free(mmli_parallel *p);
/* Before the first step, and after a checkpoint was read: every device is where the first one is. */
mml_status mmli_parallel_begin(mmli_parallel *p);
/* mmli_train_step with all devices. A failure of one of them is told, and ends the others' waiting. */
mml_status mmli_parallel_step(mmli_parallel *p, const size_t *samples, size_t n, double rate);
/* mmli_train_validate_batches with all devices, for the first one. */
mml_status mmli_parallel_validate(mmli_parallel *p);
/* That of device i; tests. */
const mmli_trainer *mmli_parallel_trainer(const mmli_parallel *p, size_t i);

#endif
