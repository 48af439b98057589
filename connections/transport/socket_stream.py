"""The bytes of one open connection, within the limits of the send that uses it; knows no HTTP."""

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
"""What TLS waits for; it may have to read in order to write."""

_WOULD_BLOCK: tuple[type[Exception], ...] = (BlockingIOError, *_WAIT_EVENTS)


class _KeptReader(io.BufferedReader):
    """A reader that outlives the answers read from it, so that it knows what came beyond one."""

    def close(self) -> None:
        """Stay open: whoever has read an answer closes this, but the next answer needs it."""


class DeadlineSocket(io.RawIOBase):
    """A socket that waits no longer than it may, and reads no more than it may.

    requests and urllib3 limit each single read, so a server that drips one byte a second can hold
    a thread for ever; here, every wait asks first what is left of the whole.

    The socket itself never waits. One that has a timeout of its own asks the system to change its
    mode at each new timeout, and waits before it writes: each of these lets go of the interpreter,
    and in a worker 31 other threads are after it. That was a sixth of all a delivery cost.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._socket = sock
        self._reader = _KeptReader(self)
        self._patience: Deadline | None = None
        self._allowance = 0
        self.is_ended = False

    def begin(self, deadline: Deadline) -> None:
        """From here on, reads and writes are for this send."""
        self._patience = deadline
        self.is_ended = False

    def allow(self, count: int) -> None:
        """How many bytes may be read from here on."""
        self._allowance = count

    def end(self) -> bool:
        """The send is over; True if nothing came beyond its answer, so that another may follow."""
        self._patience = None
        return not self._is_decrypted and not self._reader.peek(1)

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        """What http.client reads an answer from."""
        return self._reader

    def send(self, message: bytes) -> None:
        """Send all of it."""
        unsent = memoryview(message)
        while unsent:
            # Nothing is begun when the time is up already.
            self._current_deadline().for_reading()
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except _WOULD_BLOCK as wish:
                self._wait(_WAIT_EVENTS.get(type(wish), select.POLLOUT))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """Called by the reader when it has nothing left. Without a send there is nothing to wait
        for, and None says so."""
        if self._patience is None:
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
            except _WOULD_BLOCK as wish:
                self._wait(_WAIT_EVENTS.get(type(wish), select.POLLIN))

    @property
    def _is_decrypted(self) -> bool:
        """TLS decrypts a record at a time, so bytes may wait there that the system doesn't show."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _wait(self, event: int) -> None:
        deadline = self._current_deadline()
        poller = select.poll()
        poller.register(self._socket, event)
        if not poller.poll(1000 * deadline.for_reading()):
            raise deadline.timeout()

    def _current_deadline(self) -> Deadline:
        if self._patience is None:
            raise RuntimeError("A wire is written to only between begin() and end().")
        return self._patience
