/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of what lib/stt.c reads of packets.  Each command is one test;
 * see tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <netinet/in.h>
#include <string.h>

#include "dp-packet.h"
#include "ovstest.h"
#include "packets.h"
#include "test-stt.h"
#include "unaligned.h"
#include "util.h"

/* stt_parse_inner(). */

static enum stt_drop
parse(struct dp_packet *p, struct stt_inner *inner)
{
    return stt_parse_inner(dp_packet_data(p), dp_packet_size(p), inner);
}

/* Checks that the frame that 'spec' describes is understood as it is meant. */
static void
check_parse(const struct inner_spec *spec, size_t l3_ofs, size_t l4_ofs,
            bool fragment, bool exts)
{
    struct dp_packet *p = build_inner(spec);
    struct stt_inner inner;

    CHECK_EQ(parse(p, &inner), STT_OK);
    CHECK_EQ(inner.l3_ofs, l3_ofs);
    CHECK_EQ(inner.l4_ofs, l4_ofs);
    CHECK_EQ(inner.l4_len, dp_packet_size(p) - spec->padding - l4_ofs);
    CHECK_EQ(inner.is_ipv4, !spec->ipv6);
    CHECK_EQ(inner.is_fragment, fragment);
    CHECK_EQ(inner.has_exts, exts);
    if (!fragment) {
        CHECK_EQ(inner.proto, spec->proto);
    }
    dp_packet_delete(p);
}

static void
test_parse_inner(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    check_parse(TINY(.proto = IPPROTO_TCP), 14, 34, false, false);
    check_parse(TINY(.proto = IPPROTO_UDP), 14, 34, false, false);
    check_parse(TINY(.proto = IPPROTO_TCP, .padding = 6), 14, 34, false,
                false);
    check_parse(TINY(.proto = IPPROTO_TCP, .opts = 40), 14, 74, false, false);
    check_parse(TINY(.proto = IPPROTO_TCP, .ipv6 = true), 14, 54, false,
                false);
    check_parse(TINY(.proto = IPPROTO_UDP, .ipv6 = true, .padding = 9), 14,
                54, false, false);

    /* VLAN tags. */
    check_parse(TINY(.proto = IPPROTO_TCP, .tags = { TAG(0x8100, 7) }),
                18, 38, false, false);
    check_parse(TINY(.proto = IPPROTO_TCP, .ipv6 = true,
                     .tags = { TAG(0x88a8, 7), TAG(0x8100, 8) }),
                22, 62, false, false);
    check_parse(TINY(.proto = IPPROTO_TCP,
                     .tags = { TAG(0x8100, 7), TAG(0x8100, 8),
                               TAG(0x88a8, 9) }),
                26, 46, false, false);

    /* IPv6 extension headers. */
    check_parse(TINY(.proto = IPPROTO_TCP, .ipv6 = true, .opts = 8),
                14, 62, false, true);
    check_parse(TINY(.proto = IPPROTO_UDP, .ipv6 = true, .opts = 4096),
                14, 54 + 4096, false, true);

    /* Fragments, the first and a later one, and an "atomic fragment". */
    check_parse(TINY(.proto = IPPROTO_TCP, .frag = htons(IP_MORE_FRAGMENTS)),
                14, 34, true, false);
    check_parse(TINY(.proto = IPPROTO_TCP, .frag = htons(5)),
                14, 34, true, false);
    check_parse(TINY(.proto = IPPROTO_TCP, .frag = htons(IP_DONT_FRAGMENT)),
                14, 34, false, false);
    check_parse(TINY(.proto = IPPROTO_TCP, .ipv6 = true, .frag = htons(1)),
                14, 62, true, true);
    check_parse(TINY(.proto = IPPROTO_TCP, .ipv6 = true, .frag = htons(8)),
                14, 62, true, true);
    check_parse(TINY(.proto = IPPROTO_TCP, .ipv6 = true, .frag_hdr = true),
                14, 62, false, true);
}

/* Changes byte 'ofs' of the frame that 'spec' describes to 'value' and checks
 * that it isn't accepted any more. */
static void
check_parse_malformed(const struct inner_spec *spec, size_t ofs, uint8_t value,
                      enum stt_drop drop)
{
    struct dp_packet *p = build_inner(spec);
    struct stt_inner inner;

