/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "netdev-tuning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "coverage.h"
#include "dp-packet.h"
#include "dp-packet-finish.h"
#include "dpif.h"
#include "dpif-netdev.h"
#include "flow.h"
#include "gro.h"
#include "netdev-native-tnl.h"
#include "netdev-provider.h"
#include "netdev-vport.h"
#include "netlink.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "packets.h"
#include "smap.h"
#include "stt.h"
#include "timeval.h"
#include "userspace-tso.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_tuning);

COVERAGE_DEFINE(netdev_offload_lost);   /* Dropped, as nobody can do it. */
COVERAGE_DEFINE(netdev_poll_again);     /* Rounds but the first. */
COVERAGE_DEFINE(netdev_rx_csum_valid);
COVERAGE_DEFINE(netdev_send_refused);   /* Dropped, by the kernel. */

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* Bytes of a virtio header, see struct virtio_net_hdr. */
#define VNET_HDR_LEN 10

/* What a packet without userspace TSO, or the front of one with it, may take
 * in its buffer.  Longer MTUs make use of the big buffers. */
#define STD_LEN_MAX (16 * 1024)

/* The longest packet that there may be: an IPv6 packet, which doesn't count
 * its header's 40 bytes, with an Ethernet header and two VLAN tags. */
#define PACKET_LEN_MAX (VNET_HDR_LEN + VLAN_ETH_HEADER_LEN + VLAN_HEADER_LEN \
                        + 40 + UINT16_MAX)

/* Space before a packet, for the headers of a tunnel or two.  The longest of
 * STT, over IPv6 with VLAN and virtio headers, has 106 bytes.  With DPDK, a
 * buffer's length has 16 bits only, and can't hold all that. */
#ifdef DPDK_NETDEV
#define HEADROOM DP_NETDEV_HEADROOM
#define BIG_BUF_SIZE UINT16_MAX
#else
#define HEADROOM 192
#define BIG_BUF_SIZE ROUND_UP(HEADROOM + PACKET_LEN_MAX, CACHE_LINE_SIZE)

BUILD_ASSERT_DECL(HEADROOM >= DP_NETDEV_HEADROOM);
#endif

/* An offset in a packet has 16 bits. */
BUILD_ASSERT_DECL(HEADROOM + STD_LEN_MAX <= UINT16_MAX);

/* Big buffers that a thread has freed and will use again.  A batch of packets
 * takes NETDEV_MAX_BURST of them. */
struct big_cache {
    size_t n;
    void *bufs[2 * NETDEV_MAX_BURST];
};

static pthread_key_t big_cache_key;
DEFINE_STATIC_PER_THREAD_DATA(struct big_cache *, big_cache, NULL);

/* Polling. */

/* How long the main thread polls ports before it turns to its other work, in
 * microseconds. */
static atomic_uint32_t poll_max = NETDEV_TUNING_POLL_DEFAULT;

/* Returns true if the main thread is to poll, in one more round, all ports of
 * the userspace datapath that it is responsible for.  'r' is for the rounds in
 * a row: all zero before the first, and the caller sets 'r->busy' when a port
 * has had a packet.
 *
 * A round takes a batch from each port.  What the thread does besides, to look
 * after bridges, controllers and the database, takes about as long as a batch
 * of short packets.  So as long as packets come, there is one round after the
 * other, until it is time for the rest. */
bool
netdev_tuning_next_round(struct netdev_tuning_rounds *r)
{
    if (!r->n) {
        uint32_t max;

        atomic_read_relaxed(&poll_max, &max);
        r->end = max ? time_usec() + max : 0;
    } else if (!r->busy || !r->end || r->n >= NETDEV_TUNING_ROUNDS_MAX
               || time_usec() >= r->end) {
        return false;
    } else {
        COVERAGE_INC(netdev_poll_again);
    }

    r->n++;
    r->busy = false;
    return true;
}

/* Receive socket buffers. */

/* Linux doubles the size that is asked for, to have room for its own data. */
static int
get_rcvbuf(int fd)
{
    socklen_t len = sizeof(int);
    int size;

    return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) ? 0 : size / 2;
}

/* Sets the receive buffer of the socket of 'netdev', if it has one, to as much
 * as is configured or as bursts of packets need, and notes what the kernel has
 * given, which may be less. */
