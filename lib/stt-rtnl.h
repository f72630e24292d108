/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_RTNL_H
#define STT_RTNL_H 1

/* STT ports of the kernel datapath.
 *
 * Such a port is a network device of type "stt" of the module stt.ko, in
 * datapath/, made over rtnetlink.  All ports with the same TCP port share one
 * device, which has the peer and the key of each packet in its metadata. */

struct netdev_tunnel_config;
struct ofpbuf;

void stt_rtnl_put(struct ofpbuf *request, const struct netdev_tunnel_config *);
int stt_rtnl_verify(const struct netdev_tunnel_config *,
                    struct ofpbuf *reply);

#endif /* stt-rtnl.h */
