/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* What a packet costs in lib/stt.c and lib/stt-reassembly.c.
 *
 * "ovstest test-stt-bench MS" measures each thing for MS milliseconds or a
 * little more and prints the figures in JSON.  Those whose names end in "_ns"
 * are nanoseconds, those in "_bps" bytes per second.  It fails if the code
 * does not do what is measured. */

#include <config.h>
#undef NDEBUG
#include "stt.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dp-packet.h"
#include "ovstest.h"
#include "packets.h"
#include "stt-reassembly.h"
#include "test-stt.h"
#include "util.h"

#define KEY 0x0123456789abcdefULL
#define OUTER_LEN (ETH_HEADER_LEN + IP_HEADER_LEN + TCP_HEADER_LEN \
                   + STT_HEADER_LEN)
#define N_SOURCES 16

/* Between two looks at the clock. */
#define CHUNK 64

struct timer {
    int64_t begin;
    int64_t limit;
    uint64_t n;                 /* Times that something was done. */
};

static int64_t duration_ns;
static const char *separator = "{";

static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void
timer_start(struct timer *t)
{
    t->n = 0;
    t->begin = now_ns();
    t->limit = t->begin + duration_ns;
}

/* Returns true if what is measured is to be done CHUNK more times. */
static bool
timer_more(struct timer *t)
{
    if (t->n && now_ns() >= t->limit) {
        return false;
    }
    t->n += CHUNK;
    return true;
}

/* Returns the nanoseconds that each time took. */
static double
timer_stop(const struct timer *t)
{
    return (double) (now_ns() - t->begin) / t->n;
}

static void
print_figure(const char *name, unsigned int arg, const char *unit,
             double value)
{
    printf("%s\"%s_%u_%s\": %.6g", separator, name, arg, unit, value);
    separator = ", ";
}

/* Frames of TCP, of 'frame_len' bytes, as a guest with TSO sends them. */
static void
bench_codec(unsigned int frame_len)
{
    struct dp_packet *p = build_partial(
        SPEC(.proto = IPPROTO_TCP,
             .payload = frame_len - ETH_HEADER_LEN - IP_HEADER_LEN
                        - TCP_HEADER_LEN), 1448);
    const uint32_t offloads = p->offloads;
    const uint16_t mss = dp_packet_get_tso_segsz(p);
    static const uint8_t template[OUTER_LEN];
    uint16_t l4_len = (TCP_HEADER_LEN + STT_HEADER_LEN
                       + dp_packet_size(p));
    struct tcp_header *tcp;
    struct stt_header *stt;
    struct timer t;
    ovs_be64 key = 0;

    CHECK_EQ(dp_packet_size(p), frame_len);
    CHECK(dp_packet_headroom(p) >= OUTER_LEN);
    timer_start(&t);
    while (timer_more(&t)) {
        for (int i = 0; i < CHUNK; i++) {
            struct stt_offload ol;

            if (i || t.n > CHUNK) {
                dp_packet_pull(p, OUTER_LEN);
                p->offloads = offloads;
                dp_packet_set_tso_segsz(p, mss);
            }
            stt_describe(p, &ol);
            dp_packet_push(p, template, sizeof template);
            tcp = dp_packet_at_assert(p, ETH_HEADER_LEN + IP_HEADER_LEN,
                                      sizeof *tcp + sizeof *stt);
            stt = (struct stt_header *) (tcp + 1);
            stt_set_context_id(stt, htonll(KEY));
            stt_fill_headers(tcp, stt, STT_HEADER_LEN + frame_len,
                             htons(40000), htonl(i), 0, &ol);
        }
    }
    print_figure("encapsulate", frame_len, "ns", timer_stop(&t));

    dp_packet_pull(p, OUTER_LEN - STT_HEADER_LEN - TCP_HEADER_LEN);
    timer_start(&t);
    while (timer_more(&t)) {
        for (int i = 0; i < CHUNK; i++) {
            struct stt_segment seg;

            if (i || t.n > CHUNK) {
                dp_packet_push_uninit(p, TCP_HEADER_LEN + STT_HEADER_LEN);
            }
            CHECK_EQ(stt_parse_segment(dp_packet_data(p), l4_len, &seg),
                     STT_OK);
            CHECK(stt_segment_is_whole_frame(&seg));
            dp_packet_pull(p, TCP_HEADER_LEN);
            CHECK_EQ(stt_pop_frame(p, &key), STT_OK);
        }
    }
    print_figure("decapsulate", frame_len, "ns", timer_stop(&t));
    CHECK(key == htonll(KEY));
    CHECK_EQ(dp_packet_size(p), frame_len);
    CHECK(dp_packet_l4_checksum_partial(p));
    dp_packet_delete(p);
}

