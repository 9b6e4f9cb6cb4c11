/*
 * The way out: orders held to limits behind the program's own gate, and a switch that stops them.
 *
 * A frame is judged as a whole, for TCP cannot be sent in parts: when one order in it may not
 * leave, none does, and the session's sequence numbers tell the program at once. Cancels, logins
 * and heartbeats always pass. A payload that is not whole SoupBinTCP packets could hide an order in
 * its halves, so behind the gate it is refused; our order path never sends one.
 */
#include "dp_card_soft.h"
#include "dp_net.h"
#include "dp_ouch.h"

#define SOUP_HEADER 3u /* length of two bytes, which counts the type behind it */
#define SOUP_UNSEQUENCED 'U'
#define ENTER 'O'
#define REPLACE 'U'

/* What a frame holds: how many orders, and the reason that stops it (FRAMES_OUT: none). */
struct verdict {
    uint32_t order_count;
    enum dp_card_count reason;
};

static void judge_order(
    const struct dp_card_soft *soft, const uint8_t *data, uint32_t size, struct verdict *verdict)
{
    struct dp_ouch_message message;
    if (size == 0 || (data[0] != ENTER && data[0] != REPLACE))
        return;
    verdict->order_count++;
    if (dp_ouch_decode(data, size, DP_OUCH_INBOUND, &message) != DP_OUCH_OK)
        verdict->reason = DP_CARD_COUNT_REFUSED_UNCLEAR;
    else if (soft->control & DP_CARD_HALT)
        verdict->reason = DP_CARD_COUNT_REFUSED_HALT;
    else if (!(soft->control & DP_CARD_GATE))
        return;
    else if (message.qty > soft->qty_max)
        verdict->reason = DP_CARD_COUNT_REFUSED_QTY;
    else if (soft->price_max != UINT32_MAX && message.price_wire > soft->price_max)
        verdict->reason = DP_CARD_COUNT_REFUSED_PRICE;
}

static struct verdict judge(const struct dp_card_soft *soft, const uint8_t *data, uint32_t size)
{
    struct verdict verdict = {.reason = DP_CARD_COUNT_FRAMES_OUT};
    uint32_t at = 0;
    while (at < size && verdict.reason == DP_CARD_COUNT_FRAMES_OUT) {
        uint32_t left = size - at;
        uint32_t length = left < SOUP_HEADER ? 0 : dp_load_be16(data + at);
        if (length == 0 || length + 2 > left) {
            verdict.reason = DP_CARD_COUNT_REFUSED_UNCLEAR;
            break;
        }
        if (data[at + 2] == SOUP_UNSEQUENCED)
            judge_order(soft, data + at + SOUP_HEADER, length - 1, &verdict);
        at += length + 2;
    }
    if (verdict.reason == DP_CARD_COUNT_FRAMES_OUT && (soft->control & DP_CARD_GATE) &&
        soft->credit != UINT32_MAX && verdict.order_count > soft->credit)
        verdict.reason = DP_CARD_COUNT_REFUSED_CREDIT;
    return verdict;
}

/* ARP and the like carry no orders, UDP neither; a fragment or a broken header might. */
static struct verdict judge_frame(
    const struct dp_card_soft *soft, const uint8_t *frame, uint32_t size)
{
    struct dp_net_packet net;
    enum dp_net_result result = dp_net_parse(frame, size, false, &net);
    if (result == DP_NET_OTHER || (result == DP_NET_OK && net.protocol == DP_NET_UDP))
        return (struct verdict){.reason = DP_CARD_COUNT_FRAMES_OUT};
    if (result != DP_NET_OK)
        return (struct verdict){.reason = DP_CARD_COUNT_REFUSED_UNCLEAR};
    return judge(soft, net.payload, net.payload_size);
}

bool dp_card_soft_gate(struct dp_card_soft *soft, const uint8_t *frame, uint32_t size)
{
    struct verdict verdict = {.reason = DP_CARD_COUNT_FRAMES_OUT};
    if (soft->control & (DP_CARD_GATE | DP_CARD_HALT))
        verdict = judge_frame(soft, frame, size);
    soft->counts[verdict.reason]++;
    if (verdict.reason != DP_CARD_COUNT_FRAMES_OUT)
        return false;
    soft->counts[DP_CARD_COUNT_ORDERS_OUT] += verdict.order_count;
    if ((soft->control & DP_CARD_GATE) && soft->credit != UINT32_MAX)
        soft->credit -= verdict.order_count;
    return true;
}
