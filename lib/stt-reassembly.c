/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-reassembly.h"

#include "dp-packet.h"
#include "entropy.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "random.h"
#include "util.h"

/* All frames of one source are in one shard, so that its share can be
 * accounted for under a single lock. */
#define N_SHARDS 16

/* How many frames each shard remembers after they are gone, so that late
 * segments don't open them again. */
#define N_GONE 512

/* Room in front of a reassembled frame, for headers to be pushed later. */
#define FRAME_HEADROOM 128

/* What the segments of a frame have in common.  No padding: it is hashed. */
struct frame_key {
    struct in6_addr src;        /* IPv4 addresses are mapped. */
    struct in6_addr dst;
    ovs_be32 packet_id;
    ovs_be16 src_port;
    ovs_be16 dst_port;
};
BUILD_ASSERT_DECL(sizeof(struct frame_key) == 40);

/* Bytes 'start' up to but excluding 'end', in frame coordinates. */
struct range {
    uint16_t start;
    uint16_t end;
};

/* An incomplete frame. */
struct frame {
    struct hmap_node node;          /* In 'frames' of "struct shard". */
    struct ovs_list age_node;       /* In 'by_age' of "struct shard". */
    struct ovs_list source_node;    /* In 'frames' of "struct source". */
    struct source *source;
    struct frame_key key;
    uint64_t tag;                   /* Hash of 'key'. */
    long long int born_ms;
    struct dp_packet *packet;       /* Size is that of the whole frame. */
    size_t charge;                  /* Memory it takes, in bytes. */
    bool ce;                        /* Has a segment with CE been seen? */
    bool reordered;                 /* Has one been overtaken by another? */
    uint16_t largest;               /* Bytes of the largest segment. */

    /* What has arrived: disjoint, ascending, not adjacent. */
    uint16_t n_segments;
    uint16_t n_ranges;
    struct range ranges[STT_MAX_SEGMENTS];
};

/* An address that has incomplete frames. */
struct source {
    struct hmap_node node;          /* In 'sources' of "struct shard". */
    struct in6_addr addr;
    struct ovs_list frames;         /* "struct frame"s, oldest first. */
    uint32_t n_frames;
    uint64_t n_bytes;
};

/* Memory of a frame that is gone. */
struct gone {
    uint64_t tag;                   /* Hash of its key; 0 if unused. */
    long long int when_ms;
    enum stt_drop reason;           /* To drop late segments with. */
};

struct shard {
    struct ovs_mutex mutex;
    struct hmap frames OVS_GUARDED;     /* Of "struct frame"s. */
    struct hmap sources OVS_GUARDED;    /* Of "struct source"s. */
    struct ovs_list by_age OVS_GUARDED; /* "struct frame"s, oldest first. */
    struct gone gone[N_GONE] OVS_GUARDED;

    /* Only the counters of events; the rest comes from the hmap. */
    struct stt_reassembly_stats stats OVS_GUARDED;
};

struct stt_reassembly {
    struct shard shards[N_SHARDS];
    uint32_t seed;                      /* Basis of all hashes. */
    stt_reassembly_drop_cb *drop_cb;    /* May be null. */

    /* Sums over all shards. */
    atomic_uint64_t n_bytes;
    atomic_count n_frames;

    /* Limits. */
    atomic_uint64_t max_bytes;
    atomic_uint32_t max_frames;
    atomic_uint32_t max_segments;
    atomic_uint32_t source_percent;
    atomic_uint32_t max_age_ms;
};

/* Creates and returns a new, empty reassembly with the given 'limits'.
 * 'drop_cb', if it isn't null, is told of each drop. */
struct stt_reassembly *
stt_reassembly_create(const struct stt_reassembly_limits *limits,
                      stt_reassembly_drop_cb *drop_cb)
{
    struct stt_reassembly *r = xzalloc(sizeof *r);

    r->drop_cb = drop_cb;

    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &r->shards[i];

        ovs_mutex_init(&shard->mutex);
        ovs_mutex_lock(&shard->mutex);
        hmap_init(&shard->frames);
        hmap_init(&shard->sources);
        ovs_list_init(&shard->by_age);
        ovs_mutex_unlock(&shard->mutex);
    }
    get_entropy_or_die(&r->seed, sizeof r->seed);
    atomic_init(&r->n_bytes, 0);
    atomic_count_init(&r->n_frames, 0);
    atomic_init(&r->max_bytes, 0);
    atomic_init(&r->max_frames, 0);
    atomic_init(&r->max_segments, 0);
    atomic_init(&r->source_percent, 0);
    atomic_init(&r->max_age_ms, 0);
    stt_reassembly_set_limits(r, limits);
    return r;
}

