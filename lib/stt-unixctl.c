/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

/* Commands for ovs-appctl that tell what STT does. */

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "netdev.h"
#include "netdev-provider.h"
#include "netdev-stt.h"
#include "netdev-vport.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "ovs-router.h"
#include "packets.h"
#include "smap.h"
#include "stt.h"
#include "stt-peers.h"
#include "stt-probe.h"
#include "stt-reassembly.h"
#include "sset.h"
#include "unixctl.h"
#include "userspace-tso.h"
#include "util.h"

static void
put_number(struct json *json, const char *name, long long int number)
{
    json_object_put(json, name, json_integer_create(number));
}

/* stt/show. */

/* Where the packets of an STT port go. */
struct route {
    bool found;
    char dev[IFNAMSIZ];         /* Of the underlay. */
    int mtu;                    /* Of 'dev', 0 if unknown. */
    int segment_size;           /* 0 if 'mtu' is too small. */
    bool capped;                /* Option max_segment_size makes it less. */
};

/* Looks up where the packets of a port with 'tnl_cfg' for 'dst' go now, just
 * like the translation of a flow does. */
static void
get_route(const struct netdev_tunnel_config *tnl_cfg,
          const struct in6_addr *dst, struct route *route)
{
    struct netdev_tunnel_config uncapped = *tnl_cfg;
    struct in6_addr src = tnl_cfg->ipv6_src;
    bool is_ipv6 = !IN6_IS_ADDR_V4MAPPED(dst);
    struct in6_addr gw;
    struct netdev *dev;

    memset(route, 0, sizeof *route);
    if (!ovs_router_lookup((tnl_cfg->set_egress_pkt_mark
                            ? tnl_cfg->egress_pkt_mark : 0),
                           dst, route->dev, &src, &gw)) {
        return;
    }

    route->found = true;
    dev = netdev_from_name(route->dev);
    if (dev) {
        netdev_get_mtu(dev, &route->mtu);
        netdev_close(dev);
    }
    route->segment_size = netdev_stt_get_segment_size(tnl_cfg, is_ipv6,
                                                      route->mtu);
    uncapped.stt_max_segment_size = 0;
    route->capped = (route->segment_size
                     < netdev_stt_get_segment_size(&uncapped, is_ipv6,
                                                   route->mtu));
}

/* Stores in '*addrsp' an array, which the caller must free, of the peers of a
 * port with 'tnl_cfg', and returns their number: its remote address, or, if
 * that is up to the flows, those that they have sent to of late. */
static size_t
get_peers(const struct netdev_tunnel_config *tnl_cfg,
          struct in6_addr **addrsp)
{
    if (tnl_cfg->ip_dst_flow) {
        return stt_peers_get_learned(tnl_cfg->dst_port, addrsp);
    }
    *addrsp = xmemdup(&tnl_cfg->ipv6_dst, sizeof **addrsp);
    return 1;
}

/* Appends to 'ds' the size of the segments and why they have it. */
static void
format_route(const struct route *route, struct ds *ds)
{
    if (!route->found) {
        ds_put_cstr(ds, "none: no route to the remote address");
    } else if (!route->segment_size) {
        ds_put_format(ds, "none: MTU %d of %s is too small", route->mtu,
                      route->dev);
    } else if (route->capped) {
        ds_put_format(ds, "%d (max_segment_size; MTU %d of %s)",
                      route->segment_size, route->mtu, route->dev);
    } else {
        ds_put_format(ds, "%d (MTU %d of %s)", route->segment_size,
                      route->mtu, route->dev);
    }
}

/* Returns the options in force of 'netdev', with the defaults that count most.
 * The caller must destroy and free it. */
static void
get_options(const struct netdev *netdev,
            const struct netdev_tunnel_config *tnl_cfg, struct smap *options)
{
    smap_init(options);
    netdev_get_config(netdev, options);
    if (!smap_get(options, "dst_port")) {
        smap_add_format(options, "dst_port", "%d", ntohs(tnl_cfg->dst_port));
    }
    if (!smap_get(options, "ttl")) {
        smap_add_format(options, "ttl", "%d", tnl_cfg->ttl);
    }
    if (!smap_get(options, "df_default")) {
        smap_add(options, "df_default",
                 tnl_cfg->dont_fragment ? "true" : "false");
    }
    if (!smap_get(options, "key") && !smap_get(options, "in_key")
        && !smap_get(options, "out_key")) {
        smap_add(options, "key", "0");
    }
}

