#include "dp_card_soft.h"

#include <errno.h>

#include "dp_clock.h"

#define CAPABILITIES \
    (DP_CARD_CAN_FILTER | DP_CARD_CAN_ARBITRATE | DP_CARD_CAN_TEMPLATE | DP_CARD_CAN_GATE | \
        DP_CARD_CAN_STAMP | DP_CARD_CAN_DELTA | DP_CARD_CAN_TRIGGER)
#define CONTROL_BITS \
    (DP_CARD_FILTER | DP_CARD_ARBITRATE | DP_CARD_GATE | DP_CARD_HALT | DP_CARD_DELTA)
#define COUNTERS_END (DP_CARD_REG_COUNTERS + 8u * DP_CARD_COUNT_END)
#define ARMED_END (DP_CARD_REG_ARMED + DP_CARD_INSTRUMENTS / 8u)

static struct dp_card_soft *soft_of(struct dp_card *card)
{
    return (struct dp_card_soft *)card;
}

static uint32_t read_counter(const struct dp_card_soft *soft, uint32_t at)
{
    uint64_t count = soft->counts[at / 8];
    return (uint32_t)(at % 8 == 0 ? count : count >> 32);
}

static int64_t time_ns(const struct dp_card_soft *soft)
{
    return dp_clock_monotonic_ns() + soft->time_ahead_ns;
}

static uint32_t read_single(const struct dp_card_soft *soft, uint32_t offset)
{
    switch (offset) {
    case DP_CARD_REG_MAGIC: return DP_CARD_MAGIC;
    case DP_CARD_REG_VERSION: return DP_CARD_VERSION;
    case DP_CARD_REG_CAPABILITIES: return CAPABILITIES;
    case DP_CARD_REG_CONTROL: return soft->control;
    case DP_CARD_REG_FEED_PORT: return soft->feed_port;
    case DP_CARD_REG_EXPECTED_LOW: return (uint32_t)soft->expected;
    case DP_CARD_REG_EXPECTED_HIGH: return (uint32_t)(soft->expected >> 32);
    case DP_CARD_REG_SESSION:
    case DP_CARD_REG_SESSION + 4:
    case DP_CARD_REG_SESSION + 8: return soft->session[(offset - DP_CARD_REG_SESSION) / 4];
    case DP_CARD_REG_QTY_MAX: return soft->qty_max;
    case DP_CARD_REG_PRICE_MAX: return soft->price_max;
    case DP_CARD_REG_CREDIT: return soft->credit;
    case DP_CARD_REG_TIME_LOW: return (uint32_t)time_ns(soft);
    case DP_CARD_REG_TIME_HIGH: return (uint32_t)((uint64_t)time_ns(soft) >> 32);
    case DP_CARD_REG_STAMP_LOW: return (uint32_t)soft->stamp_ns;
    case DP_CARD_REG_STAMP_HIGH: return (uint32_t)((uint64_t)soft->stamp_ns >> 32);
    default: return 0; /* reserved, and the identity of no bitstream */
    }
}

static uint32_t soft_read(struct dp_card *card, uint32_t offset)
{
    const struct dp_card_soft *soft = soft_of(card);
    if (offset % 4 != 0)
        return 0;
    if (offset >= DP_CARD_REG_COUNTERS && offset < COUNTERS_END)
        return read_counter(soft, offset - DP_CARD_REG_COUNTERS);
    if (offset >= DP_CARD_REG_ARMED && offset < ARMED_END)
        return soft->armed[(offset - DP_CARD_REG_ARMED) / 4];
    if (dp_card_soft_is_template(offset))
        return dp_card_soft_read_template(soft, offset);
    if (dp_card_soft_is_trigger(offset))
        return dp_card_soft_read_trigger(soft, offset);
    return read_single(soft, offset);
}

static void set_time(struct dp_card_soft *soft, uint32_t high)
{
    uint64_t wanted = (uint64_t)high << 32 | soft->time_low;
    soft->time_ahead_ns = (int64_t)(wanted - (uint64_t)dp_clock_monotonic_ns());
}

