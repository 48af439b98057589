"""The sink's own process: answers every request alike, at once or after a delay, and counts it.

    python -m benchmarks.target_server.server --origins 20 [--certificate FILE]

It reads commands from its standard input and answers each with one line of JSON. A raw protocol on
uvloop costs a small part of what any sender costs, so that the sender is what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
import ssl
import sys
import time
from typing import Any

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PERSON = re.compile(rb"person(\d+)@")
_BODY = b'{"status":"accepted","result":{"id":"crm-%d","state":"created"},"messages":[]}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_BACKLOG = 1024


class Counted:
    """What has arrived since the last reset: each person with the time of the first request."""

    def __init__(self) -> None:
        self.reset(0.0)

    def reset(self, delay: float) -> None:
        self.delay = delay
        self.requests = 0
        self.connections = 0
        self.people: dict[int, float] = {}

    def take(self, body: bytes, at: float) -> bytes:
        """Count a request; the answer to it."""
        self.requests += 1
        found = _PERSON.search(body)
        person = int(found[1]) if found else 0
        self.people.setdefault(person, at)
        content = _BODY % person
        return _HEAD % len(content) + content


class Talk(asyncio.Protocol):
    """One connection, kept open; a client sends its next request after the answer."""

    def __init__(self, counted: Counted, loop: asyncio.AbstractEventLoop) -> None:
        self._counted = counted
        self._loop = loop
        self._buffer = b""
        self._began = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # With TLS this is called after the handshake, so it counts handshakes.
        self._counted.connections += 1
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._began = time.time()
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not mark or len(rest) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        answer = self._counted.take(rest, self._began)
        if self._counted.delay:
            self._loop.call_later(self._counted.delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve(origins: int, tls: ssl.SSLContext | None) -> None:
    """Listen on as many ports, say which, and obey until the input ends."""
    counted, loop = Counted(), asyncio.get_running_loop()
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) for _ in range(origins)]
    for one in sockets:
        await loop.create_server(lambda: Talk(counted, loop), sock=one, ssl=tls, backlog=_BACKLOG)
    _say([one.getsockname()[1] for one in sockets])
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        _obey(line.split(), counted)


def _obey(words: list[bytes], counted: Counted) -> None:
    if words[0] == b"reset":
        counted.reset(float(words[1]))
        _say("reset")
    elif words[0] == b"arrivals":
        _say(list(counted.people.items()))
    else:
        _say([counted.requests, len(counted.people), counted.connections])


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origins", type=int, default=1)
    parser.add_argument("--certificate")
    options = parser.parse_args()
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
    uvloop.run(serve(options.origins, tls))


if __name__ == "__main__":
    main()
