/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/gro.c.  Each command is one test; see tests/gro.at.
 *
 * They compare what merging and then segmenting again makes of packets with
 * what the packets were before, byte by byte and with all checksums. */

#include <config.h>
#undef NDEBUG
#include "gro.h"

#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>

#include "csum.h"
#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "test-stt.h"
#include "unaligned.h"
#include "util.h"

/* States of checksums that a port reports. */
enum state { UNKNOWN, GOOD, PARTIAL };

/* Computes what has been left to others. */
static void
finish(struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        dp_packet_ol_send_prepare(packet, 0);
    }
}

/* Sets the checksums of 'packet', which is TCP without IP options, to what
 * they should be. */
static void
set_csums(struct dp_packet *packet)
{
    struct ip_header *ip = dp_packet_l3(packet);

    if (IP_VER(ip->ip_ihl_ver) == 4) {
        ip->ip_csum = 0;
        ip->ip_csum = csum(ip, IP_HEADER_LEN);
    }
    packet_tcp_complete_csum(packet, false);
}

/* Appends to 'batch' the segments of 'mss' bytes of the packet that 'spec'
 * describes, with 'state' of checksums, as from the port of a guest. */
static void
add_segments(struct dp_packet_batch *batch, const struct inner_spec *spec,
             uint16_t mss, enum state state)
{
    struct dp_packet_batch segments;
    struct dp_packet *packet;

    dp_packet_batch_init_packet(&segments, build_partial(spec, mss));
    dp_packet_gso_batch(&segments);
    finish(&segments);
    DP_PACKET_BATCH_FOR_EACH (i, packet, &segments) {
        dp_packet_set_tso_segsz(packet, 0);
        packet->offloads = 0;
        if (state == GOOD) {
            dp_packet_ip_checksum_set_good(packet);
            dp_packet_l4_checksum_set_good(packet);
        } else if (state == PARTIAL) {
            dp_packet_l4_proto_set_tcp(packet);
            dp_packet_l4_checksum_set_partial(packet);
            tcp_of(packet)->tcp_csum = htons(0x5a5a);
        }
        dp_packet_batch_add(batch, packet);
    }
    dp_packet_batch_destroy(&segments);
}

/* Checks that 'is' and 'should' have the same bytes. */
static void
check_same(const struct dp_packet *is, const struct dp_packet *should)
{
    CHECK_EQ(dp_packet_size(is), dp_packet_size(should));
    for (size_t i = 0; i < dp_packet_size(is); i++) {
        CHECK_EQ(*(uint8_t *) dp_packet_at_assert(is, i, 1),
                 *(uint8_t *) dp_packet_at_assert(should, i, 1));
    }
}

/* A copy of 'batch' for later, with all checksums. */
static void
remember(struct dp_packet_batch *copy, struct dp_packet_batch *batch)
{
    dp_packet_batch_clone(copy, batch);
    finish(copy);
}

static void
destroy(struct dp_packet_batch *batch)
{
    dp_packet_delete_batch(batch, true);
    dp_packet_batch_destroy(batch);
}

/* Merges 'batch', checks that 'n' packets are left, segments it again and
 * checks that it is what it was.  Frees 'batch'. */
static void
check_merge(struct dp_packet_batch *batch, size_t n)
{
    size_t before = dp_packet_batch_size(batch);
    struct dp_packet_batch copy;
    struct gro_result result;
    struct dp_packet *packet;

    remember(&copy, batch);
    result = gro_batch(batch);
    CHECK_EQ(dp_packet_batch_size(batch), n);
    CHECK_EQ(result.segments - result.packets, before - n);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        if (dp_packet_get_tso_segsz(packet)) {
            CHECK(dp_packet_size(packet) <= GRO_MAX_LEN);
            CHECK(dp_packet_l4_checksum_partial(packet));
            CHECK(dp_packet_l4_proto_tcp(packet));
            CHECK(dp_packet_headroom(packet) >= 128);
            CHECK_EQ(packet->md.in_port.odp_port, 7);
        }
    }

    dp_packet_gso_batch(batch);
    finish(batch);
    CHECK_EQ(dp_packet_batch_size(batch), before);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        check_same(packet, copy.packets[i]);
    }
    destroy(&copy);
    destroy(batch);
}

static void
set_port(struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        pkt_metadata_init(&packet->md, 7);
    }
}

