#include "dp_generate_lines.h"

#include "dp_generate_random.h"
#include "dp_moldudp.h"
#include "dp_net.h"

#include <errno.h>

#define PPM 1000000
#define LINE_COUNT 2
#define PACKET_MAX 1472 /* MTU of 1,500 less 20 of IPv4 and 8 of UDP */
#define FRAME_MAX (DP_NET_UDP_HEADERS_SIZE + PACKET_MAX)
#define PACK_WINDOW_NS 10000
#define SEND_DELAY_NS 2000
#define HEARTBEAT_NS 1000000000
#define END_COUNT 3
/* A late packet is at most this late. Within that time hardly 200 packets leave, two copies of each
 * a line. */
#define LATE_NS_MAX 200000
#define WAITING_MAX 1024

/* A frame on its way: the heap keeps the earliest on top. */
struct waiting {
    int64_t time_ns;
    uint64_t number; /* decides between equal times */
    uint32_t slot;
    uint32_t size;
};

struct dp_generate_lines {
    struct dp_generate_lines_config config;
    struct dp_generate *generate;
    struct dp_generate_random random;
    uint8_t message[DP_GENERATE_MESSAGE_MAX]; /* the next one, not packed yet */
    uint32_t message_size;                    /* 0: the session is over */
    uint64_t sequence;                        /* of that message */
    int64_t packet_time_ns;                   /* of the last packet; since midnight */
    uint32_t heartbeats;                      /* since the last message */
    uint32_t ends;

    uint64_t gap_target; /* the packet that holds this sequence number is lost on both lines */
    uint32_t gap_count;
    struct dp_generate_gap *gaps;

    uint16_t ip_ids[LINE_COUNT];
    int64_t sent_ns[LINE_COUNT]; /* of the last packet that was not late */
    uint64_t frame_number;
    int64_t returned_ns;
    uint32_t waiting_count;
    uint32_t free_count;
    uint32_t free_slots[WAITING_MAX];
    uint32_t slot_out; /* of the frame that the caller still looks at; WAITING_MAX: none */
    struct waiting waiting[WAITING_MAX];
    uint8_t frames[WAITING_MAX][FRAME_MAX];
};

static const struct dp_net_endpoint sources[LINE_COUNT] = {
    {{0x02, 0, 0, 0, 0, 0x0a}, 0xc0000201, 26477}, /* 192.0.2.1 */
    {{0x02, 0, 0, 0, 0, 0x0b}, 0xc6336401, 26477}, /* 198.51.100.1 */
};

/* The group's low 23 bits make the address, RFC 1112. */
static const struct dp_net_endpoint groups[LINE_COUNT] = {
    {{0x01, 0x00, 0x5e, 0x36, 0x0c, 0x6f}, 0xe9360c6f, 26477}, /* 233.54.12.111 */
    {{0x01, 0x00, 0x5e, 0x31, 0xc4, 0x6f}, 0xe931c46f, 26477}, /* 233.49.196.111 */
};

/* ---- frames that wait for their time: a binary heap ---- */

static bool is_before(const struct waiting *left, const struct waiting *right)
{
    return left->time_ns != right->time_ns ? left->time_ns < right->time_ns
                                           : left->number < right->number;
}

static void push_waiting(struct dp_generate_lines *lines, struct waiting item)
{
    uint32_t place = lines->waiting_count++;
    while (place > 0 && is_before(&item, &lines->waiting[(place - 1) / 2])) {
        lines->waiting[place] = lines->waiting[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    lines->waiting[place] = item;
}

static struct waiting pop_waiting(struct dp_generate_lines *lines)
{
    struct waiting top = lines->waiting[0];
    struct waiting item = lines->waiting[--lines->waiting_count];
    uint32_t place = 0;
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= lines->waiting_count)
            break;
        if (child + 1 < lines->waiting_count &&
            is_before(&lines->waiting[child + 1], &lines->waiting[child]))
            child++;
        if (!is_before(&lines->waiting[child], &item))
            break;
        lines->waiting[place] = lines->waiting[child];
        place = child;
    }
    lines->waiting[place] = item;
    return top;
}

/* ---- from packets to frames ---- */

static bool happens(struct dp_generate_lines *lines, uint32_t ppm)
{
    return dp_generate_random_below(&lines->random, PPM) < ppm;
}

static void send_frame(struct dp_generate_lines *lines, uint32_t line, const uint8_t *packet,
    uint32_t packet_size, int64_t time_ns)
{
    DP_ASSERT(lines->free_count > 0);
    uint32_t slot = lines->free_slots[--lines->free_count];
    uint8_t *frame = lines->frames[slot];
    memcpy(frame + DP_NET_UDP_HEADERS_SIZE, packet, packet_size);
    uint32_t size =
        dp_net_build_udp(frame, &sources[line], &groups[line], packet_size, lines->ip_ids[line]++);
    push_waiting(lines, (struct waiting){time_ns, lines->frame_number++, slot, size});
}

