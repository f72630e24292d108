#! /bin/sh
# Title: STT beside VXLAN, Geneve and GRE on one bridge
# Seconds: 600
#
# Host a has Open vSwitch, b and c have devices of their own, one of each kind:
#
#     b, 10.N.0.2 --- 192.0.2.0/24 --- a, 10.N.0.1 --- 198.51.100.0/24 --- c
#
# N is the kind's number.  All tunnels have the same key.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module openvswitch vxlan geneve ip_gre vport_vxlan vport_geneve vport_gre
kinds="vxlan geneve gre stt"
key=7

# number KIND: prints the number of a kind.
number() {
    case $1 in
    vxlan) echo 1 ;;
    geneve) echo 2 ;;
    gre) echo 3 ;;
    stt) echo 4 ;;
    esac
}

# system KIND: prints the name of the kind's device on host a.
system() {
    case $1 in
    vxlan) echo vxlan_sys_4789 ;;
    geneve) echo genev_sys_6081 ;;
    gre) echo gre_sys ;;
    stt) echo stt_sys_7471 ;;
    esac
}

# native NS NAME KIND REMOTE [ADDRESS]: makes a device.  What it carries goes
# into any kind of tunnel without fragments.
native() {
    case $3 in
    vxlan) set -- "$@" vxlan id $key remote "$4" dstport 4789 ;;
    geneve) set -- "$@" geneve id $key remote "$4" dstport 6081 ;;
    gre) set -- "$@" gretap key $key remote "$4" ;;
    stt) set -- "$@" stt id $key remote "$4" ;;
    esac
    ns=$1 name=$2 address=$5
    shift 5
    ip -n "$ns" link add "$name" type "$@" &&
        ip -n "$ns" link set "$name" mtu 1400 up &&
        ip -n "$ns" address add "$address" dev "$name"
}

# port BRIDGE NAME KIND REMOTE: makes a port.
port() {
    ovs-vsctl add-port "$1" "$2" -- set interface "$2" type="$3" \
        options:remote_ip="$4" options:key=$key
}

# to NET BRIDGE IN OUT: has what comes from IN and is for NET go to OUT.
to() {
    ovs-ofctl add-flow "$2" "in_port=$3,ip,nw_dst=$1,actions=output:$4" &&
        ovs-ofctl add-flow "$2" "in_port=$3,arp,arp_tpa=$1,actions=output:$4"
}

# bytes_on KIND: prints how many bytes the device of host a has sent.
bytes_on() {
    within a cat "/sys/class/net/$(system "$1")/statistics/tx_bytes"
}

# exchange NS WHAT...: has NS send data, and compare what arrives.
exchange() {
    exchanging=$1
    shift
    within "$exchanging" timeout 200 \
        /usr/bin/python3 "$top/tests/lab-transfer.py" "$@"
}

two_hosts
namespace c
ip link add eth1 netns a type veth peer name eth0 netns c
ip -n a address add 198.51.100.1/24 dev eth1
ip -n c address add 198.51.100.3/24 dev eth0
ip -n a link set eth1 up
ip -n c link set eth0 up

ovs_start
# Ports come and go, with which a bridge would change its Ethernet address and its
# MTU.
ovs-vsctl add-br br0 -- set-fail-mode br0 secure \
    -- set bridge br0 other_config:hwaddr=02:00:00:00:00:0a \
    -- set interface br0 mtu_request=1400
ip -n a link set br0 up
for kind in $kinds; do
    n=$(number $kind)
    check "$kind: port" port br0 ${kind}_b $kind 192.0.2.2
    port br0 ${kind}_c $kind 198.51.100.3
    native b t_$kind $kind 192.0.2.1 10.$n.0.2/24
    native c t_$kind $kind 198.51.100.1 10.$n.9.3/24
    ip -n a address add 10.$n.0.1/24 dev br0
    to 10.$n.0.0/24 br0 LOCAL ${kind}_b
    ovs-ofctl add-flow br0 "in_port=${kind}_b,ip,nw_dst=10.$n.0.1,actions=LOCAL"
    ovs-ofctl add-flow br0 "in_port=${kind}_b,arp,arp_tpa=10.$n.0.1,actions=LOCAL"
done
serve a
serve b
serve c

for kind in $kinds; do
    n=$(number $kind)
    sent=$(bytes_on $kind)
    check "$kind: first ping" wait_for 30 "ping" pings 10.$n.0.2 56
    check "$kind: ping" pings 10.$n.0.2 56 1372 4000
    check "$kind: TCP" transfer tcp 10.$n.0.2 500000
    check "$kind: UDP" transfer udp 10.$n.0.2 5 100 1372 4000
    check "$kind: it was this device that carried it" \
        [ "$(bytes_on $kind)" -gt $((sent + 500000)) ]
done

# together TITLE BYTES COMMAND...: has each kind carry data while COMMAND runs.
together() {
    together=$1
    bytes=$2
    shift 2
    for kind in ${carry:-$kinds}; do
        transfer tcp 10.$(number $kind).0.2 $bytes > "$TMPDIR/$kind" 2>&1 &
        eval "carrier_$kind=\$!"
    done
    "$@"
    for kind in ${carry:-$kinds}; do
        eval "wait \$carrier_$kind" || cat "$TMPDIR/$kind"
        check "$together: $kind" grep "same content" "$TMPDIR/$kind"
    done
}
together "four at once" 2000000 :

