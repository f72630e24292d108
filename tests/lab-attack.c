/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* What a receiver of STT must survive.  See usage() for how it is told.
 *
 * The packets are made beforehand, in groups that belong together.  All that
 * changes while they are sent is the packet ID of each group, which is another
 * one each time, so that the receiver can't know the frame yet. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "byte-order.h"
#include "csum.h"
#include "packets.h"
#include "random.h"
#include "stt.h"
#include "timeval.h"
#include "util.h"

#define BATCH 64
#define MAX_PACKETS 4096
#define MAX_LEN 1514
#define L3_OFS ETH_HEADER_LEN
#define L4_OFS (L3_OFS + IP_HEADER_LEN)
#define DATA_OFS (L4_OFS + TCP_HEADER_LEN)
#define INNER_OFS (DATA_OFS + STT_HEADER_LEN)
#define MAX_DATA (MAX_LEN - DATA_OFS)

/* Addresses that the attacker takes, beside that of the peer, which are from
 * 198.51.100.0/24. */
#define STRANGERS 0xc6336400
#define N_STRANGERS 64

struct packet {
    uint8_t bytes[MAX_LEN];
    size_t len;
    int group;
    bool new_id;                /* Gets another packet ID each time? */
};

static struct packet packets[MAX_PACKETS];
static size_t n_packets;
static int n_groups;

static struct eth_addr eth_dst, eth_src;
static ovs_be32 ip_dst, ip_peer;
static ovs_be64 key;

static volatile sig_atomic_t stop;

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: sends packets that no sender of STT would\n"
           "usage: %s [OPTION]... INTERFACE ETH-TARGET TARGET ETH-PEER PEER\n"
           "\n"
           "TARGET is the IPv4 address of the switch that is attacked,\n"
           "ETH-TARGET its Ethernet address.  PEER is that of its peer, from\n"
           "which the packets pretend to be, except for those that come from\n"
           "strangers.  All come from Ethernet address ETH-PEER, as if there\n"
           "was a router.\n"
           "\n"
           "  --rate=NUMBER      packets per second (default: no limit)\n"
           "  --seconds=NUMBER   how long (default: until it is ended)\n"
           "  --seed=NUMBER      makes other random choices (default 1)\n"
           "  --key=NUMBER       context ID of whole frames (default 0xbad)\n"
           "  --to=ADDRESS       same packets, but to this IPv4 address\n"
           "  --harmless         valid whole frames of the same sizes\n"
           "\n"
           "Prints \"ready\" at first and, when it ends or is\n"
           "ended by SIGINT or SIGTERM, what was sent, in JSON.\n",
           program_name, program_name);
    exit(EXIT_SUCCESS);
}

static void
handle_signal(int sig OVS_UNUSED)
{
    stop = 1;
}

static void *
at(struct packet *p, size_t ofs)
{
    return p->bytes + ofs;
}

static struct ip_header *
ip_of(struct packet *p)
{
    return at(p, L3_OFS);
}

static struct tcp_header *
tcp_of(struct packet *p)
{
    return at(p, L4_OFS);
}

static struct stt_header *
stt_of(struct packet *p)
{
    return at(p, DATA_OFS);
}

/* Makes the checksums of 'p' right, as far as they can be. */
static void
finish(struct packet *p)
{
    struct ip_header *ip = ip_of(p);
    struct tcp_header *tcp = tcp_of(p);
    size_t l4_len = p->len - L4_OFS;
    uint32_t sum;

    ip->ip_csum = 0;
    ip->ip_csum = csum(ip, sizeof *ip);
    tcp->tcp_csum = 0;
    sum = packet_csum_pseudoheader(ip);
    tcp->tcp_csum = csum_finish(csum_continue(sum, tcp, l4_len));
}

/* Adds a segment of 'len' bytes at 'offset' of a frame of 'frame_len' bytes,
 * from 'src', to the last group.  The caller may change it, and must call
 * finish() again then. */
