# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# lab.sh: hypervisors with the userspace datapath, their virtual machines and
# the network between them, on one Linux machine, in network namespaces.
#
#     +------+ +------+                      +------+ +------+
#     | red1 | |blue1 |    "VMs": one        | red2 | |blue2 |
#     | eth0 | | eth0 |    namespace each    | eth0 | | eth0 |
#     +--+---+ +--+---+                      +--+---+ +--+---+
#        |veth    |veth                         |        |
#   +----+--------+----------+          +-------+--------+-------+
#   |   red1    blue1    hv1 |          |     red2    blue2  hv2 |
#   |   +------------------+ |          |   +------------------+ |
#   |   |      br-int      | |          |   |      br-int      | |
#   |   |  stt-2, stt-3 .. | |          |   |  stt-1, stt-3 .. | | tunnel ports
#   |   +------------------+ |          |   +------------------+ |
#   |   |      br-phy      | |          |   |      br-phy      | | 192.0.2.N
#   |   +--------+---------+ |          |   +--------+---------+ | 2001:db8::N
#   |          eth0          |          |          eth0          |
#   +------------+-----------+          +------------+-----------+
#                | veth                              | veth
#        +-------+-----------------------------------+--------+
#        |      p1         sw: a Linux bridge       p2  (pN)  |
#        +----------------------------------------------------+
#
# Each hypervisor has a namespace, an ovsdb-server and an ovs-vswitchd of its
# own.  Everything lives in one private directory and in namespaces with one
# private prefix, so that any number of labs can run side by side, and nothing
# outside is touched.  Source this file with a POSIX shell that has "local",
# and write for instance:
#
#     . tests/lab.sh
#     lab_init && lab_trap
#     lab_hypervisors 2
#     lab_vm red1 hv1 10.0.0.1/24; lab_vm red2 hv2 10.0.0.2/24
#     lab_mesh stt options:key=42
#     lab_normal
#     lab_reach red1 10.0.0.2 && lab_run red1 ping -c 3 10.0.0.2
#
# Functions return nonzero after a message on stderr when something fails;
# nothing here sleeps blindly, every wait has a condition and a time limit.
#
# What a caller may set before lab_init (defaults in parentheses):
#
#   OVS_BUILD_DIR  build tree whose programs are used (those in PATH)
#   LAB_SWITCH     "no": hv1 and hv2 are connected by a veth pair, without
#                  the switch, whose hop costs some 10 % of throughput (yes)
#   LAB_TSO        other_config:userspace-tso-enable of each switch (false)
#   LAB_FAMILY     4 or 6: IP version of the tunnels' addresses (4)
#   LAB_MTU        MTU of the underlay (1500)
#   LAB_VLAN       802.1Q tag of the underlay (none)
#   LAB_USER       USER:GROUP that ovs-vswitchd runs as (root)
#   PYTHON3        Python interpreter (/usr/bin/python3)
#   LAB_SHOW       not empty: lab_run and its like print what they run

: "${LAB_SWITCH:=yes}" "${LAB_TSO:=false}" "${LAB_FAMILY:=4}"
: "${LAB_MTU:=1500}"
: "${LAB_VLAN=}" "${LAB_USER=}" "${LAB_SHOW=}" "${LAB_HERE=}"
: "${PYTHON3:=/usr/bin/python3}"

## ---------------------------------------------------------------- ##
## Beginning and end.                                               ##
## ---------------------------------------------------------------- ##

# lab_fail MESSAGE...
#
# Reports an error.  Returns 1, so that "... || lab_fail why || return" works.
lab_fail() {
    echo "lab: $*" >&2
    return 1
}

# lab_need PROGRAM...
#
# Fails, naming the Debian package, unless each PROGRAM can be run.
lab_need() {
    local p missing=''
    for p; do
        command -v "$p" > /dev/null 2>&1 && continue
        case $p in
        ip | ss) p="$p (package iproute2)" ;;
        ping) p="$p (package iputils-ping)" ;;
        setsid) p="$p (package util-linux)" ;;
        ovs*) p="$p (build the tree, or package openvswitch-switch)" ;;
        */python3) p="$p (package python3)" ;;
        *) p="$p (package $p)" ;;
        esac
        missing="$missing${missing:+, }$p"
    done
    test -z "$missing" || lab_fail "missing: $missing"
}

