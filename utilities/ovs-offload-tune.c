/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload-tune.h"

/* Does what "check" proposes, and undoes it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vswitch-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

/* Deeds. */

/* Adds to 'deeds' that 'c' has come to 'result', and the values of its setting
 * before and after that, NULL for none.  Returns the deed. */
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

/* Frees what 'deeds' has, and makes it empty. */
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

    if (entry && !entry_is_outdated(entry)
        && (!strcmp(before, entry->change->value)
            || setting_is_part(c, before))) {
        state_add(state, c, entry->before, entry->mtu);
    } else {
        state_add(state, c, setting_undone_value(c, before), mtu);
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
    char *before = setting_get(idl, c, &read_error);
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
    if (!strcmp(before, c->value) && (!done || entry_is_outdated(done))) {
        /* An earlier change has brought it along, or the driver. */
        add_deed(deeds, c, before, before, "is so already");
        free(before);
        return NULL;
    }
    mtu = setting_get_mtu(c, before);
    if (done && !strcmp(before, c->value)) {
        state_add(state, c, done->before, done->mtu);
    } else {
        remember(state, c, before, mtu);
    }
    error = state_write(file, state);
    if (!error && strcmp(before, c->value)) {
        error = setting_set(idl, c, c->value);
        if (error) {
            char *message = xasprintf("%s of %s: %s", c->key, c->target,
                                      error);

            free(error);
            error = message;
        }
    }
    after = setting_get(idl, c, &read_error);
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
        char *now = setting_get(idl, deed->change, &error);
        const char *wanted = setting_undone_value(deed->change, deed->before);
        bool undone;

        if (now && strcmp(now, wanted)) {
            char *read_error;

            error = setting_undo(idl, deed->change, wanted, deed->mtu);
            free(now);
            now = setting_get(idl, deed->change, &read_error);
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
    long long int deadline = time_msec() + OFFLOAD_VERIFY_MS;

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
    char *file = state_run_file();
    char *error;

    error = dry_run ? NULL : check_privilege();
    if (!error && !dry_run) {
        error = state_lock(file, &lock_fd);
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
            char *name = state_persistent_file();

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
            char *before = setting_get(idl, c, &read_error);

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
        error = state_make_persistent(&state, persist);
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
    state_unlock(lock_fd);
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
    char *now = setting_get(idl, c, &error);

    if (error) {
        result = "failed";
    } else if (!now) {
        result = "gone";
    } else if (entry_is_outdated(entry)) {
        after = xstrdup(now);
        result = "undone by a boot";
    } else if (strcmp(now, c->value) && !setting_is_part(c, now)) {
        after = xstrdup(now);
        result = (strcmp(now, entry->before)
                  ? "left, somebody else has changed it"
                  : "is as before");
    } else if (dry_run) {
        after = xstrdup(entry->before);
        result = "not done (dry run)";
    } else {
        char *read_error;

        error = setting_undo(idl, c, entry->before, entry->mtu);
        after = setting_get(idl, c, &read_error);
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
    char *file = state_run_file();
    char *persistent = state_persistent_file();
    struct state state = { .n = 0 };
    struct state old = { .n = 0 };
    char *error;

    error = dry_run ? NULL : check_privilege();
    if (!error && !dry_run) {
        error = state_lock(file, &lock_fd);
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
    state_unlock(lock_fd);
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
    char *file = state_run_file();
    char *persistent = state_persistent_file();
    struct ds failed = DS_EMPTY_INITIALIZER;
    char *error = check_privilege();

    if (!error) {
        error = state_lock(file, &lock_fd);
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
        char *now = c->kind == OFFLOAD_DB ? setting_get(idl, c, &e) : NULL;

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
    state_unlock(lock_fd);
    free(persistent);
    free(file);
    return error;
}