static struct packet *
add(ovs_be32 src, uint16_t frame_len, uint16_t offset, size_t len)
{
    struct packet *p = &packets[n_packets++];
    struct eth_header *eth = at(p, 0);
    struct ip_header *ip = ip_of(p);
    struct tcp_header *tcp = tcp_of(p);

    ovs_assert(n_packets <= MAX_PACKETS && len <= MAX_DATA);
    p->len = DATA_OFS + len;
    p->group = n_groups;
    p->new_id = true;

    eth->eth_dst = eth_dst;
    eth->eth_src = eth_src;
    eth->eth_type = htons(ETH_TYPE_IP);
    ip->ip_ihl_ver = IP_IHL_VER(5, 4);
    ip->ip_tot_len = htons(p->len - L3_OFS);
    ip->ip_frag_off = htons(IP_DONT_FRAGMENT);
    ip->ip_ttl = 64;
    ip->ip_proto = IPPROTO_TCP;
    put_16aligned_be32(&ip->ip_src, src);
    put_16aligned_be32(&ip->ip_dst, ip_dst);

    tcp->tcp_src = htons(32768 + n_groups);
    tcp->tcp_dst = htons(STT_DST_PORT);
    put_16aligned_be32(&tcp->tcp_seq,
                       htonl((uint32_t) frame_len << 16 | offset));
    put_16aligned_be32(&tcp->tcp_ack, htonl(n_groups));
    tcp->tcp_ctl = TCP_CTL(TCP_ACK | (offset + len == frame_len ? TCP_PSH : 0),
                           5);
    tcp->tcp_winsz = htons(UINT16_MAX);

    random_bytes(tcp + 1, len);
    if (!offset && len >= STT_HEADER_LEN) {
        struct stt_header *stt = stt_of(p);

        memset(stt, 0, sizeof *stt);
        stt_set_context_id(stt, key);
        if (len >= STT_HEADER_LEN + ETH_HEADER_LEN) {
            struct eth_header *inner = (struct eth_header *) (stt + 1);

            inner->eth_dst = inner->eth_src = eth_src;
            inner->eth_type = htons(0x88b5);
        }
    }
    finish(p);
    return p;
}

/* Adds a frame in one piece, with an IPv4 TCP packet inside, whose header says
 * 'flags', 'l4_offset' and 'mss'. */
static struct packet *
add_offload(uint8_t flags, uint8_t l4_offset, uint16_t mss)
{
    size_t inner_len = 1000;
    struct packet *p = add(ip_peer, STT_HEADER_LEN + inner_len, 0,
                           STT_HEADER_LEN + inner_len);
    struct stt_header *stt = stt_of(p);
    struct eth_header *eth = (struct eth_header *) (stt + 1);
    struct ip_header *ip = (struct ip_header *) (eth + 1);
    struct tcp_header *tcp = (struct tcp_header *) (ip + 1);

    stt->flags = flags;
    stt->l4_offset = l4_offset;
    stt->mss = htons(mss);
    eth->eth_type = htons(ETH_TYPE_IP);
    memcpy(ip, ip_of(p), sizeof *ip);
    ip->ip_tot_len = htons(inner_len - ETH_HEADER_LEN);
    ip->ip_csum = 0;
    ip->ip_csum = csum(ip, sizeof *ip);
    tcp->tcp_ctl = TCP_CTL(TCP_ACK, 5);
    finish(p);
    n_groups++;
    return p;
}

/* Segments of frames that never become whole. */
static void
add_incomplete(void)
{
    for (size_t i = 0; i < N_STRANGERS; i++) {
        add(htonl(STRANGERS + i), UINT16_MAX, 0, MAX_DATA);
        n_groups++;
    }
    for (size_t i = 0; i < 256; i++) {
        /* The first, one amid, the last. */
        add(ip_peer, UINT16_MAX, 0, 1000);
        n_groups++;
        add(ip_peer, UINT16_MAX, 1000 + i * 200, MAX_DATA);
        n_groups++;
        add(ip_peer, 2000, 1999, 1);
        n_groups++;
    }

    /* Single bytes with holes between them. */
    for (size_t i = 0; i < STT_MAX_SEGMENTS + 8; i++) {
        add(ip_peer, UINT16_MAX, 100 + i * 2, 1);
    }
    n_groups++;
    /* Single bytes without holes, backward. */
    for (size_t i = STT_MAX_SEGMENTS + 8; i > 0; i--) {
        add(ip_peer, UINT16_MAX, 100 + i, 1);
    }
    n_groups++;
    /* The first part of the STT header. */
    for (size_t i = 1; i < STT_HEADER_LEN; i++) {
        add(ip_peer, 1000, 0, i);
        stt_of(&packets[n_packets - 1])->version = 0;
        finish(&packets[n_packets - 1]);
        n_groups++;
    }
}