/* Returns true if 'netdev' is a port of the kernel datapath, whose module does
 * what this file otherwise tells about. */
static bool
is_kernel_port(const struct netdev *netdev)
{
    const char *dpif_type = netdev_get_dpif_type(netdev);

    return dpif_type && !strcmp(dpif_type, "system");
}

static const char *
offload_path(void)
{
    return (userspace_tso_enabled()
            ? "userspace TSO: frames of 64 KB go to the underlay's ports whole"
            : "no userspace TSO: Open vSwitch cuts frames into segments");
}

static void
show_port_text(const struct netdev *netdev,
               const struct netdev_tunnel_config *tnl_cfg, struct ds *ds)
{
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    bool is_kernel = is_kernel_port(netdev);
    struct netdev_custom_stats stats;
    const struct smap_node **nodes;
    struct netdev_stats packets;
    struct smap options, status;
    struct in6_addr *peers;
    struct route route;
    size_t n;

    get_options(netdev, tnl_cfg, &options);
    smap_init(&status);
    netdev_stt_get_status(netdev, &status);

    ds_put_format(ds, "%s:\n  options:", netdev_get_name(netdev));
    nodes = smap_sort(&options);
    n = smap_count(&options);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(ds, "%s %s=%s", i ? "," : "", nodes[i]->key,
                      nodes[i]->value);
    }
    free(nodes);
    n = get_peers(tnl_cfg, &peers);
    ds_put_format(ds, "\n  peers:%s", n ? "" : " none");
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(ds, i ? ", " : " ");
        ipv6_format_mapped(&peers[i], ds);
    }
    if (is_kernel) {
        ds_put_format(ds, "\n  kernel datapath: \"ethtool -S %s\" counts "
                      "frames, segments and drops",
                      netdev_vport_get_dpif_port(netdev, namebuf,
                                                 sizeof namebuf));
    } else if (tnl_cfg->ip_dst_flow) {
        ds_put_cstr(ds, "\n  segment size: up to the route of each flow");
    } else {
        ds_put_cstr(ds, "\n  segment size: ");
    }
    for (size_t i = 0; !is_kernel && i < n; i++) {
        get_route(tnl_cfg, &peers[i], &route);
        if (tnl_cfg->ip_dst_flow) {
            ds_put_cstr(ds, "\n    to ");
            ipv6_format_mapped(&peers[i], ds);
            ds_put_cstr(ds, ": ");
        }
        format_route(&route, ds);
    }
    free(peers);
    ds_put_char(ds, '\n');
    if (!is_kernel) {
        ds_put_format(ds, "  offloads: %s\n", offload_path());
        ds_put_format(ds, "  TCP port of the host: %s\n",
                      smap_get_def(&status, "tcp_port", "not reserved"));
    }
    if (!netdev_get_stats(netdev, &packets)) {
        ds_put_format(ds, "  packets: %"PRIu64" received, %"PRIu64" sent\n",
                      packets.rx_packets, packets.tx_packets);
    }
    if (!is_kernel && !netdev_get_custom_stats(netdev, &stats)) {
        ds_put_cstr(ds, "  statistics:");
        for (size_t i = 0; i < stats.size; i++) {
            if (stats.counters[i].value
                || !strncmp(stats.counters[i].name, "stt_rx_", 7)) {
                ds_put_format(ds, " %s=%"PRIu64, stats.counters[i].name,
                              stats.counters[i].value);
            }
        }
        ds_put_char(ds, '\n');
        netdev_free_custom_stats_counters(&stats);
    }

    smap_destroy(&options);
    smap_destroy(&status);
}