static void send_on_line(struct dp_generate_lines *lines, uint32_t line, const uint8_t *packet,
    uint32_t packet_size, int64_t time_ns)
{
    if (line == 1)
        time_ns += dp_generate_random_between(&lines->random, 1000, 5000);
    /* A line keeps its order but for the packets drawn to be late. */
    if (time_ns < lines->sent_ns[line])
        time_ns = lines->sent_ns[line];
    lines->sent_ns[line] = time_ns;
    if (happens(lines, lines->config.reorder_ppm))
        time_ns += dp_generate_random_between(&lines->random, 20000, LATE_NS_MAX / 2);
    send_frame(lines, line, packet, packet_size, time_ns);
    if (happens(lines, lines->config.duplicate_ppm))
        send_frame(lines, line, packet, packet_size,
            time_ns + dp_generate_random_between(&lines->random, 1000, LATE_NS_MAX / 4));
}

/* What one line loses the other one keeps. */
static void send_packet(
    struct dp_generate_lines *lines, const uint8_t *packet, uint32_t packet_size, bool may_be_lost)
{
    bool lost_a = may_be_lost && happens(lines, lines->config.loss_ppm[0]);
    bool lost_b = may_be_lost && happens(lines, lines->config.loss_ppm[1]);
    if (lost_a && lost_b) {
        lost_a = dp_generate_random_below(&lines->random, 2) != 0;
        lost_b = !lost_a;
    }
    int64_t time_ns = DP_GENERATE_MIDNIGHT_NS + lines->packet_time_ns;
    if (!lost_a)
        send_on_line(lines, 0, packet, packet_size, time_ns);
    if (!lost_b)
        send_on_line(lines, 1, packet, packet_size, time_ns);
}

/* ---- from messages to packets ---- */

/* Gaps are spread over the session, one in each of lose_both_count equal parts, in its
 * first third. */
static void plan_gap(struct dp_generate_lines *lines)
{
    if (lines->gap_count == lines->config.lose_both_count) {
        lines->gap_target = UINT64_MAX;
        return;
    }
    uint64_t part = lines->config.session.message_count / lines->config.lose_both_count;
    uint32_t third = part / 3 < UINT32_MAX ? (uint32_t)(part / 3) : UINT32_MAX;
    lines->gap_target =
        1 + part * lines->gap_count + dp_generate_random_below(&lines->random, third);
}

static int64_t message_time_ns(const struct dp_generate_lines *lines)
{
    return (int64_t)dp_load_be48(lines->message + 5);
}

static void next_message(struct dp_generate_lines *lines)
{
    lines->message_size = dp_generate_next(lines->generate, lines->message);
    lines->sequence++;
}

static void send_messages(struct dp_generate_lines *lines)
{
    uint8_t packet[PACKET_MAX];
    uint32_t size = DP_MOLDUDP_HEADER_SIZE;
    uint64_t first = lines->sequence;
    int64_t last_ns = message_time_ns(lines);
    int64_t close_ns = last_ns + PACK_WINDOW_NS;
    while (lines->message_size != 0 && size + 2 + lines->message_size <= PACKET_MAX &&
        message_time_ns(lines) <= close_ns) {
        dp_store_be16(packet + size, (uint16_t)lines->message_size);
        memcpy(packet + size + 2, lines->message, lines->message_size);
        size += 2 + lines->message_size;
        last_ns = message_time_ns(lines);
        next_message(lines);
    }
    uint64_t last = lines->sequence - 1;
    dp_moldudp_build(
        packet, (const uint8_t *)DP_GENERATE_SESSION, first, (uint16_t)(last - first + 1));
    lines->packet_time_ns = last_ns + SEND_DELAY_NS;
    lines->heartbeats = 0;
    if (last >= lines->gap_target) {
        lines->gaps[lines->gap_count++] = (struct dp_generate_gap){first, last};
        plan_gap(lines);
        return;
    }
    send_packet(lines, packet, size, true);
}

/* A heartbeat or an end of session: both name the next sequence number. */
static void send_empty(struct dp_generate_lines *lines, uint16_t message_count)
{
    uint8_t packet[DP_MOLDUDP_HEADER_SIZE];
    dp_moldudp_build(packet, (const uint8_t *)DP_GENERATE_SESSION, lines->sequence, message_count);
    lines->packet_time_ns += HEARTBEAT_NS;
    send_packet(lines, packet, sizeof(packet), false);
}

