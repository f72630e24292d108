// SPDX-License-Identifier: GPL-2.0
/*
 * Sending STT.
 *
 * A packet becomes one frame, and the frame one plain TCP packet that waits for
 * TSO if it doesn't fit the path.  Whatever the header can't describe has been
 * finished before: the network stack does so when told by
 * stt_features_check().
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ip6_tunnel.h>
#include <net/route.h>
#include <net/udp.h>

#include "stt.h"

/* How many packet IDs a CPU takes at a time. */
#define STT_ID_BLOCK 4096

struct stt_ids {
	u32	block;		/* its number, since the module was loaded */
	u32	left;		/* IDs left in it */
};

static DEFINE_PER_CPU(struct stt_ids, stt_ids);

/* All CPUs, devices and namespaces draw from a single space of 32 bits with a
 * random start, so that no two frames on their way have the same ID: a
 * receiver would mix them and then find a good checksum of the mixture.
 *
 * A CPU that sends little could keep its block until all others have been used
 * and it is the turn of this one again.  So a block that has got old is given
 * up.
 */
static __be32 stt_packet_id(void)
{
	const u32 max_age = U32_MAX / STT_ID_BLOCK / 2;
	static atomic_t n_blocks = ATOMIC_INIT(0);
	struct stt_ids *ids;
	static u32 first;
	__be32 id;

	get_random_once(&first, sizeof(first));

	/* With PREEMPT_RT, another sender could come in between, even though
	 * bottom halves are disabled.
	 */
	ids = get_cpu_ptr(&stt_ids);
	if (unlikely(!ids->left ||
		     atomic_read(&n_blocks) - ids->block > max_age)) {
		ids->block = atomic_inc_return(&n_blocks);
		ids->left = STT_ID_BLOCK;
	}
	id = htonl(first + ids->block * STT_ID_BLOCK +
		   STT_ID_BLOCK - ids->left--);
	put_cpu_ptr(&stt_ids);
	return id;
}

/* Peers. */

static u64 stt_peer_tag(const struct in6_addr *addr)
{
	static siphash_aligned_key_t key;

	net_get_random_once(&key, sizeof(key));
	return siphash(addr, sizeof(*addr), &key);
}

/* Notes that something is sent to @addr.  Two addresses may share a slot; then
 * ICMP messages about the other are refused, and its next packet claims it.
 */
static void stt_peer_note(struct stt_net *sn, const struct in6_addr *addr)
{
	u64 tag = stt_peer_tag(addr);
	struct stt_peer *peer = &sn->peers[tag % ARRAY_SIZE(sn->peers)];

	/* Mostly it is there already, in the cache of more than one CPU. */
	if (unlikely(READ_ONCE(peer->tag) != tag))
		WRITE_ONCE(peer->tag, tag);
	if (unlikely(time_after(jiffies, READ_ONCE(peer->used) + HZ)))
		WRITE_ONCE(peer->used, jiffies);
}

/**
 * stt_peer_is_recent() - tells whether something has been sent to an address
 * @sn: the namespace
 * @addr: the address, IPv4 mapped
 *
 * Return: whether it was in the last STT_PMTU_PEER_SECS.
 */
bool stt_peer_is_recent(const struct stt_net *sn, const struct in6_addr *addr)
{
	u64 tag = stt_peer_tag(addr);
	const struct stt_peer *peer = &sn->peers[tag % ARRAY_SIZE(sn->peers)];

	return READ_ONCE(peer->tag) == tag &&
	       time_before(jiffies, READ_ONCE(peer->used) +
				    STT_PMTU_PEER_SECS * HZ);
}

/* Describing packets. */

/* Says whether an STT header can hand on the offloads that @skb waits for, and
 * receivers will believe it.  If so, and if there are any, sets *@inner.
 */
