/* The card before the ports: which instruments pass its filter, and its kill switch. */
#include "dp_engine_internal.h"

static bool can(const struct dp_engine *engine, uint32_t capability)
{
    return engine->card != NULL && (engine->card->capabilities & capability) != 0;
}

/* Orders of nobody pass: whatever sends one, it must not leave. Where orders that reduce may pass,
 * the card cannot tell them from others. */
static bool is_halted(const struct dp_engine *engine)
{
    struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
    return dp_switch_mode_of(dp_risk_mark_of(engine->risk, firm)) > DP_SWITCH_REDUCE_ONLY;
}

void dp_engine_halt_card(struct dp_engine *engine)
{
    struct dp_err err;
    if (can(engine, DP_CARD_CAN_GATE) &&
        dp_card_control(engine->card, DP_CARD_HALT, is_halted(engine), &err) < 0)
        dp_counter_add(engine->counters, DP_COUNTER_CARD_FAILED, 1);
}

int dp_engine_begin_card(struct dp_engine *engine, struct dp_err *err)
{
    if (can(engine, DP_CARD_CAN_GATE) &&
        dp_card_control(engine->card, DP_CARD_HALT, is_halted(engine), err) < 0)
        return -err->code;
    if (!can(engine, DP_CARD_CAN_FILTER))
        return 0;
    dp_card_arm_all(engine->card, !engine->config.card.watched_only);
    return dp_card_control(engine->card, DP_CARD_FILTER, true, err);
}

void dp_engine_arm_card(struct dp_engine *engine, uint32_t instrument_index)
{
    if (can(engine, DP_CARD_CAN_FILTER))
        dp_card_arm(engine->card, (uint16_t)instrument_index, true);
}

void dp_engine_disarm_card(struct dp_engine *engine)
{
    if (can(engine, DP_CARD_CAN_FILTER) && engine->config.card.watched_only)
        dp_card_arm_all(engine->card, false);
}
