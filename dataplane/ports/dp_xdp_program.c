#include "dp_xdp_program.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the program looks a packet up by; all as on the wire. */
struct flow_key {
    uint32_t target_ip_be;
    uint16_t target_port_be;
    uint16_t protocol;
};

static_assert(sizeof(struct flow_key) == 8, "as the program builds it on its stack");

struct dp_xdp_program {
    char interface[IF_NAMESIZE];
    int interface_index;
    int flows;   /* map: flow_key -> 1 */
    int sockets; /* map: queue -> socket */
    int program;
    int link;
    enum dp_xdp_hook hook;
    bool takes_pieces;
};

/* Longest packet that a driver brings in a page together with what it keeps there of its own. */
#define ONE_PIECE_MAX 3498

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- the program ---- */

/* eBPF instructions, by the names of the kernel's documentation (Documentation/bpf). */
#define LOAD(size, target, source, at) \
    { \
        .code = BPF_LDX | (size) | BPF_MEM, .dst_reg = (target), .src_reg = (source), .off = (at) \
    }
#define STORE(size, target, at, source) \
    { \
        .code = BPF_STX | (size) | BPF_MEM, .dst_reg = (target), .src_reg = (source), .off = (at) \
    }
#define MOVE(target, source) \
    { \
        .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (target), .src_reg = (source) \
    }
#define SET(target, value) \
    { \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (target), .imm = (value) \
    }
#define ADD(target, value) \
    { \
        .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (target), .imm = (value) \
    }
#define AND(target, value) \
    { \
        .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = (target), .imm = (value) \
    }
#define IF_ABOVE(left, right, skip) \
    { \
        .code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = (left), .src_reg = (right), .off = (skip) \
    }
#define IF_NOT(left, value, skip) \
    { \
        .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (left), .off = (skip), .imm = (value) \
    }
#define IF_EQUAL(left, value, skip) \
    { \
        .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (left), .off = (skip), .imm = (value) \
    }
#define MAP(target, fd) \
    {.code = BPF_LD | BPF_DW | BPF_IMM, \
        .dst_reg = (target), \
        .src_reg = BPF_PSEUDO_MAP_FD, \
        .imm = (fd)}, \
    { \
        .code = 0 \
    }
#define CALL(function) \
    { \
        .code = BPF_JMP | BPF_CALL, .imm = (function) \
    }
#define EXIT() \
    { \
        .code = BPF_JMP | BPF_EXIT \
    }

/* Offsets in an Ethernet frame that holds IPv4 without options. */
#define AT_ETHER_TYPE 12
#define AT_VERSION_AND_LENGTH 14
#define AT_FRAGMENT 20
#define AT_PROTOCOL 23
#define AT_TARGET_IP 30
#define AT_TARGET_PORT 36
#define LOOKED_AT 38
#define STACK_KEY (-(int)sizeof(struct flow_key))

