/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-peers.h"

#include <stdlib.h>
#include <string.h>

#include "cmap.h"
#include "hash.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

/* An address that flows send to, by an STT port whose remote address is up to
 * them. */
struct learned {
    struct cmap_node node;
    struct in6_addr addr;
    ovs_be16 port;              /* TCP port of the STT port. */
    atomic_llong sent_ms;       /* When the last packet was sent. */
};

static struct cmap peers = CMAP_INITIALIZER;

/* Writers hold the mutex. */
static struct ovs_mutex learned_mutex = OVS_MUTEX_INITIALIZER;
static struct cmap learned = CMAP_INITIALIZER;

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

/* Returns true if whether to send to 'addr' is up to the flows of STT ports
 * with TCP port 'port', and no other port has it for its remote address. */
static bool
is_up_to_flows(const struct in6_addr *addr, ovs_be16 port)
{
    return (stt_peers_find(&in6addr_any, port)
            && !stt_peers_find(addr, port));
}

/* Forgets the addresses that nothing was sent to for long, or that are not up
 * to the flows any more. */
static void
expire_learned(long long int now_ms)
{
    struct learned *l;

    ovs_mutex_lock(&learned_mutex);
    CMAP_FOR_EACH (l, node, &learned) {
        long long int sent_ms;

        atomic_read_relaxed(&l->sent_ms, &sent_ms);
        if (now_ms - sent_ms >= STT_LEARNED_AGE
            || !is_up_to_flows(&l->addr, l->port)) {
            cmap_remove(&learned, &l->node, peer_hash(&l->addr, l->port));
            ovsrcu_postpone(free, l);
        }
    }
    ovs_mutex_unlock(&learned_mutex);
}

/* Completes the set of peers that stt_peers_begin() began, at time 'now_ms',
 * that of stt_peers_sent(). */
void
stt_peers_end(long long int now_ms)
{
    struct stt_peer *peer;

    CMAP_FOR_EACH (peer, node, &peers) {
        if (!peer->in_use) {
            cmap_remove(&peers, &peer->node,
                        peer_hash(&peer->addr, peer->port));
            ovsrcu_postpone(free, peer);
        }
    }
    expire_learned(now_ms);
}

static struct learned *
learned_find(const struct in6_addr *addr, ovs_be16 port)
{
    struct learned *l;

    CMAP_FOR_EACH_WITH_HASH (l, node, peer_hash(addr, port), &learned) {
        if (ipv6_addr_equals(&l->addr, addr) && l->port == port) {
            return l;
        }
    }
    return NULL;
}

/* Notes that something is sent to 'dst' (IPv4-mapped or IPv6) and TCP port
 * 'port' at time 'now_ms', in milliseconds of a clock that never runs
 * backward.  This matters only if 'dst' is up to the flows. */
void
stt_peers_sent(const struct in6_addr *dst, ovs_be16 port,
               long long int now_ms)
{
    struct learned *l;

    if (OVS_LIKELY(!is_up_to_flows(dst, port))) {
        return;
    }

    l = learned_find(dst, port);
    if (!l && cmap_count(&learned) < STT_MAX_LEARNED) {
        ovs_mutex_lock(&learned_mutex);
        l = learned_find(dst, port);
        if (!l && cmap_count(&learned) < STT_MAX_LEARNED) {
            l = xzalloc(sizeof *l);
            l->addr = *dst;
            l->port = port;
            atomic_init(&l->sent_ms, now_ms);
            cmap_insert(&learned, &l->node, peer_hash(dst, port));
        }
        ovs_mutex_unlock(&learned_mutex);
    }
    if (l) {
        atomic_store_relaxed(&l->sent_ms, now_ms);
    }
}

/* Returns true if flows have sent to 'addr' (IPv4-mapped or IPv6) and TCP port
 * 'port' of late.  May be called from any thread. */
bool
stt_peers_is_learned(const struct in6_addr *addr, ovs_be16 port)
{
    return learned_find(addr, port) != NULL;
}

static int
compare_addrs(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct in6_addr));
}

/* Stores in '*addrsp' an array, which the caller must free, of the addresses
 * that flows have sent to of late by STT ports with TCP port 'port', in
 * ascending order, and returns their number. */
size_t
stt_peers_get_learned(ovs_be16 port, struct in6_addr **addrsp)
{
    struct in6_addr *addrs = xmalloc(STT_MAX_LEARNED * sizeof *addrs);
    struct learned *l;
    size_t n = 0;

    ovs_mutex_lock(&learned_mutex);
    CMAP_FOR_EACH (l, node, &learned) {
        if (l->port == port) {
            addrs[n++] = l->addr;
        }
    }
    ovs_mutex_unlock(&learned_mutex);

    qsort(addrs, n, sizeof *addrs, compare_addrs);
    *addrsp = addrs;
    return n;
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
