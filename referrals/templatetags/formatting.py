"""Numbers as people read them: shares, times and ages; knows no model."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()

_NONE = "–"
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


@register.filter
def percent(share: float | None) -> str:
    """0.9876 as 98.8 %; one of many failures is never rounded away."""
    if share is None:
        return _NONE
    rounded = f"{share * 100:.1f}".removesuffix(".0")
    if rounded == "100" and share < 1:
        return "> 99.9 %"
    return f"{rounded} %"


@register.filter
def milliseconds(value: int | None) -> str:
    """250 as 250 ms, 1300 as 1.3 s."""
    return _NONE if value is None else duration(value / 1000)


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, in its largest unit: 3 min."""
    return _NONE if moment is None else _whole(timezone.now() - moment)


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them: 52 ms, 1.3 s, 3 min."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    return f"{seconds:.1f} s" if seconds < 10 else _whole(timedelta(seconds=seconds))


def _whole(passed: timedelta) -> str:
    for name, unit in _UNITS:
        if passed >= unit:
            return f"{passed // unit} {name}"
    return f"{max(0, int(passed.total_seconds()))} s"
