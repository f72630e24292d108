#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# ovn.sh: OVN drives a logical network over STT.  "make check-ovn" runs it.
#
#   +------+ +-------+     +------+ +-------+     +------+ +-------+
#   | red1 | | blue1 |     | red2 | | blue2 |     | red3 | | blue3 |
#   +--+---+ +---+---+     +--+---+ +---+---+     +--+---+ +---+---+
#      |         |            |         |            |         |
#   +--+---------+---+     +--+---------+---+     +--+---------+---+
#   |     br-int     |     |     br-int     |     |     br-int     |  tunnels
#   | ovn-controller |     | ovn-controller |     | ovn-controller |
#   |     br-phy     |     |     br-phy     |     |     br-phy     |  192.0.2.N
#   +-------+--------+     +-------+--------+     +-------+--------+
#       hv1 |                  hv2 |                  hv3 |
#           +----------------------+----------------------+ sw
#
#                     +--------------------------+
#        central:     | northd, nb and sb        |  ovsdb-server, for all hvN
#                     +--------------------------+
#
# What the machines belong to, as OVN sees it:
#
#      red1 red2 red3                                 blue1 blue2 blue3
#        |    |    |                                    |     |     |
#   +----+----+----+----+       +----------+      +-----+-----+-----+----+
#   |        red        +-------+  router  +------+         blue         |
#   +-------------------+.254   +----------+  .254+----------------------+
#   10.0.1.0/24 fd00:1::/64                       10.0.2.0/24 fd00:2::/64
#
# lab.sh makes the hypervisors and has a more detailed drawing of them.
#
# Environment:
#
#   OVS_BUILD_DIR  the build tree (required)
#   OVN_DIR        where OVN's packages were unpacked (OVS_BUILD_DIR/../ovn)
#   OVN_CASES      only these cases, by the names of their functions below
#
# The last line says "ovn: N passed, M failed".  The exit status is 0 only if
# nothing failed.

LAB_HERE=$(cd "$(dirname "$0")" && pwd) || exit
: "${OVN_DIR:=$OVS_BUILD_DIR/../ovn}"
: "${OVN_CASES:=logical_switch router ipv6 acl dhcp broadcast multicast keys
    mobility gateway change migration both controller_restart switch_restart
    complaints manual}"
HVS="hv1 hv2 hv3"

# shellcheck source-path=SCRIPTDIR
. "$LAB_HERE/lab.sh"

## ---------------------------------------------------------------- ##
## Cases.                                                           ##
## ---------------------------------------------------------------- ##

PASSED=0 FAILED=0

# ok DESCRIPTION COMMAND...
#
# One case, which passes if COMMAND succeeds.
ok() {
    local what="$1" begin
    shift
    begin=$(date +%s)
    printf '\n--- %s\n' "$what"
    if "$@"; then
        PASSED=$((PASSED + 1))
        what="ok - $what"
    else
        FAILED=$((FAILED + 1))
        explain
        what="not ok - $what"
    fi
    echo "$what ($(($(date +%s) - begin)) s)"
}

# total
#
# Prints the last line, and ends the script.
total() {
    lab_cleanup
    echo "ovn: $PASSED passed, $FAILED failed"
    test "$FAILED" = 0 && test "$PASSED" -gt 0
    exit
}

# explain
#
# Prints what may be of help with a case that has failed.
explain() {
    local hv
    for hv in $HVS; do
        echo "# $hv:"
        lab_exec "$hv" ovs-vsctl --format=csv --no-headings --data=bare \
            --columns=name,type,ofport,error,options list interface
        lab_exec "$hv" ovs-appctl stt/show
        tail -n 5 "$LAB_DIR/$hv/ovs-vswitchd.log" \
            "$LAB_DIR/$hv/ovn-controller.log"
    done 2>&1 | sed 's/^/# /'
}

## ---------------------------------------------------------------- ##
## OVN.                                                             ##
## ---------------------------------------------------------------- ##

# nbctl ARGUMENT...
# sbctl ARGUMENT...
#
# Commands on central.  The former are printed.
nbctl() {
    lab_show central ovn-nbctl "$@"
    ovn-nbctl "$@"
}

sbctl() {
    ovn-sbctl --bare "$@"
}

# central
#
# Starts both databases, in one ovsdb-server, and ovn-northd.
central() {
    local d="$LAB_DIR/central" db
    mkdir "$d" && lab_namespace central || return
    for db in nb sb; do
        ovsdb-tool create "$d/$db.db" \
            "$OVN_DIR/usr/share/ovn/ovn-$db.ovsschema" || return
    done
    OVN_NB_DB=unix:$d/nb.sock OVN_SB_DB=unix:$d/sb.sock
    export OVN_NB_DB OVN_SB_DB
    # The same server may be asked for either.
    lab_spawn central "$d/ovsdb-server.out" ovsdb-server --no-chdir \
        -vconsole:emer -vsyslog:off --log-file="$d/ovsdb-server.log" \
        --unixctl="$d/ovsdb-server.ctl" --remote="p$OVN_NB_DB" \
        --remote="p$OVN_SB_DB" \
        --remote=db:OVN_Southbound,SB_Global,connections \
        "$d/nb.db" "$d/sb.db"
    lab_wait 10 "ovsdb-server of central" test -S "$d/sb.sock" || return
    ovn-nbctl init && ovn-sbctl init || return
    lab_spawn central "$d/ovn-northd.out" ovn-northd --no-chdir \
        -vconsole:emer -vsyslog:off --log-file="$d/ovn-northd.log" \
        --unixctl="$d/ovn-northd.ctl" \
        --ovnnb-db="$OVN_NB_DB" --ovnsb-db="$OVN_SB_DB"
    lab_wait 10 "ovn-northd" test -S "$d/ovn-northd.ctl"
}