static void
set_rcvbuf(struct netdev *netdev)
{
    struct netdev_tuning *tuning = &netdev->tuning;
    int wanted = tuning->rcvbuf ? tuning->rcvbuf
                 : userspace_tso_enabled() ? NETDEV_TUNING_RCVBUF_TSO
                 : MAX(NETDEV_TUNING_RCVBUF_STD, tuning->rcvbuf_initial);
    int before = tuning->rcvbuf_got;

    if (tuning->rx_fd <= 0 || wanted == before) {
        return;
    }

#ifdef SO_RCVBUFFORCE
    if (setsockopt(tuning->rx_fd, SOL_SOCKET, SO_RCVBUFFORCE,
                   &wanted, sizeof wanted))
#endif
    {
        /* The kernel gives what net.core.rmem_max allows. */
        setsockopt(tuning->rx_fd, SOL_SOCKET, SO_RCVBUF,
                   &wanted, sizeof wanted);
    }

    tuning->rcvbuf_got = get_rcvbuf(tuning->rx_fd);
    if (tuning->rcvbuf_got != before) {
        if (tuning->rcvbuf_got < wanted
            && (tuning->rcvbuf || userspace_tso_enabled())) {
            VLOG_WARN("%s: receive socket buffer has %d bytes instead of %d, "
                      "so packets may get lost.  Without CAP_NET_ADMIN, "
                      "net.core.rmem_max is the limit.",
                      netdev_get_name(netdev), tuning->rcvbuf_got, wanted);
        }
        netdev_change_seq_changed(netdev);
    }
}

/* Has 'netdev' receive from packet socket 'fd', whose buffer is made as large
 * as it should be.  Only for the main thread. */
void
netdev_tuning_rxq_opened(struct netdev *netdev, int fd)
{
    netdev->tuning.rx_fd = fd;
    netdev->tuning.rcvbuf_initial = get_rcvbuf(fd);
    netdev->tuning.rcvbuf_got = netdev->tuning.rcvbuf_initial;
    set_rcvbuf(netdev);
}

/* Has 'netdev' forget its packet socket.  Only for the main thread. */
void
netdev_tuning_rxq_closed(struct netdev *netdev)
{
    netdev->tuning.rx_fd = 0;
    netdev->tuning.rcvbuf_got = 0;
}

/* Segmentation by the kernel. */

/* Returns what of the offload features of 'netdev' is to be used.  For any
 * thread: a batch of packets is sent with all or with none of what
 * other_config:kernel-tso switches, if its sender calls this once. */
uint64_t
netdev_tuning_ol_flags(const struct netdev *netdev)
{
    uint64_t unused;

    atomic_read_relaxed(&CONST_CAST(struct netdev *, netdev)->tuning.ol_unused,
                        &unused);
    return netdev->ol_flags & ~unused;
}

/* Has the kernel segment the TCP packets sent to 'netdev' if 'enable' is true,
 * even if its NIC can't.  The kernel does that last, so that a packet passes
 * the rest of it in one piece.
 *
 * PMD threads send packets to 'netdev' meanwhile.  They read 'ol_flags' with
 * no lock, so it remains as it was when the port was made, and what of it
 * isn't to be used is in an atomic variable of its own.  No order is needed,
 * because nothing else depends on it: packets are sent rightly either way. */
static void
set_kernel_tso(struct netdev *netdev, bool enable)
{
    struct netdev_tuning *tuning = &netdev->tuning;
    uint64_t unused = enable ? 0 : netdev->ol_flags & ~tuning->nic_ol_flags;
    uint64_t before;

    if (!tuning->kernel_can_tso) {
        return;
    }
    atomic_read_relaxed(&tuning->ol_unused, &before);
    if (before != unused) {
        atomic_store_relaxed(&tuning->ol_unused, unused);
        netdev_change_seq_changed(netdev);
    }
}

/* With userspace TSO, has the kernel segment the packets sent to 'netdev' if
 * it is of a type that hands them to a packet socket.  Its 'ol_flags' must be
 * those of the NIC, and no other thread may know 'netdev' yet. */