/* Sets the IPv4 ID of 'packet' and whether it may be fragmented. */
static void
set_id(struct dp_packet *packet, uint16_t id, bool dont_fragment)
{
    struct ip_header *ip = dp_packet_l3(packet);

    ip->ip_id = htons(id);
    ip->ip_frag_off = dont_fragment ? htons(IP_DONT_FRAGMENT) : 0;
    set_csums(packet);
    packet->offloads = 0;
}

/* IPv4 IDs that count up, that are all the same, and others. */
static void
test_ip_id(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint16_t ids[5];
        size_t n;               /* Packets left. */
        size_t n_df;            /* The same, without fragmentation. */
    } cases[] = {
        /* Up. */
        { { 0, 1, 2, 3, 4 }, 1, 1 },
        { { 0xfffd, 0xfffe, 0xffff, 0, 1 }, 1, 1 },
        /* The same. */
        { { 0, 0, 0, 0, 0 }, 5, 1 },
        { { 0xffff, 0xffff, 0xffff, 0xffff, 0xffff }, 5, 1 },
        /* First the one, then the other. */
        { { 0, 1, 1, 1, 1 }, 4, 2 },
        { { 7, 7, 8, 9, 10 }, 2, 2 },
        { { 7, 7, 9, 10, 11 }, 3, 2 },
        { { 7, 8, 9, 7, 7 }, 3, 2 },
        /* Neither. */
        { { 4, 3, 2, 1, 0 }, 5, 5 },
        { { 0, 2, 4, 6, 8 }, 5, 5 },
        { { 5, 5, 6, 6, 6 }, 4, 2 },
        { { 0, 256, 512, 768, 1024 }, 5, 5 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int df = 0; df < 2; df++) {
            size_t left = df ? cases[i].n_df : cases[i].n;
            struct dp_packet_batch batch, copy;
            struct dp_packet *packet;
            size_t n_segs = 0;
            char name[32];

            snprintf(name, sizeof name, "case %"PRIuSIZE" DF %d", i, df);
            stt_test_case = name;
            dp_packet_batch_init(&batch);
            add_segments(&batch, SPEC(.proto = IPPROTO_TCP, .payload = 4500),
                         1000, UNKNOWN);
            set_port(&batch);
            CHECK_EQ(dp_packet_batch_size(&batch), 5);
            DP_PACKET_BATCH_FOR_EACH (k, packet, &batch) {
                set_id(packet, cases[i].ids[k], df);
            }
            remember(&copy, &batch);
            gro_batch(&batch);
            CHECK_EQ(dp_packet_batch_size(&batch), left);

            /* The IDs of each packet's segments count up. */
            DP_PACKET_BATCH_FOR_EACH (k, packet, &batch) {
                const struct ip_header *ip = dp_packet_l3(packet);
                size_t n = 1;

                CHECK_EQ(ntohs(ip->ip_id), cases[i].ids[n_segs]);
                if (dp_packet_get_tso_segsz(packet)) {
                    n = dp_packet_gso_nr_segs(packet);
                }
                for (size_t j = 0; j < n; j++) {
                    set_id(copy.packets[n_segs + j],
                           cases[i].ids[n_segs] + j, df);
                }
                n_segs += n;
            }
            dp_packet_gso_batch(&batch);
            finish(&batch);
            CHECK_EQ(dp_packet_batch_size(&batch), 5);
            DP_PACKET_BATCH_FOR_EACH (k, packet, &batch) {
                check_same(packet, copy.packets[k]);
            }
            destroy(&copy);
            destroy(&batch);
        }
    }
    stt_test_case = NULL;
}

/* What can be merged, of any kind and length. */
static void
test_merge(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint16_t msss[] = { 1, 88, 536, 1448, 8948, 32000 };
    static const uint32_t tags[] = { 0, TAG(0x8100, 5), TAG(0x88a8, 9) };

    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (size_t m = 0; m < ARRAY_SIZE(msss); m++) {
            uint32_t mss = msss[m];
            const uint32_t payloads[] = {
                1, mss, mss + 1, 2 * mss, 2 * mss + 1, 3 * mss - 1, 20 * mss,
                33 * mss, 64000
            };

            for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
                if (payloads[i] > 64000 || payloads[i] / mss > 2000) {
                    continue;
                }
                for (int state = UNKNOWN; state <= PARTIAL; state++) {
                    const struct inner_spec spec = {
                        .ipv6 = ipv6,
                        .proto = IPPROTO_TCP,
                        .payload = payloads[i],
                        .tcp_opts = i % 2 ? 12 : 0,
                        .tcp_flags = i % 3 ? 0 : TCP_PSH,
                        .tags = { tags[i % 3], i % 3 == 2 ? tags[1] : 0 },
                        .ecn = i % 4,
                    };
                    struct dp_packet_batch batch;

                    dp_packet_batch_init(&batch);
                    add_segments(&batch, &spec, mss, state);
                    set_port(&batch);
                    check_merge(&batch, 1);
                }
            }
        }
    }
}

