/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernels lack that are older than the newest one supported.
 *
 * The Makefile includes this before each source file, and has looked into the
 * kernel's headers for what there is: distributions backport, so version
 * numbers tell little.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef _STT_COMPAT_H
#define _STT_COMPAT_H

#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/dst_metadata.h>
#include <net/inet_dscp.h>
#include <net/ip_tunnels.h>
#include <net/ip6_tunnel.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#if !defined(HAVE_PCPU_STAT_TYPE) || !defined(HAVE_INET_PREPARE) || \
	!(defined(HAVE_EXIT_RTNL) || defined(HAVE_EXIT_BATCH_RTNL))
#error "This kernel is too old: take a newer one of its stable series."
#endif

/* Once a part of netdevice.h. */
#ifdef HAVE_GSO_H
#include <net/gso.h>
#endif

/* Once a feature flag. */
static inline void stt_set_lltx(struct net_device *dev)
{
#ifdef HAVE_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* Once one limit for both versions of IP. */
static inline void stt_set_gso_max_size(struct net_device *dev,
					unsigned int size)
{
	dev->gso_max_size = size;
#ifdef HAVE_GSO_IPV4_MAX_SIZE
	dev->gso_ipv4_max_size = size;
#endif
}

static inline unsigned int stt_gso_max_size(const struct net_device *dev,
					    bool ipv6)
{
#ifdef HAVE_GSO_IPV4_MAX_SIZE
	if (!ipv6)
		return READ_ONCE(dev->gso_ipv4_max_size);
#endif
	return READ_ONCE(dev->gso_max_size);
}

/* Once 16 bits in network byte order, with the same numbers. */
#ifdef HAVE_TUNNEL_FLAG_BITS
#define stt_key_has(key, bit) test_bit(bit, (key)->tun_flags)
#else
#define IP_TUNNEL_DECLARE_FLAGS(name) unsigned long name[1]
#define IP_TUNNEL_CSUM_BIT 0
#define IP_TUNNEL_KEY_BIT 2
#define IP_TUNNEL_DONT_FRAGMENT_BIT 8
#define ip_tun_rx_dst(skb, flags, id, size) \
	ip_tun_rx_dst(skb, cpu_to_be16((flags)[0]), id, size)
#define ipv6_tun_rx_dst(skb, flags, id, size) \
	ipv6_tun_rx_dst(skb, cpu_to_be16((flags)[0]), id, size)
#define stt_key_has(key, bit) (!!((key)->tun_flags & cpu_to_be16(BIT(bit))))
#endif

/* Once a TOS. */
#ifndef HAVE_FLOWI4_DSCP
#define flowi4_dscp flowi4_tos
#define inet_dsfield_to_dscp(dsfield) \
	((__force u8)inet_dsfield_to_dscp(dsfield))
#endif

/* Once without flags. */
#ifndef HAVE_TUNNEL_XMIT_FLAGS
static inline void compat_iptunnel_xmit(struct sock *sk, struct rtable *rt,
					struct sk_buff *skb, __be32 src,
					__be32 dst, u8 proto, u8 tos, u8 ttl,
					__be16 df, bool xnet, u16 flags)
{
	iptunnel_xmit(sk, rt, skb, src, dst, proto, tos, ttl, df, xnet);
}

static inline void compat_ip6tunnel_xmit(struct sock *sk, struct sk_buff *skb,
					 struct net_device *dev, u16 flags)
{
	ip6tunnel_xmit(sk, skb, dev);
}

#define iptunnel_xmit compat_iptunnel_xmit
#define ip6tunnel_xmit compat_ip6tunnel_xmit
#endif

/* Once an empty row ended a table. */
#ifndef HAVE_NET_SYSCTL_SZ
#define register_net_sysctl_sz(net, path, table, size) \
	((void)(size), register_net_sysctl(net, path, table))
#endif

/* Once the size was given. */
#ifndef kmalloc_obj
#define kmalloc_obj(p, gfp) kmalloc(sizeof(p), gfp)
#define kzalloc_obj(p, gfp) kzalloc(sizeof(p), gfp)
#define kvzalloc_obj(p, gfp) kvzalloc(sizeof(p), gfp)
#endif

/* The rest is for device.c, which defines the functions declared here. */
#ifdef STT_DEVICE

/* Once newlink() had the parameters one by one. */
#ifndef HAVE_NEWLINK_PARAMS
struct rtnl_newlink_params {
	struct net *src_net;
	struct nlattr **data;
};

static inline struct net *
rtnl_newlink_link_net(struct rtnl_newlink_params *params)
{
	return params->src_net;
}

static int stt_newlink_params(struct net_device *dev,
			      struct rtnl_newlink_params *params,
			      struct netlink_ext_ack *extack);

static inline int stt_newlink(struct net *src_net, struct net_device *dev,
			      struct nlattr *tb[], struct nlattr *data[],
			      struct netlink_ext_ack *extack)
{
	struct rtnl_newlink_params params = {
		.src_net = src_net,
		.data = data,
	};

	return stt_newlink_params(dev, &params, extack);
}

/* The definition becomes that of stt_newlink_params(). */
#define stt_newlink(...) stt_newlink_params(__VA_ARGS__)
#endif

/* Once one call for several namespaces. */
#ifndef HAVE_EXIT_RTNL
static void stt_net_exit_rtnl_one(struct net *net,
				  struct list_head *dev_kill_list);

static inline void stt_net_exit_rtnl(struct list_head *net_exit_list,
				     struct list_head *dev_kill_list)
{
	struct net *net;

	list_for_each_entry(net, net_exit_list, exit_list)
		stt_net_exit_rtnl_one(net, dev_kill_list);
}

#define exit_rtnl exit_batch_rtnl
#define stt_net_exit_rtnl(...) stt_net_exit_rtnl_one(__VA_ARGS__)
#endif

#endif /* STT_DEVICE */

#endif /* _STT_COMPAT_H */
