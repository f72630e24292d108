#! /bin/sh
# Title: stt.ko and the userspace datapath talk to each other
# Seconds: 500
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module tun
two_hosts
# The host's addresses are the bridge's.
ip -n a address flush dev eth0
ovs_start
serve b
key=0xfedcba9876543210

# bridges: makes the bridges of a, anew.
bridges() {
    ovs-vsctl --if-exists del-br br-int -- --if-exists del-br br-phy &&
    ovs-vsctl add-br br-phy -- set bridge br-phy datapath_type=netdev \
        -- add-port br-phy eth0 \
        -- add-br br-int -- set bridge br-int datapath_type=netdev &&
    ip -n a address add 192.0.2.1/24 dev br-phy &&
    ip -n a address add 2001:db8::1/64 dev br-phy nodad &&
    ip -n a link set br-phy up &&
    ip -n a address add 10.0.0.1/24 dev br-int &&
    ip -n a address add fd00::1/64 dev br-int nodad &&
    ip -n a link set br-int up
}

for tso in false true; do
    ovs-vsctl set Open_vSwitch . other_config:userspace-tso-enable=$tso
    ovs-appctl exit
    vswitchd
    case $tso in
    false)
        # The userspace datapath takes packets as they are on a wire.
        offloads a gro=off
        offloads b tx=off tso=off gso=off
        ;;
    true)
        offloads a gro=on
        offloads b tx=on tso=on gso=on
        ;;
    esac
    bridges
    for family in 4 6; do
        case $family in
        4) local=192.0.2.1 remote=192.0.2.2 ;;
        6) local=2001:db8::1 remote=2001:db8::2 ;;
        esac
        ovs-vsctl --may-exist add-port br-int stt0 -- set interface stt0 \
            type=stt options:remote_ip=$remote options:key=$key
        # What a has learned of it stays true.
        ip -n b link add stt0 address 02:00:00:00:0b:02 type stt \
            remote $local id $key
        tunnel_up b 2
        pair="IPv$family, userspace TSO $tso"
        check "$pair: first ping" wait_for 30 "ping" pings 10.0.0.2 56
        check "$pair: ping" pings 10.0.0.2 56 1400 1472 4000
        check "$pair: ping IPv6" pings fd00::2 56 1400 4000
        check "$pair: TCP" transfer tcp 10.0.0.2 1000000
        check "$pair: TCP over IPv6" transfer tcp fd00::2 1000000
        check "$pair: TCP with a small MSS" transfer tcp 10.0.0.2 100000 536
        check "$pair: UDP" transfer udp 10.0.0.2 3 100 1400 3000
        ip -n b link del stt0
    done
done
check "all content was right" [ ! -s "$TMPDIR/serve" ]
