/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

/* Link type "stt" for ip(8).
 * ==========================
 *
 * ip(8) loads a file link_TYPE.so for a link type that it doesn't know.  The
 * declarations below are what such a file and ip(8) expect of each other,
 * which no header tells: here they are those of iproute2 6.1.  The functions
 * are ip(8)'s own. */

#include <config.h>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../datapath/if_stt.h"

/* Interface of ip(8). */

struct link_util {
    struct link_util *next;
    const char *id;
    int maxattr;
    int (*parse_opt)(struct link_util *, int argc, char **argv,
                     struct nlmsghdr *);
    void (*print_opt)(struct link_util *, FILE *, struct rtattr *tb[]);
    void (*print_xstats)(struct link_util *, FILE *, struct rtattr *);
    void (*print_help)(struct link_util *, int argc, char **argv, FILE *);
    int (*parse_ifla_xstats)(struct link_util *, int argc, char **argv);
    int (*print_ifla_xstats)(struct nlmsghdr *, void *);
};

enum output_type {
    PRINT_FP = 1,
    PRINT_JSON = 2,
    PRINT_ANY = 4,
};

enum color_attr {
    COLOR_IFNAME,
    COLOR_MAC,
    COLOR_INET,
    COLOR_INET6,
    COLOR_OPERSTATE_UP,
    COLOR_OPERSTATE_DOWN,
    COLOR_NONE,
};

int addattr(struct nlmsghdr *, int maxlen, int type);
int addattr8(struct nlmsghdr *, int maxlen, int type, uint8_t data);
int addattr16(struct nlmsghdr *, int maxlen, int type, uint16_t data);
int addattr32(struct nlmsghdr *, int maxlen, int type, uint32_t data);
int addattr_l(struct nlmsghdr *, int maxlen, int type, const void *, int len);
int get_u8(uint8_t *, const char *, int base);
int get_u16(uint16_t *, const char *, int base);
int get_u32(uint32_t *, const char *, int base);
int get_u64(uint64_t *, const char *, int base);
void invarg(const char *message, const char *arg) __attribute__((noreturn));
void duparg(const char *key, const char *arg) __attribute__((noreturn));
void incomplete_command(void) __attribute__((noreturn));
int rtnl_dsfield_a2n(uint32_t *, const char *);
int print_color_string(enum output_type, enum color_attr, const char *key,
                       const char *format, const char *value);
int print_color_uint(enum output_type, enum color_attr, const char *key,
                     const char *format, unsigned int value);
int print_color_u64(enum output_type, enum color_attr, const char *key,
                    const char *format, uint64_t value);
int print_color_bool(enum output_type, enum color_attr, const char *key,
                     const char *format, bool value);

/* Size of the request that ip(8) fills in. */
#define REQUEST_LEN 1024

static void
print_usage(FILE *f)
{
    fputs("Usage: ... stt { external | remote ADDR [ local ADDR ] [ id ID ]\n"
          "                 [ ttl { TTL | inherit | auto } ]\n"
          "                 [ tos { TOS | inherit } ]\n"
          "                 [ df { set | unset | inherit } ]\n"
          "                 [ flowlabel LABEL ] }\n"
          "              [ dstport PORT ]\n"
          "\n"
          "Where: ADDR  := { IP_ADDRESS | IPV6_ADDRESS }\n"
          "       ID    := 0..18446744073709551615 (default 0)\n"
          "       PORT  := 1..65535 (default 7471)\n"
          "       TTL   := 1..255 (default auto: that of the route)\n"
          "       LABEL := 0..1048575\n"
          "\n"
          "\"external\" has the peer and the ID of each packet told by its\n"
          "metadata, as Open vSwitch and tc do.\n", f);
}

static void
stt_print_help(struct link_util *lu, int argc, char **argv, FILE *f)
{
    (void) lu;
    (void) argc;
    (void) argv;
    print_usage(f);
}

