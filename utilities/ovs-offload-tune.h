/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#ifndef OVS_OFFLOAD_TUNE_H
#define OVS_OFFLOAD_TUNE_H 1

/* What the files of ovs-offload that change settings, and remember how they
 * were, share, and no other.  All of it is for a single thread.  Where a
 * function returns an error message, that is NULL if it was successful, and
 * otherwise the caller must free it. */

#include <stdbool.h>
#include <stddef.h>
#include "ovs-offload.h"

struct ovsdb_idl_txn;

/* How long a change may take to show, in ms. */
#define OFFLOAD_VERIFY_MS 10000

/* Settings. */

char *setting_get(struct ovsdb_idl *, const struct offload_change *,
                  char **errorp);
char *setting_set(struct ovsdb_idl *, const struct offload_change *,
                  const char *value);
unsigned int setting_get_mtu(const struct offload_change *,
                             const char *before);
char *setting_undo(struct ovsdb_idl *, const struct offload_change *,
                   const char *before, unsigned int mtu);
bool setting_is_part(const struct offload_change *, const char *value);
const char *setting_undone_value(const struct offload_change *,
                                 const char *before);

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

bool entry_is_outdated(const struct entry *);
void state_destroy(struct state *);
struct entry *state_find(const struct state *, const struct offload_change *);
void state_add(struct state *, const struct offload_change *,
               const char *before, unsigned int mtu);
void state_copy(struct state *, const struct entry *);
void state_remove(struct state *, size_t i);
void state_merge(struct state *dst, const struct state *src, bool all);

char *state_run_file(void);
char *state_persistent_file(void);
char *state_lock(const char *file, int *fdp);
void state_unlock(int fd);
char *state_read(const char *file, struct state *);
char *state_write(const char *file, const struct state *);
char *state_make_persistent(const struct state *, bool all);

#endif /* ovs-offload-tune.h */
