/* hidden.h - a backend for tests whose memory the host cannot touch.
 *
 * It is the reference backend compiled a second time, with bit 55 flipped in every address it gives
 * out: on x86-64 such an address is not canonical (with five-level paging: not mapped), on AArch64 it
 * belongs to the kernel's half (the tag bits 56-63 would be ignored), so a dereference by code above
 * the backend is a fault at once, while mmli_at still moves it. Whatever trains and predicts on
 * this backend reads device memory through `download` only.
 *
 * It also counts allocations, of all its devices together: tests see leaks, and see that a warm
 * training step allocates nothing. And it has turns (backend.h), and fails where memory is sent to in the turn after it was.
 */
#ifndef MMLT_HIDDEN_H
#define MMLT_HIDDEN_H

#include "backends/backend.h"

extern mmli_backend mmlt_backend_hidden; /* filled before main; nobody else writes to it */

/* Opened by mmli_device_open_table(&dv, &mmlt_backend_hidden, threads). Buffers allocated and not yet
 * freed; all calls of alloc since the program began. */
size_t mmlt_hidden_live(void);
size_t mmlt_hidden_allocs(void);

/* The n-th alloc from now fails with MML_E_NOMEM (0 = none). */
void mmlt_hidden_fail_at(size_t n);

#endif
