/*
 * The trigger: one order of ours, whole since it was armed, that leaves when an order of the market
 * comes at the price that is waited for. Once; through the gate, as all that leaves.
 */
#include "dp_card_soft.h"
#include "dp_itch.h"

#define REGISTERS 4u

bool dp_card_soft_is_trigger(uint32_t offset)
{
    return offset >= DP_CARD_REG_TRIGGER_LOCATE &&
        offset < DP_CARD_REG_TRIGGER_LOCATE + 4 * REGISTERS;
}

uint32_t dp_card_soft_read_trigger(const struct dp_card_soft *soft, uint32_t offset)
{
    switch (offset) {
    case DP_CARD_REG_TRIGGER_LOCATE: return soft->trigger.locate;
    case DP_CARD_REG_TRIGGER_SIDE: return soft->trigger.side;
    case DP_CARD_REG_TRIGGER_PRICE: return soft->trigger.price4;
    default: return soft->trigger.state;
    }
}

/* Arming builds the frame, so that nothing written later changes it. What was sent stays sent:
 * disarming changes only a trigger that still waits. */
static void set_state(struct dp_card_soft *soft, uint32_t wanted)
{
    struct dp_card_soft_trigger *trigger = &soft->trigger;
    if (wanted == DP_CARD_TRIGGER_ARMED && trigger->state != DP_CARD_TRIGGER_ARMED &&
        trigger->fired_size == 0) {
        trigger->armed_size = dp_card_soft_build(soft, trigger->frame);
        trigger->state = trigger->armed_size > 0 ? DP_CARD_TRIGGER_ARMED : DP_CARD_TRIGGER_IDLE;
    } else if (wanted == DP_CARD_TRIGGER_IDLE && trigger->state == DP_CARD_TRIGGER_ARMED) {
        trigger->state = DP_CARD_TRIGGER_IDLE;
    }
}

void dp_card_soft_write_trigger(struct dp_card_soft *soft, uint32_t offset, uint32_t value)
{
    bool waits = soft->trigger.state == DP_CARD_TRIGGER_ARMED;
    if (offset == DP_CARD_REG_TRIGGER_STATE)
        set_state(soft, value);
    else if (offset == DP_CARD_REG_TRIGGER_LOCATE && !waits)
        soft->trigger.locate = value & 0xffff;
    else if (offset == DP_CARD_REG_TRIGGER_SIDE && !waits)
        soft->trigger.side = value & 0xff;
    else if (offset == DP_CARD_REG_TRIGGER_PRICE && !waits)
        soft->trigger.price4 = value;
}

static bool pulls(const struct dp_card_soft_trigger *trigger, const uint8_t *data, uint32_t size)
{
    struct dp_itch_message message;
    if (size == 0 || (data[0] != 'A' && data[0] != 'F') ||
        dp_itch_decode(data, size, &message) != DP_ITCH_OK ||
        message.stock_locate != trigger->locate)
        return false;
    if (trigger->side == 'S')
        return message.side == DP_SIDE_SELL && message.price4 <= trigger->price4;
    return message.side == DP_SIDE_BUY && message.price4 >= trigger->price4;
}

static void fire(struct dp_card_soft *soft)
{
    struct dp_card_soft_trigger *trigger = &soft->trigger;
    if (!dp_card_soft_gate(soft, trigger->frame, trigger->armed_size)) {
        trigger->state = DP_CARD_TRIGGER_REFUSED;
        return;
    }
    trigger->state = DP_CARD_TRIGGER_FIRED;
    trigger->fired_size = trigger->armed_size;
    soft->counts[DP_CARD_COUNT_TRIGGERED]++;
}

void dp_card_soft_watch(struct dp_card_soft *soft, const struct dp_moldudp_packet *packet)
{
    for (size_t at = 0; soft->trigger.state == DP_CARD_TRIGGER_ARMED && at < packet->blocks_size;) {
        uint32_t size = dp_load_be16(packet->blocks + at);
        if (pulls(&soft->trigger, packet->blocks + at + 2, size))
            fire(soft);
        at += 2 + size;
    }
}

uint32_t dp_card_soft_fired(struct dp_card *card, uint8_t *frame)
{
    struct dp_card_soft_trigger *trigger = &((struct dp_card_soft *)card)->trigger;
    uint32_t size = trigger->fired_size;
    if (size > 0)
        memcpy(frame, trigger->frame, size);
    trigger->fired_size = 0;
    return size;
}
