/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "dp-packet.h"
#include "entropy.h"
#include "netdev.h"
#include "netdev-provider.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "smap.h"
#include "stt-peers.h"
#include "timeval.h"
#include "unaligned.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(stt_probe);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

#define STT_PROBE_DROP(ENUM, NAME, DESCRIPTION) \
    COVERAGE_DEFINE(stt_probe_##NAME);
STT_PROBE_DROPS
#undef STT_PROBE_DROP

/* What follows the Ethernet header.  Everything in network byte order. */
struct stt_probe_header {
    ovs_be32 magic;
    uint8_t version;
    uint8_t kind;               /* STT_PROBE_QUESTION or _ANSWER. */
    uint8_t flags;              /* STT_PROBE_F_*. */
    uint8_t reserved;           /* 0. */
    ovs_be64 token;
    ovs_be32 seq;
    ovs_be32 size;
    ovs_be16 n_pieces;          /* In answers, else 0, like the next one. */
    ovs_be16 largest;
    ovs_be32 padding;           /* 0. */
};
BUILD_ASSERT_DECL(sizeof(struct stt_probe_header) == 32);
BUILD_ASSERT_DECL(STT_PROBE_MIN_SIZE
                  >= ETH_HEADER_LEN + sizeof(struct stt_probe_header));

#define STT_PROBE_MAGIC 0x53545450
#define STT_PROBE_VERSION 1
#define STT_PROBE_F_REORDERED 0x01

/* No bridge forwards frames for this address (IEEE 802.1D, table 7-10). */
static const struct eth_addr probe_dst
    = ETH_ADDR_C(01,80,c2,00,00,0f);
static const struct eth_addr probe_src
    = ETH_ADDR_C(02,53,54,54,50,00);

/* A probe that came and is to be answered by the main thread. */
struct question {
    struct ovs_list node;       /* In 'questions'. */
    struct stt_probe probe;
    struct in6_addr src, dst;   /* Of the outer header. */
    ovs_be16 port;              /* TCP port that it was sent to. */
    ovs_be64 key;
};

struct stt_probe_session {
    struct ovs_list node;       /* In 'sessions'. */
    uint64_t token;
    struct in6_addr peer;
    ovs_be16 port;
    size_t n;
    struct stt_probe_result *results;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list questions OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&questions);
static size_t n_questions OVS_GUARDED_BY(mutex);
static struct ovs_list sessions OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&sessions);
static struct stt_probe_limiter limiter OVS_GUARDED_BY(mutex);
static struct stt_probe_stats stats OVS_GUARDED_BY(mutex)
    = { .reply = true, .rate = STT_PROBE_DEFAULT_RATE };

/* Changes when the main thread has something to do. */
static struct seq *arrivals;
static uint64_t last_arrivals;  /* Of the main thread. */

static stt_probe_output_cb *output;

/* Is this thread about to send a probe of its own? */
DEFINE_STATIC_PER_THREAD_DATA(bool, sending, false);

/* To addresses that flows do not send to anyway, this long passes between two
 * answers, in milliseconds: each may make the switch ask for the neighbor. */
#define STRANGER_INTERVAL 1000

static struct seq *
get_arrivals(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        arrivals = seq_create();
        ovsthread_once_done(&once);
    }
    return arrivals;
}

