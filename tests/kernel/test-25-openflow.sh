#! /bin/sh
# Title: OpenFlow and all 64 bits of the key, on the kernel datapath
# Seconds: 500
#
# Host a has Open vSwitch, whose flows alone decide on the key; host b has a
# device that takes and sends packets with one key only.  So pings work if the
# flows send this key, and find it in what they receive.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module openvswitch
two_hosts
ovs_start

key=0xfedcba9876543210
ovs-vsctl add-br br0 -- set bridge br0 protocols=OpenFlow10,OpenFlow13,OpenFlow15 \
    -- add-port br0 stt0 -- set interface stt0 type=stt ofport_request=1 \
    options:remote_ip=flow options:key=flow
ip -n b link add stt0 type stt remote 192.0.2.1 id $key
tunnel_up b 2
ip -n a address add 10.0.0.1/24 dev br0
ip -n a link set br0 up

# Neither side has to ask for addresses, nor for routers, so every packet is one
# of the test's.
echo 1 | within a tee /proc/sys/net/ipv6/conf/br0/disable_ipv6 > /dev/null
echo 1 | within b tee /proc/sys/net/ipv6/conf/stt0/disable_ipv6 > /dev/null
# mac NS DEVICE: prints the Ethernet address of a device.
mac() {
    within "$1" cat "/sys/class/net/$2/address"
}
a_mac=$(mac a br0)
b_mac=$(mac b stt0)
ip -n a neighbor replace 10.0.0.2 lladdr "$b_mac" dev br0
ip -n b neighbor replace 10.0.0.1 lladdr "$a_mac" dev stt0

to="set_field:192.0.2.2->tun_dst"
out="in_port=LOCAL,actions=$to,set_field:$key->tun_id,output:1"
in="in_port=1,tun_id=$key,tun_src=192.0.2.2,actions=LOCAL"

# flows VERSION: makes the flows on stdin those of the bridge.  The datapath has
# none of the earlier ones then.  They go first, for what they have counted would
# be told to the new flows, which may learn from it.
flows() {
    cat > "$TMPDIR/flows"
    ovs-appctl revalidator/purge || not_ok "the datapath's flows go"
    ovs-ofctl -O "OpenFlow$1" replace-flows br0 "$TMPDIR/flows" ||
        not_ok "flows are accepted: $(cat "$TMPDIR/flows")"
}

# passes TITLE: the flows let both ways pass.
passes() {
    check "$1" pings 10.0.0.2 56 1400
}

# stays TITLE: the flows let nothing come back.
stays() {
    check "$1" refuse within a ping -c 1 -W 1 10.0.0.2
}

# As a yardstick: the ways of OpenFlow 1.5, with the key as one value.
flows 15 << END
$out
$in
END
passes "set_field and match"
check "the datapath has all of the key, both ways" sh -c \
    "ovs-appctl dpctl/dump-flows -m | tee '$TMPDIR/dump' |
         grep 'in_port(br0).*set(tunnel(tun_id=$key,' &&
     grep 'tunnel(tun_id=$key,src=192.0.2.2' '$TMPDIR/dump'"

# Any bit counts.
for other in 0x7edcba9876543210 0xfedcba9976543210 0xfedcba9876543211; do
    flows 15 << END
$out
in_port=1,tun_id=$other,actions=LOCAL
END
    stays "a match on $other finds another key"
    flows 15 << END
in_port=LOCAL,actions=$to,set_field:$other->tun_id,output:1
$in
END
    stays "the peer takes no packet with $other"
done

flows 15 << END
$out
in_port=1,tun_id=0xfedc000000000000/0xffff000000000000,actions=LOCAL
END
passes "match under a mask of the upper bits"
flows 15 << END
$out
in_port=1,tun_id=0xfedd000000000000/0xffff000000000000,actions=LOCAL
END
stays "which tells keys apart"

