"""How a kept exchange is shown: the exact request and response, masked, as text.

Shared by connection tests and delivery attempts; must not know either.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.http.messages import Request, Response, decode
from connections.models import ExchangeRecord

EXCHANGE_FIELDS = (
    "started_at", "duration_ms", "outcome", "rule", "reason", "reference",
    "shown_request", "shown_response", "error_code", "error_message",
)  # fmt: skip


class ExchangeDisplay:
    """Mixin for an admin of ExchangeRecord rows."""

    @admin.display(description="Request")
    def shown_request(self, record: ExchangeRecord) -> SafeString | str:
        return _preformatted(request_text(record.request())) if record.request_url else "Not sent"

    @admin.display(description="Response")
    def shown_response(self, record: ExchangeRecord) -> SafeString | str:
        response = record.response()
        return _preformatted(response_text(response)) if response else "None"


def request_text(request: Request) -> str:
    """The request as it went over the wire."""
    lines = [f"{request.method} {request.url}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\n".join([*lines, "", decode(request.body, "utf-8")]).rstrip()


def response_text(response: Response) -> str:
    """The response as it was received, decompressed."""
    lines = [f"HTTP {response.status}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\n".join([*lines, "", response.text()]).rstrip()


def _preformatted(text: str) -> SafeString:
    return format_html("<pre>{}</pre>", text)
