"""Values of attributes and answers as text and as JSON; must not know templates or documents."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Self

_encode = json.JSONEncoder(ensure_ascii=False).encode


class ExactNumber(float):
    """A number in the very digits in which it came, such as 2.50, which a float would lose.

    Templates and JSON paths compare and calculate with it; a text and a JSON body take its digits.
    """

    __slots__ = ("digits",)

    digits: str

    def __new__(cls, digits: str) -> Self:
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # A copy needs the digits.
        return (self.digits,)

    def __str__(self) -> str:
        return self.digits


def to_text(value: object) -> str:
    """A value as a CRM should read it: true, not True; 2.50, not 2.5E+0; raises ValueError."""
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
    """A value as JSON text: numbers digit by digit, everything that JSON has no type for as text;
    raises ValueError for what is no number."""
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
