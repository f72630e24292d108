#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
"""Asks the kernel for a link of type stt, with whatever attributes.

newlink.py NAME [ATTRIBUTE=HEX...]
    Makes link NAME with these attributes of datapath/if_stt.h, each the part of
    its name after "IFLA_STT_" and its payload in hexadecimal digits.  "address"
    is IFLA_ADDRESS, which is the link's own.  Without any ATTRIBUTE but that,
    there is no IFLA_INFO_DATA.

ip(8) would refuse much of it by itself.  If the kernel does, its text is printed
with the exit status 1, or the number of the error with 2 if there is no text.
"""

import os
import re
import socket
import struct
import sys

RTM_NEWLINK = 16
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 1, 4, 0x200, 0x400
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSGERR_ATTR_MSG = 1
SOL_NETLINK = 270
NETLINK_CAP_ACK, NETLINK_EXT_ACK = 10, 11
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO = 1, 3, 18
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2


def attribute(kind, payload):
    data = struct.pack("=HH", 4 + len(payload), kind) + payload
    return data + bytes(-len(data) % 4)


def numbers():
    """Returns the numbers of the attributes by their names."""
    path = os.path.join(os.path.dirname(sys.argv[0]),
                        "../../datapath/if_stt.h")
    with open(path, encoding="ascii") as f:
        names = re.findall(r"^\tIFLA_STT_(\w+),", f.read(), re.MULTILINE)
    return {name: number for number, name in enumerate(names)}


def request(name, arguments):
    number, info, own = numbers(), b"", b""
    for argument in arguments:
        key, value = argument.split("=")
        if key == "address":
            own = attribute(IFLA_ADDRESS, bytes.fromhex(value))
        else:
            info += attribute(number[key], bytes.fromhex(value))
    link = attribute(IFLA_INFO_KIND, b"stt\0")
    if info:
        link += attribute(IFLA_INFO_DATA, info)
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
    body += own + attribute(IFLA_IFNAME, name.encode() + b"\0")
    body += attribute(IFLA_LINKINFO, link)
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE
    return struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK, flags, 1, 0) \
        + body


def text(data):
    """Returns the text in an acknowledgment, or an empty one."""
    _, _, flags, _, _ = struct.unpack_from("=IHHII", data)
    if not flags & NLM_F_ACK_TLVS:
        return ""
    at = 16 + 4 + 16
    if not flags & NLM_F_CAPPED:
        at = 16 + 4 + struct.unpack_from("=I", data, 20)[0]
    while at < len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if kind == NLMSGERR_ATTR_MSG:
            return data[at + 4:at + length].rstrip(b"\0").decode()
        at += length + -length % 4
    return ""


def main(argv):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
    sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
    sock.send(request(argv[1], argv[2:]))
    data = sock.recv(65536)
    _, kind, _, _, _, error = struct.unpack_from("=IHHIIi", data)
    if kind != NLMSG_ERROR:
        sys.exit("newlink: not an acknowledgment")
    if not error:
        return 0
    message = text(data)
    print(message or "error %d, without a text" % -error)
    return 1 if message else 2


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv))