void
netdev_tuning_init_ol(struct netdev *netdev)
{
    netdev->tuning.nic_ol_flags = netdev->ol_flags;
#ifdef __linux__
    if (netdev->netdev_class == &netdev_linux_class) {
        netdev->tuning.kernel_can_tso = true;
        /* What is to be segmented has no checksum yet. */
        netdev->ol_flags |= (NETDEV_TX_OFFLOAD_TCP_TSO
                             | NETDEV_TX_OFFLOAD_TCP_CKSUM);
    }
#endif
}

/* Configuration and status. */

/* Has the userspace datapath do as 'other_config' of table Open_vSwitch says.
 * A bad value is logged, and the default is used.  For any thread. */
void
netdev_tuning_set_config(const struct smap *other_config)
{
    const char *s = smap_get(other_config, "main-poll-max");
    long long int max = NETDEV_TUNING_POLL_DEFAULT;

    if (s && (!str_to_llong(s, 10, &max)
              || max < 0 || max > NETDEV_TUNING_POLL_MAX)) {
        VLOG_WARN_RL(&rl, "other_config:main-poll-max: \"%s\" is not a "
                     "number from 0 to %d", s, NETDEV_TUNING_POLL_MAX);
        max = NETDEV_TUNING_POLL_DEFAULT;
    }
    atomic_store_relaxed(&poll_max, max);
}

/* Has 'netdev', a port of the userspace datapath, do as 'other_config' of its
 * Interface says.  A bad value is logged, and the default is used.  Only for
 * the main thread. */
void
netdev_tuning_configure(struct netdev *netdev, const struct smap *other_config)
{
    const char *s = smap_get(other_config, "rx-socket-buffer");
    long long int rcvbuf = 0;

    if (s && (!str_to_llong(s, 10, &rcvbuf)
              || rcvbuf < NETDEV_TUNING_RCVBUF_MIN
              || rcvbuf > NETDEV_TUNING_RCVBUF_MAX)) {
        VLOG_WARN_RL(&rl, "%s: other_config:rx-socket-buffer: \"%s\" is not a "
                     "number from %d to %d", netdev_get_name(netdev), s,
                     NETDEV_TUNING_RCVBUF_MIN, NETDEV_TUNING_RCVBUF_MAX);
        rcvbuf = 0;
    }
    netdev->tuning.rcvbuf = rcvbuf;
    set_rcvbuf(netdev);
    set_kernel_tso(netdev, smap_get_bool(other_config, "kernel-tso", true));
}

static bool
is_gro_off(struct netdev *netdev)
{
    bool off;

    atomic_read_relaxed(&netdev->tuning.gro_off, &off);
    return off;
}

/* Returns true if 'netdev' is the interface of a tunnel of the userspace
 * datapath. */
static bool
is_userspace_tunnel(const struct netdev *netdev)
{
    const char *dpif_type = netdev_get_dpif_type(netdev);

    return netdev_vport_is_vport_class(netdev->netdev_class)
           && netdev_has_tunnel_push_pop(netdev)
           && dpif_type && strcmp(dpif_type, "system");
}

/* Switches GRO off or on for 'port' of the userspace datapath, called 'name'.
 * If 'off' is false, it remains off if an interface of its tunnels wants that.
 * All of these interfaces show what is in force now. */
static void
set_gro_off(struct netdev *port, const char *name, bool off)
{
    bool before = is_gro_off(port);
    struct netdev **vports;
    size_t n;

    if (before == off) {
        return;
    }

    /* Only interfaces of the same port count, and the port isn't one. */
    vports = netdev_get_vports(&n);
    for (size_t i = 0; i < n; i++) {
        char namebuf[NETDEV_VPORT_NAME_BUFSIZE];

        if (vports[i] == port
            || strcmp(name, netdev_vport_get_dpif_port(vports[i], namebuf,
                                                       sizeof namebuf))) {
            netdev_close(vports[i]);
            vports[i] = NULL;
        } else {
            off |= is_gro_off(vports[i]);
        }
    }
    atomic_store_relaxed(&port->tuning.gro_off, off);
    for (size_t i = 0; i < n; i++) {
        if (vports[i]) {
            if (off != before) {
                netdev_change_seq_changed(vports[i]);
            }
            netdev_close(vports[i]);
        }
    }
    free(vports);
}

/* Like netdev_tuning_configure(), for 'netdev' that is the interface of a
 * tunnel, which has a port of the userspace datapath in common with others.
 * What one of them wants off is off for all.  Nothing happens to a tunnel of
 * another datapath. */
