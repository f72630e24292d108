#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.
"""Sends data through a network and proves that it arrived as it was.

lab-transfer.py serve
    Answers the requests below, on ports 7000 and 7001 of every address, TCP
    and UDP, until it is ended.  Prints what has arrived with another content.

lab-transfer.py tcp ADDRESS BYTES [MSS]
    Sends BYTES random bytes and receives as many.  Both ends compare SHA-256
    digests.  MSS limits the size of TCP's segments in both directions.

lab-transfer.py pieces ADDRESS COUNT SIZE [SIZE...]
    Sends COUNT pieces of random content of each SIZE over TCP, none of which
    waits for the next one.  The server reads slowly, so that they pile up
    there, and returns the digest of all of them.

lab-transfer.py udp ADDRESS COUNT SIZE [SIZE...]
    Sends COUNT datagrams of random content of each SIZE (at least 8).  The
    server answers each with the digest of what it received and, to fill the
    way back as well, with about as many bytes of random content and their
    digest.  At most WINDOW bytes are on their way at a time, so that no
    buffer on the way overflows.  A datagram without an answer is sent again,
    at most twice; the result says how often that was needed.

lab-transfer.py echo ADDRESS SECONDS SIZE [SIZE...]
    For SECONDS, sends datagrams of random content of each SIZE (at least 40)
    in turn, each with the digest of its content and, over IPv4, without UDP
    checksum, so that nobody but the tunnel protects them.  The server returns
    what it gets.  Whatever is lost is lost, but nothing may have changed when
    it gets to either end.

lab-transfer.py listen INTERFACE ETHERTYPE COUNT
lab-transfer.py frames INTERFACE ETHERTYPE COUNT SIZE [SIZE...]
    Receives, and sends, COUNT raw Ethernet frames of each SIZE, broadcast,
    with the given (hexadecimal) type.  Both print the digest of each frame, in
    any order for the listener.  The listener prints "ready" first, and ends
    after COUNT frames in all or after 10 s of silence.

Prints one line per exchange and exits with status 1 if anything was lost or
changed.
"""

import hashlib
import os
import random
import select
import socket
import struct
import sys
import threading
import time

PORT = 7000
WINDOW = 32768
DIGEST = 32
SLOWLY = 1 << 63        # Added to the size of what is only sent, in pieces.
PAUSE = 0.02            # Seconds between two reads of it.
CHUNK = 1 << 20
ECHO_PORT = 7001
MTU_FREE = 0            # IP_PMTUDISC_DONT: let datagrams be fragmented.
NO_CHECKSUM = 11        # SO_NO_CHECK.
CHANGED = b"changed"    # Returned instead of what has changed on its way.


def digest(data):
    return hashlib.sha256(data).digest()


def stream(sock, seed, size):
    """Sends SIZE bytes of pseudo-random data; returns their digest."""
    rng = random.Random(seed)
    h = hashlib.sha256()
    while size > 0:
        data = rng.randbytes(min(CHUNK, size))
        h.update(data)
        sock.sendall(data)
        size -= len(data)
    return h.digest()


def drain(sock, size, pause=0):
    """Receives SIZE bytes, with a pause after each read; returns their
    digest."""
    h = hashlib.sha256()
    while size > 0:
        data = sock.recv(min(size, 1 << 18))
        if not data:
            raise ConnectionError("connection ended %d bytes early" % size)
        h.update(data)
        size -= len(data)
        time.sleep(pause)
    return h.digest()


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("connection ended")
        data += more
    return data


def serve_stream(sock):
    """Takes one stream and sends one: size, data, digest in each direction.
    Of what comes in pieces, it only returns the digest."""
    with sock:
        size, = struct.unpack("!Q", exactly(sock, 8))
        if size & SLOWLY:
            sock.sendall(drain(sock, size & ~SLOWLY, PAUSE))
            return
        got = drain(sock, size)
        sock.sendall(got)
        sock.sendall(stream(sock, size + 1, size))


def serve_datagrams(sock):
    while True:
        data, peer = sock.recvfrom(65536)
        back = data[:8] + random.randbytes(max(0, len(data) - 8 - 2 * DIGEST))
        sock.sendto(digest(data) + digest(back) + back, peer)


def sealed(data):
    return digest(data) + data


def intact(data):
    return len(data) >= DIGEST and digest(data[DIGEST:]) == data[:DIGEST]


def udp_server(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.IPPROTO_IP, 10, MTU_FREE)
    sock.setsockopt(socket.SOL_SOCKET, NO_CHECKSUM, port == ECHO_PORT)
    sock.bind(("::", port))
    return sock


def serve_echo(sock):
    while True:
        data, peer = sock.recvfrom(65536)
        if not intact(data):
            print("echo: a datagram of %d bytes was changed" % len(data),
                  flush=True)
            data = sealed(CHANGED)
        sock.sendto(data, peer)


def serve():
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    for port, function in (PORT, serve_datagrams), (ECHO_PORT, serve_echo):
        threading.Thread(target=function, args=(udp_server(port),),
                         daemon=True).start()
    listener.bind(("::", PORT))
    listener.listen(16)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve_stream, args=(sock,),
                         daemon=True).start()


