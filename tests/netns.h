/*
 * netns - a network namespace of the test's own, with a veth pair in it: real interfaces that
 * vanish with the process, whatever happens to it.
 */
#ifndef NETNS_H
#define NETNS_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NETNS_MAC_A "02:00:00:00:00:0a"
#define NETNS_MAC_B "02:00:00:00:00:0b"
#define NETNS_IP_A 0x0a070001u /* 10.7.0.1 */
#define NETNS_IP_B 0x0a070002u

static inline void netns_skip(const char *why)
{
    fprintf(stderr, "skipped: %s\n", why);
    exit(77);
}

/* From here on this process sees only lo, va and vb, both up, with queue_count queues each. */
static inline void netns_enter(int queue_count)
{
    char command[512];
    if (geteuid() != 0)
        netns_skip("needs root, for a network namespace");
    if (system("ip -V >/dev/null 2>&1") != 0)
        netns_skip("needs the command ip (Debian package iproute2)");
    if (unshare(CLONE_NEWNET) != 0)
        netns_skip("this machine allows no network namespace");
    snprintf(command, sizeof(command),
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; "
        "ip link set lo up && ip link add va numrxqueues %d numtxqueues %d address " NETNS_MAC_A
        " type veth peer name vb numrxqueues %d numtxqueues %d address " NETNS_MAC_B
        " && ip link set va up && ip link set vb up",
        queue_count, queue_count, queue_count, queue_count);
    if (system(command) != 0)
        netns_skip("this kernel has no veth interfaces");
}

#endif
