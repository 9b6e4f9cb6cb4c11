/*
 * dp_wal_guard - a store into a segment whose disk is gone does not end the process.
 *
 * The kernel asks the file system again at the first store to a page that it has written back. One
 * that has shut itself down after an error may answer with SIGBUS (XFS does, ext4 with
 * data=journal, any whose file was cut short), which would end the run with its orders open. So
 * SIGBUS is ours while a segment is watched: an address in one sets the flag of its journal, memory
 * of the process takes the place of that page and of the segment behind it, and the store goes on
 * there. Every other address, and the signal sent by somebody, are left to whoever had it before:
 * by default, the end of the process.
 *
 * What is stored there dies with the process. So whoever reads the flag takes it for a flush that
 * failed, and lets nothing leave whose record may stand there. The flag is set before the memory is
 * changed: who flushes, finds no fault and then no flag has flushed the file. It stays set.
 *
 * Any thread; a lock among those who watch and unwatch. The handler takes none and waits for
 * nobody: a slot is for it what it was when both reads of its start agree (watch() stores the start
 * last, with release), and that of its own segment stands still as long as somebody may store
 * there. A thread that may store must not have SIGBUS blocked.
 */
#ifndef DP_WAL_GUARD_H
#define DP_WAL_GUARD_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_WAL_GUARD_MAX 64 /* segments watched at a time, by all journals of a process */

/* memory: whole pages, mapped until dp_wal_guard_unwatch(). 0, or -EMFILE with all slots in use. */
int dp_wal_guard_watch(uint8_t *memory, uint64_t size, _Atomic bool *lost);
/* Behind it no thread stores there. What is not watched is fine. */
void dp_wal_guard_unwatch(const uint8_t *memory);

#endif
