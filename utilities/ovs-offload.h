/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef OVS_OFFLOAD_H
#define OVS_OFFLOAD_H 1

/* What the parts of ovs-offload share.  All of it is for a single thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/shash.h"
#include "smap.h"
#include "svec.h"

struct json;
struct ovsdb_idl;
struct ovsrec_interface;

/* What the largest frames need: a packet of 64 KB in one piece. */
#define OFFLOAD_GSO_SIZE 65536

/* Changes. */

/* Where a setting lives. */
enum offload_kind {
    OFFLOAD_FEATURE,            /* A feature of a network device. */
    OFFLOAD_GSO,                /* gso_max_size of a network device. */
    OFFLOAD_DB,                 /* A column, or COLUMN:KEY, of Interface. */
    OFFLOAD_NFT                 /* "notrack" for a TCP port. */
};

/* A setting of 'target', a network device, record or TCP port, and the value
 * that it should get.  "" stands for no value. */
struct offload_change {
    enum offload_kind kind;
    char *target;
    char *key;
    char *value;
};

const char *offload_kind_to_string(enum offload_kind);
bool offload_kind_from_string(const char *, enum offload_kind *);
struct offload_change *offload_change_create(enum offload_kind,
                                             const char *target,
                                             const char *key,
                                             const char *value);
void offload_change_destroy(struct offload_change *);
char *offload_quote(const char *);
char *offload_change_command(const struct offload_change *);
char *offload_service_command(const char *verb);

/* Network devices of Linux. */

struct offload_dev {
    char *name;
    int ifindex;                /* 0 if there is no such device. */
    unsigned int mtu;           /* In bytes. */
    uint32_t gso_max_size;      /* In bytes, 0 if unknown, like the rest. */
    uint32_t gso_ipv4_max_size; /* The same for IPv4, if that is other. */
    uint32_t tso_max_size;      /* The most that 'gso_max_size' may be. */
    uint32_t gro_max_size;
    uint32_t n_rxq, n_txq;
    char driver[32];            /* "" if unknown. */
    bool is_physical;           /* Hardware, or what looks like it? */
    bool is_vf;                 /* SR-IOV virtual function? */
    bool is_upper;              /* Are there devices below, as for a bond? */
    char *representor;          /* Name of the port it stands for, or NULL. */
    bool features_known;
    struct smap features;       /* "on", "off", "on [fixed]", "off [fixed]". */
};

/* What a port of a bridge may lead to.  If ports differ, the one with the
 * greatest value is the way to other hosts. */
enum offload_likeness {
    OFFLOAD_LIKE_GUEST,         /* A virtual machine, most likely. */
    OFFLOAD_LIKE_ANY,
    OFFLOAD_LIKE_NIC            /* A NIC, or a bond or VLAN of some. */
};

bool offload_dev_assume(const char *s);
struct offload_dev *offload_dev_read(const char *name);
void offload_dev_destroy(struct offload_dev *);
bool offload_dev_is(const struct offload_dev *, const char *feature,
                    bool on);
bool offload_dev_is_fixed(const struct offload_dev *, const char *feature);
enum offload_likeness offload_dev_get_likeness(const struct offload_dev *);
int offload_dev_set_feature(const char *name, const char *feature, bool on);
int offload_dev_set_gso_max_size(const char *name, uint32_t size);
int offload_dev_set_mtu(const char *name, unsigned int mtu);
void offload_dev_get_chain(const char *name, struct svec *chain);
int offload_route_lookup(const char *addr, const char *local, uint32_t mark,
                         char **dev, char **src, char **gateway,
                         unsigned int *mtu);
bool offload_is_privileged(void);

/* Kinds of network devices, which ovs-offload-nic.c knows. */

struct offload_nic {
    const char *driver;
    const char *name;
    bool whole;                 /* Hands packets of 64 KB on as they are? */
    const char *tcp;            /* What it does with TCP, so with STT. */
    const char *udp;            /* What it does with tunnels over UDP. */
    const char *advice;
};

const struct offload_nic *offload_nic_find(const char *driver);

/* Netfilter. */

/* What becomes of a packet. */
struct offload_fate {
    char *drop;                 /* The rule that drops it, or NULL. */
    char *drop_mend;            /* nft command that lets it pass, or NULL. */
    char *maybe;                /* A rule that may drop it, or NULL. */
    char *track;                /* Why its connection is tracked, or NULL. */
    char *untrack;              /* A rule that may prevent it, or NULL. */
};

/* A packet to be judged. */
struct offload_packet {
    const char *dev;            /* NIC that it comes in or goes out by. */
    const char *ip_dev;         /* Device that IP sees, may be 'dev'. */
    const char *src, *dst;      /* IP addresses, NULL if unknown. */
    bool is_ipv6;
    uint16_t dst_port;          /* TCP port, in host byte order. */
    bool untracked;             /* As if "notrack" came first. */
};

struct json *offload_nft_read(char **errorp);
void offload_nft_judge(const struct json *ruleset,
                       const struct offload_packet *, const char *hooks[],
                       struct offload_fate *);
void offload_fate_destroy(struct offload_fate *);
char *offload_nft_get_port(const struct json *ruleset, uint16_t dst_port);
bool offload_nft_is_empty(const struct json *ruleset);
size_t offload_nft_count_unreadable(const struct json *ruleset);

/* Reports. */

/* A line of "show". */
struct offload_row {
    char *port;                 /* Tunnel port. */
    char *part;                 /* Part of the chain. */
    char *item;
    char *value;
};

enum offload_severity {
    OFFLOAD_NOTE,
    OFFLOAD_WARNING,
    OFFLOAD_ERROR
};

struct offload_finding {
    enum offload_severity severity;
    const char *id;
    struct svec ports;          /* The tunnel ports that it concerns. */
    char *device;
    char *text;
    const char *cost;
    char *command;              /* What mends it, or NULL. */
    struct offload_change *change; /* What "tune" does, or NULL. */
};

struct offload_report {
    struct offload_row *rows;
    size_t n_rows, allocated_rows;
    struct offload_finding *findings;
    size_t n_findings, allocated_findings;
    size_t n_ports;
};

const char *offload_severity_to_string(enum offload_severity);
char *offload_report_collect(struct ovsdb_idl *, const char *port,
                             struct offload_report *);
void offload_report_destroy(struct offload_report *);
enum offload_severity offload_report_worst(const struct offload_report *,
                                           bool *any);

/* The database. */

struct ovsdb_idl *offload_get_idl(void);
const struct ovsrec_interface *offload_find_interface(struct ovsdb_idl *,
                                                      const char *name);

char *offload_vswitchd_path(void);

/* The commands that change something. */

/* What was done, for the table that "tune" and "revert" print. */
struct offload_deed {
    struct offload_change *change; /* With the value that was wanted. */
    char *before;
    unsigned int mtu;           /* MTU before, in bytes, 0 if no matter. */
    char *after;
    char *result;
};

struct offload_deeds {
    struct offload_deed *deeds;
    size_t n, allocated;
};

char *offload_tune(struct ovsdb_idl *, const char *port, bool dry_run,
                   bool persist, struct offload_deeds *, struct svec *left);
char *offload_revert(struct ovsdb_idl *, bool dry_run, struct offload_deeds *);
char *offload_restore(struct ovsdb_idl *, struct offload_deeds *);
void offload_deeds_destroy(struct offload_deeds *);

/* Probes. */
struct in6_addr;
char *offload_probe(const char *path, int argc, char *argv[],
                    const struct in6_addr *peer, uint16_t port,
                    struct json **resultp);

#endif /* ovs-offload.h */
