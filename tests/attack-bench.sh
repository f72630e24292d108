#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# attack-bench.sh: measures what an attack on STT costs honest traffic beyond
# the CPU time that any packets of that number and size would take.  "make
# bench-attack" runs it.
#
# Environment:
#
#   OVS_BUILD_DIR  the build tree (required)
#   ROUNDS         rounds of the comparison (7)
#   RUN_SECONDS    of each run (3)
#   RATE           packets per second of the attack (20000), 0 for as many as
#                  possible
#   BENCH_TSO      userspace TSO, true or false (true)
#
# In each round, one stream of TCP passes the tunnel
#
#   alone       without anything beside it,
#   other       beside the attack's packets, sent to another host's address,
#               so that a flow drops them and no host answers,
#   harmless    beside valid frames of the same sizes that go through the
#               tunnel, where a flow drops them,
#   attack      beside the attack.

LAB_HERE=$(cd "$(dirname "$0")" && pwd) || exit
: "${ROUNDS:=7}" "${RUN_SECONDS:=3}" "${RATE:=20000}" "${BENCH_TSO:=true}"
OTHER=192.0.2.99

# shellcheck source-path=SCRIPTDIR
. "$LAB_HERE/lab.sh"

die() {
    echo "attack-bench: $*" >&2
    exit 1
}

# run KIND [OPTION...]
#
# Notes what passes beside packets of lab-attack with OPTIONs.
run() {
    local kind="$1" bps pid=''
    shift
    if test "$kind" != alone; then
        lab_attack 2 1 --rate="$RATE" "$@" || die "cannot attack"
        pid=$LAB_PID
    fi
    bps=$(lab_iperf red1 10.0.0.2 1 "$RUN_SECONDS") || die "no traffic"
    if test -n "$pid"; then
        kill "$pid" && lab_wait 10 "end of the attack" lab_gone "$pid" \
            || die "the attacker has died"
    fi
    echo "$kind $bps $(sed -n 's/^{/{/p' "$LAB_DIR/attack" 2> /dev/null)" \
        >> "$LAB_DIR/figures"
}

main() {
    local round=0 order="alone other harmless attack" kind
    # shellcheck disable=SC2034
    LAB_TSO=$BENCH_TSO LAB_FAMILY=4 LAB_SWITCH=yes
    lab_need iperf3 || exit
    lab_init && lab_trap || exit
    lab_hypervisors 2 && lab_vm red1 hv1 10.0.0.1/24 \
        && lab_vm red2 hv2 10.0.0.2/24 && lab_mesh stt options:key=42 \
        && lab_normal && lab_finish hv1 hv2 && lab_attacker \
        && lab_reach red1 10.0.0.2 && lab_iperf_server red2 \
        && lab_exec hv2 ovs-ofctl add-flow br-phy \
               "priority=9,ip,nw_dst=$OTHER,actions=drop" \
        && lab_tunnel hv2 harmless stt 192.0.2.1 options:key=2989 \
        && lab_exec hv2 ovs-ofctl add-flow br-int \
               priority=9,in_port=harmless,actions=drop \
        || die "cannot build the lab"
    while test "$round" -lt "$ROUNDS"; do
        for kind in $order; do
            case $kind in
                other) run other --to="$OTHER" ;;
                harmless) run harmless --harmless ;;
                *) run "$kind" ;;
            esac
        done
        # Each round begins with another kind, lest one always runs first.
        order="${order#* } ${order%% *}"
        round=$((round + 1))
    done
    "$PYTHON3" - "$LAB_DIR/figures" << 'END'
import collections
import json
import statistics
import sys

runs = collections.defaultdict(list)
rates = collections.defaultdict(list)
for line in open(sys.argv[1]):
    kind, bps, attack = line.strip("\n").split(" ", 2)
    runs[kind].append(int(bps))
    if kind != "alone":
        attack = json.loads(attack)
        rates[kind].append(attack["packets"] / attack["ms"])
for kind, values in runs.items():
    print("%-9s %7.0f Mbit/s (%.0f-%.0f)%s"
          % (kind, statistics.median(values) / 1e6, min(values) / 1e6,
             max(values) / 1e6, " beside %.0f thousand packets per second"
             % statistics.median(rates[kind]) if kind in rates else ""))
for kind in "alone", "other", "harmless":
    # Runs of one round are compared with each other, not with those of others,
    # since a machine is not always equally fast.
    ratios = [a / b for a, b in zip(runs["attack"], runs[kind])]
    print("attack / %-9s %.2f (%.2f-%.2f)"
          % (kind, statistics.median(ratios), min(ratios), max(ratios)))
END
}

main
