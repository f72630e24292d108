/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload-chain.h"

/* Judges the links of the chain of a tunnel: the switch, the ports of virtual
 * machines, the MTUs, the packet filter and the NICs.  Each function reports
 * what it sees and finds about a kind of link, and which verdict follows. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vswitch-idl.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* With userspace TSO, a receive socket buffer below this loses packets of
 * 64 KB in bursts.  Both in bytes. */
#define RCVBUF_MIN (4 * 1024 * 1024)
#define RCVBUF_GOOD (8 * 1024 * 1024)

/* Headers that STT adds to a frame, without those of the underlay's packet,
 * and the frame's own Ethernet header, in bytes. */
#define STT_HEADERS (18 + ETH_HEADER_LEN)

/* Headers of IP and TCP around a segment of 'tunnel', in bytes. */
static unsigned int
outer_headers(const struct tunnel *tunnel)
{
    return ((tunnel->is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
            + TCP_HEADER_LEN);
}

/* Devices. */

/* Feature "tx-tcp-segmentation" or "tx-tcp6-segmentation". */
static const char *
tso_feature(const struct tunnel *tunnel)
{
    return tunnel->is_ipv6 ? "tx-tcp6-segmentation" : "tx-tcp-segmentation";
}

/* Returns true if 'tunnel', which is none of STT, sums up the outer packet, as
 * GRE does if it is told so, and those over UDP by default over IPv6. */
static bool
has_outer_checksum(const struct tunnel *tunnel)
{
    const char *type = tunnel->iface->type;
    bool is_udp = !strcmp(type, "vxlan") || !strcmp(type, "geneve");

    return ((is_udp || strstr(type, "gre"))
            && smap_get_bool(&tunnel->iface->options, "csum",
                             is_udp && tunnel->is_ipv6));
}

/* Feature that lets a device segment what 'tunnel' sends. */
static const char *
segmentation_feature(const struct tunnel *tunnel)
{
    const char *type = tunnel->iface->type;
    bool csum = has_outer_checksum(tunnel);

    return (tunnel->is_stt ? tso_feature(tunnel)
            : strstr(type, "gre") || strstr(type, "erspan")
            ? (csum ? "tx-gre-csum-segmentation" : "tx-gre-segmentation")
            : (csum ? "tx-udp_tnl-csum-segmentation"
               : "tx-udp_tnl-segmentation"));
}

static const char *
checksum_feature(const struct offload_dev *dev, bool is_ipv6)
{
    const char *family = is_ipv6 ? "tx-checksum-ipv6" : "tx-checksum-ipv4";

    return (offload_dev_is_fixed(dev, "tx-checksum-ip-generic")
            && !offload_dev_is(dev, "tx-checksum-ip-generic", true)
            && !offload_dev_is_fixed(dev, family)
            ? family : "tx-checksum-ip-generic");
}

static bool
has_checksum(const struct offload_dev *dev, bool is_ipv6)
{
    return (offload_dev_is(dev, "tx-checksum-ip-generic", true)
            || offload_dev_is(dev, (is_ipv6 ? "tx-checksum-ipv6"
                                    : "tx-checksum-ipv4"), true));
}

static void
show_dev(struct context *ctx, const struct tunnel *tunnel, const char *part,
         const struct offload_dev *dev)
{
    static const char *const features[] = {
        "tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksum-ipv6",
        "tx-scatter-gather", "tx-tcp-segmentation", "tx-tcp6-segmentation",
        "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation",
        "tx-gre-segmentation", "tx-gre-csum-segmentation",
        "tx-generic-segmentation", "rx-checksum", "rx-gro", "rx-gro-hw",
        "rx-lro", "hw-tc-offload",
    };
    const struct offload_nic *nic = offload_nic_find(dev->driver);

    add_row(ctx, tunnel, part, "driver", "%s%s%s%s",
            dev->driver[0] ? dev->driver : "unknown",
            nic ? " (" : "", nic ? nic->name : "", nic ? ")" : "");
    if (dev->is_vf) {
        add_row(ctx, tunnel, part, "kind", "SR-IOV virtual function");
    }
    if (dev->representor) {
        add_row(ctx, tunnel, part, "kind", "representor of %s",
                dev->representor);
    }
    add_row(ctx, tunnel, part, "mtu", "%u", dev->mtu);
    if (dev->gso_max_size) {
        add_row(ctx, tunnel, part, "gso_max_size", "%"PRIu32,
                dev->gso_max_size);
    }
    if (dev->gso_ipv4_max_size
        && dev->gso_ipv4_max_size != dev->gso_max_size) {
        add_row(ctx, tunnel, part, "gso_ipv4_max_size", "%"PRIu32,
                dev->gso_ipv4_max_size);
    }
    if (dev->gro_max_size) {
        add_row(ctx, tunnel, part, "gro_max_size", "%"PRIu32,
                dev->gro_max_size);
    }
    add_row(ctx, tunnel, part, "queues", "%"PRIu32" rx, %"PRIu32" tx",
            dev->n_rxq, dev->n_txq);
    if (!dev->features_known) {
        add_row(ctx, tunnel, part, "features", "unknown");
    }
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const char *value = smap_get(&dev->features, features[i]);

        if (value) {
            add_row(ctx, tunnel, part, features[i], "%s", value);
        }
    }
}

/* Says that 'feature' of 'dev', which should be on, is off, and what it costs.
 * 'dev' is the port of a virtual machine.  What a tap device has, the guest
 * has agreed to, which no command of the host's can replace. */
static void
find_guest_feature(struct context *ctx, enum offload_severity severity,
                   const char *id, const struct tunnel *tunnel,
                   const struct offload_dev *dev, const char *feature,
                   const char *cost)
{
    bool is_tap = !strcmp(dev->driver, "tun");
    bool is_fixed = offload_dev_is_fixed(dev, feature);

    find(ctx, is_tap ? OFFLOAD_NOTE : severity, id, tunnel, dev->name,
         is_tap || is_fixed
         ? NULL : offload_change_create(OFFLOAD_FEATURE, dev->name, feature,
                                        "on"),
         NULL, cost, "%s is off%s%s", feature, is_fixed ? " and fixed" : "",
         is_tap ? ": the guest does without" : "");
}

