/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef GRO_H
#define GRO_H 1

/* Generic receive offload: TCP segments of one connection become one packet
 * with TSO.
 *
 * What is merged can be undone: dp_packet_gso_batch() and the checksums of
 * dp_packet_ol_send_prepare() give the very segments again.  Only if all of
 * them had the same IPv4 ID, and may not be fragmented, so that it has no
 * meaning, their IDs count up then. */

#include <stddef.h>

struct dp_packet_batch;

/* The longest Ethernet frame that merging makes, in bytes.  With the headers
 * of STT, it isn't too long for an IP packet.  With DPDK, it has to fit into a
 * buffer of 65,535 bytes with its headroom. */
#ifdef DPDK_NETDEV
#define GRO_MAX_LEN 65000
#else
#define GRO_MAX_LEN 65400
#endif

/* What gro_batch() has done. */
struct gro_result {
    size_t segments;            /* That have become part of a longer packet. */
    size_t packets;             /* That they have become. */
};

struct gro_result gro_batch(struct dp_packet_batch *);

#endif /* gro.h */