/* Adds the address 'arg' as attribute 'attr', or 'attr6' for IPv6. */
static void
add_address(struct nlmsghdr *n, const char *keyword, const char *arg,
            int attr, int attr6)
{
    struct in6_addr ip6;
    struct in_addr ip;

    if (inet_pton(AF_INET, arg, &ip) == 1) {
        addattr_l(n, REQUEST_LEN, attr, &ip, sizeof ip);
    } else if (inet_pton(AF_INET6, arg, &ip6) == 1) {
        addattr_l(n, REQUEST_LEN, attr6, &ip6, sizeof ip6);
    } else {
        fprintf(stderr, "Error: \"%s\" needs an IPv4 or IPv6 address.\n",
                keyword);
        invarg("invalid address", arg);
    }
}

/* Adds option 'keyword' with argument 'arg', which is null if there is none.
 * Returns false if there is no such option. */
static bool
add_option(struct nlmsghdr *n, const char *keyword, const char *arg)
{
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;

    if (!strcmp(keyword, "remote")) {
        add_address(n, keyword, arg, IFLA_STT_REMOTE, IFLA_STT_REMOTE6);
    } else if (!strcmp(keyword, "local")) {
        add_address(n, keyword, arg, IFLA_STT_LOCAL, IFLA_STT_LOCAL6);
    } else if (!strcmp(keyword, "id")) {
        if (arg[0] == '-' || get_u64(&u64, arg, 0)) {
            invarg("invalid context ID", arg);
        }
        addattr_l(n, REQUEST_LEN, IFLA_STT_ID, &u64, sizeof u64);
    } else if (!strcmp(keyword, "dstport")) {
        if (get_u16(&u16, arg, 0) || !u16) {
            invarg("invalid TCP port", arg);
        }
        addattr16(n, REQUEST_LEN, IFLA_STT_PORT, htons(u16));
    } else if (!strcmp(keyword, "ttl")) {
        if (!strcmp(arg, "inherit")) {
            addattr(n, REQUEST_LEN, IFLA_STT_TTL_INHERIT);
        } else if (strcmp(arg, "auto")) {
            if (get_u8(&u8, arg, 0) || !u8) {
                invarg("invalid TTL", arg);
            }
            addattr8(n, REQUEST_LEN, IFLA_STT_TTL, u8);
        }
    } else if (!strcmp(keyword, "tos")) {
        if (!strcmp(arg, "inherit")) {
            u32 = 1;
        } else if (rtnl_dsfield_a2n(&u32, arg) || u32 > UINT8_MAX
                   || u32 & 3) {
            invarg("invalid TOS", arg);
        }
        addattr8(n, REQUEST_LEN, IFLA_STT_TOS, u32);
    } else if (!strcmp(keyword, "df")) {
        if (!strcmp(arg, "unset")) {
            u8 = STT_DF_UNSET;
        } else if (!strcmp(arg, "set")) {
            u8 = STT_DF_SET;
        } else if (!strcmp(arg, "inherit")) {
            u8 = STT_DF_INHERIT;
        } else {
            invarg("invalid DF, must be set, unset or inherit", arg);
        }
        addattr8(n, REQUEST_LEN, IFLA_STT_DF, u8);
    } else if (!strcmp(keyword, "flowlabel")) {
        if (get_u32(&u32, arg, 0) || u32 > 0xfffff) {
            invarg("invalid flow label", arg);
        }
        addattr32(n, REQUEST_LEN, IFLA_STT_LABEL, htonl(u32));
    } else {
        return false;
    }
    return true;
}

static int
stt_parse_opt(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n)
{
    (void) lu;

    for (int i = 0; i < argc; i++) {
        const char *keyword = argv[i];

        if (!strcmp(keyword, "help")) {
            print_usage(stderr);
            return -1;
        }
        if (!strcmp(keyword, "external")) {
            addattr(n, REQUEST_LEN, IFLA_STT_COLLECT_METADATA);
        } else if (i + 1 >= argc) {
            incomplete_command();
        } else if (!add_option(n, keyword, argv[i + 1])) {
            fprintf(stderr, "stt: unknown option \"%s\"?\n", keyword);
            print_usage(stderr);
            return -1;
        } else {
            i++;
        }
    }
    return 0;
}