void
netdev_tuning_configure_tunnel(struct netdev *netdev,
                               const struct smap *other_config)
{
    bool off = !smap_get_bool(other_config, "gro", true);
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    struct netdev *port;
    const char *name;

    if (!is_userspace_tunnel(netdev)) {
        return;
    }
    atomic_store_relaxed(&netdev->tuning.gro_off, off);

    name = netdev_vport_get_dpif_port(netdev, namebuf, sizeof namebuf);
    port = netdev_from_name(name);
    if (port) {
        if (port != netdev) {
            set_gro_off(port, name, off);
        }
        netdev_close(port);
    }
}

/* Adds to 'smap' what is in force for 'netdev'.  Only for the main thread. */
void
netdev_tuning_get_status(const struct netdev *netdev, struct smap *smap)
{
    if (netdev->tuning.rcvbuf_got) {
        smap_add_format(smap, "rx_socket_buffer", "%d",
                        netdev->tuning.rcvbuf_got);
    }
    if (netdev->tuning.kernel_can_tso) {
        smap_add(smap, "tx_tcp_seg_by",
                 netdev->tuning.nic_ol_flags & NETDEV_TX_OFFLOAD_TCP_TSO
                 ? "nic"
                 : netdev_tuning_ol_flags(netdev) & NETDEV_TX_OFFLOAD_TCP_TSO
                 ? "kernel" : "switch");
    }
}

/* Adds to 'smap' what is in force for 'netdev', the interface of a tunnel.  It
 * shares that with the other interfaces of the same port of the datapath.
 * Nothing is added if the tunnel isn't one of the userspace datapath. */
void
netdev_tuning_get_tunnel_status(const struct netdev *netdev, struct smap *smap)
{
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    struct netdev *port;

    if (!is_userspace_tunnel(netdev)) {
        return;
    }
    port = netdev_from_name(netdev_vport_get_dpif_port(netdev, namebuf,
                                                       sizeof namebuf));
    if (port) {
        smap_add(smap, "gro", userspace_tso_enabled() && !is_gro_off(port)
                              ? "true" : "false");
        netdev_close(port);
    }
}

/* Checksums of packets received. */

/* Notes that the kernel has found the L4 checksum of 'packet' to be good.  If
 * 'tso' is true, it was merged of several packets; then its data are good, but
 * its checksum is that of one of them. */
void
netdev_tuning_mark_valid(struct dp_packet *packet, bool tso)
{
    uint8_t nw_frag = 0;

    parse_tcp_flags(packet, NULL, &nw_frag, NULL);
    if (packet->l4_ofs == UINT16_MAX || nw_frag) {
        return;
    }
    if (tso && dp_packet_l4_proto_tcp(packet)) {
        dp_packet_l4_checksum_set_partial(packet);
    } else if (dp_packet_l4_proto_tcp(packet)
               || dp_packet_l4_proto_udp(packet)) {
        dp_packet_l4_checksum_set_good(packet);
    } else {
        return;
    }
    COVERAGE_INC(netdev_rx_csum_valid);
}

/* Buffers to receive into. */

/* Returns how many bytes of a packet of a port with 'mtu' go into a buffer of
 * the ordinary size, 'vnet_hdr_len' bytes of a virtio header included.  With
 * userspace TSO, packets may be longer, and the rest goes into a big one. */
size_t
netdev_tuning_std_len(size_t vnet_hdr_len, int mtu, bool tso)
{
    size_t len = vnet_hdr_len + VLAN_ETH_HEADER_LEN + mtu;

#ifdef DPDK_NETDEV
    len = MIN(len, UINT16_MAX - HEADROOM);
#endif
    return tso ? MIN(len, STD_LEN_MAX) : len;
}

/* Returns a packet with headroom and space for 'std_len' bytes: 'buf', if it
 * is one that nothing has been received into, otherwise a new one.  'buf' may
 * be null. */
struct dp_packet *
netdev_tuning_std_buf(struct dp_packet *buf, size_t std_len)
{
    if (OVS_LIKELY(buf && dp_packet_tailroom(buf) == std_len)) {
        return buf;
    }
    dp_packet_delete(buf);
    return dp_packet_new_with_headroom(std_len, HEADROOM);
}

