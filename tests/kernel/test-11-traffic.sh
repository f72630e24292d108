#! /bin/sh
# Title: Traffic over stt.ko
# Seconds: 500
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

two_hosts
serve b

sizes="0 1 18 56 1000 1400 1428 1429 1472 1500 2000 2800 4000 8000 8900 9000
       16000 30000 45000 60000 65000"

# traffic TITLE: tests all kinds of traffic between a and b.
traffic() {
    check "$1: TCP" transfer tcp 10.0.0.2 2000000
    check "$1: TCP over IPv6" transfer tcp fd00::2 2000000
    check "$1: TCP with a small MSS" transfer tcp 10.0.0.2 200000 536
    check "$1: UDP" transfer udp 10.0.0.2 3 100 1400 3000 20000
    check "$1: UDP over IPv6" transfer udp fd00::2 3 100 1400 3000 20000
}

for family in 4 6; do
    tunnel $family id 0xc0ffee0000000000
    traffic "IPv$family"
    MTU=65463
    for ns in a b; do
        ip -n $ns link set stt0 mtu $MTU
    done
    check "IPv$family: ping at many sizes" pings 10.0.0.2 $sizes
    check "IPv$family: ping IPv6 at many sizes" pings fd00::2 $sizes
    traffic "IPv$family, largest MTU"
    MTU=
    counts b drop_outer_csum 0 || not_ok "IPv$family: checksums"
    ip -n a link del stt0
    ip -n b link del stt0
done

tunnel 4
# Segments are cut by the kernel as they leave a, and merged, or not, as they
# arrive at b.
offloads a tso=off gso=off
offloads b tso=off gso=off
before=$(counter b rx_segments)
traffic "segments"
check "segments were put together" [ "$(counter b rx_segments)" -gt "$before" ]
for ns in a b; do
    offloads $ns gro=on
done
traffic "segments merged by GRO"
for ns in a b; do
    offloads $ns gro=off tx=off rx=off
done
traffic "segments without checksum offload"
for ns in a b; do
    offloads $ns tx=on rx=on tso=on gso=on
    within $ns ethtool -K stt0 tso off tx off
done
traffic "tunnel without offloads"
for ns in a b; do
    within $ns ethtool -K stt0 tso on tx on
done

for mtu in 1280 9000; do
    for ns in a b; do
        ip -n $ns link set eth0 mtu $mtu
        offloads $ns tso=off gso=off
    done
    traffic "underlay MTU $mtu"
done
for ns in a b; do
    check "balance of $ns" wait_for 20 "end of all frames" balance $ns
done
check "all content was right" [ ! -s "$TMPDIR/serve" ]
