#! /bin/sh
# Title: What a receiver must survive
# Seconds: 400
#
# What anyone can send who reaches the TCP port: whatever it is, it is counted,
# nothing is delivered, nothing is left, and honest packets get through.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

two_hosts
wire_hosts
for ns in a b; do
    within $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
ip -n b link add stt0 address 52:54:00:00:00:0b up type stt id 42 \
    remote 192.0.2.1
ip -n a address add 192.0.2.77/24 dev eth0

icmp=52540000000b52540000000a08004500002c01014000400125ce0a0000010a000002
icmp=${icmp}08000b36123400015354542d6578616d706c652d49434d50
tcp6=52540000000b52540000000a86dd6020000000210640fd00000000000000
tcp6=${tcp6}0000000000000001fd000000000000000000000000000002
tcp6=${tcp6}c35001bbaabbccdd0102030450187210d2d500005354542d6f7665722d49507636
udp=52540000000b52540000000a08004500002c03034000401123bc0a0000010a000002
udp=${udp}4e204e210018142c5354542d6578616d706c652d564c414e
arp=ffffffffffff52540000000a0806
arp=${arp}000108000604000152540000000a0a0000010000000000000a000002
fragment=52540000000b52540000000a0800
fragment=${fragment}4500002801012000400600000a0000010a000002
fragment=${fragment}c350005000000000000000005018000000000000

# One process sends it all, since the machine is slow.
mkfifo "$TMPDIR/wire"
ip netns exec a /usr/bin/python3 "$top/tests/kernel/wire.py" send eth0 \
    < "$TMPDIR/wire" &
at_exit "kill $!"
exec 9> "$TMPDIR/wire"

# stt FIELD=VALUE... INNER: has a send INNER to b.
stt() {
    echo stt src=192.0.2.1 dst=192.0.2.2 eth_src=020000000001 \
        eth_dst=020000000002 key=42 "$@" >&9
}

id=1000
# drops REASON N FIELD=VALUE... INNER: succeeds if sending that adds N to the
# counter drop_REASON, and nothing is delivered.
drops() {
    reason=drop_$1 n=$2
    shift 2
    id=$((id + 1))
    before=$(counter b $reason)
    delivered=$(cat_delivered)
    stt id=$id "$@"
    wait_for 10 "$reason" counts b $reason $((before + n)) &&
        delivered_is "$delivered"
}
cat_delivered() {
    within b cat /sys/class/net/stt0/statistics/rx_packets
}
delivered_is() {
    [ "$(cat_delivered)" -eq "$1" ]
}
# delivers N FIELD=VALUE... INNER: succeeds if N packets get through.
delivers() {
    n=$(($(cat_delivered) + $1))
    shift
    id=$((id + 1))
    stt id=$id "$@"
    wait_for 10 "packets" delivered_is $n
}
# test_drops TITLE REASON N FIELD=VALUE... INNER: a test of that title.
test_drops() {
    title=$1
    shift
    check "$title" drops "$@"
}

check "an honest packet" delivers 1 "$icmp"
check "in segments" delivers 1 mss=40 "$icmp"

for flags in 2 1 4 0x14 0x12 0x30; do
    test_drops "TCP flags $flags" tcp_flags 1 tcp_flags=$flags "$icmp"
done
test_drops "no payload" empty 1 cut=0+0 "$icmp"
for doff in 6 15; do
    test_drops "data offset $doff" data_offset 1 doff=$doff "$icmp"
done
test_drops "bad outer checksum" outer_csum 1 csum=1 "$icmp"
for len in 0 1 17 18 31; do
    test_drops "frame length $len" frame_len 1 len=$len cut=0+1 "$icmp"
done
for cut in 0+77 1+76 17+60 75+2 76+1 77+1 65535+1 65535+1000; do
    test_drops "beyond the frame: $cut" beyond_frame 1 cut=$cut "$icmp"
done
for offset in 1 2 16 17; do
    check "first segment of $offset bytes" delivers 1 \
        cut=0+$offset,$offset+$((76 - offset)) "$icmp"
    check "first segment of $offset bytes, last" delivers 1 \
        cut=$offset+$((76 - offset)),0+$offset "$icmp"
done
for version in 1 255; do
    test_drops "version $version" version 1 version=$version "$icmp"
    test_drops "version $version in segments" version 1 version=$version \
        cut=0+40 "$icmp"
done
test_drops "unknown key" key 1 key=43 "$icmp"
test_drops "stranger" source 1 src=192.0.2.77 cut=0+40 "$icmp"
check "Ethernet padding" delivers 1 mss=70 pad=000000000000 "$icmp"
check "trailing bytes" delivers 1 pad=ffffffff "$icmp"

# Segments against each other.
test_drops "duplicates" duplicate 1 cut=0+38,0+38 "$icmp"
test_drops "partial overlap" overlap 3 cut=0+40,39+37,40+36 "$icmp"
cut=$(seq 0 199 | sed 's/$/+1/' | tr '\n' ',' | sed 's/,$//')
test_drops "segments of one byte" segments 200 len=65535 "cut=$cut" "$icmp"
id=$((id + 1))
before=$(counter b drop_len_changed)
stt id=$id len=80 cut=0+40 "$icmp"
stt id=$id cut=40+36 "$icmp"
check "lengths that change" wait_for 10 "drop" \
    counts b drop_len_changed $((before + 1))

