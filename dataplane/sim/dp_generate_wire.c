/* The messages that more than one part of the generator writes. */
#include "dp_generate_state.h"

void dp_generate_header(
    const struct dp_generate *generate, uint8_t *message, char type, uint32_t symbol)
{
    message[0] = (uint8_t)type;
    dp_store_be16(message + 1, symbol == DP_GENERATE_NONE ? 0 : (uint16_t)(symbol + 1));
    /* Internal to the exchange, without meaning: small even numbers, mostly 0. */
    dp_store_be16(message + 3, (uint16_t)((generate->written & 7) == 0 ? 2 : 0));
    dp_store_be48(message + 5, generate->time_ns);
}

void dp_generate_store_text(uint8_t *bytes, size_t size, const char *text)
{
    size_t length = strlen(text);
    DP_ASSERT(length <= size);
    memset(bytes, ' ', size);
    memcpy(bytes, text, length);
}

uint32_t dp_generate_system_event(
    const struct dp_generate *generate, uint8_t *message, char event_code)
{
    dp_generate_header(generate, message, 'S', DP_GENERATE_NONE);
    message[11] = (uint8_t)event_code;
    return 12;
}

uint32_t dp_generate_trading_action(struct dp_generate *generate, uint8_t *message, uint32_t symbol,
    char trading_state, const char *reason)
{
    dp_generate_header(generate, message, 'H', symbol);
    memcpy(message + 11, generate->symbols[symbol].stock, 8);
    message[19] = (uint8_t)trading_state;
    message[20] = ' ';
    dp_generate_store_text(message + 21, 4, reason);
    generate->symbols[symbol].trading_state = trading_state;
    return 25;
}

/* ITCH 5.0, price_variation_indicator: |near - reference| in percent of the reference. */
static char price_variation(uint32_t near4, uint32_t reference4)
{
    uint32_t distance = near4 > reference4 ? near4 - reference4 : reference4 - near4;
    uint64_t percent = (uint64_t)distance * 100 / reference4;
    if (percent < 1)
        return 'L';
    if (percent < 10)
        return (char)('0' + percent);
    return percent < 20 ? 'A' : percent < 30 ? 'B' : 'C';
}

uint32_t dp_generate_imbalance(
    struct dp_generate *generate, uint8_t *message, uint32_t symbol_index, char cross_type)
{
    const struct dp_generate_symbol *symbol = &generate->symbols[symbol_index];
    struct dp_generate_random *random = &generate->random;
    uint32_t move4 = dp_generate_random_below(random, 4) * symbol->tick4;
    uint32_t near4 = symbol->anchor4 + move4;

    dp_generate_header(generate, message, 'I', symbol_index);
    dp_store_be64(message + 11, 100ull * dp_generate_random_below(random, 5000));
    dp_store_be64(message + 19, 100ull * dp_generate_random_between(random, 1, 900));
    message[27] = (uint8_t)(symbol->trading_state == 'P' ? 'P' : "BS"[move4 / symbol->tick4 & 1]);
    memcpy(message + 28, symbol->stock, 8);
    dp_store_be32(message + 36, near4 + move4);
    dp_store_be32(message + 40, near4);
    dp_store_be32(message + 44, symbol->anchor4);
    message[48] = (uint8_t)cross_type;
    message[49] = (uint8_t)price_variation(near4, symbol->anchor4);
    return 50;
}

uint32_t dp_generate_cross_trade(struct dp_generate *generate, uint8_t *message, uint32_t symbol,
    char cross_type, uint64_t shares, uint32_t price4)
{
    dp_generate_header(generate, message, 'Q', symbol);
    dp_store_be64(message + 11, shares);
    memcpy(message + 19, generate->symbols[symbol].stock, 8);
    dp_store_be32(message + 27, price4);
    dp_store_be64(message + 31, dp_generate_match(generate, symbol));
    message[39] = (uint8_t)cross_type;
    return 40;
}
