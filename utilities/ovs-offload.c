/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

/* ovs-offload: why a tunnel is as fast as it is, and how to make it faster.
 * The command line, and what the commands print. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "db-ctl-base.h"
#include "fatal-signal.h"
#include "lib/vswitch-idl.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "stream.h"
#include "stream-ssl.h"
#include "table.h"
#include "timeval.h"
#include "util.h"

/* Exit status of "check", and that of any command that fails. */
enum {
    EXIT_WARNINGS = 1,
    EXIT_ERRORS = 2,
    EXIT_TROUBLE = 3
};

/* Where the database is (--db). */
static char *db;

/* --timeout: Seconds to wait for the database. */
static unsigned int timeout = 10;
static bool timeout_given;

/* --format and the like. */
static struct table_style table_style = TABLE_STYLE_DEFAULT;
static bool as_table;

/* --dry-run, --persist. */
static bool dry_run;
static bool persist;

/* --assume: Was it given? */
static bool assumed;

/* The exit status that the command asks for. */
static int exit_status = EXIT_SUCCESS;

static struct ovsdb_idl *idl;

OVS_NO_RETURN static void usage(void);
static const struct ovs_cmdl_command *get_commands(void);

OVS_NO_RETURN static void OVS_PRINTF_FORMAT(1, 2)
die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_TROUBLE);
}

/* Fails unless 'format' is one of the words in 'formats'. */
static void
check_format(const char *kind, const char *format, const char *formats)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;

    svec_parse_words(&words, formats);
    if (!svec_contains_unsorted(&words, format)) {
        die("unknown %s format \"%s\"", kind, format);
    }
    svec_destroy(&words);
}

/* VLOG_OPTION_HANDLERS would exit with the status of "check" for warnings. */

static void
set_verbosity(const char *levels)
{
    char *error = levels ? vlog_set_levels_from_string(levels) : NULL;

    if (error) {
        die("value %s on -v or --verbose is invalid: %s", levels, error);
    } else if (!levels) {
        vlog_set_verbosity(NULL);
    }
}

/* 'file' is NULL for the default one, without which it goes on. */
static void
set_log_file(const char *file)
{
    int error = vlog_set_log_file(file);

    if (error && file) {
        die("%s: can't be opened for logging (%s)", file,
            ovs_strerror(error));
    }
}

static void
set_syslog_method(const char *method)
{
    if (strcmp(method, "null") && strcmp(method, "libc")
        && strncmp(method, "unix:", 5) && strncmp(method, "udp:", 4)) {
        die("value %s on --syslog-method is invalid", method);
    }
    vlog_set_syslog_method(method);
}

