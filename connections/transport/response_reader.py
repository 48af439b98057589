"""Read one response from a stream; of half a response, keep what came."""

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
    """The response, and the error if it is only a part of one.

    `keep_for` is for how many seconds another request may go over the same connection.
    """

    response: Response
    error: ExchangeError | None
    keep_for: float


def read_response(stream: DeadlineSocket, method: str, body_limit: int) -> ReadResult:
    """Read the response to a request that was sent; raise SendError if not even headers came."""
    stream.allow(_MAX_HEAD_BYTES)
    incoming = _read_head(stream, method)
    # Framing and compression cost bytes that are no content, but not any number of them.
    stream.allow(_MAX_HEAD_BYTES + 8 * body_limit)
    body = bytearray()
    error = None
    try:
        _check_head(incoming, stream)
        _read_body(incoming, stream, body, body_limit)
    except SendError as failure:
        error = failure.error
    response = Response(status=incoming.status, headers=_headers(incoming), body=bytes(body))
    return ReadResult(response, error, keep_for=_keep_for(incoming, stream, error))


class _Incoming(http.client.HTTPResponse):
    """http.client's response, which also reads past interim answers other than 100."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, text = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == _SWITCHING:
                return version, status, text
            while self.fp.readline(_MAX_HEAD_BYTES).strip():
                pass


def _read_head(stream: DeadlineSocket, method: str) -> _Incoming:
    incoming = _Incoming(stream, method=method)  # type: ignore[arg-type]
    try:
        incoming.begin()
    except (http.client.HTTPException, OSError, ValueError) as error:
        if isinstance(error, OSError) or stream.is_ended:
            message = "The connection was lost before an answer came; the request may have arrived."
            raise SendError(ErrorCode.CONNECTION_LOST, message) from error
        raise SendError(ErrorCode.PROTOCOL, "The answer is not HTTP.") from error
    return incoming


def _check_head(incoming: _Incoming, stream: DeadlineSocket) -> None:
    """Raise SendError for headers that are cut off or broken, which http.client takes for whole."""
    if stream.is_ended:
        message = "The connection was closed in the middle of the answer's headers."
        raise SendError(ErrorCode.CONNECTION_LOST, message)
    if incoming.headers.defects:
        message = "The answer's headers are broken; what comes after them was not read."
        raise SendError(ErrorCode.PROTOCOL, message)


def _read_body(incoming: _Incoming, stream: DeadlineSocket, body: bytearray, limit: int) -> None:
    """Append what comes to `body`; raise SendError where it is not the whole body."""
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
        raise _broken(stream) from error
    if incoming.length:
        raise _broken(stream)
    decoder.finish()


def _broken(stream: DeadlineSocket) -> SendError:
    if stream.is_ended:
        message = "The connection was closed in the middle of the answer."
        return SendError(ErrorCode.CONNECTION_LOST, message)
    return SendError(ErrorCode.PROTOCOL, "The answer's chunks are broken.")


def _headers(incoming: _Incoming) -> Headers:
    return tuple((name, _text(value)) for name, value in incoming.headers.items())


def _text(value: str) -> str:
    """Decode a header as UTF-8, which http.client took for latin-1."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _keep_for(incoming: _Incoming, stream: DeadlineSocket, error: ExchangeError | None) -> float:
    if error or incoming.will_close or incoming.status == _SWITCHING or not stream.end():
        return 0
    # Keep-Alive: timeout=N, with a second for the way.
    hint = _KEEP_ALIVE.search(incoming.headers.get("Keep-Alive", ""))
    return float(hint[1]) - 1 if hint else math.inf
