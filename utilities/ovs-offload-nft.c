/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>
#include "ovs-offload.h"

/* What nftables does with the packets of a tunnel.
 *
 * A packet of which all but the source port, flags and payload is known is
 * sent through the rules that nft(8) prints.  What a rule asks of it is met,
 * not met, or unknown, and a rule of which that is unknown is not believed to
 * do anything, but remembered as one that may. */

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

/* Connections are tracked at this priority, unless "notrack" comes first. */
#define PRIO_CONNTRACK (-200)

/* Bits of IPv4's field "frag-off" that only fragments have. */
#define FRAGMENT (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)

enum answer {
    NO,
    YES,
    MAYBE,
    NEVER                       /* The packet lacks what is looked at. */
};

enum verdict { CONTINUE, ACCEPT, DROP, RETURN };

/* What connection tracking has done with the packet. */
enum tracking {
    NOT_YET,                    /* Nothing, so it counts as invalid. */
    UNTRACKED,                  /* Has met "notrack". */
    MAYBE_TRACKED,              /* May have met "notrack". */
    TRACKED
};

struct walk {
    const struct json *rules;   /* The array called "nftables". */
    const struct offload_packet *packet;
    bool outgoing;
    bool at_nic;                /* In a hook of the NIC, not of IP. */
    enum tracking tracking;
    bool nat;                   /* Is there a chain that does NAT? */
    bool accepted;              /* This base chain may have accepted it. */
    bool elsewhere;             /* May not have come to this chain. */
    bool returned;              /* May have left this chain by now. */
    int depth;
    char *drop, *drop_mend, *maybe, *untrack;
    const char *family, *table;
};

/* Returns member 'name' of 'json', if that is an object with such a member,
 * otherwise NULL. */
static const struct json *
get(const struct json *json, const char *name)
{
    return (json && json->type == JSON_OBJECT
            ? shash_find_data(json_object(json), name) : NULL);
}

static const char *
get_string(const struct json *json, const char *name)
{
    const struct json *member = get(json, name);

    return (member && member->type == JSON_STRING
            ? json_string(member) : "");
}

static long long int
get_integer(const struct json *json, const char *name, long long int def)
{
    const struct json *member = get(json, name);

    return (member && member->type == JSON_INTEGER
            ? json_integer(member) : def);
}

static size_t
array_size(const struct json *json)
{
    return json && json->type == JSON_ARRAY ? json_array_size(json) : 0;
}

/* Has nft(8) print all rules, and returns them as JSON, which the caller must
 * destroy.  Returns NULL if that fails, with the reason in '*errorp', which
 * the caller must free. */
struct json *
offload_nft_read(char **errorp)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char buf[4096];
    struct json *json;
    FILE *pipe;
    size_t n;
    int status;

    *errorp = NULL;
    pipe = popen("nft -j list ruleset 2>/dev/null", "r");
    if (!pipe) {
        *errorp = xasprintf("nft(8) can't be run (%s)", ovs_strerror(errno));
        return NULL;
    }
    while ((n = fread(buf, 1, sizeof buf, pipe)) > 0) {
        ds_put_buffer(&s, buf, n);
    }
    status = pclose(pipe);
    if (status) {
        *errorp = xstrdup(WIFEXITED(status) && WEXITSTATUS(status) == 127
                          ? "nft(8) is not installed"
                          : !offload_is_privileged()
                          ? "nft(8) needs root to read the rules"
                          : "\"nft -j list ruleset\" fails");
        ds_destroy(&s);
        return NULL;
    }

    json = json_from_string(ds_cstr(&s));
    ds_destroy(&s);
    if (!json || !array_size(get(json, "nftables"))) {
        *errorp = xstrdup("\"nft -j list ruleset\" prints what is no rules");
        json_destroy(json);
        return NULL;
    }
    return json;
}

/* Matches. */

static enum answer
negate(enum answer answer)
{
    return answer == YES ? NO : answer == NO ? YES : answer;
}

static enum answer
either(enum answer a, enum answer b)
{
    return a == YES || b == YES ? YES : a == MAYBE || b == MAYBE ? MAYBE : NO;
}

