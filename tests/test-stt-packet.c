/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* What the unit tests of STT have in common: inner packets, and checks of what
 * becomes of them. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "flow.h"
#include "packets.h"
#include "test-stt.h"
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

uint16_t
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
uint16_t
pseudo_sum(const uint8_t *l3, uint8_t proto, uint32_t l4_len)
{
    uint32_t sum = proto + (l4_len >> 16) + (l4_len & 0xffff);

    sum = (sum & 0xffff) + (sum >> 16);
    return l3[0] >> 4 == 4 ? sum16(l3 + 12, 8, sum) : sum16(l3 + 8, 32, sum);
}

/* Whether the checksum of an L4 packet is right. */
bool
l4_csum_ok(const uint8_t *l3, const uint8_t *l4, uint8_t proto, size_t l4_len)
{
    return sum16(l4, l4_len, pseudo_sum(l3, proto, l4_len)) == 0xffff;
}

/* Inner packets. */

uint8_t
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
struct dp_packet *
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
struct dp_packet *
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

struct tcp_header *
tcp_of(struct dp_packet *p)
{
    CHECK(dp_packet_l4(p) != NULL);
    return dp_packet_l4(p);
}

uint16_t
l4_csum_of(struct dp_packet *p, uint8_t proto)
{
    ovs_be16 sum;

    memcpy(&sum, (char *) dp_packet_l4(p) + (proto == IPPROTO_TCP ? 16 : 6),
           sizeof sum);
    return ntohs(sum);
}

/* Checks that the lengths and the IPv4 checksum of 'p' are right. */
void
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
void
finish_and_check_l4(struct dp_packet *p, uint8_t proto)
{
    dp_packet_ol_send_prepare(p, 0);
    check_ip(p);
    CHECK(l4_csum_ok(dp_packet_l3(p), dp_packet_l4(p), proto,
                     dp_packet_size(p) - p->l4_ofs));
}

struct dp_packet *
mark_good(struct dp_packet *p)
{
    dp_packet_l4_checksum_set_good(p);
    return p;
}

/* Passes 'p' through stt_split() and checks the number of drops and of frames,
 * and that none of them is longer than 'max_frame'. */
void
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