/* Destroys 'r', which no thread may use any more, and all that waits in it. */
void
stt_reassembly_destroy(struct stt_reassembly *r)
{
    if (!r) {
        return;
    }

    stt_reassembly_flush(r);
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &r->shards[i];

        ovs_mutex_lock(&shard->mutex);
        hmap_destroy(&shard->frames);
        hmap_destroy(&shard->sources);
        ovs_mutex_unlock(&shard->mutex);
        ovs_mutex_destroy(&shard->mutex);
    }
    free(r);
}

/* Changes the limits of 'r'.  Takes effect as segments arrive: nothing that
 * waits already is thrown away by the call itself. */
void
stt_reassembly_set_limits(struct stt_reassembly *r,
                          const struct stt_reassembly_limits *limits)
{
    atomic_store_relaxed(&r->max_bytes, limits->max_bytes);
    atomic_store_relaxed(&r->max_frames, limits->max_frames);
    atomic_store_relaxed(&r->max_segments,
                         MIN(limits->max_segments, STT_MAX_SEGMENTS));
    atomic_store_relaxed(&r->source_percent, limits->source_percent);
    atomic_store_relaxed(&r->max_age_ms, limits->max_age_ms);
}

/* Stores the limits of 'r' in '*limits'. */
void
stt_reassembly_get_limits(struct stt_reassembly *r,
                          struct stt_reassembly_limits *limits)
{
    atomic_read_relaxed(&r->max_bytes, &limits->max_bytes);
    atomic_read_relaxed(&r->max_frames, &limits->max_frames);
    atomic_read_relaxed(&r->max_segments, &limits->max_segments);
    atomic_read_relaxed(&r->source_percent, &limits->source_percent);
    atomic_read_relaxed(&r->max_age_ms, &limits->max_age_ms);
}

static uint64_t
frame_key_tag(const struct stt_reassembly *r, const struct frame_key *key)
{
    ovs_u128 hash;

    hash_bytes128(key, sizeof *key, r->seed, &hash);
    return hash.u64.lo ? hash.u64.lo : 1;
}

/* Remembers for a while that the frame with hash 'tag' is gone and that late
 * segments of it are to be dropped with 'reason'. */
static void
shard_remember(struct shard *shard, uint64_t tag, enum stt_drop reason,
               long long int now_ms)
    OVS_REQUIRES(shard->mutex)
{
    struct gone *gone = &shard->gone[tag % N_GONE];

    gone->tag = tag;
    gone->when_ms = now_ms;
    gone->reason = reason;
}

/* Counts 'n' segments of the frame with 'key' as dropped because of
 * 'reason'. */
static void
shard_count_drops(struct stt_reassembly *r, struct shard *shard,
                  const struct frame_key *key, enum stt_drop reason,
                  unsigned int n)
    OVS_REQUIRES(shard->mutex)
{
    shard->stats.drops[reason] += n;
    stt_count_drops(reason, n);
    if (r->drop_cb) {
        r->drop_cb(&key->src, key->dst_port, reason, n);
    }
}

static struct source *
source_lookup(struct shard *shard, const struct in6_addr *addr, uint32_t hash)
    OVS_REQUIRES(shard->mutex)
{
    struct source *source;

    HMAP_FOR_EACH_WITH_HASH (source, node, hash, &shard->sources) {
        if (ipv6_addr_equals(&source->addr, addr)) {
            return source;
        }
    }
    return NULL;
}

static struct frame *
frame_lookup(struct shard *shard, const struct frame_key *key, uint64_t tag)
    OVS_REQUIRES(shard->mutex)
{
    struct frame *frame;

    HMAP_FOR_EACH_WITH_HASH (frame, node, tag >> 32, &shard->frames) {
        if (!memcmp(&frame->key, key, sizeof *key)) {
            return frame;
        }
    }
    return NULL;
}

/* Takes 'frame' out of all tables, and frees it but for its packet, which
 * the caller now owns. */
