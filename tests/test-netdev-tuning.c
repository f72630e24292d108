/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/netdev-tuning.c.  Each command is one test; see
 * tests/netdev-tuning.at. */

#include <config.h>
#undef NDEBUG
#include "netdev-tuning.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dp-packet.h"
#include "netdev-provider.h"
#include "ovstest.h"
#include "packets.h"
#include "smap.h"
#include "test-stt.h"
#include "util.h"

/* A maximal IPv6 packet with an Ethernet header and two VLAN tags, and the
 * virtio header. */
#define VNET 10
#define LONGEST (VNET + ETH_HEADER_LEN + 2 * VLAN_HEADER_LEN \
                 + IPV6_HEADER_LEN + UINT16_MAX)

/* The longest headers that STT pushes: over IPv6, with a tag and virtio. */
#define PUSHED (ETH_HEADER_LEN + VLAN_HEADER_LEN + IPV6_HEADER_LEN + 20 + 18)

static uint8_t
byte_at(size_t i)
{
    return i * 7 + (i >> 8);
}

/* Receives a packet of 'len' bytes, virtio header included, as netdev-linux
 * does with an interface of 'mtu', pushes headers and checks that its bytes
 * have survived without being moved. */
static void
check_big(size_t len, int mtu)
{
    size_t std_len = netdev_tuning_std_len(VNET, mtu, true);
    struct dp_packet *std = netdev_tuning_std_buf(NULL, std_len);
    struct dp_packet *big = netdev_tuning_big_buf(NULL, std_len);
    uint8_t *base = dp_packet_base(big);
    uint8_t *headers;

    CHECK(len > std_len);
    CHECK_EQ(dp_packet_tailroom(std), std_len);
    CHECK(std_len + dp_packet_tailroom(big) >= len);
    CHECK(dp_packet_tailroom(big) <= dp_packet_get_allocated(big));

    for (size_t i = 0; i < std_len; i++) {
        ((uint8_t *) dp_packet_data(std))[i] = byte_at(i);
    }
    for (size_t i = std_len; i < len; i++) {
        ((uint8_t *) dp_packet_data(big))[i - std_len] = byte_at(i);
    }
    dp_packet_set_size(big, len - std_len);
    dp_packet_push(big, dp_packet_data(std), std_len);
    CHECK_EQ(dp_packet_size(big), len);
    CHECK(dp_packet_pull(big, VNET) != NULL);

    headers = dp_packet_push_zeros(big, PUSHED);
    dp_packet_push_zeros(big, VNET);
    CHECK(headers != NULL);
    CHECK(dp_packet_base(big) == base);
    CHECK_EQ(dp_packet_size(big), len + PUSHED);
    for (size_t i = VNET; i < len; i++) {
        CHECK_EQ(*(uint8_t *) dp_packet_at_assert(big, i + PUSHED, 1),
                 byte_at(i));
    }
    dp_packet_delete(std);
    dp_packet_delete(big);
}

static void
test_big(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#ifndef DPDK_NETDEV
    const int mtus[] = { 68, 1280, 1500, 9000, 16384, 65535 };

    for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
        size_t std_len = netdev_tuning_std_len(VNET, mtus[i], true);

        check_big(std_len + 1, mtus[i]);
        check_big(65397, mtus[i]);
        check_big(65535, mtus[i]);
        check_big(65536, mtus[i]);
        check_big(LONGEST, mtus[i]);
    }
#endif
}

/* Buffers that nothing was received into, and freed ones, are used again. */
static void
test_reuse(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N = 4 * NETDEV_MAX_BURST };
    struct dp_packet *std = netdev_tuning_std_buf(NULL, 1528);
    struct dp_packet *big = netdev_tuning_big_buf(NULL, 1528);
    void *base = dp_packet_base(big);
    struct dp_packet *many[N];

    CHECK(netdev_tuning_std_buf(std, 1528) == std);
    CHECK(netdev_tuning_big_buf(big, 1528) == big);

    /* The MTU changes. */
    std = netdev_tuning_std_buf(std, 9028);
    CHECK_EQ(dp_packet_tailroom(std), 9028);
    CHECK(netdev_tuning_big_buf(big, 9028) == big);
    CHECK_EQ(dp_packet_headroom(big),
             9028 + dp_packet_headroom(std));
    std = netdev_tuning_std_buf(std, 28);
    CHECK_EQ(dp_packet_tailroom(std), 28);

    /* A packet that has been sent. */
    dp_packet_set_size(big, 60000);
    dp_packet_push_zeros(big, 9028);
    dp_packet_delete(big);
    big = netdev_tuning_big_buf(NULL, 1528);
    CHECK(dp_packet_base(big) == base);
    CHECK_EQ(dp_packet_size(big), 0);
    CHECK_EQ(dp_packet_get_allocated(big), netdev_tuning_big_buf_size());
    CHECK_EQ(dp_packet_get_tso_segsz(big), 0);

    /* More than are kept. */
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N; i++) {
            many[i] = netdev_tuning_big_buf(NULL, 1528);
            memset(dp_packet_data(many[i]), i, 1000);
        }
        for (size_t i = 0; i < N; i++) {
            CHECK_EQ(*(uint8_t *) dp_packet_data(many[i]), i);
            dp_packet_delete(many[i]);
        }
    }
    dp_packet_delete(std);
    dp_packet_delete(big);
}

static int
shown_rcvbuf(const struct netdev *netdev)
{
    struct smap status = SMAP_INITIALIZER(&status);
    int size;

    netdev_tuning_get_status(netdev, &status);
    size = smap_get_int(&status, "rx_socket_buffer", 0);
    smap_destroy(&status);
    return size;
}

static void
configure(struct netdev *netdev, const char *key, const char *value)
{
    struct smap config = SMAP_INITIALIZER(&config);

    if (value) {
        smap_add(&config, key, value);
    }
    netdev_tuning_configure(netdev, &config);
    smap_destroy(&config);
}

static void
test_rcvbuf(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const char *bad[] = {
        "", "x", "131072x", "-131072", "0", "65535", "536870913",
        "99999999999999999999"
    };
    struct netdev netdev = { .name = "p0" };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof(int);
    int initial, size;

    CHECK(fd > 0);
    CHECK_EQ(shown_rcvbuf(&netdev), 0);

    /* Before there is a socket, when it comes, and when it is there. */
    configure(&netdev, "rx-socket-buffer", "131072");
    CHECK_EQ(shown_rcvbuf(&netdev), 0);
    netdev_tuning_rxq_opened(&netdev, fd);
    initial = netdev.tuning.rcvbuf_initial;
    CHECK_EQ(shown_rcvbuf(&netdev), 131072);
    configure(&netdev, "rx-socket-buffer", "65536");
    CHECK_EQ(shown_rcvbuf(&netdev), 65536);
    CHECK(!getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len));
    CHECK_EQ(size, 2 * 65536);

    /* Without userspace TSO, the default is the kernel's. */
    configure(&netdev, "rx-socket-buffer", NULL);
    CHECK_EQ(shown_rcvbuf(&netdev), initial);

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        stt_test_case = bad[i];
        configure(&netdev, "rx-socket-buffer", "131072");
        configure(&netdev, "rx-socket-buffer", bad[i]);
        CHECK_EQ(shown_rcvbuf(&netdev), initial);
    }

    /* The kernel may give less, without privilege. */
    configure(&netdev, "rx-socket-buffer", "536870912");
    CHECK(shown_rcvbuf(&netdev) >= 131072);

    netdev_tuning_rxq_closed(&netdev);
    CHECK_EQ(shown_rcvbuf(&netdev), 0);
    close(fd);
}

static void
test_netdev_tuning_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "big", NULL, 0, 0, test_big, OVS_RO },
        { "reuse", NULL, 0, 0, test_reuse, OVS_RO },
        { "rcvbuf", NULL, 0, 0, test_rcvbuf, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-netdev-tuning", test_netdev_tuning_main);