# chassis N ENCAP
#
# Makes hvN a chassis of OVN that wants to be reached with ENCAP.
chassis() {
    local hv="hv$1"
    lab_run "$hv" ovs-vsctl set Open_vSwitch . \
        external_ids:system-id="$hv" \
        external_ids:ovn-remote="$OVN_SB_DB" \
        external_ids:ovn-bridge-datapath-type=netdev \
        external_ids:ovn-encap-ip="$(lab_address "$1")" \
        external_ids:ovn-encap-type="$2" && controller "$hv"
}

# controller HV
#
# Starts ovn-controller on HV.
controller() {
    local d="$LAB_DIR/$1"
    lab_spawn "$1" "$d/ovn-controller.out" \
        env OVN_RUNDIR="$d" OVN_LOGDIR="$d" ovn-controller --no-chdir \
        -vconsole:emer -vsyslog:off --pidfile --log-file "unix:$d/db.sock"
    lab_wait 10 "ovn-controller of $1" controller_runs "$1"
}

# controller_ctl HV COMMAND...
controller_ctl() {
    local hv="$1"
    shift
    lab_exec "$hv" ovs-appctl -t "$LAB_DIR/$hv/ovn-controller.$(cat \
        "$LAB_DIR/$hv/ovn-controller.pid").ctl" "$@"
}

controller_runs() {
    controller_ctl "$1" version
}

# vm NAME N ADDRESS...
#
# Makes a VM on hvN, and its port, on the logical switch that its NAME begins
# with.  Without any ADDRESS it has to ask DHCP.
vm() {
    local name="$1" n="$2" switch="${1%[0-9]}" net
    shift 2
    LAB_VM_MAC=$(mac "$name") LAB_VM_MTU=1400
    lab_vm "$name" "hv$n" "$@" || return
    net=$(net "$switch")
    test $# = 0 || {
        lab_run "$name" ip route add default via "10.0.$net.254" \
            && lab_run "$name" ip route add default via "fd00:$net::fe"
    } || return
    lab_run "hv$n" ovs-vsctl set interface "$name" \
        external_ids:iface-id="$name"
}

# mac NAME
# net SWITCH
#
# Prints a VM's Ethernet address, and the number of a logical switch's
# networks.
mac() {
    echo "02:00:00:00:0$(net "${1%[0-9]}"):0${1#"${1%[0-9]}"}"
}

net() {
    case $1 in
    red) echo 1 ;;
    blue) echo 2 ;;
    esac
}

# tunnels_are TYPE HV...
#
# Succeeds when each HV has a tunnel to each of the others, of that TYPE, which
# the switch has taken without complaint.  OVN itself does not look at that.
tunnels_are() {
    local type="$1" hv
    shift
    for hv; do
        lab_exec "$hv" ovs-vsctl --format=csv --no-headings --data=bare \
            --columns=name,type,ofport,error,options list interface \
            | awk -F , -v type="$type" -v want=2 '
                $1 ~ /^ovn-/ {
                    n++
                    if ($2 != type || $3 < 1 || $4 != "" \
                        || $5 !~ /csum=true/ || $5 !~ /key=flow/) {
                        bad = 1
                    }
                }
                END { exit bad || n != want }' || return
    done
}

# encap TYPE HV...
#
# Lets each HV ask to be reached by tunnels of TYPE.
encap() {
    local type="$1" hv
    shift
    for hv; do
        lab_run "$hv" ovs-vsctl set Open_vSwitch . \
            external_ids:ovn-encap-type="$type" || return
    done
}

# encap_all TYPE
#
# The same for all, until it has come to pass.
encap_all() {
    # shellcheck disable=SC2086
    encap "$1" $HVS && lab_wait 30 "tunnels of type $1" tunnels_are "$1" $HVS
}

# datapath_key SWITCH
# port_key NAME
#
# Prints the number that OVN has given to a logical switch, or a port.
datapath_key() {
    sbctl --columns=tunnel_key find datapath_binding external_ids:name="$1"
}

port_key() {
    sbctl --columns=tunnel_key find port_binding logical_port="$1"
}

# context FROM TO SWITCH
#
# Prints the context ID of a packet from port FROM to port TO of SWITCH, the
# way OVN's manual has it: 15 bits of ingress port, 16 bits of egress port and
# 24 bits of datapath.
context() {
    printf '0x%016x\n' $((($(port_key "$1") << 40) + ($(port_key "$2") << 24) \
                          + $(datapath_key "$3")))
}

## ---------------------------------------------------------------- ##
## Traffic.                                                         ##
## ---------------------------------------------------------------- ##

# reach NODE ADDRESS...
#
# Waits until NODE has had an answer from each ADDRESS.
reach() {
    local node="$1" address
    shift
    for address; do
        lab_reach "$node" "$address" 30 || return
    done
}

# silent NODE ADDRESS
#
# Succeeds if NODE gets no answer to pings of ADDRESS.
silent() {
    lab_settle || return
    lab_show "$1" ping -n -q -c 3 -i 0.2 -W 1 "$2"
    ! lab_exec "$1" ping -n -q -c 3 -i 0.2 -W 1 "$2" > /dev/null \
        || lab_fail "$2 answers $1"
}

