/*
 * dp_exchange_note - what an exchange has to say to the person who runs it, in one list: number,
 * name, words. A note of a connection says why it ended. Append only: the record of truth holds the
 * numbers.
 */
#ifndef DP_EXCHANGE_NOTE_H
#define DP_EXCHANGE_NOTE_H

#include "dp_base.h"

#define DP_EXCHANGE_NOTES(X) \
    X(0, NONE, "nothing happened") \
    X(1, PEER_CLOSED, "the client closed the connection") \
    X(2, LOGGED_IN, "logged in") \
    X(3, LOGGED_OUT, "logged out") \
    X(4, LOGIN_REFUSED, "login refused: user or password unknown") \
    X(5, SESSION_REFUSED, "login refused: no such session") \
    X(6, LOGIN_TWICE, "login refused: the user is logged in already") \
    X(7, LOGIN_TAKEN_OVER, "closed: the user logged in elsewhere") \
    X(8, LOGIN_MISSING, "closed: no login in time") \
    X(9, SILENT, "closed: silent for too long") \
    X(10, SLOW, "closed: too far behind in reading its reports") \
    X(11, PACKET_MALFORMED, "closed: not a SoupBinTCP packet") \
    X(12, PACKET_UNEXPECTED, "closed: a packet that a client may not send now") \
    X(13, PACKET_TOO_LONG, "closed: a packet longer than any message") \
    X(14, MESSAGE_MALFORMED, "dropped: not an OUCH message") \
    X(15, CONNECTIONS_FULL, "closed: as many connections as there may be") \
    X(16, FAULT, "closed: told to") \
    X(17, SESSION_ENDED, "closed: the session is over") \
    X(18, REQUEST_MALFORMED, "dropped: not a retransmission request that can be answered") \
    X(19, ORDERS_FULL, "rejected: as many live orders as there may be") \
    X(20, LOGIN_MALFORMED, "login refused: its sequence number is not a number")

enum dp_exchange_note_kind {
#define X(number, name, words) DP_EXCHANGE_NOTE_##name = number,
    DP_EXCHANGE_NOTES(X) DP_EXCHANGE_NOTE_COUNT
#undef X
};

struct dp_exchange_note {
    int64_t time_ns;
    uint32_t connection; /* UINT32_MAX when it is about none */
    uint16_t account;    /* DP_EXCHANGE_TAPE_NO_ACCOUNT when none is known */
    uint8_t kind;        /* enum dp_exchange_note_kind */
    uint8_t detail;      /* the type of the offending packet or message; 0 when there is none */
};

const char *dp_exchange_note_words(uint8_t kind); /* "unknown" outside the list */

#endif
