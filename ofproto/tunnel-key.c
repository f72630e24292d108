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

/* Returns true if the userspace datapath sends nothing through a tunnel of
 * 'type' whose key is 'key', instead of cutting the key.  For ERSPAN, it cuts
 * the upper 32 bits and insists on what is left. */
static bool
is_refused(const char *type, uint64_t key)
{
    return ((!strcmp(type, "erspan") || !strcmp(type, "ip6erspan"))
            && (uint32_t) key >> tunnel_key_bits(type));
}

/* Tells, if 'key', with which tunnel port 'netdev' is about to send, has more
 * bits than its header has room for.  'native' is true if it is Open vSwitch
 * that builds the header, false if it is the kernel.  'trace' is where
 * "ofproto/trace" gathers what it reports.  If it is null, packets are what is
 * translated: then this increments the coverage counter tunnel_key_truncated,
 * once for each translation and not for each packet, and writes to the log, up
 * to a rate.
 *
 * May be called by any thread. */
void
tunnel_key_check(const struct netdev *netdev, ovs_be64 key, bool native,
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

    message = xasprintf(native && is_refused(type, ntohll(key))
                        ? "port %s: nothing is sent with key %#"PRIx64", "
                          "since %s has room for %u bits"
                        : "port %s: key %#"PRIx64" is cut, since %s has room "
                          "for %u bits",
                        netdev_get_name(netdev), ntohll(key), type, bits);
    if (trace) {
        oftrace_report(trace, OFT_WARN, message);
    } else {
        VLOG_WARN("%s", message);
    }
    free(message);
}
