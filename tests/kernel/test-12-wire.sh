#! /bin/sh
# Title: STT packets, byte by byte
# Seconds: 300
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

vectors=$top/tests/stt-vectors
two_hosts
wire_hosts
# Nothing but what the test sends.
for ns in a b; do
    within $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip -n $ns link set eth0 mtu 1500
done

# device NS ID [OPTION...]: makes stt0 on NS with the context ID.
device() {
    ns=$1 id=$2
    shift 2
    ip -n "$ns" link del stt0 2> /dev/null
    ip -n "$ns" link add stt0 address 52:54:00:00:00:0b up type stt id "$id" \
        "$@"
}

# received EXPECTED...: checks what b has received and decapsulated.
received() {
    printf '%s\n' "$@" > "$TMPDIR/expected"
    wait "$capture"
    diff "$TMPDIR/expected" "$TMPDIR/captured"
}

eth=52540000000b52540000000a
icmp=${eth}08004500002c01014000400125ce0a0000010a000002
icmp=${icmp}08000b36123400015354542d6578616d706c652d49434d50
tcp6=${eth}86dd6020000000210640fd000000000000000000000000000001
tcp6=${tcp6}fd000000000000000000000000000002
tcp6=${tcp6}c35001bbaabbccdd0102030450187210d2d500005354542d6f7665722d49507636
udp=${eth}08004500002c03034000401123bc0a0000010a000002
udp=${udp}4e204e210018142c5354542d6578616d706c652d564c414e
letters=$(/usr/bin/python3 -c '
print(bytes(97 + i % 26 for i in range(500)).hex())')
tso=${eth}08004500021c02024000400622d80a0000010a000002
tso=${tso}c350005011223344556677885018721016110000$letters

device b 42 remote 192.0.2.1
listen b stt0 1
vector stt-icmp.pcap
check "vector: ICMP" received "$icmp"

device b 0x0123456789abcdef remote 192.0.2.1
for file in stt-tso3.pcap stt-tso3-reordered.pcap; do
    listen b stt0 1
    vector $file
    check "vector: $file" received "csum=34+16 tso4=160 $tso"
    # Segments of a frame that is complete would be duplicates.
    sleep 1.1
done

device b 42 remote 192.0.2.1
listen b stt0 1
vector stt-vlan.pcap
check "vector: VLAN tag" received "vlan=a064 csum=34+6 $udp"

for ns in a b; do
    within $ns sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
done
device b 0xfedcba9876543210 remote 2001:db8::1
host_address() { ip -n "$1" address replace "$2" dev eth0 nodad; }
host_address a 2001:db8::1/64
host_address b 2001:db8::2/64
listen b stt0 1
vector stt-ipv6-outer.pcap
check "vector: IPv6" received "$tcp6"

# Sending.  What differs from a vector by design: IP ID, source port, packet
# ID, and checksums.
sent() {
    printf '%s\n' "$@" > "$TMPDIR/expected"
    wait "$capture"
    /usr/bin/python3 "$top/tests/stt-wire.py" decode < "$TMPDIR/captured" |
        sed -n 's/^frame [0-9]*: //p' > "$TMPDIR/decoded"
    diff "$TMPDIR/expected" "$TMPDIR/decoded"
}
emit() {
    echo "$*" | within a /usr/bin/python3 "$top/tests/kernel/wire.py" send stt0
}
# Let the kernel compute what the judge is to see.
offloads a tx=off tso=off gso=off
ip -n b link set eth0 promisc on
ip -n b link del stt0
ip -n a neighbor replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev eth0
device a 42 remote 192.0.2.2
listen b eth0 1
emit "$icmp"
check "sent: ICMP" sent "flags=0x00 l4ofs=0 mss=0 tci=0x0000 key=0x2a $icmp"

device a 0x0123456789abcdef remote 192.0.2.2
ip -n a link set eth0 mtu 256
listen b eth0 3
emit "csum=34+16 tso4=160 $tso"
check "sent: three segments" sent \
    "flags=0x0e l4ofs=34 mss=160 tci=0x0000 key=0x123456789abcdef $tso"
check "sent: outer headers of segments" sh -c "
    /usr/bin/python3 '$top/tests/stt-wire.py' decode < '$TMPDIR/captured' |
        grep -v '^frame' | sed 's/id=[0-9]* //; s/ [0-9]* > 7471/ > 7471/' |
        tee '$TMPDIR/outer'
    [ \$(grep -c 'ttl=64.* DF' '$TMPDIR/outer') -eq 3 ] &&
    ! grep -E 'BAD|UNUSUAL' '$TMPDIR/outer' &&
    grep -q '216+216\$' '$TMPDIR/outer' && grep -q '432+140 PSH' '$TMPDIR/outer'"
ip -n a link set eth0 mtu 1500

device a 42 remote 192.0.2.2
listen b eth0 1
emit "csum=38+6 ${eth}8100a064${udp#"$eth"}"
check "sent: VLAN tag" sent \
    "flags=0x06 l4ofs=34 mss=0 tci=0xb064 key=0x2a $udp"
listen b eth0 1
emit "${eth}88a8a0648100a065${icmp#"$eth"}"
check "sent: tags of 802.1ad stay in the frame" sent \
    "flags=0x00 l4ofs=0 mss=0 tci=0x0000 key=0x2a ${eth}88a8a0648100a065${icmp#"$eth"}"
listen b eth0 1
emit "${eth}8100b064${icmp#"$eth"}"
check "sent: a tag with DEI stays in the frame" sent \
    "flags=0x00 l4ofs=0 mss=0 tci=0x0000 key=0x2a ${eth}8100b064${icmp#"$eth"}"

# TTL, TOS and DF.
device a 7 remote 192.0.2.2 ttl 9 tos 0x88 df unset
listen b eth0 1
emit "$icmp"
wait "$capture"
check "sent: TTL, TOS and no DF" sh -c "
    /usr/bin/python3 '$top/tests/stt-wire.py' decode < '$TMPDIR/captured' |
        tee /dev/stderr | grep -q 'tos=0x88 ttl=9 id=[0-9]* [0-9]* > 7471'"
device a 7 remote 192.0.2.2 ttl inherit tos inherit df inherit
listen b eth0 1
emit "${eth}080045ba002c01014000070100000a0000010a00000208000b36123400015354542d6578616d706c652d49434d50"
wait "$capture"
check "sent: all inherited" sh -c "
    /usr/bin/python3 '$top/tests/stt-wire.py' decode < '$TMPDIR/captured' |
        tee /dev/stderr | grep -q 'tos=0xba ttl=7 id=[0-9]* DF [0-9]* > 7471'"

# The path's MTU, learned from an ICMP message about what has been sent.
device a 42 remote 192.0.2.2
emit "$icmp"
too_big() {
    /usr/bin/python3 - "$1" "$2" << 'END' | within b \
        /usr/bin/python3 "$top/tests/kernel/wire.py" send eth0
import struct
import sys


def csum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ip(src, dst, proto, length):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 1, 0, 64, proto, 0,
                    bytes(src), bytes(dst))
    return h[:10] + struct.pack("!H", csum(h)) + h[12:]


mtu, peer = int(sys.argv[1]), int(sys.argv[2])
quoted = (ip((192, 0, 2, 1), (192, 0, 2, peer), 6, 1480)
          + struct.pack("!HHHH", 40000, 7471, 30000, 1460))
icmp = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quoted
icmp = icmp[:2] + struct.pack("!H", csum(icmp)) + icmp[4:]
print("020000000001" "020000000002" "0800"
      + (ip((192, 0, 2, 2), (192, 0, 2, 1), 1, len(icmp)) + icmp).hex())
END
}
route_mtu() {
    ip -n a route get 192.0.2.2 | tee /dev/stderr | grep -q "mtu $1"
}
too_big 1000 77
check "ICMP about somebody else is refused" \
    wait_for 10 "refusal" counts a pmtu_refused 1
too_big 1000 2
check "ICMP about a segment lowers the MTU of the route" \
    wait_for 10 "MTU" route_mtu 1000
check "and is counted" counts a pmtu_updates 1
listen b eth0 4
emit "csum=34+16 tso4=1400 $(echo "$tso" | sed "s/4500021c/45000c1c/")$letters$letters$letters$letters$letters"
wait "$capture"
check "and the next frame has segments that fit" sh -c "
    /usr/bin/python3 '$top/tests/stt-wire.py' decode < '$TMPDIR/captured' |
        tee /dev/stderr | grep -q ' 0+960\$'"