/* Compares a number of the packet with what a rule wants. */
static enum answer
match_number(long long int number, const char *op, const struct json *right)
{
    const struct json *set = get(right, "set");
    const struct json *range = get(right, "range");

    if (right->type == JSON_INTEGER) {
        long long int want = json_integer(right);

        return (!strcmp(op, "<") ? number < want
                : !strcmp(op, ">") ? number > want
                : !strcmp(op, "<=") ? number <= want
                : !strcmp(op, ">=") ? number >= want
                : number == want) ? YES : NO;
    } else if (array_size(range) == 2) {
        const struct json *min = json_array_at(range, 0);
        const struct json *max = json_array_at(range, 1);

        if (min->type == JSON_INTEGER && max->type == JSON_INTEGER) {
            return (number >= json_integer(min)
                    && number <= json_integer(max)) ? YES : NO;
        }
    } else if (array_size(set) || array_size(right)) {
        const struct json *list = set ? set : right;
        enum answer answer = NO;

        for (size_t i = 0; i < array_size(list); i++) {
            answer = either(answer, match_number(number, op,
                                                 json_array_at(list, i)));
        }
        return answer;
    }
    return MAYBE;
}

/* Returns true if 'op' asks for an order. */
static bool
is_order(const char *op)
{
    return op[0] == '<' || op[0] == '>';
}

/* Returns true if 'op' asks for any of the bits of the right side, or none. */
static bool
is_mask_operator(const char *op)
{
    return !strcmp(op, "in") || !strcmp(op, "!");
}

static bool
parse_addr(const char *s, struct in6_addr *addr)
{
    ovs_be32 ip;

    if (ip_parse(s, &ip)) {
        in6_addr_set_mapped_ipv4(addr, ip);
        return true;
    }
    return ipv6_parse(s, addr);
}

/* Returns whether 'addr', in text form, is one of 'min' to 'max'. */
static enum answer
match_range(const char *addr, const char *min, const char *max)
{
    struct in6_addr a, lo, hi;

    if (parse_addr(addr, &a) && parse_addr(min, &lo) && parse_addr(max, &hi)) {
        return (memcmp(&a, &lo, sizeof a) >= 0
                && memcmp(&a, &hi, sizeof a) <= 0) ? YES : NO;
    }
    return MAYBE;
}

/* Returns whether 'addr', in text form, is in the subnet 'net'/'len'. */
static enum answer
match_prefix(const char *addr, const char *net, int len)
{
    struct in6_addr a6, n6, mask6;
    ovs_be32 a4, n4;

    if (ip_parse(addr, &a4) && ip_parse(net, &n4) && len <= 32) {
        return !((a4 ^ n4) & be32_prefix_mask(len)) ? YES : NO;
    } else if (ipv6_parse(addr, &a6) && ipv6_parse(net, &n6) && len <= 128) {
        mask6 = ipv6_create_mask(len);
        a6 = ipv6_addr_bitand(&a6, &mask6);
        n6 = ipv6_addr_bitand(&n6, &mask6);
        return ipv6_addr_equals(&a6, &n6) ? YES : NO;
    }
    return MAYBE;
}

/* Compares a word of the packet, NULL if it is unknown, with what a rule
 * wants. */
static enum answer
match_string(const char *word, const struct json *right)
{
    const struct json *set = get(right, "set");
    const struct json *prefix = get(right, "prefix");
    const struct json *range = get(right, "range");

    if (!word) {
        return MAYBE;
    } else if (right->type == JSON_STRING) {
        const char *want = json_string(right);
        struct in6_addr addr;
        ovs_be32 ip;

        if (want[0] == '@') {
            return MAYBE;
        } else if (ip_parse(want, &ip)) {
            return match_prefix(word, want, 32);
        } else if (ipv6_parse(want, &addr)) {
            return match_prefix(word, want, 128);
        }
        return !fnmatch(want, word, 0) ? YES : NO;
    } else if (prefix) {
        return match_prefix(word, get_string(prefix, "addr"),
                            get_integer(prefix, "len", 0));
    } else if (array_size(range) == 2
               && json_array_at(range, 0)->type == JSON_STRING
               && json_array_at(range, 1)->type == JSON_STRING) {
        return match_range(word, json_string(json_array_at(range, 0)),
                           json_string(json_array_at(range, 1)));
    } else if (array_size(set) || array_size(right)) {
        const struct json *list = set ? set : right;
        enum answer answer = NO;

        for (size_t i = 0; i < array_size(list); i++) {
            answer = either(answer, match_string(word,
                                                 json_array_at(list, i)));
        }
        return answer;
    }
    return MAYBE;
}

/* Compares TCP, as IP's protocol, with 'right', in which nft(8) names those
 * protocols whose names it knows. */
static enum answer
match_protocol(const struct json *right)
{
    const struct json *set = get(right, "set");
    enum answer answer = NO;

    if (!array_size(set)) {
        return (right->type == JSON_INTEGER || get(right, "range")
                ? match_number(IPPROTO_TCP, "==", right)
                : match_string("tcp", right));
    }
    for (size_t i = 0; i < array_size(set); i++) {
        answer = either(answer, match_protocol(json_array_at(set, i)));
    }
    return answer;
}

