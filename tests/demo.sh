#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# demo.sh: shows what STT in the userspace datapath does, on one machine.
# "make demo" runs it.  tests/lab.sh has a drawing of the topology.
#
# Environment:
#
#   OVS_BUILD_DIR  the build tree (required)
#   HYPERVISORS    how many hypervisors to make (2)
#   KEEP           not empty: leave everything running at the end
#   KIND           kind of tunnel that is shown (stt)
#   KINDS          kinds that are compared, KIND and "none" among them
#                  (none stt vxlan geneve gre)
#   DEMO_JSON      where the figures go (OVS_BUILD_DIR/../demo.json)
#   ROUNDS         rounds of the comparison, time permitting (5)
#
# The exit status is 0 only if everything it shows works.

LAB_HERE=$(cd "$(dirname "$0")" && pwd) || exit
: "${HYPERVISORS:=2}" "${KEEP=}" "${KIND:=stt}" "${ROUNDS:=5}"
# One second per run: the pipe is full within milliseconds, and the median of
# many short runs depends less on what else the machine does.
SECONDS_PER_RUN=1
LIMIT=85
BEGIN=$(date +%s)
: "${KINDS:=none stt vxlan geneve gre}"
STREAMS="1 4"

# The two tenants' context IDs differ only above bit 32: where VXLAN's and
# Geneve's 24 bits or GRE's 32 bits can't see it.
RED_KEY=0xc0ffee0000000001
BLUE_KEY=0xdecade0000000001
OTHER_KEY=7

# shellcheck source-path=SCRIPTDIR
. "$LAB_HERE/lab.sh"

## ---------------------------------------------------------------- ##
## Talking.                                                         ##
## ---------------------------------------------------------------- ##

colours() {
    LAB_ON='' LAB_OFF='' TITLE='' GOOD='' BAD='' OFF=''
    test -t 1 || return
    LAB_ON=$(printf '\033[36m') TITLE=$(printf '\033[1m')
    GOOD=$(printf '\033[32m') BAD=$(printf '\033[1;31m')
    OFF=$(printf '\033[0m') LAB_OFF=$OFF
}

title() {
    STEP=$((STEP + 1))
    printf '\n%s%s. %s%s\n' "$TITLE" "$STEP" "$*" "$OFF"
}

# Explains, from standard input.
say() {
    sed '/./s/^/  /'
    echo
}

die() {
    printf '%sdemo: %s%s\n' "$BAD" "$*" "$OFF" >&2
    exit 1
}

# Prints and runs a command on a node.  The demo ends if it fails.
show() {
    LAB_SHOW=1
    lab_run "$@" || die "the command above failed"
    LAB_SHOW=''
}

## ---------------------------------------------------------------- ##
## Preparation.                                                     ##
## ---------------------------------------------------------------- ##

check() {
    local s=''
    case $HYPERVISORS in
    [2-9] | [1-9][0-9]) ;;
    *) die "HYPERVISORS must be a number from 2 to 99, not '$HYPERVISORS'" ;;
    esac
    case $ROUNDS in
    [1-9] | [1-9][0-9]) ;;
    *) die "ROUNDS must be a number from 1 to 99, not '$ROUNDS'" ;;
    esac
    if test "$(id -u)" != 0; then
        test "$HYPERVISORS" = 2 || s="$s HYPERVISORS=$HYPERVISORS"
        test -z "$KEEP" || s="$s KEEP=$KEEP"
        echo "The demo makes network namespaces, which needs root.  Run:"
        echo
        if test -n "$MAKELEVEL"; then
            echo "    sudo make demo$s"
        else
            echo "    sudo env OVS_BUILD_DIR='$OVS_BUILD_DIR'$s sh '$0'"
        fi
        exit 1
    fi
    test -n "$OVS_BUILD_DIR" || die "OVS_BUILD_DIR must name a build tree"
    test -x "$OVS_BUILD_DIR/vswitchd/ovs-vswitchd" \
        || die "no ovs-vswitchd in $OVS_BUILD_DIR"
    lab_need ip ss ping ethtool iperf3 tcpdump tshark || exit
    : "${DEMO_JSON:=$OVS_BUILD_DIR/../demo.json}"
    # VXLAN's keys are short, so with another kind there is less to show.
    test "$KIND" = stt || { RED_KEY=0x1 BLUE_KEY=0x2; }
}