static bool stt_can_describe(const struct sk_buff *skb, struct stt_inner *inner)
{
	enum stt_counter why;
	bool tcp;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return !skb_is_gso(skb);

	if (skb->encapsulation || !stt_parse_inner(skb, inner, &why) ||
	    inner->fragment || inner->extensions ||
	    inner->l4_ofs > STT_MAX_L4_OFFSET ||
	    inner->l4_ofs != skb_checksum_start_offset(skb) ||
	    !stt_inner_l4_hlen(skb, inner))
		return false;

	tcp = inner->proto == IPPROTO_TCP;
	if (skb->csum_offset != (tcp ? offsetof(struct tcphdr, check) :
				       offsetof(struct udphdr, check)))
		return false;
	if (!skb_is_gso(skb))
		return true;

	/* CWR belongs on the first segment only, which a peer's TSO need not
	 * know; so no SKB_GSO_TCP_ECN.
	 */
	return tcp && skb_shinfo(skb)->gso_size >= STT_MIN_INNER_MSS &&
	       !(skb_shinfo(skb)->gso_type &
		 ~(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_TCP_FIXEDID |
		   SKB_GSO_DODGY));
}

/**
 * stt_features_check() - ndo_features_check() of STT devices
 * @skb: a packet to be sent
 * @dev: the device
 * @features: its features
 *
 * Return: the features to use for @skb, so that the stack finishes what an STT
 * header can't describe.
 */
netdev_features_t stt_features_check(struct sk_buff *skb,
				     struct net_device *dev,
				     netdev_features_t features)
{
	struct stt_inner inner;

	features = vlan_features_check(skb, features);
	if (!stt_can_describe(skb, &inner))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	return features;
}

/* Takes the outermost tag out of @skb if it is one that the STT header can
 * carry: 802.1Q with DEI clear.  What it can't carry becomes a part of the
 * frame.  @tci is set to what the header must have.
 *
 * Return: the packet, or NULL if there is no memory.
 */
static struct sk_buff *stt_take_vlan(struct sk_buff *skb, __be16 *tci)
{
	u16 tag;

	*tci = 0;
	if (!skb_vlan_tag_present(skb)) {
		struct vlan_ethhdr *veth = (void *)skb->data;

		if (skb->protocol != htons(ETH_P_8021Q) ||
		    !pskb_may_pull(skb, VLAN_ETH_HLEN))
			return skb;
		veth = (void *)skb->data;
		if (veth->h_vlan_proto != htons(ETH_P_8021Q) ||
		    veth->h_vlan_TCI & htons(VLAN_CFI_MASK))
			return skb;
		*tci = veth->h_vlan_TCI | htons(STT_VLAN_PRESENT);
		if (skb_vlan_pop(skb)) {
			kfree_skb(skb);
			return NULL;
		}
		/* There may be another one behind it. */
		if (skb_vlan_tag_present(skb))
			skb = __vlan_hwaccel_push_inside(skb);
		return skb;
	}

	tag = skb_vlan_tag_get(skb);
	if (skb->vlan_proto != htons(ETH_P_8021Q) || tag & VLAN_CFI_MASK)
		return __vlan_hwaccel_push_inside(skb);
	*tci = htons(tag | STT_VLAN_PRESENT);
	__vlan_hwaccel_clear_tag(skb);
	return skb;
}

/* Cuts the TSO packet @skb into as few packets of at most @max_len bytes as
 * possible, most of which are TSO packets themselves.  Consumes @skb.
 *
 * Return: a list of packets, or an error.
 */
