// SPDX-License-Identifier: GPL-2.0
/*
 * STT devices: netdev operations, link type, namespaces, module.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <linux/ethtool.h>
#include <linux/hash.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/sysctl.h>
#include <net/dst_cache.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include <net/netns/generic.h>
#include <net/rtnetlink.h>

#include "reassembly.h"

static unsigned int stt_net_id __read_mostly;

/**
 * stt_net() - what a network namespace has of STT
 * @net: the namespace
 *
 * Return: it, which is valid as long as @net is.
 */
struct stt_net *stt_net(const struct net *net)
{
	return net_generic(net, stt_net_id);
}

/* Statistics. */

static const char stt_counter_names[STT_N_COUNTERS][ETH_GSTRING_LEN] = {
	[STT_TX_FRAMES]			= "tx_frames",
	[STT_TX_SPLIT]			= "tx_split",
	[STT_TX_DROP_METADATA]		= "tx_drop_metadata",
	[STT_TX_DROP_ROUTE]		= "tx_drop_route",
	[STT_TX_DROP_LOOP]		= "tx_drop_loop",
	[STT_TX_DROP_MTU]		= "tx_drop_mtu",
	[STT_TX_DROP_TOO_LONG]		= "tx_drop_too_long",
	[STT_TX_DROP_OFFLOAD]		= "tx_drop_offload",
	[STT_TX_DROP_MEMORY]		= "tx_drop_memory",
	[STT_RX_FRAMES]			= "rx_frames",
	[STT_RX_SEGMENTS]		= "rx_segments",
	[STT_RX_REASSEMBLED]		= "rx_reassembled",
	[STT_RX_SEGMENTS_REASSEMBLED]	= "rx_segments_reassembled",
	[STT_DROP_NOT_HOST]		= "drop_not_host",
	[STT_DROP_POLICY]		= "drop_policy",
	[STT_DROP_TRUNCATED]		= "drop_truncated",
	[STT_DROP_EXTENSIONS]		= "drop_extensions",
	[STT_DROP_DATA_OFFSET]		= "drop_data_offset",
	[STT_DROP_TCP_FLAGS]		= "drop_tcp_flags",
	[STT_DROP_EMPTY]		= "drop_empty",
	[STT_DROP_FRAME_LEN]		= "drop_frame_len",
	[STT_DROP_BEYOND_FRAME]		= "drop_beyond_frame",
	[STT_DROP_OUTER_CSUM]		= "drop_outer_csum",
	[STT_DROP_SOURCE]		= "drop_source",
	[STT_DROP_LEN_CHANGED]		= "drop_len_changed",
	[STT_DROP_DUPLICATE]		= "drop_duplicate",
	[STT_DROP_OVERLAP]		= "drop_overlap",
	[STT_DROP_SEGMENTS]		= "drop_segments",
	[STT_DROP_EVICTED]		= "drop_evicted",
	[STT_DROP_EXPIRED]		= "drop_expired",
	[STT_DROP_FLUSHED]		= "drop_flushed",
	[STT_DROP_VERSION]		= "drop_version",
	[STT_DROP_MEMORY]		= "drop_memory",
	[STT_DROP_KEY]			= "drop_key",
	[STT_DROP_L4_OFFSET]		= "drop_l4_offset",
	[STT_DROP_L4_PROTO]		= "drop_l4_proto",
	[STT_DROP_INNER_LEN]		= "drop_inner_len",
	[STT_DROP_INNER_FRAG]		= "drop_inner_frag",
	[STT_DROP_MSS]			= "drop_mss",
	[STT_DROP_ECN]			= "drop_ecn",
	[STT_DROP_QUEUE]		= "drop_queue",
	[STT_PMTU_UPDATES]		= "pmtu_updates",
	[STT_PMTU_REFUSED]		= "pmtu_refused",
};

/* What waits for reassembly at the moment. */
static const char stt_usage_names[][ETH_GSTRING_LEN] = {
	"reassembly_frames",
	"reassembly_segments",
	"reassembly_bytes",
};

