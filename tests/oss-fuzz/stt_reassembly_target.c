/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Fuzz target: operations on a reassembly, compared with a model of it.
 *
 * The model marks each byte of a frame by itself and has no tables.  The only
 * things that it can't know are those that depend on hashes of random seed,
 * and it takes them from what the reassembly does, after a check whether that
 * is right:
 *
 *   - Whose frames make room for a source that has none itself.  They must be
 *     the oldest ones of their source, and room must have been needed.
 *
 *   - Which frames of other sources a segment finds to be too old.  They must
 *     be, and all frames of its own source that are must be among them.
 *
 *   - Whether a frame that is gone is still remembered.  It must be if no
 *     other frame is gone since. */

#include <config.h>
#undef NDEBUG
#include "stt-reassembly.h"

#include <inttypes.h>
#include <stdlib.h>

#include "dp-packet.h"
#include "packets.h"
#include "stt_fuzz.h"

#define N_SOURCES 5
#define N_KEYS 16               /* Per source. */

/* A frame: what the model knows about its key. */
struct model_frame {
    /* While it waits. */
    bool waits;
    uint32_t len;
    uint8_t *bytes;             /* What has arrived of it. */
    bool *have;                 /* For each of 'bytes'. */
    uint32_t n_have;
    uint32_t n_segments;
    bool ce;
    long long int born_ms;
    uint64_t serial;            /* Frames are numbered as they appear. */

    /* Since it is gone. */
    uint64_t gone_serial;       /* So are those gone; 0 if it never was. */
    long long int gone_ms;
    enum stt_drop gone_reason;
};

struct model {
    struct model_frame frames[N_SOURCES][N_KEYS];
    struct stt_reassembly_limits limits;
    struct stt_reassembly_stats stats;
    long long int now_ms;
    uint64_t last_serial;
    uint64_t last_gone_serial;
};

static struct model model;

/* What stt_reassembly_drop_cb() has been told since take_drops(). */
struct told {
    size_t source;
    ovs_be16 dst_port;
    enum stt_drop reason;
    unsigned int n;
};

static struct told told[N_SOURCES * N_KEYS + 2];
static size_t n_told;
static uint64_t told_total[STT_N_DROPS];

/* Memory that a frame takes in addition to its length. */
static uint64_t overhead;

static struct in6_addr
source_addr(size_t source)
{
    struct in6_addr addr = in6_addr_mapped_ipv4(htonl(0x0a000001 + source));

    if (source == N_SOURCES - 1) {
        addr.s6_addr[0] = 0x20;
    }
    return addr;
}

/* Fills in those parts of '*seg', and '*dst', that make up key 'key'.  Any two
 * keys differ in something, but many have something in common. */
static void
make_key(size_t key, struct stt_segment *seg, struct in6_addr *dst)
{
    *dst = in6_addr_mapped_ipv4(htonl(0x0a000000 + 256 * (key & 1)));
    seg->src_port = htons(40000 + (key >> 1 & 1));
    seg->dst_port = htons(7471 + (key >> 2 & 1));
    seg->packet_id = htonl(key >> 3);
}

static ovs_be16
key_dst_port(size_t key)
{
    struct stt_segment seg;
    struct in6_addr dst;

    make_key(key, &seg, &dst);
    return seg.dst_port;
}

static void
drop_cb(const struct in6_addr *src, ovs_be16 dst_port, enum stt_drop reason,
        unsigned int n)
{
    ovs_assert(reason > STT_OK && reason < STT_N_DROPS);
    ovs_assert(n > 0);
    ovs_assert(n_told < ARRAY_SIZE(told));
    for (size_t i = 0; i < N_SOURCES; i++) {
        struct in6_addr addr = source_addr(i);

        if (!memcmp(&addr, src, sizeof addr)) {
            told[n_told++] = (struct told) { i, dst_port, reason, n };
            told_total[reason] += n;
            return;
        }
    }
    OVS_NOT_REACHED();
}

static uint64_t
charge(uint32_t frame_len)
{
    return overhead + frame_len;
}

/* Sums up what waits from 'source', or from all of them if it is
 * N_SOURCES. */
