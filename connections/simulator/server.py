"""Owns the sockets and the thread that serves them, and must not know what an answer says."""

import asyncio
import socket
import threading
from collections.abc import Callable

from connections.simulator.request import MalformedError, Request, take
from connections.simulator.response import Answer, text

BACKLOG = 1024


class Connection(asyncio.Protocol):
    """Answers the requests of one client in the order in which they came."""

    def __init__(self, answer: Callable[[Request], Answer], open_ones: "set[Connection]") -> None:
        self._answer = answer
        self._open_ones = open_ones
        self._buffer = bytearray()
        self._delayed: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # This transport has TCP_NODELAY set by asyncio, so a small answer leaves at once.
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker.
        self._transport = transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's.
        self._open_ones.discard(self)
        if self._delayed:
            self._delayed.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def abort(self) -> None:
        self._transport.abort()

    def _advance(self) -> None:
        try:
            while not self._delayed and not self._transport.is_closing():
                request = take(self._buffer)
                if request is None:
                    return
                self._serve(request)
        except MalformedError as error:
            self._transport.write(text(error.status, "").encode(is_last=True))
            self._transport.close()

    def _serve(self, request: Request) -> None:
        answer = self._answer(request)
        if answer.delay:
            loop = asyncio.get_running_loop()
            self._delayed = loop.call_later(answer.delay, self._resume, request, answer)
        else:
            self._send(request, answer)

    def _resume(self, request: Request, answer: Answer) -> None:
        self._delayed = None
        self._send(request, answer)
        self._advance()

    def _send(self, request: Request, answer: Answer) -> None:
        if answer.status is None:
            self._transport.abort()
            return
        to_head = request.method == "HEAD"
        self._transport.write(answer.encode(is_last=request.is_last, to_head=to_head))
        if request.is_last:
            self._transport.close()


class Server:
    """Listens from its creation, and serves from `start()` to `stop()` in a thread of its own."""

    def __init__(self, address: tuple[str, int], answer: Callable[[Request], Answer]) -> None:
        # The socket is bound here, so that a taken port is the caller's error and not the thread's.
        self._socket = socket.create_server(address, backlog=BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._answer = answer
        self._connections: set[Connection] = set()
        self._stopping = asyncio.Event()
        # A runner with a loop factory leaves the event loop of the caller's thread alone.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._run, name="crm", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close every connection, the hanging ones too, and wait for the thread to end."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._serve())

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            self._connection, sock=self._socket, backlog=BACKLOG
        )
        await self._stopping.wait()
        # A connection still being accepted when the server closes would never be closed itself.
        while accepting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(accepting)
        server.close()
        for connection in list(self._connections):
            connection.abort()
        # An aborted connection closes its socket in the next turn of the loop, so it needs one.
        await asyncio.sleep(0)

    def _connection(self) -> Connection:
        return Connection(self._answer, self._connections)
