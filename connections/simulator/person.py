"""A person to add, and the results of adding, the same for all APIs."""

import re
from dataclasses import dataclass, field
from enum import Enum, auto

EMAIL_PATTERN = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


class AddResult(Enum):
    """The result of a request to add a person."""

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
    NO_RESPONSE = auto()


@dataclass(frozen=True, slots=True)
class Person:
    """A person in a request, with the request's API key; `error` is set if something is wrong."""

    key: str
    list_id: str
    email: str = ""
    status: str = ""
    merge_fields: dict[str, object] = field(default_factory=dict)
    wants_plain_text: bool = True  # Sendy responds with text or with a page.
    error: AddResult | None = None

    @property
    def address(self) -> str:
        """The e-mail address in lower case, which identifies the person."""
        return self.email.lower()


def is_email(email: str) -> bool:
    """Whether the text looks like an e-mail address."""
    return EMAIL_PATTERN.fullmatch(email) is not None
