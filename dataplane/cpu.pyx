"""Where the calling thread runs and whether its memory stays: set, and read back."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from dataplane.dp_cpu cimport (
    dp_cpu_isolation_of,
    dp_cpu_lock_memory,
    dp_cpu_pin,
    dp_cpu_unlock_memory,
)
from dataplane.dp_err cimport dp_err, raise_err


def pin(uint32_t cpu):
    """Run the calling thread on this core alone, or raise DataplaneError."""
    cdef dp_err err
    memset(&err, 0, sizeof(err))
    if dp_cpu_pin(cpu, &err) < 0:
        raise_err(&err)


def isolation(uint32_t cpu):
    """Return whether the scheduler, and whether the timer, keeps off that core."""
    found = dp_cpu_isolation_of(cpu, NULL)
    return bool(found.isolated), bool(found.nohz_full)


def lock_memory():
    """Keep every page of the process in memory; return how many bytes the kernel says are."""
    cdef dp_err err
    cdef uint64_t locked_bytes = 0
    memset(&err, 0, sizeof(err))
    if dp_cpu_lock_memory(&locked_bytes, &err) < 0:
        raise_err(&err)
    return locked_bytes


def unlock_memory():
    """Undo lock_memory()."""
    cdef dp_err err
    memset(&err, 0, sizeof(err))
    if dp_cpu_unlock_memory(&err) < 0:
        raise_err(&err)
