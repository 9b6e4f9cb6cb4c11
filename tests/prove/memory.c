/*
 * Memory as C11 describes it, as a machine. Each location keeps all values it was given, in
 * modification order; each actor has a view, the oldest message in each location that it may still
 * read. Reading or writing a message moves the view up; a release sends the writer's view along
 * with the message, an acquire takes it over. A store may take its place before messages of others
 * that the writer has not seen. A read-modify-write stands right behind the message that it read,
 * and carries that message's view on (a release sequence, in the narrow sense of C++20). A fence
 * that is sequentially consistent exchanges views with one that all of them share.
 *
 * Loads come from stores already made, so load buffering is not seen: see docs/proofs.md.
 */
#include <stdio.h>

#include "machine.h"

#define MESSAGES_MAX 4096u
#define ORDER_MAX 160u
#define SLOTS 1024u /* of the table from address to location; a power of two */

struct message {
    uint64_t value;
    uint16_t location;
    uint16_t position; /* in modification order */
    uint32_t event;    /* which of the actor's */
    uint8_t actor;
    bool is_change; /* written by a read-modify-write: nothing may come between it and the former */
    struct view view;
};

struct location {
    uintptr_t address;
    size_t size;
    uint16_t count;
    uint16_t order[ORDER_MAX];
    uint64_t hash;
};

static struct message messages[MESSAGES_MAX];
static struct location locations[LOCATIONS_MAX];
static uint16_t slots[SLOTS];
static uint32_t message_count;
static uint32_t location_count;
static uint64_t order_hash; /* sum over the locations */
static uint64_t fence_hash;
static struct view fence_view;

static uint32_t slot_of(uintptr_t address)
{
    return (uint32_t)(machine_mix(0, address) & (SLOTS - 1));
}

void memory_reset(void)
{
    for (uint32_t index = 1; index <= location_count; index++)
        for (uint32_t slot = slot_of(locations[index].address); slots[slot] != 0;
             slot = (slot + 1) & (SLOTS - 1))
            slots[slot] = 0;
    message_count = 0;
    location_count = 0;
    order_hash = 0;
    fence_hash = 0;
    memset(&fence_view, 0, sizeof(fence_view));
}

uint64_t memory_hash(void)
{
    return machine_mix(order_hash, fence_hash);
}

/* ---- views ---- */

static uint32_t position_of(uint16_t message)
{
    return message == 0 ? 0 : messages[message].position;
}

void memory_join(struct view *into, const struct view *from)
{
    for (uint32_t index = 1; index <= location_count; index++)
        if (into->seen[index] == 0 ||
            position_of(from->seen[index]) > position_of(into->seen[index]))
            into->seen[index] = from->seen[index];
    for (uint32_t actor = 0; actor < ACTORS_MAX; actor++)
        if (from->clock[actor] > into->clock[actor])
            into->clock[actor] = from->clock[actor];
}

static void copy_view(struct view *to, const struct view *from)
{
    memcpy(to->seen, from->seen, (location_count + 1) * sizeof(to->seen[0]));
    memset(to->seen + location_count + 1, 0,
        (LOCATIONS_MAX - location_count - 1) * sizeof(to->seen[0]));
    memcpy(to->clock, from->clock, sizeof(to->clock));
}

/* ---- locations ---- */

static uint64_t mask_of(size_t size)
{
    return size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1;
}

static uint64_t raw_load(const volatile void *object, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)(uintptr_t)object, size);
    return value;
}

static uint16_t add_message(uint16_t location, uint64_t value)
{
    if (++message_count == MESSAGES_MAX)
        prove_fail("checker: more than %u stores in one run", MESSAGES_MAX);
    messages[message_count].value = value;
    messages[message_count].location = location;
    messages[message_count].is_change = false;
    return (uint16_t)message_count;
}

/* What memory held before the first store: everybody may read it. */
static void add_first_message(uint16_t index, uint64_t value)
{
    uint16_t first = add_message(index, value);
    messages[first].actor = 0;
    messages[first].event = 0;
    messages[first].position = 0;
    memset(&messages[first].view, 0, sizeof(messages[first].view));
    locations[index].order[0] = first;
    locations[index].count = 1;
    locations[index].hash = 0;
}

static uint16_t location_of(const volatile void *object, size_t size)
{
    uintptr_t address = (uintptr_t)object;
    uint32_t slot = slot_of(address);
    while (slots[slot] != 0 && locations[slots[slot]].address != address)
        slot = (slot + 1) & (SLOTS - 1);
    if (slots[slot] == 0) {
        if (++location_count == LOCATIONS_MAX)
            prove_fail("checker: more than %u atomic objects", LOCATIONS_MAX - 1);
        slots[slot] = (uint16_t)location_count;
        locations[location_count].address = address;
        locations[location_count].size = size;
        add_first_message((uint16_t)location_count, raw_load(object, size));
    }
    if (locations[slots[slot]].size != size)
        prove_fail("checker: one object is accessed with %zu and with %zu bytes", size,
            locations[slots[slot]].size);
    return slots[slot];
}