# watch_ping HV NODE ADDRESS
#
# Pings ADDRESS from NODE and prints what carried each of three pings and
# answers on HV's NIC: "request" or "reply", the addresses of the underlay, the
# kind of tunnel, and STT's context ID.  There may be other traffic.  It is not
# about packets that are lost, so it tries three times.
#
# The host's own stack says "port unreachable" of Geneve; of STT it must not.
watch_ping() {
    local pcap="$LAB_DIR/watch.pcap" try=1
    reach "$2" "$3" && lab_settle || return
    lab_show "$2" ping -c 3 -i 0.2 "$3" >&2
    until watch_once "$@"; do
        test "$try" -lt 3 || lab_fail "$2 loses pings of $3" || return
        try=$((try + 1))
    done
    tshark -n -r "$pcap" -o ip.try_heuristic_first:TRUE \
        -Y "icmp && frame contains \"$PING_TEXT\"" \
        -T fields -E separator=' ' -E occurrence=f -e icmp.type \
        -e ip.src -e ip.dst -e frame.protocols -e stt.context_id \
        2> "$LAB_DIR/tshark.err" \
        | sed 's/^8 /request /; s/^0 /reply /
               s/ [a-z:]*:\(stt\|geneve\|vxlan\):[a-z:]* *\(.*\)/ \1 \2/
               s/ *$//; /^3 .* geneve$/d'
}

# These 16 bytes, which are also a text, are in a ping twice.
PING_PATTERN=6f6e65206f66207468652070696e6773 PING_TEXT='one of the pings'

# watch_once HV NODE ADDRESS
#
# Captures three pings and their answers.
watch_once() {
    lab_capture "$1" eth0 "$pcap" ip || return
    if lab_exec "$2" ping -n -q -c 3 -i 0.2 -W 5 -p "$PING_PATTERN" "$3" \
        | grep -q ' 3 received'; then
        lab_wait 10 "capture" occurs 12 "$PING_TEXT" "$pcap"
    else
        false
    fi
    set -- $?
    capture_end "$LAB_CAPTURE" && return "$1"
}

# occurs COUNT TEXT FILE
#
# Succeeds if FILE, which may be binary, has TEXT at least COUNT times.
occurs() {
    test "$(grep -aoF "$2" "$3" | wc -l)" -ge "$1"
}

# wire_is HV NODE ADDRESS LINE...
#
# Fails unless watch_ping prints exactly these LINEs, three times each.
wire_is() {
    local hv="$1" node="$2" address="$3"
    shift 3
    watch_ping "$hv" "$node" "$address" | sort > "$LAB_DIR/wire"
    printf '%s\n' "$@" "$@" "$@" | sort | diff - "$LAB_DIR/wire" \
        || lab_fail "on $hv's wire, there are others (>) than expected (<)"
    sort -u "$LAB_DIR/wire" | sed 's/^/  wire: /'
    printf '%s\n' "$@" "$@" "$@" | sort | cmp -s - "$LAB_DIR/wire"
}

# chat_start NODE ADDRESS
# chat_stop LIMIT
#
# Keeps a TCP connection to ADDRESS, where "ovn-traffic.py serve" runs, busy in
# the meantime.  It must live through it without falling silent for more than
# LIMIT milliseconds.
chat_start() {
    : > "$LAB_DIR/chat"
    lab_spawn "$1" "$LAB_DIR/chat.log" "$PYTHON3" \
        "$LAB_HERE/ovn-traffic.py" chat "$2" "$LAB_DIR/chat"
    CHAT=$LAB_PID
    lab_wait 10 "first words of $1 and $2" grep -q ready "$LAB_DIR/chat.log"
}

chat_stop() {
    local silence
    rm "$LAB_DIR/chat"
    lab_wait 70 "end of the conversation" lab_gone "$CHAT" || return
    tail -n 1 "$LAB_DIR/chat.log"
    silence=$(sed -n 's/^chat: .* silence \([0-9]*\) ms$/\1/p' \
        "$LAB_DIR/chat.log")
    test -n "$silence" || lab_fail "the conversation broke off" || return
    test "$silence" -le "$1" \
        || lab_fail "the conversation paused for $silence ms"
}

## ---------------------------------------------------------------- ##
## What is tested.                                                  ##
## ---------------------------------------------------------------- ##

hypervisors() {
    local n
    # shellcheck disable=SC2034
    LAB_TSO=true
    lab_hypervisors 3 && central || return
    for n in 1 2 3; do
        chassis "$n" stt || return
    done
    # shellcheck disable=SC2086
    lab_wait 30 "tunnels" tunnels_are stt $HVS
    lab_run hv1 ovs-vsctl --columns=name,type,options,ofport,error \
        find interface type=stt
    # shellcheck disable=SC2086
    tunnels_are stt $HVS
}

