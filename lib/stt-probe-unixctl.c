/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-probe.h"

/* Commands for ovs-appctl that probe what the path of a tunnel carries. */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "netdev.h"
#include "netdev-provider.h"
#include "netdev-stt.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "ovs-router.h"
#include "packets.h"
#include "stt.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* Bounds of what one command sends. */
enum {
    MAX_SIZES = 16,             /* Different sizes. */
    MAX_COUNT = 100,            /* Probes of each. */
    MAX_HELLOS = 5,             /* Before any, until one is answered. */
    MAX_DURATION = 600 * 1000,  /* Milliseconds for all of them. */
};

/* One "stt/probe" that is under way. */
struct run {
    struct ovs_list node;       /* In 'runs'. */
    struct unixctl_conn *conn;
    char *port;
    struct in6_addr peer;
    bool peer_up_to_flows, key_up_to_flows;
    ovs_be64 key;

    char dev[IFNAMSIZ];         /* Of the underlay. */
    int mtu;                    /* Of 'dev'. */
    int segment_size;

    uint32_t sizes[MAX_SIZES];  /* In bytes, of the Ethernet frame. */
    size_t n_sizes;
    unsigned int count;
    unsigned int interval;      /* Between two probes, in milliseconds. */
    unsigned int timeout;       /* After the last one, in milliseconds. */

    /* The first MAX_HELLOS probes of the session are small ones, the others
     * follow if one of those is answered. */
    struct stt_probe_session *session;
    size_t n_hellos;            /* Sent. */
    size_t n_probes;            /* Sent, after the hellos. */
    bool answers;               /* Was a hello answered? */
    long long int next_ms;      /* When to send the next probe. */
    long long int end_ms;       /* When to give up, once all are sent. */

    struct netdev_custom_stats before;
    bool has_before;
};

static struct ovs_list runs = OVS_LIST_INITIALIZER(&runs);

/* What became of the probes of one size. */
struct summary {
    unsigned int sent, answered, whole, merged, reordered;
    unsigned int min_pieces, max_pieces;
    unsigned int largest;       /* Piece, in bytes of the STT frame. */
    long long int min_us, max_us, sum_us;
};

/* Into how many pieces a frame of 'size' bytes is cut by 'r' itself, or by
 * whatever segments it on the way. */
static unsigned int
expected_pieces(const struct run *r, uint32_t size)
{
    return DIV_ROUND_UP(size + STT_HEADER_LEN, r->segment_size);
}

static void
summarize(const struct run *r, size_t size_idx, struct summary *s)
{
    unsigned int expected = expected_pieces(r, r->sizes[size_idx]);

    memset(s, 0, sizeof *s);
    for (size_t i = size_idx; i < r->n_probes; i += r->n_sizes) {
        struct stt_probe_result result;
        long long int us;

        stt_probe_session_get(r->session, MAX_HELLOS + i, &result);
        s->sent++;
        if (!result.answered_us) {
            continue;
        }
        us = MAX(0, result.answered_us - result.sent_us);
        s->min_us = s->answered ? MIN(s->min_us, us) : us;
        s->max_us = MAX(s->max_us, us);
        s->sum_us += us;
        s->min_pieces = (s->answered
                         ? MIN(s->min_pieces, result.arrival.n_pieces)
                         : result.arrival.n_pieces);
        s->max_pieces = MAX(s->max_pieces, result.arrival.n_pieces);
        s->largest = MAX(s->largest, result.arrival.largest);
        s->whole += result.arrival.n_pieces == 1;
        s->merged += result.arrival.n_pieces < expected;
        s->reordered += result.arrival.reordered;
        s->answered++;
    }
}

