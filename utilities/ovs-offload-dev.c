/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

/* What Linux knows of network devices and routes: netlink, where there is a
 * message for it, ioctl and sysfs where not. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "socket-util.h"
#include "sset.h"
#include "util.h"

/* Attributes that older headers of Linux lack. */
#define LINK_GSO_MAX_SIZE 41    /* IFLA_GSO_MAX_SIZE. */
#define LINK_GRO_MAX_SIZE 58    /* IFLA_GRO_MAX_SIZE. */
#define LINK_TSO_MAX_SIZE 59    /* IFLA_TSO_MAX_SIZE. */
#define LINK_GSO_IPV4_MAX_SIZE 63 /* IFLA_GSO_IPV4_MAX_SIZE. */

/* Features. */

/* Starts in 'request' an ethtool message 'cmd' about device 'name'.  Returns 0
 * or a positive errno value, ENOENT if the kernel has no such messages. */
static int
ethtool_request(struct ofpbuf *request, uint8_t cmd, const char *name,
                uint32_t flags)
{
    static int family;
    size_t ofs;
    int error;

    error = nl_lookup_genl_family(ETHTOOL_GENL_NAME, &family);
    if (error) {
        return error;
    }
    ofpbuf_init(request, 512);
    nl_msg_put_genlmsghdr(request, 0, family, NLM_F_REQUEST | NLM_F_ACK, cmd,
                          ETHTOOL_GENL_VERSION);
    ofs = nl_msg_start_nested_with_flag(request, ETHTOOL_A_FEATURES_HEADER);
    nl_msg_put_string(request, ETHTOOL_A_HEADER_DEV_NAME, name);
    if (flags) {
        nl_msg_put_u32(request, ETHTOOL_A_HEADER_FLAGS, flags);
    }
    nl_msg_end_nested(request, ofs);
    return 0;
}

/* Adds to 'all', if it is nonnull, the names of the bits in 'bitset', and to
 * 'on' those of the bits that are set. */
static void
parse_bitset(const struct nlattr *bitset, struct sset *all, struct sset *on)
{
    const struct nlattr *attr, *bit, *field;
    size_t left, bits_left, bit_left;
    bool is_list = false;

    NL_NESTED_FOR_EACH (attr, left, bitset) {
        if (nl_attr_type(attr) == ETHTOOL_A_BITSET_NOMASK) {
            is_list = true;
        }
    }
    NL_NESTED_FOR_EACH (attr, left, bitset) {
        if (nl_attr_type(attr) != ETHTOOL_A_BITSET_BITS) {
            continue;
        }
        NL_NESTED_FOR_EACH (bit, bits_left, attr) {
            const char *name = NULL;
            bool value = is_list;

            NL_NESTED_FOR_EACH (field, bit_left, bit) {
                if (nl_attr_type(field) == ETHTOOL_A_BITSET_BIT_NAME) {
                    size_t size = nl_attr_get_size(field);
                    const char *s = nl_attr_get(field);

                    name = size && !s[size - 1] ? s : NULL;
                } else if (nl_attr_type(field)
                           == ETHTOOL_A_BITSET_BIT_VALUE) {
                    value = true;
                }
            }
            if (name && all) {
                sset_add(all, name);
            }
            if (name && value) {
                sset_add(on, name);
            }
        }
    }
}

static void
add_feature(struct offload_dev *dev, const char *name, bool on, bool fixed)
{
    smap_add_format(&dev->features, name, "%s%s", on ? "on" : "off",
                    fixed ? " [fixed]" : "");
}

