/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "csum-fast.h"

#include <string.h>

#include "compiler.h"

#if defined(__GNUC__) && !defined(__CHECKER__)
/* Four sums of 64 bits, in vector registers where the machine has them.  The
 * compiler turns them into ordinary ones elsewhere. */
typedef uint64_t sums __attribute__((vector_size(32)));

#define LOW_HALVES ((sums) { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX })
#define HIGH_HALVES ((sums) { 32, 32, 32, 32 })

/* Adds up the words of the '*np' bytes in '*datap', and skips what it has
 * done: all but less than 64 bytes. */
static uint64_t
sum_blocks(const uint8_t **datap, size_t *np)
{
    sums even = { 0 }, odd = { 0 };
    const uint8_t *data = *datap;
    size_t n = *np;

    for (; n >= 2 * sizeof even; n -= 2 * sizeof even) {
        sums a, b;

        memcpy(&a, data, sizeof a);
        memcpy(&b, data + sizeof a, sizeof b);
        data += 2 * sizeof a;

        even += (a & LOW_HALVES) + (b & LOW_HALVES);
        odd += (a >> HIGH_HALVES) + (b >> HIGH_HALVES);
    }
    *datap = data;
    *np = n;
    even += odd;
    return even[0] + even[1] + even[2] + even[3];
}
#else
static uint64_t
sum_blocks(const uint8_t **datap OVS_UNUSED, size_t *np OVS_UNUSED)
{
    return 0;
}
#endif

/* Adds the 'n' bytes in 'data' to 'partial' and returns the updated sum, for
 * csum_finish() to make the same checksum of as of that of csum_continue().
 *
 * In ones-complement arithmetic the order of the 16-bit words doesn't matter,
 * nor does whether two of them are added as one of 32 bits.  2**32 words fit
 * into a sum of 64 bits before it overflows. */
uint32_t
csum_fast(uint32_t partial, const void *data_, size_t n)
{
    const uint8_t *data = data_;
    uint64_t sum = partial + sum_blocks(&data, &n);

    for (; n >= sizeof(uint32_t); n -= sizeof(uint32_t)) {
        uint32_t word;

        memcpy(&word, data, sizeof word);
        data += sizeof word;
        sum += word;
    }
    if (n) {
        /* What is missing from the last words counts as zeros. */
        uint32_t word = 0;

        memcpy(&word, data, n);
        sum += word;
    }

    /* A sum that isn't 0 doesn't become 0 here. */
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    return (sum & UINT16_MAX) + (sum >> 16);
}
