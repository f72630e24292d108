/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "gro.h"

#include <netinet/in.h>
#include <netinet/ip6.h>
#include <string.h>

#include "coverage.h"
#include "csum.h"
#include "dp-packet.h"
#include "netdev-tuning.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

COVERAGE_DEFINE(gro_merged_segments);
COVERAGE_DEFINE(gro_merged_packets);
COVERAGE_DEFINE(gro_bad_csum);

/* How many connections of a batch can be merged side by side. */
#define MAX_TRAINS 32

/* Headroom of a merged packet, for the headers of a tunnel or two. */
#define HEADROOM 192

/* What is in a packet. */
enum gro_kind {
    GRO_OTHER,                  /* Nothing that TCP segments can overtake or be
                                 * overtaken by: not IP, or UDP, say. */
    GRO_UNCLEAR,                /* Perhaps a part of any connection. */
    GRO_TCP,                    /* TCP that can't be merged. */
    GRO_SEGMENT,                /* TCP that can be merged. */
};

/* A packet of TCP. */
struct segment {
    struct dp_packet *packet;
    const uint8_t *l3;          /* Start of the IP header. */
    const struct tcp_header *tcp;
    size_t l3_ofs;              /* Bytes before 'l3'... */
    size_t l4_ofs;              /* ...before 'tcp'... */
    size_t hdr_len;             /* ...before the payload... */
    size_t payload;             /* ...and in it. */
    bool ipv6;
    bool checked;               /* Are its checksums known to be right? */
};

/* Segments that follow each other. */
struct train {
    struct segment first;
    size_t index;               /* Where the first one is in the batch. */
    size_t last;                /* Where the last one is. */
    size_t n;                   /* Number of segments. */
    size_t payload;             /* Bytes in all of them. */
    bool same_id;               /* Have all of them one IPv4 ID? */
    bool push;                  /* Has the last one PSH? */
    bool open;                  /* May there be more of them? */
};

static const struct ip_header *
ip4_of(const struct segment *s)
{
    return ALIGNED_CAST(const struct ip_header *, s->l3);
}

static const struct ovs_16aligned_ip6_hdr *
ip6_of(const struct segment *s)
{
    return ALIGNED_CAST(const struct ovs_16aligned_ip6_hdr *, s->l3);
}