# lab_init [DIR [NAME]]
#
# Starts a lab without anything in it.  Its files go to DIR (a new temporary
# directory), its namespaces are called NAME-... (NAME is the directory's
# unique suffix).  A DIR that the caller made is left when the lab ends, so
# that logs and captures can be read.
lab_init() {
    if test -n "$OVS_BUILD_DIR"; then
        PATH=$OVS_BUILD_DIR/ovsdb:$OVS_BUILD_DIR/vswitchd:$PATH
        PATH=$OVS_BUILD_DIR/utilities:$OVS_BUILD_DIR/tests:$PATH
        export PATH
        : "${LAB_SCHEMA:=$OVS_BUILD_DIR/vswitchd/vswitch.ovsschema}"
    fi
    : "${LAB_SCHEMA:=/usr/share/openvswitch/vswitch.ovsschema}"
    : "${OVS_CTL_TIMEOUT:=30}" && export OVS_CTL_TIMEOUT
    test "$(id -u)" = 0 || lab_fail "needs root, for network namespaces" \
        || return
    lab_need ip ping ethtool setsid "$PYTHON3" \
        ovsdb-tool ovsdb-server ovs-vswitchd ovs-vsctl || return
    test -r "$LAB_SCHEMA" || lab_fail "cannot read $LAB_SCHEMA" || return

    if test -n "$1"; then
        LAB_DIR=$1 LAB_TMP=
        mkdir -p "$LAB_DIR" || return
    else
        LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/stt-lab.XXXXXX") || return
        # The user of --user must be able to reach its sockets.
        chmod 755 "$LAB_DIR"
        LAB_TMP=$LAB_DIR
    fi
    LAB_NAME=${2:-lab-${LAB_DIR##*.}}
    : > "$LAB_DIR/namespaces" && : > "$LAB_DIR/hvs"
}

# lab_trap
#
# Ends the lab when the script ends, for whatever reason.
lab_trap() {
    trap 'lab_cleanup' 0
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
}

# lab_cleanup
#
# Ends every process of the lab and removes its namespaces, and its directory
# unless the caller provided it.  May be called at any time and more than once.
lab_cleanup() {
    local n p
    test -n "$LAB_DIR" && test -e "$LAB_DIR/namespaces" || return 0
    trap '' HUP INT PIPE TERM
    # A switch that is asked exits in good order, so that leak checkers and
    # coverage profilers get their say.
    while read -r n; do
        lab_exec "$n" timeout 5 ovs-appctl -t ovs-vswitchd exit --cleanup
        lab_exec "$n" timeout 5 ovs-appctl -t ovsdb-server exit
    done < "$LAB_DIR/hvs" > /dev/null 2>&1
    while read -r n; do
        # Whatever runs in a namespace of this lab was started by the lab, and
        # a process ID that was noted earlier might be another's by now.
        for p in $(ip netns pids "$n" 2> /dev/null); do
            lab_end "$p"
        done
        ip netns del "$n" 2> /dev/null
    done < "$LAB_DIR/namespaces"
    rm -f "$LAB_DIR/namespaces"
    test -z "$LAB_TMP" || rm -rf "$LAB_TMP"
    LAB_DIR=
    trap - HUP INT PIPE TERM
}

# lab_end PID
#
# Ends process PID, gently at first.
lab_end() {
    local i=0
    while kill -0 "$1" 2> /dev/null; do
        case $i in
        0) kill "$1" 2> /dev/null ;;
        60) kill -9 "$1" 2> /dev/null ;;
        80) return 1 ;;
        esac
        i=$((i + 1))
        sleep 0.05
    done
}

# lab_keep
#
# Lets the lab outlive the script.  The command that ends it is in LAB_STOP.
# (Not to be called in a subshell, which could not stop the script's trap.)
lab_keep() {
    trap - 0 HUP INT PIPE TERM
    {
        echo "LAB_DIR='$LAB_DIR' LAB_TMP='$LAB_TMP' LAB_NAME='$LAB_NAME'"
        echo "PATH='$PATH'"
        echo ". '$LAB_HERE/lab.sh' && lab_cleanup"
    } > "$LAB_DIR/stop"
    # shellcheck disable=SC2034
    LAB_STOP="sh $LAB_DIR/stop"
}

## ---------------------------------------------------------------- ##
## Running commands.                                                ##
## ---------------------------------------------------------------- ##

# A "node" is "host" (the machine itself), "sw" (the switch), "hv1", "hv2",
# ... or the name of a VM.

# lab_ns NODE
#
# Prints the name of the node's namespace.
lab_ns() {
    echo "$LAB_NAME-$1"
}

