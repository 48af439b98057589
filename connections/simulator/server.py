"""Serve HTTP/1.1 with asyncio in a thread."""

import asyncio
import socket
import threading
from collections.abc import Callable

from connections.simulator.request import HTTPRequest, MalformedRequestError, pop_request
from connections.simulator.response import HTTPResponse, text_response

BACKLOG = 1024
Handle = Callable[[HTTPRequest], HTTPResponse]


class HTTPProtocol(asyncio.Protocol):
    """Responds to the requests of one client in the order in which they were received."""

    def __init__(self, handle: Handle, connections: "set[HTTPProtocol]") -> None:
        self._handle = handle
        self._connections = connections
        self._buffer = bytearray()
        self._delayed: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio sets TCP_NODELAY on this transport, so a small response is sent at once.
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker.
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's.
        self._connections.discard(self)
        if self._delayed:
            self._delayed.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def abort(self) -> None:
        """Close the connection without sending anything more."""
        self._transport.abort()

    def _advance(self) -> None:
        try:
            while not self._delayed and not self._transport.is_closing():
                request = pop_request(self._buffer)
                if request is None:
                    return
                self._serve(request)
        except MalformedRequestError as error:
            self._transport.write(text_response(error.status, "").encode(is_last=True))
            self._transport.close()

    def _serve(self, request: HTTPRequest) -> None:
        response = self._handle(request)
        if response.delay:
            loop = asyncio.get_running_loop()
            self._delayed = loop.call_later(response.delay, self._resume, request, response)
        else:
            self._send(request, response)

    def _resume(self, request: HTTPRequest, response: HTTPResponse) -> None:
        self._delayed = None
        self._send(request, response)
        self._advance()

    def _send(self, request: HTTPRequest, response: HTTPResponse) -> None:
        if response.status is None:
            self._transport.abort()
            return
        to_head = request.method == "HEAD"
        self._transport.write(response.encode(is_last=request.is_last, to_head=to_head))
        if request.is_last:
            self._transport.close()


class Server:
    """A server that listens once created, and serves in a thread from `start()` to `stop()`."""

    def __init__(self, address: tuple[str, int], handle: Handle) -> None:
        # The socket is bound here, so that a taken port raises in the caller, not in the thread.
        self._socket = socket.create_server(address, backlog=BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._handle = handle
        self._connections: set[HTTPProtocol] = set()
        self._stopping = asyncio.Event()
        # A runner with a loop factory does not change the event loop of the caller's thread.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._run, name="crm", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, also those with a delayed response, and wait for the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._serve())

    async def _serve(self) -> None:
        server = await self._loop.create_server(self._connect, sock=self._socket, backlog=BACKLOG)
        await self._stopping.wait()
        # A connection that is being accepted while the server closes would never be closed.
        while accepting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(accepting)
        server.close()
        for connection in list(self._connections):
            connection.abort()
        # An aborted connection closes its socket in the next iteration of the loop.
        await asyncio.sleep(0)

    def _connect(self) -> HTTPProtocol:
        return HTTPProtocol(self._handle, self._connections)