# Makes hypervisor N's VMs.  The tenants have the same addresses, IP and
# Ethernet.
machines() {
    LAB_VM_MAC=$(printf '02:00:00:00:00:%02x' "$1")
    show_vm "red$1" "hv$1" "10.0.0.$1/24"
    show_vm "blue$1" "hv$1" "10.0.0.$1/24"
}

show_vm() {
    LAB_SHOW=1
    lab_vm "$@" || die "cannot make VM $1"
    LAB_SHOW=''
}

# Prints the numbers of the hypervisors.
all() {
    seq 1 "$HYPERVISORS"
}

# Prints the OpenFlow flows of hypervisor N.
#
# Table 0 says which tenant a packet belongs to, table 1 where it goes.
flows() {
    local n="$1" m tunnels=''
    for m in $(all); do
        test "$m" = "$n" || tunnels="$tunnels,$KIND-$m"
    done
    echo "in_port=red$n actions=set_field:$RED_KEY->tun_id,resubmit(,1)"
    echo "in_port=blue$n actions=set_field:$BLUE_KEY->tun_id,resubmit(,1)"
    echo "tun_id=$RED_KEY actions=red$n"
    echo "tun_id=$BLUE_KEY actions=blue$n"
    for m in $(all); do
        test "$m" = "$n" || printf 'table=1 dl_dst=02:00:00:00:00:%02x %s\n' \
            "$m" "actions=$KIND-$m"
    done
    echo "table=1 dl_dst=ff:ff:ff:ff:ff:ff actions=${tunnels#,}"
}

## ---------------------------------------------------------------- ##
## Scenes.                                                          ##
## ---------------------------------------------------------------- ##

scene_hypervisors() {
    title "$HYPERVISORS hypervisors"
    say << END
Each has a network namespace with an ovsdb-server and an ovs-vswitchd of its
own.  The userspace datapath (datapath_type=netdev) runs in ovs-vswitchd; no
kernel module is involved.  br-phy has the network card, eth0, and the
hypervisor's address; br-int is for the VMs.
END
    LAB_SHOW=1
    lab_hypervisors "$HYPERVISORS" || die "cannot make the hypervisors"
    LAB_SHOW=''
    lab_exec hv1 ovs-vsctl get Open_vSwitch . iface_types | tr -d '[],' \
        | grep -qw "$KIND" || die "this ovs-vswitchd knows no type $KIND"
    echo
    show hv1 ovs-vswitchd --version
}

scene_machines() {
    local n
    title "Two tenants with the same addresses"
    say << END
A VM is a namespace whose eth0 is plugged into br-int.  The tenants, red and
blue, know nothing of each other: both use 10.0.0.0/24, and even the same
Ethernet addresses.
END
    for n in $(all); do
        machines "$n"
    done
}

scene_tunnels() {
    local n
    title "Tunnels"
    say << END
One port per remote hypervisor.  key=flow leaves the key, which STT calls
context ID, to the OpenFlow tables: a tenant is a number of 64 bits.  The two
below differ only above bit 32, where VXLAN, Geneve and GRE have no bits.
END
    LAB_SHOW=1
    lab_mesh "$KIND" options:key=flow || die "cannot add the tunnels"
    LAB_SHOW=''
    for n in $(all); do
        flows "$n" > "$LAB_DIR/flows-$n"
    done
    echo
    show hv1 ovs-ofctl add-flows br-int "$LAB_DIR/flows-1"
    sed 's/^/    /' "$LAB_DIR/flows-1"
    for n in $(all); do
        test "$n" = 1 || show "hv$n" ovs-ofctl add-flows br-int \
            "$LAB_DIR/flows-$n"
    done
    echo
    show hv1 ovs-vsctl show
}