/* Says that 'feature' of 'dev' should be 'on', or not. */
static void
find_feature(struct context *ctx, enum offload_severity severity,
             const char *id, const struct tunnel *tunnel,
             const struct offload_dev *dev, const char *feature, bool on,
             const char *cost)
{
    bool fixed = offload_dev_is_fixed(dev, feature);

    find(ctx, severity, id, tunnel, dev->name,
         fixed ? NULL : offload_change_create(OFFLOAD_FEATURE, dev->name,
                                              feature, on ? "on" : "off"),
         NULL, cost, "%s is %s%s", feature, on ? "off" : "on",
         fixed ? " and fixed" : "");
}

/* Returns true if 'dev' lacks 'feature', a checksum or scatter-gather, and
 * can't be given it. */
static bool
lacks(const struct offload_dev *dev, const char *feature, bool is_ipv6)
{
    return (dev->features_known && offload_dev_is_fixed(dev, feature)
            && (strstr(feature, "checksum") ? !has_checksum(dev, is_ipv6)
                : offload_dev_is(dev, feature, false)));
}

/* Returns why 'dev' can't have checksums or, if 'sg', scatter-gather, NULL if
 * it can.  A device above others depends on these: a VLAN has no feature that
 * the device below lacks, a bond none that all below lack, and any other would
 * have no use of it.  The caller must free the string. */
static char *
find_lack(struct context *ctx, const struct tunnel *tunnel,
          const struct offload_dev *dev, bool sg)
{
    struct svec chain = SVEC_EMPTY_INITIALIZER;
    const char *name;
    char *lack = NULL;
    size_t i;

    offload_dev_get_chain(dev->name, &chain);
    SVEC_FOR_EACH (i, name, &chain) {
        const struct offload_dev *lower = get_dev(ctx, name);
        const char *feature = (sg ? "tx-scatter-gather"
                               : checksum_feature(lower, tunnel->is_ipv6));

        if (lower->is_upper) {
            continue;
        }
        free(lack);
        lack = NULL;
        if (!lacks(lower, feature, tunnel->is_ipv6)) {
            break;
        }
        lack = xasprintf("%s lacks %s", name, feature);
    }
    svec_destroy(&chain);
    return lack;
}

/* Says that 'feature' of 'dev' should be on, and why that can't be, if 'lack'
 * is nonnull. */
static void
find_missing(struct context *ctx, enum offload_severity severity,
             const char *id, const struct tunnel *tunnel,
             const struct offload_dev *dev, const char *feature,
             const char *lack, const char *cost)
{
    if (!lack || offload_dev_is_fixed(dev, feature)) {
        find_feature(ctx, severity, id, tunnel, dev, feature, true, cost);
    } else {
        find(ctx, severity, id, tunnel, dev->name, NULL, NULL, cost,
             "%s is off: %s", feature, lack);
    }
}

/* Judges the features with which NIC 'dev' sends packets of 'tunnel', which it
 * segments if it has feature 'tso'. */
static void
check_send(struct context *ctx, const struct tunnel *tunnel,
           const struct offload_dev *dev, const char *tso)
{
    char *no_csum = find_lack(ctx, tunnel, dev, false);
    char *no_sg = find_lack(ctx, tunnel, dev, true);

    if (!has_checksum(dev, tunnel->is_ipv6)) {
        find_missing(ctx, OFFLOAD_WARNING, "checksum-off", tunnel, dev,
                     checksum_feature(dev, tunnel->is_ipv6), no_csum,
                     "the CPU adds up each byte, and TSO is impossible");
    }
    if (offload_dev_is(dev, "tx-scatter-gather", false)) {
        find_missing(ctx, OFFLOAD_WARNING, "scatter-gather-off", tunnel, dev,
                     "tx-scatter-gather", no_sg,
                     "the CPU copies each packet once more, and TSO is "
                     "impossible");
    }
    if (offload_dev_is(dev, tso, false)) {
        /* Linux segments nothing without them. */
        find_missing(ctx, OFFLOAD_WARNING, "tso-off", tunnel, dev, tso,
                     no_csum ? no_csum : no_sg,
                     "the CPU cuts frames; in a trial, throughput fell "
                     "from 3.5-6.5 times VXLAN's to 1.4-4 times");
        if (offload_dev_is(dev, "tx-generic-segmentation", false)) {
            find_missing(ctx, OFFLOAD_WARNING, "gso-off", tunnel, dev,
                         "tx-generic-segmentation", no_sg,
                         "without TSO and GSO, frames are cut earlier "
                         "and pass the rest of the kernel in pieces");
        }
    }
    free(no_csum);
    free(no_sg);
}

/* Returns true if a packet of 64 KB is too large for a device with
 * 'gso_size', which is 0 if unknown. */
static bool
is_too_small(uint32_t gso_size)
{
    return gso_size && gso_size < OFFLOAD_GSO_SIZE;
}

/* Returns the limit, above which the kernel cuts packets for 'dev', for those
 * of IPv4, or of IPv6 if 'is_ipv6'.  Old kernels have one for both. */
static uint32_t
get_gso_size(const struct offload_dev *dev, bool is_ipv6)
{
    return (is_ipv6 || !dev->gso_ipv4_max_size ? dev->gso_max_size
            : dev->gso_ipv4_max_size);
}

/* Returns the name of the limit that get_gso_size() returns. */
static const char *
get_gso_key(const struct offload_dev *dev, bool is_ipv6)
{
    return (get_gso_size(dev, is_ipv6) == dev->gso_max_size
            ? "gso_max_size" : "gso_ipv4_max_size");
}

