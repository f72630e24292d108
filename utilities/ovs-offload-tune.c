/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

/* Does what "check" proposes, remembers how things were, and undoes it.
 *
 * What was changed is in a file in the run directory, which is written before
 * the change is made, so that whatever happens "revert" knows what to do.
 * With --persist, it is also in a file that survives a boot. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirs.h"
#include "lib/vswitch-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

/* How long a change may take to show, in ms. */
#define VERIFY_MS 10000

static char *
run_file(void)
{
    return xasprintf("%s/ovs-offload.json", ovs_rundir());
}

static char *
persistent_file(void)
{
    return xasprintf("%s/openvswitch/ovs-offload.json", ovs_sysconfdir());
}

/* State files. */

/* A change that was made. */
struct entry {
    struct offload_change *change;
    char *before;
    unsigned int mtu;           /* MTU before, in bytes, 0 if no matter. */
    char *boot;                 /* Linux's name of that boot, "" if unknown. */
};

struct state {
    struct entry *entries;
    size_t n, allocated;
};

/* Returns what Linux calls the boot since which it runs, "" if unknown. */
static const char *
get_boot(void)
{
    static char boot[64];

    if (!boot[0]) {
        const char *path = "/proc/sys/kernel/random/boot_id";
        FILE *file = fopen(path, "r");

        if (file) {
            if (!fgets(boot, sizeof boot, file)) {
                boot[0] = '\0';
            }
            boot[strcspn(boot, "\n")] = '\0';
            fclose(file);
        }
    }
    return boot;
}

/* Returns true if a boot has undone the change of 'entry'.  The database
 * survives one, and rules of this program may have been saved with others. */
static bool
is_outdated(const struct entry *entry)
{
    enum offload_kind kind = entry->change->kind;

    return ((kind == OFFLOAD_FEATURE || kind == OFFLOAD_GSO)
            && entry->boot[0] && get_boot()[0]
            && strcmp(entry->boot, get_boot()));
}

static void
state_destroy(struct state *state)
{
    for (size_t i = 0; i < state->n; i++) {
        offload_change_destroy(state->entries[i].change);
        free(state->entries[i].before);
        free(state->entries[i].boot);
    }
    free(state->entries);
    memset(state, 0, sizeof *state);
}

/* Returns the entry of 'state' about the setting of 'c', or NULL. */
static struct entry *
state_find(const struct state *state, const struct offload_change *c)
{
    for (size_t i = 0; i < state->n; i++) {
        struct entry *entry = &state->entries[i];

        if (entry->change->kind == c->kind
            && !strcmp(entry->change->target, c->target)
            && !strcmp(entry->change->key, c->key)) {
            return entry;
        }
    }
    return NULL;
}

/* Has 'state' say that 'c' was made since 'boot', and that its setting was
 * 'before' and the MTU of its device 'mtu'. */
static void
state_add(struct state *state, const struct offload_change *c,
          const char *before, unsigned int mtu, const char *boot)
{
    struct entry *entry = state_find(state, c);
    struct entry new = {
        .change = offload_change_create(c->kind, c->target, c->key, c->value),
        .before = xstrdup(before),
        .mtu = mtu,
        .boot = xstrdup(boot),
    };

    if (entry) {
        offload_change_destroy(entry->change);
        free(entry->before);
        free(entry->boot);
    } else {
        if (state->n >= state->allocated) {
            state->entries = x2nrealloc(state->entries, &state->allocated,
                                        sizeof *state->entries);
        }
        entry = &state->entries[state->n++];
    }
    *entry = new;
}

/* Has 'state' say what 'entry' of another one says. */
static void
state_copy(struct state *state, const struct entry *entry)
{
    state_add(state, entry->change, entry->before, entry->mtu, entry->boot);
}

