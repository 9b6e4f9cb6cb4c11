/*
 * dp_soup_server - the server's words of SoupBinTCP 3.00: what a login asks for, and the answers.
 *
 * Names and passwords are padded with spaces on the right and compared without regard to case;
 * session and sequence number of an answer are padded on the left. A request may pad either side.
 * Pure functions over bytes, any thread. Builders write the whole packet, its header included. The
 * client's half is dp_soup_session.
 */
#ifndef DP_SOUP_SERVER_H
#define DP_SOUP_SERVER_H

#include "dp_soup.h"

#define DP_SOUP_USER_SIZE 6
#define DP_SOUP_PASSWORD_SIZE 10
#define DP_SOUP_SERVER_SESSION_SIZE 10
#define DP_SOUP_SEQUENCE_SIZE 20
#define DP_SOUP_ACCEPTED_SIZE 33 /* 'A' */
#define DP_SOUP_REJECTED_SIZE 4  /* 'J' */

#define DP_SOUP_REJECT_NOT_AUTHORISED 'A'
#define DP_SOUP_REJECT_SESSION 'S'

struct dp_soup_login {
    char user[DP_SOUP_USER_SIZE]; /* lower case */
    char password[DP_SOUP_PASSWORD_SIZE];
    char session[DP_SOUP_SERVER_SESSION_SIZE]; /* all blank: the active one */
    uint64_t sequence; /* next message wanted; 1 from the start, 0 the most recent */
};

/* The payload of an 'L'. False when the sequence number is no number that 64 bits hold (a blank one
 * reads as 0) or the payload has another size. */
bool dp_soup_login_parse(
    const uint8_t *payload, uint32_t payload_size, struct dp_soup_login *login);
/* Each returns the bytes of the packet. sequence: of the next sequenced packet. */
size_t dp_soup_accepted_build(
    uint8_t *data, const char session[DP_SOUP_SERVER_SESSION_SIZE], uint64_t sequence);
size_t dp_soup_rejected_build(uint8_t *data, char reason);

/* Whether two session names are the same but for the side of their padding. */
bool dp_soup_session_is(
    const char left[DP_SOUP_SERVER_SESSION_SIZE], const char right[DP_SOUP_SERVER_SESSION_SIZE]);
/* Writes a number as ASCII decimals, padded on the left with spaces. */
void dp_soup_store_decimal(uint8_t *bytes, size_t size, uint64_t value);

#endif
