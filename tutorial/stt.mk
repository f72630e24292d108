# What STT adds to tutorial/automake.mk, which includes this file.  automake
# puts it into "make dist" by itself.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

EXTRA_DIST += \
	tutorial/stt-tenants.py \
	tutorial/stt-tenants.yaml
FLAKE8_PYFILES += tutorial/stt-tenants.py