/* Books for which there is no memory do not come on, as who reads back sees. */
static void set_control(struct dp_card_soft *soft, uint32_t control)
{
    bool changes = ((control ^ soft->control) & DP_CARD_DELTA) != 0;
    if (changes && !dp_card_soft_turn_deltas(soft, (control & DP_CARD_DELTA) != 0))
        control &= ~(uint32_t)DP_CARD_DELTA;
    soft->control = control;
}

static void write_single(struct dp_card_soft *soft, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case DP_CARD_REG_CONTROL: set_control(soft, value & CONTROL_BITS); break;
    case DP_CARD_REG_FEED_PORT: soft->feed_port = value & 0xffff; break;
    case DP_CARD_REG_EXPECTED_LOW: soft->expected_low = value; break;
    case DP_CARD_REG_EXPECTED_HIGH:
        soft->expected = (uint64_t)value << 32 | soft->expected_low;
        break;
    case DP_CARD_REG_SESSION:
    case DP_CARD_REG_SESSION + 4:
    case DP_CARD_REG_SESSION + 8: soft->session[(offset - DP_CARD_REG_SESSION) / 4] = value; break;
    case DP_CARD_REG_QTY_MAX: soft->qty_max = value; break;
    case DP_CARD_REG_PRICE_MAX: soft->price_max = value; break;
    case DP_CARD_REG_CREDIT: soft->credit = value; break;
    case DP_CARD_REG_TIME_LOW: soft->time_low = value; break;
    case DP_CARD_REG_TIME_HIGH: set_time(soft, value); break;
    default: break; /* read-only and reserved registers keep what they have */
    }
}

static void soft_write(struct dp_card *card, uint32_t offset, uint32_t value)
{
    struct dp_card_soft *soft = soft_of(card);
    if (offset % 4 != 0)
        return;
    if (offset >= DP_CARD_REG_ARMED && offset < ARMED_END)
        soft->armed[(offset - DP_CARD_REG_ARMED) / 4] = value;
    else if (dp_card_soft_is_template(offset))
        dp_card_soft_write_template(soft, offset, value);
    else if (dp_card_soft_is_trigger(offset))
        dp_card_soft_write_trigger(soft, offset, value);
    else
        write_single(soft, offset, value);
}

static uint32_t soft_ingress(
    struct dp_card *card, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    soft_of(card)->stamp_ns = time_ns(soft_of(card));
    return dp_card_soft_filter(soft_of(card), frame, size, out);
}

static bool soft_egress(struct dp_card *card, const uint8_t *frame, uint32_t size)
{
    return dp_card_soft_gate(soft_of(card), frame, size);
}

static void soft_close(struct dp_card *card)
{
    dp_card_soft_turn_deltas(soft_of(card), false);
    free(soft_of(card));
}

static const struct dp_card_ops soft_ops = {
    .name = "soft",
    .read = soft_read,
    .write = soft_write,
    .ingress = soft_ingress,
    .egress = soft_egress,
    .fired = dp_card_soft_fired,
    .deltas = dp_card_soft_take_deltas,
    .close = soft_close,
};

struct dp_card *dp_card_soft_open(const char *where, struct dp_err *err)
{
    (void)where;
    size_t size = (sizeof(struct dp_card_soft) + DP_CACHE_LINE - 1) & ~(size_t)(DP_CACHE_LINE - 1);
    struct dp_card_soft *soft = aligned_alloc(DP_CACHE_LINE, size);
    if (soft == NULL) {
        dp_err_set(err, ENOMEM, "card soft: no memory for %zu bytes", size);
        return NULL;
    }
    memset(soft, 0, size);
    soft->card.ops = &soft_ops;
    soft->credit = UINT32_MAX;
    soft->qty_max = UINT32_MAX;
    soft->price_max = UINT32_MAX;
    soft->time_ahead_ns = -dp_clock_monotonic_ns();
    return &soft->card;
}
