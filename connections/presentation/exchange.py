"""Exchanges ready to be shown: readable, as exact bytes, and as a curl command."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass, replace
from typing import Self

from django.utils.safestring import SafeString, mark_safe

from connections.core.formatting import raw_text
from connections.core.messages import Request, Response, decode
from connections.importers.curl import to_curl
from connections.models import ExchangeRecord
from connections.models.exchanges import KEPT_BODY_BYTES
from connections.presentation.highlight import (
    render_body,
    render_exact_request,
    render_request_head,
    render_response_head,
)
from connections.presentation.redaction import Redaction

_NOTHING = mark_safe("")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request with masked credentials; `exact` and `curl` are empty where it is hidden."""

    head: SafeString
    body: SafeString
    exact: SafeString
    curl: str
    is_cut: bool
    is_hidden: bool

    @classmethod
    def from_request(
        cls, request: Request, *, is_cut: bool = False, is_hidden: bool = False
    ) -> Self:
        """Return the view of a request whose credentials are masked."""
        if is_cut:
            request = replace(request, body=_without_half_letter(request.body))
        text = decode(request.body, "utf-8")
        return cls(
            head=render_request_head(request),
            body=render_body(request.body, text, request.headers) if request.body else _NOTHING,
            exact=_NOTHING if is_hidden else render_exact_request(request),
            curl="" if is_hidden else to_curl(request),
            is_cut=is_cut,
            is_hidden=is_hidden,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseView:
    """A response with masked credentials; `exact` is its body."""

    head: SafeString
    body: SafeString
    exact: str
    size: int
    is_cut: bool

    @classmethod
    def from_response(cls, response: Response, *, is_cut: bool = False) -> Self:
        """Return the view of a response whose credentials are masked."""
        if is_cut:
            response = replace(response, body=_without_half_letter(response.body))
        text = response.text()
        text = text.rstrip("\ufffd") if is_cut else text
        return cls(
            head=render_response_head(response),
            body=render_body(response.body, text, response.headers) if response.body else _NOTHING,
            exact=raw_text(response.body),
            size=len(response.body),
            is_cut=is_cut,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """One exchange as one user may see it; `received` is the response, to evaluate rules with."""

    request: RequestView | None
    response: ResponseView | None
    received: Response | None
    reason: str
    reference: str
    error_message: str
    is_redacted: bool

    @classmethod
    def from_record(cls, record: ExchangeRecord, redaction: Redaction | None = None) -> Self:
        """Return the view of a test or of an attempt of a delivery."""
        response = redaction.redact_response(record) if redaction else record.response()

        def redact(text: str) -> str:
            return redaction.mask.in_text(text) if redaction else text

        return cls(
            request=_view_request(record, redaction) if record.request_url else None,
            response=_view_response(response, is_cut=_is_cut(record.response_body)),
            received=response,
            reason=redact(record.reason),
            reference=redact(record.reference),
            error_message=redact(record.error_message),
            is_redacted=redaction is not None,
        )


def _view_request(record: ExchangeRecord, redaction: Redaction | None) -> RequestView:
    is_cut = _is_cut(record.request_body)
    if redaction is None:
        return RequestView.from_request(record.request(), is_cut=is_cut)
    return RequestView.from_request(
        redaction.redact_request(record), is_cut=is_cut, is_hidden=redaction.hides_request(record)
    )


def _view_response(response: Response | None, *, is_cut: bool) -> ResponseView | None:
    return ResponseView.from_response(response, is_cut=is_cut) if response else None


def _is_cut(body: bytes | memoryview | None) -> bool:
    return len(body or b"") >= KEPT_BODY_BYTES


def _without_half_letter(content: bytes) -> bytes:
    """Return cut UTF-8 without the bytes of a letter at its end that is not whole."""
    decoder = getincrementaldecoder("utf-8")()
    try:
        decoder.decode(content)
    except UnicodeDecodeError:
        return content
    pending, _ = decoder.getstate()
    return content[: len(content) - len(pending)]