static void
parse_options(int argc, char *argv[])
{
    enum {
        OPT_DB = UCHAR_MAX + 1,
        OPT_DRY_RUN,
        OPT_PERSIST,
        OPT_ASSUME,
        OPT_COMMANDS,
        TABLE_OPTION_ENUMS,
        VLOG_OPTION_ENUMS,
        SSL_OPTION_ENUMS,
    };
    static const struct option long_options[] = {
        {"db", required_argument, NULL, OPT_DB},
        {"timeout", required_argument, NULL, 't'},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"persist", no_argument, NULL, OPT_PERSIST},
        {"assume", required_argument, NULL, OPT_ASSUME},
        {"commands", no_argument, NULL, OPT_COMMANDS},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"options", no_argument, NULL, 'o'},
        TABLE_LONG_OPTIONS,
        VLOG_LONG_OPTIONS,
        STREAM_SSL_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    char *short_options
        = ovs_cmdl_long_options_to_short_options(long_options);

    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        }
        switch (c) {
        case OPT_DB:
            free(db);
            db = xstrdup(optarg);
            break;

        case 't':
            if (!str_to_uint(optarg, 10, &timeout) || !timeout) {
                die("value %s on -t or --timeout is invalid", optarg);
            }
            timeout_given = true;
            break;

        case OPT_DRY_RUN:
            dry_run = true;
            break;

        case OPT_PERSIST:
            persist = true;
            break;

        case OPT_ASSUME:
            if (!offload_dev_assume(optarg)) {
                die("value %s on --assume is not DEVICE:FEATURE=VALUE",
                    optarg);
            }
            assumed = true;
            break;

        case OPT_COMMANDS:
            ovs_cmdl_print_commands(get_commands());
            exit(EXIT_SUCCESS);

        case 'h':
            usage();

        case 'V':
            ovs_print_version(0, 0);
            exit(EXIT_SUCCESS);

        case 'o':
            ovs_cmdl_print_options(long_options);
            exit(EXIT_SUCCESS);

        case 'f':
            as_table = strcmp(optarg, "text");
            if (as_table) {
                check_format("output", optarg, "table html csv json list");
                table_parse_format(&table_style, optarg);
            }
            break;

        case 'd':
            check_format("data", optarg, "string bare json");
            table_parse_cell_format(&table_style, optarg);
            as_table = true;
            break;

        case OPT_NO_HEADINGS:
            table_style.headings = false;
            break;

        case OPT_PRETTY:
            table_style.json_flags |= JSSF_PRETTY;
            break;

        case OPT_BARE:
            table_style.format = TF_LIST;
            table_style.cell_format = CF_BARE;
            table_style.headings = false;
            as_table = true;
            break;

        case OPT_MAX_COLUMN_WIDTH:
            if (!str_to_int(optarg, 10, &table_style.max_column_width)
                || table_style.max_column_width < 0) {
                die("value %s on --max-column-width is invalid", optarg);
            }
            break;

        case 'v':
            set_verbosity(optarg);
            break;

        case OPT_LOG_FILE:
            set_log_file(optarg);
            break;

        case OPT_SYSLOG_IMPL:
            set_syslog_method(optarg);
            break;

        case OPT_SYSLOG_TARGET:
            vlog_set_syslog_target(optarg);
            break;

        STREAM_SSL_OPTION_HANDLERS

        case '?':
            exit(EXIT_TROUBLE);

        default:
            OVS_NOT_REACHED();
        }
    }
    free(short_options);

    if (!db) {
        db = ctl_default_db();
        db = xstrdup(db);
    }
}

static void
usage(void)
{
    printf("%s: explains and tunes the path of a tunnel\n"
           "usage: %s [OPTIONS] COMMAND [ARG...]\n\n"
           "Commands:\n"
           "  show [PORT]     print what packets of tunnels pass, and what\n"
           "                  becomes of 64 KB there\n"
           "  check [PORT]    print what is amiss, what it costs and what\n"
           "                  mends it; exit status 1 for warnings, 2 for\n"
           "                  errors\n"
           "  probe PORT [REMOTE]  send frames of several sizes to the\n"
           "                  peer's switch and print which arrive, and how;\n"
           "                  exit status 1 if it does not answer\n"
           "  tune PORT       change what \"check\" proposes to change\n"
           "  revert          undo what \"tune\" has done\n"
           "  restore         do again, after a boot, what was done with\n"
           "                  --persist\n"
           "\n"
           "Options:\n"
           "  --db=DATABASE   connect to DATABASE (default: %s)\n"
           "  -t, --timeout=SECS  wait at most SECS seconds for it (default:\n"
           "                  10), let show, check, probe take no longer\n"
           "  --assume=DEVICE:FEATURE=VALUE  (show, check) judge as if it\n"
           "                  were so\n"
           "  --dry-run       (tune, revert) print what would be done only\n"
           "  --persist       (tune) remember it for \"restore\"\n"
           "  -f, --format=FORMAT  \"text\" (default), \"table\", \"html\",\n"
           "                  \"csv\", \"json\" or \"list\"\n"
           "  --no-headings, --pretty, --bare, --data=FORMAT,\n"
           "  --max-column-width=N  as in ovs-vsctl(8)\n"
           "  -h, --help      print this help\n"
           "  -V, --version   print the version\n",
           program_name, program_name, ctl_default_db());
    vlog_usage();
    exit(EXIT_SUCCESS);
}

