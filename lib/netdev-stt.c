/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "netdev-stt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "connectivity.h"
#include "coverage.h"
#include "dp-packet.h"
#include "dp-packet-gso.h"
#include "entropy.h"
#include "netdev.h"
#include "netdev-native-tnl.h"
#include "netdev-provider.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "random.h"
#include "seq.h"
#include "smap.h"
#include "stt.h"
#include "stt-listener.h"
#include "stt-peers.h"
#include "stt-probe.h"
#include "stt-reassembly.h"
#include "timeval.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_stt);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 5);
static struct vlog_rate_limit drop_rl = VLOG_RATE_LIMIT_INIT(5, 20);

COVERAGE_DEFINE(stt_rx_frame);          /* Arrived in one piece. */
COVERAGE_DEFINE(stt_rx_reassembled);    /* Arrived in several. */
COVERAGE_DEFINE(stt_rx_segment);        /* Pieces for reassembly. */
COVERAGE_DEFINE(stt_tx_frame);

/* Room in front of an encapsulated packet for what ports still push: a VLAN
 * tag and a virtio header.  A second reallocation would copy 64 KB again. */
#define PORT_HEADROOM 16

/* How often incomplete frames are checked for their age and the set of STT
 * ports for changes, in milliseconds. */
#define RUN_INTERVAL 1000

static bool
is_stt(const char *type)
{
    return !strcmp(type, "stt");
}

/* Configuration.
 *
 * The parser that all tunnel types share is lenient: what it can't read
 * becomes zero, and most of what it dislikes it merely logs.  For STT, all
 * options are checked here before it sees them. */

enum value_kind {
    V_ADDRESS,                  /* IPv4 or IPv6 address or "flow". */
    V_KEY,                      /* 64-bit number or "flow". */
    V_NUMBER,                   /* Decimal number from 'min' to 'max'. */
    V_NUMBER_OR_INHERIT,        /* The same, or "inherit". */
    V_DSCP,                     /* DSCP bits of a TOS byte, or "inherit". */
    V_BOOLEAN,                  /* "true" or "false". */
    V_LEGACY_L2,                /* Only "legacy_l2". */
};

struct stt_option {
    const char *key;
    enum value_kind kind;
    unsigned long long int min, max;
};

static const struct stt_option options[] = {
    { "remote_ip", V_ADDRESS, 0, 0 },
    { "local_ip", V_ADDRESS, 0, 0 },
    { "key", V_KEY, 0, UINT64_MAX },
    { "in_key", V_KEY, 0, UINT64_MAX },
    { "out_key", V_KEY, 0, UINT64_MAX },
    { "dst_port", V_NUMBER, 1, UINT16_MAX },
    { "tos", V_DSCP, 0, IP_DSCP_MASK },
    { "ttl", V_NUMBER_OR_INHERIT, 1, UINT8_MAX },
    { "df_default", V_BOOLEAN, 0, 0 },
    { "csum", V_BOOLEAN, 0, 0 },
    { "egress_pkt_mark", V_NUMBER, 0, UINT32_MAX },
    { "packet_type", V_LEGACY_L2, 0, 0 },
    { "max_segment_size", V_NUMBER, STT_MIN_OUTER_MSS, STT_MAX_OUTER_MSS },
};

/* Parses 's' as an unsigned number in 'base' (0 for the usual prefixes),
 * which must begin with a digit: strtoull() would take a sign or spaces. */
static bool
parse_number(const char *s, int base, unsigned long long int *value)
{
    return s[0] >= '0' && s[0] <= '9' && str_to_ullong(s, base, value);
}

/* Returns NULL if 'value' is fine for 'o', otherwise what it should be, as a
 * string that the caller must free. */
static char *
check_option(const struct stt_option *o, const char *value)
{
    unsigned long long int number;
    struct in6_addr ip6;
    ovs_be32 ip;

    switch (o->kind) {
    case V_ADDRESS:
        if (!strcmp(value, "flow")
            || (ip_parse(value, &ip)
                && ip && ip != OVS_BE32_MAX && !ip_is_multicast(ip))
            || (ipv6_parse(value, &ip6) && ipv6_addr_is_set(&ip6)
                && !ipv6_addr_is_multicast(&ip6)
                /* Everything else takes those for IPv4 addresses. */
                && !IN6_IS_ADDR_V4MAPPED(&ip6))) {
            return NULL;
        }
        return xstrdup("an IPv4 or IPv6 unicast address or \"flow\"");

    case V_KEY:
        if (!strcmp(value, "flow") || parse_number(value, 0, &number)) {
            return NULL;
        }
        return xstrdup("a number of at most 64 bits, decimal or with prefix "
                       "0x, or \"flow\"");

    case V_NUMBER:
    case V_NUMBER_OR_INHERIT:
        if (parse_number(value, 10, &number)
            && number >= o->min && number <= o->max) {
            return NULL;
        }
        if (o->kind == V_NUMBER) {
            return xasprintf("a number between %llu and %llu",
                             o->min, o->max);
        }
        if (!strcmp(value, "inherit")) {
            return NULL;
        }
        return xasprintf("a number between %llu and %llu or \"inherit\"",
                         o->min, o->max);

    case V_DSCP:
        if (!strcmp(value, "inherit")
            || (parse_number(value, 0, &number)
                && number == (number & IP_DSCP_MASK))) {
            return NULL;
        }
        return xstrdup("a multiple of 4 between 0 and 0xfc or \"inherit\"");

    case V_BOOLEAN:
        if (!strcmp(value, "true") || !strcmp(value, "false")) {
            return NULL;
        }
        return xstrdup("\"true\" or \"false\"");

    case V_LEGACY_L2:
        if (!strcmp(value, "legacy_l2")) {
            return NULL;
        }
        return xstrdup("\"legacy_l2\", since STT carries Ethernet frames");

    default:
        OVS_NOT_REACHED();
    }
}