/* Judges the size above which the kernel cuts packets for 'dev', of IPv6 if
 * 'is_ipv6', otherwise of IPv4. */
static void
check_gso(struct context *ctx, const struct tunnel *tunnel,
          const struct offload_dev *dev, bool is_ipv6)
{
    uint32_t gso_size = get_gso_size(dev, is_ipv6);
    struct offload_change *change = NULL;
    char *command = NULL;
    char size[16];
    bool possible;

    if (!is_too_small(gso_size)) {
        return;
    }
    snprintf(size, sizeof size, "%d", OFFLOAD_GSO_SIZE);
    possible = !dev->tso_max_size || dev->tso_max_size >= OFFLOAD_GSO_SIZE;

    /* Raising gso_max_size to 64 KB raises the limit for IPv4, too, but only
     * if it changes. */
    if (possible && is_too_small(dev->gso_max_size)) {
        change = offload_change_create(OFFLOAD_GSO, dev->name, "gso_max_size",
                                       size);
    } else if (possible) {
        char *name = offload_quote(dev->name);

        command = xasprintf("ip link set dev %s gso_ipv4_max_size %s", name,
                            size);
        free(name);
    }
    find(ctx, possible ? OFFLOAD_WARNING : OFFLOAD_NOTE, "gso-max-size",
         tunnel, dev->name, change, command,
         "the CPU cuts what is longer, instead of the device or never",
         "%s is %"PRIu32"%s", get_gso_key(dev, is_ipv6), gso_size,
         possible ? "" : ", and the driver allows no more");
}

/* Shows and judges the ports of virtual machines on the bridge of 'tunnel'. */
void
collect_guests(struct context *ctx, struct tunnel *tunnel)
{
    const struct ovsrec_bridge *br = tunnel->bridge;

    for (size_t i = 0; i < br->n_ports; i++) {
        for (size_t j = 0; j < br->ports[i]->n_interfaces; j++) {
            const struct ovsrec_interface *iface
                = br->ports[i]->interfaces[j];
            const struct offload_dev *dev;
            const char *tso;
            char *part;

            if (!is_outward(iface)
                || svec_contains_unsorted(&tunnel->underlay, iface->name)) {
                continue;
            }
            part = xasprintf("VM port %s", iface->name);
            tso = smap_get(&iface->status, "tx_tcp_seg_offload");
            add_row(ctx, tunnel, part, "type", "%s",
                    iface->type[0] ? iface->type : "system");
            if (tso) {
                add_row(ctx, tunnel, part, "TSO known to Open vSwitch", "%s",
                        tso);
            }
            dev = get_dev(ctx, iface->name);
            if (dev->ifindex) {
                show_dev(ctx, tunnel, part, dev);
                if (tunnel->is_stt && dev->features_known) {
                    if (!has_checksum(dev, false)) {
                        find_guest_feature(ctx, OFFLOAD_WARNING,
                                           "vm-checksum-off", tunnel, dev,
                                           checksum_feature(dev, false),
                                           "packets to the virtual machine "
                                           "are cut and get their checksums "
                                           "from the CPU");
                    }
                    if (offload_dev_is(dev, "tx-tcp-segmentation", false)) {
                        find_guest_feature(ctx, OFFLOAD_WARNING, "vm-tso-off",
                                           tunnel, dev, "tx-tcp-segmentation",
                                           "packets to the virtual machine "
                                           "are cut into ones of its MTU");
                    }
                    check_gso(ctx, tunnel, dev, false);
                    if (!is_too_small(get_gso_size(dev, false))) {
                        check_gso(ctx, tunnel, dev, true);
                    }
                }
                if (dev->is_vf) {
                    find(ctx, OFFLOAD_NOTE, "sriov", tunnel, dev->name, NULL,
                         NULL, "none, but nothing here holds for it",
                         "a virtual function that is given to a virtual "
                         "machine passes the switch by");
                }
                if (dev->representor && ctx->hw_offload) {
                    find(ctx, OFFLOAD_NOTE, "hw-offload", tunnel, dev->name,
                         NULL, NULL,
                         "the CPU handles each packet of STT; VXLAN or Geneve "
                         "may be left to the NIC",
                         "hw-offload leaves no STT to the NIC, which knows "
                         "no such tunnel");
                }
            }
            free(part);
        }
    }
}

/* Returns 'key' of column "status" of 'iface', which may be NULL, unless
 * something else is to be assumed of 'dev'.  NULL if it isn't there. */
static const char *
get_status(const struct ovsrec_interface *iface,
           const struct offload_dev *dev, const char *key)
{
    char *name = xasprintf("status:%s", key);
    const char *assumed = smap_get(&dev->features, name);

    free(name);
    return assumed ? assumed : iface ? smap_get(&iface->status, key) : NULL;
}

/* Says which features of NIC 'dev' are not what they were when Open vSwitch
 * read them, as column "status" of 'iface' has it.  'had_tso' says if TSO was
 * on, 'by_switch' if Open vSwitch does itself what the NIC didn't do.  Returns
 * true if TSO has changed. */
