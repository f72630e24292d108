/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* How many UDP packets arrive, and how soon.  See usage() for how it is told.
 *
 * One process has sockets in two network namespaces, so that the packets that
 * are sent and those that arrive are counted with the same clock. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

#define NETNS_DIR "/run/netns"
#define BATCH 64
#define MAX_LEN 9000
#define MAX_FLOWS 4096
#define MAX_TRANSACTIONS 1000000
#define FIRST_PORT 10000        /* Source port of the first flow. */
#define DST_PORT 9999

/* How long a run waits after the last packet that arrived, and for a reply. */
#define QUIET_NS (100 * 1000 * 1000LL)

/* Between two bursts of packets. */
#define TICK_NS (100 * 1000LL)

/* What each packet begins with: the number of its run. */
struct payload {
    ovs_be64 run;
};

static int senders[MAX_FLOWS];
static unsigned int n_flows = 1;
static size_t len;
static int receiver;

/* Of the run that the receiver counts. */
static atomic_uint64_t run;
static atomic_uint64_t n_received;
static atomic_uint64_t last_ns; /* When the last one arrived. */
static atomic_bool echo;        /* Is each packet to be sent back? */

static void
usage(void)
{
    printf("%s: sends UDP packets from one network namespace to another\n"
           "usage: %s FROM TO ADDRESS LENGTH [FLOWS]\n"
           "\n"
           "FROM and TO are namespaces as ip-netns(8) names them.  ADDRESS\n"
           "is an IPv4 address that TO has, LENGTH the number of bytes in\n"
           "each packet behind the UDP header.  The packets are of FLOWS\n"
           "connections (default: 1) by turns, which have different source\n"
           "ports from %d on.\n"
           "\n"
           "Reads commands, one a line, and prints a line of JSON for each:\n"
           "\n"
           "  rate PPS MS   sends PPS packets per second for MS milliseconds\n"
           "  rr MS         sends one packet after another for MS\n"
           "                milliseconds, each after the reply to the last\n",
           program_name, program_name, FIRST_PORT);
    exit(EXIT_SUCCESS);
}

static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static unsigned long int
parse(const char *s, unsigned long int min, unsigned long int max)
{
    unsigned long long int value;

    if (!str_to_ullong(s, 10, &value) || value < min || value > max) {
        ovs_fatal(0, "%s: not a number from %lu to %lu", s, min, max);
    }
    return value;
}

/* Has the calling thread enter namespace 'name'.  Sockets stay where they are
 * made. */
static void
enter(const char *name)
{
    char *path = xasprintf("%s/%s", NETNS_DIR, name);
    int fd = open(path, O_RDONLY);

    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        ovs_fatal(errno, "%s: can't enter namespace", name);
    }
    close(fd);
    free(path);
}

static int
make_socket(ovs_be32 address, uint16_t port)
{
    const struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = address,
        .sin_port = htons(port),
    };
    const struct timeval timeout = { .tv_usec = QUIET_NS / 1000 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int size = 64 * 1024 * 1024;

    if (fd < 0 || bind(fd, (const struct sockaddr *) &sin, sizeof sin)) {
        ovs_fatal(errno, "can't bind UDP port %"PRIu16, port);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout)
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        ovs_fatal(errno, "can't set options of a socket");
    }
    return fd;
}

/* Makes the sockets: one that receives in namespace 'to', and one for each
 * flow in 'from'. */
static void
make_sockets(const char *from, const char *to, ovs_be32 address)
{
    const struct sockaddr_in dst = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = address,
        .sin_port = htons(DST_PORT),
    };

    enter(to);
    receiver = make_socket(address, DST_PORT);
    enter(from);
    for (unsigned int i = 0; i < n_flows; i++) {
        senders[i] = make_socket(htonl(INADDR_ANY), FIRST_PORT + i);
        if (connect(senders[i], (const struct sockaddr *) &dst, sizeof dst)) {
            ovs_fatal(errno, "can't connect");
        }
    }
}