/* Makes the remote address in the valid options 'args', if any, a peer right
 * away: what it sends must not be dropped until refresh_ports() runs. */
static void
add_peer(const struct smap *args)
{
    const char *remote = smap_get(args, "remote_ip");
    struct in6_addr addr = in6addr_any;
    ovs_be32 ip;

    if (!remote) {
        return;
    } else if (ip_parse(remote, &ip)) {
        in6_addr_set_mapped_ipv4(&addr, ip);
    } else {
        /* Leaves in6addr_any if it is "flow". */
        ipv6_parse(remote, &addr);
    }
    stt_peers_add(&addr, htons(smap_get_int(args, "dst_port", STT_DST_PORT)));
}

/* To be called before the options 'args' of tunnel 'netdev' are parsed.  If it
 * is an STT port, checks them all and sets STT's defaults in 'tnl_cfg'.
 *
 * Returns 0 if successful or if 'netdev' is of another type.  Otherwise, logs
 * the problem, stores it in '*errp', which the caller must free, and returns a
 * positive errno value. */
int
netdev_stt_prepare_config(const struct netdev *netdev, const struct smap *args,
                          struct netdev_tunnel_config *tnl_cfg, char **errp)
{
    if (!is_stt(netdev_get_type(netdev))) {
        return 0;
    }

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const struct stt_option *o = &options[i];
        const char *value = smap_get(args, o->key);
        char *expected = value ? check_option(o, value) : NULL;

        if (expected) {
            VLOG_WARN_BUF(errp, "%s: invalid %s \"%s\": must be %s",
                          netdev_get_name(netdev), o->key, value, expected);
            free(expected);
            return EINVAL;
        }
    }

    tnl_cfg->dst_port = htons(STT_DST_PORT);
    add_peer(args);
    return 0;
}

/* If option 'key' of a tunnel of type 'type' is one that only STT has, stores
 * its 'value', which netdev_stt_prepare_config() has accepted, in 'tnl_cfg'
 * and returns true.  Otherwise, returns false. */
bool
netdev_stt_parse_option(const char *type, const char *key, const char *value,
                        struct netdev_tunnel_config *tnl_cfg)
{
    if (is_stt(type) && !strcmp(key, "max_segment_size")) {
        tnl_cfg->stt_max_segment_size = atoi(value);
        return true;
    }
    return false;
}

/* Adds to 'args' those options of 'tnl_cfg' that only STT has or whose default
 * is STT's own. */
void
netdev_stt_get_config(const char *type,
                      const struct netdev_tunnel_config *tnl_cfg,
                      struct smap *args)
{
    if (!is_stt(type)) {
        return;
    }

    if (tnl_cfg->dst_port != htons(STT_DST_PORT)) {
        smap_add_format(args, "dst_port", "%"PRIu16, ntohs(tnl_cfg->dst_port));
    }
    if (tnl_cfg->stt_max_segment_size) {
        smap_add_format(args, "max_segment_size", "%"PRIu16,
                        tnl_cfg->stt_max_segment_size);
    }
}

/* Returns the address of the peer of an STT port with 'tnl_cfg', or NULL if it
 * has none: it is a port of the datapath, which stands for several ports. */
static const struct in6_addr *
get_peer_addr(const struct netdev_tunnel_config *tnl_cfg)
{
    return (tnl_cfg->ip_dst_flow ? &in6addr_any
            : ipv6_addr_is_set(&tnl_cfg->ipv6_dst) ? &tnl_cfg->ipv6_dst
            : NULL);
}

/* Has listeners and peers follow the STT ports that there are.  Returns true
 * if there are any. */
static bool
refresh_ports(void)
{
    struct netdev **vports;
    bool any = false;
    size_t n;

    vports = netdev_get_vports(&n);
    stt_listeners_begin();
    stt_peers_begin();
    for (size_t i = 0; i < n; i++) {
        const struct netdev_tunnel_config *tnl_cfg;
        const struct in6_addr *peer_addr;
        const char *dpif_type;

        if (is_stt(netdev_get_type(vports[i]))) {
            any = true;
            dpif_type = netdev_get_dpif_type(vports[i]);
            tnl_cfg = netdev_get_tunnel_config(vports[i]);
            peer_addr = tnl_cfg ? get_peer_addr(tnl_cfg) : NULL;
            if (peer_addr) {
                stt_peers_add(peer_addr, tnl_cfg->dst_port);
            }
            if (dpif_type && !strcmp(dpif_type, "netdev") && tnl_cfg
                && stt_listeners_add(tnl_cfg->dst_port)) {
                /* Have the port's status read again. */
                netdev_change_seq_changed(vports[i]);
            }
        }
        netdev_close(vports[i]);
    }
    stt_peers_end(time_msec());
    stt_listeners_end();
    free(vports);
    return any;
}