static struct sk_buff *stt_split(struct sk_buff *skb, unsigned int max_len,
				 const struct stt_inner *inner)
{
	unsigned int hlen = inner->l4_ofs + stt_inner_l4_hlen(skb, inner);
	unsigned int mss = skb_shinfo(skb)->gso_size, chunk, i = 0;
	unsigned int type = skb_shinfo(skb)->gso_type;
	struct sk_buff *parts, *part;

	if (hlen + mss > max_len) {
		kfree_skb(skb);
		return ERR_PTR(-EMSGSIZE);
	}
	chunk = (max_len - hlen) / mss * mss;

	if (skb_header_unclone(skb, GFP_ATOMIC)) {
		kfree_skb(skb);
		return ERR_PTR(-ENOMEM);
	}
	/* To the stack this is TCP with large segments. */
	skb_shinfo(skb)->gso_size = chunk;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len - hlen, chunk);
	skb_shinfo(skb)->gso_type |= SKB_GSO_DODGY;
	parts = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM |
				     NETIF_F_HIGHDMA);
	if (IS_ERR_OR_NULL(parts)) {
		kfree_skb(skb);
		return parts ?: ERR_PTR(-EINVAL);
	}
	consume_skb(skb);

	skb_list_walk_safe(parts, part, skb) {
		if (part->len - hlen > mss) {
			skb_shinfo(part)->gso_size = mss;
			skb_shinfo(part)->gso_segs =
				DIV_ROUND_UP(part->len - hlen, mss);
			skb_shinfo(part)->gso_type = type;
		}
		if (inner->ipv4 && i) {
			/* Leave room for the IDs of the segments before it. */
			struct iphdr *iph = (void *)(part->data +
						     inner->l3_ofs);
			__be16 id = htons(ntohs(iph->id) + i * (chunk / mss - 1));

			csum_replace2(&iph->check, iph->id, id);
			iph->id = id;
		}
		i++;
	}
	return parts;
}

/* Headers. */

/* What all frames of a packet have in common. */
struct stt_flow {
	bool		ipv6;
	unsigned int	mss;		/* of the underlay */
	unsigned int	max_frame;
	unsigned int	max_gso;	/* of what can be divided */
	__be16		sport;
	__be16		dport;
	__be16		vlan_tci;
	__be64		id;
	u8		tos;
	u8		ttl;
	__be16		df;
	__be32		label;
	union {
		struct {
			__be32 saddr;
			__be32 daddr;
		};
		struct {
			struct in6_addr saddr6;
			struct in6_addr daddr6;
		};
	};
	struct dst_entry *dst;
};

struct stt_headers {
	struct tcphdr	tcp;
	struct stt_hdr	stt;
} __packed;

static_assert(sizeof(struct stt_hdr) == STT_HLEN);

/* Makes room in front of @skb for all headers of @flow.
 *
 * If that takes more memory, the socket that has sent the packet is charged for
 * it, which skb_cow_head() does not do: a socket on this host, where the packet
 * may arrive in one piece, relies on its account of memory.
 *
 * Return: @skb or what replaces it, or NULL, with @skb consumed, if there is no
 * memory.
 */