/* Most packets of STT have the flags ACK or ACK and PSH, and are neither part
 * of a connection nor the beginning of one. */
static enum answer
match_ct_state(enum tracking tracking, const struct json *right)
{
    enum answer answer;

    if (tracking == UNTRACKED) {
        return match_string("untracked", right);
    } else if (tracking == MAYBE_TRACKED) {
        answer = match_ct_state(TRACKED, right);
        return answer == match_ct_state(UNTRACKED, right) ? answer : MAYBE;
    }
    answer = match_string("invalid", right);
    if (tracking == TRACKED && answer == NO
        && match_string("new", right) == YES) {
        answer = MAYBE;
    }
    return answer;
}

/* Compares 'key' of the packet's connection with 'right'.  A packet without a
 * connection has a state, but nothing else. */
static enum answer
match_ct(const struct walk *walk, const char *key, const char *op,
         const struct json *right)
{
    if (!strcmp(key, "state")) {
        return match_ct_state(walk->tracking, right);
    } else if (walk->tracking < MAYBE_TRACKED) {
        return NEVER;
    } else if (!strcmp(key, "status") && !walk->nat
               && right->type == JSON_STRING
               && (!strcmp(json_string(right), "dnat")
                   || !strcmp(json_string(right), "snat"))
               && (!strcmp(op, "in") || !strcmp(op, "=="))) {
        return NO;
    }
    return MAYBE;
}

/* Stores the TCP flags that 'json' names, ored together, in '*flags'.  Returns
 * false if there is anything else in it. */
static bool
parse_tcp_flags(const struct json *json, unsigned int *flags)
{
    static const char *const names[] = {
        "fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr",
    };
    const struct json *list = get(json, "|") ? get(json, "|") : json;

    if (list->type == JSON_INTEGER) {
        *flags |= json_integer(list);
        return true;
    } else if (list->type == JSON_STRING) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            if (!strcmp(json_string(list), names[i])) {
                *flags |= 1u << i;
                return true;
            }
        }
        return false;
    }
    for (size_t i = 0; i < array_size(list); i++) {
        if (!parse_tcp_flags(json_array_at(list, i), flags)) {
            return false;
        }
    }
    return array_size(list) > 0;
}

/* Compares TCP flags 'flags' with 'right'. */
static enum answer
compare_tcp_flags(unsigned int flags, const char *op, const struct json *right)
{
    const struct json *set = get(right, "set");
    enum answer answer = NO;
    unsigned int want = 0;

    if (!set) {
        return (!parse_tcp_flags(right, &want) ? MAYBE
                : is_mask_operator(op) ? (flags & want ? YES : NO)
                : flags == want ? YES : NO);
    }
    for (size_t i = 0; i < array_size(set); i++) {
        answer = either(answer, compare_tcp_flags(flags, "==",
                                                  json_array_at(set, i)));
    }
    return answer;
}

/* Compares those of STT's TCP flags that are in 'mask' with 'right'.  All
 * packets have ACK, and some of them PSH. */
static enum answer
match_tcp_flags(unsigned int mask, const char *op, const struct json *right)
{
    enum answer without = compare_tcp_flags(TCP_ACK & mask, op, right);
    enum answer with = compare_tcp_flags((TCP_ACK | TCP_PSH) & mask, op,
                                         right);

    return with == without ? with : MAYBE;
}

/* Returns true if packets of STT have no header field 'payload', which may be
 * NULL.  nftables looks at a field only in packets of its protocol. */
static bool
is_foreign(const struct walk *walk, const struct json *payload)
{
    const char *protocol = get_string(payload, "protocol");

    if (!strcmp(protocol, "ip") || !strcmp(protocol, "ip6")) {
        return !strcmp(protocol, "ip6") != walk->packet->is_ipv6;
    }
    return (protocol[0] && strcmp(protocol, "tcp") && strcmp(protocol, "th")
            && strcmp(protocol, "ether"));
}

/* Compares the bits of header field 'payload' that are in 'mask' with 'right'.
 * 'mask' is 0 if it is unknown. */