scene_ping() {
    local n
    title "Traffic"
    say << END
The VMs' MTU is 1500 and so is the underlay's: a full-sized packet of a VM does
not fit into one packet of the underlay, and goes through nevertheless.
END
    # The underlay's ARP costs the first packet of each tunnel.
    for n in $(all); do
        test "$n" = 1 && continue
        lab_reach red1 "10.0.0.$n" && lab_reach blue1 "10.0.0.$n" \
            || die "hv1 does not reach hv$n"
    done
    show red1 ping -c 3 -i 0.2 10.0.0.2
    echo
    test "$KIND" != stt || {
        show red1 ping -c 1 -M "do" -s 1472 10.0.0.2
        echo
        show red1 ping -c 1 -q -s 65000 10.0.0.2
        echo
    }
    n=3
    while test "$n" -le "$HYPERVISORS"; do
        show red1 ping -c 1 -q "10.0.0.$n"
        n=$((n + 1))
        echo
    done
    say << END
The tenants are kept apart.  When blue's 10.0.0.2 goes away, red's stays:
END
    show blue2 ip link set eth0 down
    LAB_SHOW=1
    if lab_run blue1 ping -q -c 1 -W 0.5 10.0.0.2; then
        die "blue's 10.0.0.2 is down and answers"
    fi
    LAB_SHOW=''
    echo
    show red1 ping -q -c 1 10.0.0.2
    show blue2 ip link set eth0 up
}

scene_flows() {
    title "From tenant to context ID"
    say << END
The OpenFlow flow on hv1 that says which context ID red has, and what the
datapath made of it: hv1 pushes a ready-made header, hv2 matches its tun_id.
END
    lab_reach red1 10.0.0.2 || die "red1 does not reach red2"
    show hv1 ovs-ofctl --no-stats dump-flows br-int in_port=red1
    echo
    lab_show hv1 ovs-appctl dpctl/dump-flows
    lab_exec hv1 ovs-appctl dpctl/dump-flows \
        | grep -m 1 "eth_type(0x0800).*tnl_push.*$KIND(.*$RED_KEY" \
        || die "no datapath flow pushes a $KIND header"
    echo
    lab_show hv2 ovs-appctl dpctl/dump-flows
    lab_exec hv2 ovs-appctl dpctl/dump-flows \
        | grep -m 1 "tunnel(tun_id=$RED_KEY.*eth_type(0x0800)" \
        || die "no datapath flow matches the tenant's key"
}

scene_packet() {
    local pcap="$LAB_DIR/packet.pcap"
    title "A packet on the wire"
    say << END
One ping, captured on hv1's network card and taken apart by tshark.
END
    lab_capture hv1 eth0 "$pcap" ip proto 6 or ip proto 17 or ip proto 47 \
        || die "cannot capture"
    lab_exec red1 ping -q -c 1 10.0.0.2 > /dev/null || die "no answer"
    lab_capture_stop "$pcap" || die "cannot capture"
    lab_show hv1 tshark -r packet.pcap -o ip.try_heuristic_first:TRUE \
        -c 1 -O "$KIND"
    tshark -n -r "$pcap" -o ip.try_heuristic_first:TRUE -c 1 -O "$KIND" \
        2> /dev/null > "$LAB_DIR/packet.txt"
    grep -q "^$(dissector)" "$LAB_DIR/packet.txt" \
        || die "tshark sees no $KIND in it"
    cat "$LAB_DIR/packet.txt"
}

# Prints how tshark's line about the tunnel begins.
dissector() {
    case $KIND in
    stt) echo "Stateless Transport Tunneling" ;;
    vxlan) echo "Virtual eXtensible" ;;
    *) echo "Gener" ;;
    esac
}

## ---------------------------------------------------------------- ##
## Comparison.                                                      ##
## ---------------------------------------------------------------- ##

# Adds the ports of the kinds that are compared, between hv1 and hv2.  Flows
# in red's port decide which of them it uses.
compare_prepare() {
    local k n m
    for k in $KINDS; do
        for n in 1 2; do
            m=$((3 - n))
            test "$k" = "$KIND" || lab_tunnel "hv$n" "$k-$m" "$k" \
                "$(lab_address "$m")" options:key="$OTHER_KEY" || return
            lab_exec "hv$n" ovs-ofctl add-flow br-int \
                "priority=50000 in_port=$k-$m,actions=red$n" || return
        done
    done
    lab_iperf_server red2
}

