/*
 * The way in: one copy of each message, and of unarmed instruments only the numbers.
 *
 * A filter that dropped messages would make holes in the sequence, which the program would ask for
 * again. So a message is emptied: its length becomes 0, its number stays used up (MoldUDP64: a
 * message block may have no data). What the filter does not understand, it passes as it is: other
 * ports, fragments, wrong sums, messages without an instrument, and directory messages, which tell
 * the program what there is and how it stands.
 */
#include "dp_card_soft.h"
#include "dp_moldudp.h"
#include "dp_net.h"

#define ETHERNET_SIZE 14u
#define VLAN_SIZE 4u
#define UDP_SIZE 8u
#define LENGTH_SIZE 2u
#define LOCATE_AT 1u
#define ITCH_LOCATE_END 3u
/* ITCH 5.0: orders, their changes, trades, imbalances. Of all else there is little. */
#define FLOW "AFECXDUPQBI"

static void count(struct dp_card_soft *soft, enum dp_card_count which)
{
    soft->counts[which]++;
}

static bool is_feed(
    const struct dp_card_soft *soft, const uint8_t *frame, uint32_t size, struct dp_net_packet *net)
{
    return dp_net_parse(frame, size, true, net) == DP_NET_OK && net->protocol == DP_NET_UDP &&
        (soft->feed_port == 0 || net->target_port == soft->feed_port);
}

static bool is_of_session(const struct dp_card_soft *soft, const struct dp_moldudp_packet *packet)
{
    return dp_load_be32(packet->session) == soft->session[0] &&
        dp_load_be32(packet->session + 4) == soft->session[1] &&
        dp_load_be16(packet->session + 8) == soft->session[2] >> 16;
}

/* Whether every message of the packet has been seen; moves on where it continues the sequence. A
 * hole stops moving until the program says what is expected: both lines may still bring it. */
static bool was_seen(struct dp_card_soft *soft, const struct dp_moldudp_packet *packet)
{
    uint64_t end = packet->sequence + packet->message_count;
    bool has_messages =
        packet->message_count != 0 && packet->message_count != DP_MOLDUDP_END_OF_SESSION;
    if (!(soft->control & DP_CARD_ARBITRATE) || soft->expected == 0 || !has_messages ||
        !is_of_session(soft, packet))
        return false;
    if (end <= soft->expected)
        return true;
    if (packet->sequence <= soft->expected)
        soft->expected = end;
    return false;
}

static bool is_wanted(const struct dp_card_soft *soft, const uint8_t *message, uint32_t size)
{
    if (size < ITCH_LOCATE_END || memchr(FLOW, message[0], sizeof(FLOW) - 1) == NULL)
        return true;
    uint16_t locate = dp_load_be16(message + LOCATE_AT);
    return locate == 0 || dp_card_soft_is_armed(soft, locate);
}

/* Copies the blocks, unwanted ones without their data. Returns the bytes written. */
static uint32_t copy_blocks(
    struct dp_card_soft *soft, const struct dp_moldudp_packet *packet, uint8_t *out)
{
    uint32_t written = 0;
    for (size_t at = 0; at + LENGTH_SIZE <= packet->blocks_size;) {
        const uint8_t *block = packet->blocks + at;
        uint32_t length = dp_load_be16(block);
        bool wanted = is_wanted(soft, block + LENGTH_SIZE, length);
        uint32_t kept = wanted ? length : 0;
        dp_store_be16(out + written, (uint16_t)kept);
        memcpy(out + written + LENGTH_SIZE, block + LENGTH_SIZE, kept);
        written += LENGTH_SIZE + kept;
        at += LENGTH_SIZE + length;
        count(soft, DP_CARD_COUNT_MESSAGES_IN);
        if (!wanted)
            count(soft, DP_CARD_COUNT_MESSAGES_EMPTIED);
    }
    return written;
}

static uint32_t ip_at(const uint8_t *frame)
{
    uint32_t at = ETHERNET_SIZE;
    while (dp_load_be16(frame + at - 2) != 0x0800)
        at += VLAN_SIZE; /* dp_net_parse() found IPv4 behind at most two tags */
    return at;
}

/* The headers of a shorter payload: lengths and the IPv4 sum; no UDP sum (0 means none). */
static void mend_headers(uint8_t *out, uint32_t ip, uint32_t udp, uint32_t payload_size)
{
    dp_store_be16(out + ip + 2, (uint16_t)(udp - ip + UDP_SIZE + payload_size));
    dp_store_be16(out + ip + 10, 0);
    dp_store_be16(out + ip + 10, dp_net_fold(dp_net_sum(out + ip, udp - ip, 0)));
    dp_store_be16(out + udp + 4, (uint16_t)(UDP_SIZE + payload_size));
    dp_store_be16(out + udp + 6, 0);
}

static uint32_t empty_unwanted(struct dp_card_soft *soft, const uint8_t *frame, uint32_t size,
    const struct dp_net_packet *net, const struct dp_moldudp_packet *packet, uint8_t *out)
{
    uint32_t payload = (uint32_t)(net->payload - frame);
    uint32_t head = payload + DP_MOLDUDP_HEADER_SIZE;
    uint64_t emptied = soft->counts[DP_CARD_COUNT_MESSAGES_EMPTIED];
    memcpy(out, frame, head);
    uint32_t blocks_size = copy_blocks(soft, packet, out + head);
    if (soft->counts[DP_CARD_COUNT_MESSAGES_EMPTIED] == emptied) {
        memcpy(out, frame, size); /* nothing to empty: padding and sums stay as they were */
        return size;
    }
    mend_headers(out, ip_at(out), payload - UDP_SIZE, DP_MOLDUDP_HEADER_SIZE + blocks_size);
    return head + blocks_size;
}

uint32_t dp_card_soft_filter(
    struct dp_card_soft *soft, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    struct dp_net_packet net;
    struct dp_moldudp_packet packet;
    count(soft, DP_CARD_COUNT_FRAMES_IN);
    if (!is_feed(soft, frame, size, &net) ||
        !dp_moldudp_parse(net.payload, net.payload_size, &packet)) {
        count(soft, DP_CARD_COUNT_FRAMES_OTHER);
        memcpy(out, frame, size);
        return size;
    }
    uint64_t expected = soft->expected;
    if (was_seen(soft, &packet)) {
        count(soft, DP_CARD_COUNT_FRAMES_TWICE);
        return 0;
    }
    dp_card_soft_watch(soft, &packet);
    if ((soft->control & DP_CARD_DELTA) && is_of_session(soft, &packet))
        dp_card_soft_follow(soft, &packet, expected);
    if (soft->control & DP_CARD_FILTER)
        return empty_unwanted(soft, frame, size, &net, &packet, out);
    memcpy(out, frame, size);
    return size;
}
