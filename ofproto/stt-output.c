/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-output.h"

#include <errno.h>

#include "dp-packet.h"
#include "dpif-netdev.h"
#include "flow.h"
#include "ofproto-dpif.h"
#include "ofproto-provider.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "sset.h"
#include "stt-probe.h"

/* Returns the port called 'name' of any bridge, and stores its bridge in
 * '*ofprotop', or returns NULL. */
static const struct ofport *
find_port(const char *name, struct ofproto_dpif **ofprotop)
{
    const struct ofport *port = NULL;
    struct sset types, names;
    const char *type, *bridge;

    *ofprotop = NULL;
    sset_init(&types);
    ofproto_enumerate_types(&types);
    SSET_FOR_EACH (type, &types) {
        sset_init(&names);
        ofproto_enumerate_names(type, &names);
        SSET_FOR_EACH (bridge, &names) {
            struct ofproto_dpif *ofproto = ofproto_dpif_lookup_by_name(bridge);

            if (ofproto && !port) {
                *ofprotop = ofproto;
                port = shash_find_data(&ofproto->up.port_by_name, name);
            }
        }
        sset_destroy(&names);
    }
    sset_destroy(&types);
    return port;
}

/* Implements stt_probe_output_cb, with what a controller's packet-out for the
 * port would do, its OpenFlow tables left out. */
static int
stt_output(const char *name, const struct in6_addr *dst, const ovs_be64 *key,
           struct dp_packet *packet)
{
    uint64_t ofpacts_stub[1024 / 8];
    struct ofproto_dpif *ofproto;
    const struct ofport *port;
    struct ofpbuf ofpacts;
    struct flow flow;
    int error;

    port = find_port(name, &ofproto);
    if (!port) {
        return ENODEV;
    }
    if (!dpif_is_netdev(ofproto->backer->dpif)) {
        return EOPNOTSUPP;
    }

    ofpbuf_use_stack(&ofpacts, ofpacts_stub, sizeof ofpacts_stub);
    if (dst) {
        ovs_be32 ip = in6_addr_get_mapped_ipv4(dst);

        if (ip) {
            ofpact_put_set_field(&ofpacts, mf_from_id(MFF_TUN_DST), &ip, NULL);
        } else {
            ofpact_put_set_field(&ofpacts, mf_from_id(MFF_TUN_IPV6_DST), dst,
                                 NULL);
        }
    }
    if (key) {
        ofpact_put_set_field(&ofpacts, mf_from_id(MFF_TUN_ID), key, NULL);
    }
    ofpact_put_OUTPUT(&ofpacts)->port = port->ofp_port;

    flow_extract(packet, &flow);
    flow.in_port.ofp_port = OFPP_NONE;
    error = ofproto_dpif_execute_actions(ofproto, OVS_VERSION_MAX, &flow, NULL,
                                         ofpacts.data, ofpacts.size, packet);
    ofpbuf_uninit(&ofpacts);
    return error;
}

/* Registers what sends the probes of STT. */
void
stt_output_init(void)
{
    stt_probe_set_output(stt_output);
}