static void
big_cache_destroy(void *cache_)
{
    struct big_cache *cache = cache_;

    while (cache->n) {
        free(cache->bufs[--cache->n]);
    }
    free(cache);
    *big_cache_get() = NULL;
}

static struct big_cache *
big_cache_get_or_new(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    struct big_cache **cachep = big_cache_get();

    if (OVS_UNLIKELY(!*cachep)) {
        if (ovsthread_once_start(&once)) {
            xpthread_key_create(&big_cache_key, big_cache_destroy);
            ovsthread_once_done(&once);
        }
        *cachep = xzalloc(sizeof **cachep);
        xpthread_setspecific(big_cache_key, *cachep);
    }
    return *cachep;
}

/* Returns the size of what netdev_tuning_big_buf() allocates, in bytes. */
size_t
netdev_tuning_big_buf_size(void)
{
    return BIG_BUF_SIZE;
}

/* Returns a packet with space for the rest of the longest packet, and headroom
 * for the first 'std_len' bytes of it and for the headers of tunnels: 'buf',
 * if it isn't null, otherwise a new one. */
struct dp_packet *
netdev_tuning_big_buf(struct dp_packet *buf, size_t std_len)
{
    if (OVS_UNLIKELY(!buf)) {
        struct big_cache *cache = big_cache_get_or_new();
        void *base = (cache->n ? cache->bufs[--cache->n]
                      : xmalloc(BIG_BUF_SIZE));

        buf = dp_packet_new(0);
        dp_packet_use(buf, base, BIG_BUF_SIZE);
    }
    dp_packet_set_data(buf, (char *) dp_packet_base(buf) + HEADROOM + std_len);
    return buf;
}

/* Frees 'buf' of 'allocated' bytes, which come from malloc(), or keeps it for
 * netdev_tuning_big_buf() of this thread.  'buf' may be null. */
void
netdev_tuning_free_buf(void *buf, size_t allocated)
{
    if (OVS_UNLIKELY(allocated == BIG_BUF_SIZE)) {
        struct big_cache *cache = *big_cache_get();

        /* A thread that receives nothing keeps nothing. */
        if (cache && cache->n < ARRAY_SIZE(cache->bufs)) {
            cache->bufs[cache->n++] = buf;
            return;
        }
    }
    free(buf);
}

/* Returns a new packet with 'headroom' bytes before and room for 'size' bytes
 * of data. */
struct dp_packet *
netdev_tuning_long_packet(size_t size, size_t headroom)
{
    struct dp_packet *packet;

    if (size < STD_LEN_MAX || size + headroom > BIG_BUF_SIZE) {
        return dp_packet_new_with_headroom(size, headroom);
    }
    packet = netdev_tuning_big_buf(NULL, 0);
    dp_packet_set_data(packet, (char *) dp_packet_base(packet) + headroom);
    return packet;
}

/* Returns how much of its 'tailroom' the buffer of 'packet', which gets
 * 'headroom', may keep.  All of it, but with DPDK, a buffer's length has 16
 * bits only: what a big buffer has left has to make room for headers then. */
size_t
netdev_tuning_tailroom(const struct dp_packet *packet OVS_UNUSED,
                       size_t headroom OVS_UNUSED, size_t tailroom)
{
#ifdef DPDK_NETDEV
    size_t used = headroom + dp_packet_size(packet);

    /* Whoever wants tailroom leaves the headroom alone. */
    if (headroom > dp_packet_headroom(packet) && used <= UINT16_MAX) {
        return MIN(tailroom, UINT16_MAX - used);
    }
#endif
    return tailroom;
}

/* Merging of TCP segments. */

static void
do_gro(struct netdev *netdev, struct dp_packet_batch *batch)
{
    struct netdev_tuning *tuning = &netdev->tuning;
    struct gro_result result;
    uint64_t orig;

    if (!userspace_tso_enabled() || is_gro_off(netdev)) {
        return;
    }
    result = gro_batch(batch);
    if (result.packets) {
        atomic_add_relaxed(&tuning->gro_segments, result.segments, &orig);
        atomic_add_relaxed(&tuning->gro_packets, result.packets, &orig);
    }
}

