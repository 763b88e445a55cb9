/* watch.c - see watch.h. */
#include "ops/watch.h"

bool mmli_is_watched(const mmli_tape *tape)
{
    return mmli_tape_watched(tape) && !mmli_tape_recording(tape) && mmli_tape_ok(tape);
}

void mmli_show(mmli_tape *tape, const mmli_seen *seen)
{
    const mmli_watch *watch = mmli_tape_watched(tape);

    if (mmli_is_watched(tape))
        mmli_tape_fail(tape, watch->show(watch->user, seen));
}
