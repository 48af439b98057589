"""OAuth 2 tokens, fetched once for all workers; must not know what they are used for, nor Django.

A token is looked for in this process, then in Redis, and fetched only then, by one thread of one
process at a time. Without Redis each process fetches its own: deliveries go on.
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

from connections.core.messages import ErrorCode, Exchange, Request
from connections.core.request.authorization.base import Authorization, TokenError
from connections.core.request.builder import USER_AGENT
from connections.transport import Client, SendLimits

MAX_FETCH_SECONDS = 10.0
"""Seconds for all of it, also the waiting for somebody else's fetch: a delivery waits meanwhile."""

_MARGIN_SHARE, _MAX_MARGIN_SECONDS = 0.1, 30.0
_FAILURE_COOLDOWN_SECONDS = 5.0
_TEMPORARY = {408, 425, 429, *range(500, 600)}
_LOCK_POLL = 0.05


class TokenUnavailableError(TokenError):
    """No token came back, and it is not for the credentials: trying again later may help."""

    def __init__(self, message: str, code: ErrorCode = ErrorCode.CONNECT_FAILED) -> None:
        """The code says that nothing was sent to the CRM."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    renew_at: float


@dataclass(slots=True)
class _Slot:
    """What this process knows of one authorization's token."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: _Kept | None = None
    failure: TokenError | None = None
    failed_at: float = 0.0


class TokenCache:
    """Tokens by authorization. May be used from many threads at once."""

    def __init__(
        self,
        redis: Redis | Callable[[], Redis],
        client: Client,
        *,
        encrypt: Callable[[str], str],
        decrypt: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`redis` should have a socket timeout. What is kept there is encrypted."""
        self._redis = redis if callable(redis) else lambda: redis
        self._client = client
        self._encrypt, self._decrypt = encrypt, decrypt
        self._now = now
        self._slots: dict[Authorization, _Slot] = {}

    def token_for(self, authorization: Authorization, limits: SendLimits) -> str:
        """A token that is good for now; raises TokenRefused."""
        slot = self._slot(authorization)
        if slot.kept and self._is_good(slot.kept, refused=""):
            return slot.kept.token
        return self._renewed(authorization, limits, refused="")

    def renew(self, authorization: Authorization, refused_token: str, limits: SendLimits) -> str:
        """Another token than the one that the CRM refused; raises TokenRefused.

        When many deliveries were refused with the same token, the first of them fetches another
        one, and the others get that.
        """
        return self._renewed(authorization, limits, refused_token)

    def _renewed(self, authorization: Authorization, limits: SendLimits, refused: str) -> str:
        slot = self._slot(authorization)
        ends_at = time.monotonic() + min(limits.total, MAX_FETCH_SECONDS)
        if not slot.lock.acquire(timeout=ends_at - time.monotonic()):
            raise TokenUnavailableError("The token is being fetched, which takes too long.")
        try:
            if slot.kept is None or not self._is_good(slot.kept, refused):
                slot.kept = self._shared_or_fetched(authorization, slot, limits, refused, ends_at)
            return slot.kept.token
        finally:
            slot.lock.release()

    def _shared_or_fetched(
        self,
        authorization: Authorization,
        slot: _Slot,
        limits: SendLimits,
        refused: str,
        ends_at: float,
    ) -> _Kept:
        key = _key(authorization)
        with self._fetching_alone(key, ends_at):
            shared = self._load(key)
            if shared and self._is_good(shared, refused):
                return shared
            fetched = self._fetch(authorization, slot, limits, ends_at)
            self._save(key, fetched)
            return fetched

    def _fetch(
        self, authorization: Authorization, slot: _Slot, limits: SendLimits, ends_at: float
    ) -> _Kept:
        if slot.failure and self._now() < slot.failed_at + _FAILURE_COOLDOWN_SECONDS:
            # Those who waited for a fetch that failed, and whoever comes right after it, need not
            # ask again: token servers lock out clients that insist.
            raise slot.failure
        try:
            slot.failure = None
            return self._fetched(authorization, limits, ends_at)
        except TokenError as failure:
            slot.failure, slot.failed_at = failure, self._now()
            raise

    def _fetched(self, authorization: Authorization, limits: SendLimits, ends_at: float) -> _Kept:
        request = authorization.token_request()
        if request is None:
            raise TypeError(f"The authorization {authorization.kind} knows no tokens.")
        asked_at = self._now()
        remaining = max(ends_at - time.monotonic(), 0)
        exchange = self._client.send(_complete(request), replace(limits, total=remaining))
        try:
            token = authorization.read_token(exchange)
        except TokenError as refusal:
            raise _explained(refusal, exchange) from None
        margin = min(token.lifetime * _MARGIN_SHARE, _MAX_MARGIN_SECONDS)
        return _Kept(token.value, asked_at + token.lifetime - margin)

    def _is_good(self, kept: _Kept, refused: str) -> bool:
        return kept.token != refused and self._now() < kept.renew_at

    def _slot(self, authorization: Authorization) -> _Slot:
        return self._slots.get(authorization) or self._slots.setdefault(authorization, _Slot())

    @contextmanager
    def _fetching_alone(self, key: str, ends_at: float) -> Iterator[None]:
        """While this lasts, no other process fetches the same token, as far as Redis is there."""
        remaining = max(ends_at - time.monotonic(), _LOCK_POLL)
        try:
            lock = self._redis().lock(f"{key}:lock", timeout=remaining + 5, sleep=_LOCK_POLL)
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

    def _load(self, key: str) -> _Kept | None:
        try:
            stored = self._redis().get(key)
            text = stored.decode() if isinstance(stored, bytes) else str(stored or "")
            return _Kept(**json.loads(self._decrypt(text))) if text else None
        except Exception:  # Redis is down, or it is under a key that is gone: it is fetched anew.
            return None

    def _save(self, key: str, kept: _Kept) -> None:
        seconds = int(kept.renew_at - self._now())
        if seconds > 0:
            with suppress(RedisError):
                self._redis().set(key, self._encrypt(json.dumps(asdict(kept))), ex=seconds)


def _key(authorization: Authorization) -> str:
    """Everything that decides which token comes back; not to be read, for it holds the secret."""
    settings = json.dumps([authorization.kind, authorization.to_settings()], sort_keys=True)
    return f"token:{hashlib.sha256(settings.encode()).hexdigest()}"


def _complete(request: Request) -> Request:
    headers = (
        ("Host", urlsplit(request.url).netloc),
        ("User-Agent", USER_AGENT),
        ("Accept-Encoding", "gzip, deflate"),
        *request.headers,
        ("Content-Length", str(len(request.body))),
    )
    return replace(request, headers=headers)


def _explained(refusal: TokenError, exchange: Exchange) -> TokenError:
    """Whether it is the credentials that were refused, or something that passes."""
    if exchange.error and exchange.error.code is ErrorCode.BLOCKED_ADDRESS:
        return TokenUnavailableError(str(refusal), ErrorCode.BLOCKED_ADDRESS)
    is_temporary = exchange.response is None or exchange.response.status in _TEMPORARY
    return TokenUnavailableError(str(refusal)) if is_temporary or exchange.error else refusal
