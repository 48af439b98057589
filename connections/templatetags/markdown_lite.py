"""Render the smallest part of Markdown: paragraphs and `code`, as in the presets' comments."""

from __future__ import annotations

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")


@register.filter
def prose(text: str) -> SafeString:
    """Return the text as HTML paragraphs, with text between backticks as code."""
    paragraphs = (paragraph for paragraph in text.split("\n\n") if paragraph.strip())
    return format_html_join("", "<p>{}</p>", ((_inline(text),) for text in paragraphs))


def _inline(text: str) -> SafeString:
    # The text that the pattern captures has the odd indexes.
    parts = enumerate(_CODE.split(text))
    return format_html_join(
        "", "{}", ((_part(part, is_code=bool(index % 2)),) for index, part in parts)
    )


def _part(text: str, *, is_code: bool) -> SafeString:
    return format_html("<code>{}</code>" if is_code else "{}", text)
