#include "dp_route.h"

static uint32_t next_open(const struct dp_route *route, uint32_t first)
{
    for (uint32_t step = 0; step < route->session_count; step++) {
        uint32_t index = (first + step) % route->session_count;
        if (route->sessions[index].is_open)
            return index;
    }
    return first;
}

static bool is_less_loaded(const struct dp_route_session *one, const struct dp_route_session *other)
{
    if (one->is_open != other->is_open)
        return one->is_open;
    return one->waiting != other->waiting ? one->waiting < other->waiting
                                          : one->given < other->given;
}

static uint32_t least_loaded(const struct dp_route *route)
{
    uint32_t least = 0;
    for (uint32_t index = 1; index < route->session_count; index++)
        if (is_less_loaded(&route->sessions[index], &route->sessions[least]))
            least = index;
    return least;
}

uint8_t dp_route_choose(
    const struct dp_route *route, uint16_t strategy_index, uint32_t instrument_index)
{
    switch (route->spread) {
    case DP_ROUTE_LEAST_LOADED: return (uint8_t)least_loaded(route);
    case DP_ROUTE_BY_INSTRUMENT:
        return (uint8_t)next_open(route, instrument_index % route->session_count);
    default: return (uint8_t)next_open(route, strategy_index % route->session_count);
    }
}
