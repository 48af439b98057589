"""Decompress a response's body piece by piece (RFC 9110, section 8.4)."""

from __future__ import annotations

import zlib
from typing import Protocol

from connections.core.messages import ErrorCode
from connections.transport.exceptions import SendError

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_START = b"\x1f\x8b"


class Decoder(Protocol):
    """Decompresses pieces of a body, never more at once than asked for: a bomb costs no more memory
    than any other body."""

    def feed(self, piece: bytes, room: int) -> bytes:
        """Return the piece decompressed, at most `room` bytes; raise SendError if it is broken."""
        ...

    def finish(self) -> None:
        """Raise SendError if the body is incomplete."""
        ...


def decoder_for(encoding: str) -> Decoder:
    """Return the decoder for a Content-Encoding."""
    name = encoding.strip().lower()
    if name in ("gzip", "x-gzip"):
        return _Inflater(name)
    if name == "deflate":
        return _Inflater(name)
    return _Unchanged("" if name == "identity" else name)


class _Unchanged:
    def __init__(self, name: str) -> None:
        self._name = name

    def feed(self, piece: bytes, room: int) -> bytes:
        return piece[:room]

    def finish(self) -> None:
        if self._name:
            message = f'The answer is encoded as "{self._name[:40]}", which was not asked for.'
            raise SendError(ErrorCode.PROTOCOL, message)


class _Inflater:
    def __init__(self, name: str) -> None:
        self._name = name
        self._start = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, piece: bytes, room: int) -> bytes:
        if self._stream is None:
            piece = self._start + piece
            if len(piece) < 2:
                self._start = piece
                return b""
            self._start = b""
            self._stream = zlib.decompressobj(self._window(piece))
        try:
            return self._inflate(self._stream, piece, room)
        except zlib.error as error:
            raise self._error("broken") from error

    def finish(self) -> None:
        if self._start or (self._stream and not self._stream.eof):
            raise self._error("incomplete")

    def _inflate(self, stream: zlib._Decompress, piece: bytes, room: int) -> bytes:
        content = stream.decompress(piece, room)
        # A gzip body may be several, one after the other; anything else after the end is ignored.
        while stream.eof and stream.unused_data.startswith(_GZIP_START) and len(content) < room:
            rest = stream.unused_data
            stream = self._stream = zlib.decompressobj(_GZIP)
            content += stream.decompress(rest, room - len(content))
        return content

    def _window(self, start: bytes) -> int:
        if self._name != "deflate":
            return _GZIP
        # "deflate" means zlib's format, but some servers send the bare stream (RFC 9110, 8.4.1.2).
        is_zlib = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS

    def _error(self, what: str) -> SendError:
        return SendError(ErrorCode.PROTOCOL, f"The answer's compression ({self._name}) is {what}.")
