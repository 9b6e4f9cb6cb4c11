#include "dp_server_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
#define UDP_SEND_BYTES (4 << 20)

static struct sockaddr_in wire_address(const struct dp_server_address *address)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(address->ip),
        .sin_port = htons(address->port),
    };
}

static int fail(int file, const char *what, const struct dp_server_address *address,
    const char *remedy, struct dp_err *err)
{
    int code = errno;
    struct in_addr ip = {.s_addr = htonl(address->ip)};
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &ip, text, sizeof(text));
    if (file >= 0)
        close(file);
    return dp_err_set(
        err, code, "%s: %s:%u: %s; %s", what, text, address->port, strerror(code), remedy);
}

static int bound(
    int type, const char *what, const struct dp_server_address *address, struct dp_err *err)
{
    int on = 1;
    int file = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0)
        return fail(file, what, address, "close programs that hold descriptors", err);
    struct sockaddr_in wire = wire_address(address);
    if (setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(file, (struct sockaddr *)&wire, sizeof(wire)) < 0)
        return fail(file, what, address,
            "give an address of this machine and a port that is free, or port 0", err);
    return file;
}

int dp_server_listen(const char *what, const struct dp_server_address *address, struct dp_err *err)
{
    int file = bound(SOCK_STREAM, what, address, err);
    if (file >= 0 && listen(file, BACKLOG) < 0)
        return fail(file, what, address, "give another port", err);
    return file;
}

int dp_server_udp(const char *what, const struct dp_server_address *address, uint32_t multicast_ip,
    struct dp_err *err)
{
    int file = bound(SOCK_DGRAM, what, address, err);
    if (file < 0)
        return file;
    int bytes = UDP_SEND_BYTES;
    setsockopt(file, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); /* as much as it gives */
    struct in_addr interface = {.s_addr = htonl(multicast_ip)};
    if (multicast_ip != 0 &&
        setsockopt(file, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface)) < 0)
        return fail(file, what, &(struct dp_server_address){.ip = multicast_ip},
            "give an address of one of this machine's interfaces", err);
    return file;
}

uint16_t dp_server_port_of(int file)
{
    struct sockaddr_in wire;
    socklen_t size = sizeof(wire);
    int result = getsockname(file, (struct sockaddr *)&wire, &size);
    DP_ASSERT(result == 0);
    return ntohs(wire.sin_port);
}