/* Returns the database, which is read first if needed. */
struct ovsdb_idl *
offload_get_idl(void)
{
    long long int deadline = time_msec() + timeout * 1000LL;

    if (idl) {
        return idl;
    }
    idl = ovsdb_idl_create(db, &ovsrec_idl_class, true, false);
    ovsdb_idl_set_db_change_aware(idl, false);
    for (;;) {
        ovsdb_idl_run(idl);
        if (ovsdb_idl_has_ever_connected(idl)) {
            return idl;
        }
        if (!ovsdb_idl_is_alive(idl)) {
            int error = ovsdb_idl_get_last_error(idl);

            die("%s: database connection failed (%s)", db,
                ovs_retval_to_string(error));
        }
        if (time_msec() >= deadline) {
            die("%s: no answer from the database within %u s", db, timeout);
        }
        ovsdb_idl_wait(idl);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Adds a cell to 'table' with a copy of 's', or with "" for NULL. */
static void
add_text(struct table *table, const char *s)
{
    table_add_cell(table)->text = xstrdup(s ? s : "");
}

static void
collect(const char *port, struct offload_report *report)
{
    char *error = offload_report_collect(offload_get_idl(), port, report);

    if (error) {
        die("%s", error);
    }
}

/* show. */

static void
print_rows(const struct offload_report *report)
{
    const char *port = "", *part = "";

    for (size_t i = 0; i < report->n_rows; i++) {
        const struct offload_row *row = &report->rows[i];

        if (strcmp(row->port, port)) {
            printf("%s%s\n", i ? "\n" : "", row->port);
            port = row->port;
            part = "";
        }
        if (strcmp(row->part, part)) {
            printf("    %s\n", row->part);
            part = row->part;
        }
        printf("        %s: %s\n", row->item, row->value);
    }
    if (!report->n_rows) {
        printf("no tunnel ports\n");
    }
}

static void
cmd_show(struct ovs_cmdl_context *ctx)
{
    struct offload_report report;

    collect(ctx->argc > 1 ? ctx->argv[1] : NULL, &report);
    if (as_table) {
        struct table table;

        table_init(&table);
        table_add_column(&table, "port");
        table_add_column(&table, "part");
        table_add_column(&table, "item");
        table_add_column(&table, "value");
        for (size_t i = 0; i < report.n_rows; i++) {
            table_add_row(&table);
            add_text(&table, report.rows[i].port);
            add_text(&table, report.rows[i].part);
            add_text(&table, report.rows[i].item);
            add_text(&table, report.rows[i].value);
        }
        table_print(&table, &table_style);
        table_destroy(&table);
    } else {
        print_rows(&report);
    }
    offload_report_destroy(&report);
}

/* check. */

/* Returns where the manual explains 'f'.  The caller must free it. */
static char *
manual_link(const struct offload_finding *f)
{
    return xasprintf("ovs-offload(8)#%s", f->id);
}

static void
print_findings(const struct offload_report *report)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct offload_finding *f = &report->findings[i];
        char *ports = svec_join(&f->ports, " ", "");
        char *link = manual_link(f);

        printf("%s%s: %s: %s: %s\n    ports: %s\n    cost: %s\n",
               i ? "\n" : "", offload_severity_to_string(f->severity), f->id,
               f->device, f->text, ports, f->cost);
        if (f->command) {
            printf("    mend: %s\n", f->command);
        }
        printf("    see: %s\n", link);
        free(ports);
        free(link);
    }
    if (!report->n_findings) {
        printf("%"PRIuSIZE" tunnel ports, nothing found\n", report->n_ports);
    }
}

static void
cmd_check(struct ovs_cmdl_context *ctx)
{
    struct offload_report report;
    enum offload_severity worst;
    bool any;

    collect(ctx->argc > 1 ? ctx->argv[1] : NULL, &report);
    if (as_table) {
        struct table table;

        table_init(&table);
        table_add_column(&table, "severity");
        table_add_column(&table, "id");
        table_add_column(&table, "device");
        table_add_column(&table, "ports");
        table_add_column(&table, "text");
        table_add_column(&table, "cost");
        table_add_column(&table, "command");
        table_add_column(&table, "manual");
        for (size_t i = 0; i < report.n_findings; i++) {
            const struct offload_finding *f = &report.findings[i];
            char *ports = svec_join(&f->ports, " ", "");

            table_add_row(&table);
            add_text(&table, offload_severity_to_string(f->severity));
            add_text(&table, f->id);
            add_text(&table, f->device);
            table_add_cell(&table)->text = ports;
            add_text(&table, f->text);
            add_text(&table, f->cost);
            add_text(&table, f->command);
            table_add_cell(&table)->text = manual_link(f);
        }
        table_print(&table, &table_style);
        table_destroy(&table);
    } else {
        print_findings(&report);
    }
    worst = offload_report_worst(&report, &any);
    exit_status = (!any || worst == OFFLOAD_NOTE ? EXIT_SUCCESS
                   : worst == OFFLOAD_WARNING ? EXIT_WARNINGS : EXIT_ERRORS);
    offload_report_destroy(&report);
}

