/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "tunnel-key.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "netdev.h"
#include "ofproto/ofproto-dpif-trace.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tunnel_key);

COVERAGE_DEFINE(tunnel_key_truncated);

/* Returns how many bits of a key tunnels of 'type', a type of Interface, have
 * room for: those of the VXLAN and Geneve network identifiers (RFC 7348,
 * section 5, and RFC 8926, section 3.4), the GRE key (RFC 2890, section 2.1),
 * the ERSPAN session ID and the GTP-U TEID.  Returns 64 for all others: STT,
 * whose context ID has as many, and those that have no key at all.
 *
 * May be called by any thread. */
unsigned int
tunnel_key_bits(const char *type)
{
    static const struct {
        const char *type;
        unsigned int bits;
    } kinds[] = {
        { "erspan", 10 },
        { "ip6erspan", 10 },
        { "geneve", 24 },
        { "vxlan", 24 },
        { "gre", 32 },
        { "ip6gre", 32 },
        { "gtpu", 32 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(type, kinds[i].type)) {
            return kinds[i].bits;
        }
    }
    return 64;
}

/* Tells, if 'key', with which tunnel port 'netdev' is about to send, has more
 * bits than its header has room for.  'trace' is where "ofproto/trace" gathers
 * what it reports.  If it is null, packets are what is translated: then this
 * increments the coverage counter tunnel_key_truncated, once for each
 * translation and not for each packet, and writes to the log, up to a rate.
 *
 * May be called by any thread. */
void
tunnel_key_check(const struct netdev *netdev, ovs_be64 key,
                 struct ovs_list *trace)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    const char *type = netdev_get_type(netdev);
    unsigned int bits = tunnel_key_bits(type);
    char *message;

    if (OVS_LIKELY(bits == 64 || !(ntohll(key) >> bits))) {
        return;
    }
    if (!trace) {
        COVERAGE_INC(tunnel_key_truncated);
        if (VLOG_DROP_WARN(&rl)) {
            return;
        }
    }

    message = xasprintf("port %s: key %#"PRIx64" is cut, since %s has room "
                        "for %u bits",
                        netdev_get_name(netdev), ntohll(key), type, bits);
    if (trace) {
        oftrace_report(trace, OFT_WARN, message);
    } else {
        VLOG_WARN("%s", message);
    }
    free(message);
}
