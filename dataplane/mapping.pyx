"""An appliance's region, mapped into another process: what those who read and write it share."""

import errno
import os

from libc.string cimport memset

from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_region cimport dp_region, dp_region_check, dp_region_find
from dataplane.dp_shm cimport dp_shm_attach, dp_shm_close

from dataplane.errors import DataplaneError


cdef class Mapping:
    """One region, mapped until close() or the end of a ``with`` block.

    A subclass that writes sets ``_is_writable`` when it is made.
    """

    @classmethod
    def attach(cls, path):
        """Map the file; raise DataplaneError when it is no region, another layout or not ready."""
        cdef dp_err err
        cdef Mapping mapping = cls.__new__(cls)
        memset(&err, 0, sizeof(err))
        if dp_shm_attach(&mapping._shm, os.fsencode(path), mapping._is_writable, &err) < 0:
            raise_err(&err)
        if dp_region_check(mapping._shm.memory, mapping._shm.size, &err) < 0:
            raise DataplaneError(err.code, f"{os.fspath(path)}: {err.text.decode()}")
        mapping._region = <dp_region *>mapping._shm.memory
        mapping._find_parts()
        return mapping

    def __dealloc__(self):
        dp_shm_close(&self._shm)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Unmap. Every later call raises."""
        self._region = NULL
        dp_shm_close(&self._shm)

    cdef int _find_parts(self) except -1:
        return 0

    cdef void *part(self, str name, size_t size) except NULL:
        cdef size_t found_size = 0
        cdef void *found = dp_region_find(self._checked(), name.encode(), &found_size)
        if found is NULL or found_size < size:
            raise DataplaneError(
                errno.ENOENT, f"region: part '{name}' is missing or smaller than {size} bytes")
        return found

    cdef bint has_part(self, str name) except -1:
        return dp_region_find(self._checked(), name.encode(), NULL) is not NULL

    cdef dp_region *_checked(self) except NULL:
        if self._region is NULL:
            raise DataplaneError(errno.EBADF, "region: closed; attach it again")
        return self._region
