#! /bin/sh
# Title: stt.ko without IPv6
# Seconds: 300
# Append: ipv6.disable=1
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

# host NS N, tunnel_up NS N: as in stt.sh, without IPv6.
host() {
    ip -n "$1" address replace "192.0.2.$2/24" dev eth0 &&
        ip -n "$1" link set eth0 up
}
tunnel_up() {
    ip -n "$1" link set stt0 mtu 1500 up &&
        ip -n "$1" address add "10.0.0.$2/24" dev stt0
}

check "the kernel has no IPv6" [ ! -e /proc/sys/net/ipv6 ]
two_hosts
check "a tunnel over IPv4" tunnel 4
check "traffic" pings 10.0.0.2 56 1400 5000
for ns in a b; do
    offloads $ns tso=off gso=off gro=off
done
check "traffic in segments" pings 10.0.0.2 56 1400 5000
check "segments were put together" sh -c \
    'ip netns exec b ethtool -S stt0 | grep "rx_reassembled: [1-9]"'
check "nobody else can have the TCP port" refuse within a /usr/bin/python3 -c '
import socket
s = socket.socket()
s.bind(("", 7471))
s.listen(1)'

ip -n a link add bad type stt remote 2001:db8::2 dstport 7472 \
    2> "$TMPDIR/error"
check "a tunnel over IPv6 is refused" \
    grep "The kernel has no IPv6" "$TMPDIR/error"

# Metadata can name any address.
ip -n a link del stt0
ip -n a link add stt0 up type stt external
ip -n a link add v0 up type veth peer name v1
for link in v0 v1; do
    ip -n a link set $link up
done
within a tc qdisc add dev v1 clsact
within a tc filter add dev v1 ingress matchall \
    action tunnel_key set src_ip 2001:db8::1 dst_ip 2001:db8::2 id 42 \
    action mirred egress redirect dev stt0
before=$(counter a tx_drop_route)
icmp=52540000000b52540000000a08004500002c01014000400125ce0a0000010a000002
icmp=${icmp}08000b36123400015354542d6578616d706c652d49434d50
echo $icmp | within a /usr/bin/python3 \
    "$top/tests/kernel/wire.py" send v0
check "an IPv6 peer in the metadata has no route" \
    wait_for 10 "drop" counts a tx_drop_route $((before + 1))
check "removal of the module" rmmod stt