static void rehash(struct location *location)
{
    uint64_t hash = location->address;
    for (uint32_t at = 1; at < location->count; at++) {
        const struct message *message = &messages[location->order[at]];
        hash = machine_mix(hash, (uint64_t)message->event << 8 | message->actor);
    }
    order_hash += hash - location->hash;
    location->hash = hash;
}

/* ---- events ---- */

static bool is_same_line(const struct prove_site *site, const struct prove_site *other)
{
    return site->line == other->line && strcmp(site->file, other->file) == 0 &&
        strcmp(site->operation, other->operation) == 0 && strcmp(site->object, other->object) == 0;
}

/* An inline function has a site in each file that calls it: the first one met stands for all. */
static void note_site(struct prove_site *site)
{
    if (site->line_of != NULL || machine.self == 0)
        return;
    for (struct prove_site *known = machine.sites; known != NULL; known = known->next)
        if (is_same_line(site, known)) {
            site->line_of = known;
            return;
        }
    site->line_of = site;
    site->next = machine.sites;
    machine.sites = site;
}

static uint32_t order_of(const struct prove_site *site)
{
    return site->line_of != NULL && site->line_of == machine.weak_site
        ? site->order & ~machine.weak_part
        : site->order;
}

/* Every step of an actor ends here: what it read, for the hash, and always(). */
static void end_event(uint64_t read_from)
{
    struct actor *self = machine_self();
    self->event_count++;
    self->current.clock[machine.self]++;
    self->history = machine_mix(self->history, read_from);
    if (machine.self != 0 && machine.scenario->always != NULL) {
        machine.is_quiet = true;
        machine.scenario->always();
        machine.is_quiet = false;
    }
}

static uint64_t identity(const struct message *message)
{
    return (uint64_t)message->event << 8 | message->actor;
}

static bool may_be_followed(const struct location *location, uint32_t position)
{
    return position + 1u == location->count || !messages[location->order[position + 1]].is_change;
}

/* The positions that an actor may choose from, newest first; count of them in *choices. Once the
 * run's stale accesses are used up only the newest is left. */
static uint32_t list_positions(
    const struct location *location, bool needs_room, uint32_t positions[ORDER_MAX])
{
    uint32_t index = (uint32_t)(location - locations);
    uint32_t oldest = position_of(machine_self()->current.seen[index]);
    uint32_t count = 0;
    bool is_bounded =
        machine.scenario->stale_max != 0 && machine.stale_count >= machine.scenario->stale_max;
    for (uint32_t at = location->count; at-- > oldest;)
        if (!needs_room || may_be_followed(location, at)) {
            positions[count++] = at;
            if (is_bounded)
                break;
        }
    return count;
}

static uint32_t choose_position(const uint32_t *positions, uint32_t count)
{
    uint32_t choice = explore_choose(count);
    machine.stale_count += choice != 0;
    return positions[choice];
}

static void take_view(struct actor *self, const struct message *message, uint32_t order)
{
    uint16_t number = (uint16_t)(message - messages);
    self->current.seen[message->location] = number;
    self->acquirable.seen[message->location] = number;
    memory_join(order & PROVE_ACQUIRE ? &self->current : &self->acquirable, &message->view);
}

/* A message behind position `after`, with what its readers acquire. */
static void put_message(struct location *location, uint32_t after, uint64_t value, uint32_t order,
    const struct message *changed)
{
    struct actor *self = machine_self();
    uint16_t number = add_message((uint16_t)(location - locations), value);
    struct message *message = &messages[number];
    if (location->count == ORDER_MAX)
        prove_fail("checker: more than %u stores to one object", ORDER_MAX);
    for (uint32_t at = location->count; at > after + 1; at--) {
        location->order[at] = location->order[at - 1];
        messages[location->order[at]].position = (uint16_t)at;
    }
    location->order[after + 1] = number;
    location->count++;
    message->position = (uint16_t)(after + 1);
    message->actor = (uint8_t)machine.self;
    message->event = self->event_count + 1;
    message->is_change = changed != NULL;
    self->current.seen[message->location] = number;
    copy_view(&message->view, order & PROVE_RELEASE ? &self->current : &self->released);
    message->view.seen[message->location] = number;
    if (changed != NULL)
        memory_join(&message->view, &changed->view);
    rehash(location);
    /* Real memory holds the newest, for always() and finally(). */
    uint64_t newest = messages[location->order[location->count - 1]].value;
    memcpy((void *)location->address, &newest, location->size);
}

static const char *age(const struct location *location, uint32_t position)
{
    return position + 1u == location->count ? "" : " (not the newest)";
}

