/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef TEST_STT_H
#define TEST_STT_H 1

#include "compiler.h"

/* What a test is about to do, printed if one of its checks fails. */
extern const char *stt_test_case;

OVS_NO_RETURN void stt_test_fail(const char *where, const char *what,
                                 long long int is, long long int should);

/* Ends the test with a message unless both integers are equal. */
#define CHECK_EQ(IS, SHOULD) \
    CHECK_EQ__(IS, SHOULD, OVS_SOURCE_LOCATOR)
#define CHECK_EQ__(IS, SHOULD, WHERE)                           \
    do {                                                        \
        long long int is__ = (IS);                              \
        long long int should__ = (SHOULD);                      \
                                                                \
        if (is__ != should__) {                                 \
            stt_test_fail(WHERE, #IS, is__, should__);          \
        }                                                       \
    } while (0)

/* Ends the test with a message unless 'CONDITION' is true. */
#define CHECK(CONDITION) CHECK_EQ(!!(CONDITION), true)

#endif /* test-stt.h */
