/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_LISTENER_H
#define STT_LISTENER_H 1

/* Keeping the host's kernel quiet.
 * ================================
 *
 * Packets of a port of type "system" reach the host's own TCP/IP stack as well
 * as the userspace datapath.  If they are addressed to the host, it would
 * answer every STT segment with a RST.  A listening socket on the port keeps
 * it from doing so, and a filter on the socket that lets nothing pass keeps
 * the socket itself from answering.  It also reserves the port.
 *
 * Thread-safety: all functions may be called from any thread, but only one
 * thread may go from stt_listeners_begin() to stt_listeners_end(). */

#include <stdbool.h>
#include "openvswitch/types.h"

void stt_listeners_begin(void);
bool stt_listeners_add(ovs_be16 port);
void stt_listeners_end(void);

int stt_listener_get_error(ovs_be16 port);
const char *stt_listener_get_advice(int error);

#endif /* stt-listener.h */
