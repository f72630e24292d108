/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Fuzz target: STT headers as the text of actions, and packets that get them.
 *
 * An input is the text of a tnl_push action, a null byte, two bytes of flags
 * (see below), and a packet to be sent. */

#include <config.h>
#undef NDEBUG
#include "netdev-stt.h"

#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "stt.h"
#include "stt_fuzz.h"

/* Flags: how the packet is sent.  The bits behind them are the segment
 * size. */
enum {
    PARTIAL = 1 << 0,           /* Its checksum is left to the port. */
    TSO = 1 << 1,               /* So is its segmentation. */
    HEADROOM = 1 << 2,          /* It has some. */
    LONG = 1 << 3,              /* It is 16 times as long, with zeros. */
    FLAGS = 4,
};

enum { L4_LEN = TCP_HEADER_LEN + STT_HEADER_LEN };

/* Parses 'text' as just the headers behind that of IP. */
static void
check_headers(const char *text)
{
    uint8_t *first = xmalloc(L4_LEN);
    uint8_t *second = xmalloc(L4_LEN);
    struct ds ds = DS_EMPTY_INITIALIZER;
    int n = 0;

    if (netdev_stt_scan_header(text, &n, first)) {
        ovs_assert(n > 0 && n <= strlen(text));
        ovs_assert(text[n - 1] == ')');
        netdev_stt_format_header(&ds, first, L4_LEN);
        ds_put_char(&ds, ')');
        n = 0;
        ovs_assert(netdev_stt_scan_header(ds_cstr(&ds), &n, second)
                   == L4_LEN);
        ovs_assert(n == ds.length);
        ovs_assert(!memcmp(first, second, L4_LEN));
        for (size_t i = 0; i < L4_LEN; i++) {
            ds_clear(&ds);
            netdev_stt_format_header(&ds, first, i);
        }
    } else {
        ovs_assert(!n);
    }
    ds_destroy(&ds);
    free(first);
    free(second);
}

/* Has 'netdev' receive 'p', which it takes ownership of.  Adds the number of
 * packets that come out of it to '*n_inner', and replaces '*innerp' by the
 * last one of them. */
static void
receive(struct netdev *netdev, struct dp_packet *p, size_t *n_inner,
        struct dp_packet **innerp)
{
    struct dp_packet_batch batch;
    struct flow flow;
    struct dp_packet *inner;

    flow_extract(p, &flow);
    if (flow.nw_proto != IPPROTO_TCP || flow.nw_frag
        || p->l4_ofs == UINT16_MAX) {
        dp_packet_delete(p);
        return;
    }
    dp_packet_batch_init_packet(&batch, p);
    netdev_pop_header(netdev, &batch);
    DP_PACKET_BATCH_FOR_EACH (i, inner, &batch) {
        *n_inner += 1;
        dp_packet_delete(*innerp);
        *innerp = inner;
    }
    dp_packet_batch_destroy(&batch);
}

/* Sends a packet made of 'in' with the header in 'push', and receives what
 * goes out. */
static void
push(struct netdev *netdev, const struct ovs_action_push_tnl *push,
     struct fuzz_input in)
{
    uint16_t flags = fuzz_u16(&in);
    size_t size = flags & LONG ? MIN(in.size * 16, 70000) : in.size;
    struct dp_packet *p, *original, *inner = NULL;
    struct dp_packet_batch batch;
    size_t n_inner = 0, n_sent;
    uint16_t segsz = flags >> FLAGS;
    struct flow flow;
    int error;

    if (in.size < ETH_HEADER_LEN) {
        return;
    }
    p = dp_packet_new_with_headroom(size, flags & HEADROOM ? 256 : 0);
    dp_packet_put(p, in.data, in.size);
    dp_packet_put_zeros(p, size - in.size);
    p->packet_type = htonl(PT_ETH);
    pkt_metadata_init(&p->md, u32_to_odp(1));
    if (flags & LONG && size >= ETH_HEADER_LEN + IP_HEADER_LEN) {
        struct eth_header *eth = dp_packet_data(p);
        struct ip_header *ip = (struct ip_header *) (eth + 1);

        if (eth->eth_type == htons(ETH_TYPE_IP)) {
            ip->ip_tot_len = htons(MIN(size - ETH_HEADER_LEN, UINT16_MAX));
        }
    }
    flow_extract(p, &flow);
    if (flags & (PARTIAL | TSO) && p->l4_ofs != UINT16_MAX && !flow.nw_frag) {
        if (flow.nw_proto == IPPROTO_TCP && dp_packet_get_tcp_payload(p)) {
            dp_packet_l4_proto_set_tcp(p);
            dp_packet_l4_checksum_set_partial(p);
            if (flags & TSO && segsz
                && dp_packet_get_tcp_payload_length(p) > segsz) {
                dp_packet_set_tso_segsz(p, segsz);
            }
        } else if (flow.nw_proto == IPPROTO_UDP
                   && dp_packet_l4_size(p) >= UDP_HEADER_LEN) {
            dp_packet_l4_proto_set_udp(p);
            dp_packet_l4_checksum_set_partial(p);
        }
    }