/* Segments that contradict each other. */
static void
add_contradicting(void)
{
    for (size_t i = 0; i < 32; i++) {
        struct packet *p;

        /* The same again, before and after the frame is whole. */
        p = add(ip_peer, 2000, 0, 1000);
        stt_of(p)->mss = htons(1);
        finish(p);
        packets[n_packets] = *p;
        n_packets++;
        p = add(ip_peer, 2000, 1000, 1000);
        packets[n_packets] = *p;
        n_packets++;
        if (i % 2) {
            for (size_t j = 1; j <= 4; j++) {
                packets[n_packets - j].new_id = false;
            }
        }
        n_groups++;

        /* A part of them again. */
        add(ip_peer, 3000, 500, 1000);
        add(ip_peer, 3000, 1000 - i, 1000);
        n_groups++;
        add(ip_peer, 3000, 500, 1000);
        add(ip_peer, 3000, 400 - i, 1200 + i);
        n_groups++;

        /* The same bytes with another content. */
        add(ip_peer, 3000, 500, 1000);
        add(ip_peer, 3000, 500, 1000);
        n_groups++;

        /* Another length. */
        add(ip_peer, 3000, 0, 1000);
        add(ip_peer, 2000, 1000, 1000);
        n_groups++;

        /* Another source port or address. */
        add(ip_peer, 2000, 0, 1000);
        p = add(ip_peer, 2000, 1000, 1000);
        tcp_of(p)->tcp_src = htons(STT_DST_PORT);
        finish(p);
        add(htonl(STRANGERS), 2000, 1000, 1000);
        n_groups++;
    }
}

/* Outer headers that are invalid. */
static void
add_invalid(void)
{
    static const uint16_t lengths[] = { 0, 1, 17, 18, 19, 31 };
    static const uint8_t flags[] = {
        TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK,
        TCP_FIN | TCP_ACK, TCP_URG | TCP_ACK, 0xff,
    };
    struct packet *p;

    /* A client of some other protocol begins without any payload. */
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        p = add(i % 2 ? ip_peer : htonl(STRANGERS + i), 1000, 0, i % 3 * 500);
        tcp_of(p)->tcp_ctl = TCP_CTL(flags[i], 5);
        finish(p);
        n_groups++;
    }
    add(ip_peer, 1000, 0, 0);
    n_groups++;

    for (size_t i = 0; i < 64; i++) {
        p = add(i % 4 ? ip_peer : htonl(STRANGERS + i), 1000 + i, 0, 1000);
        tcp_of(p)->tcp_csum ^= htons(1 << i % 16);
        n_groups++;
    }
    for (size_t i = 0; i < 16; i++) {
        /* Also the length that would be right. */
        p = add(ip_peer, 1000, 0, 1000);
        tcp_of(p)->tcp_ctl = TCP_CTL(TCP_ACK, i == 5 ? 0 : i);
        finish(p);
        n_groups++;
    }
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        add(ip_peer, lengths[i], 0, lengths[i] ? lengths[i] : 1);
        n_groups++;
    }
    for (size_t i = 0; i < 8; i++) {
        add(ip_peer, 1000, 900 + i * 20, 1000);
        n_groups++;
        add(ip_peer, UINT16_MAX, UINT16_MAX - i, 100);
        n_groups++;
        add(ip_peer, 1000, UINT16_MAX, 1);
        n_groups++;
    }

    for (size_t i = 0; i < 4; i++) {
        /* Longer and shorter than the packet. */
        p = add(ip_peer, 1000, 0, 1000);
        ip_of(p)->ip_tot_len = htons(p->len - L3_OFS + 1 + i * 5000);
        finish(p);
        n_groups++;
        p = add(ip_peer, 1000, 0, 1000);
        ip_of(p)->ip_tot_len = htons(IP_HEADER_LEN + i * 5);
        finish(p);
        n_groups++;
        /* Options and fragments. */
        p = add(ip_peer, 1000, 0, 1000);
        ip_of(p)->ip_ihl_ver = IP_IHL_VER(6 + i, 4);
        finish(p);
        n_groups++;
        p = add(ip_peer, 1000, 0, 1000);
        ip_of(p)->ip_frag_off = htons(i % 2 ? IP_MORE_FRAGMENTS : 100);
        finish(p);
        n_groups++;
    }

    /* From the target itself, and from many at once. */
    add(ip_dst, 2000, 0, 1000);
    n_groups++;
    add(htonl(0xe0000001), 2000, 0, 1000);
    n_groups++;
    add(htonl(UINT32_MAX), 2000, 0, 1000);
    n_groups++;
}

