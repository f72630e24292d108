// SPDX-License-Identifier: GPL-2.0
/*
 * Reassembly of STT frames.
 *
 * Segments go in, in any order and on any CPU, and whole frames come out.  The
 * bytes of a segment are copied into place, and which bytes have arrived is
 * tracked exactly, so a frame never completes with a hole.  Nothing is ever
 * overwritten: a segment that repeats what is there already is a duplicate,
 * and one that contradicts it, or repeats only a part of it, condemns its
 * frame as RFC 5722 does for fragments of IPv6.
 *
 * What waits is bounded in bytes, in frames, in segments per frame, in the
 * share of a single source, and in absolute age.  When a bound is reached, the
 * oldest frame of the same source makes room, and only if the source has none,
 * the oldest of another.  A frame is charged with all of its memory from the
 * first segment on.
 *
 * Nothing here refers to a device or to a packet that has come in: both may be
 * gone when the frame is complete.
 *
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <linux/highmem.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>

#include "reassembly.h"

enum {
	/* All frames of a source are in one shard, so that its share can be
	 * accounted for under a single lock.
	 */
	SHARDS = 16,

	FRAME_BUCKETS = 256,		/* of each shard */
	SOURCE_BUCKETS = 32,

	/* How many frames each shard remembers after they are gone, so that
	 * late segments don't open them again.
	 */
	GONE = 256,

	/* How many shards are asked for room for a frame.  The smallest frames
	 * take less than a fortieth of the memory of the largest.
	 */
	EVICTIONS = 8 * SHARDS,

	/* In front of a frame: the outer IP header, and what may be pushed
	 * when the frame is forwarded.
	 */
	HEADROOM = 128,

	/* Enough for all headers of most frames; the rest is in pages. */
	LINEAR = 192,
};

static_assert(sizeof(struct ipv6hdr) <= HEADROOM);
static_assert(sizeof(struct stt_frame_key) == 40);

/* Bytes @start up to but excluding @end of a frame. */
struct stt_range {
	u16	start;
	u16	end;
};

/* An incomplete frame. */
struct stt_frame {
	struct hlist_node	node;		/* in stt_shard::frames */
	struct list_head	age_node;	/* in stt_shard::by_age */
	struct list_head	source_node;	/* in stt_source::frames */
	struct stt_source	*source;
	struct stt_frame_key	key;
	u64			tag;		/* keyed hash of key */
	unsigned long		born;		/* jiffies */
	struct sk_buff		*skb;		/* skb->len is all of it */
	unsigned int		charge;		/* memory, in bytes */
	bool			ce;		/* any segment had CE */

	/* Of the first segment: what rules have noted, outer IP header. */
	u32			mark;
	u32			priority;
	bool			ipv6;
	union {
		struct iphdr	iph;
		struct ipv6hdr	ip6h;
	};

	/* What has arrived: disjoint, ascending, not adjacent. */
	u16			n_segments;
	u16			n_ranges;
	struct stt_range	ranges[STT_MAX_SEGMENTS];
};

/* An address that has incomplete frames. */
struct stt_source {
	struct hlist_node	node;		/* in stt_shard::sources */
	struct in6_addr		addr;
	struct list_head	frames;		/* oldest first */
	unsigned long		n_frames;
	unsigned long		n_bytes;
};

/* Memory of a frame that is gone. */
struct stt_gone {
	u64			tag;		/* 0 if unused */
	u32			when;		/* jiffies */
	enum stt_counter	why;		/* to count late segments */
};

struct stt_shard {
	spinlock_t		lock;		/* for all of it */
	struct list_head	by_age;		/* stt_frame, oldest first */
	unsigned long		n_segments;	/* of all frames */
	struct hlist_head	frames[FRAME_BUCKETS];
	struct hlist_head	sources[SOURCE_BUCKETS];
	struct stt_gone		gone[GONE];
} ____cacheline_aligned_in_smp;

struct stt_reassembly {
	const struct stt_reassembly_limits *limits;
	struct stt_counters __percpu *counters;
	siphash_key_t		key;
	atomic_long_t		n_frames;
	atomic_long_t		n_bytes;
	struct delayed_work	expire;
	struct stt_shard	shards[SHARDS];
};

static unsigned long stt_max_age(const struct stt_reassembly *r)
{
	return msecs_to_jiffies(READ_ONCE(r->limits->timeout_ms));
}