/* Packets that are too long together become several. */
static void
test_limit(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct dp_packet_batch batch;

        dp_packet_batch_init(&batch);
        add_segments(&batch, SPEC(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                                  .payload = 65400), 1448, UNKNOWN);
        set_port(&batch);
        check_merge(&batch, 2);
    }
}

enum change {
    NOTHING,
    SEQ_GAP, SEQ_BACK, ACK_DIFFERS, WINDOW, URGENT, OPTIONS, RESERVED, NONCE,
    NO_ACK, FIN, SYN, RST, URG, ECE, CWR,
    SRC_PORT, DST_PORT, SRC_IP, DST_IP, TTL, CE, IP_ID_GAP, DONT_FRAGMENT,
    FRAGMENT, FLOW_LABEL, MAC, VLAN, LONGER, SHORTER, PADDING,
    BAD_L4_CSUM, BAD_IP_CSUM, MARKED_BAD, TSO, CUT, TUNNEL, PUSH, RSS_HASH,
    N_CHANGES
};

/* Of metadata. */
enum md_change {
    MD_NOTHING,
    MD_RECIRC, MD_DP_HASH, MD_SKB_PRIORITY, MD_PKT_MARK, MD_IN_PORT,
    MD_ORIG_IN_PORT, MD_CONN, MD_REPLY, MD_FLOW_MARK, MD_NO_FLOW_MARK,
    MD_CT_STATE, MD_CT_UNTRACKED, MD_CT_ZONE, MD_CT_MARK, MD_CT_LABEL,
    MD_CT_TUPLE_SRC, MD_CT_TUPLE_DST, MD_CT_TUPLE_SPORT, MD_CT_TUPLE_DPORT,
    MD_CT_TUPLE_PROTO, MD_CT_TUPLE_FAMILY,
    MD_TNL_DST, MD_TNL_SRC, MD_TNL_ID, MD_TNL_TOS, MD_TNL_FLAGS, MD_TNL_PORT,
    MD_TNL_GBP, MD_TNL_OPT, MD_TNL_OPT_LEN, MD_TNL_NONE,
    N_MD_CHANGES
};

static void
add_seq(struct dp_packet *packet, int n)
{
    struct tcp_header *tcp = tcp_of(packet);
    uint32_t seq = ntohl(get_16aligned_be32(&tcp->tcp_seq));

    put_16aligned_be32(&tcp->tcp_seq, htonl(seq + n));
}

/* Changes the middle one of three segments.  Returns how many packets are left
 * when they are merged, or 0 if this can't be done with 'packet'. */
