/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_PEERS_H
#define STT_PEERS_H 1

/* Who may send STT to this switch, and what became of it.
 * =======================================================
 *
 * A peer is an address and a TCP port that some STT port of the switch accepts
 * segments from.  Segments wait for each other before the switch sees their
 * key, so what no port would accept must be told apart here, lest strangers
 * fill the memory.  Keys are not looked at: several STT ports with the same
 * remote address and TCP port are one peer, and share its counters.
 *
 * The address of STT ports whose remote address is up to the flow table is
 * in6addr_any, which stands for every address without a peer of its own.
 * Which addresses those are in fact is learned from what is sent, since
 * anybody can make up what is received.
 *
 * Thread-safety: the functions under "Packets" may be called from any thread
 * that quiesces regularly (see lib/ovs-rcu.h), all others from a single thread
 * only. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "cmap.h"
#include "openvswitch/types.h"
#include "stt.h"

/* What is counted besides the drops. */
#define STT_PEER_EVENTS                                             \
    /* Pieces of frames that arrived in more than one packet. */    \
    STT_PEER_EVENT(RX_SEGMENTS, rx_segments)                        \
    /* Frames made of them. */                                      \
    STT_PEER_EVENT(RX_REASSEMBLED, rx_reassembled)

enum stt_peer_event {
#define STT_PEER_EVENT(ENUM, NAME) STT_PEER_##ENUM,
    STT_PEER_EVENTS
#undef STT_PEER_EVENT
    STT_N_PEER_EVENTS
};

struct stt_peer {
    struct cmap_node node;
    struct in6_addr addr;       /* IPv4 mapped; in6addr_any for any. */
    ovs_be16 port;              /* TCP port of the STT port. */
    bool in_use;                /* Named since the last stt_peers_begin(). */
    atomic_uint64_t events[STT_N_PEER_EVENTS];
    atomic_uint64_t drops[STT_N_DROPS];
    atomic_uint64_t tx_drops[STT_N_TX_DROPS];
};

/* Configuration. */
void stt_peers_begin(void);
void stt_peers_add(const struct in6_addr *addr, ovs_be16 port);
void stt_peers_end(long long int now_ms);

/* Packets. */
bool stt_peers_is_learned(const struct in6_addr *, ovs_be16 port);
void stt_peers_sent(const struct in6_addr *dst, ovs_be16 port,
                    long long int now_ms);
struct stt_peer *stt_peers_lookup(const struct in6_addr *src, ovs_be16 port);
void stt_peer_count(struct stt_peer *, enum stt_peer_event);
void stt_peer_count_drops(struct stt_peer *, enum stt_drop, unsigned int n);
void stt_peer_count_tx_drops(struct stt_peer *, enum stt_tx_drop,
                             unsigned int n);

/* Statistics. */
struct stt_peer *stt_peers_find(const struct in6_addr *addr, ovs_be16 port);
uint64_t stt_peer_get(struct stt_peer *, enum stt_peer_event);
uint64_t stt_peer_get_drops(struct stt_peer *, enum stt_drop);
uint64_t stt_peer_get_tx_drops(struct stt_peer *, enum stt_tx_drop);
const char *stt_peer_event_name(enum stt_peer_event);

/* At most so many addresses are learned, and forgotten so many milliseconds
 * after the last packet for them. */
#define STT_MAX_LEARNED 256
#define STT_LEARNED_AGE (5 * 60 * 1000)

size_t stt_peers_get_learned(ovs_be16 port, struct in6_addr **addrsp);

#endif /* stt-peers.h */
