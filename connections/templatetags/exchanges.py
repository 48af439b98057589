"""Boxes for requests and responses: readable, the exact bytes one click away.

What they are given is masked already. Must not know where an exchange is kept.
"""

from __future__ import annotations

from typing import Any

from django import template

from connections.core.messages import Request, Response
from connections.importers.curl import to_curl
from connections.presentation.formatting import raw_text
from connections.presentation.highlight import (
    exact_request,
    pretty_body,
    request_head,
    response_head,
)

register = template.Library()


@register.inclusion_tag("connections/exchange/request.html")
def request_box(request: Request | None) -> dict[str, Any]:
    """The request indented and coloured, as bytes, and as a curl command."""
    if request is None or not request.url:
        return {"request": None}
    content_type = _content_type(request.headers)
    text = request.body.decode("utf-8", "replace")
    return {
        "request": request,
        "head": request_head(request),
        "body": pretty_body(request.body, text, content_type),
        "exact": exact_request(request),
        "curl": to_curl(request),
        "size": len(request.body),
    }


@register.inclusion_tag("connections/exchange/response.html")
def response_box(response: Response | None) -> dict[str, Any]:
    """The response indented and coloured, and as bytes."""
    if response is None:
        return {"response": None}
    return {
        "response": response,
        "head": response_head(response),
        "body": pretty_body(response.body, response.text(), _content_type(response.headers)),
        "exact": raw_text(response.body),
        "size": len(response.body),
    }


def _content_type(headers: tuple[tuple[str, str], ...]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")