def tcp(address, size, mss=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(30)
        if mss:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
        sock.connect((address, PORT))
        sock.sendall(struct.pack("!Q", size))
        sent = stream(sock, os.getpid(), size)
        if exactly(sock, DIGEST) != sent:
            return "tcp: %d bytes sent arrived with another content" % size
        got = drain(sock, size)
        if exactly(sock, DIGEST) != got:
            return "tcp: %d bytes received with another content" % size
    print("tcp: %d bytes each way, same content" % size)
    return None


def pieces(address, count, sizes):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    h = hashlib.sha256()
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((address, PORT))
        sock.sendall(struct.pack("!Q", count * sum(sizes) | SLOWLY))
        for _ in range(count):
            for size in sizes:
                piece = random.randbytes(size)
                h.update(piece)
                sock.sendall(piece)
        if exactly(sock, DIGEST) != h.digest():
            return "pieces: they arrived with another content"
    print("pieces: %d bytes, same content" % (count * sum(sizes)))
    return None


def answered(sock, pending, timeout):
    """Takes one answer off 'pending'.  Returns an error message or None, or
    raises socket.timeout."""
    if not select.select([sock], [], [], timeout)[0]:
        raise socket.timeout
    data = sock.recv(65536)
    theirs, own, back = data[:DIGEST], data[DIGEST:2 * DIGEST], \
        data[2 * DIGEST:]
    if digest(back) != own:
        return "udp: an answer of %d bytes was changed" % len(data)
    # A late answer to what was sent again is no error.
    request = pending.pop(back[:8], None)
    if request is not None and digest(request) != theirs:
        return "udp: a datagram of %d bytes was changed" % len(request)
    return None


def udp_client(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, 10, MTU_FREE)
        sock.setsockopt(socket.SOL_SOCKET, NO_CHECKSUM, port == ECHO_PORT)
    sock.connect((address, port))
    return sock


def udp(address, count, sizes):
    sock = udp_client(address, PORT)
    repeated = 0
    for size in sizes:
        pending, serial = {}, 0
        while serial < count or pending:
            while serial < count and (not pending or
                                      (len(pending) + 1) * size <= WINDOW):
                # The identity comes back in the answer.
                identity = struct.pack("!II", size, serial)
                request = identity + random.randbytes(size - 8)
                pending[identity] = request
                sock.send(request)
                serial += 1
            for attempt in range(3):
                try:
                    error = answered(sock, pending, 1)
                    break
                except socket.timeout:
                    repeated += len(pending)
                    for request in pending.values():
                        sock.send(request)
            else:
                return "udp: no answer to datagrams of %d bytes" % size
            if error:
                return error
    print("udp: %d datagrams each way, same content, %d repeated"
          % (count * len(sizes), repeated))
    return None


def echo(address, seconds, sizes):
    sock = udp_client(address, ECHO_PORT)
    sent = returned = 0
    end = time.monotonic() + seconds
    # Several are on their way at a time, but a few at most.
    while time.monotonic() < end:
        for size in sizes:
            sock.send(sealed(random.randbytes(size - DIGEST)))
            sent += 1
        while select.select([sock], [], [], 0.005)[0]:
            data = sock.recv(65536)
            if not intact(data):
                return "echo: an answer of %d bytes was changed" % len(data)
            if data == sealed(CHANGED):
                return "echo: a datagram was changed"
            returned += 1
    print("echo: %d of %d datagrams came back, same content"
          % (returned, sent))
    return None if returned else "echo: no answer"


def listen(interface, ethertype, count):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(ethertype))
    sock.bind((interface, ethertype))
    print("ready", flush=True)
    sock.settimeout(10)
    for _ in range(count):
        try:
            data = sock.recv(65536)
        except socket.timeout:
            return "listen: frames are missing"
        print(len(data), digest(data).hex(), flush=True)
    return None


def frames(interface, ethertype, count, sizes):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    source = sock.getsockname()[4]
    for size in sizes:
        for _ in range(count):
            data = b"\xff" * 6 + source + struct.pack("!H", ethertype)
            data += random.randbytes(size - len(data))
            sock.send(data)
            print(len(data), digest(data).hex())
    return None


def main(argv):
    verb, args = argv[1], argv[2:]
    try:
        if verb == "serve":
            error = serve()
        elif verb == "tcp":
            error = tcp(args[0], *map(int, args[1:]))
        elif verb == "pieces":
            error = pieces(args[0], int(args[1]), list(map(int, args[2:])))
        elif verb == "udp":
            error = udp(args[0], int(args[1]), list(map(int, args[2:])))
        elif verb == "echo":
            error = echo(args[0], float(args[1]), list(map(int, args[2:])))
        elif verb == "listen":
            error = listen(args[0], int(args[1], 16), int(args[2]))
        elif verb == "frames":
            error = frames(args[0], int(args[1], 16), int(args[2]),
                           list(map(int, args[3:])))
        else:
            error = "unknown verb: %s" % verb
    except OSError as e:
        error = "%s: %s" % (verb, e)
    if error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv))
