/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Attributes of a link of type "stt", inside IFLA_INFO_DATA.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef _IF_STT_H
#define _IF_STT_H

/*
 * Numbers are in host byte order unless it says otherwise.  None of them can
 * be changed once the link exists.
 */
enum {
	IFLA_STT_UNSPEC,
	IFLA_STT_PAD,
	IFLA_STT_PORT,			/* be16: TCP port, default 7471 */
	IFLA_STT_COLLECT_METADATA,	/* flag: peer and ID are per packet */
	IFLA_STT_ID,			/* u64: context ID, default 0 */
	IFLA_STT_REMOTE,		/* be32: IPv4 address of the peer */
	IFLA_STT_REMOTE6,		/* in6_addr: IPv6 address of the peer */
	IFLA_STT_LOCAL,			/* be32: own IPv4 address */
	IFLA_STT_LOCAL6,		/* in6_addr: own IPv6 address */
	IFLA_STT_TTL,			/* u8: 0 for the route's */
	IFLA_STT_TTL_INHERIT,		/* flag: TTL of the inner packet */
	IFLA_STT_TOS,			/* u8: DSCP, 1 to inherit it */
	IFLA_STT_DF,			/* u8: enum ifla_stt_df, default set */
	IFLA_STT_LABEL,			/* be32: flow label of IPv6 */
	__IFLA_STT_MAX
};

#define IFLA_STT_MAX (__IFLA_STT_MAX - 1)

/* "Don't fragment" in the outer IPv4 header. */
enum ifla_stt_df {
	STT_DF_UNSET,
	STT_DF_SET,
	STT_DF_INHERIT,			/* From inner IPv4, set for others. */
	__STT_DF_END
};

#define STT_DF_MAX (__STT_DF_END - 1)

#endif /* _IF_STT_H */
