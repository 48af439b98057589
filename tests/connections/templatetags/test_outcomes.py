"""Tests of the colours and symbols of outcomes, statuses and states."""

from __future__ import annotations

import pytest
from django.conf import settings

from connections.core.response.outcomes import Outcome
from connections.models import Connection
from connections.templatetags.outcomes import SYMBOLS, outcome_badge
from referrals.statuses import DeliveryStatus

STYLESHEET = settings.BASE_DIR / "connections/static/connections/outcomes.css"
VALUES = sorted({*Outcome, *DeliveryStatus, *Connection.State.values, "tested", "untested"})


@pytest.mark.parametrize("value", VALUES)
def test_every_value_has_a_symbol_and_a_colour(value: str) -> None:
    assert value in SYMBOLS
    assert f".outcome-{value}" in STYLESHEET.read_text()


def test_outcomes_differ_by_more_than_colour() -> None:
    symbols = [SYMBOLS[outcome] for outcome in Outcome]
    assert len(set(symbols)) == len(symbols)


def test_a_badge_shows_the_symbol_and_the_word() -> None:
    assert outcome_badge("delivered") == (
        '<span class="outcome outcome-delivered">'
        '<span class="outcome-symbol" aria-hidden="true">✓</span> Delivered</span>'
    )


def test_an_empty_outcome_is_shown_as_a_dash() -> None:
    assert outcome_badge("") == outcome_badge(None) == "–"


def test_markup_in_an_outcome_is_escaped() -> None:
    assert "<script>" not in str(outcome_badge('"><script>'))