/* Contents. */

/* What to do with a part of a frame's memory; fails with a negative error. */
typedef int stt_visit_fn(void *data, unsigned int len,
			 const struct sk_buff *from, unsigned int from_ofs);

/* Calls @visit for each part of @skb from @ofs on that is contiguous in
 * memory, @len bytes altogether, with the offset in @from that corresponds.
 */
static int stt_visit(struct sk_buff *skb, unsigned int ofs, unsigned int len,
		     const struct sk_buff *from, stt_visit_fn *visit)
{
	unsigned int start = skb_headlen(skb), from_ofs = 0, n;
	int err, i;

	if (ofs < start) {
		n = min(len, start - ofs);
		err = visit(skb->data + ofs, n, from, 0);
		if (err)
			return err;
		from_ofs += n;
		ofs += n;
		len -= n;
	}

	for (i = 0; len && i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		unsigned int size = skb_frag_size(frag);
		u32 p_off, p_len, copied;
		struct page *p;

		if (ofs >= start + size) {
			start += size;
			continue;
		}
		n = min(len, start + size - ofs);
		skb_frag_foreach_page(frag, skb_frag_off(frag) + ofs - start,
				      n, p, p_off, p_len, copied) {
			u8 *addr = kmap_local_page(p);

			err = visit(addr + p_off, p_len, from,
				    from_ofs + copied);
			kunmap_local(addr);
			if (err)
				return err;
		}
		from_ofs += n;
		ofs += n;
		len -= n;
		start += size;
	}
	return len ? -EFAULT : 0;
}

static int stt_visit_copy(void *data, unsigned int len,
			  const struct sk_buff *from, unsigned int from_ofs)
{
	return skb_copy_bits(from, from_ofs, data, len);
}

/* Returns -EINVAL if there is a difference. */
static int stt_visit_compare(void *data, unsigned int len,
			     const struct sk_buff *from, unsigned int from_ofs)
{
	unsigned int done, n;
	u8 buffer[128];

	for (done = 0; done < len; done += n) {
		const void *p;

		n = min_t(unsigned int, len - done, sizeof(buffer));
		p = skb_header_pointer(from, from_ofs + done, n, buffer);
		if (!p || memcmp((u8 *)data + done, p, n))
			return -EINVAL;
	}
	return 0;
}

/* Returns a packet of @len bytes, without content, in linear memory and pages
 * but never in a list of fragments, which not all of the kernel expects where
 * the size of its parts is not that of a TCP segment.
 */
static struct sk_buff *stt_frame_alloc(unsigned int len)
{
	unsigned int linear = min_t(unsigned int, len, LINEAR);
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(HEADROOM + linear, len - linear,
				   PAGE_ALLOC_COSTLY_ORDER, &err,
				   GFP_ATOMIC | __GFP_NOWARN |
				   __GFP_NOMEMALLOC);
	if (!skb)
		return NULL;
	skb_reserve(skb, HEADROOM);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len += len - linear;
	return skb;
}

/* Places the outer IP header in front of the data of @skb. */
static void stt_frame_set_outer(struct sk_buff *skb, bool ipv6,
				const void *outer)
{
	int len = ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	memcpy(skb->data - len, outer, len);
	skb_set_network_header(skb, -len);
	skb->protocol = ipv6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
}

/**
 * stt_frame_copy() - copies a whole frame to memory of an ordinary shape
 * @skb: its data is a frame, its network header the outer one
 *
 * Return: a new packet, with neither offloads nor a device, or NULL if there
 * is no memory.
 */
struct sk_buff *stt_frame_copy(const struct sk_buff *skb)
{
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	struct sk_buff *copy;

	copy = stt_frame_alloc(skb->len);
	if (!copy)
		return NULL;
	if (stt_visit(copy, 0, skb->len, skb, stt_visit_copy)) {
		kfree_skb(copy);
		return NULL;
	}
	stt_frame_set_outer(copy, ipv6, skb_network_header(skb));
	copy->mark = skb->mark;
	copy->priority = skb->priority;
	return copy;
}

/* Frames. */

static struct stt_source *stt_source_find(struct stt_shard *shard, u64 hash,
					  const struct in6_addr *addr)
{
	struct stt_source *source;

	hlist_for_each_entry(source,
			     &shard->sources[hash / SHARDS % SOURCE_BUCKETS],
			     node)
		if (ipv6_addr_equal(&source->addr, addr))
			return source;
	return NULL;
}

