#! /bin/sh
# Makes ./configure from configure.ac.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

if ! command -v autoconf >/dev/null; then
    echo "boot.sh: autoconf is needed, and is not installed; run" \
         "build-aux/install-packages build" >&2
    exit 1
fi
# What autoconf remembers of an earlier run has the earlier version.
cd "$(dirname "$0")" && exec autoconf --force