    CHECK_EQ(parse(p, &inner), STT_OK);
    ((uint8_t *) dp_packet_data(p))[ofs] = value;
    CHECK_EQ(parse(p, &inner), drop);
    dp_packet_delete(p);
}

/* Cuts the frame at each possible length. */
static void
check_parse_truncated(const struct inner_spec *spec, size_t l3_ofs)
{
    struct dp_packet *p = build_inner(spec);

    for (size_t len = 0; len <= dp_packet_size(p); len++) {
        /* A copy of the exact size, for memory checkers to watch. */
        void *copy = xmemdup(dp_packet_data(p), MAX(len, 1));
        struct stt_inner inner;

        CHECK_EQ(stt_parse_inner(copy, len, &inner),
                 len < l3_ofs ? STT_DROP_L4_PROTO
                 : len < dp_packet_size(p) ? STT_DROP_INNER_LEN
                 : STT_OK);
        free(copy);
    }
    dp_packet_delete(p);
}

static void
test_parse_inner_malformed(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const struct inner_spec *tcp4 = TINY(.proto = IPPROTO_TCP);
    const struct inner_spec *tcp6 = TINY(.proto = IPPROTO_TCP, .ipv6 = true);
    const struct inner_spec *ext6 = TINY(.proto = IPPROTO_TCP, .ipv6 = true,
                                         .opts = 16);
    struct stt_inner inner;
    struct dp_packet *p;
    uint8_t *tags;

    check_parse_truncated(tcp4, 14);
    check_parse_truncated(tcp6, 14);
    check_parse_truncated(ext6, 14);
    check_parse_truncated(TINY(.proto = IPPROTO_UDP,
                               .tags = { TAG(0x8100, 1) }), 18);
    check_parse_truncated(TINY(.proto = IPPROTO_UDP, .ipv6 = true,
                               .frag = htons(8),
                               .tags = { TAG(0x88a8, 1), TAG(0x8100, 1) }),
                          22);

    /* Not IP: another type, and IEEE 802.3. */
    check_parse_malformed(tcp4, 13, 0x06, STT_DROP_L4_PROTO);
    check_parse_malformed(tcp4, 12, 0x00, STT_DROP_L4_PROTO);

    /* IPv4: version, header length (too short, beyond the total length,
     * beyond the frame), total length (shorter than the header, beyond the
     * frame). */
    check_parse_malformed(tcp4, 14, 0x65, STT_DROP_INNER_LEN);
    check_parse_malformed(tcp4, 14, 0x44, STT_DROP_INNER_LEN);
    check_parse_malformed(SPEC(.proto = IPPROTO_UDP, .payload = 0,
                               .padding = 40), 14, 0x4f, STT_DROP_INNER_LEN);
    check_parse_malformed(SPEC(.proto = IPPROTO_UDP, .payload = 0),
                          14, 0x4f, STT_DROP_INNER_LEN);
    check_parse_malformed(tcp4, 17, 19, STT_DROP_INNER_LEN);
    check_parse_malformed(tcp4, 17, 91, STT_DROP_INNER_LEN);
    check_parse_malformed(tcp4, 16, 0xff, STT_DROP_INNER_LEN);

    /* IPv6: version, payload length, length and type of an extension
     * header. */
    check_parse_malformed(tcp6, 14, 0x40, STT_DROP_INNER_LEN);
    check_parse_malformed(tcp6, 19, 71, STT_DROP_INNER_LEN);
    check_parse_malformed(tcp6, 18, 0xff, STT_DROP_INNER_LEN);
    check_parse_malformed(ext6, 55, 200, STT_DROP_INNER_LEN);
    p = build_inner(ext6);
    ((uint8_t *) dp_packet_data(p))[19] = 12;   /* Within the header. */
    CHECK_EQ(parse(p, &inner), STT_DROP_INNER_LEN);
    dp_packet_delete(p);

    /* Nothing but tags, as far as offsets can tell. */
    tags = xzalloc(65560);
    for (size_t i = 12; i < 65560; i += 4) {
        tags[i] = 0x81;
    }
    CHECK_EQ(stt_parse_inner(tags, 65517, &inner), STT_DROP_L4_PROTO);
    CHECK_EQ(stt_parse_inner(tags, 65560, &inner), STT_DROP_L4_PROTO);
    tags[65552] = 0x08;         /* IPv4 behind offset 65535. */
    tags[65554] = 0x45;
    CHECK_EQ(stt_parse_inner(tags, 65560, &inner), STT_DROP_INNER_LEN);
    free(tags);
}