# Leads red's traffic through kind $1.
compare_switch() {
    local k="$1" n key mtu=1500
    # Only STT and no tunnel at all leave a VM its whole MTU.
    case $k in
    vxlan | geneve) mtu=1450 ;;
    gre) mtu=1458 ;;
    esac
    key="set_field:$OTHER_KEY->tun_id,"
    test "$k" != "$KIND" || key="set_field:$RED_KEY->tun_id,"
    test "$k" != none || key=''
    for n in 1 2; do
        lab_exec "red$n" ip link set eth0 mtu "$mtu" \
            && lab_exec "hv$n" ovs-ofctl add-flow br-int \
               "priority=50000 in_port=red$n,actions=$key$k-$((3 - n))" \
            || return
    done
    lab_settle && lab_reach red1 10.0.0.2
}

# Runs iperf3 for kind $1 with each number of streams and notes the results.
compare_run() {
    local k="$1" streams bps
    for streams in $STREAMS; do
        bps=$(lab_iperf red1 10.0.0.2 "$streams" "$SECONDS_PER_RUN") || return
        echo "$k $streams $bps" >> "$LAB_DIR/figures"
    done
}

# Prints the kinds in the order in which round $1 measures them.  The tunnel
# that is shown and no tunnel have a turn, in either order, with each of the
# others: their ratio is the finest, and takes the most runs to tell.
compare_order() {
    local k n="$1" others=''
    for k in $KINDS; do
        test "$k" = none || test "$k" = "$KIND" || others="$others $k"
    done
    for k in ${others:-""}; do
        case $((n % 2)) in
        0) echo "$KIND none $k" ;;
        1) echo "none $KIND $k" ;;
        esac
        n=$((n + 1))
    done
}

# Runs all kinds once.
compare_round() {
    local k
    for k in $(compare_order "$1"); do
        compare_switch "$k" && compare_run "$k" || die "$k does not work"
        test ! -t 1 || printf '\r  round %s: %s \033[K' "$1" "$k"
    done
}

# Prints how many bytes hv1 has sent through its port of each kind.
compare_sent() {
    local k
    lab_exec hv1 ovs-appctl revalidator/wait
    for k in $KINDS; do
        lab_exec hv1 ovs-ofctl dump-ports br-int "$k-2" \
            | sed -n "s/.*tx pkts=[0-9]*, bytes=\([0-9]*\),.*/$k \1/p"
    done
}

# Fails unless the bytes that were measured went through the kinds' own ports.
# compare_sent's answers are in "before" and "after".
compare_verify() {
    awk -v seconds="$SECONDS_PER_RUN" '
        FILENAME ~ /before$/ { sent[$1] -= $2 }
        FILENAME ~ /after$/ { sent[$1] += $2 }
        FILENAME ~ /figures$/ { measured[$1] += $3 * seconds / 8 }
        END {
            for (kind in measured) {
                if (sent[kind] < measured[kind] / 2) {
                    print "lab: the traffic did not go through " kind
                    exit 1
                }
            }
        }' "$LAB_DIR/before" "$LAB_DIR/after" "$LAB_DIR/figures" >&2
}

