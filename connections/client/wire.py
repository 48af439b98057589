"""The bytes of one open connection, within the limits of the send that uses it; knows no HTTP."""

from __future__ import annotations

import io
import socket
import ssl

from connections.client.failures import SendError
from connections.client.timing import Patience
from connections.http.messages import ErrorCode


class _KeptReader(io.BufferedReader):
    """A reader that outlives the answers read from it, so that it knows what came beyond one."""

    def close(self) -> None:
        """Stay open: whoever has read an answer closes this, but the next answer needs it."""


class Wire(io.RawIOBase):
    """A socket that waits no longer than it may, and reads no more than it may.

    requests and urllib3 limit each single read, so a server that drips one byte a second can hold
    a thread for ever; here, every read and write asks first what is left of the whole.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader = _KeptReader(self)
        self._patience: Patience | None = None
        self._allowance = 0
        self.is_ended = False

    def begin(self, patience: Patience) -> None:
        """From here on, reads and writes are for this send."""
        self._patience = patience
        self.is_ended = False

    def allow(self, count: int) -> None:
        """How many bytes may be read from here on."""
        self._allowance = count

    def end(self) -> bool:
        """The send is over; True if nothing came beyond its answer, so that another may follow."""
        self._patience = None
        # TLS decrypts a record at a time, so bytes may wait there that the system no longer shows.
        waiting = self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0
        return not waiting and not self._reader.peek(1)

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        """What http.client reads an answer from."""
        return self._reader

    def send(self, message: bytes) -> None:
        """Send all of it."""
        unsent = memoryview(message)
        while unsent:
            patience = self._patience_now()
            self._socket.settimeout(patience.for_reading())
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except TimeoutError as error:
                raise patience.timeout() from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """Called by the reader when it has nothing left. Without a send there is nothing to wait
        for, and None says so."""
        patience = self._patience
        if patience is None:
            return None
        if self._allowance <= 0:
            raise SendError(ErrorCode.TOO_LARGE, "The answer is too large; the rest was not read.")
        self._socket.settimeout(patience.for_reading())
        try:
            count = self._socket.recv_into(buffer)
        except TimeoutError as error:
            raise patience.timeout() from error
        self._allowance -= count
        self.is_ended = not count
        return count

    def _patience_now(self) -> Patience:
        if self._patience is None:
            raise RuntimeError("A wire is written to only between begin() and end().")
        return self._patience
