/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/stt-reassembly.c.  Each command is one test; see
 * tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt-reassembly.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "test-stt.h"
#include "util.h"

/* What a test frame contains. */
static uint8_t
frame_byte(uint32_t id, size_t ofs)
{
    return ofs * 167 + ofs / 251 + id * 29;
}

static struct in6_addr
address(uint32_t i)
{
    return in6_addr_mapped_ipv4(htonl(0x0a000000 + i));
}

static struct stt_reassembly *
create(uint64_t max_bytes, uint32_t max_frames, uint32_t source_percent,
       uint32_t max_age_ms)
{
    const struct stt_reassembly_limits limits = {
        .max_bytes = max_bytes,
        .max_frames = max_frames,
        .max_segments = STT_MAX_SEGMENTS,
        .source_percent = source_percent,
        .max_age_ms = max_age_ms,
    };

    return stt_reassembly_create(&limits, NULL);
}

static struct stt_reassembly *
create_default(void)
{
    static const struct stt_reassembly_limits limits
        = STT_REASSEMBLY_DEFAULT_LIMITS;

    return stt_reassembly_create(&limits, NULL);
}

/* Gets the statistics of 'r' and checks that every segment that went in is
 * accounted for, once. */
static struct stt_reassembly_stats
get_stats(struct stt_reassembly *r, long long int now)
{
    struct stt_reassembly_stats stats;
    uint64_t sum;

    stt_reassembly_get_stats(r, now, &stats);
    sum = stats.segments_delivered + stats.segments_waiting;
    for (size_t i = 0; i < STT_N_DROPS; i++) {
        sum += stats.drops[i];
    }
    CHECK_EQ(sum, stats.segments);
    CHECK_EQ(stats.drops[STT_OK], 0);
    CHECK_EQ(stats.frames_waiting == 0, stats.bytes_waiting == 0);
    CHECK_EQ(stats.frames_waiting == 0, stats.oldest_ms == -1);
    return stats;
}

static void
destroy(struct stt_reassembly *r)
{
    get_stats(r, 0);
    stt_reassembly_destroy(r);
}

/* A test frame, sent in segments. */
struct test_frame {
    struct stt_reassembly *r;
    uint32_t id;                /* Packet ID and content. */
    uint16_t len;
    uint32_t src;
    long long int now;

    bool ce;                    /* For the next segment. */
    uint8_t flip;               /* XORed into its last byte. */

    uint64_t n_delivered;
    bool delivered_ce;
};

/* Sends bytes 'ofs' to 'ofs' + 'len' - 1 of 'f'.  Checks a frame that comes
 * out. */
static enum stt_drop
add(struct test_frame *f, uint16_t ofs, uint16_t len)
{
    struct in6_addr src = address(f->src), dst = address(0);
    struct dp_packet *frame;
    struct stt_segment seg;
    enum stt_drop drop;
    uint8_t *data;
    bool ce;

    data = xmalloc(len);
    for (size_t i = 0; i < len; i++) {
        data[i] = frame_byte(f->id, ofs + i);
    }
    data[len - 1] ^= f->flip;
    seg = (struct stt_segment) {
        .packet_id = htonl(f->id),
        .src_port = htons(40000),
        .dst_port = htons(7471),
        .frame_len = f->len,
        .offset = ofs,
        .len = len,
        .data = data,
    };
    drop = stt_reassembly_add(f->r, &src, &dst, &seg, f->ce, f->now,
                              &frame, &ce);
    free(data);

    CHECK(!frame || !drop);
    if (frame) {
        const uint8_t *bytes = dp_packet_data(frame);

        CHECK_EQ(dp_packet_size(frame), f->len);
        for (size_t i = 0; i < f->len; i++) {
            CHECK_EQ(bytes[i], frame_byte(f->id, i));
        }
        f->n_delivered++;
        f->delivered_ce = ce;
        dp_packet_delete(frame);
    } else {
        CHECK(!ce);
    }
    return drop;
}

static uint16_t
segment_len(const struct test_frame *f, uint16_t mss, size_t i)
{
    return MIN(mss, f->len - i * mss);
}

/* Sends segment 'i' of 'f' if cut to 'mss'. */
static enum stt_drop
add_segment(struct test_frame *f, uint16_t mss, size_t i)
{
    return add(f, i * mss, segment_len(f, mss, i));
}

/* Sends all segments of 'f' in the order that 'order' gives and checks that
 * the frame comes out with the last one. */
