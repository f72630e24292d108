// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving STT.
 *
 * Segments are taken where packets for this host leave netfilter's INPUT, so
 * its rules have had their say.  TCP itself never sees them.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <linux/hash.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/jhash.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "reassembly.h"

/**
 * stt_port_find() - finds a TCP port that STT uses
 * @sn: the namespace
 * @port: number of the port
 *
 * Return: the port, which is valid until the end of the RCU read-side critical
 * section (or under RTNL), or NULL.
 */
struct stt_port *stt_port_find(const struct stt_net *sn, __be16 port)
{
	struct stt_port *p;

	hlist_for_each_entry_rcu(p, &sn->ports[hash_32((__force u16)port,
						       STT_PORT_BITS)],
				 node, lockdep_rtnl_is_held())
		if (p->port == port)
			return p;
	return NULL;
}

static u32 stt_device_hash(__be64 id, const struct in6_addr *remote)
{
	return jhash(remote, sizeof(*remote), jhash(&id, sizeof(id), 0)) %
	       STT_DEVICE_BUCKETS;
}

static u32 stt_remote_hash(const struct in6_addr *remote)
{
	return jhash(remote, sizeof(*remote), 0) % STT_DEVICE_BUCKETS;
}

/**
 * stt_port_add_device() - has a device receive from a port
 * @port: the port
 * @stt: the device
 *
 * To be called under RTNL.  Packets may come before it returns.
 */
void stt_port_add_device(struct stt_port *port, struct stt_dev *stt)
{
	struct in6_addr remote;

	if (stt->collect_md) {
		rcu_assign_pointer(port->collector, stt);
		return;
	}
	stt_remote(&stt->info, &remote);
	hlist_add_head_rcu(&stt->remote_node,
			   &port->remotes[stt_remote_hash(&remote)]);
	hlist_add_head_rcu(&stt->port_node,
			   &port->devices[stt_device_hash(stt->info.key.tun_id,
							  &remote)]);
}

/**
 * stt_port_del_device() - ends what stt_port_add_device() began
 * @port: the port
 * @stt: the device
 *
 * To be called under RTNL.  When it returns, no packet is on its way to the
 * device any more.
 */
void stt_port_del_device(struct stt_port *port, struct stt_dev *stt)
{
	if (stt->collect_md) {
		RCU_INIT_POINTER(port->collector, NULL);
	} else {
		hlist_del_rcu(&stt->remote_node);
		hlist_del_rcu(&stt->port_node);
	}
	synchronize_net();
}

static struct stt_dev *stt_device_find(const struct stt_port *port, __be64 id,
				       const struct in6_addr *remote)
{
	struct stt_dev *stt = rcu_dereference(port->collector);
	struct in6_addr addr;

	if (stt)
		return stt;
	hlist_for_each_entry_rcu(stt,
				 &port->devices[stt_device_hash(id, remote)],
				 port_node) {
		stt_remote(&stt->info, &addr);
		if (stt->info.key.tun_id == id && ipv6_addr_equal(&addr, remote))
			return stt;
	}
	return NULL;
}

/* Says whether any device takes something from @remote.  The ID is not known
 * before the frame is complete.
 */
static bool stt_knows(const struct stt_port *port,
		      const struct in6_addr *remote)
{
	struct in6_addr addr;
	struct stt_dev *stt;

	if (rcu_access_pointer(port->collector))
		return true;
	hlist_for_each_entry_rcu(stt, &port->remotes[stt_remote_hash(remote)],
				 remote_node) {
		stt_remote(&stt->info, &addr);
		if (ipv6_addr_equal(&addr, remote))
			return true;
	}
	return false;
}

/* Whole frames. */

/* Restores "checksum partial", and TSO if the header of the frame has a segment
 * size, of the inner packet @skb, provided that the header describes it
 * truthfully: all that handles the packet from now on believes it.
 *
 * Return: 0 or why the packet must be dropped.
 */
