/*
 * dp_port_card - a port behind a card: what comes in went through its filter, what goes out through
 * its gate.
 *
 * Stands before any port that moves Ethernet frames, so the engine need not know whether there is a
 * card. A refused frame counts as sent to the caller and in tx_refused: it can never leave, and the
 * caller must not try for ever. One that passed the gate while the inner port was full is the
 * caller's still; when it comes again the gate, which counts, is not asked again. Owns neither card
 * nor inner port: both must outlive it.
 */
#ifndef DP_PORT_CARD_H
#define DP_PORT_CARD_H

#include "dp_card.h"
#include "dp_port.h"

/* NULL with err filled: the inner port moves datagrams, or there is no memory. */
struct dp_port *dp_port_card_open(struct dp_port *inner, struct dp_card *card, struct dp_err *err);

#endif
