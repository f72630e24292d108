/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef STT_OUTPUT_H
#define STT_OUTPUT_H 1

/* How lib/stt-probe.c sends through a port. */

void stt_output_init(void);

#endif /* stt-output.h */
