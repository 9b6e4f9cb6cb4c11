/*
 * dp_card - an FPGA card in the way of packets: what it can do, its registers, and who plays it.
 *
 * Whether there is a card, a model of one, or none: the program says the same words, and the same
 * tests hold for each backend (tests/hooks/test_card.c). A backend answers reads and writes of
 * registers, which is all that a mapped BAR does, and, where frames do not pass through silicon,
 * moves them through its model. A card is named by its backend and, behind a colon, where it is:
 *
 *     none               no card: no capabilities, every frame passes
 *     soft               the reference: the meaning of each register, in C (dp_card_soft.c)
 *     pci:ADDRESS[/BAR]  a card that vfio-pci has; its registers are in BAR 0 if none is named
 *     rtl:PATH           a card in SystemVerilog, simulated: a shared object that
 *                        dataplane/fpga/build.sh made
 *
 * A card's frames are filtered before they arrive; a backend for one has no `ingress` and `egress`,
 * and both then say what a wire would. docs/hooks.md is the register map.
 *
 * One thread at a time uses a card. It is allocated by dp_card_open(), freed by dp_card_close().
 */
#ifndef DP_CARD_H
#define DP_CARD_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_template.h"

#define DP_CARD_MAGIC 0x54504643u /* "TPFC" */
#define DP_CARD_BAR_SIZE 0x4000u  /* bytes of registers */
#define DP_CARD_VERSION 0x00010001u
#define DP_CARD_FRAME_MAX 2048u
#define DP_CARD_INSTRUMENTS 65536u /* every stock locate code there can be */
#define DP_CARD_SLOTS 64u          /* templates */
#define DP_CARD_SESSION_SIZE 10u   /* of MoldUDP64 */
#define DP_CARD_IDENTITY_SIZE 32u  /* the SHA-256 of the bitstream */

/* What a card can do: bits of DP_CARD_REG_CAPABILITIES. */
enum dp_card_capability {
    DP_CARD_CAN_FILTER = 1u << 0,    /* empties messages of instruments that are not armed */
    DP_CARD_CAN_ARBITRATE = 1u << 1, /* drops the second copy of what both lines brought */
    DP_CARD_CAN_TEMPLATE = 1u << 2,  /* builds a frame from a stored one and a few fields */
    DP_CARD_CAN_GATE = 1u << 3,      /* holds orders to limits, and stops them all */
    DP_CARD_CAN_STAMP = 1u << 4,     /* stamps frames with the time of the wire */
    DP_CARD_CAN_DELTA = 1u << 5,     /* keeps books, and tells what became of their levels */
    DP_CARD_CAN_TRIGGER = 1u << 6,   /* sends an order by itself, once, when the market comes */
};

/* Registers of 32 bits, by byte offset. */
enum dp_card_register {
    DP_CARD_REG_MAGIC = 0x000,
    DP_CARD_REG_VERSION = 0x004, /* major << 16 | minor: another major is another map */
    DP_CARD_REG_CAPABILITIES = 0x008,
    DP_CARD_REG_IDENTITY = 0x010,      /* 8 registers */
    DP_CARD_REG_CONTROL = 0x030,       /* bits of enum dp_card_control */
    DP_CARD_REG_FEED_PORT = 0x040,     /* UDP port of the feed; 0: every port */
    DP_CARD_REG_EXPECTED_LOW = 0x048,  /* next sequence number of the feed: writing the high half */
    DP_CARD_REG_EXPECTED_HIGH = 0x04c, /* takes both over; 0 lets every frame pass */
    DP_CARD_REG_QTY_MAX = 0x050,       /* of one order */
    DP_CARD_REG_PRICE_MAX = 0x054,     /* of one order, four decimals; UINT32_MAX: any price */
    DP_CARD_REG_CREDIT = 0x058,        /* orders that may still leave; UINT32_MAX: any number */
    DP_CARD_REG_SESSION = 0x060,  /* 3 registers: the feed's session, 10 bytes and two zeroes */
    DP_CARD_REG_SLOT = 0x070,     /* of templates: the one that is loaded, and built from */
    DP_CARD_REG_BUILD = 0x074,    /* writing 1 builds; its size, and bit 31 until it stands */
    DP_CARD_REG_TIME_LOW = 0x078, /* nanoseconds: writing the high half takes both over */
    DP_CARD_REG_TIME_HIGH = 0x07c,
    DP_CARD_REG_STAMP_LOW = 0x080, /* when the last frame from the wire began */
    DP_CARD_REG_STAMP_HIGH = 0x084,
    DP_CARD_REG_TRIGGER_LOCATE = 0x090,
    DP_CARD_REG_TRIGGER_SIDE = 0x094,  /* of the orders it waits for: 'B' or 'S' */
    DP_CARD_REG_TRIGGER_PRICE = 0x098, /* four decimals */
    DP_CARD_REG_TRIGGER_STATE = 0x09c, /* enum dp_card_trigger_state; writing 1 or 0 */
    DP_CARD_REG_COUNTERS = 0x100, /* 64 bits each, low half first, in the order of dp_card_count */
    DP_CARD_REG_FRAME = 0x1000,   /* 32 registers: the slot's frame */
    DP_CARD_REG_LAYOUT = 0x1080,  /* 8 registers: its size, sums, and where fields go */
    DP_CARD_REG_FIELDS = 0x1100,  /* 9 registers: the fields of the next frame */
    DP_CARD_REG_BUILT = 0x1180,   /* 32 registers: the frame that was built */
    DP_CARD_REG_ARMED = 0x2000,   /* 2,048 registers: bit locate % 32 of register locate / 32 */
};

