/*
 * dp_base - what every C file here stands on: sizes, sides, prices, assertions, big-endian access.
 *
 * Units of the whole project (see docs/architecture.md): prices are int64 in 1e-9 of the currency
 * and end in _nanos; time is int64 nanoseconds since the Unix epoch and ends in _ns; durations on
 * the hot path are TSC ticks and end in _tsc; money is price * quantity in 128 bits.
 */
#ifndef DP_BASE_H
#define DP_BASE_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DP_CACHE_LINE 64

#define DP_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define DP_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define DP_PREFETCH(address) __builtin_prefetch((address), 0, 3)
#define DP_PREFETCH_WRITE(address) __builtin_prefetch((address), 1, 3)

/* Our own mistakes end the process; the supervisor restarts it. Never compiled out. */
#define DP_ASSERT(condition) \
    (DP_LIKELY(condition) ? (void)0 : dp_assertion_failed(#condition, __FILE__, __LINE__))

/* The same where the hot path cannot afford it: compiled in by -Dchecks=true. */
#ifdef DP_CHECKS
#define DP_CHECK(condition) DP_ASSERT(condition)
#else
#define DP_CHECK(condition) ((void)0)
#endif

/* Before a loop over the words of one record: without a counter and a branch for each. */
#ifdef __clang__
#define DP_UNROLL
#else
#define DP_UNROLL _Pragma("GCC unroll 16")
#endif

#define DP_PRICE_NONE INT64_MAX

/* Values of FIX Side(54). Short and short exempt are sells whose marking differs on the wire. */
enum dp_side { DP_SIDE_NONE = 0, DP_SIDE_BUY = 1, DP_SIDE_SELL = 2 };

/* price_nanos * qty, in 1e-9 of the currency. */
__extension__ typedef __int128 dp_money_nanos;

static inline _Noreturn void dp_assertion_failed(const char *text, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, text);
    abort();
}

/* Not bswap16: its instructions write half a register, and so wait for whatever used the register
 * before. Between messages that chained each one's last field to the next one's length. */
static inline uint16_t dp_load_be16(const uint8_t *bytes)
{
    uint16_t value_be;
    memcpy(&value_be, bytes, sizeof(value_be));
    return (uint16_t)(__builtin_bswap32(value_be) >> 16);
}

static inline uint32_t dp_load_be32(const uint8_t *bytes)
{
    uint32_t value_be;
    memcpy(&value_be, bytes, sizeof(value_be));
    return __builtin_bswap32(value_be);
}

static inline uint64_t dp_load_be48(const uint8_t *bytes)
{
    return (uint64_t)dp_load_be16(bytes) << 32 | dp_load_be32(bytes + 2);
}

static inline uint64_t dp_load_be64(const uint8_t *bytes)
{
    uint64_t value_be;
    memcpy(&value_be, bytes, sizeof(value_be));
    return __builtin_bswap64(value_be);
}

static inline void dp_store_be16(uint8_t *bytes, uint16_t value)
{
    uint16_t value_be = __builtin_bswap16(value);
    memcpy(bytes, &value_be, sizeof(value_be));
}

static inline void dp_store_be32(uint8_t *bytes, uint32_t value)
{
    uint32_t value_be = __builtin_bswap32(value);
    memcpy(bytes, &value_be, sizeof(value_be));
}

static inline void dp_store_be48(uint8_t *bytes, uint64_t value)
{
    dp_store_be16(bytes, (uint16_t)(value >> 32));
    dp_store_be32(bytes + 2, (uint32_t)value);
}

static inline void dp_store_be64(uint8_t *bytes, uint64_t value)
{
    uint64_t value_be = __builtin_bswap64(value);
    memcpy(bytes, &value_be, sizeof(value_be));
}

static inline bool dp_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static inline uint64_t dp_round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* The time-stamp counter. For latency figures only: no event, state or packet may depend on it. */
static inline uint64_t dp_tsc(void)
{
    return __builtin_ia32_rdtsc();
}

#endif
