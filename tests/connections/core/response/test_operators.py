"""Tests of the operators."""

import time

import pytest

from connections.core.errors import DescriptionError
from connections.core.response.operators import Comparison, operators
from connections.core.values import ExactNumber


def holds(operator: str, found: list[object], *values: str, ignore_case: bool = False) -> bool:
    comparison = Comparison(values=values, ignore_case=ignore_case)
    return bool(operators[operator].compile(comparison)(found))


@pytest.mark.parametrize(
    ("found", "value", "expected"),
    [
        (["Matched"], "Matched", True),
        ([" Matched\r\n"], "Matched", True),
        (["Unmatched"], "Matched", False),
        (["matched"], "Matched", False),
        ([True], "true", True),
        (["true"], "true", True),
        ([True], "True", False),
        ([1], "1", True),
        (["1"], "1", True),
        ([1], "1.0", False),
        ([ExactNumber("1.0")], "1.0", True),
        ([ExactNumber("2.50")], "2.5", False),
        ([2581697744617019994], "2581697744617019994", True),
        ([2581697744617019994], "2581697744617019995", False),
        ([None], "null", True),
        ([[]], "[]", True),
        ([{"a": [1, "b"]}], '{"a":[1,"b"]}', True),
        (["a", "b"], "b", True),
        ([], "b", False),
    ],
)
def test_equals_compares_the_json_text(found: list[object], value: str, *, expected: bool) -> None:
    assert holds("equals", found, value) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["DUPLICATE_VALUE"], True),
        ([" DUPLICATES_DETECTED "], True),
        (["DUPLICATE"], False),
        (["x", "DUPLICATE_VALUE"], True),
        ([1005], True),
        ([], False),
    ],
)
def test_one_of_compares_with_each_value(found: list[object], *, expected: bool) -> None:
    assert holds("one_of", found, "DUPLICATE_VALUE", "DUPLICATES_DETECTED", "1005") is expected


@pytest.mark.parametrize(
    ("found", "value", "expected"),
    [
        (["an invalid email"], "valid", True),
        ([{"status": "duplicate"}], '"duplicate"', True),
        (["x"], "valid", False),
        (["a", "valid"], "valid", True),
        (["a"], " ", False),
    ],
)
def test_contains_searches_a_part_of_the_text(
    found: list[object], value: str, *, expected: bool
) -> None:
    assert holds("contains", found, value) is expected


@pytest.mark.parametrize(
    ("found", "value", "expected"),
    [
        (["valid"], "valid", True),
        (["is valid."], "valid", True),
        (["invalid"], "valid", False),
        (["validated"], "valid", False),
        (["in-valid"], "valid", True),
        (["Unmatched"], "Matched", False),
        (["untrue"], "true", False),
        (["it is true!"], "true", True),
        (["gültig"], "ltig", False),
        (["already exists (1005)"], "already exists", True),
        (["a.c"], "a.c", True),
        (["abc"], "a.c", False),
        (["code 1005"], "100", False),
        (["+1"], "+1", True),
    ],
)
def test_contains_word_searches_whole_words(
    found: list[object], value: str, *, expected: bool
) -> None:
    assert holds("contains_word", found, value) is expected


@pytest.mark.parametrize(
    ("found", "value", "expected"),
    [
        (["Existing ID: 12345"], r"Existing ID: \d+", True),
        (["x"], r"^\d+$", False),
        (["a\nb"], r"^b$", False),
        ([1005], r"^10\d\d$", True),
        ([], r".*", False),
    ],
)
def test_matches_searches_a_regular_expression(
    found: list[object], value: str, *, expected: bool
) -> None:
    assert holds("matches", found, value) is expected


@pytest.mark.parametrize("operator", ["equals", "one_of", "contains", "contains_word", "matches"])
@pytest.mark.parametrize(("found", "value"), [("TRUE", "true"), ("true", "TRUE"), ("É", "é")])
def test_case_can_be_ignored(operator: str, found: str, value: str) -> None:
    assert holds(operator, [found], value, ignore_case=True)
    assert not holds(operator, [found], value)


@pytest.mark.parametrize(
    ("found", "exists", "empty"),
    [
        ([], False, False),
        ([""], True, True),
        ([" \n"], True, True),
        ([None], True, True),
        ([[]], True, True),
        ([{}], True, True),
        ([0], True, False),
        ([False], True, False),
        (["", "x"], True, False),
        (["", None], True, True),
    ],
)
def test_exists_absent_and_empty_compare_no_value(
    found: list[object], *, exists: bool, empty: bool
) -> None:
    assert holds("exists", found) is exists
    assert holds("absent", found) is not exists
    assert holds("empty", found) is empty


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(?R)"])
def test_a_catastrophic_pattern_times_out_without_a_match(pattern: str) -> None:
    started = time.process_time()
    assert not holds("matches", ["a" * 5_000 + "!"] * 50, pattern)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("operator", "values", "message"),
    [
        ("equals", (), 'Is needed for "equals".'),
        ("contains", ("",), 'Is needed for "contains".'),
        ("one_of", (), 'Is needed for "is one of".'),
        ("exists", ("x",), 'Must stay empty for "exists".'),
        ("equals", ("a", "b"), 'Must be one value for "equals"; one_of takes several.'),
        (
            "matches",
            ("a", "b"),
            'Must be one value for "matches the pattern"; one_of takes several.',
        ),
        ("matches", ("(",), "Not a valid pattern: missing ) at position 1."),
        ("matches", ("*",), "Not a valid pattern: nothing to repeat at position 0."),
    ],
)
def test_an_invalid_comparison_is_refused(
    operator: str, values: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        operators[operator].compile(Comparison(values=values, ignore_case=False))
    assert (caught.value.field, caught.value.message) == ("value", message)


def test_operators_have_names_and_labels() -> None:
    assert [(name, operator.label) for name, operator in operators.items()] == [
        ("equals", "equals"),
        ("one_of", "is one of"),
        ("contains", "contains"),
        ("contains_word", "contains the word"),
        ("matches", "matches the pattern"),
        ("exists", "exists"),
        ("absent", "is absent"),
        ("empty", "is empty"),
    ]