static bool
check_changed(struct context *ctx, const struct tunnel *tunnel,
              const char *part, const struct offload_dev *dev,
              const struct ovsrec_interface *iface, bool had_tso,
              bool by_switch)
{
    /* It does UDP's checksums if it does those of TCP, for which the kernel
     * may stand in. */
    const char *csum = get_status(iface, dev, "tx_udp_csum_offload");
    bool had_csum = csum && !strcmp(csum, "true");
    bool csum_changed = (csum && smap_get(&dev->features,
                                          "tx-checksum-ip-generic")
                         && had_csum != (has_checksum(dev, false)
                                         || has_checksum(dev, true)));
    bool tso_changed = (smap_get(&dev->features, "tx-tcp-segmentation")
                        && had_tso != offload_dev_is(
                            dev, "tx-tcp-segmentation", true));
    bool tso_gained = tso_changed && !had_tso;
    bool csum_gained = csum_changed && !had_csum;
    const struct {
        const char *name;
        bool changed, had;
    } features[] = {
        { "tx-checksum-*", csum_changed, had_csum },
        { "tx-tcp-segmentation", tso_changed, had_tso },
    };
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const char *before = features[i].had ? "on" : "off";
        const char *now = features[i].had ? "off" : "on";

        if (features[i].changed) {
            add_row(ctx, tunnel, part, "changed since the port was added",
                    "%s, which was %s", features[i].name, before);
            ds_put_format(&s, "%s%s is %s, but was %s when Open vSwitch read "
                          "it", s.length ? ", and " : "", features[i].name,
                          now, before);
        }
    }
    if (s.length) {
        find(ctx, by_switch && (tso_gained || csum_gained)
             ? OFFLOAD_WARNING : OFFLOAD_NOTE, "feature-changed", tunnel,
             dev->name, NULL,
             offload_service_command("restart"),
             (by_switch && tso_gained
              ? "Open vSwitch goes on cutting frames itself"
              : by_switch && csum_gained
              ? "Open vSwitch goes on computing checksums itself"
              : "none beside that of the feature itself: the kernel does what "
              "Open vSwitch leaves to it"),
             "%s", ds_cstr(&s));
    }
    ds_destroy(&s);
    return tso_changed;
}

/* Judges what NIC 'dev' of the underlay of 'tunnel', of kind 'nic' or of an
 * unknown one if that is null, does with packets that it receives. */
static void
check_receive(struct context *ctx, struct tunnel *tunnel,
              const struct offload_dev *dev, const struct offload_nic *nic)
{
    const char *name = dev->name;

    /* Packets are merged where they come in, not by a bond or VLAN above. */
    if (dev->is_upper) {
        return;
    }
    if (tunnel->is_stt && offload_dev_is(dev, "rx-lro", true)) {
        find_feature(ctx, OFFLOAD_ERROR, "lro-on", tunnel, dev, "rx-lro",
                     false,
                     "LRO glues pieces of different frames together, which "
                     "are dropped then");
        judge(&tunnel->receive, "damaged: LRO at %s glues pieces of different "
              "frames together", name);
    }
    if (tunnel->is_stt && tunnel->userspace && !tunnel->tso
        && offload_dev_is(dev, "rx-gro", true)) {
        find_feature(ctx, OFFLOAD_ERROR, "gro-without-tso", tunnel, dev,
                     "rx-gro", false,
                     "Open vSwitch drops what GRO has merged, being longer "
                     "than the MTU");
        judge(&tunnel->receive, "dropped where GRO at %s has merged segments",
              name);
    } else if (tunnel->is_stt && offload_dev_is(dev, "rx-gro", false)
               && (tunnel->tso || !tunnel->userspace)
               && !(nic && nic->whole)) {
        find_feature(ctx, OFFLOAD_WARNING, "gro-off", tunnel, dev, "rx-gro",
                     true,
                     "each segment is received by itself and put together "
                     "by Open vSwitch");
    }
    judge(&tunnel->receive, "%s",
          offload_dev_is(dev, "rx-gro", true)
          ? "segments are merged by GRO and frames arrive in one piece"
          : nic && nic->whole
          ? "frames arrive in the pieces that the device is given, 64 KB "
          "included"
          : "frames are put together from segments");
}

/* Returns the MTU of NIC 'name' of the underlay, or 0 if it is unknown.  Of
 * ports that have no device of Linux, as those of DPDK, or just one of the
 * same name, only Open vSwitch knows it. */
static unsigned int
get_nic_mtu(struct context *ctx, const char *name)
{
    const struct ovsrec_interface *iface
        = offload_find_interface(ctx->idl, name);
    unsigned int mtu = get_dev(ctx, name)->mtu;

    return (iface && iface->n_mtu && (!mtu || bypasses_kernel(iface))
            ? iface->mtu[0] : mtu);
}

/* Shows NIC 'dev', the port of 'iface', whose packets the kernel never sees,
 * and judges what it receives.  None of what Linux does with packets matters
 * here, like GRO, and nor do the features that Linux knows. */
static void
collect_bypassing_nic(struct context *ctx, struct tunnel *tunnel,
                      const char *part, const struct offload_dev *dev,
                      const struct ovsrec_interface *iface)
{
    static const char *const keys[] = {
        "driver_name", "n_rxq", "n_txq", "xdp-mode", "numa_id",
        "rx_csum_offload", "tx_ip_csum_offload", "tx_tcp_csum_offload",
    };
    unsigned int mtu = get_nic_mtu(ctx, dev->name);

    if (mtu) {
        add_row(ctx, tunnel, part, "mtu", "%u", mtu);
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *value = get_status(iface, dev, keys[i]);

        if (value) {
            add_row(ctx, tunnel, part, keys[i], "%s", value);
        }
    }
    judge(&tunnel->receive, "frames are put together from segments");
}

/* Shows and judges NIC 'name' of the underlay of 'tunnel', and sets the
 * verdicts, unless something nearer to the sender has. */
