/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef OFPROTO_TUNNEL_KEY_H
#define OFPROTO_TUNNEL_KEY_H 1

/* Keys that tunnels have no room for
 * ==================================
 *
 * To OpenFlow each tunnel has a key of 64 bits.  On the wire that is true of
 * STT only: others lose the upper bits of a longer key, and with them, maybe,
 * the border between two tenants.  Open vSwitch has always sent what is left
 * of such a key, and it goes on to do so, but the loss can be seen. */

#include <stdbool.h>

#include "openvswitch/types.h"

struct netdev;
struct ovs_list;

unsigned int tunnel_key_bits(const char *type);
void tunnel_key_check(const struct netdev *, ovs_be64 key, bool native,
                      struct ovs_list *trace);

#endif /* ofproto/tunnel-key.h */
