"""Get the values of a parsed TOML table by type; every error names the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from connections.core.errors import DescriptionError, did_you_mean

Table = Mapping[str, Any]
MadeT = TypeVar("MadeT")


def refuse_unknown(table: Table, known: Iterable[str], prefix: str = "") -> None:
    """Raise DescriptionError for the first key that is not among the known ones."""
    names = set(known)
    for key in table:
        if key not in names:
            message = f"There is no such key.{did_you_mean(key, names)}"
            raise DescriptionError(f"{prefix}{key}", message)


def get_table(table: Table, key: str, known: Iterable[str] | None = None) -> Table:
    """Return the table under a key, or an empty one; check its keys if `known` is given."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise DescriptionError(key, f"Must be a table: [{key}].")
    if known is not None:
        refuse_unknown(value, known, f"{key}.")
    return value


def get_texts(table: Table, key: str, known: Iterable[str] | None = None) -> dict[str, str]:
    """Return the table under a key, all of whose values are texts."""
    found = get_table(table, key, known)
    return {name: get_text(found, name, prefix=f"{key}.") for name in found}


def get_text(table: Table, key: str, default: str = "", prefix: str = "") -> str:
    """Return the text under a key."""
    value = table.get(key, default)
    if not isinstance(value, str):
        raise DescriptionError(f"{prefix}{key}", "Must be a text in quotes.")
    return value


def get_required_text(table: Table, key: str) -> str:
    """Return the text under a required key."""
    value = get_text(table, key)
    if not value.strip():
        raise DescriptionError(key, "Is needed.")
    return value


def get_list(table: Table, key: str) -> list[str]:
    """Return the list of texts under a key."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DescriptionError(key, 'Must be a list of texts: ["email"].')
    return value


def get_flag(table: Table, key: str) -> bool:
    """Return the true or false under a key, false if it is absent."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise DescriptionError(key, "Must be true or false.")
    return value


def get_choice(table: Table, key: str, allowed: tuple[str, ...], default: str = "") -> str:
    """Return the text under a key, which must be one of those allowed."""
    value = get_text(table, key, default)
    if value not in allowed:
        message = f"Must be one of {', '.join(allowed)}.{did_you_mean(value, allowed)}"
        raise DescriptionError(key, message)
    return value


def iterate_tables(table: Table, key: str, make: Callable[[Table], MadeT]) -> Iterator[MadeT]:
    """Yield what `make` returns for each table under a key; errors tell its number, from 1."""
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DescriptionError(key, f"Must be tables: [[{key}]].")
    for number, row in enumerate(rows, start=1):
        try:
            yield make(row)
        except DescriptionError as error:
            raise error.under(f"{key}[{number}]") from error
