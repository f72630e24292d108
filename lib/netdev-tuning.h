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

struct dp_packet;
struct netdev;
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
};

/* Range of other_config:rx-socket-buffer, and what it is with userspace TSO.
 * A packet of 64 KB takes more than that in a socket buffer. */
#define NETDEV_TUNING_RCVBUF_MIN (64 * 1024)
#define NETDEV_TUNING_RCVBUF_MAX (512 * 1024 * 1024)
#define NETDEV_TUNING_RCVBUF_TSO (8 * 1024 * 1024)

/* Configuration and status. */
void netdev_tuning_configure(struct netdev *, const struct smap *other_config);
void netdev_tuning_get_status(const struct netdev *, struct smap *);

/* Segmentation by the kernel. */
void netdev_tuning_init_ol(struct netdev *);

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

#endif /* netdev-tuning.h */
