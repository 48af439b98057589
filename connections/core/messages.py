"""Requests, responses and exchanges as values."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from connections.core.masking import Mask

Headers = tuple[tuple[str, str], ...]

_NO_MASK = Mask(())

_UNUSABLE_CODECS = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"}
"""Python's codecs that are no charsets: they are slow or decode to lone surrogates."""

_HEADER_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{1,100}?encoding=[\"']([\w.:-]+)")


class ErrorCode(StrEnum):
    """The reason why an exchange has no complete response; stable, for filters and alarms."""

    DNS = "dns"
    BLOCKED_ADDRESS = "blocked_address"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - an error code, not a credential.
    READ_TIMEOUT = "read_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    CONNECTION_LOST = "connection_lost"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    LEASE_LOST = "lease_lost"
    NOT_BUILT = "not_built"

    @property
    def may_have_arrived(self) -> bool:
        """Whether the request may have reached the CRM although no response came."""
        return self in _MAY_HAVE_ARRIVED


_MAY_HAVE_ARRIVED = {
    ErrorCode.READ_TIMEOUT,
    ErrorCode.TOTAL_TIMEOUT,
    ErrorCode.CONNECTION_LOST,
    ErrorCode.PROTOCOL,
    ErrorCode.TOO_LARGE,
    ErrorCode.LEASE_LOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeError:
    """The error of an exchange: a stable code and one sentence for people."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request exactly as it is sent, with the mask for the credentials in it."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    mask: Mask = field(default=_NO_MASK, repr=False, compare=False)

    def masked(self) -> Request:
        """Return the request with its credentials masked, to be stored and shown."""
        return Request(
            method=self.method,
            url=self.mask.in_text(self.url),
            headers=_masked_headers(self.headers, self.mask),
            body=self.mask.in_bytes(self.body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A received response; its body is decompressed and cut off at the maximum size."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty text."""
        return next(iter(self.header_values(name)), "")

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header; the case of its name does not matter."""
        wanted = name.lower()
        return [value for header, value in self.headers if header.lower() == wanted]

    def text(self) -> str:
        """Return the body as text, decoded from the charset that it names if known, or UTF-8."""
        return decode(self.body, self.charset()).removeprefix("\ufeff")

    def charset(self) -> str:
        """Return the charset that the Content-Type or the XML declaration names, or UTF-8."""
        named = _HEADER_CHARSET.search(self.header("Content-Type"))
        if named:
            return named[1]
        declared = _XML_CHARSET.match(self.body)
        # A declaration that matches as ASCII can't be written in a charset of wider characters.
        is_wide = declared and re.match(rb"(?i)utf-?(16|32)|ucs|iso-10646", declared[1])
        return declared[1].decode() if declared and not is_wide else "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its result: a response, an error, or both if the response was cut off.

    `finished_at` is an aware datetime, from which a Retry-After is counted. `duration` is in
    seconds.
    """

    request: Request
    response: Response | None = None
    error: ExchangeError | None = None
    duration: float = 0.0
    finished_at: datetime

    def masked(self) -> Exchange:
        """Return the exchange with all credentials masked, also those that the CRM repeats."""
        mask = self.request.mask
        response = self.response and replace(
            self.response,
            headers=_masked_headers(self.response.headers, mask),
            body=mask.in_bytes(self.response.body),
        )
        error = self.error and replace(self.error, message=mask.in_text(self.error.message))
        return replace(self, request=self.request.masked(), response=response, error=error)


def decode(content: bytes, charset: str) -> str:
    """Return the bytes as text; wrong bytes become U+FFFD, and a wrong charset is no error."""
    try:
        return content.decode(find_codec(charset), "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def encode(text: str, charset: str) -> bytes:
    """Return the text in the charset; characters that it lacks become a "?"."""
    try:
        return text.encode(find_codec(charset), "replace")
    except (LookupError, ValueError):
        return text.encode("utf-8", "replace")


def find_codec(charset: str) -> str:
    """Return the name of Python's codec for the charset; UTF-8 if it is unknown or unusable."""
    try:
        name = codecs.lookup(charset).name.replace("_", "-")
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if name in _UNUSABLE_CODECS else name


def _masked_headers(headers: Headers, mask: Mask) -> Headers:
    return tuple((name, mask.in_text(value)) for name, value in headers)
