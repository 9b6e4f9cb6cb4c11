"""Mirror of ports/dp_port_kind.h."""

from dataplane.dp_err cimport dp_err


cdef extern from "dp_port_kind.h" nogil:
    struct dp_port_kind:
        const char *name
        const char *words
        const char *library
        bint is_built
        int (*probe)(dp_err *err) noexcept

    const dp_port_kind *dp_port_kind_at(size_t index)