static void
add_in_order(struct test_frame *f, uint16_t mss, const size_t *order)
{
    size_t n = DIV_ROUND_UP(f->len, mss);

    for (size_t i = 0; i < n; i++) {
        CHECK_EQ(f->n_delivered, 0);
        CHECK_EQ(add_segment(f, mss, order[i]), STT_OK);
    }
    CHECK_EQ(f->n_delivered, 1);
}

static void
shuffle(size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    for (size_t i = n; i > 1; i--) {
        size_t j = random_range(i);
        size_t tmp = order[j];

        order[j] = order[i - 1];
        order[i - 1] = tmp;
    }
}

static void
test_order(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct { uint16_t len, mss; } cases[] = {
        { 65535, 1460 }, { 65535, 512 }, { 65495, 8960 }, { 32, 31 },
        { 1461, 1460 }, { 2920, 1460 }, { 572, 216 }, { 128, 1 },
        { 65535, 65534 },
    };
    struct stt_reassembly *r = create_default();
    struct stt_reassembly_stats stats;
    uint64_t n_frames = 0, n_segments = 0;
    size_t order[STT_MAX_SEGMENTS];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t n = DIV_ROUND_UP(cases[i].len, cases[i].mss);

        CHECK(n <= STT_MAX_SEGMENTS);
        for (size_t round = 0; round < 22; round++) {
            struct test_frame f = {
                .r = r, .id = n_frames, .len = cases[i].len
            };

            shuffle(order, n);
            for (size_t j = 0; round < 2 && j < n; j++) {
                order[j] = round ? n - 1 - j : j;
            }
            add_in_order(&f, cases[i].mss, order);
            n_frames++;
            n_segments += n;
        }
    }

    stats = get_stats(r, 0);
    CHECK_EQ(stats.segments, n_segments);
    CHECK_EQ(stats.segments_delivered, n_segments);
    CHECK_EQ(stats.frames_delivered, n_frames);
    CHECK_EQ(stats.frames_waiting, 0);
    destroy(r);
}

static void
test_uneven(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Segments need not have equal lengths: GRO merges some of them. */
    struct stt_reassembly *r = create_default();

    for (size_t round = 0; round < 300; round++) {
        struct test_frame f = {
            .r = r, .id = round, .len = 32 + random_range(65504)
        };
        uint16_t start[STT_MAX_SEGMENTS + 1] = { 0 };
        size_t order[STT_MAX_SEGMENTS];
        size_t n = 0, ofs = 0;

        while (ofs < f.len) {
            size_t left = f.len - ofs;

            start[n++] = ofs;
            ofs += n == STT_MAX_SEGMENTS ? left : 1 + random_range(left);
        }
        start[n] = ofs;
        shuffle(order, n);
        for (size_t i = 0; i < n; i++) {
            CHECK_EQ(add(&f, start[order[i]],
                         start[order[i] + 1] - start[order[i]]), STT_OK);
        }
        CHECK_EQ(f.n_delivered, 1);
    }
    destroy(r);
}

static void
test_lost(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* With any one segment missing, nothing may come out, however many
     * duplicates there are of the others. */
    for (size_t lost = 0; lost < 10; lost++) {
        struct stt_reassembly *r = create_default();
        struct test_frame f = { .r = r, .id = lost, .len = 10 * 100 };
        struct stt_reassembly_stats stats;

        for (size_t round = 0; round < 3; round++) {
            for (size_t i = 0; i < 10; i++) {
                if (i != lost) {
                    CHECK_EQ(add_segment(&f, 100, i),
                             round ? STT_DROP_DUPLICATE : STT_OK);
                }
            }
        }
        CHECK_EQ(f.n_delivered, 0);
        stats = get_stats(r, 0);
        CHECK_EQ(stats.segments_waiting, 9);
        CHECK_EQ(stats.frames_waiting, 1);
        CHECK_EQ(stats.drops[STT_DROP_DUPLICATE], 18);

        CHECK_EQ(add_segment(&f, 100, lost), STT_OK);
        CHECK_EQ(f.n_delivered, 1);
        destroy(r);
    }
}

static void
test_late(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Duplicates of a frame that is complete must not open it again, until
     * its packet ID may be in use for another one. */
    struct stt_reassembly *r = create(1 << 20, 100, 100, 1000);
    struct test_frame f = { .r = r, .id = 1, .len = 1000 };
    struct stt_reassembly_stats stats;

    CHECK_EQ(add_segment(&f, 600, 0), STT_OK);
    CHECK_EQ(add_segment(&f, 600, 1), STT_OK);
    CHECK_EQ(f.n_delivered, 1);
    f.now = 999;
    CHECK_EQ(add_segment(&f, 600, 0), STT_DROP_DUPLICATE);
    CHECK_EQ(add_segment(&f, 600, 1), STT_DROP_DUPLICATE);
    CHECK_EQ(f.n_delivered, 1);
    stats = get_stats(r, f.now);
    CHECK_EQ(stats.frames_waiting, 0);
    CHECK_EQ(stats.drops[STT_DROP_DUPLICATE], 2);

    f.now = 1000;
    CHECK_EQ(add_segment(&f, 600, 0), STT_OK);
    CHECK_EQ(add_segment(&f, 600, 1), STT_OK);
    CHECK_EQ(f.n_delivered, 2);
    destroy(r);
}

