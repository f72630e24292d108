/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/stt.c.  Each command is one test; see tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt.h"
#include "stt-peers.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "flow.h"
#include "netdev-stt.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "ovstest.h"
#include "packets.h"
#include "pcap-file.h"
#include "stt-reassembly.h"
#include "test-stt.h"
#include "unaligned.h"
#include "util.h"

/* What the tests are doing, for stt_test_fail(). */
const char *stt_test_case = "";

void
stt_test_fail(const char *where, const char *what, long long int is,
              long long int should)
{
    printf("%s: %s is %lld (%#llx), should be %lld (%#llx)%s%s\n",
           where, what, is, is, should, should,
           stt_test_case[0] ? ": " : "", stt_test_case);
    exit(1);
}

/* Checksums, computed without OVS's own code so that a mistake in its use
 * can't hide. */

static uint16_t
sum16(const void *data_, size_t len, uint32_t sum)
{
    const uint8_t *data = data_;

    for (size_t i = 0; i < len; i++) {
        sum += i & 1 ? data[i] : data[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Sum of the pseudo-header of the IP packet at 'l3', not inverted. */
static uint16_t
pseudo_sum(const uint8_t *l3, uint8_t proto, uint32_t l4_len)
{
    uint32_t sum = proto + (l4_len >> 16) + (l4_len & 0xffff);

    sum = (sum & 0xffff) + (sum >> 16);
    return l3[0] >> 4 == 4 ? sum16(l3 + 12, 8, sum) : sum16(l3 + 8, 32, sum);
}

/* Whether the checksum of an L4 packet is right. */
static bool
l4_csum_ok(const uint8_t *l3, const uint8_t *l4, uint8_t proto, size_t l4_len)
{
    return sum16(l4, l4_len, pseudo_sum(l3, proto, l4_len)) == 0xffff;
}

/* Inner packets. */

#define SEQ 0xfffffff0u         /* Wraps soon. */
#define IP_ID 0xfffe            /* Wraps soon, too. */
#define TAG(TPID, TCI) ((uint32_t) (TPID) << 16 | (TCI))

/* How to build an inner frame. */
struct inner_spec {
    bool ipv6;
    uint8_t proto;              /* 0 for a frame that isn't IP. */
    uint32_t payload;           /* Behind the L4 header, in bytes. */
    size_t opts;                /* IPv4 options or IPv6 extension headers. */
    size_t tcp_opts;
    uint16_t tcp_flags;         /* Besides ACK. */
    uint32_t tags[3];           /* From TAG(), outermost first. */
    ovs_be16 frag;              /* IPv4 flags and offset, IPv6 offlg. */
    bool frag_hdr;              /* IPv6 fragment header even if 'frag' is 0. */
    size_t padding;             /* Behind the IP packet. */
    uint8_t ecn;
};

#define SPEC(...) (&(struct inner_spec) { __VA_ARGS__ })
#define TINY(...) SPEC(.payload = 50, __VA_ARGS__)

static uint8_t
payload_byte(size_t i)
{
    return i * 167 + i / 253;
}

static void
put_tags(struct dp_packet *p, const struct inner_spec *spec)
{
    for (size_t i = 0; i < ARRAY_SIZE(spec->tags) && spec->tags[i]; i++) {
        ovs_be32 tag = htonl(spec->tags[i]);

        dp_packet_put(p, &tag, sizeof tag);
    }
}

static void
put_ip(struct dp_packet *p, const struct inner_spec *spec, size_t l4_len)
{
    if (!spec->ipv6) {
        struct ip_header *ip;
        size_t ip_len = IP_HEADER_LEN + spec->opts;

        ip = dp_packet_put_zeros(p, ip_len);
        memset(ip + 1, 1 /* No operation. */, spec->opts);
        ip->ip_ihl_ver = IP_IHL_VER(ip_len / 4, 4);
        ip->ip_tos = spec->ecn;
        ip->ip_tot_len = htons(ip_len + l4_len);
        ip->ip_id = htons(IP_ID);
        ip->ip_frag_off = spec->frag;
        ip->ip_ttl = 64;
        ip->ip_proto = spec->proto;
        put_16aligned_be32(&ip->ip_src, htonl(0x0a000001));
        put_16aligned_be32(&ip->ip_dst, htonl(0x0a000002));
        ip->ip_csum = htons(~sum16(ip, ip_len, 0));
    } else {
        size_t ext_len = spec->opts + (spec->frag || spec->frag_hdr ? 8 : 0);
        struct ovs_16aligned_ip6_hdr *ip6;
        size_t ext_left = spec->opts;
        uint8_t *nextp;

        ip6 = dp_packet_put_zeros(p, IPV6_HEADER_LEN);
        put_16aligned_be32(&ip6->ip6_flow,
                           htonl(6u << 28 | spec->ecn << 20));
        ip6->ip6_plen = htons(ext_len + l4_len);
        ip6->ip6_hlim = 64;
        ip6->ip6_src.be16[0] = htons(0xfd00);
        ip6->ip6_src.be16[7] = htons(1);
        ip6->ip6_dst.be16[0] = htons(0xfd00);
        ip6->ip6_dst.be16[7] = htons(2);
        ip6->ip6_nxt = spec->proto;
        nextp = &ip6->ip6_nxt;
        while (ext_left > 0) {
            size_t n = MIN(ext_left, 2048);
            uint8_t *ext = dp_packet_put_zeros(p, n);

            *nextp = IPPROTO_DSTOPTS;
            ext[0] = spec->proto;
            ext[1] = n / 8 - 1;
            ext[2] = 1 /* PadN. */;
            ext[3] = MIN(n - 4, 255);
            nextp = ext;
            ext_left -= n;
        }
        if (spec->frag || spec->frag_hdr) {
            uint8_t *ext = dp_packet_put_zeros(p, 8);

            *nextp = IPPROTO_FRAGMENT;
            ext[0] = spec->proto;
            memcpy(&ext[2], &spec->frag, 2);
        }
    }
}

/* Returns a new packet as 'spec' says, with all lengths and checksums right,
 * its offsets and protocol marked as by the datapath. */
static struct dp_packet *
build_inner(const struct inner_spec *spec)
{
    size_t hdr_len = (spec->proto == IPPROTO_TCP
                      ? TCP_HEADER_LEN + spec->tcp_opts
                      : spec->proto == IPPROTO_SCTP ? SCTP_HEADER_LEN
                      : spec->proto ? UDP_HEADER_LEN : 0);
    size_t l4_len = hdr_len + spec->payload;
    struct dp_packet *p = dp_packet_new_with_headroom(70000, 128);
    ovs_be16 eth_type = htons(!spec->proto ? 0x88b5 /* Experimental. */
                              : spec->ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    size_t l3_ofs, l4_ofs;
    struct flow flow;
    uint8_t *l4;

    dp_packet_put_hex(p, "52540000000b52540000000a", NULL);
    put_tags(p, spec);
    dp_packet_put(p, &eth_type, sizeof eth_type);
    l3_ofs = dp_packet_size(p);
    if (spec->proto) {
        put_ip(p, spec, l4_len);
    }
    l4_ofs = dp_packet_size(p);
    l4 = dp_packet_put_zeros(p, l4_len);
    for (size_t i = 0; i < spec->payload; i++) {
        l4[hdr_len + i] = payload_byte(i);
    }

    if (spec->proto == IPPROTO_TCP) {
        struct tcp_header *tcp = ALIGNED_CAST(struct tcp_header *, l4);

        memset(tcp + 1, 1 /* No operation. */, spec->tcp_opts);
        tcp->tcp_src = htons(50000);
        tcp->tcp_dst = htons(80);
        put_16aligned_be32(&tcp->tcp_seq, htonl(SEQ));
        tcp->tcp_ctl = TCP_CTL(TCP_ACK | spec->tcp_flags, hdr_len / 4);
    } else if (spec->proto == IPPROTO_UDP) {
        struct udp_header *udp = ALIGNED_CAST(struct udp_header *, l4);

        udp->udp_src = htons(20000);
        udp->udp_dst = htons(20001);
        udp->udp_len = htons(l4_len);
    }
    if (spec->proto) {
        uint8_t *l3 = (uint8_t *) dp_packet_data(p) + l3_ofs;
        size_t csum_ofs = (spec->proto == IPPROTO_TCP ? 16
                           : spec->proto == IPPROTO_UDP ? 6
                           : spec->proto == IPPROTO_ICMP ? 2 : 0);

        l4 = (uint8_t *) dp_packet_data(p) + l4_ofs;
        if (csum_ofs) {
            uint16_t start = (spec->proto == IPPROTO_ICMP ? 0
                              : pseudo_sum(l3, spec->proto, l4_len));

            ovs_be16 sum = htons(~sum16(l4, l4_len, start));

            memcpy(l4 + csum_ofs, &sum, sizeof sum);
        }
    }
    dp_packet_put_zeros(p, spec->padding);

    flow_extract(p, &flow);
    return p;
}

/* Returns a new packet as 'spec' says that waits for its checksum and, if
 * 'mss' isn't 0, for TSO. */
static struct dp_packet *
build_partial(const struct inner_spec *spec, uint16_t mss)
{
    struct dp_packet *p = build_inner(spec);
    uint8_t *l4 = dp_packet_l4(p);

    /* OVS leaves the field undefined. */
    if (spec->proto == IPPROTO_TCP) {
        memset(l4 + 16, 0xa5, 2);
    } else if (spec->proto == IPPROTO_UDP) {
        memset(l4 + 6, 0xa5, 2);
    }
    dp_packet_l4_checksum_set_partial(p);
    dp_packet_set_tso_segsz(p, mss);
    return p;
}

static struct tcp_header *
tcp_of(struct dp_packet *p)
{
    CHECK(dp_packet_l4(p) != NULL);
    return dp_packet_l4(p);
}

static uint16_t
l4_csum_of(struct dp_packet *p, uint8_t proto)
{
    ovs_be16 sum;

    memcpy(&sum, (char *) dp_packet_l4(p) + (proto == IPPROTO_TCP ? 16 : 6),
           sizeof sum);
    return ntohs(sum);
}

/* Checks that the lengths and the IPv4 checksum of 'p' are right. */
static void
check_ip(struct dp_packet *p)
{
    const uint8_t *l3 = dp_packet_l3(p);
    size_t len = dp_packet_size(p) - p->l3_ofs;

    CHECK(l3 != NULL);
    if (l3[0] >> 4 == 4) {
        CHECK_EQ(l3[2] << 8 | l3[3], len);
        if (!dp_packet_ip_checksum_partial(p)) {
            CHECK_EQ(sum16(l3, (l3[0] & 0xf) * 4, 0), 0xffff);
        }
    } else {
        CHECK_EQ(l3[4] << 8 | l3[5], len - IPV6_HEADER_LEN);
    }
}

/* Finishes all offloads of 'p' in software and checks its L4 checksum. */
static void
finish_and_check_l4(struct dp_packet *p, uint8_t proto)
{
    dp_packet_ol_send_prepare(p, 0);
    check_ip(p);
    CHECK(l4_csum_ok(dp_packet_l3(p), dp_packet_l4(p), proto,
                     dp_packet_size(p) - p->l4_ofs));
}

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

/* stt_take_vlan(). */

/* Checks that stt_take_vlan() returns 'tci' for a frame with 'before' and
 * leaves exactly the frame with 'after', offsets included. */
static void
check_take_vlan(uint16_t tci, const struct inner_spec *before,
                const struct inner_spec *after)
{
    struct dp_packet *p = build_inner(before);
    struct dp_packet *q = build_inner(after);

    CHECK_EQ(ntohs(stt_take_vlan(p)), tci);
    CHECK(dp_packet_equal(p, q));
    CHECK_EQ(p->l3_ofs, q->l3_ofs);
    CHECK_EQ(p->l4_ofs, q->l4_ofs);
    dp_packet_delete(p);
    dp_packet_delete(q);
}

static void
test_take_vlan(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#define TAGGED(...) TINY(.proto = IPPROTO_UDP, .tags = { __VA_ARGS__ })
    const struct inner_spec *plain = TINY(.proto = IPPROTO_UDP);
    const uint32_t c_tag = TAG(0x8100, 0xa064), s_tag = TAG(0x88a8, 0x0007);
    const uint32_t dei = TAG(0x8100, 0xb064);

    check_take_vlan(0, plain, plain);
    check_take_vlan(0xb064, TAGGED(c_tag), plain);
    check_take_vlan(0x1000, TAGGED(TAG(0x8100, 0)), plain);
    check_take_vlan(0xffff, TAGGED(TAG(0x8100, 0xefff)), plain);

    /* The header has no room for DEI nor for another type of tag. */
    check_take_vlan(0, TAGGED(dei), TAGGED(dei));
    check_take_vlan(0, TAGGED(s_tag), TAGGED(s_tag));
    check_take_vlan(0, TAGGED(s_tag, c_tag), TAGGED(s_tag, c_tag));

    /* Only the outermost tag is taken. */
    check_take_vlan(0xb064, TAGGED(c_tag, TAG(0x8100, 9)),
                    TAGGED(TAG(0x8100, 9)));
    check_take_vlan(0xb064, TAGGED(c_tag, s_tag), TAGGED(s_tag));
    check_take_vlan(0, TAGGED(dei, c_tag), TAGGED(dei, c_tag));

    /* A tag that the frame doesn't have in full. */
    for (size_t len = ETH_HEADER_LEN; len < VLAN_ETH_HEADER_LEN; len++) {
        struct dp_packet *p = build_inner(TAGGED(c_tag));

        dp_packet_set_size(p, len);
        CHECK_EQ(stt_take_vlan(p), 0);
        CHECK_EQ(dp_packet_size(p), len);
        dp_packet_delete(p);
    }
}

/* stt_split(). */

/* Passes 'p' through stt_split() and checks the number of drops and of frames,
 * and that none of them is longer than 'max_frame'. */
static void
split(struct dp_packet *p, size_t max_frame, size_t n_drops, size_t n_frames,
      struct dp_packet_batch *frames)
{
    struct dp_packet *frame;
    enum stt_tx_drop drop;

    dp_packet_batch_init(frames);
    CHECK_EQ(stt_split(p, max_frame, max_frame, frames, &drop), n_drops);
    CHECK_EQ(drop != STT_TX_OK, n_drops != 0);
    CHECK_EQ(dp_packet_batch_size(frames), n_frames);
    DP_PACKET_BATCH_FOR_EACH (i, frame, frames) {
        CHECK(STT_HEADER_LEN + dp_packet_size(frame) <= max_frame);
    }
}

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

    /* What nobody can finish. */
    for (int i = 0; i < 3; i++) {
        struct dp_packet_batch frames;

        p = build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 1000),
                          i ? 100 : 0);
        if (i < 2) {
            dp_packet_set_l4(p, NULL);
        } else {
            p->offloads &= ~DP_PACKET_OL_L4_PROTO_MASK;
            dp_packet_set_l3(p, NULL);
        }
        split(p, STT_MAX_FRAME_IPV4, 1, 0, &frames);
        dp_packet_batch_destroy(&frames);
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
test_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    CHECK_EQ(stt_max_frame(false, 1460), 65495);
    CHECK_EQ(stt_max_frame(true, 1440), 65515);
    CHECK_EQ(stt_max_frame(false, 65535), 65495);
    CHECK_EQ(stt_max_frame(false, 512), 65495);
    CHECK_EQ(stt_max_frame(false, 511), 128 * 511);
    CHECK_EQ(stt_max_frame(true, 64), 128 * 64);

    /* A packet that takes all of the 128 segments must not be refused by our
     * own receiver. */
    {
        size_t max_frame = stt_max_frame(false, 64);
        struct dp_packet_batch frames;
        struct dp_packet *frame;

        split(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 60000), 0),
              max_frame, 0, DIV_ROUND_UP(60000, 8192 - 18 - 54), &frames);
        DP_PACKET_BATCH_FOR_EACH (i, frame, &frames) {
            size_t frame_len = STT_HEADER_LEN + dp_packet_size(frame);

            CHECK(DIV_ROUND_UP(frame_len, 64) <= STT_MAX_SEGMENTS);
        }
        dp_packet_delete_batch(&frames, true);
        dp_packet_batch_destroy(&frames);
    }
}