static int
read_features_netlink(struct offload_dev *dev)
{
    struct sset all = SSET_INITIALIZER(&all);
    struct sset can = SSET_INITIALIZER(&can);
    struct sset on = SSET_INITIALIZER(&on);
    struct sset never = SSET_INITIALIZER(&never);
    struct ofpbuf request, *reply;
    const struct nlattr *attr;
    const char *name;
    size_t left;
    int error;

    error = ethtool_request(&request, ETHTOOL_MSG_FEATURES_GET, dev->name, 0);
    if (error) {
        return error;
    }
    error = nl_transact(NETLINK_GENERIC, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        return error;
    }

    if (reply->size >= NLMSG_HDRLEN + GENL_HDRLEN) {
        NL_ATTR_FOR_EACH (attr, left,
                          ofpbuf_at(reply, NLMSG_HDRLEN + GENL_HDRLEN, 0),
                          reply->size - NLMSG_HDRLEN - GENL_HDRLEN) {
            switch (nl_attr_type(attr)) {
            case ETHTOOL_A_FEATURES_HW:
                parse_bitset(attr, &all, &can);
                break;
            case ETHTOOL_A_FEATURES_ACTIVE:
                parse_bitset(attr, &all, &on);
                break;
            case ETHTOOL_A_FEATURES_NOCHANGE:
                parse_bitset(attr, NULL, &never);
                break;
            default:
                break;
            }
        }
    }
    SSET_FOR_EACH (name, &all) {
        add_feature(dev, name, sset_contains(&on, name),
                    !sset_contains(&can, name) || sset_contains(&never, name));
    }
    sset_destroy(&all);
    sset_destroy(&can);
    sset_destroy(&on);
    sset_destroy(&never);
    ofpbuf_delete(reply);
    return 0;
}

static int
do_ethtool_ioctl(const char *name, void *data)
{
    struct ifreq ifr;

    memset(&ifr, 0, sizeof ifr);
    ovs_strzcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    ifr.ifr_data = data;
    return af_inet_ioctl(SIOCETHTOOL, &ifr);
}

/* Reads the names of the features of device 'name'.  The caller must free
 * '*namesp'. */
static int
read_feature_names(const char *name, struct ethtool_gstrings **namesp)
{
    struct {
        struct ethtool_sset_info info;
        uint32_t len;
    } sset;
    struct ethtool_gstrings *names;
    int error;

    memset(&sset, 0, sizeof sset);
    sset.info.cmd = ETHTOOL_GSSET_INFO;
    sset.info.sset_mask = UINT64_C(1) << ETH_SS_FEATURES;
    error = do_ethtool_ioctl(name, &sset);
    if (error) {
        return error;
    }
    if (!sset.info.sset_mask || !sset.len || sset.len > 1024) {
        return EOPNOTSUPP;
    }

    names = xzalloc(sizeof *names + (size_t) sset.len * ETH_GSTRING_LEN);
    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = sset.len;
    error = do_ethtool_ioctl(name, names);
    if (error) {
        free(names);
        return error;
    }
    names->len = MIN(names->len, sset.len);
    *namesp = names;
    return 0;
}

/* The same by ioctl, for a kernel without ethtool's netlink messages. */
static int
read_features_ioctl(struct offload_dev *dev)
{
    struct ethtool_gfeatures *features;
    struct ethtool_gstrings *names;
    size_t n_blocks;
    int error;

    error = read_feature_names(dev->name, &names);
    if (error) {
        return error;
    }
    n_blocks = DIV_ROUND_UP(names->len, 32);
    features = xzalloc(sizeof *features
                       + n_blocks * sizeof features->features[0]);
    features->cmd = ETHTOOL_GFEATURES;
    features->size = n_blocks;
    error = do_ethtool_ioctl(dev->name, features);
    for (size_t i = 0; !error && i < names->len; i++) {
        const struct ethtool_get_features_block *block
            = &features->features[i / 32];
        uint32_t bit = UINT32_C(1) << i % 32;
        char name[ETH_GSTRING_LEN + 1];

        ovs_strzcpy(name, (char *) &names->data[i * ETH_GSTRING_LEN],
                    sizeof name);
        if (name[0]) {
            add_feature(dev, name, block->active & bit,
                        !(block->available & bit)
                        || block->never_changed & bit);
        }
    }
    free(features);
    free(names);
    return error;
}

/* Returns true if 'feature' of 'dev' is known to be 'on'. */
bool
offload_dev_is(const struct offload_dev *dev, const char *feature, bool on)
{
    const char *value = smap_get(&dev->features, feature);

    return value && !strncmp(value, "on", 2) == on;
}

/* Returns true if 'feature' of 'dev' can't be changed. */
bool
offload_dev_is_fixed(const struct offload_dev *dev, const char *feature)
{
    const char *value = smap_get(&dev->features, feature);

    return !value || strstr(value, "[fixed]");
}

