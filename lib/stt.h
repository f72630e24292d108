/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_H
#define STT_H 1

/* Stateless Transport Tunneling: the wire format.
 * ==============================================
 *
 * An STT frame is an 18-byte header followed by one Ethernet frame.  It
 * travels as the payload of something that looks like TCP, so that anything
 * that segments TCP segments STT as well:
 *
 *     Ethernet | IPv4 or IPv6 | TCP-like header | a piece of the STT frame
 *
 * The sequence number of the TCP-like header holds the length of the STT frame
 * (high half) and the position of the piece in it (low half); the
 * acknowledgment number holds the packet ID, which all pieces share.  Only the
 * first piece contains the STT header.
 *
 * This module knows bytes and nothing else: no netdevs, no threads, no clock.
 * All of its functions may be called from any thread as long as no two threads
 * work on the same packet.  All offsets and lengths are in bytes.
 *
 * "Frame coordinates" below are offsets from the first byte of the STT header.
 * Bounds are always checked in frame coordinates, with the header included,
 * so that no subtraction can wrap. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "packets.h"

struct dp_packet;
struct dp_packet_batch;

/* TCP port that IANA has registered for STT. */
#define STT_DST_PORT 7471

/* Every limit of the protocol and of this implementation. */
enum stt_limits {
    STT_HEADER_LEN = 18,        /* On the wire. */
    STT_MIN_FRAME = STT_HEADER_LEN + ETH_HEADER_LEN,
    STT_MAX_FRAME = UINT16_MAX, /* The length field has 16 bits. */

    /* Largest frames that fit one IPv4 or IPv6 packet before TSO. */
    STT_MAX_FRAME_IPV4 = UINT16_MAX - IP_HEADER_LEN - TCP_HEADER_LEN,
    STT_MAX_FRAME_IPV6 = UINT16_MAX - TCP_HEADER_LEN,

    /* Receivers refuse a frame in more pieces than this, so senders don't
     * send any.  A maximal frame at the smallest MTU that IPv4 hosts must
     * accept (576) has 123. */
    STT_MAX_SEGMENTS = 128,

    /* Bounds of the outer segment size, the payload of one piece. */
    STT_MIN_OUTER_MSS = 64,
    STT_MAX_OUTER_MSS = STT_MAX_FRAME_IPV6,

    /* Smallest inner segment size that a receiver honours.  It bounds into
     * how many packets one frame may expand. */
    STT_MIN_INNER_MSS = 48,

    STT_MAX_L4_OFFSET = UINT8_MAX,
};

/* STT frame header (draft-davie-stt-08 section 3.1; the order of the flag
 * bits is that of existing implementations, not of the draft's drawing). */
struct stt_header {
    uint8_t version;                    /* 0. */
    uint8_t flags;                      /* STT_F_*. */
    uint8_t l4_offset;                  /* From start of inner Ethernet. */
    uint8_t reserved;                   /* 0. */
    ovs_be16 mss;                       /* Inner TCP segment size or 0. */
    ovs_be16 vlan_tci;                  /* PCP, STT_VLAN_PRESENT, VID. */
    ovs_16aligned_be32 context_id_hi;   /* The key, OpenFlow's tun_id. */
    ovs_16aligned_be32 context_id_lo;
    ovs_be16 padding;                   /* 0; aligns the inner IP header. */
};
BUILD_ASSERT_DECL(sizeof(struct stt_header) == STT_HEADER_LEN);

#define STT_VERSION 0

/* Bits of 'flags' in "struct stt_header". */
#define STT_F_CSUM_VERIFIED 0x01    /* Inner L4 checksum is known good. */
#define STT_F_CSUM_PARTIAL  0x02    /* It holds just the pseudo-header sum. */
#define STT_F_IPV4          0x04    /* With PARTIAL: IPv4, else IPv6. */
#define STT_F_TCP           0x08    /* With PARTIAL: TCP, else UDP. */

/* Bit of 'vlan_tci' in "struct stt_header" that says that the rest of it
 * counts.  It takes the place of the tag's DEI bit, like in OVS's own
 * representation of a TCI. */
