#include "dp_port_kind.h"

#ifdef DP_HAVE_URING
#include "dp_port_uring.h"

static int probe_uring(struct dp_err *err)
{
    const struct dp_port_uring_config config = {.local_ip = 0x7f000001};
    struct dp_port *port = dp_port_uring_open(&config, err);
    return port == NULL ? -err->code : dp_port_close(port, err);
}
#define URING true, probe_uring
#else
#define URING false, NULL
#endif

#ifdef DP_HAVE_XDP
#include "dp_xdp_program.h"
#define XDP true, dp_xdp_program_probe
#else
#define XDP false, NULL
#endif

#ifdef DP_HAVE_DPDK
#define DPDK true, NULL
#else
#define DPDK false, NULL
#endif

static const struct dp_port_kind kinds[] = {
    {"dpdk", "a card or virtual device through DPDK", "libdpdk", DPDK},
    {"xdp", "a queue of a kernel interface through AF_XDP", "libxdp and libbpf", XDP},
    {"uring", "UDP of the kernel through io_uring", "liburing", URING},
    {"pcap", "a recorded capture", "", true, NULL},
    {"loop", "two ends in memory", "", true, NULL},
};

const struct dp_port_kind *dp_port_kind_at(size_t index)
{
    return index < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[index] : NULL;
}
