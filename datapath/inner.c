// SPDX-License-Identifier: GPL-2.0
/*
 * The headers of inner packets, as far as offloads are about them.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "stt.h"

/**
 * stt_parse_inner() - finds the IP and upper-layer headers of a frame
 * @skb: its data is an Ethernet frame
 * @inner: set if it carries IP
 * @why: set otherwise
 *
 * Looks behind VLAN tags and IPv6 extension headers, and trusts nothing: neither
 * lengths nor versions nor the order of headers.  A peer could make a frame of
 * 64 KB of little else than tags, so there is an end to them where an STT header
 * could not tell of what is behind them any more.  What follows
 * the IP packet is padding.  The sender uses this too, so that it never
 * describes what a receiver refuses.
 *
 * Return: whether it carries IPv4 or IPv6 whose lengths agree with that of the
 * frame; @why is STT_DROP_L4_PROTO if it isn't IP and STT_DROP_INNER_LEN if
 * they don't agree.
 */
bool stt_parse_inner(const struct sk_buff *skb, struct stt_inner *inner,
		     enum stt_counter *why)
{
	unsigned int ofs = 2 * ETH_ALEN, len;
	__be16 buffer, *type;

	memset(inner, 0, sizeof(*inner));
	*why = STT_DROP_L4_PROTO;
	for (;;) {
		type = skb_header_pointer(skb, ofs, sizeof(buffer), &buffer);
		if (!type)
			return false;
		if (!eth_type_vlan(*type))
			break;
		ofs += VLAN_HLEN;
		if (ofs > STT_MAX_L4_OFFSET)
			return false;
	}
	ofs += sizeof(*type);
	inner->l3_ofs = ofs;
	len = skb->len - ofs;

	if (*type == htons(ETH_P_IP)) {
		struct iphdr iphb, *iph;
		unsigned int hlen, total;

		*why = STT_DROP_INNER_LEN;
		iph = skb_header_pointer(skb, ofs, sizeof(iphb), &iphb);
		if (!iph)
			return false;
		hlen = iph->ihl * 4;
		total = ntohs(iph->tot_len);
		if (iph->version != 4 || hlen < sizeof(*iph) || total < hlen ||
		    total > len)
			return false;
		inner->ipv4 = true;
		inner->fragment = ip_is_fragment(iph);
		inner->proto = iph->protocol;
		inner->l4_ofs = ofs + hlen;
		inner->l4_len = total - hlen;
		return true;
	}

	if (*type == htons(ETH_P_IPV6)) {
		struct ipv6hdr ip6hb, *ip6h;
		unsigned int total;
		__be16 frag_off;
		int l4_ofs;

		*why = STT_DROP_INNER_LEN;
		ip6h = skb_header_pointer(skb, ofs, sizeof(ip6hb), &ip6hb);
		if (!ip6h || ip6h->version != 6)
			return false;
		total = ntohs(ip6h->payload_len);
		if (total > len - sizeof(*ip6h))
			return false;
		inner->proto = ip6h->nexthdr;
		l4_ofs = ipv6_skip_exthdr(skb, ofs + sizeof(*ip6h),
					  &inner->proto, &frag_off);
		if (l4_ofs < 0 || l4_ofs > ofs + sizeof(*ip6h) + total)
			return false;
		inner->l4_ofs = l4_ofs;
		inner->l4_len = ofs + sizeof(*ip6h) + total - l4_ofs;
		inner->fragment = frag_off;
		inner->extensions = l4_ofs != ofs + sizeof(*ip6h);
		return true;
	}
	return false;
}

/**
 * stt_inner_l4_hlen() - length of the TCP or UDP header of a frame
 * @skb: the frame
 * @inner: from stt_parse_inner()
 *
 * Return: the length in bytes, or 0 if it is neither or its lengths are
 * inconsistent.
 */
unsigned int stt_inner_l4_hlen(const struct sk_buff *skb,
			       const struct stt_inner *inner)
{
	if (inner->proto == IPPROTO_TCP) {
		struct tcphdr thb, *th;

		th = skb_header_pointer(skb, inner->l4_ofs, sizeof(thb), &thb);
		if (th && th->doff * 4 >= sizeof(*th) &&
		    th->doff * 4 <= inner->l4_len)
			return th->doff * 4;
	} else if (inner->proto == IPPROTO_UDP) {
		struct udphdr uhb, *uh;

		uh = skb_header_pointer(skb, inner->l4_ofs, sizeof(uhb), &uhb);
		if (uh && inner->l4_len >= sizeof(*uh) &&
		    ntohs(uh->len) == inner->l4_len)
			return sizeof(*uh);
	}
	return 0;
}