static void
sum_up(size_t source, uint64_t *frames, uint64_t *segments, uint64_t *bytes,
       long long int *oldest_ms)
{
    *frames = *segments = *bytes = 0;
    *oldest_ms = -1;
    for (size_t i = 0; i < N_SOURCES; i++) {
        for (size_t j = 0; j < N_KEYS; j++) {
            const struct model_frame *f = &model.frames[i][j];

            if (f->waits && (source == i || source == N_SOURCES)) {
                *frames += 1;
                *segments += f->n_segments;
                *bytes += charge(f->len);
                *oldest_ms = MAX(*oldest_ms, model.now_ms - f->born_ms);
            }
        }
    }
}

/* Returns the oldest frame from 'source', or NULL if it has none. */
static struct model_frame *
oldest_frame(size_t source, size_t *key)
{
    struct model_frame *oldest = NULL;

    for (size_t i = 0; i < N_KEYS; i++) {
        struct model_frame *f = &model.frames[source][i];

        if (f->waits && (!oldest || f->serial < oldest->serial)) {
            oldest = f;
            *key = i;
        }
    }
    return oldest;
}

static bool
is_too_old(const struct model_frame *f)
{
    return (f->waits
            && model.now_ms - f->born_ms >= model.limits.max_age_ms);
}

static bool
has_room(uint64_t add)
{
    uint64_t frames, segments, bytes;
    long long int oldest_ms;

    sum_up(N_SOURCES, &frames, &segments, &bytes, &oldest_ms);
    return (frames < model.limits.max_frames
            && bytes + add <= model.limits.max_bytes);
}

/* Returns true if a frame that takes 'add' bytes from 'source' needs no older
 * one to go. */
static bool
may_begin(size_t source, uint64_t add)
{
    uint64_t percent = model.limits.source_percent;
    uint64_t frames, segments, bytes;
    long long int oldest_ms;

    sum_up(source, &frames, &segments, &bytes, &oldest_ms);
    return (has_room(add)
            && (!frames
                || (frames < model.limits.max_frames * percent / 100
                    && bytes + add <= (model.limits.max_bytes * percent
                                       / 100))));
}

static void
remove_frame(struct model_frame *f, enum stt_drop reason,
             long long int gone_ms)
{
    free(f->bytes);
    free(f->have);
    f->waits = false;
    f->bytes = NULL;
    f->have = NULL;
    f->gone_serial = ++model.last_gone_serial;
    f->gone_ms = gone_ms;
    f->gone_reason = reason;
}

static void
drop_frame(struct model_frame *f, enum stt_drop reason, long long int gone_ms)
{
    model.stats.drops[reason] += f->n_segments;
    remove_frame(f, reason, gone_ms);
}

/* Checks that 't' tells that the oldest frame of a source is gone because of
 * 'reason', and has it go. */
static void
check_oldest_gone(const struct told *t, enum stt_drop reason)
{
    size_t key;
    struct model_frame *f = oldest_frame(t->source, &key);

    ovs_assert(f);
    ovs_assert(t->reason == reason);
    ovs_assert(t->n == f->n_segments);
    ovs_assert(t->dst_port == key_dst_port(key));
    drop_frame(f, reason, model.now_ms);
}

static void
check_stats(struct stt_reassembly *r)
{
    struct stt_reassembly_stats s;
    uint64_t frames, segments, bytes, sum;
    long long int oldest_ms;

    stt_reassembly_get_stats(r, model.now_ms, &s);
    sum_up(N_SOURCES, &frames, &segments, &bytes, &oldest_ms);
    ovs_assert(s.segments == model.stats.segments);
    ovs_assert(s.segments_delivered == model.stats.segments_delivered);
    ovs_assert(s.segments_waiting == segments);
    ovs_assert(s.frames_delivered == model.stats.frames_delivered);
    ovs_assert(s.frames_waiting == frames);
    ovs_assert(s.bytes_waiting == bytes);
    ovs_assert(s.oldest_ms == oldest_ms);

    sum = s.segments_delivered + s.segments_waiting;
    for (size_t i = 0; i < STT_N_DROPS; i++) {
        ovs_assert(s.drops[i] == model.stats.drops[i]);
        ovs_assert(s.drops[i] == told_total[i]);
        sum += s.drops[i];
    }
    ovs_assert(sum == s.segments);
}

