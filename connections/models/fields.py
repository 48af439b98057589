"""A model field for credentials: encrypted in the database, plain in memory, never in a form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from connections.encryption import decrypt, encrypt


class EncryptedMapping(Mapping[str, str]):
    """Credentials as they stand in the database, decrypted when somebody looks.

    A row whose key is gone can be read, listed and held like any other; only who needs the
    credentials themselves gets ImproperlyConfigured.
    """

    def __init__(self, token: str) -> None:
        self.token = token

    def __getitem__(self, name: str) -> str:
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)

    def __repr__(self) -> str:
        return "Sealed(••••)"

    @cached_property
    def _opened(self) -> dict[str, str]:
        opened: dict[str, str] = json.loads(decrypt(self.token))
        return opened


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg] # Not generic at run time.
    """A dictionary of texts, stored as one encrypted text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: object) -> Mapping[str, str]:
        return EncryptedMapping(value) if value else {}

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - as every field.
        return value

    def get_prep_value(self, value: Any) -> str:  # noqa: ANN401 - as every field.
        try:
            return encrypt(json.dumps(dict(value))) if value else ""
        except ImproperlyConfigured:
            # What can't be decrypted is kept as it is: the key may come back.
            return str(value.token)
