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
from tests.misbehaving_servers import LOOPBACK, Script, Server, Talk, loopback_client

SECRET = "correct horse battery staple"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


class LimitsRecorder(Client):
    """A client that remembers how long each send was allowed to take."""

    def __init__(self) -> None:
        super().__init__(LOOPBACK)
        self.totals: list[float] = []

    def send(self, request: Request, limits: SendLimits = SendLimits()) -> Exchange:  # noqa: B008
        self.totals.append(limits.total)
        return super().send(request, limits)


class TokenServer:
    """Hands out token-1, token-2, …; counts how many requests it has at once."""

    def __init__(self, lifetime: object = 3600, seconds: float = 0) -> None:
        self.fetches = 0
        self.most_at_once = 0
        self._at_once = 0
        self._lifetime, self._seconds = lifetime, seconds
        self._lock = threading.Lock()

    def __call__(self, talk: Talk) -> None:
        while talk.request():
            with self._lock:
                self._at_once += 1
                self.fetches += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
                token = f"token-{self.fetches}"
            talk.wait(self._seconds)
            with self._lock:
                self._at_once -= 1
            document = {"access_token": token, "token_type": "Bearer"}
            if self._lifetime is not None:
                document["expires_in"] = self._lifetime  # type: ignore[assignment]
            talk.send(said(200, document))


def said(status: int, document: object) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@contextmanager
def caches(
    script: Script, redis: Any, clock: Clock, count: int = 1, client: Client | None = None
) -> Iterator[tuple[list[TokenCache], OAuth2ClientCredentials, Server]]:
    """As many caches as there are processes, and the authorization to ask them for."""
    with Server(script) as server, client or loopback_client() as used:
        made = [
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
        yield made, authorization, server