/* Sends bytes 100 to 199 and 300 to 399 of a frame of 1000, then the 'len'
 * bytes at 'ofs' with their last one XORed with 'flip', and checks what
 * becomes of it. */
static void
check_overlap(uint16_t ofs, uint16_t len, uint8_t flip, enum stt_drop drop)
{
    struct stt_reassembly *r = create_default();
    struct test_frame f = { .r = r, .id = 1, .len = 1000 };
    struct stt_reassembly_stats stats;

    CHECK_EQ(add(&f, 100, 100), STT_OK);
    CHECK_EQ(add(&f, 300, 100), STT_OK);
    f.flip = flip;
    CHECK_EQ(add(&f, ofs, len), drop);
    f.flip = 0;
    stats = get_stats(r, 0);
    if (drop == STT_DROP_OVERLAP) {
        /* All of the frame is gone, and what is left of it comes too late. */
        CHECK_EQ(stats.drops[STT_DROP_OVERLAP], 3);
        CHECK_EQ(stats.frames_waiting, 0);
        CHECK_EQ(add(&f, 0, 1000), STT_DROP_OVERLAP);
    } else if (drop == STT_DROP_DUPLICATE) {
        CHECK_EQ(stats.drops[STT_DROP_DUPLICATE], 1);
        CHECK_EQ(stats.segments_waiting, 2);
        CHECK_EQ(add(&f, 0, 100), STT_OK);
        CHECK_EQ(add(&f, 200, 100), STT_OK);
        CHECK_EQ(add(&f, 400, 600), STT_OK);
        CHECK_EQ(f.n_delivered, 1);
    }
    destroy(r);
}

static void
test_overlap(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Touching is not overlapping. */
    check_overlap(0, 100, 0, STT_OK);
    check_overlap(200, 100, 0, STT_OK);
    check_overlap(400, 600, 0, STT_OK);
    check_overlap(250, 1, 0, STT_OK);

    /* The same again, or a part of it. */
    check_overlap(100, 100, 0, STT_DROP_DUPLICATE);
    check_overlap(300, 100, 0, STT_DROP_DUPLICATE);
    check_overlap(100, 1, 0, STT_DROP_DUPLICATE);
    check_overlap(199, 1, 0, STT_DROP_DUPLICATE);
    check_overlap(320, 50, 0, STT_DROP_DUPLICATE);

    /* The same bytes, but with other content. */
    check_overlap(100, 100, 1, STT_DROP_OVERLAP);
    check_overlap(320, 50, 0x80, STT_DROP_OVERLAP);
    check_overlap(399, 1, 0xff, STT_DROP_OVERLAP);

    /* Something new as well: at the front, at the end, around, across. */
    check_overlap(0, 101, 0, STT_DROP_OVERLAP);
    check_overlap(99, 2, 0, STT_DROP_OVERLAP);
    check_overlap(199, 2, 0, STT_DROP_OVERLAP);
    check_overlap(199, 101, 0, STT_DROP_OVERLAP);
    check_overlap(50, 200, 0, STT_DROP_OVERLAP);
    check_overlap(150, 200, 0, STT_DROP_OVERLAP);
    check_overlap(200, 101, 0, STT_DROP_OVERLAP);
    check_overlap(200, 101, 1, STT_DROP_OVERLAP);
    check_overlap(0, 1000, 0, STT_DROP_OVERLAP);
    check_overlap(399, 601, 0, STT_DROP_OVERLAP);
}

static void
test_len_changed(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create_default();
    struct test_frame f = { .r = r, .id = 1, .len = 1000 };

    CHECK_EQ(add(&f, 0, 500), STT_OK);
    f.len = 999;
    CHECK_EQ(add(&f, 500, 499), STT_DROP_LEN_CHANGED);
    f.len = 1001;
    CHECK_EQ(add(&f, 500, 501), STT_DROP_LEN_CHANGED);
    f.len = 501;
    CHECK_EQ(add(&f, 500, 1), STT_DROP_LEN_CHANGED);
    f.len = 1000;
    CHECK_EQ(f.n_delivered, 0);
    CHECK_EQ(get_stats(r, 0).drops[STT_DROP_LEN_CHANGED], 3);
    CHECK_EQ(add(&f, 500, 500), STT_OK);
    CHECK_EQ(f.n_delivered, 1);
    destroy(r);
}

