#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# soak.sh: has STT carry mixed traffic over a bad network for a long time,
# amid an attack and changes of the configuration, and then looks for what
# such a time leaves behind.  "make soak" runs it.
#
# Environment:
#
#   OVS_BUILD_DIR  the build tree (default: programs are in PATH)
#   SOAK_SECONDS   how long there is traffic (3600)
#   SOAK_SEED      other random choices of the network and the attacker (1)
#   SOAK_TSO       userspace TSO, true or false (true)
#   SOAK_GROWTH    kilobytes that either ovs-vswitchd may grow by between the
#                  first and the last third of the time after the warm-up,
#                  which is a quarter of the time, at most 5 minutes (4096)
#
# The exit status is 0 only if all that was sent arrived as it was, no segment
# is stuck, the counters add up, memory has not grown, and the switches have
# nothing unexpected in their logs.

LAB_HERE=$(cd "$(dirname "$0")" && pwd) || exit
: "${SOAK_SECONDS:=3600}" "${SOAK_SEED:=1}" "${SOAK_TSO:=true}"
: "${SOAK_GROWTH:=4096}"
# Little next to what a core can do.
ATTACK_RATE=2000

# shellcheck source-path=SCRIPTDIR
. "$LAB_HERE/lab.sh"

die() {
    echo "soak: $*" >&2
    exit 1
}

# work NAME COMMAND...
#
# Repeats COMMAND in the background for as long as there is traffic, and notes
# each run in NAME.ok or "failures".
work() {
    local name="$1"
    shift
    : > "$LAB_DIR/$name.ok"
    while test -e "$LAB_DIR/traffic"; do
        if "$@" > "$LAB_DIR/$name.out" 2>&1; then
            cat "$LAB_DIR/$name.out" >> "$LAB_DIR/$name.ok"
        else
            sed "s/^/$name: /" "$LAB_DIR/$name.out" >> "$LAB_DIR/failures"
            echo "$name: failed" >> "$LAB_DIR/failures"
            sleep 1
        fi
    done
}

