"""Convert values of attributes and responses to text and to JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Self

_encode = json.JSONEncoder(ensure_ascii=False).encode


class ExactNumber(float):
    """A number that keeps the digits in which it was written, such as 2.50, which a float loses.

    Templates and JSON paths compare and calculate with the float; texts and JSON bodies get the
    digits.
    """

    __slots__ = ("digits",)

    digits: str

    def __new__(cls, digits: str) -> Self:
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # copy() and pickle need the digits.
        return (self.digits,)

    def __str__(self) -> str:
        return self.digits


def to_text(value: object) -> str:
    """Return the value as text for a CRM: true, not True; 2.50, not 2.5E+0.

    Raises ValueError if it is an infinite number or NaN.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, Decimal)):
        return _digits(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(to_text(item) for item in value)
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    return "" if value is None else str(value)


def to_json(value: object, comma: str = ", ", colon: str = ": ") -> str:
    """Return the value as JSON: numbers with their digits, values of other types as texts.

    Raises ValueError if it holds an infinite number or NaN.
    """
    if isinstance(value, (float, Decimal)):
        return _digits(value)
    if isinstance(value, (list, tuple)):
        return f"[{comma.join(to_json(item, comma, colon) for item in value)}]"
    if isinstance(value, dict):
        members = (
            f"{to_json(str(name))}{colon}{to_json(item, comma, colon)}"
            for name, item in value.items()
        )
        return f"{{{comma.join(members)}}}"
    if value is None or isinstance(value, (str, bool, int)):
        return _encode(value)
    return _encode(to_text(value))


def _digits(value: float | Decimal) -> str:
    if isinstance(value, ExactNumber):
        return value.digits
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError("A calculation gave no number.")
    return format(number, "f")
