/*
 * netns - a network namespace of the test's own, with a veth pair in it, and a second one for the
 * other host: real interfaces that vanish with the processes, whatever happens to them.
 */
#ifndef NETNS_H
#define NETNS_H

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
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

/* Frames leave with their checksums filled in: else a reader of raw frames sees half of one. */
static inline void netns_checksum_in_software(const char *interface)
{
    struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM, .data = 0};
    struct ifreq request = {.ifr_data = (void *)&off};
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
    if (ioctl(control, SIOCETHTOOL, &request) != 0)
        netns_skip("this kernel cannot turn checksum offload off");
    close(control);
}

/* A second host, in a process and namespace of its own: it has vb, with the address of B, and its
 * kernel's stack. It runs `host` and ends; it dies with the test. After netns_enter(). */
static inline pid_t netns_start_host(void (*host)(void))
{
    char command[512];
    char byte = 'x';
    int ready[2];
    int moved[2];
    if (pipe(ready) != 0 || pipe(moved) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWNET) != 0 || write(ready[1], &byte, 1) != 1 ||
            read(moved[0], &byte, 1) != 1)
            _exit(1);
        if (system("ip link set lo up; ip addr add 10.7.0.2/24 dev vb; ip link set vb up; "
                   "ip neigh replace 10.7.0.1 lladdr " NETNS_MAC_A " dev vb") != 0)
            _exit(1);
        netns_checksum_in_software("vb");
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        host();
        _exit(0);
    }
    snprintf(command, sizeof(command), "ip link set vb netns %d", (int)child);
    if (read(ready[0], &byte, 1) != 1 || system(command) != 0 || write(moved[1], &byte, 1) != 1 ||
        read(ready[0], &byte, 1) != 1)
        netns_skip("no second namespace here");
    close(ready[0]);
    close(ready[1]);
    close(moved[0]);
    close(moved[1]);
    return child;
}

#endif