flows 15 << END
in_port=LOCAL,actions=$to,set_field:0x123456789abcdef0->tun_id,set_field:0xfedcba9800000000/0xffffffff00000000->tun_id,set_field:0x76543210/0xffffffff->tun_id,output:1
$in
END
passes "set_field under a mask, of either half"

flows 10 << END
in_port=LOCAL,actions=load:0xc0000202->NXM_NX_TUN_IPV4_DST[],load:0xfedcba98->NXM_NX_TUN_ID[32..63],load:0x76543210->NXM_NX_TUN_ID[0..31],output:1
in_port=1,tun_id=$key,actions=LOCAL
END
passes "OpenFlow 1.0: load, in two halves"

flows 13 << END
in_port=LOCAL,actions=$to,set_field:$key->metadata,move:OXM_OF_METADATA[]->NXM_NX_TUN_ID[],output:1
in_port=1,actions=move:NXM_NX_TUN_ID[]->OXM_OF_METADATA[],resubmit(,1)
table=1,metadata=$key,actions=LOCAL
END
passes "OpenFlow 1.3: move and resubmit"

flows 15 << END
in_port=LOCAL,actions=$to,set_field:$key->xreg0,push:OXM_OF_PKT_REG0[],pop:NXM_NX_TUN_ID[],output:1
in_port=1,actions=push:NXM_NX_TUN_ID[],set_field:0->tun_id,pop:OXM_OF_PKT_REG1[],resubmit(,1)
table=1,xreg1=$key,actions=LOCAL
END
passes "push and pop"

# What has come from b teaches the way to it.
flows 15 << END
in_port=1,actions=learn(table=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],load:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[],output:OXM_OF_IN_PORT[]),LOCAL
in_port=LOCAL,actions=resubmit(,2)
END
stays "before anything is learned, no packet leaves"
# Until ovs-vswitchd has gone over the flows of the datapath, an answer may still
# be dropped as before.
check "learn" wait_for 20 "an answer" within b ping -c 1 -W 1 10.0.0.1
passes "and what has been learned"

ovs-ofctl -O OpenFlow15 add-group br0 "group_id=7,type=all,bucket=bucket_id=1,actions=set_field:0xfedcba9876543211->tun_id,output:1,bucket=bucket_id=2,actions=set_field:$key->tun_id,output:1"
flows 15 << END
in_port=LOCAL,actions=$to,group:7
$in
END
passes "a key for each bucket of a group"

ovs-ofctl -O OpenFlow15 add-group br0 "group_id=8,type=select,bucket=bucket_id=1,actions=set_field:$key->tun_id,output:1"
ovs-ofctl -O OpenFlow15 add-group br0 "group_id=9,type=indirect,bucket=bucket_id=1,actions=set_field:$key->tun_id,output:1"
for group in 8 9; do
    flows 15 << END
in_port=LOCAL,actions=$to,group:$group
$in
END
    passes "a key from group $group"
done

ovs-ofctl -O OpenFlow15 add-meter br0 "meter=1,pktps,stats,band=type=drop,rate=100000"
flows 15 << END
in_port=LOCAL,actions=meter:1,$to,set_field:$key->tun_id,output:1
in_port=1,tun_id=$key,actions=meter:1,LOCAL
END
passes "meter"
check "which has seen the packets" sh -c \
    "ovs-ofctl -O OpenFlow15 meter-stats br0 meter=1 | tee /dev/stderr |
         grep 'packet_in_count:[1-9]'"
ovs-ofctl -O OpenFlow15 add-meter br0 "meter=2,pktps,stats,band=type=drop,rate=1"
flows 15 << END
in_port=LOCAL,actions=$to,set_field:$key->tun_id,output:1
in_port=1,tun_id=$key,actions=meter:2,LOCAL
END
within a ping -q -i 0.05 -c 100 -W 1 10.0.0.2 > "$TMPDIR/metered"
check "a meter that drops what a key brings" sh -c \
    "tee /dev/stderr < '$TMPDIR/metered' |
         grep '100 packets transmitted, [1-9][0-9]\? received'"

