"""Tests of the masking of credentials."""

import base64
import html
import json
import time
from urllib.parse import quote, quote_plus

import pytest

from connections.core.masking import MASK, Mask

SECRET = 'k&y/"<p>+é\\1 %2'


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace("k%26y", "k%26y"),
        quote_plus(SECRET),
        quote(quote(SECRET, safe=""), safe=""),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        json.dumps(SECRET)[1:-1]
        .replace("/", "\\/")
        .replace("&", "\\u0026")
        .replace("<", "\\u003C"),
        quote(json.dumps(SECRET)[1:-1], safe=""),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
        html.escape(html.escape(SECRET)),
        html.escape(json.dumps(SECRET)[1:-1]),
        json.dumps(html.escape(SECRET))[1:-1],
        SECRET.replace("&", "&#38;").replace("<", "&#x3C;").replace('"', "&#034;"),
        SECRET.encode().decode("latin-1"),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        quote_plus(b64(SECRET).rstrip("=")),
        b64(quote(SECRET, safe="")).rstrip("="),
        b64(json.dumps(SECRET)[1:-1]).rstrip("="),
        json.dumps(b64(SECRET).rstrip("=")).replace("/", "\\/")[1:-1],
    ],
)
def test_a_credential_is_masked_in_every_encoding(form: str) -> None:
    assert Mask([SECRET]).in_text(f"key={form};") == f"key={MASK};"


def test_a_credential_is_masked_in_latin_1() -> None:
    assert Mask(["pässwörd"]).in_bytes("<pässwörd>".encode("latin-1")) == "<••••>".encode()


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zy", "zyx"])
@pytest.mark.parametrize("secret", ["abcd", "k-3f9a8b7c6d-us9", "pä55", "0000"])
def test_no_bit_of_a_credential_is_left_in_base64(before: str, secret: str, after: str) -> None:
    encoded = b64(before + secret + after)
    masked = Mask([secret]).in_text(encoded)
    head, mask, tail = masked.partition(MASK)
    assert mask
    assert encoded.startswith(head)
    assert encoded.endswith(tail)
    assert len(head) == len(before) * 8 // 6
    assert len(tail.rstrip("=")) == len(encoded.rstrip("=")) - -(
        -len((before + secret).encode()) * 8 // 6
    )


def test_a_short_credential_is_masked_in_plain_text_and_not_in_base64() -> None:
    assert (
        Mask(["abc"]).in_text(f"abc {b64('abc')} {b64('xabcx')}")
        == f"•••• {b64('abc')} {b64('xabcx')}"
    )


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_a_mask_without_credentials_changes_nothing(secrets: tuple[str, ...]) -> None:
    assert Mask(secrets).in_text("abc") == "abc"
    assert Mask(secrets).in_bytes(b"\xff\0") == b"\xff\0"


@pytest.mark.parametrize(
    ("secrets", "text", "masked"),
    [
        (["test", "test1234"], "test1234 test", "•••• ••••"),
        (["1234", "test1234"], "test1234", "••••"),
        (["abcd", "cdef"], "abcdef!", "••••!"),
        (["=s", "secret"], "key=secret&", "key••••&"),
        (["aaaa"], "aaaaaaaaaa", "••••"),
        (["aaaa"], "aaaa-aaaa", "••••-••••"),
        (["  padded  "], "key: padded; [  padded  ]", "key: ••••; [••••]"),
        (["KEY1"], "key1 KEY1", "key1 ••••"),
    ],
)
def test_credentials_that_touch_or_overlap_are_masked_completely(
    secrets: list[str], text: str, masked: str
) -> None:
    assert Mask(secrets).in_text(text) == masked


def test_masking_is_idempotent() -> None:
    mask = Mask([SECRET, "abcd"])
    once = mask.in_text(f"{SECRET} abcd {b64('abcd')}")
    assert once == "•••• •••• ••••=="
    assert mask.in_text(once) == once


def test_bytes_that_are_not_utf_8_are_unchanged() -> None:
    assert Mask(["abcd"]).in_bytes(b"\xff\xfeabcd\x80") == b"\xff\xfe" + MASK.encode() + b"\x80"
    assert Mask(["abcd"]).in_text("\ud800abcd\udcff") == f"\ud800{MASK}\udcff"


@pytest.mark.parametrize("secret", ["\\" * 20, '""""""', "%25%25%25%25", "&amp;" * 4, "a" * 2_000])
@pytest.mark.parametrize("piece", [b"\\", b"%25", b"&amp;", b'\\"', b"a"])
def test_a_body_made_to_be_slow_is_masked_quickly(secret: str, piece: bytes) -> None:
    started = time.process_time()
    Mask([secret]).in_bytes(piece * (16_384 // len(piece)))
    assert time.process_time() - started < 1
