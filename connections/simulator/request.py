"""Owns the reading of one HTTP request from bytes, and must not know what any request means."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

END_OF_HEAD = b"\r\n\r\n"
HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 1024 * 1024


class MalformedError(Exception):
    """The bytes are no request this server reads; it says so with `status` and hangs up."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    version: str
    headers: dict[str, str]  # The names are in lower case.
    head: bytes
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def is_last(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return self.version == "HTTP/1.0" or self.headers.get("connection", "").lower() == "close"


def take(buffer: bytearray) -> Request | None:
    """Remove the first whole request from the buffer; None while there is no whole one."""
    end = buffer.find(END_OF_HEAD)
    if (len(buffer) if end < 0 else end) > HEAD_LIMIT:
        raise MalformedError(431)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    method, target, version = _first_line(head)
    headers = {name.lower(): value for name, value in header_lines(head)}
    body = end + len(END_OF_HEAD)
    rest = body + _body_length(headers)
    if len(buffer) < rest:
        return None
    request = Request(method, target, version, headers, head, bytes(buffer[body:rest]))
    del buffer[:rest]
    return request


def header_lines(head: bytes) -> list[tuple[str, str]]:
    """The names and values as they were sent."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    split = [line.partition(":") for line in lines]
    if not all(name and colon for name, colon, _ in split):
        raise MalformedError(400)
    return [(name, value.strip()) for name, _, value in split]


def _first_line(head: bytes) -> tuple[str, str, str]:
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise MalformedError(400)
    return words[0], words[1], words[2]


def _body_length(headers: dict[str, str]) -> int:
    # A chunked body is refused rather than read, since no client under test sends one.
    if "transfer-encoding" in headers:
        raise MalformedError(411)
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise MalformedError(400)
    if len(length) > len(str(BODY_LIMIT)) or int(length) > BODY_LIMIT:
        raise MalformedError(413)
    return int(length)