static int
set_feature_ioctl(const char *dev, const char *feature, bool on)
{
    struct ethtool_sfeatures *request;
    struct ethtool_gstrings *names;
    size_t n_blocks;
    int error;

    error = read_feature_names(dev, &names);
    if (error) {
        return error;
    }
    n_blocks = DIV_ROUND_UP(names->len, 32);
    request = xzalloc(sizeof *request
                      + n_blocks * sizeof request->features[0]);
    request->cmd = ETHTOOL_SFEATURES;
    request->size = n_blocks;
    error = EOPNOTSUPP;
    for (size_t i = 0; i < names->len; i++) {
        if (!strncmp((char *) &names->data[i * ETH_GSTRING_LEN], feature,
                     ETH_GSTRING_LEN)) {
            uint32_t bit = UINT32_C(1) << i % 32;

            request->features[i / 32].valid = bit;
            request->features[i / 32].requested = on ? bit : 0;
            error = do_ethtool_ioctl(dev, request);
            break;
        }
    }
    free(request);
    free(names);
    return error;
}

/* Asks for 'feature' of device 'name' to be 'on'.  Returns 0 or a positive
 * errno value.  The kernel may accept the wish without fulfilling it, so read
 * the device anew to know. */
int
offload_dev_set_feature(const char *name, const char *feature, bool on)
{
    struct ofpbuf request;
    size_t wanted, bits, bit;
    int error;

    error = ethtool_request(&request, ETHTOOL_MSG_FEATURES_SET, name,
                            ETHTOOL_FLAG_OMIT_REPLY);
    if (error) {
        return set_feature_ioctl(name, feature, on);
    }
    wanted = nl_msg_start_nested_with_flag(&request,
                                           ETHTOOL_A_FEATURES_WANTED);
    bits = nl_msg_start_nested_with_flag(&request, ETHTOOL_A_BITSET_BITS);
    bit = nl_msg_start_nested_with_flag(&request, ETHTOOL_A_BITSET_BITS_BIT);
    nl_msg_put_string(&request, ETHTOOL_A_BITSET_BIT_NAME, feature);
    if (on) {
        nl_msg_put_flag(&request, ETHTOOL_A_BITSET_BIT_VALUE);
    }
    nl_msg_end_nested(&request, bit);
    nl_msg_end_nested(&request, bits);
    nl_msg_end_nested(&request, wanted);
    error = nl_transact(NETLINK_GENERIC, &request, NULL);
    ofpbuf_uninit(&request);
    return error;
}

/* Links. */

/* Starts in 'request' a message 'type' about device 'name'. */
static void
link_request(struct ofpbuf *request, uint16_t type, const char *name)
{
    struct ifinfomsg *ifi;

    ofpbuf_init(request, 128);
    nl_msg_put_nlmsghdr(request, sizeof *ifi, type,
                        NLM_F_REQUEST | NLM_F_ACK);
    ifi = ofpbuf_put_zeros(request, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    nl_msg_put_string(request, IFLA_IFNAME, name);
}

static uint32_t
attr_u32(const struct nlattr *attr)
{
    return nl_attr_get_size(attr) >= 4 ? nl_attr_get_u32(attr) : 0;
}

static int
read_link(struct offload_dev *dev)
{
    size_t hdr_len = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    const struct ifinfomsg *ifi;
    struct ofpbuf request, *reply;
    const struct nlattr *attr;
    size_t left;
    int error;

    link_request(&request, RTM_GETLINK, dev->name);
    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        return error;
    }
    ifi = ofpbuf_at(reply, NLMSG_HDRLEN, sizeof *ifi);
    if (ifi && reply->size >= hdr_len) {
        dev->ifindex = ifi->ifi_index;
        NL_ATTR_FOR_EACH (attr, left, ofpbuf_at(reply, hdr_len, 0),
                          reply->size - hdr_len) {
            switch (nl_attr_type(attr)) {
            case IFLA_MTU:
                dev->mtu = attr_u32(attr);
                break;
            case IFLA_NUM_TX_QUEUES:
                dev->n_txq = attr_u32(attr);
                break;
            case IFLA_NUM_RX_QUEUES:
                dev->n_rxq = attr_u32(attr);
                break;
            case LINK_GSO_MAX_SIZE:
                dev->gso_max_size = attr_u32(attr);
                break;
            case LINK_GSO_IPV4_MAX_SIZE:
                dev->gso_ipv4_max_size = attr_u32(attr);
                break;
            case LINK_GRO_MAX_SIZE:
                dev->gro_max_size = attr_u32(attr);
                break;
            case LINK_TSO_MAX_SIZE:
                dev->tso_max_size = attr_u32(attr);
                break;
            default:
                break;
            }
        }
    }
    ofpbuf_delete(reply);
    return dev->ifindex ? 0 : EPROTO;
}

