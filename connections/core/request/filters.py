"""The Liquid filters beyond Liquid's own; each is one registered function."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import phonenumbers
from liquid.undefined import Undefined

from connections.core.values import to_json, to_text

Filter = Callable[..., Any]
FILTERS: dict[str, Filter] = {}


def _register(name: str) -> Callable[[Filter], Filter]:
    def add(function: Filter) -> Filter:
        FILTERS[name] = function
        return function

    return add


@_register("md5")
def md5(value: object) -> str:
    """Return the MD5 of the text as lower-case hex: an identifier, not a protection."""
    return _unless_empty(value, lambda text: hashlib.md5(text, usedforsecurity=False).hexdigest())


@_register("sha256")
def sha256(value: object) -> str:
    """Return the SHA-256 of the text as lower-case hex."""
    return _unless_empty(value, lambda text: hashlib.sha256(text).hexdigest())


@_register("hmac_sha256")
def hmac_sha256(value: object, key: object) -> str:
    """Return the HMAC-SHA-256 of the text with this key as lower-case hex."""
    secret = to_text(key).encode()
    return _unless_empty(value, lambda text: hmac.new(secret, text, hashlib.sha256).hexdigest())


@_register("base64")
def base64_(value: object) -> str:
    """Return the text in base64."""
    return base64.b64encode(to_text(value).encode()).decode()


@_register("url_encode")
def url_encode(value: object) -> str:
    """Return the text percent-encoded; only letters, digits and -_.~ stay unchanged."""
    return quote(to_text(value), safe="")


@_register("json")
def json_(value: object) -> str:
    """Return the value as JSON, for documents that hold JSON inside a text."""
    return to_json(None if isinstance(value, Undefined) else value)


@_register("e164")
def e164(value: object, country: object = "") -> str:
    """Return a telephone number as +15551234567; `country` is the ISO code for national numbers.

    A text that is no possible number is returned unchanged: the CRM's rejection of it tells more
    than an empty value would.
    """
    text = to_text(value)
    try:
        number = phonenumbers.parse(text, to_text(country).upper() or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@_register("value_map")
def value_map(value: object, *pairs: object) -> object:
    """Replace values: `{{ gender | value_map: "M", "Male", "F", "Female", "Unknown" }}`.

    A last value without a pair is the default; without a default, other values stay unchanged.
    """
    replacements = dict(zip(map(to_text, pairs[::2]), pairs[1::2], strict=False))
    default = pairs[-1] if len(pairs) % 2 else value
    return replacements.get(to_text(value), default)


def _unless_empty(value: object, digest: Callable[[bytes], str]) -> str:
    """Return the digest, or "" for an empty value, whose digest would look like a person's."""
    text = to_text(value).encode()
    return digest(text) if text else ""
