/*
 * dp_risk_limits - what may be limited, at each scope. Amounts in nanos; docs/risk.md has the
 * rules.
 *
 * A limit that must be there (no policy, no order) says DP_RISK_UNLIMITED when it shall not bind.
 * What is marked "0: off" is a breaker or a band that a scope may do without. Each struct is a row
 * of 64-bit words, so that it changes as a whole (dp_versioned.h).
 */
#ifndef DP_RISK_LIMITS_H
#define DP_RISK_LIMITS_H

#include "dp_base.h"

#define DP_RISK_STRATEGIES_MAX 64
#define DP_RISK_ACCOUNTS_MAX 16
#define DP_RISK_SESSIONS_MAX 16
#define DP_RISK_UNLIMITED INT64_MAX  /* in a limit: never breached */
#define DP_RISK_RATE_MAX 1000000000u /* of order_rate_max and order_burst_max */
#define DP_RISK_DUPLICATES_MAX 29u   /* of duplicate_count_max */
#define DP_RISK_SIZES 16u            /* orders whose median is the typical size */

/* What an order is, beyond side, quantity and price: bits. A policy says which it denies. */
enum dp_risk_attribute {
    DP_RISK_DAY = 1,
    DP_RISK_IOC = 2,
    DP_RISK_SHORT = 4,        /* marked as a short sale */
    DP_RISK_SHORT_EXEMPT = 8, /* short, and exempt from the price test */
    DP_RISK_MARKET = 16,
    DP_RISK_POST_ONLY = 32,
    DP_RISK_HIDDEN = 64,
    DP_RISK_ISO = 128,
};

/* Of one strategy. */
struct dp_risk_strategy_limits {
    uint64_t order_qty_max;
    int64_t order_notional_max_nanos;
    int64_t gross_max_nanos;       /* BO + SO + BE + SE */
    int64_t net_max_nanos;         /* of BE + BO - SE and of SE + SO - BE */
    uint64_t open_order_count_max; /* open and in flight */
    uint64_t order_rate_max;       /* new orders and replaces a second (token bucket) */
    uint64_t order_burst_max;      /* depth of that bucket */
    /* Same (instrument, side, qty, price) within the window: this many pass, at least 1. */
    uint64_t duplicate_count_max;
    int64_t duplicate_window_ns;
    uint64_t fan_out_max;     /* orders and replaces at one instant of the engine; 0: off */
    uint64_t reject_rate_max; /* venue's refusals a second, as deep as wide; 0: off */
    uint64_t fill_rate_max;   /* executions a second, as deep as wide; 0: off */
    int64_t loss_max_nanos;   /* of the day, at marks; 0: off */
    int64_t drawdown_max_nanos;
    uint32_t soft_percent; /* of gross and net: above, an alert is counted; 0: off */
    uint32_t attributes_denied;
    uint16_t account_index;
    uint16_t lane; /* the submitter that this strategy runs on */
    bool has_policy;
    uint8_t reserved[3];
};

/* Of an account, over all its strategies; and of the firm, over all accounts. */
struct dp_risk_group_limits {
    uint64_t order_qty_max;
    int64_t order_notional_max_nanos;
    int64_t gross_max_nanos;
    int64_t net_max_nanos;
    uint64_t open_order_count_max;
    int64_t open_max_nanos;    /* BO + SO */
    int64_t entered_max_nanos; /* all orders of the day; only what the venue rejected comes off */
    /* Orders, replaces and cancels: at most floor + ratio * executions. */
    uint64_t message_floor;
    uint64_t message_ratio;
    uint64_t order_rate_max; /* each lane has an equal share */
    uint64_t order_burst_max;
    int64_t loss_max_nanos; /* 0: off */
    int64_t drawdown_max_nanos;
    int64_t feed_age_max_ns; /* no word of the feed for so long trips the firm; 0: off */
    uint32_t soft_percent;   /* 0: off */
    bool has_policy;
    uint8_t reserved[3];
};

/* Of one instrument, over all strategies. */
struct dp_risk_instrument_limits {
    uint64_t order_qty_max;
    int64_t order_notional_max_nanos;
    uint64_t position_max; /* long and short alike: position plus all open orders of that side */
    int64_t collar_abs_nanos;
    uint32_t collar_bps;          /* band = max(reference * bps / 10,000, collar_abs_nanos) */
    uint32_t adv_fraction_bps;    /* of adv_qty, in one order; 0: off */
    uint64_t adv_qty;             /* average daily volume; 0: not known, refused when asked for */
    int64_t band_low_nanos;       /* limit up / limit down; 0: not known */
    int64_t band_high_nanos;      /* 0: not known */
    int64_t reference_age_max_ns; /* since the feed was last heard; 0: off */
    uint64_t locate_qty;          /* that may be sold short; counts when short_sale is LOCATE */
    uint32_t typical_multiple;    /* of the median of the last DP_RISK_SIZES orders; 0: off */
    uint32_t impact_bps;          /* from the touch to the last level needed; 0: off */
    uint32_t impact_levels;       /* that an order may sweep; 0: off */
    uint32_t accounts_denied;     /* bits: accounts that may not trade it */
    uint8_t short_sale;           /* enum dp_risk_short_sale */
    bool restricted;              /* for everybody */
    bool price_test;              /* Regulation SHO 201 is in force */
    bool self_trade_denied;
    bool has_policy;
    uint8_t reserved[3];
};

enum dp_risk_short_sale {
    DP_RISK_SHORT_FREE = 0, /* a sale is a sale */
    DP_RISK_SHORT_LOCATE,   /* marked, and covered by locate_qty */
};

static_assert(sizeof(struct dp_risk_strategy_limits) % 8 == 0 &&
        sizeof(struct dp_risk_group_limits) % 8 == 0 &&
        sizeof(struct dp_risk_instrument_limits) % 8 == 0,
    "whole words");

#endif
