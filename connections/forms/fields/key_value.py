"""Fields of several rows of name and value that work with and without JavaScript.

All rows share two input names, so that a script adds a row by repeating one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from connections.forms.fields.secret import KEEP_HELP

_BLANK_ROWS = 2


class KeyValueWidget(forms.Widget):
    """Rows of two inputs, with blank ones at the end for people without JavaScript."""

    template_name = "connections/widgets/key_value.html"
    use_fieldset = True

    def __init__(
        self, *, names: str, values: str, example: str = "", is_secret: bool = False
    ) -> None:
        super().__init__()
        self._labels = {"names": names, "values": values, "example": example}
        self._is_secret = is_secret

    def get_context(
        self, name: str, value: Iterable[tuple[str, str]] | None, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        rows = [*(value or []), *[("", "")] * _BLANK_ROWS]
        context["widget"] |= {
            **self._labels,
            "is_secret": self._is_secret,
            "rows": [(key, "" if self._is_secret else text) for key, text in rows],
        }
        return context

    def value_from_datadict(
        self, data: Mapping[str, Any], files: object, name: str  # noqa: ARG002
    ) -> object:  # fmt: skip
        names, values = _get_list(data, f"{name}__name"), _get_list(data, f"{name}__value")
        return list(zip(names, values, strict=False))

    def value_omitted_from_data(self, data: object, files: object, name: str) -> bool:  # noqa: ARG002
        return False

    def id_for_label(self, id_: str) -> str:  # noqa: ARG002
        return ""


class HeadersField(forms.Field):
    """Header names with their values, as a dictionary."""

    def __init__(self, *, example: str = "", **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        widget = KeyValueWidget(names="Name", values="Value", example=example)
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: object) -> object:
        return list(value.items()) if isinstance(value, Mapping) else value

    def to_python(self, value: Iterable[tuple[str, str]] | None) -> dict[str, str]:
        rows = [(name.strip(), text.strip()) for name, text in value or []]
        headers: dict[str, str] = {}
        for name, text in rows:
            if text and not name:
                raise ValidationError(f'The value "{text[:40]}" has no header name beside it.')
            if name.lower() in {known.lower() for known in headers}:
                raise ValidationError(f"The header {name} is there twice.")
            if name:
                headers[name] = text
        return headers

    def has_changed(
        self, initial: Mapping[str, str] | None, data: Iterable[tuple[str, str]] | None
    ) -> bool:
        try:
            return (initial or {}) != self.to_python(data)
        except ValidationError:
            return True


@dataclass(frozen=True, slots=True)
class CredentialChanges:
    """Changes to named credentials: the values that were entered, and the names to remove."""

    entered: dict[str, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    def apply_to(self, saved: Mapping[str, str]) -> dict[str, str]:
        """Return the credentials with the changes; `saved` itself stays as it is."""
        kept = {name: text for name, text in saved.items() if name not in self.removed}
        return {**kept, **self.entered}

    def __bool__(self) -> bool:
        return bool(self.entered or self.removed)


class CredentialsWidget(KeyValueWidget):
    """The names of the saved credentials without their values, and blank rows for new ones."""

    template_name = "connections/widgets/credentials.html"

    def __init__(self) -> None:
        super().__init__(names="Name", values="Value", example="api_key", is_secret=True)
        self.saved: list[str] = []

    def get_context(
        self, name: str, value: object, attrs: dict[str, Any] | None  # noqa: ARG002
    ) -> dict[str, Any]:  # fmt: skip
        # The value holds secrets that were just posted; they are never rendered.
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"saved": self.saved, "keep": KEEP_HELP}
        return context

    def value_from_datadict(
        self, data: Mapping[str, Any], files: object, name: str
    ) -> dict[str, Any]:
        rows = super().value_from_datadict(data, files, name)
        return {"rows": rows, "remove": _get_list(data, f"{name}__remove")}


class CredentialsField(forms.Field):
    """Named credentials, for `{{ credentials.NAME }}`: stored, never rendered."""

    widget: CredentialsWidget

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        super().__init__(required=False, widget=CredentialsWidget(), **kwargs)

    def to_python(self, value: Mapping[str, Any] | None) -> CredentialChanges:
        entered: dict[str, str] = {}
        for name, text in (value or {}).get("rows", []):
            stripped = name.strip()
            if not stripped and not text:
                continue
            if not stripped.isidentifier():
                raise ValidationError(
                    f'"{stripped}" can\'t be the name of a credential: use letters, digits and _.'
                )
            if text:
                entered[stripped] = text
        return CredentialChanges(entered, frozenset((value or {}).get("remove", [])))

    def has_changed(self, initial: object, data: Mapping[str, Any] | None) -> bool:  # noqa: ARG002
        try:
            return bool(self.to_python(data))
        except ValidationError:
            return True


def _get_list(data: Mapping[str, Any], name: str) -> list[str]:
    """Return all values of the name, from a QueryDict or from a test's dictionary."""
    if isinstance(data, MultiValueDict):
        return data.getlist(name)
    value = data.get(name, [])
    return [value] if isinstance(value, str) else list(value)