/* Returns the lower-case name of 'drop'. */
const char *
stt_probe_drop_name(enum stt_probe_drop drop)
{
    switch (drop) {
#define STT_PROBE_DROP(ENUM, NAME, DESCRIPTION) \
    case STT_PROBE_DROP_##ENUM: return #NAME;
    STT_PROBE_DROPS
#undef STT_PROBE_DROP
    case STT_PROBE_OK:
    case STT_PROBE_N_DROPS:
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns a description of 'drop'. */
const char *
stt_probe_drop_description(enum stt_probe_drop drop)
{
    switch (drop) {
#define STT_PROBE_DROP(ENUM, NAME, DESCRIPTION) \
    case STT_PROBE_DROP_##ENUM: return DESCRIPTION;
    STT_PROBE_DROPS
#undef STT_PROBE_DROP
    case STT_PROBE_OK:
    case STT_PROBE_N_DROPS:
    default:
        OVS_NOT_REACHED();
    }
}

static void
count_drop(enum stt_probe_drop drop)
    OVS_REQUIRES(mutex)
{
    stats.drops[drop]++;
    switch (drop) {
#define STT_PROBE_DROP(ENUM, NAME, DESCRIPTION) \
    case STT_PROBE_DROP_##ENUM: COVERAGE_INC(stt_probe_##NAME); break;
    STT_PROBE_DROPS
#undef STT_PROBE_DROP
    case STT_PROBE_OK:
    case STT_PROBE_N_DROPS:
    default:
        OVS_NOT_REACHED();
    }
}

/* Format. */

/* Returns true if 'packet', an Ethernet frame, is a probe or an answer, or
 * pretends to be one. */
bool
stt_probe_is(const struct dp_packet *packet)
{
    const struct eth_header *eth = dp_packet_data(packet);
    ovs_be32 magic;

    if (dp_packet_size(packet) < sizeof *eth + sizeof magic
        || eth->eth_type != htons(STT_PROBE_ETH_TYPE)
        || !eth_addr_equals(eth->eth_dst, probe_dst)) {
        return false;
    }
    memcpy(&magic, eth + 1, sizeof magic);
    return magic == htonl(STT_PROBE_MAGIC);
}

/* Returns true if what this thread sends now is a probe, or an answer, of this
 * switch, and not of a virtual machine. */
bool
stt_probe_is_sending(void)
{
    return *sending_get();
}

/* Stores in '*probe' what the Ethernet frame of 'len' bytes at 'frame' says,
 * which stt_probe_is() has accepted.  Returns STT_PROBE_OK, or why it can't be
 * used. */
enum stt_probe_drop
stt_probe_parse(const void *frame, size_t len, struct stt_probe *probe)
{
    struct stt_probe_header h;

    memset(probe, 0, sizeof *probe);
    if (len < STT_PROBE_MIN_SIZE) {
        return STT_PROBE_DROP_TRUNCATED;
    }
    memcpy(&h, (const char *) frame + ETH_HEADER_LEN, sizeof h);
    if (h.magic != htonl(STT_PROBE_MAGIC) || h.version != STT_PROBE_VERSION
        || (h.kind != STT_PROBE_QUESTION && h.kind != STT_PROBE_ANSWER)) {
        return STT_PROBE_DROP_VERSION;
    }
    probe->kind = h.kind;
    probe->token = ntohll(h.token);
    probe->seq = ntohl(h.seq);
    probe->size = ntohl(h.size);
    if (len != (h.kind == STT_PROBE_QUESTION ? probe->size
                : STT_PROBE_MIN_SIZE)) {
        return STT_PROBE_DROP_SIZE;
    }
    probe->arrival.n_pieces = ntohs(h.n_pieces);
    probe->arrival.largest = ntohs(h.largest);
    probe->arrival.reordered = (h.flags & STT_PROBE_F_REORDERED) != 0;
    return STT_PROBE_OK;
}

/* Appends the Ethernet frame of 'probe' to 'packet', which must be empty.  Its
 * 'size' must be within the limits. */
void
stt_probe_compose(struct dp_packet *packet, const struct stt_probe *probe)
{
    const struct stt_probe_header h = {
        .magic = htonl(STT_PROBE_MAGIC),
        .version = STT_PROBE_VERSION,
        .kind = probe->kind,
        .flags = probe->arrival.reordered ? STT_PROBE_F_REORDERED : 0,
        .token = htonll(probe->token),
        .seq = htonl(probe->seq),
        .size = htonl(probe->size),
        .n_pieces = htons(probe->arrival.n_pieces),
        .largest = htons(probe->arrival.largest),
    };
    size_t size = (probe->kind == STT_PROBE_QUESTION ? probe->size
                   : STT_PROBE_MIN_SIZE);
    struct eth_header *eth;

    ovs_assert(size >= STT_PROBE_MIN_SIZE && size <= STT_PROBE_MAX_SIZE);
    eth = dp_packet_put_zeros(packet, size);
    eth->eth_dst = probe_dst;
    eth->eth_src = probe_src;
    eth->eth_type = htons(STT_PROBE_ETH_TYPE);
    memcpy(eth + 1, &h, sizeof h);
    dp_packet_reset_offsets(packet);
}

/* Returns STT_PROBE_OK if a probe from 'src' that comes at 'now_ms' may be
 * answered at no more than 'rate' answers per second, of which one source gets
 * half, or else why not. */
enum stt_probe_drop
stt_probe_admit(struct stt_probe_limiter *l, const struct in6_addr *src,
                unsigned int rate, long long int now_ms)
{
    size_t i;

    if (!l->n || now_ms - l->begin_ms >= 1000) {
        l->begin_ms = now_ms;
        l->n = 0;
        l->n_sources = 0;
    }
    rate = MIN(rate, STT_PROBE_MAX_RATE);
    if (l->n >= rate) {
        return STT_PROBE_DROP_RATE;
    }
    for (i = 0; i < l->n_sources; i++) {
        if (ipv6_addr_equals(&l->sources[i].addr, src)) {
            break;
        }
    }
    if (i == l->n_sources) {
        l->sources[i].addr = *src;
        l->sources[i].n = 0;
        l->n_sources++;
    }
    if (l->sources[i].n >= MAX(1, rate / 2)) {
        return STT_PROBE_DROP_SHARE;
    }
    l->sources[i].n++;
    l->n++;
    return STT_PROBE_OK;
}

/* Receiving. */

/* Takes from 'other_config', which is that of table Open_vSwitch, whether
 * probes are answered, and how many.  May be called from any thread. */
void
stt_probe_set_limits(const struct smap *other_config)
{
    const char *s = smap_get(other_config, "stt-probe-rate");
    bool reply = smap_get_bool(other_config, "stt-probe-reply", true);
    int rate = STT_PROBE_DEFAULT_RATE;

    if (s && (!str_to_int(s, 10, &rate)
              || rate < 0 || rate > STT_PROBE_MAX_RATE)) {
        rate = STT_PROBE_DEFAULT_RATE;
        VLOG_WARN_RL(&rl, "invalid other_config:stt-probe-rate \"%s\": must "
                     "be a number between 0 and %d; using %d", s,
                     STT_PROBE_MAX_RATE, rate);
    }

    ovs_mutex_lock(&mutex);
    stats.reply = reply;
    stats.rate = rate;
    ovs_mutex_unlock(&mutex);
}

static enum stt_probe_drop
receive_question(const struct stt_probe *probe, const struct flow_tnl *tnl,
                 ovs_be16 port, const struct stt_arrival *arrival,
                 long long int now_ms)
    OVS_REQUIRES(mutex)
{
    struct in6_addr src = flow_tnl_src(tnl);
    enum stt_probe_drop drop;
    struct question *q;

    stats.questions++;
    if (!stats.reply) {
        return STT_PROBE_DROP_OFF;
    }
    if (!stt_peers_lookup(&src, port)) {
        return STT_PROBE_DROP_SOURCE;
    }
    if (n_questions >= STT_PROBE_MAX_QUEUE) {
        return STT_PROBE_DROP_QUEUE;
    }
    drop = stt_probe_admit(&limiter, &src, stats.rate, now_ms);
    if (drop) {
        return drop;
    }

    q = xmalloc(sizeof *q);
    q->probe = *probe;
    q->probe.arrival = *arrival;
    q->src = src;
    q->dst = flow_tnl_dst(tnl);
    q->port = port;
    q->key = tnl->tun_id;
    ovs_list_push_back(&questions, &q->node);
    n_questions++;
    return STT_PROBE_OK;
}

static enum stt_probe_drop
receive_answer(const struct stt_probe *probe, const struct flow_tnl *tnl,
               ovs_be16 port)
    OVS_REQUIRES(mutex)
{
    struct in6_addr src = flow_tnl_src(tnl);
    struct stt_probe_session *s;

    LIST_FOR_EACH (s, node, &sessions) {
        if (s->token == probe->token) {
            struct stt_probe_result *r;

            if (s->port != port || !ipv6_addr_equals(&s->peer, &src)
                || probe->seq >= s->n) {
                return STT_PROBE_DROP_STRAY;
            }
            r = &s->results[probe->seq];
            if (!r->sent_us || r->size != probe->size) {
                return STT_PROBE_DROP_STRAY;
            }
            if (r->answered_us) {
                return STT_PROBE_DROP_DUPLICATE;
            }
            r->answered_us = time_usec();
            r->arrival = probe->arrival;
            stats.answers++;
            return STT_PROBE_OK;
        }
    }
    return STT_PROBE_DROP_STRAY;
}

/* Processes 'packet', which stt_probe_is() has accepted, which came to TCP
 * port 'port' as 'arrival' tells, and whose tunnel metadata has the addresses
 * of the outer header and the key.  'packet' remains the caller's, and must
 * not get into a bridge.  'now_ms' is the time in milliseconds of a clock that
 * never runs backward. */
void
stt_probe_receive(const struct dp_packet *packet, ovs_be16 port,
                  const struct stt_arrival *arrival, long long int now_ms)
{
    const struct flow_tnl *tnl = &packet->md.tunnel;
    enum stt_probe_drop drop;
    struct stt_probe probe;

    drop = stt_probe_parse(dp_packet_data(packet), dp_packet_size(packet),
                           &probe);
    ovs_mutex_lock(&mutex);
    if (!drop) {
        drop = (probe.kind == STT_PROBE_QUESTION
                ? receive_question(&probe, tnl, port, arrival, now_ms)
                : receive_answer(&probe, tnl, port));
    }
    if (drop) {
        count_drop(drop);
    }
    ovs_mutex_unlock(&mutex);

    if (drop) {
        VLOG_DBG_RL(&rl, "dropped a probe: %s",
                    stt_probe_drop_description(drop));
    } else {
        seq_change(get_arrivals());
    }
}

/* Returns true if a port with 'cfg' accepts what 'q' came in. */
static bool
port_accepts(const struct netdev_tunnel_config *cfg, const struct question *q)
{
    return (cfg->dst_port == q->port
            && (cfg->ip_dst_flow || ipv6_addr_equals(&cfg->ipv6_dst, &q->src))
            && (cfg->ip_src_flow || !ipv6_addr_is_set(&cfg->ipv6_src)
                || ipv6_addr_equals(&cfg->ipv6_src, &q->dst))
            && (cfg->in_key_flow || cfg->in_key == q->key));
}

/* Answers 'q' through the port that accepts it, the one with its very address
 * if there are several. */
static enum stt_probe_drop
answer(const struct question *q)
{
    const struct netdev_tunnel_config *cfg;
    struct stt_probe probe = q->probe;
    struct netdev *best = NULL;
    struct netdev **vports;
    size_t n;
    int error;

    vports = netdev_get_vports(&n);
    for (size_t i = 0; i < n; i++) {
        cfg = netdev_get_tunnel_config(vports[i]);
        if (!strcmp(netdev_get_type(vports[i]), "stt") && cfg
            && port_accepts(cfg, q) && (!best || !cfg->ip_dst_flow)) {
            netdev_close(best);
            best = netdev_ref(vports[i]);
        }
        netdev_close(vports[i]);
    }
    free(vports);
    if (!best) {
        return STT_PROBE_DROP_SOURCE;
    }

    cfg = netdev_get_tunnel_config(best);
    if (cfg->ip_dst_flow && !stt_peers_is_learned(&q->src, q->port)) {
        static long long int next_ms;   /* For the main thread only. */
        long long int now_ms = time_msec();

        if (now_ms < next_ms) {
            netdev_close(best);
            return STT_PROBE_DROP_RATE;
        }
        next_ms = now_ms + STRANGER_INTERVAL;
    }
    probe.kind = STT_PROBE_ANSWER;
    error = stt_probe_output(netdev_get_name(best),
                             cfg->ip_dst_flow ? &q->src : NULL,
                             cfg->out_key_flow ? &q->key : NULL, &probe);
    netdev_close(best);
    return error ? STT_PROBE_DROP_OUTPUT : STT_PROBE_OK;
}

/* Sends the answers that are due. */
void
stt_probe_run(void)
{
    struct ovs_list due = OVS_LIST_INITIALIZER(&due);
    struct question *q;

    last_arrivals = seq_read(get_arrivals());
    ovs_mutex_lock(&mutex);
    ovs_list_push_back_all(&due, &questions);
    n_questions = 0;
    ovs_mutex_unlock(&mutex);

    LIST_FOR_EACH_POP (q, node, &due) {
        enum stt_probe_drop drop = answer(q);

        ovs_mutex_lock(&mutex);
        if (drop) {
            count_drop(drop);
        } else {
            stats.answers_sent++;
        }
        ovs_mutex_unlock(&mutex);
        free(q);
    }
}

/* Makes poll_block() wake up when stt_probe_run() has something to do, or an
 * answer came. */
void
stt_probe_wait(void)
{
    seq_wait(get_arrivals(), last_arrivals);
}

/* Stores the counters and limits in '*s'. */
void
stt_probe_get_stats(struct stt_probe_stats *s)
{
    ovs_mutex_lock(&mutex);
    *s = stats;
    ovs_mutex_unlock(&mutex);
}

/* Sending. */

/* Has probes sent by 'cb'. */
void
stt_probe_set_output(stt_probe_output_cb *cb)
{
    output = cb;
}

/* Sends 'probe' as stt_probe_output_cb says. */
int
stt_probe_output(const char *port, const struct in6_addr *dst,
                 const ovs_be64 *key, const struct stt_probe *probe)
{
    struct dp_packet *packet;
    int error;

    if (!output) {
        return EOPNOTSUPP;
    }
    packet = dp_packet_new_with_headroom(probe->size, 128);
    stt_probe_compose(packet, probe);
    *sending_get() = true;
    error = output(port, dst, key, packet);
    *sending_get() = false;
    dp_packet_delete(packet);
    return error;
}

/* Returns a new session of 'n' probes to TCP port 'port' of 'peer', or NULL if
 * there is no randomness to be had for its token. */
struct stt_probe_session *
stt_probe_session_create(const struct in6_addr *peer, ovs_be16 port, size_t n)
{
    struct stt_probe_session *s = xmalloc(sizeof *s);

    if (get_entropy(&s->token, sizeof s->token)) {
        free(s);
        return NULL;
    }
    s->peer = *peer;
    s->port = port;
    s->n = n;
    s->results = xcalloc(n, sizeof *s->results);
    ovs_mutex_lock(&mutex);
    ovs_list_push_back(&sessions, &s->node);
    ovs_mutex_unlock(&mutex);
    return s;
}

/* Destroys 's'.  Answers to its probes are strays from now on. */
void
stt_probe_session_destroy(struct stt_probe_session *s)
{
    if (s) {
        ovs_mutex_lock(&mutex);
        ovs_list_remove(&s->node);
        ovs_mutex_unlock(&mutex);
        free(s->results);
        free(s);
    }
}

/* Sends probe 'i' of 's', a frame of 'size' bytes, as stt_probe_output_cb
 * says. */
int
stt_probe_session_send(struct stt_probe_session *s, size_t i, uint32_t size,
                       const char *port, const struct in6_addr *dst,
                       const ovs_be64 *key)
{
    const struct stt_probe probe = {
        .kind = STT_PROBE_QUESTION,
        .token = s->token,
        .seq = i,
        .size = size,
    };

    ovs_assert(i < s->n);
    ovs_mutex_lock(&mutex);
    s->results[i].size = size;
    s->results[i].sent_us = time_usec();
    ovs_mutex_unlock(&mutex);
    return stt_probe_output(port, dst, key, &probe);
}

/* Stores in '*result' what became of probe 'i' of 's' so far. */
void
stt_probe_session_get(const struct stt_probe_session *s, size_t i,
                      struct stt_probe_result *result)
{
    ovs_assert(i < s->n);
    ovs_mutex_lock(&mutex);
    *result = s->results[i];
    ovs_mutex_unlock(&mutex);
}
