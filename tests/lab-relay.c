/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* A cable with faults.  See usage() for what it does and how it is told. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "byte-order.h"
#include "packets.h"
#include "random.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

/* Packets that are taken from an interface at a time. */
#define BATCH 64

/* Longest packet. */
#define MAX_FRAME 65600

/* A packet that is held back lets at most this many others pass, and waits at
 * most this long for them. */
#define HOLD_PACKETS 20
#define HOLD_MS 5

/* Packets that can be held back at a time.  There is no more reordering while
 * there are so many. */
#define MAX_HELD 256

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum fault { LOSS, REORDER, DUPLICATE, CORRUPT, N_FAULTS };

static const char *const fault_names[N_FAULTS] = {
    [LOSS] = "lost",
    [REORDER] = "reordered",
    [DUPLICATE] = "duplicated",
    [CORRUPT] = "corrupted",
};

struct held {
    uint8_t *frame;             /* NULL if the slot is free. */
    size_t len;
    int in;                     /* Interface that it came from. */
    uint64_t until_packet;      /* Of the same interface. */
    long long int until_ms;
};

static double probability[N_FAULTS];
static bool faulty[2] = { true, true };     /* By interface it comes from. */
static int fds[2];

static struct held held[MAX_HELD];
static int n_held;

static uint64_t n_packets[2];
static uint64_t n_faults[N_FAULTS];
static uint64_t n_sent, n_failed, n_overrun;
static size_t longest;

static volatile sig_atomic_t stop;

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: hands packets on between two interfaces, with faults\n"
           "usage: %s [OPTION]... FIRST SECOND\n"
           "\n"
           "  --loss=PERCENT       of segments are lost\n"
           "  --reorder=PERCENT    of segments are overtaken by others\n"
           "  --duplicate=PERCENT  of segments arrive twice\n"
           "  --corrupt=PERCENT    of segments change behind the IP header\n"
           "  --to=INTERFACE       faults affect only what leaves there\n"
           "  --seed=NUMBER        makes other random choices (default 1)\n"
           "\n"
           "A segment is an IPv4 or IPv6 packet with TCP, or what looks like\n"
           "it.  All else passes unharmed.  Prints \"ready\" at first\n"
           "and, when it is ended by SIGINT or SIGTERM, what it has done, in\n"
           "JSON.\n",
           program_name, program_name);
    exit(EXIT_SUCCESS);
}

static void
handle_signal(int sig OVS_UNUSED)
{
    stop = 1;
}

static int
open_interface(const char *name)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = if_nametoindex(name),
    };
    struct packet_mreq mreq = {
        .mr_ifindex = sll.sll_ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };
    int size = 64 * 1024 * 1024;
    int one = 1;
    int fd;

    if (!sll.sll_ifindex) {
        ovs_fatal(errno, "%s", name);
    }
    /* No packets before it is bound, which would be others'. */
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) {
        ovs_fatal(errno, "cannot open packet socket");
    }
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one)
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
                      sizeof mreq)
        || bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        ovs_fatal(errno, "%s: cannot take packets", name);
    }
    return fd;
}

/* Returns the offset of the TCP header in 'frame', or 0 if it has none. */
static size_t
find_segment(const uint8_t *frame, size_t len)
{
    const uint8_t *ip = frame + ETH_HEADER_LEN;
    size_t ofs = 0;

    if (len >= ETH_HEADER_LEN + IP_HEADER_LEN
        && frame[12] == 0x08 && frame[13] == 0x00
        && ip[9] == IPPROTO_TCP) {
        ofs = ETH_HEADER_LEN + (ip[0] & 15) * 4;
    } else if (len >= ETH_HEADER_LEN + IPV6_HEADER_LEN
               && frame[12] == 0x86 && frame[13] == 0xdd
               && ip[6] == IPPROTO_TCP) {
        ofs = ETH_HEADER_LEN + IPV6_HEADER_LEN;
    }
    return ofs < len ? ofs : 0;
}

static bool
happens(enum fault fault)
{
    if (random_uint32() / 4294967296.0 >= probability[fault]) {
        return false;
    }
    n_faults[fault]++;
    return true;
}

/* Sends 'frame', which came from interface 'in', out through the other. */
static void
hand_on(int in, const uint8_t *frame, size_t len)
{
    if (send(fds[!in], frame, len, 0) == len) {
        n_sent++;
    } else {
        n_failed++;
    }
}

/* Holds 'frame' back.  Returns false if there is no room for that. */
static bool
hold(int in, const uint8_t *frame, size_t len)
{
    for (size_t i = 0; i < MAX_HELD; i++) {
        struct held *h = &held[i];

        if (!h->frame) {
            h->frame = xmemdup(frame, len);
            h->len = len;
            h->in = in;
            h->until_packet = n_packets[in] + 1 + random_range(HOLD_PACKETS);
            h->until_ms = time_msec() + HOLD_MS;
            n_held++;
            return true;
        }
    }
    return false;
}