# The controller's view.
flows 15 << END
in_port=1,actions=controller(max_len=128)
$out
END
ovs-ofctl -O OpenFlow15 monitor br0 65534 --detach --no-chdir \
    --pidfile="$TMPDIR/monitor.pid" > "$TMPDIR/monitor" 2>&1
at_exit "kill $(cat "$TMPDIR/monitor.pid")"
within b ping -c 1 -W 1 10.0.0.1 > /dev/null
check "packet-in" wait_for 20 "packet-in" \
    grep "tun_id=$key,tun_src=192.0.2.2,tun_dst=192.0.2.1" "$TMPDIR/monitor"

# emits NS DEVICE SRC DST ARGUMENTS: has the controller send a packet from SRC to
# DST with these arguments of packet-out, and succeeds if DEVICE has it.
emits() {
    rm -f "$TMPDIR/ready"
    within "$1" timeout 60 tcpdump -c 1 -U -n -e -i "$2" ether proto 0x88b5 \
        > "$TMPDIR/seen" 2> "$TMPDIR/ready" &
    capture=$!
    wait_for 20 "tcpdump" grep -q "listening on" "$TMPDIR/ready"
    frame=$(echo "$4$3" | tr -d :)88b5
    payload=00112233445566778899aabbccddeeff
    ovs-ofctl -O OpenFlow15 packet-out br0 \
        "${5%% *} packet=$frame$payload$payload actions=${5#* }"
    wait $capture
    grep "$3 > $4" "$TMPDIR/seen"
}
check "packet-out" emits b stt0 "$a_mac" "$b_mac" \
    "in_port=controller $to,set_field:$key->tun_id,output:1"

# The flow tables see a packet that says which tunnel it has come from.
flows 15 << END
tun_id=$key,tun_src=192.0.2.2,dl_type=0x88b5,actions=LOCAL
END
check "packet-out with the metadata of a tunnel" \
    emits a br0 "$b_mac" "$a_mac" \
    "in_port=1,tun_id=$key,tun_src=192.0.2.2,tun_dst=192.0.2.1 table"

# Which of a's addresses a packet comes from.
ip -n a address add 192.0.2.11/24 dev eth0
ip -n b link add stt1 type stt remote 192.0.2.11 id 0x8000000000000001
ip -n b address add 10.0.1.2/24 dev stt1
ip -n b link set stt1 up
ip -n a address add 10.0.1.1/24 dev br0
ip -n a neighbor replace 10.0.1.2 lladdr "$(mac b stt1)" dev br0
ip -n b neighbor replace 10.0.1.1 lladdr "$a_mac" dev stt1
ovs-vsctl set interface stt0 options:local_ip=flow
flows 15 << END
in_port=LOCAL,actions=set_field:192.0.2.11->tun_src,$to,set_field:0x8000000000000001->tun_id,output:1
in_port=1,tun_id=0x8000000000000001,tun_dst=192.0.2.11,actions=LOCAL
END
check "local_ip=flow" pings 10.0.1.2 56 1400

# A port with a peer of its own comes before the one that takes any.
ovs-vsctl add-port br0 stt2 -- set interface stt2 type=stt ofport_request=2 \
    options:remote_ip=192.0.2.2 options:key=flow
flows 15 << END
in_port=LOCAL,actions=set_field:$key->tun_id,output:2
in_port=2,tun_id=$key,actions=LOCAL
END
passes "key=flow with one peer"
ovs-vsctl set interface stt2 options:key=$key
flows 15 << END
in_port=LOCAL,actions=output:2
in_port=2,actions=LOCAL
END
passes "a fixed key"
check "all without an error" \
    [ "$(ovs-vsctl --bare --columns=error find interface type=stt)" = "" ]
