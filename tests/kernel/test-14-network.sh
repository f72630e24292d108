#! /bin/sh
# Title: STT over networks with faults, and through firewalls
# Seconds: 500
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module sch_netem nf_tables 8021q bridge
# A network between the hosts, which sees segments: a's and b's kernels cut
# frames on their way out of eth0.
namespace a b sw
for ns in a b; do
    within $ns sysctl -qw net.ipv6.conf.default.accept_dad=0
    ip link add eth0 netns $ns type veth peer name p$ns netns sw
done
host a 1
host b 2
ip -n sw link add br0 up type bridge stp_state 0 mcast_snooping 0
for ns in a b; do
    ip -n sw link set p$ns master br0 up
done
serve b
tunnel 4 id 0x8000000000000001
for ns in a b; do
    offloads $ns tso=off gso=off gro=off
done

# faulty TITLE NETEM-OPTION...: traffic over a network with such faults.
faulty() {
    network=$1
    shift
    for ns in a b; do
        within sw tc qdisc replace dev p$ns root netem limit 10000 "$@"
    done
    check "$network: TCP" transfer tcp 10.0.0.2 1000000
    check "$network: TCP over IPv6" transfer tcp fd00::2 300000
    check "$network: datagrams without checksum" \
        transfer echo 10.0.0.2 4 100 3000 8000
    for ns in a b; do
        within sw tc qdisc del dev p$ns root
        check "$network: balance of $ns" \
            wait_for 20 "end of all frames" balance $ns
    done
}

faulty "loss" loss 0.5%
check "lost segments are noticed" sh -c \
    'ip netns exec b ethtool -S stt0 | grep "drop_expired: [1-9]"'
faulty "duplication" duplicate 5%
check "duplicates are noticed" sh -c \
    'ip netns exec b ethtool -S stt0 | grep "drop_duplicate: [1-9]"'
faulty "reordering" delay 5ms reorder 90% 50%
faulty "corruption" corrupt 0.5%
check "corruption is noticed" sh -c \
    'ip netns exec b ethtool -S stt0 | grep "drop_outer_csum: [1-9]"'
faulty "delay" delay 20ms
faulty "all of them" loss 0.2% duplicate 1% delay 2ms reorder 95% 50% \
    corrupt 0.1%

# VLANs within.
for ns in a b; do
    n=$([ $ns = a ] && echo 1 || echo 2)
    ip -n $ns link add link stt0 name tag type vlan id 100 \
        egress-qos-map 0:5
    ip -n $ns address add 10.1.0.$n/24 dev tag
    ip -n $ns link set tag up
    ip -n $ns link add link tag name qinq type vlan id 200
    ip -n $ns address add 10.2.0.$n/24 dev qinq
    ip -n $ns link set qinq up
    ip -n $ns link add link stt0 name stag type vlan proto 802.1ad id 300
    ip -n $ns address add 10.3.0.$n/24 dev stag
    ip -n $ns link set stag up
done
for net in 1 2 3; do
    case $net in
        1) tag="VLAN" ;;
        2) tag="VLAN in VLAN" ;;
        3) tag="802.1ad" ;;
    esac
    check "$tag: ping" pings 10.$net.0.2 56 1400 3000
    check "$tag: TCP" transfer tcp 10.$net.0.2 300000
    for ns in a b; do
        offloads $ns tso=on gso=on gro=on
    done
    check "$tag: TCP in one piece" transfer tcp 10.$net.0.2 1000000
    for ns in a b; do
        offloads $ns tso=off gso=off gro=off
    done
done

# Firewalls.  Rules of INPUT come before STT.
rules() { within b nft "$@"; }
rules add table inet t
rules 'add chain inet t input { type filter hook input priority 0; }'
rules add rule inet t input tcp dport 7471 counter drop
check "a firewall that drops the port stops STT" \
    refuse within a ping -c 1 -W 2 10.0.0.2
rules flush chain inet t input
check "and one that doesn't lets it pass" pings 10.0.0.2 56 5000

rules add rule inet t input tcp dport 7471 ct state new,established accept
rules add rule inet t input iifname eth0 meta l4proto tcp drop
check "with conntrack" pings 10.0.0.2 56 5000
check "with conntrack: TCP" transfer tcp 10.0.0.2 200000
# Not every kernel tells.
if within b test -e /proc/net/nf_conntrack; then
    entries() {
        within b grep -c "dst=192.0.2.2 .*dport=7471" /proc/net/nf_conntrack
    }
    check "what comes in leaves no entries in conntrack" [ "$(entries)" = 0 ]
else
    skip_one "what comes in leaves no entries in conntrack" \
        "there is no /proc/net/nf_conntrack"
fi
within b sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
rules flush chain inet t input
rules add rule inet t input ct state invalid counter drop
check "conntrack that wants handshakes stops STT" \
    refuse within a ping -c 1 -W 2 10.0.0.2
rules 'add chain inet t raw { type filter hook prerouting priority raw; }'
rules 'add chain inet t rawout { type filter hook output priority raw; }'
rules add rule inet t raw tcp dport 7471 notrack
rules add rule inet t rawout tcp dport 7471 notrack
check "notrack is the remedy" pings 10.0.0.2 56 5000
check "notrack: TCP" transfer tcp 10.0.0.2 200000
# What comes out of the tunnel passes these chains, too.
for hook in input output; do
    rules "add chain inet t $hook { type filter hook $hook priority 0; }"
    rules flush chain inet t $hook
    rules add rule inet t $hook meta l4proto icmp accept
    rules add rule inet t $hook ct state established,related accept
    rules "add chain inet t $hook { policy drop; }"
done
check "what is not tracked is not established either" \
    refuse within a ping -c 1 -W 2 10.0.0.2
rules insert rule inet t input tcp dport 7471 accept
check "and has to be accepted both ways" \
    refuse within a ping -c 1 -W 2 10.0.0.2
rules insert rule inet t output tcp dport 7471 accept
check "then it passes" pings 10.0.0.2 56 5000
rules delete table inet t
check "all content was right" [ ! -s "$TMPDIR/serve" ]
