# What STT adds to lib/automake.mk, which includes this file.  automake puts
# it into "make dist" by itself.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# Sources go here, one a line and in alphabetical order:
#
#   lib_libopenvswitch_la_SOURCES += \
#       lib/FILE.c \
#       lib/FILE.h