static enum stt_counter stt_restore_partial(struct sk_buff *skb,
					    const struct stt_hdr *hdr)
{
	bool tcp = hdr->flags & STT_F_TCP;
	unsigned int hlen, payload, mss = ntohs(hdr->mss);
	struct stt_inner inner;
	enum stt_counter why;
	__sum16 *check;
	__sum16 sum;

	if (!stt_parse_inner(skb, &inner, &why))
		return why;
	if (inner.fragment)
		return STT_DROP_INNER_FRAG;
	if (inner.ipv4 != !!(hdr->flags & STT_F_IPV4) ||
	    inner.proto != (tcp ? IPPROTO_TCP : IPPROTO_UDP))
		return STT_DROP_L4_PROTO;
	if (inner.l4_ofs != hdr->l4_offset)
		return STT_DROP_L4_OFFSET;
	hlen = stt_inner_l4_hlen(skb, &inner);
	if (!hlen)
		return STT_DROP_INNER_LEN;
	if (!tcp && mss)
		return STT_DROP_MSS;
	payload = inner.l4_len - hlen;
	if (mss >= payload)
		mss = 0;
	else if (mss && mss < STT_MIN_INNER_MSS)
		return STT_DROP_MSS;

	/* Padding must become part of neither the payload nor a checksum. */
	if (pskb_trim(skb, inner.l4_ofs + inner.l4_len) ||
	    skb_ensure_writable(skb, inner.l4_ofs + hlen))
		return STT_DROP_MEMORY;

	/* Peers have been seen to send a sum of the pseudo-header without the
	 * length, so make a new one.
	 */
	if (inner.ipv4) {
		const struct iphdr *iph = (void *)(skb->data + inner.l3_ofs);

		sum = ~csum_tcpudp_magic(iph->saddr, iph->daddr, inner.l4_len,
					 inner.proto, 0);
	} else {
		const struct ipv6hdr *ip6h = (void *)(skb->data + inner.l3_ofs);

		sum = ~csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr,
				       inner.l4_len, inner.proto, 0);
	}
	check = (void *)(skb->data + inner.l4_ofs +
			 (tcp ? offsetof(struct tcphdr, check) :
				offsetof(struct udphdr, check)));
	*check = sum;
	if (!skb_partial_csum_set(skb, inner.l4_ofs,
				  tcp ? offsetof(struct tcphdr, check) :
					offsetof(struct udphdr, check)))
		return STT_DROP_INNER_LEN;

	if (mss) {
		const struct tcphdr *th = tcp_hdr(skb);

		/* The peer is not trusted: everybody counts for themselves. */
		skb_shinfo(skb)->gso_type = SKB_GSO_DODGY |
			(inner.ipv4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6) |
			(th->cwr ? SKB_GSO_TCP_ECN : 0);
		skb_shinfo(skb)->gso_size = mss;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(payload, mss);
	}
	return 0;
}

/* Brings the offloads of the inner packet @skb into the state that the header
 * of its frame describes.  Nothing of the outer packet's survives.
 *
 * Return: 0 or why the packet must be dropped.
 */
static enum stt_counter stt_restore(struct sk_buff *skb,
				    const struct stt_hdr *hdr)
{
	struct stt_inner inner;
	enum stt_counter why;

	skb_gso_reset(skb);
	skb->ip_summed = CHECKSUM_NONE;
	skb->csum_valid = 0;
	skb->encapsulation = 0;

	/* "Verified" and "partial" exclude each other, but if a peer sets both
	 * the safe reading is that the checksum is yet to be computed.
	 */
	if (hdr->flags & STT_F_CSUM_PARTIAL)
		return stt_restore_partial(skb, hdr);

	if (hdr->flags & STT_F_CSUM_VERIFIED &&
	    stt_parse_inner(skb, &inner, &why) && !inner.fragment &&
	    stt_inner_l4_hlen(skb, &inner)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		skb->csum_level = 0;
	}
	return 0;
}

/* Has the inner packet @skb, behind its Ethernet header, follow RFC 6040 where
 * the outer packets had @outer as DSCP and ECN.
 *
 * Return: 0 or why the packet must be dropped.
 */
static enum stt_counter stt_decapsulate_ecn(struct sk_buff *skb, u8 outer)
{
	struct stt_inner inner;
	enum stt_counter why;
	__be16 protocol;
	u8 dsfield;
	int err;

	if (!(outer & INET_ECN_MASK))
		return 0;

	__skb_push(skb, ETH_HLEN);
	if (!stt_parse_inner(skb, &inner, &why)) {
		__skb_pull(skb, ETH_HLEN);
		return 0;
	}
	err = skb_ensure_writable(skb, inner.l3_ofs +
				  (inner.ipv4 ? sizeof(struct iphdr) :
						sizeof(struct ipv6hdr)));
	__skb_pull(skb, ETH_HLEN);
	if (err)
		return STT_DROP_MEMORY;

