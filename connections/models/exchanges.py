"""How an exchange and its meaning are kept in a row; must not know what the exchange was for."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from connections.core.messages import Exchange, Headers, Request, Response
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Classification

KEPT_BODY_BYTES = 16 * 1024
"""Bytes kept of each body; enough for every documented answer, small enough for a million rows."""


class ExchangeRecord(models.Model):
    """The columns of one exchange, masked, and of what it meant."""

    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True)
    outcome = models.CharField(
        max_length=16, choices=[(outcome.value, outcome.capitalize()) for outcome in Outcome]
    )
    rule = models.CharField(
        max_length=500, blank=True, help_text="The rule that matched, in words."
    )
    reason = models.TextField(blank=True)
    reference = models.CharField(max_length=500, blank=True)
    request_method = models.CharField(max_length=8, blank=True)
    request_url = models.TextField("request URL", blank=True)
    request_headers = models.TextField(blank=True, help_text="A JSON list of name and value.")
    request_body = models.BinaryField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_headers = models.TextField(blank=True, help_text="A JSON list of name and value.")
    response_body = models.BinaryField(null=True)
    error_code = models.CharField(max_length=32, blank=True)
    error_message = models.TextField(blank=True)

    class Meta:
        abstract = True

    def request(self) -> Request:
        """The request as it was sent, masked."""
        return Request(
            method=self.request_method,
            url=self.request_url,
            headers=load_headers(self.request_headers),
            body=bytes(self.request_body or b""),
        )

    def response(self) -> Response | None:
        """The response as it was received, masked."""
        if self.response_status is None:
            return None
        return Response(
            status=self.response_status,
            headers=load_headers(self.response_headers),
            body=bytes(self.response_body or b""),
        )


def exchange_columns(exchange: Exchange, meaning: Classification, rule: str = "") -> dict[str, Any]:
    """The columns of an ExchangeRecord except `started_at`; the exchange is masked on the way."""
    masked = exchange.masked()
    response, error = masked.response, masked.error
    mask = exchange.request.mask
    return {
        "duration_ms": round(exchange.duration * 1000),
        "outcome": meaning.outcome.value,
        "rule": rule[:500],
        "reason": storable(mask.in_text(meaning.reason)),
        "reference": storable(mask.in_text(meaning.reference))[:500],
        "request_method": masked.request.method,
        "request_url": storable(masked.request.url),
        "request_headers": dump_headers(masked.request.headers),
        "request_body": masked.request.body[:KEPT_BODY_BYTES],
        "response_status": response.status if response else None,
        "response_headers": dump_headers(response.headers) if response else "",
        "response_body": response.body[:KEPT_BODY_BYTES] if response else None,
        "error_code": error.code.value if error else "",
        "error_message": storable(error.message) if error else "",
    }


def dump_headers(headers: Headers) -> str:
    """Headers as JSON text."""
    return storable(json.dumps(headers, ensure_ascii=False)) if headers else ""


def load_headers(text: str) -> Headers:
    """Headers from JSON text."""
    return tuple((name, value) for name, value in json.loads(text)) if text else ()


def storable(text: str) -> str:
    """The text without what a database refuses: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
