"""Tests of requests, responses and exchanges."""

import time

import pytest

from connections.core.masking import Mask
from connections.core.messages import (
    ErrorCode,
    Exchange,
    ExchangeError,
    Request,
    Response,
    decode,
)
from tests.connections.core.factories import NOW


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        ("é".encode(), "", "é"),
        ("é".encode(), "application/json", "é"),
        ("é".encode("latin-1"), "text/plain; charset=iso-8859-1", "é"),
        ("é".encode("latin-1"), 'text/plain; Charset="ISO-8859-1"', "é"),
        ("é".encode("utf-16"), "text/plain; charset=utf-16", "é"),
        ("é".encode("latin-1"), "", "\ufffd"),
        ("é".encode(), "text/plain; charset=klingon", "é"),
        ("é".encode(), "text/plain; charset=", "é"),
        (b"\xef\xbb\xbftrue", "text/html", "true"),
        (b"\\u0041", "text/plain; charset=unicode_escape", "\\u0041"),
        (b"+2AA-", "text/plain; charset=U7", "+2AA-"),
        (b"abc", "text/plain; charset=hex", "abc"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', "text/xml", None),
        (b"<?xml version='1.0' encoding='windows-1252'?><a>\xe9</a>", "", None),
        ('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode(), "", None),
        ('<?xml version="1.0" encoding="nonsense"?><a>é</a>'.encode(), "", None),
        ('<?xml version="1.0" encoding="latin-1"?><a>é</a>'.encode(), "a/b; charset=utf-8", None),
    ],
)
def test_a_body_is_decoded_in_the_charset_that_it_names(
    content: bytes, content_type: str, text: str | None
) -> None:
    response = Response(status=200, headers=(("content-type", content_type),), body=content)
    if text is None:
        assert response.text().endswith("<a>é</a>")
    else:
        assert response.text() == text


@pytest.mark.parametrize(
    "charset",
    ["punycode", "idna", "utf-7", "escape", "rot13", "ünï", "a" * 9_999, "..", "\0", "mbcs"],
)
def test_no_charset_makes_decoding_fail_or_slow(charset: str) -> None:
    started = time.process_time()
    text = decode(b"xn--a-\xff" * 10_000, charset)
    assert time.process_time() - started < 0.2
    text.encode()


def test_all_headers_of_a_name_are_found_in_any_case() -> None:
    response = Response(status=200, headers=(("X-A", "1"), ("x-a", "2"), ("B", "3")))
    assert response.header("x-A") == "1"
    assert response.header_values("X-a") == ["1", "2"]
    assert response.header("missing") == ""


@pytest.mark.parametrize(
    ("code", "may_have_arrived"),
    [
        ("dns", False),
        ("blocked_address", False),
        ("connect_refused", False),
        ("connect_timeout", False),
        ("connect_failed", False),
        ("tls", False),
        ("token", False),
        ("not_built", False),
        ("read_timeout", True),
        ("total_timeout", True),
        ("connection_lost", True),
        ("protocol", True),
        ("too_large", True),
        ("lease_lost", True),
    ],
)
def test_an_error_says_whether_the_request_may_have_arrived(
    code: str, *, may_have_arrived: bool
) -> None:
    assert ErrorCode(code).may_have_arrived is may_have_arrived


def test_every_error_code_is_in_the_table_of_this_test() -> None:
    assert len(ErrorCode) == 14


def test_an_exchange_is_masked_in_all_its_parts() -> None:
    request = Request(
        method="POST",
        url="https://crm.example/?key=s3cret",
        headers=(("Authorization", "Bearer s3cret"), ("X-Plain", "1")),
        body=b'{"key": "s3cret"}',
        mask=Mask(["s3cret"]),
    )
    exchange = Exchange(
        request=request,
        response=Response(status=401, headers=(("X-Echo", "s3cret"),), body=b"bad key s3cret"),
        error=ExchangeError(code=ErrorCode.CONNECTION_LOST, message="s3cret broke off"),
        duration=1.5,
        finished_at=NOW,
    )
    masked = exchange.masked()
    assert masked == Exchange(
        request=Request(
            method="POST",
            url="https://crm.example/?key=••••",
            headers=(("Authorization", "Bearer ••••"), ("X-Plain", "1")),
            body='{"key": "••••"}'.encode(),
        ),
        response=Response(status=401, headers=(("X-Echo", "••••"),), body="bad key ••••".encode()),
        error=ExchangeError(code=ErrorCode.CONNECTION_LOST, message="•••• broke off"),
        duration=1.5,
        finished_at=NOW,
    )
    assert masked.masked() == masked


def test_a_mask_is_excluded_from_repr_and_equality() -> None:
    plain = Request(method="GET", url="https://crm.example/")
    masked = Request(method="GET", url="https://crm.example/", mask=Mask(["s3cret"]))
    assert plain == masked
    assert "Mask" not in repr(masked)
