"""Tests of the rows of response rules."""

from __future__ import annotations

import pytest

from connections.models import (
    ResponseRule,
)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"status": "soon", "outcome": "delivered"}, "status soon → delivered"),
        ({"status": "4xx", "where": "text", "operator": "exists"}, "status 4xx and text exists → "),
        (
            {"where": "json", "path": "a", "operator": "one_of", "value": "1\n\n2", "outcome": "x"},
            "json a one_of 1, 2 → x",
        ),
    ],
)
def test_a_rule_is_shown_as_one_line_even_if_it_is_invalid(
    columns: dict[str, str], text: str
) -> None:
    assert str(ResponseRule(**columns)) == text