/* stt_parse_segment(). */

/* A TCP-like header and the payload that follows it. */
static struct dp_packet *
build_segment(uint16_t flags, uint16_t frame_len, uint16_t offset, size_t len)
{
    struct dp_packet *p = dp_packet_new(TCP_HEADER_LEN + len);
    struct tcp_header *tcp = dp_packet_put_zeros(p, TCP_HEADER_LEN);

    tcp->tcp_src = htons(40001);
    tcp->tcp_dst = htons(7471);
    put_16aligned_be32(&tcp->tcp_seq,
                       htonl((uint32_t) frame_len << 16 | offset));
    put_16aligned_be32(&tcp->tcp_ack, htonl(0x01020304));
    tcp->tcp_ctl = TCP_CTL(flags, TCP_HEADER_LEN / 4);
    dp_packet_put_zeros(p, len);
    return p;
}

static void
check_parse_segment(struct dp_packet *p, enum stt_drop drop)
{
    const struct tcp_header *tcp = dp_packet_data(p);
    struct stt_segment seg;

    CHECK_EQ(stt_parse_segment(tcp, dp_packet_size(p), &seg), drop);
    if (!drop) {
        uint32_t seq = ntohl(get_16aligned_be32(&tcp->tcp_seq));

        CHECK_EQ(seg.packet_id, htonl(0x01020304));
        CHECK_EQ(seg.src_port, htons(40001));
        CHECK_EQ(seg.dst_port, htons(7471));
        CHECK_EQ(seg.frame_len, seq >> 16);
        CHECK_EQ(seg.offset, seq & 0xffff);
        CHECK_EQ(seg.len, dp_packet_size(p) - TCP_HEADER_LEN);
        CHECK(seg.data == tcp + 1);
        CHECK_EQ(stt_segment_is_whole_frame(&seg),
                 !seg.offset && seg.len == seg.frame_len);
    }
    dp_packet_delete(p);
}

static void
test_parse_segment(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const uint16_t ack = TCP_ACK, psh = TCP_ACK | TCP_PSH;
    struct dp_packet *p;

    check_parse_segment(build_segment(psh, 1000, 0, 1000), STT_OK);
    check_parse_segment(build_segment(ack, 1000, 0, 999), STT_OK);
    check_parse_segment(build_segment(ack, 1000, 0, 1), STT_OK);
    check_parse_segment(build_segment(psh, 1000, 999, 1), STT_OK);
    check_parse_segment(build_segment(ack, 1000, 1, 17), STT_OK);
    check_parse_segment(build_segment(psh, 65535, 0, 65535), STT_OK);
    check_parse_segment(build_segment(psh, 65535, 65534, 1), STT_OK);
    check_parse_segment(build_segment(psh, 32, 0, 32), STT_OK);

    /* Flags that don't matter. */
    check_parse_segment(build_segment(0, 1000, 0, 1000), STT_OK);
    check_parse_segment(build_segment(psh | TCP_ECE | TCP_CWR | TCP_NS, 1000,
                                      0, 1000), STT_OK);

    /* Flags that STT never has. */
    for (uint16_t flag = 1; flag < 0x200; flag <<= 1) {
        bool bad = flag & (TCP_SYN | TCP_FIN | TCP_RST | TCP_URG);

        check_parse_segment(build_segment(psh | flag, 1000, 0, 1000),
                            bad ? STT_DROP_TCP_FLAGS : STT_OK);
    }

    /* Shorter than the header, at each length, and nothing behind it. */
    for (size_t len = 0; len < TCP_HEADER_LEN; len++) {
        p = build_segment(psh, 1000, 0, 1000);
        dp_packet_set_size(p, len);
        check_parse_segment(p, STT_DROP_TRUNCATED);
    }
    check_parse_segment(build_segment(ack, 1000, 0, 0), STT_DROP_EMPTY);
    check_parse_segment(build_segment(ack, 1000, 1000, 0), STT_DROP_EMPTY);

    /* Each other data offset. */
    for (int words = 0; words < 16; words++) {
        p = build_segment(psh, 1000, 0, 1000);
        ((struct tcp_header *) dp_packet_data(p))->tcp_ctl
            = TCP_CTL(psh, words);
        check_parse_segment(p, words == 5 ? STT_OK : STT_DROP_DATA_OFFSET);
    }

    /* Frame lengths below the minimum. */
    for (uint16_t len = 0; len < STT_MIN_FRAME; len++) {
        check_parse_segment(build_segment(psh, len, 0, MAX(len, 1)),
                            STT_DROP_FRAME_LEN);
    }

    /* Beyond the frame, at its start, its end, and beyond 16 bits. */
    check_parse_segment(build_segment(psh, 1000, 0, 1001),
                        STT_DROP_BEYOND_FRAME);
    check_parse_segment(build_segment(psh, 1000, 999, 2),
                        STT_DROP_BEYOND_FRAME);
    check_parse_segment(build_segment(psh, 1000, 1000, 1),
                        STT_DROP_BEYOND_FRAME);
    check_parse_segment(build_segment(psh, 1000, 1, 65535),
                        STT_DROP_BEYOND_FRAME);
    check_parse_segment(build_segment(psh, 65535, 65535, 1),
                        STT_DROP_BEYOND_FRAME);
    check_parse_segment(build_segment(psh, 65535, 65530, 65515),
                        STT_DROP_BEYOND_FRAME);

    /* The version, where there is one. */
    p = build_segment(psh, 1000, 0, 1000);
    ((uint8_t *) dp_packet_data(p))[TCP_HEADER_LEN] = 1;
    check_parse_segment(p, STT_DROP_VERSION);
    p = build_segment(psh, 1000, 500, 500);
    ((uint8_t *) dp_packet_data(p))[TCP_HEADER_LEN] = 1;
    check_parse_segment(p, STT_OK);
}

