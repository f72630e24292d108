/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of stt_split().  Each command is one test; see tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <netinet/in.h>
#include <string.h>

#include "csum.h"
#include "dp-packet.h"
#include "ovstest.h"
#include "packets.h"
#include "test-stt.h"
#include "unaligned.h"
#include "util.h"

/* Splits the TCP packet that 'spec' describes and checks all of the frames:
 * as few as possible, payload complete and in order, each but the last a
 * multiple of 'mss' (if not 0), TCP and IP headers as those of an unsplit
 * packet would be after TSO. */
static void
check_split_tcp(const struct inner_spec *spec, uint16_t mss, size_t max_frame)
{
    struct dp_packet *p = build_partial(spec, mss);
    size_t hdr_len = (p->l4_ofs + TCP_HEADER_LEN + spec->tcp_opts);
    size_t chunk = max_frame - STT_HEADER_LEN - hdr_len;
    bool cwr = (spec->tcp_flags & TCP_CWR) != 0;
    size_t step = mss && mss <= chunk ? mss : chunk;
    struct dp_packet_batch frames;
    size_t n_frames, done = 0;
    struct dp_packet *frame;

    chunk = cwr && mss ? step : chunk / step * step;
    if (!mss && hdr_len + spec->payload <= max_frame - STT_HEADER_LEN) {
        chunk = MAX(spec->payload, 1);
    }
    n_frames = DIV_ROUND_UP(MAX(spec->payload, 1), chunk);
    if (!cwr && hdr_len + spec->payload <= max_frame - STT_HEADER_LEN) {
        /* It may be longer than a multiple of the MSS. */
        n_frames = 1;
    }

    split(p, max_frame, 0, n_frames, &frames);
    DP_PACKET_BATCH_FOR_EACH (i, frame, &frames) {
        bool last = i == n_frames - 1;
        struct tcp_header *tcp = tcp_of(frame);
        const uint8_t *data = dp_packet_get_tcp_payload(frame);
        size_t len = dp_packet_get_tcp_payload_length(frame);

        CHECK_EQ(dp_packet_l2_pad_size(frame), last && !i ? spec->padding : 0);
        CHECK_EQ(data - (const uint8_t *) dp_packet_data(frame), hdr_len);
        if (!last) {
            CHECK_EQ(len, chunk);
        }
        for (size_t j = 0; j < len; j++) {
            CHECK_EQ(data[j], payload_byte(done + j));
        }

        CHECK_EQ(ntohl(get_16aligned_be32(&tcp->tcp_seq)),
                 (uint32_t) (SEQ + done));
        CHECK_EQ(TCP_FLAGS(tcp->tcp_ctl),
                 TCP_ACK
                 | (spec->tcp_flags & ~(TCP_PSH | TCP_FIN | TCP_CWR))
                 | (last ? spec->tcp_flags & (TCP_PSH | TCP_FIN) : 0)
                 | (!i ? spec->tcp_flags & TCP_CWR : 0));
        if (!spec->ipv6) {
            struct ip_header *ip = dp_packet_l3(frame);

            CHECK_EQ(ntohs(ip->ip_id),
                     (uint16_t) (IP_ID + (mss && mss <= chunk ? done / mss
                                          : i)));
        }
        CHECK(dp_packet_l4_proto_tcp(frame));
        CHECK(dp_packet_l4_checksum_partial(frame));
        CHECK_EQ(dp_packet_get_tso_segsz(frame),
                 mss && mss <= chunk && (n_frames == 1 || len > mss)
                 && !(cwr && mss) ? mss : 0);
        done += len;

        dp_packet_set_tso_segsz(frame, 0);
        if (!spec->padding || n_frames > 1) {
            finish_and_check_l4(frame, IPPROTO_TCP);
        }
    }
    CHECK_EQ(done, spec->payload);
    dp_packet_delete_batch(&frames, true);
    dp_packet_batch_destroy(&frames);
}

