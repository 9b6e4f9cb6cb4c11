"""Mirror of core/dp_err.h, and the one place that turns it into an exception."""

from dataplane.errors import DataplaneError


cdef extern from "dp_err.h" nogil:
    struct dp_err:
        int code
        char text[512]


cdef inline int raise_err(const dp_err *err) except -1:
    raise DataplaneError(err.code, (<bytes>err.text).decode("utf-8", "replace"))