/* Finds out what 'packet' is.  Fills in '*s' if it is TCP. */
static enum gro_kind
parse(struct dp_packet *packet, struct segment *s)
{
    const uint8_t *data = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    size_t ofs = ETH_HEADER_LEN;
    bool mergeable = true;
    int n_vlans = 0;
    ovs_be16 type;
    size_t ip_end;
    uint16_t ctl;
    size_t len;

    if (!dp_packet_is_eth(packet) || dp_packet_get_cutlen(packet)
        || dp_packet_tunnel(packet) || size < ETH_HEADER_LEN) {
        return GRO_UNCLEAR;
    }

    memcpy(&type, data + ofs - sizeof type, sizeof type);
    while (eth_type_vlan(type)) {
        /* Behind more tags, the rest of the switch would not find what the
         * packet's offloads are about. */
        if (n_vlans++ >= flow_vlan_limit) {
            return GRO_UNCLEAR;
        }
        ofs += VLAN_HEADER_LEN;
        if (size < ofs) {
            return GRO_UNCLEAR;
        }
        memcpy(&type, data + ofs - sizeof type, sizeof type);
    }

    s->packet = packet;
    s->l3_ofs = ofs;
    s->l3 = data + ofs;
    s->checked = false;
    if (type == htons(ETH_TYPE_IP)) {
        const struct ip_header *ip = ip4_of(s);

        s->ipv6 = false;
        if (size < ofs + IP_HEADER_LEN || IP_VER(ip->ip_ihl_ver) != 4
            || IP_IS_FRAGMENT(ip->ip_frag_off)) {
            return GRO_UNCLEAR;
        }
        if (ip->ip_proto != IPPROTO_TCP) {
            return GRO_OTHER;
        }
        if (IP_IHL(ip->ip_ihl_ver) != 5 || dp_packet_ip_checksum_bad(packet)) {
            return GRO_UNCLEAR;
        }
        s->l4_ofs = ofs + IP_HEADER_LEN;
        ip_end = ofs + ntohs(ip->ip_tot_len);
    } else if (type == htons(ETH_TYPE_IPV6)) {
        const struct ovs_16aligned_ip6_hdr *ip6 = ip6_of(s);

        s->ipv6 = true;
        if (size < ofs + IPV6_HEADER_LEN || ip6->ip6_vfc >> 4 != 6) {
            return GRO_UNCLEAR;
        }
        if (ip6->ip6_nxt == IPPROTO_UDP || ip6->ip6_nxt == IPPROTO_ICMPV6) {
            return GRO_OTHER;
        }
        if (ip6->ip6_nxt != IPPROTO_TCP) {
            return GRO_UNCLEAR;
        }
        s->l4_ofs = ofs + IPV6_HEADER_LEN;
        ip_end = s->l4_ofs + ntohs(ip6->ip6_plen);
    } else if (eth_type_mpls(type)) {
        return GRO_UNCLEAR;
    } else {
        return GRO_OTHER;
    }

    if (size < s->l4_ofs + TCP_HEADER_LEN || ip_end > size) {
        return GRO_UNCLEAR;
    }
    s->tcp = ALIGNED_CAST(const struct tcp_header *, data + s->l4_ofs);
    ctl = ntohs(s->tcp->tcp_ctl);
    len = TCP_OFFSET(s->tcp->tcp_ctl) * 4;
    s->hdr_len = s->l4_ofs + len;

    /* Padding would get lost, and so would any flag but these. */
    if (len < TCP_HEADER_LEN || ip_end != size || s->hdr_len >= size
        || (ctl & 0xfff & ~TCP_PSH) != TCP_ACK || s->tcp->tcp_urg
        || dp_packet_get_tso_segsz(packet)
        || dp_packet_l4_checksum_bad(packet)) {
        mergeable = false;
        s->payload = 0;
    } else {
        s->payload = size - s->hdr_len;
    }
    return mergeable ? GRO_SEGMENT : GRO_TCP;
}

/* Returns true if the checksums of 's' are right, or will be computed. */
static bool
checksums_ok(struct segment *s)
{
    struct dp_packet *packet = s->packet;

    if (s->checked) {
        return true;
    }
    if (!s->ipv6 && dp_packet_ip_checksum_unknown(packet)) {
        if (csum(s->l3, IP_HEADER_LEN)) {
            COVERAGE_INC(gro_bad_csum);
            return false;
        }
        dp_packet_ip_checksum_set_good(packet);
    }
    if (dp_packet_l4_checksum_unknown(packet)) {
        uint32_t sum = s->ipv6 ? packet_csum_pseudoheader6(ip6_of(s))
                               : packet_csum_pseudoheader(ip4_of(s));

        if (csum_finish(csum_continue(sum, s->tcp, dp_packet_size(packet)
                                                   - s->l4_ofs))) {
            COVERAGE_INC(gro_bad_csum);
            return false;
        }
        dp_packet_l4_checksum_set_good(packet);
    }
    s->checked = true;
    return true;
}

/* Returns true if 'a' and 'b' are of the same connection and direction. */
static bool
same_connection(const struct segment *a, const struct segment *b)
{
    if (a->ipv6 != b->ipv6
        || a->tcp->tcp_src != b->tcp->tcp_src
        || a->tcp->tcp_dst != b->tcp->tcp_dst) {
        return false;
    }
    if (a->ipv6) {
        const struct ovs_16aligned_ip6_hdr *x = ip6_of(a);
        const struct ovs_16aligned_ip6_hdr *y = ip6_of(b);

        return !memcmp(&x->ip6_src, &y->ip6_src, sizeof x->ip6_src)
               && !memcmp(&x->ip6_dst, &y->ip6_dst, sizeof x->ip6_dst);
    } else {
        const struct ip_header *x = ip4_of(a);
        const struct ip_header *y = ip4_of(b);

        return get_16aligned_be32(&x->ip_src) == get_16aligned_be32(&y->ip_src)
               && (get_16aligned_be32(&x->ip_dst)
                   == get_16aligned_be32(&y->ip_dst));
    }
}

