/*
 * dp_command - what a person tells a running appliance: a few slots, each with its answer.
 *
 * Anybody who may write the region claims a free slot, fills it in, posts it, and waits for its
 * answer in the same slot; the engine takes what is posted, does it, journals it and answers. So a
 * command is done once, in the order in which the engine took it, and who gave it knows how it
 * went.
 *
 * The state word of a slot says whose turn it is, and the owner who claimed it. Release and acquire
 * on it hand the rest of the slot over: to the engine with POSTED, back with DONE. A claimant that
 * died leaves its slot CLAIMED or DONE: the next one takes it over. One that died after posting has
 * still given its command. All slots taken: the caller is told and may try again. No thread waits
 * for another inside a call.
 */
#ifndef DP_COMMAND_H
#define DP_COMMAND_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_risk.h"

#define DP_COMMAND_SLOTS 16u
#define DP_COMMAND_AUTHOR_SIZE 16
#define DP_COMMAND_CAUSE_SIZE 40
#define DP_COMMAND_TEXT_SIZE 128

enum dp_command_kind { DP_COMMAND_KILL = 1, DP_COMMAND_ARM = 2, DP_COMMAND_LIMIT = 3 };

enum dp_command_step {
    DP_COMMAND_FREE = 0,
    DP_COMMAND_CLAIMED = 1,
    DP_COMMAND_POSTED = 2,
    DP_COMMAND_DONE = 3,
};

struct dp_command {
    /* bits 0-1 enum dp_command_step, 2-25 process of the claimant, 26-63 claims so far */
    alignas(DP_CACHE_LINE) _Atomic uint64_t state;
    uint8_t kind;       /* enum dp_command_kind */
    uint8_t scope_kind; /* enum dp_risk_scope_kind */
    uint8_t mode;       /* KILL: enum dp_switch_mode */
    uint8_t field;      /* LIMIT: number of dp_risk_field.h */
    uint64_t mark_seen; /* ARM: the mark that the person saw */
    int64_t value;      /* LIMIT */
    uint32_t scope_index;
    int32_t status;                      /* the answer: 0, or -errno and text */
    char author[DP_COMMAND_AUTHOR_SIZE]; /* ended by 0 */
    char cause[DP_COMMAND_CAUSE_SIZE];
    char text[DP_COMMAND_TEXT_SIZE];
};

struct dp_commands {
    alignas(DP_CACHE_LINE) _Atomic uint64_t posted; /* grows with each one */
    struct dp_command slots[DP_COMMAND_SLOTS];
};

typedef bool dp_command_has_ended(uint32_t pid);

/* A slot of the caller's own, or NULL when all are taken. `has_ended` tells of claimants. */
struct dp_command *dp_command_claim(
    struct dp_commands *commands, uint32_t pid, dp_command_has_ended *has_ended);
void dp_command_post(struct dp_commands *commands, struct dp_command *command);
/* Claimant: whether the answer is there. */
bool dp_command_is_done(const struct dp_command *command);
void dp_command_release(struct dp_command *command);

/* The engine: the next posted command, or NULL; *at counts slots, begin with 0. */
struct dp_command *dp_command_take(struct dp_commands *commands, uint32_t *at);
void dp_command_answer(struct dp_command *command, int status, const char *text);

#endif