# lab_exec NODE COMMAND...
#
# Runs COMMAND on NODE.  On a hypervisor, ovs-vsctl and the like talk to that
# hypervisor's daemons.
lab_exec() {
    local node="$1"
    shift
    case $node in
    host)
        "$@"
        ;;
    hv*)
        OVS_RUNDIR=$LAB_DIR/$node OVS_LOGDIR=$LAB_DIR/$node \
        OVS_DBDIR=$LAB_DIR/$node OVS_SYSCONFDIR=$LAB_DIR/$node \
            ip netns exec "$LAB_NAME-$node" "$@"
        ;;
    *)
        ip netns exec "$LAB_NAME-$node" "$@"
        ;;
    esac
}

# lab_show NODE COMMAND...
#
# Prints COMMAND the way a user would type it on NODE.
lab_show() {
    local node="$1" line='' a
    shift
    for a; do
        case $a in
        '' | *[!A-Za-z0-9_./:=,@%+-]*)
            a="'$(printf '%s' "$a" | sed "s/'/'\\\\''/g")'"
            ;;
        esac
        line="$line $a"
    done
    printf '%s%s#%s%s\n' "$LAB_ON" "$node" "$line" "$LAB_OFF"
}

# lab_run NODE COMMAND...
#
# Like lab_exec, but prints the command first if LAB_SHOW says so.
lab_run() {
    test -z "$LAB_SHOW" || lab_show "$@"
    lab_exec "$@"
}

# lab_spawn NODE LOG COMMAND...
#
# Starts COMMAND on NODE in the background.  Its output goes to LOG, its
# process ID to LAB_PID.  It ends with the lab, not with the terminal.
lab_spawn() {
    local node="$1" log="$2"
    shift 2
    # Who waits for a line in it must not find one from earlier.
    : > "$log"
    (
        case $node in
        hv*)
            OVS_RUNDIR=$LAB_DIR/$node OVS_LOGDIR=$LAB_DIR/$node
            OVS_DBDIR=$LAB_DIR/$node OVS_SYSCONFDIR=$LAB_DIR/$node
            export OVS_RUNDIR OVS_LOGDIR OVS_DBDIR OVS_SYSCONFDIR
            ;;
        esac
        exec setsid ip netns exec "$LAB_NAME-$node" "$@"
    ) < /dev/null > "$log" 2>&1 &
    LAB_PID=$!
}

# lab_wait SECONDS WHAT COMMAND...
#
# Repeats COMMAND until it succeeds.  After SECONDS reports that WHAT did not
# happen and fails.
lab_wait() {
    local limit="$1" what="$2" end
    shift 2
    end=$(($(date +%s) + limit))
    until "$@" > /dev/null 2>&1; do
        if test "$(date +%s)" -gt "$end"; then
            lab_fail "timed out after $limit s: $what"
            return
        fi
        sleep 0.05
    done
}

# lab_gone PID
#
# Succeeds when PID does not run any more.
lab_gone() {
    ! kill -0 "$1" 2> /dev/null
}

## ---------------------------------------------------------------- ##
## The underlay and the hypervisors.                                ##
## ---------------------------------------------------------------- ##

# lab_namespace NODE
#
# Makes the namespace of NODE, with IPv6 addresses usable at once.
lab_namespace() {
    echo "$LAB_NAME-$1" >> "$LAB_DIR/namespaces"
    ip netns add "$LAB_NAME-$1" \
        && lab_exec "$1" sh -c 'cd /proc/sys/net/ipv6/conf/default \
               && echo 0 > accept_dad && echo 0 > accept_ra' \
        && lab_exec "$1" ip link set lo up
}

# lab_address N
#
# Prints the underlay address of hypervisor N.
lab_address() {
    case $LAB_FAMILY in
    4) echo "192.0.2.$1" ;;
    6) echo "2001:db8::$1" ;;
    esac
}

# lab_switch
#
# Makes the switch that connects the hypervisors.  It is a kernel bridge that
# hands 64 KB packets on whole; ethtool on its ports p1, p2, ... makes it hand
# on wire-sized ones.  lab_relay puts something worse into a cable.
lab_switch() {
    lab_namespace sw \
        && lab_exec sw ip link add sw type bridge stp_state 0 \
               mcast_snooping 0 \
        && lab_exec sw ip link set sw mtu "$LAB_MTU" up
}

