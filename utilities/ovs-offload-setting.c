/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload-tune.h"

/* Reads, changes and restores the settings that changes are about, wherever
 * they live. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vswitch-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

/* Returns the key of other_config that 'key', of a change, is about, or
 * NULL. */
static const char *
other_config_key(const char *key)
{
    return !strncmp(key, "other_config:", 13) ? key + 13 : NULL;
}

/* Returns the value that the setting of 'c' has now, "" for none, or NULL if
 * there is no such setting.  The caller must free it.  Also returns NULL if
 * it can't be read, with the reason in '*errorp', which is NULL otherwise and
 * which the caller must free. */
char *
setting_get(struct ovsdb_idl *idl, const struct offload_change *c,
          char **errorp)
{
    const struct ovsrec_interface *iface;
    const char *key = other_config_key(c->key);
    struct offload_dev *dev;
    char *value = NULL;
    unsigned int dst_port;
    struct json *ruleset;

    *errorp = NULL;
    switch (c->kind) {
    case OFFLOAD_FEATURE:
        dev = offload_dev_read(c->target);
        if (smap_get(&dev->features, c->key)) {
            value = xstrdup(offload_dev_is(dev, c->key, true) ? "on" : "off");
        }
        offload_dev_destroy(dev);
        return value;

    case OFFLOAD_GSO:
        dev = offload_dev_read(c->target);
        if (dev->gso_max_size) {
            value = xasprintf("%"PRIu32, dev->gso_max_size);
        }
        offload_dev_destroy(dev);
        return value;

    case OFFLOAD_DB:
        ovsdb_idl_run(idl);
        iface = offload_find_interface(idl, c->target);
        return (!iface ? NULL
                : key ? xstrdup(smap_get_def(&iface->other_config, key, ""))
                : iface->n_mtu_request
                ? xasprintf("%"PRId64, iface->mtu_request[0])
                : xstrdup(""));

    case OFFLOAD_NFT:
        if (!str_to_uint(c->target, 10, &dst_port) || dst_port > UINT16_MAX) {
            return NULL;
        }
        ruleset = offload_nft_read(errorp);
        if (ruleset) {
            value = offload_nft_get_port(ruleset, dst_port);
        }
        json_destroy(ruleset);
        return value;

    default:
        OVS_NOT_REACHED();
    }
}

/* Commits 'txn', for which it waits until 'deadline', in ms.  Returns what
 * became of it, TXN_INCOMPLETE if the database doesn't answer. */
static enum ovsdb_idl_txn_status
commit(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
       long long int deadline)
{
    enum ovsdb_idl_txn_status status;

    while ((status = ovsdb_idl_txn_commit(txn)) == TXN_INCOMPLETE
           && time_msec() < deadline) {
        ovsdb_idl_run(idl);
        ovsdb_idl_wait(idl);
        ovsdb_idl_txn_wait(txn);
        poll_timer_wait(100);
        poll_block();
    }
    return status;
}

/* Sets a column of an Interface to 'value', "" for none. */
static char *
set_db(struct ovsdb_idl *idl, const struct offload_change *c,
       const char *value)
{
    long long int deadline = time_msec() + OFFLOAD_VERIFY_MS;
    const char *key = other_config_key(c->key);

    for (;;) {
        const struct ovsrec_interface *iface;
        enum ovsdb_idl_txn_status status;
        struct ovsdb_idl_txn *txn;
        char *error = NULL;

        ovsdb_idl_run(idl);
        iface = offload_find_interface(idl, c->target);
        if (!iface) {
            return xasprintf("there is no interface %s", c->target);
        }
        txn = ovsdb_idl_txn_create(idl);
        ovsdb_idl_txn_add_comment(txn, "ovs-offload: %s of %s", c->key,
                                  c->target);
        if (key && value[0]) {
            ovsrec_interface_update_other_config_setkey(iface, key, value);
        } else if (key) {
            ovsrec_interface_update_other_config_delkey(iface, key);
        } else {
            int64_t mtu = atoi(value);

            ovsrec_interface_set_mtu_request(iface, &mtu, mtu > 0);
        }
        status = commit(idl, txn, deadline);
        if (status != TXN_SUCCESS && status != TXN_UNCHANGED) {
            error = xasprintf("database: %s", ovsdb_idl_txn_get_error(txn));
        }
        ovsdb_idl_txn_destroy(txn);
        if (status != TXN_TRY_AGAIN && status != TXN_INCOMPLETE) {
            return error;
        }
        free(error);
        if (time_msec() >= deadline) {
            return xstrdup("database: no answer");
        }
        ovsdb_idl_wait(idl);
        poll_timer_wait(100);
        poll_block();
    }
}

