/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Unit tests of lib/netdev-tuning.c.  Each command is one test; see
 * tests/netdev-tuning.at. */

#include <config.h>
#undef NDEBUG
#include "netdev-tuning.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "csum.h"
#include "csum-fast.h"
#include "dp-packet.h"
#include "netdev-provider.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "smap.h"
#include "test-stt.h"
#include "userspace-tso.h"
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
    int initial, def, size;

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

    /* Without privilege, the kernel need not give what the default is. */
    configure(&netdev, "rx-socket-buffer", NULL);
    def = shown_rcvbuf(&netdev);
    CHECK(def >= initial);
    CHECK(def <= MAX(initial, NETDEV_TUNING_RCVBUF_STD));

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        stt_test_case = bad[i];
        configure(&netdev, "rx-socket-buffer", "131072");
        configure(&netdev, "rx-socket-buffer", bad[i]);
        CHECK_EQ(shown_rcvbuf(&netdev), def);
    }

    /* The kernel may give less, without privilege. */
    configure(&netdev, "rx-socket-buffer", "536870912");
    CHECK(shown_rcvbuf(&netdev) >= 131072);

    netdev_tuning_rxq_closed(&netdev);
    CHECK_EQ(shown_rcvbuf(&netdev), 0);
    close(fd);
}

/* Checks that 'netdev' uses the features 'ol_flags'. */
static void
check_seg_by(const struct netdev *netdev, const char *by, uint64_t ol_flags)
{
    struct smap status = SMAP_INITIALIZER(&status);

    stt_test_case = by;
    netdev_tuning_get_status(netdev, &status);
    CHECK(!strcmp(by, smap_get_def(&status, "tx_tcp_seg_by", "")));
    CHECK_EQ(netdev_tuning_ol_flags(netdev), ol_flags);
    smap_destroy(&status);
}

#ifdef __linux__
static size_t n_sent;

static int
count_sent(struct netdev *netdev OVS_UNUSED, int qid OVS_UNUSED,
           struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    n_sent = dp_packet_batch_size(batch);
    dp_packet_delete_batch(batch, true);
    return 0;
}

/* Sends a packet of three segments to 'netdev', which is of type "system", and
 * checks in how many it gets there. */
static void
check_sent(struct netdev *netdev, size_t n)
{
    const struct netdev_class *netdev_class = netdev->netdev_class;
    const struct netdev_class counter = { .send = count_sent };
    struct dp_packet_batch batch;

    dp_packet_batch_init_packet(&batch,
                                build_partial(SPEC(.proto = IPPROTO_TCP,
                                                   .payload = 3000), 1000));
    netdev->netdev_class = &counter;
    CHECK_EQ(netdev_send(netdev, 0, &batch, false), 0);
    netdev->netdev_class = netdev_class;
    CHECK_EQ(n_sent, n);
    dp_packet_batch_destroy(&batch);
}
#endif

static void
test_kernel_tso(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#ifdef __linux__
    const uint64_t sctp = NETDEV_TX_OFFLOAD_SCTP_CKSUM;
    const uint64_t tso = NETDEV_TX_OFFLOAD_TCP_TSO
                         | NETDEV_TX_OFFLOAD_TCP_CKSUM;
    struct netdev nic = {
        .name = "p0",
        .netdev_class = &netdev_linux_class,
        .ol_flags = sctp,
    };
    struct netdev tso_nic = {
        .name = "p1",
        .netdev_class = &netdev_linux_class,
        .ol_flags = tso,
    };
    struct netdev tap = {
        .name = "p2",
        .netdev_class = &netdev_tap_class,
    };

    struct smap config = SMAP_INITIALIZER(&config);
    uint64_t before;

    /* Without userspace TSO. */
    configure(&nic, "kernel-tso", NULL);
    check_seg_by(&nic, "", sctp);

    smap_add(&config, "userspace-tso-enable", "true");
    userspace_tso_init(&config);
    smap_destroy(&config);
    netdev_tuning_init_ol(&nic);
    check_seg_by(&nic, "kernel", sctp | tso);
    check_sent(&nic, 1);

    /* Other threads read 'ol_flags'. */
    before = nic.ol_flags;
    configure(&nic, "kernel-tso", "false");
    check_seg_by(&nic, "switch", sctp);
    check_sent(&nic, 3);
    CHECK_EQ(nic.ol_flags, before);
    configure(&nic, "kernel-tso", NULL);
    check_seg_by(&nic, "kernel", sctp | tso);
    check_sent(&nic, 1);
    CHECK_EQ(nic.ol_flags, before);

    netdev_tuning_init_ol(&tso_nic);
    check_seg_by(&tso_nic, "nic", tso);
    configure(&tso_nic, "kernel-tso", "false");
    check_seg_by(&tso_nic, "nic", tso);

    netdev_tuning_init_ol(&tap);
    check_seg_by(&tap, "", 0);
    configure(&tap, "kernel-tso", "true");
    check_seg_by(&tap, "", 0);
#endif
}

static void
check_valid(const struct inner_spec *spec, bool tso, bool good, bool partial)
{
    struct dp_packet *packet = build_inner(spec);

    dp_packet_reset_offsets(packet);
    netdev_tuning_mark_valid(packet, tso);
    CHECK_EQ(dp_packet_l4_checksum_good(packet), good);
    CHECK_EQ(dp_packet_l4_checksum_partial(packet), partial);
    CHECK_EQ(dp_packet_l4_checksum_unknown(packet), !good && !partial);
    CHECK_EQ(dp_packet_ip_checksum_unknown(packet), true);
    CHECK_EQ(dp_packet_get_tso_segsz(packet), 0);
    dp_packet_delete(packet);
}

/* Which packets count as good if the kernel says so. */
static void
test_valid(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        ovs_be16 first = ipv6 ? htons(1) : htons(IP_MORE_FRAGMENTS);
        ovs_be16 later = htons(64);

        stt_test_case = ipv6 ? "IPv6" : "IPv4";
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_TCP), 0, true, false);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_UDP), 0, true, false);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_TCP,
                         .tags = { TAG(0x8100, 5) }), 0, true, false);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_TCP), 1, false, true);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_SCTP),
                    0, false, false);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_GRE), 0, false, false);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_TCP, .frag = first),
                    0, false, false);
        check_valid(TINY(.ipv6 = ipv6, .proto = IPPROTO_UDP, .frag = later),
                    0, false, false);
    }
    stt_test_case = "not IP";
    check_valid(TINY(.proto = 0), 0, false, false);
}

/* Adds the byte at 'i' to the sum 'partial' of the 'i' bytes before it. */
static uint32_t
add_byte(uint32_t partial, size_t i, uint8_t byte)
{
    uint8_t word[2] = { 0, 0 };
    uint16_t value;

    word[i % 2] = byte;
    memcpy(&value, word, sizeof value);
    partial += value;
    return (partial & UINT16_MAX) + (partial >> 16);
}

static void
check_csum(const uint8_t *data, size_t max_len, uint32_t partial)
{
    uint32_t slow = partial;

    for (size_t n = 0; n <= max_len; n++) {
        uint32_t fast = csum_fast(partial, data, n);

        CHECK_EQ(csum_finish(fast), csum_finish(slow));
        CHECK_EQ(csum_finish(csum_continue(partial, data, n)),
                 csum_finish(slow));
        slow = add_byte(slow, n, data[n]);
    }
}

/* Packets of any length at any address, and sums that are 0 or nearly so. */
static void
test_csum_fast(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { LEN = 66000 };
    uint8_t *data = xmalloc(LEN + 64);

    for (size_t i = 0; i < LEN + 64; i++) {
        data[i] = random_uint32() >> 24;
    }
    for (size_t align = 0; align < 64; align++) {
        check_csum(data + align, 1500, 0);
        check_csum(data + align, 300, random_uint32() >> 8);
    }
    for (size_t align = 0; align < 2; align++) {
        check_csum(data + align, LEN, align);
    }
    memset(data, 0xff, LEN + 64);
    check_csum(data, LEN, 0);
    check_csum(data, 300, UINT32_MAX >> 8);
    memset(data, 0, LEN + 64);
    check_csum(data, 300, 0);
    check_csum(data, 300, 0xffff);

    /* A single bit anywhere. */
    for (size_t i = 0; i < 300 * 8; i++) {
        data[i / 8] = 1 << i % 8;
        check_csum(data, 301, 0);
        data[i / 8] = 0;
    }
    free(data);
}

static void
test_netdev_tuning_main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "big", NULL, 0, 0, test_big, OVS_RO },
        { "reuse", NULL, 0, 0, test_reuse, OVS_RO },
        { "csum-fast", NULL, 0, 0, test_csum_fast, OVS_RO },
        { "kernel-tso", NULL, 0, 0, test_kernel_tso, OVS_RO },
        { "valid", NULL, 0, 0, test_valid, OVS_RO },
        { "rcvbuf", NULL, 0, 0, test_rcvbuf, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
}

OVSTEST_REGISTER("test-netdev-tuning", test_netdev_tuning_main);