/* Merges the TCP segments in 'batch', which have left tunnel 'netdev'. */
void
netdev_tuning_gro_popped(struct netdev *netdev, struct dp_packet_batch *batch)
{
    do_gro(netdev, batch);
}

/* Returns true if a tunnel pushes the header in 'data' to packets with TSO so
 * that their segments will be right. */
static bool
takes_tso(const struct ovs_action_push_tnl *data)
{
    const struct gre_base_hdr *gre;
    size_t ofs;

    switch (data->tnl_type) {
    case OVS_VPORT_TYPE_GENEVE:
    case OVS_VPORT_TYPE_VXLAN:
        return true;

    case OVS_VPORT_TYPE_GRE:
    case OVS_VPORT_TYPE_IP6GRE:
        /* Each segment would need a checksum, or a number, of its own. */
        ofs = ETH_HEADER_LEN + (netdev_tnl_is_header_ipv6(data->header)
                                ? IPV6_HEADER_LEN : IP_HEADER_LEN);
        gre = ALIGNED_CAST(const struct gre_base_hdr *,
                           (const uint8_t *) data->header + ofs);
        return !(gre->flags & htons(GRE_CSUM | GRE_SEQ));

    default:
        return false;
    }
}

/* Gets 'batch' ready to enter tunnel 'netdev' with the header in 'data'.  If
 * the tunnel leaves packets in one piece, TCP segments in 'batch' are merged.
 * If it can't take packets with TSO, they are segmented, so that they are not
 * lost.  Call it right before the header is pushed. */
void
netdev_tuning_gro_push(struct netdev *netdev, struct dp_packet_batch *batch,
                       const struct ovs_action_push_tnl *data)
{
    if (netdev->netdev_class->push_batch) {
        do_gro(netdev, batch);
    } else if (userspace_tso_enabled() && !takes_tso(data)) {
        netdev_tuning_finish(batch);
    } else {
        netdev_tuning_recover(batch);
    }
}

/* Offloads that packets wait for. */

/* Returns true if 'packet' waits for an offload, other than that of an IP
 * checksum. */
static bool
is_waiting(const struct dp_packet *packet)
{
    return (dp_packet_l4_checksum_partial(packet)
            || dp_packet_get_tso_segsz(packet)
            || dp_packet_tunnel(packet));
}

static void
drop_lost(struct dp_packet *packet)
{
    COVERAGE_INC(netdev_offload_lost);
    dp_packet_delete(packet);
}

/* Does in software what the packets in 'batch' wait for, before something
 * happens to them after which nobody could.
 *
 * Packets for which it can't be done are dropped.  Only for the thread that
 * owns 'batch'. */
void
netdev_tuning_finish(struct dp_packet_batch *batch)
{
    struct dp_packet_batch out;
    struct dp_packet *packet;
    bool waiting = false;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        waiting |= is_waiting(packet);
    }
    if (OVS_LIKELY(!waiting)) {
        return;
    }

    dp_packet_batch_init(&out);
    out.trunc = batch->trunc;
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        if (!is_waiting(packet)) {
            dp_packet_batch_add(&out, packet);
        } else if (!dp_packet_finish(packet, &out)) {
            drop_lost(packet);
        }
    }
    dp_packet_batch_swap(batch, &out);
    dp_packet_batch_destroy(&out);
}

/* Has the packets in 'batch' wait for nothing but what can be done for them:
 * see dp_packet_offload_recover().  What comes next relies on that.
 *
 * Packets for which there is no way are dropped.  Only for the thread that
 * owns 'batch'. */
void
netdev_tuning_recover(struct dp_packet_batch *batch)
{
    const size_t size = dp_packet_batch_size(batch);
    struct dp_packet *packet;
    bool lost = false;
    size_t n;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        lost |= is_waiting(packet) && dp_packet_offload_is_lost(packet);
    }
    if (OVS_LIKELY(!lost)) {
        return;
    }
    DP_PACKET_BATCH_REFILL_FOR_EACH (n, size, packet, batch) {
        if (dp_packet_offload_recover(packet)) {
            dp_packet_batch_add(batch, packet);
        } else {
            drop_lost(packet);
        }
    }
}

/* Gets 'packet' ready to leave the datapath for a controller or a collector,
 * with complete checksums.  Where that can't be done, it waits for nothing
 * either: a packet is to be seen, not used. */