/* Has nft(8) do what 'script' says. */
static char *
run_nft(const char *script)
{
    FILE *pipe = popen("nft -f -", "w");
    bool written;
    int status;

    if (!pipe) {
        return xasprintf("nft(8) can't be run (%s)", ovs_strerror(errno));
    }
    written = fputs(script, pipe) >= 0;
    status = pclose(pipe);
    return written && !status ? NULL : xstrdup("nft(8) fails");
}

static char *
set_nft(const struct offload_change *c, bool on)
{
    const char *port = c->target;
    struct ds s = DS_EMPTY_INITIALIZER;
    static const char *const hooks[] = { "prerouting", "output" };
    char *error;

    ds_put_cstr(&s, "add table inet ovs_offload\n");
    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        const char *hook = hooks[i];

        if (on) {
            /* One of the chains may be there, and have its rule. */
            ds_put_format(&s, "add chain inet ovs_offload %s_%s { type filter "
                          "hook %s priority -310; }\n", hook, port, hook);
            ds_put_format(&s, "flush chain inet ovs_offload %s_%s\n", hook,
                          port);
            ds_put_format(&s, "add rule inet ovs_offload %s_%s tcp dport %s "
                          "notrack\n", hook, port, port);
        } else {
            /* It may be gone, and what isn't there can't be deleted. */
            ds_put_format(&s, "add chain inet ovs_offload %s_%s\n", hook,
                          port);
            ds_put_format(&s, "flush chain inet ovs_offload %s_%s\n", hook,
                          port);
            ds_put_format(&s, "delete chain inet ovs_offload %s_%s\n", hook,
                          port);
        }
    }
    error = run_nft(ds_cstr(&s));
    ds_destroy(&s);
    if (!error && !on) {
        char *read_error;
        struct json *ruleset = offload_nft_read(&read_error);

        if (ruleset && offload_nft_is_empty(ruleset)) {
            error = run_nft("delete table inet ovs_offload\n");
        }
        json_destroy(ruleset);
        free(read_error);
    }
    return error;
}

/* Gives the setting of 'c' the value 'value'.  Returns NULL if successful,
 * otherwise a message that the caller must free. */
char *
setting_set(struct ovsdb_idl *idl, const struct offload_change *c,
          const char *value)
{
    uint32_t size;
    int error;

    switch (c->kind) {
    case OFFLOAD_FEATURE:
        error = offload_dev_set_feature(c->target, c->key,
                                        !strcmp(value, "on"));
        break;
    case OFFLOAD_GSO:
        error = (str_to_uint(value, 10, &size)
                 ? offload_dev_set_gso_max_size(c->target, size) : EINVAL);
        break;
    case OFFLOAD_DB:
        return set_db(idl, c, value);
    case OFFLOAD_NFT:
        return set_nft(c, !strcmp(value, "on"));
    default:
        OVS_NOT_REACHED();
    }
    return error ? xasprintf("%s", ovs_strerror(error)) : NULL;
}

/* Returns the MTU of device 'name' in bytes, 0 if that is unknown. */
static unsigned int
get_mtu(const char *name)
{
    struct offload_dev *dev = offload_dev_read(name);
    unsigned int mtu = dev->mtu;

    offload_dev_destroy(dev);
    return mtu;
}

/* Returns the MTU that a device has before 'c' is made, if its setting is
 * 'before', otherwise 0.  If no MTU is asked for, Open vSwitch leaves the
 * device the one that it has, so the database does not tell what it was. */
unsigned int
setting_get_mtu(const struct offload_change *c, const char *before)
{
    return (c->kind == OFFLOAD_DB && !strcmp(c->key, "mtu_request")
            && !before[0] ? get_mtu(c->target) : 0);
}

