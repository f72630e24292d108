#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
"""Judges a capture of an underlay that carries STT, with Wireshark's help.

lab-judge.py [--port PORT] [--mtu MTU] [--key KEY]... [--whole] CAPTURE

    --port   the tunnels' destination port (7471)
    --mtu    no outer IP packet may be longer than this
    --key    the context IDs that may be seen (default: any)
    --whole  the capture was taken where TCP segmentation offload has not
             happened yet: outer checksums are unfinished, so they are not
             judged, and packets may be long

Prints one line of figures and one line per complaint, and exits with status 1
if there is a complaint, or nothing to judge.  It complains about

  - outer headers that are not what an STT sender writes: a TCP header other
    than 20 bytes, flags other than ACK and PSH, a window other than 65535, a
    bad TCP or IPv4 header checksum, IP fragments;
  - frames whose segments leave a hole, overlap, disagree about the frame's
    length, or have PSH anywhere but on the last;
  - what a host's own TCP/IP stack must not send: TCP from the STT port (a RST)
    and ICMP errors about STT;
  - everything that Wireshark's expert system finds worth a warning, except for
    three things that it gets wrong, see below;
  - invalid combinations of the STT header's flags, reserved bits and padding.

The STT dissector of Wireshark compares a TCP checksum with the sum that is
left over after a correct verification.  So it says of each good checksum that
it "should be 0x0000".  The outer checksums are therefore judged by the TCP
dissector in a pass of its own.  The other false alarm is the checksum of an
inner packet that STT marks as partial, which is meant to be unfinished.  And
it takes a frame whose last segment has 20 bytes or fewer for complete without
that segment, so the inside of these frames is not judged.
"""

import argparse
import collections
import subprocess
import sys

WARNING = 0x600000
# C; P with the four combinations of V (IPv4) and T (TCP); nothing.
FLAGS = (0x00, 0x01, 0x02, 0x06, 0x0a, 0x0e)
INVERTED = "Bad checksum [should be 0x0000]"
SHORT_TAIL = 20
# What guests may do without being judged.  Linux writes a checksum of zero as
# 0xffff for TCP, too, where it computes it without a NIC's help.
GUESTS = ("D-SACK Sequence", "Connection reset (RST)",
          "TCP Checksum 0xffff instead of 0x0000 (see RFC 1624)")
# lab-transfer.py uses this port, with contents that Wireshark must not guess.
DATA_PORT = 7000


Segment = collections.namedtuple("Segment", "offset length total push number")


