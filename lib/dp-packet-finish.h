/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef DP_PACKET_FINISH_H
#define DP_PACKET_FINISH_H 1

/* Offloads that a packet waits for, done in software: before it goes where
 * nobody can do them, or where nobody would find the headers any more. */

#include <stdbool.h>

struct dp_packet;
struct dp_packet_batch;

bool dp_packet_offload_is_lost(const struct dp_packet *);
bool dp_packet_offload_recover(struct dp_packet *);
void dp_packet_finish_csums(struct dp_packet *);
bool dp_packet_finish(struct dp_packet *, struct dp_packet_batch *out);

#endif /* dp-packet-finish.h */
