/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of what becomes of a frame received.  Each command is one test;
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
#include "util.h"

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

/* Sending and receiving. */

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

static void
test_stt_receive_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "pop-drops", NULL, 0, 0, test_pop_drops, OVS_RO },
        { "pop-state", NULL, 0, 0, test_pop_state, OVS_RO },
        { "pop-vlan", NULL, 0, 0, test_pop_vlan, OVS_RO },
        { "deliver", NULL, 0, 0, test_deliver, OVS_RO },
        { "deliver-too-long", NULL, 0, 0, test_deliver_too_long, OVS_RO },
        { "drop-longer", NULL, 0, 0, test_drop_longer, OVS_RO },
        { "round-trip", NULL, 0, 0, test_round_trip, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-receive", test_stt_receive_main);