/* r6: the context; r2: the packet; r3: its end; r5: what is looked at. Each jump goes to `pass`. */
static int load_program(struct dp_xdp_program *program, char *log, uint32_t log_size)
{
    const struct bpf_insn code[] = {
        MOVE(BPF_REG_6, BPF_REG_1),
        LOAD(BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct xdp_md, data)),
        LOAD(BPF_W, BPF_REG_3, BPF_REG_6, offsetof(struct xdp_md, data_end)),
        MOVE(BPF_REG_4, BPF_REG_2),
        ADD(BPF_REG_4, LOOKED_AT),
        IF_ABOVE(BPF_REG_4, BPF_REG_3, 25),
        LOAD(BPF_H, BPF_REG_5, BPF_REG_2, AT_ETHER_TYPE),
        IF_NOT(BPF_REG_5, 0x0008, 23), /* 0x0800 as a little-endian load sees it */
        LOAD(BPF_B, BPF_REG_5, BPF_REG_2, AT_VERSION_AND_LENGTH),
        IF_NOT(BPF_REG_5, 0x45, 21),
        LOAD(BPF_H, BPF_REG_5, BPF_REG_2, AT_FRAGMENT),
        AND(BPF_REG_5, 0xff3f), /* more fragments, or an offset */
        IF_NOT(BPF_REG_5, 0, 18),
        LOAD(BPF_W, BPF_REG_5, BPF_REG_2, AT_TARGET_IP),
        STORE(BPF_W, BPF_REG_10, STACK_KEY, BPF_REG_5),
        LOAD(BPF_H, BPF_REG_5, BPF_REG_2, AT_TARGET_PORT),
        STORE(BPF_H, BPF_REG_10, STACK_KEY + 4, BPF_REG_5),
        LOAD(BPF_B, BPF_REG_5, BPF_REG_2, AT_PROTOCOL),
        STORE(BPF_H, BPF_REG_10, STACK_KEY + 6, BPF_REG_5),
        MAP(BPF_REG_1, program->flows),
        MOVE(BPF_REG_2, BPF_REG_10),
        ADD(BPF_REG_2, STACK_KEY),
        CALL(BPF_FUNC_map_lookup_elem),
        IF_EQUAL(BPF_REG_0, 0, 6),
        MAP(BPF_REG_1, program->sockets),
        LOAD(BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct xdp_md, rx_queue_index)),
        SET(BPF_REG_3, XDP_PASS), /* the answer where the queue has no socket */
        CALL(BPF_FUNC_redirect_map),
        EXIT(),
        SET(BPF_REG_0, XDP_PASS), /* pass: */
        EXIT(),
    };
    struct bpf_prog_load_opts options = {
        .sz = sizeof(options),
        .log_buf = log,
        .log_size = log_size,
        .log_level = 1,
        .prog_flags = program->takes_pieces ? BPF_F_XDP_HAS_FRAGS : 0,
    };
    return bpf_prog_load(BPF_PROG_TYPE_XDP, "tickplane", "Apache-2.0", code,
        sizeof(code) / sizeof(code[0]), &options);
}

/* ---- opening ---- */

/* Fills in *request; false when the interface has gone. */
static bool ask(const struct dp_xdp_program *program, unsigned long what, struct ifreq *request)
{
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *request = (struct ifreq){0};
    memcpy(request->ifr_name, program->interface, sizeof(request->ifr_name));
    bool is_told = probe >= 0 && ioctl(probe, what, request) == 0;
    close_fd(probe);
    return is_told;
}

static bool has_long_packets(const struct dp_xdp_program *program)
{
    struct ifreq request;
    return ask(program, SIOCGIFMTU, &request) && request.ifr_mtu > ONE_PIECE_MAX;
}

static int open_maps(struct dp_xdp_program *program, const struct dp_xdp_flow *flows,
    uint32_t flow_count, struct dp_err *err)
{
    program->flows = bpf_map_create(BPF_MAP_TYPE_HASH, "tickplane_flows", sizeof(struct flow_key),
        sizeof(uint32_t), DP_XDP_FLOWS_MAX, NULL);
    program->sockets = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "tickplane_socks", sizeof(uint32_t),
        sizeof(uint32_t), DP_XDP_QUEUES_MAX, NULL);
    if (program->flows < 0 || program->sockets < 0)
        return dp_err_set(err, errno, "xdp program: %s: no BPF maps: %s; run as root",
            program->interface, strerror(errno));
    for (uint32_t index = 0; index < flow_count; index++) {
        struct flow_key key = {
            .target_ip_be = htonl(flows[index].target_ip),
            .target_port_be = htons(flows[index].target_port),
            .protocol = flows[index].protocol,
        };
        uint32_t one = 1;
        if (bpf_map_update_elem(program->flows, &key, &one, BPF_ANY) < 0)
            return dp_err_set(err, errno, "xdp program: %s: flow %u: %s", program->interface, index,
                strerror(errno));
    }
    return 0;
}

static int attach_at(struct dp_xdp_program *program, enum dp_xdp_hook hook)
{
    struct bpf_link_create_opts options = {
        .sz = sizeof(options),
        .flags = hook == DP_XDP_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE,
    };
    program->link = bpf_link_create(program->program, program->interface_index, BPF_XDP, &options);
    program->hook = hook;
    return program->link < 0 ? -errno : 0;
}

static int attach(struct dp_xdp_program *program, bool generic_allowed, struct dp_err *err)
{
    int result = attach_at(program, DP_XDP_NATIVE);
    bool is_taken = result == -EBUSY || result == -EEXIST;
    if (result < 0 && !is_taken && generic_allowed)
        result = attach_at(program, DP_XDP_GENERIC);
    if (result == -EBUSY || result == -EEXIST)
        return dp_err_set(err, -result,
            "xdp program: %s: another XDP program is attached; take it off with: ip link set dev "
            "%s xdp off",
            program->interface, program->interface);
    if (result < 0)
        return dp_err_set(err, -result, "xdp program: %s: cannot be attached: %s",
            program->interface, strerror(-result));
    return 0;
}

