# The fuzz targets of STT, which tests/stt.mk includes.
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

# What libFuzzer runs, built by "make check-fuzz" and nothing else; see
# tests/oss-fuzz/stt_fuzz.h.
STT_FUZZ_TARGETS = \
	tests/oss-fuzz/stt_options_target \
	tests/oss-fuzz/stt_packet_target \
	tests/oss-fuzz/stt_push_target \
	tests/oss-fuzz/stt_reassembly_target
OSS_FUZZ_TARGETS += $(STT_FUZZ_TARGETS)

tests_oss_fuzz_stt_options_target_SOURCES = \
	tests/oss-fuzz/stt_fuzz.h \
	tests/oss-fuzz/stt_options_target.c
tests_oss_fuzz_stt_options_target_LDADD = lib/libopenvswitch.la
tests_oss_fuzz_stt_options_target_LDFLAGS = $(LIB_FUZZING_ENGINE)

tests_oss_fuzz_stt_packet_target_SOURCES = \
	tests/oss-fuzz/stt_fuzz.h \
	tests/oss-fuzz/stt_packet_target.c
tests_oss_fuzz_stt_packet_target_LDADD = lib/libopenvswitch.la
tests_oss_fuzz_stt_packet_target_LDFLAGS = $(LIB_FUZZING_ENGINE)

tests_oss_fuzz_stt_push_target_SOURCES = \
	tests/oss-fuzz/stt_fuzz.h \
	tests/oss-fuzz/stt_push_target.c
tests_oss_fuzz_stt_push_target_LDADD = lib/libopenvswitch.la
tests_oss_fuzz_stt_push_target_LDFLAGS = $(LIB_FUZZING_ENGINE)

tests_oss_fuzz_stt_reassembly_target_SOURCES = \
	tests/oss-fuzz/stt_fuzz.h \
	tests/oss-fuzz/stt_reassembly_target.c
tests_oss_fuzz_stt_reassembly_target_LDADD = lib/libopenvswitch.la
tests_oss_fuzz_stt_reassembly_target_LDFLAGS = $(LIB_FUZZING_ENGINE)

# By themselves, unlike with "make all", nothing sees to it that the headers
# are there that the sources want and that make knows nothing of as yet.
stt-fuzz-targets: $(BUILT_SOURCES)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(STT_FUZZ_TARGETS)
.PHONY: stt-fuzz-targets