static struct stt_counters __percpu *stt_counters_alloc(void)
{
	struct stt_counters __percpu *counters;
	int cpu;

	counters = alloc_percpu(struct stt_counters);
	if (counters)
		for_each_possible_cpu(cpu)
			u64_stats_init(&per_cpu_ptr(counters, cpu)->syncp);
	return counters;
}

/* Adds what all CPUs have counted to @sum. */
static void stt_counters_sum(struct stt_counters __percpu *counters, u64 *sum)
{
	int cpu, i;

	for_each_possible_cpu(cpu) {
		const struct stt_counters *c = per_cpu_ptr(counters, cpu);
		unsigned int start;
		u64 n[STT_N_COUNTERS];

		do {
			start = u64_stats_fetch_begin(&c->syncp);
			for (i = 0; i < STT_N_COUNTERS; i++)
				n[i] = u64_stats_read(&c->n[i]);
		} while (u64_stats_fetch_retry(&c->syncp, start));
		for (i = 0; i < STT_N_COUNTERS; i++)
			sum[i] += n[i];
	}
}

static void stt_get_drvinfo(struct net_device *dev,
			    struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "stt", sizeof(info->driver));
	strscpy(info->version, STT_MODULE_VERSION, sizeof(info->version));
}

static int stt_get_sset_count(struct net_device *dev, int sset)
{
	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return ARRAY_SIZE(stt_counter_names) + ARRAY_SIZE(stt_usage_names);
}

static void stt_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset != ETH_SS_STATS)
		return;
	memcpy(data, stt_counter_names, sizeof(stt_counter_names));
	memcpy(data + sizeof(stt_counter_names), stt_usage_names,
	       sizeof(stt_usage_names));
}

/* Segments belong to no device before their frame is complete, so the numbers
 * of the namespace are part of each device's.
 */
static void stt_get_ethtool_stats(struct net_device *dev,
				  struct ethtool_stats *stats, u64 *data)
{
	struct stt_dev *stt = netdev_priv(dev);
	struct stt_net *sn = stt_net(stt->net);
	struct stt_reassembly_usage usage;

	ASSERT_RTNL();
	memset(data, 0, sizeof(*data) * STT_N_COUNTERS);
	stt_counters_sum(stt->counters, data);
	stt_counters_sum(sn->counters, data);
	stt_reassembly_usage(sn->reassembly, &usage);
	data[STT_N_COUNTERS] = usage.frames;
	data[STT_N_COUNTERS + 1] = usage.segments;
	data[STT_N_COUNTERS + 2] = usage.bytes;
}

static const struct ethtool_ops stt_ethtool_ops = {
	.get_drvinfo		= stt_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_sset_count		= stt_get_sset_count,
	.get_strings		= stt_get_strings,
	.get_ethtool_stats	= stt_get_ethtool_stats,
};

/* TCP ports. */

/* Reserves the TCP port @port in @net, for IPv6 too if there is any.  The socket
 * neither listens nor connects: it is there so that nobody else uses the port.
 */
static int stt_socket_create(struct net *net, __be16 port,
			     struct socket **sockp)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family	= AF_INET6,
		.sin6_port	= port,
	};
	struct sockaddr_in sin = {
		.sin_family	= AF_INET,
		.sin_port	= port,
	};
	struct socket *sock;
	int err;

	err = -EAFNOSUPPORT;
	if (ipv6_mod_enabled())
		err = sock_create_kern(net, AF_INET6, SOCK_STREAM, IPPROTO_TCP,
				       &sock);
	if (!err) {
		sock->sk->sk_ipv6only = 0;
		err = kernel_bind(sock, (void *)&sin6, sizeof(sin6));
	} else if (err == -EAFNOSUPPORT) {
		err = sock_create_kern(net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
				       &sock);
		if (err)
			return err;
		err = kernel_bind(sock, (void *)&sin, sizeof(sin));
	} else {
		return err;
	}
	if (err) {
		sock_release(sock);
		return err;
	}
	*sockp = sock;
	return 0;
}

