# What STT adds to utilities/automake.mk, which includes this file.  automake
# puts it into "make dist" by itself.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

EXTRA_DIST += \
	utilities/link_stt.c \
	utilities/ovs-offload-bashcomp.bash

# What ip(8) loads for links of type "stt".  It looks in the directory that it
# was built with, or in that of $IP_LIB_DIR; "make install iplibdir=DIR" says
# which it is.
if LINUX
iplibdir = $(libdir)/ip
iplib_SCRIPTS = utilities/link_stt.so
CLEANFILES += utilities/link_stt.so

utilities/link_stt.so: utilities/link_stt.c datapath/if_stt.h
	$(AM_V_CC)$(CC) -I. $(CFLAGS) $(LDFLAGS) -Wall -Wextra -fPIC -shared \
	    -o $@ $(srcdir)/utilities/link_stt.c
endif

# What explains and tunes the path of a tunnel.
if LINUX
bin_PROGRAMS += utilities/ovs-offload
utilities_ovs_offload_SOURCES = \
	utilities/ovs-offload-chain.c \
	utilities/ovs-offload-chain.h \
	utilities/ovs-offload-change.c \
	utilities/ovs-offload-dev.c \
	utilities/ovs-offload-judge.c \
	utilities/ovs-offload-nft.c \
	utilities/ovs-offload-nic.c \
	utilities/ovs-offload-probe.c \
	utilities/ovs-offload-report.c \
	utilities/ovs-offload-setting.c \
	utilities/ovs-offload-state.c \
	utilities/ovs-offload-tune.c \
	utilities/ovs-offload-tune.h \
	utilities/ovs-offload.c \
	utilities/ovs-offload.h
utilities_ovs_offload_LDADD = lib/libopenvswitch.la

completion_SCRIPTS += utilities/ovs-offload-bashcomp.bash
check_SCRIPTS += utilities/ovs-offload-bashcomp.bash
endif