/* Appends to 'ds' in one line what the path carries. */
static void
format_verdict(const struct run *r, struct ds *ds)
{
    uint32_t largest = 0, smallest_lost = 0;
    unsigned int n_lost = 0, reordered = 0;
    struct summary s, last = { .sent = 0 };

    if (!r->answers) {
        ds_put_cstr(ds, "silence: no answer from ");
        ipv6_format_mapped(&r->peer, ds);
        ds_put_cstr(ds, ": not this fork, or the kernel datapath, or probes "
                    "switched off, or lost");
        return;
    }

    for (size_t i = 0; i < r->n_sizes; i++) {
        summarize(r, i, &s);
        n_lost += s.sent - s.answered;
        reordered += s.reordered;
        if (!s.answered) {
            smallest_lost = (smallest_lost ? MIN(smallest_lost, r->sizes[i])
                             : r->sizes[i]);
        } else if (r->sizes[i] >= largest) {
            largest = r->sizes[i];
            last = s;
        }
    }
    if (smallest_lost) {
        ds_put_format(ds, "nothing of %"PRIu32" bytes comes through",
                      smallest_lost);
    } else if (expected_pieces(r, largest) == 1) {
        ds_put_format(ds, "%"PRIu32" bytes pass", largest);
    } else if (last.whole == last.answered) {
        ds_put_format(ds, "%"PRIu32" bytes pass and arrive in one piece",
                      largest);
    } else if (last.min_pieces == last.max_pieces) {
        ds_put_format(ds, "%"PRIu32" bytes pass and arrive in %u pieces",
                      largest, last.max_pieces);
    } else {
        ds_put_format(ds, "%"PRIu32" bytes pass and arrive in %u to %u "
                      "pieces", largest, last.min_pieces, last.max_pieces);
    }
    if (n_lost) {
        ds_put_format(ds, "; %u of %"PRIuSIZE" probes were not answered",
                      n_lost, r->n_probes);
    }
    if (reordered) {
        ds_put_format(ds, "; %u arrived out of order", reordered);
    }
}

/* Returns how much counter 'c' of the peer has grown since 'r' began. */
static uint64_t
counter_growth(const struct run *r, const struct netdev_custom_counter *c)
{
    for (size_t i = 0; i < r->before.size; i++) {
        const struct netdev_custom_counter *old = &r->before.counters[i];

        if (!strcmp(old->name, c->name)) {
            return c->value >= old->value ? c->value - old->value : 0;
        }
    }
    return 0;
}

/* Returns an object with the drops that 'r' has seen. */
static struct json *
get_counters(const struct run *r)
{
    struct netdev *netdev = netdev_from_name(r->port);
    struct json *json = json_object_create();
    struct netdev_custom_stats after;

    if (netdev && r->has_before && !netdev_get_custom_stats(netdev, &after)) {
        for (size_t i = 0; i < after.size; i++) {
            const struct netdev_custom_counter *c = &after.counters[i];
            uint64_t n = counter_growth(r, c);

            if (n && strncmp(c->name, "stt_rx_", 7)) {
                json_object_put(json, c->name, json_integer_create(n));
            }
        }
        netdev_free_custom_stats_counters(&after);
    }
    netdev_close(netdev);
    return json;
}

static void
put_number(struct json *json, const char *name, long long int number)
{
    json_object_put(json, name, json_integer_create(number));
}

static void
reply_json(const struct run *r)
{
    struct json *json = json_object_create();
    struct json *sizes = json_array_create_empty();
    struct ds ds = DS_EMPTY_INITIALIZER;

    json_object_put_string(json, "port", r->port);
    ipv6_format_mapped(&r->peer, &ds);
    json_object_put_string(json, "peer", ds_cstr(&ds));
    json_object_put_string(json, "underlay", r->dev);
    put_number(json, "underlay-mtu", r->mtu);
    put_number(json, "segment-size", r->segment_size);
    json_object_put(json, "answers", json_boolean_create(r->answers));
    ds_clear(&ds);
    format_verdict(r, &ds);
    json_object_put_string(json, "verdict", ds_cstr(&ds));
    ds_destroy(&ds);
    for (size_t i = 0; r->answers && i < r->n_sizes; i++) {
        struct json *size = json_object_create();
        struct summary s;

        summarize(r, i, &s);
        put_number(size, "size", r->sizes[i]);
        put_number(size, "segments", expected_pieces(r, r->sizes[i]));
        put_number(size, "sent", s.sent);
        put_number(size, "answered", s.answered);
        put_number(size, "whole", s.whole);
        put_number(size, "merged", s.merged);
        put_number(size, "reordered", s.reordered);
        if (s.answered) {
            put_number(size, "min-pieces", s.min_pieces);
            put_number(size, "max-pieces", s.max_pieces);
            put_number(size, "largest-piece", s.largest);
            put_number(size, "min-usec", s.min_us);
            put_number(size, "avg-usec", s.sum_us / s.answered);
            put_number(size, "max-usec", s.max_us);
        }
        json_array_add(sizes, size);
    }
    json_object_put(json, "sizes", sizes);
    json_object_put(json, "counters", get_counters(r));
    unixctl_command_reply_json(r->conn, json);
}