/* stt_describe(). */

/* Checks stt_describe() for 'p', which it takes ownership of. */
static void
check_describe(struct dp_packet *p, uint8_t flags, uint8_t l4_offset,
               uint16_t mss)
{
    struct dp_packet *copy = dp_packet_clone(p);
    struct stt_offload ol;

    stt_describe(p, &ol);
    CHECK_EQ(ol.flags, flags);
    CHECK_EQ(ol.l4_offset, l4_offset);
    CHECK_EQ(ol.mss, mss);
    if (flags & STT_F_CSUM_PARTIAL) {
        uint8_t proto = flags & STT_F_TCP ? IPPROTO_TCP : IPPROTO_UDP;

        /* The checksum field, and nothing else, changes. */
        CHECK_EQ(l4_csum_of(p, proto),
                 pseudo_sum(dp_packet_l3(p), proto,
                            dp_packet_size(p) - p->l4_ofs));
        memcpy((char *) dp_packet_l4(copy) + (proto == IPPROTO_TCP ? 16 : 6),
               (char *) dp_packet_l4(p) + (proto == IPPROTO_TCP ? 16 : 6), 2);
        dp_packet_set_size(copy, (dp_packet_size(copy)
                                  - dp_packet_l2_pad_size(copy)));
    }
    CHECK(dp_packet_equal(p, copy));
    dp_packet_delete(p);
    dp_packet_delete(copy);
}

static struct dp_packet *
mark_good(struct dp_packet *p)
{
    dp_packet_l4_checksum_set_good(p);
    return p;
}

