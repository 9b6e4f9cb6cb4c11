#include "dp_card.h"

#include <errno.h>

#include "dp_card_backend.h"

#define STEP 4u /* bytes of a register */

static const struct dp_card_kind kinds[] = {
    {"none", "no card: every frame passes", NULL, dp_card_none_open},
    {"soft", "the reference model, in this process", NULL, dp_card_soft_open},
    {"pci", "a card through VFIO", "the PCI address of a card that vfio-pci has", dp_card_pci_open},
    {"rtl", "a card in SystemVerilog, simulated",
        "the shared object that dataplane/fpga/build.sh made", dp_card_rtl_open},
};

const struct dp_card_kind *dp_card_kind_at(size_t index)
{
    return index < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[index] : NULL;
}

static struct dp_card *open_kind(
    const struct dp_card_kind *kind, const char *where, const uint8_t *identity, struct dp_err *err)
{
    if (kind->where != NULL && where[0] == '\0') {
        dp_err_set(
            err, EINVAL, "card %s: where it is is missing; give %s", kind->name, kind->where);
        return NULL;
    }
    struct dp_card *card = kind->open(where, err);
    if (card == NULL)
        return NULL;
    if (dp_card_identify(card, identity, err) < 0) {
        dp_card_close(card);
        return NULL;
    }
    card->capabilities = dp_card_read(card, DP_CARD_REG_CAPABILITIES);
    return card;
}

struct dp_card *dp_card_open(const char *name, const uint8_t *identity, struct dp_err *err)
{
    size_t size = strcspn(name, ":");
    const char *where = name[size] == ':' ? name + size + 1 : "";
    const struct dp_card_kind *kind;
    for (size_t index = 0; (kind = dp_card_kind_at(index)) != NULL; index++)
        if (strlen(kind->name) == size && memcmp(kind->name, name, size) == 0)
            return open_kind(kind, where, identity, err);
    dp_err_set(err, ENODEV, "card: '%s' is no backend of this build; use none or soft", name);
    return NULL;
}

void dp_card_close(struct dp_card *card)
{
    card->ops->close(card);
}

uint32_t dp_card_read(struct dp_card *card, uint32_t offset)
{
    return card->ops->read(card, offset);
}

void dp_card_write(struct dp_card *card, uint32_t offset, uint32_t value)
{
    card->ops->write(card, offset, value);
}

static void read_identity(struct dp_card *card, uint8_t identity[DP_CARD_IDENTITY_SIZE])
{
    for (uint32_t at = 0; at < DP_CARD_IDENTITY_SIZE; at += STEP)
        dp_store_be32(identity + at, dp_card_read(card, DP_CARD_REG_IDENTITY + at));
}

int dp_card_identify(struct dp_card *card, const uint8_t *identity, struct dp_err *err)
{
    uint8_t found[DP_CARD_IDENTITY_SIZE];
    uint32_t magic = dp_card_read(card, DP_CARD_REG_MAGIC);
    uint32_t version = dp_card_read(card, DP_CARD_REG_VERSION);
    if (magic != DP_CARD_MAGIC)
        return dp_err_set(err, ENODEV,
            "card %s: magic is %08x; it must be %08x: another device, or no bitstream loaded",
            card->ops->name, magic, DP_CARD_MAGIC);
    if (version >> 16 != DP_CARD_VERSION >> 16)
        return dp_err_set(err, EPROTO,
            "card %s: register map %u.%u; this program knows %u: load its bitstream",
            card->ops->name, version >> 16, version & 0xffff, DP_CARD_VERSION >> 16);
    if (identity == NULL)
        return 0;
    read_identity(card, found);
    if (memcmp(found, identity, sizeof(found)) != 0)
        return dp_err_set(err, ESTALE,
            "card %s: bitstream %02x%02x%02x%02x...; expected %02x%02x%02x%02x...: load "
            "the other one",
            card->ops->name, found[0], found[1], found[2], found[3], identity[0], identity[1],
            identity[2], identity[3]);
    return 0;
}

/* A value of 64 bits that changes meanwhile, low half first. */
static uint64_t read_whole(struct dp_card *card, uint32_t offset)
{
    uint32_t high = dp_card_read(card, offset + STEP);
    uint32_t low = dp_card_read(card, offset);
    uint32_t high_after = dp_card_read(card, offset + STEP);
    /* The low half ran over between the reads: it belongs to the later high half if it is small. */
    if (high != high_after && low < 1u << 31)
        high = high_after;
    return (uint64_t)high << 32 | low;
}

uint64_t dp_card_count(struct dp_card *card, enum dp_card_count count)
{
    return read_whole(card, DP_CARD_REG_COUNTERS + 2 * STEP * (uint32_t)count);
}

int64_t dp_card_time(struct dp_card *card)
{
    return (int64_t)read_whole(card, DP_CARD_REG_TIME_LOW);
}

int64_t dp_card_stamp(struct dp_card *card)
{
    return (int64_t)read_whole(card, DP_CARD_REG_STAMP_LOW);
}