# lab_hypervisors COUNT
#
# Makes hypervisors hv1 ... hvCOUNT and connects them.
lab_hypervisors() {
    local n=1
    test "$LAB_SWITCH" = no || lab_switch || return
    while test "$n" -le "$1"; do
        lab_wire "$n" || return
        n=$((n + 1))
    done
    n=1
    while test "$n" -le "$1"; do
        lab_start "hv$n" && lab_bridges "$n" || return
        n=$((n + 1))
    done
}

# lab_wire N
#
# Makes the namespace of hvN with eth0, plugged into the switch's port pN or,
# without a switch, connected to hv1's eth0.
#
# Open vSwitch gives a bridge the Ethernet address of its NIC only if that is a
# globally unique one.  With the random one of a veth, the host's own TCP/IP
# stack would not see what a real host's does.
lab_wire() {
    local hv="hv$1" mac=00:00:5e:00:53
    mac=$mac:$(printf %02x "$1")
    mkdir -p "$LAB_DIR/$hv" && lab_namespace "$hv" || return
    echo "$hv" >> "$LAB_DIR/hvs"
    case $LAB_SWITCH$1 in
    no1)
        ;;
    no2)
        ip link add eth0 netns "$LAB_NAME-hv2" address "$mac" \
            mtu "$LAB_MTU" type veth peer name eth0 \
            netns "$LAB_NAME-hv1" address "${mac%2}1" \
            && lab_exec hv1 ip link set eth0 mtu "$LAB_MTU" up \
            && lab_exec hv2 ip link set eth0 up
        ;;
    no*)
        lab_fail "more than two hypervisors need a switch"
        ;;
    *)
        ip link add eth0 netns "$LAB_NAME-$hv" address "$mac" \
            mtu "$LAB_MTU" type veth peer name "p$1" netns "$LAB_NAME-sw" \
            && lab_exec sw ip link set "p$1" master sw mtu "$LAB_MTU" up \
            && lab_exec "$hv" ip link set eth0 up
        ;;
    esac
}

# lab_start HV
#
# Starts ovsdb-server, with an empty database, and ovs-vswitchd.  Userspace
# TSO is read once, so it has to be in the database before the switch starts.
lab_start() {
    local d="$LAB_DIR/$1"
    rm -f "$d/conf.db"
    ovsdb-tool create "$d/conf.db" "$LAB_SCHEMA" || return
    lab_spawn "$1" "$d/ovsdb-server.out" ovsdb-server --no-chdir \
        -vconsole:emer -vsyslog:off --pidfile --log-file \
        --remote="punix:$d/db.sock" "$d/conf.db"
    lab_wait 10 "ovsdb-server of $1" test -S "$d/db.sock" || return
    lab_exec "$1" ovs-vsctl --no-wait -- init -- set Open_vSwitch . \
        external_ids:hostname="$1" other_config:userspace-tso-enable="$LAB_TSO"
    test -z "$LAB_USER" || chown -R "$LAB_USER" "$d"
    lab_vswitchd "$1"
}

# lab_vswitchd HV [OPTION...]
#
# Starts ovs-vswitchd.  Another user than root gets the permissions of
# /dev/net/tun that udev would give; only this process sees that.
lab_vswitchd() {
    local hv="$1" d="$LAB_DIR/$1" tun=''
    shift
    test -z "$LAB_USER" || tun='mount -t tmpfs tun /dev/net \
        && mknod -m 666 /dev/net/tun c 10 200 && exec "$@"'
    set -- ${LAB_USER:+sh -c "$tun" sh} ovs-vswitchd "$@"
    lab_spawn "$hv" "$d/ovs-vswitchd.out" "$@" --no-chdir \
        -vconsole:emer -vsyslog:off --disable-system --pidfile --log-file \
        ${LAB_USER:+--user "$LAB_USER"} "unix:$d/db.sock"
    lab_wait 20 "ovs-vswitchd of $hv" \
        lab_exec "$hv" ovs-appctl -t ovs-vswitchd version \
        || {
            cat "$d/ovs-vswitchd.out" >&2
            return 1
        }
}

# lab_restart HV
#
# Restarts ovs-vswitchd.  Its flow tables are empty then.
lab_restart() {
    local pid
    pid=$(cat "$LAB_DIR/$1/ovs-vswitchd.pid") \
        && lab_exec "$1" ovs-appctl -t ovs-vswitchd exit \
        && lab_wait 10 "end of ovs-vswitchd" lab_gone "$pid" \
        && lab_vswitchd "$1" \
        && lab_wait 10 "br-phy of $1" lab_exec "$1" ip link set br-phy up \
        && lab_addresses "${1#hv}"
}

