/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/stt-probe.c.  Each command is one test; see
 * tests/stt-probe.at. */

#include <config.h>
#undef NDEBUG
#include "stt-probe.h"

#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "dp-packet.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "test-stt.h"
#include "util.h"

/* Composes 'probe' and checks that it is as long as it must be and is read as
 * it was written.  Returns the frame. */
static struct dp_packet *
check_compose(const struct stt_probe *probe, size_t size)
{
    struct dp_packet *p = dp_packet_new(0);
    struct stt_probe back;

    stt_probe_compose(p, probe);
    CHECK_EQ(dp_packet_size(p), size);
    CHECK(stt_probe_is(p));
    CHECK_EQ(stt_probe_parse(dp_packet_data(p), dp_packet_size(p), &back),
             STT_PROBE_OK);
    CHECK_EQ(back.kind, probe->kind);
    CHECK_EQ(back.token, probe->token);
    CHECK_EQ(back.seq, probe->seq);
    CHECK_EQ(back.size, probe->size);
    CHECK_EQ(back.arrival.n_pieces, probe->arrival.n_pieces);
    CHECK_EQ(back.arrival.largest, probe->arrival.largest);
    CHECK_EQ(back.arrival.reordered, probe->arrival.reordered);
    return p;
}

static void
test_format(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_probe probe = {
        .token = 0x0123456789abcdef,
        .seq = 0xfedcba98,
    };
    struct dp_packet *p;

    for (uint32_t size = STT_PROBE_MIN_SIZE; size <= STT_PROBE_MAX_SIZE;
         size += size < 70 ? 1 : 4675) {
        probe.kind = STT_PROBE_QUESTION;
        probe.size = size;
        dp_packet_delete(check_compose(&probe, size));

        /* An answer never is longer than the probe. */
        probe.kind = STT_PROBE_ANSWER;
        probe.arrival.n_pieces = size;
        probe.arrival.largest = UINT16_MAX - size;
        probe.arrival.reordered = size & 1;
        dp_packet_delete(check_compose(&probe, STT_PROBE_MIN_SIZE));
        memset(&probe.arrival, 0, sizeof probe.arrival);
    }

    /* Each length but its own is wrong. */
    probe.kind = STT_PROBE_QUESTION;
    probe.size = 100;
    p = check_compose(&probe, 100);
    for (size_t len = 0; len <= 200; len++) {
        /* A copy of the exact size, for memory checkers to watch. */
        uint8_t *copy = xzalloc(MAX(len, 1));
        struct stt_probe back;

        memcpy(copy, dp_packet_data(p), MIN(len, 100));
        CHECK_EQ(stt_probe_parse(copy, len, &back),
                 (len < STT_PROBE_MIN_SIZE ? STT_PROBE_DROP_TRUNCATED
                  : len != 100 ? STT_PROBE_DROP_SIZE : STT_PROBE_OK));
        free(copy);
    }

    /* Other addresses and types are other protocols. */
    for (size_t i = 0; i < ETH_HEADER_LEN; i++) {
        uint8_t *byte = (uint8_t *) dp_packet_data(p) + i;

        *byte ^= 1;
        CHECK_EQ(stt_probe_is(p), i >= 6 && i < 12);
        *byte ^= 1;
    }
    for (size_t i = ETH_HEADER_LEN; i < ETH_HEADER_LEN + 4; i++) {
        uint8_t *byte = (uint8_t *) dp_packet_data(p) + i;

        *byte ^= 1;
        CHECK(!stt_probe_is(p));
        *byte ^= 1;
    }
    dp_packet_set_size(p, ETH_HEADER_LEN + 4);
    CHECK(stt_probe_is(p));
    dp_packet_set_size(p, ETH_HEADER_LEN + 3);
    CHECK(!stt_probe_is(p));
    dp_packet_set_size(p, ETH_HEADER_LEN - 1);
    CHECK(!stt_probe_is(p));
    dp_packet_delete(p);
}

/* Whatever random bytes say, nothing but the right size is accepted. */
static void
test_random(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    unsigned int n_ok = 0;

    random_set_seed(1);
    for (int i = 0; i < 200000; i++) {
        size_t len = random_range(128);
        uint8_t *frame = xmalloc(MAX(len, 1));
        struct stt_probe probe = {
            .kind = STT_PROBE_QUESTION,
            .size = MAX(len, STT_PROBE_MIN_SIZE),
        };
        struct dp_packet *p = dp_packet_new(0);

        stt_probe_compose(p, &probe);
        memcpy(frame, dp_packet_data(p), len);
        dp_packet_delete(p);
        for (int j = random_range(4); len && j > 0; j--) {
            frame[random_range(len)] = random_uint32();
        }
        if (!stt_probe_parse(frame, len, &probe)) {
            n_ok++;
            CHECK(len >= STT_PROBE_MIN_SIZE);
            CHECK_EQ(len, (probe.kind == STT_PROBE_QUESTION ? probe.size
                           : STT_PROBE_MIN_SIZE));
        }
        free(frame);
    }
    CHECK(n_ok > 1000);
}

static void
test_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct stt_probe_limiter *l = xzalloc(sizeof *l);
    struct in6_addr a, b, c;

    in6_addr_set_mapped_ipv4(&a, htonl(1));
    in6_addr_set_mapped_ipv4(&b, htonl(2));
    in6_addr_set_mapped_ipv4(&c, htonl(3));

    CHECK_EQ(stt_probe_admit(l, &a, 0, 5000), STT_PROBE_DROP_RATE);
    for (long long int now = 5000; now <= 7000; now += 1000) {
        /* Half for one source. */
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(stt_probe_admit(l, &a, 10, now), STT_PROBE_OK);
        }
        CHECK_EQ(stt_probe_admit(l, &a, 10, now), STT_PROBE_DROP_SHARE);
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(stt_probe_admit(l, &b, 10, now), STT_PROBE_OK);
        }
        CHECK_EQ(stt_probe_admit(l, &c, 10, now + 999), STT_PROBE_OK);
        CHECK_EQ(stt_probe_admit(l, &c, 10, now + 999), STT_PROBE_DROP_RATE);
        CHECK_EQ(stt_probe_admit(l, &b, 10, now + 999), STT_PROBE_DROP_RATE);
    }

    /* One per second still is one. */
    CHECK_EQ(stt_probe_admit(l, &a, 1, 9000), STT_PROBE_OK);
    CHECK_EQ(stt_probe_admit(l, &a, 1, 9000), STT_PROBE_DROP_RATE);

    /* As many sources as answers. */
    for (uint32_t i = 0; i < STT_PROBE_MAX_RATE + 10; i++) {
        in6_addr_set_mapped_ipv4(&a, htonl(i));
        CHECK_EQ(stt_probe_admit(l, &a, UINT_MAX, 20000),
                 i < STT_PROBE_MAX_RATE ? STT_PROBE_OK : STT_PROBE_DROP_RATE);
    }
    free(l);
}

static void
test_stt_probe_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "format", NULL, 0, 0, test_format, OVS_RO },
        { "random", NULL, 0, 0, test_random, OVS_RO },
        { "limits", NULL, 0, 0, test_limits, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = {
        .argc = argc - 1,
        .argv = argv + 1,
    };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-probe", test_stt_probe_main);