/* tune, revert, restore. */

/* Prints 'deeds' and what is 'left', which may be NULL, frees them, and fails
 * with 'error' if it is nonnull. */
static void
finish(struct offload_deeds *deeds, struct svec *left, char *error)
{
    if (as_table) {
        struct table table;

        table_init(&table);
        table_add_column(&table, "kind");
        table_add_column(&table, "target");
        table_add_column(&table, "setting");
        table_add_column(&table, "before");
        table_add_column(&table, "after");
        table_add_column(&table, "result");
        for (size_t i = 0; i < deeds->n; i++) {
            const struct offload_deed *deed = &deeds->deeds[i];

            table_add_row(&table);
            add_text(&table, offload_kind_to_string(deed->change->kind));
            add_text(&table, deed->change->target);
            add_text(&table, deed->change->key);
            add_text(&table, deed->before);
            add_text(&table, deed->after);
            add_text(&table, deed->result);
        }
        for (size_t i = 0; left && i + 2 < left->n; i += 3) {
            table_add_row(&table);
            add_text(&table, left->names[i]);
            add_text(&table, left->names[i + 1]);
            add_text(&table, left->names[i + 2]);
            add_text(&table, NULL);
            add_text(&table, NULL);
            add_text(&table, "left to you");
        }
        table_print(&table, &table_style);
        table_destroy(&table);
    } else {
        for (size_t i = 0; i < deeds->n; i++) {
            const struct offload_deed *deed = &deeds->deeds[i];

            printf("%s %s %s: %s -> %s: %s\n",
                   offload_kind_to_string(deed->change->kind),
                   deed->change->target, deed->change->key,
                   deed->before && deed->before[0] ? deed->before : "none",
                   deed->after && deed->after[0] ? deed->after : "none",
                   deed->result);
        }
        if (!deeds->n && !error) {
            printf("nothing to do\n");
        }
        if (left && left->n) {
            printf("left to you:\n");
            for (size_t i = 0; i + 2 < left->n; i += 3) {
                printf("    %s: %s: %s\n", left->names[i],
                       left->names[i + 1], left->names[i + 2]);
            }
        }
    }
    offload_deeds_destroy(deeds);
    if (left) {
        svec_destroy(left);
    }
    if (error) {
        fflush(stdout);
        die("%s", error);
    }
}

static void
cmd_tune(struct ovs_cmdl_context *ctx)
{
    struct offload_deeds deeds = { .n = 0 };
    struct svec left = SVEC_EMPTY_INITIALIZER;
    char *error;

    if (dry_run && persist) {
        die("--dry-run and --persist exclude each other");
    }
    error = offload_tune(offload_get_idl(), ctx->argv[1], dry_run, persist,
                         &deeds, &left);
    finish(&deeds, &left, error);
}

static void
cmd_revert(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct offload_deeds deeds = { .n = 0 };

    if (persist) {
        die("--persist is for \"tune\"");
    }
    finish(&deeds, NULL, offload_revert(offload_get_idl(), dry_run, &deeds));
}

static void
cmd_restore(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct offload_deeds deeds = { .n = 0 };

    if (persist || dry_run) {
        die("--dry-run and --persist are not for \"restore\"");
    }
    finish(&deeds, NULL, offload_restore(offload_get_idl(), &deeds));
}

/* probe. */

/* Adds the numbers in 'names' of 'json' to the row of 'table'. */
static void
add_numbers(struct table *table, const struct json *json,
            const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *m = shash_find_data(json_object(json), names[i]);

        if (m && m->type == JSON_INTEGER) {
            table_add_cell(table)->text
                = xasprintf("%"PRId64, json_integer(m));
        } else {
            add_text(table, NULL);
        }
    }
}

