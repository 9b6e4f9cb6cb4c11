"""Timed loops over the journal, for the rows ``journal.*``."""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from dataplane.bench_meter cimport Meter
from dataplane.dp_bench_journal cimport (
    dp_bench_group,
    dp_bench_journal_append,
    dp_bench_journal_copy,
    dp_bench_journal_fdatasync,
    dp_bench_journal_fill,
    dp_bench_journal_group,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate, dp_clock_ticks_to_ns
from dataplane.dp_engine cimport dp_orders, dp_orders_config
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_hist cimport dp_hist, dp_hist_init, dp_hist_percentile
from dataplane.dp_recover cimport dp_orders_init, dp_orders_size
from dataplane.dp_wal cimport dp_wal, dp_wal_close, dp_wal_config, dp_wal_open

import os


cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef enum:
    ALIGNMENT = 64
    CALIBRATION_MS = 50


cdef void *_aligned(size_t size) except NULL:
    cdef void *memory = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT)
    if memory is NULL:
        raise MemoryError()
    return memory


cdef class JournalBench:
    """One journal at a time, in a directory of the caller's; it closes with the next one."""

    cdef dp_wal *_wal
    cdef bint _is_open
    cdef dp_clock _clock
    cdef Meter _meter

    def __cinit__(self):
        self._meter = Meter()
        self._wal = <dp_wal *>_aligned(sizeof(dp_wal))
        dp_clock_calibrate(&self._clock, CALIBRATION_MS)

    def __dealloc__(self):
        cdef dp_err ignored
        if self._is_open:
            dp_wal_close(self._wal, &ignored)
        free(self._wal)

    def open(self, str directory, uint64_t segment_size, int durability):
        """Begin a journal there."""
        cdef dp_err err
        cdef dp_wal_config config
        cdef bytes path = os.fsencode(directory)
        self.close()
        memset(&config, 0, sizeof(config))
        config.segment_size = segment_size
        config.appliance = b"bench"
        for index in range(3):
            config.durability[index] = <uint8_t>durability
        if dp_wal_open(self._wal, path, &config, &err) < 0:
            raise_err(&err)
        self._is_open = True

    def close(self):
        """End it."""
        cdef dp_err err
        if self._is_open:
            self._is_open = False
            if dp_wal_close(self._wal, &err) < 0:
                raise_err(&err)

    cdef int _check(self, bint taken) except -1:
        if not taken:
            raise_err(&self._wal.err)
        return 0

    def copy(self, uint64_t count):
        """Copy so many records into the open segment's memory; nothing is a journal afterwards."""
        self._meter.start()
        dp_bench_journal_copy(self._wal.file.memory + 4096, count)
        return self._meter.stop(count)

    def append(self, uint64_t count):
        """Append so many records."""
        self._meter.start()
        cdef bint taken = dp_bench_journal_append(self._wal, count, NULL)
        reading = self._meter.stop(count)
        self._check(taken)
        return reading

    def append_each(self, uint64_t count):
        """Append so many records; return the percentiles of one, less what the clock costs."""
        cdef dp_hist *hist = <dp_hist *>_aligned(sizeof(dp_hist))
        try:
            dp_hist_init(hist)
            self._check(dp_bench_journal_append(self._wal, count, hist))
            return self._percentiles(hist, self._clock.overhead_tsc)
        finally:
            free(hist)

    def fill(self, uint64_t count):
        """Append the lives of orders: so many events."""
        cdef dp_err err
        cdef dp_orders_config config
        config.order_count_max = <unsigned int>(count // 4 + 1)
        config.exec_count_max = <unsigned int>(count // 2 + 1)
        config.user_ref_num_first = 1
        cdef dp_orders *orders = <dp_orders *>_aligned(dp_orders_size(&config))
        try:
            if dp_orders_init(orders, &config, &err) < 0:
                raise_err(&err)
            self._check(dp_bench_journal_fill(self._wal, orders, count))
        finally:
            free(orders)

    def group(self, uint64_t count, uint64_t orders_a_second):
        """Let so many orders wait for the disk, that many due a second."""
        cdef dp_bench_group *group = <dp_bench_group *>_aligned(sizeof(dp_bench_group))
        cdef uint64_t interval_tsc = self._clock.tsc_hz // orders_a_second
        cdef bint taken
        try:
            with nogil:
                taken = dp_bench_journal_group(self._wal, count, interval_tsc, group)
            self._check(taken)
            seconds = <double>group.ticks / <double>self._clock.tsc_hz
            return {
                "orders_a_second": group.count / seconds,
                "barriers": group.barriers,
                "wait_ns": self._percentiles(&group.wait, 0),
            }
        finally:
            free(group)

    def fdatasync(self, str path, uint64_t count):
        """Write 4 KiB and wait for the disk, so many times; return the percentiles of one."""
        cdef dp_hist *hist = <dp_hist *>_aligned(sizeof(dp_hist))
        cdef bytes name = os.fsencode(path)
        try:
            status = dp_bench_journal_fdatasync(name, count, hist)
            if status < 0:
                raise OSError(-status, os.strerror(-status), path)
            return self._percentiles(hist, 0)
        finally:
            free(hist)

    cdef dict _percentiles(self, const dp_hist *hist, uint64_t overhead_tsc):
        values = {
            name: self._ns(dp_hist_percentile(hist, share), overhead_tsc)
            for name, share in (("p50", 50_000), ("p99", 99_000), ("p999", 99_900))
        }
        values["max"] = self._ns(hist.max, overhead_tsc)
        values["mean"] = self._ns(hist.sum // max(hist.count, 1), overhead_tsc)
        return values

    cdef uint64_t _ns(self, uint64_t ticks, uint64_t overhead_tsc):
        return dp_clock_ticks_to_ns(
            &self._clock, ticks - overhead_tsc if ticks > overhead_tsc else 0)