static enum answer
match_payload(const struct walk *walk, const struct json *payload,
              unsigned int mask, const char *op, const struct json *right)
{
    const struct offload_packet *packet = walk->packet;
    const char *protocol = get_string(payload, "protocol");
    const char *field = get_string(payload, "field");

    if (is_foreign(walk, payload)) {
        return NEVER;
    } else if (!strcmp(protocol, "tcp") || !strcmp(protocol, "th")) {
        return (!strcmp(field, "flags") && mask
                ? match_tcp_flags(mask, op, right)
                : !strcmp(field, "dport") && mask == UINT_MAX
                ? match_number(packet->dst_port, op, right)
                : MAYBE);
    } else if (!strcmp(field, "frag-off") && mask && !(mask & ~FRAGMENT)) {
        return match_number(0, op, right);
    } else if (mask != UINT_MAX || is_order(op)) {
        return MAYBE;
    } else if (!strcmp(protocol, "ip") || !strcmp(protocol, "ip6")) {
        return (!strcmp(field, "saddr") ? match_string(packet->src, right)
                : !strcmp(field, "daddr") ? match_string(packet->dst, right)
                : !strcmp(field, "protocol") || !strcmp(field, "nexthdr")
                ? match_protocol(right)
                : MAYBE);
    }
    return MAYBE;
}

/* Compares STT's TCP options, of which there are none, with 'right', which for
 * an option as a whole says if it is to be there. */
static enum answer
match_tcp_option(const struct json *option, const struct json *right)
{
    return (get(option, "field") ? NEVER
            : right->type == JSON_FALSE ? YES
            : right->type == JSON_TRUE ? NO
            : MAYBE);
}

/* Fields that are looked at together are not compared, but must be there. */
static enum answer
match_concat(const struct walk *walk, const struct json *fields)
{
    for (size_t i = 0; i < array_size(fields); i++) {
        if (is_foreign(walk, get(json_array_at(fields, i), "payload"))) {
            return NEVER;
        }
    }
    return MAYBE;
}

static enum answer
match_meta(const struct walk *walk, const char *key,
           const struct json *right)
{
    const struct offload_packet *packet = walk->packet;

    if (!strncmp(key, "oif", 3) || !strncmp(key, "iif", 3)) {
        /* Only the name is known, and that the other one has none. */
        return (key[3] && strcmp(key + 3, "name") ? MAYBE
                : walk->outgoing != (key[0] == 'o') ? NO
                : match_string(walk->at_nic ? packet->dev : packet->ip_dev,
                               right));
    } else if (!strcmp(key, "l4proto")) {
        return match_protocol(right);
    } else if (!strcmp(key, "pkttype")) {
        enum answer host = match_string("host", right);

        /* To a NIC, the address of the bridge above may be another host's. */
        return (!walk->at_nic || host == match_string("other", right)
                ? host : MAYBE);
    } else if (!strcmp(key, "nfproto")) {
        return match_string(packet->is_ipv6 ? "ipv6" : "ipv4", right);
    } else if (!strcmp(key, "protocol")) {
        return match_string(packet->is_ipv6 ? "ip6" : "ip", right);
    }
    return MAYBE;
}

/* Returns whether the packet has in 'left' what 'right' wants. */
static enum answer
match(const struct walk *walk, const struct json *left, const char *op,
      const struct json *right)
{
    const struct json *masked = get(left, "&");
    unsigned int mask = UINT_MAX;
    enum answer answer = MAYBE;

    if (array_size(masked) == 2 && get(json_array_at(masked, 0), "payload")) {
        mask = 0;
        if (!parse_tcp_flags(json_array_at(masked, 1), &mask)) {
            mask = 0;
        }
        left = json_array_at(masked, 0);
    }
    if (!right) {
        return MAYBE;
    } else if (get(left, "payload")) {
        answer = match_payload(walk, get(left, "payload"), mask, op, right);
    } else if (get(left, "tcp option")) {
        answer = match_tcp_option(get(left, "tcp option"), right);
    } else if (get(left, "concat")) {
        answer = match_concat(walk, get(left, "concat"));
    } else if (get(left, "meta") && !is_order(op)) {
        answer = match_meta(walk, get_string(get(left, "meta"), "key"),
                            right);
    } else if (get(left, "ct")) {
        answer = match_ct(walk, get_string(get(left, "ct"), "key"), op, right);
    }
    if (op[0] == '!') {
        answer = negate(answer);
    }
    return answer == NEVER ? NO : answer;
}

/* Walking through chains. */

static enum verdict walk_chain(struct walk *, const char *chain);

