"""Tests of reading TOML tables."""

import pytest

from connections.core.errors import DescriptionError
from connections.importers.files.tables import (
    get_choice,
    get_flag,
    get_list,
    get_required_text,
    get_table,
    get_text,
    get_texts,
    iterate_tables,
    refuse_unknown,
)


def test_known_keys_are_accepted() -> None:
    refuse_unknown({"name": "x", "method": "y"}, ("name", "method"))


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(DescriptionError) as caught:
        refuse_unknown({"metod": "POST"}, ("name", "method"), "body.")

    assert str(caught.value) == 'body.metod: There is no such key. Did you mean "method"?'


def test_an_unknown_key_without_a_near_one_is_refused_without_a_suggestion() -> None:
    with pytest.raises(DescriptionError) as caught:
        refuse_unknown({"zzz": 1}, ("name",))

    assert str(caught.value) == "zzz: There is no such key."


def test_a_missing_table_is_empty() -> None:
    assert get_table({}, "body") == {}


def test_a_text_in_place_of_a_table_is_refused() -> None:
    with pytest.raises(DescriptionError) as caught:
        get_table({"body": "x"}, "body")

    assert str(caught.value) == "body: Must be a table: [body]."


def test_an_unknown_key_of_a_table_is_named_with_its_table() -> None:
    with pytest.raises(DescriptionError) as caught:
        get_table({"body": {"docment": ""}}, "body", ("document",))

    assert str(caught.value) == 'body.docment: There is no such key. Did you mean "document"?'


def test_a_table_of_texts_refuses_other_values() -> None:
    assert get_texts({"headers": {"A": "1"}}, "headers") == {"A": "1"}
    with pytest.raises(DescriptionError) as caught:
        get_texts({"headers": {"A": "1", "B": 2}}, "headers")

    assert str(caught.value) == "headers.B: Must be a text in quotes."


def test_a_text_has_a_default() -> None:
    assert get_text({}, "x", "default") == "default"
    assert get_text({"x": ""}, "x", "default") == ""


@pytest.mark.parametrize("table", [{}, {"name": ""}, {"name": " \n"}])
def test_a_required_text_must_not_be_blank(table: dict[str, str]) -> None:
    with pytest.raises(DescriptionError) as caught:
        get_required_text(table, "name")

    assert str(caught.value) == "name: Is needed."


@pytest.mark.parametrize("value", ["email", [1], ["email", None], {"email": "x"}])
def test_a_list_of_other_values_than_texts_is_refused(value: object) -> None:
    with pytest.raises(DescriptionError) as caught:
        get_list({"required": value}, "required")

    assert str(caught.value) == 'required: Must be a list of texts: ["email"].'


@pytest.mark.parametrize("value", ["true", 1, 0, []])
def test_a_flag_that_is_not_true_or_false_is_refused(value: object) -> None:
    with pytest.raises(DescriptionError) as caught:
        get_flag({"ignore_case": value}, "ignore_case")

    assert str(caught.value) == "ignore_case: Must be true or false."


def test_a_choice_that_is_not_allowed_is_refused() -> None:
    assert get_choice({}, "method", ("GET", "POST"), "POST") == "POST"
    with pytest.raises(DescriptionError) as caught:
        get_choice({"method": "PSOT"}, "method", ("GET", "POST"))

    assert str(caught.value) == 'method: Must be one of GET, POST. Did you mean "POST"?'


@pytest.mark.parametrize("value", [{"outcome": "x"}, "x", [1], [{}, "x"]])
def test_rows_that_are_not_tables_are_refused(value: object) -> None:
    with pytest.raises(DescriptionError) as caught:
        list(iterate_tables({"rules": value}, "rules", dict))

    assert str(caught.value) == "rules: Must be tables: [[rules]]."


def test_an_error_in_a_row_is_named_with_the_number_of_the_row() -> None:
    rows = {"rules": [{"path": "a"}, {"path": 2}]}
    with pytest.raises(DescriptionError) as caught:
        list(iterate_tables(rows, "rules", lambda row: get_text(row, "path")))

    assert str(caught.value) == "rules[2].path: Must be a text in quotes."
