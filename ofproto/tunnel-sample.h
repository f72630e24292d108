/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef OFPROTO_TUNNEL_SAMPLE_H
#define OFPROTO_TUNNEL_SAMPLE_H 1

/* What the OpenFlow action "sample" tells of userspace tunnels
 * ============================================================
 *
 * If "sampling_port" is a tunnel, IPFIX reports the tunnel's header.  In the
 * kernel, an action before the sample tells what will be in it, and the
 * datapath asks the tunnel port for the rest.  The userspace datapath builds
 * the header when it sends the packet, later than the sample or never.  So it
 * is the sample's cookie that tells what will be in it there. */

struct dp_packet;
struct flow;
struct flow_tnl;
struct user_action_cookie;

void tunnel_sample_put(const struct flow *, struct user_action_cookie *);
const struct flow_tnl *tunnel_sample_get(const struct user_action_cookie *,
                                         const struct dp_packet *,
                                         struct flow_tnl *);

#endif /* ofproto/tunnel-sample.h */
