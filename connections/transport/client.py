"""The HTTP client: one request in, one exchange out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import TracebackType

from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request
from connections.transport.connector import SafeConnector
from connections.transport.deadline import Deadline, SendLimits
from connections.transport.destination import DestinationPolicy
from connections.transport.dns import Resolver, system_resolver
from connections.transport.exceptions import SendError
from connections.transport.pool import GuardedAdapter
from connections.transport.response_reader import ReadResult, read_response
from connections.transport.socket_stream import DeadlineSocket

_URL = re.compile(r"(?P<origin>[a-z]+://[^/?#]*)(?P<target>[!-\"$-~]*)(?:#[!-~]*)?", re.IGNORECASE)
_METHOD = re.compile(r"[A-Z]+")
_DEFAULT_LIMITS = SendLimits()


class Client:
    """Sends requests to destinations that the policy allows, over pooled connections; thread-safe.

    It follows no redirects, keeps no cookies, reads no proxies or netrc from the environment, and
    never sends a request twice: the retry schedule decides that.
    """

    def __init__(
        self,
        policy: DestinationPolicy,
        *,
        pool_size: int = 64,
        resolver: Resolver = system_resolver,
        ca_bundle: str | None = None,
    ) -> None:
        """Keep up to `pool_size` connections open to each host: as many as there are threads."""
        self._adapter = GuardedAdapter(SafeConnector(policy, resolver), pool_size, ca_bundle)

    def send(self, request: Request, limits: SendLimits = _DEFAULT_LIMITS) -> Exchange:
        """Send the request, return the exchange; raise nothing that a network or server causes."""
        deadline = Deadline(limits)
        result: ReadResult | None = None
        error: ExchangeError | None
        try:
            result = self._exchange(request, deadline)
            error = result.error
        except SendError as failure:
            error = failure.error
        return Exchange(
            request=request,
            response=result.response if result else None,
            error=error,
            duration=deadline.elapsed,
            finished_at=datetime.now(UTC),
        )

    def close(self) -> None:
        """Close all idle connections."""
        self._adapter.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _exchange(self, request: Request, deadline: Deadline) -> ReadResult:
        parts = _URL.fullmatch(request.url)
        if not parts:
            raise SendError(ErrorCode.NOT_BUILT, "The endpoint is not a URL.")
        message = _message(request, parts["target"])
        pool = self._adapter.pool(parts["origin"])
        connection = pool.borrow()
        keep_for = 0.0
        try:
            stream = connection.open(deadline)
            _send(stream, message)
            result = read_response(stream, request.method, deadline.limits.body_bytes)
            keep_for = result.keep_for
        finally:
            pool.give_back(connection, keep_for)
        return result


def _message(request: Request, target: str) -> bytes:
    """Serialize the request; raise SendError where it would not be exactly one HTTP message."""
    if not target.startswith("/"):
        target = f"/{target}"
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    try:
        head = "\r\n".join((*lines, "", "")).encode()
    except UnicodeEncodeError as error:
        raise SendError(ErrorCode.NOT_BUILT, "A header holds half a character.") from error
    # The builder has checked this; here a line break would smuggle in a second request.
    breaks = len(lines) + 1
    is_sound = head.count(b"\n") == head.count(b"\r") == breaks and b"\0" not in head
    if not is_sound or not _METHOD.fullmatch(request.method):
        raise SendError(ErrorCode.NOT_BUILT, "A line break is in the request's method or headers.")
    return head + request.body


def _send(stream: DeadlineSocket, message: bytes) -> None:
    try:
        stream.send(message)
    except OSError:
        # A server may respond early and close (413, for one). If it did not, reading raises.
        return
