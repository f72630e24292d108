/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-peers.h"

#include "cmap.h"
#include "hash.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "util.h"

static struct cmap peers = CMAP_INITIALIZER;

static uint32_t
peer_hash(const struct in6_addr *addr, ovs_be16 port)
{
    return hash_bytes(addr, sizeof *addr, (OVS_FORCE uint16_t) port);
}

/* Begins a new set of peers: what stt_peers_add() does not name until
 * stt_peers_end() is not one any more. */
void
stt_peers_begin(void)
{
    struct stt_peer *peer;

    CMAP_FOR_EACH (peer, node, &peers) {
        peer->in_use = false;
    }
}

/* Makes 'addr', an IPv4-mapped or IPv6 address or in6addr_any, a peer of TCP
 * port 'port', if it isn't one already.  May be called outside of
 * stt_peers_begin() and stt_peers_end() as well, so that a port accepts what
 * comes before the next set is complete. */
void
stt_peers_add(const struct in6_addr *addr, ovs_be16 port)
{
    struct stt_peer *peer = stt_peers_find(addr, port);

    if (!peer) {
        peer = xzalloc(sizeof *peer);
        peer->addr = *addr;
        peer->port = port;
        for (size_t i = 0; i < STT_N_PEER_EVENTS; i++) {
            atomic_init(&peer->events[i], 0);
        }
        for (size_t i = 0; i < STT_N_DROPS; i++) {
            atomic_init(&peer->drops[i], 0);
        }
        for (size_t i = 0; i < STT_N_TX_DROPS; i++) {
            atomic_init(&peer->tx_drops[i], 0);
        }
        cmap_insert(&peers, &peer->node, peer_hash(addr, port));
    }
    peer->in_use = true;
}

/* Completes the set of peers that stt_peers_begin() began. */
void
stt_peers_end(void)
{
    struct stt_peer *peer;

    CMAP_FOR_EACH (peer, node, &peers) {
        if (!peer->in_use) {
            cmap_remove(&peers, &peer->node,
                        peer_hash(&peer->addr, peer->port));
            ovsrcu_postpone(free, peer);
        }
    }
}

/* Returns the peer with exactly 'addr' and 'port', or NULL.  It may be used
 * until the thread quiesces. */
struct stt_peer *
stt_peers_find(const struct in6_addr *addr, ovs_be16 port)
{
    struct stt_peer *peer;

    CMAP_FOR_EACH_WITH_HASH (peer, node, peer_hash(addr, port), &peers) {
        if (ipv6_addr_equals(&peer->addr, addr) && peer->port == port) {
            return peer;
        }
    }
    return NULL;
}

/* Returns the peer that a segment from 'src' (IPv4-mapped or IPv6) to TCP port
 * 'port' comes from, or NULL if no STT port would accept it.  It may be used
 * until the thread quiesces. */
struct stt_peer *
stt_peers_lookup(const struct in6_addr *src, ovs_be16 port)
{
    struct stt_peer *peer = stt_peers_find(src, port);

    return peer ? peer : stt_peers_find(&in6addr_any, port);
}

/* Counts one 'event' of 'peer'. */
void
stt_peer_count(struct stt_peer *peer, enum stt_peer_event event)
{
    uint64_t orig;

    atomic_add_relaxed(&peer->events[event], 1, &orig);
}

/* Counts 'n' drops for the reason 'drop' of 'peer'. */
void
stt_peer_count_drops(struct stt_peer *peer, enum stt_drop drop,
                     unsigned int n)
{
    uint64_t orig;

    atomic_add_relaxed(&peer->drops[drop], n, &orig);
}

/* Counts 'n' packets as not sent to 'peer' for the reason 'drop'. */
void
stt_peer_count_tx_drops(struct stt_peer *peer, enum stt_tx_drop drop,
                        unsigned int n)
{
    uint64_t orig;

    atomic_add_relaxed(&peer->tx_drops[drop], n, &orig);
}

/* Returns how often 'event' has happened to 'peer'. */
uint64_t
stt_peer_get(struct stt_peer *peer, enum stt_peer_event event)
{
    uint64_t n;

    atomic_read_relaxed(&peer->events[event], &n);
    return n;
}

/* Returns how much that came from 'peer' was dropped for the reason 'drop':
 * segments up to reassembly, frames afterward. */
uint64_t
stt_peer_get_drops(struct stt_peer *peer, enum stt_drop drop)
{
    uint64_t n;

    atomic_read_relaxed(&peer->drops[drop], &n);
    return n;
}

/* Returns how many packets were not sent to 'peer' for the reason 'drop'. */
uint64_t
stt_peer_get_tx_drops(struct stt_peer *peer, enum stt_tx_drop drop)
{
    uint64_t n;

    atomic_read_relaxed(&peer->tx_drops[drop], &n);
    return n;
}

/* Returns the lower-case name of 'event'. */
const char *
stt_peer_event_name(enum stt_peer_event event)
{
    switch (event) {
#define STT_PEER_EVENT(ENUM, NAME) case STT_PEER_##ENUM: return #NAME;
    STT_PEER_EVENTS
#undef STT_PEER_EVENT
    case STT_N_PEER_EVENTS:
    default:
        OVS_NOT_REACHED();
    }
}
