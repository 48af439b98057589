"""Send referrals to the intake API over keep-alive connections, using little CPU.

    python -m benchmarks.load --port 8000 --path /… --count 3000 [--batch 1000] [--rate 200]

It runs in a process of its own. Each connection sends its next request after the response to the
last one; with `--rate`, no request is sent before its scheduled time. Referrals are numbered from
`--first`. Prints one line of JSON: the seconds that it took, and the number of responses by status.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter, deque
from typing import Any

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class LoadConnection(asyncio.Protocol):
    """One keep-alive connection, with one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None
        self._response: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not separator or len(body) < (int(length[1]) if length else 0) or self._response is None:
            return
        self._buffer = b""
        self._response.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._response and not self._response.done():
            self._response.set_exception(exc or ConnectionError("closed without an answer"))

    async def send(self, message: bytes) -> int:
        """Send a request and return the status of its response."""
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return await self._response


async def run_load(options: argparse.Namespace) -> dict[str, Any]:
    """Send all requests; return the seconds that it took and the number of responses by status."""
    loop, statuses = asyncio.get_running_loop(), Counter[int]()
    queue = deque(enumerate(_messages(options)))
    connections = [
        (await loop.create_connection(LoadConnection, "127.0.0.1", options.port))[1]
        for _ in range(options.connections)
    ]
    began = time.perf_counter()

    async def send_all(connection: LoadConnection) -> None:
        while queue:
            number, message = queue.popleft()
            if options.rate:
                await asyncio.sleep(began + number / options.rate - time.perf_counter())
            statuses[await connection.send(message)] += 1

    await asyncio.gather(*map(send_all, connections))
    return {"seconds": time.perf_counter() - began, "statuses": statuses}


def _messages(options: argparse.Namespace) -> list[bytes]:
    numbers = range(options.first, options.first + options.count)
    if options.batch == 1:
        return [_message(options, _referral(number)) for number in numbers]
    starts = range(numbers.start, numbers.stop, options.batch)
    return [
        _message(options, [_referral(n) for n in range(start, start + options.batch)])
        for start in starts
    ]


def _message(options: argparse.Namespace, content: object) -> bytes:
    body = json.dumps(content).encode()
    head = (
        f"POST {options.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {options.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _referral(number: int) -> dict[str, object]:
    attributes = {
        "email": f"person{number}@example.com", "first_name": "Jo", "last_name": f"Müller {number}",
        "mobile": f"+4989{10_000_000 + number}", "age": 18 + number % 70, "country": "DE",
    }  # fmt: skip
    return {"external_id": f"lead-{number}", "attributes": attributes}


def main() -> None:
    """Parse the arguments, send the requests and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "count"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name, default in (("first", 1), ("batch", 1), ("connections", 16)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--path", required=True)
    parser.add_argument("--key", default="")
    print(json.dumps(uvloop.run(run_load(parser.parse_args()))), flush=True)


if __name__ == "__main__":
    main()
