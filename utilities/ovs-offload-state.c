/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload-tune.h"

/* Remembers what was changed, and how it was before.
 *
 * That is in a file in the run directory, which is written before the change
 * is made, so that whatever happens "revert" knows what to do.  With
 * --persist, it is also in a file that survives a boot. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dirs.h"
#include "openvswitch/json.h"
#include "util.h"

/* Returns the name of the file in the run directory, which the caller must
 * free. */
char *
state_run_file(void)
{
    return xasprintf("%s/ovs-offload.json", ovs_rundir());
}

/* Returns the name of the file that survives a boot, which the caller must
 * free. */
char *
state_persistent_file(void)
{
    return xasprintf("%s/openvswitch/ovs-offload.json", ovs_sysconfdir());
}

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
bool
entry_is_outdated(const struct entry *entry)
{
    enum offload_kind kind = entry->change->kind;

    return ((kind == OFFLOAD_FEATURE || kind == OFFLOAD_GSO)
            && entry->boot[0] && get_boot()[0]
            && strcmp(entry->boot, get_boot()));
}

/* Frees what 'state' has, and makes it empty. */
void
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
struct entry *
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
state_add__(struct state *state, const struct offload_change *c,
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

/* Has 'state' say that 'c' is made since the present boot, and that its
 * setting was 'before' and the MTU of its device, in bytes, 'mtu', 0 if it
 * does not matter.  Replaces what 'state' says about that setting. */
void
state_add(struct state *state, const struct offload_change *c,
          const char *before, unsigned int mtu)
{
    state_add__(state, c, before, mtu, get_boot());
}

/* Has 'state' say what 'entry' of another one says. */
void
state_copy(struct state *state, const struct entry *entry)
{
    state_add__(state, entry->change, entry->before, entry->mtu, entry->boot);
}

/* Removes the entry with index 'i' from 'state'. */
void
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
void
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
char *
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

            state_add__(state, change, before, member_mtu(c),
                        boot ? boot : "");
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
char *
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

/* Locks 'file', which need not exist, against other processes until '*fdp' is
 * closed.  lockfile_lock() would follow symbolic links.  Returns NULL if
 * successful, otherwise a message that the caller must free. */
char *
state_lock(const char *file, int *fdp)
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

/* Unlocks 'fd', from state_lock(), unless it is negative. */
void
state_unlock(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

/* Adds what 'state' has to the file that survives a boot, or, unless 'all', of
 * that only what itself survives a boot, for "revert".  Returns NULL if
 * successful, otherwise a message that the caller must free. */
char *
state_make_persistent(const struct state *state, bool all)
{
    char *file = state_persistent_file();
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

