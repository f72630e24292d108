/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef CSUM_FAST_H
#define CSUM_FAST_H 1

/* The Internet checksum of long packets, many bytes at a time. */

#include <stddef.h>
#include <stdint.h>

/* From this many bytes on, csum_fast() is worth its call. */
#define CSUM_FAST_MIN 64

uint32_t csum_fast(uint32_t partial, const void *, size_t n);

#endif /* csum-fast.h */