# Inputs that a target begins with.  What "make check-fuzz" has found is added
# with -merge=1, -set_cover_merge=1 and -use_counters=0, which keep only what
# reaches more code, and listed here.
EXTRA_DIST += \
	tests/oss-fuzz/corpus/stt_options/00121bc9 \
	tests/oss-fuzz/corpus/stt_options/05f8608f \
	tests/oss-fuzz/corpus/stt_options/06c881d6 \
	tests/oss-fuzz/corpus/stt_options/075e27b0 \
	tests/oss-fuzz/corpus/stt_options/1295d006 \
	tests/oss-fuzz/corpus/stt_options/1831ce76 \
	tests/oss-fuzz/corpus/stt_options/187f754a \
	tests/oss-fuzz/corpus/stt_options/1f85d4cc \
	tests/oss-fuzz/corpus/stt_options/226ef9cc \
	tests/oss-fuzz/corpus/stt_options/4188291f \
	tests/oss-fuzz/corpus/stt_options/4f3b3f78 \
	tests/oss-fuzz/corpus/stt_options/5a2e81d5 \
	tests/oss-fuzz/corpus/stt_options/5cabe8e7 \
	tests/oss-fuzz/corpus/stt_options/6200df0c \
	tests/oss-fuzz/corpus/stt_options/63ca58c6 \
	tests/oss-fuzz/corpus/stt_options/649e21ab \
	tests/oss-fuzz/corpus/stt_options/69ea6f0e \
	tests/oss-fuzz/corpus/stt_options/6f144855 \
	tests/oss-fuzz/corpus/stt_options/7d464c1a \
	tests/oss-fuzz/corpus/stt_options/8507f7a0 \
	tests/oss-fuzz/corpus/stt_options/85e53271 \
	tests/oss-fuzz/corpus/stt_options/8c6a7187 \
	tests/oss-fuzz/corpus/stt_options/8e18c991 \
	tests/oss-fuzz/corpus/stt_options/92625b18 \
	tests/oss-fuzz/corpus/stt_options/a1ca1f48 \
	tests/oss-fuzz/corpus/stt_options/a31332d7 \
	tests/oss-fuzz/corpus/stt_options/a9be13c0 \
	tests/oss-fuzz/corpus/stt_options/aec75783 \
	tests/oss-fuzz/corpus/stt_options/b74e80fa \
	tests/oss-fuzz/corpus/stt_options/b7d18f28 \
	tests/oss-fuzz/corpus/stt_options/ba575d8e \
	tests/oss-fuzz/corpus/stt_options/c3415f53 \
	tests/oss-fuzz/corpus/stt_options/d076ee5a \
	tests/oss-fuzz/corpus/stt_options/e5cc83d4 \
	tests/oss-fuzz/corpus/stt_options/e6169a6d \
	tests/oss-fuzz/corpus/stt_options/f6df4257 \
	tests/oss-fuzz/corpus/stt_options/f8a3b9ee \
	tests/oss-fuzz/corpus/stt_options/mapped-address \
	tests/oss-fuzz/corpus/stt_packet/018d8a7e \
	tests/oss-fuzz/corpus/stt_packet/040addf8 \
	tests/oss-fuzz/corpus/stt_packet/054c7984 \
	tests/oss-fuzz/corpus/stt_packet/056ad5ee \
	tests/oss-fuzz/corpus/stt_packet/0a048512 \
	tests/oss-fuzz/corpus/stt_packet/1037464f \
	tests/oss-fuzz/corpus/stt_packet/144585de \
	tests/oss-fuzz/corpus/stt_packet/190c097c \
	tests/oss-fuzz/corpus/stt_packet/19725017 \
	tests/oss-fuzz/corpus/stt_packet/198216f2 \
	tests/oss-fuzz/corpus/stt_packet/2d2326d9 \
	tests/oss-fuzz/corpus/stt_packet/2dac8da4 \
	tests/oss-fuzz/corpus/stt_packet/2e5c409a \
	tests/oss-fuzz/corpus/stt_packet/304be0f3 \
	tests/oss-fuzz/corpus/stt_packet/392d3408 \
	tests/oss-fuzz/corpus/stt_packet/3d1b569d \
	tests/oss-fuzz/corpus/stt_packet/3f8e7477 \
	tests/oss-fuzz/corpus/stt_packet/405bf9ff \
	tests/oss-fuzz/corpus/stt_packet/42c23f14 \
	tests/oss-fuzz/corpus/stt_packet/46cc046a \
	tests/oss-fuzz/corpus/stt_packet/473a5e65 \
	tests/oss-fuzz/corpus/stt_packet/4a8b4e63 \
	tests/oss-fuzz/corpus/stt_packet/4f85d331 \
	tests/oss-fuzz/corpus/stt_packet/527332cd \
	tests/oss-fuzz/corpus/stt_packet/59400472 \
	tests/oss-fuzz/corpus/stt_packet/5a7e3699 \
	tests/oss-fuzz/corpus/stt_packet/5ba93c9d \
	tests/oss-fuzz/corpus/stt_packet/5ffac8b8 \
	tests/oss-fuzz/corpus/stt_packet/634c83e2 \
	tests/oss-fuzz/corpus/stt_packet/6459c388 \
	tests/oss-fuzz/corpus/stt_packet/67d57947 \
	tests/oss-fuzz/corpus/stt_packet/6a44684f \
	tests/oss-fuzz/corpus/stt_packet/6c6df518 \
	tests/oss-fuzz/corpus/stt_packet/70cc84b9 \
	tests/oss-fuzz/corpus/stt_packet/76637fdd \
	tests/oss-fuzz/corpus/stt_packet/7c65b2de \
	tests/oss-fuzz/corpus/stt_packet/8306191b \
	tests/oss-fuzz/corpus/stt_packet/870cc110 \
	tests/oss-fuzz/corpus/stt_packet/8a401da2 \
	tests/oss-fuzz/corpus/stt_packet/8a76099b \
	tests/oss-fuzz/corpus/stt_packet/8cceba3f \
	tests/oss-fuzz/corpus/stt_packet/8d4d75ec \
	tests/oss-fuzz/corpus/stt_packet/94850751 \
	tests/oss-fuzz/corpus/stt_packet/94ac94e3 \
	tests/oss-fuzz/corpus/stt_packet/95c8ebab \
	tests/oss-fuzz/corpus/stt_packet/96d265c4 \
	tests/oss-fuzz/corpus/stt_packet/9e4383de \
	tests/oss-fuzz/corpus/stt_packet/9f882d04 \
	tests/oss-fuzz/corpus/stt_packet/a463d6b6 \
	tests/oss-fuzz/corpus/stt_packet/a4d16f95 \
	tests/oss-fuzz/corpus/stt_packet/adcfeaba \
	tests/oss-fuzz/corpus/stt_packet/af582c44 \
	tests/oss-fuzz/corpus/stt_packet/b2d3f573 \
	tests/oss-fuzz/corpus/stt_packet/ba57e2c8 \
	tests/oss-fuzz/corpus/stt_packet/bb419659 \
	tests/oss-fuzz/corpus/stt_packet/bc0390c6 \
	tests/oss-fuzz/corpus/stt_packet/c02bcb88 \
	tests/oss-fuzz/corpus/stt_packet/c2a002f8 \
	tests/oss-fuzz/corpus/stt_packet/c585ae37 \
	tests/oss-fuzz/corpus/stt_packet/c6874d1c \
	tests/oss-fuzz/corpus/stt_packet/c6b58ed2 \
	tests/oss-fuzz/corpus/stt_packet/c86b3a61 \
	tests/oss-fuzz/corpus/stt_packet/ca66ee12 \
	tests/oss-fuzz/corpus/stt_packet/cae2f71f \
	tests/oss-fuzz/corpus/stt_packet/d618e97a \
	tests/oss-fuzz/corpus/stt_packet/d8e6c274 \
	tests/oss-fuzz/corpus/stt_packet/dd6e2397 \
	tests/oss-fuzz/corpus/stt_packet/dfadd43d \
	tests/oss-fuzz/corpus/stt_packet/e17478fd \
	tests/oss-fuzz/corpus/stt_packet/e554ce69 \
	tests/oss-fuzz/corpus/stt_packet/e6e0c065 \
	tests/oss-fuzz/corpus/stt_packet/e7f139f2 \
	tests/oss-fuzz/corpus/stt_packet/e99a0bb0 \
	tests/oss-fuzz/corpus/stt_packet/ee709f32 \
	tests/oss-fuzz/corpus/stt_packet/ee95ab6c \
	tests/oss-fuzz/corpus/stt_packet/eea9f5a9 \
	tests/oss-fuzz/corpus/stt_packet/ef0e2c0a \
	tests/oss-fuzz/corpus/stt_packet/fa9affd2 \
	tests/oss-fuzz/corpus/stt_packet/fef038f6 \
	tests/oss-fuzz/corpus/stt_packet/stt-icmp \
	tests/oss-fuzz/corpus/stt_packet/stt-ipv6-outer \
	tests/oss-fuzz/corpus/stt_packet/stt-negative \
	tests/oss-fuzz/corpus/stt_packet/stt-tso3-reordered \
	tests/oss-fuzz/corpus/stt_packet/stt-vlan \
	tests/oss-fuzz/corpus/stt_push/034e71eb \
	tests/oss-fuzz/corpus/stt_push/05a5e431 \
	tests/oss-fuzz/corpus/stt_push/08cbe9c3 \
	tests/oss-fuzz/corpus/stt_push/1615502e \
	tests/oss-fuzz/corpus/stt_push/161ac1c5 \
	tests/oss-fuzz/corpus/stt_push/17f8dea9 \
	tests/oss-fuzz/corpus/stt_push/1b972d52 \
	tests/oss-fuzz/corpus/stt_push/1c6a75dd \
	tests/oss-fuzz/corpus/stt_push/1e838efc \
	tests/oss-fuzz/corpus/stt_push/26aaf08c \
	tests/oss-fuzz/corpus/stt_push/295d95f6 \
	tests/oss-fuzz/corpus/stt_push/3e683295 \
	tests/oss-fuzz/corpus/stt_push/42947eef \
	tests/oss-fuzz/corpus/stt_push/43144978 \
	tests/oss-fuzz/corpus/stt_push/4436618c \
	tests/oss-fuzz/corpus/stt_push/45371f98 \
	tests/oss-fuzz/corpus/stt_push/4774f1a6 \
	tests/oss-fuzz/corpus/stt_push/49eedd75 \
	tests/oss-fuzz/corpus/stt_push/4cef1458 \
	tests/oss-fuzz/corpus/stt_push/5147e874 \
	tests/oss-fuzz/corpus/stt_push/5194244e \
	tests/oss-fuzz/corpus/stt_push/55721468 \
	tests/oss-fuzz/corpus/stt_push/5a84ad8b \
	tests/oss-fuzz/corpus/stt_push/5a927c1a \
	tests/oss-fuzz/corpus/stt_push/62e6d9b2 \
	tests/oss-fuzz/corpus/stt_push/6ca1f415 \
	tests/oss-fuzz/corpus/stt_push/6e7fcf59 \
	tests/oss-fuzz/corpus/stt_push/73341f45 \
	tests/oss-fuzz/corpus/stt_push/738ac08d \
	tests/oss-fuzz/corpus/stt_push/7702e650 \
	tests/oss-fuzz/corpus/stt_push/7e034774 \
	tests/oss-fuzz/corpus/stt_push/7fb7ed55 \
	tests/oss-fuzz/corpus/stt_push/848593d1 \
	tests/oss-fuzz/corpus/stt_push/87839341 \
	tests/oss-fuzz/corpus/stt_push/8e23774f \
	tests/oss-fuzz/corpus/stt_push/a6c12088 \
	tests/oss-fuzz/corpus/stt_push/ab677e17 \
	tests/oss-fuzz/corpus/stt_push/ac62eadf \
	tests/oss-fuzz/corpus/stt_push/ad787a58 \
	tests/oss-fuzz/corpus/stt_push/ad9c183e \
	tests/oss-fuzz/corpus/stt_push/b74dbd2e \
	tests/oss-fuzz/corpus/stt_push/bae4cfc3 \
	tests/oss-fuzz/corpus/stt_push/bd5146b2 \
	tests/oss-fuzz/corpus/stt_push/bd7eaaf1 \
	tests/oss-fuzz/corpus/stt_push/bde5cc8e \
	tests/oss-fuzz/corpus/stt_push/c63f87b6 \
	tests/oss-fuzz/corpus/stt_push/cd804b20 \
	tests/oss-fuzz/corpus/stt_push/d0e2298f \
	tests/oss-fuzz/corpus/stt_push/d61e3363 \
	tests/oss-fuzz/corpus/stt_push/d6e47c0f \
	tests/oss-fuzz/corpus/stt_push/d8275f4c \
	tests/oss-fuzz/corpus/stt_push/d93a4dce \
	tests/oss-fuzz/corpus/stt_push/dbb8f6d5 \
	tests/oss-fuzz/corpus/stt_push/ddd01913 \
	tests/oss-fuzz/corpus/stt_push/e7440cb7 \
	tests/oss-fuzz/corpus/stt_push/e9327d39 \
	tests/oss-fuzz/corpus/stt_push/ebdd7aec \
	tests/oss-fuzz/corpus/stt_push/f215be82 \
	tests/oss-fuzz/corpus/stt_push/f65b891c \
	tests/oss-fuzz/corpus/stt_push/f6e3f194 \
	tests/oss-fuzz/corpus/stt_push/f886000e \
	tests/oss-fuzz/corpus/stt_push/fcea4dd4 \
	tests/oss-fuzz/corpus/stt_push/ff7d0a7e \
	tests/oss-fuzz/corpus/stt_push/foreign-header \
	tests/oss-fuzz/corpus/stt_push/padded-tso \
	tests/oss-fuzz/corpus/stt_reassembly/0e787621 \
	tests/oss-fuzz/corpus/stt_reassembly/3a52ce78 \
	tests/oss-fuzz/corpus/stt_reassembly/4d2936ec \
	tests/oss-fuzz/corpus/stt_reassembly/58bf97e6 \
	tests/oss-fuzz/corpus/stt_reassembly/5a397038 \
	tests/oss-fuzz/corpus/stt_reassembly/7c55ce45 \
	tests/oss-fuzz/corpus/stt_reassembly/90b98509 \
	tests/oss-fuzz/corpus/stt_reassembly/a38c6157