static const char *
string_member(const struct json *json, const char *name)
{
    const struct json *m = shash_find_data(json_object(json), name);

    return m && m->type == JSON_STRING ? json_string(m) : "";
}

/* What is known of each size of frames. */
static const char *const probe_columns[] = {
    "size", "segments", "sent", "answered", "min-pieces", "max-pieces",
    "whole", "merged", "reordered", "min-usec", "avg-usec", "max-usec",
};

/* Adds a row about 'part' to 'table', with number 'name' of 'json' or, if it
 * is missing and 'other' nonnull, with that instead. */
static void
add_number_row(struct table *table, const char *part, const struct json *json,
               const char *name, const char *other)
{
    const struct json *m = shash_find_data(json_object(json), name);
    bool is_known = m && m->type == JSON_INTEGER;

    if (is_known || other) {
        table_add_row(table);
        add_text(table, part);
        add_text(table, name);
        table_add_cell(table)->text
            = (is_known ? xasprintf("%"PRId64, json_integer(m))
               : xstrdup(other));
    }
}

/* Prints 'result' as a single table, like that of "show". */
static void
print_probe_table(const struct json *result)
{
    const struct json *sizes = shash_find_data(json_object(result), "sizes");
    const struct json *counters = shash_find_data(json_object(result),
                                                  "counters");
    struct table table;
    struct shash_node *node;

    table_init(&table);
    table_add_column(&table, "part");
    table_add_column(&table, "item");
    table_add_column(&table, "value");

    table_add_row(&table);
    add_text(&table, "probe");
    add_text(&table, "verdict");
    add_text(&table, string_member(result, "verdict"));
    add_number_row(&table, "probe", result, "rst", "not watched");
    add_number_row(&table, "probe", result, "icmp", "not watched");
    if (counters && counters->type == JSON_OBJECT) {
        SHASH_FOR_EACH (node, json_object(counters)) {
            add_number_row(&table, "counters", counters, node->name, NULL);
        }
    }
    for (size_t i = 0; sizes && sizes->type == JSON_ARRAY
         && i < json_array_size(sizes); i++) {
        const struct json *json = json_array_at(sizes, i);
        const struct json *size = shash_find_data(json_object(json), "size");
        char *part = xasprintf("size %"PRId64,
                               size && size->type == JSON_INTEGER
                               ? json_integer(size) : 0);

        for (size_t j = 1; j < ARRAY_SIZE(probe_columns); j++) {
            add_number_row(&table, part, json, probe_columns[j], NULL);
        }
        free(part);
    }
    table_print(&table, &table_style);
    table_destroy(&table);
}

static void
print_probe(const struct json *result)
{
    const struct json *sizes = shash_find_data(json_object(result), "sizes");
    const struct json *counters = shash_find_data(json_object(result),
                                                  "counters");
    struct table table;
    struct shash_node *node;

    printf("%s\n", string_member(result, "verdict"));
    table_init(&table);
    for (size_t i = 0; i < ARRAY_SIZE(probe_columns); i++) {
        table_add_column(&table, "%s", probe_columns[i]);
    }
    if (sizes && sizes->type == JSON_ARRAY && json_array_size(sizes)) {
        for (size_t i = 0; i < json_array_size(sizes); i++) {
            table_add_row(&table);
            add_numbers(&table, json_array_at(sizes, i), probe_columns,
                        ARRAY_SIZE(probe_columns));
        }
        table_print(&table, &table_style);
    }
    table_destroy(&table);
    for (int i = 0; i < 2; i++) {
        const struct json *m = shash_find_data(json_object(result),
                                               i ? "icmp" : "rst");

        if (m && m->type == JSON_INTEGER) {
            printf("%s: %"PRId64"\n", i ? "ICMP errors" : "RST",
                   json_integer(m));
        } else {
            printf("%s: not watched, which needs CAP_NET_RAW\n",
                   i ? "ICMP errors" : "RST");
        }
    }
    if (counters && counters->type == JSON_OBJECT) {
        SHASH_FOR_EACH (node, json_object(counters)) {
            const struct json *m = node->data;

            printf("%s: %"PRId64"\n", node->name, json_integer(m));
        }
    }
}

