#! /bin/sh
# Title: stt.ko and the rest of the network stack
# Seconds: 500
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

need_module nf_tables 8021q
two_hosts

# wire NS COMMAND...: runs wire.py.
wire() {
    within "$1" /usr/bin/python3 "$top/tests/kernel/wire.py" "$2" "$3"
}

# hits NS COMMENT: prints how often the rule of netfilter with COMMENT has
# matched.
hits() {
    within "$1" nft list ruleset |
        sed -n "s/.*counter packets \([0-9]*\) .*comment \"$2\".*/\1/p"
}

# matched NS COMMENT, unmatched NS COMMENT: succeed if it has, or hasn't.
matched() {
    n=$(hits "$1" "$2") && echo "$2: $n" && [ "$n" -gt 0 ]
}
unmatched() {
    n=$(hits "$1" "$2") && echo "$2: $n" && [ "$n" -eq 0 ]
}

# untunnel: removes stt0 from both hosts.
untunnel() {
    ip -n a link del stt0
    ip -n b link del stt0
}

# IPsec.  An authentication header stands before that of TCP until IPsec has
# taken it away.
if modprobe ah6; then
    tunnel 6
    key=0x0123456789abcdef0123456789abcdef01234567
    for ns in a b; do
        for sa in "2001:db8::1 dst 2001:db8::2 spi 0x101" \
                  "2001:db8::2 dst 2001:db8::1 spi 0x102"; do
            ip -n $ns xfrm state add src $sa proto ah mode transport \
                auth 'hmac(sha1)' $key
        done
    done
    # policy NS SRC DST DIRECTION
    policy() {
        ip -n "$1" xfrm policy add src "2001:db8::$2/128" \
            dst "2001:db8::$3/128" proto tcp dir "$4" \
            tmpl proto ah mode transport
    }
    policy a 1 2 out
    policy b 1 2 in
    policy b 2 1 out
    policy a 2 1 in
    check "IPsec AH" pings 10.0.0.2 56 5000
    check "IPsec AH was there" sh -c \
        "ip -n b -s xfrm state | sed -n '/spi 0x00000101/,/stats/p' |
             tee /dev/stderr | grep -q '[1-9][0-9]*(packets)'"
    ip -n a xfrm policy flush
    check "and is not optional where a policy wants it" \
        refuse within a ping -c 1 -W 2 10.0.0.2
    check "which is counted" sh -c 'ip netns exec b ethtool -S stt0 |
        grep "drop_policy: [1-9]"'
    for ns in a b; do
        ip -n $ns xfrm policy flush
        ip -n $ns xfrm state flush
    done
    untunnel
else
    skip_one "IPsec AH" "the kernel has no module ah6"
fi

# A program that accepts segments: the module goes on where that does.
if modprobe nfnetlink_queue && modprobe nft_queue; then
    # The program may be slow.
    timeout=$(within b sysctl -n net.stt.reassembly_timeout)
    within b sysctl -qw net.stt.reassembly_timeout=10000
    for family in 4 6; do
        tunnel $family
        for mode in "" gso; do
            path="IPv$family, NFQUEUE${mode:+ in one piece}"
            within b nft add table inet q
            within b nft add chain inet q input \
                '{ type filter hook input priority 0; }'
            within b nft add rule inet q input tcp dport 7471 counter \
                queue num 5 comment '"queued"'
            rm -f "$TMPDIR/ready"
            ip netns exec b /usr/bin/python3 "$top/tests/kernel/wire.py" \
                queue 5 $mode 2> "$TMPDIR/ready" &
            queue=$!
            wait_for 20 "queue" test -s "$TMPDIR/ready"
            before=$(counter b rx_segments)
            check "$path" pings 10.0.0.2 56 5000
            check "$path: through the queue" matched b queued
            case $mode in
                "") check "$path: segments" \
                        [ "$(counter b rx_segments)" -gt "$before" ] ;;
                gso) check "$path: no segments" \
                        [ "$(counter b rx_segments)" -eq "$before" ] ;;
            esac
            kill $queue
            wait $queue
            within b nft delete table inet q
        done
        untunnel
    done
    within b sysctl -qw "net.stt.reassembly_timeout=$timeout"
else
    skip_one "NFQUEUE" "the kernel has no module nft_queue"
fi

