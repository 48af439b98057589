"""Build responses and encode them as HTTP/1.1."""

import json
import time
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

ResponseHeaders = tuple[tuple[str, str], ...]

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """A response, sent after `delay` seconds; without a status, the connection is only closed."""

    status: int | None
    body: bytes = b""
    content_type: str = TEXT
    headers: ResponseHeaders = ()
    delay: float = 0.0

    def encode(self, *, is_last: bool = False, to_head: bool = False) -> bytes:
        """Return the whole response as bytes, so that one call sends it.

        `is_last` announces that the connection is closed; `to_head` leaves out the body.
        """
        status = HTTPStatus(self.status or 500)
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Date: {_date(int(time.time()))}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        if status is not HTTPStatus.NO_CONTENT:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        if is_last:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head if to_head else head + self.body


def text_response(status: int, text: str) -> HTTPResponse:
    """Return a response of plain text."""
    return HTTPResponse(status, text.encode(errors="replace"), TEXT)


def html_response(status: int, text: str) -> HTTPResponse:
    """Return a response with an HTML page of one paragraph."""
    return HTTPResponse(status, f"<!DOCTYPE html><title>CRM</title><p>{text}".encode(), HTML)


def json_response(
    status: int, value: object, content_type: str = JSON, headers: ResponseHeaders = ()
) -> HTTPResponse:
    """Return a response with the value as JSON."""
    return HTTPResponse(status, json.dumps(value).encode(), content_type, headers)


# Formatting the date takes as long as the rest of the head, and it changes once per second.
@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
