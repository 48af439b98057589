"""The errors of a wrong connection and of a request that can't be built."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DescriptionError(ValueError):
    """A part of a connection is wrong; raised when it is saved or loaded, never while delivering.

    `field` is the dotted path of the wrong part in the TOML format (`body.document`,
    `rules[2].path`); the message is one sentence that says what is wrong and what would be right.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def under(self, prefix: str) -> DescriptionError:
        """Return the error with the prefix before its field: `path` under `rules[2]`."""
        return DescriptionError(f"{prefix}.{self.field}" if self.field else prefix, self.message)


class BuildError(ValueError):
    """No request can be built from these attributes; the delivery's outcome is `invalid`.

    The message names the wrong attribute or template, never an attribute's value.
    """


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "email"?` with the most similar known word; "" if none is similar."""
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""
