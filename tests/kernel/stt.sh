# Functions for the tests of stt.ko, after those of lib.sh.
#
# Two hosts in namespaces, each with a device eth0, which are connected:
#
#     +-------------- a --------------+     +-------------- b --------------+
#     |  stt0, 10.0.0.1, fd00::1      |     |  stt0, 10.0.0.2, fd00::2      |
#     |  eth0, 192.0.2.1, 2001:db8::1 +-----+  eth0, 192.0.2.2, 2001:db8::2 |
#     +-------------------------------+veth +-------------------------------+
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

top=$PWD
IP_LIB_DIR=$top/build/ovs/utilities
export IP_LIB_DIR
[ -f "$IP_LIB_DIR/link_stt.so" ] || skip "there is no link_stt.so"
need_module stt veth

# two_hosts: makes the hosts, without stt0.
two_hosts() {
    namespace a b || return
    for ns in a b; do
        within $ns sysctl -qw net.ipv6.conf.default.accept_dad=0
    done
    ip link add eth0 netns a type veth peer name eth0 netns b || return
    host a 1
    host b 2
}

# host NS N: gives host NS its addresses.
host() {
    ip -n "$1" address replace "192.0.2.$2/24" dev eth0 &&
        ip -n "$1" address replace "2001:db8::$2/64" dev eth0 nodad &&
        ip -n "$1" link set eth0 up
}

# tunnel FAMILY [OPTION...]: makes stt0 on both hosts, over IPv4 or IPv6, with
# OPTIONs of the link type.
tunnel() {
    case $1 in
    4) remote_a=192.0.2.2 remote_b=192.0.2.1 ;;
    6) remote_a=2001:db8::2 remote_b=2001:db8::1 ;;
    esac
    shift
    ip -n a link add stt0 type stt remote $remote_a "$@" &&
        ip -n b link add stt0 type stt remote $remote_b "$@" &&
        tunnel_up a 1 && tunnel_up b 2
}

# tunnel_up NS N: gives stt0 of host NS its addresses.
tunnel_up() {
    ip -n "$1" link set stt0 mtu "${MTU:-1500}" up &&
        ip -n "$1" address add "10.0.0.$2/24" dev stt0 &&
        ip -n "$1" address add "fd00::$2/64" dev stt0 nodad
}

# counter NS NAME [DEVICE]: prints a counter of DEVICE, stt0 by default.
counter() {
    within "$1" ethtool -S "${3:-stt0}" |
        awk -v name="$2:" '$1 == name { print $2; found = 1 }
                           END { exit !found }'
}

# counts NS NAME N: succeeds if the counter is N.
counts() {
    n=$(counter "$1" "$2") && echo "$2 is $n" && [ "$n" -eq "$3" ]
}

# balance NS: succeeds if each segment that waited for others is in exactly one
# counter.  Nothing may wait any more.
balance() {
    within "$1" ethtool -S stt0 | awk -F '[: ]+' '
        { n[$2] = $3 }
        END {
            left = n["rx_segments"] - n["rx_segments_reassembled"] \
                - n["drop_len_changed"] - n["drop_duplicate"] \
                - n["drop_overlap"] - n["drop_segments"] - n["drop_evicted"] \
                - n["drop_expired"] - n["drop_flushed"] - n["drop_memory"] \
                - n["reassembly_segments"]
            print n["rx_segments"] " segments, " left " unaccounted for, " \
                n["reassembly_frames"] " frames wait"
            exit left != 0 || n["reassembly_frames"] != 0
        }'
}

# serve NS: answers the requests of "transfer" on host NS.
serve() {
    ip netns exec "$1" /usr/bin/python3 "$top/tests/lab-transfer.py" serve \
        > "$TMPDIR/serve" 2>&1 &
    at_exit "kill $!"
    wait_for 20 "server" sh -c \
        "ip netns exec $1 ss -ltn | grep -q ':7000 '"
}

# transfer WHAT...: has host a send data to b, and compare what arrives.
transfer() {
    within a timeout 300 /usr/bin/python3 "$top/tests/lab-transfer.py" "$@"
}

# pings ADDRESS SIZE...: pings from a, one of each size.
pings() {
    address=$1
    shift
    for size; do
        within a ping -c 1 -W 60 -s "$size" "$address" > "$TMPDIR/ping" || {
            echo "no answer of $size bytes"
            return 1
        }
    done
}

# offloads NS FEATURE...: sets features of eth0, each "FEATURE=on" or
# "FEATURE=off".
offloads() {
    ns=$1
    shift
    for feature; do
        within "$ns" ethtool -K eth0 "${feature%=*}" "${feature#*=}" || return
    done
}

# wire_hosts: gives the hosts the Ethernet addresses of the packets in
# tests/stt-vectors, and has them ask for no others.
wire_hosts() {
    for ns in a b; do
        ip -n $ns link set eth0 down
    done
    ip -n a link set eth0 address 02:00:00:00:00:01
    ip -n b link set eth0 address 02:00:00:00:00:02
    host a 1
    host b 2
    ip -n b neighbor replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0
}

# listen NS INTERFACE COUNT: begins to capture, into $TMPDIR/captured, what
# INTERFACE receives.  The process is $capture.
listen() {
    rm -f "$TMPDIR/ready"
    ip netns exec "$1" /usr/bin/python3 "$top/tests/kernel/wire.py" \
        capture "$2" "$3" > "$TMPDIR/captured" 2> "$TMPDIR/ready" &
    capture=$!
    wait_for 20 "capture" test -s "$TMPDIR/ready"
}

# vector FILE: has a send the packets in tests/stt-vectors/FILE.
vector() {
    /usr/bin/python3 "$top/tests/kernel/wire.py" pcap \
        "$top/tests/stt-vectors/$1" |
        within a /usr/bin/python3 "$top/tests/kernel/wire.py" send eth0
}

# Open vSwitch on host a.

# ovs_start: starts Open vSwitch in namespace a.  Its programs are in the PATH.
ovs_start() {
    ovs=$top/build/ovs
    PATH=$ovs/ovsdb:$ovs/vswitchd:$ovs/utilities:$PATH
    OVS_RUNDIR=$TMPDIR OVS_LOGDIR=$TMPDIR OVS_DBDIR=$TMPDIR
    OVS_SYSCONFDIR=$TMPDIR OVS_CTL_TIMEOUT=60
    export PATH OVS_RUNDIR OVS_LOGDIR OVS_DBDIR OVS_SYSCONFDIR OVS_CTL_TIMEOUT
    ovsdb-tool create "$TMPDIR/conf.db" "$ovs/vswitchd/vswitch.ovsschema" &&
        within a ovsdb-server --detach --no-chdir --pidfile --log-file \
            -vconsole:off --remote="punix:$TMPDIR/db.sock" \
            "$TMPDIR/conf.db" &&
        at_exit "ovs-appctl -t ovsdb-server exit" &&
        ovs-vsctl --no-wait init && vswitchd &&
        at_exit "ovs-appctl exit --cleanup"
}

# vswitchd: starts ovs-vswitchd, after it has ended.
vswitchd() {
    wait_for 20 "end of ovs-vswitchd" test ! -e "$TMPDIR/ovs-vswitchd.pid" &&
        within a ovs-vswitchd --detach --no-chdir --pidfile --log-file \
            -vconsole:off
}