	/* There may be VLAN tags in between. */
	protocol = skb->protocol;
	skb->protocol = inner.ipv4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb_set_network_header(skb, inner.l3_ofs - ETH_HLEN);
	dsfield = inner.ipv4 ? ipv4_get_dsfield(ip_hdr(skb)) :
			       ipv6_get_dsfield(ipv6_hdr(skb));
	err = INET_ECN_decapsulate(skb, outer, dsfield);
	skb_reset_network_header(skb);
	skb->protocol = protocol;
	return err > 1 ? STT_DROP_ECN : 0;
}

/* Returns what tells Open vSwitch and others where @skb has come from, which
 * still has its outer IP header, or NULL if there is no memory.
 */
static struct metadata_dst *stt_metadata(struct sk_buff *skb, __be64 id,
					 const struct stt_frame_key *key,
					 bool ce)
{
	IP_TUNNEL_DECLARE_FLAGS(flags) = { };
	struct metadata_dst *md_dst;

	__set_bit(IP_TUNNEL_KEY_BIT, flags);
	__set_bit(IP_TUNNEL_CSUM_BIT, flags);
	if (skb->protocol == htons(ETH_P_IPV6))
		md_dst = ipv6_tun_rx_dst(skb, flags, id, 0);
	else
		md_dst = ip_tun_rx_dst(skb, flags, id, 0);
	if (md_dst) {
		md_dst->u.tun_info.key.tp_src = key->sport;
		md_dst->u.tun_info.key.tp_dst = key->dport;
		if (ce)
			md_dst->u.tun_info.key.tos |= INET_ECN_CE;
	}
	return md_dst;
}

/* Gives the packet in a whole frame to its device.  The data of @skb is the
 * frame, its network header the outer one; it is consumed.
 */
static void stt_deliver(struct stt_net *sn, const struct stt_port *port,
			struct sk_buff *skb, const struct stt_frame_key *key,
			bool ce)
{
	struct stt_counters __percpu *counters = sn->counters;
	struct metadata_dst *md_dst;
	struct stt_dev *stt = NULL;
	enum stt_counter why;
	struct stt_hdr hdr;
	unsigned int len;
	u8 dsfield;

	if (skb_has_frag_list(skb)) {
		/* Its parts have the size of outer segments, and whatever cuts
		 * the packet into inner ones could not rely on that.
		 */
		struct sk_buff *copy = stt_frame_copy(skb);

		consume_skb(skb);
		skb = copy;
	}
	/* Packet sockets may have clones, which keep the outer offloads. */
	if (!skb || skb_header_unclone(skb, GFP_ATOMIC) ||
	    !pskb_may_pull(skb, STT_MIN_FRAME)) {
		why = STT_DROP_MEMORY;
		goto drop;
	}

	memcpy(&hdr, skb->data, sizeof(hdr));
	if (hdr.version != STT_VERSION) {
		why = STT_DROP_VERSION;
		goto drop;
	}
	stt = stt_device_find(port, hdr.context_id, &key->src);
	if (!stt) {
		why = STT_DROP_KEY;
		goto drop;
	}
	counters = stt->counters;

	skb_pull(skb, STT_HLEN);
	why = stt_restore(skb, &hdr);
	if (why)
		goto drop;

	if (skb->protocol == htons(ETH_P_IPV6))
		dsfield = ipv6_get_dsfield(ipv6_hdr(skb));
	else
		dsfield = ipv4_get_dsfield(ip_hdr(skb));
	if (ce)
		dsfield |= INET_ECN_CE;

	if (stt->collect_md) {
		md_dst = stt_metadata(skb, hdr.context_id, key, ce);
		if (!md_dst) {
			why = STT_DROP_MEMORY;
			goto drop;
		}
		skb_scrub_packet(skb, !net_eq(stt->net, dev_net(stt->dev)));
		skb_dst_set(skb, &md_dst->dst);
	} else {
		skb_scrub_packet(skb, !net_eq(stt->net, dev_net(stt->dev)));
	}

	skb_set_queue_mapping(skb, 0);
	__vlan_hwaccel_clear_tag(skb);
	if (hdr.vlan_tci & htons(STT_VLAN_PRESENT))
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       ntohs(hdr.vlan_tci) & ~STT_VLAN_PRESENT);

	skb->protocol = eth_type_trans(skb, stt->dev);
	skb_reset_network_header(skb);
	why = stt_decapsulate_ecn(skb, dsfield);
	if (why)
		goto drop;

	/* It counts for itself what it drops. */
	len = skb->len;
	if (gro_cells_receive(&stt->gro_cells, skb) == NET_RX_SUCCESS)
		dev_sw_netstats_rx_add(stt->dev, len);
	else
		stt_count(counters, STT_DROP_QUEUE);
	return;

