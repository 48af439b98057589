"""A cache of OAuth 2 tokens, which all workers share.

A token is looked up in this process, then in Redis, and then fetched by one thread of one process
at a time. Without Redis each process fetches its own, and deliveries go on. When a token is
renewed, such as after a 401, the authorization's flow decides
(`core/request/authorization/oauth2.py`).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import LockError, RedisError

from connections.core.messages import Request
from connections.core.request.authorization import (
    TokenAuthorization,
    TokenError,
    TokenUnavailableError,
)
from connections.core.request.builder import USER_AGENT
from connections.transport import Client, SendLimits
from connections.transport.deadline import Deadline

MAX_FETCH_SECONDS = 10.0
"""For a fetch and the wait for another thread's or process's fetch; a delivery waits meanwhile."""

FAILURE_COOLDOWN_SECONDS = 5.0
"""How long a failure stands before the token server is asked again."""

_MARGIN_SHARE, _MAX_MARGIN_SECONDS = 0.1, 30.0
_LOCK_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class CachedToken:
    """A token and when it is renewed, in seconds since the epoch."""

    value: str
    renew_at: float

    def is_fresh(self, now: float, refused: str) -> bool:
        """Return whether the token may be used: it has not expired, and it is not the refused."""
        return self.value != refused and now < self.renew_at


@dataclass(slots=True)
class CacheEntry:
    """The token of one authorization in this process, or the last failure to fetch it.

    Whoever holds the lock writes the rest.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: CachedToken | None = None
    failure: TokenError | None = None
    failed_at: float = 0.0


class TokenCache:
    """Tokens by authorization; safe to use from many threads."""

    def __init__(
        self,
        redis: Redis | Callable[[], Redis],
        client: Client,
        *,
        encrypt: Callable[[str], str],
        decrypt: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Keep what the cache works with; `redis` should have a socket timeout."""
        self._redis = redis if callable(redis) else lambda: redis
        self._client = client
        self._encrypt, self._decrypt = encrypt, decrypt
        self._now = now
        self._entries: dict[TokenAuthorization, CacheEntry] = {}

    def token_for(
        self, authorization: TokenAuthorization, limits: SendLimits, *, refused: str = ""
    ) -> str:
        """Return a valid token other than the refused one, and fetch it if there is none.

        When the CRM refuses one token for many deliveries, the first of them fetches another and
        the others get that. Raise TokenError.
        """
        entry = self._entry(authorization)
        token = entry.token
        if token and token.is_fresh(self._now(), refused):
            return token.value
        total = min(limits.total, MAX_FETCH_SECONDS)
        return self._renew(authorization, entry, refused, Deadline(replace(limits, total=total)))

    def _renew(
        self, authorization: TokenAuthorization, entry: CacheEntry, refused: str, deadline: Deadline
    ) -> str:
        if not entry.lock.acquire(timeout=max(deadline.remaining, 0)):
            raise TokenUnavailableError("The token is being fetched, which takes too long.")
        try:
            if entry.token is None or not entry.token.is_fresh(self._now(), refused):
                entry.token = self._load_or_fetch(authorization, entry, refused, deadline)
            return entry.token.value
        finally:
            entry.lock.release()

    def _load_or_fetch(
        self, authorization: TokenAuthorization, entry: CacheEntry, refused: str, deadline: Deadline
    ) -> CachedToken:
        key = _key(authorization)
        with self._lock_in_redis(key, deadline):
            shared = self._load(key)
            if shared and shared.is_fresh(self._now(), refused):
                return shared
            fetched = self._fetch_unless_failed(authorization, entry, deadline)
            self._store(key, fetched)
            return fetched

    def _fetch_unless_failed(
        self, authorization: TokenAuthorization, entry: CacheEntry, deadline: Deadline
    ) -> CachedToken:
        if entry.failure and self._now() < entry.failed_at + FAILURE_COOLDOWN_SECONDS:
            # Those who waited for a fetch that failed, and whoever comes right after it, need not
            # ask again: token servers lock out clients that insist.
            raise entry.failure
        try:
            entry.failure = None
            return self._fetch(authorization, deadline)
        except TokenError as failure:
            entry.failure, entry.failed_at = failure, self._now()
            raise

    def _fetch(self, authorization: TokenAuthorization, deadline: Deadline) -> CachedToken:
        asked_at = self._now()
        request = _complete(authorization.token_request())
        token = authorization.read_token(self._client.send(request, deadline.remaining_limits()))
        margin = min(token.lifetime * _MARGIN_SHARE, _MAX_MARGIN_SECONDS)
        return CachedToken(token.value, asked_at + token.lifetime - margin)

    def _entry(self, authorization: TokenAuthorization) -> CacheEntry:
        found = self._entries.get(authorization)
        return found or self._entries.setdefault(authorization, CacheEntry())

    @contextmanager
    def _lock_in_redis(self, key: str, deadline: Deadline) -> Iterator[None]:
        """Keep other processes from fetching the same token, unless Redis is down."""
        remaining = max(deadline.remaining, _LOCK_POLL_SECONDS)
        try:
            lock = self._redis().lock(
                f"{key}:lock", timeout=remaining + 5, sleep=_LOCK_POLL_SECONDS
            )
            is_held = lock.acquire(blocking_timeout=remaining)
        except RedisError:
            yield
            return
        if not is_held:
            raise TokenUnavailableError(
                "Another worker is fetching the token, which takes too long."
            )
        try:
            yield
        finally:
            with suppress(LockError, RedisError):
                lock.release()

    def _load(self, key: str) -> CachedToken | None:
        try:
            stored = self._redis().get(key)
            text = stored.decode() if isinstance(stored, bytes) else str(stored or "")
            return CachedToken(**json.loads(self._decrypt(text))) if text else None
        except Exception:  # Redis is down, or it is under a key that is gone: it is fetched anew.
            return None

    def _store(self, key: str, token: CachedToken) -> None:
        seconds = int(token.renew_at - self._now())
        if seconds > 0:
            with suppress(RedisError):
                self._redis().set(key, self._encrypt(json.dumps(asdict(token))), ex=seconds)


def _key(authorization: TokenAuthorization) -> str:
    """Return a hash of all settings, as each may change the token, and some are secret."""
    settings = json.dumps([authorization.kind, authorization.to_settings()], sort_keys=True)
    return f"token:{hashlib.sha256(settings.encode()).hexdigest()}"


def _complete(request: Request) -> Request:
    """Return the request with the headers that every request has."""
    headers = (
        ("Host", urlsplit(request.url).netloc),
        ("User-Agent", USER_AGENT),
        ("Accept-Encoding", "gzip, deflate"),
        *request.headers,
        ("Content-Length", str(len(request.body))),
    )
    return replace(request, headers=headers)
