"""Columns that store an exchange and its classification; for attempts and for tests."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from connections.core.messages import Exchange, Headers, Request, Response
from connections.core.response.matching import Classification
from connections.models.choices import OUTCOME_CHOICES

KEPT_BODY_BYTES = 16 * 1024
"""Bytes stored of each body: enough for every documented response, and for a million rows."""


class ExchangeRecord(models.Model):
    """The columns of one masked exchange and of its classification."""

    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=16, choices=OUTCOME_CHOICES)
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
        """Return the request as it was sent, masked."""
        return Request(
            method=self.request_method,
            url=self.request_url,
            headers=load_headers(self.request_headers),
            body=bytes(self.request_body or b""),
        )

    def response(self) -> Response | None:
        """Return the response as it was received, masked; None if none was."""
        if self.response_status is None:
            return None
        return Response(
            status=self.response_status,
            headers=load_headers(self.response_headers),
            body=bytes(self.response_body or b""),
        )


def exchange_columns(
    exchange: Exchange, classification: Classification, rule: str = ""
) -> dict[str, Any]:
    """Return the columns of an ExchangeRecord except `started_at`, with the exchange masked."""
    masked = exchange.masked()
    response, error = masked.response, masked.error
    mask = exchange.request.mask
    return {
        "duration_ms": round(exchange.duration * 1000),
        "outcome": classification.outcome.value,
        "rule": rule[:500],
        "reason": _to_storable(mask.in_text(classification.reason)),
        "reference": _to_storable(mask.in_text(classification.reference))[:500],
        "request_method": masked.request.method,
        "request_url": _to_storable(masked.request.url),
        "request_headers": dump_headers(masked.request.headers),
        "request_body": masked.request.body[:KEPT_BODY_BYTES],
        "response_status": response.status if response else None,
        "response_headers": dump_headers(response.headers) if response else "",
        "response_body": response.body[:KEPT_BODY_BYTES] if response else None,
        "error_code": error.code.value if error else "",
        "error_message": _to_storable(error.message) if error else "",
    }


def dump_headers(headers: Headers) -> str:
    """Return the headers as JSON text."""
    return _to_storable(json.dumps(headers, ensure_ascii=False)) if headers else ""


def load_headers(text: str) -> Headers:
    """Return the headers from JSON text."""
    return tuple((name, value) for name, value in json.loads(text)) if text else ()


def _to_storable(text: str) -> str:
    """Return the text without what a database refuses: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