/* Sets attribute 'type' of device 'name' to 'value'. */
static int
set_link(const char *name, uint16_t type, uint32_t value)
{
    struct ofpbuf request;
    int error;

    link_request(&request, RTM_SETLINK, name);
    nl_msg_put_u32(&request, type, value);
    error = nl_transact(NETLINK_ROUTE, &request, NULL);
    ofpbuf_uninit(&request);
    return error;
}

/* Sets gso_max_size of device 'name' to 'size' bytes.  Returns 0 or a positive
 * errno value. */
int
offload_dev_set_gso_max_size(const char *name, uint32_t size)
{
    return set_link(name, LINK_GSO_MAX_SIZE, size);
}

/* Sets the MTU of device 'name' to 'mtu' bytes.  Returns 0 or a positive errno
 * value. */
int
offload_dev_set_mtu(const char *name, unsigned int mtu)
{
    return set_link(name, IFLA_MTU, mtu);
}

/* Returns the path of 'file' of device 'name' in sysfs.  The caller must free
 * it. */
static char *
sysfs_path(const char *name, const char *file)
{
    const char *dir = "/sys/class/net/";

    return xasprintf("%s%s%s", dir, name, file);
}

/* Assumptions. */

/* What to believe about devices, by DEVICE:FEATURE, whatever Linux says. */
static struct smap assumptions = SMAP_INITIALIZER(&assumptions);

/* Has offload_dev_read() believe what 's' says, DEVICE:FEATURE=VALUE, where
 * the feature may be "driver", "mtu", "gso_max_size", "gso_ipv4_max_size" or
 * "status:" and a key of column "status" of Interface, too.  Returns false if
 * 's' has not that form. */
bool
offload_dev_assume(const char *s)
{
    const char *equals = strchr(s, '=');
    const char *colon = strchr(s, ':');
    char *key;

    if (!equals || !colon || colon == s || colon + 1 >= equals
        || !equals[1]) {
        return false;
    }
    key = xmemdup0(s, equals - s);
    smap_replace(&assumptions, key, equals + 1);
    free(key);
    return true;
}

static void
assume(struct offload_dev *dev)
{
    char *ipv4_key = xasprintf("%s:gso_ipv4_max_size", dev->name);
    size_t len = strlen(dev->name);
    const struct smap_node *node;

    SMAP_FOR_EACH (node, &assumptions) {
        const char *feature = node->key + len + 1;

        if (strncmp(node->key, dev->name, len) || node->key[len] != ':') {
            continue;
        }
        if (!dev->ifindex) {
            dev->ifindex = INT_MAX;
        }
        if (!strcmp(feature, "driver")) {
            const struct offload_nic *nic = offload_nic_find(node->value);

            ovs_strlcpy(dev->driver, node->value, sizeof dev->driver);
            dev->is_physical = !nic || !nic->whole;
        } else if (!strcmp(feature, "mtu")) {
            str_to_uint(node->value, 10, &dev->mtu);
        } else if (!strcmp(feature, "gso_max_size")) {
            str_to_uint(node->value, 10, &dev->gso_max_size);
            if (!smap_get(&assumptions, ipv4_key)) {
                dev->gso_ipv4_max_size = 0;
            }
        } else if (!strcmp(feature, "gso_ipv4_max_size")) {
            str_to_uint(node->value, 10, &dev->gso_ipv4_max_size);
        } else {
            dev->features_known = true;
            smap_replace(&dev->features, feature, node->value);
        }
    }
    free(ipv4_key);
}

static void read_dev(struct offload_dev *);

/* Reads what Linux knows about device 'name', which need not exist.  The
 * caller must free the result with offload_dev_destroy(). */
struct offload_dev *
offload_dev_read(const char *name)
{
    struct offload_dev *dev = xzalloc(sizeof *dev);

    dev->name = xstrdup(name);
    smap_init(&dev->features);
    if (strlen(name) < IFNAMSIZ && !strchr(name, '/')) {
        read_dev(dev);
    }
    assume(dev);
    return dev;
}

/* Adds to 'lower' the devices right below 'name', as those of a bond, or that
 * of a VLAN. */