static struct hlist_head *stt_frame_bucket(struct stt_shard *shard, u64 tag)
{
	return &shard->frames[tag % FRAME_BUCKETS];
}

static struct stt_frame *stt_frame_find(struct stt_shard *shard, u64 tag,
					const struct stt_frame_key *key)
{
	struct stt_frame *frame;

	hlist_for_each_entry(frame, stt_frame_bucket(shard, tag), node)
		if (frame->tag == tag && !memcmp(&frame->key, key, sizeof(*key)))
			return frame;
	return NULL;
}

/* Takes @frame out of all tables.  Its packet is the caller's. */
static struct sk_buff *stt_frame_remove(struct stt_reassembly *r,
					struct stt_shard *shard,
					struct stt_frame *frame)
{
	struct stt_source *source = frame->source;
	struct sk_buff *skb = frame->skb;

	hlist_del(&frame->node);
	list_del(&frame->age_node);
	list_del(&frame->source_node);

	source->n_bytes -= frame->charge;
	if (!--source->n_frames) {
		hlist_del(&source->node);
		kfree(source);
	}
	WRITE_ONCE(shard->n_segments, shard->n_segments - frame->n_segments);
	atomic_long_sub(frame->charge, &r->n_bytes);
	atomic_long_dec(&r->n_frames);
	kfree(frame);
	return skb;
}

static struct stt_gone *stt_gone_slot(struct stt_shard *shard, u64 tag)
{
	return &shard->gone[(tag >> 32) % GONE];
}

/* Has late segments of the frame with @tag be counted as @why. */
static void stt_remember(struct stt_shard *shard, u64 tag, enum stt_counter why)
{
	struct stt_gone *gone = stt_gone_slot(shard, tag);

	gone->tag = tag;
	gone->when = jiffies;
	gone->why = why;
}

static void stt_frame_drop(struct stt_reassembly *r, struct stt_shard *shard,
			   struct stt_frame *frame, enum stt_counter why)
{
	stt_count_n(r->counters, why, frame->n_segments);
	stt_remember(shard, frame->tag, why);
	kfree_skb(stt_frame_remove(r, shard, frame));
}

static struct stt_frame *stt_oldest(struct stt_shard *shard)
{
	return list_first_entry_or_null(&shard->by_age, struct stt_frame,
					age_node);
}

static void stt_shard_expire(struct stt_reassembly *r, struct stt_shard *shard)
{
	unsigned long max_age = stt_max_age(r);
	struct stt_frame *frame;

	while ((frame = stt_oldest(shard)) &&
	       !time_before(jiffies, frame->born + max_age))
		stt_frame_drop(r, shard, frame, STT_DROP_EXPIRED);
}

/* Segments expire what is in their own shard, this does it for the others. */
static void stt_expire_work(struct work_struct *work)
{
	struct stt_reassembly *r = container_of(to_delayed_work(work),
						struct stt_reassembly, expire);
	int i;

	for (i = 0; i < SHARDS; i++) {
		spin_lock_bh(&r->shards[i].lock);
		stt_shard_expire(r, &r->shards[i]);
		spin_unlock_bh(&r->shards[i].lock);
	}
	if (atomic_long_read(&r->n_frames))
		schedule_delayed_work(&r->expire, stt_max_age(r) / 2 + 1);
}

static bool stt_has_room(const struct stt_reassembly *r, unsigned int charge)
{
	return atomic_long_read(&r->n_bytes) + charge <=
			READ_ONCE(r->limits->max_bytes) &&
	       atomic_long_read(&r->n_frames) <
			READ_ONCE(r->limits->max_frames);
}

/* Makes room for @charge bytes of a frame from @addr.  Returns false if this
 * takes frames of other shards.
 */