    original = dp_packet_clone(p);
    dp_packet_batch_init_packet(&batch, p);
    error = netdev_push_header(netdev, NULL, &batch, push);
    ovs_assert(!error || dp_packet_batch_size(&batch) == 1);
    n_sent = dp_packet_batch_size(&batch);
    DP_PACKET_BATCH_FOR_EACH (i, p, &batch) {
        if (error) {
            dp_packet_delete(p);
            continue;
        }
        ovs_assert(dp_packet_size(p) > push->header_len - STT_HEADER_LEN);
        ovs_assert(dp_packet_size(p) - ETH_HEADER_LEN
                   <= UINT16_MAX + IPV6_HEADER_LEN);
        ovs_assert(p->l3_ofs == ETH_HEADER_LEN);
        ovs_assert(dp_packet_l4_checksum_partial(p));
        ovs_assert(dp_packet_l4_proto_tcp(p));

        /* Userspace TSO is off. */
        ovs_assert(!dp_packet_get_tso_segsz(p));
        dp_packet_ol_send_prepare(p, 0);
        receive(netdev, p, &n_inner, &inner);
    }

    if (n_inner == 1 && n_sent
        && !dp_packet_l4_checksum_partial(original)
        && !flow.vlans[0].tci) {
        /* What needs nothing to be done to it arrives as it was. */
        ovs_assert(dp_packet_equal(original, inner));
    }
    dp_packet_delete(original);
    dp_packet_delete(inner);
    dp_packet_batch_destroy(&batch);
}

static void
push_actions(const struct ofpbuf *actions, struct fuzz_input in)
{
    struct smap args = SMAP_INITIALIZER(&args);
    struct netdev *netdev = fuzz_open_port();
    const struct nlattr *a;
    char *err = NULL;
    size_t left;

    smap_add(&args, "remote_ip", "flow");
    ovs_assert(!netdev_set_config(netdev, &args, &err));
    smap_destroy(&args);
    NL_ATTR_FOR_EACH (a, left, actions->data, actions->size) {
        const struct ovs_action_push_tnl *data = nl_attr_get(a);

        if (nl_attr_type(a) == OVS_ACTION_ATTR_TUNNEL_PUSH
            && data->tnl_type == OVS_VPORT_TYPE_STT) {
            push(netdev, data, in);
        }
    }
    fuzz_close_port(netdev);
}

/* Parses 'text' as actions, formats them, and checks that this is the same
 * again. */
static void
check_actions(const char *text, struct fuzz_input in)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct ofpbuf first, second;

    ofpbuf_init(&first, 0);
    ofpbuf_init(&second, 0);
    if (!odp_actions_from_string(text, NULL, &first)) {
        format_odp_actions(&ds, first.data, first.size, NULL);
        ovs_assert(!odp_actions_from_string(ds_cstr(&ds), NULL, &second));
        ovs_assert(ofpbuf_equal(&first, &second));
        push_actions(&first, in);
    }
    ds_destroy(&ds);
    ofpbuf_uninit(&first);
    ofpbuf_uninit(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = strnlen((const char *) data, size);
    struct fuzz_input in = { data, size };
    const char *headers;
    size_t n;
    char *text;

    fuzz_begin();
    text = xmemdup0((const char *) data, len);
    fuzz_bytes(&in, len + 1, &n);

    headers = strstr(text, "tcp(");
    check_headers(headers ? headers : text);

    /* Other actions, and headers of other tunnels, aren't ours. */
    if (!strncmp(text, "tnl_push(", 9) && strstr(text, "),stt(")) {
        check_actions(text, in);
    }
    free(text);
    return 0;
}