static void
reply_text(const struct run *r)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct json *counters;

    format_verdict(r, &ds);
    ds_put_char(&ds, '\n');
    for (size_t i = 0; r->answers && i < r->n_sizes; i++) {
        struct summary s;

        summarize(r, i, &s);
        ds_put_format(&ds, "%"PRIu32" bytes, %u segments: %u of %u answered",
                      r->sizes[i], expected_pieces(r, r->sizes[i]),
                      s.answered, s.sent);
        if (s.answered) {
            ds_put_format(&ds, ", in %u", s.min_pieces);
            if (s.max_pieces != s.min_pieces) {
                ds_put_format(&ds, " to %u", s.max_pieces);
            }
            ds_put_format(&ds, " pieces, %u merged, %u out of order, "
                          "%lld us", s.merged, s.reordered,
                          s.sum_us / s.answered);
        }
        ds_put_char(&ds, '\n');
    }
    counters = get_counters(r);
    if (!shash_is_empty(json_object(counters))) {
        ds_put_cstr(&ds, "counters that moved: ");
        json_to_ds(counters, JSSF_SORT, &ds);
        ds_put_char(&ds, '\n');
    }
    json_destroy(counters);
    unixctl_command_reply(r->conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static void
run_destroy(struct run *r)
{
    if (!ovs_list_is_empty(&r->node)) {
        ovs_list_remove(&r->node);
    }
    stt_probe_session_destroy(r->session);
    if (r->has_before) {
        netdev_free_custom_stats_counters(&r->before);
    }
    free(r->port);
    free(r);
}

static void
finish(struct run *r)
{
    if (unixctl_command_get_output_format(r->conn)
        == UNIXCTL_OUTPUT_FMT_JSON) {
        reply_json(r);
    } else {
        reply_text(r);
    }
    run_destroy(r);
}

static void
fail(struct run *r, int error)
{
    char *message;

    message = (error == EOPNOTSUPP
               ? xasprintf("%s: probes need the userspace datapath", r->port)
               : error == ENODEV
               ? xasprintf("%s: no such port any more", r->port)
               : xasprintf("%s: sending a probe failed (%s)", r->port,
                           ovs_strerror(error)));
    unixctl_command_reply_error(r->conn, message);
    free(message);
    run_destroy(r);
}

/* Returns true if one of the 'n' probes of 'r' from 'first' on is answered, or
 * if 'all', all of them are. */
static bool
are_answered(const struct run *r, size_t first, size_t n, bool all)
{
    for (size_t i = first; i < first + n; i++) {
        struct stt_probe_result result;

        stt_probe_session_get(r->session, i, &result);
        if (!result.answered_us == all) {
            return !all;
        }
    }
    return all;
}

/* Sends the next probe of 'r', if it is time. */
static int
send_next(struct run *r, long long int now)
{
    uint32_t size = STT_PROBE_MIN_SIZE;
    size_t i;

    if (now < r->next_ms) {
        return 0;
    }
    if (!r->answers) {
        if (r->n_hellos >= MAX_HELLOS) {
            return 0;
        }
        i = r->n_hellos++;
    } else {
        if (r->n_probes >= r->n_sizes * r->count) {
            return 0;
        }
        size = r->sizes[r->n_probes % r->n_sizes];
        i = MAX_HELLOS + r->n_probes++;
    }
    r->next_ms = now + r->interval;
    r->end_ms = now + r->timeout;
    return stt_probe_session_send(r->session, i, size, r->port,
                                  r->peer_up_to_flows ? &r->peer : NULL,
                                  r->key_up_to_flows ? &r->key : NULL);
}

/* Goes on with the commands that are under way. */
void
stt_probe_unixctl_run(void)
{
    struct run *r;

    LIST_FOR_EACH_SAFE (r, node, &runs) {
        size_t n = r->n_sizes * r->count;
        long long int now = time_msec();
        int error;

        if (!r->answers) {
            r->answers = are_answered(r, 0, r->n_hellos, false);
        }
        error = send_next(r, now);
        if (error) {
            fail(r, error);
        } else if (r->answers
                   ? (r->n_probes >= n
                      && (now >= r->end_ms
                          || are_answered(r, MAX_HELLOS, n, true)))
                   : r->n_hellos >= MAX_HELLOS && now >= r->end_ms) {
            finish(r);
        }
    }
}

/* Makes poll_block() wake up when stt_probe_unixctl_run() has something to do.
 * Answers wake it up through stt_probe_wait(). */
void
stt_probe_unixctl_wait(void)
{
    struct run *r;

    LIST_FOR_EACH (r, node, &runs) {
        bool all_sent = (r->answers ? r->n_probes >= r->n_sizes * r->count
                         : r->n_hellos >= MAX_HELLOS);

        poll_timer_wait_until(all_sent ? r->end_ms : r->next_ms);
    }
}

/* Command lines. */

/* Parses 's' as a number from 'min' to 'max' into '*value'.  Returns NULL if
 * successful, otherwise an error message, which the caller must free. */
static char *
parse_number(const char *name, const char *s, unsigned int min,
             unsigned int max, unsigned int *value)
{
    int n;

    if (!str_to_int(s, 10, &n) || n < 0 || n < min || n > max) {
        return xasprintf("%s \"%s\" is not a number between %u and %u", name,
                         s, min, max);
    }
    *value = n;
    return NULL;
}

static char *
parse_sizes(struct run *r, const char *s, uint32_t max_size)
{
    char *copy = xstrdup(s);
    char *save_ptr = NULL;
    char *error = NULL;

    r->n_sizes = 0;
    for (char *token = strtok_r(copy, ",", &save_ptr); token && !error;
         token = strtok_r(NULL, ",", &save_ptr)) {
        unsigned int size;

        if (r->n_sizes >= MAX_SIZES) {
            error = xasprintf("more than %d sizes", MAX_SIZES);
        } else {
            error = parse_number("size", token, STT_PROBE_MIN_SIZE, max_size,
                                 &size);
            r->sizes[r->n_sizes++] = error ? 0 : size;
        }
    }
    free(copy);
    if (!error && !r->n_sizes) {
        error = xstrdup("no sizes");
    }
    return error;
}

static void
add_size(struct run *r, uint32_t size, uint32_t max_size)
{
    size = MIN(MAX(size, STT_PROBE_MIN_SIZE), max_size);
    if (!r->n_sizes || size > r->sizes[r->n_sizes - 1]) {
        r->sizes[r->n_sizes++] = size;
    }
}

/* The sizes by default: tiny, just one segment, a few, and the largest. */
static void
default_sizes(struct run *r, uint32_t max_size)
{
    add_size(r, STT_PROBE_MIN_SIZE, max_size);
    add_size(r, r->segment_size - STT_HEADER_LEN, max_size);
    add_size(r, r->segment_size - STT_HEADER_LEN + 1, max_size);
    add_size(r, 9018, max_size);
    add_size(r, 32768, max_size);
    add_size(r, max_size, max_size);
}

/* Finds out where the probes of 'r', whose port has 'cfg', go. */
static char *
find_route(struct run *r, const struct netdev_tunnel_config *cfg)
{
    struct in6_addr src = cfg->ipv6_src;
    struct in6_addr gw;
    struct netdev *dev;

    if (!ovs_router_lookup((cfg->set_egress_pkt_mark
                            ? cfg->egress_pkt_mark : 0),
                           &r->peer, r->dev, &src, &gw)) {
        return xasprintf("%s: no route to the remote address", r->port);
    }
    dev = netdev_from_name(r->dev);
    if (dev) {
        netdev_get_mtu(dev, &r->mtu);
        netdev_close(dev);
    }
    r->segment_size
        = netdev_stt_get_segment_size(cfg, !IN6_IS_ADDR_V4MAPPED(&r->peer),
                                      r->mtu);
    return (r->segment_size >= STT_MIN_OUTER_MSS ? NULL
            : xasprintf("%s: MTU %d of %s is too small", r->port, r->mtu,
                        r->dev));
}

/* Parses the arguments of "stt/probe" into 'r', whose port is 'netdev'. */
static char *
parse_args(struct run *r, struct netdev *netdev, int argc, const char *argv[])
{
    const struct netdev_tunnel_config *cfg
        = netdev_get_tunnel_config(netdev);
    const char *sizes = NULL;
    unsigned long long int key = 0;
    size_t max_frame;
    uint32_t max_size;
    char *error = NULL;
    bool has_remote = false;

    for (int i = 2; i < argc && !error; i++) {
        const char *arg = argv[i];

        if (!strncmp(arg, "size=", 5)) {
            sizes = arg + 5;
        } else if (!strncmp(arg, "count=", 6)) {
            error = parse_number("count", arg + 6, 1, MAX_COUNT, &r->count);
        } else if (!strncmp(arg, "interval=", 9)) {
            error = parse_number("interval", arg + 9, 20, 10000,
                                 &r->interval);
        } else if (!strncmp(arg, "timeout=", 8)) {
            error = parse_number("timeout", arg + 8, 50, 60000, &r->timeout);
        } else if (!strncmp(arg, "key=", 4)) {
            if (arg[4] == '-' || !str_to_ullong(arg + 4, 0, &key)) {
                error = xasprintf("key \"%s\" is not a number of 64 bits",
                                  arg + 4);
            } else if (!cfg->out_key_flow) {
                error = xasprintf("%s has a key of its own", r->port);
            }
        } else if (i == 2 && !strchr(arg, '=')) {
            has_remote = true;
            if (!ipv6_parse(arg, &r->peer)) {
                ovs_be32 ip;

                if (ip_parse(arg, &ip)) {
                    in6_addr_set_mapped_ipv4(&r->peer, ip);
                } else {
                    error = xasprintf("\"%s\" is not an IP address", arg);
                }
            }
        } else {
            error = xasprintf("unknown argument \"%s\"", arg);
        }
    }
    if (error) {
        return error;
    }

    r->key = htonll(key);
    r->key_up_to_flows = cfg->out_key_flow;
    r->peer_up_to_flows = cfg->ip_dst_flow;
    if (!cfg->ip_dst_flow) {
        if (has_remote && !ipv6_addr_equals(&r->peer, &cfg->ipv6_dst)) {
            return xasprintf("%s has another remote address", r->port);
        }
        r->peer = cfg->ipv6_dst;
    } else if (!has_remote) {
        return xasprintf("%s leaves the remote address to the flows, so one "
                         "must be given", r->port);
    }
    error = find_route(r, cfg);
    if (error) {
        return error;
    }
    max_frame = MIN(stt_max_frame(!IN6_IS_ADDR_V4MAPPED(&r->peer),
                                  r->segment_size),
                    stt_max_cut_frame(r->segment_size));
    max_size = MIN(max_frame, NETDEV_STT_MAX_PACKET_LEN) - STT_HEADER_LEN;
    if (sizes) {
        error = parse_sizes(r, sizes, max_size);
    } else {
        default_sizes(r, max_size);
    }
    if (!error && r->n_sizes * r->count * r->interval > MAX_DURATION) {
        error = xasprintf("this would take more than %d minutes",
                          MAX_DURATION / 60 / 1000);
    }
    return error;
}

/* Returns the STT port called 'name', which the caller must close, or NULL. */
static struct netdev *
open_port(const char *name)
{
    struct netdev *netdev = netdev_from_name(name);
    const struct netdev_tunnel_config *cfg;

    if (netdev) {
        cfg = netdev_get_tunnel_config(netdev);
        if (!strcmp(netdev_get_type(netdev), "stt") && cfg
            && (cfg->ip_dst_flow || ipv6_addr_is_set(&cfg->ipv6_dst))) {
            return netdev;
        }
        netdev_close(netdev);
    }
    return NULL;
}

static void
stt_unixctl_probe(struct unixctl_conn *conn, int argc, const char *argv[],
                  void *aux OVS_UNUSED)
{
    struct netdev *netdev = open_port(argv[1]);
    char *error;
    struct run *r;

    if (!netdev) {
        error = xasprintf("no STT port %s", argv[1]);
        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }

    r = xzalloc(sizeof *r);
    ovs_list_init(&r->node);
    r->conn = conn;
    r->port = xstrdup(argv[1]);
    r->count = 3;
    r->interval = 250;
    r->timeout = 1000;
    error = (ovs_list_size(&runs) >= STT_PROBE_MAX_SESSIONS
             ? xasprintf("%d probes are under way already",
                         STT_PROBE_MAX_SESSIONS)
             : parse_args(r, netdev, argc, argv));
    if (!error) {
        r->session = stt_probe_session_create(
            &r->peer, netdev_get_tunnel_config(netdev)->dst_port,
            MAX_HELLOS + r->n_sizes * r->count);
        if (!r->session) {
            error = xstrdup("no random number for a token");
        }
    }
    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
        run_destroy(r);
    } else {
        r->has_before = !netdev_get_custom_stats(netdev, &r->before);
        ovs_list_push_back(&runs, &r->node);
        stt_probe_unixctl_run();
    }
    netdev_close(netdev);
}