static struct stt_reassembly *
create(void)
{
    static const struct stt_reassembly_limits limits
        = STT_REASSEMBLY_DEFAULT_LIMITS;

    return stt_reassembly_create(&limits, NULL);
}

/* Adds a segment of frame 'id'.  Returns true if that completes it. */
static bool
add(struct stt_reassembly *r, uint32_t id, uint16_t frame_len, uint16_t ofs,
    uint16_t len, const uint8_t *data)
{
    struct in6_addr src = in6_addr_mapped_ipv4(htonl(0x0a000000
                                                     + id % N_SOURCES));
    struct in6_addr dst = in6_addr_mapped_ipv4(htonl(0x0a000100));
    const struct stt_segment seg = {
        .packet_id = htonl(id),
        .src_port = htons(40000),
        .dst_port = htons(STT_DST_PORT),
        .frame_len = frame_len,
        .offset = ofs,
        .len = len,
        .data = data,
    };
    struct dp_packet *frame;
    bool ce;

    CHECK_EQ(stt_reassembly_add(r, &src, &dst, &seg, false, 0, &frame, &ce),
             STT_OK);
    if (frame) {
        CHECK_EQ(dp_packet_size(frame), frame_len);
        dp_packet_delete(frame);
    }
    return frame != NULL;
}

/* Frames of 'frame_len' bytes in segments of 'mss', against copies of the same
 * segments into a buffer. */
static void
bench_reassembly(uint16_t frame_len, uint16_t mss)
{
    struct stt_reassembly *r = create();
    uint8_t *from = xmalloc(frame_len), *to = xmalloc(frame_len);
    uint32_t id = 0;
    struct timer t;
    double ns;

    for (size_t i = 0; i < frame_len; i++) {
        from[i] = i * 167;
    }

    timer_start(&t);
    while (timer_more(&t)) {
        for (int i = 0; i < CHUNK; i++) {
            bool complete = false;

            for (size_t ofs = 0; ofs < frame_len; ofs += mss) {
                complete = add(r, id, frame_len, ofs,
                               MIN(mss, frame_len - ofs), from + ofs);
            }
            CHECK(complete);
            id++;
        }
    }
    ns = timer_stop(&t);
    print_figure("reassemble", mss, "bps", frame_len / ns * 1e9);

    timer_start(&t);
    while (timer_more(&t)) {
        for (int i = 0; i < CHUNK; i++) {
            for (size_t ofs = 0; ofs < frame_len; ofs += mss) {
                memcpy(to + ofs, from + ofs, MIN(mss, frame_len - ofs));
            }
            /* The compiler must not leave out all copies but the last. */
            asm volatile("" : : "r" (to) : "memory");
        }
    }
    ns = timer_stop(&t);
    print_figure("memcpy", mss, "bps", frame_len / ns * 1e9);
    CHECK(!memcmp(from, to, frame_len));

    free(from);
    free(to);
    stt_reassembly_destroy(r);
}

/* Frames of two segments, while 'n' others are incomplete. */
static void
bench_incomplete(unsigned int n)
{
    static const uint8_t data[1000];
    const uint16_t frame_len = 2 * sizeof data;
    struct stt_reassembly *r = create();
    struct stt_reassembly_stats stats;
    uint32_t id = 0;
    struct timer t;

    while (id < n) {
        CHECK(!add(r, id++, frame_len, 0, sizeof data, data));
    }
    timer_start(&t);
    while (timer_more(&t)) {
        for (int i = 0; i < CHUNK; i++) {
            CHECK(!add(r, id, frame_len, 0, sizeof data, data));
            CHECK(add(r, id, frame_len, sizeof data, sizeof data, data));
            id++;
        }
    }
    print_figure("incomplete", n, "ns", timer_stop(&t) / 2);
    stt_reassembly_get_stats(r, 0, &stats);
    CHECK_EQ(stats.frames_waiting, n);
    stt_reassembly_destroy(r);
}

static void
test_stt_bench_main(int argc, char *argv[])
{
    int ms;

    set_program_name(argv[0]);
    if (argc != 2 || !str_to_int(argv[1], 10, &ms) || ms < 1 || ms > 60000) {
        ovs_fatal(0, "usage: %s MILLISECONDS (1 to 60000)", program_name);
    }
    duration_ns = ms * 1000000LL;

    bench_codec(64);
    bench_codec(1514);
    bench_codec(65000);
    bench_reassembly(65000, 1460);
    bench_reassembly(65000, 8960);
    bench_incomplete(0);
    bench_incomplete(16);
    bench_incomplete(256);
    bench_incomplete(1024);
    bench_incomplete(4095);
    printf("}\n");
}

OVSTEST_REGISTER("test-stt-bench", test_stt_bench_main);
