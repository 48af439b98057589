"""Owns a person as a CRM is told of them, and must not know which API told it."""

import re
from dataclasses import dataclass, field
from enum import Enum, auto

EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


class Outcome(Enum):
    """What became of a request to add a person."""

    ADDED = auto()
    EXISTS = auto()
    UNREADABLE = auto()
    INCOMPLETE = auto()
    INVALID_EMAIL = auto()
    WRONG_KEY = auto()
    UNAUTHORIZED = auto()
    THROTTLED = auto()
    ERROR = auto()
    ODD = auto()
    SILENCE = auto()


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    list_id: str
    email: str = ""
    status: str = ""
    merge_fields: dict[str, object] = field(default_factory=dict)
    plain: bool = True  # Whether Sendy was asked for plain text rather than a page.
    fault: Outcome | None = None

    @property
    def address(self) -> str:
        """The e-mail by which the same person is recognised."""
        return self.email.lower()


def is_email(email: str) -> bool:
    return EMAIL.fullmatch(email) is not None
