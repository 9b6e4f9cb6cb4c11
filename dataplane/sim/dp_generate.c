#include "dp_generate_state.h"

#include <errno.h>

/* Limits of 32-bit order records: at 2.2 % live, with room for twice the target. */
#define MESSAGES_MAX 4000000000ull

static int check_config(const struct dp_generate_config *config, struct dp_err *err)
{
    if (config->symbol_count == 0 || config->symbol_count > DP_GENERATE_SYMBOLS_MAX)
        return dp_err_set(err, EINVAL, "generate: symbols is %u; it must be from 1 to %u",
            config->symbol_count, DP_GENERATE_SYMBOLS_MAX);
    uint64_t count_min = dp_generate_count_min(config->symbol_count);
    if (config->message_count < count_min)
        return dp_err_set(err, EINVAL,
            "generate: messages is %llu; a day of %u symbols needs at least %llu, or ask for fewer "
            "symbols",
            (unsigned long long)config->message_count, config->symbol_count,
            (unsigned long long)count_min);
    if (config->message_count > MESSAGES_MAX)
        return dp_err_set(err, EINVAL, "generate: messages is %llu; it must be at most %llu",
            (unsigned long long)config->message_count, (unsigned long long)MESSAGES_MAX);
    return 0;
}

uint32_t dp_generate_symbols_default(uint64_t message_count)
{
    uint64_t count = message_count / 2500; /* 20 million messages fill all 8,000 */
    return count == 0                     ? 1
        : count < DP_GENERATE_SYMBOLS_MAX ? (uint32_t)count
                                          : DP_GENERATE_SYMBOLS_MAX;
}

/* Twice the target of every symbol, which is what the flow may reach; see dp_generate_symbol.c. */
static uint32_t order_capacity(const struct dp_generate_config *config)
{
    return (uint32_t)(config->message_count * 45 / 1000) + 4 * config->symbol_count + 64;
}

static void link_free_orders(struct dp_generate *generate)
{
    for (uint32_t order = 0; order < generate->order_capacity; order++)
        generate->orders[order].behind = order + 1;
    generate->orders[generate->order_capacity - 1].behind = DP_GENERATE_NONE;
}

static bool allocate(struct dp_generate *generate, const struct dp_generate_config *config)
{
    uint64_t level_count = dp_generate_levels_count(config->message_count, config->symbol_count);
    generate->order_capacity = order_capacity(config);
    generate->symbols = calloc(config->symbol_count, sizeof(*generate->symbols));
    generate->zipf = calloc(DP_GENERATE_ZIPF_SIZE, sizeof(*generate->zipf));
    generate->levels = calloc(level_count, sizeof(*generate->levels));
    generate->orders = calloc(generate->order_capacity, sizeof(*generate->orders));
    return generate->symbols != NULL && generate->zipf != NULL && generate->levels != NULL &&
        generate->orders != NULL;
}

struct dp_generate *dp_generate_open(const struct dp_generate_config *config, struct dp_err *err)
{
    if (check_config(config, err) < 0)
        return NULL;
    struct dp_generate *generate = calloc(1, sizeof(*generate));
    if (generate == NULL || !allocate(generate, config)) {
        dp_err_set(err, ENOMEM, "generate: no memory for a session of %llu messages; ask for fewer",
            (unsigned long long)config->message_count);
        dp_generate_close(generate);
        return NULL;
    }
    generate->random.state = config->seed;
    generate->message_count = config->message_count;
    generate->symbol_count = config->symbol_count;
    link_free_orders(generate);
    dp_generate_symbols_init(generate);
    dp_generate_day_init(generate);
    dp_generate_scenario_init(generate);
    return generate;
}

uint32_t dp_generate_next(struct dp_generate *generate, uint8_t message[DP_GENERATE_MESSAGE_MAX])
{
    uint32_t size = dp_generate_day_next(generate, message);
    if (size != 0)
        generate->written++;
    return size;
}

size_t dp_generate_fill(struct dp_generate *generate, uint8_t *buf, size_t size)
{
    size_t used = 0;
    while (size - used >= DP_GENERATE_FRAMED_MAX) {
        uint32_t message_size = dp_generate_next(generate, buf + used + 2);
        if (message_size == 0)
            break;
        dp_store_be16(buf + used, (uint16_t)message_size);
        used += 2 + message_size;
    }
    return used;
}

uint64_t dp_generate_written(const struct dp_generate *generate)
{
    return generate->written;
}

void dp_generate_close(struct dp_generate *generate)
{
    if (generate == NULL)
        return;
    free(generate->symbols);
    free(generate->zipf);
    free(generate->levels);
    free(generate->orders);
    free(generate);
}
