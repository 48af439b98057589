"""Tests of exchanges as pages show them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from connections.core.attributes import CATALOGUE
from connections.core.messages import Request
from connections.core.personal_data import build_personal_mask
from connections.models import ConnectionTest
from connections.models.exchanges import KEPT_BODY_BYTES, dump_headers
from connections.presentation.exchange import ExchangeView, RequestView
from connections.presentation.redaction import Redaction

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
JSON = "application/json"
PERSON = {"email": "jo.sommer@example.com", "last_name": "Sommer"}
REDACTION = Redaction(mask=build_personal_mask(PERSON, CATALOGUE), valid_since=NOW)


def record(**columns: Any) -> ConnectionTest:
    """Return an unsaved exchange with personal data in every part."""
    return ConnectionTest(
        **{
            "started_at": NOW,
            "outcome": "duplicate",
            "reason": "jo.sommer@example.com is known",
            "reference": "Sommer-7",
            "error_message": "Sommer was sent.",
            "request_method": "POST",
            "request_url": "https://crm.example/leads?of=Sommer",
            "request_headers": dump_headers((("Content-Type", JSON), ("X-Of", "Sommer"))),
            "request_body": b'{"name": "Sommer"}',
            "response_status": 409,
            "response_headers": dump_headers((("content-type", JSON),)),
            "response_body": b'{"known": "SOMMER"}',
            **columns,
        }
    )


def strip_tags(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def response_text(body: bytes, content_type: str = "text/plain", **columns: Any) -> str:
    headers = dump_headers((("Content-Type", content_type),))
    view = ExchangeView.from_record(
        record(response_headers=headers, response_body=body, **columns)
    ).response
    assert view
    return strip_tags(view.body)


def redacted_response(body: bytes, content_type: str = "text/plain") -> tuple[str, str]:
    """Return the readable and the exact body for a user who may not see personal data."""
    headers = dump_headers((("Content-Type", content_type),))
    row = record(response_headers=headers, response_body=body)
    view = ExchangeView.from_record(row, REDACTION).response
    assert view
    return strip_tags(view.body), view.exact


def test_a_request_is_shown_readable_exact_and_as_a_curl_command() -> None:
    request = ExchangeView.from_record(record()).request
    assert request
    head = f"POST /leads?of=Sommer HTTP/1.1\nContent-Type: {JSON}\nX-Of: Sommer"
    assert strip_tags(request.head) == head
    assert strip_tags(request.body) == '{\n  "name": "Sommer"\n}'
    assert strip_tags(request.exact) == f'{head}\n\n{{"name": "Sommer"}}'
    assert request.curl == (
        "curl --request POST 'https://crm.example/leads?of=Sommer' \\\n"
        f"  --header 'Content-Type: {JSON}' \\\n"
        "  --header 'X-Of: Sommer' \\\n"
        """  --data-raw '{"name": "Sommer"}'"""
    )
    assert (request.is_cut, request.is_hidden) == (False, False)


def test_a_response_is_shown_readable_and_exact() -> None:
    exchange = ExchangeView.from_record(record())
    assert exchange.response
    assert strip_tags(exchange.response.head) == f"HTTP 409\ncontent-type: {JSON}"
    assert strip_tags(exchange.response.body) == '{\n  "known": "SOMMER"\n}'
    assert exchange.response.exact == '{"known": "SOMMER"}'
    assert (exchange.response.size, exchange.response.is_cut) == (19, False)
    assert (exchange.reason, exchange.reference, exchange.error_message, exchange.is_redacted) == (
        "jo.sommer@example.com is known", "Sommer-7", "Sommer was sent.", False,
    )  # fmt: skip


def test_an_exchange_without_a_request_and_a_response_shows_neither() -> None:
    exchange = ExchangeView.from_record(record(request_url="", response_status=None))
    assert (exchange.request, exchange.response, exchange.received) == (None, None, None)


def test_bodies_may_be_empty() -> None:
    exchange = ExchangeView.from_record(record(request_body=None, response_body=None))
    assert exchange.request
    assert exchange.response
    assert (exchange.request.body, exchange.response.body) == ("", "")
    assert "--data-raw" not in exchange.request.curl


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "windows-1252", "utf-16", "gb18030"])
def test_a_body_is_decoded_in_the_charset_that_it_names(charset: str) -> None:
    assert response_text("Grüße".encode(charset), f"text/plain; charset={charset}") == "Grüße"


@pytest.mark.parametrize("body", [b"\xff\x00\x01ok", b"\x80abc", "Jo".encode("utf-16-le")])
def test_bytes_that_are_not_text_are_shown_as_a_hex_dump(body: bytes) -> None:
    assert response_text(body).startswith(f"000000  {body.hex(' ')}")
    request = ExchangeView.from_record(record(request_body=body)).request
    assert request
    assert strip_tags(request.body).startswith(f"000000  {body.hex(' ')}")


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_a_cut_body_may_end_within_a_character(rest: int) -> None:
    body = b"x" * (KEPT_BODY_BYTES - rest) + "\U0001f600".encode()[:rest]
    exchange = ExchangeView.from_record(record(request_body=body, response_body=body))
    assert exchange.request
    assert exchange.response
    expected = "x" * (KEPT_BODY_BYTES - rest)
    assert (exchange.request.is_cut, exchange.response.is_cut) == (True, True)
    assert (exchange.request.body, exchange.response.body) == (expected, expected)
    assert exchange.response.exact == expected
    assert exchange.request.exact.endswith(expected)
    assert exchange.request.curl.endswith(f"--data-raw {expected}")


def test_a_cut_body_of_another_charset_may_end_within_a_character() -> None:
    body = b"x" * (KEPT_BODY_BYTES - 1) + "語".encode("shift-jis")[:1]
    assert response_text(body, "text/plain; charset=shift-jis") == "x" * (KEPT_BODY_BYTES - 1)


def test_a_large_request_that_was_not_stored_is_not_cut() -> None:
    body = b"x" * (KEPT_BODY_BYTES + 1)
    view = RequestView.from_request(Request(method="POST", url="https://a.example/", body=body))
    assert (view.is_cut, view.body) == (False, body.decode())


def test_personal_data_is_hidden_in_every_part() -> None:
    exchange = ExchangeView.from_record(record(), REDACTION)
    assert exchange.request
    assert exchange.response
    assert exchange.received
    for part in (
        exchange.request.head, exchange.request.body, exchange.request.exact,
        exchange.request.curl, exchange.response.head, exchange.response.body,
        exchange.response.exact, exchange.received.text(), exchange.reason, exchange.reference,
        exchange.error_message,
    ):  # fmt: skip
        assert "sommer" not in part.lower()
    assert exchange.request.curl == (
        "curl --request POST 'https://crm.example/leads?of=••••' \\\n"
        f"  --header 'Content-Type: {JSON}' \\\n"
        "  --header 'X-Of: ••••' \\\n"
        """  --data-raw '{"name": "••••"}'"""
    )
    assert (exchange.reason, exchange.reference, exchange.is_redacted) == (
        "•••• is known", "••••-7", True,
    )  # fmt: skip


def test_a_request_from_before_the_last_change_is_hidden_completely() -> None:
    row = record(started_at=NOW - timedelta(seconds=1))
    request = ExchangeView.from_record(row, REDACTION).request
    assert request
    assert (strip_tags(request.head), request.body, request.exact, request.curl) == (
        "POST /•••• HTTP/1.1", "", "", "",
    )  # fmt: skip
    assert request.is_hidden
    assert ExchangeView.from_record(row).request == ExchangeView.from_record(record()).request


def test_a_request_is_hidden_completely_if_the_connection_of_its_time_is_unknown() -> None:
    unknown = Redaction(mask=REDACTION.mask, valid_since=None)
    request = ExchangeView.from_record(record(), unknown).request
    assert request
    assert (request.is_hidden, request.curl) == (True, "")


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf-32-be", "cp037"])
def test_personal_data_is_hidden_in_every_charset(charset: str) -> None:
    body = "Hello Sommer!".encode(charset)
    shown, exact = redacted_response(body, f"text/plain; charset={charset}")
    assert re.fullmatch(r"Hello (••••|\?\?\?\?)!", shown)
    for hidden in (b"Sommer", "Sommer".encode(charset)):
        assert hidden.hex(" ") not in exact
    assert "Sommer" not in exact.replace(".", "")


def test_personal_data_is_hidden_in_utf_16_without_a_named_charset() -> None:
    assert redacted_response("Sommer".encode("utf-16-le")) == ("••••", "••••")


def test_a_personal_value_that_was_cut_is_hidden() -> None:
    body = b"x" * (KEPT_BODY_BYTES - 4) + b"Somm"
    shown, exact = redacted_response(body)
    assert shown == exact == "x" * (KEPT_BODY_BYTES - 512) + "••••"
    row = record(request_body=body)
    request = ExchangeView.from_record(row, REDACTION).request
    assert request
    assert request.is_cut
    assert request.body == shown
    assert "Somm" not in request.exact + request.curl
