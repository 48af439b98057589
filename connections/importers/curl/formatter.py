"""Format a request, which is masked already, as the `curl` command that would send it."""

from __future__ import annotations

import shlex

from connections.core.messages import Request

_SET_BY_CURL = {"host", "content-length"}


def to_curl(request: Request) -> str:
    """Return the command, one option a line."""
    parts = [f"curl --request {request.method} {shlex.quote(request.url)}"]
    parts += [
        f"--header {shlex.quote(f'{name}: {value}')}"
        for name, value in request.headers
        if name.lower() not in _SET_BY_CURL
    ]
    if request.body:
        parts.append(f"--data-raw {_quoted(request.body)}")
    return " \\\n  ".join(parts)


def _quoted(body: bytes) -> str:
    try:
        return shlex.quote(body.decode())
    except UnicodeDecodeError:
        escaped = "".join(f"\\x{byte:02x}" for byte in body)
        return f"$'{escaped}'"
