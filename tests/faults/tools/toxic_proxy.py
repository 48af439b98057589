"""A TCP proxy between the product and the CRM that refuses, hangs, delays, drips or resets.

The CRM still receives the requests. The toxic is read for each piece of an exchange, so a test may
change it while deliveries are in flight. The word is from Shopify's Toxiproxy.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Literal, Self

from tests.timing import WAIT_SECONDS

Toxic = Literal["open", "refuse", "hang", "late", "drip", "reset"]

_LATE_SECONDS = 3.0
"""Longer than the read timeout of the installation."""
_DRIP_SECONDS = 0.2
_FIRST_BYTES = 40
_CHUNK_BYTES = 64 * 1024


class ToxicProxy:
    """A proxy that forwards its port to another one; the toxic is how it fails."""

    def __init__(self, *, latency: float = 0.0) -> None:
        self._latency = latency
        self._to_port = 0
        self._toxic: Toxic = "open"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="toxic-proxy", daemon=True
        )
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, int] = {}
        """Requests in flight on each connection."""
        self.max_in_flight: dict[int, int] = {}
        """By second: the maximum of requests in flight."""

    @property
    def url(self) -> str:
        """The URL to which the product sends."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def forward_to(self, port: int) -> None:
        """Set the port to which requests are forwarded."""
        self._to_port = port

    def set_toxic(self, toxic: Toxic) -> None:
        """Fail like this from now on; with `open`, forward without failure."""
        if (toxic == "refuse") != (self._toxic == "refuse"):
            self._run(self._close() if toxic == "refuse" else self._listen())
        self._toxic = toxic

    def _run(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    async def _listen(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self._server = await asyncio.start_server(self._forward, sock=self._listener)

    async def _close(self) -> None:
        """Stop listening, and abort all open connections."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = 0
        to_crm: asyncio.StreamWriter | None = None
        try:
            from_crm, to_crm = await asyncio.open_connection("127.0.0.1", self._to_port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._forward_requests(reader, to_crm, writer))
                both.create_task(self._forward_responses(from_crm, writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            del self._open[writer]
            for end in (writer, to_crm):
                if end is not None:
                    end.transport.abort()

    async def _forward_requests(
        self,
        reader: asyncio.StreamReader,
        to_crm: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
    ) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            if self._toxic == "hang":
                continue
            self._count(writer, 1)
            to_crm.write(chunk)
            await to_crm.drain()
        raise ConnectionResetError

    async def _forward_responses(
        self, from_crm: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await from_crm.read(_CHUNK_BYTES):
            await asyncio.sleep(self._latency)
            self._count(writer, -1)
            if self._toxic == "late":
                await asyncio.sleep(_LATE_SECONDS)
            if self._toxic == "reset":
                writer.write(chunk[:_FIRST_BYTES])
                await writer.drain()
                _reset(writer)
            if self._toxic == "drip":
                await _drip(chunk, writer)
            else:
                writer.write(chunk)
                await writer.drain()
        raise ConnectionResetError

    def _count(self, writer: asyncio.StreamWriter, change: int) -> None:
        self._open[writer] += change
        second = int(time.time())
        in_flight = sum(self._open.values())
        self.max_in_flight[second] = max(self.max_in_flight.get(second, 0), in_flight)


async def _drip(content: bytes, writer: asyncio.StreamWriter) -> None:
    for index in range(len(content)):
        writer.write(content[index : index + 1])
        await writer.drain()
        await asyncio.sleep(_DRIP_SECONDS)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection with a TCP reset; raise ConnectionResetError."""
    end = writer.get_extra_info("socket")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionResetError
