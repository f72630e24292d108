/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reassembly of STT frames.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef _STT_REASSEMBLY_H
#define _STT_REASSEMBLY_H

#include "stt.h"

/* What the segments of a frame have in common.  It is hashed, so there must
 * be no holes in it.
 */
struct stt_frame_key {
	struct in6_addr	src;		/* IPv4 addresses are mapped */
	struct in6_addr	dst;
	__be32		packet_id;
	__be16		sport;
	__be16		dport;
};

struct stt_segment {
	struct stt_frame_key	key;
	u16			frame_len;
	u16			offset;
	u16			len;
	bool			ce;	/* congestion experienced */
};

/* What waits at the moment. */
struct stt_reassembly_usage {
	unsigned long	frames;
	unsigned long	segments;
	unsigned long	bytes;		/* of memory */
};

struct stt_reassembly *
stt_reassembly_create(const struct stt_reassembly_limits *limits,
		      struct stt_counters __percpu *counters);
void stt_reassembly_destroy(struct stt_reassembly *r);
void stt_reassembly_flush(struct stt_reassembly *r);
struct sk_buff *stt_reassembly_add(struct stt_reassembly *r,
				   const struct stt_segment *seg,
				   const struct sk_buff *skb, bool *ce);
void stt_reassembly_usage(const struct stt_reassembly *r,
			  struct stt_reassembly_usage *usage);
struct sk_buff *stt_frame_copy(const struct sk_buff *skb);

#endif /* _STT_REASSEMBLY_H */
