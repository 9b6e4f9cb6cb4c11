#include "dp_command.h"

#define PID_MASK UINT64_C(0xffffff)

static enum dp_command_step step_of(uint64_t state)
{
    return (enum dp_command_step)(state & 3);
}

/* A step of the one whose turn it is: nobody else changes the word meanwhile. */
static void step_to(struct dp_command *command, enum dp_command_step step)
{
    uint64_t state = dp_load_relaxed(&command->state);
    /* Release, with the acquire of the other side: what was written into the slot comes first. */
    dp_store_release(&command->state, (state & ~UINT64_C(3)) | (uint64_t)step);
}

/* Free, or left behind by somebody who died while it was theirs. */
static bool take_over(struct dp_command *command, uint32_t pid, dp_command_has_ended *has_ended)
{
    uint64_t state = dp_load_acquire(&command->state);
    enum dp_command_step step = step_of(state);
    uint32_t claimant = (uint32_t)(state >> 2 & PID_MASK);
    if (step == DP_COMMAND_POSTED || (step != DP_COMMAND_FREE && !has_ended(claimant)))
        return false;
    uint64_t next = ((state >> 26) + 1) << 26 | (pid & PID_MASK) << 2 | DP_COMMAND_CLAIMED;
    return dp_cas_acq_rel(&command->state, &state, next);
}

struct dp_command *dp_command_claim(
    struct dp_commands *commands, uint32_t pid, dp_command_has_ended *has_ended)
{
    for (uint32_t index = 0; index < DP_COMMAND_SLOTS; index++)
        if (take_over(&commands->slots[index], pid, has_ended))
            return &commands->slots[index];
    return NULL;
}

void dp_command_post(struct dp_commands *commands, struct dp_command *command)
{
    step_to(command, DP_COMMAND_POSTED);
    dp_fetch_add_release(&commands->posted, 1);
}

bool dp_command_is_done(const struct dp_command *command)
{
    return step_of(dp_load_acquire(&command->state)) == DP_COMMAND_DONE;
}

void dp_command_release(struct dp_command *command)
{
    step_to(command, DP_COMMAND_FREE);
}

struct dp_command *dp_command_take(struct dp_commands *commands, uint32_t *at)
{
    for (; *at < DP_COMMAND_SLOTS; ++*at) {
        struct dp_command *command = &commands->slots[*at];
        if (step_of(dp_load_acquire(&command->state)) == DP_COMMAND_POSTED)
            return command;
    }
    return NULL;
}

void dp_command_answer(struct dp_command *command, int status, const char *text)
{
    command->status = status;
    snprintf(command->text, sizeof(command->text), "%s", text);
    step_to(command, DP_COMMAND_DONE);
}