/* Returns the port with number @number, with one more device on it. */
static struct stt_port *stt_port_get(struct stt_net *sn, __be16 number)
{
	struct stt_port *port = stt_port_find(sn, number);
	int err;

	ASSERT_RTNL();
	if (port) {
		port->n_devices++;
		return port;
	}

	port = kzalloc_obj(*port, GFP_KERNEL);
	if (!port)
		return ERR_PTR(-ENOMEM);
	port->port = number;
	port->n_devices = 1;
	err = stt_socket_create(sn->net, number, &port->sock);
	if (err)
		goto free_port;

	if (!sn->n_ports) {
		sn->reassembly = stt_reassembly_create(&sn->limits,
						       sn->counters);
		if (!sn->reassembly) {
			err = -ENOMEM;
			goto free_socket;
		}
		err = stt_hooks_register(sn);
		if (err)
			goto free_reassembly;
	}
	sn->n_ports++;
	hlist_add_head_rcu(&port->node,
			   &sn->ports[hash_32((__force u16)number,
					      STT_PORT_BITS)]);
	return port;

free_reassembly:
	stt_reassembly_destroy(sn->reassembly);
	sn->reassembly = NULL;
free_socket:
	sock_release(port->sock);
free_port:
	kfree(port);
	return ERR_PTR(err);
}

static void stt_port_put(struct stt_net *sn, struct stt_port *port)
{
	ASSERT_RTNL();
	if (--port->n_devices)
		return;

	hlist_del_rcu(&port->node);
	if (!--sn->n_ports) {
		stt_hooks_unregister(sn);
		stt_reassembly_destroy(sn->reassembly);
		sn->reassembly = NULL;
	}
	sock_release(port->sock);
	kfree_rcu(port, rcu);
}

/* Netdev operations. */

static int stt_init(struct net_device *dev)
{
	struct stt_dev *stt = netdev_priv(dev);
	int err;

	stt->counters = stt_counters_alloc();
	if (!stt->counters)
		return -ENOMEM;
	err = gro_cells_init(&stt->gro_cells, dev);
	if (err)
		goto free_counters;
	err = dst_cache_init(&stt->info.dst_cache, GFP_KERNEL);
	if (err)
		goto free_cells;
	return 0;

free_cells:
	gro_cells_destroy(&stt->gro_cells);
free_counters:
	free_percpu(stt->counters);
	return err;
}

static void stt_uninit(struct net_device *dev)
{
	struct stt_dev *stt = netdev_priv(dev);

	gro_cells_destroy(&stt->gro_cells);
	dst_cache_destroy(&stt->info.dst_cache);
}

static void stt_destructor(struct net_device *dev)
{
	struct stt_dev *stt = netdev_priv(dev);

	free_percpu(stt->counters);
}

static int stt_open(struct net_device *dev)
{
	struct stt_dev *stt = netdev_priv(dev);
	struct stt_net *sn = stt_net(stt->net);
	struct stt_port *port;

	port = stt_port_get(sn, stt->info.key.tp_dst);
	if (IS_ERR(port)) {
		netdev_err(dev, "cannot have TCP port %u: %pe\n",
			   ntohs(stt->info.key.tp_dst), port);
		return PTR_ERR(port);
	}

	/* Last, since packets may come from now on. */
	stt_port_add_device(port, stt);
	return 0;
}

static int stt_stop(struct net_device *dev)
{
	struct stt_dev *stt = netdev_priv(dev);
	struct stt_net *sn = stt_net(stt->net);
	struct stt_port *port = stt_port_find(sn, stt->info.key.tp_dst);

	stt_port_del_device(port, stt);
	stt_port_put(sn, port);
	return 0;
}

static const struct net_device_ops stt_netdev_ops = {
	.ndo_init		= stt_init,
	.ndo_uninit		= stt_uninit,
	.ndo_open		= stt_open,
	.ndo_stop		= stt_stop,
	.ndo_start_xmit		= stt_xmit,
	.ndo_features_check	= stt_features_check,
	.ndo_get_stats64	= dev_get_tstats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_fill_metadata_dst	= stt_fill_metadata_dst,
};