/* Remembers that 'what' of 'chain' drops the packet, or may do so. */
static void
note_drop(struct walk *walk, const char *chain, const char *what,
          bool maybe)
{
    char *where = xasprintf("%s of chain %s %s %s", what, walk->family,
                            walk->table, chain);

    if (maybe) {
        if (!walk->maybe) {
            walk->maybe = where;
            return;
        }
    } else if (!walk->drop) {
        char *table_q = offload_quote(walk->table);
        char *chain_q = offload_quote(chain);

        walk->drop = where;
        walk->drop_mend = xasprintf("nft insert rule %s %s %s tcp dport %d "
                                    "accept", walk->family, table_q, chain_q,
                                    walk->packet->dst_port);
        free(table_q);
        free(chain_q);
        return;
    }
    free(where);
}

/* Returns true if 'statement' is extension 'name' of iptables, of 'type'
 * "match" or "target", as far as nft tells. */
static bool
is_xt(const struct json *statement, const char *type, const char *name)
{
    const struct json *xt = get(statement, "xt");

    return xt && !strcmp(get_string(xt, "type"), type)
           && !strcmp(get_string(xt, "name"), name);
}

/* Sends the packet through chain 'target', which a rule calls if 'answer' says
 * that the packet meets its conditions.  What becomes of the packet there is
 * remembered, but for those that return: what is behind a "jump" concerns them
 * again.  Returns CONTINUE if the packet may come back. */
static enum verdict
call_chain(struct walk *walk, const char *target, enum answer answer)
{
    bool elsewhere = walk->elsewhere;
    bool returned = walk->returned;
    enum verdict verdict;

    walk->elsewhere |= returned || answer == MAYBE;
    walk->returned = false;
    walk->depth++;
    verdict = walk_chain(walk, target);
    walk->depth--;
    if (walk->returned) {
        verdict = CONTINUE;
    }
    walk->elsewhere = elsewhere;
    walk->returned = returned;
    return verdict;
}

/* Does what 'statement' says, an object like {"drop": null}, if 'answer' says
 * that the packet meets the conditions. */
static enum verdict
do_verdict(struct walk *walk, const struct json *statement,
           enum answer answer, const char *chain, const char *what)
{
    const struct json *jump = get(statement, "jump");
    const struct json *target = jump ? jump : get(statement, "goto");
    enum verdict verdict = CONTINUE;

    if (get(statement, "drop") || get(statement, "reject")
        || is_xt(statement, "target", "REJECT")) {
        note_drop(walk, chain, what,
                  answer == MAYBE || walk->accepted || walk->elsewhere
                  || walk->returned);
        verdict = DROP;
    } else if (get(statement, "accept")) {
        walk->accepted = true;
        verdict = ACCEPT;
    } else if (get(statement, "return")) {
        verdict = RETURN;
    } else if (get(statement, "queue") || get(statement, "fwd")
               || get(statement, "synproxy")) {
        /* It sees no more of this base chain, if it comes back at all. */
        note_drop(walk, chain, what, true);
        walk->accepted = true;
        verdict = ACCEPT;
    } else if (target && walk->depth < 16) {
        verdict = call_chain(walk, get_string(target, "target"), answer);
        if (verdict == CONTINUE && !jump) {
            verdict = RETURN;
        }
    }
    if (answer == MAYBE) {
        /* A packet that it concerns doesn't see the rest, others do. */
        walk->returned |= verdict == RETURN;
        verdict = CONTINUE;
    }
    return verdict;
}

/* Returns what 'statement', which is no match, says about whether the rest of
 * its rule concerns the packet.  Many statements are conditions, such as a
 * rate, so it is those without one that have to be known. */
static enum answer
check_statement(const struct walk *walk, const struct json *statement)
{
    static const char *const plain[] = {
        "accept", "drop", "reject", "return", "jump", "goto", "continue",
        "counter", "log", "mangle", "notrack", "dup", "queue", "fwd",
        "synproxy", "ct helper", "ct timeout", "ct expectation", "secmark",
    };
    const struct json *set = get(statement, "set");
    const struct json *stmts = get(set, "stmt");

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        if (get(statement, plain[i])) {
            return YES;
        }
    }
    if (set) {
        enum answer answer = YES;

        if (is_foreign(walk, get(get(set, "elem"), "payload"))) {
            return NO;
        }
        for (size_t i = 0; i < array_size(stmts) && answer == YES; i++) {
            answer = check_statement(walk, json_array_at(stmts, i));
        }
        return answer;
    }
    return is_xt(statement, "target", "REJECT") ? YES : MAYBE;
}

/* Keeps the packet from being tracked, if 'answer' says that it meets the
 * conditions of 'what' of 'chain'. */