static size_t
change(struct dp_packet *packet, enum change what, bool ipv6)
{
    size_t left = 3;

    if (what == LONGER) {
        dp_packet_put_zeros(packet, 1);
    } else if (what == SHORTER) {
        dp_packet_set_size(packet, dp_packet_size(packet) - 1);
    } else if (what == PADDING) {
        dp_packet_put_zeros(packet, 6);
        dp_packet_set_l2_pad_size(packet, 6);
    }

    struct tcp_header *tcp = tcp_of(packet);
    struct ip_header *ip = dp_packet_l3(packet);
    struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(packet);
    uint8_t *l3 = dp_packet_l3(packet);

    switch (what) {
    case NOTHING: left = 1; break;
    case SEQ_GAP: add_seq(packet, 1); break;
    case SEQ_BACK: add_seq(packet, -1000); break;
    case ACK_DIFFERS: put_16aligned_be32(&tcp->tcp_ack, htonl(77)); break;
    case WINDOW: tcp->tcp_winsz ^= htons(4); break;
    case URGENT: tcp->tcp_urg = htons(1); break;
    case OPTIONS: ((uint8_t *) (tcp + 1))[11] ^= 1; break;
    case RESERVED: tcp->tcp_ctl ^= htons(0x400); break;
    case NONCE: tcp->tcp_ctl ^= htons(0x100); break;
    case NO_ACK: tcp->tcp_ctl ^= htons(TCP_ACK); break;
    case FIN: tcp->tcp_ctl ^= htons(TCP_FIN); break;
    case SYN: tcp->tcp_ctl ^= htons(TCP_SYN); break;
    case RST: tcp->tcp_ctl ^= htons(TCP_RST); break;
    case URG: tcp->tcp_ctl ^= htons(TCP_URG); break;
    case ECE: tcp->tcp_ctl ^= htons(TCP_ECE); break;
    case CWR: tcp->tcp_ctl ^= htons(TCP_CWR); break;
    case SRC_PORT: tcp->tcp_src ^= htons(1); break;
    case DST_PORT: tcp->tcp_dst ^= htons(1); break;
    case SRC_IP: l3[ipv6 ? 23 : 15] ^= 4; break;
    case DST_IP: l3[ipv6 ? 39 : 19] ^= 4; break;
    case TTL: l3[ipv6 ? 7 : 8] ^= 1; break;
    case CE: l3[1] ^= ipv6 ? 0x30 : 3; break;
    case IP_ID_GAP: ip->ip_id ^= htons(0x8000); break;
    case DONT_FRAGMENT: ip->ip_frag_off ^= htons(IP_DONT_FRAGMENT); break;
    case FRAGMENT: ip->ip_frag_off ^= htons(IP_MORE_FRAGMENTS); break;
    case FLOW_LABEL: l3[3] ^= 1; break;
    case MAC: ((uint8_t *) dp_packet_data(packet))[11] ^= 1; break;
    case VLAN: ((uint8_t *) dp_packet_data(packet))[15] ^= 1; break;
    case LONGER: case SHORTER:
        if (ipv6) {
            ip6->ip6_plen = htons(dp_packet_l4_size(packet));
        } else {
            ip->ip_tot_len = htons(dp_packet_l3_size(packet));
        }
        left = 2;
        break;
    case PADDING: break;
    case BAD_L4_CSUM: case BAD_IP_CSUM: case MARKED_BAD: break;
    case TSO: dp_packet_set_tso_segsz(packet, 1000); break;
    case CUT: dp_packet_set_cutlen(packet, 700); break;
    case TUNNEL: dp_packet_tunnel_set_vxlan(packet); break;
    case PUSH: tcp->tcp_ctl ^= htons(TCP_PSH); left = 2; break;
    case RSS_HASH: dp_packet_set_rss_hash(packet, 5); left = 1; break;
    case N_CHANGES: OVS_NOT_REACHED();
    }

    if (ipv6 && (what == IP_ID_GAP || what == DONT_FRAGMENT
                 || what == FRAGMENT || what == BAD_IP_CSUM)) {
        return 0;
    } else if (!ipv6 && what == FLOW_LABEL) {
        return 0;
    }
    set_csums(packet);
    if (what == BAD_L4_CSUM) {
        tcp->tcp_csum ^= htons(1);
    } else if (what == BAD_IP_CSUM) {
        ip->ip_csum ^= htons(1);
    }
    packet->offloads &= DP_PACKET_OL_TUNNEL_MASK;
    if (what == MARKED_BAD) {
        dp_packet_l4_checksum_set_bad(packet);
    }
    return left;
}

/* What must not be merged.  The expected number of packets is in change(). */
static void
test_refuse(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (enum change what = NOTHING; what < N_CHANGES; what++) {
            const struct inner_spec spec = {
                .ipv6 = ipv6,
                .proto = IPPROTO_TCP,
                .payload = 3000,
                .tcp_opts = 12,
                .tags = { TAG(0x8100, 5) },
            };
            struct dp_packet_batch batch, copy;
            char name[32];
            size_t left;

            snprintf(name, sizeof name, "IPv%d change %d", ipv6 ? 6 : 4, what);
            stt_test_case = name;
            dp_packet_batch_init(&batch);
            add_segments(&batch, &spec, 1000, UNKNOWN);
            set_port(&batch);
            left = change(batch.packets[1], what, ipv6);
            if (!left) {
                destroy(&batch);
                continue;
            }
            if (what == SHORTER || what == LONGER) {
                /* The last one is next to it.  It can be merged with a longer
                 * one, but not with what has a shorter one in it. */
                add_seq(batch.packets[2], what == SHORTER ? -1 : 1);
                set_csums(batch.packets[2]);
                batch.packets[2]->offloads = 0;
            }
            if (left < 3) {
                check_merge(&batch, left);
                continue;
            }

            /* These may be what can't be segmented. */
            dp_packet_batch_clone(&copy, &batch);
            CHECK_EQ(gro_batch(&batch).segments, 0);
            CHECK_EQ(dp_packet_batch_size(&batch), 3);
            for (size_t i = 0; i < 3; i++) {
                check_same(batch.packets[i], copy.packets[i]);
                CHECK_EQ(dp_packet_get_tso_segsz(batch.packets[i]),
                         dp_packet_get_tso_segsz(copy.packets[i]));
            }
            destroy(&copy);
            destroy(&batch);
        }
    }
    stt_test_case = NULL;
}

