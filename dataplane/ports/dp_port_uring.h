/*
 * dp_port_uring - UDP datagrams through io_uring: no privilege, any interface, loopback too.
 *
 * Receiving is one multishot recvmsg that the kernel fills into a ring of our buffers; a receive
 * call takes what has completed and enters the kernel only when nothing has (with DEFER_TASKRUN
 * completions are made by the thread that asks, so spinning without entering would wait for a
 * scheduler tick: 4 ms). Sending copies each datagram into a buffer of the port, so the caller's
 * memory is free at once, and submits a burst with one system call.
 *
 * One thread opens, uses and closes a port: the ring accepts no other (SINGLE_ISSUER). Times are
 * the kernel's receive stamps (CLOCK_REALTIME).
 *
 * Needs Linux 6.1 or later; liburing where it is built.
 */
#ifndef DP_PORT_URING_H
#define DP_PORT_URING_H

#include "dp_port.h"

#define DP_PORT_URING_BUFFERS_MAX 32768u

enum dp_port_uring_mode {
    DP_PORT_URING_DEFER = 0, /* DEFER_TASKRUN: everything on the owner's core */
    DP_PORT_URING_SQPOLL,    /* a kernel thread submits; give it a core of its own */
};

/* Addresses and ports in host order. Zeroes are the defaults. */
struct dp_port_uring_config {
    uint32_t local_ip;     /* to bind; 0: any */
    uint16_t local_port;   /* 0: the kernel chooses (receive nothing but answers) */
    uint32_t group_ip;     /* multicast group to join; 0: none */
    uint32_t interface_ip; /* address of the interface to join on, or to send to a group from;
                              0: by route */
    /* Where sends go; the only peer that is heard then. 0: the port only receives. A group may be
     * sent to, but not by a port that has joined one. */
    uint32_t remote_ip;
    uint16_t remote_port;
    bool zero_copy_send;   /* worth it for kilobytes, not for order-sized packets */
    uint32_t buffer_count; /* receive buffers, a power of two; 0: 1024 */
    uint32_t busy_poll_us; /* SO_BUSY_POLL: the receiver polls the driver's queue; 0: off */
    enum dp_port_uring_mode mode;
    int sqpoll_cpu; /* SQPOLL only; -1: the kernel's choice */
};

/* NULL with err filled in: no io_uring here (a kernel before 6.1, or a sysctl that forbids it), an
 * address that cannot be bound, a group that cannot be joined. */
struct dp_port *dp_port_uring_open(const struct dp_port_uring_config *config, struct dp_err *err);
/* The port number it is bound to, for a config that left the choice to the kernel. */
uint16_t dp_port_uring_local_port(const struct dp_port *port);

#endif
