/*
 * dp_lwip - what dp_stream_lwip.c needs of the stack. Not for anybody else.
 */
#ifndef DP_LWIP_H
#define DP_LWIP_H

#include "dp_stream_lwip.h"

/* Takes what the port has received, and lets timers fire. */
void dp_lwip_poll(struct dp_lwip *lwip);

#endif