/* STT headers that are invalid. */
static void
add_bad_frames(void)
{
    const uint8_t tcp4 = STT_F_CSUM_PARTIAL | STT_F_IPV4 | STT_F_TCP;
    const uint8_t ofs = ETH_HEADER_LEN + IP_HEADER_LEN;
    struct packet *p;

    for (size_t i = 0; i < 8; i++) {
        struct ip_header *ip;

        p = add(ip_peer, 1000, 0, 1000);
        stt_of(p)->version = 1 << i;
        finish(p);
        n_groups++;

        /* Segments of nothing, and a segment size without TCP. */
        add_offload(tcp4, ofs, i);
        add_offload(0, 0, 1 + i);
        add_offload(tcp4 & ~STT_F_TCP, ofs, 100);
        /* Another protocol, and both statements about the checksum. */
        add_offload(tcp4 & ~STT_F_TCP, ofs, 0);
        add_offload(tcp4 & ~STT_F_IPV4, ofs, 0);
        add_offload(tcp4 | STT_F_CSUM_VERIFIED, i, 0);
        /* Into other headers, behind the frame. */
        add_offload(tcp4, ofs - 1 - i, 500);
        add_offload(tcp4, ofs + 1 + i, 500);
        add_offload(tcp4, UINT8_MAX, 500);

        /* What is inside has another length, or is a fragment. */
        p = add_offload(tcp4, ofs, 500);
        ip = at(p, INNER_OFS + ETH_HEADER_LEN);
        ip->ip_tot_len = htons(i * 10000);
        finish(p);
        p = add_offload(tcp4, ofs, 500);
        ip = at(p, INNER_OFS + ETH_HEADER_LEN);
        ip->ip_frag_off = htons(IP_MORE_FRAGMENTS);
        ip->ip_csum = 0;
        ip->ip_csum = csum(ip, sizeof *ip);
        finish(p);
        /* No IP at all. */
        p = add(ip_peer, 1000, 0, 1000);
        stt_of(p)->flags = tcp4;
        stt_of(p)->l4_offset = ofs;
        finish(p);
        n_groups++;
    }
}

/* Replaces each packet by one of the same size that there's nothing wrong
 * with. */
static void
make_harmless(void)
{
    size_t n = n_packets;

    n_packets = 0;
    while (n_packets < n) {
        size_t len = packets[n_packets].len - DATA_OFS;

        len = MAX(len, STT_MIN_FRAME);
        memset(&packets[n_packets], 0, sizeof packets[n_packets]);
        add(ip_peer, len, 0, len);
    }
}

/* Gives 'p' another packet ID, in the turn 'turn'. */
static void
renew(struct packet *p, uint32_t turn)
{
    struct tcp_header *tcp = tcp_of(p);
    ovs_be32 id = htonl(turn * n_groups + p->group);

    tcp->tcp_csum = recalc_csum32(tcp->tcp_csum,
                                  get_16aligned_be32(&tcp->tcp_ack), id);
    put_16aligned_be32(&tcp->tcp_ack, id);
}