static const struct device_type stt_type = {
	.name = "stt",
};

/* Link type. */

static const struct nla_policy stt_policy[IFLA_STT_MAX + 1] = {
	[IFLA_STT_PORT]			= { .type = NLA_U16 },
	[IFLA_STT_COLLECT_METADATA]	= { .type = NLA_FLAG },
	[IFLA_STT_ID]			= { .type = NLA_U64 },
	[IFLA_STT_REMOTE]		= { .type = NLA_U32 },
	[IFLA_STT_REMOTE6]		= NLA_POLICY_EXACT_LEN(16),
	[IFLA_STT_LOCAL]		= { .type = NLA_U32 },
	[IFLA_STT_LOCAL6]		= NLA_POLICY_EXACT_LEN(16),
	[IFLA_STT_TTL]			= { .type = NLA_U8 },
	[IFLA_STT_TTL_INHERIT]		= { .type = NLA_FLAG },
	[IFLA_STT_TOS]			= { .type = NLA_U8 },
	[IFLA_STT_DF]			= NLA_POLICY_MAX(NLA_U8, STT_DF_MAX),
	[IFLA_STT_LABEL]		= { .type = NLA_U32 },
};

static void stt_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &stt_netdev_ops;
	dev->ethtool_ops = &stt_ethtool_ops;
	SET_NETDEV_DEVTYPE(dev, &stt_type);
	dev->needs_free_netdev = true;
	dev->priv_destructor = stt_destructor;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;

	/* No SKB_GSO_TCP_ECN, see stt_can_describe().  And no lists of
	 * fragments, whose parts have the size of inner segments: GSO relies
	 * on their size, and outer segments have another one.
	 */
	dev->features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
			 NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_RXCSUM |
			 NETIF_F_HW_VLAN_CTAG_TX;
	dev->hw_features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO |
			    NETIF_F_TSO6 | NETIF_F_RXCSUM;
	dev->vlan_features |= dev->hw_features;
	stt_set_lltx(dev);

	/* TSO packets of guests are a little longer than those of the stack,
	 * and two frames of them are better than dozens.
	 */
	netif_set_tso_max_size(dev, STT_MAX_GSO);
	stt_set_gso_max_size(dev, STT_MAX_GSO);

	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = STT_MAX_MTU;
	dev->mtu = STT_MAX_MTU;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_NO_QUEUE;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	netif_keep_dst(dev);
	eth_hw_addr_random(dev);
}

static int stt_validate(struct nlattr *tb[], struct nlattr *data[],
			struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS]) {
		if (nla_len(tb[IFLA_ADDRESS]) != ETH_ALEN) {
			NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
					    "Link address is not an Ethernet address");
			return -EINVAL;
		}
		if (!is_valid_ether_addr(nla_data(tb[IFLA_ADDRESS]))) {
			NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
					    "Link address is not a unicast address");
			return -EADDRNOTAVAIL;
		}
	}
	if (!data) {
		NL_SET_ERR_MSG(extack,
			       "Needs either the address of a peer or collect metadata");
		return -EINVAL;
	}
	return 0;
}

/* Takes the addresses from @data into @stt. */
static int stt_parse_addresses(struct stt_dev *stt, struct nlattr *data[],
			       struct netlink_ext_ack *extack)
{
	struct nlattr *remote = data[IFLA_STT_REMOTE];
	struct nlattr *remote6 = data[IFLA_STT_REMOTE6];
	struct nlattr *local = data[IFLA_STT_LOCAL];
	struct nlattr *local6 = data[IFLA_STT_LOCAL6];
	struct ip_tunnel_info *info = &stt->info;