scene_compare() {
    local round=0 start last=0 now
    title "Throughput"
    say << END
iperf3 from red1 to red2, 1 and 4 TCP streams, with userspace TSO: the switch
takes packets of 64 KB from the VM.  All kinds in turn, no tunnel and STT more
often; the median counts.  Compare the lines of one table only: machines
differ.
END
    compare_prepare || die "cannot prepare the comparison"
    : > "$LAB_DIR/figures"
    compare_sent > "$LAB_DIR/before"
    start=$(date +%s)
    now=$start
    # On a slow machine there are fewer rounds, so that nobody has to wait.
    while test "$round" -lt "$ROUNDS" && { test "$round" = 0 \
        || test $((now + last - BEGIN)) -lt "$LIMIT"; }; do
        round=$((round + 1))
        compare_round "$round"
        last=$(($(date +%s) - now))
        now=$((now + last))
    done
    compare_sent > "$LAB_DIR/after"
    compare_verify || die "the comparison does not count"
    test ! -t 1 || printf '\r\033[K'
    echo "  Rounds: $round, in $((now - start)) s."
    echo
    GOOD=$GOOD BAD=$BAD OFF=$OFF KIND=$KIND "$PYTHON3" - "$LAB_DIR/figures" \
        "$DEMO_JSON" << 'END' || die "cannot write $DEMO_JSON"
import collections
import json
import os
import statistics
import sys

NAMES = {"none": "no tunnel", "stt": "STT", "vxlan": "VXLAN",
         "geneve": "Geneve", "gre": "GRE"}
runs = collections.defaultdict(lambda: collections.defaultdict(list))
for line in open(sys.argv[1]):
    kind, streams, bps = line.split()
    runs[streams][kind].append(int(bps))
result = {s: {k: statistics.median(v) for k, v in kinds.items()}
          for s, kinds in runs.items()}

print("  %-12s" % "Mbit/s" + "".join("%21s" % (
    s + (" stream" if s == "1" else " streams")) for s in result))
for kind in result["1"]:
    print("  %-12s" % NAMES[kind] + "".join("%21s" % (
        "%.0f (%.0f-%.0f)" % (result[s][kind] / 1e6,
                              min(runs[s][kind]) / 1e6,
                              max(runs[s][kind]) / 1e6)) for s in result))
print()

shown = os.environ["KIND"]
floors = result if shown == "stt" else {}
others = [k for k in ("vxlan", "geneve", "gre") if k in result["1"]]
for s, r in floors.items():
    limits = [("none", "no tunnel", 0.85)]
    if others:
        best = max(others, key=lambda k: r[k])
        limits += [(best, "best of the others, " + NAMES[best], 3)]
    for other, name, floor in limits:
        ratio = r[shown] / r[other]
        met = ratio >= floor
        print("  %s stream%s: %s is %.2f times %s: %s%s floor of %s%s" % (
            s, "" if s == "1" else "s", NAMES[shown], ratio, name,
            os.environ["GOOD" if met else "BAD"],
            "above the" if met else "MISSED the", floor, os.environ["OFF"]))

with open(sys.argv[2] + ".tmp", "w") as f:
    json.dump({s: {k: int(v) for k, v in r.items()}
               for s, r in result.items()}, f, indent=2)
    f.write("\n")
os.rename(sys.argv[2] + ".tmp", sys.argv[2])
END
    echo
    echo "  (median, and in parentheses the slowest and fastest run)"
    echo "  The figures are also in $(realpath "$DEMO_JSON")."
}

scene_end() {
    title "The end"
    if test -z "$KEEP"; then
        say << END
Everything is removed again.  "make demo KEEP=1" leaves it running, to look
around; "make demo HYPERVISORS=3" makes more of it.
END
        return
    fi
    lab_keep
    say << END
Everything is left running.  On a VM, run commands like

    ip netns exec $(lab_ns red1) ping 10.0.0.2

and on a hypervisor

    export OVS_RUNDIR=$LAB_DIR/hv1 PATH=$OVS_BUILD_DIR/utilities:\$PATH
    ovs-vsctl show
    ovs-ofctl dump-flows br-int
    ovs-appctl dpctl/dump-flows
    ip netns exec $(lab_ns hv1) tcpdump -n -i eth0

Logs and databases are in $LAB_DIR.  To stop and remove it all:

    $LAB_STOP
END
}

main() {
    colours
    check
    # A direct cable is the fair underlay, but it has only two ends.
    LAB_TSO=true
    test "$HYPERVISORS" != 2 || LAB_SWITCH=no
    lab_init && lab_trap || exit
    scene_hypervisors
    scene_machines
    scene_tunnels
    scene_ping
    scene_flows
    scene_packet
    scene_compare
    scene_end
}

main
