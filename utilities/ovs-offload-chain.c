/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload-chain.h"

/* Follows the chain of devices, settings and rules that the packets of a
 * tunnel pass: asks the database, ovs-vswitchd and the kernel, finds the
 * bridges and the route, and has each link judged. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dirs.h"
#include "jsonrpc.h"
#include "lib/vswitch-idl.h"
#include "openvswitch/json.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "unixctl.h"
#include "util.h"

/* Sources. */

/* Returns what Linux knows of network device 'name', which need not exist.  It
 * is read only once, and belongs to 'ctx'. */
const struct offload_dev *
get_dev(struct context *ctx, const char *name)
{
    struct offload_dev *dev = shash_find_data(&ctx->devs, name);

    if (!dev) {
        dev = offload_dev_read(name);
        shash_add(&ctx->devs, name, dev);
    }
    return dev;
}

/* Returns where ovs-vswitchd is asked, which the caller must free, or NULL if
 * it does not run. */
char *
offload_vswitchd_path(void)
{
    char *path = xasprintf("%s/ovs-vswitchd.pid", ovs_rundir());
    FILE *file = fopen(path, "r");
    int pid = 0;

    free(path);
    if (!file) {
        return NULL;
    }
    if (fscanf(file, "%d", &pid) != 1) {
        pid = 0;
    }
    fclose(file);
    return (pid <= 0 ? NULL
            : xasprintf("%s/ovs-vswitchd.%d.ctl", ovs_rundir(), pid));
}

/* Connects to ovs-vswitchd, if it runs. */
static void
connect_vswitchd(struct context *ctx)
{
    char *path = offload_vswitchd_path();
    char *options[] = { "--format", "json" };
    struct json *result = NULL, *error = NULL;

    if (!path) {
        return;
    }
    if (unixctl_client_create(path, &ctx->vswitchd)) {
        ctx->vswitchd = NULL;
    } else if (unixctl_client_transact(ctx->vswitchd, "set-options", 2,
                                       options, &result, &error) || error) {
        jsonrpc_close(ctx->vswitchd);
        ctx->vswitchd = NULL;
    }
    json_destroy(result);
    json_destroy(error);
    free(path);
}

/* Has ovs-vswitchd do 'command' with 'args'.  Returns what it answers, which
 * the caller must destroy, or NULL. */
struct json *
ask_vswitchd(struct context *ctx, const char *command,
             const struct svec *args)
{
    struct json *result = NULL, *error = NULL;

    if (!ctx->vswitchd) {
        return NULL;
    }
    if (unixctl_client_transact(ctx->vswitchd, command, args->n, args->names,
                                &result, &error)) {
        jsonrpc_close(ctx->vswitchd);
        ctx->vswitchd = NULL;
        return NULL;
    }
    if (error) {
        json_destroy(error);
        json_destroy(result);
        return NULL;
    }
    return result;
}

/* Returns member 'name' of 'json', which may be NULL or no object, if it is of
 * 'type', otherwise NULL.  It belongs to 'json'. */
const struct json *
member(const struct json *json, const char *name, enum json_type type)
{
    const struct json *m;

    m = (json && json->type == JSON_OBJECT
         ? shash_find_data(json_object(json), name) : NULL);
    return m && m->type == type ? m : NULL;
}

