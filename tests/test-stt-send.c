/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of what is sent, by lib/stt.c and by a port, but for stt_split().
 * Each command is one test; see tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "netdev-stt.h"
#include "odp-netlink.h"
#include "ovs-thread.h"
#include "ovstest.h"
#include "packets.h"
#include "test-stt.h"
#include "unaligned.h"
#include "util.h"

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

/* Limits. */

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

/* Packet IDs. */

#define N_THREADS 4
#define N_FRAMES 10000          /* Of each thread, in several blocks. */

/* Stores the packet IDs of N_FRAMES frames in 'ids_'. */
static void *
id_main(void *ids_)
{
    struct ovs_action_push_tnl push = {
        .tnl_type = OVS_VPORT_TYPE_STT,
        .header_len = (ETH_HEADER_LEN + IP_HEADER_LEN + TCP_HEADER_LEN
                       + STT_HEADER_LEN),
    };
    struct eth_header *eth = (struct eth_header *) push.header;
    struct ip_header *ip = (struct ip_header *) (eth + 1);
    struct tcp_header *tcp = (struct tcp_header *) (ip + 1);
    uint32_t *ids = ids_;

    eth->eth_type = htons(ETH_TYPE_IP);
    ip->ip_ihl_ver = IP_IHL_VER(5, 4);
    ip->ip_proto = IPPROTO_TCP;
    put_16aligned_be32(&tcp->tcp_seq, htonl(1460));

    for (size_t i = 0; i < N_FRAMES; i++) {
        struct dp_packet_batch batch;
        size_t n_drops;

        dp_packet_batch_init_packet(&batch, build_inner(TINY(.proto = 0)));
        CHECK_EQ(netdev_stt_push_batch(NULL, NULL, &batch, &push, &n_drops),
                 0);
        CHECK_EQ(n_drops, 0);
        CHECK_EQ(dp_packet_batch_size(&batch), 1);
        tcp = tcp_of(batch.packets[0]);
        ids[i] = ntohl(get_16aligned_be32(&tcp->tcp_ack));
        dp_packet_delete_batch(&batch, true);
        dp_packet_batch_destroy(&batch);
    }
    return NULL;
}

static int
compare_ids(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
test_packet_ids(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Threads send at the same time, but no two frames have the same packet
     * ID.  Which one is the first must be different next time. */
    static uint32_t ids[N_THREADS * N_FRAMES];
    pthread_t threads[N_THREADS];

    for (size_t i = 0; i < N_THREADS; i++) {
        threads[i] = ovs_thread_create("sender", id_main, &ids[i * N_FRAMES]);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        xpthread_join(threads[i], NULL);
    }

    qsort(ids, ARRAY_SIZE(ids), sizeof *ids, compare_ids);
    for (size_t i = 1; i < ARRAY_SIZE(ids); i++) {
        CHECK(ids[i - 1] != ids[i]);
    }
    printf("%"PRIu32"\n", ids[0]);
}

/* stt_next_packet_id(). */

static void
test_packet_id_blocks(struct ovs_cmdl_context *ctx OVS_UNUSED)
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

static void
test_stt_send_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "take-vlan", NULL, 0, 0, test_take_vlan, OVS_RO },
        { "limits", NULL, 0, 0, test_limits, OVS_RO },
        { "describe", NULL, 0, 0, test_describe, OVS_RO },
        { "fill-headers", NULL, 0, 0, test_fill_headers, OVS_RO },
        { "push-header", NULL, 0, 0, test_push_header, OVS_RO },
        { "packet-ids", NULL, 0, 0, test_packet_ids, OVS_RO },
        { "packet-id-blocks", NULL, 0, 0, test_packet_id_blocks, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-send", test_stt_send_main);