/* Counts what arrives, in a thread of its own. */
static void *
receive_all(void *aux OVS_UNUSED)
{
    static uint8_t buffers[BATCH][MAX_LEN];
    struct sockaddr_in names[BATCH];
    struct mmsghdr msgs[BATCH];
    struct iovec iovs[BATCH];

    for (;;) {
        uint64_t this_run, old;
        unsigned int n = 0;
        bool is_echo;
        int retval;

        memset(msgs, 0, sizeof msgs);
        for (int i = 0; i < BATCH; i++) {
            iovs[i] = (struct iovec) { buffers[i], MAX_LEN };
            msgs[i].msg_hdr.msg_iov = &iovs[i];
            msgs[i].msg_hdr.msg_iovlen = 1;
            msgs[i].msg_hdr.msg_name = &names[i];
            msgs[i].msg_hdr.msg_namelen = sizeof names[i];
        }
        retval = recvmmsg(receiver, msgs, BATCH, MSG_WAITFORONE, NULL);
        if (retval < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) {
                ovs_fatal(errno, "can't receive");
            }
            continue;
        }

        atomic_read(&run, &this_run);
        atomic_read(&echo, &is_echo);
        for (int i = 0; i < retval; i++) {
            struct payload payload;

            memcpy(&payload, buffers[i], sizeof payload);
            if (msgs[i].msg_len != len || ntohll(payload.run) != this_run) {
                continue;
            }
            n++;
            if (is_echo
                && sendto(receiver, buffers[i], len, 0,
                          (struct sockaddr *) &names[i],
                          sizeof names[i]) < 0) {
                ovs_fatal(errno, "can't reply");
            }
        }
        if (n) {
            atomic_store(&last_ns, now_ns());
            atomic_add(&n_received, n, &old);
        }
    }
    OVS_NOT_REACHED();
}

/* Makes 'data' a packet of a new run. */
static void
begin_run(uint8_t *data, bool is_echo)
{
    static uint64_t number;
    struct payload payload;

    atomic_store(&n_received, 0);
    atomic_store(&last_ns, 0);
    atomic_store(&echo, is_echo);
    atomic_store(&run, ++number);
    payload.run = htonll(number);
    memcpy(data, &payload, sizeof payload);
}

/* Sends 'n' packets through the socket of a flow.  Returns how many the kernel
 * took. */