/* Gives 'packet' metadata none of which is 0. */
static void
fill_md(struct dp_packet *packet, bool ipv6)
{
    static char conn;
    struct pkt_metadata *md = &packet->md;
    struct flow_tnl *tnl = &md->tunnel;

    /* What nobody may look at differs. */
    memset(md, random_uint32(), sizeof *md);
    md->recirc_id = 2;
    md->dp_hash = 3;
    md->skb_priority = 4;
    md->pkt_mark = 5;
    md->in_port.odp_port = 7;
    md->orig_in_port = 6;
    md->conn = (struct conn *) &conn;
    md->reply = true;
    dp_packet_set_flow_mark(packet, 8);

    md->ct_state = CS_TRACKED | CS_ESTABLISHED;
    md->ct_zone = 9;
    md->ct_mark = 10;
    md->ct_label = (ovs_u128) { .u64 = { .hi = 11, .lo = 12 } };
    md->ct_orig_tuple_ipv6 = ipv6;
    if (ipv6) {
        struct ovs_key_ct_tuple_ipv6 *tuple = &md->ct_orig_tuple.ipv6;

        memset(&tuple->ipv6_src, 13, sizeof tuple->ipv6_src);
        memset(&tuple->ipv6_dst, 14, sizeof tuple->ipv6_dst);
        tuple->src_port = htons(15);
        tuple->dst_port = htons(16);
        tuple->ipv6_proto = IPPROTO_TCP;
    } else {
        struct ovs_key_ct_tuple_ipv4 *tuple = &md->ct_orig_tuple.ipv4;

        tuple->ipv4_src = htonl(13);
        tuple->ipv4_dst = htonl(14);
        tuple->src_port = htons(15);
        tuple->dst_port = htons(16);
        tuple->ipv4_proto = IPPROTO_TCP;
    }

    memset(tnl, 0, sizeof *tnl);
    tnl->ip_src = htonl(17);
    tnl->ip_dst = htonl(18);
    tnl->tun_id = htonll(19);
    tnl->flags = FLOW_TNL_F_KEY | FLOW_TNL_F_UDPIF;
    tnl->ip_tos = 20;
    tnl->tp_src = htons(21);
    tnl->gbp_id = htons(22);
    tnl->metadata.present.len = 8;
    memset(tnl->metadata.opts.gnv, 23, 8);
}

/* Changes metadata from fill_md().  Returns how many packets are left when
 * three segments are merged of which the middle one has that. */
