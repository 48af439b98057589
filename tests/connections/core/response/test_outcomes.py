"""One colour and one symbol for every outcome, status and state."""

from __future__ import annotations

import pytest
from django.conf import settings

from connections.core.response.outcomes import Outcome
from connections.models import Connection
from connections.templatetags.outcomes import SYMBOLS, outcome_badge
from referrals.statuses import DeliveryStatus

SHEET = settings.BASE_DIR / "connections/static/connections/outcomes.css"
VALUES = sorted({*Outcome, *DeliveryStatus, *Connection.State.values, "tested", "untested"})


@pytest.mark.parametrize("value", VALUES)
def test_every_value_has_a_symbol_and_a_colour(value: str) -> None:
    assert value in SYMBOLS
    assert f".outcome-{value}" in SHEET.read_text()


def test_outcomes_differ_by_more_than_colour() -> None:
    symbols = [SYMBOLS[outcome] for outcome in Outcome]
    assert len(set(symbols)) == len(symbols)


def test_a_badge_is_symbol_and_word() -> None:
    assert outcome_badge("delivered") == (
        '<span class="outcome outcome-delivered">'
        '<span class="outcome-symbol" aria-hidden="true">✓</span> Delivered</span>'
    )


def test_what_is_not_there_is_a_dash() -> None:
    assert outcome_badge("") == outcome_badge(None) == "–"


def test_what_a_stranger_wrote_stays_text() -> None:
    assert "<script>" not in str(outcome_badge('"><script>'))