drop:
	stt_count(counters, why);
	if (stt)
		DEV_STATS_INC(stt->dev, rx_errors);
	kfree_skb(skb);
}

/* Segments. */

/* Takes the segment @skb, whose TCP-like header is at @ofs and whose addresses
 * are in @seg->key already.
 */
static void stt_receive(struct stt_net *sn, const struct stt_port *port,
			struct sk_buff *skb, unsigned int ofs, u8 family,
			struct stt_segment *seg)
{
	unsigned int payload_ofs = ofs + sizeof(struct tcphdr), payload;
	struct sk_buff *whole;
	enum stt_counter why;
	struct tcphdr *th;
	u32 seq;

	if (skb->pkt_type != PACKET_HOST) {
		why = STT_DROP_NOT_HOST;
		goto drop;
	}
	if (!pskb_may_pull(skb, payload_ofs)) {
		why = STT_DROP_TRUNCATED;
		goto drop;
	}
	th = (void *)(skb->data + ofs);
	if (th->doff * 4 != sizeof(*th)) {
		why = STT_DROP_DATA_OFFSET;
		goto drop;
	}
	if (th->syn || th->fin || th->rst || th->urg) {
		why = STT_DROP_TCP_FLAGS;
		goto drop;
	}
	payload = skb->len - payload_ofs;
	if (!payload) {
		why = STT_DROP_EMPTY;
		goto drop;
	}

	seq = ntohl(th->seq);
	seg->key.packet_id = th->ack_seq;
	seg->key.sport = th->source;
	seg->key.dport = th->dest;
	seg->frame_len = seq >> 16;
	seg->offset = seq;
	if (seg->frame_len < STT_MIN_FRAME) {
		why = STT_DROP_FRAME_LEN;
		goto drop;
	}
	if (seg->offset + payload > seg->frame_len) {
		why = STT_DROP_BEYOND_FRAME;
		goto drop;
	}
	seg->len = payload;
	if (!seg->offset) {
		u8 buffer, *version = skb_header_pointer(skb, payload_ofs, 1,
							 &buffer);

		if (!version || *version != STT_VERSION) {
			why = STT_DROP_VERSION;
			goto drop;
		}
	}
	if (nf_checksum(skb, NF_INET_LOCAL_IN, ofs, IPPROTO_TCP, family)) {
		why = STT_DROP_OUTER_CSUM;
		goto drop;
	}

	/* TCP would have asked this, had the packet reached it. */
	if (family == NFPROTO_IPV6 ?
	    !xfrm6_policy_check(NULL, XFRM_POLICY_IN, skb) :
	    !xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb)) {
		why = STT_DROP_POLICY;
		goto drop;
	}

	__skb_pull(skb, payload_ofs);
	if (seg->len == seg->frame_len) {
		stt_count(sn->counters, STT_RX_FRAMES);
		stt_deliver(sn, port, skb, &seg->key, seg->ce);
		return;
	}

	if (!stt_knows(port, &seg->key.src)) {
		why = STT_DROP_SOURCE;
		goto drop;
	}
	whole = stt_reassembly_add(sn->reassembly, seg, skb, &seg->ce);
	consume_skb(skb);
	if (whole)
		stt_deliver(sn, port, whole, &seg->key, seg->ce);
	return;

drop:
	stt_count(sn->counters, why);
	kfree_skb(skb);
}

/* Path MTU.
 *
 * ICMP messages about segments quote a TCP header, and TCP, which has no such
 * connection, ignores them.  So have the route learn the MTU here: it keeps it
 * for a while, as for any other protocol.
 */

/* Says whether a message may be believed that quotes a segment to @dst with
 * sequence number @seq, which is ours if @local.
 */
static bool stt_pmtu_check(struct stt_net *sn, bool local,
			   const struct in6_addr *dst, __be32 seq)
{
	u32 n = ntohl(seq);

	/* No more of the TCP-like header than this is sure to be quoted. */
	if (!local || (n >> 16) < STT_MIN_FRAME || (n & U16_MAX) >= n >> 16 ||
	    !stt_peer_is_recent(sn, dst)) {
		stt_count(sn->counters, STT_PMTU_REFUSED);
		return false;
	}
	stt_count(sn->counters, STT_PMTU_UPDATES);
	return true;
}

