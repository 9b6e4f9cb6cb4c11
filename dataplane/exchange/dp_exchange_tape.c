#include "dp_exchange_tape.h"

#define ROOM_FIRST (1u << 20)

static bool make_room(struct dp_exchange_tape *tape, size_t size)
{
    if (tape->room - tape->used >= size)
        return true;
    size_t room = tape->room == 0 ? ROOM_FIRST : tape->room;
    while (room - tape->used < size)
        room *= 2;
    uint8_t *bytes = room > DP_EXCHANGE_TAPE_BYTES_MAX ? NULL : realloc(tape->bytes, room);
    if (bytes == NULL)
        return false;
    tape->bytes = bytes;
    tape->room = room;
    return true;
}

void dp_exchange_tape_add(struct dp_exchange_tape *tape,
    const struct dp_exchange_tape_record *record, const uint8_t *data, uint32_t size)
{
    if (!tape->on)
        return;
    size_t whole = dp_round_up(sizeof(*record) + size, 8);
    if (!make_room(tape, whole)) {
        tape->lost++;
        return;
    }
    uint8_t *at = tape->bytes + tape->used;
    memcpy(at, record, sizeof(*record));
    memcpy(at + offsetof(struct dp_exchange_tape_record, size), &size, sizeof(size));
    if (size > 0)
        memcpy(at + sizeof(*record), data, size);
    memset(at + sizeof(*record) + size, 0, whole - sizeof(*record) - size);
    tape->used += whole;
}

void dp_exchange_tape_free(struct dp_exchange_tape *tape)
{
    free(tape->bytes);
    *tape = (struct dp_exchange_tape){0};
}