static struct dp_packet *
frame_remove(struct stt_reassembly *r, struct shard *shard,
             struct frame *frame)
    OVS_REQUIRES(shard->mutex)
{
    struct dp_packet *packet = frame->packet;
    struct source *source = frame->source;
    uint64_t orig;

    hmap_remove(&shard->frames, &frame->node);
    ovs_list_remove(&frame->age_node);
    ovs_list_remove(&frame->source_node);

    source->n_frames--;
    source->n_bytes -= frame->charge;
    if (!source->n_frames) {
        hmap_remove(&shard->sources, &source->node);
        free(source);
    }

    atomic_sub_relaxed(&r->n_bytes, frame->charge, &orig);
    atomic_count_dec(&r->n_frames);
    free(frame);
    return packet;
}

/* Throws 'frame' away and counts its segments as dropped because of
 * 'reason'. */
static void
frame_drop(struct stt_reassembly *r, struct shard *shard, struct frame *frame,
           enum stt_drop reason, long long int now_ms)
    OVS_REQUIRES(shard->mutex)
{
    shard_count_drops(r, shard, &frame->key, reason, frame->n_segments);
    shard_remember(shard, frame->tag, reason, now_ms);
    dp_packet_delete(frame_remove(r, shard, frame));
}

static size_t
shard_expire(struct stt_reassembly *r, struct shard *shard,
             long long int now_ms)
    OVS_REQUIRES(shard->mutex)
{
    size_t n_expired = 0;
    uint32_t max_age_ms;

    atomic_read_relaxed(&r->max_age_ms, &max_age_ms);
    while (!ovs_list_is_empty(&shard->by_age)) {
        struct frame *frame = CONTAINER_OF(ovs_list_front(&shard->by_age),
                                           struct frame, age_node);

        if (now_ms - frame->born_ms < max_age_ms) {
            break;
        }
        frame_drop(r, shard, frame, STT_DROP_EXPIRED, now_ms);
        n_expired++;
    }
    return n_expired;
}

/* Returns true if 'charge' more bytes and one more frame are within the limits
 * of 'r' as a whole. */
static bool
has_room(struct stt_reassembly *r, size_t charge)
{
    uint64_t n_bytes, max_bytes;
    uint32_t max_frames;

    atomic_read_relaxed(&r->n_bytes, &n_bytes);
    atomic_read_relaxed(&r->max_bytes, &max_bytes);
    atomic_read_relaxed(&r->max_frames, &max_frames);
    return (n_bytes + charge <= max_bytes
            && atomic_count_get(&r->n_frames) < max_frames);
}

/* Makes room in 'shard' for a frame of 'charge' bytes from the source with
 * 'addr', whose hash is 'hash'.  Returns false if 'shard' alone can't. */
static bool
shard_make_room(struct stt_reassembly *r, struct shard *shard,
                const struct in6_addr *addr, uint32_t hash, size_t charge,
                long long int now_ms)
    OVS_REQUIRES(shard->mutex)
{
    uint32_t max_frames, percent;
    uint64_t max_bytes;

    atomic_read_relaxed(&r->max_bytes, &max_bytes);
    atomic_read_relaxed(&r->max_frames, &max_frames);
    atomic_read_relaxed(&r->source_percent, &percent);
    for (;;) {
        struct source *source = source_lookup(shard, addr, hash);
        struct ovs_list *oldest;

        if (source) {
            uint64_t share = max_bytes * percent / 100;
            uint64_t n = (uint64_t) max_frames * percent / 100;

            if (source->n_frames < n && source->n_bytes + charge <= share
                && has_room(r, charge)) {
                return true;
            }
            oldest = ovs_list_front(&source->frames);
            frame_drop(r, shard,
                       CONTAINER_OF(oldest, struct frame, source_node),
                       STT_DROP_EVICTED, now_ms);
        } else if (has_room(r, charge)) {
            return true;
        } else if (!ovs_list_is_empty(&shard->by_age)) {
            oldest = ovs_list_front(&shard->by_age);
            frame_drop(r, shard, CONTAINER_OF(oldest, struct frame, age_node),
                       STT_DROP_EVICTED, now_ms);
        } else {
            return false;
        }
    }
}

/* Throws away the oldest frames of shards other than 'except', a frame from
 * each in turn, until there is room for 'charge' bytes. */