static void
test_segments(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* One-byte segments, in a row and with gaps between them. */
    for (size_t step = 1; step < 3; step++) {
        struct stt_reassembly *r = create_default();
        struct test_frame f = { .r = r, .id = 1, .len = 65535 };
        struct stt_reassembly_stats stats;

        for (size_t i = 0; i < STT_MAX_SEGMENTS; i++) {
            CHECK_EQ(add(&f, i * step, 1), STT_OK);
        }
        CHECK_EQ(add(&f, 0, 1), STT_DROP_DUPLICATE);
        CHECK_EQ(get_stats(r, 0).segments_waiting, STT_MAX_SEGMENTS);
        CHECK_EQ(add(&f, 1000, 1), STT_DROP_SEGMENTS);
        stats = get_stats(r, 0);
        CHECK_EQ(stats.drops[STT_DROP_SEGMENTS], STT_MAX_SEGMENTS + 1);
        CHECK_EQ(stats.frames_waiting, 0);
        CHECK_EQ(add(&f, 1001, 1), STT_DROP_SEGMENTS);
        destroy(r);
    }
}

static void
test_key(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Six first halves that differ in one of source, destination, ports, and
     * packet ID are six frames. */
    struct stt_reassembly *r = create_default();
    uint8_t data[600] = { 0 };
    struct stt_segment seg = {
        .packet_id = htonl(7),
        .src_port = htons(40000),
        .dst_port = htons(7471),
        .frame_len = 1000,
        .len = 600,
        .data = data,
    };
    struct in6_addr addr[3] = { address(0), address(1), address(2) };
    struct dp_packet *frame;
    bool ce;

    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 6; i++) {
            struct stt_segment s = seg;

            s.packet_id = htonl(i == 1 ? 8 : 7);
            s.src_port = htons(i == 2 ? 40001 : 40000);
            s.dst_port = htons(i == 3 ? 7472 : 7471);
            s.offset = half * 600;
            s.len = half ? 400 : 600;
            memset(data, i, sizeof data);
            CHECK_EQ(stt_reassembly_add(r, &addr[i == 4 ? 2 : 0],
                                        &addr[i == 5 ? 2 : 1], &s, false, 0,
                                        &frame, &ce), STT_OK);
            CHECK_EQ(frame != NULL, half);
            if (frame) {
                CHECK_EQ(*(uint8_t *) dp_packet_data(frame), i);
                CHECK_EQ(*((uint8_t *) dp_packet_data(frame) + 999), i);
                dp_packet_delete(frame);
            }
        }
        CHECK_EQ(get_stats(r, 0).frames_waiting, half ? 0 : 6);
    }
    destroy(r);
}

static void
test_age(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create(1 << 20, 100, 100, 1000);
    struct test_frame f = { .r = r, .id = 1, .len = 1000 };
    struct test_frame g = { .r = r, .id = 2, .len = 1000, .src = 9 };
    struct stt_reassembly_stats stats;

    /* A drip of segments doesn't keep a frame alive. */
    f.now = g.now = 5000;
    CHECK_EQ(add(&f, 0, 100), STT_OK);
    f.now = 5500;
    CHECK_EQ(add(&f, 100, 100), STT_OK);
    f.now = 5999;
    CHECK_EQ(add(&f, 200, 100), STT_OK);
    stats = get_stats(r, 5999);
    CHECK_EQ(stats.oldest_ms, 999);
    CHECK_EQ(stt_reassembly_expire(r, 5999), 0);

    g.now = 5999;
    CHECK_EQ(add(&g, 0, 100), STT_OK);

    /* Its own source's next segment finds it expired... */
    f.now = 6000;
    CHECK_EQ(add(&f, 300, 700), STT_DROP_EXPIRED);
    CHECK_EQ(f.n_delivered, 0);
    stats = get_stats(r, 6000);
    CHECK_EQ(stats.drops[STT_DROP_EXPIRED], 4);
    CHECK_EQ(stats.frames_waiting, 1);

    /* ...and without any, stt_reassembly_expire() does. */
    CHECK_EQ(stt_reassembly_expire(r, 6998), 0);
    CHECK_EQ(stt_reassembly_expire(r, 6999), 1);
    CHECK_EQ(stt_reassembly_expire(r, 6999), 0);
    stats = get_stats(r, 6999);
    CHECK_EQ(stats.drops[STT_DROP_EXPIRED], 5);
    CHECK_EQ(stats.frames_waiting, 0);
    CHECK_EQ(stats.oldest_ms, -1);

    /* Late segments are dropped for as long again. */
    f.now = 6999;
    CHECK_EQ(add(&f, 300, 700), STT_DROP_EXPIRED);
    f.now = 7000;
    CHECK_EQ(add(&f, 300, 700), STT_OK);

    /* A new limit takes effect. */
    {
        const struct stt_reassembly_limits limits = {
            .max_bytes = 1 << 20,
            .max_frames = 100,
            .max_segments = STT_MAX_SEGMENTS,
            .source_percent = 100,
            .max_age_ms = 10,
        };

        stt_reassembly_set_limits(r, &limits);
        CHECK_EQ(stt_reassembly_expire(r, 7009), 0);
        CHECK_EQ(stt_reassembly_expire(r, 7010), 1);
    }
    destroy(r);
}