/* Waits until ovs-vswitchd, if it runs, has done what the database says. */
static void
wait_for_switch(struct ovsdb_idl *idl)
{
    long long int deadline = time_msec() + OFFLOAD_VERIFY_MS;
    const struct ovsrec_open_vswitch *cfg = ovsrec_open_vswitch_first(idl);
    char *path = offload_vswitchd_path();
    struct ovsdb_idl_txn *txn;
    int64_t next_cfg = 0;

    if (path && cfg) {
        txn = ovsdb_idl_txn_create(idl);
        ovsdb_idl_txn_increment(txn, &cfg->header_,
                                &ovsrec_open_vswitch_col_next_cfg, false);
        if (commit(idl, txn, deadline) == TXN_SUCCESS) {
            next_cfg = ovsdb_idl_txn_get_increment_new_value(txn);
        }
        ovsdb_idl_txn_destroy(txn);
    }
    free(path);
    for (;;) {
        ovsdb_idl_run(idl);
        cfg = ovsrec_open_vswitch_first(idl);
        if (!cfg || cfg->cur_cfg >= next_cfg || time_msec() >= deadline) {
            return;
        }
        ovsdb_idl_wait(idl);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Returns the MTU of the device of 'c' once ovs-vswitchd leaves it alone.
 *
 * ovs-vswitchd takes up a change of a device's MTU, its own ones included,
 * only after it has said that it has done what the database says.  What it
 * concludes from that, such as the least MTU of the bridge, comes still later.
 */
static unsigned int
settled_mtu(struct ovsdb_idl *idl, const struct offload_change *c)
{
    unsigned int mtu = 0;

    for (int n = 0, same = 0; n < 12 && same < 3; n++) {
        unsigned int now;

        wait_for_switch(idl);
        now = get_mtu(c->target);
        same = now == mtu ? same + 1 : 1;
        mtu = now;
    }
    return mtu;
}

/* Has the device of 'c', whose setting is "mtu_request", get 'mtu', and no MTU
 * asked for, as it was before.  Returns NULL if successful, otherwise a
 * message that the caller must free. */
static char *
set_mtu_back(struct ovsdb_idl *idl, const struct offload_change *c,
             unsigned int mtu)
{
    unsigned int now = get_mtu(c->target);
    char *error = NULL;
    char value[16];

    snprintf(value, sizeof value, "%u", mtu);
    for (int n = 0; n < 3; n++) {
        /* Open vSwitch lowers an MTU that is larger than what it last took for
         * the least of the bridge, which may come from this change, but leaves
         * alone one that is smaller. */
        if (now < mtu) {
            error = set_db(idl, c, value);
            if (error) {
                break;
            }
            settled_mtu(idl, c);
        }
        error = set_db(idl, c, "");
        if (error) {
            break;
        }

        /* A switch that takes an earlier MTU for the least of the bridge may
         * raise the MTU when it finds out. */
        now = settled_mtu(idl, c);
        for (int k = 0; now > mtu && k < 3; k++) {
            offload_dev_set_mtu(c->target, mtu);
            now = settled_mtu(idl, c);
        }
        if (now == mtu) {
            return NULL;
        }
    }
    if (!error) {
        error = xasprintf("the MTU is %u instead of %u", now, mtu);
    }

    /* Then it is still what is to be undone. */
    free(set_db(idl, c, c->value));
    return error;
}

/* Undoes 'c': gives its setting the value 'before' and, unless it is 0, its
 * device 'mtu'.  Returns NULL if successful, otherwise a message that the
 * caller must free. */
char *
setting_undo(struct ovsdb_idl *idl, const struct offload_change *c,
         const char *before, unsigned int mtu)
{
    return (mtu ? set_mtu_back(idl, c, mtu)
            : setting_set(idl, c, before));
}

/* Returns true if 'value' of the setting of 'c' says that a part is there of
 * what belongs to this program alone. */
bool
setting_is_part(const struct offload_change *c, const char *value)
{
    return c->kind == OFFLOAD_NFT && value[0] && strcmp(value, "on");
}

/* Returns what undoing 'c' should make of its setting if that was 'before'.  A
 * part of the rules is not made again. */
const char *
setting_undone_value(const struct offload_change *c, const char *before)
{
    return setting_is_part(c, before) ? "" : before;
}

