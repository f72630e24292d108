#! /bin/sh
# Title: Installing, signing and removing stt.ko
# Seconds: 1200
#
# The commands of intro/install/stt-kernel.rst.  Afterwards, the kernel takes
# signed modules only, so this is the last of the tests of stt.ko.
#
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

. "${0%/*}/lib.sh"
. "${0%/*}/stt.sh"

release=$(uname -r)
modules=/lib/modules/$release
sign=$modules/build/scripts/sign-file
unset IP_LIB_DIR

# There is one already, which does not matter here: keep it in $TMPDIR.
unload() { ! lsmod | grep -q '^stt ' || modprobe -r stt; }
loaded() { lsmod | grep '^stt '; }
unload
cp "$modules/updates/stt.ko" "$TMPDIR"

# An emulated processor takes minutes to look into each of the kernel's modules:
# hide those that have nothing to do with stt from depmod.
dummy=$TMPDIR/$(basename "$(modinfo -n dummy)")
cp "$(modinfo -n dummy)" "$dummy"
for dir in arch crypto drivers fs lib sound net/netfilter net/sched; do
    [ -d "$modules/kernel/$dir" ] || continue
    mount -t tmpfs hidden "$modules/kernel/$dir" || exit
done

# link [OPTION...]: has ip add a link of type stt.  Without options, the module
# says that one is missing.
namespace c
link() { ip -n c link add stt0 type stt "$@"; }

# going_back FILE...: what the manual says.
going_back() {
    unload && rm "$@" && depmod
}
check "removing the module" going_back "$modules/updates/stt.ko"
check "no module is left" refuse modprobe stt
check "and ip adds no link" refuse link
check "and loads nothing" refuse loaded

# What was built for the machine is up to date here, and only installed.  The
# newest kernel's was built in another system.
built=$top/build/kernel/${KERNEL:-}
if [ -d "$built/datapath" ] && [ ! -d "$built/chroot" ]; then
    check "make -C datapath install" make -C "$built/datapath" install
    check "depmod" depmod
    file=$(modinfo -n stt)
    if grep -q '^CONFIG_MODULE_COMPRESS_XZ=y' "$modules/build/.config" &&
           grep -q '^CONFIG_MODULE_COMPRESS_ALL=y' "$modules/build/.config"
    then
        expected=$modules/updates/stt.ko.xz
    else
        expected=$modules/updates/stt.ko
    fi
    check "modinfo finds $expected" [ "$file" = "$expected" ]
    link
    check "ip loads it" loaded
    unload
    rm -f "$file"
else
    skip_one "make -C datapath install" "this kernel's module was built elsewhere"
fi

# Where DKMS puts it on Debian.
mkdir -p "$modules/updates/dkms"
for suffix in "" .xz; do
    cp "$TMPDIR/stt.ko" "$modules/updates/dkms"
    [ -z "$suffix" ] || xz -f "$modules/updates/dkms/stt.ko"
    depmod
    unload
    check "modinfo finds updates/dkms/stt.ko$suffix" \
        [ "$(modinfo -n stt)" = "$modules/updates/dkms/stt.ko$suffix" ]
    link
    check "ip loads updates/dkms/stt.ko$suffix" loaded
    unload
    rm "$modules/updates/dkms/stt.ko$suffix"
done

# ip(8)'s knowledge of the type.
cp "$TMPDIR/stt.ko" "$modules/updates" && depmod
usage() { ip link help stt 2>&1 | grep remote; }
check "without link_stt.so, ip knows no options" refuse usage
check "make install iplibdir=DIRECTORY" make -C build/ovs -o Makefile \
    install-iplibSCRIPTS iplibdir=/usr/lib/x86_64-linux-gnu/ip
check "ip link help stt" usage
check "ip link add" link remote 192.0.2.2 id 42
check "ip -d link show" sh -c \
    'ip -n c -d link show stt0 | grep "stt .*remote 192.0.2.2"'

# Signatures.
unload
enforce=/sys/module/module/parameters/sig_enforce
if [ ! -x "$sign" ] || [ ! -w $enforce ]; then
    skip_one "signatures" "this kernel was built without them"
    exit
fi
check "the module has no signer" [ -z "$(modinfo -F signer stt)" ]
check "a key" openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 \
    -subj "/CN=stt test/" -outform DER -keyout "$TMPDIR/MOK.priv" \
    -out "$TMPDIR/MOK.der"
cp "$TMPDIR/stt.ko" "$TMPDIR/signed.ko"
check "sign-file" "$sign" sha256 "$TMPDIR/MOK.priv" "$TMPDIR/MOK.der" \
    "$TMPDIR/signed.ko"
check "modinfo -F signer" \
    [ "$(modinfo -F signer "$TMPDIR/signed.ko")" = "stt test" ]
check "the kernel loads a module that nobody has signed" insmod "$TMPDIR/stt.ko"
rmmod stt
check "and one that a stranger has signed" insmod "$TMPDIR/signed.ko"
rmmod stt
# What secure boot switches on, and nothing switches off.
echo 1 > $enforce
for file in stt signed; do
    insmod "$TMPDIR/$file.ko" > "$TMPDIR/refused" 2>&1
    check "with signatures enforced, it refuses $file.ko" \
        grep "Key was rejected" "$TMPDIR/refused"
done
check "and loads nothing" refuse loaded
check "but the kernel's own" insmod "$dummy"
check "with a message" sh -c \
    "dmesg | grep 'Loading of module with unavailable key is rejected'"