uint64_t prove_load(struct prove_site *site, const volatile void *object, size_t size)
{
    if (machine.is_quiet)
        return raw_load(object, size);
    uint32_t positions[ORDER_MAX];
    note_site(site);
    threads_step();
    struct location *location = &locations[location_of(object, size)];
    plain_access((uintptr_t)object, size, ATOMIC_READ);
    uint32_t position = choose_position(positions, list_positions(location, false, positions));
    const struct message *message = &messages[location->order[position]];
    take_view(machine_self(), message, order_of(site));
    threads_trace(site, "= %lld%s", (long long)message->value, age(location, position));
    end_event(identity(message));
    return message->value;
}

static struct location *begin_write(struct prove_site *site, volatile void *object, size_t size)
{
    if (machine.is_quiet)
        prove_fail("checker: a store in always()");
    note_site(site);
    threads_step();
    struct location *location = &locations[location_of(object, size)];
    plain_access((uintptr_t)object, size, ATOMIC_WRITE);
    return location;
}

void prove_store(struct prove_site *site, volatile void *object, size_t size, uint64_t value)
{
    uint32_t positions[ORDER_MAX];
    struct location *location = begin_write(site, object, size);
    uint32_t after = choose_position(positions, list_positions(location, true, positions));
    threads_trace(site, ":= %lld%s", (long long)(value & mask_of(size)), age(location, after));
    put_message(location, after, value & mask_of(size), order_of(site), NULL);
    end_event(0);
}

static uint64_t changed_value(uint64_t value, enum prove_change change, uint64_t operand)
{
    switch (change) {
    case PROVE_EXCHANGE: return operand;
    case PROVE_ADD: return value + operand;
    case PROVE_SUB: return value - operand;
    case PROVE_OR: return value | operand;
    case PROVE_AND: return value & operand;
    }
    return 0;
}

uint64_t prove_change(struct prove_site *site, volatile void *object, size_t size,
    enum prove_change change, uint64_t operand)
{
    uint32_t positions[ORDER_MAX];
    struct location *location = begin_write(site, object, size);
    uint32_t position = choose_position(positions, list_positions(location, true, positions));
    const struct message *old = &messages[location->order[position]];
    uint64_t value = changed_value(old->value, change, operand) & mask_of(size);
    threads_trace(
        site, "%lld := %lld%s", (long long)old->value, (long long)value, age(location, position));
    take_view(machine_self(), old, order_of(site));
    put_message(location, position, value, order_of(site), old);
    end_event(identity(old));
    return old->value;
}

/* A strong compare-and-swap succeeds with any message that holds the expected value and has room
 * behind it, and fails with any that holds another. */
static uint32_t list_cas_positions(
    const struct location *location, uint64_t expected, uint32_t positions[ORDER_MAX])
{
    uint32_t count = list_positions(location, false, positions);
    uint32_t kept = 0;
    for (uint32_t at = 0; at < count; at++)
        if (messages[location->order[positions[at]]].value != expected ||
            may_be_followed(location, positions[at]))
            positions[kept++] = positions[at];
    return kept;
}

bool prove_cas(struct prove_site *site, volatile void *object, size_t size, uint64_t *expected,
    uint64_t desired)
{
    if (machine.is_quiet)
        prove_fail("checker: a store in always()");
    uint32_t positions[ORDER_MAX];
    uint64_t wanted = *expected & mask_of(size);
    note_site(site);
    threads_step();
    struct location *location = &locations[location_of(object, size)];
    uint32_t position = choose_position(positions, list_cas_positions(location, wanted, positions));
    const struct message *old = &messages[location->order[position]];
    bool is_done = old->value == wanted;
    plain_access((uintptr_t)object, size, is_done ? ATOMIC_WRITE : ATOMIC_READ);
    threads_trace(site, "%lld, expects %lld: %s %lld%s", (long long)old->value, (long long)wanted,
        is_done ? ":=" : "not", (long long)(desired & mask_of(size)), age(location, position));
    take_view(machine_self(), old, order_of(site));
    if (is_done)
        put_message(location, position, desired & mask_of(size), order_of(site), old);
    *expected = old->value;
    end_event(identity(old));
    return is_done;
}

void prove_fence(struct prove_site *site)
{
    struct actor *self = machine_self();
    uint32_t order = order_of(site);
    note_site(site);
    threads_step();
    if (order & PROVE_ACQUIRE)
        memory_join(&self->current, &self->acquirable);
    if ((order & PROVE_SEQ_CST) == PROVE_SEQ_CST) {
        memory_join(&self->current, &fence_view);
        copy_view(&fence_view, &self->current);
        fence_hash = machine_mix(fence_hash, (uint64_t)self->event_count << 8 | machine.self);
    }
    if (order & PROVE_RELEASE)
        copy_view(&self->released, &self->current);
    threads_trace(site, "%s", "");
    end_event(0);
}