/* Returns true if the original tuples of the connections of 'x' and 'y', which
 * are tracked, are the same. */
static bool
same_orig_tuple(const struct pkt_metadata *x, const struct pkt_metadata *y)
{
    const struct ovs_key_ct_tuple_ipv4 *a = &x->ct_orig_tuple.ipv4;
    const struct ovs_key_ct_tuple_ipv4 *b = &y->ct_orig_tuple.ipv4;

    if (x->ct_orig_tuple_ipv6 != y->ct_orig_tuple_ipv6) {
        return false;
    }
    if (x->ct_orig_tuple_ipv6) {
        const struct ovs_key_ct_tuple_ipv6 *a6 = &x->ct_orig_tuple.ipv6;
        const struct ovs_key_ct_tuple_ipv6 *b6 = &y->ct_orig_tuple.ipv6;

        return ipv6_addr_equals(&a6->ipv6_src, &b6->ipv6_src)
               && ipv6_addr_equals(&a6->ipv6_dst, &b6->ipv6_dst)
               && a6->src_port == b6->src_port
               && a6->dst_port == b6->dst_port
               && a6->ipv6_proto == b6->ipv6_proto;
    }
    return a->ipv4_src == b->ipv4_src
           && a->ipv4_dst == b->ipv4_dst
           && a->src_port == b->src_port
           && a->dst_port == b->dst_port
           && a->ipv4_proto == b->ipv4_proto;
}

/* Returns true if what the switch knows about 'a' and 'b' is the same, so that
 * it would do the same with both. */
static bool
same_metadata(const struct dp_packet *a, const struct dp_packet *b)
{
    const struct pkt_metadata *x = &a->md;
    const struct pkt_metadata *y = &b->md;

    return x->recirc_id == y->recirc_id
           && x->dp_hash == y->dp_hash
           && x->skb_priority == y->skb_priority
           && x->pkt_mark == y->pkt_mark
           && x->ct_state == y->ct_state
           /* Valid only if 'ct_state' isn't 0. */
           && (!x->ct_state || (x->ct_zone == y->ct_zone
                                && x->ct_mark == y->ct_mark
                                && ovs_u128_equals(x->ct_label, y->ct_label)
                                && same_orig_tuple(x, y)))
           && x->in_port.odp_port == y->in_port.odp_port
           && x->orig_in_port == y->orig_in_port
           && x->conn == y->conn
           /* Valid only if 'conn' isn't null. */
           && (!x->conn || x->reply == y->reply)
           && a->has_mark == b->has_mark
           && (!a->has_mark || *dp_packet_flow_mark_ptr(a)
                               == *dp_packet_flow_mark_ptr(b))
           && flow_tnl_equal(&x->tunnel, &y->tunnel);
}

/* Returns true if the IPv4 ID of 's' may come after those of 'train', whose
 * flags are the same.
 *
 * Segmentation counts IDs up, so those that count up will be as they were.
 * Many senders give all of their segments that must not be fragmented one ID,
 * 0 for example.  Such an ID has no meaning (RFC 6864, section 4.1), so it
 * does no harm that it will count up.  A mix of both isn't merged, since it is
 * neither. */
static bool
id_follows(const struct train *train, const struct segment *s)
{
    const struct ip_header *first = ip4_of(&train->first);
    bool atomic = (first->ip_frag_off & htons(IP_DONT_FRAGMENT)) != 0;
    uint16_t count = ntohs(ip4_of(s)->ip_id) - ntohs(first->ip_id);

    if (count) {
        return !train->same_id && count == train->n;
    }
    return atomic && (train->n == 1 || train->same_id);
}

/* Returns true if 's', which is of the same connection as 'train', comes right
 * after its segments, and nothing that matters would be lost if it became one
 * of them. */