static uint64_t
send_all(int fd, unsigned long int rate, unsigned long int seconds)
{
    long long int begin = time_usec();
    long long int end = seconds ? begin + seconds * 1000000LL : LLONG_MAX;
    uint32_t turn = random_uint32();
    uint64_t n_sent = 0;
    size_t next = 0;

    while (!stop) {
        struct mmsghdr msgs[BATCH];
        struct iovec iovs[BATCH];
        long long int now = time_usec();
        int n;

        if (now >= end) {
            break;
        }
        if (rate && n_sent * 1000000 / rate > now - begin) {
            usleep(100);
            continue;
        }

        memset(msgs, 0, sizeof msgs);
        for (size_t i = 0; i < BATCH; i++) {
            struct packet *p = &packets[(next + i) % n_packets];

            if (p->new_id) {
                renew(p, turn + (next + i >= n_packets));
            }
            iovs[i].iov_base = p->bytes;
            iovs[i].iov_len = p->len;
            msgs[i].msg_hdr.msg_iov = &iovs[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
        }
        n = sendmmsg(fd, msgs, BATCH, 0);
        if (n < 0) {
            if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
                ovs_fatal(errno, "cannot send");
            }
            continue;
        }
        n_sent += n;
        next += n;
        if (next >= n_packets) {
            next -= n_packets;
            turn++;
        }
    }
    return n_sent;
}

static int
open_interface(const char *name)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_ifindex = if_nametoindex(name),
    };
    int one = 1;
    int fd;

    if (!sll.sll_ifindex) {
        ovs_fatal(errno, "%s", name);
    }
    /* Nothing is received. */
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0
        || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one)
        || bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        ovs_fatal(errno, "%s: cannot send packets", name);
    }
    return fd;
}

static unsigned long long int
parse(const char *s)
{
    char *tail;
    unsigned long long int value;

    errno = 0;
    value = strtoull(s, &tail, 0);
    if (*tail || tail == s || errno) {
        ovs_fatal(0, "%s: not a number", s);
    }
    return value;
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "rate", required_argument, NULL, 'r' },
        { "seconds", required_argument, NULL, 't' },
        { "seed", required_argument, NULL, 's' },
        { "key", required_argument, NULL, 'k' },
        { "to", required_argument, NULL, 'd' },
        { "harmless", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct sigaction action = { .sa_handler = handle_signal };
    unsigned long int rate = 0, seconds = 0;
    const char *to = NULL;
    bool harmless = false;
    long long int begin;
    uint32_t seed = 1;
    uint64_t n_sent;
    int c, fd;

    set_program_name(argv[0]);
    key = htonll(0xbad);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'r':
            rate = parse(optarg);
            break;
        case 't':
            seconds = parse(optarg);
            break;
        case 's':
            seed = parse(optarg);
            break;
        case 'k':
            key = htonll(parse(optarg));
            break;
        case 'd':
            to = optarg;
            break;
        case 'n':
            harmless = true;
            break;
        case 'h':
            usage();
        default:
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind != 5) {
        ovs_fatal(0, "five arguments needed; use --help for help");
    }
    argv += optind;
    if (!eth_addr_from_string(argv[1], &eth_dst)
        || !ip_parse(to ? to : argv[2], &ip_dst)
        || !eth_addr_from_string(argv[3], &eth_src)
        || !ip_parse(argv[4], &ip_peer)) {
        ovs_fatal(0, "not an address");
    }
    random_set_seed(seed ? seed : 1);

    fd = open_interface(argv[0]);
    add_incomplete();
    add_contradicting();
    add_invalid();
    add_bad_frames();
    if (harmless) {
        make_harmless();
    }

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    printf("ready\n");
    fflush(stdout);

    begin = time_msec();
    n_sent = send_all(fd, rate, seconds);
    printf("{\"packets\": %"PRIu64", \"ms\": %lld}\n", n_sent,
           time_msec() - begin);
    return 0;
}