/* Hands on what has been held back for long enough, or all of it. */
static void
release(bool all)
{
    long long int now = n_held ? time_msec() : 0;

    for (size_t i = 0; i < MAX_HELD && n_held; i++) {
        struct held *h = &held[i];

        if (h->frame && (all || n_packets[h->in] >= h->until_packet
                         || now >= h->until_ms)) {
            hand_on(h->in, h->frame, h->len);
            free(h->frame);
            h->frame = NULL;
            n_held--;
        }
    }
}

static void
relay(int in, uint8_t *frame, size_t len)
{
    size_t ofs = faulty[in] ? find_segment(frame, len) : 0;

    n_packets[in]++;
    if (ofs) {
        longest = MAX(longest, len);
        if (happens(LOSS)) {
            return;
        }
        if (happens(CORRUPT)) {
            uint32_t bit = random_range((len - ofs) * 8);

            frame[ofs + bit / 8] ^= 1 << bit % 8;
        }
        if (happens(DUPLICATE)) {
            hand_on(in, frame, len);
        }
        if (happens(REORDER)) {
            if (hold(in, frame, len)) {
                return;
            }
            n_faults[REORDER]--;
        }
    }
    hand_on(in, frame, len);
    if (n_held) {
        release(false);
    }
}

static void
receive(int in)
{
    static uint8_t frames[BATCH][MAX_FRAME];
    struct mmsghdr msgs[BATCH];
    struct iovec iovs[BATCH];
    int n;

    memset(msgs, 0, sizeof msgs);
    for (size_t i = 0; i < BATCH; i++) {
        iovs[i].iov_base = frames[i];
        iovs[i].iov_len = MAX_FRAME;
        msgs[i].msg_hdr.msg_iov = &iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    n = recvmmsg(fds[in], msgs, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        relay(in, frames[i], msgs[i].msg_len);
    }
}

/* Counts the packets that arrived while there was no room for them. */
static void
count_overrun(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct tpacket_stats stats;
        socklen_t len = sizeof stats;

        if (!getsockopt(fds[i], SOL_PACKET, PACKET_STATISTICS, &stats, &len)) {
            n_overrun += stats.tp_drops;
        }
    }
}

static void
report(void)
{
    count_overrun();
    printf("{\"received\": %"PRIu64", \"sent\": %"PRIu64,
           n_packets[0] + n_packets[1], n_sent);
    for (size_t i = 0; i < N_FAULTS; i++) {
        printf(", \"%s\": %"PRIu64, fault_names[i], n_faults[i]);
    }
    printf(", \"failed\": %"PRIu64", \"overrun\": %"PRIu64
           ", \"longest\": %"PRIuSIZE"}\n", n_failed, n_overrun, longest);
    fflush(stdout);
}

static double
parse_percent(const char *s)
{
    char *tail;
    double percent = strtod(s, &tail);

    if (*tail || tail == s || !(percent >= 0 && percent <= 100)) {
        ovs_fatal(0, "%s: not a percentage", s);
    }
    return percent / 100;
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "loss", required_argument, NULL, LOSS },
        { "reorder", required_argument, NULL, REORDER },
        { "duplicate", required_argument, NULL, DUPLICATE },
        { "corrupt", required_argument, NULL, CORRUPT },
        { "to", required_argument, NULL, 't' },
        { "seed", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct sigaction action = { .sa_handler = handle_signal };
    const char *to = NULL;
    uint32_t seed = 1;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case LOSS:
        case REORDER:
        case DUPLICATE:
        case CORRUPT:
            probability[c] = parse_percent(optarg);
            break;
        case 't':
            to = optarg;
            break;
        case 's':
            seed = strtoul(optarg, NULL, 0);
            break;
        case 'h':
            usage();
        default:
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind != 2) {
        ovs_fatal(0, "two interfaces needed; use --help for help");
    }
    random_set_seed(seed ? seed : 1);

    for (size_t i = 0; i < 2; i++) {
        fds[i] = open_interface(argv[optind + i]);
        if (to) {
            faulty[i] = !strcmp(argv[optind + !i], to);
        }
    }
    if (!faulty[0] && !faulty[1]) {
        ovs_fatal(0, "%s: not one of the two interfaces", to);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    printf("ready\n");
    fflush(stdout);

    while (!stop) {
        struct pollfd pfds[2] = {
            { .fd = fds[0], .events = POLLIN },
            { .fd = fds[1], .events = POLLIN },
        };

        poll(pfds, 2, n_held ? 1 : 100);
        for (int i = 0; i < 2; i++) {
            if (pfds[i].revents & POLLIN) {
                receive(i);
            }
        }
        release(false);
    }
    release(true);
    report();
    return 0;
}