static void
do_notrack(struct walk *walk, enum answer answer, const char *chain,
           const char *what)
{
    if (walk->tracking != NOT_YET) {
        /* It comes too late, or once more. */
    } else if (answer == YES && !walk->accepted && !walk->elsewhere
               && !walk->returned) {
        walk->tracking = UNTRACKED;
    } else if (answer != NO && !walk->untrack) {
        walk->untrack = xasprintf("%s of chain %s %s %s", what, walk->family,
                                  walk->table, chain);
    }
}

static enum verdict
walk_rule(struct walk *walk, const struct json *rule, const char *chain)
{
    const struct json *expr = get(rule, "expr");
    enum answer answer = YES;
    char *what = xasprintf("rule %lld", get_integer(rule, "handle", 0));
    enum verdict verdict = CONTINUE;

    for (size_t i = 0; i < array_size(expr) && verdict == CONTINUE
                       && answer != NO; i++) {
        const struct json *statement = json_array_at(expr, i);
        const struct json *m = get(statement, "match");
        const struct json *vmap = get(statement, "vmap");

        if (m) {
            enum answer a = match(walk, get(m, "left"), get_string(m, "op"),
                                  get(m, "right"));

            answer = a == NO ? NO : MAX(a, answer);
        } else if (vmap) {
            const struct json *data = get(vmap, "data");
            const struct json *set = get(data, "set");

            if (data && data->type == JSON_STRING
                && match(walk, get(vmap, "key"), "==", data) != NO) {
                /* A map with a name, of which nothing is known. */
                note_drop(walk, chain, what, true);
                walk->accepted = walk->returned = true;
            }
            for (size_t j = 0; j < array_size(set) && verdict == CONTINUE;
                 j++) {
                const struct json *pair = json_array_at(set, j);
                enum answer a;

                if (array_size(pair) != 2) {
                    continue;
                }
                a = match(walk, get(vmap, "key"), "==",
                          json_array_at(pair, 0));
                if (a != NO) {
                    verdict = do_verdict(walk, json_array_at(pair, 1),
                                         MAX(a, answer), chain, what);
                }
            }
        } else {
            enum answer a = check_statement(walk, statement);

            answer = a == NO ? NO : MAX(a, answer);
            if (get(statement, "notrack")
                || is_xt(statement, "target", "CT")) {
                do_notrack(walk, answer, chain, what);
            } else if (answer != NO) {
                verdict = do_verdict(walk, statement, answer, chain, what);
            }
        }
    }
    free(what);
    return verdict;
}

/* Sends the packet through the rules of 'chain'.  Returns CONTINUE if it comes
 * to their end, or returns. */
static enum verdict
walk_chain(struct walk *walk, const char *chain)
{
    for (size_t i = 0; i < array_size(walk->rules); i++) {
        const struct json *rule = get(json_array_at(walk->rules, i), "rule");
        enum verdict verdict;

        if (!rule || strcmp(get_string(rule, "family"), walk->family)
            || strcmp(get_string(rule, "table"), walk->table)
            || strcmp(get_string(rule, "chain"), chain)) {
            continue;
        }
        verdict = walk_rule(walk, rule, chain);
        if (verdict == RETURN) {
            break;
        } else if (verdict != CONTINUE) {
            return verdict;
        }
    }
    return CONTINUE;
}

/* Sends the packet through base chain 'chain', at the end of which is its
 * policy. */
static void
walk_base(struct walk *walk, const struct json *chain)
{
    const char *name = get_string(chain, "name");
    enum verdict verdict;

    walk->family = get_string(chain, "family");
    walk->table = get_string(chain, "table");
    walk->accepted = walk->elsewhere = walk->returned = false;
    verdict = walk_chain(walk, name);
    if ((verdict == CONTINUE || walk->returned)
        && !strcmp(get_string(chain, "policy"), "drop")) {
        /* Whatever was not accepted is dropped, if not here, then before. */
        note_drop(walk, name, "policy", walk->accepted);
    }
}

static bool
mentions(const struct json *json, const char *name)
{
    if (json->type == JSON_OBJECT) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, json_object(json)) {
            if (!strcmp(node->name, name) || mentions(node->data, name)) {
                return true;
            }
        }
    } else if (json->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_array_size(json); i++) {
            if (mentions(json_array_at(json, i), name)) {
                return true;
            }
        }
    }
    return false;
}

/* Returns true if 'rule' looks at connections, in the words of nftables or of
 * iptables. */
static bool
tracks(const struct json *rule)
{
    static const char *const names[] = {
        "ct", "ct count", "ct helper", "ct timeout", "ct expectation",
        "synproxy",
    };
    const struct json *expr = get(rule, "expr");

    for (size_t i = 0; i < array_size(expr); i++) {
        const struct json *statement = json_array_at(expr, i);

        if (is_xt(statement, "match", "conntrack")
            || is_xt(statement, "match", "state")) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (mentions(rule, names[i])) {
            return true;
        }
    }
    return false;
}

