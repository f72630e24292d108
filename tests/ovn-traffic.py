#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
"""Traffic that tells how it fared, for ovn.sh.

ovn-traffic.py serve
    Returns what it gets, on TCP port 7002 of every address, until it is ended.

ovn-traffic.py chat ADDRESS FILE
    Exchanges messages of random content with the server, over one connection,
    until FILE is gone.  Prints "ready" after the first and, in the end, how
    many there were and how long the longest one took, in milliseconds:

        chat: 734 messages, longest silence 412 ms

ovn-traffic.py join GROUP PORT
    Joins the multicast group and prints each datagram, which is text, that it
    gets, until it is ended.  Prints "ready" first.

ovn-traffic.py send GROUP PORT COUNT
    Sends the datagrams "message 1" to "message COUNT" to the group.

Exits with status 1, after a message on stderr, if anything goes wrong.
"""

import os
import random
import socket
import struct
import sys
import threading
import time

PORT = 7002
SIZE = 200
PAUSE = 0.02
PATIENCE = 60           # Seconds without an answer after which all is lost.


def echo(sock):
    with sock:
        while True:
            data = sock.recv(65536)
            if not data:
                return
            sock.sendall(data)


def serve():
    with socket.create_server(("", PORT)) as listener:
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=echo, args=(sock,), daemon=True).start()


def chat(address, running):
    count, longest = 0, 0
    with socket.create_connection((address, PORT), PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while os.path.exists(running):
            message, answer = random.randbytes(SIZE), b""
            begin = time.monotonic()
            sock.sendall(message)
            while len(answer) < SIZE:
                data = sock.recv(SIZE - len(answer))
                if not data:
                    raise ConnectionError("connection ended")
                answer += data
            if answer != message:
                raise ConnectionError("an answer was changed")
            longest = max(longest, time.monotonic() - begin)
            count += 1
            if count == 1:
                print("ready", flush=True)
            time.sleep(PAUSE)
    print("chat: %d messages, longest silence %d ms"
          % (count, longest * 1000))


def join(group, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((group, port))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        struct.pack("4s4x", socket.inet_aton(group)))
        print("ready", flush=True)
        while True:
            print(sock.recv(65536).decode(), flush=True)


def send(group, port, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        for i in range(count):
            sock.sendto(b"message %d" % (i + 1), (group, port))


def main(argv):
    verb, args = argv[1], argv[2:]
    try:
        if verb == "serve":
            serve()
        elif verb == "chat":
            chat(*args)
        elif verb == "join":
            join(args[0], int(args[1]))
        elif verb == "send":
            send(args[0], int(args[1]), int(args[2]))
        else:
            sys.exit("unknown verb: %s" % verb)
    except OSError as e:
        sys.exit("%s: %s" % (verb, e))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv)
