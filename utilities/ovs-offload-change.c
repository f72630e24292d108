/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

/* A change that mends something: what it is, and how a user would do it. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dirs.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Where systemd looks for units, unless $SYSTEMD_UNIT_PATH says otherwise. */
#define UNIT_PATH "/etc/systemd/system:/run/systemd/system:"   \
                  "/usr/local/lib/systemd/system:"             \
                  "/usr/lib/systemd/system:/lib/systemd/system"

static const char *const kinds[] = {
    [OFFLOAD_FEATURE] = "feature",
    [OFFLOAD_GSO] = "link",
    [OFFLOAD_DB] = "interface",
    [OFFLOAD_NFT] = "nftables",
};

const char *
offload_kind_to_string(enum offload_kind kind)
{
    return kinds[kind];
}

/* Stores in '*kind' what 's' names, or returns false. */
bool
offload_kind_from_string(const char *s, enum offload_kind *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(s, kinds[i])) {
            *kind = i;
            return true;
        }
    }
    return false;
}

/* Returns a new change with copies of the strings, for
 * offload_change_destroy(). */
struct offload_change *
offload_change_create(enum offload_kind kind, const char *target,
                      const char *key, const char *value)
{
    struct offload_change *change = xmalloc(sizeof *change);

    change->kind = kind;
    change->target = xstrdup(target);
    change->key = xstrdup(key);
    change->value = xstrdup(value);
    return change;
}

void
offload_change_destroy(struct offload_change *change)
{
    if (change) {
        free(change->target);
        free(change->key);
        free(change->value);
        free(change);
    }
}

/* Returns 's' as a word of the shell, in quotes if it needs them.  The caller
 * must free it. */
char *
offload_quote(const char *s)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789._@:/-";
    struct ds quoted = DS_EMPTY_INITIALIZER;

    if (s[0] && s[0] != '-' && !s[strspn(s, plain)]) {
        return xstrdup(s);
    }
    ds_put_char(&quoted, '\'');
    for (; *s; s++) {
        if (*s == '\'') {
            ds_put_cstr(&quoted, "'\\''");
        } else {
            ds_put_char(&quoted, *s);
        }
    }
    ds_put_char(&quoted, '\'');
    return ds_steal_cstr(&quoted);
}

static char *
command(const struct offload_change *change, const char *target)
{
    switch (change->kind) {
    case OFFLOAD_FEATURE:
        return xasprintf("ethtool -K %s %s %s", target, change->key,
                         change->value);
    case OFFLOAD_GSO:
        return xasprintf("ip link set dev %s %s %s", target, change->key,
                         change->value);
    case OFFLOAD_DB:
        if (!change->value[0] && !strncmp(change->key, "other_config:", 13)) {
            return xasprintf("ovs-vsctl remove interface %s other_config %s",
                             target, change->key + 13);
        } else if (!change->value[0]) {
            return xasprintf("ovs-vsctl clear interface %s %s", target,
                             change->key);
        }
        return xasprintf("ovs-vsctl set interface %s %s=%s", target,
                         change->key, change->value);
    case OFFLOAD_NFT:
        return xasprintf(
            "nft 'table inet ovs_offload { "
            "chain prerouting_%s { type filter hook prerouting priority -310; "
            "tcp dport %s notrack; }; "
            "chain output_%s { type filter hook output priority -310; "
            "tcp dport %s notrack; }; }'",
            target, target, target, target);
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns a shell command that does 'change'.  The caller must free it. */
char *
offload_change_command(const struct offload_change *change)
{
    char *target = offload_quote(change->target);
    char *s = command(change, target);

    free(target);
    return s;
}

/* Returns true if systemd has a unit called 'name'. */
static bool
has_unit(const char *name)
{
    const char *path = getenv("SYSTEMD_UNIT_PATH");
    char *dirs, *dir, *save_ptr = NULL;
    bool found = false;

    /* At the end of the variable, ":" stands for the rest of them. */
    dirs = xasprintf("%s%s", path ? path : "",
                     !path || !path[0] || path[strlen(path) - 1] == ':'
                     ? UNIT_PATH : "");
    for (dir = strtok_r(dirs, ":", &save_ptr); dir && !found;
         dir = strtok_r(NULL, ":", &save_ptr)) {
        char *file = xasprintf("%s/%s.service", dir, name);

        found = !access(file, F_OK);
        free(file);
    }
    free(dirs);
    return found;
}

/* Returns a shell command that does 'verb', "start" or "restart", with Open
 * vSwitch as it is installed here: Debian calls its unit of systemd otherwise
 * than others do, and there may be none.  The caller must free it. */
char *
offload_service_command(const char *verb)
{
    static const char *const units[] = { "openvswitch-switch", "openvswitch" };
    char *dir, *s;

    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (has_unit(units[i])) {
            return xasprintf("systemctl %s %s", verb, units[i]);
        }
    }
    dir = offload_quote(ovs_pkgdatadir());
    s = xasprintf("%s/scripts/ovs-ctl %s", dir, verb);
    free(dir);
    return s;
}