static void
evict_elsewhere(struct stt_reassembly *r, const struct shard *except,
                size_t charge, long long int now_ms)
{
    size_t n_empty = 0;

    for (size_t i = random_range(N_SHARDS);
         n_empty < N_SHARDS && !has_room(r, charge); i++) {
        struct shard *shard = &r->shards[i % N_SHARDS];

        if (shard == except) {
            n_empty++;
            continue;
        }

        ovs_mutex_lock(&shard->mutex);
        if (ovs_list_is_empty(&shard->by_age)) {
            n_empty++;
        } else {
            n_empty = 0;
            frame_drop(r, shard, CONTAINER_OF(ovs_list_front(&shard->by_age),
                                              struct frame, age_node),
                       STT_DROP_EVICTED, now_ms);
        }
        ovs_mutex_unlock(&shard->mutex);
    }
}

static size_t
frame_headroom(uint16_t frame_len OVS_UNUSED)
{
#ifdef DPDK_NETDEV
    /* An mbuf's size has just 16 bits. */
    return MIN(FRAME_HEADROOM, UINT16_MAX - frame_len);
#else
    return FRAME_HEADROOM;
#endif
}

static size_t
frame_charge(uint16_t frame_len)
{
    return (sizeof(struct frame) + sizeof(struct dp_packet)
            + frame_headroom(frame_len) + frame_len);
}

static struct frame *
frame_create(struct stt_reassembly *r, struct shard *shard,
             const struct frame_key *key, uint64_t tag, uint32_t source_hash,
             uint16_t frame_len, long long int now_ms)
    OVS_REQUIRES(shard->mutex)
{
    struct frame *frame = xmalloc(sizeof *frame);
    struct source *source;
    uint64_t orig;

    frame->key = *key;
    frame->tag = tag;
    frame->born_ms = now_ms;
    frame->charge = frame_charge(frame_len);
    frame->ce = false;
    frame->reordered = false;
    frame->largest = 0;
    frame->n_segments = 0;
    frame->n_ranges = 0;
    frame->packet = dp_packet_new_with_headroom(frame_len,
                                                frame_headroom(frame_len));
    dp_packet_set_size(frame->packet, frame_len);

    source = source_lookup(shard, &key->src, source_hash);
    if (!source) {
        source = xzalloc(sizeof *source);
        source->addr = key->src;
        ovs_list_init(&source->frames);
        hmap_insert(&shard->sources, &source->node, source_hash);
    }
    source->n_frames++;
    source->n_bytes += frame->charge;
    frame->source = source;
    ovs_list_push_back(&source->frames, &frame->source_node);
    ovs_list_push_back(&shard->by_age, &frame->age_node);
    hmap_insert(&shard->frames, &frame->node, tag >> 32);

    atomic_add_relaxed(&r->n_bytes, frame->charge, &orig);
    atomic_count_inc(&r->n_frames);
    return frame;
}

/* Adds the bytes of 'seg' to 'frame', which may have at most 'max_segments'
 * segments, no more than STT_MAX_SEGMENTS.  Returns STT_OK if none of them was
 * there, STT_DROP_DUPLICATE if all of them were and 'seg' should be dropped,
 * or another reason if all of 'frame' must be dropped. */
static enum stt_drop
frame_add_segment(struct frame *frame, const struct stt_segment *seg,
                  uint32_t max_segments)
{
    uint32_t start = seg->offset;
    uint32_t end = start + seg->len;
    struct range *ranges = frame->ranges;
    bool joins_next, joins_prev;
    size_t i;

    /* Find the first range that doesn't end before 'seg', which is almost
     * always behind the last one. */
    for (i = frame->n_ranges; i > 0 && ranges[i - 1].end > start; i--) {
        continue;
    }

    /* Now ranges[i - 1] ends at or before 'start' and ranges[i] after it. */
    if (i < frame->n_ranges && ranges[i].start < end) {
        if (ranges[i].start <= start && end <= ranges[i].end
            && !memcmp((char *) dp_packet_data(frame->packet) + start,
                       seg->data, seg->len)) {
            return STT_DROP_DUPLICATE;
        }
        return STT_DROP_OVERLAP;
    }
    if (frame->n_segments >= max_segments) {
        return STT_DROP_SEGMENTS;
    }

    joins_prev = i > 0 && ranges[i - 1].end == start;
    joins_next = i < frame->n_ranges && ranges[i].start == end;
    if (joins_prev && joins_next) {
        ranges[i - 1].end = ranges[i].end;
        frame->n_ranges--;
        memmove(&ranges[i], &ranges[i + 1],
                (frame->n_ranges - i) * sizeof *ranges);
    } else if (joins_prev) {
        ranges[i - 1].end = end;
    } else if (joins_next) {
        ranges[i].start = start;
    } else {
        memmove(&ranges[i + 1], &ranges[i],
                (frame->n_ranges - i) * sizeof *ranges);
        ranges[i].start = start;
        ranges[i].end = end;
        frame->n_ranges++;
    }

    memcpy((char *) dp_packet_data(frame->packet) + start, seg->data,
           seg->len);
    frame->n_segments++;
    frame->largest = MAX(frame->largest, seg->len);
    frame->reordered |= end < ranges[frame->n_ranges - 1].end;
    return STT_OK;
}