# lab_is HV TABLE RECORD COLUMN[:KEY] VALUE
#
# Succeeds when the database says so.
lab_is() {
    test "$(lab_exec "$1" ovs-vsctl get "$2" "$3" "$4")" = "$5"
}

# lab_bridges N
#
# Creates br-phy with the underlay port and address, and br-int.
lab_bridges() {
    lab_run "hv$1" ovs-vsctl \
        add-br br-phy -- set bridge br-phy datapath_type=netdev \
        -- add-br br-int \
        -- set bridge br-int datapath_type=netdev fail_mode=secure || return
    # In the same transaction, br-phy would miss eth0's MTU.
    lab_run "hv$1" ovs-vsctl add-port br-phy eth0 || return
    test -z "$LAB_VLAN" \
        || lab_run "hv$1" ovs-vsctl set port br-phy tag="$LAB_VLAN" || return
    lab_addresses "$1"
}

# lab_addresses N
#
# Gives br-phy its addresses, and waits until the switch knows the route.
lab_addresses() {
    local hv="hv$1" plen=24
    test "$LAB_FAMILY" = 4 || plen=64
    lab_run "$hv" ip address replace "$(lab_address "$1")/$plen" dev br-phy \
        && lab_run "$hv" ip link set br-phy up \
        && lab_wait 10 "route of $hv" lab_route "$1"
}

lab_route() {
    lab_exec "hv$1" ovs-appctl ovs/route/show \
        | grep "dev br-phy SRC $(lab_address "$1")\$"
}

# lab_mtu MTU [N...]
#
# Changes the underlay's MTU while it runs, at hypervisors N... and at the
# switch (default: everywhere).
lab_mtu() {
    local mtu="$1" n
    shift
    # shellcheck disable=SC2046
    test $# -gt 0 || set -- $(sed 's/hv//' "$LAB_DIR/hvs")
    for n; do
        test "$LAB_SWITCH" = no || lab_exec sw ip link set "p$n" mtu "$mtu" \
            || return
        lab_run "hv$n" ip link set eth0 mtu "$mtu" \
            && lab_wait 10 "br-phy's MTU" \
                   lab_is "hv$n" interface br-phy mtu "$mtu" || return
    done
}

# lab_finish HV...
#
# Makes the kernel finish each packet on each HV's NIC the way NICs do: segment
# it and compute its checksum.  What the switch and the peers see then is what
# a wire would carry.  An ovs-vswitchd has read the features before, when the
# port was added, and keeps sending packets of 64 KB.
lab_finish() {
    local hv
    for hv; do
        lab_exec "$hv" ethtool -K eth0 tx off tso off gso off > /dev/null \
            || return
    done
}

# lab_relay N [OPTION...]
#
# Puts lab-relay into the cable between the switch and hvN, as a bad network.
# "lab-relay --help" describes the OPTIONs.  Its side of hvN is interface pN.
# It is a network for what a wire carries, so each NIC finishes its packets;
# there must be a switch, and no VLAN.
lab_relay() {
    local n="$1" hv
    shift
    lab_need lab-relay || return
    for hv in $(cat "$LAB_DIR/hvs"); do
        lab_finish "$hv" || return
    done
    lab_exec sw ip link set "p$n" nomaster \
        && lab_exec sw ip link add "r$n" mtu "$LAB_MTU" type veth \
               peer name "s$n" mtu "$LAB_MTU" \
        && lab_exec sw ip link set "s$n" master sw up \
        && lab_exec sw ip link set "r$n" up \
        && lab_exec sw sh -c "for dev in p$n r$n s$n; do
               echo 1 > /proc/sys/net/ipv6/conf/\$dev/disable_ipv6
               ethtool -K \$dev tx off gro off || exit
           done" > /dev/null || return
    lab_spawn sw "$LAB_DIR/relay" lab-relay "$@" "r$n" "p$n"
    echo "$LAB_PID" > "$LAB_DIR/relay.pid"
    lab_wait 10 "relay" grep -q ready "$LAB_DIR/relay"
}