/* The ports and the sequence number. */
struct stt_quote {
	__be16	ports[2];
	__be32	seq;
};

static void stt_icmp4(struct stt_net *sn, struct sk_buff *skb, unsigned int ofs)
{
	unsigned int quoted_ofs = ofs + sizeof(struct icmphdr), l4_ofs;
	struct icmphdr icmphb, *icmph;
	struct iphdr iphb, *iph;
	struct stt_quote qb, *q;
	struct in6_addr dst;
	bool local;
	u32 mtu;

	icmph = skb_header_pointer(skb, ofs, sizeof(icmphb), &icmphb);
	if (!icmph || icmph->type != ICMP_DEST_UNREACH ||
	    icmph->code != ICMP_FRAG_NEEDED ||
	    READ_ONCE(sn->net->ipv4.sysctl_ip_no_pmtu_disc))
		return;
	mtu = max_t(u32, ntohs(icmph->un.frag.mtu), STT_MIN_PMTU4);

	iph = skb_header_pointer(skb, quoted_ofs, sizeof(iphb), &iphb);
	if (!iph || iph->protocol != IPPROTO_TCP || iph->ihl < 5 ||
	    iph->frag_off & htons(IP_OFFSET))
		return;
	l4_ofs = quoted_ofs + iph->ihl * 4;
	q = skb_header_pointer(skb, l4_ofs, sizeof(qb), &qb);
	if (!q || !stt_port_find(sn, q->ports[1]) ||
	    nf_checksum(skb, NF_INET_LOCAL_IN, ofs, IPPROTO_ICMP, NFPROTO_IPV4))
		return;

	ipv6_addr_set_v4mapped(iph->daddr, &dst);
	local = inet_addr_type(sn->net, iph->saddr) == RTN_LOCAL;
	if (!stt_pmtu_check(sn, local, &dst, q->seq) ||
	    !pskb_may_pull(skb, quoted_ofs + sizeof(*iph)))
		return;

	__skb_pull(skb, quoted_ofs);
	ipv4_update_pmtu(skb, sn->net, mtu, 0, IPPROTO_TCP);
	__skb_push(skb, quoted_ofs);
}

static void stt_icmp6(struct stt_net *sn, struct sk_buff *skb, unsigned int ofs)
{
	unsigned int quoted_ofs = ofs + sizeof(struct icmp6hdr);
	struct icmp6hdr icmphb, *icmph;
	struct ipv6hdr ip6hb, *ip6h;
	struct stt_quote qb, *q;
	struct in6_addr dst;
	bool local;
	u32 mtu;

	icmph = skb_header_pointer(skb, ofs, sizeof(icmphb), &icmphb);
	if (!icmph || icmph->icmp6_type != ICMPV6_PKT_TOOBIG)
		return;
	mtu = max_t(u32, ntohl(icmph->icmp6_mtu), STT_MIN_PMTU6);

	ip6h = skb_header_pointer(skb, quoted_ofs, sizeof(ip6hb), &ip6hb);
	if (!ip6h || ip6h->nexthdr != IPPROTO_TCP)
		return;
	q = skb_header_pointer(skb, quoted_ofs + sizeof(*ip6h), sizeof(qb),
			       &qb);
	if (!q || !stt_port_find(sn, q->ports[1]) ||
	    nf_checksum(skb, NF_INET_LOCAL_IN, ofs, IPPROTO_ICMPV6,
			NFPROTO_IPV6))
		return;

	dst = ip6h->daddr;
	local = ipv6_chk_addr(sn->net, &ip6h->saddr, NULL, 0);
	if (!stt_pmtu_check(sn, local, &dst, q->seq) ||
	    !pskb_may_pull(skb, quoted_ofs + sizeof(*ip6h)))
		return;

	__skb_pull(skb, quoted_ofs);
	ip6_update_pmtu(skb, sn->net, htonl(mtu), 0, 0,
			sock_net_uid(sn->net, NULL));
	__skb_push(skb, quoted_ofs);
}