static void
cmd_probe(struct ovs_cmdl_context *ctx)
{
    const char *port = ctx->argv[1], *remote = NULL;
    const struct ovsrec_interface *iface
        = offload_find_interface(offload_get_idl(), port);
    char *path = offload_vswitchd_path();
    struct json *result;
    struct in6_addr peer;
    const struct json *answers;
    char *error;

    if (!iface) {
        die("no port %s", port);
    }
    if (strcmp(iface->type, "stt")) {
        die("port %s is not one of type stt", port);
    }
    if (!path) {
        die("ovs-vswitchd does not run");
    }
    remote = (ctx->argc > 2 && !strchr(ctx->argv[2], '=') ? ctx->argv[2]
              : smap_get_def(&iface->options, "remote_ip", ""));
    if (!ipv6_parse(remote, &peer)) {
        ovs_be32 ip;

        if (!ip_parse(remote, &ip)) {
            if (!strcmp(remote, "flow")) {
                die("port %s leaves the remote address to the flows, so one "
                    "must be given", port);
            }
            die("\"%s\" is not an IP address", remote);
        }
        in6_addr_set_mapped_ipv4(&peer, ip);
    }
    error = offload_probe(path, ctx->argc - 1, ctx->argv + 1, &peer,
                          smap_get_int(&iface->options, "dst_port", 7471),
                          &result);
    free(path);
    if (error) {
        die("%s", error);
    }
    if (as_table && table_style.format == TF_JSON) {
        char *s = json_to_string(result, JSSF_SORT | table_style.json_flags);

        puts(s);
        free(s);
    } else if (as_table) {
        print_probe_table(result);
    } else {
        print_probe(result);
    }
    answers = shash_find_data(json_object(result), "answers");
    exit_status = (answers && answers->type == JSON_TRUE ? EXIT_SUCCESS
                   : EXIT_WARNINGS);
    json_destroy(result);
}

static const struct ovs_cmdl_command commands[] = {
    { "show", "[PORT]", 0, 1, cmd_show, OVS_RO },
    { "check", "[PORT]", 0, 1, cmd_check, OVS_RO },
    { "probe", "PORT [REMOTE] [size=SIZE,...] [count=N] [interval=MSEC] "
      "[timeout=MSEC] [key=KEY]", 1, 7, cmd_probe, OVS_RO },
    { "tune", "[--dry-run] [--persist] PORT", 1, 1, cmd_tune, OVS_RW },
    { "revert", "[--dry-run]", 0, 0, cmd_revert, OVS_RW },
    { "restore", "", 0, 0, cmd_restore, OVS_RW },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

static const struct ovs_cmdl_command *
get_commands(void)
{
    return commands;
}

/* Runs the command in 'argv', or fails with EXIT_TROUBLE, which "check" does
 * not use for what it finds. */
static void
run_command(int argc, char *argv[])
{
    for (const struct ovs_cmdl_command *c = commands; c->name; c++) {
        if (!strcmp(c->name, argv[0])) {
            struct ovs_cmdl_context ctx = { .argc = argc, .argv = argv };

            if (argc - 1 < c->min_args || argc - 1 > c->max_args) {
                die("usage: %s %s %s", program_name, c->name, c->usage);
            }
            if ((dry_run || persist) && c->mode == OVS_RO) {
                die("--dry-run and --persist are not for \"%s\"", c->name);
            }
            if (assumed && c->mode == OVS_RW) {
                die("--assume is not for \"%s\"", c->name);
            }
            if (timeout_given && c->mode == OVS_RO) {
                time_alarm(timeout);
            }
            c->handler(&ctx);
            return;
        }
    }
    die("unknown command '%s'; use --help for help", argv[0]);
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    vlog_set_levels_from_string_assert("reconnect:warn");
    /* nft(8) takes as long as it takes. */
    vlog_set_levels_from_string_assert("timeval:console:err");
    parse_options(argc, argv);
    if (optind >= argc) {
        die("missing command name; use --help for help");
    }
    run_command(argc - optind, argv + optind);
    ovsdb_idl_destroy(idl);
    free(db);
    if (fflush(stdout)) {
        die("writing fails (%s)", ovs_strerror(errno));
    }
    return exit_status;
}