static int load(struct dp_xdp_program *program, const struct dp_xdp_flow *flows,
    uint32_t flow_count, struct dp_err *err)
{
    char log[4096] = "";
    int result = open_maps(program, flows, flow_count, err);
    if (result < 0)
        return result;
    program->program = load_program(program, log, sizeof(log));
    if (program->program < 0 && program->takes_pieces) { /* a kernel before 5.18 */
        program->takes_pieces = false;
        program->program = load_program(program, log, sizeof(log));
    }
    if (program->program < 0)
        return dp_err_set(err, errno, "xdp program: %s: refused by the kernel: %s: %.200s",
            program->interface, strerror(errno), log);
    return 0;
}

static int open_all(struct dp_xdp_program *program, const struct dp_xdp_flow *flows,
    uint32_t flow_count, bool generic_allowed, struct dp_err *err)
{
    program->interface_index = (int)if_nametoindex(program->interface);
    if (program->interface_index == 0)
        return dp_err_set(err, ENODEV, "xdp program: %s: no such interface; see: ip -brief link",
            program->interface);
    if (flow_count > DP_XDP_FLOWS_MAX)
        return dp_err_set(err, EINVAL, "xdp program: %s: %u flows; it takes at most %u",
            program->interface, flow_count, DP_XDP_FLOWS_MAX);
    program->takes_pieces = has_long_packets(program);
    int result = load(program, flows, flow_count, err);
    return result < 0 ? result : attach(program, generic_allowed, err);
}

static struct dp_xdp_program *new_program(const char *interface, struct dp_err *err)
{
    struct dp_xdp_program *program = calloc(1, sizeof(*program));
    if (program == NULL) {
        dp_err_set(err, ENOMEM, "xdp program: %s: no memory", interface);
        return NULL;
    }
    snprintf(program->interface, sizeof(program->interface), "%s", interface);
    program->flows = program->sockets = program->program = program->link = -1;
    return program;
}

int dp_xdp_program_probe(struct dp_err *err)
{
    struct dp_xdp_program *program = new_program("probe", err);
    int result = program == NULL ? -err->code : load(program, NULL, 0, err);
    dp_xdp_program_close(program);
    return result;
}

struct dp_xdp_program *dp_xdp_program_open(const char *interface, const struct dp_xdp_flow *flows,
    uint32_t flow_count, bool generic_allowed, struct dp_err *err)
{
    struct dp_xdp_program *program = new_program(interface, err);
    if (program == NULL)
        return NULL;
    if (open_all(program, flows, flow_count, generic_allowed, err) < 0) {
        dp_xdp_program_close(program);
        return NULL;
    }
    return program;
}

enum dp_xdp_hook dp_xdp_program_hook(const struct dp_xdp_program *program)
{
    return program->hook;
}

bool dp_xdp_program_takes_pieces(const struct dp_xdp_program *program)
{
    return program->takes_pieces;
}

const char *dp_xdp_program_interface(const struct dp_xdp_program *program)
{
    return program->interface;
}

void dp_xdp_program_mac(const struct dp_xdp_program *program, uint8_t mac[6])
{
    struct ifreq request;
    if (ask(program, SIOCGIFHWADDR, &request))
        memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    else
        memset(mac, 0, 6);
}

int dp_xdp_program_add_socket(
    struct dp_xdp_program *program, uint32_t queue, int socket, struct dp_err *err)
{
    if (bpf_map_update_elem(program->sockets, &queue, &socket, BPF_ANY) < 0)
        return dp_err_set(err, errno, "xdp program: %s: queue %u: %s; it takes queues 0 to %u",
            program->interface, queue, strerror(errno), DP_XDP_QUEUES_MAX - 1);
    return 0;
}

void dp_xdp_program_close(struct dp_xdp_program *program)
{
    if (program == NULL)
        return;
    close_fd(program->link); /* first: no packet finds half of the rest */
    close_fd(program->program);
    close_fd(program->sockets);
    close_fd(program->flows);
    free(program);
}
