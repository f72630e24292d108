/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload-chain.h"

/* The report about tunnels: rows that show what there is, findings about what
 * is amiss in it, and the two verdicts.  What they say is up to others. */

#include <stdlib.h>
#include <string.h>

#include "lib/vswitch-idl.h"
#include "util.h"

/* Returns the word for 'severity', which is static. */
const char *
offload_severity_to_string(enum offload_severity severity)
{
    switch (severity) {
    case OFFLOAD_NOTE:
        return "note";
    case OFFLOAD_WARNING:
        return "warning";
    case OFFLOAD_ERROR:
        return "error";
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns true if the last row in 'report' repeats one about the same port, as
 * what is on the way to several peers does. */
static bool
is_repeated(const struct offload_report *report)
{
    const struct offload_row *last = &report->rows[report->n_rows - 1];

    for (size_t i = report->n_rows - 1; i > 0; i--) {
        const struct offload_row *row = &report->rows[i - 1];

        if (strcmp(row->port, last->port)) {
            break;
        } else if (!strcmp(row->part, last->part)
                   && !strcmp(row->item, last->item)
                   && !strcmp(row->value, last->value)) {
            return true;
        }
    }
    return false;
}

static void
destroy_row(struct offload_row *row)
{
    free(row->port);
    free(row->part);
    free(row->item);
    free(row->value);
}

/* Adds a row to the report of 'ctx', unless it is there: 'item' of 'part' of
 * the chain of 'tunnel' is what 'format' and its arguments say.  All of them
 * are copied. */
void
add_row(struct context *ctx, const struct tunnel *tunnel, const char *part,
        const char *item, const char *format, ...)
{
    struct offload_report *report = ctx->report;
    struct offload_row *row;
    va_list args;

    if (report->n_rows >= report->allocated_rows) {
        report->rows = x2nrealloc(report->rows, &report->allocated_rows,
                                  sizeof *report->rows);
    }
    row = &report->rows[report->n_rows++];
    row->port = xstrdup(tunnel->iface->name);
    row->part = xstrdup(part);
    row->item = xstrdup(item);
    va_start(args, format);
    row->value = xvasprintf(format, args);
    va_end(args);
    if (is_repeated(report)) {
        destroy_row(&report->rows[--report->n_rows]);
    }
}

/* Adds a finding, or, if there is one with 'id' about 'device' already, which
 * the same command mends, or says the same if none does, 'tunnel' to its
 * ports.  Takes ownership of 'change', which may be NULL, and of 'command',
 * which is that of 'change' if NULL. */
void
find(struct context *ctx, enum offload_severity severity, const char *id,
     const struct tunnel *tunnel, const char *device,
     struct offload_change *change, char *command, const char *cost,
     const char *format, ...)
{
    struct offload_report *report = ctx->report;
    struct offload_finding *f;
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    if (!command && change) {
        command = offload_change_command(change);
    }
    for (size_t i = 0; i < report->n_findings; i++) {
        f = &report->findings[i];
        if (!strcmp(f->id, id) && !strcmp(f->device, device)
            && (command ? nullable_string_is_equal(f->command, command)
                : !f->command && !strcmp(f->text, text))) {
            if (!svec_contains_unsorted(&f->ports, tunnel->iface->name)) {
                svec_add(&f->ports, tunnel->iface->name);
            }
            f->severity = MAX(f->severity, severity);
            offload_change_destroy(change);
            free(command);
            free(text);
            return;
        }
    }

    if (report->n_findings >= report->allocated_findings) {
        report->findings = x2nrealloc(report->findings,
                                      &report->allocated_findings,
                                      sizeof *report->findings);
    }
    f = &report->findings[report->n_findings++];
    f->severity = severity;
    f->id = id;
    svec_init(&f->ports);
    svec_add(&f->ports, tunnel->iface->name);
    f->device = xstrdup(device);
    f->text = text;
    f->cost = cost;
    f->command = command;
    f->change = change;
}

/* Sets the verdict '*verdict', unless something nearer to the sender has. */
void
judge(char **verdict, const char *format, ...)
{
    if (!*verdict) {
        va_list args;

        va_start(args, format);
        *verdict = xvasprintf(format, args);
        va_end(args);
    }
}

/* Frees what is in 'report', but not 'report' itself, which is empty then. */
void
offload_report_destroy(struct offload_report *report)
{
    for (size_t i = 0; i < report->n_rows; i++) {
        destroy_row(&report->rows[i]);
    }
    free(report->rows);
    for (size_t i = 0; i < report->n_findings; i++) {
        struct offload_finding *f = &report->findings[i];

        svec_destroy(&f->ports);
        free(f->device);
        free(f->text);
        free(f->command);
        offload_change_destroy(f->change);
    }
    free(report->findings);
    memset(report, 0, sizeof *report);
}

/* Returns the worst severity in 'report', if '*any' is set to true. */
enum offload_severity
offload_report_worst(const struct offload_report *report, bool *any)
{
    enum offload_severity worst = OFFLOAD_NOTE;

    *any = report->n_findings > 0;
    for (size_t i = 0; i < report->n_findings; i++) {
        worst = MAX(worst, report->findings[i].severity);
    }
    return worst;
}
