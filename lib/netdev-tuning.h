/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef NETDEV_TUNING_H
#define NETDEV_TUNING_H 1

/* What makes ports of the userspace datapath fast by themselves.
 *
 * Each struct netdev has a struct netdev_tuning, which is all zero at first
 * and is configured from column other_config of its Interface. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ovs-atomic.h"

struct dp_packet;
struct dp_packet_batch;
struct dpif;
struct dpif_execute;
struct netdev;
struct netdev_custom_stats;
struct ovs_action_push_tnl;
struct smap;

struct netdev_tuning {
    /* For the main thread only. */
    int rx_fd;                  /* Packet socket to receive from, if > 0. */
    int rcvbuf;                 /* Wanted size of its buffer in bytes, or 0 for
                                 * the default. */
    int rcvbuf_initial;         /* What it was at first. */
    int rcvbuf_got;             /* What it is. */

    /* For the main thread only. */
    bool kernel_can_tso;        /* Will Linux segment packets? */
    uint64_t nic_ol_flags;      /* 'ol_flags' without its help. */

    /* For all threads. */
    atomic_uint64_t ol_unused;          /* Those of 'ol_flags' not to use. */
    atomic_bool gro_off;                /* No merging of segments. */
    atomic_uint64_t gro_segments;       /* That have been merged. */
    atomic_uint64_t gro_packets;        /* That they have become. */
};

/* Range of other_config:rx-socket-buffer, and what it is by default with
 * userspace TSO and without.  A packet of 64 KB takes more than that in a
 * socket buffer, and one of 1500 bytes about 2.3 KB. */
#define NETDEV_TUNING_RCVBUF_MIN (64 * 1024)
#define NETDEV_TUNING_RCVBUF_MAX (512 * 1024 * 1024)
#define NETDEV_TUNING_RCVBUF_TSO (8 * 1024 * 1024)
#define NETDEV_TUNING_RCVBUF_STD (2 * 1024 * 1024)

/* Polling of ports by the main thread, see netdev_tuning_next_round(). */
struct netdev_tuning_rounds {
    int n;                      /* Rounds that have begun, 0 at first. */
    bool busy;                  /* Has this one received a packet? */
    long long int end;          /* When to begin none, in microseconds. */
};
bool netdev_tuning_next_round(struct netdev_tuning_rounds *);

/* Range and default of other_config:main-poll-max, in microseconds. */
#define NETDEV_TUNING_POLL_MAX 10000
#define NETDEV_TUNING_POLL_DEFAULT 1000

/* The most rounds that there are in a row, however fast they go by. */
#define NETDEV_TUNING_ROUNDS_MAX 64

/* Configuration and status. */
void netdev_tuning_set_config(const struct smap *other_config);
void netdev_tuning_configure(struct netdev *, const struct smap *other_config);
void netdev_tuning_configure_tunnel(struct netdev *,
                                    const struct smap *other_config);
void netdev_tuning_get_status(const struct netdev *, struct smap *);
void netdev_tuning_get_tunnel_status(const struct netdev *, struct smap *);

/* Segmentation by the kernel. */
void netdev_tuning_init_ol(struct netdev *);
uint64_t netdev_tuning_ol_flags(const struct netdev *);

/* Receive socket buffers. */
void netdev_tuning_rxq_opened(struct netdev *, int fd);
void netdev_tuning_rxq_closed(struct netdev *);

/* Checksums of packets received. */
void netdev_tuning_mark_valid(struct dp_packet *, bool tso);

/* Buffers to receive into. */
size_t netdev_tuning_std_len(size_t vnet_hdr_len, int mtu, bool tso);
struct dp_packet *netdev_tuning_std_buf(struct dp_packet *, size_t std_len);
struct dp_packet *netdev_tuning_big_buf(struct dp_packet *, size_t std_len);
size_t netdev_tuning_big_buf_size(void);
void netdev_tuning_free_buf(void *, size_t allocated);
struct dp_packet *netdev_tuning_long_packet(size_t size, size_t headroom);
size_t netdev_tuning_tailroom(const struct dp_packet *, size_t headroom,
                              size_t tailroom);

/* Merging of TCP segments, see lib/gro.h. */
void netdev_tuning_gro_popped(struct netdev *, struct dp_packet_batch *);
void netdev_tuning_gro_push(struct netdev *, struct dp_packet_batch *,
                            const struct ovs_action_push_tnl *);
int netdev_tuning_get_custom_stats(const struct netdev *, int error,
                                   struct netdev_custom_stats *);

/* Offloads that packets wait for. */
void netdev_tuning_finish(struct dp_packet_batch *);
void netdev_tuning_recover(struct dp_packet_batch *);
void netdev_tuning_prepare_upcall(struct dp_packet *);

/* Actions of packets that Open vSwitch sends itself. */
bool netdev_tuning_can_help(const struct dpif *, const struct dpif_execute *);

/* Sending by the kernel. */
bool netdev_tuning_skip(const struct netdev *, int *errorp, uint64_t *n_drops);

#endif /* netdev-tuning.h */
