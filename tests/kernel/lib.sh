# Functions for the tests of the kernel, tests/kernel/test-*.sh, which begin:
#
#     #! /bin/sh
#     # Title: What is tested
#     . "${0%/*}/lib.sh"
#
# The working directory is the top of the repository, and $TMPDIR a directory
# that is removed afterwards.  Everything goes on after a failure; the exit
# status tells of it.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

failures=0
cleanup=

# ok TITLE, not_ok TITLE, skip_one TITLE REASON: tell of one test.
ok() { echo "ok - $1"; }
not_ok() { failures=$((failures + 1)) && echo "not ok - $1"; }
skip_one() { echo "ok - $1 # SKIP $2"; }

# check TITLE COMMAND...: one test, passed if COMMAND succeeds.
check() {
    title=$1
    shift
    echo "+ $*"
    if "$@"; then
        ok "$title"
    else
        echo "failed: exit status $?"
        not_ok "$title"
        return 1
    fi
}

# refuse COMMAND...: succeeds if COMMAND fails by itself, not by a signal.
refuse() {
    "$@"
    set -- $?
    [ "$1" -gt 0 ] && [ "$1" -lt 126 ]
}

# skip REASON: ends the whole test, which can't run here.
skip() {
    echo "$*"
    exit 77
}

# need PROGRAM...: skips unless each PROGRAM is there.
need() {
    for program; do
        command -v "$program" > /dev/null || skip "there is no $program"
    done
}

# need_module NAME...: loads modules of the kernel, and skips unless they are
# there.  One that is built in is loaded.
need_module() {
    for module; do
        modprobe "$module" || skip "the kernel has no module $module"
    done
}

# at_exit COMMAND: has a shell run COMMAND when the test ends, in whatever way.
# The last one comes first.
at_exit() {
    cleanup="$*
$cleanup"
}

# namespace NAME...: makes network namespaces, which end with the test.
namespace() {
    for ns; do
        ip netns add "$ns" && at_exit "ip netns del $ns" &&
            ip -n "$ns" link set lo up || return
    done
}

# within NAME COMMAND...: runs COMMAND in a network namespace.
within() {
    within=$1
    shift
    ip netns exec "$within" "$@"
}

# wait_for SECONDS WHAT COMMAND...: waits until COMMAND succeeds.  A kernel that
# is slower gets more time.
wait_for() {
    limit=$(($(cut -d . -f 1 /proc/uptime) + $1 * ${SLOWNESS:-1}))
    what=$2
    shift 2
    until "$@" > /dev/null 2>&1; do
        if [ "$(cut -d . -f 1 /proc/uptime)" -gt "$limit" ]; then
            echo "waited in vain for $what: $*"
            return 1
        fi
        sleep 0.1
    done
}

lib_exit() {
    status=$?
    trap - EXIT HUP INT TERM
    eval "$cleanup" > /dev/null 2>&1
    if [ "$status" -eq 0 ] && [ "$failures" -gt 0 ]; then
        status=1
    fi
    exit "$status"
}
trap lib_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