static bool
frame_is_complete(const struct frame *frame)
{
    return (frame->n_ranges == 1 && frame->ranges[0].start == 0
            && frame->ranges[0].end == dp_packet_size(frame->packet));
}

static enum stt_drop
shard_add_segment(struct stt_reassembly *r, struct shard *shard,
                  struct frame *frame, const struct stt_segment *seg,
                  bool ce, long long int now_ms,
                  struct dp_packet **framep, bool *cep,
                  struct stt_arrival *arrival)
    OVS_REQUIRES(shard->mutex)
{
    uint32_t max_segments;
    enum stt_drop drop;

    if (dp_packet_size(frame->packet) != seg->frame_len) {
        shard_count_drops(r, shard, &frame->key, STT_DROP_LEN_CHANGED, 1);
        return STT_DROP_LEN_CHANGED;
    }

    atomic_read_relaxed(&r->max_segments, &max_segments);
    drop = frame_add_segment(frame, seg, max_segments);
    if (drop) {
        shard_count_drops(r, shard, &frame->key, drop, 1);
        if (drop != STT_DROP_DUPLICATE) {
            frame_drop(r, shard, frame, drop, now_ms);
        }
        return drop;
    }

    frame->ce |= ce;
    if (frame_is_complete(frame)) {
        shard->stats.segments_delivered += frame->n_segments;
        shard->stats.frames_delivered++;
        shard_remember(shard, frame->tag, STT_DROP_DUPLICATE, now_ms);
        *cep = frame->ce;
        arrival->n_pieces = frame->n_segments;
        arrival->largest = frame->largest;
        arrival->reordered = frame->reordered;
        *framep = frame_remove(r, shard, frame);
    }
    return STT_OK;
}

/* Adds segment 'seg', which stt_parse_segment() has accepted and whose
 * checksum is known to be right, to the frame that it belongs to.  'src' and
 * 'dst' are its outer addresses, IPv4 ones mapped.  'ce' says whether its
 * outer header has the ECN codepoint "congestion experienced".  'now_ms' is
 * the time in milliseconds of a clock that never runs backward.
 *
 * The bytes of 'seg' are copied, so the caller keeps its packet.
 *
 * Returns STT_OK if the segment was accepted.  If that completes the frame,
 * '*framep' is a new packet with nothing but the STT frame, which the caller
 * must dispose of, and '*cep' tells whether any of its segments had CE;
 * otherwise, '*framep' is NULL and the segment waits, which is no drop.
 * Returns the reason if the segment was dropped; '*framep' is then NULL. */
enum stt_drop
stt_reassembly_add(struct stt_reassembly *r, const struct in6_addr *src,
                   const struct in6_addr *dst, const struct stt_segment *seg,
                   bool ce, long long int now_ms,
                   struct dp_packet **framep, bool *cep)
{
    struct stt_arrival arrival;

    return stt_reassembly_add_arrival(r, src, dst, seg, ce, now_ms, framep,
                                      cep, &arrival);
}

/* Like stt_reassembly_add(), and stores in '*arrival' how the pieces of the
 * frame arrived.  If it isn't complete, that is all zeros. */
