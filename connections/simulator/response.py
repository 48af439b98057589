"""Owns an answer and its HTTP form, and must not know why that answer was chosen."""

import json
import time
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets after `delay` seconds; without a status, only a closed connection."""

    status: int | None
    body: bytes = b""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0

    def encode(self, *, is_last: bool = False, to_head: bool = False) -> bytes:
        """The whole answer in one piece, so that it leaves in one send."""
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


def text(status: int, words: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, words.encode(errors="replace"), TEXT, headers)


def page(status: int, words: str) -> Answer:
    return Answer(status, f"<!DOCTYPE html><title>CRM</title><p>{words}".encode(), HTML)


def document(
    status: int, value: object, kind: str = JSON, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    return Answer(status, json.dumps(value).encode(), kind, headers)


# Formatting the date costs as much as the rest of the head, and it changes once a second.
@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