static void
test_split_tso(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        size_t max_frame = ipv6 ? STT_MAX_FRAME_IPV6 : STT_MAX_FRAME_IPV4;
        size_t hdr_len = 14 + (ipv6 ? 40 : 20) + 20;
        size_t max_payload = max_frame - STT_HEADER_LEN - hdr_len;

        CHECK_EQ(max_frame - STT_HEADER_LEN, ipv6 ? 65497 : 65477);

        /* Up to exactly the limit a packet is left alone, whatever its
         * flags. */
        for (size_t payload = max_payload - 2; payload < max_payload + 3;
             payload++) {
            check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                                 .payload = payload,
                                 .tcp_flags = TCP_PSH | TCP_FIN),
                            1448, max_frame);
        }

        /* The last frame may be a single segment or a byte. */
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 6 * 1448, .tcp_flags = TCP_PSH),
                        1448, stt_max_frame(ipv6, 64));
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 5 * 1448 + 1,
                             .tcp_flags = TCP_PSH), 1448,
                        STT_HEADER_LEN + hdr_len + 5 * 1448);
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = max_payload + 1), max_payload,
                        max_frame);

        /* TCP options, VLAN tag and IPv4 options in front. */
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 65400, .tcp_opts = 12,
                             .opts = ipv6 ? 0 : 20,
                             .tags = { TAG(0x88a8, 5) }), 536, max_frame);

        /* Many small frames, as with a small underlay MTU, and a segment
         * larger than a frame. */
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 60000, .tcp_flags = TCP_PSH | TCP_ECE,
                             .ecn = IP_ECN_ECT_0), 1400,
                        stt_max_frame(ipv6, 64));
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 60000), 9000,
                        stt_max_frame(ipv6, 64));
    }

    /* All that a guest can send: two frames. */
    check_split_tcp(SPEC(.proto = IPPROTO_TCP, .payload = 65495), 1460,
                    STT_MAX_FRAME_IPV4);
    check_split_tcp(SPEC(.proto = IPPROTO_TCP, .payload = 65476, .ipv6 = true),
                    1440, STT_MAX_FRAME_IPV4);
    check_split_tcp(SPEC(.proto = IPPROTO_TCP, .payload = 65515, .ipv6 = true),
                    1440, STT_MAX_FRAME_IPV6);
}

static void
test_split_guest_packet(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct dp_packet_batch frames;
    struct dp_packet *p;

    p = build_partial(SPEC(.proto = IPPROTO_TCP, .ipv6 = true,
                           .payload = 65476), 1440);
    CHECK_EQ(dp_packet_size(p), 65550);
    split(p, STT_MAX_FRAME_IPV4, 0, 2, &frames);
    CHECK_EQ(dp_packet_size(frames.packets[0]), 74 + 45 * 1440);
    CHECK_EQ(dp_packet_get_tso_segsz(frames.packets[0]), 1440);
    CHECK_EQ(dp_packet_size(frames.packets[1]), 74 + 676);
    CHECK_EQ(dp_packet_get_tso_segsz(frames.packets[1]), 0);
    dp_packet_delete_batch(&frames, true);
    dp_packet_batch_destroy(&frames);
}

static void
test_split_cwr(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 5000,
                             .tcp_flags = TCP_CWR | TCP_PSH,
                             .ecn = IP_ECN_ECT_0), 1000, STT_MAX_FRAME_IPV4);
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 5001,
                             .tcp_flags = TCP_CWR | TCP_FIN | TCP_ECE), 1000,
                        STT_MAX_FRAME_IPV4);
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 999, .tcp_flags = TCP_CWR), 1000,
                        STT_MAX_FRAME_IPV4);
        /* No TSO, nothing to segment. */
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 5000,
                             .tcp_flags = TCP_CWR | TCP_PSH), 0,
                        STT_MAX_FRAME_IPV4);
    }
}