static void
state_remove(struct state *state, size_t i)
{
    offload_change_destroy(state->entries[i].change);
    free(state->entries[i].before);
    free(state->entries[i].boot);
    state->n--;
    memmove(&state->entries[i], &state->entries[i + 1],
            (state->n - i) * sizeof *state->entries);
}

/* Adds to 'dst' the entries of 'src' about settings that it has none of;
 * unless 'all', only about those that survive a boot. */
static void
state_merge(struct state *dst, const struct state *src, bool all)
{
    for (size_t i = 0; i < src->n; i++) {
        const struct entry *entry = &src->entries[i];

        if ((all || entry->change->kind == OFFLOAD_DB)
            && !state_find(dst, entry->change)) {
            state_copy(dst, entry);
        }
    }
}

static const struct json *
find_member(const struct json *json, const char *name)
{
    return (json->type == JSON_OBJECT
            ? shash_find_data(json_object(json), name) : NULL);
}

static const char *
member_string(const struct json *json, const char *name)
{
    const struct json *m = find_member(json, name);

    return m && m->type == JSON_STRING ? json_string(m) : NULL;
}

/* Returns member "mtu" of 'json', 0 if there is no good one. */
static unsigned int
member_mtu(const struct json *json)
{
    const struct json *m = find_member(json, "mtu");

    return (m && m->type == JSON_INTEGER && json_integer(m) > 0
            && json_integer(m) <= INT_MAX ? json_integer(m) : 0);
}

/* Reads 'file' into '*state', which is empty if there is no such file.
 * Returns NULL if successful, otherwise a message that the caller must
 * free. */
static char *
state_read(const char *file, struct state *state)
{
    const struct json *changes;
    struct json *json;
    char *error = NULL;

    memset(state, 0, sizeof *state);
    if (access(file, F_OK) && errno == ENOENT) {
        return NULL;
    }
    json = json_from_file(file);
    changes = find_member(json, "changes");
    if (json->type == JSON_STRING) {
        error = xasprintf("%s: %s", file, json_string(json));
    } else if (!changes || changes->type != JSON_ARRAY) {
        error = xasprintf("%s: no \"changes\" in it", file);
    }
    for (size_t i = 0; !error && i < json_array_size(changes); i++) {
        const struct json *c = json_array_at(changes, i);
        const char *kind_s = member_string(c, "kind");
        const char *target = member_string(c, "target");
        const char *key = member_string(c, "key");
        const char *before = member_string(c, "before");
        const char *value = member_string(c, "value");
        const char *boot = member_string(c, "boot");
        enum offload_kind kind;

        if (!kind_s || !target || !key || !before || !value
            || !offload_kind_from_string(kind_s, &kind)) {
            error = xasprintf("%s: change %"PRIuSIZE" is damaged", file, i);
        } else {
            struct offload_change *change
                = offload_change_create(kind, target, key, value);

            state_add(state, change, before, member_mtu(c), boot ? boot : "");
            offload_change_destroy(change);
        }
    }
    json_destroy(json);
    if (error) {
        state_destroy(state);
    }
    return error;
}

/* Creates 'file', replacing what has this name.  Follows no symbolic link,
 * because the directory may belong to another user than this one.  Returns
 * NULL, with errno set, if that fails. */
static FILE *
create_file(const char *file)
{
    FILE *stream;
    int fd;

    if (unlink(file) && errno != ENOENT) {
        return NULL;
    }
    fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
              0600);
    if (fd < 0) {
        return NULL;
    }
    stream = fdopen(fd, "w");
    if (!stream) {
        int error = errno;

        close(fd);
        errno = error;
    }
    return stream;
}

/* Writes 'state' to 'file' at once, or removes the file if it is empty.
 * Returns NULL if successful, otherwise a message that the caller must
 * free. */
