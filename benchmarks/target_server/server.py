"""Respond to every request in the same way, at once or after a delay, and count the requests.

    python -m benchmarks.target_server.server --origins 20 [--certificate FILE]

It reads commands from the standard input and prints one line of JSON for each. A raw protocol on
uvloop uses a small part of the CPU that any sender uses, so that the sender is what is measured.
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


class RequestLog:
    """What came since the last reset: counts, and for each person the time of the first request."""

    def __init__(self) -> None:
        self.reset(0.0)

    def reset(self, delay: float) -> None:
        self.delay = delay
        self.requests = 0
        self.connections = 0
        self.arrivals: dict[int, float] = {}

    def record(self, body: bytes, arrived_at: float) -> bytes:
        """Count a request and return the response to it."""
        self.requests += 1
        match = _PERSON.search(body)
        person = int(match[1]) if match else 0
        self.arrivals.setdefault(person, arrived_at)
        content = _BODY % person
        return _HEAD % len(content) + content


class TargetProtocol(asyncio.Protocol):
    """One keep-alive connection; the client sends its next request after the response."""

    def __init__(self, log: RequestLog, loop: asyncio.AbstractEventLoop) -> None:
        self._log = log
        self._loop = loop
        self._buffer = b""
        self._arrived_at = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # With TLS this is called after the handshake, so it counts handshakes.
        self._log.connections += 1
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._arrived_at = time.time()
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not separator or len(body) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        response = self._log.record(body, self._arrived_at)
        if self._log.delay:
            self._loop.call_later(self._log.delay, self._transport.write, response)
        else:
            self._transport.write(response)


async def serve(origins: int, tls: ssl.SSLContext | None) -> None:
    """Listen on as many ports, print them, and handle commands until the input ends."""
    log, loop = RequestLog(), asyncio.get_running_loop()
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) for _ in range(origins)]
    for listener in sockets:
        await loop.create_server(
            lambda: TargetProtocol(log, loop), sock=listener, ssl=tls, backlog=_BACKLOG
        )
    _print_json([listener.getsockname()[1] for listener in sockets])
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        _handle_command(line.split(), log)


def _handle_command(words: list[bytes], log: RequestLog) -> None:
    if words[0] == b"reset":
        log.reset(float(words[1]))
        _print_json("reset")
    elif words[0] == b"arrivals":
        _print_json(list(log.arrivals.items()))
    else:
        _print_json([log.requests, len(log.arrivals), log.connections])


def _print_json(value: object) -> None:
    print(json.dumps(value), flush=True)


def main() -> None:
    """Parse the arguments and serve until the input ends."""
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