def tshark(capture, fields, *options):
    """Returns a list with one named tuple per packet.  Each field is a string,
    with ";" between several occurrences."""
    names = [f.replace(".", "_").lstrip("_") for f in fields]
    row = collections.namedtuple("row", names)
    argv = ["tshark", "-n", "-r", capture, "-T", "fields", "-E",
            "separator=|", "-E", "aggregator=;",
            "-o", "tcp.analyze_sequence_numbers:FALSE",
            "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
            "-o", "udp.check_checksum:TRUE",
            "-o", "tcp.desegment_tcp_streams:FALSE",
            "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
            "-d", "tcp.port==%d,data" % DATA_PORT,
            "-d", "udp.port==%d,data" % DATA_PORT] + list(options)
    for f in fields:
        argv += ["-e", f]
    out = subprocess.run(argv, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if out.returncode:
        sys.exit("tshark failed: " + out.stderr[:200])
    return [row(*line.split("|")) for line in out.stdout.splitlines()]


def outer(args, figures):
    """Judges the outer headers, in which STT is not dissected.  Returns the
    frames: a dictionary of lists of segments."""
    frames = collections.defaultdict(list)
    for p in tshark(args.capture,
                    ("frame.number", "tcp.srcport", "tcp.dstport",
                     "tcp.checksum.status", "ip.checksum.status", "ip.len",
                     "ipv6.plen", "tcp.flags", "tcp.hdr_len",
                     "tcp.window_size_value", "icmp.type", "icmpv6.type",
                     "ip.flags.mf", "ip.frag_offset", "tcp.urgent_pointer",
                     "ip.src", "ipv6.src", "ip.dst", "ipv6.dst",
                     "tcp.seq_raw", "tcp.ack_raw", "tcp.len"),
                    "--disable-heuristic", "stt_ip"):
        def complain(what):
            figures["complaints"] += 1
            print("packet %s: %s" % (p.frame_number, what))

        if args.port not in (p.tcp_srcport, p.tcp_dstport):
            continue
        if p.icmp_type or p.icmpv6_type:
            complain("ICMP error about STT")
            continue
        if p.tcp_dstport != args.port:
            complain("TCP from the STT port, flags %s" % p.tcp_flags)
            continue

        figures["segments"] += 1
        flags = int(p.tcp_flags, 16)
        if flags & ~0x18 or not flags & 0x10:
            complain("TCP flags 0x%x" % flags)
        if p.tcp_hdr_len != "20":
            complain("TCP header of %s bytes" % p.tcp_hdr_len)
        if p.tcp_window_size_value != "65535":
            complain("TCP window %s" % p.tcp_window_size_value)
        if p.tcp_urgent_pointer not in ("", "0"):
            complain("TCP urgent pointer %s" % p.tcp_urgent_pointer)
        if p.ip_flags_mf in ("1", "True") or p.ip_frag_offset not in ("", "0"):
            complain("IP fragment")
        length = int(p.ip_len) if p.ip_len else int(p.ipv6_plen) + 40
        figures["longest"] = max(figures["longest"], length)
        if args.mtu and length > args.mtu:
            complain("IP packet of %d bytes" % length)
        if p.ip_checksum_status not in ("", "1"):
            complain("bad IPv4 header checksum")
        if p.tcp_checksum_status != "1" and not args.whole:
            complain("bad TCP checksum")
        seq = int(p.tcp_seq_raw)
        frames[p.ip_src, p.ipv6_src, p.ip_dst, p.ipv6_dst, p.tcp_srcport,
               p.tcp_ack_raw].append(Segment(
                   seq & 0xffff, int(p.tcp_len), seq >> 16, bool(flags & 8),
                   p.frame_number))
    return frames


def whole(frames, figures):
    """Judges how frames were cut.  Returns the numbers of the packets whose
    inside Wireshark does not understand."""
    misread = set()
    for segments in frames.values():
        def complain(what):
            figures["complaints"] += 1
            print("packet %s: frame %s" % (first.number, what))

        segments.sort()
        first, last = segments[0], segments[-1]
        end = 0
        for s in segments:
            if s.offset != end:
                complain("has %s at offset %d" % (
                    "a hole" if s.offset > end else "an overlap", end))
            if s.total != first.total:
                complain("has two lengths, %d and %d" % (first.total,
                                                         s.total))
            if s.push != (s is last):
                complain("has PSH %s" % ("too early" if s.push else
                                         "missing"))
            end = s.offset + s.length
        if end != first.total:
            complain("of %d bytes ends after %d" % (first.total, end))
        if len(segments) > 1:
            figures["cut"] += 1
            if last.length <= SHORT_TAIL:
                misread.update(s.number for s in segments)
    return misread


def inner(args, figures, misread):
    """Judges the STT headers and what is inside."""
    for p in tshark(args.capture,
                    ("frame.number", "_ws.expert.severity",
                     "_ws.expert.message", "stt.context_id", "stt.flags",
                     "stt.flags.csum_partial", "stt.reserved", "stt.padding",
                     "stt.vlan", "stt.vlan.v", "stt.mss", "stt.dport"),
                    "-o", "ip.try_heuristic_first:TRUE",
                    "-o", "ipv6.try_heuristic_first:TRUE",
                    "-o", "stt.check_checksum:TRUE",
                    "-Y", "stt"):
        if p.frame_number in misread:
            continue

        def complain(what):
            figures["complaints"] += 1
            print("packet %s: %s" % (p.frame_number, what))

        messages = list(zip(p.ws_expert_severity.split(";"),
                            p.ws_expert_message.split(";")))
        partial = p.stt_flags_csum_partial in ("1", "True")
        for severity, message in messages:
            if not severity or int(severity) < WARNING:
                continue
            if message == INVERTED or message in GUESTS:
                continue
            if message.startswith("Bad checksum") and (partial or args.whole):
                continue
            complain(message)
        if not p.stt_context_id:
            continue

        figures["dissected"] += 1
        figures["partial"] += partial
        if int(p.stt_mss):
            figures["tso"] += 1
        if args.key and int(p.stt_context_id, 16) not in args.key:
            complain("context ID %s" % p.stt_context_id)
        if int(p.stt_flags, 16) not in FLAGS:
            complain("STT flags %s" % p.stt_flags)
        if int(p.stt_reserved or "0", 16) or int(p.stt_padding or "0", 16):
            complain("reserved bytes are not zero")
        if p.stt_vlan_v in ("0", "False") and int(p.stt_vlan, 16):
            complain("VLAN bits without the V bit")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="7471")
    parser.add_argument("--mtu", type=int)
    parser.add_argument("--key", type=lambda s: int(s, 0), action="append")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("capture")
    args = parser.parse_args()

    figures = collections.Counter()
    frames = outer(args, figures)
    misread = whole(frames, figures)
    if args.port == "7471":
        inner(args, figures, misread)
        if frames and not misread and not figures["dissected"]:
            figures["complaints"] += 1
            print("tshark has found no STT header in this capture")
    figures["frames"] = len(frames)
    if not frames:
        figures["complaints"] += 1
        print("no STT frame in this capture")
    print("%d segments, longest %d bytes, %d frames, %d of several segments, "
          "%d with a partial checksum, %d with a segment size; %d complaints"
          % tuple(figures[f] for f in ("segments", "longest", "frames", "cut",
                                       "partial", "tso", "complaints")))
    return figures["complaints"] > 0


if __name__ == "__main__":
    sys.exit(main())