/* Opens frames 'first' to 'last' from 'src'. */
static void
open_frames(struct stt_reassembly *r, uint32_t src, uint32_t first,
            uint32_t last, uint16_t len)
{
    for (uint32_t id = first; id <= last; id++) {
        struct test_frame f = { .r = r, .id = id, .len = len, .src = src };

        CHECK_EQ(add(&f, 0, len - 1), STT_OK);
    }
}

/* Completes frames 'first' to 'last' from 'src', all of which must have
 * survived. */
static void
complete_frames(struct stt_reassembly *r, uint32_t src, uint32_t first,
                uint32_t last, uint16_t len)
{
    for (uint32_t id = first; id <= last; id++) {
        struct test_frame f = { .r = r, .id = id, .len = len, .src = src };

        CHECK_EQ(add(&f, len - 1, 1), STT_OK);
        CHECK_EQ(f.n_delivered, 1);
    }
}

static void
test_max_frames(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create(1 << 20, 10, 100, 1000);
    struct stt_reassembly_stats stats;

    /* The oldest ones make room. */
    open_frames(r, 1, 100, 114, 100);
    stats = get_stats(r, 0);
    CHECK_EQ(stats.frames_waiting, 10);
    CHECK_EQ(stats.drops[STT_DROP_EVICTED], 5);
    complete_frames(r, 1, 105, 114, 100);
    stats = get_stats(r, 0);
    CHECK_EQ(stats.frames_delivered, 10);
    CHECK_EQ(stats.frames_waiting, 0);
    CHECK_EQ(stats.drops[STT_DROP_EVICTED], 5);
    destroy(r);
}

static void
test_max_bytes(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create(300000, 1000, 100, 1000);
    struct stt_reassembly_stats stats;
    uint64_t charge, n;

    /* A frame costs its full length, and a bit more, from its first byte. */
    {
        struct test_frame f = { .r = r, .id = 1, .len = 65535 };

        CHECK_EQ(add(&f, 0, 1), STT_OK);
        charge = get_stats(r, 0).bytes_waiting;
        CHECK(charge > 65535);
        CHECK(charge < 65535 + 2048);
    }

    n = 300000 / charge;
    CHECK_EQ(n, 4);
    open_frames(r, 0, 2, 10, 65535);
    stats = get_stats(r, 0);
    CHECK_EQ(stats.frames_waiting, n);
    CHECK_EQ(stats.bytes_waiting, n * charge);
    CHECK_EQ(stats.drops[STT_DROP_EVICTED], 10 - n);
    complete_frames(r, 0, 7, 10, 65535);

    /* What can't ever fit is dropped. */
    open_frames(r, 0, 11, 12, 65535);
    {
        const struct stt_reassembly_limits limits = {
            .max_bytes = 10000,
            .max_frames = 100,
            .max_segments = STT_MAX_SEGMENTS,
            .source_percent = 100,
            .max_age_ms = 1000,
        };
        struct test_frame f = { .r = r, .id = 20, .len = 65535, .src = 5 };

        stt_reassembly_set_limits(r, &limits);
        CHECK_EQ(get_stats(r, 0).frames_waiting, 2);
        CHECK_EQ(add(&f, 0, 1), STT_DROP_EVICTED);
        CHECK_EQ(get_stats(r, 0).frames_waiting, 0);
        f.len = 1000;
        f.id++;
        CHECK_EQ(add(&f, 0, 1), STT_OK);
    }
    destroy(r);
}

