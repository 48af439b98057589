"""Render outcomes, delivery statuses and connection states as badges with a symbol and a colour.

The colours are in theme.css and outcomes.css, under the same names.
"""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SYMBOLS = {
    "delivered": "✓",
    "duplicate": "≡",
    "rejected": "✕",
    "suppressed": "⊘",
    "throttled": "◔",
    "unavailable": "↻",
    "unauthorized": "⊠",
    "unknown": "?",
    "unrecognised": "≠",
    "invalid": "∅",
    "pending": "…",
    "cancelled": "⊖",
    "active": "●",
    "paused": "‖",
    "held": "■",
    "breaker-open": "◑",
    "tested": "✓",
    "untested": "△",
}
"""The symbol beside the colour, for people who can't distinguish two colours."""


@register.simple_tag
def outcome_badge(value: str | None, label: str = "") -> SafeString | str:
    """Return the value as a badge with its symbol, colour and label; a dash if it is empty."""
    if not value:
        return "–"
    name = str(value)
    return format_html(
        '<span class="outcome outcome-{}"><span class="outcome-symbol" aria-hidden="true">{}</span>'
        " {}</span>",
        name,
        SYMBOLS.get(name, "•"),
        label or name.replace("_", " ").capitalize(),
    )