network() {
    local n name
    nbctl ls-add red -- ls-add blue -- lr-add router \
        -- lrp-add router to-red 02:00:00:00:01:fe \
            10.0.1.254/24 fd00:1::fe/64 \
        -- lsp-add red red-router -- lsp-set-type red-router router \
        -- lsp-set-addresses red-router router \
        -- lsp-set-options red-router router-port=to-red \
        -- lrp-add router to-blue 02:00:00:00:02:fe \
            10.0.2.254/24 fd00:2::fe/64 \
        -- lsp-add blue blue-router -- lsp-set-type blue-router router \
        -- lsp-set-addresses blue-router router \
        -- lsp-set-options blue-router router-port=to-blue || return
    for name in red1 red2 red3 blue1 blue2 blue3; do
        n=${name#"${name%[0-9]}"}
        nbctl lsp-add "${name%[0-9]}" "$name" -- lsp-set-addresses "$name" \
            "$(mac "$name") 10.0.$(net "${name%[0-9]}").$n \
fd00:$(net "${name%[0-9]}")::$n" || return
        case $name in
        blue2) vm "$name" "$n" ;;
        *) vm "$name" "$n" "10.0.$(net "${name%[0-9]}").$n/24" \
            "fd00:$(net "${name%[0-9]}")::$n/64" ;;
        esac || return
    done
    for name in red1 red2 blue3; do
        lab_serve "$name" || return
        lab_spawn "$name" "$LAB_DIR/serve-$name" "$PYTHON3" \
            "$LAB_HERE/ovn-traffic.py" serve
        lab_wait 10 "server on $name" lab_listening "$name" 7002 || return
    done
    nbctl --wait=hv sync
}

logical_switch() {
    reach red1 10.0.1.2 10.0.1.3 && reach red2 10.0.1.3 \
        && wire_is hv1 red1 10.0.1.2 \
            "request 192.0.2.1 192.0.2.2 stt $(context red1 red2 red)" \
            "reply 192.0.2.2 192.0.2.1 stt $(context red2 red1 red)" \
        && lab_transfer red1 tcp 10.0.1.2 8000000
}

router() {
    # A router is where its machines are, so hv1 decides about the way there,
    # and hv3 about the way back.
    wire_is hv1 red1 10.0.2.3 \
        "request 192.0.2.1 192.0.2.3 stt $(context blue-router blue3 blue)" \
        "reply 192.0.2.3 192.0.2.1 stt $(context red-router red1 red)" \
        && lab_run red1 ping -n -c 1 10.0.2.3 | grep 'ttl=63 ' \
        && lab_transfer red1 tcp 10.0.2.3 8000000
}

ipv6() {
    reach red1 fd00:1::2 fd00:2::3 && reach blue1 fd00:2::3 \
        && lab_transfer red1 tcp fd00:2::3 8000000 \
        && lab_transfer red1 udp fd00:1::2 50 100 1200
}

# red3 may talk to whom it likes, and nobody else may begin.
acl() {
    nbctl --wait=hv \
        acl-add red from-lport 1000 'inport == "red3"' allow-related \
        -- acl-add red to-lport 1000 'outport == "red3" && ip' drop \
        && silent red1 10.0.1.3 && silent blue1 10.0.1.3 \
        && reach red3 10.0.1.1 10.0.1.2 10.0.2.1 \
        && lab_transfer red3 tcp 10.0.1.1 8000000 \
        && lab_transfer red3 tcp fd00:1::1 8000000 \
        && reach red1 10.0.1.2 \
        && nbctl --wait=hv acl-del red \
        && reach red1 10.0.1.3
}

dhcp() {
    local options script="$LAB_DIR/dhcp"
    cat > "$script" << 'END'
#!/bin/sh
case $1 in
deconfig)
    ip -4 address flush dev "$interface"
    ;;
bound)
    ip address add "$ip/$mask" dev "$interface" \
        && ip route add default via "$router"
    ;;
esac
END
    chmod +x "$script"
    options=$(nbctl create dhcp_options cidr=10.0.2.0/24 \
        options:server_id=10.0.2.254 options:server_mac=02:00:00:00:02:fe \
        options:lease_time=3600 options:router=10.0.2.254 | tail -n 1) \
        && nbctl --wait=hv lsp-set-dhcpv4-options blue2 "$options" \
        && lab_run blue2 busybox udhcpc -i eth0 -n -q -f -t 20 -T 1 \
            -s "$script" \
        && lab_run blue2 ip -brief -4 address show dev eth0 \
            | grep '10\.0\.2\.2/24' \
        && reach blue2 10.0.2.1 10.0.2.3 10.0.1.3 \
        && wire_is hv2 blue2 10.0.2.3 \
            "request 192.0.2.2 192.0.2.3 stt $(context blue2 blue3 blue)" \
            "reply 192.0.2.3 192.0.2.2 stt $(context blue3 blue2 blue)"
}

# matches CAPTURE FILTER
#
# Prints STT's context IDs of the packets in CAPTURE that match tshark's FILTER.
matches() {
    tshark -n -r "$1" -o ip.try_heuristic_first:TRUE -Y "$2" -T fields \
        -e stt.context_id 2> "$LAB_DIR/tshark.err"
}

# matched COUNT CAPTURE FILTER
#
# Succeeds if at least COUNT packets do.
matched() {
    test "$(matches "$2" "$3" | wc -l)" -ge "$1"
}