static size_t
change_md(struct dp_packet *packet, enum md_change what, bool ipv6)
{
    struct pkt_metadata *md = &packet->md;
    struct ovs_key_ct_tuple_ipv4 *tuple4 = &md->ct_orig_tuple.ipv4;
    struct ovs_key_ct_tuple_ipv6 *tuple6 = &md->ct_orig_tuple.ipv6;
    struct flow_tnl *tnl = &md->tunnel;

    switch (what) {
    case MD_NOTHING: return 1;
    case MD_RECIRC: md->recirc_id++; break;
    case MD_DP_HASH: md->dp_hash++; break;
    case MD_SKB_PRIORITY: md->skb_priority++; break;
    case MD_PKT_MARK: md->pkt_mark++; break;
    case MD_IN_PORT: md->in_port.odp_port++; break;
    case MD_ORIG_IN_PORT: md->orig_in_port++; break;
    case MD_CONN: md->conn = NULL; break;
    case MD_REPLY: md->reply = false; break;
    case MD_FLOW_MARK: dp_packet_set_flow_mark(packet, 1); break;
    case MD_NO_FLOW_MARK: packet->has_mark = false; break;
    case MD_CT_STATE: md->ct_state ^= CS_REPLY_DIR; break;
    case MD_CT_UNTRACKED: md->ct_state = 0; break;
    case MD_CT_ZONE: md->ct_zone ^= 0x100; break;
    case MD_CT_MARK: md->ct_mark ^= 0x10000; break;
    case MD_CT_LABEL: md->ct_label.u64.hi ^= 1ull << 63; break;
    case MD_CT_TUPLE_SRC:
        if (ipv6) {
            tuple6->ipv6_src.s6_addr[15]++;
        } else {
            tuple4->ipv4_src ^= htonl(1);
        }
        break;
    case MD_CT_TUPLE_DST:
        if (ipv6) {
            tuple6->ipv6_dst.s6_addr[15]++;
        } else {
            tuple4->ipv4_dst ^= htonl(1);
        }
        break;
    case MD_CT_TUPLE_SPORT:
        *(ipv6 ? &tuple6->src_port : &tuple4->src_port) ^= htons(1);
        break;
    case MD_CT_TUPLE_DPORT:
        *(ipv6 ? &tuple6->dst_port : &tuple4->dst_port) ^= htons(1);
        break;
    case MD_CT_TUPLE_PROTO:
        *(ipv6 ? &tuple6->ipv6_proto : &tuple4->ipv4_proto) = IPPROTO_UDP;
        break;
    case MD_CT_TUPLE_FAMILY: md->ct_orig_tuple_ipv6 = !ipv6; break;
    case MD_TNL_DST: tnl->ip_dst ^= htonl(1); break;
    case MD_TNL_SRC: tnl->ip_src ^= htonl(1); break;
    case MD_TNL_ID: tnl->tun_id ^= htonll(1ull << 40); break;
    case MD_TNL_TOS: tnl->ip_tos ^= 3; break;
    case MD_TNL_FLAGS: tnl->flags ^= FLOW_TNL_F_CSUM; break;
    case MD_TNL_PORT: tnl->tp_src ^= htons(1); break;
    case MD_TNL_GBP: tnl->gbp_id ^= htons(1); break;
    case MD_TNL_OPT: ((uint8_t *) tnl->metadata.opts.gnv)[7]++; break;
    case MD_TNL_OPT_LEN: tnl->metadata.present.len = 4; break;
    case MD_TNL_NONE: tnl->ip_dst = htonl(0); break;
    case N_MD_CHANGES: OVS_NOT_REACHED();
    }
    return 3;
}

/* What the switch knows about a packet must be the same. */
static void
test_metadata(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (enum md_change what = MD_NOTHING; what < N_MD_CHANGES; what++) {
            struct dp_packet_batch batch;
            struct dp_packet *packet;
            char name[32];
            size_t left;

            snprintf(name, sizeof name, "IPv%d change %d", ipv6 ? 6 : 4, what);
            stt_test_case = name;
            dp_packet_batch_init(&batch);
            add_segments(&batch, SPEC(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                                      .payload = 3000), 1000, UNKNOWN);
            DP_PACKET_BATCH_FOR_EACH (i, packet, &batch) {
                fill_md(packet, ipv6);
            }
            left = change_md(batch.packets[1], what, ipv6);
            check_merge(&batch, left);
        }

        /* What is valid only if something else is there. */
        for (int tracked = 0; tracked < 2; tracked++) {
            struct dp_packet_batch batch;
            struct dp_packet *packet;

            stt_test_case = tracked ? "tracked" : "untracked";
            dp_packet_batch_init(&batch);
            add_segments(&batch, SPEC(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                                      .payload = 3000), 1000, UNKNOWN);
            DP_PACKET_BATCH_FOR_EACH (i, packet, &batch) {
                memset(&packet->md, 0x55 + i, sizeof packet->md);
                pkt_metadata_init(&packet->md, 7);
                packet->md.ct_state = tracked ? CS_TRACKED : 0;
            }
            check_merge(&batch, tracked ? 3 : 1);
        }
    }
    stt_test_case = NULL;
}

/* Padding and reserved bits of all segments would get lost. */
static void
test_refuse_all(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (int what = 0; what < 3; what++) {
            struct dp_packet_batch batch;
            struct dp_packet *packet;

            dp_packet_batch_init(&batch);
            add_segments(&batch, SPEC(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                                      .payload = 15), 5, UNKNOWN);
            set_port(&batch);
            DP_PACKET_BATCH_FOR_EACH (i, packet, &batch) {
                if (what == 0) {
                    dp_packet_put_zeros(packet, 1);
                    dp_packet_set_l2_pad_size(packet, 1);
                } else {
                    tcp_of(packet)->tcp_ctl |= htons(what == 1 ? TCP_CWR
                                                               : 0x800);
                    set_csums(packet);
                    packet->offloads = 0;
                }
            }
            check_merge(&batch, 3);
        }

        /* Nor does padding become payload. */
        struct dp_packet_batch batch;

        dp_packet_batch_init(&batch);
        add_segments(&batch, SPEC(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                                  .payload = 14), 5, GOOD);
        set_port(&batch);
        dp_packet_put_zeros(batch.packets[2], 1);
        dp_packet_set_l2_pad_size(batch.packets[2], 1);
        check_merge(&batch, 2);
    }
}