/* Adds 'seg' to the frame 'f' of the model, which waits or has just been
 * begun.  Returns what should become of the segment. */
static enum stt_drop
model_add(struct model_frame *f, const struct stt_segment *seg, bool ce)
{
    uint32_t n_there = 0;
    bool differs = false;

    if (seg->frame_len != f->len) {
        return STT_DROP_LEN_CHANGED;
    }
    for (uint32_t i = 0; i < seg->len; i++) {
        if (f->have[seg->offset + i]) {
            n_there++;
            differs |= (f->bytes[seg->offset + i]
                        != ((const uint8_t *) seg->data)[i]);
        }
    }
    if (n_there) {
        return (n_there == seg->len && !differs ? STT_DROP_DUPLICATE
                : STT_DROP_OVERLAP);
    }
    if (f->n_segments >= MIN(model.limits.max_segments, STT_MAX_SEGMENTS)) {
        return STT_DROP_SEGMENTS;
    }

    for (uint32_t i = 0; i < seg->len; i++) {
        f->have[seg->offset + i] = true;
        f->bytes[seg->offset + i] = ((const uint8_t *) seg->data)[i];
    }
    f->n_have += seg->len;
    f->n_segments++;
    f->ce |= ce;
    return STT_OK;
}

static void
add_segment(struct stt_reassembly *r, size_t source, size_t key,
            struct stt_segment *seg, bool ce)
{
    struct model_frame *f = &model.frames[source][key];
    struct in6_addr src = source_addr(source), dst;
    struct dp_packet *packet;
    enum stt_drop drop, expected;
    size_t n_own, i;
    bool frame_ce;

    make_key(key, seg, &dst);
    n_told = 0;
    drop = stt_reassembly_add(r, &src, &dst, seg, ce, model.now_ms, &packet,
                              &frame_ce);
    ovs_assert(!packet || !drop);
    ovs_assert(packet || !frame_ce);
    model.stats.segments++;

    /* First, old frames go.  What is told last is about the segment itself, if
     * it has been dropped. */
    n_own = drop ? 1 : 0;
    ovs_assert(n_told >= n_own);
    for (i = 0; i + n_own < n_told && told[i].reason == STT_DROP_EXPIRED;
         i++) {
        size_t oldest_key;
        struct model_frame *oldest = oldest_frame(told[i].source, &oldest_key);

        ovs_assert(oldest && is_too_old(oldest));
        check_oldest_gone(&told[i], STT_DROP_EXPIRED);
    }
    for (size_t j = 0; j < N_KEYS; j++) {
        ovs_assert(!is_too_old(&model.frames[source][j]));
    }

    if (!f->waits) {
        bool maybe_known = (f->gone_serial
                            && (model.now_ms - f->gone_ms
                                < model.limits.max_age_ms));

        if (maybe_known && drop == f->gone_reason && i + 1 == n_told) {
            goto own;
        }
        ovs_assert(!maybe_known || f->gone_serial != model.last_gone_serial);

        /* Then, others make room for a new one. */
        for (; i + n_own < n_told; i++) {
            uint64_t frames, segments, bytes;
            long long int oldest_ms;

            sum_up(source, &frames, &segments, &bytes, &oldest_ms);
            if (told[i].source == source) {
                ovs_assert(!may_begin(source, charge(seg->frame_len)));
            } else {
                ovs_assert(!frames);
                ovs_assert(!has_room(charge(seg->frame_len)));
            }
            check_oldest_gone(&told[i], STT_DROP_EVICTED);
        }
        if (drop == STT_DROP_EVICTED) {
            uint64_t frames, segments, bytes;
            long long int oldest_ms;

            /* Not even an empty reassembly takes it. */
            sum_up(N_SOURCES, &frames, &segments, &bytes, &oldest_ms);
            ovs_assert(!frames);
            ovs_assert(!has_room(charge(seg->frame_len)));
            goto own;
        }
        ovs_assert(may_begin(source, charge(seg->frame_len)));

        f->waits = true;
        f->len = seg->frame_len;
        f->bytes = xmalloc(f->len);
        f->have = xzalloc(f->len * sizeof *f->have);
        f->n_have = 0;
        f->n_segments = 0;
        f->ce = false;
        f->born_ms = model.now_ms;
        f->serial = ++model.last_serial;
    }

