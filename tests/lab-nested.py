#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
"""Judges a capture of tunnels in tunnels with Wireshark's help.

lab-nested.py CAPTURE MTU [KIND MTU]...

Each KIND is a tunnel (stt, vxlan, geneve or gre), the outermost one first.
The first MTU is that of the underlay, and each of the others that of what is
inside the KIND before it.  The capture must be what a wire carries: packets
that are segmented and have their checksums.

What is in the tunnels is taken out by this program, which puts the segments of
STT together.  What Wireshark judges, on every level, is plain packets:

  - each checksum of IPv4, TCP, UDP, ICMP and ICMPv6 must be there and right;
  - the length of IP must be that of the frame, and the length of UDP that of
    the IP packet;
  - nothing may be longer than the MTU;
  - there may be nothing that Wireshark's expert system warns of;
  - tunnels must not be fragmented, and a host's own TCP/IP stack must not
    answer STT: neither by RST nor by an error of ICMP.

STT can carry a packet whose checksum, and whose segmentation, is left to the
receiver.  Such a checksum is completed here the way a network card does it, so
that it is right in the end only if it was right before, and such a packet may
be long, but its segments must not.

Prints a line for each level and one per complaint, and exits with status 1 if
there is a complaint, or a level without packets of tunnels, or, on the last
one, without TCP and UDP.
"""

import collections
import importlib.util
import os
import struct
import sys
import tempfile

ETHERNET = 0x6558
PORTS = {"vxlan": 4789, "geneve": 6081}
STT_PORT = 7471
UDP, TCP, GRE = 17, 6, 47
# Flags of STT.
PARTIAL, IPV4, IS_TCP = 0x02, 0x04, 0x08
STATUS_GOOD = "1"
CHECKSUMS = ("ip", "tcp", "udp", "icmp", "icmpv6")


def load_judge():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "lab-judge.py")
    spec = importlib.util.spec_from_file_location("lab_judge", path)
    module = importlib.util.module_from_spec(spec)
    # Nothing is left behind in a directory of sources.
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


lab_judge = load_judge()

# 'segsz' is nonzero if the packet is to be cut into segments of so many bytes
# of payload, which begins at 'payload'.
Packet = collections.namedtuple("Packet", "data segsz payload",
                                defaults=(0, 0))


class Level:
    def __init__(self, number, mtu):
        self.number = number
        self.mtu = mtu
        self.figures = collections.Counter()

    def complain(self, what):
        self.figures["complaints"] += 1
        print("level %d: %s" % (self.number, what))


def read_pcap(name):
    with open(name, "rb") as f:
        data = f.read()
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        sys.exit("lab-nested.py: %s: not a capture" % name)
    packets = []
    at = 24
    while at + 16 <= len(data):
        captured, length = struct.unpack("<II", data[at + 8:at + 16])
        if captured != length:
            sys.exit("lab-nested.py: %s: a packet was cut" % name)
        packets.append(Packet(data[at + 16:at + 16 + length]))
        at += 16 + length
    return packets


def write_pcap(file, packets):
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18, 1))
    for p in packets:
        file.write(struct.pack("<IIII", 0, 0, len(p.data), len(p.data))
                   + p.data)
    file.flush()


def judge(level, packets, last):
    """Has Wireshark look at 'packets', of which it gets to see no tunnels."""
    options = ["--disable-heuristic", "stt_ip", "-o", "ip.defragment:TRUE",
               "-o", "ipv6.defragment:TRUE", "--disable-protocol", "gre",
               "-d", "tcp.port==%d,data" % STT_PORT]
    for port in PORTS.values():
        options += ["-d", "udp.port==%d,data" % port]
    names = ["frame.number", "ip.len", "ip.hdr_len", "ip.flags.mf",
             "ip.frag_offset", "ipv6.plen", "ipv6.fraghdr.offset",
             "udp.length", "tcp.srcport", "tcp.dstport", "_ws.expert.severity",
             "_ws.expert.message"]
    names += ["%s.checksum.status" % c for c in CHECKSUMS]
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        write_pcap(f, packets)
        rows = lab_judge.tshark(f.name, names, *options)
    if len(rows) != len(packets):
        sys.exit("lab-nested.py: tshark read %d of %d packets"
                 % (len(rows), len(packets)))
    for row, packet in zip(rows, packets):
        judge_packet(level, row, packet, last)


