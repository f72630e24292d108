#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""Reads and writes STT packets for the tests.

usage: stt-wire.py decode < HEX > TEXT
       stt-wire.py encode [FIELD=VALUE]... INNER > HEX
       stt-wire.py inner < HEX > TEXT

HEX is one Ethernet frame per line in hexadecimal digits, as ovs-pcap prints
them and netdev-dummy/receive takes them.

"decode" prints a line for each segment and, after the last one, a line for the
frame that the segments make up, with all of its bytes.  It says so if a
checksum is wrong or a field differs from what all STT packets have in common.
Packet IDs, which are random, are numbered in order of appearance, and it
complains about gaps between them.

"encode" prints the segments of the frame with the inner Ethernet frame INNER.
The names of the fields are those of DEFAULTS below.  "tos" may be a list with
a value for each segment.

"inner" prints a line for each packet, which must be TCP or UDP, without STT.  It
says so if a checksum is wrong, or that of TCP is the one of the pseudo-header.
"""

import ipaddress
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
    "dport": "7471",
    "id": "0x100",
    "tcp_flags": "0x10",        # PSH is added to the last segment.
    "mss": "1460",              # Outer.
    "version": "0",
    "flags": "0",
    "l4ofs": "0",
    "inner_mss": "0",
    "tci": "0",
    "key": "0",
    "pad": "",                  # Behind the IP packet, in hex.
    "len": "",                  # Of the frame, if not its true length.
    "cut": "",                  # Pieces to send instead, as OFFSET+SIZE,...
    "doff": "5",                # Data offset of the TCP-like header.
    "csum": "0",                # Added to the outer TCP checksum.
    "window": "0xffff",
    "urgent": "0",
    "frag": "0x4000",           # IPv4 flags and fragment offset.
    "ip_opts": "",              # IPv4 options, in hex.
    "ip6_ext": "",              # IPv6 destination options, in hex.
    "ip_len": "0",              # Added to the length in the IP header.
    "trim": "0",                # Bytes taken off the end of the IP packet.
}


def csum(data):
    """The Internet checksum of 'data'."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def pseudo(src, dst, length):
    return src + dst + struct.pack("!II", 6, length)


def encode_segment(f, tos, ip_id, length, offset, last, data):
    src = ipaddress.ip_address(f["src"]).packed
    dst = ipaddress.ip_address(f["dst"]).packed
    flags = int(f["tcp_flags"], 0) | (8 if last else 0)
    tcp = struct.pack("!HHHHIBBHHH", int(f["sport"]), int(f["dport"]), length,
                      offset, int(f["id"], 0), int(f["doff"]) << 4, flags,
                      int(f["window"], 0), 0, int(f["urgent"], 0))
    total = tcp + data
    checksum = csum(pseudo(src, dst, len(total)) + total) + int(f["csum"])
    total = total[:16] + struct.pack("!H", checksum & 0xffff) + total[18:]
    total = total[:len(total) - int(f["trim"])]
    ip_len = len(total) + int(f["ip_len"])
    if len(src) == 4:
        eth_type = "0800"
        opts = bytes.fromhex(f["ip_opts"])
        hdr_len = 20 + len(opts)
        ip = struct.pack("!BBHHHBBH", 0x40 + hdr_len // 4, tos,
                         hdr_len + ip_len, ip_id, int(f["frag"], 0),
                         int(f["ttl"]), 6, 0) + src + dst + opts
        ip = ip[:10] + struct.pack("!H", csum(ip)) + ip[12:]
    else:
        eth_type = "86dd"
        ext = bytes.fromhex(f["ip6_ext"])
        ip = struct.pack("!IHBB", 6 << 28 | tos << 20, len(ext) + ip_len,
                         60 if ext else 6, int(f["ttl"])) + src + dst + ext
    return (f["eth_dst"] + f["eth_src"] + f["tags"] + eth_type
            + (ip + total).hex() + f["pad"])


def encode(args):
    f = dict(DEFAULTS)
    for arg in args[:-1]:
        name, value = arg.split("=", 1)
        if name not in f:
            sys.exit("stt-wire.py: no field \"%s\"" % name)
        f[name] = value
    frame = struct.pack("!BBBBHHQH", *(int(f[name], 0) for name in
                                       ("version", "flags", "l4ofs")),
                        0, *(int(f[name], 0) for name in
                             ("inner_mss", "tci", "key")), 0)
    frame += bytes.fromhex(args[-1])
    mss = int(f["mss"])
    tos = [int(t, 0) for t in f["tos"].split(",")]
    length = int(f["len"] or len(frame))
    if f["cut"]:
        pieces = [[int(n) for n in piece.split("+")]
                  for piece in f["cut"].split(",")]
    else:
        pieces = [[offset, min(mss, len(frame) - offset)]
                  for offset in range(0, len(frame), mss)]
    for i, (offset, size) in enumerate(pieces):
        # Zeros are what the frame has behind its end.
        print(encode_segment(f, tos[min(i, len(tos) - 1)], i, length, offset,
                             offset + size >= length,
                             frame[offset:offset + size].ljust(size, b"\0")))