void
collect_nic(struct context *ctx, struct tunnel *tunnel, const char *name)
{
    const struct ovsrec_interface *iface
        = offload_find_interface(ctx->idl, name);
    const struct offload_dev *dev = get_dev(ctx, name);
    const char *known = get_status(iface, dev, "tx_tcp_seg_offload");
    const char *by = get_status(iface, dev, "tx_tcp_seg_by");
    const char *rcvbuf = get_status(iface, dev, "rx_socket_buffer");
    char *part = xasprintf("NIC %s", name);
    const char *tso = segmentation_feature(tunnel);
    const struct offload_nic *nic;
    bool was_on, by_switch, stale;

    /* If the kernel stands in for the NIC, "known" is true as well. */
    was_on = by ? !strcmp(by, "nic") : known && !strcmp(known, "true");
    by_switch = by ? !strcmp(by, "switch") : known && !was_on;

    if (iface && iface->type[0] && strcmp(iface->type, "system")) {
        add_row(ctx, tunnel, part, "type", "%s", iface->type);
    }
    if (known && tunnel->userspace) {
        add_row(ctx, tunnel, part, "TSO known to Open vSwitch", "%s", known);
    }
    if (by) {
        add_row(ctx, tunnel, part, "TCP is segmented by", "%s", by);
    }
    if (rcvbuf) {
        add_row(ctx, tunnel, part, "receive socket buffer", "%s", rcvbuf);
    }
    if (!dev->ifindex || bypasses_kernel(iface)) {
        if (tunnel->tso && by_switch) {
            judge(&tunnel->send, "segmented in software by Open vSwitch, "
                  "because %s has no TSO", name);
        }
        if (bypasses_kernel(iface)) {
            collect_bypassing_nic(ctx, tunnel, part, dev, iface);
        }
        free(part);
        return;
    }
    show_dev(ctx, tunnel, part, dev);
    nic = offload_nic_find(dev->driver);
    if (nic) {
        add_row(ctx, tunnel, part, "TCP, in general", "%s", nic->tcp);
        add_row(ctx, tunnel, part, "UDP tunnels, in general", "%s", nic->udp);
        if (nic->advice) {
            add_row(ctx, tunnel, part, "advice, in general", "%s",
                    nic->advice);
        }
    }

    /* Sending. */
    stale = (tunnel->userspace && tunnel->tso && (known || by)
             && check_changed(ctx, tunnel, part, dev, iface, was_on,
                              by_switch));
    if (!stale && by && by_switch && tunnel->tso && tunnel->is_stt) {
        find(ctx, OFFLOAD_WARNING, "kernel-tso-off", tunnel, name,
             offload_change_create(OFFLOAD_DB, name,
                                   "other_config:kernel-tso", "true"),
             NULL, "frames pass the kernel in pieces, which the peer's GRO "
             "does not always undo",
             "kernel-tso is false, so Open vSwitch cuts frames for a NIC "
             "without TSO");
    }
    if (tunnel->is_stt && dev->features_known) {
        check_send(ctx, tunnel, dev, tso);
    }
    if (tunnel->is_stt) {
        check_gso(ctx, tunnel, dev, tunnel->is_ipv6);
    }
    if (tunnel->tso && by_switch && tunnel->userspace) {
        judge(&tunnel->send, "segmented in software by Open vSwitch, because "
              "%s had no TSO when the port was added", name);
    }
    if (offload_dev_is(dev, tso, false)) {
        judge(&tunnel->send, "segmented in software at %s because %s is off",
              name, tso);
    } else if (is_too_small(get_gso_size(dev, tunnel->is_ipv6))) {
        judge(&tunnel->send, "segmented in software at %s because %s is "
              "%"PRIu32, name, get_gso_key(dev, tunnel->is_ipv6),
              get_gso_size(dev, tunnel->is_ipv6));
    }

    /* Receiving. */
    check_receive(ctx, tunnel, dev, nic);
    if (tunnel->is_stt && tunnel->userspace && tunnel->tso && rcvbuf
        && atoi(rcvbuf) < RCVBUF_MIN) {
        char size[16];

        snprintf(size, sizeof size, "%d", RCVBUF_GOOD);
        find(ctx, OFFLOAD_WARNING, "receive-buffer", tunnel, name,
             offload_change_create(OFFLOAD_DB, name,
                                   "other_config:rx-socket-buffer", size),
             NULL,
             "bursts of packets of 64 KB are lost; in a trial, 13 percent of "
             "them with a buffer of 212992 bytes",
             "the receive socket buffer has %s bytes", rcvbuf);
    }

    /* Other choices. */
    if (tunnel->is_stt && !tunnel->userspace && !dev->is_upper
        && offload_dev_is(dev, "tx-udp_tnl-segmentation", true)) {
        find(ctx, OFFLOAD_NOTE, "udp-tunnels", tunnel, name, NULL, NULL,
             "none; but Geneve needs no module and no exceptions in "
             "firewalls",
             "%s can segment tunnels over UDP, so Geneve on the kernel "
             "datapath may serve as well as STT", name);
    }
    if (dev->is_vf) {
        find(ctx, OFFLOAD_NOTE, "underlay-vf", tunnel, name, NULL, NULL,
             "packets are dropped if the host does not allow them",
             "%s is a virtual function: the host decides which addresses it "
             "may use, and what it may offload", name);
    }
    if (ctx->hw_offload && tunnel->is_stt && !dev->is_upper) {
        find(ctx, OFFLOAD_NOTE, "hw-offload", tunnel, name, NULL, NULL,
             "the CPU handles each packet of STT; VXLAN or Geneve may be "
             "left to the NIC",
             "hw-offload leaves no STT to the NIC, which knows no such "
             "tunnel");
    }
    free(part);
}

/* Returns the most bytes of the underlay's packets that option
 * max_segment_size lets 'tunnel' send, or UINT_MAX if it doesn't matter, which
 * it does for the userspace datapath only. */
static unsigned int
get_capped_size(const struct tunnel *tunnel)
{
    unsigned int cap = (tunnel->userspace && tunnel->is_stt
                        ? smap_get_uint(&tunnel->iface->options,
                                        "max_segment_size", 0) : 0);

    return cap ? cap + outer_headers(tunnel) : UINT_MAX;
}

/* Judges the MTUs of the route's device, which decides about segments unless
 * an option makes them smaller, and of the NICs, which carry them. */
