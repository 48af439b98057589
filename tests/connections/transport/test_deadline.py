"""Time limits of a send: DNS, connecting, reading and the total."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from connections.core.messages import ErrorCode, Exchange
from connections.transport import SendLimits
from connections.transport.deadline import Deadline
from connections.transport.exceptions import SendError
from tests.misbehaving_servers import (
    LONG_LIMITS,
    OK,
    SHORT_LIMITS,
    Script,
    Server,
    ServerConnection,
    full_backlog,
    loopback_client,
    needs_ipv6,
    post,
    respond_with,
)
from tests.misbehaving_servers.scripts import error_code
from tests.timing import WAIT_SECONDS, scaled

SECONDS = scaled(0.1)


def exchange_with(
    script: Script, limits: SendLimits = SHORT_LIMITS, body: bytes = b"{}"
) -> Exchange:
    with Server(script) as server, loopback_client() as client:
        return client.send(post(server.url, body), limits)


def test_silence_ends_at_the_read_limit() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.wait()

    exchange = exchange_with(script)
    assert exchange.response is None
    assert error_code(exchange) is ErrorCode.READ_TIMEOUT
    assert exchange.error is not None
    assert exchange.error.message == (
        f"Nothing came for {SHORT_LIMITS.read:g} s; the request may have arrived."
    )
    assert SHORT_LIMITS.read <= exchange.duration < SHORT_LIMITS.read + scaled(2)


def test_silence_ends_at_the_total_where_that_comes_first() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.wait()

    exchange = exchange_with(script, SendLimits(read=WAIT_SECONDS, total=SECONDS))
    assert error_code(exchange) is ErrorCode.TOTAL_TIMEOUT
    assert SECONDS <= exchange.duration < SECONDS + scaled(2)


def test_silence_in_the_middle_of_a_body_keeps_what_came() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nhello")
        connection.wait()

    exchange = exchange_with(script)
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (201, b"hello")
    assert error_code(exchange) is ErrorCode.READ_TIMEOUT


def test_dripping_headers_are_cut_at_the_total() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000)

    exchange = exchange_with(script)
    assert exchange.response is None
    assert error_code(exchange) is ErrorCode.TOTAL_TIMEOUT
    assert exchange.error is not None
    assert exchange.error.message == (
        f"No whole answer came within {SHORT_LIMITS.total:g} s; the send was cut."
    )
    assert SHORT_LIMITS.total <= exchange.duration < SHORT_LIMITS.total + scaled(2)


def test_a_dripping_body_is_cut_at_the_total_and_kept() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        connection.drip(b"x" * 10_000)

    exchange = exchange_with(script)
    assert exchange.response is not None
    assert exchange.response.status == 200
    assert 0 < len(exchange.response.body) < 10_000
    assert set(exchange.response.body) == set(b"x")
    assert error_code(exchange) is ErrorCode.TOTAL_TIMEOUT
    assert SHORT_LIMITS.total <= exchange.duration < SHORT_LIMITS.total + scaled(2)


def test_dripping_interim_responses_are_cut_at_the_total() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, seconds=0.001)

    assert error_code(exchange_with(script)) is ErrorCode.TOTAL_TIMEOUT


def test_a_server_that_reads_no_request_is_a_read_timeout() -> None:
    def script(connection: ServerConnection) -> None:
        connection.wait()

    body = b"x" * 20_000_000
    assert error_code(exchange_with(script, body=body)) is ErrorCode.READ_TIMEOUT


def test_a_slow_response_within_the_limits_is_read() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.drip(OK, seconds=0.002)

    exchange = exchange_with(script, SendLimits(read=scaled(1), total=scaled(5)))
    assert exchange.error is None
    assert exchange.response is not None
    assert exchange.response.body == b"ok"


def test_each_send_has_its_own_time_on_a_kept_connection() -> None:
    def script(connection: ServerConnection) -> None:
        for _ in range(3):
            connection.read_request()
            connection.wait(scaled(0.2))
            connection.send(OK)

    with Server(script) as server, loopback_client() as client:
        limits = SendLimits(read=scaled(1), total=scaled(0.5))
        assert [client.send(post(server.url), limits).error for _ in range(3)] == [None] * 3
        assert len(server.connections) == 1


def test_after_a_timeout_the_late_response_is_not_taken_for_the_next() -> None:
    late = threading.Event()

    def script(connection: ServerConnection) -> None:
        request = connection.read_request()
        if b"first" in request:
            late.wait(WAIT_SECONDS)
            connection.send(OK.replace(b"ok", b"no"))
        else:
            connection.send(OK)

    with Server(script) as server, loopback_client() as client:
        first = client.send(post(server.url, b"first"), SHORT_LIMITS)
        late.set()
        second = client.send(post(server.url, b"second"), LONG_LIMITS)

    assert error_code(first) is ErrorCode.READ_TIMEOUT
    assert second.response is not None
    assert second.response.body == b"ok"


def test_a_host_that_does_not_accept_is_a_connect_timeout() -> None:
    with full_backlog() as port, loopback_client() as client:
        exchange = client.send(
            post(f"http://127.0.0.1:{port}/"), replace(SHORT_LIMITS, connect=SECONDS)
        )

    assert error_code(exchange) is ErrorCode.CONNECT_TIMEOUT
    assert exchange.error is not None
    assert exchange.error.message == (
        f"127.0.0.1, port {port}, could not be connected to within {SECONDS:g} s."
    )
    assert not exchange.error.code.may_have_arrived
    assert exchange.duration < scaled(2)


@needs_ipv6
def test_an_unreachable_address_leaves_time_for_the_next() -> None:
    with (
        Server(respond_with(OK)) as server,
        full_backlog("::1", server.port),
        loopback_client(resolver=lambda host: ["::1", "127.0.0.1"]) as client,
    ):
        exchange = client.send(post(f"http://crm.example:{server.port}/"), SHORT_LIMITS)

    assert exchange.error is None
    assert exchange.duration >= SHORT_LIMITS.connect / 2


def test_the_total_includes_the_connecting() -> None:
    with full_backlog() as port, loopback_client() as client:
        limits = SendLimits(connect=scaled(5), total=SECONDS)
        exchange = client.send(post(f"http://127.0.0.1:{port}/"), limits)

    assert error_code(exchange) is ErrorCode.CONNECT_TIMEOUT
    assert exchange.duration < scaled(2)


def test_a_silent_dns_server_is_not_waited_for() -> None:
    is_resolved = threading.Event()

    def resolver(host: str) -> list[str]:
        is_resolved.wait(WAIT_SECONDS)
        return ["127.0.0.1"]

    with loopback_client(resolver=resolver) as client:
        exchange = client.send(post("http://crm.example/"), SHORT_LIMITS)
    is_resolved.set()

    assert error_code(exchange) is ErrorCode.DNS
    assert exchange.error is not None
    assert exchange.error.message == (
        f"DNS did not answer within {SHORT_LIMITS.dns:.2g} s for the host crm.example."
    )
    assert SHORT_LIMITS.dns <= exchange.duration < SHORT_LIMITS.dns + scaled(2)


def test_no_wait_begins_once_the_time_is_up() -> None:
    with pytest.raises(SendError, match=r"No whole answer came within 0 s") as caught:
        Deadline(SendLimits(total=0)).for_reading()
    assert caught.value.error.code is ErrorCode.TOTAL_TIMEOUT


@pytest.mark.parametrize("total", [0.0, -1.0])
def test_nothing_is_sent_without_time(total: float) -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        exchange = client.send(post(server.url), SendLimits(total=total))

    assert error_code(exchange) is ErrorCode.CONNECT_TIMEOUT
    assert server.requests == []