static char *
state_write(const char *file, const struct state *state)
{
    struct json *json, *changes;
    char *tmp, *s, *error = NULL;
    bool written = false;
    FILE *stream;

    if (!state->n) {
        return (unlink(file) && errno != ENOENT
                ? xasprintf("%s: %s", file, ovs_strerror(errno)) : NULL);
    }

    changes = json_array_create_empty();
    for (size_t i = 0; i < state->n; i++) {
        const struct entry *entry = &state->entries[i];
        struct json *c = json_object_create();

        json_object_put_string(c, "kind",
                               offload_kind_to_string(entry->change->kind));
        json_object_put_string(c, "target", entry->change->target);
        json_object_put_string(c, "key", entry->change->key);
        json_object_put_string(c, "before", entry->before);
        if (entry->mtu) {
            json_object_put(c, "mtu", json_integer_create(entry->mtu));
        }
        json_object_put_string(c, "value", entry->change->value);
        if (entry->boot[0]) {
            json_object_put_string(c, "boot", entry->boot);
        }
        json_array_add(changes, c);
    }
    json = json_object_create();
    json_object_put(json, "changes", changes);
    s = json_to_string(json, JSSF_PRETTY | JSSF_SORT);
    json_destroy(json);

    tmp = xasprintf("%s.tmp", file);
    stream = create_file(tmp);
    if (stream) {
        written = fprintf(stream, "%s\n", s) > 0 && !fflush(stream)
                  && !fsync(fileno(stream));
        written = !fclose(stream) && written;
    }
    if (!written || rename(tmp, file)) {
        error = xasprintf("%s: %s", file, ovs_strerror(errno));
        unlink(tmp);
    }
    free(tmp);
    free(s);
    return error;
}