void
check_mtu(struct context *ctx, struct tunnel *tunnel)
{
    const struct offload_dev *dev = tunnel->dev ? get_dev(ctx, tunnel->dev)
                                    : NULL;
    const struct ovsrec_interface *iface;
    unsigned int cap = get_capped_size(tunnel);
    unsigned int mtu = UINT_MAX;
    char value[16];
    size_t i;
    const char *name;

    if (!dev || !dev->mtu) {
        return;
    }
    SVEC_FOR_EACH (i, name, &tunnel->underlay) {
        unsigned int nic_mtu = get_nic_mtu(ctx, name);

        if (nic_mtu) {
            mtu = MIN(mtu, nic_mtu);
        }
    }
    iface = offload_find_interface(ctx->idl, tunnel->dev);
    if (mtu == UINT_MAX || MIN(mtu, cap) == MIN(dev->mtu, cap) || !iface
        || !tunnel->is_stt) {
        return;
    }
    snprintf(value, sizeof value, "%u", mtu);
    if (dev->mtu > mtu) {
        find(ctx, OFFLOAD_ERROR, "mtu-too-large", tunnel, tunnel->dev,
             offload_change_create(OFFLOAD_DB, tunnel->dev, "mtu_request",
                                   value),
             NULL, "segments don't fit the NIC and are dropped",
             "the MTU of %s is %u, that of the NIC %u", tunnel->dev, dev->mtu,
             mtu);
        judge(&tunnel->send, "dropped: segments follow %s's MTU of %u, and "
              "the NIC has %u", tunnel->dev, dev->mtu, mtu);
    } else {
        find(ctx, OFFLOAD_WARNING, "mtu-too-small", tunnel, tunnel->dev,
             offload_change_create(OFFLOAD_DB, tunnel->dev, "mtu_request",
                                   value),
             NULL, "there are more segments, and smaller ones, than need be",
             "the MTU of %s is %u, that of the NIC %u", tunnel->dev, dev->mtu,
             mtu);
    }
}

/* Shows how full the table of connections is, if there is one. */
static void
show_tracker(struct context *ctx, const struct tunnel *tunnel)
{
    static const char *const names[] = { "count", "max" };
    long long int values[2];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *dir = "/proc/sys/net/netfilter/nf_conntrack_";
        char *path = xasprintf("%s%s", dir, names[i]);
        FILE *file = fopen(path, "r");
        bool ok = file && fscanf(file, "%lld", &values[i]) == 1;

        if (file) {
            fclose(file);
        }
        free(path);
        if (!ok) {
            return;
        }
    }
    add_row(ctx, tunnel, "netfilter", "connections that are tracked",
            "%lld of at most %lld", values[0], values[1]);
}

/* Shows what becomes of a packet. */
static void
show_fate(struct context *ctx, const struct tunnel *tunnel, const char *item,
          const struct offload_fate *fate)
{
    add_row(ctx, tunnel, "netfilter", item, "%s%s%s%s%s%s",
            fate->drop ? "dropped by " : fate->maybe ? "maybe dropped by "
            : "passes",
            fate->drop ? fate->drop : fate->maybe ? fate->maybe : "",
            fate->track ? ", tracked because of " : "",
            fate->track ? fate->track : "",
            fate->untrack ? ", unless prevented by " : "",
            fate->untrack ? fate->untrack : "");
}

static struct offload_change *
notrack_change(const struct tunnel *tunnel)
{
    char port[16];

    snprintf(port, sizeof port, "%d", tunnel->dst_port);
    return offload_change_create(OFFLOAD_NFT, port, "notrack", "on");
}

/* Judges what happens at 'hooks' with a packet by 'nic', going out if
 * 'outgoing'.  'on_path' says if it is one that the tunnel depends on, or the
 * copy of it that the kernel keeps to itself. */
static void
check_hooks(struct context *ctx, struct tunnel *tunnel, const char *nic,
            const char *hooks[], bool outgoing, bool on_path)
{
    struct offload_packet packet = {
        .dev = nic,
        .ip_dev = tunnel->userspace ? nic : tunnel->dev,
        .src = outgoing ? tunnel->src : tunnel->remote,
        .dst = outgoing ? tunnel->remote : tunnel->src,
        .is_ipv6 = tunnel->is_ipv6,
        .dst_port = tunnel->dst_port,
    };
    struct offload_fate fate, untracked;
    char *item;

    offload_nft_judge(ctx->ruleset, &packet, hooks, &fate);
    packet.untracked = true;
    offload_nft_judge(ctx->ruleset, &packet, hooks, &untracked);

    item = xasprintf("%s by %s%s", outgoing ? "out" : "in", nic,
                     on_path ? "" : ", the kernel's copy");
    show_fate(ctx, tunnel, item, &fate);
    free(item);

    if (on_path && fate.drop) {
        bool notrack = !untracked.drop;

        find(ctx, OFFLOAD_ERROR, "firewall-drop", tunnel,
             nic, notrack ? notrack_change(tunnel) : NULL,
             notrack ? NULL : xstrdup(fate.drop_mend), "no packet passes",
             "TCP port %d is dropped by %s%s", tunnel->dst_port, fate.drop,
             notrack ? ", since connections are tracked" : "");
        judge(outgoing ? &tunnel->send : &tunnel->receive, "dropped by %s",
              fate.drop);
    } else if (on_path && fate.maybe) {
        find(ctx, OFFLOAD_WARNING, "firewall-unsure", tunnel, nic, NULL, NULL,
             "packets that it concerns don't pass",
             "TCP port %d may be dropped by %s, which can't be judged "
             "from here", tunnel->dst_port, fate.maybe);
        judge(outgoing ? &tunnel->send_maybe : &tunnel->receive_maybe, "%s",
              fate.maybe);
    } else if (fate.drop && !fate.track) {
        find(ctx, OFFLOAD_NOTE, "firewall-copy", tunnel, nic, NULL, NULL,
             "none: it saves CPU time",
             "%s drops the kernel's copy of what comes in for TCP port %d; "
             "the userspace datapath has its own", fate.drop,
             tunnel->dst_port);
    }
    if (fate.track) {
        find(ctx, fate.untrack ? OFFLOAD_WARNING : OFFLOAD_ERROR,
             "firewall-track", tunnel, nic,
             notrack_change(tunnel), NULL,
             on_path
             ? "STT has no connections: its packets are invalid to the "
             "tracker, whose table they fill"
             : "CPU time, and entries in the table of connections, without "
             "which the host's own traffic is dropped",
             "connections of TCP port %d are tracked because of %s%s%s",
             tunnel->dst_port, fate.track,
             fate.untrack ? ", unless prevented by " : "",
             fate.untrack ? fate.untrack : "");
    }
    offload_fate_destroy(&fate);
    offload_fate_destroy(&untracked);
}

