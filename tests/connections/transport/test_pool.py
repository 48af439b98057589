"""Connections that are kept, closed and shared between threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from connections.core.messages import ErrorCode
from connections.transport import pool as pool_module
from tests.misbehaving_servers import OK, PATIENT, Server, Talk, answers, loopback_client, post
from tests.timing import WAIT_SECONDS


def test_fifty_sends_use_one_connection() -> None:
    with Server(answers(OK)) as server, loopback_client() as client:
        results = [client.send(post(server.url), PATIENT) for _ in range(50)]
        assert len(server.talks) == 1

    assert [result.error for result in results] == [None] * 50
    assert len(server.requests) == 50


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_is_kept_after_a_whole_answer(answer: bytes) -> None:
    with Server(answers(answer)) as server, loopback_client() as client:
        assert [client.send(post(server.url), PATIENT).error for _ in range(3)] == [None] * 3
        assert len(server.talks) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok",
        OK + b"and more than was announced",
        OK + OK,
    ],
    ids=["close", "old", "soon", "longer", "two"],
)
def test_a_connection_is_not_kept_after_other_answers(answer: bytes) -> None:
    with Server(answers(answer)) as server, loopback_client() as client:
        for _ in range(3):
            exchange = client.send(post(server.url), PATIENT)
            assert exchange.response is not None
            assert (exchange.response.body, exchange.error) == (b"ok", None)
        assert len(server.talks) == 3


def test_a_connection_is_dropped_when_the_rest_was_not_read() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    with Server(answers(long)) as server, loopback_client() as client:
        for _ in range(2):
            error = client.send(post(server.url), PATIENT).error
            assert error is not None
            assert error.code is ErrorCode.TOO_LARGE
        assert len(server.talks) == 2


def test_eight_threads_share_at_most_eight_connections() -> None:
    with Server(answers(OK)) as server, loopback_client() as client:
        with ThreadPoolExecutor(8) as threads:
            results = list(
                threads.map(lambda _: client.send(post(server.url), PATIENT), range(200))
            )
        assert len(server.talks) <= 8

    assert {result.error for result in results} == {None}
    assert len(server.requests) == 200


def test_answers_do_not_get_mixed_up_between_threads() -> None:
    def script(talk: Talk) -> None:
        while request := talk.request():
            body = request.partition(b"\r\n\r\n")[2]
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with Server(script) as server, loopback_client() as client, ThreadPoolExecutor(16) as threads:
        bodies = [f"body {number}".encode() for number in range(400)]
        results = list(
            threads.map(lambda body: client.send(post(server.url, body), PATIENT), bodies)
        )

    assert [result.response and result.response.body for result in results] == bodies


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    closed = threading.Event()

    def script(talk: Talk) -> None:
        talk.request()
        talk.send(OK)
        talk.close()
        closed.set()

    with Server(script) as server, loopback_client() as client:
        for _ in range(3):
            closed.clear()
            assert client.send(post(server.url), PATIENT).error is None
            assert closed.wait(WAIT_SECONDS)
        assert len(server.talks) == 3


def test_a_connection_that_closes_while_we_send_is_not_sent_on_again() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.send(OK)
        talk.request()

    with Server(script) as server, loopback_client() as client:
        first, second = (client.send(post(server.url), PATIENT) for _ in range(2))

    assert first.error is None
    assert second.response is None
    assert second.error is not None
    assert second.error.code is ErrorCode.CONNECTION_LOST
    assert second.error.code.may_have_arrived
    assert len(server.requests) == 2


def test_an_idle_connection_is_closed_instead_of_used(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now[0])
    with Server(answers(OK)) as server, loopback_client() as client:
        for pause in (0, pool_module.MAX_IDLE_SECONDS - 0.1, pool_module.MAX_IDLE_SECONDS + 0.1):
            now[0] += pause
            assert client.send(post(server.url), PATIENT).error is None
        assert len(server.talks) == 2


def test_a_connection_is_kept_no_longer_than_the_server_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now[0])
    hint = b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 2\r\n\r\nok"
    with Server(answers(hint)) as server, loopback_client() as client:
        connections = []
        for pause in (0, 1.9, 2.1):
            now[0] += pause
            assert client.send(post(server.url), PATIENT).error is None
            connections.append(len(server.talks))
    assert connections == [1, 1, 2]


def test_quiet_hosts_hold_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: now[0])
    gone = threading.Event()

    def script(talk: Talk) -> None:
        while talk.request():
            talk.send(OK)
        gone.set()

    with Server(script) as quiet, Server(answers(OK)) as busy, loopback_client() as client:
        client.send(post(quiet.url), PATIENT)
        now[0] += pool_module.MAX_IDLE_SECONDS + 1
        client.send(post(busy.url), PATIENT)
        assert gone.wait(WAIT_SECONDS)


def test_two_hosts_share_no_connection() -> None:
    with Server(answers(OK)) as one, Server(answers(OK)) as other, loopback_client() as client:
        for server in (one, other, one, other):
            assert client.send(post(server.url), PATIENT).error is None
        assert (len(one.talks), len(other.talks)) == (1, 1)


def test_the_oldest_of_too_many_hosts_is_forgotten() -> None:
    def send(number: int) -> None:
        url = f"http://host{number}.example:{server.port}/"
        assert client.send(post(url), PATIENT).error is None

    with (
        Server(answers(OK)) as server,
        loopback_client(resolver=lambda host: ["127.0.0.1"]) as client,
    ):
        for number in (*range(257), 256, 0):
            send(number)
        assert len(client._adapter._pools) == 256
        assert len(server.talks) == 258


def test_more_threads_than_the_pool_is_large_are_served() -> None:
    barrier = threading.Barrier(4)

    def script(talk: Talk) -> None:
        talk.request()
        barrier.wait(WAIT_SECONDS)
        talk.send(OK)

    with (
        Server(script) as server,
        loopback_client(pool_size=1) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        results = list(threads.map(lambda _: client.send(post(server.url), PATIENT), range(4)))

    assert [result.error for result in results] == [None] * 4


def test_a_closed_client_closes_its_connections() -> None:
    gone = threading.Event()

    def script(talk: Talk) -> None:
        while talk.request():
            talk.send(OK)
        gone.set()

    with Server(script) as server:
        client = loopback_client()
        assert client.send(post(server.url), PATIENT).error is None
        client.close()
        assert gone.wait(WAIT_SECONDS)