static void
test_split_tcp_too_long(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* A TCP packet too long for a frame that nobody was asked to segment. */
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (size_t payload = 925; payload < 945; payload++) {
            check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                                 .payload = payload,
                                 .tcp_flags = TCP_PSH | TCP_CWR),
                            0, ipv6 ? 1020 : 1000);
        }
        check_split_tcp(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                             .payload = 65400, .tcp_flags = TCP_FIN),
                        0, stt_max_frame(ipv6, 100));
    }

    /* No less so if its checksum is complete already, but not if it is wrong:
     * the parts would have right ones. */
    for (int state = 0; state < 4; state++) {
        struct dp_packet *p = build_inner(SPEC(.proto = IPPROTO_TCP,
                                               .payload = 2000));
        bool good = state < 2;
        struct dp_packet_batch frames;
        struct dp_packet *frame;

        if (state == 0) {
            dp_packet_l4_checksum_set_good(p);
        } else if (state == 2) {
            dp_packet_l4_checksum_set_bad(p);
        } else if (state == 3) {
            ((uint8_t *) dp_packet_l4(p))[16]++;
        }
        split(p, 1000, !good, good ? 3 : 0, &frames);
        DP_PACKET_BATCH_FOR_EACH (i, frame, &frames) {
            finish_and_check_l4(frame, IPPROTO_TCP);
        }
        dp_packet_delete_batch(&frames, true);
        dp_packet_batch_destroy(&frames);
    }
}

/* Checks what becomes of a packet at the limit and a byte above, if it can't
 * be divided. */
static void
check_split_indivisible(struct inner_spec *spec, size_t max_frame)
{
    struct dp_packet_batch frames;
    struct dp_packet *p;

    p = build_partial(spec, 0);
    if (!spec->proto) {
        dp_packet_l4_checksum_set_unknown(p);
    }
    spec->payload += (max_frame - STT_HEADER_LEN) - dp_packet_size(p);
    dp_packet_delete(p);

    for (int over = 0; over < 2; over++, spec->payload++) {
        for (int state = 0; state < 3; state++) {
            p = build_inner(spec);
            if (state == 1) {
                dp_packet_l4_checksum_set_good(p);
            } else if (state == 2 && spec->proto
                       && spec->proto != IPPROTO_ICMP) {
                dp_packet_l4_checksum_set_partial(p);
            }
            split(p, max_frame, over, !over, &frames);
            dp_packet_delete_batch(&frames, true);
            dp_packet_batch_destroy(&frames);
        }
    }
}

static void
test_split_too_long(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint8_t protos[] = {
        0, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP
    };

    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        check_split_indivisible(TINY(.proto = protos[i]), STT_MAX_FRAME_IPV4);
        check_split_indivisible(TINY(.proto = protos[i]), 1000);
        if (protos[i] != IPPROTO_ICMP) {
            check_split_indivisible(TINY(.proto = protos[i], .ipv6 = true),
                                    STT_MAX_FRAME_IPV6);
        }
    }

    /* TCP fragments, and a TCP header that fills the frame already. */
    check_split_indivisible(TINY(.proto = IPPROTO_TCP,
                                 .frag = htons(IP_MORE_FRAGMENTS)), 1000);
    {
        struct dp_packet_batch frames;

        for (size_t max_inner = 54; max_inner < 56; max_inner++) {
            bool fits = max_inner > 54;

            split(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 3), 0),
                  STT_HEADER_LEN + max_inner, !fits, fits ? 3 : 0, &frames);
            dp_packet_delete_batch(&frames, true);
            dp_packet_batch_destroy(&frames);
        }
    }
}

/* Checks that what the STT header can't describe is finished in software, and
 * nothing said about it. */