/* Adds to 'smap' what STT has to say in column "status" of Interface. */
void
netdev_stt_get_status(const struct netdev *netdev, struct smap *smap)
{
    const struct netdev_tunnel_config *tnl_cfg;
    int error;

    if (!is_stt(netdev_get_type(netdev))) {
        return;
    }

    tnl_cfg = netdev_get_tunnel_config(netdev);
    error = tnl_cfg ? stt_listener_get_error(tnl_cfg->dst_port) : -1;
    if (!error) {
        smap_add(smap, "tcp_port", "reserved");
    } else if (error > 0) {
        smap_add_format(smap, "tcp_port", "not reserved (%s): %s",
                        ovs_strerror(error), stt_listener_get_advice(error));
    }
}

/* If 'netdev' is an STT port that could not be added to a datapath because of
 * 'error', a positive errno value, adds to '*errp', a dynamically allocated
 * message, what the administrator can do about it. */
void
netdev_stt_explain_error(const struct netdev *netdev, int error, char **errp)
{
    const struct netdev_tunnel_config *tnl_cfg;
    char *message;

    if (!is_stt(netdev_get_type(netdev))) {
        return;
    }

    tnl_cfg = netdev_get_tunnel_config(netdev);
    if (error == EOPNOTSUPP) {
        message = xasprintf("%s: the kernel lacks the module stt.ko, which "
                            "the Debian package openvswitch-stt-dkms, or "
                            "\"make -C datapath install\" in the source of "
                            "Open vSwitch STT, builds and installs", *errp);
    } else if (error == EADDRINUSE && tnl_cfg) {
        message = xasprintf("%s: another program uses TCP port %"PRIu16"; "
                            "end it, or use another dst_port at both ends",
                            *errp, ntohs(tnl_cfg->dst_port));
    } else {
        return;
    }
    free(*errp);
    *errp = message;
}

/* Returns true if whatever is dropped because of 'drop' comes from a peer. */
static bool
drop_has_peer(enum stt_drop drop)
{
    return drop != STT_DROP_OUTER_IP && drop != STT_DROP_SOURCE;
}

/* Stores in '*stats' what became of the packets of the peer of 'netdev', which
 * it shares with STT ports that differ only in their keys.  A drop is one of a
 * segment before and during reassembly, and one of a frame afterward.  What is
 * not sent counts in packets.
 *
 * Returns 0 if successful or ENODEV if 'netdev' has no peer.  The caller must
 * free 'stats->counters'. */
int
netdev_stt_get_custom_stats(const struct netdev *netdev,
                            struct netdev_custom_stats *stats)
{
    const struct netdev_tunnel_config *tnl_cfg
        = netdev_get_tunnel_config(netdev);
    const struct in6_addr *addr = tnl_cfg ? get_peer_addr(tnl_cfg) : NULL;
    struct stt_peer *peer = (addr ? stt_peers_find(addr, tnl_cfg->dst_port)
                             : NULL);
    struct netdev_custom_counter *c;

    if (!peer) {
        return ENODEV;
    }

    stats->counters = c = xcalloc((STT_N_PEER_EVENTS + STT_N_DROPS
                                   + STT_N_TX_DROPS), sizeof *c);
    for (size_t i = 0; i < STT_N_PEER_EVENTS; i++, c++) {
        snprintf(c->name, sizeof c->name, "stt_%s", stt_peer_event_name(i));
        c->value = stt_peer_get(peer, i);
    }
    for (size_t i = STT_OK + 1; i < STT_N_DROPS; i++) {
        if (drop_has_peer(i)) {
            snprintf(c->name, sizeof c->name, "stt_drop_%s", stt_drop_name(i));
            c->value = stt_peer_get_drops(peer, i);
            c++;
        }
    }
    for (size_t i = STT_TX_OK + 1; i < STT_N_TX_DROPS; i++, c++) {
        snprintf(c->name, sizeof c->name, "stt_tx_%s", stt_tx_drop_name(i));
        c->value = stt_peer_get_tx_drops(peer, i);
    }
    stats->size = c - stats->counters;
    return 0;
}

/* What each thread has for the headers of the next frame. */
struct thread_ids {
    struct stt_id_range packet_ids;
    bool has_ip_id;
    uint16_t ip_id;             /* For IPv4 packets without DF. */
};

DEFINE_STATIC_PER_THREAD_DATA(struct thread_ids, thread_ids,
                              { { 0, 0 }, false, 0 });

static ovs_be32
next_packet_id(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct stt_id_space space = { 0, ATOMIC_COUNT_INIT(0) };

    if (ovsthread_once_start(&once)) {
        get_entropy_or_die(&space.first, sizeof space.first);
        ovsthread_once_done(&once);
    }
    return htonl(stt_next_packet_id(&space, &thread_ids_get()->packet_ids));
}

/* Returns the first of 'n' consecutive IPv4 IDs, one for each segment: routers
 * may fragment what has no DF, and fragments must not be mixed up. */
static ovs_be16
next_ip_ids(uint16_t n)
{
    struct thread_ids *ids = thread_ids_get();
    uint16_t first;

    if (!ids->has_ip_id) {
        ids->has_ip_id = true;
        ids->ip_id = random_uint16();
    }
    first = ids->ip_id;
    ids->ip_id += n;
    return htons(first);
}

/* Sending. */

/* Returns the size of the segments, in bytes of an STT frame, that a port with
 * 'tnl_cfg' sends over IPv6, or IPv4 if 'is_ipv6' is false, on an underlay
 * with 'mtu', 0 or negative if unknown.  Returns 0 if 'mtu' is too small. */
