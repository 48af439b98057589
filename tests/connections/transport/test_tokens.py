"""The token cache: fetched once, shared, renewed, and without Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from connections.core.messages import ErrorCode
from connections.core.request.authorization import TokenRefusedError, TokenUnavailableError
from connections.transport import SendLimits
from connections.transport.tokens import FAILURE_COOLDOWN_SECONDS
from tests.misbehaving_servers import PATIENT, Talk, answers
from tests.misbehaving_servers.tokens import (
    SECRET,
    Clock,
    LimitsRecorder,
    TokenServer,
    caches,
    said,
)
from tests.timing import WAIT_SECONDS, scaled


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def no_redis() -> Iterator[Any]:
    with Redis.from_url("unix:///nowhere/redis.sock") as client:
        yield client


def test_the_token_request_is_whole(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock) as ([cache], authorization, server):
        assert cache.token_for(authorization, PATIENT) == "token-1"

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
    with caches(tokens, redis, clock) as ([cache], authorization, _):
        assert {cache.token_for(authorization, PATIENT) for _ in range(100)} == {"token-1"}
        # An equal authorization, made anew, is the same one.
        assert cache.token_for(replace(authorization), PATIENT) == "token-1"
    assert tokens.fetches == 1


def test_the_hot_path_asks_redis_for_nothing(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        cache.token_for(authorization, PATIENT)
        before = redis.info("stats")["total_commands_processed"]
        for _ in range(50):
            cache.token_for(authorization, PATIENT)
        assert redis.info("stats")["total_commands_processed"] == before + 1


def test_processes_share_a_token(redis: Any, clock: Clock) -> None:
    tokens = TokenServer()
    with caches(tokens, redis, clock, count=3) as (processes, authorization, _):
        assert {cache.token_for(authorization, PATIENT) for cache in processes} == {"token-1"}
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
    with caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        assert cache.token_for(authorization, PATIENT) == "token-1"
        assert cache.token_for(replace(authorization, **change), PATIENT) == "token-2"


def test_what_is_kept_in_redis_can_not_be_read(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        cache.token_for(authorization, PATIENT)
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
    with caches(TokenServer(lifetime), redis, clock) as ([cache], authorization, _):
        assert cache.token_for(authorization, PATIENT) == "token-1"
        clock.seconds += good_for - 0.5
        assert cache.token_for(authorization, PATIENT) == "token-1"
        clock.seconds += 1
        assert cache.token_for(authorization, PATIENT) == "token-2"


def test_a_token_in_redis_is_not_used_after_its_time(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock, count=2) as ([one, other], authorization, _):
        one.token_for(authorization, PATIENT)
        clock.seconds += 3599
        assert other.token_for(authorization, PATIENT) == "token-2"


def test_a_refused_token_is_renewed_once_for_all(redis: Any, clock: Clock) -> None:
    tokens = TokenServer(seconds=0.05)
    with caches(tokens, redis, clock, count=2) as (processes, authorization, _):
        refused = {cache.token_for(authorization, PATIENT) for cache in processes}
        assert refused == {"token-1"}
        with ThreadPoolExecutor(8) as threads:
            renewals = threads.map(
                lambda number: processes[number % 2].token_for(
                    authorization, PATIENT, refused="token-1"
                ),
                range(8),
            )
            assert set(renewals) == {"token-2"}
        assert {cache.token_for(authorization, PATIENT) for cache in processes} == {"token-2"}
    assert tokens.fetches == 2


@pytest.mark.parametrize("has_redis", [True, False])
def test_eight_threads_never_fetch_at_once(
    redis: Any, no_redis: Any, clock: Clock, *, has_redis: bool
) -> None:
    tokens = TokenServer(seconds=0.05)
    used = redis if has_redis else no_redis
    with (
        caches(tokens, used, clock) as ([cache], authorization, _),
        ThreadPoolExecutor(8) as threads,
    ):
        found = threads.map(lambda _: cache.token_for(authorization, PATIENT), range(8))
        assert set(found) == {"token-1"}
    assert (tokens.fetches, tokens.most_at_once) == (1, 1)


def test_eight_processes_never_fetch_at_once(redis: Any, clock: Clock) -> None:
    tokens = TokenServer(seconds=0.05)
    with (
        caches(tokens, redis, clock, count=8) as (processes, authorization, _),
        ThreadPoolExecutor(8) as threads,
    ):
        found = threads.map(lambda cache: cache.token_for(authorization, PATIENT), processes)
        assert set(found) == {"token-1"}
    assert (tokens.fetches, tokens.most_at_once) == (1, 1)


def test_two_authorizations_do_not_wait_for_each_other(redis: Any, clock: Clock) -> None:
    both = threading.Barrier(2)

    def script(talk: Talk) -> None:
        talk.request()
        both.wait(WAIT_SECONDS)
        talk.send(said(200, {"access_token": "t", "token_type": "Bearer"}))

    with (
        caches(script, redis, clock) as ([cache], authorization, _),
        ThreadPoolExecutor(2) as threads,
    ):
        different = [authorization, replace(authorization, client_id="you")]
        found = threads.map(lambda one: cache.token_for(one, PATIENT), different)
        assert list(found) == ["t", "t"]


def test_without_redis_each_process_keeps_its_own(no_redis: Any, clock: Clock) -> None:
    tokens = TokenServer()
    with caches(tokens, no_redis, clock, count=2) as (processes, authorization, _):
        for _ in range(3):
            found = [cache.token_for(authorization, PATIENT) for cache in processes]
            assert found == ["token-1", "token-2"]
        assert processes[0].token_for(authorization, PATIENT, refused="token-1") == "token-3"
    assert tokens.fetches == 3


def test_redis_may_be_given_as_a_function(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), lambda: redis, clock) as ([cache], authorization, _):
        assert cache.token_for(authorization, PATIENT) == "token-1"
    assert len(redis.keys()) == 1


@pytest.mark.parametrize("rubbish", [b"rubbish", b"\xff\xfe", b"}{", b'}"x":"y"{'])
def test_rubbish_in_redis_is_fetched_over(redis: Any, clock: Clock, rubbish: bytes) -> None:
    with caches(TokenServer(), redis, clock, count=2) as ([one, other], authorization, _):
        one.token_for(authorization, PATIENT)
        [key] = redis.keys()
        redis.set(key, rubbish)
        assert other.token_for(authorization, PATIENT) == "token-2"


def test_the_lock_of_a_process_that_died_expires(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock, count=2) as ([one, other], authorization, _):
        one.token_for(authorization, PATIENT)
        [key] = redis.keys()
        redis.delete(key)
        redis.set(key + b":lock", "of the dead", px=100)
        assert other.token_for(authorization, PATIENT) == "token-2"


def test_a_lock_that_is_held_too_long_is_not_waited_for(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock, count=2) as ([one, other], authorization, _):
        one.token_for(authorization, PATIENT)
        [key] = redis.keys()
        redis.delete(key)
        redis.set(key + b":lock", "of the living", ex=60)
        with pytest.raises(TokenUnavailableError, match="Another worker is fetching the token"):
            other.token_for(authorization, SendLimits(total=scaled(0.1)))


def test_the_wait_for_redis_is_part_of_the_time_of_a_fetch(redis: Any, clock: Clock) -> None:
    def slow_redis() -> Any:
        threading.Event().wait(0.1)
        return redis

    client = LimitsRecorder()
    with client, caches(TokenServer(), slow_redis, clock, client=client) as caching:
        [cache], authorization, _ = caching
        assert cache.token_for(authorization, SendLimits(total=9)) == "token-1"
    # Redis was asked for the lock and for the token before.
    [total] = client.totals
    assert 0 < total <= 8.8


def test_refused_credentials_are_said_without_the_secret(redis: Any, clock: Clock) -> None:
    answer = said(401, {"error": "invalid_client", "error_description": f"not {SECRET}"})
    with (
        caches(answers(answer), redis, clock) as ([cache], authorization, _),
        pytest.raises(TokenRefusedError) as caught,
    ):
        cache.token_for(authorization, PATIENT)

    assert caught.value.code is ErrorCode.TOKEN
    assert str(caught.value) == "The token server answered with status 401 (invalid_client)."


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_token_server_in_trouble_refuses_no_credentials(
    redis: Any, clock: Clock, status: int
) -> None:
    with (
        caches(answers(said(status, {})), redis, clock) as ([cache], authorization, _),
        pytest.raises(TokenUnavailableError, match=f"answered with status {status}") as caught,
    ):
        cache.token_for(authorization, PATIENT)
    assert caught.value.code is ErrorCode.CONNECT_FAILED


def test_a_token_server_that_is_silent_refuses_no_credentials(redis: Any, clock: Clock) -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.wait()

    with (
        caches(script, redis, clock) as ([cache], authorization, _),
        pytest.raises(TokenUnavailableError, match=r"could not be fetched\. Nothing came"),
    ):
        cache.token_for(authorization, SendLimits(read=scaled(0.1)))


def test_a_token_url_is_guarded_too(redis: Any, clock: Clock) -> None:
    with caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        inside = replace(authorization, token_url="https://169.254.169.254/token")
        with pytest.raises(TokenUnavailableError, match="metadata service") as caught:
            cache.token_for(inside, PATIENT)
    assert caught.value.code is ErrorCode.BLOCKED_ADDRESS


def test_a_failure_is_shared_and_not_repeated_at_once(redis: Any, clock: Clock) -> None:
    refusal, token = said(401, {"error": "invalid_client"}), {"access_token": "t"}
    script = answers(refusal, said(200, {**token, "token_type": "Bearer"}))
    with caches(script, redis, clock) as ([cache], authorization, server):
        with ThreadPoolExecutor(8) as threads:
            waiting = [threads.submit(cache.token_for, authorization, PATIENT) for _ in range(8)]
            assert {type(one.exception()) for one in waiting} == {TokenRefusedError}
        assert len(server.requests) == 1
        clock.seconds += FAILURE_COOLDOWN_SECONDS + 0.1
        assert cache.token_for(authorization, PATIENT) == "t"
