/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_PROBE_H
#define STT_PROBE_H 1

/* Probes: what the path between two switches carries.
 * ===================================================
 *
 * A probe is an Ethernet frame in an STT frame, as long as it announces, with
 * an EtherType for experiments and a reserved destination address, so that a
 * bridge that does not know it drops it like any bridge protocol:
 *
 *     Ethernet | struct stt_probe_header | zeros
 *
 * The receiver takes it out of what came through the tunnel before a bridge
 * sees it, and sends an answer of STT_PROBE_MIN_SIZE bytes, which is never
 * longer than the probe, that tells how the probe arrived.  Probes for which
 * there is no answer are dropped; each reason has a counter.
 *
 * What a probe says is never trusted: an answer counts only if it has the
 * random token of a session that is under way, comes from the address that
 * the session is about, and was not there yet.
 *
 * Thread-safety: stt_probe_is(), stt_probe_parse(), stt_probe_compose() and
 * stt_probe_receive() may be called from any thread, the rest from the main
 * thread only. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "stt-reassembly.h"

struct dp_packet;
struct smap;

#define STT_PROBE_ETH_TYPE 0x88b5

/* Limits, sizes in bytes of the Ethernet frame. */
enum {
    STT_PROBE_MIN_SIZE = 60,
    STT_PROBE_MAX_SIZE = UINT16_MAX,
    STT_PROBE_DEFAULT_RATE = 10,    /* Answers per second. */
    STT_PROBE_MAX_RATE = 1000,
    STT_PROBE_MAX_QUEUE = 64,       /* Answers that wait to be sent. */
    STT_PROBE_MAX_SESSIONS = 4,     /* At a time. */
};

/* Why a probe is not answered, or an answer is not used.  Each has a coverage
 * counter called "stt_probe_" followed by its lower-case name. */
#define STT_PROBE_DROPS                                                     \
    STT_PROBE_DROP(TRUNCATED, truncated, "too short for a probe")           \
    STT_PROBE_DROP(VERSION, version, "unknown version or kind of probe")    \
    STT_PROBE_DROP(SIZE, size, "not as long as it says")                    \
    STT_PROBE_DROP(OFF, off, "answers are switched off")                    \
    STT_PROBE_DROP(SOURCE, source, "no port accepts probes from there")     \
    STT_PROBE_DROP(RATE, rate, "more probes than answers per second")       \
    STT_PROBE_DROP(SHARE, share, "more than the share of one peer")         \
    STT_PROBE_DROP(QUEUE, queue, "too many answers wait to be sent")        \
    STT_PROBE_DROP(OUTPUT, output, "answer could not be sent")              \
    STT_PROBE_DROP(STRAY, stray, "answer that nobody waits for")            \
    STT_PROBE_DROP(DUPLICATE, duplicate, "answer that was there already")

enum stt_probe_drop {
    STT_PROBE_OK = 0,           /* Not dropped. */
#define STT_PROBE_DROP(ENUM, NAME, DESCRIPTION) STT_PROBE_DROP_##ENUM,
    STT_PROBE_DROPS
#undef STT_PROBE_DROP
    STT_PROBE_N_DROPS
};

const char *stt_probe_drop_name(enum stt_probe_drop);
const char *stt_probe_drop_description(enum stt_probe_drop);

/* Format. */

enum stt_probe_kind {
    STT_PROBE_QUESTION = 1,
    STT_PROBE_ANSWER = 2,
};

/* All integers in host byte order. */
struct stt_probe {
    enum stt_probe_kind kind;
    uint64_t token;             /* Of the session. */
    uint32_t seq;               /* Of the probe in the session. */
    uint32_t size;              /* Of the probe, also in its answer. */
    struct stt_arrival arrival; /* In answers: how the probe arrived. */
};

bool stt_probe_is(const struct dp_packet *);
bool stt_probe_is_sending(void);
enum stt_probe_drop stt_probe_parse(const void *frame, size_t len,
                                    struct stt_probe *);
void stt_probe_compose(struct dp_packet *, const struct stt_probe *);

/* Limit of the answers.  All zeros is one that has not admitted any yet. */
struct stt_probe_limiter {
    long long int begin_ms;     /* Of the current second. */
    unsigned int n;             /* Admitted in it. */
    size_t n_sources;
    struct {
        struct in6_addr addr;
        unsigned int n;
    } sources[STT_PROBE_MAX_RATE];
};

enum stt_probe_drop stt_probe_admit(struct stt_probe_limiter *,
                                    const struct in6_addr *src,
                                    unsigned int rate, long long int now_ms);

/* Receiving. */

void stt_probe_set_limits(const struct smap *other_config);
void stt_probe_receive(const struct dp_packet *, ovs_be16 port,
                       const struct stt_arrival *, long long int now_ms);
void stt_probe_run(void);
void stt_probe_wait(void);

/* Counters of this switch. */
struct stt_probe_stats {
    uint64_t questions;         /* Well-formed ones that came. */
    uint64_t answers_sent;
    uint64_t answers;           /* That came and were used. */
    uint64_t drops[STT_PROBE_N_DROPS];
    bool reply;
    unsigned int rate;
};

void stt_probe_get_stats(struct stt_probe_stats *);

/* Sending. */

/* Sends 'packet', which remains the caller's, out of STT port 'port', to 'dst'
 * unless NULL and with key '*key' unless NULL, which are for ports that leave
 * them to the flows.  Returns 0 if successful or a positive errno value:
 * ENODEV if there is no such port, EOPNOTSUPP if it is not one of the
 * userspace datapath. */
typedef int stt_probe_output_cb(const char *port, const struct in6_addr *dst,
                                const ovs_be64 *key, struct dp_packet *);

void stt_probe_set_output(stt_probe_output_cb *);
int stt_probe_output(const char *port, const struct in6_addr *dst,
                     const ovs_be64 *key, const struct stt_probe *);

/* What became of one probe. */
struct stt_probe_result {
    uint32_t size;
    long long int sent_us;      /* 0 if it was not sent yet. */
    long long int answered_us;  /* 0 if there is no answer (yet). */
    struct stt_arrival arrival;
};

struct stt_probe_session;

struct stt_probe_session *stt_probe_session_create(
    const struct in6_addr *peer, ovs_be16 port, size_t n);
void stt_probe_session_destroy(struct stt_probe_session *);
int stt_probe_session_send(struct stt_probe_session *, size_t i,
                           uint32_t size, const char *port,
                           const struct in6_addr *dst, const ovs_be64 *key);
void stt_probe_session_get(const struct stt_probe_session *, size_t i,
                           struct stt_probe_result *);

/* Commands, in lib/stt-probe-unixctl.c. */
void stt_probe_unixctl_init(void);
void stt_probe_unixctl_run(void);
void stt_probe_unixctl_wait(void);

#endif /* stt-probe.h */