# lab_relay_stop N [COUNT...]
#
# Ends the relay of hvN, connects hvN as before, and prints what the relay has
# done.  Fails unless each COUNT of it is above zero.
lab_relay_stop() {
    local n="$1" pid
    shift
    pid=$(cat "$LAB_DIR/relay.pid") \
        && kill "$pid" && lab_wait 10 "end of relay" lab_gone "$pid" \
        && lab_exec sw ip link del "r$n" \
        && lab_exec sw ip link set "p$n" master sw \
        && "$PYTHON3" - "$LAB_DIR/relay" "$@" << 'END'
import json
import sys

counts = json.loads(open(sys.argv[1]).read().split("\n")[1])
print(json.dumps(counts))
for name in sys.argv[2:]:
    if not counts[name]:
        sys.exit("lab: relay: nothing was " + name)
END
}

# lab_attacker
#
# Plugs a host called "mallory" into the switch, for lab_attack.  It takes the
# others' Ethernet addresses, as if it was far away, but not their place.
lab_attacker() {
    lab_need lab-attack && lab_namespace mallory \
        && ip link add eth0 netns "$LAB_NAME-mallory" mtu "$LAB_MTU" \
               type veth peer name pm netns "$LAB_NAME-sw" \
        && lab_exec sw ip link set pm master sw mtu "$LAB_MTU" up \
        && lab_exec sw ip link set pm type bridge_slave learning off \
        && lab_exec mallory ip link set eth0 up
}

# lab_attack N M [OPTION...]
#
# Has mallory attack hvN in the name of hvM, over IPv4.  "lab-attack --help"
# describes the OPTIONs.  The process ID is in LAB_PID, its output goes to
# LAB_DIR/attack.
lab_attack() {
    local n="$1" m="$2" mac=00:00:5e:00:53
    shift 2
    lab_spawn mallory "$LAB_DIR/attack" lab-attack "$@" eth0 \
        "$mac:$(printf %02x "$n")" "192.0.2.$n" \
        "$mac:$(printf %02x "$m")" "192.0.2.$m"
    lab_wait 10 "attack" grep -q ready "$LAB_DIR/attack"
}

## ---------------------------------------------------------------- ##
## Virtual machines and tunnels.                                    ##
## ---------------------------------------------------------------- ##

# lab_vm NAME HV ADDRESS/LEN...
#
# Makes a VM with a port called NAME on br-int of HV.  LAB_VM_MTU sets its MTU
# (1500), LAB_VM_MAC its Ethernet address.
#
# A switch without userspace TSO can't take packets that the guest has left
# unfinished, so such a guest gets a NIC without offloads.
lab_vm() {
    local name="$1" hv="$2" mtu="${LAB_VM_MTU:-1500}" a
    shift 2
    lab_namespace "$name" \
        && ip link add "$name" netns "$LAB_NAME-$hv" mtu "$mtu" \
               type veth peer name eth0 netns "$LAB_NAME-$name" \
        && lab_exec "$name" ip link set eth0 mtu "$mtu" \
               ${LAB_VM_MAC:+address "$LAB_VM_MAC"} \
        || return
    test "$LAB_TSO" = true \
        || lab_exec "$name" ethtool -K eth0 tx off > /dev/null || return
    lab_exec "$name" ip link set eth0 up || return
    for a; do
        lab_run "$name" ip address add "$a" dev eth0 || return
    done
    lab_exec "$hv" ip link set "$name" up \
        && lab_run "$hv" ovs-vsctl add-port br-int "$name"
}

# lab_tunnel HV PORT KIND REMOTE [COLUMN:KEY=VALUE...]
#
# Adds tunnel port PORT, of type KIND, to address REMOTE.  KIND "none" is a
# pair of patch ports to br-phy.
lab_tunnel() {
    local hv="$1" port="$2" kind="$3" remote="$4"
    shift 4
    if test "$kind" = none; then
        lab_run "$hv" ovs-vsctl \
            add-port br-int "$port" -- set interface "$port" type=patch \
            options:peer="$port-phy" \
            -- add-port br-phy "$port-phy" -- set interface "$port-phy" \
            type=patch options:peer="$port"
    else
        lab_run "$hv" ovs-vsctl add-port br-int "$port" -- \
            set interface "$port" type="$kind" options:remote_ip="$remote" \
            "$@"
    fi
}

