/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/stt-peers.c.  Each command is one test; see
 * tests/stt.at. */

#include <config.h>
#undef NDEBUG
#include "stt-peers.h"

#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "ovstest.h"
#include "packets.h"
#include "test-stt.h"
#include "util.h"

/* Peers that are up to the flows. */

static size_t
count_learned(ovs_be16 port)
{
    struct in6_addr *addrs;
    size_t n = stt_peers_get_learned(port, &addrs);

    for (size_t i = 1; i < n; i++) {
        CHECK(memcmp(&addrs[i - 1], &addrs[i], sizeof *addrs) < 0);
    }
    free(addrs);
    return n;
}

static void
test_learned(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    ovs_be16 flow = htons(1), fixed = htons(2);
    struct in6_addr addr;

    in6_addr_set_mapped_ipv4(&addr, htonl(0x0a000000));
    stt_peers_begin();
    stt_peers_add(&in6addr_any, flow);
    stt_peers_add(&addr, flow);
    stt_peers_add(&addr, fixed);
    stt_peers_end(0);

    /* The first address is another port's, and there is a limit. */
    for (uint32_t i = 0; i < STT_MAX_LEARNED * 2; i++) {
        in6_addr_set_mapped_ipv4(&addr, htonl(0x0a000000 + i));
        stt_peers_sent(&addr, flow, i);
        stt_peers_sent(&addr, flow, i);
        stt_peers_sent(&addr, fixed, i);
        CHECK_EQ(count_learned(flow), MIN(i, STT_MAX_LEARNED));
    }
    CHECK_EQ(count_learned(fixed), 0);

    /* What is not used any more makes room. */
    stt_peers_begin();
    stt_peers_add(&in6addr_any, flow);
    stt_peers_end(STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), STT_MAX_LEARNED - 10);
    stt_peers_sent(&addr, flow, STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), STT_MAX_LEARNED - 9);

    /* And without such a port, nothing is learned. */
    stt_peers_begin();
    stt_peers_end(STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), 0);
    stt_peers_sent(&addr, flow, STT_LEARNED_AGE + 10);
    CHECK_EQ(count_learned(flow), 0);
}

static void
test_stt_peers_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "learned", NULL, 0, 0, test_learned, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-stt-peers", test_stt_peers_main);