# group_contexts COUNT CAPTURE FILTER PID SWITCH NAME
#
# Waits until COUNT packets in CAPTURE match tshark's FILTER, ends the capture,
# which is process PID, and fails unless these are all, and port NAME has sent
# them to multicast groups of SWITCH, whose numbers have bit 15 set.
group_contexts() {
    lab_wait 20 "capture" matched "$1" "$2" "$3" && capture_end "$4" \
        && matches "$2" "$3" > "$LAB_DIR/contexts" || return
    "$PYTHON3" - "$LAB_DIR/contexts" "$1" "$(datapath_key "$5")" \
        "$(port_key "$6")" << 'END'
import sys

ids = [int(line, 16) for line in open(sys.argv[1])]
count, datapath, port = map(int, sys.argv[2:])
for i in set(ids):
    print("  wire: 0x%016x" % i)
    if i & 0xffffff != datapath or i >> 40 != port or not i >> 39 & 1:
        sys.exit("context ID of no multicast group of the sender's")
if len(ids) != count:
    sys.exit("%d packets of these, not %d" % (len(ids), count))
END
}

# capture_end PID
#
# Ends a capture that has what it has to have.
capture_end() {
    kill -INT "$1" && lab_wait 10 "end of tcpdump" lab_gone "$1"
}

# seen CAPTURE FILTER
#
# Prints the packets of CAPTURE that match tcpdump's FILTER.  Fails without any.
seen() {
    tcpdump -n -r "$1" "$2" 2> "$LAB_DIR/tcpdump.err" | grep .
}

# frames NODE COUNT SIZE...
#
# Has NODE broadcast COUNT Ethernet frames of each SIZE.
frames() {
    local node="$1"
    shift
    lab_exec "$node" "$PYTHON3" "$LAB_HERE/lab-transfer.py" frames eth0 88b5 \
        "$@"
}

# Sends 20 frames to all of red.  No frame may be missing, or there twice, and
# blue must not get any but its own.
broadcast() {
    local name pids='' blue
    reach red1 10.0.1.2 10.0.1.3 && reach blue1 10.0.2.3 && lab_settle \
        || return
    for name in red2 red3; do
        lab_spawn "$name" "$LAB_DIR/listen-$name" "$PYTHON3" \
            "$LAB_HERE/lab-transfer.py" listen eth0 88b5 20
        pids="$pids $LAB_PID"
        lab_wait 10 "listener on $name" grep -q ready "$LAB_DIR/listen-$name" \
            || return
    done
    lab_capture blue3 eth0 "$LAB_DIR/blue.pcap" ether proto 0x88b5 || return
    blue=$LAB_CAPTURE
    lab_capture hv1 eth0 "$LAB_DIR/wire.pcap" tcp port 7471 || return
    frames red1 5 60 500 1000 1400 | sort > "$LAB_DIR/sent"
    for name in $pids; do
        lab_wait 20 "frames" lab_gone "$name" || return
    done
    for name in red2 red3; do
        grep -v ready "$LAB_DIR/listen-$name" | sort \
            | diff - "$LAB_DIR/sent" \
            || lab_fail "$name got other frames than red1 sent" || return
    done
    # One copy for each other hypervisor.
    group_contexts 40 "$LAB_DIR/wire.pcap" \
        "eth.type == 0x88b5 && eth.src == $(mac red1)" "$LAB_CAPTURE" \
        red red1 || return
    frames blue1 1 700 > "$LAB_DIR/sent" \
        && lab_wait 20 "blue's own frame" \
            seen "$LAB_DIR/blue.pcap" "ether src $(mac blue1)" \
        && capture_end "$blue" || return
    ! seen "$LAB_DIR/blue.pcap" "not ether src $(mac blue1)" \
        || lab_fail "blue3 got frames of red1"
}

# With snooping, only a machine that has joined a group gets its packets.
multicast() {
    local red3 join i
    nbctl --wait=hv set logical_switch red other_config:mcast_snoop=true \
        other_config:mcast_querier=false || return
    lab_spawn red2 "$LAB_DIR/join" "$PYTHON3" "$LAB_HERE/ovn-traffic.py" \
        join 239.1.1.1 5000
    join=$LAB_PID
    lab_wait 30 "membership of red2" membership 239.1.1.1 \
        && nbctl --wait=hv sync && lab_settle \
        && lab_capture red3 eth0 "$LAB_DIR/red3.pcap" host 239.1.1.1 or icmp \
        || return
    red3=$LAB_CAPTURE
    lab_capture hv1 eth0 "$LAB_DIR/wire.pcap" tcp port 7471 || return
    lab_run red1 "$PYTHON3" "$LAB_HERE/ovn-traffic.py" send 239.1.1.1 5000 10 \
        && lab_wait 20 "all messages" grep -qx "message 10" "$LAB_DIR/join" \
        && group_contexts 10 "$LAB_DIR/wire.pcap" "udp.dstport == 5000" \
            "$LAB_CAPTURE" red red1 || return
    {
        echo ready
        for i in 1 2 3 4 5 6 7 8 9 10; do
            echo "message $i"
        done
    } | diff - "$LAB_DIR/join" || lab_fail "red2 got other messages" || return
    reach red1 10.0.1.3 \
        && lab_wait 20 "ping" seen "$LAB_DIR/red3.pcap" icmp \
        && capture_end "$red3" || return
    ! seen "$LAB_DIR/red3.pcap" "host 239.1.1.1" \
        || lab_fail "red3 has joined nothing" || return
    kill "$join" && lab_wait 10 "end of the membership" lab_gone "$join" \
        || return
    nbctl --wait=hv set logical_switch red other_config:mcast_snoop=false
}

membership() {
    sbctl --columns=address find igmp_group address="$1" | grep .
}