static void
get_lower(const char *name, struct svec *lower)
{
    char *path = sysfs_path(name, "");
    DIR *dir = opendir(path);
    struct dirent *de;

    while (dir && (de = readdir(dir)) != NULL) {
        if (!strncmp(de->d_name, "lower_", 6)) {
            svec_add(lower, de->d_name + 6);
        }
    }
    if (dir) {
        closedir(dir);
    }
    free(path);
    svec_sort(lower);
}

static void
read_dev(struct offload_dev *dev)
{
    const char *device = "/device";
    const char *physfn = "/device/physfn";
    const char *port_name = "/phys_port_name";
    const char *name = dev->name;
    struct svec lower = SVEC_EMPTY_INITIALIZER;
    struct ethtool_drvinfo info;
    char *path, line[64];
    FILE *file;

    if (read_link(dev)) {
        return;
    }

    memset(&info, 0, sizeof info);
    info.cmd = ETHTOOL_GDRVINFO;
    if (!do_ethtool_ioctl(name, &info)) {
        ovs_strlcpy(dev->driver, info.driver, sizeof dev->driver);
    }
    dev->features_known = (!read_features_netlink(dev)
                           || !read_features_ioctl(dev));

    get_lower(name, &lower);
    dev->is_upper = lower.n > 0;
    svec_destroy(&lower);

    path = sysfs_path(name, device);
    dev->is_physical = !access(path, F_OK);
    free(path);

    path = sysfs_path(name, physfn);
    dev->is_vf = !access(path, F_OK);
    free(path);

    path = sysfs_path(name, port_name);
    file = fopen(path, "r");
    if (file) {
        if (fgets(line, sizeof line, file)) {
            line[strcspn(line, "\n")] = '\0';
            if (strstr(line, "vf") || strstr(line, "sf")) {
                dev->representor = xstrdup(line);
            }
        }
        fclose(file);
    }
    free(path);
}

void
offload_dev_destroy(struct offload_dev *dev)
{
    if (dev) {
        smap_destroy(&dev->features);
        free(dev->representor);
        free(dev->name);
        free(dev);
    }
}

/* Returns what 'dev', the port of a bridge, leads to by all appearances.  What
 * the host shares with a virtual machine may look like hardware. */
enum offload_likeness
offload_dev_get_likeness(const struct offload_dev *dev)
{
    static const char *const guest_drivers[] = { "tun", "vif" };

    for (size_t i = 0; i < ARRAY_SIZE(guest_drivers); i++) {
        if (!strcmp(dev->driver, guest_drivers[i])) {
            return OFFLOAD_LIKE_GUEST;
        }
    }
    return (dev->representor ? OFFLOAD_LIKE_GUEST
            : dev->is_physical || dev->is_upper ? OFFLOAD_LIKE_NIC
            : OFFLOAD_LIKE_ANY);
}

static bool
is_linux_bridge(const char *name)
{
    const char *dir = "/bridge";
    char *path = sysfs_path(name, dir);
    bool exists = !access(path, F_OK);

    free(path);
    return exists;
}

/* Leaves in 'ports', those of a Linux bridge, only the ones that are most like
 * the way to other hosts. */
static void
keep_nics(struct svec *ports)
{
    struct svec nics = SVEC_EMPTY_INITIALIZER;
    enum offload_likeness best = OFFLOAD_LIKE_GUEST;
    const char *name;
    size_t i;

    SVEC_FOR_EACH (i, name, ports) {
        struct offload_dev *dev = offload_dev_read(name);
        enum offload_likeness likeness = offload_dev_get_likeness(dev);

        if (likeness > best) {
            svec_clear(&nics);
            best = likeness;
        }
        if (likeness == best) {
            svec_add(&nics, name);
        }
        offload_dev_destroy(dev);
    }
    svec_swap(ports, &nics);
    svec_destroy(&nics);
}

/* Adds to 'chain' the device 'name' and those below it, in the order in which
 * they get a packet that is sent, unless they are there already. */
void
offload_dev_get_chain(const char *name, struct svec *chain)
{
    struct svec lower = SVEC_EMPTY_INITIALIZER;
    const char *next;
    size_t i;

    if (!svec_contains_unsorted(chain, name)) {
        svec_add(chain, name);
        get_lower(name, &lower);
        if (is_linux_bridge(name)) {
            keep_nics(&lower);
        }
        SVEC_FOR_EACH (i, next, &lower) {
            offload_dev_get_chain(next, chain);
        }
        svec_destroy(&lower);
    }
}