static bool
is_tunnel(const char *type)
{
    static const char *const types[] = {
        "stt", "vxlan", "geneve", "gre", "ip6gre", "erspan", "ip6erspan",
        "gtpu", "bareudp", "srv6",
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(type, types[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_userspace(const struct ovsrec_bridge *br)
{
    return (!strcmp(br->datapath_type, "netdev")
            || !strncmp(br->datapath_type, "dummy", 5));
}

/* Returns true if the port of 'iface' leads out of the switch: to a NIC or to
 * a virtual machine. */
bool
is_outward(const struct ovsrec_interface *iface)
{
    return (!is_tunnel(iface->type) && strcmp(iface->type, "internal")
            && strcmp(iface->type, "patch"));
}

/* Returns true if what the port of 'iface', which may be null, sends and
 * receives passes the network stack of the kernel by. */
bool
bypasses_kernel(const struct ovsrec_interface *iface)
{
    return iface && (!strncmp(iface->type, "dpdk", 4)
                     || !strncmp(iface->type, "afxdp", 5));
}

static const struct ovsrec_bridge *
find_bridge_of(struct ovsdb_idl *idl, const char *iface_name)
{
    const struct ovsrec_bridge *br;

    OVSREC_BRIDGE_FOR_EACH (br, idl) {
        for (size_t i = 0; i < br->n_ports; i++) {
            for (size_t j = 0; j < br->ports[i]->n_interfaces; j++) {
                if (!strcmp(br->ports[i]->interfaces[j]->name, iface_name)) {
                    return br;
                }
            }
        }
    }
    return NULL;
}

/* Returns the Interface called 'name', or NULL. */
const struct ovsrec_interface *
offload_find_interface(struct ovsdb_idl *idl, const char *name)
{
    const struct ovsrec_interface *iface;

    OVSREC_INTERFACE_FOR_EACH (iface, idl) {
        if (!strcmp(iface->name, name)) {
            return iface;
        }
    }
    return NULL;
}

/* Returns true if 'iface' is the port of a virtual machine or container, as
 * what manages it has written down. */
static bool
is_guest(const struct ovsrec_interface *iface)
{
    static const char *const keys[] = {
        "iface-id", "attached-mac", "container_id"
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (smap_get(&iface->external_ids, keys[i])) {
            return true;
        }
    }
    return !strncmp(iface->type, "dpdkvhostuser", 13);
}

/* The ports of bridges that lead to other hosts, by all that is known. */
struct uplinks {
    struct svec names;
    enum offload_likeness likeness; /* Of each of 'names'. */
    struct svec visited;            /* Names of bridges. */
};

static void
add_uplink(struct context *ctx, const struct ovsrec_interface *iface,
           struct uplinks *uplinks)
{
    enum offload_likeness likeness
        = (!strcmp(iface->type, "dpdk") ? OFFLOAD_LIKE_NIC
           : !strcmp(iface->type, "tap") ? OFFLOAD_LIKE_GUEST
           : offload_dev_get_likeness(get_dev(ctx, iface->name)));

    if (likeness > uplinks->likeness) {
        svec_clear(&uplinks->names);
        uplinks->likeness = likeness;
    }
    if (likeness == uplinks->likeness) {
        svec_add(&uplinks->names, iface->name);
    }
}

/* Adds to 'uplinks' those of 'br' and of bridges that it is connected with,
 * except for bridges visited before. */
static void
find_uplinks(struct context *ctx, const struct ovsrec_bridge *br,
             struct uplinks *uplinks)
{
    if (svec_contains_unsorted(&uplinks->visited, br->name)) {
        return;
    }
    svec_add(&uplinks->visited, br->name);
    for (size_t i = 0; i < br->n_ports; i++) {
        for (size_t j = 0; j < br->ports[i]->n_interfaces; j++) {
            const struct ovsrec_interface *iface
                = br->ports[i]->interfaces[j];

            if (is_outward(iface) && !is_guest(iface)) {
                add_uplink(ctx, iface, uplinks);
            } else if (!strcmp(iface->type, "patch")) {
                const char *peer = smap_get(&iface->options, "peer");
                const struct ovsrec_bridge *next
                    = peer ? find_bridge_of(ctx->idl, peer) : NULL;

                if (next) {
                    find_uplinks(ctx, next, uplinks);
                }
            }
        }
    }
}

/* Adds to the underlay of 'tunnel' the ports by which packets leave from 'br',
 * which the route leads to, and the devices below them.  The tunnel's own
 * bridge, if it is another one, is where its packets come from, whatever patch
 * ports connect the two. */
static void
get_nics(struct context *ctx, struct tunnel *tunnel,
         const struct ovsrec_bridge *br)
{
    struct uplinks uplinks = {
        .names = SVEC_EMPTY_INITIALIZER,
        .likeness = OFFLOAD_LIKE_GUEST,
        .visited = SVEC_EMPTY_INITIALIZER,
    };
    const char *name;
    size_t i;

    if (br != tunnel->bridge) {
        svec_add(&uplinks.visited, tunnel->bridge->name);
    }
    find_uplinks(ctx, br, &uplinks);
    SVEC_FOR_EACH (i, name, &uplinks.names) {
        if (bypasses_kernel(offload_find_interface(ctx->idl, name))) {
            svec_add(&tunnel->underlay, name);
        } else {
            offload_dev_get_chain(name, &tunnel->underlay);
        }
    }
    svec_destroy(&uplinks.names);
    svec_destroy(&uplinks.visited);
}

/* Links of the chain. */

/* Asks ovs-vswitchd for the route to the peer of 'tunnel' from 'local', or
 * from any address if that is null, for packets with 'mark'. */
static void
lookup_userspace_route(struct context *ctx, struct tunnel *tunnel,
                       const char *local, uint32_t mark)
{
    const char *prefix_len = tunnel->is_ipv6 ? "128" : "32";
    struct svec args = SVEC_EMPTY_INITIALIZER;
    const struct json *reply;
    struct json *json;

    svec_add_nocopy(&args, xasprintf("%s/%s", tunnel->remote, prefix_len));
    if (local) {
        svec_add_nocopy(&args, xasprintf("src=%s", local));
    }
    if (mark) {
        svec_add_nocopy(&args, xasprintf("pkt_mark=%"PRIu32, mark));
    }
    json = ask_vswitchd(ctx, "ovs/route/lookup", &args);
    svec_destroy(&args);

    reply = member(json, "reply", JSON_STRING);
    if (reply) {
        char *s = xstrdup(json_string(reply)), *save = NULL, *line;

        for (line = strtok_r(s, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            if (!strncmp(line, "src ", 4)) {
                tunnel->src = xstrdup(line + 4);
            } else if (!strncmp(line, "gateway ", 8)
                       && strcmp(line + 8, "::")) {
                tunnel->gateway = xstrdup(line + 8);
            } else if (!strncmp(line, "dev ", 4)) {
                tunnel->dev = xstrdup(line + 4);
            }
        }
        free(s);
    }
    json_destroy(json);
}

/* Looks up the route to the peer of 'tunnel', as what sends its packets would.
 * Returns the MTU that the route itself has, or 0. */
static unsigned int
lookup_route(struct context *ctx, struct tunnel *tunnel)
{
    const struct smap *options = &tunnel->iface->options;
    const char *local = smap_get(options, "local_ip");
    uint32_t mark = smap_get_uint(options, "egress_pkt_mark", 0);
    unsigned int mtu = 0;

    if (local && !strcmp(local, "flow")) {
        local = NULL;
    }
    if (tunnel->userspace) {
        lookup_userspace_route(ctx, tunnel, local, mark);
    } else {
        offload_route_lookup(tunnel->remote, local, mark, &tunnel->dev,
                             &tunnel->src, &tunnel->gateway, &mtu);
    }
    return mtu;
}

/* The route to the peer, and the NICs that it ends at, as 'part' of the
 * report. */
static void
collect_route(struct context *ctx, struct tunnel *tunnel, const char *part)
{
    const struct ovsrec_bridge *br;
    unsigned int route_mtu;

    add_row(ctx, tunnel, part, "to", "%s", tunnel->remote);
    route_mtu = lookup_route(ctx, tunnel);
    if (!tunnel->dev && tunnel->userspace && !ctx->vswitchd) {
        add_row(ctx, tunnel, part, "dev",
                "unknown: ovs-vswitchd can't be asked");
        find(ctx, OFFLOAD_ERROR, "no-switch", tunnel, tunnel->iface->name,
             NULL, offload_service_command("start"), "no packet passes",
             "ovs-vswitchd does not run, or can't be reached");
        judge(&tunnel->send, "dropped: ovs-vswitchd does not run");
        judge(&tunnel->receive, "dropped: ovs-vswitchd does not run");
        return;
    }
    if (!tunnel->dev) {
        find(ctx, OFFLOAD_ERROR, "no-route", tunnel, tunnel->iface->name, NULL,
             NULL, "no packet passes", "there is no route to %s",
             tunnel->remote);
        judge(&tunnel->send, "dropped: no route to %s", tunnel->remote);
        judge(&tunnel->receive, "unknown: no route to %s", tunnel->remote);
        return;
    }
    add_row(ctx, tunnel, part, "dev", "%s", tunnel->dev);
    if (tunnel->src) {
        add_row(ctx, tunnel, part, "src", "%s", tunnel->src);
    }
    if (tunnel->gateway) {
        add_row(ctx, tunnel, part, "gateway", "%s", tunnel->gateway);
    }
    if (route_mtu) {
        add_row(ctx, tunnel, part, "mtu", "%u", route_mtu);
    }

    br = find_bridge_of(ctx->idl, tunnel->dev);
    if (br) {
        get_nics(ctx, tunnel, br);
    }
    if (tunnel->userspace && (!br || !is_userspace(br))) {
        find(ctx, OFFLOAD_ERROR, "route-not-bridge", tunnel, tunnel->dev,
             NULL, NULL, "no packet passes",
             "the route leads to %s, which is no bridge of the userspace "
             "datapath", tunnel->dev);
        judge(&tunnel->send, "dropped: %s is no bridge of the userspace "
              "datapath", tunnel->dev);
    } else if (!br) {
        offload_dev_get_chain(tunnel->dev, &tunnel->underlay);
    }
    if (br && !tunnel->underlay.n) {
        find(ctx, OFFLOAD_ERROR, "no-underlay", tunnel, tunnel->dev, NULL,
             NULL, "no packet passes",
             "the bridge that the route leads to has no NIC");
        judge(&tunnel->send, "dropped: %s has no NIC", tunnel->dev);
    }
}

/* Adds the row 'item' with 'verdict', and that packets may be dropped by
 * 'maybe' if that is nonnull. */
static void
add_verdict(struct context *ctx, const struct tunnel *tunnel,
            const char *item, const char *verdict, const char *maybe)
{
    bool dropped = !strncmp(verdict, "dropped", strlen("dropped"));

    add_row(ctx, tunnel, "verdict", item, "%s%s%s", verdict,
            maybe && !dropped ? ", unless dropped by " : "",
            maybe && !dropped ? maybe : "");
}

/* Returns how late what is found about 'name' is to be mended: that of a
 * device above others, which takes over features of theirs, after them. */
static size_t
get_height(struct context *ctx, const struct tunnel *tunnel, const char *name)
{
    size_t i;

    for (i = 0; i < tunnel->underlay.n; i++) {
        if (!strcmp(tunnel->underlay.names[i], name)) {
            break;
        }
    }
    return get_dev(ctx, name)->is_upper ? tunnel->underlay.n - i : 0;
}

/* Puts the findings about NICs, from 'first' on, into the order in which they
 * are to be mended, otherwise as they are. */
static void
order_findings(struct context *ctx, const struct tunnel *tunnel, size_t first)
{
    struct offload_finding *f = ctx->report->findings;

    for (size_t i = first + 1; i < ctx->report->n_findings; i++) {
        for (size_t j = i; j > first
             && (get_height(ctx, tunnel, f[j - 1].device)
                 > get_height(ctx, tunnel, f[j].device)); j--) {
            struct offload_finding tmp = f[j];

            f[j] = f[j - 1];
            f[j - 1] = tmp;
        }
    }
}

/* What is on the way to a peer, as in "struct tunnel". */
struct path {
    const char *remote;
    bool is_ipv6;
    char *dev, *src, *gateway;
    struct svec underlay;
    bool is_first;              /* The first one by these devices? */
};

/* Has 'tunnel' stand for 'path', to which its members still belong. */
static void
set_path(struct tunnel *tunnel, const struct path *path)
{
    tunnel->remote = path->remote;
    tunnel->is_ipv6 = path->is_ipv6;
    tunnel->dev = path->dev;
    tunnel->src = path->src;
    tunnel->gateway = path->gateway;
    tunnel->underlay = path->underlay;
}

/* Follows the route of 'tunnel' to 'remote', one of its 'n_peers' peers.  The
 * caller must free what is in 'path'. */
static void
collect_path(struct context *ctx, struct tunnel *tunnel, const char *remote,
             size_t n_peers, struct path *path)
{
    char *part = (n_peers > 1 ? xasprintf("route to %s", remote)
                  : xstrdup("route"));
    ovs_be32 ip;

    *path = (struct path) {
        .remote = remote,
        .is_ipv6 = !ip_parse(remote, &ip),
        .underlay = SVEC_EMPTY_INITIALIZER,
    };
    set_path(tunnel, path);
    collect_route(ctx, tunnel, part);
    path->dev = tunnel->dev;
    path->src = tunnel->src;
    path->gateway = tunnel->gateway;
    path->underlay = tunnel->underlay;
    free(part);
}

/* Follows the routes of 'tunnel' to 'peers' into 'paths', as many. */
static void
collect_paths(struct context *ctx, struct tunnel *tunnel,
              const struct svec *peers, struct path *paths)
{
    const char *remote;
    size_t i;

    SVEC_FOR_EACH (i, remote, peers) {
        collect_path(ctx, tunnel, remote, peers->n, &paths[i]);
        paths[i].is_first = true;
        for (size_t j = 0; j < i; j++) {
            if (nullable_string_is_equal(paths[i].dev, paths[j].dev)
                && paths[i].is_ipv6 == paths[j].is_ipv6) {
                paths[i].is_first = false;
            }
        }
    }
}

/* Reports that the peers of 'tunnel', so what is on the way to them, are not
 * known. */
static void
find_no_peers(struct context *ctx, struct tunnel *tunnel)
{
    judge(&tunnel->send, "unknown: remote_ip is up to the flows");
    judge(&tunnel->receive, "unknown: remote_ip is up to the flows");
    if (tunnel->is_stt) {
        find(ctx, OFFLOAD_NOTE, "peers-unknown", tunnel, tunnel->iface->name,
             NULL, NULL,
             "routes, MTUs, NICs and packet filters have not been checked",
             "remote_ip is up to the flows, %s",
             tunnel->userspace ? "which have sent to no peer of late"
             : "whose peers the kernel datapath does not tell");
    }
}

/* Shows and judges all that is on 'paths', 'n' of them, of 'tunnel'.  Those by
 * the same devices have nothing of their own but rules about addresses. */
static void
collect_links(struct context *ctx, struct tunnel *tunnel,
              const struct path *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (paths[i].is_first) {
            set_path(tunnel, &paths[i]);
            check_mtu(ctx, tunnel);
        }
    }
    for (size_t i = 0; i < n; i++) {
        set_path(tunnel, &paths[i]);
        collect_netfilter(ctx, tunnel);
    }
    for (size_t i = 0; i < n; i++) {
        if (paths[i].is_first) {
            size_t first_finding = ctx->report->n_findings;
            const char *name;
            size_t j;

            set_path(tunnel, &paths[i]);
            SVEC_FOR_EACH (j, name, &tunnel->underlay) {
                collect_nic(ctx, tunnel, name);
            }
            order_findings(ctx, tunnel, first_finding);
        }
    }
}

static void
collect_tunnel(struct context *ctx, const struct ovsrec_bridge *br,
               const struct ovsrec_interface *iface)
{
    struct tunnel tunnel = {
        .bridge = br,
        .iface = iface,
        .is_stt = !strcmp(iface->type, "stt"),
        .userspace = is_userspace(br),
        .dst_port = smap_get_int(&iface->options, "dst_port", 7471),
        .peers = SVEC_EMPTY_INITIALIZER,
    };
    const char *remote = smap_get(&iface->options, "remote_ip");
    struct svec underlay = SVEC_EMPTY_INITIALIZER;
    struct offload_report *report = ctx->report;
    size_t first = report->n_rows;
    struct offload_row rows[2];
    struct path *paths;
    size_t n;

    report->n_ports++;

    collect_switch(ctx, &tunnel);
    if (remote && strcmp(remote, "flow")) {
        svec_clear(&tunnel.peers);
        svec_add(&tunnel.peers, remote);
    } else {
        add_row(ctx, &tunnel, "route", "remote_ip", "up to the flows");
    }
    n = tunnel.peers.n;
    paths = xcalloc(n, sizeof *paths);
    collect_paths(ctx, &tunnel, &tunnel.peers, paths);
    for (size_t i = 0; i < n; i++) {
        svec_append(&underlay, &paths[i].underlay);
    }

    /* No NIC is the port of a virtual machine, whatever path it is on. */
    tunnel.underlay = underlay;
    collect_guests(ctx, &tunnel);
    if (!n) {
        find_no_peers(ctx, &tunnel);
    }
    collect_links(ctx, &tunnel, paths, n);
    for (size_t i = 0; i < n; i++) {
        if (paths[i].is_first) {
            set_path(&tunnel, &paths[i]);
            tunnel.underlay = underlay;
            check_two_pieces(ctx, &tunnel);
        }
    }
    judge(&tunnel.send, "64 KB passes in one piece");
    judge(&tunnel.receive, "unknown");

    /* The verdicts come first. */
    add_verdict(ctx, &tunnel, "sending", tunnel.send, tunnel.send_maybe);
    add_verdict(ctx, &tunnel, "receiving", tunnel.receive,
                tunnel.receive_maybe);
    memcpy(rows, &report->rows[report->n_rows - 2], sizeof rows);
    memmove(&report->rows[first + 2], &report->rows[first],
            (report->n_rows - 2 - first) * sizeof *rows);
    memcpy(&report->rows[first], rows, sizeof rows);

    for (size_t i = 0; i < n; i++) {
        svec_destroy(&paths[i].underlay);
        free(paths[i].dev);
        free(paths[i].src);
        free(paths[i].gateway);
    }
    free(paths);
    svec_destroy(&underlay);
    svec_destroy(&tunnel.peers);
    free(tunnel.send);
    free(tunnel.receive);
    free(tunnel.send_maybe);
    free(tunnel.receive_maybe);
}

static int
compare_findings(const void *a_, const void *b_)
{
    const struct offload_finding *a = a_;
    const struct offload_finding *b = b_;

    return (a->severity > b->severity ? -1 : a->severity < b->severity);
}

/* Collects in '*report', which the caller must destroy in any case, what there
 * is to know about tunnel port 'port', or all if it is NULL.  Returns NULL if
 * successful, otherwise a message that the caller must free. */
char *
offload_report_collect(struct ovsdb_idl *idl, const char *port,
                       struct offload_report *report)
{
    const struct ovsrec_open_vswitch *cfg = ovsrec_open_vswitch_first(idl);
    struct context ctx = {
        .idl = idl,
        .report = report,
        .devs = SHASH_INITIALIZER(&ctx.devs),
        .tso = -1,
    };
    const struct ovsrec_bridge *br;
    struct shash_node *node;
    char *error = NULL;

    memset(report, 0, sizeof *report);
    if (!cfg) {
        return xstrdup("the database has no row in table Open_vSwitch");
    }
    ctx.tso_wanted = smap_get_bool(&cfg->other_config, "userspace-tso-enable",
                                   false);
    ctx.hw_offload = smap_get_bool(&cfg->other_config, "hw-offload", false);
    connect_vswitchd(&ctx);

    OVSREC_BRIDGE_FOR_EACH (br, idl) {
        for (size_t i = 0; i < br->n_ports; i++) {
            for (size_t j = 0; j < br->ports[i]->n_interfaces; j++) {
                const struct ovsrec_interface *iface
                    = br->ports[i]->interfaces[j];

                if (is_tunnel(iface->type)
                    && (!port || !strcmp(port, iface->name))) {
                    collect_tunnel(&ctx, br, iface);
                }
            }
        }
    }
    if (port && !report->n_ports) {
        error = (offload_find_interface(idl, port)
                 ? xasprintf("port %s is no tunnel", port)
                 : xasprintf("there is no port called %s", port));
    }
    if (report->n_findings) {
        struct offload_finding *f = report->findings;

        /* Stable: what has to be mended first was found first. */
        for (size_t i = 1; i < report->n_findings; i++) {
            for (size_t j = i; j && compare_findings(&f[j - 1], &f[j]) > 0;
                 j--) {
                struct offload_finding tmp = f[j];

                f[j] = f[j - 1];
                f[j - 1] = tmp;
            }
        }
    }

    SHASH_FOR_EACH (node, &ctx.devs) {
        offload_dev_destroy(node->data);
    }
    shash_destroy(&ctx.devs);
    json_destroy(ctx.ruleset);
    free(ctx.ruleset_error);
    if (ctx.vswitchd) {
        jsonrpc_close(ctx.vswitchd);
    }
    return error;
}
