/*
 * each_card - a test on every backend that can be had here, one after the other.
 *
 * `pci` cannot: it is tested in the lab (test_card_edu.c). `rtl` can where TICKPLANE_CARD_RTL names
 * the shared object that dataplane/fpga/build.sh made.
 */
#ifndef EACH_CARD_H
#define EACH_CARD_H

#include "check.h"
#include "dp_card.h"

#define EACH_CARD_NAME_SIZE 512

/* What dp_card_open() takes for that backend; false: it cannot be had here. */
static inline bool each_card_name(const struct dp_card_kind *kind, char *name)
{
    const char *path = getenv("TICKPLANE_CARD_RTL");
    bool is_rtl = strcmp(kind->name, "rtl") == 0;
    snprintf(name, EACH_CARD_NAME_SIZE, is_rtl ? "%s:%s" : "%s", kind->name, path);
    return kind->where == NULL || (is_rtl && path != NULL);
}

static inline void on_each_card(void (*run)(struct dp_card *card))
{
    const struct dp_card_kind *kind;
    for (size_t index = 0; (kind = dp_card_kind_at(index)) != NULL; index++) {
        char name[EACH_CARD_NAME_SIZE];
        struct dp_err err = {0};
        if (!each_card_name(kind, name))
            continue;
        struct dp_card *card = dp_card_open(name, NULL, &err);
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
