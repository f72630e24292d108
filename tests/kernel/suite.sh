# Functions for the tests that run Open vSwitch's own test suites, after those of
# lib.sh.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

cd build/ovs || exit
path=$(sed -n 's/^AUTOTEST_PATH = \([^$]*\).*/\1/p' Makefile)

# suite NAME: runs the tests of system-NAME-testsuite, and tells of each.  Those
# that fail run once more, as with RECHECK=yes of "make check-kernel": upstream's
# macros take what ovs-vsctl says about a slow machine for a failure.
suite() {
    [ -f "tests/system-$1-testsuite" ] || {
        not_ok "$1: the suite has been made"
        return
    }
    : > "$TMPDIR/suite"
    for which in "-k stt-link" --recheck; do
        # shellcheck disable=SC2086
        sh "tests/system-$1-testsuite" -C tests AUTOTEST_PATH="$path" -j1 \
            $which 2>&1 | tee "$TMPDIR/run"
        cat "$TMPDIR/run" >> "$TMPDIR/suite"
        grep -q '^ *[0-9][0-9]*: .* FAILED (' "$TMPDIR/run" || break
        echo "what has failed runs once more"
    done
    # Each test has a line "NUMBER: TITLE  RESULT" for each run, of which the last
    # counts.
    sed -n 's/^ *\([0-9][0-9]*\): \(.*[^ ]\)  *\(ok\|FAILED (.*\|skipped (.*\)$/\1|\2|\3/p' \
        "$TMPDIR/suite" |
        awk -F'|' '!($1 in last) { order[++n] = $1 }
            { last[$1] = $0 }
            END { for (i = 1; i <= n; i++) print last[order[i]] }' \
        > "$TMPDIR/results"
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
