"""Timed loops over a skip list that many may write, for the rows ``skiplist.*``."""

from libc.string cimport memset

from dataplane.bench_meter cimport Meter
from dataplane.dp_bench_skiplist cimport (
    DP_BENCH_LEVEL_OPS,
    dp_bench_map,
    dp_bench_map_close,
    dp_bench_map_delete,
    dp_bench_map_insert,
    dp_bench_map_is_there,
    dp_bench_map_lookup,
    dp_bench_map_open,
    dp_bench_skiplist,
    dp_bench_skiplist_close,
    dp_bench_skiplist_delete,
    dp_bench_skiplist_insert,
    dp_bench_skiplist_lookup,
    dp_bench_skiplist_open,
)
from dataplane.dp_err cimport dp_err, raise_err


cdef class SkiplistBench:
    """Lists of that many levels each; one reading is one call of the C loop."""

    cdef dp_bench_skiplist *_bench
    cdef Meter _meter

    def __cinit__(self, int level_count):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        self._meter = Meter()
        self._bench = dp_bench_skiplist_open(level_count, &err)
        if self._bench is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_bench_skiplist_close(self._bench)

    def insert(self):
        """Put new levels in; the reading of that."""
        self._meter.start()
        dp_bench_skiplist_insert(self._bench)
        return self._meter.stop(DP_BENCH_LEVEL_OPS)

    def delete(self):
        """Take them out again."""
        self._meter.start()
        dp_bench_skiplist_delete(self._bench)
        return self._meter.stop(DP_BENCH_LEVEL_OPS)

    def lookup(self):
        """Look for levels that are there."""
        self._meter.start()
        dp_bench_skiplist_lookup(self._bench)
        return self._meter.stop(DP_BENCH_LEVEL_OPS)


cdef class MapBench:
    """The same with std::map; only where ``is_there()``."""

    cdef dp_bench_map *_map
    cdef Meter _meter

    def __cinit__(self, int level_count):
        self._meter = Meter()
        self._map = dp_bench_map_open(level_count)
        if self._map is NULL:
            raise RuntimeError("bench: std::map: not built; install a C++ compiler and build again")

    def __dealloc__(self):
        dp_bench_map_close(self._map)

    @staticmethod
    def is_there():
        """Tell whether there was a C++ compiler."""
        return dp_bench_map_is_there()

    def insert(self):
        """Put new keys in; the reading of that."""
        self._meter.start()
        dp_bench_map_insert(self._map)
        return self._meter.stop(DP_BENCH_LEVEL_OPS)

    def delete(self):
        """Take them out again."""
        self._meter.start()
        dp_bench_map_delete(self._map)
        return self._meter.stop(DP_BENCH_LEVEL_OPS)

    def lookup(self):
        """Look for keys that are there."""
        self._meter.start()
        dp_bench_map_lookup(self._map)
        return self._meter.stop(DP_BENCH_LEVEL_OPS)
