"""Tests of the conversion of values to text and JSON."""

import copy
import pickle
from decimal import Decimal

import pytest

from connections.core.values import ExactNumber, to_json, to_text


@pytest.mark.parametrize(
    ("value", "text", "as_json"),
    [
        ("a", "a", '"a"'),
        (True, "true", "true"),
        (False, "false", "false"),
        (None, "", "null"),
        (2581697744617019994, "2581697744617019994", "2581697744617019994"),
        (2.5, "2.5", "2.5"),
        (1e-07, "0.0000001", "0.0000001"),
        (1e22, "10000000000000000000000", "10000000000000000000000"),
        (Decimal("2.50"), "2.50", "2.50"),
        (Decimal("1E+5"), "100000", "100000"),
        (ExactNumber("2.50"), "2.50", "2.50"),
        (ExactNumber("1E5"), "1E5", "1E5"),
        (ExactNumber("9" * 400), "9" * 400, "9" * 400),
        ([1, "a", None], "1, a, ", '[1, "a", null]'),
        ((True,), "true", "[true]"),
        (range(1, 4), "1..3", '"1..3"'),
        ({"a": [ExactNumber("1.0")]}, "{'a': [1.0]}", '{"a": [1.0]}'),
    ],
)
def test_a_value_is_converted_to_text_and_to_json(value: object, text: str, as_json: str) -> None:
    assert (to_text(value), to_json(value)) == (text, as_json)


def test_json_can_be_written_without_spaces() -> None:
    value = {"a": [1, {"b": ExactNumber("2.50")}], "c": []}
    assert to_json(value, comma=",", colon=":") == '{"a":[1,{"b":2.50}],"c":[]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("-Infinity")])
def test_a_number_that_is_not_finite_is_refused(value: object) -> None:
    for write in (to_text, to_json):
        with pytest.raises(ValueError, match=r"A calculation gave no number\."):
            write(value)


def test_an_exact_number_calculates_and_compares_as_a_number() -> None:
    assert ExactNumber("2.50") + 1 == 3.5
    assert ExactNumber("2.50") == 2.5
    assert ExactNumber("2.50") > 2
    assert f"{ExactNumber('2.50')}" == "2.50"


def test_a_copied_exact_number_keeps_its_digits() -> None:
    number = ExactNumber("2.50")
    for copied in (copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert (copied, copied.digits) == (2.5, "2.50")
