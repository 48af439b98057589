"""The token cache when the token server refuses, fails or is silent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connections.core.messages import ErrorCode
from connections.core.request.authorization import TokenRefusedError, TokenUnavailableError
from connections.transport import SendLimits
from connections.transport.tokens import FAILURE_COOLDOWN_SECONDS
from tests.misbehaving_servers import LONG_LIMITS, ServerConnection, respond_with
from tests.misbehaving_servers.tokens import (
    SECRET,
    Clock,
    TokenServer,
    json_response,
    open_token_caches,
)
from tests.timing import scaled


def test_refused_credentials_are_reported_without_the_secret(redis: Any, clock: Clock) -> None:
    response = json_response(401, {"error": "invalid_client", "error_description": f"not {SECRET}"})
    with (
        open_token_caches(respond_with(response), redis, clock) as ([cache], authorization, _),
        pytest.raises(TokenRefusedError) as caught,
    ):
        cache.token_for(authorization, LONG_LIMITS)

    assert caught.value.code is ErrorCode.TOKEN
    assert str(caught.value) == "The token server answered with status 401 (invalid_client)."


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_an_error_of_the_token_server_is_not_a_refusal(
    redis: Any, clock: Clock, status: int
) -> None:
    with (
        open_token_caches(respond_with(json_response(status, {})), redis, clock) as (
            [cache],
            authorization,
            _,
        ),
        pytest.raises(TokenUnavailableError, match=f"answered with status {status}") as caught,
    ):
        cache.token_for(authorization, LONG_LIMITS)
    assert caught.value.code is ErrorCode.CONNECT_FAILED


def test_a_silent_token_server_is_not_a_refusal(redis: Any, clock: Clock) -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.wait()

    with (
        open_token_caches(script, redis, clock) as ([cache], authorization, _),
        pytest.raises(TokenUnavailableError, match=r"could not be fetched\. Nothing came"),
    ):
        cache.token_for(authorization, SendLimits(read=scaled(0.1)))


def test_a_token_url_is_checked_too(redis: Any, clock: Clock) -> None:
    with open_token_caches(TokenServer(), redis, clock) as ([cache], authorization, _):
        inside = replace(authorization, token_url="https://169.254.169.254/token")
        with pytest.raises(TokenUnavailableError, match="metadata service") as caught:
            cache.token_for(inside, LONG_LIMITS)
    assert caught.value.code is ErrorCode.BLOCKED_ADDRESS


def test_a_failure_is_shared_and_not_repeated_at_once(redis: Any, clock: Clock) -> None:
    refusal, token = json_response(401, {"error": "invalid_client"}), {"access_token": "t"}
    script = respond_with(refusal, json_response(200, {**token, "token_type": "Bearer"}))
    with open_token_caches(script, redis, clock) as ([cache], authorization, server):
        with ThreadPoolExecutor(8) as threads:
            waiting = [
                threads.submit(cache.token_for, authorization, LONG_LIMITS) for _ in range(8)
            ]
            assert {type(one.exception()) for one in waiting} == {TokenRefusedError}
        assert len(server.requests) == 1
        clock.seconds += FAILURE_COOLDOWN_SECONDS + 0.1
        assert cache.token_for(authorization, LONG_LIMITS) == "t"