int
netdev_stt_get_segment_size(const struct netdev_tunnel_config *tnl_cfg,
                            bool is_ipv6, int mtu)
{
    int mss = ((mtu > 0 ? mtu : ETH_PAYLOAD_MAX) - TCP_HEADER_LEN
               - (is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN));

    if (mss < STT_MIN_OUTER_MSS) {
        return 0;
    }
    mss = MIN(mss, STT_MAX_OUTER_MSS);
    if (tnl_cfg->stt_max_segment_size) {
        mss = MIN(mss, tnl_cfg->stt_max_segment_size);
    }
    return mss;
}

/* Builds the headers that all frames of a flow share: params->flow->tunnel and
 * 'params' say which.  The low half of the sequence number, which every packet
 * sets anew, holds the outer segment size in the template, to tell
 * netdev_stt_push_batch() without a look at the underlay.
 *
 * Returns 0 or EMSGSIZE if the MTU of the underlay is too small for STT. */
int
netdev_stt_build_header(const struct netdev *netdev,
                        struct ovs_action_push_tnl *data,
                        const struct netdev_tnl_build_header_params *params)
{
    const struct netdev_tunnel_config *tnl_cfg
        = netdev_get_tunnel_config(netdev);
    struct stt_header *stt;
    struct tcp_header *tcp;
    int mss;

    mss = netdev_stt_get_segment_size(tnl_cfg, params->is_ipv6, params->mtu);
    if (!mss) {
        struct in6_addr dst = flow_tnl_dst(&params->flow->tunnel);
        char addr[INET6_ADDRSTRLEN];

        VLOG_WARN_RL(&rl, "%s: MTU %d of the underlay is too small for STT to "
                     "%s", netdev_get_name(netdev), params->mtu,
                     ipv6_string_mapped(addr, &dst));
        return EMSGSIZE;
    }

    tcp = netdev_tnl_ip_build_header(data, params, IPPROTO_TCP, 0);
    tcp->tcp_dst = params->flow->tunnel.tp_dst;
    put_16aligned_be32(&tcp->tcp_seq, htonl(mss));
    stt = (struct stt_header *) (tcp + 1);
    stt_set_context_id(stt, params->flow->tunnel.tun_id);

    data->header_len += sizeof *tcp + sizeof *stt;
    data->tnl_type = OVS_VPORT_TYPE_STT;
    return 0;
}

static uint16_t
template_mss(const struct tcp_header *tcp)
{
    return ntohl(get_16aligned_be32(&tcp->tcp_seq));
}

/* Returns 'packet' with room for 'headroom' bytes in front of it.  AF_XDP's
 * buffers can't grow, so it takes ownership of 'packet' and may return another
 * one. */
static struct dp_packet *
reserve_headroom(struct dp_packet *packet, size_t headroom)
{
    if (dp_packet_headroom(packet) >= headroom) {
        return packet;
    }
    if (packet->source == DPBUF_AFXDP) {
        struct dp_packet *copy = dp_packet_clone_with_headroom(packet,
                                                               headroom);

        dp_packet_delete(packet);
        return copy;
    }
    dp_packet_prealloc_headroom(packet, headroom);
    return packet;
}

/* Makes 'packet', which comes from stt_split() and has room for the headers,
 * an STT frame: one plain TCP packet for the rest of OVS, for ports and for
 * NICs.  No mark of a tunnel nor of the inner packet stays behind. */
static void
push_frame(struct dp_packet *packet, const struct ovs_action_push_tnl *data,
           ovs_be16 src_port, ovs_be16 vlan_tci)
{
    struct stt_offload ol;
    struct tcp_header *tcp;
    size_t frame_len;
    uint16_t mss;
    int ip_len;

    stt_describe(packet, &ol);
    frame_len = STT_HEADER_LEN + dp_packet_size(packet);

    packet->offloads = 0;
    tcp = netdev_tnl_push_ip_header(packet, data->header, data->header_len,
                                    &ip_len, 0);
    mss = template_mss(tcp);
    stt_fill_headers(tcp, (struct stt_header *) (tcp + 1), frame_len, src_port,
                     next_packet_id(), vlan_tci, &ol);
    dp_packet_l4_proto_set_tcp(packet);
    dp_packet_l4_checksum_set_partial(packet);
    dp_packet_set_tso_segsz(packet, frame_len > mss ? mss : 0);
    if (!netdev_tnl_is_header_ipv6(data->header)) {
        struct ip_header *ip = dp_packet_l3(packet);

        if (!(ip->ip_frag_off & htons(IP_DF))) {
            ip->ip_id = next_ip_ids(DIV_ROUND_UP(frame_len, mss));
        }
    }
    COVERAGE_INC(stt_tx_frame);
}

/* Adds 'packet', which comes from push_frame(), to 'out'.  If it is too long
 * for one packet of IP, cuts it into its segments. */
static void
add_frame(struct dp_packet *packet, bool is_ipv6, struct dp_packet_batch *out)
{
    size_t ip_len = dp_packet_size(packet) - packet->l3_ofs;
    struct dp_packet_batch segments;

    if (OVS_LIKELY(ip_len <= UINT16_MAX + (is_ipv6 ? IPV6_HEADER_LEN : 0))) {
        dp_packet_batch_add(out, packet);
        return;
    }

    dp_packet_batch_init_packet(&segments, packet);
    dp_packet_gso_batch(&segments);
    DP_PACKET_BATCH_FOR_EACH (i, packet, &segments) {
        dp_packet_batch_add(out, packet);
    }
    dp_packet_batch_destroy(&segments);
}

