"""Running text with `code` in it, as the comments of files have; knows no other marks."""

from __future__ import annotations

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")


@register.filter
def prose(text: str) -> SafeString:
    """The text in paragraphs, with what stands between backticks as code."""
    paragraphs = (paragraph for paragraph in text.split("\n\n") if paragraph.strip())
    return format_html_join("", "<p>{}</p>", ((_inline(one),) for one in paragraphs))


def _inline(text: str) -> SafeString:
    pieces = _CODE.split(text)
    return format_html_join(
        "", "{}", ((_piece(piece, is_code=bool(at % 2)),) for at, piece in enumerate(pieces))
    )


def _piece(text: str, *, is_code: bool) -> SafeString:
    return format_html("<code>{}</code>" if is_code else "{}", text)