static unsigned int stt_hook4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	unsigned int ofs = skb_network_offset(skb) + iph->ihl * 4;
	struct stt_net *sn = priv;
	struct stt_segment seg;
	struct stt_port *port;
	__be16 buffer[2], *ports;

	if (unlikely(iph->protocol != IPPROTO_TCP)) {
		if (iph->protocol == IPPROTO_ICMP) {
			local_bh_disable();
			stt_icmp4(sn, skb, ofs);
			local_bh_enable();
		}
		return NF_ACCEPT;
	}
	ports = skb_header_pointer(skb, ofs, sizeof(buffer), buffer);
	port = ports ? stt_port_find(sn, ports[1]) : NULL;
	if (likely(!port))
		return NF_ACCEPT;

	memset(&seg.key, 0, sizeof(seg.key));
	ipv6_addr_set_v4mapped(iph->saddr, &seg.key.src);
	ipv6_addr_set_v4mapped(iph->daddr, &seg.key.dst);
	seg.ce = INET_ECN_is_ce(iph->tos);

	/* A program that netfilter has asked may let go of it in a process. */
	local_bh_disable();
	stt_receive(sn, port, skb, ofs, NFPROTO_IPV4, &seg);
	local_bh_enable();
	return NF_STOLEN;
}

static unsigned int stt_hook6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	unsigned int ofs = skb_network_offset(skb) + sizeof(*ip6h);
	u8 proto = ip6h->nexthdr;
	struct stt_net *sn = priv;
	struct stt_segment seg;
	struct stt_port *port;
	__be16 buffer[2], *ports, frag_off;
	unsigned int ah_ofs = 0;
	int l4_ofs = ofs;

	if (unlikely(proto != IPPROTO_TCP)) {
		if (proto == IPPROTO_ICMPV6) {
			local_bh_disable();
			stt_icmp6(sn, skb, ofs);
			local_bh_enable();
			return NF_ACCEPT;
		}

		/* STT has no extension headers, and is no fragment, but TCP
		 * would answer.  IPsec has its turn first.
		 */
		if (!ipv6_ext_hdr(proto) ||
		    ipv6_find_hdr(skb, &ah_ofs, NEXTHDR_AUTH, NULL,
				  NULL) == NEXTHDR_AUTH)
			return NF_ACCEPT;
		l4_ofs = ipv6_skip_exthdr(skb, ofs, &proto, &frag_off);
		if (l4_ofs < 0 || proto != IPPROTO_TCP ||
		    frag_off & htons(IP6_OFFSET))
			return NF_ACCEPT;
	}
	ports = skb_header_pointer(skb, l4_ofs, sizeof(buffer), buffer);
	port = ports ? stt_port_find(sn, ports[1]) : NULL;
	if (likely(!port))
		return NF_ACCEPT;
	if (l4_ofs != ofs) {
		local_bh_disable();
		stt_count(sn->counters, STT_DROP_EXTENSIONS);
		local_bh_enable();
		kfree_skb(skb);
		return NF_STOLEN;
	}

	memset(&seg.key, 0, sizeof(seg.key));
	seg.key.src = ip6h->saddr;
	seg.key.dst = ip6h->daddr;
	seg.ce = INET_ECN_is_ce(ipv6_get_dsfield(ip6h));
	local_bh_disable();
	stt_receive(sn, port, skb, ofs, NFPROTO_IPV6, &seg);
	local_bh_enable();
	return NF_STOLEN;
}

/**
 * stt_hooks_register() - begins to receive in a namespace
 * @sn: the namespace; all that receiving needs is in place
 *
 * Return: 0 or a negative error.
 */
int stt_hooks_register(struct stt_net *sn)
{
	/* Behind all rules, and before conntrack confirms: what STT takes
	 * leaves no entry behind, so nobody can fill the table with it.
	 */
	sn->hooks[0] = (struct nf_hook_ops) {
		.hook		= stt_hook4,
		.priv		= sn,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP_PRI_CONNTRACK_CONFIRM - 1,
	};
	sn->hooks[1] = (struct nf_hook_ops) {
		.hook		= stt_hook6,
		.priv		= sn,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= NF_IP6_PRI_LAST - 1,
	};
	return nf_register_net_hooks(sn->net, sn->hooks,
				     ARRAY_SIZE(sn->hooks));
}

/**
 * stt_hooks_unregister() - ends receiving in a namespace
 * @sn: the namespace
 *
 * When it returns, no packet is on its way any more.
 */
void stt_hooks_unregister(struct stt_net *sn)
{
	nf_unregister_net_hooks(sn->net, sn->hooks, ARRAY_SIZE(sn->hooks));
	synchronize_net();
}