/* stt_outer_csum_ok(). */

static void
test_outer_csum(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        /* An odd number of bytes, and padding that must not count. */
        for (int bit = -1; bit < 8 * 321; bit += bit < 0 ? 1 : 37) {
            struct dp_packet *p = build_inner(SPEC(.proto = IPPROTO_TCP,
                                                   .ipv6 = ipv6,
                                                   .payload = 301,
                                                   .padding = 5));
            uint8_t *l4 = dp_packet_l4(p);

            memset((char *) dp_packet_tail(p) - 5, 0x77, 5);
            if (bit >= 0) {
                l4[bit / 8] ^= 1 << bit % 8;
            }
            CHECK(dp_packet_l4_checksum_unknown(p));
            CHECK_EQ(stt_outer_csum_ok(p, 321), bit < 0);
            CHECK_EQ(dp_packet_l4_checksum_good(p), bit < 0);
            CHECK_EQ(dp_packet_l4_checksum_bad(p), bit >= 0);
            dp_packet_delete(p);
        }

        /* The pseudo-header counts. */
        {
            struct dp_packet *p = build_inner(TINY(.proto = IPPROTO_TCP,
                                                   .ipv6 = ipv6));
            ((uint8_t *) dp_packet_l3(p))[19] ^= 1;
            CHECK(!stt_outer_csum_ok(p, 70));
            dp_packet_delete(p);
        }

        /* Marks of the port are believed, wrong as the field may be. */
        for (int mark = 0; mark < 3; mark++) {
            struct dp_packet *p = build_inner(TINY(.proto = IPPROTO_TCP,
                                                   .ipv6 = ipv6));

            if (mark == 0) {
                dp_packet_l4_checksum_set_bad(p);
            } else {
                memset((char *) dp_packet_l4(p) + 16, 0x5a, 2);
                if (mark == 1) {
                    dp_packet_l4_checksum_set_good(p);
                } else {
                    dp_packet_l4_checksum_set_partial(p);
                }
            }
            CHECK_EQ(stt_outer_csum_ok(p, 70), mark != 0);
            dp_packet_delete(p);
        }
    }
}

static void
test_stt_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "parse-inner", NULL, 0, 0, test_parse_inner, OVS_RO },
        { "parse-inner-malformed", NULL, 0, 0, test_parse_inner_malformed,
          OVS_RO },
        { "parse-segment", NULL, 0, 0, test_parse_segment, OVS_RO },
        { "outer-csum", NULL, 0, 0, test_outer_csum, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt", test_stt_main);