# change N
#
# Makes the Nth change of the configuration, while there is traffic.
change() {
    local hv n
    case $(($1 % 6)) in
    0) # The tunnel's port goes and comes back.
        lab_exec hv2 ovs-vsctl del-port stt-1 \
            && lab_tunnel hv2 stt-1 stt "$(lab_address 1)" options:key=42
        ;;
    1) # Shorter segments.
        lab_exec hv1 ovs-vsctl set interface stt-2 \
            options:max_segment_size=700
        ;;
    2) # Other ports come and go.
        for n in 1 2 3 4; do
            lab_tunnel hv1 "x$n" stt 192.0.2.9 "options:key=$n" \
                "options:dst_port=$((7469 + n))" || return
        done
        for n in 1 2 3 4; do
            lab_exec hv1 ovs-vsctl del-port "x$n" || return
        done
        ;;
    3)
        lab_exec hv1 ovs-vsctl remove interface stt-2 options max_segment_size
        ;;
    4) # Another key and other limits.
        for hv in hv1 hv2; do
            n=$((3 - ${hv#hv}))
            lab_exec "$hv" ovs-vsctl set interface "stt-$n" options:key=43 \
                -- set Open_vSwitch . \
                other_config:stt-reassembly-timeout=200 || return
        done
        ;;
    5)
        for hv in hv1 hv2; do
            n=$((3 - ${hv#hv}))
            lab_exec "$hv" ovs-vsctl set interface "stt-$n" options:key=42 \
                -- remove Open_vSwitch . other_config stt-reassembly-timeout \
                || return
        done
        ;;
    esac
}

# traffic
#
# Lets traffic flow for SOAK_SECONDS.  Notes the memory of both switches.
traffic() {
    local begin now changes=0 worker workers=''
    begin=$(date +%s)
    : > "$LAB_DIR/traffic" && : > "$LAB_DIR/failures"
    work tcp4 lab_transfer red1 tcp 10.0.0.2 2000000 & workers="$workers $!"
    work tcp6 lab_transfer red1 tcp fd00::2 2000000 & workers="$workers $!"
    work mss lab_transfer red1 tcp 10.0.0.2 100000 536 & workers="$workers $!"
    # These have no checksum, so that nothing but STT's sees a change.  Over
    # IPv4, none is longer than the MTU: Linux would sometimes put fragments of
    # two datagrams with the same identification together, of which one has
    # lost the rest (RFC 4963).  IPv6 has longer identifications.
    work udp4 lab_transfer red1 echo 10.0.0.2 5 100 3000 8000 8900 &
    workers="$workers $!"
    work udp6 lab_transfer red1 echo fd00::2 5 100 3000 8000 20000 &
    workers="$workers $!"

    while now=$(($(date +%s) - begin)); test "$now" -lt "$SOAK_SECONDS"; do
        if test $((now / 5)) -gt "$changes"; then
            change "$changes" || die "cannot change the configuration"
            changes=$((changes + 1))
        fi
        echo "$now $(lab_rss hv1) $(lab_rss hv2)" >> "$LAB_DIR/memory"
        sleep 1
    done

    rm "$LAB_DIR/traffic"
    for worker in $workers; do
        wait "$worker"
    done
    echo "Changes of the configuration: $changes"
}

# memory
#
# Judges the memory of both switches over time.
memory() {
    "$PYTHON3" - "$LAB_DIR/memory" "$SOAK_SECONDS" "$SOAK_GROWTH" << 'END'
import sys

samples = [tuple(map(int, line.split())) for line in open(sys.argv[1])]
duration, bound = map(int, sys.argv[2:])
begin = min(duration / 4, 300)
third = (duration - begin) / 3
status = 0
for hv in 1, 2:
    first = [s[hv] for s in samples if begin <= s[0] < begin + third]
    last = [s[hv] for s in samples if s[0] >= duration - third]
    growth = max(last) - max(first)
    print("Memory of hv%d: %d kB, then %d kB: grown by %d of at most %d kB"
          % (hv, max(first), max(last), growth, bound))
    if growth > bound:
        status = 1
sys.exit(status)
END
}

main() {
    local attack name hv
    # shellcheck disable=SC2034
    LAB_TSO=$SOAK_TSO LAB_VM_MTU=9000 LAB_FAMILY=4 LAB_SWITCH=yes
    lab_init && lab_trap || exit
    lab_hypervisors 2 && lab_vm red1 hv1 10.0.0.1/24 fd00::1/64 \
        && lab_vm red2 hv2 10.0.0.2/24 fd00::2/64 \
        && lab_mesh stt options:key=42 && lab_normal \
        && lab_reach red1 10.0.0.2 && lab_reach red1 fd00::2 \
        && lab_serve red2 && lab_attacker \
        && lab_relay 2 --seed="$SOAK_SEED" --loss=0.1 --reorder=1 \
               --duplicate=1 --corrupt=0.1 \
        && lab_attack 1 2 --seed="$SOAK_SEED" --rate=$ATTACK_RATE \
        || die "cannot build the lab"
    attack=$LAB_PID

    traffic
    kill "$attack" && lab_wait 10 "end of the attack" lab_gone "$attack" \
        || die "the attacker has died"
    FAILED=
    sed -n 's/^{/Attack: {/p' "$LAB_DIR/attack"
    printf 'Network: '
    lab_relay_stop 2 lost reordered duplicated corrupted || FAILED=1
    for name in tcp4 tcp6 mss udp4 udp6; do
        echo "Good runs of $name: $(wc -l < "$LAB_DIR/$name.ok")"
        test -s "$LAB_DIR/$name.ok" || FAILED=1
    done
    for hv in hv1 hv2; do
        lab_balance $hv || FAILED=1
        echo "Reassembly of $hv:"
        lab_exec $hv ovs-appctl stt/reassembly-show | sed 's/^/  /'
    done
    memory || FAILED=1

    # What nobody should have seen.
    cat "$LAB_DIR/failures" "$LAB_DIR/transfer-red2.log" > "$LAB_DIR/bad"
    lab_logs '/netdev_stt.WARN.*: dropped [0-9]* from/d
              /receive tunnel port not found/d' >> "$LAB_DIR/bad"
    test ! -s "$LAB_DIR/bad" || FAILED=1
    cat "$LAB_DIR/bad"

    test -z "$FAILED" || die "something is wrong, see above"
    echo "All is well after $SOAK_SECONDS s."
}

main
