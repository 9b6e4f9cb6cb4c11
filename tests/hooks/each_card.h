/*
 * each_card - a test on every backend of this build, one after the other.
 */
#ifndef EACH_CARD_H
#define EACH_CARD_H

#include "check.h"
#include "dp_card.h"

static inline void on_each_card(void (*run)(struct dp_card *card))
{
    const struct dp_card_kind *kind;
    for (size_t index = 0; (kind = dp_card_kind_at(index)) != NULL; index++) {
        struct dp_err err = {0};
        struct dp_card *card = dp_card_open(kind->name, &err);
        int before = check_failures;
        CHECK_THAT(card != NULL, "%s", err.text);
        if (card == NULL)
            continue;
        run(card);
        dp_card_close(card);
        if (check_failures != before)
            fprintf(stderr, "... on card %s\n", kind->name);
    }
}

static inline bool can(const struct dp_card *card, uint32_t capability)
{
    return (card->capabilities & capability) != 0;
}

#endif
