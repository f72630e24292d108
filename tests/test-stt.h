/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef TEST_STT_H
#define TEST_STT_H 1

/* What the unit tests of STT share: checks that end a test, in all of them,
 * and inner packets, in those of lib/stt.c. */

#include "compiler.h"
#include "packets.h"

struct dp_packet;
struct dp_packet_batch;

/* What a test is about to do, printed if one of its checks fails. */
extern const char *stt_test_case;

OVS_NO_RETURN void stt_test_fail(const char *where, const char *what,
                                 long long int is, long long int should);

/* Ends the test with a message unless both integers are equal. */
#define CHECK_EQ(IS, SHOULD) \
    CHECK_EQ__(IS, SHOULD, OVS_SOURCE_LOCATOR)
#define CHECK_EQ__(IS, SHOULD, WHERE)                           \
    do {                                                        \
        long long int is__ = (IS);                              \
        long long int should__ = (SHOULD);                      \
                                                                \
        if (is__ != should__) {                                 \
            stt_test_fail(WHERE, #IS, is__, should__);          \
        }                                                       \
    } while (0)

/* Ends the test with a message unless 'CONDITION' is true. */
#define CHECK(CONDITION) CHECK_EQ(!!(CONDITION), true)

/* Inner packets. */

#define SEQ 0xfffffff0u         /* Wraps soon. */
#define IP_ID 0xfffe            /* Wraps soon, too. */
#define TAG(TPID, TCI) ((uint32_t) (TPID) << 16 | (TCI))

/* How to build an inner frame. */
struct inner_spec {
    bool ipv6;
    uint8_t proto;              /* 0 for a frame that isn't IP. */
    uint32_t payload;           /* Behind the L4 header, in bytes. */
    size_t opts;                /* IPv4 options or IPv6 extension headers. */
    size_t tcp_opts;
    uint16_t tcp_flags;         /* Besides ACK. */
    uint32_t tags[3];           /* From TAG(), outermost first. */
    ovs_be16 frag;              /* IPv4 flags and offset, IPv6 offlg. */
    bool frag_hdr;              /* IPv6 fragment header even if 'frag' is 0. */
    size_t padding;             /* Behind the IP packet. */
    uint8_t ecn;
};

#define SPEC(...) (&(struct inner_spec) { __VA_ARGS__ })
#define TINY(...) SPEC(.payload = 50, __VA_ARGS__)
#define TAGGED(...) TINY(.proto = IPPROTO_UDP, .tags = { __VA_ARGS__ })

struct dp_packet *build_inner(const struct inner_spec *);
struct dp_packet *build_partial(const struct inner_spec *, uint16_t mss);
struct dp_packet *mark_good(struct dp_packet *);
uint8_t payload_byte(size_t i);
struct tcp_header *tcp_of(struct dp_packet *);
uint16_t l4_csum_of(struct dp_packet *, uint8_t proto);

/* Checksums, computed without OVS's own code. */
uint16_t sum16(const void *, size_t len, uint32_t sum);
uint16_t pseudo_sum(const uint8_t *l3, uint8_t proto, uint32_t l4_len);
bool l4_csum_ok(const uint8_t *l3, const uint8_t *l4, uint8_t proto,
                size_t l4_len);
void check_ip(struct dp_packet *);
void finish_and_check_l4(struct dp_packet *, uint8_t proto);

void split(struct dp_packet *, size_t max_frame, size_t n_drops,
           size_t n_frames, struct dp_packet_batch *frames);

#endif /* test-stt.h */
