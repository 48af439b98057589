"""The token cache: fetching, sharing, renewal, and caching without Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from connections.core.request.authorization import TokenUnavailableError
from connections.transport import SendLimits
from tests.misbehaving_servers import LONG_LIMITS, ServerConnection
from tests.misbehaving_servers.tokens import (
    SECRET,
    Clock,
    LimitsRecorder,
    TokenServer,
    json_response,
    open_token_caches,
)
from tests.timing import WAIT_SECONDS, scaled


@pytest.fixture
def no_redis() -> Iterator[Any]:
    with Redis.from_url("unix:///nowhere/redis.sock") as client:
        yield client


def test_the_token_request_has_all_headers_and_parameters(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock) as ([cache], authorization, server):
        assert cache.token_for(authorization, LONG_LIMITS) == "token-1"

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]]
    assert head.startswith(b"POST /leads HTTP/1.1\r\nHost: 127.0.0.1:")
    assert names == [
        b"Host", b"User-Agent", b"Accept-Encoding", b"Accept", b"Content-Type", b"Authorization",
        b"Content-Length",
    ]  # fmt: skip
    assert body == b"grant_type=client_credentials&scope=leads"


def test_one_token_serves_many_sends(redis: Any, clock: Clock) -> None:
    tokens = TokenServer()
    with open_token_caches(tokens, redis, clock) as ([cache], authorization, _):
        assert {cache.token_for(authorization, LONG_LIMITS) for _ in range(100)} == {"token-1"}
        # An equal authorization, built again, has the same token.
        assert cache.token_for(replace(authorization), LONG_LIMITS) == "token-1"
    assert tokens.fetches == 1


def test_a_cached_token_needs_no_redis_command(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        cache.token_for(authorization, LONG_LIMITS)
        before = redis.info("stats")["total_commands_processed"]
        for _ in range(50):
            cache.token_for(authorization, LONG_LIMITS)
        assert redis.info("stats")["total_commands_processed"] == before + 1


def test_processes_share_a_token(redis: Any, clock: Clock) -> None:
    tokens = TokenServer()
    with open_token_caches(tokens, redis, clock, count=3) as (processes, authorization, _):
        assert {cache.token_for(authorization, LONG_LIMITS) for cache in processes} == {"token-1"}
    assert tokens.fetches == 1


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "you"},
        {"client_secret": "another"},
        {"scope": "contacts"},
        {"audience": "https://api.crm.example"},
        {"extra": "a=b"},
    ],
)
def test_other_settings_have_another_token(
    redis: Any, clock: Clock, change: dict[str, str]
) -> None:
    with open_token_caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        assert cache.token_for(authorization, LONG_LIMITS) == "token-1"
        assert cache.token_for(replace(authorization, **change), LONG_LIMITS) == "token-2"


def test_the_token_in_redis_is_encrypted(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        cache.token_for(authorization, LONG_LIMITS)
    [key] = redis.keys()
    assert key.startswith(b"token:")
    assert 0 < redis.ttl(key) <= 3570
    for text in (b"token-1", SECRET.encode(), b"leads"):
        assert text not in redis.get(key)
        assert text not in key


@pytest.mark.parametrize(
    ("lifetime", "good_for"), [(3600, 3570), (300, 270), (60, 54), (10, 9), (None, 270), (0, 270)]
)
def test_a_token_is_renewed_before_it_expires(
    redis: Any, clock: Clock, lifetime: int | None, good_for: float
) -> None:
    with open_token_caches(TokenServer(lifetime), redis, clock) as ([cache], authorization, _):
        assert cache.token_for(authorization, LONG_LIMITS) == "token-1"
        clock.seconds += good_for - 0.5
        assert cache.token_for(authorization, LONG_LIMITS) == "token-1"
        clock.seconds += 1
        assert cache.token_for(authorization, LONG_LIMITS) == "token-2"


def test_a_token_in_redis_is_not_used_after_its_time(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock, count=2) as (
        [one, other],
        authorization,
        _,
    ):
        one.token_for(authorization, LONG_LIMITS)
        clock.seconds += 3599
        assert other.token_for(authorization, LONG_LIMITS) == "token-2"


def test_a_refused_token_is_renewed_once_for_all(redis: Any, clock: Clock) -> None:
    tokens = TokenServer(seconds=0.05)
    with open_token_caches(tokens, redis, clock, count=2) as (processes, authorization, _):
        refused = {cache.token_for(authorization, LONG_LIMITS) for cache in processes}
        assert refused == {"token-1"}
        with ThreadPoolExecutor(8) as threads:
            renewals = threads.map(
                lambda number: processes[number % 2].token_for(
                    authorization, LONG_LIMITS, refused="token-1"
                ),
                range(8),
            )
            assert set(renewals) == {"token-2"}
        assert {cache.token_for(authorization, LONG_LIMITS) for cache in processes} == {"token-2"}
    assert tokens.fetches == 2


@pytest.mark.parametrize("has_redis", [True, False])
def test_eight_threads_never_fetch_at_once(
    redis: Any, no_redis: Any, clock: Clock, *, has_redis: bool
) -> None:
    tokens = TokenServer(seconds=0.05)
    used = redis if has_redis else no_redis
    with (
        open_token_caches(tokens, used, clock) as ([cache], authorization, _),
        ThreadPoolExecutor(8) as threads,
    ):
        found = threads.map(lambda _: cache.token_for(authorization, LONG_LIMITS), range(8))
        assert set(found) == {"token-1"}
    assert (tokens.fetches, tokens.max_concurrent) == (1, 1)


def test_eight_processes_never_fetch_at_once(redis: Any, clock: Clock) -> None:
    tokens = TokenServer(seconds=0.05)
    with (
        open_token_caches(tokens, redis, clock, count=8) as (processes, authorization, _),
        ThreadPoolExecutor(8) as threads,
    ):
        found = threads.map(lambda cache: cache.token_for(authorization, LONG_LIMITS), processes)
        assert set(found) == {"token-1"}
    assert (tokens.fetches, tokens.max_concurrent) == (1, 1)


def test_two_authorizations_do_not_wait_for_each_other(redis: Any, clock: Clock) -> None:
    both = threading.Barrier(2)

    def script(connection: ServerConnection) -> None:
        connection.read_request()
        both.wait(WAIT_SECONDS)
        connection.send(json_response(200, {"access_token": "t", "token_type": "Bearer"}))

    with (
        open_token_caches(script, redis, clock) as ([cache], authorization, _),
        ThreadPoolExecutor(2) as threads,
    ):
        different = [authorization, replace(authorization, client_id="you")]
        found = threads.map(lambda one: cache.token_for(one, LONG_LIMITS), different)
        assert list(found) == ["t", "t"]


def test_each_process_caches_its_own_token_without_redis(no_redis: Any, clock: Clock) -> None:
    tokens = TokenServer()
    with open_token_caches(tokens, no_redis, clock, count=2) as (processes, authorization, _):
        for _ in range(3):
            found = [cache.token_for(authorization, LONG_LIMITS) for cache in processes]
            assert found == ["token-1", "token-2"]
        assert processes[0].token_for(authorization, LONG_LIMITS, refused="token-1") == "token-3"
    assert tokens.fetches == 3


def test_redis_may_be_given_as_a_function(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), lambda: redis, clock) as ([cache], authorization, _):
        assert cache.token_for(authorization, LONG_LIMITS) == "token-1"
    assert len(redis.keys()) == 1


@pytest.mark.parametrize("unreadable", [b"rubbish", b"\xff\xfe", b"}{", b'}"x":"y"{'])
def test_an_unreadable_entry_in_redis_is_replaced(
    redis: Any, clock: Clock, unreadable: bytes
) -> None:
    with open_token_caches(TokenServer(), redis, clock, count=2) as (
        [one, other],
        authorization,
        _,
    ):
        one.token_for(authorization, LONG_LIMITS)
        [key] = redis.keys()
        redis.set(key, unreadable)
        assert other.token_for(authorization, LONG_LIMITS) == "token-2"


def test_the_lock_of_a_process_that_died_expires(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock, count=2) as (
        [one, other],
        authorization,
        _,
    ):
        one.token_for(authorization, LONG_LIMITS)
        [key] = redis.keys()
        redis.delete(key)
        redis.set(key + b":lock", "of a dead process", px=100)
        assert other.token_for(authorization, LONG_LIMITS) == "token-2"


def test_a_lock_that_is_held_too_long_is_not_waited_for(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock, count=2) as (
        [one, other],
        authorization,
        _,
    ):
        one.token_for(authorization, LONG_LIMITS)
        [key] = redis.keys()
        redis.delete(key)
        redis.set(key + b":lock", "of another process", ex=60)
        with pytest.raises(TokenUnavailableError, match="Another worker is fetching the token"):
            other.token_for(authorization, SendLimits(total=scaled(0.1)))


def test_the_time_limit_of_a_fetch_includes_the_wait_for_redis(redis: Any, clock: Clock) -> None:
    def slow_redis() -> Any:
        threading.Event().wait(0.1)
        return redis

    client = LimitsRecorder()
    with client, open_token_caches(TokenServer(), slow_redis, clock, client=client) as caching:
        [cache], authorization, _ = caching
        assert cache.token_for(authorization, SendLimits(total=9)) == "token-1"
    # Redis was asked for the lock and for the token before.
    [total] = client.totals
    assert 0 < total <= 8.8
