"""What is handed in, checked before anything is stored: what is wrong, and what would be right.

Pure; must not know how items are stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connections.core.attributes import Attribute, AttributeValueError
from connections.core.errors import suggestion

_MAX_EXTERNAL_ID_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One referral as it was handed in."""

    external_id: str
    attributes: Mapping[str, Any]
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReferral:
    """An item that was found right, as it is stored unless its external id is known already."""

    id: uuid.UUID
    external_id: str
    attributes: Mapping[str, Any]
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with what was handed in: which field, and what would be right."""

    field: str
    message: str


class IntakeRefused(Exception):  # noqa: N818 - it says what happened to the items.
    """Nothing was stored; `problems` names each wrong field."""

    def __init__(self, problems: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


def clean(items: Sequence[Item], catalogue: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    """The attributes of each item as they are stored; raises IntakeRefused, which names all that is
    wrong with any of them."""
    problems: list[FieldError] = []
    cleaned = []
    for index, item in enumerate(items):
        prefix = f"[{index}]." if len(items) > 1 else ""
        problems += _external_id_problems(item.external_id, prefix)
        problems += _moment_problems(item.occurred_at, prefix)
        attributes, wrong = _clean_attributes(item.attributes, catalogue, f"{prefix}attributes.")
        cleaned.append(attributes)
        problems += wrong
    if problems:
        raise IntakeRefused(problems)
    return cleaned


def _external_id_problems(external_id: str, prefix: str) -> list[FieldError]:
    field = f"{prefix}external_id"
    if not external_id.strip() or not external_id.isprintable():
        return [FieldError(field, "must be a text of printable characters")]
    if len(external_id) > _MAX_EXTERNAL_ID_LENGTH:
        return [FieldError(field, f"must not be longer than {_MAX_EXTERNAL_ID_LENGTH} characters")]
    return []


def _moment_problems(moment: datetime | None, prefix: str) -> list[FieldError]:
    try:
        _ = moment and moment.astimezone(UTC)
    except OverflowError:
        return [FieldError(f"{prefix}occurred_at", "must be a time of the years 1 to 9999 in UTC")]
    return []


def _clean_attributes(
    given: Mapping[str, Any], catalogue: Mapping[str, Attribute], prefix: str
) -> tuple[dict[str, Any], list[FieldError]]:
    cleaned, problems = {}, []
    for key, value in given.items():
        if key not in catalogue:
            message = f"there is no such attribute.{suggestion(key, catalogue)}"
            problems.append(FieldError(f"{prefix}{key}", message))
            continue
        try:
            stored = catalogue[key].clean(value)
        except AttributeValueError as error:
            problems.append(FieldError(f"{prefix}{key}", str(error)))
        else:
            if stored is not None:
                cleaned[key] = stored
    return cleaned, problems
