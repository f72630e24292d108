/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "tunnel-sample.h"

#include <net/if.h>
#include <string.h>

#include "dp-packet.h"
#include "flow.h"
#include "netdev-native-tnl.h"
#include "odp-util.h"
#include "ovs-router.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Stores in the flow sample 'cookie' what IPFIX can tell of the tunnel that
 * 'flow' is about to leave by, if that is one over IPv4 with a route to its
 * other end.  'flow' must come from tnl_port_send().
 *
 * May be called by any thread. */
void
tunnel_sample_put(const struct flow *flow, struct user_action_cookie *cookie)
{
    const struct flow_tnl *tnl = &flow->tunnel;
    struct in6_addr dst, gateway;
    struct in6_addr src = in6addr_any;
    char device[IFNAMSIZ];

    if (!tnl->ip_dst) {
        return;
    }

    /* The route chooses the source if the port does not. */
    in6_addr_set_mapped_ipv4(&dst, tnl->ip_dst);
    if (tnl->ip_src) {
        in6_addr_set_mapped_ipv4(&src, tnl->ip_src);
    }
    if (!ovs_router_lookup(flow->pkt_mark, &dst, device, &src, &gateway)) {
        return;
    }
    cookie->flow_sample.tunnel_src = in6_addr_get_mapped_ipv4(&src);
    cookie->flow_sample.tunnel_dst = tnl->ip_dst;
    cookie->flow_sample.tunnel_dst_port = tnl->tp_dst;
    put_32aligned_be64(&cookie->flow_sample.tunnel_key, tnl->tun_id);
}

/* Returns 'tnl' with what tunnel_sample_put() stored in the flow sample
 * 'cookie', and with the source port that 'packet' gets, or returns NULL if
 * nothing is there.
 *
 * May be called by any thread. */
const struct flow_tnl *
tunnel_sample_get(const struct user_action_cookie *cookie,
                  const struct dp_packet *packet, struct flow_tnl *tnl)
{
    if (!cookie->flow_sample.tunnel_dst) {
        return NULL;
    }

    memset(tnl, 0, sizeof *tnl);
    tnl->ip_src = cookie->flow_sample.tunnel_src;
    tnl->ip_dst = cookie->flow_sample.tunnel_dst;
    tnl->tp_dst = cookie->flow_sample.tunnel_dst_port;
    tnl->tun_id = get_32aligned_be64(&cookie->flow_sample.tunnel_key);
    if (tnl->tp_dst && dp_packet_rss_valid(packet)) {
        /* With a valid hash, the packet stays as it is. */
        tnl->tp_src = netdev_tnl_get_src_port(
            CONST_CAST(struct dp_packet *, packet));
    }
    return tnl;
}