static bool is_quiet(const struct dp_generate_lines *lines)
{
    return lines->heartbeats < DP_GENERATE_HEARTBEATS_MAX && lines->packet_time_ns != 0 &&
        message_time_ns(lines) > lines->packet_time_ns + HEARTBEAT_NS;
}

/* Puts one more packet on its way; false when there is none. */
static bool send_next(struct dp_generate_lines *lines)
{
    if (lines->message_size == 0) {
        if (lines->ends == END_COUNT)
            return false;
        lines->ends++;
        send_empty(lines, DP_MOLDUDP_END_OF_SESSION);
    } else if (is_quiet(lines)) {
        lines->heartbeats++;
        send_empty(lines, 0);
    } else {
        send_messages(lines);
    }
    return true;
}

/* ---- the caller's side ---- */

static bool has_room(const struct dp_generate_lines *lines)
{
    return lines->free_count >= 2 * LINE_COUNT;
}

const uint8_t *dp_generate_lines_next(
    struct dp_generate_lines *lines, uint32_t *size, int64_t *time_ns)
{
    if (lines->slot_out != WAITING_MAX)
        lines->free_slots[lines->free_count++] = lines->slot_out;
    lines->slot_out = WAITING_MAX;

    /* No packet to come is earlier than the last one: what waits from before that is due. */
    bool more = true;
    while (more && has_room(lines) &&
        (lines->waiting_count == 0 ||
            lines->waiting[0].time_ns > DP_GENERATE_MIDNIGHT_NS + lines->packet_time_ns))
        more = send_next(lines);
    if (lines->waiting_count == 0)
        return NULL;

    struct waiting top = pop_waiting(lines);
    lines->slot_out = top.slot;
    if (top.time_ns > lines->returned_ns)
        lines->returned_ns = top.time_ns;
    *time_ns = lines->returned_ns;
    *size = top.size;
    return lines->frames[top.slot];
}

static int check_ppm(const char *name, uint32_t ppm, struct dp_err *err)
{
    if (ppm > PPM)
        return dp_err_set(err, EINVAL, "generate: %s is %u; it must be at most %d", name, ppm, PPM);
    return 0;
}

static int check_config(const struct dp_generate_lines_config *config, struct dp_err *err)
{
    if (check_ppm("loss-a", config->loss_ppm[0], err) < 0 ||
        check_ppm("loss-b", config->loss_ppm[1], err) < 0 ||
        check_ppm("reorder", config->reorder_ppm, err) < 0 ||
        check_ppm("duplicate", config->duplicate_ppm, err) < 0)
        return -EINVAL;
    uint64_t gaps_max = config->session.message_count / DP_GENERATE_MESSAGES_PER_GAP;
    if (config->lose_both_count > gaps_max)
        return dp_err_set(err, EINVAL,
            "generate: lose-both is %u; a session of %llu messages has room for %llu gaps",
            config->lose_both_count, (unsigned long long)config->session.message_count,
            (unsigned long long)gaps_max);
    return 0;
}

struct dp_generate_lines *dp_generate_lines_open(
    const struct dp_generate_lines_config *config, struct dp_err *err)
{
    if (check_config(config, err) < 0)
        return NULL;
    struct dp_generate *generate = dp_generate_open(&config->session, err);
    if (generate == NULL)
        return NULL;
    struct dp_generate_lines *lines = calloc(1, sizeof(*lines));
    struct dp_generate_gap *gaps = calloc(config->lose_both_count + 1, sizeof(*gaps));
    if (lines == NULL || gaps == NULL) {
        dp_err_set(err, ENOMEM, "generate: no memory for the two lines; ask for fewer messages");
        dp_generate_close(generate);
        free(lines);
        free(gaps);
        return NULL;
    }
    lines->config = *config;
    lines->generate = generate;
    lines->gaps = gaps;
    /* Another stream than the session's own: the messages do not depend on what the lines do. */
    lines->random.state = ~config->session.seed;
    lines->slot_out = WAITING_MAX;
    for (uint32_t slot = 0; slot < WAITING_MAX; slot++)
        lines->free_slots[lines->free_count++] = slot;
    plan_gap(lines);
    next_message(lines);
    return lines;
}

uint32_t dp_generate_lines_gap_count(const struct dp_generate_lines *lines)
{
    return lines->gap_count;
}

struct dp_generate_gap dp_generate_lines_gap(const struct dp_generate_lines *lines, uint32_t index)
{
    DP_ASSERT(index < lines->gap_count);
    return lines->gaps[index];
}

uint64_t dp_generate_lines_written(const struct dp_generate_lines *lines)
{
    return lines->sequence - 1;
}

void dp_generate_lines_close(struct dp_generate_lines *lines)
{
    if (lines == NULL)
        return;
    dp_generate_close(lines->generate);
    free(lines->gaps);
    free(lines);
}
