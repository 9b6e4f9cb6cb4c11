/*
 * A trigger over registers: the same words to every card that has one.
 */
#include <errno.h>

#include "dp_card_backend.h"

static int check(
    struct dp_card *card, uint32_t slot, const struct dp_card_trigger *trigger, struct dp_err *err)
{
    const char *name = card->ops->name;
    if (!(card->capabilities & DP_CARD_CAN_TRIGGER))
        return dp_err_set(
            err, ENOTSUP, "card %s: it sends nothing by itself; send in the program", name);
    if (slot >= DP_CARD_SLOTS || (trigger->side != 'B' && trigger->side != 'S'))
        return dp_err_set(err, EINVAL,
            "card %s: trigger of slot %u, side %u; give a slot up to %u, and B or S", name, slot,
            trigger->side, DP_CARD_SLOTS - 1);
    if (dp_card_trigger_state(card) == DP_CARD_TRIGGER_ARMED)
        return dp_err_set(err, EBUSY, "card %s: a trigger is armed; end that one first", name);
    return 0;
}

int dp_card_set_trigger(struct dp_card *card, uint32_t slot,
    const struct dp_template_fields *fields, const struct dp_card_trigger *trigger,
    struct dp_err *err)
{
    int status = check(card, slot, trigger, err);
    if (status < 0)
        return status;
    dp_card_write_fields(card, slot, fields);
    dp_card_write(card, DP_CARD_REG_TRIGGER_LOCATE, trigger->stock_locate);
    dp_card_write(card, DP_CARD_REG_TRIGGER_SIDE, trigger->side);
    dp_card_write(card, DP_CARD_REG_TRIGGER_PRICE, trigger->price4);
    dp_card_write(card, DP_CARD_REG_TRIGGER_STATE, DP_CARD_TRIGGER_ARMED);
    if (dp_card_trigger_state(card) == DP_CARD_TRIGGER_IDLE)
        return dp_err_set(
            err, EIO, "card %s: the trigger did not take; reset the card", card->ops->name);
    return 0;
}

enum dp_card_trigger_state dp_card_trigger_state(struct dp_card *card)
{
    return (enum dp_card_trigger_state)dp_card_read(card, DP_CARD_REG_TRIGGER_STATE);
}

enum dp_card_trigger_state dp_card_end_trigger(struct dp_card *card)
{
    dp_card_write(card, DP_CARD_REG_TRIGGER_STATE, DP_CARD_TRIGGER_IDLE);
    return dp_card_trigger_state(card);
}

uint32_t dp_card_fired(struct dp_card *card, uint8_t *frame)
{
    return card->ops->fired != NULL ? card->ops->fired(card, frame) : 0;
}

uint32_t dp_card_deltas(struct dp_card *card, struct dp_card_delta *deltas, uint32_t max)
{
    return card->ops->deltas != NULL ? card->ops->deltas(card, deltas, max) : 0;
}
