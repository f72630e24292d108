/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

#include <string.h>

#include "util.h"

/* What is generally known about kinds of network devices.  None of it was
 * measured by this program: what a device can do depends on its model,
 * firmware, driver and, in a cloud, on the kind of machine.  What the kernel
 * says of its features comes first. */

#define UDP_NONE "none"
#define UDP_SOME "VXLAN and Geneve, by most models"

static const struct offload_nic nics[] = {
    /* Paravirtual and cloud devices. */
    { "virtio_net", "virtio-net", false,
      "TSO and receive merging if the host offers them",
      "none unless host and guest are new and agree on it",
      "what is off and fixed here must be offered by the host" },
    { "ena", "Amazon ENA", false, "checksums and, by driver, TSO", UDP_NONE,
      "security groups must let the port pass in both directions" },
    { "gve", "Google gVNIC", false, "TSO; LRO with some queue formats",
      UDP_NONE, "keep LRO off; VPC firewalls must let the port pass" },
    { "mana", "Microsoft MANA", false, "TSO", UDP_NONE,
      "the path may move between this and the netvsc device" },
    { "hv_netvsc", "Hyper-V netvsc", false, "TSO", UDP_NONE,
      "with accelerated networking, look at the virtual function below it" },
    { "vmxnet3", "VMware vmxnet3", false, "TSO; LRO, on by default",
      "VXLAN and Geneve, by newer versions of the device",
      "switch LRO off" },
    { "xen_netfront", "Xen", false, "TSO if the host offers it", UDP_NONE,
      NULL },
    /* Hardware. */
    { "mlx5_core", "NVIDIA ConnectX", false, "TSO; LRO, off by default",
      UDP_SOME, NULL },
    { "mlx5e_rep", "NVIDIA ConnectX representor", false, "TSO", UDP_SOME,
      NULL },
    { "ice", "Intel E810", false, "TSO", UDP_SOME, NULL },
    { "i40e", "Intel X710", false, "TSO", UDP_SOME, NULL },
    { "iavf", "Intel virtual function", false, "TSO", UDP_SOME, NULL },
    { "ixgbe", "Intel 82599", false, "TSO; LRO, often on by default",
      "VXLAN and Geneve checksums, TSO only partly", "switch LRO off" },
    { "ixgbevf", "Intel 82599 virtual function", false, "TSO", UDP_NONE,
      NULL },
    { "igb", "Intel gigabit", false, "TSO",
      "TSO with help of the kernel (tx-gso-partial)", NULL },
    { "e1000e", "Intel gigabit", false, "TSO", UDP_NONE, NULL },
    { "bnxt_en", "Broadcom NetXtreme", false, "TSO; hardware GRO", UDP_SOME,
      NULL },
    { "r8169", "Realtek", false, "TSO, off by default", UDP_NONE, NULL },
    /* Software. */
    { "veth", "veth", true, "hands packets of 64 KB on as they are",
      "the same", NULL },
    { "tun", "tap", true, "what the reader, as a virtual machine, has agreed "
      "to", "as for TCP, by new kernels",
      "a guest without TSO gets and sends packets of its MTU" },
    { "bonding", "bond", false, "what all of its members can", "the same",
      "look at each member" },
};

/* Returns what is known about devices with 'driver', or NULL if nothing is. */
const struct offload_nic *
offload_nic_find(const char *driver)
{
    for (size_t i = 0; i < ARRAY_SIZE(nics); i++) {
        if (!strcmp(nics[i].driver, driver)) {
            return &nics[i];
        }
    }
    return NULL;
}
