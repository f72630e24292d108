#! /bin/sh
# usage: bench.sh [SETTING...]
#
# Compares tunnels of Open vSwitch's kernel datapath with each other, and with
# no tunnel.  It is only for the kernel test machine, with VM_CLOCK=instructions
# (see boot); "make bench-kernel" runs it.
#
# Two hosts, each with an Open vSwitch of its own, are connected by a pair of
# veth devices.  Traffic comes from bridge br0 of host a and goes to that of
# host b:
#
#     none    through eth1, which is a port of br0,
#     KIND    through a tunnel port of br0, whose packets take eth0.
#
# In a SETTING, both devices are alike:
#
#     tso     UDP and GRE tunnels are not segmented by the NIC, TCP is
#     gro     ... and what a host receives is merged
#     plain   neither is segmented by the NIC
#     merged  ... and what a host receives is merged
#     all     all of them are segmented by the NIC, as in tso with a better NIC.
#
# Packets of tunnels are not tracked, as the manual has it.  A run is STREAMS
# streams of TCP for RUN_SECONDS; the kinds take turns, ROUNDS times.  The time is
# that of the machine.  If it goes by as instructions are executed, the figures
# say how many those are for a byte: they do not depend on what else the computer
# does, and don't know what a cache miss costs.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"

: "${ROUNDS:=3}" "${RUN_SECONDS:=1}" "${STREAMS:=4}"
KINDS="none stt vxlan geneve gre"
top=$PWD

die() {
    echo "bench: $*" >&2
    exit 1
}

# The features that the packets of UDP and GRE tunnels need to be left to a NIC,
# and those that TCP needs.
TUNNELS="tx-udp_tnl-segmentation tx-udp_tnl-csum-segmentation
         tx-gre-segmentation tx-gre-csum-segmentation
         tx-ipxip4-segmentation tx-ipxip6-segmentation tx-udp-segmentation"
TCP="tx-tcp-segmentation tx-tcp6-segmentation tx-tcp-ecn-segmentation
     tx-tcp-mangleid-segmentation"

# features NS DEVICE on|off FEATURE...: sets features, and checks that they are
# set.
features() {
    ns=$1 device=$2 state=$3
    shift 3
    for feature; do
        within "$ns" ethtool -K "$device" "$feature" "$state" > /dev/null
        within "$ns" ethtool -k "$device" > "$TMPDIR/features" &&
            grep -q "^[[:space:]]*$feature: $state" "$TMPDIR/features" ||
            die "$device: $feature is not $state"
    done
}

# set_up SETTING: makes the devices what SETTING says.
set_up() {
    tunnels=off
    case $1 in
        all) tso=on gro=off tunnels=on ;;
        tso) tso=on gro=off ;;
        gro) tso=on gro=on ;;
        plain) tso=off gro=off ;;
        merged) tso=off gro=on ;;
        *) die "there is no setting $1" ;;
    esac
    for ns in a b; do
        for device in eth0 eth1; do
            features $ns $device $tunnels $TUNNELS
            features $ns $device $tso $TCP
            features $ns $device $gro generic-receive-offload
        done
    done
}

# on NS COMMAND...: runs a command of Open vSwitch on host NS.
on() {
    on=$1
    shift
    OVS_RUNDIR=$TMPDIR/$on OVS_LOGDIR=$TMPDIR/$on OVS_DBDIR=$TMPDIR/$on \
        OVS_SYSCONFDIR=$TMPDIR/$on ip netns exec "$on" "$@"
}

# host NS N: gives host NS its switch and addresses.
host() {
    mkdir "$TMPDIR/$1"
    ovsdb-tool create "$TMPDIR/$1/conf.db" \
        "$top/build/ovs/vswitchd/vswitch.ovsschema" &&
        on "$1" ovsdb-server --detach --no-chdir --pidfile --log-file \
            -vconsole:off --remote="punix:$TMPDIR/$1/db.sock" \
            "$TMPDIR/$1/conf.db" &&
        at_exit "on $1 ovs-appctl -t ovsdb-server exit" &&
        on "$1" ovs-vsctl --no-wait init &&
        on "$1" ovs-vswitchd --detach --no-chdir --pidfile --log-file \
            -vconsole:off &&
        at_exit "on $1 ovs-appctl exit --cleanup" &&
        on "$1" ovs-vsctl add-br br0 -- set interface br0 mtu_request=1400 &&
        ip -n "$1" address add "192.0.2.$2/24" dev eth0 &&
        ip -n "$1" address add "10.0.0.$2/24" dev br0 &&
        ip -n "$1" link set eth0 up && ip -n "$1" link set eth1 up &&
        ip -n "$1" link set br0 up &&
        within "$1" nft -f - << 'END'
table inet bench {
    chain in {
        type filter hook prerouting priority raw;
        iif "eth0" notrack
    }
    chain out {
        type filter hook output priority raw;
        oif "eth0" notrack
    }
}
END
}

