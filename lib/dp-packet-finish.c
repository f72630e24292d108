/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "dp-packet-finish.h"

#include <netinet/in.h>

#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "packets.h"
#include "stt.h"

/* Writes the L4 checksum of the TCP or UDP packet over IPv6 that 'inner', from
 * stt_parse_inner(), describes in 'frame'.  Unlike packet_tcp_complete_csum()
 * and packet_udp_complete_csum(), which take the type of the first extension
 * header for that of the payload, it minds extension headers.
 *
 * Returns false if there is no such checksum. */
static bool
complete_csum6(char *frame, const struct stt_inner *inner)
{
    struct ovs_16aligned_ip6_hdr *ip6
        = ALIGNED_CAST(struct ovs_16aligned_ip6_hdr *, frame + inner->l3_ofs);
    void *l4 = frame + inner->l4_ofs;
    ovs_be16 *csump;

    if (inner->proto == IPPROTO_TCP && inner->l4_len >= TCP_HEADER_LEN) {
        csump = &((struct tcp_header *) l4)->tcp_csum;
    } else if (inner->proto == IPPROTO_UDP
               && inner->l4_len >= UDP_HEADER_LEN) {
        csump = &((struct udp_header *) l4)->udp_csum;
    } else {
        return false;
    }

    *csump = 0;
    *csump = packet_csum_upperlayer6(ip6, l4, inner->proto, inner->l4_len);
    if (!*csump && inner->proto == IPPROTO_UDP) {
        *csump = htons(0xffff);
    }
    return true;
}

/* Writes whatever checksums 'packet' still lacks.  Afterward its L4 checksum
 * counts as unknown, so that a tunnel header says nothing about it.  Its
 * headers must be known and complete: see dp_packet_offload_recover().
 *
 * Only for the thread that owns 'packet'. */
void
dp_packet_finish_csums(struct dp_packet *packet)
{
    struct stt_inner inner;

    if (dp_packet_l4_checksum_partial(packet) && !dp_packet_tunnel(packet)
        && !stt_parse_inner(dp_packet_data(packet), dp_packet_size(packet),
                            &inner)
        && inner.has_exts && inner.l4_ofs == packet->l4_ofs
        && complete_csum6(dp_packet_data(packet), &inner)) {
        dp_packet_l4_checksum_set_good(packet);
    }

    dp_packet_ol_send_prepare(packet, 0);
    dp_packet_l4_checksum_set_unknown(packet);
}

/* Returns true if 'packet' is a packet in a tunnel of Open vSwitch, and it is
 * what the tunnel carries that waits for an offload.  If only the outer
 * headers do, the tunnel may carry anything: ARP, for instance. */
static bool
waits_within(const struct dp_packet *packet)
{
    return (dp_packet_tunnel(packet)
            && (dp_packet_inner_ip_checksum_partial(packet)
                || dp_packet_inner_l4_checksum_partial(packet)
                || dp_packet_get_tso_segsz(packet)));
}

/* Returns true if somebody can do for 'packet' what it waits for.  A guest may
 * ask for TSO of anything, and actions may have hidden the headers that an
 * offload is about: below MPLS labels, for instance, OVS sees no L4. */
static bool
can_finish(const struct dp_packet *packet)
{
    bool partial = dp_packet_l4_checksum_partial(packet);

    if (waits_within(packet)) {
        return (dp_packet_l4(packet) && dp_packet_l3(packet)
                && dp_packet_inner_l4(packet) && dp_packet_inner_l3(packet));
    } else if (partial || dp_packet_get_tso_segsz(packet)) {
        return (dp_packet_l4(packet) && dp_packet_l3(packet)
                && (!partial
                    || (packet->offloads & DP_PACKET_OL_L4_PROTO_MASK) != 0));
    } else {
        return true;
    }
}

/* Returns true if 'packet', which can_finish(), ends before the L4 header
 * that an offload is about: an action has truncated it, for a mirror say. */
static bool
is_truncated(const struct dp_packet *packet)
{
    bool within = waits_within(packet);
    size_t ofs = within ? packet->inner_l4_ofs : packet->l4_ofs;
    size_t len = dp_packet_size(packet);

    if (!within && !dp_packet_l4_checksum_partial(packet)
        && !dp_packet_get_tso_segsz(packet)) {
        return false;
    }
    if (within ? dp_packet_inner_l4_proto_tcp(packet)
        : dp_packet_l4_proto_tcp(packet)) {
        const struct tcp_header *tcp;

        if (ofs + TCP_HEADER_LEN > len) {
            return true;
        }
        tcp = ALIGNED_CAST(const struct tcp_header *,
                           (const char *) dp_packet_data(packet) + ofs);
        return ofs + TCP_OFFSET(tcp->tcp_ctl) * 4 > len;
    }
    return ofs + UDP_HEADER_LEN > len;
}