/* Routes. */

static char *
format_addr(const struct nlattr *attr)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (nl_attr_get_size(attr) == 4) {
        ds_put_format(&s, IP_FMT, IP_ARGS(nl_attr_get_be32(attr)));
    } else if (nl_attr_get_size(attr) == 16) {
        struct in6_addr addr = nl_attr_get_in6_addr(attr);

        ipv6_format_addr(&addr, &s);
    }
    return ds_steal_cstr(&s);
}

/* Appends to 'request' attribute 'type' with the IP address 'addr', of
 * 'family'.  Returns false if it is none of that family. */
static bool
put_addr(struct ofpbuf *request, uint16_t type, int family, const char *addr)
{
    struct in6_addr ip6;
    ovs_be32 ip4;

    if (family == AF_INET6 && ipv6_parse(addr, &ip6)) {
        nl_msg_put_in6_addr(request, type, &ip6);
    } else if (family == AF_INET && ip_parse(addr, &ip4)) {
        nl_msg_put_be32(request, type, ip4);
    } else {
        return false;
    }
    return true;
}

/* Looks up where the kernel sends packets to 'addr' that have 'mark' and come
 * from 'local', or from an address that the route decides about if that is
 * null.  Returns 0 or a positive errno value.  The caller must free '*dev',
 * '*src' and '*gateway', which are NULL if unknown.  '*mtu' is the route's own
 * in bytes, or 0. */
int
offload_route_lookup(const char *addr, const char *local, uint32_t mark,
                     char **dev, char **src, char **gateway,
                     unsigned int *mtu)
{
    size_t hdr_len = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct rtmsg));
    struct ofpbuf request, *reply;
    const struct nlattr *attr, *metric;
    size_t left, metric_left;
    struct rtmsg *rtm;
    ovs_be32 ip4;
    int family;
    int error;

    *dev = *src = *gateway = NULL;
    *mtu = 0;
    family = ip_parse(addr, &ip4) ? AF_INET : AF_INET6;

    ofpbuf_init(&request, 128);
    nl_msg_put_nlmsghdr(&request, sizeof *rtm, RTM_GETROUTE, NLM_F_REQUEST);
    rtm = ofpbuf_put_zeros(&request, sizeof *rtm);
    rtm->rtm_family = family;
    rtm->rtm_dst_len = family == AF_INET ? 32 : 128;
    rtm->rtm_src_len = local ? rtm->rtm_dst_len : 0;
    if (!put_addr(&request, RTA_DST, family, addr)
        || (local && !put_addr(&request, RTA_SRC, family, local))) {
        ofpbuf_uninit(&request);
        return EINVAL;
    }
    if (mark) {
        nl_msg_put_u32(&request, RTA_MARK, mark);
    }
    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        return error;
    }
    if (reply->size < hdr_len) {
        ofpbuf_delete(reply);
        return EPROTO;
    }
    NL_ATTR_FOR_EACH (attr, left, ofpbuf_at(reply, hdr_len, 0),
                      reply->size - hdr_len) {
        char name[IFNAMSIZ];

        switch (nl_attr_type(attr)) {
        case RTA_OIF:
            if (if_indextoname(attr_u32(attr), name)) {
                free(*dev);
                *dev = xstrdup(name);
            }
            break;
        case RTA_PREFSRC:
            free(*src);
            *src = format_addr(attr);
            break;
        case RTA_GATEWAY:
            free(*gateway);
            *gateway = format_addr(attr);
            break;
        case RTA_METRICS:
            NL_NESTED_FOR_EACH (metric, metric_left, attr) {
                if (nl_attr_type(metric) == RTAX_MTU) {
                    *mtu = attr_u32(metric);
                }
            }
            break;
        default:
            break;
        }
    }
    ofpbuf_delete(reply);
    if (local && *dev) {
        free(*src);
        *src = xstrdup(local);
    }
    return *dev ? 0 : ENODEV;
}

/* Returns true if this process may change network devices. */
bool
offload_is_privileged(void)
{
    unsigned long long int caps = 0;
    const char *path = "/proc/self/status";
    FILE *file = fopen(path, "r");
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        if (!strncmp(line, "CapEff:", 7)) {
            caps = strtoull(line + 7, NULL, 16);
        }
    }
    if (file) {
        fclose(file);
    }
    return caps & (1ULL << 12);         /* CAP_NET_ADMIN. */
}