static void
test_source_share(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create(1 << 20, 100, 10, 1000);
    struct stt_reassembly_stats stats;

    /* Source 1 has 3 frames, and many others, some of which are kept along
     * with those of source 2, have one.  Source 2 may flood: it takes no more
     * than its share, and only from itself. */
    open_frames(r, 1, 1, 3, 100);
    for (uint32_t other = 3; other < 73; other++) {
        open_frames(r, other, 1, 1, 100);
    }
    open_frames(r, 2, 100, 1099, 100);
    stats = get_stats(r, 0);
    CHECK_EQ(stats.frames_waiting, 3 + 70 + 10);
    CHECK_EQ(stats.drops[STT_DROP_EVICTED], 990);
    complete_frames(r, 1, 1, 3, 100);
    for (uint32_t other = 3; other < 73; other++) {
        complete_frames(r, other, 1, 1, 100);
    }
    complete_frames(r, 2, 1090, 1099, 100);
    destroy(r);

    /* The same in bytes. */
    r = create(1000000, 10000, 20, 1000);
    open_frames(r, 1, 1, 1, 20000);
    open_frames(r, 2, 100, 199, 20000);
    stats = get_stats(r, 0);
    CHECK(stats.bytes_waiting <= 400000);
    complete_frames(r, 1, 1, 1, 20000);
    complete_frames(r, 2, 199, 199, 20000);
    destroy(r);
}

static void
test_eviction_order(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* A source with frames of its own makes room by itself; one without any
     * makes others give room, wherever they are kept. */
    for (uint32_t other = 2; other < 40; other++) {
        struct stt_reassembly *r = create(1 << 20, 10, 100, 1000);
        struct stt_reassembly_stats stats;

        open_frames(r, 1, 1, 9, 100);
        open_frames(r, other, 100, 102, 100);
        stats = get_stats(r, 0);
        CHECK_EQ(stats.frames_waiting, 10);
        CHECK_EQ(stats.drops[STT_DROP_EVICTED], 2);
        complete_frames(r, 1, 1, 9, 100);
        complete_frames(r, other, 102, 102, 100);

        open_frames(r, 1, 11, 20, 100);
        open_frames(r, other, 103, 103, 100);
        stats = get_stats(r, 0);
        CHECK_EQ(stats.frames_waiting, 10);
        CHECK_EQ(stats.drops[STT_DROP_EVICTED], 3);
        complete_frames(r, 1, 12, 20, 100);
        complete_frames(r, other, 103, 103, 100);
        destroy(r);
    }
}

static void
test_ce(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create_default();

    /* CE on any one segment or none, in any place and order. */
    for (size_t marked = 0; marked <= 5; marked++) {
        for (size_t round = 0; round < 20; round++) {
            struct test_frame f = {
                .r = r, .id = marked * 100 + round, .len = 500
            };
            size_t order[5];

            shuffle(order, 5);
            for (size_t i = 0; i < 5; i++) {
                f.ce = order[i] == marked;
                CHECK_EQ(add_segment(&f, 100, order[i]), STT_OK);
            }
            CHECK_EQ(f.n_delivered, 1);
            CHECK_EQ(f.delivered_ce, marked < 5);
        }
    }
    destroy(r);
}

static void
test_flush(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_reassembly *r = create_default();
    struct stt_reassembly_stats stats;

    open_frames(r, 1, 1, 20, 1000);
    open_frames(r, 2, 1, 20, 1000);
    stt_reassembly_flush(r);
    stats = get_stats(r, 0);
    CHECK_EQ(stats.drops[STT_DROP_FLUSHED], 40);
    CHECK_EQ(stats.frames_waiting, 0);
    stt_reassembly_flush(r);
    CHECK_EQ(get_stats(r, 0).drops[STT_DROP_FLUSHED], 40);

    open_frames(r, 1, 100, 120, 1000);
    complete_frames(r, 1, 100, 120, 1000);

    /* Destruction frees what waits, as memory checkers can tell. */
    open_frames(r, 1, 200, 220, 1000);
    destroy(r);
}

/* The sources of frames in the order in which flush_sources() sees them go. */
static uint32_t flushed[100];
static size_t n_flushed;

static void
flushed_cb(const struct in6_addr *src, ovs_be16 dst_port OVS_UNUSED,
           enum stt_drop drop, unsigned int n)
{
    CHECK_EQ(drop, STT_DROP_FLUSHED);
    CHECK_EQ(n, 1);
    CHECK(n_flushed < ARRAY_SIZE(flushed));
    flushed[n_flushed++] = ntohl(in6_addr_get_mapped_ipv4(src));
}

