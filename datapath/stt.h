/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stateless Transport Tunneling: what the files of the module share.
 *
 * An STT frame is a header of 18 bytes and one Ethernet frame.  It travels as
 * the payload of something that looks like TCP, so that whatever segments or
 * merges TCP does so with STT.  The sequence number holds the length of the
 * frame (high half) and the offset of the segment in it (low half), the
 * acknowledgment number an ID that the segments of a frame share.  Offsets
 * are always those in the frame, header included, so that no check of a bound
 * can wrap.
 *
 * The format is that of draft-davie-stt-08 as its implementations have spoken
 * it since Open vSwitch 2.4; see Documentation/topics/stt.rst.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef _STT_H
#define _STT_H

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <net/dst_metadata.h>
#include <net/gro_cells.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "if_stt.h"

enum stt_limits {
	STT_PORT = 7471,		/* TCP port, as IANA has it */
	STT_HLEN = 18,
	STT_MIN_FRAME = STT_HLEN + ETH_HLEN,
	STT_MAX_FRAME = U16_MAX,	/* the length field has 16 bits */

	/* Largest frames that fit one packet of IP before TSO. */
	STT_MAX_FRAME4 = U16_MAX - 20 - 20,
	STT_MAX_FRAME6 = U16_MAX - 20,

	/* The device's: what a frame over IPv4 takes, less the Ethernet
	 * header.
	 */
	STT_MAX_MTU = STT_MAX_FRAME4 - STT_HLEN - ETH_HLEN,

	/* A maximal TSO packet of a guest, with two VLAN tags. */
	STT_MAX_GSO = U16_MAX + ETH_HLEN + 2 * VLAN_HLEN + 1,

	/* Receivers refuse more segments in a frame, so senders don't send
	 * them.  A maximal frame at an MTU of 576 has 123.
	 */
	STT_MAX_SEGMENTS = 128,
	STT_MIN_OUTER_MSS = 64,

	/* Smallest inner segment size that a receiver honors. */
	STT_MIN_INNER_MSS = 48,

	STT_MAX_L4_OFFSET = U8_MAX,

	/* No path has a smaller MTU, whatever an ICMP message claims. */
	STT_MIN_PMTU4 = 576,
	STT_MIN_PMTU6 = IPV6_MIN_MTU,

	/* How long after the last packet to it a peer's path may be the
	 * subject of an ICMP message, in seconds.
	 */
	STT_PMTU_PEER_SECS = 30,
};

/* The STT frame header, the first bytes of each frame. */
struct stt_hdr {
	u8	version;
	u8	flags;		/* STT_F_* */
	u8	l4_offset;	/* from the start of inner Ethernet */
	u8	reserved;
	__be16	mss;		/* of the inner packet, 0 if none */
	__be16	vlan_tci;	/* PCP, STT_VLAN_PRESENT, VID */
	__be64	context_id;
	__be16	padding;	/* aligns the inner IP header */
} __packed;

#define STT_VERSION		0

/* The order of the flags is that of the wire, not of the draft's drawing. */
#define STT_F_CSUM_VERIFIED	0x01
#define STT_F_CSUM_PARTIAL	0x02
#define STT_F_IPV4		0x04	/* with PARTIAL, else IPv6 */
#define STT_F_TCP		0x08	/* with PARTIAL, else UDP */

/* The bit of a TCI that elsewhere is DEI, which STT can't carry. */
#define STT_VLAN_PRESENT	0x1000

/* What is counted.  stt_counter_names[] has a name for each. */
enum stt_counter {
	/* Sent: frames. */
	STT_TX_FRAMES,
	STT_TX_SPLIT,			/* packets that took two frames */
	STT_TX_DROP_METADATA,
	STT_TX_DROP_ROUTE,
	STT_TX_DROP_LOOP,
	STT_TX_DROP_MTU,
	STT_TX_DROP_TOO_LONG,
	STT_TX_DROP_OFFLOAD,
	STT_TX_DROP_MEMORY,

	/* Received: frames that came whole, segments of those that didn't,
	 * and frames that they made.
	 */
	STT_RX_FRAMES,
	STT_RX_SEGMENTS,
	STT_RX_REASSEMBLED,
	STT_RX_SEGMENTS_REASSEMBLED,

	/* Segments, up to and during reassembly. */
	STT_DROP_NOT_HOST,
	STT_DROP_POLICY,
	STT_DROP_TRUNCATED,
	STT_DROP_EXTENSIONS,
	STT_DROP_DATA_OFFSET,
	STT_DROP_TCP_FLAGS,
	STT_DROP_EMPTY,
	STT_DROP_FRAME_LEN,
	STT_DROP_BEYOND_FRAME,
	STT_DROP_OUTER_CSUM,
	STT_DROP_SOURCE,
	STT_DROP_LEN_CHANGED,
	STT_DROP_DUPLICATE,
	STT_DROP_OVERLAP,
	STT_DROP_SEGMENTS,
	STT_DROP_EVICTED,
	STT_DROP_EXPIRED,
	STT_DROP_FLUSHED,

	/* Segments or frames. */
	STT_DROP_VERSION,
	STT_DROP_MEMORY,

