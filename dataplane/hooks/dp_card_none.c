#include <errno.h>

#include "dp_card_backend.h"

static uint32_t none_read(struct dp_card *card, uint32_t offset)
{
    (void)card;
    if (offset == DP_CARD_REG_MAGIC)
        return DP_CARD_MAGIC;
    return offset == DP_CARD_REG_VERSION ? DP_CARD_VERSION : 0;
}

static void none_write(struct dp_card *card, uint32_t offset, uint32_t value)
{
    (void)card;
    (void)offset;
    (void)value;
}

static void none_close(struct dp_card *card)
{
    free(card);
}

static const struct dp_card_ops none_ops = {
    .name = "none",
    .read = none_read,
    .write = none_write,
    .close = none_close,
};

struct dp_card *dp_card_none_open(const char *where, struct dp_err *err)
{
    (void)where;
    struct dp_card *card = calloc(1, sizeof(*card));
    if (card == NULL) {
        dp_err_set(err, ENOMEM, "card none: no memory for %zu bytes", sizeof(*card));
        return NULL;
    }
    card->ops = &none_ops;
    return card;
}
