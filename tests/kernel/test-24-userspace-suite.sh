#! /bin/sh
# Title: The test suite of the userspace datapath, with stt.ko as its peer
# Seconds: 900
#
# The tests are those in tests/system-stt-traffic.at, which "make check-system-userspace"
# has as well.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/suite.sh"

need_module stt tun
suite userspace
