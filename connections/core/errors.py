"""The two ways a description of a connection can be wrong; knows nothing of what is described."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DescriptionError(ValueError):
    """A connection is described wrongly; found when it is saved, never while delivering.

    `field` is the dotted path of the wrong part (`body.document`, `rules[2].path`), in the words
    of the TOML format; the message is one sentence that says what is wrong and what would be right.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def under(self, prefix: str) -> DescriptionError:
        """The same error seen from the table that holds the field: `path` under `rules[2]`."""
        return DescriptionError(f"{prefix}.{self.field}" if self.field else prefix, self.message)


class BuildError(ValueError):
    """No request can be built for these attributes; the delivery's outcome is `invalid`.

    The message names the attribute or the template at fault, never an attribute's value.
    """


def suggestion(word: str, known: Iterable[str]) -> str:
    """A sentence part that names the nearest known word, or nothing: ` Did you mean "email"?`."""
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""