# A released module once lost everything above bit 23 of a port's number: those
# above 255 and multicast worked with all tunnels but STT.
keys() {
    nbctl --wait=hv set logical_switch red \
        other_config:requested-tnl-key=$((0xfedcba)) \
        -- set logical_switch_port red1 options:requested-tnl-key=$((0x7fff)) \
        -- set logical_switch_port red2 options:requested-tnl-key=256 \
        -- set logical_switch_port red3 options:requested-tnl-key=$((0x5aa5)) \
        && wire_is hv1 red1 10.0.1.2 \
            "request 192.0.2.1 192.0.2.2 stt 0x007fff0100fedcba" \
            "reply 192.0.2.2 192.0.2.1 stt 0x0001007ffffedcba" \
        && wire_is hv3 red3 10.0.1.1 \
            "request 192.0.2.3 192.0.2.1 stt 0x005aa57ffffedcba" \
            "reply 192.0.2.1 192.0.2.3 stt 0x007fff5aa5fedcba" \
        && lab_transfer red1 tcp 10.0.1.2 8000000 \
        && broadcast
}

# red3 moves to hv2 amid a conversation, and back.
mobility() {
    chat_start red3 10.0.1.1 \
        && move red3 hv3 hv2 \
        && wire_is hv1 red1 10.0.1.3 \
            "request 192.0.2.1 192.0.2.2 stt $(context red1 red3 red)" \
            "reply 192.0.2.2 192.0.2.1 stt $(context red3 red1 red)" \
        && move red3 hv2 hv3 \
        && wire_is hv1 red1 10.0.1.3 \
            "request 192.0.2.1 192.0.2.3 stt $(context red1 red3 red)" \
            "reply 192.0.2.3 192.0.2.1 stt $(context red3 red1 red)" \
        && chat_stop 30000
}

# move NAME FROM TO
move() {
    lab_run "$2" ovs-vsctl del-port "$1" \
        && lab_show "$2" ip link set "$1" netns "$3" \
        && lab_exec "$2" ip link set "$1" netns "$LAB_NAME-$3" \
        && lab_run "$3" ip link set "$1" up \
        && lab_run "$3" ovs-vsctl add-port br-int "$1" \
            -- set interface "$1" external_ids:iface-id="$1" \
        && reach red1 10.0.1.3
}

# A gateway with NAT on hv3, or else on hv2, to a network outside.  The
# hypervisors tell by BFD in their tunnels which of them are there.
gateway() {
    local n
    lab_namespace outside \
        && lab_exec outside ip link add ex type bridge stp_state 0 \
            mcast_snooping 0 \
        && lab_exec outside ip address add 203.0.113.9/24 dev ex \
        && lab_exec outside ip link set ex up || return
    for n in 2 3; do
        ip link add ex0 netns "$LAB_NAME-hv$n" type veth peer name "e$n" \
            netns "$LAB_NAME-outside" \
            && lab_exec outside ip link set "e$n" master ex up \
            && lab_exec "hv$n" ip link set ex0 up \
            && lab_run "hv$n" ovs-vsctl add-br br-ex \
                -- set bridge br-ex datapath_type=netdev \
                -- add-port br-ex ex0 \
                -- set Open_vSwitch . \
                external_ids:ovn-bridge-mappings=physnet:br-ex || return
    done
    # A busy machine may be late with BFD.
    nbctl --wait=hv set nb_global . options:bfd-mult=5 -- ls-add ext \
        -- lsp-add ext ext-net -- lsp-set-type ext-net localnet \
        -- lsp-set-addresses ext-net unknown \
        -- lsp-set-options ext-net network_name=physnet \
        -- lrp-add router to-ext 02:00:00:00:03:fe 203.0.113.1/24 \
        -- lsp-add ext ext-router -- lsp-set-type ext-router router \
        -- lsp-set-addresses ext-router router \
        -- lsp-set-options ext-router router-port=to-ext \
        -- lrp-set-gateway-chassis to-ext hv3 20 \
        -- lrp-set-gateway-chassis to-ext hv2 10 \
        -- lr-nat-add router snat 203.0.113.1 10.0.0.0/16 \
        && lab_wait 30 "BFD" bfd_is hv1 hv3 up \
        && lab_wait 30 "BFD" bfd_is hv1 hv2 up \
        && lab_wait 30 "BFD" bfd_is hv2 hv3 up \
        && lab_wait 60 "way through hv3" gateway_is 192.0.2.3 \
        && lab_serve outside \
        && lab_transfer red1 tcp 203.0.113.9 8000000 || return
    lab_run sw ip link set p3 down \
        && lab_wait 30 "BFD" bfd_is hv1 hv3 down \
        && lab_wait 60 "way through hv2" gateway_is 192.0.2.2 \
        && lab_transfer red1 tcp 203.0.113.9 8000000 || return
    lab_run sw ip link set p3 up \
        && lab_wait 30 "BFD" bfd_is hv1 hv3 up \
        && lab_wait 60 "gateway on hv3" gateway_on hv3 \
        && lab_wait 60 "way back through hv3" gateway_is 192.0.2.3
}

# bfd_is HV PEER STATE
bfd_is() {
    lab_is "$1" interface "ovn-$2-0" bfd_status:state "$3"
}

gateway_on() {
    test "$(sbctl --columns=chassis find port_binding \
            logical_port=cr-to-ext)" \
        = "$(sbctl --columns=_uuid find chassis name="$1")"
}