	if (remote && remote6) {
		NL_SET_ERR_MSG_ATTR(extack, remote6,
				    "Peer has either an IPv4 or an IPv6 address");
		return -EINVAL;
	}
	if ((remote && local6) || (remote6 && local)) {
		NL_SET_ERR_MSG_ATTR(extack, local ?: local6,
				    "Local address is of another family than the peer's");
		return -EINVAL;
	}
	if (remote) {
		info->key.u.ipv4.dst = nla_get_in_addr(remote);
		if (ipv4_is_zeronet(info->key.u.ipv4.dst) ||
		    ipv4_is_lbcast(info->key.u.ipv4.dst) ||
		    ipv4_is_multicast(info->key.u.ipv4.dst)) {
			NL_SET_ERR_MSG_ATTR(extack, remote,
					    "Peer's address is not a unicast address");
			return -EINVAL;
		}
	}
	if (local) {
		info->key.u.ipv4.src = nla_get_in_addr(local);
		if (ipv4_is_lbcast(info->key.u.ipv4.src) ||
		    ipv4_is_multicast(info->key.u.ipv4.src)) {
			NL_SET_ERR_MSG_ATTR(extack, local,
					    "Local address is not a unicast address");
			return -EINVAL;
		}
	}
	if (remote6) {
		if (!ipv6_mod_enabled()) {
			NL_SET_ERR_MSG_ATTR(extack, remote6,
					    "The kernel has no IPv6");
			return -EPFNOSUPPORT;
		}
		info->mode |= IP_TUNNEL_INFO_IPV6;
		info->key.u.ipv6.dst = nla_get_in6_addr(remote6);
		if (!(ipv6_addr_type(&info->key.u.ipv6.dst) & IPV6_ADDR_UNICAST) ||
		    ipv6_addr_v4mapped(&info->key.u.ipv6.dst)) {
			NL_SET_ERR_MSG_ATTR(extack, remote6,
					    "Peer's address is not a unicast address");
			return -EINVAL;
		}
		if (ipv6_addr_type(&info->key.u.ipv6.dst) & IPV6_ADDR_LINKLOCAL) {
			NL_SET_ERR_MSG_ATTR(extack, remote6,
					    "Link-local addresses are not supported");
			return -EINVAL;
		}
	}
	if (local6) {
		info->key.u.ipv6.src = nla_get_in6_addr(local6);
		if (ipv6_addr_is_multicast(&info->key.u.ipv6.src)) {
			NL_SET_ERR_MSG_ATTR(extack, local6,
					    "Local address is not a unicast address");
			return -EINVAL;
		}
	}
	return 0;
}

/* Takes the configuration from @data into @stt. */
static int stt_parse(struct stt_dev *stt, struct nlattr *data[],
		     struct netlink_ext_ack *extack)
{
	static const int peer_only[] = {
		IFLA_STT_ID, IFLA_STT_REMOTE, IFLA_STT_REMOTE6, IFLA_STT_LOCAL,
		IFLA_STT_LOCAL6, IFLA_STT_TTL, IFLA_STT_TTL_INHERIT,
		IFLA_STT_TOS, IFLA_STT_DF, IFLA_STT_LABEL,
	};
	struct ip_tunnel_key *key = &stt->info.key;
	int i;

	stt->info.mode = IP_TUNNEL_INFO_TX;
	stt->df = STT_DF_SET;
	key->tp_dst = htons(STT_PORT);
	if (data[IFLA_STT_PORT]) {
		key->tp_dst = nla_get_be16(data[IFLA_STT_PORT]);
		if (!key->tp_dst) {
			NL_SET_ERR_MSG_ATTR(extack, data[IFLA_STT_PORT],
					    "Port is zero");
			return -EINVAL;
		}
	}

	if (nla_get_flag(data[IFLA_STT_COLLECT_METADATA])) {
		stt->collect_md = true;
		for (i = 0; i < ARRAY_SIZE(peer_only); i++) {
			if (data[peer_only[i]]) {
				NL_SET_ERR_MSG_ATTR(extack, data[peer_only[i]],
						    "Attribute excludes collect metadata");
				return -EINVAL;
			}
		}
		return 0;
	}

