#include "dp_uring_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <sys/socket.h>
#include <unistd.h>

/* The socket's own buffer behind the ring's. */
#define SOCKET_BUFFER_BYTES (8 << 20)

struct address_text {
    char text[INET_ADDRSTRLEN + 6];
};

static struct address_text text_of(uint32_t ip, uint16_t port)
{
    struct address_text address;
    snprintf(address.text, sizeof(address.text), "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255,
        ip >> 8 & 255, ip & 255, port);
    return address;
}

static struct sockaddr_in socket_address(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
}

static void set_option(int socket, int option, int value)
{
    /* A wish: what the kernel refuses here costs speed or stamps, never packets. */
    (void)setsockopt(socket, SOL_SOCKET, option, &value, sizeof(value));
}

static int bind_socket(
    int socket, const struct dp_port_uring_config *config, uint16_t *local_port, struct dp_err *err)
{
    struct sockaddr_in local = socket_address(config->local_ip, config->local_port);
    socklen_t size = sizeof(local);
    if (config->group_ip != 0)
        set_option(socket, SO_REUSEADDR, 1);
    if (bind(socket, (struct sockaddr *)&local, size) < 0)
        return dp_err_set(err, errno, "uring port: %s: %s; bind to an address of this machine",
            text_of(config->local_ip, config->local_port).text, strerror(errno));
    getsockname(socket, (struct sockaddr *)&local, &size);
    *local_port = ntohs(local.sin_port);
    return 0;
}

static int join_group(int socket, const struct dp_port_uring_config *config, struct dp_err *err)
{
    struct ip_mreqn request = {
        .imr_multiaddr.s_addr = htonl(config->group_ip),
        .imr_address.s_addr = htonl(config->interface_ip),
    };
    if (config->group_ip != 0 &&
        setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
        return dp_err_set(err, errno,
            "uring port: group %s: %s; name a multicast group and the address of an interface "
            "that has a route to it",
            text_of(config->group_ip, config->local_port).text, strerror(errno));
    return 0;
}

static int connect_remote(int socket, const struct dp_port_uring_config *config, struct dp_err *err)
{
    struct sockaddr_in remote = socket_address(config->remote_ip, config->remote_port);
    if (config->remote_ip == 0)
        return 0;
    if (config->group_ip != 0)
        return dp_err_set(err, EINVAL,
            "uring port: remote %s: this port has joined a group and hears many; send through "
            "another port",
            text_of(config->remote_ip, config->remote_port).text);
    if (connect(socket, (struct sockaddr *)&remote, sizeof(remote)) < 0)
        return dp_err_set(err, errno, "uring port: remote %s: %s; give an address with a route",
            text_of(config->remote_ip, config->remote_port).text, strerror(errno));
    return 0;
}

/* Buffers, stamps, polling: wishes, all of them. */
static void set_options(int socket, const struct dp_port_uring_config *config)
{
    const struct in_addr interface = {.s_addr = htonl(config->interface_ip)};
    set_option(socket, SO_RCVBUF, SOCKET_BUFFER_BYTES);
    set_option(socket, SO_SNDBUF, SOCKET_BUFFER_BYTES);
    /* Root may have them beyond net.core.rmem_max, which is 208 KiB mostly: a few hundred packets.
     */
    set_option(socket, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES);
    set_option(socket, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES);
    set_option(socket, SO_TIMESTAMPING,
        SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_HARDWARE |
            SOF_TIMESTAMPING_RAW_HARDWARE);
    if (config->interface_ip != 0)
        (void)setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface));
    if (config->busy_poll_us != 0)
        set_option(socket, SO_BUSY_POLL, (int)config->busy_poll_us);
}

int dp_uring_socket_open(
    const struct dp_port_uring_config *config, uint16_t *local_port, struct dp_err *err)
{
    int found = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (found < 0)
        return dp_err_set(err, errno, "uring port: no socket: %s", strerror(errno));
    set_options(found, config);
    int result = bind_socket(found, config, local_port, err);
    if (result == 0)
        result = join_group(found, config, err);
    if (result == 0)
        result = connect_remote(found, config, err);
    if (result == 0)
        return found;
    close(found);
    return result;
}