/* Adds to 'json' what 'route' says. */
static void
put_route(struct json *json, const struct route *route)
{
    if (route->found) {
        json_object_put_string(json, "underlay", route->dev);
        put_number(json, "underlay-mtu", route->mtu);
        put_number(json, "segment-size", route->segment_size);
        json_object_put(json, "capped", json_boolean_create(route->capped));
    }
}

static struct json *
show_port_json(const struct netdev *netdev,
               const struct netdev_tunnel_config *tnl_cfg)
{
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    struct json *options_json, *peers_json, *stats_json;
    struct json *json = json_object_create();
    bool is_kernel = is_kernel_port(netdev);
    struct netdev_custom_stats stats;
    struct netdev_stats packets;
    struct smap options, status;
    struct smap_node *node;
    struct in6_addr *peers;
    struct route route;
    size_t n;

    get_options(netdev, tnl_cfg, &options);
    options_json = json_object_create();
    SMAP_FOR_EACH (node, &options) {
        json_object_put_string(options_json, node->key, node->value);
    }
    json_object_put(json, "options", options_json);
    smap_destroy(&options);

    peers_json = json_object_create();
    n = get_peers(tnl_cfg, &peers);
    for (size_t i = 0; i < n; i++) {
        struct json *peer_json = json_object_create();
        char addr[INET6_ADDRSTRLEN];

        if (!is_kernel) {
            get_route(tnl_cfg, &peers[i], &route);
            put_route(peer_json, &route);
        }
        json_object_put(peers_json, ipv6_string_mapped(addr, &peers[i]),
                        peer_json);
        if (!is_kernel && !tnl_cfg->ip_dst_flow) {
            put_route(json, &route);
        }
    }
    free(peers);
    json_object_put(json, "peers", peers_json);
    if (!netdev_get_stats(netdev, &packets)) {
        put_number(json, "rx-packets", packets.rx_packets);
        put_number(json, "tx-packets", packets.tx_packets);
    }
    if (is_kernel) {
        json_object_put_string(json, "kernel-device",
                               netdev_vport_get_dpif_port(netdev, namebuf,
                                                          sizeof namebuf));
        return json;
    }

    json_object_put(json, "userspace-tso",
                    json_boolean_create(userspace_tso_enabled()));

    smap_init(&status);
    netdev_stt_get_status(netdev, &status);
    json_object_put_string(json, "tcp-port",
                           smap_get_def(&status, "tcp_port", "not reserved"));
    smap_destroy(&status);

    stats_json = json_object_create();
    if (!netdev_get_custom_stats(netdev, &stats)) {
        for (size_t i = 0; i < stats.size; i++) {
            put_number(stats_json, stats.counters[i].name,
                       stats.counters[i].value);
        }
        netdev_free_custom_stats_counters(&stats);
    }
    json_object_put(json, "statistics", stats_json);
    return json;
}

static int
compare_netdevs(const void *a_, const void *b_)
{
    const struct netdev *const *a = a_;
    const struct netdev *const *b = b_;

    return strcmp(netdev_get_name(*a), netdev_get_name(*b));
}

/* Shows the STT port that is named, or all of them.  A port has a remote
 * address, or leaves it to the flows; what has neither is one of the
 * datapath's, which stands for all ports with the same TCP port. */
static void
stt_unixctl_show(struct unixctl_conn *conn, int argc, const char *argv[],
                 void *aux OVS_UNUSED)
{
    bool as_json
        = unixctl_command_get_output_format(conn) == UNIXCTL_OUTPUT_FMT_JSON;
    struct json *json = as_json ? json_object_create() : NULL;
    const char *name = argc > 1 ? argv[1] : NULL;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct netdev **vports;
    size_t n, n_shown = 0;

    vports = netdev_get_vports(&n);
    qsort(vports, n, sizeof *vports, compare_netdevs);
    for (size_t i = 0; i < n; i++) {
        const struct netdev *netdev = vports[i];
        const struct netdev_tunnel_config *tnl_cfg
            = netdev_get_tunnel_config(netdev);

        if (!strcmp(netdev_get_type(netdev), "stt") && tnl_cfg
            && (tnl_cfg->ip_dst_flow || ipv6_addr_is_set(&tnl_cfg->ipv6_dst))
            && (!name || !strcmp(netdev_get_name(netdev), name))) {
            n_shown++;
            if (as_json) {
                json_object_put(json, netdev_get_name(netdev),
                                show_port_json(netdev, tnl_cfg));
            } else {
                show_port_text(netdev, tnl_cfg, &ds);
            }
        }
        netdev_close(vports[i]);
    }
    free(vports);

    if (name && !n_shown) {
        char *error = xasprintf("no STT port %s", name);

        unixctl_command_reply_error(conn, error);
        free(error);
        json_destroy(json);
    } else if (as_json) {
        unixctl_command_reply_json(conn, json);
    } else {
        unixctl_command_reply(conn, ds_cstr(&ds));
    }
    ds_destroy(&ds);
}

