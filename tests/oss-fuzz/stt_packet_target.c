/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Fuzz target: what arrives at an STT port, and what ports then do with it.
 *
 * An input is a sequence of packets, each of which follows two bytes of flags
 * (see below) and two bytes with its length.  They are received one by one. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <netinet/ip6.h>
#include <stdlib.h>

#include "csum.h"
#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "flow.h"
#include "packets.h"
#include "stt-reassembly.h"
#include "stt_fuzz.h"
#include "userspace-tso.h"

/* Flags: what is done to a packet before STT gets it. */
enum {
    FIX_LENGTH = 1 << 0,        /* Set the length of the outer IP header. */
    FIX_IP_CSUM = 1 << 1,       /* Make its checksum a good one. */
    FIX_TCP_CSUM = 1 << 2,      /* And that of the TCP-like header. */
    FIX_TCP = 1 << 3,           /* Set its data offset and flags. */
    NIC_GOOD = 1 << 4,          /* The NIC has found checksums good. */
    NIC_BAD = 1 << 5,           /* Or bad. */
    NIC_PARTIAL = 1 << 6,       /* From a VM, which has left them out. */
    HEADROOM = 1 << 7,          /* There is some. */
    TIGHT = 1 << 8,             /* Also deliver with a low limit of length. */
};

/* What an STT frame in one piece is to become. */
struct expected {
    bool whole;
    uint16_t frame_len;
    struct stt_header stt;
    uint8_t *inner;             /* After the STT header. */
};

static uint32_t
pseudo_sum(const void *l3)
{
    return (IP_VER(*(const uint8_t *) l3) == 4
            ? packet_csum_pseudoheader(l3)
            : packet_csum_pseudoheader6(l3));
}

/* Returns the length of L4 in 'p' by its IP header, or 0 if that is longer
 * than 'p' or can't be told. */
static size_t
l4_len(const struct dp_packet *p)
{
    const struct ip_header *ip = dp_packet_l3(p);
    size_t max = dp_packet_size(p) - p->l4_ofs;
    int len;

    if (IP_VER(ip->ip_ihl_ver) == 4) {
        len = ntohs(ip->ip_tot_len) - IP_IHL(ip->ip_ihl_ver) * 4;
    } else {
        const struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(p);

        len = ntohs(ip6->ip6_plen) - (p->l4_ofs - p->l3_ofs
                                      - IPV6_HEADER_LEN);
    }
    return len < 0 || len > max ? 0 : len;
}

/* Checks that 'p' is something that a port can work with. */
static void
check_packet(struct dp_packet *p)
{
    size_t size = dp_packet_size(p);

    ovs_assert(p->packet_type == htonl(PT_ETH));
    ovs_assert(size >= ETH_HEADER_LEN);
    ovs_assert(size <= STT_MAX_FRAME - STT_HEADER_LEN + VLAN_HEADER_LEN);
    ovs_assert(dp_packet_l2_pad_size(p) <= size);
    ovs_assert(!dp_packet_tunnel(p));
    if (p->l3_ofs != UINT16_MAX) {
        ovs_assert(p->l3_ofs >= ETH_HEADER_LEN && p->l3_ofs < size);
    }
    if (p->l4_ofs != UINT16_MAX) {
        ovs_assert(p->l3_ofs < p->l4_ofs && p->l4_ofs <= size);
    }
    if (dp_packet_l4_checksum_partial(p)) {
        ovs_assert(p->l4_ofs != UINT16_MAX);
        ovs_assert(dp_packet_l4_proto_tcp(p) != dp_packet_l4_proto_udp(p));
        ovs_assert(p->l4_ofs + (dp_packet_l4_proto_tcp(p) ? TCP_HEADER_LEN
                                : UDP_HEADER_LEN) <= size);
    }
    if (dp_packet_get_tso_segsz(p)) {
        ovs_assert(dp_packet_get_tso_segsz(p) >= STT_MIN_INNER_MSS);
        ovs_assert(dp_packet_l4_checksum_partial(p));
        ovs_assert(dp_packet_l4_proto_tcp(p));
    }
}

