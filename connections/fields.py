"""A model field for credentials: encrypted in the database, plain in memory, never in a form."""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from connections.encryption import decrypt, encrypt


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