    expected = model_add(f, seg, ce);
    ovs_assert(drop == expected);
    if (drop == STT_DROP_OVERLAP || drop == STT_DROP_SEGMENTS) {
        /* The segment is told of first, then the frame that goes with it. */
        ovs_assert(i + 2 == n_told);
        ovs_assert(told[i + 1].source == source);
        ovs_assert(told[i + 1].dst_port == seg->dst_port);
        ovs_assert(told[i + 1].reason == drop);
        ovs_assert(told[i + 1].n == f->n_segments);
        drop_frame(f, drop, model.now_ms);
        n_told--;
    }

own:
    if (drop) {
        ovs_assert(i + 1 == n_told);
        ovs_assert(told[i].source == source);
        ovs_assert(told[i].dst_port == seg->dst_port);
        ovs_assert(told[i].reason == drop);
        ovs_assert(told[i].n == 1);
        model.stats.drops[drop]++;
        return;
    }

    ovs_assert(i == n_told);
    ovs_assert(!packet == (f->n_have < f->len));
    if (packet) {
        ovs_assert(dp_packet_size(packet) == f->len);
        ovs_assert(!memcmp(dp_packet_data(packet), f->bytes, f->len));
        ovs_assert(frame_ce == f->ce);
        model.stats.segments_delivered += f->n_segments;
        model.stats.frames_delivered++;
        remove_frame(f, STT_DROP_DUPLICATE, model.now_ms);
        dp_packet_delete(packet);
    }
}

/* Checks that all that has been told about is a frame of the model that goes
 * because of 'reason', and that 'n' of them do. */
static void
check_gone(enum stt_drop reason, size_t n)
{
    ovs_assert(n_told == n);
    for (size_t i = 0; i < n_told; i++) {
        check_oldest_gone(&told[i], reason);
    }
}

static void
expire(struct stt_reassembly *r)
{
    size_t n = 0;

    for (size_t i = 0; i < N_SOURCES; i++) {
        for (size_t j = 0; j < N_KEYS; j++) {
            n += is_too_old(&model.frames[i][j]);
        }
    }
    n_told = 0;
    ovs_assert(stt_reassembly_expire(r, model.now_ms) == n);
    check_gone(STT_DROP_EXPIRED, n);
    for (size_t i = 0; i < N_SOURCES; i++) {
        for (size_t j = 0; j < N_KEYS; j++) {
            ovs_assert(!is_too_old(&model.frames[i][j]));
        }
    }
}

static void
flush(struct stt_reassembly *r)
{
    long long int now_ms = model.now_ms;
    uint64_t frames, segments, bytes;
    long long int oldest_ms;

    sum_up(N_SOURCES, &frames, &segments, &bytes, &oldest_ms);
    n_told = 0;
    stt_reassembly_flush(r);
    ovs_assert(n_told == frames);
    for (size_t i = 0; i < n_told; i++) {
        size_t key;
        struct model_frame *f = oldest_frame(told[i].source, &key);

        /* There is no clock, so the frame counts as gone since it began. */
        ovs_assert(f);
        model.now_ms = f->born_ms;
        check_oldest_gone(&told[i], STT_DROP_FLUSHED);
    }
    model.now_ms = now_ms;
}

static void
set_limits(struct stt_reassembly *r, struct fuzz_input *in)
{
    struct stt_reassembly_limits limits;

    model.limits.max_bytes = fuzz_u16(in) * 16;
    model.limits.max_frames = fuzz_u8(in) % (N_SOURCES * N_KEYS);
    model.limits.max_segments = 1 + fuzz_u8(in);
    model.limits.source_percent = 1 + fuzz_u8(in) % 100;
    model.limits.max_age_ms = fuzz_u8(in) * 8;
    stt_reassembly_set_limits(r, &model.limits);

    stt_reassembly_get_limits(r, &limits);
    ovs_assert(limits.max_bytes == model.limits.max_bytes);
    ovs_assert(limits.max_segments <= STT_MAX_SEGMENTS);
}