static bool stt_shard_make_room(struct stt_reassembly *r,
				struct stt_shard *shard, u64 source_hash,
				const struct in6_addr *addr,
				unsigned int charge)
{
	unsigned long percent = READ_ONCE(r->limits->source_percent);
	unsigned long max_frames =
		max(READ_ONCE(r->limits->max_frames) * percent / 100, 1UL);
	unsigned long max_bytes =
		READ_ONCE(r->limits->max_bytes) / 100 * percent;
	struct stt_source *source;
	struct stt_frame *frame;

	for (;;) {
		source = stt_source_find(shard, source_hash, addr);
		if (source) {
			if (source->n_frames < max_frames &&
			    source->n_bytes + charge <= max_bytes &&
			    stt_has_room(r, charge))
				return true;
			frame = list_first_entry(&source->frames,
						 struct stt_frame, source_node);
		} else {
			if (stt_has_room(r, charge))
				return true;
			frame = stt_oldest(shard);
			if (!frame)
				return false;
		}
		stt_frame_drop(r, shard, frame, STT_DROP_EVICTED);
	}
}

/* Throws away the oldest frames of shards other than @except, one of each in
 * turn, until there is room for @charge bytes.  Gives up when other CPUs fill
 * the room as fast.
 */
static void stt_evict_elsewhere(struct stt_reassembly *r,
				const struct stt_shard *except,
				unsigned int charge)
{
	unsigned int first = get_random_u32(), n_empty = 0, i;

	for (i = 0; i < EVICTIONS && n_empty < SHARDS &&
	     !stt_has_room(r, charge); i++) {
		struct stt_shard *shard = &r->shards[(first + i) % SHARDS];
		struct stt_frame *frame = NULL;

		if (shard != except) {
			spin_lock_bh(&shard->lock);
			frame = stt_oldest(shard);
			if (frame)
				stt_frame_drop(r, shard, frame,
					       STT_DROP_EVICTED);
			spin_unlock_bh(&shard->lock);
		}
		n_empty = frame ? 0 : n_empty + 1;
	}
}

/* Adds an empty frame for @seg.  Returns NULL if there is no memory. */
static struct stt_frame *stt_frame_create(struct stt_reassembly *r,
					  struct stt_shard *shard,
					  u64 source_hash, u64 tag,
					  const struct stt_segment *seg,
					  struct sk_buff *skb,
					  unsigned int charge)
{
	struct stt_source *source;
	struct stt_frame *frame;

	frame = kmalloc_obj(*frame, GFP_ATOMIC | __GFP_NOWARN);
	if (!frame)
		return NULL;

	source = stt_source_find(shard, source_hash, &seg->key.src);
	if (!source) {
		source = kzalloc_obj(*source, GFP_ATOMIC | __GFP_NOWARN);
		if (!source) {
			kfree(frame);
			return NULL;
		}
		source->addr = seg->key.src;
		INIT_LIST_HEAD(&source->frames);
		hlist_add_head(&source->node,
			       &shard->sources[source_hash / SHARDS %
					       SOURCE_BUCKETS]);
	}
	source->n_frames++;
	source->n_bytes += charge;

	frame->source = source;
	frame->key = seg->key;
	frame->tag = tag;
	frame->born = jiffies;
	frame->skb = skb;
	frame->charge = charge;
	frame->ce = false;
	frame->n_segments = 0;
	frame->n_ranges = 0;
	list_add_tail(&frame->source_node, &source->frames);
	list_add_tail(&frame->age_node, &shard->by_age);
	hlist_add_head(&frame->node, stt_frame_bucket(shard, tag));

	atomic_long_add(charge, &r->n_bytes);
	if (atomic_long_inc_return(&r->n_frames) == 1)
		schedule_delayed_work(&r->expire, stt_max_age(r) / 2 + 1);
	return frame;
}

/* Adds the bytes of @seg, the data of @skb, to @frame.
 *
 * Return: 0 if none of them was there, STT_DROP_DUPLICATE if all of them were,
 * or why the whole frame must be dropped.
 */
