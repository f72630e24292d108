/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#endif

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(stt_listener);

struct listener {
    struct hmap_node node;      /* In 'listeners'. */
    ovs_be16 port;
    int fd;                     /* Negative if 'error' is nonzero. */
    int error;                  /* 0 or a positive errno value. */
    bool in_use;                /* Named since stt_listeners_begin(). */
    bool changed;               /* Since then. */
};

static struct ovs_mutex listeners_mutex = OVS_MUTEX_INITIALIZER;
static struct hmap listeners OVS_GUARDED_BY(listeners_mutex)
    = HMAP_INITIALIZER(&listeners);

static struct listener *
listener_lookup(ovs_be16 port)
    OVS_REQUIRES(listeners_mutex)
{
    struct listener *l;

    HMAP_FOR_EACH_WITH_HASH (l, node, hash_int(ntohs(port), 0), &listeners) {
        if (l->port == port) {
            return l;
        }
    }
    return NULL;
}

/* Opens a socket that reserves TCP port 'port' for all addresses and drops
 * whatever arrives there.  Returns a file descriptor or a negative errno
 * value. */
static int
open_silent_listener(ovs_be16 port OVS_UNUSED)
{
#ifdef __linux__
    struct sock_filter drop_all[] = {
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog filter = {
        .len = ARRAY_SIZE(drop_all),
        .filter = drop_all,
    };
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6,
        .sin6_port = port,
        .sin6_addr = in6addr_any,
    };
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = port,
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };
    int off = 0;
    bool ipv6 = true;
    int error;
    int fd;

    fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT) {
        ipv6 = false;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (fd < 0) {
        return -errno;
    }

    if ((ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off))
        || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)
        || (ipv6
            ? bind(fd, (struct sockaddr *) &sin6, sizeof sin6)
            : bind(fd, (struct sockaddr *) &sin, sizeof sin))
        || listen(fd, 1)) {
        error = errno;
        close(fd);
        return -error;
    }
    return fd;
#else
    return -EOPNOTSUPP;
#endif
}

/* Returns what the administrator should do about 'error', a positive errno
 * value that stt_listener_get_error() has returned. */
const char *
stt_listener_get_advice(int error)
{
    return (error == EADDRINUSE
            ? "end the program that uses the port, or use another dst_port"
            : error == EACCES
            ? "use a dst_port of 1024 or more"
            : "drop what arrives on the port with a packet filter");
}

/* Tries to open 'l'.  Returns true if this changes its state. */
static bool
listener_open(struct listener *l)
{
    int fd = open_silent_listener(l->port);
    int error = fd < 0 ? -fd : 0;

    if (error == l->error && error) {
        return false;
    } else if (error) {
        VLOG_WARN("cannot reserve TCP port %"PRIu16" on this host (%s): the "
                  "kernel may answer STT segments that arrive on ports of "
                  "type \"system\" with RST, and this slows down their "
                  "senders; %s", ntohs(l->port), ovs_strerror(error),
                  stt_listener_get_advice(error));
    } else {
        VLOG_INFO("reserved TCP port %"PRIu16" on this host for STT",
                  ntohs(l->port));
    }
    l->fd = fd;
    l->error = error;
    return true;
}

/* Begins a new set of TCP ports: those that stt_listeners_add() does not name
 * until stt_listeners_end() are given back. */
void
stt_listeners_begin(void)
{
    struct listener *l;

    ovs_mutex_lock(&listeners_mutex);
    HMAP_FOR_EACH (l, node, &listeners) {
        l->in_use = l->changed = false;
    }
    ovs_mutex_unlock(&listeners_mutex);
}

/* Reserves TCP port 'port', or tries it again if that has failed.  Returns
 * true if this has changed what stt_listener_get_error() returns, since
 * stt_listeners_begin(). */
bool
stt_listeners_add(ovs_be16 port)
{
    struct listener *l;
    bool changed;

    ovs_mutex_lock(&listeners_mutex);
    l = listener_lookup(port);
    if (!l) {
        l = xzalloc(sizeof *l);
        l->port = port;
        l->fd = -1;
        hmap_insert(&listeners, &l->node, hash_int(ntohs(port), 0));
    }
    l->in_use = true;
    if (l->fd < 0) {
        l->changed |= listener_open(l);
    }
    changed = l->changed;
    ovs_mutex_unlock(&listeners_mutex);

    return changed;
}

/* Completes the set of TCP ports that stt_listeners_begin() began. */
void
stt_listeners_end(void)
{
    struct listener *l;

    ovs_mutex_lock(&listeners_mutex);
    HMAP_FOR_EACH_SAFE (l, node, &listeners) {
        if (!l->in_use) {
            if (l->fd >= 0) {
                close(l->fd);
            }
            hmap_remove(&listeners, &l->node);
            free(l);
        }
    }
    ovs_mutex_unlock(&listeners_mutex);
}

/* Returns 0 if TCP port 'port' is reserved, a positive errno value if that has
 * failed, and -1 if nobody has asked for it. */
int
stt_listener_get_error(ovs_be16 port)
{
    struct listener *l;
    int error;

    ovs_mutex_lock(&listeners_mutex);
    l = listener_lookup(port);
    error = l ? l->error : -1;
    ovs_mutex_unlock(&listeners_mutex);

    return error;
}