static void
fuzz_segment(struct stt_reassembly *r, uint8_t op, struct fuzz_input *in)
{
    static const uint16_t lens[] = {
        32, 33, 64, 100, 256, 1000, 3000, 65535,
    };
    uint8_t which = fuzz_u8(in);
    uint8_t place = fuzz_u8(in);
    size_t source = (which >> 4) % N_SOURCES;
    size_t key = which % N_KEYS;
    struct stt_segment seg = {
        .frame_len = lens[(source + key) % ARRAY_SIZE(lens)],
    };
    uint32_t start, end;
    uint8_t *data;

    if (op & 0x80) {
        /* Anywhere. */
        start = fuzz_u16(in);
        end = start + 1 + fuzz_u16(in);
    } else {
        /* An eighth or a quarter of the frame, or so. */
        uint32_t unit = MAX(seg.frame_len >> (op & 0x40 ? 3 : 2), 1);

        start = (place & 15) * unit;
        end = start + ((place >> 4 & 3) + 1) * unit;
    }
    if (op & 0x20 && place & 0x80) {
        seg.frame_len -= seg.frame_len > 32;
    }
    if (start >= seg.frame_len) {
        start %= seg.frame_len;
        end = start + 1;
    }
    end = MIN(end, seg.frame_len);
    seg.offset = start;
    seg.len = end - start;

    /* Memory of its own, lest it be read behind its end. */
    data = xmalloc(seg.len);
    for (size_t i = 0; i < seg.len; i++) {
        data[i] = (start + i) * 167 + (start + i) / 251 + which;
    }
    if (op & 0x20 && place & 0x40) {
        data[place % seg.len] ^= 0x10;
    }
    seg.data = data;
    add_segment(r, source, key, &seg, op & 0x10);
    free(data);
}

/* Finds out what a frame takes. */
static void
measure_overhead(void)
{
    const struct stt_reassembly_limits limits = STT_REASSEMBLY_DEFAULT_LIMITS;
    struct in6_addr src = source_addr(0);
    struct stt_reassembly_stats stats;
    struct dp_packet *packet;
    struct stt_reassembly *r;
    struct stt_segment seg = { .frame_len = 1000, .len = 1, .data = "" };
    bool ce;

    r = stt_reassembly_create(&limits, NULL);
    ovs_assert(!stt_reassembly_add(r, &src, &src, &seg, false, 0, &packet,
                                   &ce));
    stt_reassembly_get_stats(r, 0, &stats);
    overhead = stats.bytes_waiting - seg.frame_len;
    stt_reassembly_destroy(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stt_reassembly_limits limits = STT_REASSEMBLY_DEFAULT_LIMITS;
    struct fuzz_input in = { data, size };
    struct stt_reassembly *r;

    fuzz_begin();
    if (!overhead) {
        measure_overhead();
    }
    memset(&model, 0, sizeof model);
    memset(told_total, 0, sizeof told_total);
    model.limits = limits;
    model.now_ms = 1000;

    r = stt_reassembly_create(&limits, drop_cb);
    for (size_t n = 0; in.size && n < 500; n++) {
        uint8_t op = fuzz_u8(&in);

        switch (op & 15) {
        case 0:
            model.now_ms += fuzz_u8(&in) * 16;
            break;
        case 1:
            set_limits(r, &in);
            break;
        case 2:
            expire(r);
            break;
        case 3:
            if (op & 0x10) {
                flush(r);
            } else {
                model.now_ms++;
            }
            break;
        default:
            fuzz_segment(r, op, &in);
            break;
        }
        check_stats(r);
    }

    flush(r);
    check_stats(r);
    n_told = 0;
    stt_reassembly_destroy(r);
    ovs_assert(!n_told);
    return 0;
}