/* Shows and judges what the rules of nftables make of the packets of 'tunnel',
 * if it is of type "stt". */
void
collect_netfilter(struct context *ctx, struct tunnel *tunnel)
{
    static const char *in[] = { "ingress", "prerouting", "input", NULL };
    static const char *out[] = { "output", "postrouting", "egress", NULL };
    static const char *ingress[] = { "ingress", NULL };
    static const char *egress[] = { "egress", NULL };
    const char *nic;
    size_t i, n;

    if (!tunnel->is_stt || !tunnel->dev) {
        return;
    }
    if (!ctx->ruleset_read) {
        ctx->ruleset = offload_nft_read(&ctx->ruleset_error);
        ctx->ruleset_read = true;
    }
    if (!ctx->ruleset) {
        add_row(ctx, tunnel, "netfilter", "rules", "unknown: %s",
                ctx->ruleset_error);
        find(ctx, OFFLOAD_NOTE, "firewall-unknown", tunnel, "netfilter", NULL,
             NULL, "a firewall on this host would go unnoticed", "%s",
             ctx->ruleset_error);
        return;
    }
    show_tracker(ctx, tunnel);
    n = offload_nft_count_unreadable(ctx->ruleset);
    if (n) {
        find(ctx, OFFLOAD_NOTE, "firewall-unreadable", tunnel, "netfilter",
             NULL, xstrdup("iptables-save"),
             "a rule that drops STT might go unnoticed",
             "%"PRIuSIZE" rules of iptables(8) are not understood", n);
    }
    SVEC_FOR_EACH (i, nic, &tunnel->underlay) {
        const struct ovsrec_interface *iface
            = offload_find_interface(ctx->idl, nic);

        if (!get_dev(ctx, nic)->ifindex
            || (tunnel->userspace && iface && iface->type[0]
                && strcmp(iface->type, "system"))) {
            continue;           /* The kernel does not see its packets. */
        }
        if (!tunnel->userspace) {
            check_hooks(ctx, tunnel, nic, out, true, true);
            check_hooks(ctx, tunnel, nic, in, false, true);
            continue;
        }
        check_hooks(ctx, tunnel, nic, egress, true, true);
        if (iface) {
            check_hooks(ctx, tunnel, nic, in, false, false);
        } else {
            /* From a NIC below the port, as of a bond, packets come to the
             * port only if they pass. */
            check_hooks(ctx, tunnel, nic, ingress, false, true);
        }
    }
}

/* Adds to 'addresses' those of the peers of a tunnel port, of which there are
 * several if they are up to the flows.  'shown' is what "stt/show" says about
 * the port, or NULL.  Returns true if option max_segment_size makes segments
 * smaller to any of them. */
static bool
get_peers(const struct json *shown, struct svec *addresses)
{
    const struct json *peers = member(shown, "peers", JSON_OBJECT);
    struct shash_node *node;
    bool capped = false;

    if (peers) {
        SHASH_FOR_EACH (node, json_object(peers)) {
            svec_add(addresses, node->name);
            capped |= member(node->data, "capped", JSON_TRUE) != NULL;
        }
        svec_sort(addresses);
    }
    return capped;
}

/* Shows and judges what Open vSwitch itself does with the packets of
 * 'tunnel'. */