#define STT_VLAN_PRESENT htons(VLAN_CFI)

/* Why something received is thrown away.  Each has a coverage counter called
 * "stt_drop_" followed by its lower-case name. */
#define STT_DROPS                                                         \
    /* The outer packet. */                                               \
    STT_DROP(OUTER_IP, outer_ip, "invalid outer IP header")               \
    STT_DROP(TRUNCATED, truncated, "shorter than its headers say")        \
    STT_DROP(DATA_OFFSET, data_offset, "TCP-like header is not 20 bytes") \
    STT_DROP(TCP_FLAGS, tcp_flags, "SYN, FIN, RST or URG is set")         \
    STT_DROP(EMPTY, empty, "segment without payload")                     \
    STT_DROP(OUTER_CSUM, outer_csum, "bad outer TCP checksum")            \
    STT_DROP(FRAME_LEN, frame_len, "frame length below the minimum")      \
    STT_DROP(BEYOND_FRAME, beyond_frame, "segment ends beyond its frame") \
    STT_DROP(SOURCE, source, "no port accepts segments from there")       \
    /* Reassembly. */                                                     \
    STT_DROP(LEN_CHANGED, len_changed, "segments disagree on the length") \
    STT_DROP(DUPLICATE, duplicate, "duplicate segment")                   \
    STT_DROP(OVERLAP, overlap, "segments overlap")                        \
    STT_DROP(SEGMENTS, segments, "too many segments in one frame")        \
    STT_DROP(EVICTED, evicted, "pushed out by newer frames")              \
    STT_DROP(EXPIRED, expired, "segments missing for too long")           \
    STT_DROP(FLUSHED, flushed, "tunnel removed")                          \
    /* The STT header against the inner frame. */                         \
    STT_DROP(VERSION, version, "unknown STT version")                     \
    STT_DROP(L4_OFFSET, l4_offset, "L4 offset contradicts the packet")    \
    STT_DROP(L4_PROTO, l4_proto, "IPv4 or TCP flag contradicts it")       \
    STT_DROP(INNER_LEN, inner_len, "inner lengths are inconsistent")      \
    STT_DROP(INNER_FRAG, inner_frag, "partial checksum on a fragment")    \
    STT_DROP(MSS, mss, "unusable inner segment size")                     \
    /* The inner frame against the receiver's own limits. */              \
    STT_DROP(TOO_LONG, too_long, "too long for a buffer")

enum stt_drop {
    STT_OK = 0,                 /* Not dropped. */
#define STT_DROP(ENUM, NAME, DESCRIPTION) STT_DROP_##ENUM,
    STT_DROPS
#undef STT_DROP
    STT_N_DROPS
};

/* Why a packet is not sent.  Each has a coverage counter called "stt_tx_"
 * followed by its lower-case name. */
#define STT_TX_DROPS                                                         \
    STT_TX_DROP(TOO_LONG, too_long, "too long for a frame, and indivisible") \
    STT_TX_DROP(BAD_CSUM, bad_csum, "too long for a frame, with a bad "      \
                                    "checksum that its parts would lose")    \
    STT_TX_DROP(BAD_OFFLOAD, bad_offload, "waits for an offload that "       \
                                          "nobody can finish")               \
    STT_TX_DROP(PROBE, probe, "pretends to be a probe of this switch")

enum stt_tx_drop {
    STT_TX_OK = 0,              /* Not dropped. */
#define STT_TX_DROP(ENUM, NAME, DESCRIPTION) STT_TX_DROP_##ENUM,
    STT_TX_DROPS
#undef STT_TX_DROP
    STT_N_TX_DROPS
};

void stt_count_drops(enum stt_drop, unsigned int n);
const char *stt_drop_name(enum stt_drop);
const char *stt_drop_description(enum stt_drop);
void stt_count_tx_drops(enum stt_tx_drop, unsigned int n);
const char *stt_tx_drop_name(enum stt_tx_drop);
const char *stt_tx_drop_description(enum stt_tx_drop);

