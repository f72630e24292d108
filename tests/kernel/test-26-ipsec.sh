#! /bin/sh
# Title: STT ports of the kernel datapath with IPsec
# Seconds: 500
#
# Host a has Open vSwitch with an encrypted STT port, for which ovs-monitor-ipsec
# writes the configuration of an IKE daemon.  There is no such daemon here: its
# part, to agree on keys and to give the kernel the connections that it finds in
# the configuration, is played by the test, on both hosts.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need tcpdump /usr/bin/python3
need_module openvswitch esp4 xfrm_user
two_hosts
ovs_start

# What "ipsec" is asked for is of no interest here.
root=$TMPDIR/root
mkdir -p "$root/usr/sbin" "$root/etc"
cat > "$root/usr/sbin/ipsec" << 'END'
#! /bin/sh
case $1 in
--version) echo "Libreswan 5.1" ;;
esac
END
chmod +x "$root/usr/sbin/ipsec"
OVS_PKGDATADIR=$top/build/ovs/vswitchd PYTHONPATH=$top/build/ovs/python
export OVS_PKGDATADIR PYTHONPATH
within a /usr/bin/python3 "$top/build/ovs/ipsec/ovs-monitor-ipsec" --detach \
    --pidfile="$TMPDIR/monitor.pid" --log-file="$TMPDIR/monitor.log" \
    --root-prefix="$root" --ike-daemon=libreswan --no-restart-ike-daemon \
    "unix:$TMPDIR/db.sock" || not_ok "ovs-monitor-ipsec starts"
at_exit "kill $(cat "$TMPDIR/monitor.pid")"

ovs-vsctl add-br br0 \
    -- add-port br0 stt0 -- set interface stt0 type=stt \
    options:remote_ip=192.0.2.2 options:local_ip=192.0.2.1 options:key=42 \
    options:psk=secret
ip -n b link add stt0 type stt remote 192.0.2.1 id 42
tunnel_up b 2
ip -n a address add 10.0.0.1/24 dev br0
ip -n a link set br0 up
serve b

# configured: succeeds if the configuration has both connections, and keeps a
# copy of it.  ovs-monitor-ipsec writes it anew again and again.
configured() {
    cp "$root/etc/ipsec.conf" "$TMPDIR/ipsec.conf" &&
        [ "$(grep -c 'protoport=tcp' "$TMPDIR/ipsec.conf")" -eq 4 ] &&
        grep '^conn stt0-in-1' "$TMPDIR/ipsec.conf" &&
        grep '^conn stt0-out-1' "$TMPDIR/ipsec.conf"
}

# value CONNECTION NAME: prints what the copy says.
value() {
    sed -n "/^conn $1\$/,/^\$/s/^ *$2=//p" "$TMPDIR/ipsec.conf"
}

check "configuration" wait_for 60 "the connections" configured
cat "$TMPDIR/ipsec.conf"

# connection NS NAME LOCAL REMOTE: gives the kernel of NS the policies of a
# connection of the configuration.  The other end's is the same with the sides
# exchanged.
connection() {
    local_port=$(value "$2" leftprotoport)
    remote_port=$(value "$2" rightprotoport)
    case $1 in
    b) other=$local_port local_port=$remote_port remote_port=$other ;;
    esac
    [ "${local_port%%/*}" = tcp ] && [ "${remote_port%%/*}" = tcp ] || return
    l=${local_port#tcp} l=${l#/} r=${remote_port#tcp} r=${r#/}
    ip -n "$1" xfrm policy add dir out src "$3/32" dst "$4/32" proto tcp \
        ${l:+sport $l} ${r:+dport $r} \
        tmpl src "$3" dst "$4" proto esp mode transport &&
        ip -n "$1" xfrm policy add dir in src "$4/32" dst "$3/32" proto tcp \
            ${r:+sport $r} ${l:+dport $l} \
            tmpl src "$4" dst "$3" proto esp mode transport
}

for ns in a b; do
    for sa in "192.0.2.1 dst 192.0.2.2 spi 0x101" \
              "192.0.2.2 dst 192.0.2.1 spi 0x102"; do
        ip -n $ns xfrm state add src $sa proto esp mode transport \
            enc 'cbc(aes)' 0x00112233445566778899aabbccddeeff \
            auth 'hmac(sha256)' 0x00112233445566778899aabbccddeeff0011223344556677 ||
            skip "the kernel has no AES in CBC mode, or no HMAC of SHA-256"
    done
done

check "it encrypts TCP to port 7471, and from it, both ways" sh -c '
    [ "$1" = "tcp/7471 tcp tcp tcp/7471" ]' sh \
    "$(value stt0-in-1 leftprotoport) $(value stt0-in-1 rightprotoport) \
$(value stt0-out-1 leftprotoport) $(value stt0-out-1 rightprotoport)"
for name in stt0-in-1 stt0-out-1; do
    connection a $name 192.0.2.1 192.0.2.2 &&
        connection b $name 192.0.2.2 192.0.2.1 ||
        not_ok "the kernel takes connection $name"
done

# What b's NIC sees.
rm -f "$TMPDIR/ready"
within b tcpdump -l -n -i eth0 esp or tcp port 7471 > "$TMPDIR/wire" \
    2> "$TMPDIR/ready" &
at_exit "kill $!"
wait_for 20 "tcpdump" grep -q "listening on" "$TMPDIR/ready"
# on_wire FILTER: prints how many packets there were.
on_wire() {
    grep -c "$1" "$TMPDIR/wire"
}

check "ping" wait_for 30 "ping" pings 10.0.0.2 56
check "ping of more than a packet" pings 10.0.0.2 1400 1472 5000
check "TCP" transfer tcp 10.0.0.2 500000
check "UDP" transfer udp 10.0.0.2 3 100 1400
for way in "192.0.2.1 > 192.0.2.2: ESP(spi=0x00000101" \
           "192.0.2.2 > 192.0.2.1: ESP(spi=0x00000102"; do
    check "encrypted on the wire: $way" wait_for 20 "ESP" \
        grep -F "$way" "$TMPDIR/wire"
done
check "and nothing else was seen" [ "$(on_wire "\.7471[: ]")" -eq 0 ]

# The policy of the connection, and not luck, is what protects.
ip -n b xfrm policy flush
check "an end without IPsec is not listened to" \
    refuse within b ping -c 1 -W 2 10.0.0.1
check "though it sends, as the wire shows" wait_for 20 "packets of STT" \
    grep '192\.0\.2\.2\.[0-9]* > 192\.0\.2\.1\.7471:' "$TMPDIR/wire"
check "which is counted" sh -c 'ip netns exec a ethtool -S stt_sys_7471 |
    tee /dev/stderr | grep "drop_policy: [1-9]"'

ovs-vsctl del-port stt0
check "without the port, there is no connection" wait_for 60 "its end" sh -c \
    "! grep '^conn stt0' '$root/etc/ipsec.conf'"
check "all content was right" [ ! -s "$TMPDIR/serve" ]
