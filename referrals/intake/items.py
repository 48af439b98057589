"""Check and clean the items of an intake request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connections.core.attributes import Attribute, AttributeValueError
from connections.core.errors import did_you_mean

_MAX_EXTERNAL_ID_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One referral as the caller sent it."""

    external_id: str
    attributes: Mapping[str, Any]
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReferral:
    """A checked item, to be stored unless its external id is stored already."""

    id: uuid.UUID
    external_id: str
    attributes: Mapping[str, Any]
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field that is wrong, and what would be right."""

    field: str
    message: str


class IntakeRefused(Exception):  # noqa: N818 - the name of a state.
    """Nothing was stored; `errors` names each wrong field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


def clean(items: Sequence[Item], catalogue: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    """Return each item's attributes as they are stored.

    Raise IntakeRefused, which names everything that is wrong with any item.
    """
    errors: list[FieldError] = []
    cleaned = []
    for index, item in enumerate(items):
        prefix = f"[{index}]." if len(items) > 1 else ""
        errors += _check_external_id(item.external_id, prefix)
        errors += _check_occurred_at(item.occurred_at, prefix)
        attributes, attribute_errors = _clean_attributes(
            item.attributes, catalogue, f"{prefix}attributes."
        )
        cleaned.append(attributes)
        errors += attribute_errors
    if errors:
        raise IntakeRefused(errors)
    return cleaned


def _check_external_id(external_id: str, prefix: str) -> list[FieldError]:
    field = f"{prefix}external_id"
    if not external_id.strip() or not external_id.isprintable():
        return [FieldError(field, "must be a text of printable characters")]
    if len(external_id) > _MAX_EXTERNAL_ID_LENGTH:
        return [FieldError(field, f"must not be longer than {_MAX_EXTERNAL_ID_LENGTH} characters")]
    return []


def _check_occurred_at(occurred_at: datetime | None, prefix: str) -> list[FieldError]:
    try:
        _ = occurred_at and occurred_at.astimezone(UTC)
    except OverflowError:
        return [FieldError(f"{prefix}occurred_at", "must be a time of the years 1 to 9999 in UTC")]
    return []


def _clean_attributes(
    attributes: Mapping[str, Any], catalogue: Mapping[str, Attribute], prefix: str
) -> tuple[dict[str, Any], list[FieldError]]:
    cleaned, errors = {}, []
    for key, value in attributes.items():
        if key not in catalogue:
            message = f"there is no such attribute.{did_you_mean(key, catalogue)}"
            errors.append(FieldError(f"{prefix}{key}", message))
            continue
        try:
            cleaned_value = catalogue[key].clean(value)
        except AttributeValueError as error:
            errors.append(FieldError(f"{prefix}{key}", str(error)))
        else:
            if cleaned_value is not None:
                cleaned[key] = cleaned_value
    return cleaned, errors