# lab_mesh KIND [COLUMN:KEY=VALUE...]
#
# Connects each hypervisor with each other: on hvN, tunnel port KIND-M leads
# to hvM.
lab_mesh() {
    local kind="$1" hv peer
    shift
    for hv in $(cat "$LAB_DIR/hvs"); do
        for peer in $(cat "$LAB_DIR/hvs"); do
            test "$hv" != "$peer" || continue
            lab_tunnel "$hv" "$kind-${peer#hv}" "$kind" \
                "$(lab_address "${peer#hv}")" "$@" || return
        done
    done
}

# lab_normal
#
# Makes br-int of each hypervisor an ordinary learning switch.
lab_normal() {
    local hv
    for hv in $(cat "$LAB_DIR/hvs"); do
        lab_run "$hv" ovs-ofctl add-flow br-int actions=normal || return
    done
}

# lab_settle
#
# Waits until what the hypervisors' datapaths do follows from their present
# configuration.
lab_settle() {
    local hv
    while read -r hv; do
        lab_exec "$hv" ovs-appctl revalidator/wait || return
    done < "$LAB_DIR/hvs"
}

# lab_reach NODE ADDRESS [SECONDS]
#
# Waits until NODE gets an answer to a ping of ADDRESS.  The first packet of a
# tunnel is lost to the underlay's ARP or ND, so tests begin with this.
lab_reach() {
    lab_wait "${3:-10}" "ping from $1 to $2" \
        lab_exec "$1" ping -n -c 1 -W 0.3 "$2"
}

## ---------------------------------------------------------------- ##
## Traffic.                                                         ##
## ---------------------------------------------------------------- ##

# lab_sweep NODE ADDRESS PING-OPTIONS SIZE...
#
# Pings ADDRESS once with each payload SIZE.  Prints the sizes that got no
# answer, if any, and fails then.  PING-OPTIONS is one word list, maybe empty.
lab_sweep() {
    local node="$1" address="$2" options="$3" size lost=''
    shift 3
    for size; do
        # shellcheck disable=SC2086
        lab_exec "$node" ping -n -q -c 1 -W 2 $options -s "$size" "$address" \
            > /dev/null 2>&1 || lost="$lost $size"
    done
    test -z "$lost" || lab_fail "ping from $node to $address: no answer to" \
        "payload sizes$lost"
}

# lab_listening NODE PORT
#
# Succeeds when a TCP socket listens on PORT.
lab_listening() {
    lab_exec "$1" ss -Hltn "sport = :$2" | grep . > /dev/null
}

# lab_serve NODE
#
# Starts the peer of lab_transfer on NODE.
lab_serve() {
    lab_spawn "$1" "$LAB_DIR/transfer-$1.log" \
        "$PYTHON3" "$LAB_HERE/lab-transfer.py" serve
    lab_wait 10 "transfer server on $1" lab_listening "$1" 7000
}

# lab_transfer NODE tcp|udp|echo ADDRESS [ARGUMENT...]
#
# Exchanges data with the server at ADDRESS, both ways, and compares hashes of
# the contents.  lab-transfer.py describes the arguments.
lab_transfer() {
    local node="$1" proto="$2"
    shift 2
    lab_run "$node" timeout 60 "$PYTHON3" \
        "$LAB_HERE/lab-transfer.py" "$proto" "$@"
}

# lab_iperf_server NODE [PORT]
#
# Starts an iperf3 server on NODE.
lab_iperf_server() {
    local port="${2:-5201}"
    lab_need iperf3 ss || return
    lab_spawn "$1" "$LAB_DIR/iperf3-$1.log" iperf3 -s -p "$port"
    lab_wait 10 "iperf3 on $1" lab_listening "$1" "$port"
}

# lab_iperf NODE ADDRESS STREAMS SECONDS [OPTION...]
#
# Prints the bits per second that the server at ADDRESS received.  TCP on NODE
# begins without memories of how it went before, over another tunnel perhaps.
lab_iperf() {
    local node="$1" address="$2" streams="$3" seconds="$4"
    shift 4
    lab_exec "$node" ip tcp_metrics flush || return
    lab_exec "$node" timeout $((seconds + 15)) iperf3 -J -c "$address" \
        -P "$streams" -t "$seconds" --connect-timeout 3000 "$@" \
        | "$PYTHON3" -c 'import json, sys
result = json.load(sys.stdin)
if "error" in result:
    sys.exit("lab: iperf3: " + result["error"])
print(int(result["end"]["sum_received"]["bits_per_second"]))'
}

## ---------------------------------------------------------------- ##
## Observation.                                                     ##
## ---------------------------------------------------------------- ##

# lab_coverage HV COUNTER
#
# Prints the value of a coverage counter, which the switch must have.
lab_coverage() {
    lab_exec "$1" ovs-appctl coverage/read-counter "$2"
}

# lab_counted HV COUNTER...
#
# Waits until each coverage COUNTER has counted something.  They lag by a
# second or so.
lab_counted() {
    local hv="$1" counter
    shift
    for counter; do
        lab_wait 5 "$counter of $hv" lab_is_counted "$hv" "$counter" || return
    done
}

lab_is_counted() {
    test "$(lab_coverage "$1" "$2")" -gt 0
}

# lab_balance HV
#
# Waits until no segment waits for others on HV, and then succeeds if each that
# ever arrived was delivered or is in exactly one counter of drops.  Coverage
# counters must tell the same.
lab_balance() {
    lab_wait 10 "end of reassembly on $1" lab_idle "$1" \
        && lab_wait 10 "balance of $1" lab_balanced "$1" || {
            lab_balanced "$1"
            lab_exec "$1" ovs-appctl stt/reassembly-show >&2
            return 1
        }
}

lab_idle() {
    lab_exec "$1" ovs-appctl stt/reassembly-show \
        | grep '^waiting: 0 frames, 0 segments, 0 bytes$'
}

lab_balanced() {
    lab_exec "$1" ovs-appctl --format json stt/reassembly-show \
        | "$PYTHON3" -c 'import json, sys
r = json.load(sys.stdin)
segments, strangers = map(int, sys.argv[1:])
total = (r["segments-delivered"] + r["waiting"]["segments"]
         + sum(r["drops"].values()))
if r["segments"] != total:
    sys.exit("lab: %d segments came in, %d are accounted for"
             % (r["segments"], total))
if segments != r["segments"] + strangers:
    sys.exit("lab: %d segments arrived, %d came in, %d were strangers"
             % (segments, r["segments"], strangers))
' "$(lab_coverage "$1" stt_rx_segment)" \
            "$(lab_coverage "$1" stt_drop_source)"
}

# lab_rss HV
#
# Prints the kilobytes of memory that HV's ovs-vswitchd has.
lab_rss() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' \
        "/proc/$(cat "$LAB_DIR/$1/ovs-vswitchd.pid")/status"
}