static struct sk_buff *stt_reserve(struct sk_buff *skb,
				   const struct stt_flow *flow)
{
	struct dst_entry *dst = flow->dst;
	unsigned int headroom;

	headroom = LL_RESERVED_SPACE(dst->dev) + dst->header_len +
		   sizeof(struct ipv6hdr) + sizeof(struct stt_headers);
	if (skb->sk && skb_headroom(skb) < headroom)
		return skb_expand_head(skb, headroom);
	if (skb_cow_head(skb, headroom)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/* Makes the packet @skb an STT frame behind a TCP-like header, which waits for
 * its checksum and, if it takes several segments, for TSO.
 */
static void stt_push(struct sk_buff *skb, const struct stt_flow *flow)
{
	unsigned int frame_len = STT_HLEN + skb->len, l4_len;
	struct stt_headers *h;
	struct stt_hdr hdr = { };
	struct stt_inner inner;
	enum stt_counter why;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		/* stt_can_describe() is true. */
		stt_parse_inner(skb, &inner, &why);
		hdr.flags = STT_F_CSUM_PARTIAL |
			    (inner.ipv4 ? STT_F_IPV4 : 0) |
			    (inner.proto == IPPROTO_TCP ? STT_F_TCP : 0);
		hdr.l4_offset = inner.l4_ofs;
		if (skb_is_gso(skb) &&
		    inner.l4_len - stt_inner_l4_hlen(skb, &inner) >
		    skb_shinfo(skb)->gso_size)
			hdr.mss = htons(skb_shinfo(skb)->gso_size);
	} else if (skb->ip_summed == CHECKSUM_UNNECESSARY &&
		   stt_parse_inner(skb, &inner, &why) && !inner.fragment &&
		   !inner.extensions && stt_inner_l4_hlen(skb, &inner)) {
		hdr.flags = STT_F_CSUM_VERIFIED;
	}
	hdr.vlan_tci = flow->vlan_tci;
	hdr.context_id = flow->id;

	skb_reset_inner_headers(skb);
	skb->encapsulation = 0;
	h = skb_push(skb, sizeof(*h));
	skb_reset_transport_header(skb);
	memset(h, 0, sizeof(*h));
	h->tcp.source = flow->sport;
	h->tcp.dest = flow->dport;
	h->tcp.seq = htonl(frame_len << 16);
	h->tcp.ack_seq = stt_packet_id();
	h->tcp.doff = sizeof(h->tcp) / 4;
	h->tcp.ack = 1;
	h->tcp.psh = 1;
	h->tcp.window = htons(U16_MAX);
	h->stt = hdr;

	l4_len = skb->len;
	if (flow->ipv6)
		h->tcp.check = ~csum_ipv6_magic(&flow->saddr6, &flow->daddr6,
						l4_len, IPPROTO_TCP, 0);
	else
		h->tcp.check = ~csum_tcpudp_magic(flow->saddr, flow->daddr,
						  l4_len, IPPROTO_TCP, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);

	skb_gso_reset(skb);
	if (frame_len > flow->mss) {
		skb_shinfo(skb)->gso_size = flow->mss;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(frame_len, flow->mss);
		skb_shinfo(skb)->gso_type = flow->ipv6 ? SKB_GSO_TCPV6 :
							 SKB_GSO_TCPV4;
	}
}

/* Sends the packet that stt_push() has made of @skb. */
static void stt_output(struct stt_dev *stt, struct sk_buff *skb,
		       const struct stt_flow *flow)
{
	bool xnet = !net_eq(stt->net, dev_net(stt->dev));

	dst_hold(flow->dst);
	if (!flow->ipv6) {
		iptunnel_xmit(NULL, container_of(flow->dst, struct rtable, dst),
			      skb, flow->saddr, flow->daddr, IPPROTO_TCP,
			      flow->tos, flow->ttl, flow->df, xnet, 0);
	} else {
		struct ipv6hdr *ip6h;

		skb_scrub_packet(skb, xnet);
		skb_clear_hash_if_not_l4(skb);
		skb_dst_set(skb, flow->dst);
		ip6h = skb_push(skb, sizeof(*ip6h));
		skb_reset_network_header(skb);
		ip6_flow_hdr(ip6h, flow->tos, flow->label);
		ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
		ip6h->nexthdr = IPPROTO_TCP;
		ip6h->hop_limit = flow->ttl;
		ip6h->saddr = flow->saddr6;
		ip6h->daddr = flow->daddr6;
		ip6tunnel_xmit(NULL, skb, stt->dev, 0);
	}
}

/* Routes. */

/* Looks up the route of @flow, whose addresses, ports and TOS are set, and
 * completes it.  The reference to flow->dst is the caller's.
 */
static int stt_route(struct stt_dev *stt, const struct sk_buff *skb,
		     struct stt_flow *flow, struct dst_cache *cache,
		     const struct ip_tunnel_key *key)
{
	struct dst_entry *dst;
	unsigned int mtu, hlen, gso_max, llen;

	if (flow->ipv6) {
		if (!ipv6_mod_enabled())
			return -ENETUNREACH;
		dst = cache ? dst_cache_get_ip6(cache, &flow->saddr6) : NULL;
		if (!dst) {
			struct flowi6 fl6 = {
				.flowi6_proto	= IPPROTO_TCP,
				.flowi6_mark	= skb->mark,
				.daddr		= flow->daddr6,
				.saddr		= flow->saddr6,
				.flowlabel	= ip6_make_flowinfo(flow->tos,
								    flow->label),
				.fl6_sport	= flow->sport,
				.fl6_dport	= flow->dport,
			};

			dst = ip6_dst_lookup_flow(stt->net, NULL, &fl6, NULL);
			if (IS_ERR(dst))
				return -ENETUNREACH;
			flow->saddr6 = fl6.saddr;
			if (cache)
				dst_cache_set_ip6(cache, dst, &fl6.saddr);
		}
		hlen = sizeof(struct ipv6hdr) + sizeof(struct tcphdr);
	} else {
		struct rtable *rt;

		rt = cache ? dst_cache_get_ip4(cache, &flow->saddr) : NULL;
		if (!rt) {
			struct flowi4 fl4 = {
				.flowi4_proto	= IPPROTO_TCP,
				.flowi4_mark	= skb->mark,
				.flowi4_dscp	= inet_dsfield_to_dscp(flow->tos),
				.flowi4_flags	= key->flow_flags,
				.daddr		= flow->daddr,
				.saddr		= flow->saddr,
				.fl4_sport	= flow->sport,
				.fl4_dport	= flow->dport,
			};

			rt = ip_route_output_key(stt->net, &fl4);
			if (IS_ERR(rt))
				return -ENETUNREACH;
			flow->saddr = fl4.saddr;
			if (cache)
				dst_cache_set_ip4(cache, &rt->dst, fl4.saddr);
		}
		dst = &rt->dst;
		hlen = sizeof(struct iphdr) + sizeof(struct tcphdr);
	}

	flow->dst = dst;
	if (dst->dev == stt->dev) {
		dst_release(dst);
		return -ELOOP;
	}
	mtu = dst_mtu(dst);
	if (mtu < hlen + STT_MIN_OUTER_MSS) {
		dst_release(dst);
		return -EMSGSIZE;
	}
	flow->mss = min(mtu - hlen, U16_MAX - hlen);
	flow->max_frame = min_t(unsigned int, flow->mss * STT_MAX_SEGMENTS,
				flow->ipv6 ? STT_MAX_FRAME6 : STT_MAX_FRAME4);

	/* What the underlay doesn't take for TSO would be cut in software, so
	 * rather make two frames of it.
	 */
	llen = hlen + dst->dev->hard_header_len + VLAN_HLEN + 1;
	gso_max = max(stt_gso_max_size(dst->dev, flow->ipv6), 2 * llen) - llen;
	gso_max = min(gso_max, flow->mss * READ_ONCE(dst->dev->gso_max_segs));
	flow->max_gso = clamp_t(unsigned int, gso_max,
				min(flow->mss, flow->max_frame),
				flow->max_frame);
	return 0;
}

/* Says whether to set "don't fragment" when the device has @df. */
static __be16 stt_df(enum ifla_stt_df df, const struct sk_buff *skb)
{
	if (df == STT_DF_UNSET)
		return 0;
	if (df == STT_DF_INHERIT &&
	    skb_protocol(skb, true) == htons(ETH_P_IP))
		return ip_hdr(skb)->frag_off & htons(IP_DF);
	return htons(IP_DF);
}

/* Fills in all of @flow that doesn't depend on the route.  @skb must have
 * passed skb_vlan_inet_prepare().
 */
static void stt_flow_init(struct stt_flow *flow, const struct stt_dev *stt,
			  const struct ip_tunnel_info *info,
			  struct sk_buff *skb)
{
	const struct ip_tunnel_key *key = &info->key;
	u8 tos = key->tos;

	memset(flow, 0, sizeof(*flow));
	flow->ipv6 = ip_tunnel_info_af(info) == AF_INET6;
	if (flow->ipv6) {
		flow->saddr6 = key->u.ipv6.src;
		flow->daddr6 = key->u.ipv6.dst;
	} else {
		flow->saddr = key->u.ipv4.src;
		flow->daddr = key->u.ipv4.dst;
	}
	flow->id = key->tun_id;
	flow->label = key->label;

	/* Like any UDP tunnel's, but never the port of STT itself: what a host
	 * or a middlebox sends back would look like STT.
	 */
	flow->dport = stt->collect_md && key->tp_dst ? key->tp_dst :
						       stt->info.key.tp_dst;
	flow->sport = udp_flow_src_port(stt->net, skb, 0, 0, true);
	if (unlikely(flow->sport == flow->dport))
		flow->sport ^= htons(1);

	if (tos == 1 && !stt->collect_md)
		tos = ip_tunnel_get_dsfield(ip_hdr(skb), skb);
	flow->tos = ip_tunnel_ecn_encap(tos, ip_hdr(skb), skb);

	if (stt->collect_md)
		flow->df = stt_key_has(key, IP_TUNNEL_DONT_FRAGMENT_BIT) ?
			   htons(IP_DF) : 0;
	else
		flow->df = stt_df(stt->df, skb);
	flow->ttl = stt->ttl_inherit ? ip_tunnel_get_ttl(ip_hdr(skb), skb) :
				       key->ttl;
}

static void stt_flow_set_ttl(struct stt_flow *flow)
{
	if (!flow->ttl)
		flow->ttl = flow->ipv6 ? ip6_dst_hoplimit(flow->dst) :
					 ip4_dst_hoplimit(flow->dst);
}

/* Counts a packet that can't be sent because of @err. */
static void stt_count_error(struct stt_dev *stt, int err)
{
	enum stt_counter why;

	switch (err) {
	case -ENETUNREACH:
		why = STT_TX_DROP_ROUTE;
		DEV_STATS_INC(stt->dev, tx_carrier_errors);
		break;
	case -ELOOP:
		why = STT_TX_DROP_LOOP;
		DEV_STATS_INC(stt->dev, collisions);
		break;
	case -EMSGSIZE:
		why = STT_TX_DROP_MTU;
		break;
	case -EDESTADDRREQ:
		why = STT_TX_DROP_METADATA;
		break;
	case -EINVAL:
		why = STT_TX_DROP_OFFLOAD;
		break;
	case -EFBIG:
		why = STT_TX_DROP_TOO_LONG;
		break;
	default:
		why = STT_TX_DROP_MEMORY;
		break;
	}
	stt_count(stt->counters, why);
	DEV_STATS_INC(stt->dev, tx_errors);
}

/* Makes frames of @skb, which it consumes, and sends them. */
static int stt_send(struct stt_dev *stt, struct sk_buff *skb,
		    const struct stt_flow *flow)
{
	unsigned int max_len = flow->max_frame - STT_HLEN;
	struct sk_buff *part, *next;
	struct stt_inner inner;

	/* What the stack would have done, had it been asked; so this is rare. */
	if (unlikely(skb_has_frag_list(skb)) && __skb_linearize(skb)) {
		kfree_skb(skb);
		return -ENOMEM;
	}
	if (unlikely(!stt_can_describe(skb, &inner))) {
		/* Not from the stack, which has seen stt_features_check(). */
		if (skb_is_gso(skb) || skb_csum_hwoffload_help(skb, 0)) {
			kfree_skb(skb);
			return -EINVAL;
		}
	}
	if (skb_is_gso(skb)) {
		/* Not all that the underlay takes for TSO may be enough for a
		 * segment.  Then the frame is cut in software after all.
		 */
		unsigned int segment = inner.l4_ofs +
				       stt_inner_l4_hlen(skb, &inner) +
				       skb_shinfo(skb)->gso_size;

		max_len = clamp_t(unsigned int, segment,
				  flow->max_gso - STT_HLEN, max_len);
	}
	if (unlikely(skb->len > max_len)) {
		if (!skb_is_gso(skb)) {
			kfree_skb(skb);
			return -EFBIG;
		}
		skb = stt_split(skb, max_len, &inner);
		if (IS_ERR(skb))
			return PTR_ERR(skb) == -EMSGSIZE ? -EFBIG :
			       PTR_ERR(skb);
		stt_count(stt->counters, STT_TX_SPLIT);
	}

	skb_list_walk_safe(skb, part, next) {
		skb_mark_not_on_list(part);
		part = stt_reserve(part, flow);
		if (!part) {
			stt_count_error(stt, -ENOMEM);
			continue;
		}
		stt_push(part, flow);
		stt_count(stt->counters, STT_TX_FRAMES);
		stt_output(stt, part, flow);
	}
	return 0;
}

/**
 * stt_xmit() - ndo_start_xmit() of STT devices
 * @skb: the packet, which is consumed
 * @dev: the device
 *
 * Return: NETDEV_TX_OK.
 */
netdev_tx_t stt_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct stt_dev *stt = netdev_priv(dev);
	const struct ip_tunnel_info *info = &stt->info;
	struct dst_cache *cache = NULL;
	struct in6_addr remote;
	struct stt_flow flow;
	int err;

	if (stt->collect_md) {
		info = skb_tunnel_info(skb);
		err = -EDESTADDRREQ;
		if (!info || !(info->mode & IP_TUNNEL_INFO_TX))
			goto drop;
		if (ip_tunnel_dst_cache_usable(skb, info))
			cache = (struct dst_cache *)&info->dst_cache;
	} else if (!skb->mark && stt->info.key.tos != 1) {
		/* What is inherited may lead elsewhere. */
		cache = &stt->info.dst_cache;
	}

	err = -EINVAL;
	if (skb_vlan_inet_prepare(skb, false) != SKB_NOT_DROPPED_YET)
		goto drop;
	stt_flow_init(&flow, stt, info, skb);
	err = stt_route(stt, skb, &flow, cache, &info->key);
	if (err)
		goto drop;
	stt_flow_set_ttl(&flow);

	skb = stt_take_vlan(skb, &flow.vlan_tci);
	if (!skb) {
		err = -ENOMEM;
		goto release;
	}

	if (flow.ipv6)
		remote = flow.daddr6;
	else
		ipv6_addr_set_v4mapped(flow.daddr, &remote);
	stt_peer_note(stt_net(stt->net), &remote);
	err = stt_send(stt, skb, &flow);
	skb = NULL;

release:
	dst_release(flow.dst);
	if (!err)
		return NETDEV_TX_OK;
drop:
	stt_count_error(stt, err);
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

/**
 * stt_fill_metadata_dst() - ndo_fill_metadata_dst() of STT devices
 * @dev: the device
 * @skb: a packet to be sent, with tunnel metadata
 *
 * Sets the source address and the ports that @skb would be sent with.
 *
 * Return: 0 or a negative error.
 */
int stt_fill_metadata_dst(struct net_device *dev, struct sk_buff *skb)
{
	struct ip_tunnel_info *info = skb_tunnel_info(skb);
	struct stt_dev *stt = netdev_priv(dev);
	struct stt_flow flow;
	int err;

	if (skb_vlan_inet_prepare(skb, false) != SKB_NOT_DROPPED_YET)
		return -EINVAL;
	stt_flow_init(&flow, stt, info, skb);
	err = stt_route(stt, skb, &flow, NULL, &info->key);
	if (err)
		return err;
	dst_release(flow.dst);

	if (flow.ipv6)
		info->key.u.ipv6.src = flow.saddr6;
	else
		info->key.u.ipv4.src = flow.saddr;
	info->key.tp_src = flow.sport;
	info->key.tp_dst = flow.dport;
	return 0;
}