static bool
follows(const struct train *train, const struct segment *s)
{
    const struct segment *first = &train->first;
    const struct tcp_header *a = first->tcp;
    const struct tcp_header *b = s->tcp;

    if (first->l3_ofs != s->l3_ofs || first->hdr_len != s->hdr_len
        || s->payload > first->payload
        || first->hdr_len + train->payload + s->payload > GRO_MAX_LEN) {
        return false;
    }
    if (ntohl(get_16aligned_be32(&a->tcp_seq)) + (uint32_t) train->payload
        != ntohl(get_16aligned_be32(&b->tcp_seq))
        || (get_16aligned_be32(&a->tcp_ack)
            != get_16aligned_be32(&b->tcp_ack))
        || (a->tcp_ctl ^ b->tcp_ctl) & htons(0xffff & ~TCP_PSH)
        || a->tcp_winsz != b->tcp_winsz
        || memcmp(a + 1, b + 1, first->hdr_len - first->l4_ofs
                                - TCP_HEADER_LEN)) {
        return false;
    }
    if (memcmp(first->l3 - first->l3_ofs, s->l3 - s->l3_ofs, s->l3_ofs)) {
        return false;
    }
    if (s->ipv6) {
        const struct ovs_16aligned_ip6_hdr *x = ip6_of(first);
        const struct ovs_16aligned_ip6_hdr *y = ip6_of(s);

        if (memcmp(x, y, sizeof(ovs_be32)) || x->ip6_hlim != y->ip6_hlim) {
            return false;
        }
    } else {
        const struct ip_header *x = ip4_of(first);
        const struct ip_header *y = ip4_of(s);

        if (x->ip_tos != y->ip_tos || x->ip_ttl != y->ip_ttl
            || x->ip_frag_off != y->ip_frag_off
            || !id_follows(train, s)) {
            return false;
        }
    }
    return same_metadata(first->packet, s->packet);
}

/* Returns a new packet of all the segments of 'train', which are in 'packets'.
 * next[i] tells where the segment after that at 'i' is. */
static struct dp_packet *
merge(const struct train *train, struct dp_packet *packets[],
      const size_t next[])
{
    const struct segment *first = &train->first;
    size_t index = train->index;
    const struct dp_packet *old = first->packet;
    size_t size = first->hdr_len + train->payload;
    struct dp_packet *new;
    struct tcp_header *tcp;
    uint8_t *l3;

    new = netdev_tuning_long_packet(size, HEADROOM);
    dp_packet_put(new, dp_packet_data(old), dp_packet_size(old));
    for (size_t n = 1; n < train->n; n++) {
        const struct dp_packet *segment;

        index = next[index];
        segment = packets[index];
        dp_packet_put(new, (uint8_t *) dp_packet_data(segment)
                           + first->hdr_len,
                      dp_packet_size(segment) - first->hdr_len);
    }
    ovs_assert(dp_packet_size(new) == size);

    /* As dp_packet_clone_with_headroom() does. */
    memcpy(&new->l2_pad_size, &old->l2_pad_size,
           sizeof *new - offsetof(struct dp_packet, l2_pad_size));
    new->has_hash = old->has_hash;
    *dp_packet_rss_ptr(new) = *dp_packet_rss_ptr(old);
    new->has_mark = old->has_mark;
    *dp_packet_flow_mark_ptr(new) = *dp_packet_flow_mark_ptr(old);

    dp_packet_reset_offsets(new);
    new->l3_ofs = first->l3_ofs;
    new->l4_ofs = first->l4_ofs;
    dp_packet_l4_proto_set_tcp(new);
    dp_packet_l4_checksum_set_partial(new);
    dp_packet_set_tso_segsz(new, first->payload);

    l3 = dp_packet_l3(new);
    if (first->ipv6) {
        struct ovs_16aligned_ip6_hdr *ip6
            = ALIGNED_CAST(struct ovs_16aligned_ip6_hdr *, l3);

        ip6->ip6_plen = htons(size - first->l4_ofs);
    } else {
        struct ip_header *ip = ALIGNED_CAST(struct ip_header *, l3);

        ip->ip_tot_len = htons(size - first->l3_ofs);
        ip->ip_csum = 0;
        ip->ip_csum = csum(ip, IP_HEADER_LEN);
        dp_packet_ip_checksum_set_good(new);
    }
    tcp = dp_packet_l4(new);
    if (train->push) {
        tcp->tcp_ctl |= htons(TCP_PSH);
    }
    return new;
}