static bool
family_has(const char *family, bool is_ipv6)
{
    return !strcmp(family, "inet") || !strcmp(family, is_ipv6 ? "ip6" : "ip");
}

/* Returns why connections are tracked in this network namespace: because of a
 * rule that asks for it, or NAT.  The caller must free the result, which is
 * NULL if they are not. */
static char *
find_tracker(const struct json *rules, bool is_ipv6)
{
    for (size_t i = 0; i < array_size(rules); i++) {
        const struct json *rule = get(json_array_at(rules, i), "rule");
        const struct json *chain = get(json_array_at(rules, i), "chain");

        if (rule && family_has(get_string(rule, "family"), is_ipv6)
            && tracks(rule)) {
            return xasprintf("rule %lld of chain %s %s %s",
                             get_integer(rule, "handle", 0),
                             get_string(rule, "family"),
                             get_string(rule, "table"),
                             get_string(rule, "chain"));
        } else if (chain && family_has(get_string(chain, "family"), is_ipv6)
                   && !strcmp(get_string(chain, "type"), "nat")) {
            return xasprintf("NAT in chain %s %s %s",
                             get_string(chain, "family"),
                             get_string(chain, "table"),
                             get_string(chain, "name"));
        }
    }
    return NULL;
}

static bool
has_nat(const struct json *rules, bool is_ipv6)
{
    for (size_t i = 0; i < array_size(rules); i++) {
        const struct json *chain = get(json_array_at(rules, i), "chain");

        if (chain && family_has(get_string(chain, "family"), is_ipv6)
            && !strcmp(get_string(chain, "type"), "nat")) {
            return true;
        }
    }
    return false;
}

/* A base chain. */
struct base {
    const struct json *chain;
    long long int prio;
};

static int
compare_bases(const void *a_, const void *b_)
{
    const struct base *a = a_;
    const struct base *b = b_;

    return a->prio < b->prio ? -1 : a->prio > b->prio;
}

static void
track(struct walk *walk)
{
    if (walk->tracking == NOT_YET) {
        walk->tracking = walk->untrack ? MAYBE_TRACKED : TRACKED;
    }
}

/* Sends the packet through the chains of 'hook' in order, until it is dropped
 * for sure.  'may_track' says if connections are tracked among them. */
static void
walk_hook(struct walk *walk, const char *hook, bool may_track)
{
    struct base *bases;
    size_t n = 0;

    walk->at_nic = !strcmp(hook, "ingress") || !strcmp(hook, "egress");
    bases = xmalloc(array_size(walk->rules) * sizeof *bases);
    for (size_t i = 0; i < array_size(walk->rules); i++) {
        const struct json *chain = get(json_array_at(walk->rules, i),
                                       "chain");
        const struct json *dev = get(chain, "dev");

        if (!chain || strcmp(get_string(chain, "hook"), hook)
            || (strcmp(get_string(chain, "family"), "netdev")
                ? !family_has(get_string(chain, "family"),
                              walk->packet->is_ipv6)
                : !walk->at_nic)
            || (walk->at_nic && dev
                && match_string(walk->packet->dev, dev) == NO)) {
            continue;
        }
        bases[n].chain = chain;
        bases[n++].prio = get_integer(chain, "prio", 0);
    }
    qsort(bases, n, sizeof *bases, compare_bases);

    for (size_t i = 0; i < n && !walk->drop; i++) {
        if (may_track && bases[i].prio > PRIO_CONNTRACK) {
            track(walk);
            may_track = false;
        }
        walk_base(walk, bases[i].chain);
    }
    if (may_track && !walk->drop) {
        track(walk);
    }
    free(bases);
}

/* Judges what the rules in 'ruleset', from offload_nft_read(), do with
 * 'packet' at 'hooks', which ends with NULL.  Stores the result in '*fate',
 * which the caller must pass to offload_fate_destroy(). */
void
offload_nft_judge(const struct json *ruleset,
                  const struct offload_packet *packet, const char *hooks[],
                  struct offload_fate *fate)
{
    struct walk walk = {
        .rules = get(ruleset, "nftables"),
        .packet = packet,
        .nat = has_nat(get(ruleset, "nftables"), packet->is_ipv6),
    };
    char *tracker = find_tracker(walk.rules, packet->is_ipv6);