/* Returns the outer source port for 'packet': the same for all packets of an
 * inner flow, and never the STT port itself, since then what a host or a
 * middlebox sends back would look like STT. */
static ovs_be16
get_src_port(struct dp_packet *packet, ovs_be16 dst_port)
{
    ovs_be16 src_port = netdev_tnl_get_src_port(packet);

    if (OVS_UNLIKELY(src_port == dst_port)) {
        src_port = (dst_port != htons(tnl_udp_port_min)
                    ? htons(tnl_udp_port_min)
                    : htons(tnl_udp_port_min + 1));
    }
    return src_port;
}

/* Returns the remote address in the header 'data'. */
static struct in6_addr
get_header_dst(const struct ovs_action_push_tnl *data)
{
    void *eth = CONST_CAST(struct ovs_action_push_tnl *, data)->header;
    struct in6_addr dst;

    if (netdev_tnl_is_header_ipv6(data->header)) {
        memcpy(&dst, &netdev_tnl_ipv6_hdr(eth)->ip6_dst, sizeof dst);
    } else {
        in6_addr_set_mapped_ipv4(&dst, get_16aligned_be32(
                                     &netdev_tnl_ip_hdr(eth)->ip_dst));
    }
    return dst;
}

/* Counts 'n' packets, all or parts of one of 'len' bytes, as not sent to TCP
 * port 'port' of 'dst' because of 'drop', and tells the administrator from
 * time to time. */
static void
count_tx_drops(const struct netdev *netdev,
               const struct in6_addr *dst, ovs_be16 port,
               enum stt_tx_drop drop, unsigned int n, uint32_t len)
{
    struct stt_peer *peer = stt_peers_lookup(dst, port);
    char addr[INET6_ADDRSTRLEN];

    if (peer) {
        stt_peer_count_tx_drops(peer, drop, n);
    }
    VLOG_WARN_RL(&rl, "%s: dropped a packet of %"PRIu32" bytes to %s: %s",
                 netdev_get_name(netdev), len, ipv6_string_mapped(addr, dst),
                 stt_tx_drop_description(drop));
}

/* Encapsulates all packets of 'batch' with the header 'data', which
 * netdev_stt_build_header() made, and replaces them by what must be sent:
 * frames that need more than one segment as TSO packets if userspace TSO is
 * enabled, and cut into segments otherwise.  Packets that STT can't carry are
 * dropped and counted.
 *
 * May be called from any thread.  Returns 0, or EINVAL, with 'batch'
 * unchanged, if 'data' is not the header of an STT frame. */
int
netdev_stt_push_batch(const struct netdev *netdev,
                      const struct netdev *ingress_netdev OVS_UNUSED,
                      struct dp_packet_batch *batch,
                      const struct ovs_action_push_tnl *data,
                      size_t *n_drops)
{
    bool is_ipv6 = netdev_tnl_is_header_ipv6(data->header);
    size_t header_len = (ETH_HEADER_LEN
                         + (is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
                         + TCP_HEADER_LEN + STT_HEADER_LEN);
    const struct tcp_header *tcp
        = (const void *) ((const char *) data->header + header_len
                          - sizeof(struct stt_header) - sizeof *tcp);
    struct dp_packet_batch out, parts;
    struct dp_packet *packet, *part;
    size_t max_frame, max_cut_frame;
    struct in6_addr dst;
    bool any_tso = false;

    *n_drops = 0;
    if (OVS_UNLIKELY(data->tnl_type != OVS_VPORT_TYPE_STT
                     || data->header_len != header_len
                     || template_mss(tcp) < STT_MIN_OUTER_MSS)) {
        /* Nothing that netdev_stt_build_header() made. */
        return EINVAL;
    }
    dst = get_header_dst(data);
    stt_peers_sent(&dst, tcp->tcp_dst, time_msec());
    max_frame = MIN(stt_max_frame(is_ipv6, template_mss(tcp)),
                    NETDEV_STT_MAX_PACKET_LEN);
    max_cut_frame = MIN(stt_max_cut_frame(template_mss(tcp)),
                        NETDEV_STT_MAX_PACKET_LEN);

    dp_packet_batch_init(&out);
    out.trunc = batch->trunc;
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        uint32_t inner_len = dp_packet_size(packet);
        enum stt_tx_drop drop;
        ovs_be16 src_port;
        ovs_be16 vlan_tci;
        size_t n;

        if (OVS_UNLIKELY(stt_probe_is(packet)) && !stt_probe_is_sending()) {
            /* A virtual machine must not use up the answers of the peer. */
            stt_count_tx_drops(STT_TX_DROP_PROBE, 1);
            count_tx_drops(netdev, &dst, tcp->tcp_dst, STT_TX_DROP_PROBE, 1,
                           inner_len);
            dp_packet_delete(packet);
            *n_drops += 1;
            continue;
        }

        src_port = get_src_port(packet, tcp->tcp_dst);
        vlan_tci = stt_take_vlan(packet);
        dp_packet_batch_init(&parts);
        n = stt_split(packet, max_frame, max_cut_frame, &parts, &drop);
        if (n) {
            count_tx_drops(netdev, &dst, tcp->tcp_dst, drop, n, inner_len);
            *n_drops += n;
        }
        DP_PACKET_BATCH_FOR_EACH (j, part, &parts) {
            part = reserve_headroom(part, data->header_len + PORT_HEADROOM);
            push_frame(part, data, src_port, vlan_tci);
            any_tso |= dp_packet_get_tso_segsz(part) != 0;
            add_frame(part, is_ipv6, &out);
        }
        dp_packet_batch_destroy(&parts);
    }

    if (any_tso && !userspace_tso_enabled()) {
        /* netdev_send() segments only if userspace TSO is enabled. */
        dp_packet_gso_batch(&out);
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, &out) {
        pkt_metadata_init(&packet->md, data->out_port);
    }

    dp_packet_batch_swap(batch, &out);
    dp_packet_batch_destroy(&out);
    return 0;
}