static void
check_finished(struct dp_packet *p, uint8_t proto, size_t n_frames)
{
    struct dp_packet_batch frames;
    struct dp_packet *frame;

    split(p, STT_MAX_FRAME_IPV4, 0, n_frames, &frames);
    DP_PACKET_BATCH_FOR_EACH (i, frame, &frames) {
        struct stt_offload ol;

        CHECK(!dp_packet_l4_checksum_partial(frame));
        CHECK(!dp_packet_ip_checksum_partial(frame));
        CHECK_EQ(dp_packet_get_tso_segsz(frame), 0);
        check_ip(frame);
        if (proto) {
            CHECK(l4_csum_ok(dp_packet_l3(frame), dp_packet_l4(frame), proto,
                             dp_packet_size(frame) - frame->l4_ofs));
        }
        stt_describe(frame, &ol);
        CHECK_EQ(ol.flags, 0);
        CHECK_EQ(ol.l4_offset, 0);
        CHECK_EQ(ol.mss, 0);
    }
    dp_packet_delete_batch(&frames, true);
    dp_packet_batch_destroy(&frames);
}

static void
test_split_ipv6_exts(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t opts = 8; opts <= 512; opts *= 4) {
        check_finished(build_partial(TINY(.proto = IPPROTO_TCP, .ipv6 = true,
                                          .opts = opts), 0), IPPROTO_TCP, 1);
        check_finished(build_partial(TINY(.proto = IPPROTO_UDP, .ipv6 = true,
                                          .opts = opts), 0), IPPROTO_UDP, 1);
        check_finished(build_partial(SPEC(.proto = IPPROTO_TCP, .ipv6 = true,
                                          .payload = 3000, .opts = opts),
                                     1000), IPPROTO_TCP, 3);

        /* Segments have no padding. */
        check_finished(build_partial(SPEC(.proto = IPPROTO_TCP, .ipv6 = true,
                                          .payload = 3000, .opts = opts,
                                          .padding = 1500),
                                     1000), IPPROTO_TCP, 3);
    }
}

static void
test_split_undescribable(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct dp_packet *p;

    /* SCTP.  Its checksum is a CRC, which is checked here with OVS's own
     * function, since that is upstream's. */
    {
        struct dp_packet_batch frames;
        struct stt_offload ol;
        ovs_be32 crc;

        p = build_partial(SPEC(.proto = IPPROTO_SCTP, .payload = 1000), 0);
        CHECK(dp_packet_l4_proto_sctp(p));
        split(p, STT_MAX_FRAME_IPV4, 0, 1, &frames);
        p = frames.packets[0];
        memcpy(&crc, (char *) dp_packet_l4(p) + 8, sizeof crc);
        CHECK(crc != 0);
        CHECK(!dp_packet_l4_checksum_partial(p));
        packet_sctp_complete_csum(p, false);
        CHECK(!memcmp(&crc, (char *) dp_packet_l4(p) + 8, sizeof crc));
        dp_packet_l4_checksum_set_unknown(p);
        stt_describe(p, &ol);
        CHECK_EQ(ol.flags, 0);
        dp_packet_delete(p);
        dp_packet_batch_destroy(&frames);
    }

    /* L4 header within and beyond what 8 bits can tell. */
    p = build_partial(TINY(.proto = IPPROTO_UDP, .ipv6 = true, .opts = 200),
                      0);
    CHECK_EQ(p->l4_ofs, 254);
    check_finished(p, IPPROTO_UDP, 1);
    p = build_partial(TINY(.proto = IPPROTO_UDP, .ipv6 = true, .opts = 208),
                      0);
    CHECK_EQ(p->l4_ofs, 262);
    check_finished(p, IPPROTO_UDP, 1);

    /* A first fragment.  The checksum that somebody asked for covers what is
     * there. */
    check_finished(build_partial(TINY(.proto = IPPROTO_UDP,
                                      .frag = htons(IP_MORE_FRAGMENTS)), 0),
                   IPPROTO_UDP, 1);

    /* What a receiver would refuse: a tiny segment size, and lengths of IP and
     * UDP that disagree. */
    check_finished(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 470),
                                 47), IPPROTO_TCP, 10);
    p = build_partial(TINY(.proto = IPPROTO_UDP), 0);
    ((struct udp_header *) dp_packet_l4(p))->udp_len = htons(57);
    check_finished(p, IPPROTO_UDP, 1);

    /* What Open vSwitch has lost sight of, behind many tags say, is found
     * again.  What nobody can find, behind MPLS, nobody can finish. */
    for (int i = 0; i < 6; i++) {
        struct dp_packet_batch frames;

        p = build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 1000,
                               .tags = { TAG(0x8100, 7), TAG(0x8100, 8) }),
                          i % 3 ? 100 : 0);
        if (i % 3 < 2) {
            dp_packet_set_l4(p, NULL);
        } else {
            p->offloads &= ~DP_PACKET_OL_L4_PROTO_MASK;
            dp_packet_set_l3(p, NULL);
        }
        if (i < 3) {
            check_finished(p, IPPROTO_TCP, i ? 10 : 1);
        } else {
            memcpy((char *) dp_packet_data(p) + 2 * ETH_ADDR_LEN, "\x88\x47",
                   2);
            split(p, STT_MAX_FRAME_IPV4, 1, 0, &frames);
            dp_packet_batch_destroy(&frames);
        }
    }

    /* A guest may ask for TSO of what isn't TCP, even if its payload looks
     * like it.  This must neither be obeyed nor become an MSS. */
    for (size_t i = 0; i < 60; i++) {
        p = build_inner(SPEC(.proto = IPPROTO_ICMP, .payload = 1000 + i));
        memset((char *) dp_packet_l4(p) + 8, i * 4, 8);
        dp_packet_set_tso_segsz(p, 100);
        check_finished(p, 0, 1);

        p = build_inner(SPEC(.proto = IPPROTO_TCP, .payload = 1000,
                             .frag = htons(7)));
        memset((char *) dp_packet_l4(p) + 8, i * 4, 8);
        dp_packet_set_tso_segsz(p, 100);
        check_finished(p, 0, 1);

        p = build_partial(SPEC(.proto = IPPROTO_UDP, .payload = 1000), 100);
        memset((char *) dp_packet_l4(p) + 8, i * 4, 8);
        check_finished(p, IPPROTO_UDP, 1);
    }
}

