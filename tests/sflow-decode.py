#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""Explains sFlow version 5 for the tests, as its specification has it.

usage: sflow-decode.py < HEX > TEXT

HEX is one datagram per line in hexadecimal digits, as udp-dump.py prints them.

Prints a line for each flow sample, "sample", and below it one for each of its
records, in their order.  Each length must be that of what is in it: a byte too
many or too few anywhere ends the program with an error, as does a record that
it doesn't know.  Samples of counters are only measured.

The records of tunnels are those of https://sflow.org/sflow_tunnels.txt.  This
shares no code with Open vSwitch.
"""

import ipaddress
import struct
import sys

# Formats of flow records, with their fields of 32 bits.
IPV4 = ("length", "protocol", "src", "dst", "sport", "dport", "tcp_flags",
        "tos")
RECORDS = {
    1001: ("switch", ("src_vlan", "src_pri", "dst_vlan", "dst_pri")),
    1023: ("tunnel4-egress", IPV4),
    1024: ("tunnel4-ingress", IPV4),
    1029: ("vni-egress", ("vni",)),
    1030: ("vni-ingress", ("vni",)),
}
ETHERNET = 1


class Reader:
    """Takes XDR from the front of 'data'."""

    def __init__(self, data):
        self.data = data

    def take(self, n):
        if n > len(self.data):
            raise ValueError("%d bytes are missing" % (n - len(self.data)))
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def word(self):
        return struct.unpack("!I", self.take(4))[0]

    def words(self, n):
        return struct.unpack("!%dI" % n, self.take(4 * n))

    def opaque(self):
        n = self.word()
        taken = self.take(n)
        if any(self.take(-n % 4)):
            raise ValueError("padding is not zero")
        return taken

    def part(self):
        """Returns the format of the next part, and a reader of just that."""
        tag = self.word()
        return tag, Reader(self.opaque())

    def end(self):
        if self.data:
            raise ValueError("%d bytes too many" % len(self.data))


def decode_header(record):
    """Explains a sampled header."""
    protocol, frame_length, stripped = record.words(3)
    header = record.opaque()
    if protocol != ETHERNET:
        raise ValueError("header protocol %d" % protocol)
    if len(header) > frame_length - stripped:
        raise ValueError("header of %d bytes in frame of %d"
                         % (len(header), frame_length))
    return "header frame=%d stripped=%d %s" % (frame_length, stripped,
                                               header.hex())


def decode_record(tag, record):
    if tag == 1:
        return decode_header(record)
    if tag not in RECORDS:
        raise ValueError("record of format %d" % tag)
    name, fields = RECORDS[tag]
    text = name
    for field, value in zip(fields, record.words(len(fields))):
        if field in ("src", "dst"):
            value = ipaddress.IPv4Address(value)
        text += " %s=%s" % (field, value)
    return text


def decode_sample(sample):
    # Sequence number, source, rate, pool, drops, input and output.
    rate = sample.words(7)[2]
    print("sample rate=%d" % rate)
    for _ in range(sample.word()):
        tag, record = sample.part()
        print("  " + decode_record(tag, record))
        record.end()
    sample.end()


def decode(datagram):
    version, agent_type = datagram.words(2)
    if (version, agent_type) != (5, 1):
        raise ValueError("version %d, agent of type %d"
                         % (version, agent_type))
    # Agent, sub-agent, sequence number and uptime.
    datagram.words(4)
    for _ in range(datagram.word()):
        tag, sample = datagram.part()
        if tag == 1:
            decode_sample(sample)
        elif tag != 2:
            raise ValueError("sample of format %d" % tag)
    datagram.end()


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    for line in sys.stdin:
        try:
            decode(Reader(bytes.fromhex(line)))
        except ValueError as e:
            sys.exit("sflow-decode.py: %s\n%s" % (e, line))


if __name__ == "__main__":
    main()
