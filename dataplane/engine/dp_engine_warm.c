/* Shadow orders while a live run has nothing to do: core/dp_warm.h says why they cannot leave. */
#include <errno.h>

#include "dp_engine_internal.h"
#include "dp_warm.h"

#define PAGE_SIZE 4096

int dp_engine_open_warm(struct dp_engine *engine, int64_t after_ns, struct dp_err *err)
{
    struct dp_engine_warm *warm = &engine->warm;
    warm->after_ns = after_ns;
    if (after_ns == 0)
        return 0;
    warm->shadow = aligned_alloc(PAGE_SIZE, dp_round_up(dp_warm_size(), PAGE_SIZE));
    if (warm->shadow == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for shadow orders");
    struct dp_template enter;
    dp_ouch_enter_template(&enter, &engine->config.session, "SHADOW  ");
    return dp_warm_init(warm->shadow, &enter, err);
}

void dp_engine_close_warm(struct dp_engine *engine)
{
    free(engine->warm.shadow);
    engine->warm.shadow = NULL;
}

/* The watched instrument behind the last one; where none is watched, any will do. */
static uint32_t next_instrument(struct dp_engine *engine)
{
    uint32_t count = engine->config.books.instrument_count_max;
    uint32_t from = (engine->warm.instrument_index + 1) % count;
    const uint8_t *found = memchr(engine->watched_any + from, 1, count - from);
    if (found == NULL)
        found = memchr(engine->watched_any, 1, count);
    engine->warm.instrument_index = found == NULL ? 0 : (uint32_t)(found - engine->watched_any);
    return engine->warm.instrument_index;
}

void dp_engine_keep_warm(struct dp_engine *engine, int64_t now_ns, bool is_idle)
{
    struct dp_engine_warm *warm = &engine->warm;
    if (warm->shadow == NULL)
        return;
    if (!is_idle)
        warm->next_ns = now_ns + warm->after_ns;
    if (now_ns < warm->next_ns)
        return;
    warm->next_ns = now_ns + warm->after_ns;
    dp_warm_walk(warm->shadow);
    for (uint32_t seat = 0; seat < engine->seat_count; seat++)
        dp_warm_look(&engine->submit, (uint16_t)seat, next_instrument(engine));
    dp_counter_add(engine->counters, DP_COUNTER_SHADOW_ORDERS, 1);
}