static void
test_split_l4_offset(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* 48 VLAN tags put the header of UDP at offset 226, 57 at 262.  Both
     * packets have offsets, as if the datapath had parsed so many tags. */
    for (size_t n_tags = 55; n_tags < 58; n_tags++) {
        struct dp_packet *p = build_partial(TINY(.proto = IPPROTO_UDP), 0);
        size_t l4_ofs = 34 + n_tags * VLAN_HEADER_LEN;
        struct dp_packet_batch frames;
        struct stt_offload ol;

        for (size_t i = 0; i < n_tags; i++) {
            eth_push_vlan(p, htons(ETH_TYPE_VLAN_8021AD), htons(i));
        }
        CHECK_EQ(p->l4_ofs, l4_ofs);

        split(p, STT_MAX_FRAME_IPV4, 0, 1, &frames);
        p = frames.packets[0];
        stt_describe(p, &ol);
        CHECK_EQ(ol.l4_offset, l4_ofs <= 255 ? l4_ofs : 0);
        CHECK_EQ(ol.flags, l4_ofs <= 255
                 ? STT_F_CSUM_PARTIAL | STT_F_IPV4 : 0);
        CHECK_EQ(l4_csum_ok(dp_packet_l3(p), dp_packet_l4(p), IPPROTO_UDP,
                            dp_packet_size(p) - p->l4_ofs), l4_ofs > 255);
        dp_packet_delete(p);
        dp_packet_batch_destroy(&frames);
    }
}

/* Puts UDP and 'tnl_len' zeros, as if of a tunnel, in front of 'p', which
 * becomes an inner packet of OVS's own kind. */
