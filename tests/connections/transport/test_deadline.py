"""Time limits of a send: DNS, connecting, reading, and all of it together."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from connections.core.messages import ErrorCode, Exchange
from connections.transport import SendLimits
from connections.transport.deadline import Deadline
from connections.transport.exceptions import SendError
from tests.misbehaving_servers import (
    OK,
    PATIENT,
    SHORT,
    Script,
    Server,
    Talk,
    answers,
    loopback_client,
    needs_ipv6,
    post,
)
from tests.timing import WAIT_SECONDS, scaled

SECONDS = scaled(0.1)


def exchanged(script: Script, limits: SendLimits = SHORT, body: bytes = b"{}") -> Exchange:
    with Server(script) as server, loopback_client() as client:
        return client.send(post(server.url, body), limits)


def code(exchange: Exchange) -> ErrorCode | None:
    return exchange.error.code if exchange.error else None


def test_silence_ends_at_the_read_limit() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.wait()

    exchange = exchanged(script)
    assert exchange.response is None
    assert code(exchange) is ErrorCode.READ_TIMEOUT
    assert exchange.error is not None
    assert exchange.error.message == (
        f"Nothing came for {SHORT.read:g} s; the request may have arrived."
    )
    assert SHORT.read <= exchange.duration < SHORT.read + scaled(2)


def test_silence_ends_at_the_total_where_that_comes_first() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.wait()

    exchange = exchanged(script, SendLimits(read=WAIT_SECONDS, total=SECONDS))
    assert code(exchange) is ErrorCode.TOTAL_TIMEOUT
    assert SECONDS <= exchange.duration < SECONDS + scaled(2)


def test_silence_in_the_middle_of_a_body_keeps_what_came() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nhello")
        talk.wait()

    exchange = exchanged(script)
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (201, b"hello")
    assert code(exchange) is ErrorCode.READ_TIMEOUT


def test_dripping_headers_are_cut_at_the_total() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000)

    exchange = exchanged(script)
    assert exchange.response is None
    assert code(exchange) is ErrorCode.TOTAL_TIMEOUT
    assert exchange.error is not None
    assert exchange.error.message == (
        f"No whole answer came within {SHORT.total:g} s; the send was cut."
    )
    assert SHORT.total <= exchange.duration < SHORT.total + scaled(2)


def test_a_dripping_body_is_cut_at_the_total_and_kept() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        talk.drip(b"x" * 10_000)

    exchange = exchanged(script)
    assert exchange.response is not None
    assert exchange.response.status == 200
    assert 0 < len(exchange.response.body) < 10_000
    assert set(exchange.response.body) == set(b"x")
    assert code(exchange) is ErrorCode.TOTAL_TIMEOUT
    assert SHORT.total <= exchange.duration < SHORT.total + scaled(2)


def test_dripping_interim_answers_are_cut_at_the_total() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, seconds=0.001)

    assert code(exchanged(script)) is ErrorCode.TOTAL_TIMEOUT


def test_a_server_that_takes_no_request_is_given_up() -> None:
    def script(talk: Talk) -> None:
        talk.wait()

    body = b"x" * 20_000_000
    assert code(exchanged(script, body=body)) is ErrorCode.READ_TIMEOUT


def test_slow_is_not_late() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.drip(OK, seconds=0.002)

    exchange = exchanged(script, SendLimits(read=scaled(1), total=scaled(5)))
    assert exchange.error is None
    assert exchange.response is not None
    assert exchange.response.body == b"ok"


def test_each_send_has_its_own_time_on_a_kept_connection() -> None:
    def script(talk: Talk) -> None:
        for _ in range(3):
            talk.request()
            talk.wait(scaled(0.2))
            talk.send(OK)

    with Server(script) as server, loopback_client() as client:
        limits = SendLimits(read=scaled(1), total=scaled(0.5))
        assert [client.send(post(server.url), limits).error for _ in range(3)] == [None] * 3
        assert len(server.talks) == 1


def test_after_a_timeout_the_late_answer_is_not_taken_for_the_next() -> None:
    late = threading.Event()

    def script(talk: Talk) -> None:
        request = talk.request()
        if b"first" in request:
            late.wait(WAIT_SECONDS)
            talk.send(OK.replace(b"ok", b"no"))
        else:
            talk.send(OK)

    with Server(script) as server, loopback_client() as client:
        first = client.send(post(server.url, b"first"), SHORT)
        late.set()
        second = client.send(post(server.url, b"second"), PATIENT)

    assert code(first) is ErrorCode.READ_TIMEOUT
    assert second.response is not None
    assert second.response.body == b"ok"


@contextmanager
def full_backlog(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port that takes no further connection, and refuses none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as stack:
        listener = stack.enter_context(
            socket.create_server((address, port), family=family, backlog=0)
        )
        for _ in range(4):
            sock = stack.enter_context(socket.socket(family))
            sock.settimeout(0)
            sock.connect_ex(listener.getsockname()[:2])
        yield listener.getsockname()[1]


def test_a_host_that_does_not_pick_up_is_a_connect_timeout() -> None:
    with full_backlog() as port, loopback_client() as client:
        exchange = client.send(post(f"http://127.0.0.1:{port}/"), replace(SHORT, connect=SECONDS))

    assert code(exchange) is ErrorCode.CONNECT_TIMEOUT
    assert exchange.error is not None
    assert exchange.error.message == (
        f"127.0.0.1, port {port}, could not be connected to within {SECONDS:g} s."
    )
    assert not exchange.error.code.may_have_arrived
    assert exchange.duration < scaled(2)


@needs_ipv6
def test_a_dead_address_leaves_time_for_the_next() -> None:
    with (
        Server(answers(OK)) as server,
        full_backlog("::1", server.port),
        loopback_client(resolver=lambda host: ["::1", "127.0.0.1"]) as client,
    ):
        exchange = client.send(post(f"http://crm.example:{server.port}/"), SHORT)

    assert exchange.error is None
    assert exchange.duration >= SHORT.connect / 2


def test_the_total_includes_the_connecting() -> None:
    with full_backlog() as port, loopback_client() as client:
        limits = SendLimits(connect=scaled(5), total=SECONDS)
        exchange = client.send(post(f"http://127.0.0.1:{port}/"), limits)

    assert code(exchange) is ErrorCode.CONNECT_TIMEOUT
    assert exchange.duration < scaled(2)


def test_dns_that_does_not_answer_is_not_waited_for() -> None:
    answer = threading.Event()

    def resolver(host: str) -> list[str]:
        answer.wait(WAIT_SECONDS)
        return ["127.0.0.1"]

    with loopback_client(resolver=resolver) as client:
        exchange = client.send(post("http://crm.example/"), SHORT)
    answer.set()

    assert code(exchange) is ErrorCode.DNS
    assert exchange.error is not None
    assert exchange.error.message == (
        f"DNS did not answer within {SHORT.dns:.2g} s for the host crm.example."
    )
    assert SHORT.dns <= exchange.duration < SHORT.dns + scaled(2)


def test_no_wait_begins_once_the_time_is_up() -> None:
    with pytest.raises(SendError, match=r"No whole answer came within 0 s") as caught:
        Deadline(SendLimits(total=0)).for_reading()
    assert caught.value.error.code is ErrorCode.TOTAL_TIMEOUT


@pytest.mark.parametrize("total", [0.0, -1.0])
def test_without_any_time_nothing_is_sent(total: float) -> None:
    with Server(answers(OK)) as server, loopback_client() as client:
        exchange = client.send(post(server.url), SendLimits(total=total))

    assert code(exchange) is ErrorCode.CONNECT_TIMEOUT
    assert server.requests == []


@pytest.mark.faults
def test_the_products_own_limits() -> None:
    def silent(talk: Talk) -> None:
        talk.request()
        talk.wait()

    def dripping(talk: Talk) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        talk.drip(b"x" * 10_000, seconds=0.5)

    asked = threading.Event()
    with (
        Server(silent) as silence,
        Server(dripping) as drip,
        full_backlog() as port,
        loopback_client() as client,
        loopback_client(resolver=lambda host: [str(asked.wait(WAIT_SECONDS))]) as nameless,
        ThreadPoolExecutor(4) as threads,
    ):
        sends = [
            threads.submit(client.send, post(silence.url)),
            threads.submit(client.send, post(drip.url)),
            threads.submit(client.send, post(f"http://127.0.0.1:{port}/")),
            threads.submit(nameless.send, post("http://crm.example/")),
        ]
        exchanges = [one.result() for one in sends]
        asked.set()

    assert [code(one) for one in exchanges] == [
        ErrorCode.READ_TIMEOUT,
        ErrorCode.TOTAL_TIMEOUT,
        ErrorCode.CONNECT_TIMEOUT,
        ErrorCode.DNS,
    ]
    for exchange, limit in zip(exchanges, (15, 30, 5, 3), strict=True):
        assert limit <= exchange.duration < limit + scaled(2)
