"""Responses read from a socket: limits, chunks, broken and lost ones."""

from __future__ import annotations

import gzip
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.core.messages import ErrorCode
from connections.transport.deadline import Deadline
from connections.transport.exceptions import SendError
from connections.transport.response_reader import read_response
from connections.transport.socket_stream import DeadlineSocket
from tests.misbehaving_servers import LONG_LIMITS, OK, ServerConnection, respond_with
from tests.misbehaving_servers.scripts import (
    exchange_with,
    head,
    respond_and_close,
    respond_and_reset,
    summarize,
)


def test_a_body_at_the_limit_is_whole() -> None:
    response = head("Content-Length: 1000") + b"x" * 1000
    assert summarize(exchange_with(respond_with(response), body_bytes=1000)) == (
        200,
        b"x" * 1000,
        None,
    )


def test_a_body_above_the_limit_is_cut_and_keeps_its_status() -> None:
    response = head("Content-Length: 1001", status="409 Conflict") + b"x" * 1001
    exchange = exchange_with(respond_with(response), body_bytes=1000)
    assert summarize(exchange) == (409, b"x" * 1000, ErrorCode.TOO_LARGE)
    assert exchange.error is not None
    assert exchange.error.message == "The answer is longer than 1,000 bytes; the rest was not read."


def test_an_endless_body_is_cut() -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(head("Content-Type: text/plain"))
        while True:
            connection.send(b"x" * 10_000)

    assert summarize(exchange_with(script)) == (200, b"x" * 65536, ErrorCode.TOO_LARGE)


def test_a_chunked_body_is_put_together() -> None:
    chunks = b"3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
    response = head("Transfer-Encoding: chunked") + chunks
    assert summarize(exchange_with(respond_with(response))) == (200, b"hello", None)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    assert summarize(exchange_with(respond_and_close(head() + b"hello"))) == (200, b"hello", None)


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_is_whole(status: int) -> None:
    assert summarize(exchange_with(respond_with(head(status=f"{status} x")))) == (status, b"", None)


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_interim_responses_are_read_past(interim: str) -> None:
    script = respond_with(head("Link: </x>", status=interim) * 2 + OK)
    assert summarize(exchange_with(script)) == (200, b"ok", None)


def test_interim_responses_without_end_are_too_many() -> None:
    assert summarize(exchange_with(respond_with(head(status="100 Continue") * 10_000))) == (
        None,
        None,
        ErrorCode.TOO_LARGE,
    )


def test_half_a_body_is_kept_and_its_loss_is_reported() -> None:
    exchange = exchange_with(
        respond_and_close(head("Content-Length: 10", status="201 Created") + b"hello")
    )
    assert summarize(exchange) == (201, b"hello", ErrorCode.CONNECTION_LOST)
    assert exchange.error is not None
    assert exchange.error.message == "The connection was closed in the middle of the answer."


def test_a_reset_in_the_middle_of_the_body_keeps_what_came() -> None:
    exchange = exchange_with(respond_and_reset(head("Content-Length: 10") + b"hello"))
    assert summarize(exchange) == (200, b"hello", ErrorCode.CONNECTION_LOST)


def test_chunks_that_end_early_keep_what_came() -> None:
    content = head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n5\r\nwo"
    assert summarize(exchange_with(respond_and_close(content))) == (
        200,
        b"hellowo",
        ErrorCode.CONNECTION_LOST,
    )


@pytest.mark.parametrize("size", ["xyz", "", "-5", "ffffffffffffffffffffffff"])
def test_broken_chunks_keep_what_came_before(size: str) -> None:
    content = head("Transfer-Encoding: chunked") + f"5\r\nhello\r\n{size}\r\nworld".encode()
    exchange = exchange_with(respond_and_close(content))
    assert exchange.response is not None
    assert exchange.response.body.startswith(b"hello")
    assert exchange.error is not None
    assert exchange.error.code in {ErrorCode.PROTOCOL, ErrorCode.CONNECTION_LOST}