static void
push_udp_tunnel(struct dp_packet *p, size_t tnl_len)
{
    size_t inner_l3_ofs = p->l3_ofs, inner_l4_ofs = p->l4_ofs;
    size_t len = dp_packet_size(p) + tnl_len;
    struct dp_packet *outer;
    size_t ofs;

    outer = build_inner(SPEC(.proto = IPPROTO_UDP, .payload = len));
    ofs = outer->l4_ofs + UDP_HEADER_LEN;
    dp_packet_push(p, dp_packet_data(outer), ofs + tnl_len);
    memset((char *) dp_packet_data(p) + ofs, 0, tnl_len);
    p->offloads <<= DP_PACKET_OL_SHIFT_COUNT;
    dp_packet_tunnel_set_vxlan(p);
    dp_packet_ip_checksum_set_partial(p);
    dp_packet_l4_proto_set_udp(p);
    dp_packet_l4_checksum_set_partial(p);
    p->l3_ofs = outer->l3_ofs;
    p->l4_ofs = outer->l4_ofs;
    p->inner_l3_ofs = ofs + tnl_len + inner_l3_ofs;
    p->inner_l4_ofs = ofs + tnl_len + inner_l4_ofs;
    dp_packet_delete(outer);
}

static void
test_split_tunnel(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int tso = 0; tso < 2; tso++) {
        struct dp_packet *p = build_partial(SPEC(.proto = IPPROTO_TCP,
                                                 .payload = 2500),
                                            tso ? 1000 : 0);
        size_t n_frames = tso ? 3 : 1;
        struct dp_packet_batch frames;
        struct dp_packet *frame;
        size_t done = 0;

        push_udp_tunnel(p, 8);
        split(p, STT_MAX_FRAME_IPV4, 0, n_frames, &frames);
        DP_PACKET_BATCH_FOR_EACH (i, frame, &frames) {
            struct stt_offload ol;
            const uint8_t *l3, *l4;
            size_t l4_len;

            /* Outer checksum, then the one of the packet in the tunnel. */
            check_ip(frame);
            CHECK(l4_csum_ok(dp_packet_l3(frame), dp_packet_l4(frame),
                             IPPROTO_UDP,
                             dp_packet_size(frame) - frame->l4_ofs));
            l3 = (uint8_t *) dp_packet_data(frame) + 50 + 14;
            l4 = l3 + IP_HEADER_LEN;
            CHECK_EQ(sum16(l3, IP_HEADER_LEN, 0), 0xffff);
            l4_len = (l3[2] << 8 | l3[3]) - IP_HEADER_LEN;
            CHECK(l4_csum_ok(l3, l4, IPPROTO_TCP, l4_len));
            CHECK_EQ(l4[TCP_HEADER_LEN], payload_byte(done));
            done += l4_len - TCP_HEADER_LEN;

            stt_describe(frame, &ol);
            CHECK_EQ(ol.flags, 0);
            CHECK_EQ(ol.mss, 0);
        }
        CHECK_EQ(done, 2500);
        dp_packet_delete_batch(&frames, true);
        dp_packet_batch_destroy(&frames);
    }
}

static void
test_split_cut(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* What can't be divided may be longer than one packet, if it will be cut
     * into segments right away; everything else is divided all the same. */
    for (int tcp = 0; tcp < 2; tcp++) {
        for (size_t len = STT_MAX_FRAME_IPV4; len <= 65550; len++) {
            struct dp_packet_batch frames;
            enum stt_tx_drop drop;
            struct dp_packet *p;
            size_t n, n_drops;

            p = build_partial(SPEC(.proto = tcp ? IPPROTO_TCP : IPPROTO_UDP,
                                   .payload = len - STT_HEADER_LEN
                                              - ETH_HEADER_LEN - IP_HEADER_LEN
                                              - (tcp ? TCP_HEADER_LEN
                                                 : UDP_HEADER_LEN)), 0);
            CHECK_EQ(dp_packet_size(p), len - STT_HEADER_LEN);
            dp_packet_batch_init(&frames);
            n_drops = stt_split(p, STT_MAX_FRAME_IPV4, STT_MAX_FRAME, &frames,
                                &drop);
            CHECK_EQ(drop, n_drops ? STT_TX_DROP_TOO_LONG : STT_TX_OK);
            n = dp_packet_batch_size(&frames);
            if (tcp) {
                CHECK_EQ(n_drops, 0);
                CHECK_EQ(n, len > STT_MAX_FRAME_IPV4 ? 2 : 1);
            } else {
                CHECK_EQ(n_drops, len > STT_MAX_FRAME);
                CHECK_EQ(n, len <= STT_MAX_FRAME);
            }
            dp_packet_delete_batch(&frames, true);
            dp_packet_batch_destroy(&frames);
        }
    }
    CHECK_EQ(stt_max_cut_frame(1460), STT_MAX_FRAME);
    CHECK_EQ(stt_max_cut_frame(64), 64 * STT_MAX_SEGMENTS);
}

