"""Operators compare found values with those of a rule; each function registers itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import regex

from connections.core.errors import DescriptionError
from connections.core.registry import Registry
from connections.core.response.extractors import MAX_PATTERN_SECONDS, seconds_left, to_found_text

Predicate = Callable[[list[Any]], bool]
"""Says of the found values whether the comparison holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The right side of a comparison: the rule's values as text, and whether case counts."""

    values: Sequence[str]
    ignore_case: bool

    def fold(self, text: str) -> str:
        """Return the text in the form in which it is compared."""
        return text.casefold() if self.ignore_case else text

    def wanted(self) -> list[str]:
        """Return the folded values to compare with."""
        return [self.fold(value) for value in self.values]

    def any_of(self, matches: Callable[[str], bool]) -> Predicate:
        """Return a predicate that holds if `matches` holds for any found value."""
        return lambda found: any(matches(self.fold(to_found_text(value))) for value in found)


class Operator:
    """A named comparison; `make` turns the values of a rule into a predicate of found values."""

    def __init__(
        self,
        label: str,
        make: Callable[[Comparison], Predicate],
        *,
        needs_value: bool,
        takes_several: bool,
    ) -> None:
        self.label = label
        self.make = make
        self.needs_value = needs_value
        self.takes_several = takes_several

    def compile(self, comparison: Comparison) -> Predicate:
        """Return the predicate; raise DescriptionError for `value`."""
        if self.needs_value and not any(comparison.values):
            raise DescriptionError("value", f'Is needed for "{self.label}".')
        if not self.needs_value and any(comparison.values):
            raise DescriptionError("value", f'Must stay empty for "{self.label}".')
        if len(comparison.values) > 1 and not self.takes_several:
            message = f'Must be one value for "{self.label}"; one_of takes several.'
            raise DescriptionError("value", message)
        return self.make(comparison)


operators: Registry[Any] = Registry("operator", "operator")


def operator(
    name: str, label: str, *, needs_value: bool = True, takes_several: bool = False
) -> Callable[[Callable[[Comparison], Predicate]], Callable[[Comparison], Predicate]]:
    """Register the decorated function as the operator of this name and label."""

    def add(make: Callable[[Comparison], Predicate]) -> Callable[[Comparison], Predicate]:
        added = Operator(label, make, needs_value=needs_value, takes_several=takes_several)
        operators.register(name)(added)
        return make

    return add


@operator("equals", "equals")
def equals(comparison: Comparison) -> Predicate:
    wanted = comparison.wanted()[0]
    return comparison.any_of(lambda text: text.strip() == wanted.strip())


@operator("one_of", "is one of", takes_several=True)
def one_of(comparison: Comparison) -> Predicate:
    wanted = {value.strip() for value in comparison.wanted()}
    return comparison.any_of(lambda text: text.strip() in wanted)


@operator("contains", "contains")
def contains(comparison: Comparison) -> Predicate:
    wanted = comparison.wanted()[0]
    return comparison.any_of(lambda text: wanted in text)


@operator("contains_word", "contains the word")
def contains_word(comparison: Comparison) -> Predicate:
    pattern = regex.compile(rf"(?<!\w){regex.escape(comparison.wanted()[0])}(?!\w)")
    return comparison.any_of(lambda text: pattern.search(text) is not None)


@operator("matches", "matches the pattern")
def matches(comparison: Comparison) -> Predicate:
    flags = regex.IGNORECASE if comparison.ignore_case else 0
    try:
        pattern = regex.compile(comparison.values[0], flags)
    except regex.error as error:
        raise DescriptionError("value", f"Not a valid pattern: {error}.") from error

    def matches_any(found: list[Any]) -> bool:
        texts = [to_found_text(value) for value in found]
        end = monotonic() + MAX_PATTERN_SECONDS
        try:
            return any(pattern.search(text, timeout=seconds_left(end)) for text in texts)
        except TimeoutError:
            return False

    return matches_any


@operator("exists", "exists", needs_value=False)
def exists(comparison: Comparison) -> Predicate:  # noqa: ARG001 - it compares with nothing.
    return bool


@operator("absent", "is absent", needs_value=False)
def absent(comparison: Comparison) -> Predicate:  # noqa: ARG001 - it compares with nothing.
    return lambda found: not found


@operator("empty", "is empty", needs_value=False)
def empty(comparison: Comparison) -> Predicate:  # noqa: ARG001 - it compares with nothing.
    return lambda found: bool(found) and all(_is_empty(value) for value in found)


def _is_empty(value: Any) -> bool:  # noqa: ANN401 - any found value.
    return value in (None, [], {}) or (isinstance(value, str) and not value.strip())
