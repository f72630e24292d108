/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Fuzz target: the options of an STT port.
 *
 * An input is text with an option "key=value" on each line.  An empty line
 * ends a set of options, and the next one follows. */

#include <config.h>
#undef NDEBUG
#include "netdev-stt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netdev-vport.h"
#include "packets.h"
#include "stt-peers.h"
#include "stt.h"
#include "stt_fuzz.h"

/* Checks that the number that option 'key' of 'args' has, if it has one, is
 * between 'min' and 'max' and has become 'is'. */
static void
check_number(const struct smap *args, const char *key, int base,
             unsigned long long int min, unsigned long long int max,
             unsigned long long int is)
{
    const char *s = smap_get(args, key);
    unsigned long long int value;
    char *tail;

    if (!s || s[0] < '0' || s[0] > '9') {
        return;
    }
    errno = 0;
    value = strtoull(s, &tail, base);
    ovs_assert(!errno && !*tail);
    ovs_assert(value >= min && value <= max);
    ovs_assert(value == is);
}

/* Checks what 'netdev' has made of 'args', which it has accepted. */
static void
check_accepted(const struct netdev *netdev, const struct smap *args)
{
    const struct netdev_tunnel_config *c = netdev_get_tunnel_config(netdev);
    struct in6_addr addr = in6addr_any;

    ovs_assert(c->dst_port);
    ovs_assert(!c->stt_max_segment_size
               || (c->stt_max_segment_size >= STT_MIN_OUTER_MSS
                   && c->stt_max_segment_size <= STT_MAX_OUTER_MSS));
    ovs_assert(!(c->tos & ~IP_DSCP_MASK));
    ovs_assert(!ipv6_addr_is_multicast(&c->ipv6_dst));
    ovs_assert(!IN6_IS_ADDR_V4MAPPED(&c->ipv6_dst)
               || !ip_is_multicast(in6_addr_get_mapped_ipv4(&c->ipv6_dst)));
    ovs_assert(c->ip_dst_flow || ipv6_addr_is_set(&c->ipv6_dst));

    check_number(args, "dst_port", 10, 1, UINT16_MAX, ntohs(c->dst_port));
    check_number(args, "max_segment_size", 10, STT_MIN_OUTER_MSS,
                 STT_MAX_OUTER_MSS, c->stt_max_segment_size);
    check_number(args, "tos", 0, 0, IP_DSCP_MASK, c->tos);
    check_number(args, "ttl", 10, 1, UINT8_MAX, c->ttl);
    check_number(args, "egress_pkt_mark", 10, 0, UINT32_MAX,
                 c->egress_pkt_mark);
    check_number(args, "in_key", 0, 0, UINT64_MAX, ntohll(c->in_key));
    check_number(args, "out_key", 0, 0, UINT64_MAX, ntohll(c->out_key));
    if (!smap_get(args, "in_key")) {
        check_number(args, "key", 0, 0, UINT64_MAX, ntohll(c->in_key));
    }
    ovs_assert(c->dont_fragment == smap_get_bool(args, "df_default", true));

    /* Segments from there are welcome at once. */
    if (!c->ip_dst_flow) {
        addr = c->ipv6_dst;
    }
    ovs_assert(stt_peers_find(&addr, c->dst_port));

    /* Whatever the MTU, segments keep within the bounds. */
    for (int mtu = -1; mtu < 70000; mtu += 97) {
        int mss = netdev_stt_get_segment_size(c, mtu & 1, mtu);

        ovs_assert(!mss || (mss >= STT_MIN_OUTER_MSS
                            && mss <= STT_MAX_OUTER_MSS));
        ovs_assert(!c->stt_max_segment_size
                   || mss <= c->stt_max_segment_size);
    }
}

static void
configure(struct netdev *netdev, const struct smap *args, bool *configured)
{
    struct smap before = SMAP_INITIALIZER(&before);
    struct smap first = SMAP_INITIALIZER(&first);
    struct smap second = SMAP_INITIALIZER(&second);
    struct smap status = SMAP_INITIALIZER(&status);
    char *err = NULL;
    int error;

    ovs_assert(!netdev_get_config(netdev, &before));
    error = netdev_set_config(netdev, args, &err);
    ovs_assert(error >= 0);
    if (error) {
        /* There is a reason, and nothing has changed. */
        ovs_assert(err && err[0]);
        ovs_assert(!netdev_get_config(netdev, &first));
        ovs_assert(!*configured || smap_equal(&before, &first));
    } else {
        *configured = true;
        check_accepted(netdev, args);
        free(err);
        err = NULL;

        ovs_assert(!netdev_get_config(netdev, &first));
        ovs_assert(!netdev_set_config(netdev, &first, &err));
        check_accepted(netdev, &first);
        ovs_assert(!netdev_get_config(netdev, &second));
        ovs_assert(smap_equal(&first, &second));
        ovs_assert(!netdev_get_status(netdev, &status));
    }
    free(err);
    smap_destroy(&before);
    smap_destroy(&first);
    smap_destroy(&second);
    smap_destroy(&status);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smap args = SMAP_INITIALIZER(&args);
    char *text = xmemdup0((const char *) data, size);
    struct netdev *netdev;
    char *next = text;
    bool configured = false;

    fuzz_begin();
    netdev = fuzz_open_port();
    while (next) {
        char *line = strsep(&next, "\n");
        char *value = strchr(line, '=');

        if (value) {
            *value++ = '\0';
            smap_replace(&args, line, value);
        }
        if (!*line || !next) {
            configure(netdev, &args, &configured);

            /* The same is for the whole switch. */
            netdev_stt_set_limits(&args);
            smap_clear(&args);
        }
    }
    netdev_stt_set_limits(&args);
    fuzz_close_port(netdev);
    smap_destroy(&args);
    free(text);
    return 0;
}