static void
test_split_truncated(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* An action may cut off the headers that an offload is about. */
    static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        for (int variant = 0; variant < 16; variant++) {
            struct inner_spec *spec = SPEC(.proto = protos[i], .payload = 300,
                                           .ipv6 = variant & 1,
                                           .padding = variant & 2 ? 9 : 0);
            uint16_t mss = variant & 4 && protos[i] == IPPROTO_TCP ? 100 : 0;

            for (size_t len = 0; len < 400; len++) {
                struct dp_packet *p = build_partial(spec, mss);
                size_t l4_ofs = p->l4_ofs;
                struct dp_packet *frame;
                struct dp_packet_batch frames;
                enum stt_tx_drop drop;
                struct stt_offload ol;

                if (len > dp_packet_size(p)) {
                    dp_packet_delete(p);
                    break;
                }
                if (variant & 8 && !spec->ipv6) {
                    struct ip_header *ip = dp_packet_l3(p);

                    ip->ip_csum = 0;
                    dp_packet_ip_checksum_set_partial(p);
                }
                dp_packet_set_size(p, len);
                dp_packet_batch_init(&frames);
                CHECK_EQ(stt_split(p, 65000, 65000, &frames, &drop), 0);
                CHECK(dp_packet_batch_size(&frames) >= 1);
                DP_PACKET_BATCH_FOR_EACH (j, frame, &frames) {
                    if (len < l4_ofs) {
                        CHECK_EQ(dp_packet_size(frame), len);
                        CHECK(!dp_packet_l4_checksum_partial(frame));
                        CHECK_EQ(dp_packet_get_tso_segsz(frame), 0);
                    }
                    stt_describe(frame, &ol);
                    if (!spec->ipv6 && len > l4_ofs) {
                        CHECK_EQ(csum(dp_packet_l3(frame), IP_HEADER_LEN), 0);
                    }
                }
                if (len < l4_ofs) {
                    CHECK_EQ(dp_packet_batch_size(&frames), 1);
                    CHECK_EQ(ol.flags, 0);
                }
                dp_packet_delete_batch(&frames, true);
                dp_packet_batch_destroy(&frames);
            }
        }
    }
}

static void
test_stt_split_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "tso", NULL, 0, 0, test_split_tso, OVS_RO },
        { "guest-packet", NULL, 0, 0, test_split_guest_packet, OVS_RO },
        { "cwr", NULL, 0, 0, test_split_cwr, OVS_RO },
        { "tcp-too-long", NULL, 0, 0, test_split_tcp_too_long, OVS_RO },
        { "too-long", NULL, 0, 0, test_split_too_long, OVS_RO },
        { "cut", NULL, 0, 0, test_split_cut, OVS_RO },
        { "truncated", NULL, 0, 0, test_split_truncated, OVS_RO },
        { "ipv6-exts", NULL, 0, 0, test_split_ipv6_exts, OVS_RO },
        { "undescribable", NULL, 0, 0, test_split_undescribable, OVS_RO },
        { "l4-offset", NULL, 0, 0, test_split_l4_offset, OVS_RO },
        { "tunnel", NULL, 0, 0, test_split_tunnel, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-split", test_stt_split_main);