	if (!data[IFLA_STT_REMOTE] && !data[IFLA_STT_REMOTE6]) {
		NL_SET_ERR_MSG(extack,
			       "Needs either the address of a peer or collect metadata");
		return -EINVAL;
	}
	if (data[IFLA_STT_ID])
		key->tun_id = cpu_to_be64(nla_get_u64(data[IFLA_STT_ID]));
	if (data[IFLA_STT_TTL])
		key->ttl = nla_get_u8(data[IFLA_STT_TTL]);
	if (nla_get_flag(data[IFLA_STT_TTL_INHERIT])) {
		if (key->ttl) {
			NL_SET_ERR_MSG_ATTR(extack, data[IFLA_STT_TTL],
					    "TTL is either inherited or a number");
			return -EINVAL;
		}
		stt->ttl_inherit = true;
	}
	if (data[IFLA_STT_TOS]) {
		key->tos = nla_get_u8(data[IFLA_STT_TOS]);
		if (key->tos != 1 && key->tos & INET_ECN_MASK) {
			NL_SET_ERR_MSG_ATTR(extack, data[IFLA_STT_TOS],
					    "TOS has no ECN bits, except 1 to inherit");
			return -EINVAL;
		}
	}
	if (data[IFLA_STT_DF])
		stt->df = nla_get_u8(data[IFLA_STT_DF]);
	if (data[IFLA_STT_LABEL]) {
		key->label = nla_get_be32(data[IFLA_STT_LABEL]);
		if (key->label & ~IPV6_FLOWLABEL_MASK ||
		    !data[IFLA_STT_REMOTE6]) {
			NL_SET_ERR_MSG_ATTR(extack, data[IFLA_STT_LABEL],
					    "Flow label has 20 bits and needs IPv6");
			return -EINVAL;
		}
	}
	return stt_parse_addresses(stt, data, extack);
}

/* Says whether @a and @b would take the same packets. */
static bool stt_conflict(const struct stt_dev *a, const struct stt_dev *b)
{
	struct in6_addr ra, rb;

	if (a->info.key.tp_dst != b->info.key.tp_dst)
		return false;
	if (a->collect_md || b->collect_md)
		return true;
	stt_remote(&a->info, &ra);
	stt_remote(&b->info, &rb);
	return a->info.key.tun_id == b->info.key.tun_id &&
	       ipv6_addr_equal(&ra, &rb);
}

static int stt_newlink(struct net_device *dev,
		       struct rtnl_newlink_params *params,
		       struct netlink_ext_ack *extack)
{
	struct net *net = rtnl_newlink_link_net(params);
	struct stt_dev *stt = netdev_priv(dev), *other;
	struct stt_net *sn = stt_net(net);
	int err;

	stt->dev = dev;
	stt->net = net;
	err = stt_parse(stt, params->data, extack);
	if (err)
		return err;

	list_for_each_entry(other, &sn->devices, node) {
		if (stt_conflict(stt, other)) {
			NL_SET_ERR_MSG(extack,
				       "Another device takes these packets already");
			return -EBUSY;
		}
	}

	/* Enough for IPv6 over Ethernet, so that packets need not be copied.
	 * stt_reserve() sees to longer headers of the link layer.  Asking for
	 * LL_MAX_HEADER would leave too little of what TCP reserves for
	 * another tunnel over this device, and enlarging a packet with
	 * skb_cow_head(), as others do, doesn't charge the packet's socket.
	 */
	dev->needed_headroom = ALIGN(VLAN_ETH_HLEN, HH_DATA_MOD) +
			       sizeof(struct ipv6hdr) +
			       sizeof(struct tcphdr) + STT_HLEN;
	err = register_netdevice(dev);
	if (err)
		return err;
	list_add(&stt->node, &sn->devices);
	return 0;
}

static void stt_dellink(struct net_device *dev, struct list_head *head)
{
	struct stt_dev *stt = netdev_priv(dev);

	list_del(&stt->node);
	unregister_netdevice_queue(dev, head);
}

