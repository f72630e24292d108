/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

/* Probes of the path to the peer of a tunnel.  ovs-vswitchd sends them and
 * receives the answers; meanwhile this listens for what else comes back. */

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "simap.h"
#include "socket-util.h"
#include "unixctl.h"
#include "util.h"

/* Opens a socket for what the IP protocol 'proto' brings from now on, as far
 * as 'code', 'n' instructions, accepts it.  Returns a negative errno value if
 * that fails. */
static int
open_raw(int family, int proto, const struct sock_filter *code, size_t n)
{
    struct sock_fprog prog = {
        .len = n,
        .filter = CONST_CAST(struct sock_filter *, code),
    };
    int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK, proto);
    int on = 1;

    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   family == AF_INET6 ? IPV6_RECVPKTINFO : IP_PKTINFO,
                   &on, sizeof on)
        || (n && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
                            sizeof prog))) {
        int error = errno;

        close(fd);
        return -error;
    }
    if (n) {
        /* What came before there was a filter. */
        char c;

        while (recv(fd, &c, 1, MSG_DONTWAIT) >= 0) {
            continue;
        }
    }
    return fd;
}

/* Opens a socket for RST from TCP port 'port', in host byte order. */
static int
open_rst(bool is_ipv6, uint16_t port)
{
    /* IPv6 sockets don't see the IP header. */
    struct sock_filter code[] = {
        BPF_STMT(is_ipv6 ? BPF_LDX | BPF_IMM : BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x04, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 128),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };

    return open_raw(is_ipv6 ? AF_INET6 : AF_INET, IPPROTO_TCP, code,
                    ARRAY_SIZE(code));
}

union address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Takes a packet from 'fd', and stores up to 'size' bytes of it in 'buf', its
 * sender in '*from', and in '*ifindex' the index of the device that it came
 * by, 0 if that is not known.  Returns the number of bytes stored, or a
 * negative errno value. */
static ssize_t
receive(int fd, void *buf, size_t size, union address *from, int *ifindex)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))
                 + CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    struct iovec iov = { .iov_base = buf, .iov_len = size };
    struct msghdr msg = {
        .msg_name = from,
        .msg_namelen = sizeof *from,
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.buf,
        .msg_controllen = sizeof control.buf,
    };
    struct cmsghdr *cmsg;
    ssize_t len;

    *ifindex = 0;
    do {
        len = recvmsg(fd, &msg, MSG_DONTWAIT);
    } while (len < 0 && errno == EINTR);
    if (len < 0) {
        return -errno;
    }
    for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
        if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(cmsg), sizeof info);
            *ifindex = info.ipi_ifindex;
        } else if (cmsg->cmsg_level == IPPROTO_IPV6
                   && cmsg->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(cmsg), sizeof info);
            *ifindex = info.ipi6_ifindex;
        }
    }
    return len;
}

/* Returns how many packets wait at 'fd', which is closed, that 'peer' sent or,
 * for ICMP, that speak of a packet to 'peer' and TCP port 'port'.
 *
 * In the userspace datapath, the host sees a packet twice: when it arrives at
 * the NIC, and when the bridge delivers it.  So what counts is the device with
 * the most packets. */