enum stt_drop
stt_reassembly_add_arrival(struct stt_reassembly *r,
                           const struct in6_addr *src,
                           const struct in6_addr *dst,
                           const struct stt_segment *seg,
                           bool ce, long long int now_ms,
                           struct dp_packet **framep, bool *cep,
                           struct stt_arrival *arrival)
{
    struct frame_key key = {
        .src = *src,
        .dst = *dst,
        .packet_id = seg->packet_id,
        .src_port = seg->src_port,
        .dst_port = seg->dst_port,
    };
    uint32_t source_hash = hash_bytes(src, sizeof *src, r->seed);
    uint64_t tag = frame_key_tag(r, &key);
    struct shard *shard = &r->shards[source_hash % N_SHARDS];
    size_t charge = frame_charge(seg->frame_len);
    bool evicted_elsewhere = false;
    const struct gone *gone;
    struct frame *frame;
    uint32_t max_age_ms;
    enum stt_drop drop;

    *framep = NULL;
    *cep = false;
    memset(arrival, 0, sizeof *arrival);
    atomic_read_relaxed(&r->max_age_ms, &max_age_ms);

    ovs_mutex_lock(&shard->mutex);
    shard_expire(r, shard, now_ms);
again:
    frame = frame_lookup(shard, &key, tag);
    if (!frame) {
        gone = &shard->gone[tag % N_GONE];
        if (gone->tag == tag && now_ms - gone->when_ms < max_age_ms) {
            drop = gone->reason;
            shard_count_drops(r, shard, &key, drop, 1);
            goto out;
        }

        if (!shard_make_room(r, shard, src, source_hash, charge, now_ms)) {
            if (evicted_elsewhere) {
                drop = STT_DROP_EVICTED;
                shard_count_drops(r, shard, &key, drop, 1);
                goto out;
            }
            evicted_elsewhere = true;
            ovs_mutex_unlock(&shard->mutex);
            evict_elsewhere(r, shard, charge, now_ms);
            ovs_mutex_lock(&shard->mutex);
            goto again;
        }
        frame = frame_create(r, shard, &key, tag, source_hash,
                             seg->frame_len, now_ms);
    }
    drop = shard_add_segment(r, shard, frame, seg, ce, now_ms, framep, cep,
                             arrival);

out:
    /* Not earlier, since the mutex may have been released in between. */
    shard->stats.segments++;
    ovs_mutex_unlock(&shard->mutex);
    return drop;
}

/* Throws away all frames that have waited longer than the limit at time
 * 'now_ms', which is that of stt_reassembly_add().  Returns their number.
 * Since segments expire only their own shard, this must be called from time to
 * time. */
size_t
stt_reassembly_expire(struct stt_reassembly *r, long long int now_ms)
{
    size_t n_expired = 0;

    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &r->shards[i];

        ovs_mutex_lock(&shard->mutex);
        n_expired += shard_expire(r, shard, now_ms);
        ovs_mutex_unlock(&shard->mutex);
    }
    return n_expired;
}

/* Throws away all that waits in 'r'. */
void
stt_reassembly_flush(struct stt_reassembly *r)
{
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &r->shards[i];
        struct frame *frame;

        ovs_mutex_lock(&shard->mutex);
        LIST_FOR_EACH_SAFE (frame, age_node, &shard->by_age) {
            frame_drop(r, shard, frame, STT_DROP_FLUSHED, frame->born_ms);
        }
        ovs_mutex_unlock(&shard->mutex);
    }
}

/* Stores in '*stats' what happened in 'r' so far and what waits in it.  The
 * numbers of each shard are consistent with each other. */
void
stt_reassembly_get_stats(struct stt_reassembly *r, long long int now_ms,
                         struct stt_reassembly_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->oldest_ms = -1;

    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &r->shards[i];
        const struct frame *frame;

        ovs_mutex_lock(&shard->mutex);
        stats->segments += shard->stats.segments;
        stats->segments_delivered += shard->stats.segments_delivered;
        stats->frames_delivered += shard->stats.frames_delivered;
        for (size_t j = 0; j < STT_N_DROPS; j++) {
            stats->drops[j] += shard->stats.drops[j];
        }
        LIST_FOR_EACH (frame, age_node, &shard->by_age) {
            stats->segments_waiting += frame->n_segments;
            stats->frames_waiting++;
            stats->bytes_waiting += frame->charge;
            stats->oldest_ms = MAX(stats->oldest_ms,
                                   now_ms - frame->born_ms);
        }
        ovs_mutex_unlock(&shard->mutex);
    }
}