static enum stt_counter stt_frame_add(struct stt_frame *frame,
				      const struct stt_segment *seg,
				      const struct sk_buff *skb,
				      unsigned int max_segments)
{
	unsigned int start = seg->offset, end = start + seg->len;
	struct stt_range *ranges = frame->ranges;
	bool joins_prev, joins_next;
	unsigned int i;

	/* Find the first range that doesn't end before the segment, which is
	 * almost always behind the last one.
	 */
	for (i = frame->n_ranges; i && ranges[i - 1].end > start; i--)
		;

	if (i < frame->n_ranges && ranges[i].start < end) {
		if (ranges[i].start <= start && end <= ranges[i].end &&
		    !stt_visit(frame->skb, start, seg->len, skb,
			       stt_visit_compare))
			return STT_DROP_DUPLICATE;
		return STT_DROP_OVERLAP;
	}
	if (frame->n_segments >= max_segments)
		return STT_DROP_SEGMENTS;
	if (stt_visit(frame->skb, start, seg->len, skb, stt_visit_copy))
		return STT_DROP_TRUNCATED;

	joins_prev = i && ranges[i - 1].end == start;
	joins_next = i < frame->n_ranges && ranges[i].start == end;
	if (joins_prev && joins_next) {
		ranges[i - 1].end = ranges[i].end;
		frame->n_ranges--;
		memmove(&ranges[i], &ranges[i + 1],
			(frame->n_ranges - i) * sizeof(*ranges));
	} else if (joins_prev) {
		ranges[i - 1].end = end;
	} else if (joins_next) {
		ranges[i].start = start;
	} else {
		memmove(&ranges[i + 1], &ranges[i],
			(frame->n_ranges - i) * sizeof(*ranges));
		ranges[i].start = start;
		ranges[i].end = end;
		frame->n_ranges++;
	}
	frame->n_segments++;
	frame->ce |= seg->ce;

	if (!start) {
		frame->mark = skb->mark;
		frame->priority = skb->priority;
		frame->ipv6 = skb->protocol == htons(ETH_P_IPV6);
		if (frame->ipv6)
			frame->ip6h = *ipv6_hdr(skb);
		else
			frame->iph = *ip_hdr(skb);
	}
	return 0;
}

static bool stt_frame_is_complete(const struct stt_frame *frame)
{
	return frame->n_ranges == 1 && !frame->ranges[0].start &&
	       frame->ranges[0].end == frame->skb->len;
}

/* Adds @seg to @frame.  Returns the frame's packet if it is complete. */
static struct sk_buff *stt_shard_add(struct stt_reassembly *r,
				     struct stt_shard *shard,
				     struct stt_frame *frame,
				     const struct stt_segment *seg,
				     const struct sk_buff *skb, bool *ce)
{
	unsigned int n_segments;
	enum stt_counter why;
	struct sk_buff *whole;

	if (frame->skb->len != seg->frame_len) {
		stt_count(r->counters, STT_DROP_LEN_CHANGED);
		return NULL;
	}
	why = stt_frame_add(frame, seg, skb,
			    min_t(unsigned long, STT_MAX_SEGMENTS,
				  READ_ONCE(r->limits->max_segments)));
	if (why) {
		stt_count(r->counters, why);
		if (why != STT_DROP_DUPLICATE)
			stt_frame_drop(r, shard, frame, why);
		return NULL;
	}
	WRITE_ONCE(shard->n_segments, shard->n_segments + 1);
	if (!stt_frame_is_complete(frame))
		return NULL;

	*ce = frame->ce;
	frame->skb->mark = frame->mark;
	frame->skb->priority = frame->priority;
	stt_frame_set_outer(frame->skb, frame->ipv6, &frame->iph);
	stt_remember(shard, frame->tag, STT_DROP_DUPLICATE);
	n_segments = frame->n_segments;
	whole = stt_frame_remove(r, shard, frame);
	stt_count(r->counters, STT_RX_REASSEMBLED);
	stt_count_n(r->counters, STT_RX_SEGMENTS_REASSEMBLED, n_segments);
	return whole;
}

/**
 * stt_reassembly_add() - adds a segment to its frame
 * @r: where
 * @seg: what its headers say, with all bounds checked
 * @skb: its data is the segment's bytes; they are copied
 * @ce: set to whether any segment of the frame had congestion experienced, if
 *	there is a frame
 *
 * To be called in a softirq, without the lock of a shard.
 *
 * Return: the frame that @seg has completed, with the outer IP header of its
 * first segment as network header, which the caller owns; or NULL if @seg
 * waits or was dropped, which has been counted.
 */