static unsigned int
count(int fd, bool is_ipv6, bool is_icmp, const struct in6_addr *peer,
      uint16_t port)
{
    struct simap by_device = SIMAP_INITIALIZER(&by_device);
    const struct simap_node *node;
    unsigned int n = 0;

    for (;;) {
        union address from;
        uint8_t buf[256];
        bool matches;
        int ifindex;
        ssize_t len = receive(fd, buf, sizeof buf, &from, &ifindex);

        if (len < 0) {
            break;
        }
        if (!is_icmp) {
            struct in6_addr addr;

            if (is_ipv6) {
                addr = from.in6.sin6_addr;
            } else {
                in6_addr_set_mapped_ipv4(&addr, from.in.sin_addr.s_addr);
            }
            matches = ipv6_addr_equals(&addr, peer);
        } else {
            /* The packet that it speaks of is behind the ICMP header. */
            size_t ofs = is_ipv6 ? 0 : (buf[0] & 15) * 4;
            size_t ip_len = is_ipv6 ? 40 : 20;
            const uint8_t *ip = buf + ofs + 8;
            struct in6_addr dst;
            bool is_error;

            if (len < ofs + 8 + ip_len + 4) {
                continue;
            }
            if (is_ipv6) {
                is_error = !(buf[0] & 0x80);
                memcpy(&dst, ip + 24, sizeof dst);
                is_error = is_error && ip[6] == IPPROTO_TCP;
            } else {
                ovs_be32 ip_dst;

                is_error = (buf[ofs] == ICMP4_DST_UNREACH
                            || buf[ofs] == ICMP4_TIME_EXCEEDED
                            || buf[ofs] == ICMP4_PARAM_PROB);
                is_error = is_error && ip[9] == IPPROTO_TCP && ip[0] == 0x45;
                memcpy(&ip_dst, ip + 16, sizeof ip_dst);
                in6_addr_set_mapped_ipv4(&dst, ip_dst);
            }
            matches = (is_error && ipv6_addr_equals(&dst, peer)
                       && (ip[ip_len + 2] << 8 | ip[ip_len + 3]) == port);
        }
        if (matches) {
            char device[INT_STRLEN(int) + 1];

            snprintf(device, sizeof device, "%d", ifindex);
            simap_increase(&by_device, device, 1);
        }
    }
    close(fd);

    SIMAP_FOR_EACH (node, &by_device) {
        n = MAX(n, node->data);
    }
    simap_destroy(&by_device);
    return n;
}

/* Adds to 'result' what a socket has counted, or that it could not. */
static void
put_count(struct json *result, const char *name, int fd, bool is_ipv6,
          bool is_icmp, const struct in6_addr *peer, uint16_t port)
{
    json_object_put(result, name,
                    (fd < 0 ? json_null_create()
                     : json_integer_create(count(fd, is_ipv6, is_icmp, peer,
                                                 port))));
}

/* Has ovs-vswitchd, whose control socket is at 'path', probe with the 'argc'
 * arguments in 'argv', the first of which is the STT port, to 'peer', an
 * IPv4-mapped or IPv6 address, and TCP port 'port', in host byte order.
 *
 * Returns NULL and stores in '*resultp' what "stt/probe" prints as JSON, with
 * members "rst" and "icmp", how many of those came from the peer or because of
 * the probes, null without the privilege to see them.  The caller must destroy
 * it.  Otherwise returns an error message, which the caller must free. */
char *
offload_probe(const char *path, int argc, char *argv[],
              const struct in6_addr *peer, uint16_t port,
              struct json **resultp)
{
    char *options[] = { CONST_CAST(char *, "--format"),
                        CONST_CAST(char *, "json") };
    bool is_ipv6 = !IN6_IS_ADDR_V4MAPPED(peer);
    struct json *result = NULL, *error = NULL;
    struct jsonrpc *client;
    char *message = NULL;
    int rst, icmp;
    int retval;

    *resultp = NULL;
    retval = unixctl_client_create(path, &client);
    if (retval) {
        return xasprintf("ovs-vswitchd does not answer (%s)",
                         ovs_strerror(retval));
    }
    rst = open_rst(is_ipv6, port);
    icmp = open_raw(is_ipv6 ? AF_INET6 : AF_INET,
                    is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, NULL, 0);
    retval = unixctl_client_transact(client, "set-options", 2, options,
                                     &result, &error);
    if (!retval && !error) {
        json_destroy(result);
        result = NULL;
        retval = unixctl_client_transact(client, "stt/probe", argc, argv,
                                         &result, &error);
    }
    jsonrpc_close(client);
    if (retval) {
        message = xasprintf("ovs-vswitchd does not answer (%s)",
                            ovs_strerror(retval));
    } else if (error) {
        message = xstrdup(error->type == JSON_STRING ? json_string(error)
                          : "ovs-vswitchd refuses to probe");
        message[strcspn(message, "\n")] = '\0';
    } else if (!result || result->type != JSON_OBJECT) {
        message = xstrdup("ovs-vswitchd is not this fork");
    }
    if (message) {
        json_destroy(result);
        if (rst >= 0) {
            close(rst);
        }
        if (icmp >= 0) {
            close(icmp);
        }
    } else {
        put_count(result, "rst", rst, is_ipv6, false, peer, port);
        put_count(result, "icmp", icmp, is_ipv6, true, peer, port);
        *resultp = result;
    }
    json_destroy(error);
    return message;
}
