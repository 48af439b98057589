"""Requests, responses and exchanges as values; must not know how they are built, sent or read."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from connections.core.masking import Mask

Headers = tuple[tuple[str, str], ...]

_NO_MASK = Mask(())

_NO_CHARSETS = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"}
"""Codecs of Python's that turn text into other text, slowly or into half characters."""

_HEADER_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{1,100}?encoding=[\"']([\w.:-]+)")


class ErrorCode(StrEnum):
    """Why an exchange has no whole answer; stable, so that filters and alarms can rely on it."""

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
        """Whether the request may have reached the CRM although no answer came."""
        return self in _SENT


_SENT = {
    ErrorCode.READ_TIMEOUT,
    ErrorCode.TOTAL_TIMEOUT,
    ErrorCode.CONNECTION_LOST,
    ErrorCode.PROTOCOL,
    ErrorCode.TOO_LARGE,
    ErrorCode.LEASE_LOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeError:
    """What went wrong: a stable code and one sentence that a person understands."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request exactly as it goes over the wire, with the mask for the credentials in it."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    mask: Mask = field(default=_NO_MASK, repr=False, compare=False)

    def masked(self) -> Request:
        """The request as it may be stored and shown."""
        return Request(
            method=self.method,
            url=self.mask.in_text(self.url),
            headers=_masked_headers(self.headers, self.mask),
            body=self.mask.in_bytes(self.body),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response as it was received: the body decompressed and cut at the limit."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a header, or an empty text."""
        return next(iter(self.header_values(name)), "")

    def header_values(self, name: str) -> list[str]:
        """All values of a header; names are compared without case."""
        wanted = name.lower()
        return [value for header, value in self.headers if header.lower() == wanted]

    def text(self) -> str:
        """The body as text: in the charset that it names, if that exists, else as UTF-8."""
        return decode(self.body, self._charset()).removeprefix("\ufeff")

    def _charset(self) -> str:
        named = _HEADER_CHARSET.search(self.header("Content-Type"))
        if named:
            return named[1]
        declared = _XML_CHARSET.match(self.body)
        # A declaration that can be read in single bytes can't stand in a charset of wider ones.
        is_wide = declared and re.match(rb"(?i)utf-?(16|32)|ucs|iso-10646", declared[1])
        return declared[1].decode() if declared and not is_wide else "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came back: a response, an error, or (cut off) both.

    `finished_at` has a time zone; it is the moment that a relative or absolute wait counts from.
    `duration` is in seconds.
    """

    request: Request
    response: Response | None = None
    error: ExchangeError | None = None
    duration: float = 0.0
    finished_at: datetime

    def masked(self) -> Exchange:
        """The exchange as it may be stored and shown: a CRM may echo what it was sent."""
        mask = self.request.mask
        response = self.response and replace(
            self.response,
            headers=_masked_headers(self.response.headers, mask),
            body=mask.in_bytes(self.response.body),
        )
        error = self.error and replace(self.error, message=mask.in_text(self.error.message))
        return replace(self, request=self.request.masked(), response=response, error=error)


def decode(content: bytes, charset: str) -> str:
    """Bytes as text, whatever they are: a wrong charset costs characters, never an error."""
    try:
        name = codecs.lookup(charset).name.replace("_", "-")
        return content.decode("utf-8" if name in _NO_CHARSETS else charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _masked_headers(headers: Headers, mask: Mask) -> Headers:
    return tuple((name, mask.in_text(value)) for name, value in headers)