static size_t stt_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(__be16)) +		/* PORT */
	       nla_total_size(0) +			/* COLLECT_METADATA */
	       nla_total_size_64bit(sizeof(u64)) +	/* ID */
	       nla_total_size(sizeof(struct in6_addr)) + /* REMOTE{,6} */
	       nla_total_size(sizeof(struct in6_addr)) + /* LOCAL{,6} */
	       nla_total_size(sizeof(u8)) +		/* TTL */
	       nla_total_size(0) +			/* TTL_INHERIT */
	       nla_total_size(sizeof(u8)) +		/* TOS */
	       nla_total_size(sizeof(u8)) +		/* DF */
	       nla_total_size(sizeof(__be32)) +		/* LABEL */
	       0;
}

static int stt_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct stt_dev *stt = netdev_priv(dev);
	const struct ip_tunnel_key *key = &stt->info.key;

	if (nla_put_be16(skb, IFLA_STT_PORT, key->tp_dst))
		return -EMSGSIZE;
	if (stt->collect_md)
		return nla_put_flag(skb, IFLA_STT_COLLECT_METADATA);

	if (nla_put_u64_64bit(skb, IFLA_STT_ID, be64_to_cpu(key->tun_id),
			      IFLA_STT_PAD) ||
	    nla_put_u8(skb, IFLA_STT_TTL, key->ttl) ||
	    (stt->ttl_inherit && nla_put_flag(skb, IFLA_STT_TTL_INHERIT)) ||
	    nla_put_u8(skb, IFLA_STT_TOS, key->tos) ||
	    nla_put_u8(skb, IFLA_STT_DF, stt->df))
		return -EMSGSIZE;

	if (stt->info.mode & IP_TUNNEL_INFO_IPV6) {
		if (nla_put_in6_addr(skb, IFLA_STT_REMOTE6, &key->u.ipv6.dst) ||
		    nla_put_be32(skb, IFLA_STT_LABEL, key->label) ||
		    (!ipv6_addr_any(&key->u.ipv6.src) &&
		     nla_put_in6_addr(skb, IFLA_STT_LOCAL6,
				      &key->u.ipv6.src)))
			return -EMSGSIZE;
	} else {
		if (nla_put_in_addr(skb, IFLA_STT_REMOTE, key->u.ipv4.dst) ||
		    (key->u.ipv4.src &&
		     nla_put_in_addr(skb, IFLA_STT_LOCAL, key->u.ipv4.src)))
			return -EMSGSIZE;
	}
	return 0;
}

static struct net *stt_get_link_net(const struct net_device *dev)
{
	const struct stt_dev *stt = netdev_priv(dev);

	return stt->net;
}

static struct rtnl_link_ops stt_link_ops __read_mostly = {
	.kind		= "stt",
	.maxtype	= IFLA_STT_MAX,
	.policy		= stt_policy,
	.priv_size	= sizeof(struct stt_dev),
	.setup		= stt_setup,
	.validate	= stt_validate,
	.newlink	= stt_newlink,
	.dellink	= stt_dellink,
	.get_size	= stt_get_size,
	.fill_info	= stt_fill_info,
	.get_link_net	= stt_get_link_net,
};

/* Namespaces. */

static unsigned long stt_min_bytes = 1UL << 20;
static unsigned long stt_max_bytes = 1UL << 30;
static unsigned long stt_min_frames = 16;
static unsigned long stt_max_frames = 1UL << 16;
static unsigned long stt_min_segments = 16;
static unsigned long stt_max_segments = STT_MAX_SEGMENTS;
static unsigned long stt_min_percent = 1;
static unsigned long stt_max_percent = 100;
static unsigned long stt_min_timeout = 50;
static unsigned long stt_max_timeout = 30000;

/* The data of each is a member of "struct stt_reassembly_limits", in the same
 * order.
 */
