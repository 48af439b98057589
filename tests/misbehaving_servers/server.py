"""A server that follows a script byte by byte, in a thread for each connection."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Self

from tests.timing import WAIT_SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Talk:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._socket = sock
        self._stopping = stopping
        self._unread = b""
        self.requests: list[bytes] = []

    def request(self) -> bytes:
        """The next request, whole; empty when the client has gone."""
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
        """Send byte after byte until the client has had enough."""
        for byte in content:
            self.send(bytes([byte]))
            if self.wait(seconds):
                return

    def wait(self, seconds: float = WAIT_SECONDS) -> bool:
        """Do nothing; ends early, with True, when the server is stopped."""
        return self._stopping.wait(seconds)

    def until_closed(self) -> None:
        """Wait until the client has closed the connection."""
        while self.receive():
            pass

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._socket.close()

    def receive(self) -> bytes:
        """Whatever comes next; empty when the client has gone."""
        piece = self._socket.recv(65536)
        self._unread += piece
        return piece


Script = Callable[[Talk], None]


def answers(*contents: bytes) -> Script:
    """Answer each request with the next of these, and all further ones with the last."""

    def script(talk: Talk) -> None:
        for content in _and_again(contents):
            if not talk.request():
                return
            talk.send(content)

    return script


class Server:
    """Listens from entering to leaving, and remembers every connection."""

    def __init__(
        self, script: Script, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
    ) -> None:
        self._script = script
        self._tls = tls
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, 0), family=family, backlog=128)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.talks: list[Talk] = []
        self.port: int = self._socket.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{'localhost' if tls else '127.0.0.1'}:{self.port}/leads"

    @property
    def requests(self) -> list[bytes]:
        """All requests, in the order of their connections."""
        return [request for talk in self.talks for request in talk.requests]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for talk in self.talks:
            talk.close()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            # A small answer must not wait for the acknowledgement of the one before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = Talk(sock, self._stopping)
            self.talks.append(talk)
            thread = threading.Thread(target=self._serve, args=(talk,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, talk: Talk) -> None:
        # The client cuts most of these conversations; that is what they are for.
        with suppress(OSError):
            if self._tls:
                talk._socket = self._tls.wrap_socket(talk._socket, server_side=True)
            self._script(talk)
        talk.close()


def _and_again(contents: tuple[bytes, ...]) -> Iterator[bytes]:
    yield from contents
    while True:
        yield contents[-1]