# Lists of fragments: c sends TCP in linear memory, which a's GRO can only put
# into lists, and a forwards them into the tunnel.
tunnel 4
serve b
namespace c
ip link add eth1 netns c type veth peer name eth1 netns a
for n in 1 2; do
    ns=$([ $n = 1 ] && echo a || echo c)
    ip -n $ns address add 203.0.113.$n/24 dev eth1
    ip -n $ns link set eth1 up
done
ip -n c route add 10.0.0.0/24 via 203.0.113.1
ip -n b route add 203.0.113.0/24 via 10.0.0.1
within a sysctl -qw net.ipv4.ip_forward=1
within a ethtool -K eth1 gro on
within a nft add table inet f
within a nft add chain inet f forward '{ type filter hook forward priority 0; }'
within a nft add rule inet f forward iifname eth1 meta length '>' 2000 counter \
    comment '"merged"'
# forwards whole|cut: has c send to b, and succeeds if of the first packets that
# leave a for stt0 some wait for TSO, or none.
forwards() {
    listen a +stt0 50
    within c timeout 100 /usr/bin/python3 "$top/tests/lab-transfer.py" tcp \
        10.0.0.2 300000 || return
    wait "$capture"
    n=$(grep -c tso4 "$TMPDIR/captured")
    echo "$n of $(wc -l < "$TMPDIR/captured") packets wait for TSO"
    case $1 in
        whole) [ "$n" -gt 0 ] ;;
        cut) [ "$n" -eq 0 ] && [ -s "$TMPDIR/captured" ] ;;
    esac
}
check "forwarded as it is" forwards whole
within c ethtool -K eth1 sg off
before=$(hits a merged)
check "a list of fragments is cut before it is sent" forwards cut
check "and has been there" [ "$(hits a merged)" -gt "$before" ]
check "all content was right" [ ! -s "$TMPDIR/serve" ]
ip -n a link del eth1
within a nft delete table inet f

# What rules have noted about segments is known of the packet, too.
within b nft add table inet m
within b nft add chain inet m pre \
    '{ type filter hook prerouting priority mangle; }'
within b nft add rule inet m pre tcp dport 7471 meta mark set 0x77 \
    meta priority set 1:2
within b nft add chain inet m input '{ type filter hook input priority 0; }'
within b nft add rule inet m input iifname stt0 meta mark 0x77 \
    meta priority 1:2 counter accept comment '"noted"'
within b nft add rule inet m input iifname stt0 counter comment '"forgotten"'
offloads a tso=off gso=off
offloads b gro=off
before=$(counter b rx_reassembled)
check "segments with a mark" pings 10.0.0.2 3000 5000
check "were put together" [ "$(counter b rx_reassembled)" -gt "$before" ]
check "mark and priority of segments" matched b noted
check "are those of all packets" unmatched b forgotten
within b nft delete table inet m
offloads a tso=on gso=on

# What the underlay doesn't take.
within a nft add table inet d
within a nft add chain inet d output '{ type filter hook output priority 0; }'
within a nft add rule inet d output tcp dport 7471 drop
statistic() { within a cat "/sys/class/net/stt0/statistics/$1"; }
before=$(statistic tx_dropped)
within a ping -c 1 -W 1 10.0.0.2
check "what a rule drops over IPv4 is in \"dropped\"" \
    [ "$(statistic tx_dropped)" -gt "$before" ]
untunnel
tunnel 6
before=$(statistic tx_errors)
within a ping -c 1 -W 1 10.0.0.2
check "and over IPv6 in \"errors\"" [ "$(statistic tx_errors)" -gt "$before" ]
within a nft delete table inet d

# An IPv6 fragment that TCP would answer.
head=02000000000202000000000186dd6000000000202c40
head=${head}20010db800000000000000000000000120010db8000000000000000000000002
tcp=9c411d2f004c0000000001005010ffff0000000000000000
wire_hosts
before=$(counter b drop_extensions)
echo "${head}0600000112345678$tcp" | wire a send eth0
check "first fragment of IPv6" \
    wait_for 60 "drop" counts b drop_extensions $((before + 1))
untunnel

# From here on, nothing but what the test sends.
for ns in a b; do
    within $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
        net.ipv6.conf.default.disable_ipv6=1
done
ip -n a neighbor replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev eth0

# device NS ID [OPTION...]: makes stt0 on NS with the context ID.
device() {
    ns=$1 id=$2
    shift 2
    ip -n "$ns" link del stt0 2> /dev/null
    ip -n "$ns" link add stt0 address 52:54:00:00:00:0b up type stt id "$id" \
        "$@"
}

