"""The client: one request in, one exchange out, whatever the network does."""

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
    """Sends requests to where the policy lets it. May be used from many threads at once, and keeps
    its connections for the next send.

    It follows no redirects, keeps no cookies, reads no proxies or netrc from the environment, and
    never sends twice: whether to send again is not for it to say.
    """

    def __init__(
        self,
        policy: DestinationPolicy,
        *,
        pool_size: int = 64,
        resolver: Resolver = system_resolver,
        ca_bundle: str | None = None,
    ) -> None:
        """`pool_size` is how many connections to one host are kept open; the number of threads."""
        self._adapter = GuardedAdapter(SafeConnector(policy, resolver), pool_size, ca_bundle)

    def send(self, request: Request, limits: SendLimits = _DEFAULT_LIMITS) -> Exchange:
        """What became of the request. Raises nothing that a network or a server could cause."""
        deadline = Deadline(limits)
        reply: ReadResult | None = None
        error: ExchangeError | None
        try:
            reply = self._reply(request, deadline)
            error = reply.error
        except SendError as failure:
            error = failure.error
        return Exchange(
            request=request,
            response=reply.response if reply else None,
            error=error,
            duration=deadline.elapsed,
            finished_at=datetime.now(UTC),
        )

    def close(self) -> None:
        """Close all connections that are not in use."""
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

    def _reply(self, request: Request, deadline: Deadline) -> ReadResult:
        parts = _URL.fullmatch(request.url)
        if not parts:
            raise SendError(ErrorCode.NOT_BUILT, "The endpoint is not a URL.")
        message = _message(request, parts["target"])
        pool = self._adapter.pool(parts["origin"])
        connection = pool.borrow()
        keep_for = 0.0
        try:
            wire = connection.open(deadline)
            _send(wire, message)
            reply = read_response(wire, request.method, deadline.limits.body_bytes)
            keep_for = reply.keep_for
        finally:
            pool.give_back(connection, keep_for)
        return reply


def _message(request: Request, target: str) -> bytes:
    """The request as bytes, in one piece: what the request says and nothing else."""
    if not target.startswith("/"):
        target = f"/{target}"
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    try:
        head = "\r\n".join((*lines, "", "")).encode()
    except UnicodeEncodeError as error:
        raise SendError(ErrorCode.NOT_BUILT, "A header holds half a character.") from error
    # The builder has checked all of this; here it would put another request on the wire.
    breaks = len(lines) + 1
    is_sound = head.count(b"\n") == head.count(b"\r") == breaks and b"\0" not in head
    if not is_sound or not _METHOD.fullmatch(request.method):
        raise SendError(ErrorCode.NOT_BUILT, "A line break is in the request's method or headers.")
    return head + request.body


def _send(wire: DeadlineSocket, message: bytes) -> None:
    try:
        wire.send(message)
    except OSError:
        # A server may answer early and close (413, for one). If it did not, reading says so.
        return
