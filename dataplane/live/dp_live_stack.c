#include "dp_live_stack.h"

#include <errno.h>

#ifdef DP_HAVE_LWIP
#include "dp_stream_lwip.h"

#define NETMASK 0xffffff00u /* of no weight: everything goes to the next hop */

struct dp_live_stack {
    struct dp_lwip *lwip;
    uint16_t port_first;
    uint16_t connect_count;
};

struct dp_live_stack *dp_live_stack_open(const struct dp_live_tcp *config, struct dp_port *port,
    const uint8_t mac[6], struct dp_err *err)
{
    struct dp_lwip_config lwip = {.port = port, .ip = config->ip, .netmask = NETMASK};
    struct dp_live_stack *stack = calloc(1, sizeof(*stack));
    if (stack == NULL) {
        dp_err_set(err, ENOMEM, "live: no memory for TCP");
        return NULL;
    }
    memcpy(lwip.mac, mac, sizeof(lwip.mac));
    memcpy(lwip.next_hop_mac, config->next_hop_mac, sizeof(lwip.next_hop_mac));
    stack->port_first = config->port_first;
    stack->lwip = dp_lwip_open(&lwip, err);
    if (stack->lwip == NULL) {
        free(stack);
        return NULL;
    }
    return stack;
}

struct dp_stream *dp_live_stack_connect(
    struct dp_live_stack *stack, const struct dp_order_session_address *address, struct dp_err *err)
{
    const struct dp_stream_lwip_config config = {
        .local_port = (uint16_t)(stack->port_first + stack->connect_count++ % DP_LIVE_STACK_PORTS),
        .remote_ip = address->ip,
        .remote_port = address->port,
    };
    return dp_stream_lwip_open(stack->lwip, &config, err);
}

void dp_live_stack_close(struct dp_live_stack *stack)
{
    if (stack == NULL)
        return;
    dp_lwip_close(stack->lwip);
    free(stack);
}
#else
struct dp_live_stack *dp_live_stack_open(const struct dp_live_tcp *config, struct dp_port *port,
    const uint8_t mac[6], struct dp_err *err)
{
    (void)config;
    (void)port;
    (void)mac;
    dp_err_set(err, ENOTSUP,
        "live: tcp lwip: not in this build; install liblwip-dev and build again, or use kernel");
    return NULL;
}

struct dp_stream *dp_live_stack_connect(
    struct dp_live_stack *stack, const struct dp_order_session_address *address, struct dp_err *err)
{
    (void)stack;
    (void)address;
    (void)err;
    DP_ASSERT(false); /* there is no stack to connect through */
    return NULL;
}

void dp_live_stack_close(struct dp_live_stack *stack)
{
    DP_ASSERT(stack == NULL);
}
#endif
