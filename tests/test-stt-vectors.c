/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests with the captures in tests/stt-vectors.  Each command is one
 * test; see tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "ovstest.h"
#include "packets.h"
#include "pcap-file.h"
#include "stt-reassembly.h"
#include "test-stt.h"
#include "util.h"

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

static void
test_stt_vectors_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "receive", "DIR", 1, 1, test_vectors_receive, OVS_RO },
        { "negative", "DIR", 1, 1, test_vectors_negative, OVS_RO },
        { "send", "DIR", 1, 1, test_vectors_send, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-vectors", test_stt_vectors_main);
