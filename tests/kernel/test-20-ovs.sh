#! /bin/sh
# Title: STT ports of Open vSwitch's kernel datapath
# Seconds: 400
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module openvswitch
two_hosts
rmmod stt

# Open vSwitch is on host a; host b has a device of its own.
ovs_start
ovs-vsctl add-br br0

key=0xfedcba9876543210
stt0="add-port br0 stt0 -- set interface stt0 type=stt"
stt0="$stt0 options:remote_ip=192.0.2.2 options:key=$key"

# No module, not even to be loaded.
mkdir -p /run/modprobe.d
echo "install stt /bin/false" > /run/modprobe.d/no-stt.conf
ovs-vsctl $stt0 > "$TMPDIR/error" 2>&1
check "without the module, ovs-vsctl says so" \
    grep "lacks the module stt.ko" "$TMPDIR/error"
check "and the port's column" \
    sh -c 'ovs-vsctl get interface stt0 error | grep "lacks the module stt.ko"'
check "and the log" grep "stt.ko" "$TMPDIR/ovs-vswitchd.log"
check "and each which package has it" \
    [ "$(cat "$TMPDIR/error" "$TMPDIR/ovs-vswitchd.log" |
             grep -c 'package openvswitch-stt-dkms')" -ge 2 ]
check "and the switch goes on" ovs-vsctl --if-exists del-port stt0
rm /run/modprobe.d/no-stt.conf

check "port" ovs-vsctl $stt0
check "no error" [ "$(ovs-vsctl get interface stt0 error)" = "[]" ]
check "device stt_sys_7471" ip -n a -d link show stt_sys_7471
check "ovs-dpctl names it" sh -c \
    'ip netns exec a ovs-dpctl show | grep "stt_sys_7471 (stt"'

check "stt/show leaves to ethtool what the module does" \
    [ "$(ovs-appctl stt/show stt0 | sed -n 's/^  \([a-zA-Z][^:]*\):.*/\1/p' |
             tr '\n' ',')" = "options,peers,kernel datapath,packets," ]
check "also in JSON" sh -c \
    'ovs-appctl --format json stt/show stt0 |
         grep "\"kernel-device\":\"stt_sys_7471\""'

ip -n b link add stt0 type stt remote 192.0.2.1 id $key
tunnel_up b 2
ip -n a address add 10.0.0.1/24 dev br0
ip -n a address add fd00::1/64 dev br0 nodad
ip -n a link set br0 up
serve b
check "ping" pings 10.0.0.2 56 1400 1472 5000
check "64 bits of the key, both ways" sh -c \
    "ovs-appctl dpctl/dump-flows -m | tee '$TMPDIR/flows' |
         grep 'in_port(br0).*set(tunnel(tun_id=$key,' &&
     grep 'tunnel(tun_id=$key,src=192.0.2.2,dst=192.0.2.1' '$TMPDIR/flows'"
check "TCP" transfer tcp 10.0.0.2 2000000
check "TCP over IPv6" transfer tcp fd00::2 2000000
check "UDP" transfer udp 10.0.0.2 3 100 1400
# Segments that the kernel cuts.
for ns in a b; do
    offloads $ns tso=off gso=off gro=off
done
check "TCP in segments" transfer tcp 10.0.0.2 1000000

check "ttl, tos and df" sh -c '
    ovs-vsctl set interface stt0 options:ttl=9 options:tos=0x88 \
        options:df_default=false
    ip netns exec b timeout 20 tcpdump -c 1 -n -v -i eth0 \
        src 192.0.2.1 and tcp dst port 7471 > "$TMPDIR/capture" 2>&1 &
    for i in 1 2 3 4 5 6; do
        ip netns exec a ping -c 1 -W 1 10.0.0.2 > /dev/null
    done
    wait
    cat "$TMPDIR/capture"
    grep "tos 0x88, ttl 9,.*flags \[none\]" "$TMPDIR/capture"'
ovs-vsctl remove interface stt0 options ttl \
    -- remove interface stt0 options tos \
    -- remove interface stt0 options df_default

check "flow-based port with another TCP port" sh -c '
    ovs-vsctl add-port br0 stt1 -- set interface stt1 type=stt \
        options:remote_ip=flow options:key=flow options:dst_port=7472 &&
    ip -n a link show stt_sys_7472'
ip -n b link add stt1 type stt remote 192.0.2.1 id 0x123456789abcdef0 \
    dstport 7472
ip -n b address add 10.0.1.2/24 dev stt1
ip -n b link set stt1 mtu 1500 up
ip -n a address add 10.0.1.1/24 dev br0
ovs-ofctl add-flow br0 "priority=10,in_port=LOCAL,ip,nw_dst=10.0.1.0/24,actions=set_field:192.0.2.2->tun_dst,set_field:0x123456789abcdef0->tun_id,output:stt1"
ovs-ofctl add-flow br0 "priority=10,in_port=LOCAL,arp,arp_tpa=10.0.1.2,actions=set_field:192.0.2.2->tun_dst,set_field:0x123456789abcdef0->tun_id,output:stt1"
ovs-ofctl add-flow br0 "priority=9,in_port=stt1,tun_id=0x123456789abcdef0,tun_src=192.0.2.2,actions=LOCAL"
check "its traffic" pings 10.0.1.2 56 1400
check "the first port goes on" pings 10.0.0.2 56
check "deleting the last port deletes the device" sh -c '
    ovs-vsctl del-port stt1 && ! ip -n a link show stt_sys_7472 &&
    ip -n a link show stt_sys_7471'

check "restart" sh -c 'ovs-appctl exit'
check "the device survives" ip -n a link show stt_sys_7471
vswitchd
check "ping afterwards" wait_for 30 "ping" pings 10.0.0.2 56
check "TCP afterwards" transfer tcp 10.0.0.2 200000
check "all content was right" [ ! -s "$TMPDIR/serve" ]

# intro/install/stt-kernel.rst, "Going Back".  Host b has a device, too.
check "deleting the port" ovs-vsctl del-port br0 stt0
check "deletes the device" refuse ip -n a link show stt_sys_7471
ip -n b link del stt0
ip -n b link del stt1
check "the module goes" modprobe -r stt
check "and is gone" refuse sh -c "lsmod | grep '^stt '"