# The header against the inner packet.
for offset in 0 1 14 33 53 55 74 255; do
    test_drops "L4 offset $offset" l4_offset 1 flags=0x0a l4ofs=$offset "$tcp6"
done
test_drops "partial checksum of ARP" l4_proto 1 flags=0x0e l4ofs=34 "$arp"
test_drops "partial checksum of ICMP" l4_proto 1 flags=0x0e l4ofs=34 "$icmp"
test_drops "wrong IP version" l4_proto 1 flags=0x0e l4ofs=54 "$tcp6"
test_drops "fragment" inner_frag 1 flags=0x0e l4ofs=34 "$fragment"
for mss in 1 12; do
    test_drops "MSS $mss" mss 1 flags=0x0a l4ofs=54 inner_mss=$mss "$tcp6"
done
test_drops "MSS of UDP" mss 1 flags=0x06 l4ofs=34 inner_mss=100 "$udp"
check "MSS larger than the payload" delivers 1 flags=0x0a l4ofs=54 \
    inner_mss=65535 "$tcp6"
for ihl in 0 4 f; do
    test_drops "IP header length $ihl" inner_len 1 flags=0x06 l4ofs=34 \
        "$(echo "$udp" | sed "s/08004500/08004${ihl}00/")"
done
for len in 0000 0007 0019 ffff; do
    test_drops "UDP length $len" inner_len 1 flags=0x06 l4ofs=34 \
        "$(echo "$udp" | sed "s/4e210018/4e21$len/")"
done
# tagged N: prints a packet behind N VLAN tags.
tagged() {
    tags=$(head -c "$1" /dev/zero | tr '\0' x | sed 's/x/81000007/g')
    echo "$udp" | sed "s/^.\{24\}/&$tags/"
}
check "55 VLAN tags" delivers 1 flags=0x06 l4ofs=254 "$(tagged 55)"
test_drops "60 VLAN tags" l4_offset 1 flags=0x06 l4ofs=255 "$(tagged 60)"
test_drops "61 VLAN tags" l4_proto 1 flags=0x06 l4ofs=255 "$(tagged 61)"
test_drops "4000 VLAN tags" l4_proto 1 flags=0x06 l4ofs=34 mss=1400 \
    "$(tagged 4000)"
check "4000 VLAN tags without an offload" delivers 1 mss=1400 "$(tagged 4000)"
check "reserved flags" delivers 1 flags=0xf0 "$icmp"
check "verified and partial" delivers 1 flags=0x0b l4ofs=54 "$tcp6"

# Congestion.
test_drops "CE on what does not know ECN" ecn 1 tos=3 "$icmp"
test_drops "CE on one segment" ecn 1 tos=0,3 mss=40 "$icmp"
check "CE on what knows it" delivers 1 tos=3 "$tcp6"

# Floods.
within b sysctl -qw net.stt.reassembly_max_frames=64 \
    net.stt.reassembly_timeout=10000
/usr/bin/python3 "$top/tests/stt-wire.py" encode src=192.0.2.1 dst=192.0.2.2 \
    eth_src=020000000001 eth_dst=020000000002 key=42 cut=0+40 "$icmp" \
    > "$TMPDIR/one"
# Only the acknowledgment number and the checksum differ.
/usr/bin/python3 - "$TMPDIR/one" << 'END' > "$TMPDIR/flood"
import struct
import sys

frame = bytearray.fromhex(open(sys.argv[1]).read().strip())
for i in range(3000):
    frame[42:46] = struct.pack("!I", 100000 + i)
    frame[50:52] = b"\0\0"
    data = bytes(frame[26:34]) + struct.pack("!HH", 6, len(frame) - 34) \
        + bytes(frame[34:])
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    frame[50:52] = struct.pack("!H", s ^ 0xffff)
    print(frame.hex())
END
evicted=$(counter b drop_evicted)
cat "$TMPDIR/flood" >&9
check "first segments that never complete" wait_for 10 "evictions" \
    sh -c "[ \$(ip netns exec b ethtool -S stt0 |
                  sed -n 's/.*drop_evicted: //p') -gt $((evicted + 2000)) ]"
check "take no more than their share" sh -c \
    "n=\$(ip netns exec b ethtool -S stt0 | sed -n 's/.*reassembly_frames: //p')
     echo \$n; [ \$n -gt 0 ] && [ \$n -le 32 ]"
check "an honest packet amid the flood" delivers 1 mss=40 "$icmp"
within b sysctl -qw net.stt.reassembly_timeout=2000
check "nothing is left" wait_for 20 "expiry" balance b
# What waits now must not go by itself.
within b sysctl -qw net.stt.reassembly_timeout=30000
head -n 20 "$TMPDIR/flood" >&9
wait_for 10 "segments" counts b reassembly_frames 20
check "segments wait" \
    wait_for 10 "segments" counts b reassembly_segments 20
check "removal while segments wait" sh -c \
    "ip -n b link set stt0 down && ip -n b link set stt0 up"
check "is counted" sh -c "ip netns exec b ethtool -S stt0 |
    sed -n 's/.*drop_flushed: //p' | grep -v '^0'"
head -n 20 "$TMPDIR/flood" >&9
wait_for 10 "segments" counts b reassembly_frames 20
check "removal of the NIC while segments wait" ip -n b link del eth0
check "removal of the tunnel" ip -n b link del stt0
check "removal of the module" wait_for 20 "module" rmmod stt