int dp_card_set_time(struct dp_card *card, int64_t time_ns, struct dp_err *err)
{
    if (!(card->capabilities & DP_CARD_CAN_STAMP))
        return dp_err_set(
            err, ENOTSUP, "card %s: it has no clock; stamp in the program", card->ops->name);
    dp_card_write(card, DP_CARD_REG_TIME_LOW, (uint32_t)time_ns);
    dp_card_write(card, DP_CARD_REG_TIME_HIGH, (uint32_t)((uint64_t)time_ns >> 32));
    return 0;
}

const char *dp_card_count_words(enum dp_card_count count)
{
    static const char *const words[] = {
#define X(name, text) text,
        DP_CARD_COUNTS(X)
#undef X
    };
    return (uint32_t)count < DP_CARD_COUNT_END ? words[count] : "no such counter";
}

/* What a card must be able to do for a control bit to mean something. */
static uint32_t needs(uint32_t bits)
{
    uint32_t capabilities = 0;
    if (bits & DP_CARD_FILTER)
        capabilities |= DP_CARD_CAN_FILTER;
    if (bits & DP_CARD_ARBITRATE)
        capabilities |= DP_CARD_CAN_ARBITRATE;
    if (bits & (DP_CARD_GATE | DP_CARD_HALT))
        capabilities |= DP_CARD_CAN_GATE;
    if (bits & DP_CARD_DELTA)
        capabilities |= DP_CARD_CAN_DELTA;
    return capabilities;
}

int dp_card_control(struct dp_card *card, uint32_t bits, bool on, struct dp_err *err)
{
    uint32_t missing = needs(bits) & ~card->capabilities;
    if (missing != 0)
        return dp_err_set(err, ENOTSUP,
            "card %s: control %x: it cannot do that (capabilities %x lack %x); do it in the "
            "program",
            card->ops->name, bits, card->capabilities, missing);
    uint32_t before = dp_card_read(card, DP_CARD_REG_CONTROL);
    uint32_t wanted = on ? before | bits : before & ~bits;
    dp_card_write(card, DP_CARD_REG_CONTROL, wanted);
    uint32_t after = dp_card_read(card, DP_CARD_REG_CONTROL);
    if (after != wanted)
        return dp_err_set(err, EIO, "card %s: control is %x after writing %x; reset the card",
            card->ops->name, after, wanted);
    return 0;
}

void dp_card_arm(struct dp_card *card, uint16_t stock_locate, bool armed)
{
    uint32_t offset = DP_CARD_REG_ARMED + STEP * (stock_locate / 32u);
    uint32_t bit = 1u << stock_locate % 32u;
    uint32_t before = dp_card_read(card, offset);
    dp_card_write(card, offset, armed ? before | bit : before & ~bit);
}

void dp_card_arm_all(struct dp_card *card, bool armed)
{
    for (uint32_t at = 0; at < DP_CARD_INSTRUMENTS / 8; at += STEP)
        dp_card_write(card, DP_CARD_REG_ARMED + at, armed ? UINT32_MAX : 0);
}

void dp_card_expect(struct dp_card *card, const uint8_t *session, uint64_t sequence)
{
    uint8_t padded[3 * STEP] = {0};
    memcpy(padded, session, DP_CARD_SESSION_SIZE);
    dp_card_write(card, DP_CARD_REG_EXPECTED_LOW, 0); /* none of the old session meanwhile */
    dp_card_write(card, DP_CARD_REG_EXPECTED_HIGH, 0);
    for (uint32_t at = 0; at < sizeof(padded); at += STEP)
        dp_card_write(card, DP_CARD_REG_SESSION + at, dp_load_be32(padded + at));
    dp_card_write(card, DP_CARD_REG_EXPECTED_LOW, (uint32_t)sequence);
    dp_card_write(card, DP_CARD_REG_EXPECTED_HIGH, (uint32_t)(sequence >> 32));
}

static int no_bus(const struct dp_card *card, struct dp_err *err)
{
    return dp_err_set(
        err, ENOTSUP, "card %s: it is on no bus; only a card behind pci is", card->ops->name);
}

int dp_card_interrupt(struct dp_card *card, struct dp_err *err)
{
    return card->ops->interrupt != NULL ? card->ops->interrupt(card, err) : no_bus(card, err);
}

int dp_card_share(
    struct dp_card *card, void *memory, size_t size, uint64_t bus_address, struct dp_err *err)
{
    if (card->ops->share == NULL)
        return no_bus(card, err);
    return card->ops->share(card, memory, size, bus_address, err);
}

uint32_t dp_card_ingress(struct dp_card *card, const uint8_t *frame, uint32_t size, uint8_t *out)
{
    DP_CHECK(size <= DP_CARD_FRAME_MAX);
    if (card->ops->ingress != NULL)
        return card->ops->ingress(card, frame, size, out);
    memcpy(out, frame, size);
    return size;
}

bool dp_card_egress(struct dp_card *card, const uint8_t *frame, uint32_t size)
{
    return card->ops->egress == NULL || card->ops->egress(card, frame, size);
}