within a ovs-dpctl show > "$TMPDIR/show"
within a ovs-appctl dpctl/dump-flows --names > "$TMPDIR/flows"
cat "$TMPDIR/show" "$TMPDIR/flows"
for kind in $kinds; do
    check "$kind: ovs-dpctl show names it" \
        grep -E "port [0-9]+: $(system $kind) \($kind" "$TMPDIR/show"
    check "$kind: dump-flows names it" \
        grep -E "in_port\($(system $kind)\).*actions:br0" "$TMPDIR/flows"
    check "$kind: and as output" grep -E \
        "in_port\(br0\).*actions:set\(tunnel\(tun_id=0x7,.*\)\),$(system $kind)\$" \
        "$TMPDIR/flows"
done

# again KIND: removes and adds KIND's ports to b, and to c, several times.
again() {
    for i in 1 2 3; do
        ovs-vsctl del-port ${1}_b -- del-port ${1}_c
        ip -n a link show "$(system $1)" > "$TMPDIR/device" 2>&1 &&
            not_ok "$1: its device goes with the last port"
        port br0 ${1}_b $1 192.0.2.2
        port br0 ${1}_c $1 198.51.100.3
    done
    n=$(number $1)
    to 10.$n.0.0/24 br0 LOCAL ${1}_b
    ovs-ofctl add-flow br0 "in_port=${1}_b,ip,nw_dst=10.$n.0.1,actions=LOCAL"
    ovs-ofctl add-flow br0 "in_port=${1}_b,arp,arp_tpa=10.$n.0.1,actions=LOCAL"
}
for kind in stt vxlan; do
    carry=
    for other in $kinds; do
        [ $other = $kind ] || carry="$carry $other"
    done
    gone=$kind
    together "$kind goes and comes" 3000000 again $kind
    check "$gone: first ping afterwards" wait_for 30 "ping" \
        pings 10.$(number $gone).0.2 56
    check "$gone: ping afterwards" pings 10.$(number $gone).0.2 56 4000
    check "$gone: TCP afterwards" \
        transfer tcp 10.$(number $gone).0.2 300000
done
carry=

# From b to c, in another kind of tunnel.
net=20
for pair in "stt vxlan" "stt geneve" "stt gre" "vxlan stt" "gre geneve"; do
    in=${pair% *}
    out=${pair#* }
    net=$((net + 1))
    ip -n b address add 10.$net.0.2/24 dev t_$in
    ip -n c address add 10.$net.0.3/24 dev t_$out
    to 10.$net.0.0/24 br0 ${in}_b ${out}_c
    to 10.$net.0.0/24 br0 ${out}_c ${in}_b
    sent=$(bytes_on $out)
    check "$in to $out: ping" wait_for 30 "ping" \
        within b ping -c 1 -W 1 10.$net.0.3
    check "$in to $out: TCP" exchange b tcp 10.$net.0.3 1000000
    check "$in to $out: in that kind" \
        [ "$(bytes_on $out)" -gt $((sent + 1000000)) ]
done

# A tunnel in a tunnel: br1's goes to an address that is behind one of br0's.
ovs-vsctl add-br br1 -- set-fail-mode br1 secure \
    -- set bridge br1 other_config:hwaddr=02:00:00:00:01:0a \
    -- set interface br1 mtu_request=1300
ovs-ofctl add-flow br1 actions=normal
ip -n a link set br1 up
ip -n a address add 10.30.0.1/24 dev br1
# A device has its ID for itself, whoever its peer is.
key=8
for pair in "stt vxlan" "vxlan stt" "stt geneve" "stt gre" "stt stt"; do
    in=${pair% *}
    out=${pair#* }
    n=$(number $out)
    ip -n a neighbor flush dev br1
    port br1 inner $in 10.$n.0.2
    native b inner $in 10.$n.0.1 10.30.0.2/24
    ip -n b link set inner mtu 1300
    sent=$(bytes_on $out)
    check "$in over $out: first ping" wait_for 30 "ping" pings 10.30.0.2 56
    check "$in over $out: ping" pings 10.30.0.2 56 1272 4000
    check "$in over $out: TCP" transfer tcp 10.30.0.2 1000000
    # A device that asks for more headroom than TCP leaves has other tunnels
    # enlarge the packets of others' sockets behind their back, and the kernel
    # complains when it puts such packets together.
    check "$in over $out: small pieces" \
        transfer pieces 10.30.0.2 500 1 32 100
    check "$in over $out: small pieces back" \
        exchange b pieces 10.30.0.1 500 1 32 100
    check "$in over $out: UDP" transfer udp 10.30.0.2 3 100 1272 4000
    check "$in over $out: both of them" sh -c \
        "[ $(bytes_on $out) -gt $((sent + 1000000)) ] &&
         ip netns exec a ovs-appctl dpctl/dump-flows --names |
             grep 'in_port(br1).*dst=10.$n.0.2.*$(system $in)'"
    ovs-vsctl del-port inner
    ip -n b link del inner
done
check "all content was right" [ ! -s "$TMPDIR/serve" ]
