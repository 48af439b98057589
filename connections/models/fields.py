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
    """Credentials as they are stored, decrypted at the first access.

    Without the right key a row can still be read, listed and held; only an access to its
    credentials raises ImproperlyConfigured.
    """

    def __init__(self, token: str) -> None:
        self.token = token

    def __getitem__(self, name: str) -> str:
        return self._decrypted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decrypted)

    def __len__(self) -> int:
        return len(self._decrypted)

    def __repr__(self) -> str:
        return "EncryptedMapping(••••)"

    @cached_property
    def _decrypted(self) -> dict[str, str]:
        decrypted: dict[str, str] = json.loads(decrypt(self.token))
        return decrypted


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg] # Not generic at run time.
    """A dictionary of texts, stored as one encrypted text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: object) -> Mapping[str, str]:
        return EncryptedMapping(value) if value else {}

    def to_python(self, value: object) -> object:
        return value

    def get_prep_value(self, value: Mapping[str, str] | None) -> str:
        try:
            return encrypt(json.dumps(dict(value))) if value else ""
        except ImproperlyConfigured:
            if isinstance(value, EncryptedMapping):
                # Store the same token again: the key may be restored later.
                return value.token
            raise
