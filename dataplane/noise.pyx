"""What a machine takes from a spinning thread, in nanoseconds: see sys/dp_noise.h."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate, dp_clock_ticks_to_ns
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_noise cimport (
    DP_NOISE_BUCKETS,
    dp_noise,
    dp_noise_listen,
    dp_noise_memory,
    dp_noise_trip,
    dp_noise_trips,
)


cdef class Meter:
    """Measures on the calling thread's core, with a clock that was calibrated when it was made."""

    cdef dp_clock _clock

    def __cinit__(self):
        with nogil:
            dp_clock_calibrate(&self._clock, 50)

    def clock(self):
        """Return the counter's rate, its error, and whether the rate stays."""
        return {
            "hz": self._clock.tsc_hz,
            "error_ppb": self._clock.error_ppb,
            "read_ns": dp_clock_ticks_to_ns(&self._clock, self._clock.overhead_tsc),
            "invariant": bool(self._clock.invariant),
        }

    def listen(self, double seconds, uint64_t pause_ns_min=1000):
        """Spin for that long; return what stopped the thread for at least ``pause_ns_min``."""
        cdef dp_noise noise
        cdef uint64_t duration = self._ticks(seconds * 1e9)
        cdef uint64_t shortest = self._ticks(pause_ns_min)
        with nogil:
            dp_noise_listen(&noise, duration, shortest)
        counts = [noise.buckets[index] for index in range(DP_NOISE_BUCKETS)]
        return {
            "duration_ns": self._ns(noise.duration_tsc),
            "reads": noise.read_count,
            "pauses": noise.pause_count,
            "pause_total_ns": self._ns(noise.pause_total_tsc),
            "pause_max_ns": self._ns(noise.pause_max_tsc),
            "histogram_ns": {
                self._ns(<uint64_t>1 << index): count
                for index, count in enumerate(counts) if count
            },
        }

    def trip(self, uint32_t here, uint32_t there, uint32_t count=1000, double seconds=0.2):
        """Return how many round trips of a cache line were made, the least and the median in ns.

        Moves the calling thread to core ``here``.
        """
        cdef dp_err err
        cdef dp_noise_trips trips
        cdef uint64_t duration = self._ticks(seconds * 1e9)
        cdef int code
        memset(&err, 0, sizeof(err))
        with nogil:
            code = dp_noise_trip(here, there, count, duration, &trips, &err)
        if code < 0:
            raise_err(&err)
        return trips.count, self._ns(trips.min_tsc), self._ns(trips.median_tsc)

    def memory(self, size_t size, uint32_t loads=200_000):
        """Return the nanoseconds of one load that waits for the one before, over ``size`` bytes."""
        cdef dp_err err
        cdef uint64_t duration = 0
        cdef int code
        memset(&err, 0, sizeof(err))
        with nogil:
            code = dp_noise_memory(size, loads, &duration, &err)
        if code < 0:
            raise_err(&err)
        return self._ns(duration) / <double>loads

    cdef uint64_t _ticks(self, double ns):
        return <uint64_t>(ns * self._clock.tsc_hz / 1e9)

    cdef uint64_t _ns(self, uint64_t ticks):
        return dp_clock_ticks_to_ns(&self._clock, ticks)