/* Moves the packet at 'from' in 'batch' to 'to'. */
static void
move(struct dp_packet_batch *batch, size_t from, size_t to)
{
    struct dp_packet *packet = batch->packets[from];

    for (; from > to; from--) {
        batch->packets[from] = batch->packets[from - 1];
    }
    for (; from < to; from++) {
        batch->packets[from] = batch->packets[from + 1];
    }
    batch->packets[to] = packet;
}

static struct dp_packet *
tcp_without_payload(bool ipv6, uint16_t flags, uint16_t port)
{
    struct dp_packet *packet = build_inner(SPEC(.ipv6 = ipv6,
                                                .proto = IPPROTO_TCP,
                                                .tcp_flags = flags));

    tcp_of(packet)->tcp_src = htons(port);
    set_csums(packet);
    packet->offloads = 0;
    pkt_metadata_init(&packet->md, 7);
    return packet;
}

/* What comes between segments. */
static void
test_between(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        const struct inner_spec *spec = SPEC(.ipv6 = ipv6,
                                             .proto = IPPROTO_TCP,
                                             .payload = 3000);
        ovs_be16 frag = ipv6 ? htons(1) : htons(IP_MORE_FRAGMENTS);
        struct {
            struct dp_packet *packet;
            bool merge;
        } cases[] = {
            /* Of the same connection. */
            { tcp_without_payload(ipv6, 0, 50000), false },
            { tcp_without_payload(ipv6, TCP_FIN, 50000), false },
            { tcp_without_payload(ipv6, TCP_RST, 50000), false },
            /* Of another one. */
            { tcp_without_payload(ipv6, 0, 50001), true },
            { tcp_without_payload(!ipv6, TCP_SYN, 50000), true },
            { build_inner(TINY(.ipv6 = ipv6, .proto = IPPROTO_UDP)), true },
            { build_inner(TINY(.proto = 0)), true },
            /* Nobody knows. */
            { build_inner(TINY(.ipv6 = ipv6, .proto = IPPROTO_UDP,
                               .frag = frag)), false },
            { build_inner(TINY(.proto = IPPROTO_TCP, .opts = 8)), false },
            { build_inner(TINY(.ipv6 = true, .proto = IPPROTO_TCP,
                               .opts = 8)), false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            struct dp_packet *between = cases[i].packet;
            struct dp_packet_batch batch, copy;
            char name[32];

            snprintf(name, sizeof name, "IPv%d case %"PRIuSIZE,
                     ipv6 ? 6 : 4, i);
            stt_test_case = name;
            dp_packet_batch_init(&batch);
            add_segments(&batch, spec, 1000, UNKNOWN);
            pkt_metadata_init(&between->md, 7);
            dp_packet_batch_add(&batch, between);
            set_port(&batch);
            move(&batch, 3, 1);
            remember(&copy, &batch);

            gro_batch(&batch);
            CHECK_EQ(dp_packet_batch_size(&batch), cases[i].merge ? 2 : 3);
            CHECK(batch.packets[1] == between);
            if (cases[i].merge) {
                move(&copy, 1, 3);
            }
            dp_packet_gso_batch(&batch);
            finish(&batch);
            CHECK_EQ(dp_packet_batch_size(&batch), 4);
            for (size_t j = 0; j < 4; j++) {
                check_same(batch.packets[j], copy.packets[j]);
            }
            destroy(&copy);
            destroy(&batch);
        }
    }
    stt_test_case = NULL;
}

/* Connections by turns, fewer and more than can be merged side by side, in
 * small and large batches; some packets are missing, repeated, swapped or
 * changed. */
