#! /bin/sh
# Title: Devices of type stt
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

# shows NS PATTERN [DEVICE]: succeeds if "ip link show" matches PATTERN.
shows() { ip -n "$1" -d link show "${3:-stt0}" | grep -e "$2"; }

# refused PATTERN OPTION...: succeeds if no device is made with OPTIONs, for a
# reason that matches PATTERN.
refused() {
    pattern=$1
    shift
    if ip -n a link add bad type stt "$@" > "$TMPDIR/error" 2>&1; then
        ip -n a link del bad
        return 1
    fi
    cat "$TMPDIR/error"
    grep -q -e "$pattern" "$TMPDIR/error"
}

two_hosts

check "the module is loaded for a link of its type" sh -c \
    'rmmod stt && ip link add stt9 type stt remote 192.0.2.9 &&
     ip link del stt9'
check "help" sh -c 'ip link help stt 2>&1 | grep "remote ADDR"'

ip -n a link add stt0 type stt remote 192.0.2.2
check "defaults" shows a \
    "stt id 0 remote 192.0.2.2 dstport 7471 ttl auto df set"
check "default and largest MTU" shows a "mtu 65463 .*"
check "largest MTU" shows a "maxmtu 65463"
check "larger MTU refused" refuse ip -n a link set stt0 mtu 65464
check "driver" sh -c 'ip netns exec a ethtool -i stt0 | grep "^driver: stt$"'
check "second device for the same packets refused" \
    refused "Another device takes these packets" remote 192.0.2.2
check "external device beside it refused" \
    refused "Another device takes these packets" external
check "no change of a device" \
    refuse ip -n a link set stt0 type stt remote 192.0.2.2 id 9
ip -n a link del stt0

ip -n a link add stt0 type stt remote 192.0.2.2 local 192.0.2.1 \
    id 0xfedcba9876543210 dstport 7472 ttl 9 tos 0x88 df inherit
check "all options" shows a \
    "id 18364758544493064720 remote 192.0.2.2 local 192.0.2.1 dstport 7472 ttl 9 tos 0x88 df inherit"
check "JSON" sh -c "ip -n a -d -j link show stt0 | /usr/bin/python3 -c '
import json, sys
d = json.load(sys.stdin)[0][\"linkinfo\"]
assert d == {\"info_kind\": \"stt\", \"info_data\": {
    \"id\": 0xfedcba9876543210, \"remote\": \"192.0.2.2\",
    \"local\": \"192.0.2.1\", \"port\": 7472, \"ttl\": 9, \"tos\": \"0x88\",
    \"df\": \"inherit\"}}, d'"
ip -n a link del stt0

ip -n a link add stt0 type stt remote 2001:db8::2 local 2001:db8::1 \
    ttl inherit tos inherit df unset flowlabel 0x12345
check "all options with IPv6" shows a \
    "remote 2001:db8::2 local 2001:db8::1 dstport 7471 ttl inherit tos inherit df unset flowlabel 0x12345"
ip -n a link del stt0

ip -n a link add stt0 type stt external dstport 7473
check "external" shows a "stt external dstport 7473"
check "external device excludes others of its port" \
    refused "Another device takes these packets" remote 192.0.2.2 dstport 7473
ip -n a link del stt0

check "neither peer nor external refused" refused "Needs either the address"
check "peer and external refused" \
    refused "excludes collect metadata" external remote 192.0.2.2
check "multicast peer refused" \
    refused "not a unicast address" remote 224.0.0.1
check "IPv6 multicast peer refused" \
    refused "not a unicast address" remote ff02::1
check "mixed addresses refused" \
    refused "another family" remote 192.0.2.2 local 2001:db8::1
check "link-local peer refused" refused "Link-local" remote fe80::1
check "flow label without IPv6 refused" \
    refused "Flow label" remote 192.0.2.2 flowlabel 7
while IFS=: read -r option text; do
    check "$option refused" refused "$text" remote 192.0.2.2 $option
done <<EOF
id 0x10000000000000000:invalid context ID
id x:invalid context ID
id -1:invalid context ID
dstport 0:invalid TCP port
dstport 65536:invalid TCP port
ttl 256:invalid TTL
ttl 0:invalid TTL
tos 3:invalid TOS
tos 256:invalid TOS
df maybe:invalid DF
local 300.1.1.1:"local" needs an IPv4 or IPv6 address
flowlabel 0x100000:invalid flow label
nonsense 1:unknown option "nonsense"
EOF
check "remote 300.1.1.1 refused" \
    refused '"remote" needs an IPv4 or IPv6 address' remote 300.1.1.1

ip -n a link add stt0 type stt remote 192.0.2.2
ip netns exec a /usr/bin/python3 -c '
import socket, time
s = socket.socket(socket.AF_INET6)
s.bind(("::", 7471))
s.listen(1)
print("listening", flush=True)
time.sleep(100)' > "$TMPDIR/listener" &
listener=$!
wait_for 20 "listener" test -s "$TMPDIR/listener"
check "a TCP port that is taken keeps the device down" \
    refuse ip -n a link set stt0 up
kill $listener
wait $listener
check "and one that is free again does not" \
    wait_for 20 "link" ip -n a link set stt0 up
check "nobody else can have the TCP port" refuse within a \
    /usr/bin/python3 -c 'import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", 7471))
s.listen(1)'
ip -n a link set stt0 down
check "but when the device is down" within a \
    /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("", 7471))
s.listen(1)'
check "several devices share a port" sh -c '
    ip -n a link set stt0 up &&
    for id in 1 2 3; do
        ip -n a link add stt$id up type stt remote 192.0.2.2 id $id || exit
    done'
for id in 1 2 3; do
    ip -n a link del stt$id
done

check "limits" within a sysctl -w net.stt.reassembly_max_frames=16 \
    net.stt.reassembly_max_bytes=1048576 net.stt.reassembly_max_segments=16 \
    net.stt.reassembly_source_percent=1 net.stt.reassembly_timeout=50
for limit in max_frames=15 max_frames=65537 max_bytes=1048575 \
             max_bytes=1073741825 max_segments=15 max_segments=129 \
             source_percent=0 source_percent=101 timeout=49 timeout=30001; do
    check "limit $limit refused" \
        refuse within a sysctl -w net.stt.reassembly_$limit
done
check "limits are those of a namespace" sh -c \
    '[ "$(ip netns exec b sysctl -n net.stt.reassembly_max_frames)" -eq 4096 ]'

check "a device moves to another namespace" ip -n a link set stt0 netns b
check "and goes with the namespace of its underlay" sh -c \
    'ip netns del a && for i in $(seq 100); do
         ip -n b link show stt0 > /dev/null 2>&1 || exit 0
         sleep 0.1
     done; exit 1'