# gateway_is ADDRESS
#
# Succeeds if red1's way outside leads through the hypervisor with ADDRESS.
gateway_is() {
    reach red1 203.0.113.9 \
        && watch_ping hv1 red1 203.0.113.9 | cut -d ' ' -f 1-4 | sort -u \
            > "$LAB_DIR/wire" \
        && printf '%s\n' "reply $1 192.0.2.1 stt" "request 192.0.2.1 $1 stt" \
            | diff - "$LAB_DIR/wire"
}

# The encapsulation of all hypervisors changes twice amid conversations.
change() {
    encap_all geneve \
        && chat_start red1 10.0.1.2 \
        && wire_is hv1 red1 10.0.1.2 \
            "request 192.0.2.1 192.0.2.2 geneve" \
            "reply 192.0.2.2 192.0.2.1 geneve" \
        && encap_all stt \
        && wire_is hv1 red1 10.0.1.2 \
            "request 192.0.2.1 192.0.2.2 stt $(context red1 red2 red)" \
            "reply 192.0.2.2 192.0.2.1 stt $(context red2 red1 red)" \
        && lab_transfer red1 tcp 10.0.2.3 8000000 \
        && encap_all geneve \
        && wire_is hv1 red1 10.0.1.2 \
            "request 192.0.2.1 192.0.2.2 geneve" \
            "reply 192.0.2.2 192.0.2.1 geneve" \
        && chat_stop 30000 \
        && lab_transfer red1 tcp 10.0.2.3 8000000 \
        && encap_all stt && reach red1 10.0.1.2 10.0.2.3
}

# The same without a break: each asks for both, then for STT only.  OVN takes
# Geneve if both ends have it.
migration() {
    local hv
    encap_all geneve && reach red1 10.0.1.2 && chat_start red1 10.0.1.2 \
        || return
    for hv in $HVS; do
        encap geneve,stt "$hv" || return
        lab_wait 30 "both" encaps_are "$hv" 2 || return
    done
    # shellcheck disable=SC2086
    lab_wait 30 "Geneve everywhere" tunnels_are geneve $HVS \
        && reach red1 10.0.1.2 || return
    for hv in $HVS; do
        encap stt "$hv" && lab_wait 30 "STT to and from $hv" \
            tunnels_are stt "$hv" && reach red1 10.0.1.2 10.0.2.3 || return
    done
    # shellcheck disable=SC2086
    tunnels_are stt $HVS && chat_stop 30000 \
        && wire_is hv1 red1 10.0.1.2 \
            "request 192.0.2.1 192.0.2.2 stt $(context red1 red2 red)" \
            "reply 192.0.2.2 192.0.2.1 stt $(context red2 red1 red)"
}

# encaps_are HV COUNT
#
# Succeeds when the southbound database has COUNT encapsulations of HV's.
encaps_are() {
    test "$(sbctl --columns=type find encap chassis_name="$1" | grep -c .)" \
        = "$2"
}

# hv3 has both; hv1 knows only STT, hv2 only Geneve.  Those two have nothing
# in common.
both() {
    encap geneve,stt hv3 && encap geneve hv2 && encap stt hv1 \
        && lab_wait 30 "STT from hv3 to hv1" tunnel_is hv3 hv1 stt \
        && lab_wait 30 "STT from hv1 to hv3" tunnel_is hv1 hv3 stt \
        && lab_wait 30 "Geneve from hv3 to hv2" tunnel_is hv3 hv2 geneve \
        && lab_wait 30 "Geneve from hv2 to hv3" tunnel_is hv2 hv3 geneve \
        && lab_wait 30 "no tunnel from hv1 to hv2" tunnel_is hv1 hv2 '' \
        && wire_is hv3 red3 10.0.1.1 \
            "request 192.0.2.3 192.0.2.1 stt $(context red3 red1 red)" \
            "reply 192.0.2.1 192.0.2.3 stt $(context red1 red3 red)" \
        && wire_is hv3 red3 10.0.1.2 \
            "request 192.0.2.3 192.0.2.2 geneve" \
            "reply 192.0.2.2 192.0.2.3 geneve" \
        && lab_transfer blue3 tcp 10.0.1.1 4000000 \
        && lab_transfer blue3 tcp 10.0.1.2 4000000 \
        && silent red1 10.0.1.2 \
        && encap_all stt && reach red1 10.0.1.2 10.0.1.3
}

# tunnel_is HV PEER TYPE
#
# Succeeds when HV's tunnel to PEER is of TYPE, and without an error.
tunnel_is() {
    test "$(lab_exec "$1" ovs-vsctl --bare --no-headings \
            --columns=type,error find interface name="ovn-$2-0")" = "$3"
}

# OVN goes away and comes back amid a conversation, without a word lost.
controller_restart() {
    local pid
    pid=$(cat "$LAB_DIR/hv1/ovn-controller.pid")
    chat_start red1 10.0.1.2 \
        && lab_show hv1 ovn-appctl -t ovn-controller exit --restart \
        && controller_ctl hv1 exit --restart \
        && lab_wait 10 "end of ovn-controller" lab_gone "$pid" \
        && lab_exec red1 ping -n -q -c 3 -i 0.2 10.0.1.2 \
        && controller hv1 && nbctl --wait=hv sync \
        && lab_exec red1 ping -n -q -c 3 -i 0.2 10.0.1.2 \
        && chat_stop 5000 && tunnels_are stt hv1
}

