# What STT adds to ofproto/automake.mk, which includes this file.  automake puts
# it into "make dist" by itself.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

ofproto_libofproto_la_SOURCES += \
	ofproto/stt-output.c \
	ofproto/stt-output.h \
	ofproto/tunnel-key.c \
	ofproto/tunnel-key.h \
	ofproto/tunnel-sample.c \
	ofproto/tunnel-sample.h