void
collect_switch(struct context *ctx, struct tunnel *tunnel)
{
    const struct ovsrec_interface *iface = tunnel->iface;
    struct json *json = NULL;
    const struct json *m;
    const char *s;

    add_row(ctx, tunnel, "tunnel", "type", "%s", iface->type);
    add_row(ctx, tunnel, "tunnel", "bridge", "%s", tunnel->bridge->name);
    add_row(ctx, tunnel, "tunnel", "datapath", "%s",
            tunnel->userspace ? "userspace" : "kernel");
    if (tunnel->is_stt) {
        add_row(ctx, tunnel, "tunnel", "dst_port", "%d", tunnel->dst_port);
    }
    if (iface->error) {
        add_row(ctx, tunnel, "tunnel", "error", "%s", iface->error);
        find(ctx, OFFLOAD_ERROR, "port-error", tunnel, iface->name, NULL,
             NULL, "no packet passes", "%s", iface->error);
        judge(&tunnel->send, "dropped: the port was refused");
        judge(&tunnel->receive, "dropped: the port was refused");
    }

    tunnel->tso = ctx->tso_wanted;
    if (tunnel->userspace && tunnel->is_stt) {
        struct svec args = SVEC_EMPTY_INITIALIZER;
        const struct json *shown;

        svec_add(&args, iface->name);
        json = ask_vswitchd(ctx, "stt/show", &args);
        svec_destroy(&args);
        shown = member(json, iface->name, JSON_OBJECT);
        m = member(shown, "segment-size", JSON_INTEGER);
        if (m) {
            add_row(ctx, tunnel, "tunnel", "segment size", "%"PRId64"%s",
                    json_integer(m),
                    member(shown, "capped", JSON_TRUE)
                    ? " (max_segment_size)" : "");
        }
        if (get_peers(shown, &tunnel->peers)) {
            char *name = offload_quote(iface->name);

            find(ctx, OFFLOAD_NOTE, "segment-capped", tunnel, iface->name,
                 NULL,
                 xasprintf("ovs-vsctl remove interface %s options "
                           "max_segment_size", name),
                 "more and smaller segments, if the path has room for larger "
                 "ones",
                 "max_segment_size makes segments smaller than the MTU "
                 "allows");
            free(name);
        }
        if (member(shown, "userspace-tso", JSON_TRUE)) {
            ctx->tso = 1;
        } else if (member(shown, "userspace-tso", JSON_FALSE)) {
            ctx->tso = 0;
        }
        json_destroy(json);
    }
    if (tunnel->userspace) {
        if (ctx->tso >= 0) {
            tunnel->tso = ctx->tso;
        }
        add_row(ctx, tunnel, "Open vSwitch", "userspace TSO", "%s%s",
                tunnel->tso ? "on" : "off",
                ctx->tso >= 0 && ctx->tso != ctx->tso_wanted
                ? ", until the next restart" : "");
        if (tunnel->is_stt && ctx->tso >= 0
            && ctx->tso != ctx->tso_wanted) {
            find(ctx, OFFLOAD_WARNING, "userspace-tso-pending", tunnel,
                 "ovs-vswitchd", NULL,
                 offload_service_command("restart"),
                 "what the database says is not what happens",
                 "userspace-tso-enable is %s, but the running switch has "
                 "it %s", ctx->tso_wanted ? "true" : "false",
                 ctx->tso ? "on" : "off");
        } else if (tunnel->is_stt && !tunnel->tso) {
            char *restart = offload_service_command("restart");

            find(ctx, OFFLOAD_WARNING, "userspace-tso-off", tunnel,
                 "ovs-vswitchd", NULL,
                 xasprintf("ovs-vsctl set Open_vSwitch . "
                           "other_config:userspace-tso-enable=true && %s",
                           restart),
                 "guests send packets of their MTU only, and Open vSwitch "
                 "cuts frames; STT is no faster than VXLAN then",
                 "userspace TSO is off");
            free(restart);
        }
        if (!tunnel->tso) {
            judge(&tunnel->send, "segmented in software by Open vSwitch, "
                  "because userspace-tso-enable is not true");
        } else if (!tunnel->is_stt) {
            judge(&tunnel->send, "segmented in software by Open vSwitch, "
                  "which can't leave %s to a kernel's NIC", iface->type);
        }
        if (tunnel->is_stt) {
            /* What is received in one piece is left so. */
        } else if (tunnel->tso
                   && smap_get_bool(&iface->status, "gro",
                                    smap_get_bool(&iface->other_config, "gro",
                                                  true))) {
            judge(&tunnel->receive, "in segments, which Open vSwitch merges "
                  "behind the tunnel");
        } else {
            judge(&tunnel->receive, "in segments: nothing merges %s for the "
                  "userspace datapath", iface->type);
        }
    }
    s = smap_get(&iface->status, "tcp_port");
    if (s && tunnel->is_stt) {
        add_row(ctx, tunnel, "Open vSwitch", "TCP port of the host", "%s", s);
        if (strcmp(s, "reserved")) {
            find(ctx, OFFLOAD_WARNING, "port-not-reserved", tunnel,
                 iface->name, NULL, NULL,
                 "the host's kernel may answer with RST; in a trial, that "
                 "cost 24 percent of the throughput",
                 "TCP port %d is %s", tunnel->dst_port, s);
        }
    }
    add_row(ctx, tunnel, "Open vSwitch", "hw-offload", "%s",
            ctx->hw_offload ? "on" : "off");
}

/* Adds to 'names' the ports of virtual machines on the bridge of 'tunnel' with
 * 'mtu'. */
static void
get_guests_with_mtu(const struct tunnel *tunnel, int64_t mtu,
                    struct svec *names)
{
    for (size_t i = 0; i < tunnel->bridge->n_ports; i++) {
        const struct ovsrec_port *port = tunnel->bridge->ports[i];

        for (size_t j = 0; j < port->n_interfaces; j++) {
            const struct ovsrec_interface *iface = port->interfaces[j];

            if (is_outward(iface)
                && !svec_contains_unsorted(&tunnel->underlay, iface->name)
                && iface->n_mtu && iface->mtu[0] == mtu) {
                svec_add(names, iface->name);
            }
        }
    }
    svec_sort(names);
}

/* Finds ports whose guests' packets need two segments of 'tunnel'. */
void
check_two_pieces(struct context *ctx, struct tunnel *tunnel)
{
    const char *limit = tunnel->dev;
    const struct offload_dev *dev;
    struct svec told = SVEC_EMPTY_INITIALIZER;
    unsigned int room, cap = 0;

    if (!tunnel->is_stt || !tunnel->dev) {
        return;
    }
    dev = get_dev(ctx, tunnel->dev);
    if (dev->mtu < 576) {
        return;
    }
    room = dev->mtu - outer_headers(tunnel);
    if (tunnel->userspace) {
        cap = smap_get_uint(&tunnel->iface->options, "max_segment_size", 0);
    }
    if (cap > STT_HEADERS && cap < room) {
        room = cap;
        limit = tunnel->iface->name;
    }
    room -= STT_HEADERS;
    for (size_t i = 0; i < tunnel->bridge->n_ports; i++) {
        const struct ovsrec_port *port = tunnel->bridge->ports[i];

        for (size_t j = 0; j < port->n_interfaces; j++) {
            const struct ovsrec_interface *iface = port->interfaces[j];
            struct svec names = SVEC_EMPTY_INITIALIZER;

            if (!iface->n_mtu || iface->mtu[0] <= room
                || svec_contains_unsorted(&told, iface->name)) {
                continue;
            }
            get_guests_with_mtu(tunnel, iface->mtu[0], &names);
            if (svec_contains_unsorted(&names, iface->name)) {
                char *list = svec_join(&names, ", ", "");

                find(ctx, OFFLOAD_NOTE, "two-pieces", tunnel, limit, NULL,
                     NULL,
                     "a second header for each packet that comes without TSO",
                     "packets of %"PRId64" bytes, the MTU of %s, take two "
                     "segments; up to %u bytes fit one", iface->mtu[0], list,
                     room);
                free(list);
                svec_append(&told, &names);
            }
            svec_destroy(&names);
        }
    }
    svec_destroy(&told);
}