/* Settings. */

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
static char *
get_value(struct ovsdb_idl *idl, const struct offload_change *c,
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
    long long int deadline = time_msec() + VERIFY_MS;
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
static char *
set_value(struct ovsdb_idl *idl, const struct offload_change *c,
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
static unsigned int
mtu_before(const struct offload_change *c, const char *before)
{
    return (c->kind == OFFLOAD_DB && !strcmp(c->key, "mtu_request")
            && !before[0] ? get_mtu(c->target) : 0);
}

/* Waits until ovs-vswitchd, if it runs, has done what the database says. */
static void
wait_for_switch(struct ovsdb_idl *idl)
{
    long long int deadline = time_msec() + VERIFY_MS;
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

/* Has the device of 'c', whose setting is "mtu_request", get 'mtu', and no MTU
 * asked for, as it was before.  Returns NULL if successful, otherwise a
 * message that the caller must free. */
static char *
set_mtu_back(struct ovsdb_idl *idl, const struct offload_change *c,
             unsigned int mtu)
{
    char value[16];
    char *error = NULL;

    /* Open vSwitch lowers an MTU that is larger than what it last took for the
     * least of the bridge, which may come from this change, but leaves alone
     * one that is smaller. */
    if (get_mtu(c->target) < mtu) {
        snprintf(value, sizeof value, "%u", mtu);
        error = set_db(idl, c, value);
        if (!error) {
            wait_for_switch(idl);
        }
    }
    if (!error) {
        error = set_db(idl, c, "");
    }
    for (int n = 0, stable = 0; !error && stable < 3; n++) {
        unsigned int now;

        /* A switch that hears of an earlier MTU late may take it for the least
         * of the bridge, and raise the MTU when it finds out. */
        wait_for_switch(idl);
        now = get_mtu(c->target);
        if (now == mtu) {
            stable++;
        } else if (now > mtu && n < 10) {
            offload_dev_set_mtu(c->target, mtu);
            stable = 0;
        } else {
            error = xasprintf("the MTU is %u instead of %u", now, mtu);
        }
    }
    if (error) {
        /* Then it is still what is to be undone. */
        free(set_db(idl, c, c->value));
    }
    return error;
}

/* Undoes 'c': gives its setting the value 'before' and, unless it is 0, its
 * device 'mtu'.  Returns NULL if successful, otherwise a message that the
 * caller must free. */
static char *
set_back(struct ovsdb_idl *idl, const struct offload_change *c,
         const char *before, unsigned int mtu)
{
    return (mtu ? set_mtu_back(idl, c, mtu)
            : set_value(idl, c, before));
}

/* Returns true if 'value' of the setting of 'c' says that a part is there of
 * what belongs to this program alone. */
static bool
is_part(const struct offload_change *c, const char *value)
{
    return c->kind == OFFLOAD_NFT && value[0] && strcmp(value, "on");
}

/* Returns what undoing 'c' should make of its setting if that was 'before'.  A
 * part of the rules is not made again. */
static const char *
undone_value(const struct offload_change *c, const char *before)
{
    return is_part(c, before) ? "" : before;
}

/* Deeds. */

static struct offload_deed *
add_deed(struct offload_deeds *deeds, const struct offload_change *c,
         const char *before, const char *after, const char *result)
{
    struct offload_deed *deed;

    if (deeds->n >= deeds->allocated) {
        deeds->deeds = x2nrealloc(deeds->deeds, &deeds->allocated,
                                  sizeof *deeds->deeds);
    }
    deed = &deeds->deeds[deeds->n++];
    deed->change = offload_change_create(c->kind, c->target, c->key,
                                         c->value);
    deed->before = nullable_xstrdup(before);
    deed->mtu = 0;
    deed->after = nullable_xstrdup(after);
    deed->result = xstrdup(result);
    return deed;
}

void
offload_deeds_destroy(struct offload_deeds *deeds)
{
    for (size_t i = 0; i < deeds->n; i++) {
        struct offload_deed *deed = &deeds->deeds[i];

        offload_change_destroy(deed->change);
        free(deed->before);
        free(deed->after);
        free(deed->result);
    }
    free(deeds->deeds);
    memset(deeds, 0, sizeof *deeds);
}

/* Has 'state' say that 'c' is about to be made, whose setting is 'before' now.
 * What it was before an earlier change counts, unless somebody else has
 * changed it since. */
static void
remember(struct state *state, const struct offload_change *c,
         const char *before, unsigned int mtu)
{
    const struct entry *entry = state_find(state, c);

    if (entry && !is_outdated(entry)
        && (!strcmp(before, entry->change->value) || is_part(c, before))) {
        state_add(state, c, entry->before, entry->mtu, get_boot());
    } else {
        state_add(state, c, undone_value(c, before), mtu, get_boot());
    }
}

/* Makes the change 'c' and reads back what has become of it.  Adds it to
 * 'deeds' and, before it is made, to 'state' in 'file'.  'done', which may be
 * NULL, says how it was before if the setting has the wanted value already.
 * Returns NULL if successful, otherwise a message that the caller must
 * free. */
static char *
do_change(struct ovsdb_idl *idl, const struct offload_change *c,
          const struct entry *done, const char *file, struct state *state,
          struct offload_deeds *deeds)
{
    char *read_error;
    char *before = get_value(idl, c, &read_error);
    char *after, *error;
    unsigned int mtu;

    if (!before) {
        error = xasprintf("%s of %s can't be read%s%s%s", c->key, c->target,
                          read_error ? " (" : "",
                          read_error ? read_error : "",
                          read_error ? ")" : "");
        free(read_error);
        return error;
    }
    if (!strcmp(before, c->value) && (!done || is_outdated(done))) {
        /* An earlier change has brought it along, or the driver. */
        add_deed(deeds, c, before, before, "is so already");
        free(before);
        return NULL;
    }
    mtu = mtu_before(c, before);
    if (done && !strcmp(before, c->value)) {
        state_add(state, c, done->before, done->mtu, get_boot());
    } else {
        remember(state, c, before, mtu);
    }
    error = state_write(file, state);
    if (!error && strcmp(before, c->value)) {
        error = set_value(idl, c, c->value);
        if (error) {
            char *message = xasprintf("%s of %s: %s", c->key, c->target,
                                      error);

            free(error);
            error = message;
        }
    }
    after = get_value(idl, c, &read_error);
    free(read_error);
    if (!error && (!after || strcmp(after, c->value))) {
        error = xasprintf("%s of %s is %s instead of %s", c->key, c->target,
                          !after ? "unknown" : after[0] ? after : "none",
                          c->value);
    }
    add_deed(deeds, c, before, after, error ? "failed" : "done")->mtu = mtu;
    free(before);
    free(after);
    return error;
}

/* Undoes deeds from the last to the first.  Returns NULL if all of them are
 * undone, otherwise a message that the caller must free. */
static char *
roll_back(struct ovsdb_idl *idl, struct offload_deeds *deeds)
{
    struct ds failed = DS_EMPTY_INITIALIZER;

    for (size_t i = deeds->n; i > 0; i--) {
        struct offload_deed *deed = &deeds->deeds[i - 1];
        char *error;
        char *now = get_value(idl, deed->change, &error);
        const char *wanted = undone_value(deed->change, deed->before);
        bool undone;

        if (now && strcmp(now, wanted)) {
            char *read_error;

            error = set_back(idl, deed->change, wanted, deed->mtu);
            free(now);
            now = get_value(idl, deed->change, &read_error);
            if (error) {
                free(read_error);
            } else {
                error = read_error;
            }
        }
        if (!error && (!now || strcmp(now, wanted))) {
            error = xstrdup("not as before");
        }
        undone = !error;
        if (error) {
            ds_put_format(&failed, "%s%s of %s could not be (%s)",
                          failed.length ? ", " : "",
                          deed->change->key, deed->change->target, error);
            free(error);
        }
        free(deed->result);
        deed->result = xstrdup(undone ? "undone" : "not undone");
        free(deed->after);
        deed->after = now;
    }
    if (failed.length) {
        return ds_steal_cstr(&failed);
    }
    ds_destroy(&failed);
    return NULL;
}

/* Returns true if 'report' has the finding 'id' about 'device'. */
static bool
has_finding(const struct offload_report *report, const char *id,
            const char *device)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        if (!strcmp(report->findings[i].id, id)
            && !strcmp(report->findings[i].device, device)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'now' still has the finding 'f' of 'before'.  One that only
 * another command mends, and that was there before, is another finding. */
static bool
is_still_found(const struct offload_report *now,
               const struct offload_report *before,
               const struct offload_finding *f)
{
    for (size_t i = 0; i < now->n_findings; i++) {
        const struct offload_finding *g = &now->findings[i];
        bool is_other = false;

        if (strcmp(g->id, f->id) || strcmp(g->device, f->device)) {
            continue;
        }
        for (size_t j = 0; j < before->n_findings; j++) {
            const struct offload_finding *h = &before->findings[j];

            is_other |= (h != f && !strcmp(h->id, g->id)
                         && !strcmp(h->device, g->device)
                         && nullable_string_is_equal(h->command, g->command));
        }
        if (!is_other) {
            return true;
        }
    }
    return false;
}

/* Waits until what 'before' found and can be changed is found no more, and
 * nothing worse is.  Returns NULL if successful, otherwise a message that the
 * caller must free. */
static char *
verify(struct ovsdb_idl *idl, const char *port,
       const struct offload_report *before)
{
    long long int deadline = time_msec() + VERIFY_MS;

    for (;;) {
        struct offload_report now;
        char *error;

        ovsdb_idl_run(idl);
        error = offload_report_collect(idl, port, &now);
        for (size_t i = 0; !error && i < before->n_findings; i++) {
            const struct offload_finding *f = &before->findings[i];

            if (f->change && is_still_found(&now, before, f)) {
                error = xasprintf("%s of %s is still found", f->id,
                                  f->device);
            }
        }
        for (size_t i = 0; !error && i < now.n_findings; i++) {
            const struct offload_finding *f = &now.findings[i];

            if (f->severity == OFFLOAD_ERROR
                && !has_finding(before, f->id, f->device)) {
                error = xasprintf("there is a new error, %s: %s: %s", f->id,
                                  f->device, f->text);
            }
        }
        offload_report_destroy(&now);
        if (!error || time_msec() >= deadline) {
            return error;
        }
        free(error);
        ovsdb_idl_wait(idl);
        poll_timer_wait(100);
        poll_block();
    }
}

/* The commands. */

static char *
check_privilege(void)
{
    return (offload_is_privileged() ? NULL
            : xstrdup("changing network devices needs root (CAP_NET_ADMIN); "
                      "--dry-run shows what would be done"));
}

/* Locks 'file', which need not exist, against other processes until '*fdp' is
 * closed.  lockfile_lock() would follow symbolic links.  Returns NULL if
 * successful, otherwise a message that the caller must free. */
static char *
lock(const char *file, int *fdp)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char *dir = dir_name(file);
    char *base = base_name(file);
    char *name = xasprintf("%s/.%s.~lock~", dir, base);
    char *error = NULL;

    *fdp = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*fdp < 0 || fcntl(*fdp, F_SETLK, &l)) {
        error = xasprintf("%s: can't be locked (%s)", file,
                          ovs_strerror(errno == EACCES && *fdp >= 0
                                       ? EAGAIN : errno));
        if (*fdp >= 0) {
            close(*fdp);
            *fdp = -1;
        }
    }
    free(name);
    free(base);
    free(dir);
    return error;
}

static void
unlock(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

/* Adds what 'state' has to the file that survives a boot, or, unless 'all', of
 * that only what itself survives a boot, for "revert".  Returns NULL if
 * successful, otherwise a message that the caller must free. */
static char *
make_persistent(const struct state *state, bool all)
{
    char *file = persistent_file();
    char *dir = dir_name(file);
    struct state persistent;
    bool any = false;
    char *error = NULL;

    for (size_t i = 0; i < state->n; i++) {
        any |= all || state->entries[i].change->kind == OFFLOAD_DB;
    }
    if (any && mkdir(dir, 0755) && errno != EEXIST) {
        error = xasprintf("%s: %s", dir, ovs_strerror(errno));
    } else if (any) {
        error = state_read(file, &persistent);
        if (!error) {
            for (size_t i = 0; i < state->n; i++) {
                const struct entry *entry = &state->entries[i];

                if (all || entry->change->kind == OFFLOAD_DB) {
                    state_copy(&persistent, entry);
                }
            }
            error = state_write(file, &persistent);
            state_destroy(&persistent);
        }
    }
    free(dir);
    free(file);
    return error;
}

/* Changes what "check" proposes to change for tunnel port 'port', or, for a
 * dry run, finds out what that is.  Adds to 'deeds' what was done, and to
 * 'left' three strings for each finding that is left to the administrator: its
 * name, its device and the command or, without one, the text.
 *
 * If something fails, everything that was changed is undone again.  Returns
 * NULL if successful, otherwise a message that the caller must free. */
char *
offload_tune(struct ovsdb_idl *idl, const char *port, bool dry_run,
             bool persist, struct offload_deeds *deeds, struct svec *left)
{
    struct offload_report report;
    int lock_fd = -1;
    struct state state = { .n = 0 };
    struct state old = { .n = 0 };
    struct state persistent = { .n = 0 };
    char *file = run_file();
    char *error;

    error = dry_run ? NULL : check_privilege();
    if (!error && !dry_run) {
        error = lock(file, &lock_fd);
    }
    if (error) {
        free(file);
        return error;
    }

    error = offload_report_collect(idl, port, &report);
    for (size_t i = 0; !error && i < report.n_findings; i++) {
        const struct offload_finding *f = &report.findings[i];

        if (!f->change && f->severity > OFFLOAD_NOTE) {
            svec_add(left, f->id);
            svec_add(left, f->device);
            svec_add(left, f->command ? f->command : f->text);
        }
    }
    if (!error && !dry_run) {
        error = state_read(file, &state);
        if (!error) {
            error = state_read(file, &old);
        }
        if (!error) {
            char *name = persistent_file();

            error = state_read(name, &persistent);
            free(name);
            state_merge(&state, &persistent, false);
        }
    }

    for (size_t i = 0; !error && i < report.n_findings; i++) {
        const struct offload_change *c = report.findings[i].change;
        bool again = false;

        for (size_t j = 0; c && j < deeds->n; j++) {
            const struct offload_change *d = deeds->deeds[j].change;

            again |= (c->kind == d->kind && !strcmp(c->target, d->target)
                      && !strcmp(c->key, d->key));
        }
        if (!c || again) {
            continue;
        }
        if (dry_run) {
            char *read_error;
            char *before = get_value(idl, c, &read_error);

            add_deed(deeds, c, before, c->value, "not done (dry run)");
            free(read_error);
            free(before);
        } else {
            error = do_change(idl, c, NULL, file, &state, deeds);
        }
    }

    if (!error && !dry_run && deeds->n) {
        error = verify(idl, port, &report);
    }
    if (!error && !dry_run) {
        /* Also what earlier runs have changed. */
        error = make_persistent(&state, persist);
    }
    if (error && !dry_run && deeds->n) {
        char *message, *failed = roll_back(idl, deeds);

        /* What could not be undone is left for "revert". */
        if (!failed) {
            failed = state_write(file, &old);
        }
        message = xasprintf("%s; what was changed has been undone%s%s", error,
                            failed ? ", except that " : "",
                            failed ? failed : "");
        free(error);
        free(failed);
        error = message;
    }

    state_destroy(&state);
    state_destroy(&old);
    state_destroy(&persistent);
    offload_report_destroy(&report);
    unlock(lock_fd);
    free(file);
    return error;
}

/* Undoes 'entry', unless somebody else has changed the setting since, and adds
 * that to 'deeds'.  Of what belongs to this program, the part that is left is
 * undone.  Returns NULL if nothing is left to be undone, otherwise a
 * message that the caller must free. */
static char *
undo(struct ovsdb_idl *idl, const struct entry *entry, bool dry_run,
     struct offload_deeds *deeds)
{
    const struct offload_change *c = entry->change;
    const char *result;
    char *after = NULL;
    char *error;
    char *now = get_value(idl, c, &error);

    if (error) {
        result = "failed";
    } else if (!now) {
        result = "gone";
    } else if (is_outdated(entry)) {
        after = xstrdup(now);
        result = "undone by a boot";
    } else if (strcmp(now, c->value) && !is_part(c, now)) {
        after = xstrdup(now);
        result = (strcmp(now, entry->before)
                  ? "left, somebody else has changed it"
                  : "is as before");
    } else if (dry_run) {
        after = xstrdup(entry->before);
        result = "not done (dry run)";
    } else {
        char *read_error;

        error = set_back(idl, c, entry->before, entry->mtu);
        after = get_value(idl, c, &read_error);
        if (error) {
            free(read_error);
        } else if (read_error) {
            error = read_error;
        } else if (!after || strcmp(after, entry->before)) {
            error = xasprintf("is %s instead of %s",
                              !after ? "gone" : after[0] ? after : "none",
                              entry->before[0] ? entry->before : "none");
        }
        result = error ? "failed" : "undone";
    }
    add_deed(deeds, c, now, after, result);
    free(now);
    free(after);
    if (error) {
        char *message = xasprintf("%s of %s: %s", c->key, c->target, error);

        free(error);
        error = message;
    }
    return error;
}

/* Undoes what "tune" has done, but leaves alone what somebody else has changed
 * since.  What fails doesn't keep the rest from being undone, and stays in the
 * file for the next time.  Adds to 'deeds' what was done.  Returns NULL if
 * successful, otherwise a message that the caller must free. */
char *
offload_revert(struct ovsdb_idl *idl, bool dry_run,
               struct offload_deeds *deeds)
{
    struct ds failed = DS_EMPTY_INITIALIZER;
    int lock_fd = -1;
    char *file = run_file();
    char *persistent = persistent_file();
    struct state state = { .n = 0 };
    struct state old = { .n = 0 };
    char *error;

    error = dry_run ? NULL : check_privilege();
    if (!error && !dry_run) {
        error = lock(file, &lock_fd);
    }
    if (!error) {
        error = state_read(file, &state);
    }
    if (!error) {
        /* What survives a boot, which the run directory may not. */
        error = state_read(persistent, &old);
    }
    if (!error) {
        state_merge(&state, &old, true);
    }
    for (size_t i = state.n; !error && i > 0; i--) {
        char *e = undo(idl, &state.entries[i - 1], dry_run, deeds);

        if (e) {
            ds_put_format(&failed, "%s%s", failed.length ? "; " : "", e);
            free(e);
        } else if (!dry_run) {
            state_remove(&state, i - 1);
            error = state_write(file, &state);
        }
    }
    if (!error && !dry_run) {
        char *e;

        /* "restore" must not do again what was to be undone.  What failed is
         * in the other file, and a boot undoes it, but in the database. */
        for (size_t i = state.n; i > 0; i--) {
            const struct offload_change *c = state.entries[i - 1].change;

            if (c->kind != OFFLOAD_DB || !state_find(&old, c)) {
                state_remove(&state, i - 1);
            }
        }
        e = state_write(persistent, &state);
        if (e) {
            ds_put_format(&failed, "%s%s", failed.length ? "; " : "", e);
            free(e);
        }
    }
    if (!error && failed.length) {
        error = xstrdup(ds_cstr(&failed));
    }
    ds_destroy(&failed);
    state_destroy(&state);
    state_destroy(&old);
    unlock(lock_fd);
    free(persistent);
    free(file);
    return error;
}

/* Does again, after a boot, what "tune --persist" has done.  Adds it to
 * 'deeds'.  A change that fails doesn't keep the others from being made. */
char *
offload_restore(struct ovsdb_idl *idl, struct offload_deeds *deeds)
{
    int lock_fd = -1;
    struct state state = { .n = 0 };
    struct state wanted = { .n = 0 };
    char *file = run_file();
    char *persistent = persistent_file();
    struct ds failed = DS_EMPTY_INITIALIZER;
    char *error = check_privilege();

    if (!error) {
        error = lock(file, &lock_fd);
    }
    if (!error) {
        error = state_read(file, &state);
    }
    if (!error) {
        error = state_read(persistent, &wanted);
    }
    for (size_t i = 0; !error && i < wanted.n; i++) {
        const struct offload_change *c = wanted.entries[i].change;
        char *e = NULL;
        char *now = c->kind == OFFLOAD_DB ? get_value(idl, c, &e) : NULL;

        if (c->kind == OFFLOAD_DB && !e && !now) {
            add_deed(deeds, c, NULL, NULL, "gone");
        } else if (now && strcmp(now, c->value)) {
            /* The database survives a boot. */
            add_deed(deeds, c, now, now, "left, somebody else has changed it");
        } else if (!e) {
            e = do_change(idl, c, &wanted.entries[i], file, &state, deeds);
        }
        free(now);
        if (e) {
            ds_put_format(&failed, "%s%s", failed.length ? "; " : "", e);
            free(e);
        }
    }
    if (!error && failed.length) {
        error = xstrdup(ds_cstr(&failed));
    }
    ds_destroy(&failed);
    state_destroy(&state);
    state_destroy(&wanted);
    unlock(lock_fd);
    free(persistent);
    free(file);
    return error;
}