enum dp_card_control {
    DP_CARD_FILTER = 1u << 0,
    DP_CARD_ARBITRATE = 1u << 1,
    DP_CARD_GATE = 1u << 2,
    DP_CARD_HALT = 1u << 3, /* the kill switch: nothing but cancels leaves */
    DP_CARD_DELTA = 1u << 4,
};

#define DP_CARD_COUNTS(X) \
    X(FRAMES_IN, "frames from the wire") \
    X(FRAMES_OTHER, "frames that are no feed: passed as they are") \
    X(FRAMES_TWICE, "frames that the other line had brought: dropped") \
    X(MESSAGES_IN, "messages looked at") \
    X(MESSAGES_EMPTIED, "messages of instruments that are not armed: emptied") \
    X(FRAMES_OUT, "frames to the wire") \
    X(ORDERS_OUT, "orders and replaces in them") \
    X(REFUSED_HALT, "frames refused: halted") \
    X(REFUSED_QTY, "frames refused: quantity above the limit") \
    X(REFUSED_PRICE, "frames refused: price above the limit") \
    X(REFUSED_CREDIT, "frames refused: no credit left") \
    X(REFUSED_UNCLEAR, "frames refused: not whole messages, so nobody can tell") \
    X(DELTAS_LOST, "messages that no delta tells of: a hole, no room, or no such order") \
    X(TRIGGERED, "orders that a trigger sent")

enum dp_card_count {
#define X(name, words) DP_CARD_COUNT_##name,
    DP_CARD_COUNTS(X)
#undef X
        DP_CARD_COUNT_END
};

struct dp_card;

/* What became of one level of a book. */
struct dp_card_delta {
    uint64_t sequence; /* of the message that did it */
    uint64_t qty;      /* of the whole level now; 0: it is gone */
    uint32_t price4;   /* four decimals */
    uint16_t stock_locate;
    uint8_t side; /* 'B' or 'S' */
};

/* What a trigger waits for: an order of the market on that side, at that price or better for whom
 * takes it. */
struct dp_card_trigger {
    uint16_t stock_locate;
    uint8_t side;    /* 'B' or 'S' */
    uint32_t price4; /* 'S': at most; 'B': at least */
};

enum dp_card_trigger_state {
    DP_CARD_TRIGGER_IDLE = 0,
    DP_CARD_TRIGGER_ARMED,
    DP_CARD_TRIGGER_FIRED,   /* its order has left */
    DP_CARD_TRIGGER_REFUSED, /* the gate did not let it */
};

struct dp_card_ops {
    const char *name;
    uint32_t (*read)(struct dp_card *card, uint32_t offset);
    void (*write)(struct dp_card *card, uint32_t offset, uint32_t value);
    /* See the functions below; NULL where frames pass through silicon. */
    uint32_t (*ingress)(struct dp_card *card, const uint8_t *frame, uint32_t size, uint8_t *out);
    bool (*egress)(struct dp_card *card, const uint8_t *frame, uint32_t size);
    uint32_t (*fired)(struct dp_card *card, uint8_t *frame);
    /* NULL where there are none. */
    uint32_t (*deltas)(struct dp_card *card, struct dp_card_delta *deltas, uint32_t max);
    /* Of a real card; NULL where there is no bus. See the functions below. */
    int (*interrupt)(struct dp_card *card, struct dp_err *err);
    int (*share)(
        struct dp_card *card, void *memory, size_t size, uint64_t bus_address, struct dp_err *err);
    void (*close)(struct dp_card *card);
};

struct dp_card {
    const struct dp_card_ops *ops;
    uint32_t capabilities; /* read once, when it was opened */
};

/* A backend of this build: the discovery of what dp_card_open() takes. */
struct dp_card_kind {
    const char *name;
    const char *words; /* for people */
    const char *where; /* what must stand behind the colon, for people; NULL: nothing */
    struct dp_card *(*open)(const char *where, struct dp_err *err);
};