/* Opens a frame from each of many sources, and flushes them. */
static void
flush_sources(void)
{
    static const struct stt_reassembly_limits limits
        = STT_REASSEMBLY_DEFAULT_LIMITS;
    struct stt_reassembly *r = stt_reassembly_create(&limits, flushed_cb);

    for (uint32_t i = 0; i < ARRAY_SIZE(flushed); i++) {
        open_frames(r, i, 1, 1, 1000);
    }
    n_flushed = 0;
    stt_reassembly_flush(r);
    CHECK_EQ(n_flushed, ARRAY_SIZE(flushed));
    destroy(r);
}

static void
test_seed(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Where a frame is kept depends on its source's hash, which nobody may be
     * able to foresee: the same sources go in another order next time. */
    uint32_t first[ARRAY_SIZE(flushed)];

    flush_sources();
    memcpy(first, flushed, sizeof first);
    flush_sources();
    CHECK(memcmp(first, flushed, sizeof first) != 0);
}

static void
test_clock(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* However far the clock gets ahead, no more and no less expires. */
    static const long long int jumps[] = {
        1000, 1LL << 31, (1LL << 32) - 1, 1LL << 32, (1LL << 32) + 999,
        1LL << 40,
    };

    for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
        struct stt_reassembly *r = create(1 << 20, 100, 100, 1000);
        struct test_frame f = { .r = r, .id = 1, .len = 1000, .now = 5 };
        struct stt_reassembly_stats stats;

        CHECK_EQ(add(&f, 0, 500), STT_OK);
        stats = get_stats(r, 5 + jumps[i]);
        CHECK_EQ(stats.oldest_ms, jumps[i]);
        CHECK_EQ(stt_reassembly_expire(r, 1004), 0);
        CHECK_EQ(stt_reassembly_expire(r, 5 + jumps[i]), 1);

        /* Nor is what is gone remembered any longer, after another jump. */
        f.now = 5 + 2 * jumps[i];
        CHECK_EQ(add(&f, 0, 500), STT_OK);
        CHECK_EQ(add(&f, 500, 500), STT_OK);
        CHECK_EQ(f.n_delivered, 1);
        f.now += jumps[i];
        CHECK_EQ(add(&f, 0, 500), STT_OK);
        stt_reassembly_flush(r);
        destroy(r);
    }
}

static void
test_content_check(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* This command must fail: it checks that add() looks at the content. */
    struct stt_reassembly *r = create_default();
    struct test_frame f = { .r = r, .id = 1, .len = 1000 };

    CHECK_EQ(add(&f, 500, 500), STT_OK);
    f.flip = 4;
    add(&f, 0, 500);
    destroy(r);
}

/* Threads. */

#define N_THREADS 4
#define N_SEGS 12

struct feeder {
    struct stt_reassembly *r;
    size_t index;
    uint32_t n_frames;
    bool duplicates;
    struct ovs_barrier *barrier;
    uint64_t n_delivered, n_dropped;
};

/* Sends every N_THREADS'th segment of all frames. */
static void *
feeder_main(void *feeder_)
{
    struct feeder *feeder = feeder_;

    ovs_barrier_block(feeder->barrier);
    for (uint32_t id = 0; id < feeder->n_frames; id++) {
        struct test_frame f = {
            .r = feeder->r,
            .id = id,
            .len = N_SEGS * 100 - id % 99,
            .src = id % 7,
        };

        for (size_t i = 0; i < N_SEGS; i++) {
            if (i % N_THREADS == feeder->index
                || (feeder->duplicates && !i)) {
                feeder->n_dropped += add_segment(&f, 100, i) != STT_OK;
            }
        }
        feeder->n_delivered += f.n_delivered;
    }
    return NULL;
}

/* Has N_THREADS threads feed the segments of 'n_frames' frames into 'r' while
 * this one looks on.  Stores the number of frames that came out in
 * '*n_delivered', and that of segments that were refused in '*n_dropped'. */
static void
feed(struct stt_reassembly *r, uint32_t n_frames, bool duplicates,
     uint64_t *n_delivered, uint64_t *n_dropped)
{
    struct feeder feeders[N_THREADS];
    pthread_t threads[N_THREADS];
    struct ovs_barrier barrier;

    /* Nothing is wrong if a busy machine has a thread wait for its turn, which
     * timeval would warn of. */
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);

    ovs_barrier_init(&barrier, N_THREADS + 1);
    for (size_t i = 0; i < N_THREADS; i++) {
        feeders[i] = (struct feeder) {
            .r = r,
            .index = i,
            .n_frames = n_frames,
            .duplicates = duplicates,
            .barrier = &barrier,
        };
        threads[i] = ovs_thread_create("feeder", feeder_main, &feeders[i]);
    }
    ovs_barrier_block(&barrier);
    for (size_t i = 0; i < 100; i++) {
        get_stats(r, 0);
        stt_reassembly_expire(r, 0);
    }

    *n_delivered = *n_dropped = 0;
    for (size_t i = 0; i < N_THREADS; i++) {
        xpthread_join(threads[i], NULL);
        *n_delivered += feeders[i].n_delivered;
        *n_dropped += feeders[i].n_dropped;
    }
    ovs_barrier_destroy(&barrier);
}

