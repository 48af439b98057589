"""A model field for credentials: encrypted in the database, plain in memory, never in a form."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def encrypt(text: str) -> str:
    """The text under the first of the installation's keys."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text, encrypted under any of the installation's keys."""
    try:
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken as error:
        message = (
            "A credential was encrypted under a key that ENCRYPTION_KEYS does not hold. "
            "Add the key that was in use when it was saved."
        )
        raise ImproperlyConfigured(message) from error


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg] # Not generic at run time.
    """A dictionary of texts, stored as one encrypted text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: object) -> dict[str, str]:
        return json.loads(decrypt(value)) if value else {}

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - as every field.
        return value

    def get_prep_value(self, value: Any) -> str:  # noqa: ANN401 - as every field.
        return encrypt(json.dumps(value)) if value else ""


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