static struct dp_packet *
mark_bad(struct dp_packet *p)
{
    dp_packet_l4_checksum_set_bad(p);
    return p;
}

static void
test_describe(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const uint8_t p4 = STT_F_CSUM_PARTIAL | STT_F_IPV4;
    const uint8_t p6 = STT_F_CSUM_PARTIAL;
    const struct inner_spec *tcp4 = TINY(.proto = IPPROTO_TCP);
    const struct inner_spec *tcp6 = TINY(.proto = IPPROTO_TCP, .ipv6 = true);
    const struct inner_spec *udp4 = TINY(.proto = IPPROTO_UDP);
    const struct inner_spec *udp6 = TINY(.proto = IPPROTO_UDP, .ipv6 = true);
    struct stt_offload ol;
    struct dp_packet *p;

    /* The values on the wire. */
    CHECK_EQ(p4 | STT_F_TCP, 0x0e);
    CHECK_EQ(p6 | STT_F_TCP, 0x0a);
    CHECK_EQ(p4, 0x06);
    CHECK_EQ(p6, 0x02);

    /* Checksum to be computed, no TSO. */
    check_describe(build_partial(tcp4, 0), 0x0e, 34, 0);
    check_describe(build_partial(tcp6, 0), 0x0a, 54, 0);
    check_describe(build_partial(udp4, 0), 0x06, 34, 0);
    check_describe(build_partial(udp6, 0), 0x02, 54, 0);
    check_describe(build_partial(TINY(.proto = IPPROTO_UDP, .opts = 8,
                                      .tags = { TAG(0x8100, 1) }), 0),
                   0x06, 46, 0);
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 0), 0),
                   0x0e, 34, 0);

    /* TSO, and TSO for a packet with no more than one segment. */
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 5000),
                                 1460), 0x0e, 34, 1460);
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 5000,
                                      .ipv6 = true), 1440), 0x0a, 54, 1440);
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 1001),
                                 1000), 0x0e, 34, 1000);
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 1000),
                                 1000), 0x0e, 34, 0);
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 65423),
                                 9000), 0x0e, 34, 9000);

    /* Known good. */
    check_describe(mark_good(build_inner(tcp4)), 0x01, 0, 0);
    check_describe(mark_good(build_inner(tcp6)), 0x01, 0, 0);
    check_describe(mark_good(build_inner(udp4)), 0x01, 0, 0);
    check_describe(mark_good(build_inner(udp6)), 0x01, 0, 0);

    /* Unknown, bad, or neither TCP nor UDP. */
    check_describe(build_inner(tcp4), 0, 0, 0);
    check_describe(build_inner(udp6), 0, 0, 0);
    check_describe(mark_bad(build_inner(tcp4)), 0, 0, 0);
    check_describe(mark_bad(build_inner(udp6)), 0, 0, 0);
    check_describe(build_inner(TINY(.proto = IPPROTO_ICMP)), 0, 0, 0);
    check_describe(build_inner(TINY(.proto = 0)), 0, 0, 0);
    check_describe(build_inner(TINY(.proto = IPPROTO_TCP, .frag = htons(9))),
                   0, 0, 0);
    check_describe(mark_good(build_inner(TINY(.proto = IPPROTO_SCTP))),
                   0, 0, 0);

    /* UDP without checksum: nothing is to be computed. */
    p = build_partial(udp4, 0);
    memset((char *) dp_packet_l4(p) + 6, 0, 2);
    check_describe(p, 0, 0, 0);

    /* Padding is not payload. */
    check_describe(build_partial(SPEC(.proto = IPPROTO_UDP, .payload = 4,
                                      .padding = 14), 0), 0x06, 34, 0);
    check_describe(build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 500,
                                      .padding = 9), 160), 0x0e, 34, 160);

    /* The IPv4 header is finished here. */
    p = build_partial(tcp4, 0);
    memset((char *) dp_packet_l3(p) + 10, 0x5a, 2);
    dp_packet_ip_checksum_set_partial(p);
    stt_describe(p, &ol);
    CHECK(!dp_packet_ip_checksum_partial(p));
    check_ip(p);
    dp_packet_delete(p);

    /* The sum of the worked example: 540 bytes of IPv4 with 520 of TCP. */
    p = build_partial(SPEC(.proto = IPPROTO_TCP, .payload = 500), 160);
    stt_describe(p, &ol);
    CHECK_EQ(l4_csum_of(p, IPPROTO_TCP), 0x1611);
    dp_packet_delete(p);
}

/* stt_fill_headers(). */

