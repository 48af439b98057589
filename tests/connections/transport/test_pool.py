"""Connections that are kept, closed and shared between threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from connections.core.messages import ErrorCode
from connections.transport import pool as pool_module
from tests.misbehaving_servers import (
    LONG_LIMITS,
    OK,
    Server,
    ServerConnection,
    loopback_client,
    post,
    respond_with,
)
from tests.timing import WAIT_SECONDS


def test_fifty_sends_use_one_connection() -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        results = [client.send(post(server.url), LONG_LIMITS) for _ in range(50)]
        assert len(server.connections) == 1

    assert [result.error for result in results] == [None] * 50
    assert len(server.requests) == 50


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_is_kept_after_a_whole_response(response: bytes) -> None:
    with Server(respond_with(response)) as server, loopback_client() as client:
        assert [client.send(post(server.url), LONG_LIMITS).error for _ in range(3)] == [None] * 3
        assert len(server.connections) == 1


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok",
        OK + b"and more than was announced",
        OK + OK,
    ],
    ids=["close", "old", "soon", "longer", "two"],
)
def test_a_connection_is_not_kept_after_other_responses(response: bytes) -> None:
    with Server(respond_with(response)) as server, loopback_client() as client:
        for _ in range(3):
            exchange = client.send(post(server.url), LONG_LIMITS)
            assert exchange.response is not None
            assert (exchange.response.body, exchange.error) == (b"ok", None)
        assert len(server.connections) == 3


def test_a_connection_is_dropped_when_the_rest_was_not_read() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    with Server(respond_with(long)) as server, loopback_client() as client:
        for _ in range(2):
            error = client.send(post(server.url), LONG_LIMITS).error
            assert error is not None
            assert error.code is ErrorCode.TOO_LARGE
        assert len(server.connections) == 2


def test_eight_threads_share_at_most_eight_connections() -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        with ThreadPoolExecutor(8) as threads:
            results = list(
                threads.map(lambda _: client.send(post(server.url), LONG_LIMITS), range(200))
            )
        assert len(server.connections) <= 8

    assert {result.error for result in results} == {None}
    assert len(server.requests) == 200


def test_responses_do_not_get_mixed_up_between_threads() -> None:
    def script(connection: ServerConnection) -> None:
        while request := connection.read_request():
            body = request.partition(b"\r\n\r\n")[2]
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with Server(script) as server, loopback_client() as client, ThreadPoolExecutor(16) as threads:
        bodies = [f"body {number}".encode() for number in range(400)]
        results = list(
            threads.map(lambda body: client.send(post(server.url, body), LONG_LIMITS), bodies)
        )

    assert [result.response and result.response.body for result in results] == bodies


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    closed = threading.Event()

    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.close()
        closed.set()

    with Server(script) as server, loopback_client() as client:
        for _ in range(3):
            closed.clear()
            assert client.send(post(server.url), LONG_LIMITS).error is None
            assert closed.wait(WAIT_SECONDS)
        assert len(server.connections) == 3


def test_a_connection_that_closes_during_a_send_is_not_retried() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_request()

    with Server(script) as server, loopback_client() as client:
        first, second = (client.send(post(server.url), LONG_LIMITS) for _ in range(2))

    assert first.error is None
    assert second.response is None
    assert second.error is not None
    assert second.error.code is ErrorCode.CONNECTION_LOST
    assert second.error.code.may_have_arrived
    assert len(server.requests) == 2


def test_an_idle_connection_is_closed_instead_of_used(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now[0])
    with Server(respond_with(OK)) as server, loopback_client() as client:
        for pause in (0, pool_module.MAX_IDLE_SECONDS - 0.1, pool_module.MAX_IDLE_SECONDS + 0.1):
            now[0] += pause
            assert client.send(post(server.url), LONG_LIMITS).error is None
        assert len(server.connections) == 2


def test_a_connection_is_kept_no_longer_than_the_server_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now[0])
    hint = b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 2\r\n\r\nok"
    with Server(respond_with(hint)) as server, loopback_client() as client:
        connections = []
        for pause in (0, 1.9, 2.1):
            now[0] += pause
            assert client.send(post(server.url), LONG_LIMITS).error is None
            connections.append(len(server.connections))
    assert connections == [1, 1, 2]


def test_idle_hosts_keep_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now[0])
    gone = threading.Event()

    def script(connection: ServerConnection) -> None:
        while connection.read_request():
            connection.send(OK)
        gone.set()

    with Server(script) as quiet, Server(respond_with(OK)) as busy, loopback_client() as client:
        client.send(post(quiet.url), LONG_LIMITS)
        now[0] += pool_module.MAX_IDLE_SECONDS + 1
        client.send(post(busy.url), LONG_LIMITS)
        assert gone.wait(WAIT_SECONDS)


def test_two_hosts_share_no_connection() -> None:
    with (
        Server(respond_with(OK)) as one,
        Server(respond_with(OK)) as other,
        loopback_client() as client,
    ):
        for server in (one, other, one, other):
            assert client.send(post(server.url), LONG_LIMITS).error is None
        assert (len(one.connections), len(other.connections)) == (1, 1)


def test_the_pool_of_the_oldest_host_is_dropped_when_there_are_too_many() -> None:
    def send(number: int) -> None:
        url = f"http://host{number}.example:{server.port}/"
        assert client.send(post(url), LONG_LIMITS).error is None

    with (
        Server(respond_with(OK)) as server,
        loopback_client(resolver=lambda host: ["127.0.0.1"]) as client,
    ):
        for number in (*range(257), 256, 0):
            send(number)
        assert len(client._adapter._pools) == 256
        assert len(server.connections) == 258


def test_more_threads_than_the_pool_size_are_served() -> None:
    barrier = threading.Barrier(4)

    def script(connection: ServerConnection) -> None:
        connection.read_request()
        barrier.wait(WAIT_SECONDS)
        connection.send(OK)

    with (
        Server(script) as server,
        loopback_client(pool_size=1) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        results = list(threads.map(lambda _: client.send(post(server.url), LONG_LIMITS), range(4)))

    assert [result.error for result in results] == [None] * 4


def test_a_closed_client_closes_its_connections() -> None:
    gone = threading.Event()

    def script(connection: ServerConnection) -> None:
        while connection.read_request():
            connection.send(OK)
        gone.set()

    with Server(script) as server:
        client = loopback_client()
        assert client.send(post(server.url), LONG_LIMITS).error is None
        client.close()
        assert gone.wait(WAIT_SECONDS)
