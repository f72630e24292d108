#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
"""Sends and captures packets as they are, with their offloads.

wire.py send INTERFACE < HEX
    Sends the Ethernet frames in HEX, one per line in hexadecimal digits, as
    soon as they come.  A line may begin with offloads, as "capture" prints
    them.  Or it is "stt FIELD=VALUE... INNER", for the frames that
    "stt-wire.py encode" makes of these arguments.

wire.py capture INTERFACE COUNT [SECONDS] > HEX
    Prints the next COUNT frames that INTERFACE receives (not those it sends,
    unless INTERFACE is preceded by "+") as soon as they come, but no more
    after SECONDS (10).  Prints "ready" on stderr first.  Broadcast and IPv6
    multicast frames, which hosts send by themselves, don't count.

wire.py pcap FILE > HEX
    Prints the frames in FILE.

wire.py queue NUMBER [gso]
    Accepts all packets that netfilter hands to queue NUMBER, with "gso" those
    that wait for segmentation in one piece.  Prints "ready" on stderr first.

Offloads are "csum=START+OFFSET" for a checksum that is yet to be computed, and
"tso4=MSS" or "tso6=MSS", in this order, separated by spaces.  "vlan=TCI", first,
is a tag beside the frame that was captured, with its TCI in hexadecimal digits.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_VNET_HDR = 15
VLAN_VALID = 0x10
PACKET_OUTGOING = 4
NEEDS_CSUM = 1
NETLINK_NETFILTER = 12
NLM_F_REQUEST = 1
NLM_F_ACK = 4
NLMSG_ERROR = 2
NFQNL_MSG_PACKET = 0x300
NFQNL_MSG_VERDICT = 0x301
NFQNL_MSG_CONFIG = 0x302
NFQA_CFG_CMD = 1
NFQA_CFG_PARAMS = 2
NFQA_CFG_MASK = 4
NFQA_CFG_FLAGS = 5
NFQNL_CFG_CMD_BIND = 1
NFQNL_COPY_META = 1
NFQA_CFG_F_GSO = 1 << 2
NFQA_PACKET_HDR = 1
NFQA_VERDICT_HDR = 2
NF_ACCEPT = 1
GSO = {"tso4": 1, "tso6": 4}
GSO_NAMES = {number: name for name, number in GSO.items()}


def open_raw(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind((interface, 0))
    return sock


def load_encoder():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../stt-wire.py")
    loader = importlib.machinery.SourceFileLoader("stt_wire", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("stt_wire", loader))
    loader.exec_module(module)
    return module.encode


def lines_to_send(encode):
    for line in sys.stdin:
        if not line.startswith("stt "):
            yield line
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            encode(line.split()[1:])
        yield from output.getvalue().splitlines()


def send(interface):
    sock = open_raw(interface)
    for line in lines_to_send(load_encoder()):
        flags = gso_type = mss = start = offset = hdr_len = 0
        words = line.split()
        if not words:
            continue
        for word in words[:-1]:
            name, value = word.split("=")
            if name == "csum":
                flags = NEEDS_CSUM
                start, offset = map(int, value.split("+"))
            else:
                gso_type, mss = GSO[name], int(value)
                hdr_len = start + 20
        frame = bytes.fromhex(words[-1])
        sock.send(struct.pack("<BBHHHH", flags, gso_type, hdr_len, mss, start,
                              offset) + frame)


def capture(interface, count, seconds):
    outgoing = interface.startswith("+")
    sock = open_raw(interface.lstrip("+"))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    print("ready", file=sys.stderr, flush=True)
    end = time.monotonic() + seconds
    while count:
        sock.settimeout(max(end - time.monotonic(), 0.001))
        try:
            data, ancillary, _, address = sock.recvmsg(70000, 256)
        except socket.timeout:
            return
        frame = data[10:]
        if ((address[2] == PACKET_OUTGOING) != outgoing
                or frame[:2] == b"\x33\x33" or frame[:6] == b"\xff" * 6):
            continue
        flags, gso_type, _, mss, start, offset = struct.unpack("<BBHHHH",
                                                               data[:10])
        words = []
        for _, _, auxdata in ancillary:
            status, tci = struct.unpack("I12xH2x", auxdata)
            if status & VLAN_VALID:
                words.append("vlan=%04x" % tci)
        if flags & NEEDS_CSUM:
            words.append("csum=%d+%d" % (start, offset))
        if gso_type & 0x7f:
            words.append("%s=%d" % (GSO_NAMES[gso_type & 0x7f], mss))
        print(*words, frame.hex(), flush=True)
        count -= 1


def pcap(name):
    with open(name, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") \
        else ">"
    ofs = 24
    while ofs < len(data):
        length = struct.unpack_from(order + "I", data, ofs + 8)[0]
        print(data[ofs + 16:ofs + 16 + length].hex())
        ofs += 16 + length


def queue(number, gso):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                         NETLINK_NETFILTER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)

    def attribute(kind, value):
        return (struct.pack("=HH", 4 + len(value), kind) + value
                + b"\0" * (-len(value) % 4))

    def request(kind, flags, attributes):
        body = struct.pack("!BBH", socket.AF_UNSPEC, 0, number) + attributes
        sock.send(struct.pack("=IHHII", 16 + len(body), kind,
                              NLM_F_REQUEST | flags, 0, 0) + body)

    def configure(attributes):
        request(NFQNL_MSG_CONFIG, NLM_F_ACK, attributes)
        reply = sock.recv(65536)
        kind, error = struct.unpack_from("=4xH10xi", reply)
        if kind != NLMSG_ERROR or error:
            sys.exit("queue: %s" % os.strerror(-error))

    configure(attribute(NFQA_CFG_CMD,
                        struct.pack("!BBH", NFQNL_CFG_CMD_BIND, 0, 0)))
    flags = NFQA_CFG_F_GSO if gso else 0
    configure(attribute(NFQA_CFG_PARAMS,
                        struct.pack("!IB", 0, NFQNL_COPY_META))
              + attribute(NFQA_CFG_FLAGS, struct.pack("!I", flags))
              + attribute(NFQA_CFG_MASK, struct.pack("!I", NFQA_CFG_F_GSO)))
    print("ready", file=sys.stderr, flush=True)
    while True:
        data = sock.recv(65536)
        if struct.unpack_from("=4xH", data)[0] != NFQNL_MSG_PACKET:
            continue
        ofs = 20
        while ofs < len(data):
            length, kind = struct.unpack_from("=HH", data, ofs)
            if kind == NFQA_PACKET_HDR:
                packet_id = data[ofs + 4:ofs + 8]
            ofs += length + -length % 4
        request(NFQNL_MSG_VERDICT, 0,
                attribute(NFQA_VERDICT_HDR,
                          struct.pack("!I", NF_ACCEPT) + packet_id))


def main():
    command, args = sys.argv[1], sys.argv[2:]
    if command == "send":
        send(*args)
    elif command == "capture":
        capture(args[0], int(args[1]),
                float(args[2]) if len(args) > 2 else 10)
    elif command == "pcap":
        pcap(*args)
    elif command == "queue":
        queue(int(args[0]), "gso" in args[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
