"""Filters that format shares, durations and ages."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()

_EMPTY = "–"
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


@register.filter
def percent(share: float | None) -> str:
    """Format 0.9876 as 98.8 %; a single failure is never rounded to 100 %."""
    if share is None:
        return _EMPTY
    rounded = f"{share * 100:.1f}".removesuffix(".0")
    if rounded == "100" and share < 1:
        return "> 99.9 %"
    return f"{rounded} %"


@register.filter
def milliseconds(value: int | None) -> str:
    """Format 250 as 250 ms, 1300 as 1.3 s."""
    return _EMPTY if value is None else duration(value / 1000)


@register.filter
def age(time: datetime | None) -> str:
    """Format how long ago it was in the largest unit: 3 min."""
    return _EMPTY if time is None else _format_largest_unit(timezone.now() - time)


def duration(seconds: float) -> str:
    """Format seconds in a fitting unit: 52 ms, 1.3 s, 3 min."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    return f"{seconds:.1f} s" if seconds < 10 else _format_largest_unit(timedelta(seconds=seconds))


def _format_largest_unit(length: timedelta) -> str:
    for name, unit in _UNITS:
        if length >= unit:
            return f"{length // unit} {name}"
    return f"{max(0, int(length.total_seconds()))} s"
