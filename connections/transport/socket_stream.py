"""Read and write the bytes of one open connection, within the limits of the current send."""

from __future__ import annotations

import io
import select
import socket
import ssl

from connections.core.messages import ErrorCode
from connections.transport.deadline import Deadline
from connections.transport.exceptions import SendError

_WAIT_EVENTS: dict[type[Exception], int] = {
    ssl.SSLWantReadError: select.POLLIN,
    ssl.SSLWantWriteError: select.POLLOUT,
}
"""The event that TLS waits for; it may have to read in order to write."""

_WOULD_BLOCK: tuple[type[Exception], ...] = (BlockingIOError, *_WAIT_EVENTS)


class _KeptReader(io.BufferedReader):
    """A reader that outlives the responses read from it, and so sees bytes beyond one."""

    def close(self) -> None:
        """Stay open: http.client closes its reader after each response, but the next needs it."""


class DeadlineSocket(io.RawIOBase):
    """A non-blocking socket that waits no longer than the deadline and reads no more than allowed.

    requests and urllib3 limit each single read, so a server that drips one byte a second can hold
    a thread for ever; here, every wait asks the deadline first.

    The socket is non-blocking, because a timeout of its own costs a system call to set and another
    to wait before each write. Each of them releases the GIL, and in a worker 31 other threads want
    it: that was a sixth of what a delivery cost.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._socket = sock
        self._reader = _KeptReader(self)
        self._deadline: Deadline | None = None
        self._allowance = 0
        self.is_ended = False

    def begin(self, deadline: Deadline) -> None:
        """Begin a send: its deadline holds for all reads and writes until `end`."""
        self._deadline = deadline
        self.is_ended = False

    def allow(self, count: int) -> None:
        """Allow `count` more bytes to be read."""
        self._allowance = count

    def end(self) -> bool:
        """End the send; return True if no byte came beyond its response: another may follow."""
        self._deadline = None
        return not self._is_decrypted and not self._reader.peek(1)

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        """Return the reader for http.client."""
        return self._reader

    def send(self, message: bytes) -> None:
        """Send the whole message; raise SendError when the time is up."""
        unsent = memoryview(message)
        while unsent:
            # Raises where the time is up already.
            self._current_deadline().for_reading()
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except _WOULD_BLOCK as error:
                self._wait(_WAIT_EVENTS.get(type(error), select.POLLOUT))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """Read into the buffer for the reader; return None outside a send, when nothing is due."""
        if self._deadline is None:
            return None
        if self._allowance <= 0:
            raise SendError(ErrorCode.TOO_LARGE, "The answer is too large; the rest was not read.")
        if not self._is_decrypted:
            self._wait(select.POLLIN)
        count = self._read(buffer)
        self._allowance -= count
        self.is_ended = not count
        return count

    def _read(self, buffer: memoryview) -> int:
        while True:
            try:
                return self._socket.recv_into(buffer)
            except _WOULD_BLOCK as error:
                self._wait(_WAIT_EVENTS.get(type(error), select.POLLIN))

    @property
    def _is_decrypted(self) -> bool:
        """Whether TLS holds decrypted bytes, which `poll` doesn't show."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _wait(self, event: int) -> None:
        deadline = self._current_deadline()
        poller = select.poll()
        poller.register(self._socket, event)
        if not poller.poll(1000 * deadline.for_reading()):
            raise deadline.timeout()

    def _current_deadline(self) -> Deadline:
        if self._deadline is None:
            raise RuntimeError("A stream is used only between begin() and end().")
        return self._deadline