def test_chunk_extensions_without_end_are_too_large() -> None:
    chunk = b"1;" + b"x" * 60_000 + b"\r\ny\r\n"
    exchange = exchange_with(respond_with(head("Transfer-Encoding: chunked") + chunk * 100))
    assert exchange.response is not None
    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    "content",
    [b"", b"HTTP/1.1", b"HTTP/1.1 20", b"H"],
    ids=["nothing", "version", "half", "letter"],
)
def test_a_close_before_the_response_loses_the_connection(content: bytes) -> None:
    assert summarize(exchange_with(respond_and_close(content))) == (
        None,
        None,
        ErrorCode.CONNECTION_LOST,
    )


def test_a_reset_before_the_response_loses_the_connection() -> None:
    exchange = exchange_with(respond_and_reset(b""))
    assert summarize(exchange) == (None, None, ErrorCode.CONNECTION_LOST)
    assert exchange.error is not None
    assert exchange.error.message == (
        "The connection was lost before an answer came; the request may have arrived."
    )


def test_a_close_in_the_middle_of_the_headers_is_no_whole_response() -> None:
    exchange = exchange_with(respond_and_close(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl"))
    assert summarize(exchange) == (200, b"", ErrorCode.CONNECTION_LOST)


def test_a_response_to_a_request_that_was_not_read_is_read() -> None:
    def script(connection: ServerConnection) -> None:
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.wait_until_closed()

    assert summarize(exchange_with(script)) == (413, b"", None)


@pytest.mark.parametrize(
    "content",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example ESMTP\r\n",
        b"-ERR unknown command\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99 OK\r\n\r\n",
        b"\n\n\n",
        b"\0" * 100_000,
    ],
    ids=["ssh", "smtp", "redis", "tls", "http2", "letters", "small", "empty", "zeros"],
)
def test_a_response_that_is_not_http_is_a_protocol_error(content: bytes) -> None:
    exchange = exchange_with(respond_with(content))
    assert exchange.response is None
    assert exchange.error is not None
    assert exchange.error.code in {ErrorCode.PROTOCOL, ErrorCode.TOO_LARGE}


@pytest.mark.parametrize(
    "lines",
    [
        ["X: " + "x" * 10_000_000],
        [f"X-{number}: {'x' * 1000}" for number in range(10_000)],
    ],
    ids=["one", "many"],
)
def test_ten_megabytes_of_headers_are_too_large(lines: list[str]) -> None:
    exchange = exchange_with(respond_with(head(*lines)))
    assert summarize(exchange) == (None, None, ErrorCode.TOO_LARGE)


def test_more_than_a_hundred_headers_are_refused() -> None:
    lines = [f"X-{number}: 1" for number in range(200)]
    assert summarize(exchange_with(respond_with(head(*lines)))) == (None, None, ErrorCode.PROTOCOL)


def test_a_broken_header_line_keeps_the_status() -> None:
    content = b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\nok"
    exchange = exchange_with(respond_with(content))
    assert summarize(exchange) == (200, b"", ErrorCode.PROTOCOL)


@pytest.mark.parametrize("length", ["abc", "-1", "2, 2"])
def test_an_invalid_length_is_ignored(length: str) -> None:
    content = head(f"Content-Length: {length}") + b"ok"
    assert summarize(exchange_with(respond_and_close(content))) == (200, b"ok", None)


def test_a_switch_of_protocols_is_a_response() -> None:
    exchange = exchange_with(
        respond_with(head("Upgrade: x", status="101 Switching Protocols") + b"rubbish")
    )
    assert summarize(exchange) == (101, b"", None)


_PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Keep-Alive: timeout=5\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"\r\n",
        gzip.compress(b"hello"),
    ]
)


@given(st.lists(_PIECES | st.binary(max_size=5), max_size=12))
def test_all_bytes_are_a_response_or_a_send_error(pieces: list[bytes]) -> None:
    server, client = socket.socketpair()
    with server, client:
        server.sendall(b"".join(pieces))
        server.shutdown(socket.SHUT_WR)
        stream = DeadlineSocket(client)
        stream.begin(Deadline(LONG_LIMITS))
        with suppress(SendError):
            assert len(read_response(stream, "POST", body_limit=100).response.body) <= 100
