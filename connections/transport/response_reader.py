"""Reads one answer from a wire, and keeps what came of half an answer; must not know pools."""

from __future__ import annotations

import http.client
import math
import re
from dataclasses import dataclass

from connections.core.messages import ErrorCode, ExchangeError, Headers, Response
from connections.transport.decoding import decoder_for
from connections.transport.exceptions import SendError, reason
from connections.transport.socket_stream import DeadlineSocket

_MAX_HEAD_BYTES = 64 * 1024
_SWITCHING = 101
_PIECE = 16 * 1024
_KEEP_ALIVE = re.compile(r"timeout=(\d{1,6})")


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What came: a response, and the error if it is only a part of one. `keep_for` says for how
    many seconds another request may go over the same connection."""

    response: Response
    error: ExchangeError | None
    keep_for: float


def read_response(wire: DeadlineSocket, method: str, body_limit: int) -> ReadResult:
    """The answer to a request that was sent; raises SendError if not even its headers came."""
    wire.allow(_MAX_HEAD_BYTES)
    incoming = _read_head(wire, method)
    # Framing and compression may cost something, but not any number of bytes that are no content.
    wire.allow(_MAX_HEAD_BYTES + 8 * body_limit)
    body = bytearray()
    error = None
    try:
        _check_head(incoming, wire)
        _read_body(incoming, wire, body, body_limit)
    except SendError as failure:
        error = failure.error
    response = Response(status=incoming.status, headers=_headers(incoming), body=bytes(body))
    return ReadResult(response, error, keep_for=_keep_for(incoming, wire, error))


class _Incoming(http.client.HTTPResponse):
    """http.client's response, which also reads past interim answers other than 100."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, text = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == _SWITCHING:
                return version, status, text
            while self.fp.readline(_MAX_HEAD_BYTES).strip():
                pass


def _read_head(wire: DeadlineSocket, method: str) -> _Incoming:
    incoming = _Incoming(wire, method=method)  # type: ignore[arg-type]
    try:
        incoming.begin()
    except (http.client.HTTPException, OSError, ValueError) as error:
        if isinstance(error, OSError) or wire.is_ended:
            message = "The connection was lost before an answer came; the request may have arrived."
            raise SendError(ErrorCode.CONNECTION_LOST, message) from error
        raise SendError(ErrorCode.PROTOCOL, "The answer is not HTTP.") from error
    return incoming


def _check_head(incoming: _Incoming, wire: DeadlineSocket) -> None:
    """http.client takes headers that are cut off, or broken, for headers that end there."""
    if wire.is_ended:
        message = "The connection was closed in the middle of the answer's headers."
        raise SendError(ErrorCode.CONNECTION_LOST, message)
    if incoming.headers.defects:
        message = "The answer's headers are broken; what comes after them was not read."
        raise SendError(ErrorCode.PROTOCOL, message)


def _read_body(incoming: _Incoming, wire: DeadlineSocket, body: bytearray, limit: int) -> None:
    """Add to the body what comes; raises SendError where that is not all of it."""
    decoder = decoder_for(incoming.headers.get("Content-Encoding", ""))
    try:
        while piece := incoming.read1(_PIECE):
            body += decoder.feed(piece, limit + 1 - len(body))
            if len(body) > limit:
                del body[limit:]
                message = f"The answer is longer than {limit:,} bytes; the rest was not read."
                raise SendError(ErrorCode.TOO_LARGE, message)
    except OSError as error:
        message = f"The connection was lost in the middle of the answer ({reason(error)})."
        raise SendError(ErrorCode.CONNECTION_LOST, message) from error
    except (http.client.HTTPException, ValueError) as error:
        raise _broken(wire) from error
    if incoming.length:
        raise _broken(wire)
    decoder.finish()


def _broken(wire: DeadlineSocket) -> SendError:
    if wire.is_ended:
        message = "The connection was closed in the middle of the answer."
        return SendError(ErrorCode.CONNECTION_LOST, message)
    return SendError(ErrorCode.PROTOCOL, "The answer's chunks are broken.")


def _headers(incoming: _Incoming) -> Headers:
    return tuple((name, _text(value)) for name, value in incoming.headers.items())


def _text(value: str) -> str:
    """http.client takes headers for latin-1; those who send more than ASCII send UTF-8 today."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _keep_for(incoming: _Incoming, wire: DeadlineSocket, error: ExchangeError | None) -> float:
    if error or incoming.will_close or incoming.status == _SWITCHING or not wire.end():
        return 0
    # A server that says when it closes is believed, with a second for the way.
    hint = _KEEP_ALIVE.search(incoming.headers.get("Keep-Alive", ""))
    return float(hint[1]) - 1 if hint else math.inf