def judge_packet(level, row, packet, last):
    def complain(what):
        level.complain("packet %s: %s" % (row.frame_number, what))

    level.figures["packets"] += 1
    if ";" in row.ip_len + row.ipv6_plen:
        # An error of ICMP with the packet that it is about.  Linux does not
        # know that Open vSwitch takes care of GRE and UDP.
        if row.tcp_dstport == str(STT_PORT):
            complain("ICMP error about STT")
        return
    for c in CHECKSUMS:
        status = getattr(row, c + "_checksum_status")
        if status:
            level.figures[c] += 1
            if status != STATUS_GOOD:
                complain("checksum of %s: status %s" % (c, status))
    for severity, message in zip(row.ws_expert_severity.split(";"),
                                 row.ws_expert_message.split(";")):
        if (severity and int(severity) >= lab_judge.WARNING
                and message not in lab_judge.GUESTS):
            complain(message)

    if row.tcp_srcport == str(STT_PORT):
        complain("TCP from the STT port")
    if row.ip_len:
        length, header = int(row.ip_len), int(row.ip_hdr_len)
        fragment = (row.ip_flags_mf in ("1", "True")
                    or row.ip_frag_offset != "0")
    elif row.ipv6_plen:
        length, header = int(row.ipv6_plen) + 40, 40
        fragment = bool(row.ipv6_fraghdr_offset)
    else:
        return
    if len(packet.data) != 14 + length:
        complain("IP packet of %d bytes in a frame of %d"
                 % (length, len(packet.data)))
    if (row.udp_length and not fragment
            and int(row.udp_length) != length - header):
        complain("UDP of %s bytes in an IP packet of %d"
                 % (row.udp_length, length))
    if fragment and not last:
        complain("a fragment")
    if packet.segsz:
        length = packet.payload - 14 + packet.segsz
        level.figures["segsz"] += 1
    level.figures["longest"] = max(level.figures["longest"], length)
    if level.mtu and length > level.mtu:
        complain("IP packet of %d bytes" % length)


def ip(data):
    """Returns the addresses, the protocol and the payload of a frame, or None
    if it is no IP packet."""
    if data[12:14] == b"\x08\x00":
        length, = struct.unpack("!H", data[16:18])
        header = (data[14] & 15) * 4
        return data[26:34], data[23], data[14 + header:14 + length]
    if data[12:14] == b"\x86\xdd":
        length, = struct.unpack("!H", data[18:20])
        return data[22:54], data[20], data[54:54 + length]
    return None


def complete(level, frame, flags, l4_offset):
    """Returns 'frame' with the checksum that its sender left to others."""
    l3 = 14
    while frame[l3 - 2:l3] in (b"\x81\x00", b"\x88\xa8"):
        l3 += 4
    if flags & IPV4:
        end = l3 + struct.unpack("!H", frame[l3 + 2:l3 + 4])[0]
        proto = frame[l3 + 9]
    else:
        end = l3 + 40 + struct.unpack("!H", frame[l3 + 4:l3 + 6])[0]
        proto = frame[l3 + 6]
    if proto != (TCP if flags & IS_TCP else UDP):
        level.complain("STT flags %#x for protocol %d" % (flags, proto))
    at = l4_offset + (16 if flags & IS_TCP else 6)
    data = frame[l4_offset:end]
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    checksum = total ^ 0xffff or (0 if flags & IS_TCP else 0xffff)
    return frame[:at] + struct.pack("!H", checksum) + frame[at + 2:]