# path KIND: connects the bridges with each other by KIND alone.
path() {
    for ns in a b; do
        case $1 in
            none) port=eth1 options="" ;;
            *) port=$1
               options="type=$1 options:key=42 options:remote_ip=192.0.2."
               case $ns in a) options=${options}2 ;; b) options=${options}1 ;;
               esac ;;
        esac
        for old in $(on $ns ovs-vsctl list-ports br0); do
            on $ns ovs-vsctl del-port "$old"
        done
        on $ns ovs-vsctl add-port br0 "$port" \
            ${options:+-- set interface "$port" $options} || return
    done
    wait_for 60 "a ping over $1" within a ping -c 1 -W 1 10.0.0.2 || return

    # What is too long for some tunnel would have all later runs have shorter
    # segments than the first ones: the route remembers.
    for ns in a b; do
        ip -n $ns link show br0 | grep -q ' mtu 1400 ' ||
            die "the MTU of br0 is not 1400"
    done
    ip -n a route get 10.0.0.2 > "$TMPDIR/route" || return
    ! grep -q ' mtu ' "$TMPDIR/route" || die "$(cat "$TMPDIR/route")"
}

# measure SETTING KIND: notes what passes in a second.
measure() {
    path "$2" || die "no way through $2"
    within a ip tcp_metrics flush
    within a iperf3 -J -c 10.0.0.2 -P "$STREAMS" -t "$RUN_SECONDS" \
        > "$TMPDIR/result" || die "$2: $(cat "$TMPDIR/result")"
    /usr/bin/python3 - "$TMPDIR/result" "$1" "$2" << 'END'
import json
import sys

end = json.load(open(sys.argv[1]))["end"]
print("#", sys.argv[2], sys.argv[3],
      int(end["sum_received"]["bits_per_second"]),
      end["sum_sent"]["retransmits"])
END
}

# table: reads the notes, and prints the medians and their ratios.
table() {
    /usr/bin/python3 -c '
import statistics
import sys

figures = {}
for line in sys.stdin:
    if line.startswith("# "):
        setting, kind, bps, again = line[2:].split()
        figures.setdefault(setting, {}).setdefault(kind, []).append(
            (int(bps), int(again)))
for setting, kinds in figures.items():
    print("\n%-8s %-8s %9s %19s %14s" % (
        "setting", "kind", "Mbit/s", "least to most", "retransmits"))
    median = {}
    for kind, runs in kinds.items():
        rates = [bps / 1e6 for bps, _ in runs]
        median[kind] = statistics.median(rates)
        print("%-8s %-8s %9.0f %9.0f %9.0f %14s" % (
            setting, kind, median[kind], min(rates), max(rates),
            "/".join(str(again) for _, again in runs)))
    best = max(k for k in ((median[k], k) for k in median
                           if k not in ("none", "stt")))
    print("stt / none: %.2f   stt / %s, the best of the others: %.2f" % (
        median["stt"] / median["none"], best[1], median["stt"] / best[0]))
'
}

need iperf3 ethtool nft
need_module stt openvswitch veth vport_vxlan vport_geneve vport_gre
PATH=$top/build/ovs/ovsdb:$top/build/ovs/vswitchd:$top/build/ovs/utilities:$PATH
OVS_CTL_TIMEOUT=60
export PATH OVS_CTL_TIMEOUT
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX") || exit
export TMPDIR
at_exit "rm -rf '$TMPDIR'"

namespace a b &&
    ip link add eth0 netns a type veth peer name eth0 netns b &&
    ip link add eth1 netns a type veth peer name eth1 netns b &&
    host a 1 && host b 2 || die "cannot set up the hosts"
ip netns exec b iperf3 -s > "$TMPDIR/server" 2>&1 &
at_exit "kill $!"
wait_for 60 "the server" sh -c "ip netns exec b ss -ltn | grep -q ':5201 '"

[ $# -gt 0 ] || set -- tso gro plain merged all
echo "Linux $(uname -r), $STREAMS streams of $RUN_SECONDS s, $ROUNDS rounds"
for setting; do
    set_up "$setting"
    round=0
    while [ $round -lt "$ROUNDS" ]; do
        for kind in $KINDS; do
            measure "$setting" "$kind"
        done
        round=$((round + 1))
    done
done | tee "$TMPDIR/notes"
[ "$(grep -c '^# ' "$TMPDIR/notes")" -eq $(($# * ROUNDS * 5)) ] ||
    die "some runs are missing"
table < "$TMPDIR/notes"
