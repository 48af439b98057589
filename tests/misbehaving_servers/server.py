"""A server that follows a script byte by byte, in a thread for each connection."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Self

from tests.timing import WAIT_SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ServerConnection:
    """One connection, from the server's side."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._socket = sock
        self._stopping = stopping
        self._unread = b""
        self.requests: list[bytes] = []

    def read_request(self) -> bytes:
        """Read one request; return b"" if the client has closed the connection."""
        while not (head := re.match(rb".*?\r\n\r\n", self._unread, re.DOTALL)):
            if not self.receive():
                return b""
        length = re.search(rb"\r\nContent-Length: (\d+)", head[0])
        end = len(head[0]) + (int(length[1]) if length else 0)
        while len(self._unread) < end:
            if not self.receive():
                return b""
        request, self._unread = self._unread[:end], self._unread[end:]
        self.requests.append(request)
        return request

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def drip(self, content: bytes, seconds: float = 0.02) -> None:
        """Send byte by byte until all is sent or the server is stopped."""
        for byte in content:
            self.send(bytes([byte]))
            if self.wait(seconds):
                return

    def wait(self, seconds: float = WAIT_SECONDS) -> bool:
        """Wait so many seconds; return True at once when the server is stopped."""
        return self._stopping.wait(seconds)

    def wait_until_closed(self) -> None:
        """Wait until the client has closed the connection."""
        while self.receive():
            pass

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._socket.close()

    def receive(self) -> bytes:
        """Read what has arrived; return b"" if the client has closed the connection."""
        received = self._socket.recv(65536)
        self._unread += received
        return received


Script = Callable[[ServerConnection], None]


def respond_with(*contents: bytes) -> Script:
    """Return a script that sends one of the contents per request, and the last one repeatedly."""

    def script(connection: ServerConnection) -> None:
        for content in _repeat_last(contents):
            if not connection.read_request():
                return
            connection.send(content)

    return script


class Server:
    """A server that listens inside its `with` block and keeps every connection."""

    def __init__(
        self, script: Script, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
    ) -> None:
        self._script = script
        self._tls = tls
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, 0), family=family, backlog=128)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.connections: list[ServerConnection] = []
        self.port: int = self._socket.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{'localhost' if tls else '127.0.0.1'}:{self.port}/leads"

    @property
    def requests(self) -> list[bytes]:
        """All requests, in the order of their connections."""
        return [request for connection in self.connections for request in connection.requests]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self.connections:
            connection.close()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            # Without it, a small response waits for the acknowledgement of the last one.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = ServerConnection(sock, self._stopping)
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: ServerConnection) -> None:
        # In most tests the client closes the connection while the script still sends.
        with suppress(OSError):
            if self._tls:
                connection._socket = self._tls.wrap_socket(connection._socket, server_side=True)
            self._script(connection)
        connection.close()


@contextmanager
def full_backlog(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Listen on a port whose backlog is full: it neither accepts nor refuses; yield the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as stack:
        listener = stack.enter_context(
            socket.create_server((address, port), family=family, backlog=0)
        )
        for _ in range(4):
            sock = stack.enter_context(socket.socket(family))
            sock.settimeout(0)
            sock.connect_ex(listener.getsockname()[:2])
        yield listener.getsockname()[1]


def _repeat_last(contents: tuple[bytes, ...]) -> Iterator[bytes]:
    yield from contents
    while True:
        yield contents[-1]
