# What STT adds to lib/automake.mk, which includes this file.  automake puts
# it into "make dist" by itself.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

MAN_FRAGMENTS += lib/netdev-stt-unixctl.man

lib_libopenvswitch_la_SOURCES += \
	lib/csum-fast.c \
	lib/csum-fast.h \
	lib/dp-packet-finish.c \
	lib/dp-packet-finish.h \
	lib/gro.c \
	lib/gro.h \
	lib/netdev-stt.c \
	lib/netdev-stt.h \
	lib/netdev-tuning.c \
	lib/netdev-tuning.h \
	lib/stt-listener.c \
	lib/stt-listener.h \
	lib/stt-peers.c \
	lib/stt-peers.h \
	lib/stt-probe-unixctl.c \
	lib/stt-probe.c \
	lib/stt-probe.h \
	lib/stt-reassembly.c \
	lib/stt-reassembly.h \
	lib/stt-unixctl.c \
	lib/stt.c \
	lib/stt.h

# Ports of the kernel datapath, and the module that makes them.
if LINUX
lib_libopenvswitch_la_SOURCES += \
	lib/stt-rtnl.c \
	lib/stt-rtnl.h
endif

EXTRA_DIST += \
	datapath/Makefile \
	datapath/compat.h \
	datapath/device.c \
	datapath/dkms-check \
	datapath/dkms.conf \
	datapath/if_stt.h \
	datapath/inner.c \
	datapath/reassembly.c \
	datapath/reassembly.h \
	datapath/receive.c \
	datapath/send.c \
	datapath/stt.h