	/* Frames. */
	STT_DROP_KEY,
	STT_DROP_L4_OFFSET,
	STT_DROP_L4_PROTO,
	STT_DROP_INNER_LEN,
	STT_DROP_INNER_FRAG,
	STT_DROP_MSS,
	STT_DROP_ECN,
	STT_DROP_QUEUE,			/* full, or the device is down */

	/* ICMP messages about segments that were sent. */
	STT_PMTU_UPDATES,
	STT_PMTU_REFUSED,

	STT_N_COUNTERS
};

struct stt_counters {
	u64_stats_t		n[STT_N_COUNTERS];
	struct u64_stats_sync	syncp;
};

/* Callers have bottom halves disabled. */
static inline void stt_count_n(struct stt_counters __percpu *counters,
			       enum stt_counter i, unsigned int n)
{
	struct stt_counters *c = this_cpu_ptr(counters);

	u64_stats_update_begin(&c->syncp);
	u64_stats_add(&c->n[i], n);
	u64_stats_update_end(&c->syncp);
}

static inline void stt_count(struct stt_counters __percpu *counters,
			     enum stt_counter i)
{
	stt_count_n(counters, i, 1);
}

/* Bounds of what may wait for reassembly, see reassembly.c. */
struct stt_reassembly_limits {
	unsigned long	max_bytes;
	unsigned long	max_frames;
	unsigned long	max_segments;	/* per frame */
	unsigned long	source_percent;	/* a single source's share */
	unsigned long	timeout_ms;	/* since a frame's first segment */
};

#define STT_DEVICE_BUCKETS 256

/* A TCP port in use: there is a device on it that is up. */
struct stt_port {
	struct hlist_node	node;		/* in stt_net::ports */
	struct rcu_head		rcu;
	__be16			port;
	unsigned int		n_devices;
	struct socket		*sock;		/* reserves the port */
	struct stt_dev __rcu	*collector;	/* takes all IDs and peers */
	struct hlist_head	devices[STT_DEVICE_BUCKETS]; /* by peer and ID */
	struct hlist_head	remotes[STT_DEVICE_BUCKETS]; /* by peer */
};

struct stt_dev {
	struct net_device	*dev;
	struct net		*net;		/* of the underlay */
	struct list_head	node;		/* in stt_net::devices */
	struct hlist_node	port_node;	/* in stt_port::devices */
	struct hlist_node	remote_node;	/* in stt_port::remotes */
	struct gro_cells	gro_cells;
	struct stt_counters __percpu *counters;

	/* Configuration, constant. */
	bool			collect_md;
	bool			ttl_inherit;
	enum ifla_stt_df	df;
	struct ip_tunnel_info	info;
};

#define STT_PORT_BITS	4
#define STT_PEER_BITS	8

/* An address that STT has been sent to, for checks of ICMP messages. */
struct stt_peer {
	u64			tag;		/* keyed hash of the address */
	unsigned long		used;		/* jiffies */
};

struct stt_net {
	struct net		*net;
	struct list_head	devices;	/* all, RTNL */
	unsigned int		n_ports;	/* RTNL */
	struct hlist_head	ports[1 << STT_PORT_BITS]; /* RCU, RTNL */
	struct nf_hook_ops	hooks[2];
	struct stt_reassembly	*reassembly;	/* while there are ports */
	struct stt_counters __percpu *counters;	/* of no single device */
	struct stt_peer		peers[1 << STT_PEER_BITS];

	struct stt_reassembly_limits limits;
	struct ctl_table_header	*sysctl;
};

/* The address of the peer in @info, IPv4 mapped. */
static inline void stt_remote(const struct ip_tunnel_info *info,
			      struct in6_addr *addr)
{
	if (info->mode & IP_TUNNEL_INFO_IPV6)
		*addr = info->key.u.ipv6.dst;
	else
		ipv6_addr_set_v4mapped(info->key.u.ipv4.dst, addr);
}

/* device.c */
struct stt_net *stt_net(const struct net *net);

/* receive.c */
struct stt_port *stt_port_find(const struct stt_net *sn, __be16 port);
void stt_port_add_device(struct stt_port *port, struct stt_dev *stt);
void stt_port_del_device(struct stt_port *port, struct stt_dev *stt);
int stt_hooks_register(struct stt_net *sn);
void stt_hooks_unregister(struct stt_net *sn);

/* send.c */
netdev_tx_t stt_xmit(struct sk_buff *skb, struct net_device *dev);
netdev_features_t stt_features_check(struct sk_buff *skb,
				     struct net_device *dev,
				     netdev_features_t features);
int stt_fill_metadata_dst(struct net_device *dev, struct sk_buff *skb);
bool stt_peer_is_recent(const struct stt_net *sn, const struct in6_addr *addr);

/* The headers of an inner packet that an offload is about. */
struct stt_inner {
	unsigned int	l3_ofs;		/* from the start of Ethernet */
	unsigned int	l4_ofs;
	unsigned int	l4_len;		/* header and payload, by the IP length */
	u8		proto;
	bool		ipv4;
	bool		fragment;
	bool		extensions;	/* of IPv6, before L4 */
};

/* inner.c */
bool stt_parse_inner(const struct sk_buff *skb, struct stt_inner *inner,
		     enum stt_counter *why);
unsigned int stt_inner_l4_hlen(const struct sk_buff *skb,
			       const struct stt_inner *inner);

#endif /* _STT_H */
