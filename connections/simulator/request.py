"""Parse HTTP/1.1 requests from bytes."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

END_OF_HEAD = b"\r\n\r\n"
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024 * 1024


class MalformedRequestError(Exception):
    """The bytes are no request that this server can parse; `status` is its response."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """A request; the names of its headers are in lower case, `head` holds them as sent."""

    method: str
    target: str
    version: str
    headers: dict[str, str]
    head: bytes
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a URL-encoded body."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def is_last(self) -> bool:
        """Whether the client wants the connection closed after the response."""
        return self.version == "HTTP/1.0" or self.headers.get("connection", "").lower() == "close"


def pop_request(buffer: bytearray) -> HTTPRequest | None:
    """Remove the first request from the buffer and return it; None if it is not complete.

    Raises MalformedRequestError.
    """
    end = buffer.find(END_OF_HEAD)
    if (len(buffer) if end < 0 else end) > MAX_HEAD_BYTES:
        raise MalformedRequestError(431)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    method, target, version = _parse_request_line(head)
    headers = {name.lower(): value for name, value in parse_headers(head)}
    body_start = end + len(END_OF_HEAD)
    body_end = body_start + _parse_body_length(headers)
    if len(buffer) < body_end:
        return None
    body = bytes(buffer[body_start:body_end])
    del buffer[:body_end]
    return HTTPRequest(method, target, version, headers, head, body)


def parse_headers(head: bytes) -> list[tuple[str, str]]:
    """Return the names and values as they were sent; raise MalformedRequestError."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    split = [line.partition(":") for line in lines]
    if not all(name and colon for name, colon, _ in split):
        raise MalformedRequestError(400)
    return [(name, value.strip()) for name, _, value in split]


def _parse_request_line(head: bytes) -> tuple[str, str, str]:
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise MalformedRequestError(400)
    return words[0], words[1], words[2]


def _parse_body_length(headers: dict[str, str]) -> int:
    # Chunked bodies are not supported, as no client under test sends one.
    if "transfer-encoding" in headers:
        raise MalformedRequestError(411)
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise MalformedRequestError(400)
    if len(length) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
        raise MalformedRequestError(413)
    return int(length)