/* Receiving. */

/* Counts 'n' segments or frames that came from 'src' to TCP port 'port' as
 * dropped because of 'drop', and tells the administrator from time to time. */
static void
count_drops(const struct in6_addr *src, ovs_be16 port, enum stt_drop drop,
            unsigned int n)
{
    struct stt_peer *peer = stt_peers_lookup(src, port);
    char addr[INET6_ADDRSTRLEN];

    if (peer) {
        stt_peer_count_drops(peer, drop, n);
    }

    if (drop == STT_DROP_DUPLICATE || drop == STT_DROP_EXPIRED
        || drop == STT_DROP_FLUSHED) {
        /* Networks lose and repeat packets, and this shows when they do. */
        VLOG_DBG_RL(&rl, "stt_sys_%"PRIu16": dropped %u from %s: %s",
                    ntohs(port), n, ipv6_string_mapped(addr, src),
                    stt_drop_description(drop));
    } else {
        VLOG_WARN_RL(&drop_rl, "stt_sys_%"PRIu16": dropped %u from %s: %s",
                     ntohs(port), n, ipv6_string_mapped(addr, src),
                     stt_drop_description(drop));
    }
}

/* Counts one segment or frame with outer headers 'tnl', sent to TCP port
 * 'port', as dropped because of 'drop', outside of the reassembly. */
static void
count_drop(const struct flow_tnl *tnl, ovs_be16 port, enum stt_drop drop)
{
    struct in6_addr src = flow_tnl_src(tnl);

    stt_count_drops(drop, 1);
    if (drop != STT_DROP_OUTER_IP) {
        count_drops(&src, port, drop, 1);
    } else {
        char addr[INET6_ADDRSTRLEN];

        VLOG_WARN_RL(&drop_rl, "stt_sys_%"PRIu16": dropped 1 from %s: %s",
                     ntohs(port),
                     (ipv6_addr_is_set(&src) ? ipv6_string_mapped(addr, &src)
                      : "an unknown address"), stt_drop_description(drop));
    }
}

static struct stt_reassembly *
get_reassembly(void)
{
    static const struct stt_reassembly_limits limits
        = STT_REASSEMBLY_DEFAULT_LIMITS;
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static struct stt_reassembly *reassembly;

    if (ovsthread_once_start(&once)) {
        reassembly = stt_reassembly_create(&limits, count_drops);
        ovsthread_once_done(&once);
    }
    return reassembly;
}

/* Returns the number that 'key' has in 'other_config', or 'def' if it has none
 * or one that isn't between 'min' and 'max', which is logged. */
static uint64_t
get_limit(const struct smap *other_config, const char *key,
          unsigned long long int min, unsigned long long int max,
          unsigned long long int def)
{
    const char *s = smap_get(other_config, key);
    unsigned long long int value;

    if (!s) {
        return def;
    }
    if (!parse_number(s, 10, &value) || value < min || value > max) {
        VLOG_WARN_RL(&rl, "invalid other_config:%s \"%s\": must be a number "
                     "between %llu and %llu; using %llu", key, s, min, max,
                     def);
        return def;
    }
    return value;
}

/* Takes the limits of the reassembly and those of probes from 'other_config',
 * which is that of table Open_vSwitch, and the defaults for those that it
 * lacks.  What waits already stays. */
void
netdev_stt_set_limits(const struct smap *other_config)
{
    const struct stt_reassembly_limits def = STT_REASSEMBLY_DEFAULT_LIMITS;
    const struct stt_reassembly_limits limits = {
        .max_bytes = get_limit(other_config, "stt-reassembly-max-bytes",
                               1 << 20, 1ULL << 36, def.max_bytes),
        .max_frames = get_limit(other_config, "stt-reassembly-max-frames",
                                16, 1 << 20, def.max_frames),
        .max_segments = get_limit(other_config, "stt-reassembly-max-segments",
                                  16, STT_MAX_SEGMENTS, def.max_segments),
        .source_percent = get_limit(other_config,
                                    "stt-reassembly-source-percent",
                                    1, 100, def.source_percent),
        .max_age_ms = get_limit(other_config, "stt-reassembly-timeout",
                                50, 30000, def.max_age_ms),
    };

    stt_reassembly_set_limits(get_reassembly(), &limits);
    stt_probe_set_limits(other_config);
}

/* Stores what the reassembly of all STT ports has done, and its limits, in
 * '*stats' and '*limits'. */
void
netdev_stt_get_reassembly(struct stt_reassembly_stats *stats,
                          struct stt_reassembly_limits *limits)
{
    stt_reassembly_get_stats(get_reassembly(), time_msec(), stats);
    stt_reassembly_get_limits(get_reassembly(), limits);
}

/* Finds the segment in 'packet', whose offsets are set, validates it from the
 * outer IP header to the checksum, and stores the outer fields in the packet's
 * tunnel metadata and those of the TCP-like header in '*seg'. */