/* Returns the newest of the last MAX_TRAINS of the 'n' trains that 's' is of
 * the same connection as and that may become longer, or null. */
static struct train *
find_train(struct train trains[], size_t n, const struct segment *s)
{
    size_t end = n > MAX_TRAINS ? n - MAX_TRAINS : 0;

    while (n-- > end) {
        if (trains[n].open && same_connection(&trains[n].first, s)) {
            return &trains[n];
        }
    }
    return NULL;
}

/* Merges the TCP segments in 'batch' that follow each other, and whose
 * checksums are right, and replaces them by the packets that they make.  The
 * rest of the packets remain as they are, but that their checksums may have
 * been verified.  The packets of a connection keep their order.
 *
 * A merged packet has the metadata of its segments, which is the same, and an
 * L4 checksum that is partial.  It has up to GRO_MAX_LEN bytes. */
struct gro_result
gro_batch(struct dp_packet_batch *batch)
{
    size_t size = dp_packet_batch_size(batch);
    struct train few_trains[NETDEV_MAX_BURST];
    size_t few_links[NETDEV_MAX_BURST];
    struct gro_result result = { 0, 0 };
    struct dp_packet **packets = batch->packets;
    struct train *trains = few_trains;
    size_t *next = few_links;
    size_t n_trains = 0;

    if (size < 2 || batch->trunc) {
        return result;
    }
    if (size > NETDEV_MAX_BURST) {
        trains = xmalloc(size * sizeof *trains);
        next = xmalloc(size * sizeof *next);
    }

    for (size_t i = 0; i < size; i++) {
        struct train *train;
        struct segment s;
        bool push;

        switch (parse(packets[i], &s)) {
        case GRO_OTHER:
            continue;

        case GRO_UNCLEAR:
            for (size_t j = 0; j < n_trains; j++) {
                trains[j].open = false;
            }
            continue;

        case GRO_TCP:
            train = find_train(trains, n_trains, &s);
            if (train) {
                train->open = false;
            }
            continue;

        case GRO_SEGMENT:
        default:
            break;
        }

        push = (s.tcp->tcp_ctl & htons(TCP_PSH)) != 0;
        train = find_train(trains, n_trains, &s);
        if (train && follows(train, &s) && checksums_ok(&train->first)
            && checksums_ok(&s)) {
            train->same_id = (!s.ipv6
                              && ip4_of(&s)->ip_id
                                 == ip4_of(&train->first)->ip_id);
            next[train->last] = i;
            train->last = i;
            train->n++;
            train->payload += s.payload;
            train->push = push;
            /* What follows a shorter segment begins at another place than
             * where TSO would have it begin. */
            train->open = !push && s.payload == train->first.payload;
            continue;
        }

        if (train) {
            train->open = false;
        }
        trains[n_trains++] = (struct train) {
            .first = s,
            .index = i,
            .last = i,
            .n = 1,
            .payload = s.payload,
            .push = push,
            .open = !push,
        };
    }

    for (size_t i = 0; i < n_trains; i++) {
        const struct train *train = &trains[i];

        if (train->n > 1) {
            struct dp_packet *packet = merge(train, packets, next);
            size_t index = train->index;

            for (size_t n = 0; n < train->n; n++) {
                size_t following = n + 1 < train->n ? next[index] : 0;

                dp_packet_delete(packets[index]);
                packets[index] = NULL;
                index = following;
            }
            packets[train->index] = packet;
            result.segments += train->n;
            result.packets++;
        }
    }
    if (result.packets) {
        dp_packet_batch_reset(batch);
        for (size_t i = 0; i < size; i++) {
            if (packets[i]) {
                dp_packet_batch_add(batch, packets[i]);
            }
        }
        COVERAGE_ADD(gro_merged_segments, result.segments);
        COVERAGE_ADD(gro_merged_packets, result.packets);
    }
    if (trains != few_trains) {
        free(trains);
        free(next);
    }
    return result;
}
