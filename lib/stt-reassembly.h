/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_REASSEMBLY_H
#define STT_REASSEMBLY_H 1

/* Reassembly of STT frames.
 * =========================
 *
 * Segments go in, in any order and from any number of threads, and whole
 * frames come out.  A frame that arrives in one piece needs none of this.
 *
 * A segment belongs to a frame if addresses, ports and packet ID agree.  Its
 * bytes are copied into place, and which bytes have arrived is tracked
 * exactly, so a frame never completes with a hole.  Nothing is ever
 * overwritten: a segment that repeats bytes that are there already is a
 * duplicate, and one that contradicts them, or repeats only a part of them,
 * condemns its frame as RFC 5722 does for IPv6 fragments.
 *
 * What waits is bounded in bytes, in frames, in segments per frame, in the
 * share of a single source, and in absolute age.  When a bound is reached, the
 * oldest frame of the same source makes room, and only if the source has none,
 * the oldest of another one.  A buffer is charged with its full size from the
 * first segment on.
 *
 * Thread-safety: all functions may be called from any thread.
 *
 * This module knows neither netdevs nor OpenFlow, nor the time of day: the
 * caller passes in a monotonic clock. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "stt.h"

struct dp_packet;
struct stt_reassembly;

/* Bounds of what may wait for completion. */
struct stt_reassembly_limits {
    uint64_t max_bytes;         /* Memory, bookkeeping included. */
    uint32_t max_frames;        /* Incomplete frames. */
    uint32_t max_segments;      /* Per frame, at most STT_MAX_SEGMENTS. */
    uint32_t source_percent;    /* Share of a single source of either. */
    uint32_t max_age_ms;        /* Since the first segment of the frame. */
};

#define STT_REASSEMBLY_DEFAULT_LIMITS {         \
        .max_bytes = 32 * 1024 * 1024,          \
        .max_frames = 4096,                     \
        .max_segments = STT_MAX_SEGMENTS,       \
        .source_percent = 50,                   \
        .max_age_ms = 1000,                     \
    }

/* What happened so far.  Every segment that went in is in exactly one of
 * 'segments_delivered', 'segments_waiting' and 'drops'. */
struct stt_reassembly_stats {
    uint64_t segments;              /* Went in. */
    uint64_t segments_delivered;    /* Came out as part of a frame. */
    uint64_t segments_waiting;
    uint64_t drops[STT_N_DROPS];    /* Segments, by reason. */

    uint64_t frames_delivered;
    uint64_t frames_waiting;
    uint64_t bytes_waiting;         /* Memory in use. */
    long long int oldest_ms;        /* Age of oldest frame, -1 if none. */
};

/* Is told of each drop: of 'n' segments from 'src' to TCP port 'dst_port', for
 * the reason 'drop'.  It is called with a mutex of the reassembly held, by the
 * thread that causes the drop. */
typedef void stt_reassembly_drop_cb(const struct in6_addr *src,
                                    ovs_be16 dst_port, enum stt_drop drop,
                                    unsigned int n);

/* How the pieces of a frame arrived. */
struct stt_arrival {
    uint16_t n_pieces;          /* Packets, after what has merged some. */
    uint16_t largest;           /* Bytes of the frame in the largest one. */
    bool reordered;             /* Was one overtaken by a later one? */
};

struct stt_reassembly *stt_reassembly_create(
    const struct stt_reassembly_limits *, stt_reassembly_drop_cb *);
void stt_reassembly_destroy(struct stt_reassembly *);
void stt_reassembly_flush(struct stt_reassembly *);

enum stt_drop stt_reassembly_add(struct stt_reassembly *,
                                 const struct in6_addr *src,
                                 const struct in6_addr *dst,
                                 const struct stt_segment *, bool ce,
                                 long long int now_ms,
                                 struct dp_packet **framep, bool *cep);
enum stt_drop stt_reassembly_add_arrival(struct stt_reassembly *,
                                         const struct in6_addr *src,
                                         const struct in6_addr *dst,
                                         const struct stt_segment *, bool ce,
                                         long long int now_ms,
                                         struct dp_packet **framep, bool *cep,
                                         struct stt_arrival *);
size_t stt_reassembly_expire(struct stt_reassembly *, long long int now_ms);

void stt_reassembly_set_limits(struct stt_reassembly *,
                               const struct stt_reassembly_limits *);
void stt_reassembly_get_limits(struct stt_reassembly *,
                               struct stt_reassembly_limits *);
void stt_reassembly_get_stats(struct stt_reassembly *, long long int now_ms,
                              struct stt_reassembly_stats *);

#endif /* stt-reassembly.h */