static enum stt_drop
parse_outer(struct dp_packet *packet, struct stt_segment *seg)
{
    struct flow_tnl *tnl = &packet->md.tunnel;
    const struct tcp_header *tcp;
    const struct ip_header *ip;
    unsigned int hlen;
    enum stt_drop drop;
    size_t max_len;
    int l4_len;

    pkt_metadata_init_tnl(&packet->md);
    tcp = ip_extract_tnl_md(packet, tnl, &hlen);
    if (!tcp) {
        return STT_DROP_OUTER_IP;
    }

    /* Believe the IP header about the length, as far as the packet goes:
     * Ethernet pads short ones. */
    ip = dp_packet_l3(packet);
    if (packet->l4_ofs > dp_packet_size(packet)) {
        return STT_DROP_TRUNCATED;
    }
    max_len = dp_packet_size(packet) - packet->l4_ofs;
    if (IP_VER(ip->ip_ihl_ver) == 4) {
        l4_len = ntohs(ip->ip_tot_len) - IP_HEADER_LEN;
    } else {
        const struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(packet);

        if (packet->l4_ofs - packet->l3_ofs != IPV6_HEADER_LEN) {
            return STT_DROP_OUTER_IP;
        }
        l4_len = ntohs(ip6->ip6_plen);
    }
    if (l4_len < 0 || l4_len > max_len) {
        return STT_DROP_TRUNCATED;
    }

    drop = stt_parse_segment(tcp, l4_len, seg);
    if (drop) {
        return drop;
    }
    if (!stt_outer_csum_ok(packet, l4_len)) {
        return STT_DROP_OUTER_CSUM;
    }
    tnl->tp_src = tcp->tcp_src;
    tnl->tp_dst = tcp->tcp_dst;
    tnl->flags |= FLOW_TNL_F_KEY | FLOW_TNL_F_CSUM;
    return STT_OK;
}

/* Returns true if an STT port with TCP port 'port' may accept what comes from
 * the source of 'tnl'. */
static bool
is_from_peer(const struct flow_tnl *tnl, ovs_be16 port)
{
    struct in6_addr src = flow_tnl_src(tnl);

    return stt_peers_lookup(&src, port) != NULL;
}

/* Decapsulates 'packet', which was sent to TCP port 'port', and which it takes
 * ownership of.  Returns the inner frame with its metadata, which may be a TSO
 * packet, or NULL if 'packet' was dropped for the reason '*drop', or if it was
 * a probe, or a segment that now waits for others, with '*drop' STT_OK. */
static struct dp_packet *
pop_packet(struct dp_packet *packet, ovs_be16 port, enum stt_drop *drop)
{
    struct flow_tnl *tnl = &packet->md.tunnel;
    struct stt_arrival arrival;
    struct stt_segment seg;

    *drop = parse_outer(packet, &seg);
    if (*drop) {
        count_drop(tnl, port, *drop);
        goto none;
    }

    if (OVS_LIKELY(stt_segment_is_whole_frame(&seg))) {
        COVERAGE_INC(stt_rx_frame);
        dp_packet_reset_packet(packet, ((const char *) seg.data
                                        - (char *) dp_packet_data(packet)));
        dp_packet_set_size(packet, seg.frame_len);
        arrival.n_pieces = 1;
        arrival.largest = seg.len;
        arrival.reordered = false;
    } else {
        struct in6_addr src = flow_tnl_src(tnl);
        struct in6_addr dst = flow_tnl_dst(tnl);
        struct stt_peer *peer = stt_peers_lookup(&src, port);
        struct dp_packet *frame;
        bool ce;

        COVERAGE_INC(stt_rx_segment);
        if (OVS_UNLIKELY(!peer)) {
            *drop = STT_DROP_SOURCE;
            count_drop(tnl, port, *drop);
            goto none;
        }
        stt_peer_count(peer, STT_PEER_RX_SEGMENTS);
        *drop = stt_reassembly_add_arrival(get_reassembly(), &src, &dst, &seg,
                                           IP_ECN_is_ce(tnl->ip_tos),
                                           time_msec(), &frame, &ce,
                                           &arrival);
        if (!frame) {
            goto none;
        }

        COVERAGE_INC(stt_rx_reassembled);
        stt_peer_count(peer, STT_PEER_RX_REASSEMBLED);
        if (ce) {
            tnl->ip_tos |= IP_ECN_CE;
        }
        frame->md = packet->md;
        dp_packet_delete(packet);
        packet = frame;
        tnl = &packet->md.tunnel;
    }

    *drop = stt_pop_frame(packet, &tnl->tun_id);
    if (*drop) {
        count_drop(tnl, port, *drop);
        goto none;
    }
    if (OVS_UNLIKELY(stt_probe_is(packet))) {
        stt_probe_receive(packet, port, &arrival, time_msec());
        goto none;
    }
    if (OVS_UNLIKELY(dp_packet_get_tso_segsz(packet)
                     && !userspace_tso_enabled()
                     && !is_from_peer(tnl, port))) {
        /* It would be cut here, into hundreds of packets, to be dropped. */
        *drop = STT_DROP_SOURCE;
        count_drop(tnl, port, *drop);
        goto none;
    }
    pkt_metadata_init_conn(&packet->md);
    return packet;

none:
    dp_packet_delete(packet);
    return NULL;
}

