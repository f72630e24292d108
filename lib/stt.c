/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt.h"

#include <netinet/in.h>
#include <netinet/ip6.h>

#include "coverage.h"
#include "csum.h"
#include "dp-packet.h"
#include "dp-packet-finish.h"
#include "dp-packet-gso.h"
#include "flow.h"
#include "packets.h"
#include "util.h"

#define STT_TX_DROP(ENUM, NAME, DESCRIPTION) COVERAGE_DEFINE(stt_tx_##NAME);
STT_TX_DROPS
#undef STT_TX_DROP

#define STT_DROP(ENUM, NAME, DESCRIPTION) COVERAGE_DEFINE(stt_drop_##NAME);
STT_DROPS
#undef STT_DROP

/* Adds 'n' to the coverage counter of 'drop'.  It counts what came in:
 * segments up to reassembly, frames afterward. */
void
stt_count_drops(enum stt_drop drop, unsigned int n)
{
    switch (drop) {
#define STT_DROP(ENUM, NAME, DESCRIPTION)       \
    case STT_DROP_##ENUM:                       \
        COVERAGE_ADD(stt_drop_##NAME, n);       \
        break;
    STT_DROPS
#undef STT_DROP
    case STT_OK:
    case STT_N_DROPS:
    default:
        break;
    }
}

/* Returns the lower-case name of 'drop', as the coverage counters have it. */
const char *
stt_drop_name(enum stt_drop drop)
{
    switch (drop) {
#define STT_DROP(ENUM, NAME, DESCRIPTION) case STT_DROP_##ENUM: return #NAME;
    STT_DROPS
#undef STT_DROP
    case STT_OK:
    case STT_N_DROPS:
    default:
        return "none";
    }
}

/* Returns a phrase that tells a person what 'drop' means. */
const char *
stt_drop_description(enum stt_drop drop)
{
    switch (drop) {
#define STT_DROP(ENUM, NAME, DESCRIPTION) \
    case STT_DROP_##ENUM: return DESCRIPTION;
    STT_DROPS
#undef STT_DROP
    case STT_OK:
    case STT_N_DROPS:
    default:
        return "not dropped";
    }
}

/* Adds 'n' to the coverage counter of 'drop', for packets that did not get as
 * far as stt_split(), which counts for itself. */
void
stt_count_tx_drops(enum stt_tx_drop drop, unsigned int n)
{
    switch (drop) {
#define STT_TX_DROP(ENUM, NAME, DESCRIPTION)    \
    case STT_TX_DROP_##ENUM:                    \
        COVERAGE_ADD(stt_tx_##NAME, n);         \
        break;
    STT_TX_DROPS
#undef STT_TX_DROP
    case STT_TX_OK:
    case STT_N_TX_DROPS:
    default:
        break;
    }
}

/* Returns the lower-case name of 'drop', as the coverage counters have it. */
const char *
stt_tx_drop_name(enum stt_tx_drop drop)
{
    switch (drop) {
#define STT_TX_DROP(ENUM, NAME, DESCRIPTION) \
    case STT_TX_DROP_##ENUM: return #NAME;
    STT_TX_DROPS
#undef STT_TX_DROP
    case STT_TX_OK:
    case STT_N_TX_DROPS:
    default:
        return "none";
    }
}

/* Returns a phrase that tells a person what 'drop' means. */
const char *
stt_tx_drop_description(enum stt_tx_drop drop)
{
    switch (drop) {
#define STT_TX_DROP(ENUM, NAME, DESCRIPTION) \
    case STT_TX_DROP_##ENUM: return DESCRIPTION;
    STT_TX_DROPS
#undef STT_TX_DROP
    case STT_TX_OK:
    case STT_N_TX_DROPS:
    default:
        return "not dropped";
    }
}

/* Looks for the IP and upper-layer headers of the Ethernet frame of 'len'
 * bytes at 'frame', behind any number of VLAN tags, and describes them in
 * '*inner'.  It trusts nothing: neither lengths nor versions nor the order of
 * headers.
 *
 * Returns STT_OK if the frame carries IPv4 or IPv6 whose length fields agree
 * with 'len' (bytes behind the IP packet are padding and fine).  Otherwise
 * returns STT_DROP_L4_PROTO for anything that isn't IP and STT_DROP_INNER_LEN
 * for IP with inconsistent lengths; '*inner' is then indeterminate.
 *
 * The sender uses this too, so that it never describes what a receiver
 * refuses. */
enum stt_drop
stt_parse_inner(const void *frame, size_t len, struct stt_inner *inner)
{
    const char *base = frame;
    size_t ofs = 2 * ETH_ADDR_LEN;
    ovs_be16 eth_type;

    for (;;) {
        if (ofs + sizeof eth_type > len) {
            return STT_DROP_L4_PROTO;
        }
        memcpy(&eth_type, base + ofs, sizeof eth_type);
        if (!eth_type_vlan(eth_type)) {
            break;
        }
        ofs += VLAN_HEADER_LEN;
    }
    ofs += sizeof eth_type;
    if (ofs >= UINT16_MAX) {
        return STT_DROP_INNER_LEN;
    }
    len -= ofs;

    memset(inner, 0, sizeof *inner);
    inner->l3_ofs = ofs;
    if (eth_type == htons(ETH_TYPE_IP)) {
        const struct ip_header *ip = ALIGNED_CAST(const struct ip_header *,
                                                  base + ofs);
        size_t ip_len, tot_len;

        if (len < IP_HEADER_LEN) {
            return STT_DROP_INNER_LEN;
        }
        ip_len = IP_IHL(ip->ip_ihl_ver) * 4;
        tot_len = ntohs(ip->ip_tot_len);
        if (IP_VER(ip->ip_ihl_ver) != 4 || ip_len < IP_HEADER_LEN
            || tot_len < ip_len || tot_len > len) {
            return STT_DROP_INNER_LEN;
        }
        inner->is_ipv4 = true;
        inner->is_fragment = IP_IS_FRAGMENT(ip->ip_frag_off);
        inner->proto = ip->ip_proto;
        inner->l4_ofs = ofs + ip_len;
        inner->l4_len = tot_len - ip_len;
    } else if (eth_type == htons(ETH_TYPE_IPV6)) {
        const struct ovs_16aligned_ip6_hdr *ip6
            = ALIGNED_CAST(const struct ovs_16aligned_ip6_hdr *, base + ofs);
        const struct ovs_16aligned_ip6_frag *frag_hdr = NULL;
        const struct ip6_rt_hdr *rt_hdr = NULL;
        const void *data = ip6 + 1;
        uint8_t nw_frag = 0;
        size_t size;

        if (len < IPV6_HEADER_LEN
            || ntohl(get_16aligned_be32(&ip6->ip6_flow)) >> 28 != 6) {
            return STT_DROP_INNER_LEN;
        }
        size = ntohs(ip6->ip6_plen);
        if (size > len - IPV6_HEADER_LEN) {
            return STT_DROP_INNER_LEN;
        }
        inner->proto = ip6->ip6_nxt;
        if (!parse_ipv6_ext_hdrs(&data, &size, &inner->proto, &nw_frag,
                                 &frag_hdr, &rt_hdr)) {
            return STT_DROP_INNER_LEN;
        }
        inner->is_fragment = nw_frag != 0;
        inner->has_exts = data != ip6 + 1;
        inner->l4_ofs = (const char *) data - base;
        inner->l4_len = size;
    } else {
        return STT_DROP_L4_PROTO;
    }
    return STT_OK;
}

/* Returns the length of the TCP header of 'inner', which stt_parse_inner()
 * found in 'frame', or 0 if it doesn't fit. */
static size_t
stt_inner_tcp_hdr_len(const void *frame, const struct stt_inner *inner)
{
    const struct tcp_header *tcp;
    size_t hdr_len;

    if (inner->l4_len < TCP_HEADER_LEN) {
        return 0;
    }
    tcp = ALIGNED_CAST(const struct tcp_header *,
                       (const char *) frame + inner->l4_ofs);
    hdr_len = TCP_OFFSET(tcp->tcp_ctl) * 4;
    return hdr_len >= TCP_HEADER_LEN && hdr_len <= inner->l4_len ? hdr_len : 0;
}

/* Returns true if 'inner', which stt_parse_inner() found in 'frame', is a
 * whole TCP or UDP packet, whose checksum may therefore be called verified. */
static bool
stt_has_l4_csum(const void *frame, const struct stt_inner *inner)
{
    return (!inner->is_fragment && !inner->has_exts
            && (inner->proto == IPPROTO_TCP
                ? stt_inner_tcp_hdr_len(frame, inner) != 0
                : (inner->proto == IPPROTO_UDP
                   && inner->l4_len >= UDP_HEADER_LEN)));
}

/* Sending. */

/* Returns the largest STT frame, in bytes, that may be sent over an IPv6
 * underlay (or, if 'ipv6' is false, over IPv4) in segments of 'outer_mss'
 * bytes: one that TSO can take as a single packet and that receivers accept
 * in so many pieces. */
size_t
stt_max_frame(bool ipv6, uint16_t outer_mss)
{
    size_t max_frame = ipv6 ? STT_MAX_FRAME_IPV6 : STT_MAX_FRAME_IPV4;

    return MIN(max_frame, (size_t) outer_mss * STT_MAX_SEGMENTS);
}

/* Returns the largest STT frame, in bytes, that may be cut into segments of
 * 'outer_mss' bytes before it is sent, so that no packet needs to hold it. */
size_t
stt_max_cut_frame(uint16_t outer_mss)
{
    return MIN((size_t) STT_MAX_FRAME, (size_t) outer_mss * STT_MAX_SEGMENTS);
}

/* Takes the outermost tag out of 'packet' if it is one that the STT header can
 * carry: 802.1Q (not 802.1ad) with DEI clear, since the header has no room for
 * that bit.  Returns the TCI for the header, with STT_VLAN_PRESENT set, or 0
 * if there was no such tag; what the header can't carry stays in the frame
 * (draft-davie-stt-08 section 3.1). */
ovs_be16
stt_take_vlan(struct dp_packet *packet)
{
    const struct vlan_eth_header *veth = dp_packet_eth(packet);
    ovs_be16 tci;

    if (!veth || dp_packet_size(packet) < sizeof *veth
        || veth->veth_type != htons(ETH_TYPE_VLAN_8021Q)
        || veth->veth_tci & htons(VLAN_CFI)) {
        return 0;
    }

    tci = veth->veth_tci | STT_VLAN_PRESENT;
    eth_pop_vlan(packet);
    return tci;
}

/* Returns how many bytes follow the IP packet in 'packet', whose L3 offset
 * must be set and whose IP header must be complete.  What the packet itself
 * says about its padding does not count: it is wrong after a truncation. */
static size_t
stt_get_padding(const struct dp_packet *packet)
{
    const struct ip_header *ip = dp_packet_l3(packet);
    size_t size = dp_packet_size(packet);
    size_t len = packet->l3_ofs;

    if (IP_VER(ip->ip_ihl_ver) == 4) {
        len += ntohs(ip->ip_tot_len);
    } else {
        const struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(packet);

        len += IPV6_HEADER_LEN + ntohs(ip6->ip6_plen);
    }
    return size > len ? size - len : 0;
}

/* Has 'packet' tell no more padding than it has behind its L4 header. */
static void
stt_fix_padding(struct dp_packet *packet)
{
    size_t pad = dp_packet_l2_pad_size(packet);

    if (pad && dp_packet_l4(packet)
        && packet->l4_ofs <= dp_packet_size(packet)) {
        pad = MIN(pad, stt_get_padding(packet));
        pad = MIN(pad, dp_packet_size(packet) - packet->l4_ofs);
    } else {
        pad = 0;
    }
    dp_packet_set_l2_pad_size(packet, pad);
}

/* Removes what follows the IP packet in 'packet', which must be as for
 * stt_get_padding(). */
static void
stt_trim_padding(struct dp_packet *packet)
{
    dp_packet_set_size(packet,
                       dp_packet_size(packet) - stt_get_padding(packet));
    dp_packet_set_l2_pad_size(packet, 0);
}

/* Returns true if an STT header can hand on the offloads that 'packet' waits
 * for, which 'inner' describes if 'parsed' is STT_OK, and a receiver will
 * believe it. */
static bool
stt_can_describe(const struct dp_packet *packet, enum stt_drop parsed,
                 const struct stt_inner *inner)
{
    uint16_t mss = dp_packet_get_tso_segsz(packet);

    if (dp_packet_tunnel(packet) || parsed != STT_OK
        || inner->is_fragment || inner->has_exts
        || inner->l3_ofs != packet->l3_ofs || inner->l4_ofs != packet->l4_ofs
        || inner->l4_ofs > STT_MAX_L4_OFFSET) {
        return false;
    }

    if (inner->proto == IPPROTO_TCP) {
        return (stt_inner_tcp_hdr_len(dp_packet_data(packet), inner)
                && (!mss || mss >= STT_MIN_INNER_MSS));
    } else if (inner->proto == IPPROTO_UDP) {
        const struct udp_header *udp = dp_packet_l4(packet);

        return (!mss && inner->l4_len >= UDP_HEADER_LEN
                && ntohs(udp->udp_len) == inner->l4_len);
    } else {
        return false;
    }
}

/* Cuts TCP packet 'packet', which 'inner' describes, into as few packets of at
 * most 'max_inner' bytes as possible and adds them to 'frames'.  They are
 * still TSO packets if 'packet' was one and they have more than one of its
 * segments.  Takes ownership of 'packet'.  Returns STT_TX_OK, or the reason
 * why 'packet' was dropped, which it has counted. */
static enum stt_tx_drop
stt_split_tcp(struct dp_packet *packet, const struct stt_inner *inner,
              size_t max_inner, struct dp_packet_batch *frames)
{
    size_t hdr_len = (inner->l4_ofs
                      + stt_inner_tcp_hdr_len(dp_packet_data(packet), inner));
    const struct tcp_header *tcp = dp_packet_l4(packet);
    bool cwr = (TCP_FLAGS(tcp->tcp_ctl) & TCP_CWR) != 0;
    uint16_t mss = dp_packet_get_tso_segsz(packet);
    struct dp_packet_batch parts;
    struct dp_packet *part;
    size_t chunk;

    if (hdr_len >= max_inner) {
        COVERAGE_INC(stt_tx_too_long);
        dp_packet_delete(packet);
        return STT_TX_DROP_TOO_LONG;
    }
    if (!mss && !stt_outer_csum_ok(packet, inner->l4_len)) {
        /* The parts would get good checksums. */
        COVERAGE_INC(stt_tx_bad_csum);
        dp_packet_delete(packet);
        return STT_TX_DROP_BAD_CSUM;
    }

    chunk = max_inner - hdr_len;
    if (mss && mss <= chunk) {
        /* CWR belongs on the first segment only, which the peer's TSO may not
         * know, so such a packet must be cut right down to its segments
         * (draft-davie-stt-08 section 3.1). */
        chunk = cwr ? mss : chunk / mss * mss;
    } else {
        mss = 0;
    }

    stt_trim_padding(packet);
    dp_packet_l4_proto_set_tcp(packet);
    dp_packet_set_tso_segsz(packet, chunk);
    dp_packet_batch_init_packet(&parts, packet);
    dp_packet_gso_batch(&parts);

    DP_PACKET_BATCH_FOR_EACH (i, part, &parts) {
        bool more = mss && dp_packet_get_tcp_payload_length(part) > mss;

        dp_packet_set_tso_segsz(part, more ? mss : 0);
        dp_packet_l4_checksum_set_partial(part);
        if (i > 0) {
            struct tcp_header *part_tcp = dp_packet_l4(part);

            part_tcp->tcp_ctl &= ~htons(TCP_CWR);
            if (inner->is_ipv4 && mss) {
                struct ip_header *ip = dp_packet_l3(part);

                /* Leave room for the IDs of the segments before it. */
                ip->ip_id = htons(ntohs(ip->ip_id) + i * (chunk / mss - 1));
            }
        }
        dp_packet_batch_add(frames, part);
    }
    dp_packet_batch_destroy(&parts);
    return STT_TX_OK;
}

/* Makes 'packet', an Ethernet frame to be sent, fit for stt_describe(): adds
 * one or more packets to 'frames' none of which makes an STT frame longer than
 * 'max_frame' bytes, or, if it can't be divided, 'max_cut_frame' bytes, and
 * each of which either waits for no offload or only for such as an STT header
 * can describe.  Whatever else 'packet' waits for (SCTP,
 * tunnels, fragments, IPv6 extension headers, headers far into the packet,
 * CWR) is finished here in software (draft-davie-stt-08 section 3.1.1).
 *
 * Takes ownership of 'packet'.  The packets added to 'frames' share its
 * headroom, hash and offsets, but only the first has its metadata.
 *
 * Returns the number of packets dropped, which it has counted: those that are
 * too long and can't be divided, or wait for what can't be done.  Stores the
 * reason, which all of them share, in '*dropp', or STT_TX_OK if there are
 * none. */
size_t
stt_split(struct dp_packet *packet, size_t max_frame, size_t max_cut_frame,
          struct dp_packet_batch *frames, enum stt_tx_drop *dropp)
{
    size_t max_inner = max_frame - STT_HEADER_LEN;
    uint16_t mss = dp_packet_get_tso_segsz(packet);
    bool too_long = dp_packet_size(packet) > max_inner;
    struct dp_packet_batch parts;
    struct stt_inner inner;
    enum stt_drop parsed;
    size_t n_drops = 0;

    *dropp = STT_TX_OK;
    stt_fix_padding(packet);
    if (!too_long && !mss && !dp_packet_l4_checksum_partial(packet)
        && !dp_packet_tunnel(packet)) {
        /* No offload but perhaps that of the IP checksum. */
        dp_packet_batch_add(frames, packet);
        return 0;
    }

    parsed = stt_parse_inner(dp_packet_data(packet), dp_packet_size(packet),
                             &inner);
    if (stt_can_describe(packet, parsed, &inner)) {
        const struct tcp_header *tcp = dp_packet_l4(packet);

        if (inner.proto == IPPROTO_TCP
            && (too_long || (mss && TCP_FLAGS(tcp->tcp_ctl) & TCP_CWR))) {
            *dropp = stt_split_tcp(packet, &inner, max_inner, frames);
            return *dropp != STT_TX_OK;
        }
        dp_packet_batch_init_packet(&parts, packet);
    } else {
        dp_packet_batch_init(&parts);
        if (!dp_packet_finish(packet, &parts)) {
            COVERAGE_INC(stt_tx_bad_offload);
            dp_packet_delete(packet);
            *dropp = STT_TX_DROP_BAD_OFFLOAD;
            n_drops++;
        }
    }

    DP_PACKET_BATCH_FOR_EACH (i, packet, &parts) {
        if (dp_packet_size(packet) > max_cut_frame - STT_HEADER_LEN) {
            COVERAGE_INC(stt_tx_too_long);
            dp_packet_delete(packet);
            *dropp = STT_TX_DROP_TOO_LONG;
            n_drops++;
        } else {
            dp_packet_batch_add(frames, packet);
        }
    }
    dp_packet_batch_destroy(&parts);
    return n_drops;
}

/* Initializes '*ol' with what the STT header must say about 'packet', which
 * must come from stt_split(), and brings 'packet' into the matching state: the
 * IPv4 header checksum is complete and, with STT_F_CSUM_PARTIAL, the L4
 * checksum field holds the sum of the pseudo-header with the full L4 length,
 * not inverted (draft-davie-stt-08 section 3.1).  OVS itself leaves that
 * field undefined. */
void
stt_describe(struct dp_packet *packet, struct stt_offload *ol)
{
    uint16_t mss = dp_packet_get_tso_segsz(packet);
    struct stt_inner inner;
    bool is_ipv4;
    ovs_be16 sum;
    void *l4;

    memset(ol, 0, sizeof *ol);

    if (dp_packet_ip_checksum_partial(packet)
        && packet->l3_ofs + IP_HEADER_LEN <= dp_packet_size(packet)
        && (!dp_packet_l4(packet)
            || packet->l4_ofs <= dp_packet_size(packet))) {
        /* Otherwise, the packet was truncated before the header ends. */
        dp_packet_ip_set_header_csum(packet, false);
    }

    if (!mss && !dp_packet_l4_checksum_partial(packet)) {
        if (dp_packet_l4_checksum_good(packet)
            && !stt_parse_inner(dp_packet_data(packet),
                                dp_packet_size(packet), &inner)
            && stt_has_l4_csum(dp_packet_data(packet), &inner)) {
            ol->flags = STT_F_CSUM_VERIFIED;
        }
        return;
    }

    stt_trim_padding(packet);
    l4 = dp_packet_l4(packet);
    is_ipv4 = IP_VER(*(uint8_t *) dp_packet_l3(packet)) == 4;
    if (is_ipv4) {
        sum = ~csum_finish(packet_csum_pseudoheader(dp_packet_l3(packet)));
    } else {
        sum = ~csum_finish(packet_csum_pseudoheader6(dp_packet_l3(packet)));
    }

    if (mss || dp_packet_l4_proto_tcp(packet)) {
        struct tcp_header *tcp = l4;

        tcp->tcp_csum = sum;
        ol->flags = STT_F_TCP;
        if (dp_packet_get_tcp_payload_length(packet) > mss) {
            ol->mss = mss;
        }
    } else {
        struct udp_header *udp = l4;

        if (!udp->udp_csum) {
            /* The sender wants no checksum. */
            return;
        }
        udp->udp_csum = sum;
    }
    ol->flags |= STT_F_CSUM_PARTIAL | (is_ipv4 ? STT_F_IPV4 : 0);
    ol->l4_offset = packet->l4_ofs;
}

/* Writes those fields of the TCP-like header 'tcp' and the STT header 'stt'
 * that differ from frame to frame.  All others, the context ID and the
 * destination port among them, must be there already, or zero.
 *
 * 'frame_len' is the length of the STT frame, in host byte order.  The headers
 * become those of the unsegmented frame, with the flags of its last segment,
 * just as TSO wants them (draft-davie-stt-08 section 3.2).  The checksum is
 * left zero. */
void
stt_fill_headers(struct tcp_header *tcp, struct stt_header *stt,
                 uint16_t frame_len, ovs_be16 src_port, ovs_be32 packet_id,
                 ovs_be16 vlan_tci, const struct stt_offload *ol)
{
    tcp->tcp_src = src_port;
    put_16aligned_be32(&tcp->tcp_seq, htonl((uint32_t) frame_len << 16));
    put_16aligned_be32(&tcp->tcp_ack, packet_id);
    tcp->tcp_ctl = TCP_CTL(TCP_ACK | TCP_PSH, TCP_HEADER_LEN / 4);
    tcp->tcp_winsz = OVS_BE16_MAX;
    tcp->tcp_csum = 0;
    tcp->tcp_urg = 0;

    stt->version = STT_VERSION;
    stt->flags = ol->flags;
    stt->l4_offset = ol->l4_offset;
    stt->mss = htons(ol->mss);
    stt->vlan_tci = vlan_tci;
}

/* Returns the next packet ID of 'space' for the thread that has 'range'.
 *
 * A thread that sends little could keep its block until all the others have
 * been handed out and it is the turn of this one again.  So a block that has
 * got old is given up. */
uint32_t
stt_next_packet_id(struct stt_id_space *space, struct stt_id_range *range)
{
    const uint32_t max_age = (UINT32_MAX / STT_ID_BLOCK + 1) / 2;

    if (!range->n_left
        || atomic_count_get(&space->n_blocks) - range->block > max_age) {
        range->block = atomic_count_inc(&space->n_blocks);
        range->n_left = STT_ID_BLOCK;
    }
    return (space->first + range->block * STT_ID_BLOCK
            + (STT_ID_BLOCK - range->n_left--));
}

/* Receiving. */

/* Initializes '*seg' from the TCP-like header at 'tcp', which is followed by
 * its payload, 'l4_len' bytes altogether according to the IP header, not the
 * size of the Ethernet frame, which may be padded.
 *
 * Returns STT_OK, or why the segment must be dropped; '*seg' is then
 * indeterminate.  The checksum is not looked at: see stt_outer_csum_ok().
 * Window, urgent pointer, PSH and ECN bits are ignored as the draft demands;
 * SYN, FIN, RST and URG never come from STT. */
enum stt_drop
stt_parse_segment(const struct tcp_header *tcp, size_t l4_len,
                  struct stt_segment *seg)
{
    uint32_t seq;

    if (l4_len < TCP_HEADER_LEN) {
        return STT_DROP_TRUNCATED;
    }
    if (TCP_OFFSET(tcp->tcp_ctl) * 4 != TCP_HEADER_LEN) {
        return STT_DROP_DATA_OFFSET;
    }
    if (TCP_FLAGS(tcp->tcp_ctl) & (TCP_SYN | TCP_FIN | TCP_RST | TCP_URG)) {
        return STT_DROP_TCP_FLAGS;
    }
    if (l4_len == TCP_HEADER_LEN) {
        return STT_DROP_EMPTY;
    }

    seq = ntohl(get_16aligned_be32(&tcp->tcp_seq));
    seg->packet_id = get_16aligned_be32(&tcp->tcp_ack);
    seg->src_port = tcp->tcp_src;
    seg->dst_port = tcp->tcp_dst;
    seg->frame_len = seq >> 16;
    seg->offset = seq;
    seg->data = tcp + 1;
    l4_len -= TCP_HEADER_LEN;

    if (seg->frame_len < STT_MIN_FRAME) {
        return STT_DROP_FRAME_LEN;
    }
    if (seg->offset + l4_len > seg->frame_len) {
        return STT_DROP_BEYOND_FRAME;
    }
    seg->len = l4_len;
    if (!seg->offset && *(const uint8_t *) seg->data != STT_VERSION) {
        return STT_DROP_VERSION;
    }
    return STT_OK;
}

/* Returns true if the outer TCP checksum of 'packet' is right or, according to
 * the packet's own marks, was verified or is still to be computed by somebody
 * on this host.  Notes the result in 'packet'.
 *
 * The packet's L3 and L4 offsets must be set, without IP options or extension
 * headers, and its L4 part must have 'l4_len' bytes. */
bool
stt_outer_csum_ok(struct dp_packet *packet, size_t l4_len)
{
    uint32_t sum;

    if (!dp_packet_l4_checksum_unknown(packet)) {
        return !dp_packet_l4_checksum_bad(packet);
    }

    if (IP_VER(*(uint8_t *) dp_packet_l3(packet)) == 4) {
        sum = packet_csum_pseudoheader(dp_packet_l3(packet));
    } else {
        sum = packet_csum_pseudoheader6(dp_packet_l3(packet));
    }
    if (csum_finish(csum_continue(sum, dp_packet_l4(packet), l4_len))) {
        dp_packet_l4_checksum_set_bad(packet);
        return false;
    }
    dp_packet_l4_checksum_set_good(packet);
    return true;
}

/* Restores the state "checksum partial", and TSO if 'mss' is nonzero, of
 * 'packet', whose STT header had 'flags' with STT_F_CSUM_PARTIAL, 'l4_offset'
 * and 'mss', provided that all this describes the packet truthfully: the
 * assertions of dp_packet_ol_send_prepare() and GSO downstream trust it.
 *
 * Returns STT_OK or why the packet must be dropped. */
static enum stt_drop
stt_restore_partial(struct dp_packet *packet, uint8_t flags,
                    uint8_t l4_offset, uint16_t mss)
{
    char *frame = dp_packet_data(packet);
    size_t hdr_len, payload_len;
    struct stt_inner inner;
    enum stt_drop drop;
    ovs_be16 *csump;
    void *l3, *l4;

    drop = stt_parse_inner(frame, dp_packet_size(packet), &inner);
    if (drop) {
        return drop;
    }
    if (inner.is_fragment) {
        return STT_DROP_INNER_FRAG;
    }
    if (inner.is_ipv4 != !!(flags & STT_F_IPV4)
        || inner.proto != (flags & STT_F_TCP ? IPPROTO_TCP : IPPROTO_UDP)) {
        return STT_DROP_L4_PROTO;
    }
    if (inner.l4_ofs != l4_offset) {
        return STT_DROP_L4_OFFSET;
    }

    l3 = frame + inner.l3_ofs;
    l4 = frame + inner.l4_ofs;
    if (flags & STT_F_TCP) {
        struct tcp_header *tcp = l4;

        hdr_len = stt_inner_tcp_hdr_len(frame, &inner);
        if (!hdr_len) {
            return STT_DROP_INNER_LEN;
        }
        csump = &tcp->tcp_csum;
    } else {
        struct udp_header *udp = l4;

        hdr_len = UDP_HEADER_LEN;
        if (inner.l4_len < hdr_len || ntohs(udp->udp_len) != inner.l4_len) {
            return STT_DROP_INNER_LEN;
        }
        if (mss) {
            return STT_DROP_MSS;
        }
        csump = &udp->udp_csum;
    }

    payload_len = inner.l4_len - hdr_len;
    if (mss >= payload_len) {
        mss = 0;
    } else if (mss && mss < STT_MIN_INNER_MSS) {
        return STT_DROP_MSS;
    }

    /* Padding must not become TCP payload or part of a checksum. */
    dp_packet_set_size(packet, inner.l4_ofs + inner.l4_len);
    packet->l3_ofs = inner.l3_ofs;
    packet->l4_ofs = inner.l4_ofs;
    if (flags & STT_F_TCP) {
        dp_packet_l4_proto_set_tcp(packet);
    } else {
        dp_packet_l4_proto_set_udp(packet);
    }

    /* Peers have been seen to send a pseudo-header sum without the length, so
     * compute it here instead of trusting it. */
    *csump = ~csum_finish(inner.is_ipv4
                          ? packet_csum_pseudoheader(l3)
                          : packet_csum_pseudoheader6(l3));
    dp_packet_l4_checksum_set_partial(packet);
    dp_packet_set_tso_segsz(packet, mss);
    return STT_OK;
}

/* Turns 'packet', whose data must be one whole STT frame from the STT header
 * to the last byte of the inner frame, into the inner frame: strips the
 * header, puts the VLAN tag back and restores the checksum and TSO state of
 * the inner packet after validating everything that the header claims about
 * it.  No offload mark of the outer packet survives.  Stores the context ID
 * in '*context_id'.
 *
 * The packet's metadata is not touched.  Its layer offsets are set only if it
 * has an offload to wait for.  It must then pass through stt_deliver().
 *
 * Returns STT_OK, or why 'packet' must be dropped, which is up to the caller:
 * delivering a packet with half a checksum would help nobody. */
enum stt_drop
stt_pop_frame(struct dp_packet *packet, ovs_be64 *context_id)
{
    struct stt_header stt;
    struct stt_inner inner;
    enum stt_drop drop;

    if (dp_packet_size(packet) < STT_MIN_FRAME) {
        return STT_DROP_FRAME_LEN;
    }
    dp_packet_set_l2_pad_size(packet, 0);
    memcpy(&stt, dp_packet_pull(packet, sizeof stt), sizeof stt);
    if (stt.version != STT_VERSION) {
        return STT_DROP_VERSION;
    }

    packet->packet_type = htonl(PT_ETH);
    dp_packet_reset_offsets(packet);
    dp_packet_reset_offload(packet);
    dp_packet_set_tso_segsz(packet, 0);

    /* "Verified" and "partial" exclude each other, but if a peer sets both,
     * the safe reading is that the checksum is yet to be computed. */
    if (stt.flags & STT_F_CSUM_PARTIAL) {
        drop = stt_restore_partial(packet, stt.flags, stt.l4_offset,
                                   ntohs(stt.mss));
        if (drop) {
            return drop;
        }
    } else if (stt.flags & STT_F_CSUM_VERIFIED
               && !stt_parse_inner(dp_packet_data(packet),
                                   dp_packet_size(packet), &inner)
               && stt_has_l4_csum(dp_packet_data(packet), &inner)) {
        dp_packet_l4_checksum_set_good(packet);
    }

    if (stt.vlan_tci & STT_VLAN_PRESENT) {
        eth_push_vlan(packet, htons(ETH_TYPE_VLAN_8021Q), stt.vlan_tci);
    }

    *context_id = stt_get_context_id(&stt);
    return STT_OK;
}

/* Adds 'packet', which stt_pop_frame() has made and whose metadata is valid,
 * to 'out' in a state that the rest of OVS can handle.  If 'tso' is false, TSO
 * packets are segmented, and those longer than 'max_len' bytes are divided;
 * the parts get the same metadata.  If OVS would not find the headers that an
 * offload is about, since there are more VLAN tags than it parses, or would
 * complete the checksum with the wrong protocol, since there are IPv6
 * extension headers, the offload is finished here.
 *
 * Returns STT_OK and takes ownership of 'packet', or returns the reason why
 * 'packet' must be dropped, which is up to the caller. */
enum stt_drop
stt_deliver(struct dp_packet *packet, bool tso, size_t max_len,
            struct dp_packet_batch *out)
{
    bool too_long = dp_packet_size(packet) > max_len;
    uint16_t l3_ofs = packet->l3_ofs;
    uint16_t l4_ofs = packet->l4_ofs;
    struct dp_packet_batch parts;
    struct stt_inner inner;
    struct dp_packet *part;
    bool finish;

    if (too_long
        && (!dp_packet_get_tso_segsz(packet)
            || l4_ofs + 15 * 4 + dp_packet_get_tso_segsz(packet) > max_len)) {
        /* Even its segments would be too long, with a maximal TCP header. */
        return STT_DROP_TOO_LONG;
    }
    if (!dp_packet_l4_checksum_partial(packet)) {
        dp_packet_batch_add(out, packet);
        return STT_OK;
    }

    parse_tcp_flags(packet, NULL, NULL, NULL);
    finish = packet->l3_ofs != l3_ofs || packet->l4_ofs != l4_ofs;
    packet->l3_ofs = l3_ofs;
    packet->l4_ofs = l4_ofs;
    finish |= (IP_VER(*(uint8_t *) dp_packet_l3(packet)) == 6
               && l4_ofs - l3_ofs != IPV6_HEADER_LEN);

    if (dp_packet_get_tso_segsz(packet) && (finish || !tso)) {
        dp_packet_batch_init_packet(&parts, packet);
        dp_packet_gso_batch(&parts);
    } else if (too_long) {
        dp_packet_batch_init(&parts);
        if (stt_parse_inner(dp_packet_data(packet), dp_packet_size(packet),
                            &inner)) {
            /* Not possible, since stt_pop_frame() has succeeded. */
            return STT_DROP_TOO_LONG;
        }
        stt_split_tcp(packet, &inner, max_len, &parts);
    } else {
        dp_packet_batch_init_packet(&parts, packet);
    }
    DP_PACKET_BATCH_FOR_EACH (i, part, &parts) {
        if (part != packet) {
            part->md = packet->md;
        }
        if (finish) {
            dp_packet_finish_csums(part);
        }
        dp_packet_batch_add(out, part);
    }
    dp_packet_batch_destroy(&parts);
    return STT_OK;
}

/* Deletes the packets of 'batch' that are longer than 'max_len' bytes.  Ports
 * with buffers of a fixed size need this, since a tunnel may deliver frames
 * longer than any MTU.  Returns the number of packets deleted. */
size_t
stt_drop_longer(struct dp_packet_batch *batch, size_t max_len)
{
    size_t i, size = dp_packet_batch_size(batch);
    struct dp_packet *packet;

    DP_PACKET_BATCH_REFILL_FOR_EACH (i, size, packet, batch) {
        if (OVS_LIKELY(dp_packet_size(packet) <= max_len)) {
            dp_packet_batch_add(batch, packet);
        } else {
            dp_packet_delete(packet);
        }
    }
    return size - dp_packet_batch_size(batch);
}