# received EXPECTED...: checks what was captured.
received() {
    printf '%s\n' "$@" > "$TMPDIR/expected"
    wait "$capture"
    diff "$TMPDIR/expected" "$TMPDIR/captured"
}

eth=52540000000b52540000000a
icmp=08000b36123400015354542d6578616d706c652d49434d50
icmp=002c010140004001CSUM0a0000010a000002$icmp
plain=${eth}08004500$(echo "$icmp" | sed s/CSUM/25ce/)
ect=${eth}8100006408004502$(echo "$icmp" | sed s/CSUM/25cc/)
ce=${eth}08004503$(echo "$icmp" | sed s/CSUM/25cb/)

# Congestion.
device b 42 remote 192.0.2.1
stt="stt src=192.0.2.1 dst=192.0.2.2 eth_src=020000000001"
stt="$stt eth_dst=020000000002 key=42"
listen b stt0 1
echo "$stt tos=3 $ect" | wire a send eth0
check "CE reaches IP behind a VLAN tag" received "vlan=0064 $ce"
listen b stt0 1
echo "$stt id=0x200 mss=40 tos=2,3,2 $ect" | wire a send eth0
check "CE of a single segment, too" received "vlan=0064 $ce"

# Metadata of packets.
ip -n a link add v0 type veth peer name v1
for link in v0 v1; do
    ip -n a link set $link up
done
ip -n a link add stt0 up type stt external
within a tc qdisc add dev v1 clsact
within a tc qdisc add dev stt0 clsact
# metadata [OPTION...]: has what comes to v1 be sent with metadata.
metadata() {
    within a tc filter del dev v1 ingress 2> /dev/null
    within a tc filter add dev v1 ingress matchall \
        action tunnel_key set src_ip 192.0.2.1 dst_ip 192.0.2.2 id 42 "$@" \
        action mirred egress redirect dev stt0
}
metadata
listen b stt0 1
echo "$plain" | wire a send v0
check "metadata" received "$plain"
within a tc filter add dev stt0 ingress protocol all flower \
    enc_src_ip 192.0.2.2 enc_key_id 42 enc_dst_port 7471 \
    action tunnel_key unset action mirred egress redirect dev v1
listen a v0 1
echo "$plain" | wire b send stt0
check "metadata of what is received" received "$plain"
device b 42 remote 192.0.2.1 dstport 7472
metadata dst_port 7472
listen b stt0 1
echo "$plain" | wire a send v0
check "TCP port in the metadata" received "$plain"
before=$(counter a tx_drop_metadata)
echo "$plain" | wire a send stt0
check "no metadata" counts a tx_drop_metadata $((before + 1))
ip -n a link del v0

# What the underlay takes for TSO.
device a 42 remote 192.0.2.2
tso=9c4002024000400600000a0000010a000002
tso=${eth}08004500${tso}c350005011223344556677885018721016110000
tso=$tso$(/usr/bin/python3 -c 'print("42" * 39960)')
# sends N LIMIT: succeeds if a packet of 40000 bytes leaves in N pieces that have
# at most LIMIT bytes each, and are all of it.
sends() {
    listen a +eth0 "$1"
    echo "csum=34+16 tso4=1400 $tso" | wire a send stt0
    wait "$capture"
    awk -v count="$1" -v limit="$2" '
        { n = length($NF) / 2; print n; bad += n > limit; total += n }
        END { exit bad || NR != count || total < 40000 }' "$TMPDIR/captured"
}
check "a packet for TSO" sends 1 65535
before=$(counter a tx_split)
ip -n a link set eth0 gso_max_size 16000
check "gso_max_size of the underlay" sends 3 16000
check "takes several frames" counts a tx_split $((before + 1))
ip -n a link set eth0 gso_max_size 65536 gso_max_segs 10
check "gso_max_segs of the underlay" sends 3 14654
check "takes several frames, too" counts a tx_split $((before + 2))

# Memory is the host's.
check "a container has less memory for reassembly" sh -c \
    '[ "$(unshare -Urn cat /proc/sys/net/stt/reassembly_max_bytes)" \
           -eq 4194304 ]'
check "and can't have more" refuse unshare -Urn sh -c \
    'echo 33554432 > /proc/sys/net/stt/reassembly_max_bytes'
