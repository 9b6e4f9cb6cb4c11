/*
 * dp_generate_state - what dp_generate_*.c share: the market inside the generator. Private to them.
 *
 * The generator keeps the book it has told the world about, so that every message it writes is
 * legal: orders in FIFO lists per price level, levels in sorted arrays per side. All memory is
 * taken at dp_generate_open(). Each function that writes a message returns its size and changes the
 * market to match it.
 */
#ifndef DP_GENERATE_STATE_H
#define DP_GENERATE_STATE_H

#include "dp_generate.h"
#include "dp_generate_random.h"

#define DP_GENERATE_NONE UINT32_MAX
#define DP_GENERATE_NO_SIDE 2
#define DP_GENERATE_RECENT_COUNT 16
#define DP_GENERATE_MATCH_COUNT 64
#define DP_GENERATE_SCENARIO_COUNT 16
#define DP_GENERATE_LEVELS_MAX 1024
/* Zipf draws are one look into a table in which each symbol owns slots in proportion to
 * its weight. */
#define DP_GENERATE_ZIPF_SIZE (1u << 18)

struct dp_generate_order {
    uint64_t order_ref;
    uint32_t qty; /* 0: the record is free */
    uint32_t price4;
    uint32_t ahead; /* neighbours in the queue of its level */
    uint32_t behind;
    uint16_t symbol;
    uint8_t side; /* 0 buy, 1 sell */
};

/* key grows towards the touch on both sides (see dp_generate_book.c). */
struct dp_generate_level {
    uint32_t key;
    uint32_t first;
    uint32_t last;
};

struct dp_generate_side {
    struct dp_generate_level *levels; /* worst first, so that changes near the touch move few */
    uint32_t count;
    uint32_t count_max;
};

struct dp_generate_symbol {
    struct dp_generate_side sides[2];
    uint32_t recent[DP_GENERATE_RECENT_COUNT]; /* orders touched last, maybe dead by now */
    uint32_t recent_next;
    uint32_t order_count;
    uint32_t order_target; /* flow drives order_count towards this */
    uint32_t anchor4;      /* the fair price: walks at random; new orders gather around it */
    uint32_t anchor4_min;
    uint32_t anchor4_max;
    uint32_t tick4;
    uint32_t half_spread4;
    uint32_t unit4; /* typical distance between levels and of one move */
    uint32_t price4_min;
    uint32_t price4_max;
    char stock[8];
    char trading_state;
    bool halted_here; /* operational halt */
    bool in_scenario;
};

struct dp_generate_scenario {
    const char *steps; /* what is left of the script; NULL: free */
    uint64_t due;      /* flow index of the next step */
    uint32_t symbol;
};

struct dp_generate_match {
    uint64_t match_number; /* 0: none, or broken already */
    uint32_t symbol;
};

struct dp_generate {
    struct dp_generate_random random;
    uint64_t message_count;
    uint64_t written;
    uint32_t symbol_count;
    uint64_t time_ns;

    /* Where in the day (dp_generate_day.c). */
    uint32_t phase;
    uint64_t phase_written;
    uint64_t phase_count;
    uint64_t phase_start_ns;
    uint64_t phase_end_ns;
    uint64_t phase_step_ns; /* of the pace that spreads the phase's messages over its time */
    uint32_t spin_symbol;
    uint64_t keep_count; /* orders that must still be there after the end of system hours */

    /* Crosses. */
    uint64_t cross_budget; /* executions that the running phase may still write */
    uint64_t cross_shares;
    uint32_t cross_left; /* executions left for spin_symbol */
    uint32_t cross_price4;
    bool cross_begun;

    /* Order flow (dp_generate_flow.c). */
    uint64_t flow_index; /* messages of continuous trading so far */
    uint64_t flow_total; /* how many there will be, roughly */
    uint32_t burst_symbol;
    uint32_t burst_left;
    uint32_t take_left; /* shares that an aggressor still wants */
    uint8_t take_side;  /* the resting side it hits */
    uint32_t unwind_symbol;

    /* Scenarios (dp_generate_scenario.c). */
    struct dp_generate_scenario scenarios[DP_GENERATE_SCENARIO_COUNT];
    uint64_t scenario_due; /* least flow index at which something is to do */
    uint64_t scenario_start_due;
    uint64_t scenario_gap; /* flow messages between two steps */
    uint64_t scenario_spacing;
    uint32_t scenario_started;
    uint32_t scenario_total;
    uint32_t ipo_symbol;
    uint32_t direct_symbol;

    uint64_t order_ref;
    uint64_t order_ref_held; /* a number drawn earlier and used late: references are not quite in
                                order */
    uint64_t match_number;
    struct dp_generate_match matches[DP_GENERATE_MATCH_COUNT];
    uint32_t match_next;

