#! /bin/sh
# usage: bench.sh PLAN RUNS
#
# Compares tunnels of Open vSwitch's kernel datapath with each other, and with
# no tunnel.  It is only for the kernel test machine; "make bench-kernel" runs
# it, with VM_CLOCK=instructions (see boot).  PLAN is what "lab-figures.py plan
# kernel" prints, and the result of each run goes to directory RUNS, for
# "lab-figures.py summary".
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
#     plain   none of them is segmented by the NIC
#     merged  ... and what a host receives is merged
#     all     all of them are segmented by the NIC, as in tso with a better NIC.
#
# Packets of tunnels are not tracked, as the manual has it.  A run takes
# RUN_SECONDS of the machine's time.  If that goes by as instructions are executed,
# the figures say how many those are for a byte: they do not depend on what else
# the computer does, and don't know what a cache miss costs.
#
# The sender writes WRITE bytes at a time, or iperf3's 128 KB.  Those are two packets
# of 64 KB and a short one, and each has its price, as its acknowledgment does.
#
# If PROFILE is not empty, "perf" looks every 100,000 instructions at what the
# kernel does, and RUNS gets a report for each run, with the share of each
# function.  That makes the runs slower, so compare them with each other only.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"

: "${RUN_SECONDS:=1}"
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

# busy: prints for how many hundredths of a second processors have been busy.
busy() {
    awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8 }' /proc/stat
}

# measure KIND METRIC FILE: leaves in FILE what a run over KIND says.
measure() {
    path "$1" || die "no way through $1"
    within a ip tcp_metrics flush
    before=$(busy)
    within a $record iperf3 -J -c 10.0.0.2 -P "${2#tcp}" -t "$RUN_SECONDS" \
        ${WRITE:+-l "$WRITE"} > "$TMPDIR/result" || die "$1: $(cat "$TMPDIR/result")"
    after=$(busy)
    {
        printf '{"machine_s": %d.%02d, "iperf": ' \
            $(((after - before) / 100)) $(((after - before) % 100))
        cat "$TMPDIR/result"
        echo "}"
    } > "$3"
    if [ -n "$record" ]; then
        perf report -i "$TMPDIR/perf" --stdio -n --sort symbol \
            > "${3%.json}.profile.txt" 2> "$TMPDIR/report" ||
            die "$(cat "$TMPDIR/report")"
    fi
}

[ $# -eq 2 ] || die "usage: bench.sh PLAN RUNS"
need iperf3 ethtool nft ${PROFILE:+perf}
need_module stt openvswitch veth vport_vxlan vport_geneve vport_gre
PATH=$top/build/ovs/ovsdb:$top/build/ovs/vswitchd:$top/build/ovs/utilities:$PATH
OVS_CTL_TIMEOUT=60
export PATH OVS_CTL_TIMEOUT
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX") || exit
export TMPDIR
at_exit "rm -rf '$TMPDIR'"
record=${PROFILE:+perf record -q -a -e cpu-clock -c 100000 -o $TMPDIR/perf --}

namespace a b &&
    ip link add eth0 netns a type veth peer name eth0 netns b &&
    ip link add eth1 netns a type veth peer name eth1 netns b &&
    host a 1 && host b 2 || die "cannot set up the hosts"
ip netns exec b iperf3 -s > "$TMPDIR/server" 2>&1 &
at_exit "kill $!"
wait_for 60 "the server" sh -c "ip netns exec b ss -ltn | grep -q ':5201 '"

echo "Linux $(uname -r), TCP for $RUN_SECONDS s"
previous=
while read -r setting round kind metric; do
    if [ "$setting" != "$previous" ]; then
        set_up "$setting"
        previous=$setting
    fi
    echo "$setting, round $round, $kind, $metric"
    measure "$kind" "$metric" "$2/$setting.$round.$kind.$metric.json" \
        < /dev/null
done < "$1"
