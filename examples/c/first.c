/*
 * A first strategy in C, as a shared library:
 *
 *     gcc -O2 -shared -fPIC -I "$(python -c 'import dataplane; print(dataplane.get_include())')" \
 *         -o first.so first.c
 *     tickplane replay day.itch --strategy "library $PWD/first.so"
 */
#include "dp_strategy.h"

struct first {
    uint64_t qty;
    uint32_t orders_open;
};

static void on_book(void *state, struct dp_gateway *gateway, const struct dp_top *top)
{
    struct first *first = state;
    uint32_t user_ref_num;
    if (top->flags != 0 || top->trading_state != DP_TRADING_OPEN || top->session != 'Q' ||
        top->ask_price_nanos == DP_PRICE_NONE)
        return;
    if (first->orders_open != 0 || top->ask_qty < 5 * first->qty ||
        gateway->verbs->position(gateway, top->instrument_index) != 0)
        return;

    struct dp_request request = {
        .instrument_index = top->instrument_index,
        .side = DP_SIDE_BUY,
        .time_in_force = DP_TIF_IOC,
        .qty = first->qty,
        .price_nanos = top->ask_price_nanos,
    };
    if (dp_gateway_submit(gateway, &request, &user_ref_num) == DP_REASON_ACCEPTED)
        first->orders_open++;
}

static void on_filled(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    struct first *first = state;
    uint32_t user_ref_num;
    if (event->side != DP_SIDE_BUY)
        return;

    struct dp_request request = {
        .instrument_index = event->instrument_index,
        .side = DP_SIDE_SELL,
        .time_in_force = DP_TIF_DAY,
        .qty = event->qty,
        .price_nanos = event->price_nanos + 10000000,
    };
    dp_gateway_submit(gateway, &request, &user_ref_num);
    if (event->leaves_qty == 0)
        first->orders_open--;
}

static void on_ended(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    struct first *first = state;
    (void)gateway;
    if (event->side == DP_SIDE_BUY && event->leaves_qty == 0)
        first->orders_open--;
}

int dp_strategy_open(struct dp_strategy *strategy, const struct dp_strategy_param *params,
    uint32_t param_count, struct dp_err *err)
{
    struct first *first = calloc(1, sizeof(*first));
    if (first == NULL)
        return -1;
    first->qty = 100;
    for (uint32_t index = 0; index < param_count; index++) {
        if (strcmp(params[index].name, "qty") != 0) {
            snprintf(
                err->text, sizeof(err->text), "first: %s: unknown; known: qty", params[index].name);
            free(first);
            return -1;
        }
        first->qty = strtoull(params[index].value, NULL, 10);
    }
    *strategy = (struct dp_strategy){
        .state = first,
        .on_book = on_book,
        .on_filled = on_filled,
        .on_canceled = on_ended,
        .on_rejected = on_ended,
    };
    return 0;
}

void dp_strategy_close(void *state)
{
    free(state);
}