struct sk_buff *stt_reassembly_add(struct stt_reassembly *r,
				   const struct stt_segment *seg,
				   const struct sk_buff *skb, bool *ce)
{
	u64 source_hash = siphash(&seg->key.src, sizeof(seg->key.src), &r->key);
	u64 tag = siphash(&seg->key, sizeof(seg->key), &r->key) ?: 1;
	struct stt_shard *shard = &r->shards[source_hash % SHARDS];
	bool evicted_elsewhere = false;
	struct sk_buff *whole = NULL;
	struct sk_buff *memory;
	struct stt_frame *frame;
	struct stt_gone *gone;
	unsigned int charge;

	spin_lock_bh(&shard->lock);
	stt_count(r->counters, STT_RX_SEGMENTS);
	stt_shard_expire(r, shard);
again:
	frame = stt_frame_find(shard, tag, &seg->key);
	if (frame) {
		whole = stt_shard_add(r, shard, frame, seg, skb, ce);
		goto out;
	}

	gone = stt_gone_slot(shard, tag);
	if (gone->tag == tag && (u32)jiffies - gone->when < stt_max_age(r)) {
		stt_count(r->counters, gone->why);
		goto out;
	}

	/* The charge is that of a frame whose memory is in whole pages. */
	charge = sizeof(*frame) + SKB_TRUESIZE(HEADROOM + LINEAR) +
		 (seg->frame_len <= LINEAR ? 0 :
		  PAGE_ALIGN(seg->frame_len - LINEAR));
	if (!stt_shard_make_room(r, shard, source_hash, &seg->key.src,
				 charge)) {
		if (evicted_elsewhere) {
			stt_count(r->counters, STT_DROP_EVICTED);
			goto out;
		}
		evicted_elsewhere = true;
		spin_unlock_bh(&shard->lock);
		stt_evict_elsewhere(r, shard, charge);
		spin_lock_bh(&shard->lock);
		goto again;
	}

	memory = stt_frame_alloc(seg->frame_len);
	if (memory)
		frame = stt_frame_create(r, shard, source_hash, tag, seg,
					 memory, charge);
	if (!frame) {
		kfree_skb(memory);
		stt_count(r->counters, STT_DROP_MEMORY);
		goto out;
	}
	whole = stt_shard_add(r, shard, frame, seg, skb, ce);

out:
	spin_unlock_bh(&shard->lock);
	return whole;
}

/**
 * stt_reassembly_usage() - tells what waits
 * @r: where, or NULL
 * @usage: set to that
 *
 * Segments that come at the same time may be in some of the numbers only.
 */
void stt_reassembly_usage(const struct stt_reassembly *r,
			  struct stt_reassembly_usage *usage)
{
	int i;

	memset(usage, 0, sizeof(*usage));
	if (!r)
		return;
	usage->frames = atomic_long_read(&r->n_frames);
	usage->bytes = atomic_long_read(&r->n_bytes);
	for (i = 0; i < SHARDS; i++)
		usage->segments += READ_ONCE(r->shards[i].n_segments);
}

/**
 * stt_reassembly_flush() - throws away all that waits
 * @r: where
 */
void stt_reassembly_flush(struct stt_reassembly *r)
{
	struct stt_frame *frame;
	int i;

	for (i = 0; i < SHARDS; i++) {
		struct stt_shard *shard = &r->shards[i];

		spin_lock_bh(&shard->lock);
		while ((frame = stt_oldest(shard)))
			stt_frame_drop(r, shard, frame, STT_DROP_FLUSHED);
		spin_unlock_bh(&shard->lock);
	}
}

/**
 * stt_reassembly_create() - makes an empty table of incomplete frames
 * @limits: of what may wait; they may change at any time
 * @counters: where to count
 *
 * Return: the table, or NULL if there is no memory.
 */
struct stt_reassembly *
stt_reassembly_create(const struct stt_reassembly_limits *limits,
		      struct stt_counters __percpu *counters)
{
	struct stt_reassembly *r;
	int i;

	r = kvzalloc_obj(*r, GFP_KERNEL);
	if (!r)
		return NULL;

	r->limits = limits;
	r->counters = counters;
	get_random_bytes(&r->key, sizeof(r->key));
	INIT_DELAYED_WORK(&r->expire, stt_expire_work);
	for (i = 0; i < SHARDS; i++) {
		spin_lock_init(&r->shards[i].lock);
		INIT_LIST_HEAD(&r->shards[i].by_age);
	}
	return r;
}

/**
 * stt_reassembly_destroy() - frees a table and all that waits in it
 * @r: the table, which nobody uses any more, or NULL
 */
void stt_reassembly_destroy(struct stt_reassembly *r)
{
	if (!r)
		return;
	stt_reassembly_flush(r);
	/* It starts itself anew only if there are frames. */
	cancel_delayed_work_sync(&r->expire);
	kvfree(r);
}
