/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_FUZZ_H
#define STT_FUZZ_H 1

/* What the fuzz targets of STT have in common.
 * ============================================
 *
 * "make check-fuzz" builds and runs them.  A target must not keep anything
 * from one input to the next, or else an input that makes it fail does not do
 * so by itself. */

#include <stdint.h>
#include "connectivity.h"
#include "dpif.h"
#include "fuzzer.h"
#include "netdev.h"
#include "netdev-provider.h"
#include "netdev-stt.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-router.h"
#include "seq.h"
#include "smap.h"
#include "util.h"

/* What is left of an input.  Numbers behind its end are 0. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

/* Takes up to 'size' bytes off the front of 'in', and stores in '*n' how many
 * it were. */
static inline const uint8_t *
fuzz_bytes(struct fuzz_input *in, size_t size, size_t *n)
{
    const uint8_t *data = in->data;

    *n = MIN(size, in->size);
    in->data += *n;
    in->size -= *n;
    return data;
}

static inline uint8_t
fuzz_u8(struct fuzz_input *in)
{
    size_t n;
    const uint8_t *byte = fuzz_bytes(in, 1, &n);

    return n ? *byte : 0;
}

static inline uint16_t
fuzz_u16(struct fuzz_input *in)
{
    uint16_t high = fuzz_u8(in);

    return high << 8 | fuzz_u8(in);
}

/* To be called first of all for each input. */
static inline void
fuzz_begin(void)
{
    static bool initialized;

    if (!initialized) {
        vlog_set_verbosity("off");

        /* A tunnel asks for the route to its peer.  There is none. */
        ovs_router_disable_system_routing_table();
        tnl_conf_seq = seq_create();
        ovs_router_init();
        initialized = true;
    }
}

/* Returns a new STT port, which has no options yet. */
static inline struct netdev *
fuzz_open_port(void)
{
    struct netdev *netdev;

    ovs_assert(!netdev_open("fuzz", "stt", &netdev));
    return netdev;
}

/* Closes 'netdev', which fuzz_open_port() has opened, and has STT forget its
 * peers and what waits for reassembly. */
static inline void
fuzz_close_port(struct netdev *netdev)
{
    const struct netdev_class *class = netdev_get_class(netdev);

    /* STT must know of the port to notice that it is gone. */
    seq_change(connectivity_seq_get());
    netdev_stt_run(class);
    netdev_close(netdev);
    seq_change(connectivity_seq_get());
    netdev_stt_run(class);
    ovsrcu_quiesce();
}

#endif /* stt_fuzz.h */
