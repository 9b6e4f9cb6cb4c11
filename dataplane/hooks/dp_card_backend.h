/*
 * dp_card_backend - the backends that dp_card_open() chooses from. Private to this folder.
 */
#ifndef DP_CARD_BACKEND_H
#define DP_CARD_BACKEND_H

#include "dp_card.h"

/* NULL with err filled when there is no memory. */
struct dp_card *dp_card_none_open(struct dp_err *err);
struct dp_card *dp_card_soft_open(struct dp_err *err);
struct dp_card *dp_card_rtl_open(struct dp_err *err);
/* The shared object of the simulated card; NULL when the environment names none. */
const char *dp_card_rtl_path(void);

#endif