/* Sending. */

/* What an STT header says about one inner frame. */
struct stt_offload {
    uint8_t flags;              /* STT_F_*. */
    uint8_t l4_offset;
    uint16_t mss;               /* Host byte order. */
};

size_t stt_max_frame(bool ipv6, uint16_t outer_mss);
size_t stt_max_cut_frame(uint16_t outer_mss);
ovs_be16 stt_take_vlan(struct dp_packet *);
size_t stt_split(struct dp_packet *, size_t max_frame, size_t max_cut_frame,
                 struct dp_packet_batch *, enum stt_tx_drop *);
void stt_describe(struct dp_packet *, struct stt_offload *);
void stt_fill_headers(struct tcp_header *, struct stt_header *,
                      uint16_t frame_len, ovs_be16 src_port,
                      ovs_be32 packet_id, ovs_be16 vlan_tci,
                      const struct stt_offload *);

static inline void
stt_set_context_id(struct stt_header *stt, ovs_be64 id)
{
    put_16aligned_be32(&stt->context_id_hi, htonl(ntohll(id) >> 32));
    put_16aligned_be32(&stt->context_id_lo, htonl(ntohll(id)));
}

static inline ovs_be64
stt_get_context_id(const struct stt_header *stt)
{
    uint64_t hi = ntohl(get_16aligned_be32(&stt->context_id_hi));

    return htonll(hi << 32 | ntohl(get_16aligned_be32(&stt->context_id_lo)));
}

/* Packet IDs.
 *
 * The pieces of two frames must never carry the same packet ID while both are
 * on their way, lest a receiver mixes them and then computes a good checksum
 * over the mixture.  So all threads and ports draw from a single 32-bit space,
 * in blocks, from a random start (draft-davie-stt-08 section 3.2). */

#define STT_ID_BLOCK 4096       /* Packet IDs. */

struct stt_id_space {
    uint32_t first;             /* The first packet ID, random. */
    atomic_count n_blocks;      /* Handed out so far, modulo 2**32. */
};

/* What a thread has of a "struct stt_id_space".  All zeros is nothing. */
struct stt_id_range {
    uint32_t block;             /* Its index. */
    uint32_t n_left;            /* Packet IDs left in it. */
};

uint32_t stt_next_packet_id(struct stt_id_space *, struct stt_id_range *);

/* Receiving. */

/* One piece of an STT frame, as its TCP-like header describes it. */
struct stt_segment {
    ovs_be32 packet_id;
    ovs_be16 src_port;
    ovs_be16 dst_port;
    uint16_t frame_len;         /* Of the whole frame, STT header included. */
    uint16_t offset;            /* Of the piece, in frame coordinates. */
    uint16_t len;               /* Of the piece. */
    const void *data;           /* Its first byte. */
};

enum stt_drop stt_parse_segment(const struct tcp_header *, size_t l4_len,
                                struct stt_segment *);
bool stt_outer_csum_ok(struct dp_packet *, size_t l4_len);
enum stt_drop stt_pop_frame(struct dp_packet *, ovs_be64 *context_id);
enum stt_drop stt_deliver(struct dp_packet *, bool tso, size_t max_len,
                          struct dp_packet_batch *out);
size_t stt_drop_longer(struct dp_packet_batch *, size_t max_len);

static inline bool
stt_segment_is_whole_frame(const struct stt_segment *seg)
{
    return seg->len == seg->frame_len;
}

/* The headers of an Ethernet frame, as far as STT's offloads need them. */
struct stt_inner {
    uint16_t l3_ofs;            /* From the start of the Ethernet frame. */
    uint16_t l4_ofs;
    uint32_t l4_len;            /* L4 header and payload by the IP length. */
    uint8_t proto;              /* Upper-layer protocol. */
    bool is_ipv4;
    bool is_fragment;
    bool has_exts;              /* IPv6 extension headers precede L4. */
};

enum stt_drop stt_parse_inner(const void *frame, size_t len,
                              struct stt_inner *);

#endif /* stt.h */