/* Decapsulates all packets of 'batch', whose layer offsets must be set and
 * whose outer headers are those of 'netdev', an STT port, and replaces them by
 * the inner frames.  There may be fewer of them, since segments wait for each
 * other, or more, since a packet that was not segmented by its sender is
 * segmented here if userspace TSO is not enabled.
 *
 * May be called from any thread.  Returns the number of packets of 'batch'
 * that were dropped.  A segment that waits for others is not a drop. */
size_t
netdev_stt_pop_batch(struct netdev *netdev, struct dp_packet_batch *batch)
{
    ovs_be16 port = netdev_get_tunnel_config(netdev)->dst_port;
    struct dp_packet_batch out;
    struct dp_packet *packet;
    size_t n_drops = 0;

    dp_packet_batch_init(&out);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        struct dp_packet *inner;
        enum stt_drop drop;

        inner = pop_packet(packet, port, &drop);
        if (inner) {
            drop = stt_deliver(inner, userspace_tso_enabled(),
                               NETDEV_STT_MAX_PACKET_LEN, &out);
            if (drop) {
                count_drop(&inner->md.tunnel, port, drop);
                dp_packet_delete(inner);
            }
        }
        n_drops += drop != STT_OK;
    }

    dp_packet_batch_swap(batch, &out);
    dp_packet_batch_destroy(&out);
    return n_drops;
}

/* Text form. */

/* Appends to 'ds' the TCP-like and STT headers of the header of a tnl_push
 * action, 'len' bytes at 'l4'. */
void
netdev_stt_format_header(struct ds *ds, const void *l4, size_t len)
{
    const struct tcp_header *tcp = l4;
    const struct stt_header *stt = (const struct stt_header *) (tcp + 1);

    if (len < sizeof *tcp + sizeof *stt) {
        ds_put_cstr(ds, "stt(truncated header)");
        return;
    }

    ds_put_format(ds, "tcp(src=%"PRIu16",dst=%"PRIu16"),"
                  "stt(segsize=%"PRIu16",key=%#"PRIx64")",
                  ntohs(tcp->tcp_src), ntohs(tcp->tcp_dst), template_mss(tcp),
                  ntohll(stt_get_context_id(stt)));
}

/* Copies to 'tnl' the TCP ports and the key of the header of a tnl_push
 * action, whose TCP-like and STT headers are at 'l4'.  The source port is 0,
 * since each flow gets one of its own when it is sent. */
void
netdev_stt_read_header(const void *l4, struct flow_tnl *tnl)
{
    const struct tcp_header *tcp = l4;

    tnl->tp_src = tcp->tcp_src;
    tnl->tp_dst = tcp->tcp_dst;
    tnl->tun_id = stt_get_context_id((const struct stt_header *) (tcp + 1));
}

/* Parses what netdev_stt_format_header() formats, and the parenthesis that
 * closes the header, from 's' at offset '*n', and writes the TCP-like and STT
 * headers to 'l4', which must have room for them.
 *
 * Returns their length and advances '*n' if successful.  Otherwise returns 0
 * and leaves '*n' alone. */
uint32_t
netdev_stt_scan_header(const char *s, int *n, void *l4)
{
    struct tcp_header *tcp = l4;
    struct stt_header *stt = (struct stt_header *) (tcp + 1);
    uint32_t src, dst, segsize;
    int len = *n;
    uint64_t key;

    if (!ovs_scan_len(s, &len, "tcp(src=%"SCNu32",dst=%"SCNu32"),"
                      "stt(segsize=%"SCNu32",key=%"SCNi64"))",
                      &src, &dst, &segsize, &key)
        || src > UINT16_MAX || dst > UINT16_MAX
        || segsize < STT_MIN_OUTER_MSS || segsize > STT_MAX_OUTER_MSS) {
        return 0;
    }

    memset(tcp, 0, sizeof *tcp);
    tcp->tcp_src = htons(src);
    tcp->tcp_dst = htons(dst);
    put_16aligned_be32(&tcp->tcp_seq, htonl(segsize));
    memset(stt, 0, sizeof *stt);
    stt_set_context_id(stt, htonll(key));

    *n = len;
    return sizeof *tcp + sizeof *stt;
}

/* Main loop. */

static long long int next_run = LLONG_MIN;
static uint64_t last_connectivity_seq;
static bool have_ports;

/* Expires incomplete frames, answers probes, and opens and closes the sockets
 * that reserve TCP ports as STT ports come and go.  Does nothing for classes
 * other than STT's.  Only the main thread may call this and
 * netdev_stt_wait(). */
void
netdev_stt_run(const struct netdev_class *class)
{
    uint64_t seq;

    if (!is_stt(class->type)) {
        return;
    }

    seq = seq_read(connectivity_seq_get());
    if (seq != last_connectivity_seq || time_msec() >= next_run) {
        bool had_ports = have_ports;

        last_connectivity_seq = seq;
        have_ports = refresh_ports();
        if (have_ports) {
            stt_reassembly_expire(get_reassembly(), time_msec());
        } else if (had_ports) {
            stt_reassembly_flush(get_reassembly());
        }
        next_run = time_msec() + RUN_INTERVAL;
    }
    stt_probe_run();
    stt_probe_unixctl_run();
}

/* Makes poll_block() wake up when netdev_stt_run() has something to do. */
void
netdev_stt_wait(const struct netdev_class *class)
{
    if (!is_stt(class->type)) {
        return;
    }

    seq_wait(connectivity_seq_get(), last_connectivity_seq);
    if (have_ports) {
        poll_timer_wait_until(next_run);
    }
    stt_probe_wait();
    stt_probe_unixctl_wait();
}
