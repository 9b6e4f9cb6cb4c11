/*
 * dp_port_kind - the kinds of ports there are, and whether this build and this machine have them.
 *
 * Any thread. A probe tries the kind out for a moment (opens a socket on loopback, loads a program
 * and attaches it nowhere) and leaves nothing behind.
 */
#ifndef DP_PORT_KIND_H
#define DP_PORT_KIND_H

#include "dp_base.h"
#include "dp_err.h"

struct dp_port_kind {
    const char *name;
    const char *words;                /* what it is */
    const char *library;              /* what a build needs for it; "" for nothing */
    bool is_built;                    /* in this build */
    int (*probe)(struct dp_err *err); /* 0 or -errno; NULL: nothing that could fail, or that could
                                         be tried without changing anything */
};

/* Best first; NULL behind the last. */
const struct dp_port_kind *dp_port_kind_at(size_t index);

#endif
