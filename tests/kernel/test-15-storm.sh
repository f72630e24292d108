#! /bin/sh
# Title: Devices, namespaces and the module come and go under traffic
# Seconds: 300
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

rounds=$((20 / ${SLOWNESS:-1}))
two_hosts
for ns in a b; do
    offloads $ns tso=off gso=off gro=off
done
ip -n a address add 198.51.100.1/24 dev eth0
ip -n b address add 198.51.100.2/24 dev eth0
# What carries traffic all the time.
ip -n a link add stt1 type stt remote 198.51.100.2 id 1
ip -n b link add stt1 type stt remote 198.51.100.1 id 1
for ns in a b; do
    n=$([ $ns = a ] && echo 1 || echo 2)
    ip -n $ns link set stt1 mtu 9000 up
    ip -n $ns address add 10.9.0.$n/24 dev stt1
done
ip netns exec a ping -q -i 0.01 -s 8000 10.9.0.2 > "$TMPDIR/always" &
ping=$!
at_exit "kill $ping"

# answers ADDRESS: waits until a ping is answered.
answers() {
    wait_for 10 "ping" within a ping -c 1 -W 2 -s 8000 "$1"
}

bad=0
i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1))
    tunnel 4 id $i && answers 10.0.0.2 || bad=$i
    within a ping -q -c 20 -i 0.002 -w 1 -s 8000 10.0.0.2 > /dev/null &
    ip -n b link set stt0 down
    ip -n b link set stt0 up
    ip -n a link del stt0
    ip -n b link del stt0
    wait $!
done
check "$rounds times made and deleted under traffic" [ $bad = 0 ]

bad=0
i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1))
    ip netns add c
    ip link add eth1 netns c type veth peer name eth1 netns a
    ip -n c address add 203.0.113.2/24 dev eth1
    ip -n c link set eth1 up
    ip -n a address replace 203.0.113.1/24 dev eth1
    ip -n a link set eth1 up
    ip -n c link add stt0 up type stt remote 203.0.113.1 || bad=$i
    ip -n a link add stt3 up type stt remote 203.0.113.2 || bad=$i
    ip -n c address add 10.8.0.2/24 dev stt0
    ip -n a address add 10.8.0.1/24 dev stt3
    answers 10.8.0.2 || bad=$i
    within a ping -q -c 5 -i 0.002 -w 1 -s 8000 10.8.0.2 > /dev/null &
    ip netns del c
    wait $!
    ip -n a link del stt3
done
check "$rounds namespaces deleted under traffic" [ $bad = 0 ]

for n in $(seq 100); do
    echo "link add n$n type stt remote 192.0.2.2 id $n"
    echo "link set n$n up"
done | ip -n a -batch -
check "100 devices" [ "$(ip -n a link show type stt 2> /dev/null |
                           grep -c ': n')" -ge 100 ]
check "all of them vanish with the module" rmmod stt
kill -INT $ping
wait $ping
cat "$TMPDIR/always"
check "there was traffic" grep -q ' [1-9][0-9]* received' "$TMPDIR/always"
check "and the module comes back" modprobe stt
check "and its devices" tunnel 4
check "and traffic" wait_for 20 "ping" pings 10.0.0.2 56 8000