    struct dp_generate_symbol *symbols;
    uint16_t *zipf;
    struct dp_generate_level *levels;
    struct dp_generate_order *orders;
    uint32_t order_capacity;
    uint32_t order_free; /* first of the free records */
    uint64_t order_count;
};

/* ---- dp_generate_wire.c ---- */

/* The 11 bytes that open every message; symbol DP_GENERATE_NONE: stock locate 0. */
void dp_generate_header(
    const struct dp_generate *generate, uint8_t *message, char type, uint32_t symbol);
/* Text, space padded to size. */
void dp_generate_store_text(uint8_t *bytes, size_t size, const char *text);
uint32_t dp_generate_system_event(
    const struct dp_generate *generate, uint8_t *message, char event_code);
uint32_t dp_generate_trading_action(struct dp_generate *generate, uint8_t *message, uint32_t symbol,
    char trading_state, const char *reason);
uint32_t dp_generate_imbalance(
    struct dp_generate *generate, uint8_t *message, uint32_t symbol, char cross_type);
uint32_t dp_generate_cross_trade(struct dp_generate *generate, uint8_t *message, uint32_t symbol,
    char cross_type, uint64_t shares, uint32_t price4);

/* ---- dp_generate_book.c ---- */

uint32_t dp_generate_best4(
    const struct dp_generate_symbol *symbol, uint8_t side); /* 0: empty side */
/* Puts an order at the tail of its level. Returns its record; the caller has made sure that there
 * is room. */
uint32_t dp_generate_book_add(struct dp_generate *generate, uint32_t symbol, uint8_t side,
    uint32_t qty, uint32_t price4, uint64_t order_ref);
void dp_generate_book_remove(struct dp_generate *generate, uint32_t order);
void dp_generate_book_reduce(struct dp_generate *generate, uint32_t order, uint32_t qty);
/* The nearest price that may be shown without locking the book and for which there is a
 * level left. */
uint32_t dp_generate_book_fit(struct dp_generate *generate, const struct dp_generate_symbol *symbol,
    uint8_t side, uint32_t price4);
/* First in the queue at the best price; DP_GENERATE_NONE when the side is empty. */
uint32_t dp_generate_book_front(const struct dp_generate_symbol *symbol, uint8_t side);
/* The side through whose best price the fair price has walked; DP_GENERATE_NO_SIDE when there is
 * none. */
uint8_t dp_generate_book_stale(const struct dp_generate_symbol *symbol);
/* Some order of the symbol: a stale one if there is, else often a young one, often near the touch.
 * DP_GENERATE_NONE when it has none. */
uint32_t dp_generate_book_pick(struct dp_generate *generate, uint32_t symbol);

/* ---- dp_generate_flow.c ---- */

enum dp_generate_flow_mode {
    DP_GENERATE_FLOW_QUIET,   /* before the open, or everything is halted */
    DP_GENERATE_FLOW_OPENING, /* the same with imbalance messages for the opening cross */
    DP_GENERATE_FLOW_TRADING, /* with scenarios */
    DP_GENERATE_FLOW_SETTLED, /* continuous trading in which no new scenario starts */
    DP_GENERATE_FLOW_CLOSING, /* with imbalance messages for the closing cross */
    DP_GENERATE_FLOW_UNWIND,  /* orders leave for the night */
};

uint32_t dp_generate_flow(
    struct dp_generate *generate, uint8_t *message, enum dp_generate_flow_mode mode);
uint32_t dp_generate_delete(struct dp_generate *generate, uint8_t *message, uint32_t order);
/* E, or C when price4 is not 0. */
uint32_t dp_generate_execute(struct dp_generate *generate, uint8_t *message, uint32_t order,
    uint32_t qty, char printable, uint32_t price4);
/* A fresh number, remembered so that B can break the trade. */
uint64_t dp_generate_match(struct dp_generate *generate, uint32_t symbol);
/* The next symbol that still has orders, in turn. The caller has made sure that there is one. */
uint32_t dp_generate_unwind_next(struct dp_generate *generate);

/* ---- dp_generate_scenario.c ---- */

void dp_generate_scenario_init(struct dp_generate *generate);
/* Writes the next due step of a halt, pause, IPO, ...; 0 when nothing is due. */
uint32_t dp_generate_scenario_step(struct dp_generate *generate, uint8_t *message, bool may_start);

/* ---- dp_generate_symbol.c ---- */

/* Names, prices, activity; uses generate->zipf and generate->levels, which it fills. */
void dp_generate_symbols_init(struct dp_generate *generate);
/* Level records that all symbols together need. */
uint64_t dp_generate_levels_count(uint64_t message_count, uint32_t symbol_count);

/* ---- dp_generate_day.c ---- */

void dp_generate_day_init(struct dp_generate *generate);
uint32_t dp_generate_day_next(struct dp_generate *generate, uint8_t *message);

#endif
