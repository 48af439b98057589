"""How outcomes, delivery statuses and connection states look: one colour and one symbol for each.

The colours stand in theme.css and outcomes.css under the same names. Must not know models.
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
    "resting": "◑",
    "tested": "✓",
    "untested": "△",
}
"""A symbol beside the colour, for people who see no difference between two colours."""


@register.simple_tag
def outcome_badge(value: str | None, label: str = "") -> SafeString | str:
    """The value as a badge with its symbol, colour and word; a dash where there is none."""
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