const struct dp_card_kind *dp_card_kind_at(size_t index); /* NULL behind the end */
/* Opens and identifies (see below); changes no register. NULL with err filled: no such backend, no
 * memory, another device, another bitstream. */
struct dp_card *dp_card_open(const char *name, const uint8_t *identity, struct dp_err *err);
void dp_card_close(struct dp_card *card);

/* Whether it is a card of this register map, and its bitstream the one expected (NULL: any).
 * -errno with what was found. */
int dp_card_identify(struct dp_card *card, const uint8_t *identity, struct dp_err *err);

uint32_t dp_card_read(struct dp_card *card, uint32_t offset);
void dp_card_write(struct dp_card *card, uint32_t offset, uint32_t value);
uint64_t dp_card_count(struct dp_card *card, enum dp_card_count count);
const char *dp_card_count_words(enum dp_card_count count);

/* Turns control bits on or off and reads back: -ENOTSUP when the card has no such thing, -EIO when
 * it did not take. */
int dp_card_control(struct dp_card *card, uint32_t bits, bool on, struct dp_err *err);
/* Whether messages of that instrument pass the filter; none does at first. */
void dp_card_arm(struct dp_card *card, uint16_t stock_locate, bool armed);
void dp_card_arm_all(struct dp_card *card, bool armed);
/* Session (10 bytes) and next sequence number of the feed, for arbitration: at first, after a gap
 * that was given up, and when another session begins. Packets of other sessions pass. */
void dp_card_expect(struct dp_card *card, const uint8_t *session, uint64_t sequence);

/* The card's clock, nanoseconds, and when the last frame from the wire began by it. 0 and -ENOTSUP
 * when it has none. */
int64_t dp_card_time(struct dp_card *card);
int64_t dp_card_stamp(struct dp_card *card);
int dp_card_set_time(struct dp_card *card, int64_t time_ns, struct dp_err *err);

/* An eventfd that counts the card's interrupts, the card's own; -ENOTSUP: it is on no bus. */
int dp_card_interrupt(struct dp_card *card, struct dp_err *err);
/* Lets the card read and write that memory (whole pages) at that address of its bus, until it is
 * closed. -ENOTSUP likewise. */
int dp_card_share(
    struct dp_card *card, void *memory, size_t size, uint64_t bus_address, struct dp_err *err);

/* A frame that came from the wire. Writes what the program gets to `out` (DP_CARD_FRAME_MAX bytes)
 * and returns its size; 0 when it gets nothing. `out` and `frame` do not overlap. */
uint32_t dp_card_ingress(struct dp_card *card, const uint8_t *frame, uint32_t size, uint8_t *out);
/* A frame that is to leave: whether it does. */
bool dp_card_egress(struct dp_card *card, const uint8_t *frame, uint32_t size);

/* Stores a sealed template in a slot: -EINVAL for a slot that is not there, -ENOTSUP when the card
 * has none. */
int dp_card_load(
    struct dp_card *card, uint32_t slot, const struct dp_template *template_, struct dp_err *err);
/* Builds a frame from a slot: the same bytes as dp_template_build() gives. `frame` has
 * DP_TEMPLATE_FRAME_MAX bytes. Returns its size; 0 when nothing was loaded there, or the card does
 * not come to an end of it. */
uint32_t dp_card_build(
    struct dp_card *card, uint32_t slot, const struct dp_template_fields *fields, uint8_t *frame);

/* Up to max changes of levels, in their order; returns how many. The books begin empty when
 * DP_CARD_DELTA is turned on and hold armed instruments. They need arbitration and what it is to
 * expect (dp_card_expect); a message they cannot follow counts in DELTAS_LOST, and from then on no
 * delta comes until it is turned off and on. */
uint32_t dp_card_deltas(struct dp_card *card, struct dp_card_delta *deltas, uint32_t max);

/* Sends the frame of that slot and these fields by itself, through its gate, once, when the market
 * brings what is waited for. Whoever sets it must have recorded the order as sent: the card does
 * not ask again. -EINVAL for a slot that is not there or another side, -EBUSY while one is armed,
 * -ENOTSUP when the card cannot. */
int dp_card_set_trigger(struct dp_card *card, uint32_t slot,
    const struct dp_template_fields *fields, const struct dp_card_trigger *trigger,
    struct dp_err *err);
enum dp_card_trigger_state dp_card_trigger_state(struct dp_card *card);
/* Ends it and says what became of it: IDLE means that it has not sent and never will. */
enum dp_card_trigger_state dp_card_end_trigger(struct dp_card *card);
/* Where frames pass through a model: the frame that the trigger has sent, for who moves frames to
 * the wire (DP_TEMPLATE_FRAME_MAX bytes). Returns its size, once; 0: none. */
uint32_t dp_card_fired(struct dp_card *card, uint8_t *frame);

#endif