def stt_frame(level, data):
    """Returns what is in a whole frame of STT."""
    version, flags, l4_offset, reserved, segsz, tci, _, padding = \
        struct.unpack("!BBBBHHQH", data[:18])
    if version or reserved or padding or tci:
        level.complain("STT header %s" % data[:18].hex())
    frame = data[18:]
    payload = 0
    if flags & PARTIAL:
        level.figures["partial"] += 1
        frame = complete(level, frame, flags, l4_offset)
    if segsz:
        if not flags & PARTIAL or not flags & IS_TCP:
            level.complain("STT flags %#x with a segment size" % flags)
        payload = l4_offset + (frame[l4_offset + 12] >> 4) * 4
        if len(frame) - payload <= segsz:
            segsz = 0
    return Packet(frame, segsz, payload)


def peel(level, kind, packets):
    """Returns what is in those 'packets' that are tunnels of 'kind'."""
    inner = []
    waiting = collections.defaultdict(dict)
    for packet in packets:
        header = ip(packet.data)
        if not header:
            continue
        addresses, proto, data = header
        if kind == "stt":
            if proto != TCP or struct.unpack("!H", data[2:4])[0] != STT_PORT:
                continue
            total, offset, frame = struct.unpack("!HHI", data[4:12])
            key = addresses, data[:2], frame
            segments = waiting[key]
            if offset in segments:
                level.complain("a segment came twice")
            segments[offset] = data[20:]
            if sum(map(len, segments.values())) < total:
                continue
            del waiting[key]
            whole = b"".join(segments[o] for o in sorted(segments))
            ends = [o + len(segments[o]) for o in sorted(segments)]
            if ([0] + ends)[:-1] != sorted(segments) or ends[-1] != total:
                level.complain("a hole in a frame of STT")
            inner.append(stt_frame(level, whole))
        elif kind == "gre":
            if proto != GRE:
                continue
            flags, ethertype = struct.unpack("!HH", data[:4])
            # A checksum and a key make it longer.
            length = 4 + 4 * bool(flags & 0x8000) + 4 * bool(flags & 0x2000)
            if flags & ~0xa000 or ethertype != ETHERNET:
                level.complain("GRE header %s" % data[:4].hex())
            inner.append(Packet(data[length:]))
        else:
            if (proto != UDP
                    or struct.unpack("!H", data[2:4])[0] != PORTS[kind]):
                continue
            if kind == "geneve" and struct.unpack("!HH",
                                                  data[8:12]) != (0, ETHERNET):
                level.complain("Geneve header %s" % data[8:16].hex())
            if kind == "vxlan" and data[8:12] != b"\x08\0\0\0":
                level.complain("VXLAN header %s" % data[8:16].hex())
            inner.append(Packet(data[16:]))
    if waiting:
        level.complain("%d frames of STT have no end" % len(waiting))
    if not inner:
        level.complain("no %s" % kind)
    return inner


def main(argv):
    if len(argv) < 3 or len(argv) % 2 == 0:
        sys.exit(__doc__)
    packets = read_pcap(argv[1])
    mtus = [int(n) for n in argv[2::2]]
    kinds = argv[3::2]
    complaints = 0
    for number, mtu in enumerate(mtus):
        level = Level(number, mtu)
        last = number == len(kinds)
        judge(level, packets, last)
        if not last:
            packets = peel(level, kinds[number], packets)
        elif not level.figures["tcp"] or not level.figures["udp"]:
            level.complain("no TCP, or no UDP")
        complaints += level.figures["complaints"]
        print("level %d: %d packets, longest %d bytes, %d TCP, %d UDP, "
              "%d to be segmented, %d left to the receiver by STT; "
              "%d complaints"
              % (number, *(level.figures[f] for f in
                           ("packets", "longest", "tcp", "udp", "segsz",
                            "partial", "complaints"))))
    return complaints > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