/* Takes the marks of offloads from 'packet', which is_truncated(), but for
 * that of the IP checksum. */
static void
strip_offload(struct dp_packet *packet)
{
    bool ip_partial = dp_packet_ip_checksum_partial(packet);

    dp_packet_reset_offload(packet);
    dp_packet_set_tso_segsz(packet, 0);
    if (ip_partial) {
        dp_packet_ip_checksum_set_partial(packet);
    }
}

/* Looks for the headers that the offloads which 'packet' waits for are about,
 * unless they are known.  They may be behind more VLAN tags than OVS takes the
 * trouble to parse.  Returns what can_finish() does then. */
static bool
find_headers(struct dp_packet *packet)
{
    struct stt_inner inner;

    if (can_finish(packet)) {
        return true;
    }
    if (!dp_packet_is_eth(packet) || dp_packet_tunnel(packet)
        || stt_parse_inner(dp_packet_data(packet), dp_packet_size(packet),
                           &inner)
        || inner.is_fragment) {
        return false;
    }
    if (!(packet->offloads & DP_PACKET_OL_L4_PROTO_MASK)) {
        if (inner.proto == IPPROTO_TCP) {
            dp_packet_l4_proto_set_tcp(packet);
        } else if (inner.proto == IPPROTO_UDP) {
            dp_packet_l4_proto_set_udp(packet);
        } else if (inner.proto == IPPROTO_SCTP) {
            dp_packet_l4_proto_set_sctp(packet);
        }
    }
    if (inner.proto == (dp_packet_l4_proto_tcp(packet) ? IPPROTO_TCP
                        : dp_packet_l4_proto_udp(packet) ? IPPROTO_UDP
                        : IPPROTO_SCTP)) {
        packet->l3_ofs = inner.l3_ofs;
        packet->l4_ofs = inner.l4_ofs;
    }
    return can_finish(packet);
}

/* Returns true if 'packet' waits for an offload that nobody can do as things
 * are: Open vSwitch doesn't know where the headers are that it is about, or
 * they have been cut off.  Upstream takes for granted that there is no such
 * packet, and fails assertions about it.
 *
 * Only for the thread that owns 'packet'. */
bool
dp_packet_offload_is_lost(const struct dp_packet *packet)
{
    return !can_finish(packet) || is_truncated(packet);
}

/* Does what it takes for 'packet' not to be lost in the sense of
 * dp_packet_offload_is_lost() any more, and returns true.  What is left of a
 * truncated packet waits for nothing but perhaps its IP checksum then.
 *
 * Returns false, and leaves 'packet' to the caller, if there is no way.  Only
 * for the thread that owns 'packet'. */
bool
dp_packet_offload_recover(struct dp_packet *packet)
{
    if (!find_headers(packet)) {
        return false;
    }
    if (is_truncated(packet)) {
        strip_offload(packet);
    }
    return true;
}

/* Does in software what 'packet' waits for, and adds the result to 'out': one
 * packet, or its segments if it was a TSO packet, with complete checksums.
 * What is left of a truncated packet is sent as it is.  Takes ownership of
 * 'packet'.
 *
 * Returns false if it can't be done, and then leaves 'packet' to the caller.
 * Only for the thread that owns 'packet'. */
bool
dp_packet_finish(struct dp_packet *packet, struct dp_packet_batch *out)
{
    struct dp_packet_batch parts;
    struct dp_packet *part;

    if (!find_headers(packet)) {
        return false;
    }
    if (is_truncated(packet)) {
        strip_offload(packet);
        dp_packet_batch_add(out, packet);
        return true;
    }
    dp_packet_batch_init_packet(&parts, packet);
    if (dp_packet_get_tso_segsz(packet)
        && (dp_packet_tunnel(packet) || dp_packet_l4_proto_tcp(packet))) {
        /* GSO takes padding for a part of each segment. */
        dp_packet_set_size(packet, (dp_packet_size(packet)
                                    - dp_packet_l2_pad_size(packet)));
        dp_packet_set_l2_pad_size(packet, 0);
        dp_packet_gso_batch(&parts);
    }
    DP_PACKET_BATCH_FOR_EACH (i, part, &parts) {
        dp_packet_finish_csums(part);
        dp_packet_set_tso_segsz(part, 0);
        dp_packet_batch_add(out, part);
    }
    dp_packet_batch_destroy(&parts);
    return true;
}
