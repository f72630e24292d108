#! /bin/sh
# Title: stt.ko with every offload and MTU, and what its links refuse
# Seconds: 900
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

two_hosts
serve b

# On a slow machine, TCP would take its time, and send packets of two segments,
# which are no longer than the largest MTU.
for ns in a b; do
    within $ns sysctl -qw net.ipv4.tcp_min_tso_segs=10
done

# both FEATURE...: sets features of both hosts.
both() {
    for ns in a b; do
        offloads $ns "$@" || return
    done
}

# combine TITLE: has a transfer show that the offloads are what $tso says, and
# that it gets through.
combine() {
    before=$(counter b rx_segments)
    check "$1" transfer tcp 10.0.0.2 100000
    segments=$(($(counter b rx_segments) - before))
    echo "$segments segments"
    # A frame in one piece is not put together.  GRO may have merged segments
    # of a frame, so they prove nothing then.
    case $tso-$gro in
    on-*) [ $segments -eq 0 ] || not_ok "$1: frames came in pieces" ;;
    *-off) [ $segments -gt 4 ] || not_ok "$1: frames came whole" ;;
    esac
}

# Segments go over IPv4 and over IPv6.
for underlay in "6 1280" "4 1500" "6 9000"; do
    family=${underlay% *}
    mtu=${underlay#* }
    tunnel $family id 42
    for ns in a b; do
        ip -n $ns link set eth0 mtu $mtu
    done
    for tso in on off none; do
        case $tso in
        none) both tx=off ;;
        *) both tx=on sg=on gso=$tso tso=$tso ;;
        esac || not_ok "TSO $tso"
        for rx in on off; do
            both rx=$rx || not_ok "RX $rx"
            for gro in on off; do
                both gro=$gro || not_ok "GRO $gro"
                combine "IPv$family, MTU $mtu, TSO $tso, RX $rx, GRO $gro"
            done
        done
    done
    for ns in a b; do
        check "IPv$family, MTU $mtu: no checksum was wrong on $ns" \
            counts $ns drop_outer_csum 0
        check "IPv$family, MTU $mtu: balance of $ns" \
            wait_for 20 "end of all frames" balance $ns
        ip -n $ns link del stt0
    done
done
for ns in a b; do
    ip -n $ns link set eth0 mtu 1500
done
both tx=on sg=on tso=on gso=on gro=on rx=on

# Frames as short as on Ethernet, so that the hosts make fragments.
for family in 4 6; do
    tunnel $family id 42
    check "IPv$family: ping in fragments" \
        pings 10.0.0.2 1473 4000 20000 40000 65000 65507
    check "IPv$family: ping IPv6 in fragments" \
        pings fd00::2 1453 4000 20000 40000 65000 65487
    for ns in a b; do
        ip -n $ns link del stt0
    done
done

# Datagrams, whole frames and segments.
tunnel 4 id 42
for tso in on off; do
    both tso=$tso gso=$tso gro=$tso
    for address in 10.0.0.2 fd00::2; do
        check "UDP to $address in bulk, TSO $tso" \
            transfer udp $address 60 64 1472 9000 60000
    done
done

# An underlay that takes less for TSO than a segment of a guest.
for ns in a b; do
    ip -n $ns link set eth0 gso_max_segs 1
done
both tso=on gso=on gro=on
check "no segments in one piece" transfer tcp 10.0.0.2 1000000
check "no segments in one piece, IPv6" transfer tcp fd00::2 1000000
for ns in a b; do
    check "nothing was too long for $ns" counts $ns tx_drop_too_long 0
    ip -n $ns link set eth0 gso_max_segs 65535
done
check "all content was right" [ ! -s "$TMPDIR/serve" ]
for ns in a b; do
    ip -n $ns link del stt0
done

# no_link PATTERN ATTRIBUTE...: succeeds if the kernel makes no link with these
# attributes, with a text that matches PATTERN.
no_link() {
    pattern=$1
    shift
    within a /usr/bin/python3 "$top/tests/kernel/newlink.py" bad "$@" \
        > "$TMPDIR/error"
    status=$?
    cat "$TMPDIR/error"
    [ $status -eq 0 ] && ip -n a link del bad
    [ $status -eq 1 ] && grep -q -e "$pattern" "$TMPDIR/error"
}

peer=REMOTE=c0000202
peer6=REMOTE6=20010db8000000000000000000000002
check "the attributes of the tests are right" within a /usr/bin/python3 \
    "$top/tests/kernel/newlink.py" good $peer ID=0100000000000000 PORT=1d2f \
    LOCAL=c0000201 TTL=09 TOS=88 DF=00 address=020000000001
check "and make what they should" sh -c \
    'ip -n a -d link show good | grep "id 1 remote 192.0.2.2 local 192.0.2.1 dstport 7471 ttl 9 tos 0x88 df unset"'
ip -n a link del good
either="Needs either the address of a peer or collect metadata"
unicast="Peer's address is not a unicast address"
check "no attributes" no_link "$either"
check "no peer" no_link "$either" PORT=1d2f
check "port zero" no_link "Port is zero" $peer PORT=0000
check "two peers" no_link "either an IPv4 or an IPv6" $peer $peer6
for address in 00000000 ffffffff e0000001 efffffff; do
    check "peer $address" no_link "$unicast" REMOTE=$address
done
zeros=000000000000000000000000
for address in ${zeros}00000000 ff02${zeros}0001 \
               00000000000000000000ffffc0000202; do
    check "peer $address" no_link "$unicast" REMOTE6=$address
done
check "link-local peer" no_link "Link-local" REMOTE6=fe80${zeros}0001
for address in ffffffff e0000001; do
    check "local $address" \
        no_link "Local address is not a unicast address" $peer LOCAL=$address
done
check "local multicast IPv6" no_link "Local address is not a unicast address" \
    $peer6 LOCAL6=ff02${zeros}0001
check "local IPv6, peer IPv4" \
    no_link "another family" $peer LOCAL6=20010db8${zeros}
check "local IPv4, peer IPv6" no_link "another family" $peer6 LOCAL=c0000201
check "TTL inherited and a number" \
    no_link "either inherited or a number" $peer TTL=09 TTL_INHERIT=
for tos in 02 03 89 ff; do
    check "TOS 0x$tos" no_link "no ECN bits" $peer TOS=$tos
done
check "flow label of 21 bits" no_link "20 bits" $peer6 LABEL=00100000
check "flow label with IPv4" no_link "needs IPv6" $peer LABEL=00000001
check "DF 3" no_link . $peer DF=03
for attribute in ID=0100000000000000 $peer $peer6 LOCAL=c0000201 \
                 LOCAL6=20010db8${zeros} TTL=09 TTL_INHERIT= TOS=88 DF=01 \
                 LABEL=00000001; do
    check "collect metadata with $attribute" \
        no_link "excludes collect metadata" COLLECT_METADATA= $attribute
done
for attribute in PORT=1d PORT= ID=01 REMOTE=c00002 REMOTE6=2001 LOCAL=c0 \
                 LOCAL6=20010db8 TTL= TOS= DF= LABEL=0000 TTL_INHERIT=01 \
                 COLLECT_METADATA=01; do
    case $attribute in
    REMOTE*) all=$attribute ;;
    *) all="$peer $attribute" ;;
    esac
    check "$attribute is too short, or has what it shouldn't" no_link . $all
done
check "group address" no_link "not a unicast address" $peer \
    address=010000000001
check "address of 7 bytes" no_link . $peer address=02000000000001
