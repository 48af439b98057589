"""A token server that counts its requests, and token caches that use it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connections.core.messages import Exchange, Request
from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.transport import Client, SendLimits
from connections.transport.tokens import TokenCache
from tests.misbehaving_servers import LOOPBACK, Script, Server, ServerConnection, loopback_client

SECRET = "correct horse battery staple"


class Clock:
    """A clock in seconds that tests advance."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


class LimitsRecorder(Client):
    """A client that records the total time limit of each send, in seconds."""

    def __init__(self) -> None:
        super().__init__(LOOPBACK)
        self.totals: list[float] = []

    def send(self, request: Request, limits: SendLimits = SendLimits()) -> Exchange:  # noqa: B008
        self.totals.append(limits.total)
        return super().send(request, limits)


class TokenServer:
    """A script that issues token-1, token-2, … and counts requests and concurrent requests."""

    def __init__(self, lifetime: object = 3600, seconds: float = 0) -> None:
        self.fetches = 0
        self.max_concurrent = 0
        self._concurrent = 0
        self._lifetime, self._seconds = lifetime, seconds
        self._lock = threading.Lock()

    def __call__(self, connection: ServerConnection) -> None:
        while connection.read_request():
            with self._lock:
                self._concurrent += 1
                self.fetches += 1
                self.max_concurrent = max(self.max_concurrent, self._concurrent)
                token = f"token-{self.fetches}"
            connection.wait(self._seconds)
            with self._lock:
                self._concurrent -= 1
            document = {"access_token": token, "token_type": "Bearer"}
            if self._lifetime is not None:
                document["expires_in"] = self._lifetime  # type: ignore[assignment]
            connection.send(json_response(200, document))


def json_response(status: int, document: object) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@contextmanager
def open_token_caches(
    script: Script, redis: Any, clock: Clock, count: int = 1, client: Client | None = None
) -> Iterator[tuple[list[TokenCache], OAuth2ClientCredentials, Server]]:
    """Yield a token cache for each process, the authorization, and the token server."""
    with Server(script) as server, client or loopback_client() as used:
        caches = [
            TokenCache(
                redis,
                used,
                encrypt=lambda text: text[::-1],
                decrypt=lambda text: text[::-1],
                now=clock,
            )
            for _ in range(count)
        ]
        authorization = OAuth2ClientCredentials(
            token_url=server.url, client_id="me", client_secret=SECRET, scope="leads"
        )
        yield caches, authorization, server
