/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef NETDEV_STT_H
#define NETDEV_STT_H 1

/* The STT port of the userspace datapath: options, headers, status.
 *
 * Type "stt" is one more class of tunnel vport, so lib/netdev-vport.c calls
 * into this module wherever STT differs from the other types. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet_batch;
struct ds;
struct flow_tnl;
struct netdev;
struct netdev_class;
struct netdev_custom_stats;
struct netdev_tnl_build_header_params;
struct netdev_tunnel_config;
struct ovs_action_push_tnl;
struct smap;
struct stt_reassembly_limits;
struct stt_reassembly_stats;

/* Members of the netdev class that are specific to STT. */
#define NETDEV_STT_FUNCTIONS                    \
    .init = netdev_stt_init,                    \
    .build_header = netdev_stt_build_header,    \
    .push_batch = netdev_stt_push_batch,        \
    .pop_batch = netdev_stt_pop_batch,          \
    .get_custom_stats = netdev_stt_get_custom_stats

/* Longest packet that a buffer can hold, with headers in front of it.  The
 * size of a DPDK mbuf has just 16 bits, which must do for the headroom and
 * DPDK's own data at the end as well. */
#ifdef DPDK_NETDEV
#define NETDEV_STT_MAX_PACKET_LEN ((size_t) UINT16_MAX - 512)
#else
#define NETDEV_STT_MAX_PACKET_LEN SIZE_MAX
#endif

/* Commands, in lib/stt-unixctl.c. */
int netdev_stt_init(void);

/* Configuration. */
int netdev_stt_prepare_config(const struct netdev *, const struct smap *args,
                              struct netdev_tunnel_config *, char **errp);
bool netdev_stt_parse_option(const char *type, const char *key,
                             const char *value,
                             struct netdev_tunnel_config *);
void netdev_stt_get_config(const char *type,
                           const struct netdev_tunnel_config *,
                           struct smap *args);
void netdev_stt_get_status(const struct netdev *, struct smap *);
void netdev_stt_explain_error(const struct netdev *, int error, char **errp);
int netdev_stt_get_custom_stats(const struct netdev *,
                                struct netdev_custom_stats *);

/* Packets. */
int netdev_stt_get_segment_size(const struct netdev_tunnel_config *,
                                bool is_ipv6, int mtu);
int netdev_stt_build_header(const struct netdev *,
                            struct ovs_action_push_tnl *,
                            const struct netdev_tnl_build_header_params *);
int netdev_stt_push_batch(const struct netdev *,
                          const struct netdev *ingress_netdev,
                          struct dp_packet_batch *,
                          const struct ovs_action_push_tnl *,
                          size_t *n_drops);
size_t netdev_stt_pop_batch(struct netdev *, struct dp_packet_batch *);

/* Limits of the reassembly, for all STT ports together. */
void netdev_stt_set_limits(const struct smap *other_config);
void netdev_stt_get_reassembly(struct stt_reassembly_stats *,
                               struct stt_reassembly_limits *);

/* Text form of the header in a tnl_push action, and what it tells. */
void netdev_stt_format_header(struct ds *, const void *l4, size_t len);
uint32_t netdev_stt_scan_header(const char *s, int *n, void *l4);
void netdev_stt_read_header(const void *l4, struct flow_tnl *);

/* Main loop. */
void netdev_stt_run(const struct netdev_class *);
void netdev_stt_wait(const struct netdev_class *);

#endif /* netdev-stt.h */