/* Sends 'p', which it takes ownership of, at a port that can do nothing
 * itself, and checks that the packet has a good checksum then if that was to
 * be filled in. */
static void
send_plain(struct dp_packet *p)
{
    bool ip_partial = dp_packet_ip_checksum_partial(p);
    bool partial = dp_packet_l4_checksum_partial(p);
    size_t size = dp_packet_size(p);
    struct flow flow;

    dp_packet_ol_send_prepare(p, 0);
    ovs_assert(dp_packet_size(p) == size);
    if (partial) {
        const uint8_t *l3 = dp_packet_l3(p);

        ovs_assert(l4_len(p));
        if (IP_VER(l3[0]) == 4
            ? IP_IHL(l3[0]) * 4 == IP_HEADER_LEN
            : p->l4_ofs - p->l3_ofs == IPV6_HEADER_LEN) {
            ovs_assert(!csum_finish(csum_continue(pseudo_sum(l3),
                                                  dp_packet_l4(p),
                                                  l4_len(p))));
        }
    }
    if (ip_partial) {
        const struct ip_header *ip = dp_packet_l3(p);

        ovs_assert(!csum(ip, IP_IHL(ip->ip_ihl_ver) * 4));
    }
    flow_extract(p, &flow);
    dp_packet_delete(p);
}

/* Does with 'p', which has been received and which it takes ownership of, what
 * a port does that it is sent to. */
static void
send_packet(struct dp_packet *p)
{
    struct dp_packet_batch batch;
    uint32_t payload, sum = 0;
    struct dp_packet *seg;
    unsigned int n_segs;

    if (!dp_packet_get_tso_segsz(p)) {
        send_plain(p);
        return;
    }

    n_segs = dp_packet_gso_nr_segs(p);
    payload = dp_packet_get_tcp_payload_length(p);
    dp_packet_batch_init_packet(&batch, p);
    dp_packet_gso_batch(&batch);
    ovs_assert(dp_packet_batch_size(&batch) == n_segs);
    DP_PACKET_BATCH_FOR_EACH (i, seg, &batch) {
        check_packet(seg);
        sum += dp_packet_get_tcp_payload_length(seg);
        send_plain(seg);
    }
    ovs_assert(sum == payload);
    dp_packet_batch_destroy(&batch);
}

/* Checks 'p', a packet that has been received as the only one of a batch. */
static void
check_expected(const struct dp_packet *p, const struct expected *e)
{
    const uint8_t *data = dp_packet_data(p);
    size_t tag_len = e->stt.vlan_tci & STT_VLAN_PRESENT ? VLAN_HEADER_LEN : 0;
    size_t inner_len = e->frame_len - STT_HEADER_LEN;

    ovs_assert(p->md.tunnel.tun_id == stt_get_context_id(&e->stt));
    ovs_assert(dp_packet_size(p) <= inner_len + tag_len);
    ovs_assert(!memcmp(data, e->inner, 2 * ETH_ADDR_LEN));
    if (tag_len) {
        const struct vlan_header *vlan
            = (const void *) (data + 2 * ETH_ADDR_LEN + 2);

        ovs_assert(!((vlan->vlan_tci ^ e->stt.vlan_tci)
                     & htons(VLAN_VID_MASK | VLAN_PCP_MASK)));
    }
    if (!(e->stt.flags & STT_F_CSUM_PARTIAL)) {
        /* Padding is only taken off where it would be in the way. */
        ovs_assert(dp_packet_size(p) == inner_len + tag_len);
        ovs_assert(!dp_packet_l4_checksum_partial(p));
        ovs_assert(!dp_packet_get_tso_segsz(p));
        ovs_assert(!memcmp(data + 2 * ETH_ADDR_LEN + tag_len,
                           e->inner + 2 * ETH_ADDR_LEN,
                           inner_len - 2 * ETH_ADDR_LEN));
    }
}