/* Returns the payload of 'attr', whose length the kernel has got right. */
static void *
payload(struct rtattr *attr)
{
    return RTA_DATA(attr);
}

static void
print_address(struct rtattr *attr, struct rtattr *attr6, const char *key,
              const char *format)
{
    char buffer[INET6_ADDRSTRLEN];
    struct rtattr *a = attr ? attr : attr6;

    if (a && inet_ntop(attr ? AF_INET : AF_INET6, payload(a), buffer,
                       sizeof buffer)) {
        print_color_string(PRINT_ANY, attr ? COLOR_INET : COLOR_INET6, key,
                           format, buffer);
    }
}

static void
stt_print_opt(struct link_util *lu, FILE *f, struct rtattr *tb[])
{
    static const char *const df_names[] = { "unset", "set", "inherit" };

    (void) lu;
    (void) f;
    if (!tb) {
        return;
    }

    if (tb[IFLA_STT_COLLECT_METADATA]) {
        print_color_bool(PRINT_ANY, COLOR_NONE, "external", "external ",
                         true);
    }
    if (tb[IFLA_STT_ID]) {
        uint64_t id;

        memcpy(&id, payload(tb[IFLA_STT_ID]), sizeof id);
        print_color_u64(PRINT_ANY, COLOR_NONE, "id", "id %llu ", id);
    }
    print_address(tb[IFLA_STT_REMOTE], tb[IFLA_STT_REMOTE6], "remote",
                  "remote %s ");
    print_address(tb[IFLA_STT_LOCAL], tb[IFLA_STT_LOCAL6], "local",
                  "local %s ");
    if (tb[IFLA_STT_PORT]) {
        uint16_t port;

        memcpy(&port, payload(tb[IFLA_STT_PORT]), sizeof port);
        print_color_uint(PRINT_ANY, COLOR_NONE, "port", "dstport %u ",
                         ntohs(port));
    }
    if (tb[IFLA_STT_TTL_INHERIT]) {
        print_color_string(PRINT_ANY, COLOR_NONE, "ttl", "ttl %s ",
                           "inherit");
    } else if (tb[IFLA_STT_TTL]) {
        uint8_t ttl = *(uint8_t *) payload(tb[IFLA_STT_TTL]);

        if (ttl) {
            print_color_uint(PRINT_ANY, COLOR_NONE, "ttl", "ttl %u ", ttl);
        } else {
            print_color_string(PRINT_ANY, COLOR_NONE, "ttl", "ttl %s ",
                               "auto");
        }
    }
    if (tb[IFLA_STT_TOS]) {
        uint8_t tos = *(uint8_t *) payload(tb[IFLA_STT_TOS]);
        char buffer[8];

        if (tos == 1) {
            print_color_string(PRINT_ANY, COLOR_NONE, "tos", "tos %s ",
                               "inherit");
        } else if (tos) {
            snprintf(buffer, sizeof buffer, "0x%x", tos);
            print_color_string(PRINT_ANY, COLOR_NONE, "tos", "tos %s ",
                               buffer);
        }
    }
    if (tb[IFLA_STT_DF]) {
        uint8_t df = *(uint8_t *) payload(tb[IFLA_STT_DF]);

        if (df <= STT_DF_MAX) {
            print_color_string(PRINT_ANY, COLOR_NONE, "df", "df %s ",
                               df_names[df]);
        }
    }
    if (tb[IFLA_STT_LABEL]) {
        uint32_t label;

        memcpy(&label, payload(tb[IFLA_STT_LABEL]), sizeof label);
        if (label) {
            char buffer[16];

            snprintf(buffer, sizeof buffer, "0x%05x", ntohl(label));
            print_color_string(PRINT_ANY, COLOR_NONE, "flowlabel",
                               "flowlabel %s ", buffer);
        }
    }
}

extern struct link_util stt_link_util;

struct link_util stt_link_util = {
    .id = "stt",
    .maxattr = IFLA_STT_MAX,
    .parse_opt = stt_parse_opt,
    .print_opt = stt_print_opt,
    .print_help = stt_print_help,
};
