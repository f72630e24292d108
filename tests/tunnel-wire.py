#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""Reads and writes packets of several kinds of tunnels for the tests.

usage: tunnel-wire.py decode < HEX > TEXT
       tunnel-wire.py encode KIND [FIELD=VALUE]... INNER > HEX

HEX is one Ethernet frame per line in hexadecimal digits, as ovs-pcap prints
them and netdev-dummy/receive takes them.  KIND is stt, vxlan, geneve or gre, as
Open vSwitch calls them.  "decode" knows erspan as well, of version 1 and 2.

"decode" prints a line for each packet: KIND, addresses, TOS, TTL, key and inner
Ethernet frame.  It says so if a checksum is wrong, if a header has anything that
a tunnel between Ethernet ports doesn't need, or if a packet is none of these
kinds.  VLAN tags of the underlay follow KIND.  A frame of STT must be in a
single segment.

"encode" prints the packet with the inner Ethernet frame INNER.  The names of
the fields are those of DEFAULTS below, and for STT those of stt-wire.py.
"""

import importlib.util
import ipaddress
import os
import struct
import sys

DEFAULTS = {
    "eth_src": "020000000002",
    "eth_dst": "020000000001",
    "tags": "",                 # VLAN tags of the underlay, in hex.
    "src": "192.0.2.2",
    "dst": "192.0.2.1",
    "tos": "0",
    "ttl": "64",
    "sport": "40001",
    "key": "0",
}
ETHERNET = 0x6558               # As a protocol of Geneve and GRE.
ERSPAN = {0x88be: 1, 0x22eb: 2}     # Versions by protocol of GRE.
PORTS = {"vxlan": 4789, "geneve": 6081}
STT_PORT = 7471
UDP, TCP, GRE = 17, 6, 47


def load_stt_wire():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "stt-wire.py")
    spec = importlib.util.spec_from_file_location("stt_wire", path)
    module = importlib.util.module_from_spec(spec)
    # Nothing is left behind in a directory of sources.
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


stt_wire = load_stt_wire()


def pseudo(src, dst, length, proto):
    return src + dst + struct.pack("!II", length, proto)


def encode(kind, args):
    if kind == "stt":
        return stt_wire.encode(args)
    if kind not in ("vxlan", "geneve", "gre"):
        sys.exit("tunnel-wire.py: no kind \"%s\"" % kind)

    f = dict(DEFAULTS)
    for arg in args[:-1]:
        name, value = arg.split("=", 1)
        if name not in f:
            sys.exit("tunnel-wire.py: no field \"%s\"" % name)
        f[name] = value
    src = ipaddress.ip_address(f["src"]).packed
    dst = ipaddress.ip_address(f["dst"]).packed
    key = int(f["key"], 0)
    payload = bytes.fromhex(args[-1])
    if kind == "vxlan":
        payload = struct.pack("!II", 0x08000000, key << 8) + payload
    elif kind == "geneve":
        payload = struct.pack("!HHI", 0, ETHERNET, key << 8) + payload
    else:
        payload = struct.pack("!HHI", 0x2000, ETHERNET, key) + payload
    if kind in PORTS:
        proto = UDP
        payload = struct.pack("!HHHH", int(f["sport"]), PORTS[kind],
                              8 + len(payload), 0) + payload
        checksum = stt_wire.csum(pseudo(src, dst, len(payload), UDP)
                                 + payload)
        payload = (payload[:6] + struct.pack("!H", checksum or 0xffff)
                   + payload[8:])
    else:
        proto = GRE

    tos, ttl = int(f["tos"], 0), int(f["ttl"])
    if len(src) == 4:
        eth_type = "0800"
        ip = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload), 0, 0x4000,
                         ttl, proto, 0) + src + dst
        ip = ip[:10] + struct.pack("!H", stt_wire.csum(ip)) + ip[12:]
    else:
        eth_type = "86dd"
        ip = struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), proto,
                         ttl) + src + dst
    print(f["eth_dst"] + f["eth_src"] + f["tags"] + eth_type
          + (ip + payload).hex())


def decode_udp(src, dst, payload):
    """Returns what carries what is in 'payload', key and inner frame."""
    _, port, length, checksum = struct.unpack("!4H", payload[:8])
    text = ""
    if length != len(payload):
        text += " BAD-LENGTH"
    if checksum and stt_wire.csum(pseudo(src, dst, len(payload), UDP)
                                  + payload):
        text += " BAD-CHECKSUM"
    elif not checksum and len(src) == 16:
        text += " NO-CHECKSUM"
    data = payload[8:]
    if port == PORTS["vxlan"]:
        flags, key = struct.unpack("!II", data[:8])
        if flags != 0x08000000 or key & 0xff:
            text += " UNUSUAL-HEADER"
        return "vxlan" + text, key >> 8, data[8:]
    if port == PORTS["geneve"]:
        flags, proto, key = struct.unpack("!HHI", data[:8])
        if flags or proto != ETHERNET or key & 0xff:
            text += " UNUSUAL-HEADER"
        return "geneve" + text, key >> 8, data[8:]
    return "UDP-%d" % port, 0, data


def decode_erspan(payload):
    """Returns the same, of which the session ID is the key."""
    flags, proto, _, session, data = struct.unpack("!HHIII", payload[:16])
    version = ERSPAN[proto]
    text = ""
    # Neither VLAN, nor class of service, nor truncated.
    if flags != 0x1000 or session >> 10 != version << 18:
        text += " UNUSUAL-HEADER"
    if version == 1:
        text += " index=%#x" % data
        return "erspan" + text, session & 0x3ff, payload[16:]
    # The time stamp may have any value.
    return "erspan%d" % version + text, session & 0x3ff, payload[20:]


def decode_gre(payload):
    flags, proto, key = struct.unpack("!HHI", payload[:8])
    text = "" if (flags, proto) == (0x2000, ETHERNET) else " UNUSUAL-HEADER"
    return "gre" + text, key, payload[8:]


def decode_stt(src, dst, payload):
    (_, port, length, offset, _, data_offset, flags, window, _,
     urgent) = struct.unpack("!HHHHIBBHHH", payload[:20])
    text = ""
    if port != STT_PORT:
        return "TCP-%d" % port, 0, payload[20:]
    if (data_offset, flags, window, urgent) != (0x50, 0x18, 0xffff, 0):
        text += " UNUSUAL-TCP-HEADER"
    if stt_wire.csum(pseudo(src, dst, len(payload), TCP) + payload):
        text += " BAD-CHECKSUM"
    data = payload[20:]
    if offset or length != len(data):
        text += " SEGMENTED"
    (version, stt_flags, l4_offset, reserved, mss, tci, key,
     padding) = struct.unpack("!BBBBHHQH", data[:18])
    if version or stt_flags or l4_offset or reserved or mss or padding:
        text += " UNUSUAL-HEADER"
    if tci:
        text += " tci=%#x" % tci
    return "stt" + text, key, data[18:]


def decode(packet):
    tags = ""
    while packet[12:14] == b"\x81\x00":
        tags += " vlan=%d" % (struct.unpack("!H", packet[14:16])[0] & 0xfff)
        packet = packet[:12] + packet[16:]
    src, dst = packet[26:30], packet[30:34]
    if packet[12:14] == b"\x08\x00":
        vhl, tos, length, _, _, ttl, proto = struct.unpack("!BBHHHBB",
                                                           packet[14:24])
        text = "" if vhl == 0x45 else " OPTIONS"
        if stt_wire.csum(packet[14:34]):
            text += " BAD-IP-CHECKSUM"
        payload = packet[34:14 + length]
    elif packet[12:14] == b"\x86\xdd":
        flow, length, proto, ttl = struct.unpack("!IHBB", packet[14:22])
        tos = flow >> 20 & 0xff
        text = ""
        src, dst = packet[22:38], packet[38:54]
        payload = packet[54:54 + length]
    else:
        print("NOT-IP " + packet.hex())
        return

    if proto == UDP:
        kind, key, inner = decode_udp(src, dst, payload)
    elif proto == TCP:
        kind, key, inner = decode_stt(src, dst, payload)
    elif proto == GRE and struct.unpack("!H", payload[2:4])[0] in ERSPAN:
        kind, key, inner = decode_erspan(payload)
    elif proto == GRE:
        kind, key, inner = decode_gre(payload)
    else:
        kind, key, inner = "PROTOCOL-%d" % proto, 0, payload
    print("%s%s%s %s > %s tos=%#x ttl=%d key=%#x %s"
          % (kind, tags, text, ipaddress.ip_address(src),
             ipaddress.ip_address(dst), tos, ttl, key, inner.hex()))


def main():
    if sys.argv[1:] == ["decode"]:
        for line in sys.stdin:
            decode(bytes.fromhex(line))
    elif sys.argv[1:2] == ["encode"] and len(sys.argv) > 3:
        encode(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