static void
test_fill_headers(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct stt_offload ol = {
        .flags = 0x0e, .l4_offset = 34, .mss = 0x0708
    };
    struct {
        struct tcp_header tcp;
        struct stt_header stt;
    } h;
    struct dp_packet *want = dp_packet_new(64);

    BUILD_ASSERT_DECL(sizeof h == TCP_HEADER_LEN + STT_HEADER_LEN);
    memset(&h, 0, sizeof h);
    h.tcp.tcp_dst = htons(7471);
    put_16aligned_be32(&h.tcp.tcp_seq, htonl(1460));
    stt_set_context_id(&h.stt, htonll(0xfedcba9876543210));
    CHECK(stt_get_context_id(&h.stt) == htonll(0xfedcba9876543210));

    stt_fill_headers(&h.tcp, &h.stt, 65495, htons(40001), htonl(0x89abcdef),
                     htons(0xb064), &ol);
    dp_packet_put_hex(want,
                      "9c41 1d2f ffd7 0000 89ab cdef 50 18 ffff 0000 0000"
                      "00 0e 22 00 0708 b064 fedc ba98 7654 3210 0000", NULL);
    CHECK_EQ(dp_packet_size(want), sizeof h);
    CHECK(!memcmp(dp_packet_data(want), &h, sizeof h));
    dp_packet_delete(want);
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

/* stt_pop_frame(). */

#define KEY 0x0123456789abcdefULL

/* Puts an STT header in front of 'p', with marks of an outer packet. */
static struct dp_packet *
push_stt(struct dp_packet *p, uint8_t flags, uint8_t l4_offset, uint16_t mss,
         uint16_t tci)
{
    struct stt_header *stt = dp_packet_push_zeros(p, STT_HEADER_LEN);

    stt->flags = flags;
    stt->l4_offset = l4_offset;
    stt->mss = htons(mss);
    stt->vlan_tci = htons(tci);
    stt_set_context_id(stt, htonll(KEY));

    /* None of this may survive. */
    p->offloads = 0;
    dp_packet_ip_checksum_set_good(p);
    dp_packet_l4_checksum_set_partial(p);
    dp_packet_l4_proto_set_tcp(p);
    dp_packet_set_tso_segsz(p, 1460);
    dp_packet_set_rss_hash(p, 12345);
    return p;
}

static struct dp_packet *
check_pop(struct dp_packet *p, enum stt_drop drop)
{
    ovs_be64 key = 0;

    CHECK_EQ(stt_pop_frame(p, &key), drop);
    if (drop) {
        dp_packet_delete(p);
        return NULL;
    }
    CHECK(key == htonll(KEY));
    CHECK(!dp_packet_rss_valid(p));
    CHECK(!dp_packet_ip_checksum_valid(p));
    CHECK(dp_packet_is_eth(p));
    return p;
}

/* Builds 'spec', writes 'value' to byte 'ofs' of the inner frame, and checks
 * what becomes of it with 'flags', 'l4_offset', and 'mss'. */
static void
check_pop_changed(const struct inner_spec *spec, size_t ofs, uint8_t value,
                  uint8_t flags, uint8_t l4_offset, uint16_t mss,
                  enum stt_drop drop)
{
    struct dp_packet *p = build_inner(spec);

    ((uint8_t *) dp_packet_data(p))[ofs] = value;
    dp_packet_delete(check_pop(push_stt(p, flags, l4_offset, mss, 0), drop));
}

static void
check_pop_header(const struct inner_spec *spec, uint8_t flags,
                 uint8_t l4_offset, uint16_t mss, enum stt_drop drop)
{
    struct dp_packet *p = build_inner(spec);

    dp_packet_delete(check_pop(push_stt(p, flags, l4_offset, mss, 0), drop));
}

static void
test_pop_drops(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const struct inner_spec *tcp4 = SPEC(.proto = IPPROTO_TCP,
                                         .payload = 500);
    const struct inner_spec *tcp6 = SPEC(.proto = IPPROTO_TCP,
                                         .payload = 500, .ipv6 = true);
    const struct inner_spec *udp4 = TINY(.proto = IPPROTO_UDP);
    const struct inner_spec *udp6 = TINY(.proto = IPPROTO_UDP, .ipv6 = true);

    /* Shorter than the STT and Ethernet headers. */
    for (size_t len = 0; len < STT_MIN_FRAME; len++) {
        struct dp_packet *p = push_stt(build_inner(tcp4), 0, 0, 0, 0);

        dp_packet_set_size(p, len);
        check_pop(p, STT_DROP_FRAME_LEN);
    }
    {
        struct dp_packet *p = push_stt(build_inner(tcp4), 0, 0, 0, 0);

        dp_packet_set_size(p, STT_MIN_FRAME);
        dp_packet_delete(check_pop(p, STT_OK));
    }

    /* The version. */
    {
        struct dp_packet *p = push_stt(build_inner(tcp4), 0, 0, 0, 0);

        *(uint8_t *) dp_packet_data(p) = 1;
        check_pop(p, STT_DROP_VERSION);
    }

    /* Each L4 offset but the right one. */
    for (int ofs = 0; ofs < 256; ofs++) {
        check_pop_header(tcp4, 0x0e, ofs, 0,
                         ofs == 34 ? STT_OK : STT_DROP_L4_OFFSET);
        check_pop_header(tcp6, 0x0a, ofs, 0,
                         ofs == 54 ? STT_OK : STT_DROP_L4_OFFSET);
    }

    /* V and T, each combination for each kind of packet. */
    for (uint8_t vt = 0; vt < 16; vt += 4) {
        uint8_t flags = STT_F_CSUM_PARTIAL | vt;

        check_pop_header(tcp4, flags, 34, 0,
                         flags == 0x0e ? STT_OK : STT_DROP_L4_PROTO);
        check_pop_header(tcp6, flags, 54, 0,
                         flags == 0x0a ? STT_OK : STT_DROP_L4_PROTO);
        check_pop_header(udp4, flags, 34, 0,
                         flags == 0x06 ? STT_OK : STT_DROP_L4_PROTO);
        check_pop_header(udp6, flags, 54, 0,
                         flags == 0x02 ? STT_OK : STT_DROP_L4_PROTO);
        check_pop_header(TINY(.proto = IPPROTO_ICMP), flags, 34, 0,
                         STT_DROP_L4_PROTO);
        check_pop_header(TINY(.proto = 0), flags, 34, 0, STT_DROP_L4_PROTO);
    }

    /* Fragments. */
    check_pop_header(TINY(.proto = IPPROTO_UDP,
                          .frag = htons(IP_MORE_FRAGMENTS)), 0x06, 34, 0,
                     STT_DROP_INNER_FRAG);
    check_pop_header(TINY(.proto = IPPROTO_UDP, .frag = htons(3)), 0x06, 34,
                     0, STT_DROP_INNER_FRAG);
    check_pop_header(TINY(.proto = IPPROTO_UDP, .ipv6 = true,
                          .frag = htons(1)), 0x02, 62, 0,
                     STT_DROP_INNER_FRAG);

    /* Lengths: of IPv4, of IPv6, of UDP, of the TCP header. */
    check_pop_changed(tcp4, 17, 0x1d, 0x0e, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(tcp6, 19, 0x09, 0x0a, 54, 0, STT_DROP_INNER_LEN);
    check_pop_changed(udp4, 39, 57, 0x06, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(udp4, 39, 59, 0x06, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(udp6, 59, 57, 0x02, 54, 0, STT_DROP_INNER_LEN);
    check_pop_changed(tcp4, 46, 0x40, 0x0e, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(tcp6, 66, 0x40, 0x0a, 54, 0, STT_DROP_INNER_LEN);
    check_pop_changed(SPEC(.proto = IPPROTO_TCP, .payload = 39), 46, 0xf0,
                      0x0e, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(SPEC(.proto = IPPROTO_TCP, .payload = 40), 46, 0xf0,
                      0x0e, 34, 0, STT_OK);

    /* IP too short for the L4 header, though the frame is not. */
    check_pop_changed(SPEC(.proto = IPPROTO_TCP, .payload = 0, .padding = 9),
                      17, 39, 0x0e, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(SPEC(.proto = IPPROTO_UDP, .payload = 0, .padding = 9),
                      17, 27, 0x06, 34, 0, STT_DROP_INNER_LEN);
    check_pop_changed(SPEC(.proto = IPPROTO_UDP, .payload = 0, .padding = 9,
                           .ipv6 = true), 19, 7, 0x02, 54, 0,
                      STT_DROP_INNER_LEN);

    /* MSS. */
    check_pop_header(udp4, 0x06, 34, 1000, STT_DROP_MSS);
    check_pop_header(udp6, 0x02, 54, 10, STT_DROP_MSS);
    check_pop_header(tcp4, 0x0e, 34, 1, STT_DROP_MSS);
    check_pop_header(tcp4, 0x0e, 34, STT_MIN_INNER_MSS - 1, STT_DROP_MSS);
    check_pop_header(tcp4, 0x0e, 34, STT_MIN_INNER_MSS, STT_OK);

    /* "Partial" is what counts even if "verified" is set as well. */
    check_pop_header(tcp4, 0x0f, 35, 0, STT_DROP_L4_OFFSET);
    check_pop_header(TINY(.proto = IPPROTO_ICMP), 0x07, 34, 0,
                     STT_DROP_L4_PROTO);
}

static void
test_pop_state(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const struct inner_spec *tcp4 = SPEC(.proto = IPPROTO_TCP,
                                         .payload = 500);
    struct dp_packet *p;

    /* No flags: unknown, and the other fields don't matter. */
    p = check_pop(push_stt(build_inner(tcp4), 0xf0, 99, 1400, 0x2fff),
                  STT_OK);
    CHECK(dp_packet_l4_checksum_unknown(p));
    CHECK_EQ(dp_packet_get_tso_segsz(p), 0);
    CHECK_EQ(p->offloads, 0);
    {
        struct dp_packet *q = build_inner(tcp4);

        CHECK(dp_packet_equal(p, q));
        dp_packet_delete(q);
    }
    dp_packet_delete(p);

    /* Verified. */
    p = check_pop(push_stt(build_inner(tcp4), STT_F_CSUM_VERIFIED, 0, 0, 0),
                  STT_OK);
    CHECK(dp_packet_l4_checksum_good(p));
    CHECK_EQ(dp_packet_get_tso_segsz(p), 0);
    dp_packet_delete(p);

    /* Partial, and partial with verified, without TSO; padding is taken off.
     * The field is recomputed: peers have sent a sum without the length. */
    for (uint8_t c = 0; c < 2; c++) {
        p = build_inner(SPEC(.proto = IPPROTO_TCP, .payload = 500,
                             .padding = 7));
        p = check_pop(push_stt(p, 0x0e | c, 34, 0, 0), STT_OK);
        CHECK_EQ(dp_packet_size(p), 554);
        CHECK(dp_packet_l4_checksum_partial(p));
        CHECK(dp_packet_l4_proto_tcp(p));
        CHECK_EQ(dp_packet_get_tso_segsz(p), 0);
        CHECK_EQ(l4_csum_of(p, IPPROTO_TCP), 0x1611);
        finish_and_check_l4(p, IPPROTO_TCP);
        dp_packet_delete(p);
    }

    /* TSO only if there is more than one segment. */
    for (uint16_t mss = 498; mss < 503; mss++) {
        p = check_pop(push_stt(build_inner(tcp4), 0x0e, 34, mss, 0), STT_OK);
        CHECK_EQ(dp_packet_get_tso_segsz(p), mss < 500 ? mss : 0);
        dp_packet_delete(p);
    }
    /* Even an MSS too small to honour is harmless then. */
    p = check_pop(push_stt(build_inner(SPEC(.proto = IPPROTO_TCP,
                                            .payload = 9)),
                           0x0e, 34, 9, 0), STT_OK);
    CHECK_EQ(dp_packet_get_tso_segsz(p), 0);
    dp_packet_delete(p);

    /* UDP over IPv6. */
    p = check_pop(push_stt(build_inner(TINY(.proto = IPPROTO_UDP,
                                            .ipv6 = true)),
                           0x02, 54, 0, 0), STT_OK);
    CHECK(dp_packet_l4_checksum_partial(p));
    CHECK(dp_packet_l4_proto_udp(p));
    finish_and_check_l4(p, IPPROTO_UDP);
    dp_packet_delete(p);

    /* "Verified" is believed only of what has a checksum. */
    p = check_pop(push_stt(build_inner(SPEC(.proto = IPPROTO_TCP,
                                            .payload = 500,
                                            .frag = htons(7))),
                           STT_F_CSUM_VERIFIED, 0, 0, 0), STT_OK);
    CHECK(dp_packet_l4_checksum_unknown(p));
    dp_packet_delete(p);
    p = check_pop(push_stt(build_inner(SPEC(.proto = IPPROTO_ICMP,
                                            .payload = 500)),
                           STT_F_CSUM_VERIFIED, 0, 0, 0), STT_OK);
    CHECK(dp_packet_l4_checksum_unknown(p));
    dp_packet_delete(p);
}

static void
test_pop_vlan(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint16_t tcis[] = { 0xb064, 0x1000, 0xffff, 0x1fff };

    for (size_t i = 0; i < ARRAY_SIZE(tcis); i++) {
        uint16_t tci = tcis[i] & ~0x1000;

        for (int partial = 0; partial < 2; partial++) {
            struct dp_packet *p = build_inner(TINY(.proto = IPPROTO_UDP));
            struct dp_packet *q = build_inner(TAGGED(TAG(0x8100, tci)));

            p = check_pop(push_stt(p, partial ? 0x06 : 0, partial ? 34 : 0,
                                   0, tcis[i]), STT_OK);
            if (partial) {
                CHECK_EQ(p->l4_ofs, 38);
                finish_and_check_l4(p, IPPROTO_UDP);
            }
            CHECK(dp_packet_equal(p, q));
            dp_packet_delete(p);
            dp_packet_delete(q);
        }
    }

    /* A second tag in the frame, counted by the L4 offset. */
    {
        struct dp_packet *p = build_inner(TAGGED(TAG(0x8100, 9)));
        struct dp_packet *q = build_inner(TAGGED(TAG(0x8100, 0xa064),
                                                 TAG(0x8100, 9)));

        p = check_pop(push_stt(p, 0x06, 38, 0, 0xb064), STT_OK);
        finish_and_check_l4(p, IPPROTO_UDP);
        CHECK(dp_packet_equal(p, q));
        dp_packet_delete(p);
        dp_packet_delete(q);
    }

    /* Without the bit that says so, no tag. */
    {
        struct dp_packet *p = build_inner(TINY(.proto = IPPROTO_UDP));
        struct dp_packet *q = build_inner(TINY(.proto = IPPROTO_UDP));

        p = check_pop(push_stt(p, 0, 0, 0, 0xefff), STT_OK);
        CHECK(dp_packet_equal(p, q));
        dp_packet_delete(p);
        dp_packet_delete(q);
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

/* stt_deliver(). */

/* Pops the frame that 'spec' describes, with 'mss' and, if 'partial', an
 * unfinished checksum, and delivers it.  Checks that 'n_packets' come out,
 * that they are 'finished' if they should be, else still wait for their
 * checksum, and that they add up to the payload. */
static void
check_deliver(const struct inner_spec *spec, uint16_t mss, bool tso,
              size_t n_packets, bool finished)
{
    struct dp_packet *p = build_partial(spec, 0);
    size_t l4_ofs = p->l4_ofs;
    uint8_t flags = (STT_F_CSUM_PARTIAL
                     | (spec->ipv6 ? 0 : STT_F_IPV4)
                     | (spec->proto == IPPROTO_TCP ? STT_F_TCP : 0));
    struct dp_packet_batch out;
    size_t done = 0;

    p = check_pop(push_stt(p, flags, l4_ofs, mss, 0xb064), STT_OK);
    p->md.tunnel.tun_id = htonll(KEY);
    dp_packet_batch_init(&out);
    CHECK_EQ(stt_deliver(p, tso, SIZE_MAX, &out), STT_OK);
    CHECK_EQ(dp_packet_batch_size(&out), n_packets);
    DP_PACKET_BATCH_FOR_EACH (i, p, &out) {
        bool is_tso = tso && !finished && mss && mss < spec->payload;
        size_t hdr_len = (spec->proto == IPPROTO_TCP ? TCP_HEADER_LEN
                          : UDP_HEADER_LEN);
        const uint8_t *l4 = (uint8_t *) dp_packet_data(p) + l4_ofs + 4;
        const uint8_t *l3 = (uint8_t *) dp_packet_data(p) + p->l3_ofs;
        size_t l4_len = dp_packet_size(p) - l4_ofs - 4;

        CHECK(p->md.tunnel.tun_id == htonll(KEY));
        CHECK_EQ(dp_packet_get_tso_segsz(p), is_tso ? mss : 0);
        CHECK_EQ(dp_packet_l4_checksum_partial(p), !finished);
        if (!finished && !is_tso) {
            dp_packet_ol_send_prepare(p, 0);
        }
        if (!is_tso) {
            check_ip(p);
            CHECK(l4_csum_ok(l3, l4, spec->proto, l4_len));
        }
        for (size_t j = hdr_len; j < l4_len; j++) {
            CHECK_EQ(l4[j], payload_byte(done++));
        }
    }
    CHECK_EQ(done, spec->payload);
    dp_packet_delete_batch(&out, true);
    dp_packet_batch_destroy(&out);
}

static void
test_deliver(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int tso = 0; tso < 2; tso++) {
        size_t n = tso ? 1 : 4;

        /* What OVS handles. */
        check_deliver(TINY(.proto = IPPROTO_UDP), 0, tso, 1, false);
        check_deliver(TINY(.proto = IPPROTO_TCP, .ipv6 = true), 0, tso, 1,
                      false);
        check_deliver(SPEC(.proto = IPPROTO_TCP, .payload = 500), 160, tso,
                      n, false);
        check_deliver(SPEC(.proto = IPPROTO_TCP, .payload = 500,
                           .ipv6 = true), 160, tso, n, false);
        check_deliver(SPEC(.proto = IPPROTO_TCP, .payload = 500,
                           .tags = { TAG(0x8100, 9) }), 160, tso, n, false);

        /* IPv6 extension headers, behind which it would use the wrong
         * protocol in the checksum. */
        check_deliver(TINY(.proto = IPPROTO_UDP, .ipv6 = true, .opts = 16),
                      0, tso, 1, true);
        check_deliver(SPEC(.proto = IPPROTO_TCP, .ipv6 = true, .opts = 8,
                           .payload = 500), 160, tso, 4, true);

        /* More VLAN tags than it parses. */
        check_deliver(TINY(.proto = IPPROTO_UDP,
                           .tags = { TAG(0x8100, 1), TAG(0x8100, 2) }),
                      0, tso, 1, true);
        check_deliver(SPEC(.proto = IPPROTO_TCP, .payload = 500,
                           .ipv6 = true,
                           .tags = { TAG(0x8100, 1), TAG(0x8100, 2) }),
                      160, tso, 4, true);
    }
}

/* Delivers the TCP packet that 'spec' describes to something that can't hold
 * more than 'max_len' bytes.  Checks that all of the payload gets there,
 * unless it can't be divided, since 'mss' is 0. */
static void
check_deliver_too_long(const struct inner_spec *spec, uint16_t mss,
                       size_t max_len)
{
    struct dp_packet *p = build_partial(spec, 0);
    size_t l4_ofs = p->l4_ofs, done = 0;
    struct dp_packet_batch out;

    p = check_pop(push_stt(p, (STT_F_CSUM_PARTIAL | STT_F_TCP
                               | (spec->ipv6 ? 0 : STT_F_IPV4)),
                           l4_ofs, mss, 0), STT_OK);
    p->md.tunnel.tun_id = htonll(KEY);
    dp_packet_batch_init(&out);
    CHECK_EQ(stt_deliver(p, true, max_len, &out),
             mss ? STT_OK : STT_DROP_TOO_LONG);
    if (!mss) {
        dp_packet_delete(p);
    }
    DP_PACKET_BATCH_FOR_EACH (i, p, &out) {
        const uint8_t *payload = dp_packet_get_tcp_payload(p);
        size_t len = dp_packet_get_tcp_payload_length(p);

        CHECK(dp_packet_size(p) <= max_len);
        CHECK(p->md.tunnel.tun_id == htonll(KEY));
        CHECK_EQ(dp_packet_get_tso_segsz(p), len > mss ? mss : 0);
        CHECK(dp_packet_l4_checksum_partial(p));
        for (size_t j = 0; j < len; j++) {
            CHECK_EQ(payload[j], payload_byte(done++));
        }
    }
    CHECK_EQ(done, mss ? spec->payload : 0);
    dp_packet_delete_batch(&out, true);
    dp_packet_batch_destroy(&out);
}

static void
test_deliver_too_long(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (int mss = 0; mss <= 160; mss += 80) {
            check_deliver_too_long(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                                        .payload = 5000), mss, 1000);
        }
        check_deliver_too_long(SPEC(.proto = IPPROTO_TCP, .ipv6 = ipv6,
                                    .payload = 65400), 1400,
                               UINT16_MAX - 512);
    }
}

static void
test_drop_longer(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct dp_packet_batch batch;
    struct dp_packet *p;

    dp_packet_batch_init(&batch);
    for (size_t payload = 95; payload < 105; payload++) {
        dp_packet_batch_add(&batch, build_inner(SPEC(.payload = payload)));
    }
    for (size_t payload = 105; payload > 95; payload -= 2) {
        dp_packet_batch_add(&batch, build_inner(SPEC(.payload = payload)));
    }
    CHECK_EQ(stt_drop_longer(&batch, 14 + 100), 7);
    CHECK_EQ(dp_packet_batch_size(&batch), 8);
    DP_PACKET_BATCH_FOR_EACH (i, p, &batch) {
        CHECK_EQ(dp_packet_size(p), 14 + (i < 6 ? 95 + i : 99 - 2 * (i - 6)));
    }
    dp_packet_delete_batch(&batch, true);
    CHECK_EQ(stt_drop_longer(&batch, 14 + 100), 0);
    dp_packet_batch_destroy(&batch);
}

/* Sends the packet that 'spec' describes through stt_take_vlan(), stt_split(),
 * stt_describe() and stt_fill_headers() into stt_pop_frame() and checks that
 * it comes out again as it went in. */
static void
check_round_trip(const struct inner_spec *spec, uint16_t mss, bool partial)
{
    struct dp_packet *want = build_inner(spec);
    struct dp_packet *p = (partial ? build_partial(spec, mss)
                           : mark_good(build_inner(spec)));
    ovs_be16 vlan_tci = stt_take_vlan(p);
    struct dp_packet_batch frames;
    struct stt_offload ol;
    struct tcp_header tcp;
    struct stt_header stt;
    ovs_be64 key;

    split(p, STT_MAX_FRAME_IPV6, 0, 1, &frames);
    p = frames.packets[0];
    dp_packet_batch_destroy(&frames);
    stt_describe(p, &ol);
    memset(&tcp, 0, sizeof tcp);
    memset(&stt, 0, sizeof stt);
    stt_set_context_id(&stt, htonll(KEY));
    stt_fill_headers(&tcp, &stt, STT_HEADER_LEN + dp_packet_size(p),
                     htons(40000), htonl(1), vlan_tci, &ol);
    dp_packet_push(p, &stt, sizeof stt);

    CHECK_EQ(stt_pop_frame(p, &key), STT_OK);
    CHECK(key == htonll(KEY));
    CHECK_EQ(dp_packet_get_tso_segsz(p), mss < spec->payload ? mss : 0);
    CHECK_EQ(dp_packet_l4_checksum_partial(p), partial && !spec->frag
             && spec->proto != IPPROTO_SCTP);
    dp_packet_set_tso_segsz(p, 0);
    dp_packet_ol_send_prepare(p, 0);
    CHECK(dp_packet_equal(p, want));
    dp_packet_delete(p);
    dp_packet_delete(want);
}

static void
test_round_trip(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint32_t sizes[] = { 0, 1, 2, 47, 1460, 1461, 9000, 65400 };
    static const uint32_t tags[][2] = {
        { 0, 0 },
        { TAG(0x8100, 0xa064), 0 },
        { TAG(0x8100, 0xb064), 0 },
        { TAG(0x88a8, 100), TAG(0x8100, 0x2001) },
        { TAG(0x8100, 100), TAG(0x8100, 0x2001) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t t = 0; t < ARRAY_SIZE(tags); t++) {
            for (int ipv6 = 0; ipv6 < 2; ipv6++) {
                struct inner_spec spec = {
                    .ipv6 = ipv6,
                    .payload = sizes[i],
                    .tags = { tags[t][0], tags[t][1] },
                };

                spec.proto = IPPROTO_TCP;
                check_round_trip(&spec, 0, false);
                check_round_trip(&spec, 0, true);
                check_round_trip(&spec, 1440, true);
                spec.proto = IPPROTO_UDP;
                check_round_trip(&spec, 0, false);
                check_round_trip(&spec, 0, true);
                spec.proto = 0;
                check_round_trip(&spec, 0, false);
            }
        }
    }
}

/* Vectors. */

/* An outer packet as a vector has it. */
struct vector_packet {
    struct dp_packet *packet;
    struct in6_addr src, dst;
    enum stt_drop drop;         /* If not STT_OK, 'seg' is indeterminate. */
    struct stt_segment seg;
};

/* Reads the next packet of 'pcap', checks its outer headers, and parses its
 * segment.  Returns false at the end. */
static bool
read_vector(struct pcap_file *pcap, struct vector_packet *v)
{
    const uint8_t *l3;
    struct flow flow;
    size_t l4_len;
    int error;

    error = ovs_pcap_read(pcap, &v->packet, NULL);
    if (error == EOF) {
        return false;
    }
    CHECK_EQ(error, 0);

    flow_extract(v->packet, &flow);
    CHECK_EQ(flow.nw_proto, IPPROTO_TCP);
    CHECK_EQ(flow.tp_dst, htons(STT_DST_PORT));
    l3 = dp_packet_l3(v->packet);
    if (flow.dl_type == htons(ETH_TYPE_IP)) {
        v->src = in6_addr_mapped_ipv4(flow.nw_src);
        v->dst = in6_addr_mapped_ipv4(flow.nw_dst);
        l4_len = (l3[2] << 8 | l3[3]) - IP_HEADER_LEN;
    } else {
        v->src = flow.ipv6_src;
        v->dst = flow.ipv6_dst;
        l4_len = l3[4] << 8 | l3[5];
    }

    v->drop = stt_parse_segment(dp_packet_l4(v->packet), l4_len, &v->seg);
    if (!v->drop && !stt_outer_csum_ok(v->packet, l4_len)) {
        v->drop = STT_DROP_OUTER_CSUM;
    }
    return true;
}

static struct pcap_file *
open_vector(const char *name)
{
    struct pcap_file *pcap = ovs_pcap_open(name, "rb");

    CHECK(pcap != NULL);
    stt_test_case = name;
    return pcap;
}

/* Receives all of vector 'name'.  Returns the single frame that it makes. */
static struct dp_packet *
receive_vector(const char *name, ovs_be64 *key)
{
    static const struct stt_reassembly_limits limits
        = STT_REASSEMBLY_DEFAULT_LIMITS;
    struct stt_reassembly *r = stt_reassembly_create(&limits, NULL);
    struct pcap_file *pcap = open_vector(name);
    struct dp_packet *frame = NULL;
    struct vector_packet v;
    bool ce;

    while (read_vector(pcap, &v)) {
        CHECK_EQ(v.drop, STT_OK);
        CHECK(frame == NULL);
        if (stt_segment_is_whole_frame(&v.seg)) {
            frame = dp_packet_clone_data_with_headroom(v.seg.data, v.seg.len,
                                                       64);
        } else {
            CHECK_EQ(stt_reassembly_add(r, &v.src, &v.dst, &v.seg, false, 0,
                                        &frame, &ce), STT_OK);
        }
        dp_packet_delete(v.packet);
    }
    ovs_pcap_close(pcap);
    stt_reassembly_destroy(r);

    CHECK(frame != NULL);
    CHECK_EQ(stt_pop_frame(frame, key), STT_OK);
    return frame;
}

static void
check_hex(const struct dp_packet *p, const char *hex)
{
    struct dp_packet *want = dp_packet_new(0);

    dp_packet_put_hex(want, hex, NULL);
    CHECK(dp_packet_equal(p, want));
    dp_packet_delete(want);
}

static void
test_vectors_receive(struct ovs_cmdl_context *ctx)
{
    static const char *const tso3[] = {
        "stt-tso3.pcap", "stt-tso3-reordered.pcap"
    };
    const char *dir = ctx->argv[1];
    struct dp_packet *p;
    ovs_be64 key;
    char *name;

    name = xasprintf("%s/stt-icmp.pcap", dir);
    p = receive_vector(name, &key);
    free(name);
    CHECK_EQ(ntohll(key), 42);
    CHECK(dp_packet_l4_checksum_unknown(p));
    check_hex(p, "52540000000b 52540000000a 0800"
              "4500002c 01014000 400125ce 0a000001 0a000002"
              "08000b36 12340001 5354542d6578616d706c652d49434d50");
    dp_packet_delete(p);

    name = xasprintf("%s/stt-vlan.pcap", dir);
    p = receive_vector(name, &key);
    free(name);
    CHECK_EQ(ntohll(key), 42);
    CHECK(dp_packet_l4_checksum_partial(p));
    CHECK(dp_packet_l4_proto_udp(p));
    CHECK_EQ(l4_csum_of(p, IPPROTO_UDP), 0x142c);
    dp_packet_ol_send_prepare(p, 0);
    check_hex(p, "52540000000b 52540000000a 8100a064 0800"
              "4500002c 03034000 401123bc 0a000001 0a000002"
              "4e204e21 001873de 5354542d6578616d706c652d564c414e");
    dp_packet_delete(p);

    name = xasprintf("%s/stt-ipv6-outer.pcap", dir);
    p = receive_vector(name, &key);
    free(name);
    CHECK_EQ(ntohll(key), 0xfedcba9876543210);
    CHECK(dp_packet_l4_checksum_good(p));
    check_hex(p, "52540000000b 52540000000a 86dd"
              "60200000 00210640 fd000000000000000000000000000001"
              "fd000000000000000000000000000002"
              "c35001bb aabbccdd 01020304 50187210 d2d50000"
              "5354542d6f7665722d49507636");
    dp_packet_delete(p);

    for (size_t i = 0; i < ARRAY_SIZE(tso3); i++) {
        static const size_t lens[] = { 160, 160, 160, 20 };
        struct dp_packet_batch segments;
        struct dp_packet *copy;
        size_t done = 0;

        name = xasprintf("%s/%s", dir, tso3[i]);
        p = receive_vector(name, &key);
        free(name);
        CHECK_EQ(ntohll(key), 0x0123456789abcdef);
        CHECK_EQ(dp_packet_size(p), 554);
        CHECK(dp_packet_l4_checksum_partial(p));
        CHECK(dp_packet_l4_proto_tcp(p));
        CHECK_EQ(dp_packet_get_tso_segsz(p), 160);
        CHECK_EQ(l4_csum_of(p, IPPROTO_TCP), 0x1611);

        copy = dp_packet_clone(p);
        dp_packet_set_tso_segsz(copy, 0);
        dp_packet_ol_send_prepare(copy, 0);
        CHECK_EQ(l4_csum_of(copy, IPPROTO_TCP), 0x9317);
        dp_packet_delete(copy);

        dp_packet_batch_init_packet(&segments, p);
        dp_packet_gso_batch(&segments);
        CHECK_EQ(dp_packet_batch_size(&segments), ARRAY_SIZE(lens));
        DP_PACKET_BATCH_FOR_EACH (j, p, &segments) {
            const char *data = dp_packet_get_tcp_payload(p);

            CHECK_EQ(dp_packet_get_tcp_payload_length(p), lens[j]);
            for (size_t k = 0; k < lens[j]; k++) {
                CHECK_EQ(data[k], 'a' + (done + k) % 26);
            }
            done += lens[j];
            finish_and_check_l4(p, IPPROTO_TCP);
        }
        CHECK_EQ(done, 500);
        dp_packet_delete_batch(&segments, true);
        dp_packet_batch_destroy(&segments);
    }
}

static void
test_vectors_negative(struct ovs_cmdl_context *ctx)
{
    static const enum stt_drop drops[] = {
        STT_DROP_VERSION,
        STT_OK,                 /* L4 offset without P is ignored... */
        STT_OK,                 /* ...and so is MSS. */
        STT_DROP_L4_PROTO,      /* P on ICMP, with L4 offset 0. */
        STT_DROP_DATA_OFFSET,
        STT_DROP_OUTER_CSUM,
        STT_DROP_L4_PROTO,      /* C and P on ICMP. */
        STT_OK,                 /* Reserved bits. */
        STT_OK,                 /* Window 0. */
    };
    char *name = xasprintf("%s/stt-negative.pcap", ctx->argv[1]);
    struct pcap_file *pcap = open_vector(name);
    struct vector_packet v;
    size_t n = 0;

    while (read_vector(pcap, &v)) {
        CHECK(n < ARRAY_SIZE(drops));
        if (!v.drop) {
            struct dp_packet *p;
            ovs_be64 key;

            CHECK(stt_segment_is_whole_frame(&v.seg));
            p = dp_packet_clone_data(v.seg.data, v.seg.len);
            v.drop = stt_pop_frame(p, &key);
            if (!v.drop) {
                CHECK_EQ(ntohll(key), 42);
                CHECK(dp_packet_l4_checksum_unknown(p));
                CHECK_EQ(dp_packet_get_tso_segsz(p), 0);
                check_hex(p, "52540000000b 52540000000a 0800"
                          "4500001f 00004000 400126dc 0a000001 0a000002"
                          "08002288 00090009 6e6567");
            }
            dp_packet_delete(p);
        }
        if (v.drop != drops[n]) {
            printf("packet %"PRIuSIZE": %s, should be %s\n", n + 1,
                   stt_drop_name(v.drop), stt_drop_name(drops[n]));
            exit(1);
        }
        dp_packet_delete(v.packet);
        n++;
    }
    CHECK_EQ(n, ARRAY_SIZE(drops));
    ovs_pcap_close(pcap);
    free(name);
}

/* What a vector has in its outer headers. */
struct vector_spec {
    const char *name;
    const char *outer;          /* Ethernet and IP headers, lengths etc. 0. */
    uint16_t ip_id;
    uint16_t src_port;
    uint32_t packet_id;
    uint64_t key;
    uint16_t mss;               /* Outer. */
};

/* Encapsulates 'p' as 'spec' says and checks that the result is exactly what
 * the vector has. */
static void
check_send(const char *dir, const struct vector_spec *spec,
           struct dp_packet *p)
{
    ovs_be16 vlan_tci = stt_take_vlan(p);
    struct dp_packet_batch batch;
    struct dp_packet *want;
    struct pcap_file *pcap;
    struct stt_offload ol;
    struct {
        struct tcp_header tcp;
        struct stt_header stt;
    } h;
    size_t frame_len;
    uint8_t *outer;
    char *name;

    split(p, STT_MAX_FRAME_IPV4, 0, 1, &batch);
    p = batch.packets[0];
    stt_describe(p, &ol);
    frame_len = STT_HEADER_LEN + dp_packet_size(p);

    memset(&h, 0, sizeof h);
    h.tcp.tcp_dst = htons(STT_DST_PORT);
    stt_set_context_id(&h.stt, htonll(spec->key));
    stt_fill_headers(&h.tcp, &h.stt, frame_len, htons(spec->src_port),
                     htonl(spec->packet_id), vlan_tci, &ol);
    dp_packet_push(p, &h, sizeof h);
    {
        struct dp_packet *hdr = dp_packet_new(64);
        size_t l4_len = dp_packet_size(p);

        dp_packet_put_hex(hdr, spec->outer, NULL);
        outer = dp_packet_push(p, dp_packet_data(hdr), dp_packet_size(hdr));
        p->offloads = 0;
        p->l3_ofs = ETH_HEADER_LEN;
        p->l4_ofs = dp_packet_size(hdr);
        if (outer[14] >> 4 == 4) {
            struct ip_header *ip = ALIGNED_CAST(struct ip_header *,
                                                &outer[14]);

            ip->ip_tot_len = htons(IP_HEADER_LEN + l4_len);
            ip->ip_id = htons(spec->ip_id);
            dp_packet_ip_checksum_set_partial(p);
        } else {
            outer[18] = l4_len >> 8;
            outer[19] = l4_len & 0xff;
        }
        dp_packet_delete(hdr);
    }
    dp_packet_l4_proto_set_tcp(p);
    dp_packet_l4_checksum_set_partial(p);
    dp_packet_set_tso_segsz(p, frame_len > spec->mss ? spec->mss : 0);
    dp_packet_gso_batch(&batch);

    name = xasprintf("%s/%s", dir, spec->name);
    pcap = open_vector(name);
    DP_PACKET_BATCH_FOR_EACH (i, p, &batch) {
        CHECK_EQ(ovs_pcap_read(pcap, &want, NULL), 0);
        dp_packet_ol_send_prepare(p, 0);
        if (!dp_packet_equal(p, want)) {
            printf("%s: packet %"PRIuSIZE" differs, sent:\n", spec->name,
                   i + 1);
            ovs_hex_dump(stdout, dp_packet_data(p), dp_packet_size(p), 0,
                         false);
            printf("should be:\n");
            ovs_hex_dump(stdout, dp_packet_data(want), dp_packet_size(want),
                         0, false);
            exit(1);
        }
        dp_packet_delete(want);
    }
    CHECK_EQ(ovs_pcap_read(pcap, &want, NULL), EOF);
    ovs_pcap_close(pcap);
    free(name);
    dp_packet_delete_batch(&batch, true);
    dp_packet_batch_destroy(&batch);
}

/* Returns a packet of the bytes 'hex' and 'n_alpha' letters behind. */
static struct dp_packet *
hex_packet(const char *hex, size_t n_alpha)
{
    struct dp_packet *p = dp_packet_new_with_headroom(0, 128);
    struct flow flow;

    dp_packet_put_hex(p, hex, NULL);
    for (size_t i = 0; i < n_alpha; i++) {
        char c = 'a' + i % 26;

        dp_packet_put(p, &c, 1);
    }
    flow_extract(p, &flow);
    return p;
}

static void
test_vectors_send(struct ovs_cmdl_context *ctx)
{
#define OUTER4 "020000000002 020000000001 0800" \
               "45000000 00004000 40060000 c0000201 c0000202"
#define OUTER6 "020000000002 020000000001 86dd 60200000 00000640" \
               "20010db8000000000000000000000001" \
               "20010db8000000000000000000000002"
    const char *dir = ctx->argv[1];
    struct dp_packet *p;

    p = hex_packet("52540000000b 52540000000a 0800"
                   "4500002c 01014000 400125ce 0a000001 0a000002"
                   "08000b36 12340001 5354542d6578616d706c652d49434d50", 0);
    check_send(dir, &(struct vector_spec) {
                   "stt-icmp.pcap", OUTER4, 0x1001, 40001, 0x100, 42, 1460
               }, p);

    p = hex_packet("52540000000b 52540000000a 8100a064 0800"
                   "4500002c 03034000 401123bc 0a000001 0a000002"
                   "4e204e21 0018ffff 5354542d6578616d706c652d564c414e", 0);
    dp_packet_l4_checksum_set_partial(p);
    check_send(dir, &(struct vector_spec) {
                   "stt-vlan.pcap", OUTER4, 0x1020, 40003, 0x103, 42, 1460
               }, p);

    p = hex_packet("52540000000b 52540000000a 86dd"
                   "60200000 00210640 fd000000000000000000000000000001"
                   "fd000000000000000000000000000002"
                   "c35001bb aabbccdd 01020304 50187210 d2d50000"
                   "5354542d6f7665722d49507636", 0);
    dp_packet_l4_checksum_set_good(p);
    check_send(dir, &(struct vector_spec) {
                   "stt-ipv6-outer.pcap", OUTER6, 0, 40004, 0x104,
                   0xfedcba9876543210, 1440
               }, p);

    p = hex_packet("52540000000b 52540000000a 0800"
                   "4500021c 02024000 40060000 0a000001 0a000002"
                   "c3500050 11223344 55667788 50187210 00000000", 500);
    dp_packet_ip_checksum_set_partial(p);
    dp_packet_l4_checksum_set_partial(p);
    dp_packet_set_tso_segsz(p, 160);
    check_send(dir, &(struct vector_spec) {
                   "stt-tso3.pcap", OUTER4, 0x1002, 40002, 0x101,
                   0x0123456789abcdef, 216
               }, p);
}

/* Sending through a port. */

static void
test_push_header(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* The text form of an action may have the header of IPv6 behind another
     * Ethernet type, which isn't IPv4's either. */
    static const struct { uint16_t dl_type, ip_len; } headers[] = {
        { ETH_TYPE_IP + 1, IPV6_HEADER_LEN },
        { ETH_TYPE_IP, IPV6_HEADER_LEN },
        { ETH_TYPE_IPV6, IP_HEADER_LEN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        struct ovs_action_push_tnl push = {
            .tnl_type = OVS_VPORT_TYPE_STT,
            .header_len = (ETH_HEADER_LEN + headers[i].ip_len
                           + TCP_HEADER_LEN + STT_HEADER_LEN),
        };
        struct eth_header *eth = (struct eth_header *) push.header;
        struct dp_packet *p = build_inner(SPEC(.proto = IPPROTO_TCP,
                                               .payload = 100));
        struct tcp_header *tcp
            = ALIGNED_CAST(struct tcp_header *,
                           (char *) (eth + 1) + headers[i].ip_len);
        struct dp_packet_batch batch;
        size_t n_drops;

        eth->eth_type = htons(headers[i].dl_type);
        put_16aligned_be32(&tcp->tcp_seq, htonl(1460));
        dp_packet_batch_init_packet(&batch, p);
        CHECK_EQ(netdev_stt_push_batch(NULL, NULL, &batch, &push, &n_drops),
                 EINVAL);
        CHECK_EQ(n_drops, 0);
        CHECK_EQ(dp_packet_batch_size(&batch), 1);
        CHECK(batch.packets[0] == p);
        dp_packet_delete_batch(&batch, true);
        dp_packet_batch_destroy(&batch);
    }
}

/* stt_next_packet_id(). */

static void
test_packet_ids(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const uint32_t first = UINT32_MAX - 5;
    struct stt_id_space space = { first, ATOMIC_COUNT_INIT(0) };
    struct stt_id_range a = { 0, 0 };
    struct stt_id_range b = { 0, 0 };
    uint32_t b_id;

    /* In order, across the end of the 32-bit space, each in its own block. */
    for (uint32_t i = 0; i < STT_ID_BLOCK - 10; i++) {
        CHECK_EQ(stt_next_packet_id(&space, &a), first + i);
        CHECK_EQ(stt_next_packet_id(&space, &b), first + STT_ID_BLOCK + i);
    }
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQ(stt_next_packet_id(&space, &a),
                 first + STT_ID_BLOCK - 10 + i);
    }
    CHECK_EQ(stt_next_packet_id(&space, &a), first + 2 * STT_ID_BLOCK);

    /* 'b' sends nothing while others send so much that its block is the next
     * one again.  It must not go on with what another thread gets then. */
    b_id = first + STT_ID_BLOCK + STT_ID_BLOCK - 10;
    atomic_count_set(&space.n_blocks, UINT32_MAX / STT_ID_BLOCK + 1 + 1);
    a.n_left = 0;
    for (uint32_t i = 0; i < STT_ID_BLOCK - 10; i++) {
        CHECK_EQ(stt_next_packet_id(&space, &a), first + STT_ID_BLOCK + i);
    }
    CHECK_EQ(stt_next_packet_id(&space, &b), first + 2 * STT_ID_BLOCK);
    CHECK_EQ(stt_next_packet_id(&space, &a), b_id);
}

/* Peers that are up to the flows. */

static size_t
count_learned(ovs_be16 port)
{
    struct in6_addr *addrs;
    size_t n = stt_peers_get_learned(port, &addrs);

    for (size_t i = 1; i < n; i++) {
        CHECK(memcmp(&addrs[i - 1], &addrs[i], sizeof *addrs) < 0);
    }
    free(addrs);
    return n;
}

static void
test_learned_peers(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    ovs_be16 flow = htons(1), fixed = htons(2);
    struct in6_addr addr;

    in6_addr_set_mapped_ipv4(&addr, htonl(0x0a000000));
    stt_peers_begin();
    stt_peers_add(&in6addr_any, flow);
    stt_peers_add(&addr, flow);
    stt_peers_add(&addr, fixed);
    stt_peers_end(0);

    /* The first address is another port's, and there is a limit. */
    for (uint32_t i = 0; i < STT_MAX_LEARNED * 2; i++) {
        in6_addr_set_mapped_ipv4(&addr, htonl(0x0a000000 + i));
        stt_peers_sent(&addr, flow, i);
        stt_peers_sent(&addr, flow, i);
        stt_peers_sent(&addr, fixed, i);
        CHECK_EQ(count_learned(flow), MIN(i, STT_MAX_LEARNED));
    }
    CHECK_EQ(count_learned(fixed), 0);

    /* What is not used any more makes room. */
    stt_peers_begin();
    stt_peers_add(&in6addr_any, flow);
    stt_peers_end(STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), STT_MAX_LEARNED - 10);
    stt_peers_sent(&addr, flow, STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), STT_MAX_LEARNED - 9);

    /* And without such a port, nothing is learned. */
    stt_peers_begin();
    stt_peers_end(STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), 0);
    stt_peers_sent(&addr, flow, STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), 0);
}

static void
test_stt_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "parse-inner", NULL, 0, 0, test_parse_inner, OVS_RO },
        { "parse-inner-malformed", NULL, 0, 0, test_parse_inner_malformed,
          OVS_RO },
        { "take-vlan", NULL, 0, 0, test_take_vlan, OVS_RO },
        { "limits", NULL, 0, 0, test_limits, OVS_RO },
        { "split-tso", NULL, 0, 0, test_split_tso, OVS_RO },
        { "split-guest-packet", NULL, 0, 0, test_split_guest_packet, OVS_RO },
        { "split-cwr", NULL, 0, 0, test_split_cwr, OVS_RO },
        { "split-tcp-too-long", NULL, 0, 0, test_split_tcp_too_long, OVS_RO },
        { "split-too-long", NULL, 0, 0, test_split_too_long, OVS_RO },
        { "split-cut", NULL, 0, 0, test_split_cut, OVS_RO },
        { "split-truncated", NULL, 0, 0, test_split_truncated, OVS_RO },
        { "split-ipv6-exts", NULL, 0, 0, test_split_ipv6_exts, OVS_RO },
        { "split-undescribable", NULL, 0, 0, test_split_undescribable,
          OVS_RO },
        { "split-l4-offset", NULL, 0, 0, test_split_l4_offset, OVS_RO },
        { "split-tunnel", NULL, 0, 0, test_split_tunnel, OVS_RO },
        { "describe", NULL, 0, 0, test_describe, OVS_RO },
        { "fill-headers", NULL, 0, 0, test_fill_headers, OVS_RO },
        { "parse-segment", NULL, 0, 0, test_parse_segment, OVS_RO },
        { "outer-csum", NULL, 0, 0, test_outer_csum, OVS_RO },
        { "pop-drops", NULL, 0, 0, test_pop_drops, OVS_RO },
        { "pop-state", NULL, 0, 0, test_pop_state, OVS_RO },
        { "pop-vlan", NULL, 0, 0, test_pop_vlan, OVS_RO },
        { "deliver", NULL, 0, 0, test_deliver, OVS_RO },
        { "deliver-too-long", NULL, 0, 0, test_deliver_too_long, OVS_RO },
        { "drop-longer", NULL, 0, 0, test_drop_longer, OVS_RO },
        { "round-trip", NULL, 0, 0, test_round_trip, OVS_RO },
        { "push-header", NULL, 0, 0, test_push_header, OVS_RO },
        { "packet-ids", NULL, 0, 0, test_packet_ids, OVS_RO },
        { "learned-peers", NULL, 0, 0, test_learned_peers, OVS_RO },
        { "vectors-receive", "DIR", 1, 1, test_vectors_receive, OVS_RO },
        { "vectors-negative", "DIR", 1, 1, test_vectors_negative, OVS_RO },
        { "vectors-send", "DIR", 1, 1, test_vectors_send, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt", test_stt_main);