static const struct ctl_table stt_sysctls[] = {
	{
		.procname	= "reassembly_max_bytes",
		.extra1		= &stt_min_bytes,
		.extra2		= &stt_max_bytes,
	},
	{
		.procname	= "reassembly_max_frames",
		.extra1		= &stt_min_frames,
		.extra2		= &stt_max_frames,
	},
	{
		.procname	= "reassembly_max_segments",
		.extra1		= &stt_min_segments,
		.extra2		= &stt_max_segments,
	},
	{
		.procname	= "reassembly_source_percent",
		.extra1		= &stt_min_percent,
		.extra2		= &stt_max_percent,
	},
	{
		.procname	= "reassembly_timeout",
		.extra1		= &stt_min_timeout,
		.extra2		= &stt_max_timeout,
	},
};

static_assert(sizeof(struct stt_reassembly_limits) ==
	      ARRAY_SIZE(stt_sysctls) * sizeof(unsigned long));

static int stt_sysctl_register(struct stt_net *sn)
{
	unsigned long *limits = (unsigned long *)&sn->limits;
	int i, n = ARRAY_SIZE(stt_sysctls);

	/* One more, which old kernels take for the end. */
	struct ctl_table *const table = kcalloc(n + 1, sizeof(*table),
						GFP_KERNEL);

	if (!table)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		table[i] = stt_sysctls[i];
		table[i].data = &limits[i];
		table[i].maxlen = sizeof(limits[i]);
		/* Kernel memory is not for the root of a container to give. */
		table[i].mode = sn->net->user_ns == &init_user_ns ? 0644 :
								    0444;
		table[i].proc_handler = proc_doulongvec_minmax;
	}
	sn->sysctl = register_net_sysctl_sz(sn->net, "net/stt", table, n);
	if (!sn->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

static void stt_sysctl_unregister(struct stt_net *sn)
{
	const struct ctl_table *table = sn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(sn->sysctl);
	kfree(table);
}

static int __net_init stt_net_init(struct net *net)
{
	struct stt_net *sn = stt_net(net);
	int err;

	sn->net = net;
	INIT_LIST_HEAD(&sn->devices);
	/* The memory is the host's, so containers get less of it. */
	sn->limits = (struct stt_reassembly_limits) {
		.max_bytes	= net->user_ns == &init_user_ns ? 32UL << 20 :
								  4UL << 20,
		.max_frames	= 4096,
		.max_segments	= STT_MAX_SEGMENTS,
		.source_percent	= 50,
		.timeout_ms	= 1000,
	};
	sn->counters = stt_counters_alloc();
	if (!sn->counters)
		return -ENOMEM;
	err = stt_sysctl_register(sn);
	if (err)
		free_percpu(sn->counters);
	return err;
}

static void __net_exit stt_net_exit(struct net *net)
{
	struct stt_net *sn = stt_net(net);

	stt_sysctl_unregister(sn);
	free_percpu(sn->counters);
}

/* Devices whose underlay goes go as well, wherever they are. */
static void __net_exit stt_net_exit_rtnl(struct net *net,
					 struct list_head *dev_kill_list)
{
	struct stt_net *sn = stt_net(net);
	struct stt_dev *stt, *next;

	list_for_each_entry_safe(stt, next, &sn->devices, node)
		stt_dellink(stt->dev, dev_kill_list);
}

static struct pernet_operations stt_net_ops = {
	.init		= stt_net_init,
	.exit_rtnl	= stt_net_exit_rtnl,
	.exit		= stt_net_exit,
	.id		= &stt_net_id,
	.size		= sizeof(struct stt_net),
};

/* Module. */

static int __init stt_module_init(void)
{
	int err;

	err = register_pernet_subsys(&stt_net_ops);
	if (err)
		return err;
	err = rtnl_link_register(&stt_link_ops);
	if (err)
		unregister_pernet_subsys(&stt_net_ops);
	return err;
}

static void __exit stt_module_exit(void)
{
	rtnl_link_unregister(&stt_link_ops);
	unregister_pernet_subsys(&stt_net_ops);
}

module_init(stt_module_init);
module_exit(stt_module_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION(STT_MODULE_VERSION);
MODULE_DESCRIPTION("Stateless Transport Tunneling (STT)");
MODULE_AUTHOR("The Open vSwitch STT authors");
MODULE_ALIAS_RTNL_LINK("stt");
