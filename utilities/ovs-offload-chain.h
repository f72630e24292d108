/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef OVS_OFFLOAD_CHAIN_H
#define OVS_OFFLOAD_CHAIN_H 1

/* What the files of ovs-offload that follow the chain of a tunnel, judge its
 * links and report about them share, and no other.  All of it is for a single
 * thread. */

#include "openvswitch/compiler.h"
#include "openvswitch/json.h"
#include "ovs-offload.h"

struct jsonrpc;
struct ovsrec_bridge;

/* What is known for all ports together. */
struct context {
    struct ovsdb_idl *idl;
    struct offload_report *report;
    struct shash devs;          /* struct offload_dev, by name. */
    struct json *ruleset;       /* Of nftables, NULL if unknown. */
    char *ruleset_error;
    bool ruleset_read;
    struct jsonrpc *vswitchd;   /* NULL if it can't be asked. */
    bool tso_wanted;            /* other_config:userspace-tso-enable. */
    bool hw_offload;            /* other_config:hw-offload. */
    int tso;                    /* In force: 1 or 0, -1 if unknown. */
};

/* What is known of a tunnel port. */
struct tunnel {
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_interface *iface;
    bool is_stt;
    bool userspace;
    uint16_t dst_port;
    struct svec peers;          /* Addresses, if they are up to the flows. */

    /* The path to the peer that is being looked at. */
    bool is_ipv6;
    const char *remote;         /* NULL if unknown. */
    char *dev, *src, *gateway;  /* Of the route, NULL if unknown. */
    struct svec underlay;       /* Names of NICs. */

    bool tso;                   /* Does Open vSwitch take 64 KB? */
    char *send;                 /* The verdicts, NULL if not yet known. */
    char *receive;
    char *send_maybe;           /* Rules that may drop packets, or NULL. */
    char *receive_maybe;
};

/* ovs-offload-report.c. */

void add_row(struct context *, const struct tunnel *, const char *part,
             const char *item, const char *format, ...)
    OVS_PRINTF_FORMAT(5, 6);
void find(struct context *, enum offload_severity, const char *id,
          const struct tunnel *, const char *device, struct offload_change *,
          char *command, const char *cost, const char *format, ...)
    OVS_PRINTF_FORMAT(9, 10);
void judge(char **verdict, const char *format, ...) OVS_PRINTF_FORMAT(2, 3);

/* ovs-offload-chain.c. */

const struct offload_dev *get_dev(struct context *, const char *name);
struct json *ask_vswitchd(struct context *, const char *command,
                          const struct svec *args);
const struct json *member(const struct json *, const char *name,
                          enum json_type);
bool is_outward(const struct ovsrec_interface *);
bool bypasses_kernel(const struct ovsrec_interface *);

/* ovs-offload-judge.c. */

void collect_switch(struct context *, struct tunnel *);
void collect_guests(struct context *, struct tunnel *);
void collect_nic(struct context *, struct tunnel *, const char *name);
void collect_netfilter(struct context *, struct tunnel *);
void check_mtu(struct context *, struct tunnel *);
void check_two_pieces(struct context *, struct tunnel *);

#endif /* ovs-offload-chain.h */
