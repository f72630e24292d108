#! /bin/sh
# Title: The test machine itself
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"

# The kernel that was asked for; "sid" can be any.
case ${KERNEL:-} in
    [0-9]*) check "the kernel is $KERNEL" expr "$(uname -r)" : "$KERNEL\\." ;;
esac
check "the kernel has its modules" [ -f "/lib/modules/$(uname -r)/modules.dep" ]

# What the tests write is not seen outside, except for what they are to leave.
check "the host's files can be changed here" touch "$0"
check "results can be left" touch /run/kernel-vm/out/touched
check "there is no network card" refuse ls -d /sys/class/net/*/device
check "two processors" [ "$(nproc)" -ge 2 ]

# loads MODULE: loads it, unless it is built in.
loads() { modprobe -v "$1"; }
for module in openvswitch vxlan geneve ip_gre ip6_gre veth nf_tables \
              nf_conntrack sch_netem tun bridge 8021q; do
    check "module $module" loads "$module"
done
# Ours, if there are any yet.
for file in "/lib/modules/$(uname -r)"/updates/*.ko; do
    if [ -f "$file" ]; then
        module=$(basename "$file" .ko)
        check "module $module" loads "$module"
        check "module $module goes" rmmod "$module"
    fi
done

namespace a b
check "veth between namespaces" \
    ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a address add 192.0.2.1/24 dev eth0
ip -n b address add 192.0.2.2/24 dev eth0
ip -n a link set eth0 up
ip -n b link set eth0 up
check "ping" within a ping -c 1 -W 10 192.0.2.2

check "netem" within a tc qdisc add dev eth0 root netem delay 100ms
check "netem delays" within a sh -c \
    'ping -c 1 -W 10 192.0.2.2 | tee /dev/stderr |
         awk -F "[=/ ]" "/^rtt/ { found = 1; exit !(\$8 >= 100) }
                         END { if (!found) exit 1 }"'
within a tc qdisc del dev eth0 root

check "nf_tables" within b nft \
    'table inet t { chain c { type filter hook input priority 0; drop; }; }'
check "nf_tables drops" refuse within a ping -c 1 -W 1 192.0.2.2
within b nft delete table inet t

for type in "vxlan id 1 dstport 4789" "geneve id 1" "gretap local 192.0.2.1"; do
    check "device of type ${type%% *}" \
        within a ip link add tun0 type $type remote 192.0.2.2
    within a ip link del tun0
done
