# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
#
# Bash completion for ovs-offload: commands, options, and the names of tunnel
# ports from the database.

_ovs_offload_ports () {
    ovs-vsctl --timeout=2 --bare --columns=name,type list interface \
        2>/dev/null | awk '
            /^$/ { name = ""; next }
            name == "" { name = $0; next }
            /^(stt|vxlan|geneve|gre|ip6gre|erspan|ip6erspan)$/ { print name }
            /^(gtpu|bareudp|srv6)$/ { print name }'
}

_ovs_offload () {
    local cur=${COMP_WORDS[COMP_CWORD]} prev='' cmd='' words='' word quoted i

    if [ "$COMP_CWORD" -gt 0 ]; then
        prev=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        show | check | probe | tune | revert | restore) cmd=${COMP_WORDS[i]} ;;
        esac
    done

    case $prev in
    -f | --format) words=$'text\ntable\nhtml\ncsv\njson\nlist' ;;
    -t | --timeout | --db | --assume | --max-column-width) words='' ;;
    *)
        case $cur in
        -*) words=$(ovs-offload --options 2>/dev/null \
            | sed 's/[= ].*//') ;;
        *)
            case $cmd in
            '') words=$'show\ncheck\nprobe\ntune\nrevert\nrestore' ;;
            show | check | probe | tune) words=$(_ovs_offload_ports) ;;
            *) words='' ;;
            esac
            ;;
        esac
        ;;
    esac
    # "compgen -W" would run what is in a name like "$(command)".  What is typed
    # may be quoted already.
    COMPREPLY=()
    while IFS= read -r word; do
        quoted=$(printf '%q' "$word")
        if [ -n "$word" ] \
            && [[ $word == "$cur"* || $quoted == "$cur"* ]]; then
            COMPREPLY+=("$quoted")
        fi
    done <<< "$words"
}

complete -F _ovs_offload ovs-offload
