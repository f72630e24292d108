#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""Prints what comes in over UDP, for the tests.

usage: udp-dump.py PORT-FILE

Listens on a port of 127.0.0.1 that is free, writes its number to PORT-FILE, and
prints each datagram in hexadecimal digits on a line of its own, until it is
ended.
"""

import os
import socket
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as f:
        print(sock.getsockname()[1], file=f)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    while True:
        print(sock.recv(65536).hex(), flush=True)


if __name__ == "__main__":
    main()
