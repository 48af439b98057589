"""Tests of the filters that format shares and times."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from referrals.templatetags.formatting import age, duration, milliseconds, percent


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"),
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.9876, "98.8 %"),
        (0.99999, "> 99.9 %"),
    ],
)
def test_a_share_is_formatted_as_a_percentage(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.052, "52 ms"),
        (1.25, "1.2 s"),
        (59, "59 s"),
        (61, "1 min"),
        (7300, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_a_duration_is_formatted_in_a_fitting_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_an_unknown_time_is_formatted_as_a_dash() -> None:
    assert (milliseconds(None), age(None), milliseconds(1300)) == ("–", "–", "1.3 s")
    assert age(timezone.now() - timedelta(minutes=3, seconds=1)) == "3 min"
