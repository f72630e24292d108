# Functions for the tests that run Open vSwitch's own test suites, after those of
# lib.sh.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

cd build/ovs || exit
path=$(sed -n 's/^AUTOTEST_PATH = \([^$]*\).*/\1/p' Makefile)

# suite NAME: runs the tests of system-NAME-testsuite, and tells of each.
suite() {
    [ -f "tests/system-$1-testsuite" ] || {
        not_ok "$1: the suite has been made"
        return
    }
    sh "tests/system-$1-testsuite" -C tests AUTOTEST_PATH="$path" -j1 \
        -k stt-link 2>&1 | tee "$TMPDIR/suite"
    # Each test has a line "NUMBER: TITLE  RESULT".
    sed -n 's/^ *\([0-9][0-9]*\): \(.*[^ ]\)  *\(ok\|FAILED (.*\|skipped (.*\)$/\1|\2|\3/p' \
        "$TMPDIR/suite" > "$TMPDIR/results"
    while IFS='|' read -r number title result; do
        case $result in
        ok) ok "$1: $title" ;;
        skipped*) skip_one "$1: $title" "$result" ;;
        *)
            # The log may have what looks like results.
            sed 's/^/    /' \
                "tests/system-$1-testsuite.dir/$number/system-$1-testsuite.log"
            not_ok "$1: $title"
            ;;
        esac
    done < "$TMPDIR/results"
    grep -q '|ok$' "$TMPDIR/results" || not_ok "$1: a test has passed"
}
