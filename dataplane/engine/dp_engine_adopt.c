#include <errno.h>

#include "dp_engine_internal.h"

/* Going on from a journal: orders, exposure and numbers of the run before. */

int dp_engine_adopt(struct dp_engine *engine, const struct dp_recover *found, struct dp_err *err)
{
    uint32_t count = engine->config.books.instrument_count_max;
    DP_ASSERT(!engine->started && !engine->is_adopted);
    if (!dp_orders_copy(engine->orders, found->orders))
        return dp_err_set(err, EINVAL,
            "engine: the recovered orders were laid out for another capacity.own_orders; keep the "
            "one that the journal was recovered with");
    engine->adopted_symbols = calloc(count, sizeof(*engine->adopted_symbols));
    if (engine->adopted_symbols == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for %u symbols", count);
    for (uint32_t index = 0; index < count && index < found->instrument_count; index++)
        memcpy(engine->adopted_symbols[index], found->instruments[index].symbol, 8);
    engine->is_adopted = true;
    engine->adopted_sequence = found->sequence;
    return 0;
}

bool dp_engine_is_named(struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol)
{
    static const char none[8];
    if (engine->adopted_symbols == NULL ||
        memcmp(engine->adopted_symbols[instrument_index], none, sizeof(none)) == 0 ||
        memcmp(engine->adopted_symbols[instrument_index], symbol, sizeof(none)) == 0)
        return true;
    engine->misnamed_count++;
    return false;
}
