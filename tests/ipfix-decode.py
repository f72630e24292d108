#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""Explains IPFIX (RFC 7011) for the tests.

usage: ipfix-decode.py < HEX > TEXT

HEX is one message per line in hexadecimal digits, as udp-dump.py prints them.

Prints a line for each data record that is not about the exporter itself:
direction and what the record says of a tunnel, or "no tunnel" if its template
has no field for that.  Each length must be right and each
template must have come before what it describes, else the program ends with an
error.  Only records from before the first template are ignored.
"""

import ipaddress
import struct
import sys

VMWARE = 6876
VARIABLE = 0xffff
DIRECTION = (0, 61)
TUNNEL = {
    (VMWARE, 893): "src",
    (VMWARE, 894): "dst",
    (VMWARE, 895): "protocol",
    (VMWARE, 896): "sport",
    (VMWARE, 897): "dport",
    (VMWARE, 891): "type",
    (VMWARE, 892): "key",
}


class Reader:
    """Takes fields from the front of 'data'."""

    def __init__(self, data):
        self.data = data

    def take(self, n):
        if n > len(self.data):
            raise ValueError("%d bytes are missing" % (n - len(self.data)))
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def shorts(self, n):
        return struct.unpack("!%dH" % n, self.take(2 * n))


def read_template(reader, scope):
    """Returns the number and the (element, length) pairs of a template."""
    number, count = reader.shorts(2)
    if scope:
        reader.shorts(1)
    fields = []
    for _ in range(count):
        element, length = reader.shorts(2)
        enterprise = 0
        if element & 0x8000:
            enterprise = struct.unpack("!I", reader.take(4))[0]
        fields.append(((enterprise, element & 0x7fff), length))
    return number, fields


def read_record(reader, fields):
    """Returns the value of each field of a record."""
    record = {}
    for element, length in fields:
        if length == VARIABLE:
            length = reader.take(1)[0]
            if length == 255:
                length = reader.shorts(1)[0]
        record[element] = reader.take(length)
    return record


def explain(record):
    text = ["egress" if record[DIRECTION] == b"\x01" else "ingress"]
    for element, name in TUNNEL.items():
        if element in record:
            value = record[element]
            if name in ("src", "dst"):
                value = ipaddress.IPv4Address(value)
            elif name == "key":
                value = "0x" + value.hex()
            else:
                value = int.from_bytes(value, "big")
            text.append("%s=%s" % (name, value))
    if len(text) == 1:
        text.append("no tunnel")
    print(" ".join(text))


def decode(message, templates):
    version, length = message.shorts(2)
    # Time of export, sequence number and observation domain.
    message.take(12)
    if version != 10 or length != len(message.data) + 16:
        raise ValueError("version %d, length %d" % (version, length))
    while message.data:
        number, length = message.shorts(2)
        reader = Reader(message.take(length - 4))
        while reader.data:
            if number in (2, 3):
                template, fields = read_template(reader, number == 3)
                templates[template] = fields
            elif not templates:
                break
            elif number not in templates:
                raise ValueError("no template %d" % number)
            else:
                record = read_record(reader, templates[number])
                if DIRECTION in record:
                    explain(record)


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    templates = {}
    for line in sys.stdin:
        try:
            decode(Reader(bytes.fromhex(line)), templates)
        except (ValueError, KeyError) as e:
            sys.exit("ipfix-decode.py: %s\n%s" % (e, line))


if __name__ == "__main__":
    main()
