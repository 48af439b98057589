"""Mask credentials in everything that is stored or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from urllib.parse import quote, quote_plus

MASK = "••••"
_MASK_BYTES = MASK.encode()
_MIN_BASE64_LENGTH = 4
"""Bytes of a credential; a shorter one would match by chance in any longer base64 text."""

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL_SAFE = {"+": "-", "/": "_"}
# Every repeat has a maximum: a CRM's response might consist of nothing but backslashes.
_PERCENT = rb"%(?:25){0,2}"
_BACKSLASH = rb"(?:\\|%(?:25){0,2}5[cC]|\\u005[cC])"
_ESCAPES = _BACKSLASH + rb"{1,4}"
_AMPERSAND = rb"(?:&(?:amp;){0,2}|%26|\\u0026)"
_SEMICOLON = rb"(?:;|%3[bB])"
_SHORT_ESCAPES = {"\b": b"b", "\t": b"t", "\n": b"n", "\f": b"f", "\r": b"r"}
_ENTITIES = {"&": b"amp", "<": b"lt", ">": b"gt", '"': b"quot", "'": b"apos"}

Units = Sequence[str]
"""One form of a text: for each position, the characters that it may have."""


class Mask:
    """A replacer of credentials by ••••, in every form that they may have.

    The forms: plain, and base64-encoded, also in the middle of a longer base64 text; each of them
    also escaped for a URL, JSON or XML.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        forms = {tuple(form) for secret in self._secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(_pattern, longest_first)))
        needles = sorted({_needle(form) for form in forms})
        self._needle = re.compile(b"|".join(needles)) if needles else None

    def with_secret(self, secret: str) -> Mask:
        """Return the mask of these credentials and one more."""
        return get_mask((*self._secrets, secret))

    def in_bytes(self, content: bytes) -> bytes:
        """Return the content with every credential replaced."""
        # Most contents hold no credential, which a search for plain bytes shows much faster.
        if self._needle is None or not self._needle.search(content):
            return content
        kept: list[bytes] = []
        position = 0
        for start, end in self._spans(content):
            kept += [content[position:start], _MASK_BYTES]
            position = end
        return b"".join([*kept, content[position:]])

    def in_text(self, text: str) -> str:
        """Return the text with every credential replaced."""
        masked = self.in_bytes(text.encode("utf-8", "surrogatepass"))
        return masked.decode("utf-8", "surrogatepass")

    def _spans(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Yield start and end of each credential; overlapping ones together, so that none shows."""
        match = self._pattern.search(content)
        while match:
            start, end = match.span()
            match = self._pattern.search(content, start + 1)
            while match and match.start() < end:
                end = max(end, match.end())
                match = self._pattern.search(content, match.start() + 1)
            yield start, end


@lru_cache(maxsize=1_024)
def get_mask(secrets: tuple[str, ...]) -> Mask:
    """Return the mask of these credentials, cached because compiling its pattern is slow."""
    return Mask(secrets)


def _forms(secret: str) -> Iterator[Units]:
    """Yield the forms of a credential, also without outer spaces: headers and forms strip them."""
    for text in {secret, secret.strip()} - {""}:
        yield text
        raw = {text, quote(text, safe=""), quote_plus(text)}
        raw |= {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
        for encoded in raw:
            if len(encoded.encode()) >= _MIN_BASE64_LENGTH:
                yield from _base64_forms(encoded.encode())


def _base64_forms(raw: bytes) -> Iterator[Units]:
    """Yield the bytes in base64 for each of their three possible offsets in a longer content.

    The first and last characters also hold bits of the neighbouring bytes, so they may be any
    characters that have the known bits.
    """
    bits = "".join(f"{byte:08b}" for byte in raw)
    for offset in range(3):
        known = "?" * 8 * offset + bits
        known += "?" * (-len(known) % 6)
        sextets = [known[start : start + 6] for start in range(0, len(known), 6)]
        yield [_characters(sextet) for sextet in sextets if sextet != "??????"]


@cache
def _characters(sextet: str) -> str:
    """Return the base64 characters that have these six bits; ? stands for 0 or 1."""
    pattern = re.compile(sextet.replace("?", "."))
    return "".join(
        character + _URL_SAFE.get(character, "")
        for value, character in enumerate(_BASE64)
        if pattern.fullmatch(f"{value:06b}")
    )


def _pattern(units: Units) -> bytes:
    parts: list[bytes] = []
    backslashes = 0
    for unit, repeated in groupby(units):
        times = len(list(repeated))
        if unit == "\\":
            backslashes = times
        else:
            parts += [_one_of(unit, backslashes), _one_of(unit, 0) * (times - 1)]
            backslashes = 0
    return b"".join([*parts, _backslashes(backslashes, 4 * backslashes)])


def _one_of(unit: str, backslashes: int) -> bytes:
    return b"(?:%b)" % b"|".join(_escaped(character, backslashes) for character in unit)


def _backslashes(minimum: int, maximum: int) -> bytes:
    return _BACKSLASH + b"{%d,%d}" % (minimum, maximum) if maximum else b""


def _needle(units: Units) -> bytes:
    """Return the longest part of a form that no encoding changes."""
    text = "".join(unit if len(unit) == 1 else " " for unit in units)
    longest: str = max(re.findall("[A-Za-z0-9]*", text), key=len)
    return longest.encode()


@cache
def _escaped(character: str, backslashes: int) -> bytes:
    """Return a pattern for one character and the backslashes before it.

    The character may be escaped for a URL, JSON or XML, also several times, and each backslash may
    be escaped by another. One repeat matches all backslashes of a row: with several repeats in
    sequence, the number of ways to match a row would grow exponentially.
    """
    if character.isascii() and character.isalnum():
        return _backslashes(backslashes, 4 * backslashes) + character.encode()
    numbers = rb"#0{0,6}%d|#[xX]0{0,6}%b" % (ord(character), _hex(b"%x" % ord(character)))
    names = [numbers, *filter(None, [_ENTITIES.get(character)])]
    # The longest alternatives come first: a % may be the beginning of a %25.
    alternatives = [
        b"".join(_PERCENT + _hex(b"%02x" % byte) for byte in character.encode()),
        _AMPERSAND + b"(?:%b)" % b"|".join(names) + _SEMICOLON,
        *map(re.escape, _raw_forms(character)),
    ]
    if character == " ":
        alternatives.append(rb"\+")
    escapes = [_ESCAPES.join(b"u" + _hex(unit) for unit in _utf16(character))]
    escapes += filter(None, [_SHORT_ESCAPES.get(character)])
    return b"%b(?:%b)|%b(?:%b)" % (
        _backslashes(backslashes, 4 * backslashes + 4), b"|".join(alternatives),
        _backslashes(backslashes + 1, 4 * backslashes + 8), b"|".join(escapes),
    )  # fmt: skip


def _raw_forms(character: str) -> list[bytes]:
    """Return the character in UTF-8, in Latin-1, and in UTF-8 read as Latin-1, as in headers."""
    in_utf8 = character.encode("utf-8", "surrogatepass")
    forms = [in_utf8, character.encode("latin-1", "ignore"), in_utf8.decode("latin-1").encode()]
    return [form for form in dict.fromkeys(forms) if form]


def _utf16(character: str) -> list[bytes]:
    encoded = character.encode("utf-16-be", "surrogatepass").hex()
    return [encoded[start : start + 4].encode() for start in range(0, len(encoded), 4)]


def _hex(digits: bytes) -> bytes:
    """Return a pattern for hexadecimal digits in upper or lower case."""
    return b"(?i:%b)" % digits