# lab_logs [SED-SCRIPT]
#
# Prints what the daemons logged at level WARN or above, or wrote to their
# terminal, except for the lines that SED-SCRIPT deletes and for delays due to a
# busy machine.
lab_logs() {
    sed -n "$1
        /timeval[^|]*|WARN/d
        /ovs_rcu.*WARN.*blocked/d
        /Broken pipe/d
        /reset by peer/d
        /Dropped [0-9]* log messages/d
        /netlink_socket.*extended ack/d
        /|WARN|/p; /|ERR|/p; /|EMER|/p" "$LAB_DIR"/hv*/*.log
    sed "$1" "$LAB_DIR"/hv*/*.out
}

# lab_capture NODE INTERFACE FILE [TCPDUMP-ARGUMENT...]
#
# Captures what passes INTERFACE into FILE, and returns when the capture runs.
# Its process ID is in LAB_CAPTURE.
lab_capture() {
    local node="$1" dev="$2" file="$3"
    shift 3
    lab_need tcpdump || return
    rm -f "$file"
    lab_spawn "$node" "$file.log" tcpdump -Z root -U --immediate-mode -n \
        -B 65536 -i "$dev" -w "$file" "$@"
    LAB_CAPTURE=$LAB_PID
    lab_wait 10 "capture of $dev on $node" grep -q "listening on" "$file.log"
}

# lab_capture_stop FILE [PID]
#
# Ends the capture when it has written everything.  Fails if it lost packets.
lab_capture_stop() {
    local file="$1" pid="${2:-$LAB_CAPTURE}"
    lab_wait 10 "end of capture" lab_settled "$file"
    kill -INT "$pid" && lab_wait 10 "end of tcpdump" lab_gone "$pid" || return
    grep -q '^0 packets dropped by kernel' "$file.log" \
        || lab_fail "capture: $(grep dropped "$file.log")"
}

# lab_settled FILE
#
# Succeeds when FILE has not grown during the last 200 ms.
lab_settled() {
    local was
    was=$(stat -c %s "$1")
    sleep 0.2
    test "$was" = "$(stat -c %s "$1")"
}

# lab_judge [ARGUMENT...] FILE
#
# Judges a capture with tshark.  lab-judge.py describes the arguments.
lab_judge() {
    lab_need tshark && "$PYTHON3" "$LAB_HERE/lab-judge.py" "$@"
}
