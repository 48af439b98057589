"""Tests of Retry-After headers and fields."""

import time

import pytest

from connections.core.errors import DescriptionError
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit, read_retry_after
from tests.connections.core.factories import NOW, parse_response

IN_FIVE_MINUTES = int(NOW.timestamp()) + 300


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("0.5", 0.5),
        ("-5", 0.0),
        ("99999999", 86_400.0),
        ("Tue, 24 Nov 2026 16:05:00 GMT", 300.0),
        ("Tuesday, 24-Nov-26 16:05:00 GMT", 300.0),
        ("Tue Nov 24 16:05:00 2026", 300.0),
        ("Tue, 24 Nov 2026 17:05:00 +0100", 300.0),
        ("Tue, 24 Nov 2026 16:05:00", 300.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400.0),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("Tue, 99 Nov 2026 99:99:99 GMT", None),
        ("Tue, 24 Nov 2026 16:05:00 +9999", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("120, 60", None),
        ("9" * 5_000, None),
    ],
)
def test_a_retry_after_header_is_read_as_seconds_or_as_a_date(
    header: str, seconds: float | None
) -> None:
    assert (
        read_retry_after(None, parse_response(headers=(("retry-after", header),)), NOW) == seconds
    )


def test_a_date_without_a_time_zone_is_utc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    header = (("retry-after", "Tue, 24 Nov 2026 16:05:00"),)
    try:
        with monkeypatch.context() as process:
            process.setenv("TZ", "Asia/Tokyo")
            time.tzset()
            assert read_retry_after(None, parse_response(headers=header), NOW) == 300.0
    finally:
        time.tzset()


@pytest.mark.parametrize(
    ("where", "path", "unit", "content", "headers", "seconds"),
    [
        (
            "header",
            "X-RateLimit-Reset",
            "epoch",
            "",
            (("x-ratelimit-reset", str(IN_FIVE_MINUTES)),),
            300.0,
        ),
        ("header", "X-Reset", "epoch", "", (("X-Reset", f"{IN_FIVE_MINUTES}000"),), 300.0),
        ("header", "X-Reset", "epoch", "", (("X-Reset", f"{IN_FIVE_MINUTES}.5"),), 300.5),
        ("header", "X-Reset", "epoch", "", (("X-Reset", "17"),), 0.0),
        ("header", "X-Reset", "seconds", "", (("X-Reset", "17"),), 17.0),
        ("header", "X-Reset", "seconds", "", (), None),
        ("json", "wait.ms", "milliseconds", '{"wait": {"ms": 1500}}', (), 1.5),
        ("json", "wait", "seconds", '{"wait": "2.50"}', (), 2.5),
        ("json", "wait", "seconds", '{"wait": 2.50}', (), 2.5),
        ("json", "wait", "seconds", '{"wait": null}', (), None),
        ("json", "wait", "seconds", '{"wait": true}', (), None),
        ("json", "wait", "seconds", '{"wait": [1]}', (), None),
        ("json", "wait", "seconds", '{"wait": -1}', (), 0.0),
        ("json", "wait", "seconds", '{"wait": 1e999}', (), None),
        ("json", "wait", "seconds", '{"wait": %s}' % ("9" * 5_000), (), None),
        ("json", "wait", "seconds", "<html>", (), None),
        ("xpath", "//wait", "seconds", "<r><wait> 7 </wait></r>", (), 7.0),
        ("xpath", "number(//wait)", "seconds", "<r><wait>7</wait></r>", (), 7.0),
    ],
)
def test_a_field_of_the_crm_is_read_in_its_unit(
    where: str,
    path: str,
    unit: str,
    content: str,
    headers: tuple[tuple[str, str], ...],
    seconds: float | None,
) -> None:
    field = RetryAfter(where=where, path=path, unit=RetryAfterUnit(unit))
    assert read_retry_after(field, parse_response(content, headers), NOW) == seconds


def test_the_retry_after_header_takes_precedence() -> None:
    field = RetryAfter(where="header", path="X-Reset")
    headers = (("X-Reset", "60"), ("Retry-After", "5"))
    assert read_retry_after(field, parse_response(headers=headers), NOW) == 5.0
    assert (
        read_retry_after(
            field, parse_response(headers=(("X-Reset", "60"), ("Retry-After", "?"))), NOW
        )
        == 60.0
    )


@pytest.mark.parametrize(
    ("where", "path", "field"),
    [("text", "x", "where"), ("body", "x", "where"), ("json", "", "path"), ("json", "a[", "path")],
)
def test_an_invalid_retry_after_field_is_refused(where: str, path: str, field: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        RetryAfter(where=where, path=path)
    assert caught.value.field == field