    memset(fate, 0, sizeof *fate);
    for (size_t i = 0; hooks[i] && !walk.drop; i++) {
        bool first = (!strcmp(hooks[i], "prerouting")
                      || !strcmp(hooks[i], "output"));

        walk.outgoing = (strcmp(hooks[i], "ingress")
                         && strcmp(hooks[i], "prerouting")
                         && strcmp(hooks[i], "input"));
        if (first && packet->untracked) {
            walk.tracking = UNTRACKED;
        }
        walk_hook(&walk, hooks[i], first && tracker);
    }
    fate->drop = walk.drop;
    fate->drop_mend = walk.drop_mend;
    fate->maybe = walk.maybe;
    if (walk.tracking >= MAYBE_TRACKED) {
        fate->track = tracker;
        fate->untrack = walk.untrack;
    } else {
        free(tracker);
        free(walk.untrack);
    }
}

void
offload_fate_destroy(struct offload_fate *fate)
{
    free(fate->drop);
    free(fate->drop_mend);
    free(fate->maybe);
    free(fate->track);
    free(fate->untrack);
}

/* What there is of a chain of table "ovs_offload". */
enum own_chain {
    OWN_CHAIN_NONE,             /* No such chain. */
    OWN_CHAIN_EMPTY,            /* Nothing in it says "notrack". */
    OWN_CHAIN_ON,
};

/* Returns true if 'object', a chain or a rule, is of table "ovs_offload" and
 * its member 'member' is 'name'. */
static bool
is_own(const struct json *object, const char *member, const char *name)
{
    return (object && !strcmp(get_string(object, "family"), "inet")
            && !strcmp(get_string(object, "table"), "ovs_offload")
            && !strcmp(get_string(object, member), name));
}

/* Returns what 'ruleset' has of chain 'name' of table "ovs_offload". */
static enum own_chain
get_own_chain(const struct json *ruleset, const char *name)
{
    const struct json *rules = get(ruleset, "nftables");
    enum own_chain result = OWN_CHAIN_NONE;

    for (size_t i = 0; i < array_size(rules); i++) {
        const struct json *element = json_array_at(rules, i);
        const struct json *rule = get(element, "rule");

        if (is_own(rule, "chain", name) && mentions(rule, "notrack")) {
            return OWN_CHAIN_ON;
        } else if (is_own(get(element, "chain"), "name", name)) {
            result = OWN_CHAIN_EMPTY;
        }
    }
    return result;
}

/* Returns what of the chains for TCP port 'dst_port' table "ovs_offload" in
 * 'ruleset' has: "on" for both and their rules, "" for neither chain, and
 * otherwise a text that says what is missing.  The caller must free it. */
char *
offload_nft_get_port(const struct json *ruleset, uint16_t dst_port)
{
    static const char *const hooks[] = { "prerouting", "output" };
    char *missing = NULL;
    size_t n_chains = 0;

    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        char *name = xasprintf("%s_%"PRIu16, hooks[i], dst_port);
        enum own_chain chain = get_own_chain(ruleset, name);

        n_chains += chain != OWN_CHAIN_NONE;
        if (chain != OWN_CHAIN_ON && !missing) {
            missing = xasprintf(chain == OWN_CHAIN_NONE
                                ? "on, but chain %s is missing"
                                : "on, but the rule of chain %s is missing",
                                name);
        }
        free(name);
    }
    if (!n_chains) {
        free(missing);
        return xstrdup("");
    }
    return missing ? missing : xstrdup("on");
}

/* Returns true if table "ovs_offload" in 'ruleset' exists without chains. */
bool
offload_nft_is_empty(const struct json *ruleset)
{
    const struct json *rules = get(ruleset, "nftables");
    bool exists = false;

    for (size_t i = 0; i < array_size(rules); i++) {
        const struct json *table = get(json_array_at(rules, i), "table");
        const struct json *chain = get(json_array_at(rules, i), "chain");

        if (chain && !strcmp(get_string(chain, "table"), "ovs_offload")) {
            return false;
        }
        exists |= (table
                   && !strcmp(get_string(table, "family"), "inet")
                   && !strcmp(get_string(table, "name"), "ovs_offload"));
    }
    return exists;
}

/* Returns the number of rules that were made by iptables(8) in a way that
 * nft(8) can't express. */
size_t
offload_nft_count_unreadable(const struct json *ruleset)
{
    const struct json *rules = get(ruleset, "nftables");
    size_t n = 0;

    for (size_t i = 0; i < array_size(rules); i++) {
        const struct json *rule = get(json_array_at(rules, i), "rule");

        n += rule && mentions(rule, "xt");
    }
    return n;
}