static void
stt_unixctl_probe_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
                       const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct stt_probe_stats stats;

    stt_probe_get_stats(&stats);
    if (unixctl_command_get_output_format(conn) == UNIXCTL_OUTPUT_FMT_JSON) {
        struct json *json = json_object_create();
        struct json *drops = json_object_create();

        put_number(json, "under-way", ovs_list_size(&runs));
        json_object_put(json, "reply", json_boolean_create(stats.reply));
        put_number(json, "rate", stats.rate);
        put_number(json, "probes", stats.questions);
        put_number(json, "answered", stats.answers_sent);
        put_number(json, "answers", stats.answers);
        for (size_t i = STT_PROBE_OK + 1; i < STT_PROBE_N_DROPS; i++) {
            if (stats.drops[i]) {
                put_number(drops, stt_probe_drop_name(i), stats.drops[i]);
            }
        }
        json_object_put(json, "drops", drops);
        unixctl_command_reply_json(conn, json);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_format(&ds, "under way: %"PRIuSIZE"\n", ovs_list_size(&runs));
        if (stats.reply) {
            ds_put_format(&ds, "limit: %u answers per second\n", stats.rate);
        } else {
            ds_put_cstr(&ds, "limit: answers are switched off\n");
        }
        ds_put_format(&ds, "probes: %"PRIu64" received, %"PRIu64" answered\n"
                      "answers: %"PRIu64" received\n", stats.questions,
                      stats.answers_sent, stats.answers);
        for (size_t i = STT_PROBE_OK + 1; i < STT_PROBE_N_DROPS; i++) {
            if (stats.drops[i]) {
                ds_put_format(&ds, "dropped: %"PRIu64" (%s: %s)\n",
                              stats.drops[i], stt_probe_drop_name(i),
                              stt_probe_drop_description(i));
            }
        }
        unixctl_command_reply(conn, ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

/* Registers the commands. */
void
stt_probe_unixctl_init(void)
{
    unixctl_command_register("stt/probe", "port [remote] [size=SIZE,...] "
                             "[count=N] [interval=MSEC] [timeout=MSEC] "
                             "[key=KEY]", 1, 7, stt_unixctl_probe, NULL);
    unixctl_command_register("stt/probe-show", "", 0, 0,
                             stt_unixctl_probe_show, NULL);
}
