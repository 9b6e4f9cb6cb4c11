"""Mirror of core/dp_err.h, and the one place that turns it into an exception."""


cdef extern from "dp_err.h" nogil:
    struct dp_err:
        int code
        char text[512]


cdef inline int raise_err(const dp_err *err) except -1:
    # Here, not above: an import at the top of a .pxd is never run.
    from dataplane.errors import DataplaneError
    raise DataplaneError(err.code, (<bytes>err.text).decode("utf-8", "replace"))
