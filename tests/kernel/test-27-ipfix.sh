#! /bin/sh
# Title: IPFIX of tunnels of the kernel datapath
# Seconds: 300
#
# Host a has Open vSwitch, which exports what passes its tunnel to host b, both
# ways and over IPv4 and IPv6.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module openvswitch
two_hosts
ovs_start
ip -n a link set lo up

key=0xfedcba9876543210
ovs-vsctl add-br br0
ip -n a address add 10.0.0.1/24 dev br0
ip -n a link set br0 up

# exported LINE: among the records is LINE, a pattern for whole ones.
exported() {
    /usr/bin/python3 "$top/tests/ipfix-decode.py" < "$TMPDIR/ipfix" |
        sort -u > "$TMPDIR/records" && grep -qx "$1" "$TMPDIR/records"
}

for family in 4 6; do
    case $family in
    4) remote=192.0.2.2 local=192.0.2.1 ;;
    6) remote=2001:db8::2 local=2001:db8::1 ;;
    esac
    ip -n b link add stt0 type stt remote $local id $key
    tunnel_up b 2
    # The device of the first round had another Ethernet address.
    ip -n a neighbor flush dev br0

    rm -f "$TMPDIR/port"
    : > "$TMPDIR/ipfix"
    ip netns exec a /usr/bin/python3 "$top/tests/udp-dump.py" "$TMPDIR/port" \
        > "$TMPDIR/ipfix" &
    collector=$!
    at_exit "kill $collector 2>/dev/null"
    wait_for 30 "collector" test -e "$TMPDIR/port"
    ovs-vsctl add-port br0 stt0 -- set interface stt0 type=stt \
        options:remote_ip=$remote options:key=$key \
        -- set bridge br0 ipfix=@i -- --id=@i create ipfix \
        "targets=\"127.0.0.1:$(cat "$TMPDIR/port")\"" sampling=1 \
        other_config:enable-tunnel-sampling=true
    check "IPv$family: pings" pings 10.0.0.2 56 56
    if [ $family = 4 ]; then
        for way in "ingress src=192.0.2.2 dst=192.0.2.1" \
                   "egress src=192.0.2.1 dst=192.0.2.2"; do
            check "IPv4: $way" wait_for 30 "a record" exported \
                "$way protocol=6 sport=[0-9]* dport=7471 type=4 key=$key"
        done
    else
        # IPFIX has no fields for the IPv6 addresses of a tunnel.
        for way in ingress egress; do
            check "IPv6: $way without addresses of a tunnel" \
                wait_for 30 "a record" exported "$way no tunnel"
        done
        check "IPv6: no wrong ones either" refuse grep src= "$TMPDIR/records"
    fi
    cat "$TMPDIR/records"
    ovs-vsctl clear bridge br0 ipfix -- del-port br0 stt0
    kill $collector
    ip -n b link del stt0
done
