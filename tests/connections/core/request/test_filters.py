"""Tests of the product's own Liquid filters."""

import base64
import hashlib
import hmac

import pytest
from liquid.undefined import Undefined

from connections.core.request import filters
from connections.core.values import ExactNumber

MISSING = Undefined("missing")


@pytest.mark.parametrize("value", ["Jo@x.y", "é🎉", 25, ExactNumber("2.50"), True])
def test_digests_are_computed_over_the_text_in_utf_8(value: object) -> None:
    text = {True: b"true"}.get(value is True, str(value).encode())
    assert filters.md5(value) == hashlib.md5(text).hexdigest()
    assert filters.sha256(value) == hashlib.sha256(text).hexdigest()
    assert filters.hmac_sha256(value, "key") == hmac.new(b"key", text, "sha256").hexdigest()
    assert filters.base64_(value) == base64.b64encode(text).decode()


def test_digests_equal_known_values() -> None:
    assert filters.md5("john.smith@example.com") == "1bc5edb4799fd8eec67c66122f47eb73"
    assert filters.sha256("") == ""
    assert filters.hmac_sha256("The quick brown fox jumps over the lazy dog", "key") == (
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )


@pytest.mark.parametrize("value", ["", None, MISSING])
def test_a_missing_value_has_no_digest(value: object) -> None:
    assert filters.md5(value) == ""
    assert filters.sha256(value) == ""
    assert filters.hmac_sha256(value, "key") == ""
    assert filters.base64_(value) == ""
    assert filters.url_encode(value) == ""
    assert filters.e164(value, "US") == ""


@pytest.mark.parametrize(
    ("value", "encoded"),
    [("a b+c/d", "a%20b%2Bc%2Fd"), ("-_.~Az09", "-_.~Az09"), ("é", "%C3%A9"), (True, "true")],
)
def test_url_encode_leaves_only_unreserved_characters(value: object, encoded: str) -> None:
    assert filters.url_encode(value) == encoded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a"b', '"a\\"b"'),
        (25, "25"),
        (ExactNumber("2.50"), "2.50"),
        (True, "true"),
        (None, "null"),
        (MISSING, "null"),
        (["é", 1], '["é", 1]'),
    ],
)
def test_json_writes_a_value_as_json(value: object, text: str) -> None:
    assert filters.json_(value) == text


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("+17327572923", "", "+17327572923"),
        ("+1 (732) 757-2923", "", "+17327572923"),
        ("(732) 757-2923", "US", "+17327572923"),
        ("732.757.2923", "us", "+17327572923"),
        ("0412 345 678", "AU", "+61412345678"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("0044 20 7946 0018", "GB", "+442079460018"),
        ("7327572923", "", "7327572923"),
        ("7327572923", "United States", "7327572923"),
        ("12", "US", "12"),
        ("call me", "US", "call me"),
        (17327572923, "US", "+17327572923"),
        ("1" * 300, "US", "1" * 300),
        ("732 757 2923", None, "732 757 2923"),
    ],
)
def test_e164_formats_valid_numbers_and_leaves_others_unchanged(
    number: object, country: object, expected: str
) -> None:
    assert filters.e164(number, country) == expected


@pytest.mark.parametrize(
    ("value", "pairs", "expected"),
    [
        ("M", ("M", "Male", "F", "Female"), "Male"),
        ("F", ("M", "Male", "F", "Female"), "Female"),
        ("X", ("M", "Male", "F", "Female"), "X"),
        ("X", ("M", "Male", "Unknown"), "Unknown"),
        (None, ("M", "Male", "Unknown"), "Unknown"),
        (True, ("true", 1, "false", 0), 1),
        (False, ("true", 1, "false", 0), 0),
        (ExactNumber("2.50"), ("2.50", "yes"), "yes"),
        ("X", (), "X"),
    ],
)
def test_value_map_replaces_a_value(
    value: object, pairs: tuple[object, ...], expected: object
) -> None:
    assert filters.value_map(value, *pairs) == expected


def test_value_map_leaves_a_missing_value_missing() -> None:
    assert filters.value_map(MISSING, "M", "Male") is MISSING
