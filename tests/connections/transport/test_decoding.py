"""Compressed response bodies: whole, broken and oversized."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from connections.core.messages import ErrorCode
from tests.misbehaving_servers import LONG_LIMITS, Server, loopback_client, post, respond_with
from tests.misbehaving_servers.scripts import exchange_with, head, summarize

ZLIB = zlib.compress(b"hello hello")
BARE_DEFLATE = zlib.compress(b"hello hello", wbits=-15)
GZIP = gzip.compress(b"hello hello", mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", GZIP),
        ("GZIP", GZIP),
        ("x-gzip", GZIP),
        ("deflate", ZLIB),
        ("deflate", BARE_DEFLATE),
        ("identity", b"hello hello"),
        ("gzip", gzip.compress(b"hello ", mtime=0) + gzip.compress(b"hello", mtime=0)),
        ("gzip", GZIP + b"\0\0\0"),
    ],
    ids=["gzip", "GZIP", "x-gzip", "zlib", "bare", "identity", "two", "padded"],
)
def test_a_compressed_body_is_decompressed(encoding: str, body: bytes) -> None:
    response = head(f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}") + body
    assert summarize(exchange_with(respond_with(response))) == (200, b"hello hello", None)


@pytest.mark.parametrize("body", [GZIP, ZLIB, BARE_DEFLATE], ids=["gzip", "zlib", "bare"])
def test_a_compressed_body_may_come_byte_by_byte(body: bytes) -> None:
    encoding = "gzip" if body is GZIP else "deflate"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    response = head(f"Content-Encoding: {encoding}", "Transfer-Encoding: chunked") + chunks
    assert summarize(exchange_with(respond_with(response))) == (200, b"hello hello", None)


def test_an_encoding_that_was_not_asked_for_is_kept_as_it_came() -> None:
    exchange = exchange_with(
        respond_with(head("Content-Encoding: br", "Content-Length: 3") + b"\x0b\x00x")
    )
    assert summarize(exchange) == (200, b"\x0b\x00x", ErrorCode.PROTOCOL)
    assert exchange.error is not None
    assert exchange.error.message == 'The answer is encoded as "br", which was not asked for.'


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"this is not gzip", b""),
        (GZIP[:-8], b"hello hello"),
        (GZIP[:1], b""),
        (GZIP[:-8] + b"\0" * 8, b""),
    ],
    ids=["unreadable", "cut", "begun", "checksum"],
)
def test_broken_compression_keeps_the_status(body: bytes, kept: bytes) -> None:
    response = head("Content-Encoding: gzip", f"Content-Length: {len(body)}") + body
    assert summarize(exchange_with(respond_with(response))) == (200, kept, ErrorCode.PROTOCOL)


def test_a_compressed_response_may_have_no_body() -> None:
    response = head("Content-Encoding: gzip", "Content-Length: 0")
    assert summarize(exchange_with(respond_with(response))) == (200, b"", None)


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(b"\0" * 50_000_000, compresslevel=9),
        # The first member fills the limit exactly, so that nothing is left for the second.
        gzip.compress(b"\0" * 65_537) + gzip.compress(b"\0" * 50_000_000, compresslevel=9),
    ],
    ids=["one", "two"],
)
def test_a_bomb_costs_no_more_memory_than_the_limit(bomb: bytes) -> None:
    response = head("Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb
    with Server(respond_with(response)) as server, loopback_client() as client:
        client.send(post(server.url), LONG_LIMITS)
        tracemalloc.start()
        exchange = client.send(post(server.url), LONG_LIMITS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert summarize(exchange) == (200, b"\0" * 65536, ErrorCode.TOO_LARGE)
    assert peak < 2_000_000


def test_a_hundred_thousand_empty_gzip_members_are_too_large() -> None:
    nothing = gzip.compress(b"") * 100_000
    response = head("Content-Encoding: gzip", f"Content-Length: {len(nothing)}") + nothing
    assert summarize(exchange_with(respond_with(response))) == (200, b"", ErrorCode.TOO_LARGE)