/* Delivers a copy of 'p' where nothing can be longer than 'max_len'. */
static void
deliver_tight(struct dp_packet *p, size_t max_len, bool tso)
{
    struct dp_packet *copy = dp_packet_clone(p);
    struct dp_packet_batch out;
    struct dp_packet *part;
    enum stt_drop drop;

    dp_packet_batch_init(&out);
    drop = stt_deliver(copy, tso, max_len, &out);
    ovs_assert(!drop || drop == STT_DROP_TOO_LONG);
    ovs_assert(!drop == !dp_packet_batch_is_empty(&out));
    if (drop) {
        dp_packet_delete(copy);
    }
    DP_PACKET_BATCH_FOR_EACH (i, part, &out) {
        check_packet(part);
        ovs_assert(dp_packet_size(part) <= max_len);
        ovs_assert(tso || !dp_packet_get_tso_segsz(part));
        send_packet(part);
    }
    dp_packet_batch_destroy(&out);
}

/* Makes 'p', whose headers have been found, what 'flags' say.  The packet ID
 * depends on 'salt' then, since that of an earlier input may still be
 * remembered as one whose frame is gone. */
static void
fix_packet(struct dp_packet *p, uint16_t flags, uint32_t salt)
{
    struct ip_header *ip = dp_packet_l3(p);
    struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(p);
    bool is_ipv4 = IP_VER(ip->ip_ihl_ver) == 4;
    struct tcp_header *tcp = dp_packet_l4(p);
    size_t len = dp_packet_size(p) - p->l4_ofs;

    if (flags & FIX_LENGTH) {
        if (is_ipv4) {
            ip->ip_tot_len = htons(MIN(dp_packet_size(p) - p->l3_ofs,
                                       UINT16_MAX));
        } else {
            ip6->ip6_plen = htons(MIN(dp_packet_size(p) - p->l3_ofs
                                      - IPV6_HEADER_LEN, UINT16_MAX));
        }
        dp_packet_set_l2_pad_size(p, 0);
    }
    if (flags & FIX_IP_CSUM && is_ipv4) {
        ip->ip_csum = 0;
        ip->ip_csum = csum(ip, IP_IHL(ip->ip_ihl_ver) * 4);
    }
    if (len < sizeof *tcp) {
        return;
    }
    if (flags & FIX_TCP) {
        tcp->tcp_ctl = TCP_CTL(TCP_ACK, 5);
    }
    if (flags & FIX_TCP_CSUM && l4_len(p)) {
        uint32_t id = ntohl(get_16aligned_be32(&tcp->tcp_ack));

        put_16aligned_be32(&tcp->tcp_ack, htonl(id + salt));
        tcp->tcp_csum = 0;
        tcp->tcp_csum = csum_finish(csum_continue(pseudo_sum(ip), tcp,
                                                  l4_len(p)));
    }

    if (flags & NIC_PARTIAL) {
        dp_packet_l4_proto_set_tcp(p);
        dp_packet_l4_checksum_set_partial(p);
        dp_packet_ip_checksum_set_good(p);
    } else if (flags & NIC_GOOD) {
        dp_packet_l4_checksum_set_good(p);
        dp_packet_ip_checksum_set_good(p);
    } else if (flags & NIC_BAD) {
        dp_packet_l4_checksum_set_bad(p);
    }
}

/* Stores in '*e' what 'p' is to become if it isn't dropped. */
static void
expect(const struct dp_packet *p, struct expected *e)
{
    const struct tcp_header *tcp = dp_packet_l4(p);
    size_t len = l4_len(p);
    uint32_t seq;

    memset(e, 0, sizeof *e);
    if (len < sizeof *tcp + STT_MIN_FRAME) {
        return;
    }
    seq = ntohl(get_16aligned_be32(&tcp->tcp_seq));
    e->frame_len = seq >> 16;
    e->whole = !(seq & 0xffff) && e->frame_len == len - sizeof *tcp;
    if (e->whole) {
        const uint8_t *frame = (const uint8_t *) (tcp + 1);

        memcpy(&e->stt, frame, sizeof e->stt);
        e->inner = xmemdup(frame + STT_HEADER_LEN,
                           e->frame_len - STT_HEADER_LEN);
    }
}