/* stt/reassembly-show. */

static void
stt_unixctl_reassembly_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
                            const char *argv[] OVS_UNUSED,
                            void *aux OVS_UNUSED)
{
    struct stt_reassembly_limits limits;
    struct stt_reassembly_stats stats;

    netdev_stt_get_reassembly(&stats, &limits);
    if (unixctl_command_get_output_format(conn) == UNIXCTL_OUTPUT_FMT_JSON) {
        struct json *json = json_object_create();
        struct json *sub = json_object_create();

        put_number(sub, "max-bytes", limits.max_bytes);
        put_number(sub, "max-frames", limits.max_frames);
        put_number(sub, "max-segments", limits.max_segments);
        put_number(sub, "source-percent", limits.source_percent);
        put_number(sub, "timeout", limits.max_age_ms);
        json_object_put(json, "limits", sub);

        sub = json_object_create();
        put_number(sub, "frames", stats.frames_waiting);
        put_number(sub, "segments", stats.segments_waiting);
        put_number(sub, "bytes", stats.bytes_waiting);
        if (stats.frames_waiting) {
            put_number(sub, "oldest", stats.oldest_ms);
        }
        json_object_put(json, "waiting", sub);

        put_number(json, "segments", stats.segments);
        put_number(json, "segments-delivered", stats.segments_delivered);
        put_number(json, "frames-delivered", stats.frames_delivered);
        sub = json_object_create();
        for (size_t i = STT_OK + 1; i < STT_N_DROPS; i++) {
            if (stats.drops[i]) {
                put_number(sub, stt_drop_name(i), stats.drops[i]);
            }
        }
        json_object_put(json, "drops", sub);
        unixctl_command_reply_json(conn, json);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_format(&ds, "waiting: %"PRIu64" frames, %"PRIu64" segments, "
                      "%"PRIu64" bytes", stats.frames_waiting,
                      stats.segments_waiting, stats.bytes_waiting);
        if (stats.frames_waiting) {
            ds_put_format(&ds, ", the oldest for %lld ms", stats.oldest_ms);
        }
        ds_put_format(&ds, "\nlimits: %"PRIu32" frames, %"PRIu32" segments "
                      "per frame, %"PRIu64" bytes, %"PRIu32" %% of that per "
                      "source, %"PRIu32" ms\n", limits.max_frames,
                      limits.max_segments, limits.max_bytes,
                      limits.source_percent, limits.max_age_ms);
        ds_put_format(&ds, "segments: %"PRIu64" received, %"PRIu64" delivered "
                      "in %"PRIu64" frames\n", stats.segments,
                      stats.segments_delivered, stats.frames_delivered);
        for (size_t i = STT_OK + 1; i < STT_N_DROPS; i++) {
            if (stats.drops[i]) {
                ds_put_format(&ds, "dropped: %"PRIu64" (%s: %s)\n",
                              stats.drops[i], stt_drop_name(i),
                              stt_drop_description(i));
            }
        }
        unixctl_command_reply(conn, ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

/* Registers the commands, as the init function of STT's netdev class.  Returns
 * 0. */
int
netdev_stt_init(void)
{
    unixctl_command_register("stt/show", "[port]", 0, 1, stt_unixctl_show,
                             NULL);
    unixctl_command_register("stt/reassembly-show", "", 0, 0,
                             stt_unixctl_reassembly_show, NULL);
    stt_probe_unixctl_init();
    return 0;
}
