/*
 * SPDX-License-Identifier: Apache-2.0
 * Copyright (c) 2026 The Open vSwitch STT authors.
 */

#include <config.h>

#include "stt-rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "../datapath/if_stt.h"
#include "netdev.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Adds to 'request', inside IFLA_INFO_DATA, the attributes of a device for
 * ports with 'tnl_cfg'. */
void
stt_rtnl_put(struct ofpbuf *request,
             const struct netdev_tunnel_config *tnl_cfg)
{
    nl_msg_put_flag(request, IFLA_STT_COLLECT_METADATA);
    nl_msg_put_be16(request, IFLA_STT_PORT, tnl_cfg->dst_port);
}

/* Checks that 'reply', the answer to RTM_GETLINK, describes a device that
 * stt_rtnl_put() would make for 'tnl_cfg'.  Returns 0 if so, otherwise
 * EINVAL. */
int
stt_rtnl_verify(const struct netdev_tunnel_config *tnl_cfg,
                struct ofpbuf *reply)
{
    static const struct nl_policy link_policy[] = {
        [IFLA_LINKINFO] = { .type = NL_A_NESTED },
    };
    static const struct nl_policy info_policy[] = {
        [IFLA_INFO_KIND] = { .type = NL_A_STRING },
        [IFLA_INFO_DATA] = { .type = NL_A_NESTED },
    };
    static const struct nl_policy stt_policy[] = {
        [IFLA_STT_PORT] = { .type = NL_A_BE16 },
        [IFLA_STT_COLLECT_METADATA] = { .type = NL_A_FLAG, .optional = true },
    };
    struct nlattr *link[ARRAY_SIZE(link_policy)];
    struct nlattr *info[ARRAY_SIZE(info_policy)];
    struct nlattr *stt[ARRAY_SIZE(stt_policy)];

    return (nl_policy_parse(reply, NLMSG_HDRLEN + sizeof(struct ifinfomsg),
                            link_policy, link, ARRAY_SIZE(link_policy))
            && nl_parse_nested(link[IFLA_LINKINFO], info_policy, info,
                               ARRAY_SIZE(info_policy))
            && !strcmp(nl_attr_get_string(info[IFLA_INFO_KIND]), "stt")
            && nl_parse_nested(info[IFLA_INFO_DATA], stt_policy, stt,
                               ARRAY_SIZE(stt_policy))
            && nl_attr_get_flag(stt[IFLA_STT_COLLECT_METADATA])
            && nl_attr_get_be16(stt[IFLA_STT_PORT]) == tnl_cfg->dst_port
            ? 0 : EINVAL);
}