def decode_ip(packet):
    """Returns a description of the IP header of 'packet', source, destination,
    and payload."""
    if packet[0] >> 4 == 4:
        (vhl, tos, length, ip_id, frag, ttl, proto,
         _, src, dst) = struct.unpack("!BBHHHBBH4s4s", packet[:20])
        text = "id=%d%s%s%s" % (ip_id, " DF" if frag == 0x4000 else "",
                                " FRAGMENT" if frag & 0xbfff else "",
                                " OPTIONS" if vhl != 0x45 else "")
        if csum(packet[:20]):
            text += " BAD-IP-CHECKSUM"
        payload = packet[20:length]
    else:
        flow, length, proto, ttl, src, dst = struct.unpack("!IHBB16s16s",
                                                           packet[:40])
        tos = flow >> 20 & 0xff
        text = "label=%d" % (flow & 0xfffff)
        length += 40
        payload = packet[40:length]
    if proto != 6:
        text += " PROTOCOL=%d" % proto
    if length > len(packet):
        text += " TRUNCATED"
    return ("%s > %s tos=%#x ttl=%d %s"
            % (ipaddress.ip_address(src), ipaddress.ip_address(dst), tos, ttl,
               text), src, dst, payload)


def checksum_is_partial(payload, src, dst):
    """Returns true if the checksum of TCP covers the pseudo-header only."""
    return (struct.unpack("!H", payload[16:18])[0]
            == csum(pseudo(src, dst, len(payload))) ^ 0xffff)


def decode_inner(packet):
    text, src, dst, payload = decode_ip(packet[14:])
    udp = " PROTOCOL=17" in text
    text = text.replace(" PROTOCOL=17", "")
    if udp:
        sport, dport, length, checksum = struct.unpack("!4H", payload[:8])
        text += " %d > %d UDP %d" % (sport, dport, length - 8)
        good = not csum(src + dst + struct.pack("!II", 17, len(payload))
                        + payload)
    else:
        (sport, dport, seq, _, offset, flags) = struct.unpack("!HHIIBB",
                                                              payload[:14])
        text += " %d > %d seq=%#x %#x %d" % (
            sport, dport, seq, flags, len(payload) - (offset >> 4) * 4)
        good = not csum(pseudo(src, dst, len(payload)) + payload)
        if checksum_is_partial(payload, src, dst):
            text += " PARTIAL-L4-CHECKSUM"
            good = True
    print(text + ("" if good else " BAD-L4-CHECKSUM"))


class Decoder:
    def __init__(self):
        self.ids = []
        self.frames = {}

    def number(self, packet_id):
        if packet_id not in self.ids:
            if self.ids and packet_id != (self.ids[-1] + 1) % (1 << 32):
                print("JUMP OF PACKET ID")
            self.ids.append(packet_id)
        return self.ids.index(packet_id)

    def segment(self, packet):
        l3 = 14
        tags = ""
        while packet[l3 - 2:l3] in (b"\x81\x00", b"\x88\xa8"):
            tags += " tag=%s" % packet[l3 - 2:l3 + 2].hex()
            l3 += 4
        text, src, dst, payload = decode_ip(packet[l3:])
        (sport, dport, length, offset, packet_id, data_offset, flags,
         window, _, urgent) = struct.unpack("!HHHHIBBHHH", payload[:20])
        data = payload[20:]
        number = self.number(packet_id)
        text += " %d > %d frame %d len=%d %d+%d" % (sport, dport, number, length,
                                               offset, len(data))
        if flags & 8:
            text += " PSH"
        if (data_offset, flags & ~8, window, urgent) != (0x50, 0x10,
                                                         0xffff, 0):
            text += " UNUSUAL-TCP-HEADER"
        if csum(pseudo(src, dst, len(payload)) + payload):
            text += " BAD-TCP-CHECKSUM"
        print("%s > %s%s %s" % (packet[6:12].hex(), packet[:6].hex(), tags,
                                text))

        frame = self.frames.setdefault(number, {})
        frame[offset] = data
        if sum(len(d) for d in frame.values()) == length:
            self.frame(number, b"".join(frame[o] for o in sorted(frame)))

    def frame(self, number, frame):
        (version, flags, l4ofs, reserved, mss, tci, key,
         padding) = struct.unpack("!BBBBHHQH", frame[:18])
        text = "flags=%#04x l4ofs=%d mss=%d tci=%#06x key=%#x" % (
            flags, l4ofs, mss, tci, key)
        if version or reserved or padding:
            text += " UNUSUAL-STT-HEADER"
        print("frame %d: %s %s" % (number, text, frame[18:].hex()))


def main():
    if sys.argv[1:] == ["decode"]:
        decoder = Decoder()
        for line in sys.stdin:
            decoder.segment(bytes.fromhex(line))
    elif sys.argv[1:] == ["inner"]:
        for line in sys.stdin:
            decode_inner(bytes.fromhex(line))
    elif sys.argv[1:2] == ["encode"] and len(sys.argv) > 2:
        encode(sys.argv[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