void
netdev_tuning_prepare_upcall(struct dp_packet *packet)
{
    if (is_waiting(packet) && !dp_packet_offload_recover(packet)) {
        dp_packet_reset_offload(packet);
        dp_packet_set_tso_segsz(packet, 0);
        return;
    }
    dp_packet_ol_send_prepare(packet, 0);
}

/* Returns true if 'actions', of 'actions_len' bytes, push the header of a
 * tunnel, also if that is nested in others. */
static bool
has_tunnel_push(const struct nlattr *actions, size_t actions_len)
{
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        int type = nl_attr_type(a);

        if (type == OVS_ACTION_ATTR_TUNNEL_PUSH) {
            return true;
        } else if (type == OVS_ACTION_ATTR_CLONE) {
            if (has_tunnel_push(nl_attr_get(a), nl_attr_get_size(a))) {
                return true;
            }
        } else if (type == OVS_ACTION_ATTR_SAMPLE
                   || type == OVS_ACTION_ATTR_CHECK_PKT_LEN) {
            const struct nlattr *b;
            size_t b_left;

            NL_NESTED_FOR_EACH (b, b_left, a) {
                bool nested = (type == OVS_ACTION_ATTR_SAMPLE
                               ? nl_attr_type(b) == OVS_SAMPLE_ATTR_ACTIONS
                               : (nl_attr_type(b)
                                  != OVS_CHECK_PKT_LEN_ATTR_PKT_LEN));

                if (nested && has_tunnel_push(nl_attr_get(b),
                                              nl_attr_get_size(b))) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Returns true if dpif_execute_with_help() may execute 'execute' on 'dpif'.
 * It has 'dpif' do one action after the other, each with the one packet that
 * the last has left.  To push a tunnel's header may leave none, or several:
 * then the output that follows would send the packet without the tunnel.  The
 * userspace datapath can do all of them itself.
 *
 * Any thread may call this. */
bool
netdev_tuning_can_help(const struct dpif *dpif,
                       const struct dpif_execute *execute)
{
    return (!dpif_is_netdev(dpif)
            || !has_tunnel_push(execute->actions, execute->actions_len));
}

/* Returns true if '*errorp', with which the kernel refused a packet to be sent
 * through 'netdev', is about that packet alone, so that the next ones are to
 * be tried.  If so, counts the packet in '*n_drops', logs it, and clears
 * '*errorp'. */
bool
netdev_tuning_skip(const struct netdev *netdev, int *errorp, uint64_t *n_drops)
{
    if (OVS_LIKELY(*errorp != EMSGSIZE && *errorp != EINVAL)) {
        return false;
    }
    COVERAGE_INC(netdev_send_refused);
    VLOG_WARN_RL(&rl, "%s: the kernel does not send a packet: %s",
                 netdev_get_name(netdev), ovs_strerror(*errorp));
    *n_drops += 1;
    *errorp = 0;
    return true;
}

/* Adds to 'stats' what has been merged for 'netdev' or, if it is the interface
 * of a tunnel, for the port of the datapath that it shares with others of its
 * type.  'error' tells whether 'stats' had anything before; returns what it
 * tells afterward. */
int
netdev_tuning_get_custom_stats(const struct netdev *netdev, int error,
                               struct netdev_custom_stats *stats)
{
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    uint64_t segments, packets;
    struct netdev *port;

    if (!userspace_tso_enabled()
        || (error && error != EOPNOTSUPP && error != ENODEV)
        || !netdev_vport_is_vport_class(netdev->netdev_class)) {
        return error;
    }
    port = netdev_from_name(netdev_vport_get_dpif_port(netdev, namebuf,
                                                       sizeof namebuf));
    if (!port) {
        return error;
    }
    atomic_read_relaxed(&port->tuning.gro_segments, &segments);
    atomic_read_relaxed(&port->tuning.gro_packets, &packets);
    netdev_close(port);

    stats->counters = xrealloc(stats->counters, (stats->size + 2)
                                                * sizeof *stats->counters);
    for (int i = 0; i < 2; i++) {
        struct netdev_custom_counter *c = &stats->counters[stats->size++];

        c->value = i ? packets : segments;
        ovs_strlcpy(c->name, i ? "gro_packets" : "gro_segments",
                    sizeof c->name);
    }
    return 0;
}