switch_restart() {
    chat_start red1 10.0.1.2 \
        && lab_restart hv2 \
        && reach red1 10.0.1.2 && reach red2 10.0.2.3 \
        && lab_wait 30 "tunnels of hv2" tunnels_are stt hv2 \
        && chat_stop 60000 \
        && wire_is hv2 red2 10.0.1.1 \
            "request 192.0.2.2 192.0.2.1 stt $(context red2 red1 red)" \
            "reply 192.0.2.1 192.0.2.2 stt $(context red1 red2 red)"
}

# The commands of Documentation/howto/stt-ovn.rst, in a lab of their own.
manual() {
    local commands n
    lab_cleanup
    lab_init && lab_trap && lab_hypervisors 2 && central || return
    # The databases are in the underlay.
    ip link add eth0 netns "$LAB_NAME-central" type veth peer name pc \
        netns "$LAB_NAME-sw" \
        && lab_exec sw ip link set pc master sw up \
        && lab_exec central ip address add 192.0.2.10/24 dev eth0 \
        && lab_exec central ip link set eth0 up || return
    for n in 1 2; do
        LAB_VM_MAC=02:00:00:00:00:0$n LAB_VM_MTU=1400
        lab_vm "vm$n" "hv$n" "10.0.0.$n/24" || return
    done
    commands=$("$PYTHON3" "$LAB_HERE/doc-commands.py" \
        "$LAB_HERE/../Documentation/howto/stt-ovn.rst") || return
    test "$(echo "$commands" | grep -c ^doc_run)" -gt 30 \
        || lab_fail "the manual has fewer commands than expected" || return
    # That it is able to fail.
    ! (doc_run host1 "ovs-vsctl get interface br-int error" none) \
        > "$LAB_DIR/doc" 2>&1 || return
    (eval "$commands")
}

# doc_run NODE COMMAND OUTPUT
#
# Runs a command of the manual.  Only what it shows as output is compared.
# Ends the shell if that fails.
doc_run() {
    local node output
    case $1 in
    host*) node=hv${1#host} ;;
    *) node=$1 ;;
    esac
    printf '%s# %s\n' "$1" "$2"
    case $2 in
    'systemctl start ovn-central') output='' ;;     # It runs already.
    'systemctl start ovn-controller') output=$(controller "$node" 2>&1) ;;
    *) output=$(lab_exec "$node" timeout 60 sh -c "$2" 2>&1) ;;
    esac
    # shellcheck disable=SC2181
    test $? = 0 && test "${3:-$output}" = "$output" || {
        echo "$output"
        lab_fail "that has failed, or should have printed: $3"
        exit 1
    }
}

# What nobody should have seen in all that.
complaints() {
    local hv
    nbctl --wait=hv --if-exists lrp-del to-ext || return
    for hv in $HVS; do
        lab_balance "$hv" || return
    done
    cat "$LAB_DIR"/hv*/*.out "$LAB_DIR"/central/*.out > "$LAB_DIR/bad"
    # What still comes when a tunnel has just changed its type is from nobody
    # who is known.
    sed -n '/netdev_stt.WARN.*: dropped [0-9]* from/d
            /EMER/p; /|netdev_stt.*|WARN/p; /|stt_.*|WARN/p; /|stt_.*|ERR/p' \
        "$LAB_DIR"/hv*/ovs-vswitchd.log >> "$LAB_DIR/bad"
    test ! -s "$LAB_DIR/bad" || {
        cat "$LAB_DIR/bad"
        return 1
    }
}

# describe CASE
#
# Prints what CASE is about.
describe() {
    case $1 in
    logical_switch) echo "a logical switch" ;;
    router) echo "a router" ;;
    ipv6) echo "IPv6" ;;
    acl) echo "an ACL with connection tracking" ;;
    dhcp) echo "DHCP" ;;
    broadcast) echo "broadcast" ;;
    multicast) echo "multicast with snooping" ;;
    keys) echo "port numbers above 255 and high datapath keys" ;;
    mobility) echo "a machine moves, amid a conversation" ;;
    gateway) echo "a gateway with NAT, and its failover by BFD" ;;
    change) echo "geneve to stt to geneve, amid a conversation" ;;
    migration) echo "geneve to stt, one hypervisor after the other" ;;
    both) echo "a hypervisor with geneve and stt" ;;
    controller_restart) echo "ovn-controller restarts, amid a conversation" ;;
    switch_restart) echo "ovs-vswitchd restarts, amid a conversation" ;;
    complaints) echo "counters and logs" ;;
    manual) echo "commands of the how-to" ;;
    *) lab_fail "there is no case $1" ;;
    esac
}

main() {
    test -n "$OVS_BUILD_DIR" \
        || lab_fail "OVS_BUILD_DIR must name a build tree" || exit
    test -d "$OVN_DIR/usr/share/ovn" \
        || lab_fail "no OVN in $OVN_DIR: run tests/get-ovn" || exit
    lab_init && lab_trap || exit
    PATH=$OVN_DIR/usr/bin:$PATH
    lab_need busybox tcpdump tshark || exit
    # shellcheck disable=SC2034
    LAB_SHOW=1

    ok "STT tunnels between the hypervisors" hypervisors
    test "$FAILED" = 0 || total
    ok "a logical network and its machines" network
    test "$FAILED" = 0 || total
    for case in $OVN_CASES; do
        ok "$(describe "$case")" "$case"
    done
    total
}

main