static unsigned int
send_some(int fd, const uint8_t *data, unsigned int n)
{
    struct iovec iov = { CONST_CAST(uint8_t *, data), len };
    struct mmsghdr msgs[BATCH];
    int retval;

    memset(msgs, 0, sizeof msgs);
    for (unsigned int i = 0; i < n; i++) {
        msgs[i].msg_hdr.msg_iov = &iov;
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    do {
        retval = sendmmsg(fd, msgs, n, 0);
    } while (retval < 0 && (errno == EINTR || errno == ECONNREFUSED));
    if (retval < 0 && errno != ENOBUFS && errno != EAGAIN) {
        ovs_fatal(errno, "can't send");
    }
    return MAX(retval, 0);
}

static void
do_rate(uint64_t pps, int64_t duration_ns)
{
    uint64_t n_wanted = pps * (duration_ns / 1000000) / 1000;
    uint64_t n_sent = 0, n_refused = 0, n, last;
    static uint8_t data[MAX_LEN];
    unsigned int flow = 0;
    int64_t begin, end;

    begin_run(data, false);
    begin = now_ns();
    for (;;) {
        int64_t elapsed = now_ns() - begin;
        uint64_t due = MIN(n_wanted, pps * (elapsed / 1000) / 1000000);

        if (elapsed >= duration_ns || n_sent + n_refused >= n_wanted) {
            break;
        }
        while (n_sent + n_refused < due) {
            uint64_t left = due - n_sent - n_refused;
            unsigned int burst = MIN(left, n_flows > 1 ? 1 : BATCH);
            unsigned int sent = send_some(senders[flow], data, burst);

            n_sent += sent;
            n_refused += burst - sent;
            flow = (flow + 1) % n_flows;
            if (now_ns() - begin >= duration_ns) {
                break;
            }
        }
        if (now_ns() - begin < duration_ns) {
            struct timespec tick = { .tv_nsec = TICK_NS };

            nanosleep(&tick, NULL);
        }
    }
    end = now_ns();

    /* What is on its way arrives, or it does not. */
    for (;;) {
        struct timespec pause = { .tv_nsec = 1000 * 1000 };

        atomic_read(&n_received, &n);
        atomic_read(&last_ns, &last);
        if (n >= n_sent
            || now_ns() - MAX((int64_t) last, end) > QUIET_NS) {
            break;
        }
        nanosleep(&pause, NULL);
    }
    printf("{\"sent\": %"PRIu64", \"received\": %"PRIu64", "
           "\"refused\": %"PRIu64", \"send_ns\": %"PRId64", "
           "\"span_ns\": %"PRId64"}\n",
           n_sent, n, n_refused, end - begin,
           last ? (int64_t) last - begin : 0);
}

static int
compare_ns(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
do_rr(int64_t duration_ns)
{
    static uint32_t times[MAX_TRANSACTIONS];
    static uint8_t data[MAX_LEN], reply[MAX_LEN];
    uint64_t n_lost = 0;
    size_t n = 0;
    int64_t begin;

    begin_run(data, true);
    begin = now_ns();
    while (n < MAX_TRANSACTIONS && now_ns() - begin < duration_ns) {
        int64_t sent = now_ns();
        ssize_t retval;

        if (send_some(senders[0], data, 1)) {
            retval = recv(senders[0], reply, sizeof reply, 0);
            if (retval == len && !memcmp(data, reply, len)) {
                times[n++] = MIN(now_ns() - sent, UINT32_MAX);
                continue;
            }
        }
        /* A late reply must not be taken for one to the next packet. */
        n_lost++;
        begin_run(data, true);
    }
    qsort(times, n, sizeof *times, compare_ns);
    printf("{\"transactions\": %"PRIuSIZE", \"lost\": %"PRIu64", "
           "\"median_ns\": %"PRIu32", \"p99_ns\": %"PRIu32"}\n",
           n, n_lost, n ? times[n / 2] : 0, n ? times[n * 99 / 100] : 0);
}

int
main(int argc, char *argv[])
{
    ovs_be32 address;
    char line[128];

    set_program_name(argv[0]);
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        usage();
    }
    if (argc != 5 && argc != 6) {
        ovs_fatal(0, "four or five arguments needed; use --help for help");
    }
    if (!ip_parse(argv[3], &address)) {
        ovs_fatal(0, "%s: not an IPv4 address", argv[3]);
    }
    len = parse(argv[4], sizeof(struct payload), MAX_LEN);
    if (argc == 6) {
        n_flows = parse(argv[5], 1, MAX_FLOWS);
    }
    make_sockets(argv[1], argv[2], address);
    ovs_thread_create("receiver", receive_all, NULL);

    while (fgets(line, sizeof line, stdin)) {
        char *save = NULL;
        char *command = strtok_r(line, " \n", &save);
        char *first = strtok_r(NULL, " \n", &save);
        char *second = strtok_r(NULL, " \n", &save);

        if (command && !strcmp(command, "rate") && first && second) {
            do_rate(parse(first, 1, 100000000),
                    parse(second, 1, 600000) * 1000000LL);
        } else if (command && !strcmp(command, "rr") && first && !second) {
            do_rr(parse(first, 1, 600000) * 1000000LL);
        } else {
            ovs_fatal(0, "not a command; use --help for help");
        }
        fflush(stdout);
    }
    return 0;
}