static void
receive(struct netdev *netdev, struct dp_packet *p, uint16_t flags,
        uint32_t salt)
{
    struct dp_packet_batch batch;
    struct expected expected;
    struct flow flow;
    size_t n_drops, n;

    /* Everything else is not for an STT port. */
    flow_extract(p, &flow);
    if (p->l4_ofs == UINT16_MAX || flow.nw_proto != IPPROTO_TCP
        || flow.nw_frag || flow.tp_dst != htons(STT_DST_PORT)
        || !(flow.dl_type == htons(ETH_TYPE_IP) ? flow.nw_dst != 0
             : flow.dl_type == htons(ETH_TYPE_IPV6)
             && ipv6_addr_is_set(&flow.ipv6_dst))) {
        dp_packet_delete(p);
        return;
    }
    fix_packet(p, flags, salt);
    expect(p, &expected);

    dp_packet_batch_init_packet(&batch, p);
    n_drops = netdev_pop_header(netdev, &batch);
    n = dp_packet_batch_size(&batch);
    ovs_assert(n_drops <= 1);
    ovs_assert(!n_drops || !n);
    ovs_assert(!expected.whole || n_drops || n);
    if (expected.whole && n == 1) {
        check_expected(batch.packets[0], &expected);
    }
    free(expected.inner);

    DP_PACKET_BATCH_FOR_EACH (i, p, &batch) {
        struct dp_packet *copy;
        struct flow inner;

        check_packet(p);
        ovs_assert((p->md.tunnel.flags & (FLOW_TNL_F_KEY | FLOW_TNL_F_CSUM))
                   == (FLOW_TNL_F_KEY | FLOW_TNL_F_CSUM));
        ovs_assert(p->md.tunnel.tp_dst == flow.tp_dst);
        ovs_assert(p->md.tunnel.tp_src == flow.tp_src);

        if (flags & TIGHT) {
            deliver_tight(p, 200 + (flags >> 9) * 16, false);
            deliver_tight(p, 200 + (flags >> 9) * 16, true);
            deliver_tight(p, SIZE_MAX, false);
        }

        /* It may go out as it is, or be looked at again before. */
        copy = dp_packet_clone(p);
        send_packet(copy);
        flow_extract(p, &inner);
        ovs_assert(inner.tunnel.tun_id == p->md.tunnel.tun_id);
        send_packet(p);
    }
    dp_packet_batch_destroy(&batch);
}

static void
check_reassembly(void)
{
    struct stt_reassembly_limits limits;
    struct stt_reassembly_stats stats;
    uint64_t sum;

    netdev_stt_get_reassembly(&stats, &limits);
    sum = stats.segments_delivered + stats.segments_waiting;
    for (size_t i = 0; i < STT_N_DROPS; i++) {
        sum += stats.drops[i];
    }
    ovs_assert(sum == stats.segments);
    ovs_assert(stats.bytes_waiting <= limits.max_bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smap args = SMAP_INITIALIZER(&args);
    struct fuzz_input in = { data, size };
    static bool tso_enabled;
    static uint32_t salt;
    struct netdev *netdev;
    char *err = NULL;

    fuzz_begin();
    if (!tso_enabled) {
        smap_add(&args, "userspace-tso-enable", "true");
        userspace_tso_init(&args);
        ovs_assert(userspace_tso_enabled());
        smap_clear(&args);
        tso_enabled = true;
    }

    netdev = fuzz_open_port();
    smap_add(&args, "remote_ip", "flow");
    smap_add(&args, "key", "flow");
    ovs_assert(!netdev_set_config(netdev, &args, &err));
    smap_destroy(&args);

    salt += 0x10001;
    for (size_t i = 0; in.size && i < 200; i++) {
        uint16_t flags = fuzz_u16(&in);
        uint16_t len = fuzz_u16(&in);
        struct dp_packet *p;
        const uint8_t *bytes;
        size_t n;

        bytes = fuzz_bytes(&in, len, &n);
        if (n < ETH_HEADER_LEN) {
            continue;
        }
        p = dp_packet_new_with_headroom(n, flags & HEADROOM ? 128 : 0);
        dp_packet_put(p, bytes, n);
        p->packet_type = htonl(PT_ETH);
        pkt_metadata_init(&p->md, u32_to_odp(1));
        receive(netdev, p, flags, salt);
    }
    check_reassembly();
    fuzz_close_port(netdev);
    return 0;
}
