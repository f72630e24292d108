# What STT adds to tests/automake.mk, which includes this file.  automake puts
# it into "make dist" by itself.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# An autotest file goes into the list of each test suite that includes it,
# which makes the suite depend on it and distributes it:
#
#   TESTSUITE_AT += tests/FILE.at                   make check
#   SYSTEM_USERSPACE_TESTSUITE_AT += tests/FILE.at  make check-system-userspace
#   SYSTEM_TSO_TESTSUITE_AT += tests/FILE.at        make check-system-tso
#   SYSTEM_KMOD_TESTSUITE_AT += tests/FILE.at       make check-kernel
#   SYSTEM_TESTSUITE_AT += tests/FILE.at            every check-system-* one
#
# A program of the tests adds to noinst_PROGRAMS, a C source of ovstest to
# tests_ovstest_SOURCES, data and scripts to EXTRA_DIST.

# The lab, what runs in it, and what they judge the traffic with.
EXTRA_DIST += \
	tests/attack-bench.sh \
	tests/demo.sh \
	tests/doc-commands.py \
	tests/get-ovn \
	tests/lab-figures.py \
	tests/lab-judge.py \
	tests/lab-nested.py \
	tests/lab-transfer.py \
	tests/lab.sh \
	tests/ovn-traffic.py \
	tests/ovn.sh \
	tests/soak.sh

# The kernel test machine, which only the fork's own Makefile runs.
EXTRA_DIST += \
	tests/kernel/bench.sh \
	tests/kernel/boot \
	tests/kernel/build-debug-kernel \
	tests/kernel/check-style \
	tests/kernel/console-errors \
	tests/kernel/debug.config \
	tests/kernel/dkms \
	tests/kernel/get-kernel \
	tests/kernel/guest \
	tests/kernel/init \
	tests/kernel/lib.sh \
	tests/kernel/newlink.py \
	tests/kernel/run \
	tests/kernel/selftest \
	tests/kernel/stt.sh \
	tests/kernel/suite.sh \
	tests/kernel/test-00-machine.sh \
	tests/kernel/test-10-device.sh \
	tests/kernel/test-11-traffic.sh \
	tests/kernel/test-12-wire.sh \
	tests/kernel/test-13-abuse.sh \
	tests/kernel/test-14-network.sh \
	tests/kernel/test-15-storm.sh \
	tests/kernel/test-16-matrix.sh \
	tests/kernel/test-17-noipv6.sh \
	tests/kernel/test-18-stack.sh \
	tests/kernel/test-20-ovs.sh \
	tests/kernel/test-21-userspace.sh \
	tests/kernel/test-22-suite.sh \
	tests/kernel/test-23-kinds.sh \
	tests/kernel/test-24-userspace-suite.sh \
	tests/kernel/test-25-openflow.sh \
	tests/kernel/test-26-ipsec.sh \
	tests/kernel/test-27-ipfix.sh \
	tests/kernel/test-30-install.sh \
	tests/kernel/vm \
	tests/kernel/wire.py

# A cable with faults, an attacker and a source of packets, for the lab.
if LINUX
noinst_PROGRAMS += tests/lab-attack tests/lab-load tests/lab-relay
tests_lab_attack_SOURCES = tests/lab-attack.c
tests_lab_attack_LDADD = lib/libopenvswitch.la
tests_lab_load_SOURCES = tests/lab-load.c
tests_lab_load_LDADD = lib/libopenvswitch.la
tests_lab_relay_SOURCES = tests/lab-relay.c
tests_lab_relay_LDADD = lib/libopenvswitch.la
endif

# Real traffic between hypervisors of the lab.
SYSTEM_USERSPACE_TESTSUITE_AT += \
	tests/gro.at \
	tests/stt-macros.at \
	tests/system-netdev-tuning.at \
	tests/system-stt-ovs-offload.at \
	tests/system-stt-fabric.at \
	tests/system-stt-nested.at \
	tests/system-stt-robust.at \
	tests/system-stt-tenants.at \
	tests/system-stt.at
SYSTEM_TSO_TESTSUITE_AT += \
	tests/gro.at \
	tests/stt-macros.at \
	tests/system-netdev-tuning.at \
	tests/system-stt-fabric.at \
	tests/system-stt-robust.at \
	tests/system-stt-tenants.at \
	tests/system-stt.at

# Real traffic between a bridge, of either datapath, and a link of type stt.
SYSTEM_KMOD_TESTSUITE_AT += \
	tests/gro.at \
	tests/system-stt-traffic.at
SYSTEM_USERSPACE_TESTSUITE_AT += \
	tests/gro.at \
	tests/system-stt-traffic.at

FLAKE8_PYFILES += \
	tests/doc-commands.py \
	tests/lab-figures.py \
	tests/lab-judge.py \
	tests/lab-nested.py \
	tests/lab-transfer.py \
	tests/ovn-traffic.py

# Unit tests, and tests of ovs-vswitchd with simulated ports.
tests_ovstest_SOURCES += \
	tests/test-gro.c \
	tests/test-netdev-tuning.c \
	tests/test-stt-bench.c \
	tests/test-stt-packet.c \
	tests/test-stt-peers.c \
	tests/test-stt-probe.c \
	tests/test-stt-reassembly.c \
	tests/test-stt-receive.c \
	tests/test-stt-send.c \
	tests/test-stt-split.c \
	tests/test-stt-vectors.c \
	tests/test-stt.c \
	tests/test-stt.h

TESTSUITE_AT += \
	tests/gro.at \
	tests/netdev-tuning.at \
	tests/stt-abuse.at \
	tests/stt-bench.at \
	tests/stt-ipsec.at \
	tests/stt-offload.at \
	tests/stt-openflow.at \
	tests/stt-ovs-offload-nft.at \
	tests/stt-ovs-offload-tune.at \
	tests/stt-ovs-offload.at \
	tests/stt-peers.at \
	tests/stt-probe.at \
	tests/stt-sample.at \
	tests/stt-switch.at \
	tests/stt-tenants.at \
	tests/stt.at \
	tests/tunnel-fabric.at \
	tests/tunnel-mixed.at \
	tests/tunnel-nvgre.at \
	tests/tunnel-push-pop-stt.at

# What reads and writes STT packets for the tests, and captures of STT, which
# tests/test-stt-vectors.c explains.
EXTRA_DIST += \
	tests/ipfix-decode.py \
	tests/sflow-decode.py \
	tests/stt-wire.py \
	tests/tunnel-wire.py \
	tests/udp-dump.py \
	tests/stt-vectors/stt-icmp.pcap \
	tests/stt-vectors/stt-ipv6-outer.pcap \
	tests/stt-vectors/stt-negative.pcap \
	tests/stt-vectors/stt-tso3-reordered.pcap \
	tests/stt-vectors/stt-tso3.pcap \
	tests/stt-vectors/stt-vlan.pcap

include tests/oss-fuzz/stt-fuzz.mk