static void
test_threads(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const uint32_t n_frames = 20000;
    struct stt_reassembly_stats stats;
    uint64_t n_delivered, n_dropped;
    struct stt_reassembly *r;

    /* Enough room: all frames come out, whatever the order. */
    r = create(UINT32_MAX, n_frames, 100, 1000);
    feed(r, n_frames, false, &n_delivered, &n_dropped);
    stats = get_stats(r, 0);
    CHECK_EQ(n_delivered, n_frames);
    CHECK_EQ(n_dropped, 0);
    CHECK_EQ(stats.frames_delivered, n_frames);
    CHECK_EQ(stats.segments, n_frames * N_SEGS);
    CHECK_EQ(stats.segments_delivered, n_frames * N_SEGS);
    CHECK_EQ(stats.frames_waiting, 0);
    destroy(r);

    /* With duplicates from all threads. */
    r = create(UINT32_MAX, n_frames, 100, 1000);
    feed(r, n_frames, true, &n_delivered, &n_dropped);
    stats = get_stats(r, 0);
    CHECK_EQ(n_delivered, n_frames);
    CHECK_EQ(stats.frames_delivered, n_frames);
    CHECK_EQ(stats.segments, n_frames * (N_SEGS + N_THREADS - 1));
    CHECK_EQ(stats.segments_delivered, n_frames * N_SEGS);
    CHECK_EQ(stats.drops[STT_DROP_DUPLICATE], n_dropped);
    destroy(r);
}

static void
test_threads_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const uint64_t max_bytes = 40000;
    struct stt_reassembly_stats stats;
    uint64_t n_delivered, n_dropped;
    struct stt_reassembly *r;

    /* Much too little room: frames get lost, but not the count of them. */
    r = create(max_bytes, 15, 40, 1000);
    feed(r, 20000, true, &n_delivered, &n_dropped);
    stats = get_stats(r, 0);
    CHECK_EQ(stats.frames_delivered, n_delivered);
    CHECK_EQ(stats.segments_delivered, n_delivered * N_SEGS);
    CHECK_EQ(stats.segments, 20000 * (N_SEGS + N_THREADS - 1));

    /* Each thread may find the same last room free. */
    CHECK(stats.bytes_waiting <= max_bytes + N_THREADS * 3000);
    CHECK(stats.frames_waiting <= 15 + N_THREADS);
    stt_reassembly_flush(r);
    CHECK_EQ(get_stats(r, 0).bytes_waiting, 0);

    /* Nor the room. */
    open_frames(r, 99, 1000000, 1000005, 1000);
    complete_frames(r, 99, 1000000, 1000005, 1000);
    destroy(r);
}

static void
test_stt_reassembly_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "order", NULL, 0, 0, test_order, OVS_RO },
        { "uneven", NULL, 0, 0, test_uneven, OVS_RO },
        { "lost", NULL, 0, 0, test_lost, OVS_RO },
        { "late", NULL, 0, 0, test_late, OVS_RO },
        { "overlap", NULL, 0, 0, test_overlap, OVS_RO },
        { "len-changed", NULL, 0, 0, test_len_changed, OVS_RO },
        { "segments", NULL, 0, 0, test_segments, OVS_RO },
        { "key", NULL, 0, 0, test_key, OVS_RO },
        { "age", NULL, 0, 0, test_age, OVS_RO },
        { "max-frames", NULL, 0, 0, test_max_frames, OVS_RO },
        { "max-bytes", NULL, 0, 0, test_max_bytes, OVS_RO },
        { "source-share", NULL, 0, 0, test_source_share, OVS_RO },
        { "eviction-order", NULL, 0, 0, test_eviction_order, OVS_RO },
        { "ce", NULL, 0, 0, test_ce, OVS_RO },
        { "flush", NULL, 0, 0, test_flush, OVS_RO },
        { "seed", NULL, 0, 0, test_seed, OVS_RO },
        { "clock", NULL, 0, 0, test_clock, OVS_RO },
        { "content-check", NULL, 0, 0, test_content_check, OVS_RO },
        { "threads", NULL, 0, 0, test_threads, OVS_RO },
        { "threads-limits", NULL, 0, 0, test_threads_limits, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-reassembly", test_stt_reassembly_main);