static void
test_mix(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    size_t n_merged = 0;

    for (unsigned int round = 0; round < 400; round++) {
        size_t n_conns = 1 + random_range(round % 10 ? 4 : 50);
        struct dp_packet_batch all, batch, copy;
        struct dp_packet *packet;
        struct gro_result result;

        dp_packet_batch_init(&all);
        for (size_t c = 0; c < n_conns; c++) {
            uint16_t mss = 1 + random_range(1448);
            size_t start = dp_packet_batch_size(&all);

            add_segments(&all,
                         SPEC(.ipv6 = random_range(2), .proto = IPPROTO_TCP,
                              .payload = mss * random_range(12)
                                         + random_range(1449),
                              .tcp_opts = random_range(2) * 12,
                              .tcp_flags = random_range(2) * TCP_PSH),
                         mss, UNKNOWN);
            for (size_t i = start; i < dp_packet_batch_size(&all); i++) {
                tcp_of(all.packets[i])->tcp_src = htons(c);
                set_csums(all.packets[i]);
                all.packets[i]->offloads = 0;
            }
        }

        /* Interleave connections, each in order but for some packets. */
        dp_packet_batch_init(&batch);
        while (dp_packet_batch_size(&all)) {
            size_t n = dp_packet_batch_size(&all);
            size_t i = random_range(n);
            ovs_be16 src = tcp_of(all.packets[i])->tcp_src;

            if (random_range(20)) {
                for (i = 0; tcp_of(all.packets[i])->tcp_src != src; i++) {
                    continue;
                }
            }
            packet = all.packets[i];
            move(&all, i, n - 1);
            all.count--;
            switch (random_range(40)) {
            case 0:
                dp_packet_delete(packet);
                continue;
            case 1:
                dp_packet_batch_add(&batch, dp_packet_clone(packet));
                break;
            case 2: {
                uint8_t *tcp = dp_packet_l4(packet);

                /* Sequence, acknowledgement, data offset, flags, window. */
                tcp[4 + random_range(12)] ^= 1 << random_range(8);
                if (random_range(4)) {
                    set_csums(packet);
                    packet->offloads = 0;
                }
                break;
            }
            }
            dp_packet_batch_add(&batch, packet);
        }
        set_port(&batch);

        dp_packet_batch_clone(&copy, &batch);
        result = gro_batch(&batch);
        n_merged += result.segments;
        CHECK_EQ(dp_packet_batch_size(&batch) + result.segments,
                 dp_packet_batch_size(&copy) + result.packets);
        dp_packet_gso_batch(&batch);
        finish(&batch);
        CHECK_EQ(dp_packet_batch_size(&batch), dp_packet_batch_size(&copy));
        for (size_t c = 0; c < n_conns; c++) {
            size_t j = 0;

            DP_PACKET_BATCH_FOR_EACH (i, packet, &copy) {
                if (tcp_of(packet)->tcp_src != htons(c)) {
                    continue;
                }
                while (tcp_of(batch.packets[j])->tcp_src != htons(c)) {
                    j++;
                    CHECK(j < dp_packet_batch_size(&batch));
                }
                check_same(batch.packets[j++], packet);
            }
        }
        destroy(&copy);
        destroy(&batch);
        dp_packet_batch_destroy(&all);
    }
    CHECK(n_merged > 1000);
}

/* Random bytes, and packets whose headers lie. */
static void
test_malformed(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (unsigned int round = 0; round < 20000; round++) {
        bool ipv6 = round % 2;
        struct dp_packet_batch batch;
        struct dp_packet *packet;

        dp_packet_batch_init(&batch);
        for (int i = 0; i < 3; i++) {
            packet = build_inner(SPEC(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                                      .payload = 20, .tcp_opts = 12));
            if (i) {
                size_t size = dp_packet_size(packet);
                uint8_t *data = dp_packet_data(packet);

                data[12 + random_range(size - 12)] = random_uint32() >> 24;
                dp_packet_set_size(packet, random_range(4)
                                           ? size : random_range(size));
            }
            packet->offloads = 0;
            dp_packet_l4_checksum_set_good(packet);
            dp_packet_ip_checksum_set_good(packet);
            dp_packet_batch_add(&batch, packet);
        }
        set_port(&batch);
        gro_batch(&batch);
        destroy(&batch);
    }
}

static void
test_gro_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "merge", NULL, 0, 0, test_merge, OVS_RO },
        { "ip-id", NULL, 0, 0, test_ip_id, OVS_RO },
        { "limit", NULL, 0, 0, test_limit, OVS_RO },
        { "refuse", NULL, 0, 0, test_refuse, OVS_RO },
        { "refuse-all", NULL, 0, 0, test_refuse_all, OVS_RO },
        { "metadata", NULL, 0, 0, test_metadata, OVS_RO },
        { "between", NULL, 0, 0, test_between, OVS_RO },
        { "mix", NULL, 0, 0, test_mix, OVS_RO },
        { "malformed", NULL, 0, 0, test_malformed, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-gro", test_gro_main);
