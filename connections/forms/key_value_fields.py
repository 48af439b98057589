"""Fields of several rows, name beside value, that work with and without JavaScript.

All rows share two input names, so a row is added by repeating it. Must not know models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.forms.authorization import KEEP_HELP

_BLANK_ROWS = 2


class RowsWidget(forms.Widget):
    """Rows of two inputs; a few blank ones stand ready for people without JavaScript."""

    template_name = "connections/widgets/rows.html"
    use_fieldset = True

    def __init__(
        self, *, names: str, values: str, example: str = "", is_secret: bool = False
    ) -> None:
        super().__init__()
        self._labels = {"names": names, "values": values, "example": example}
        self._is_secret = is_secret

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:  # noqa: ANN401
        context: dict[str, Any] = super().get_context(name, value, attrs)
        rows = [*(value or []), *[("", "")] * _BLANK_ROWS]
        context["widget"] |= {
            **self._labels,
            "is_secret": self._is_secret,
            "rows": [(one, "" if self._is_secret else other) for one, other in rows],
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:  # noqa: ANN401, ARG002
        names, values = _all(data, f"{name}__name"), _all(data, f"{name}__value")
        return list(zip(names, values, strict=False))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:  # noqa: ANN401, ARG002
        return False

    def id_for_label(self, id_: str) -> str:  # noqa: ARG002
        return ""


class HeadersField(forms.Field):
    """Header names with their values, as a dictionary."""

    def __init__(self, *, example: str = "", **kwargs: Any) -> None:  # noqa: ANN401
        widget = RowsWidget(names="Name", values="Value", example=example)
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401
        return list(value.items()) if isinstance(value, Mapping) else value

    def to_python(self, value: Any) -> dict[str, str]:  # noqa: ANN401
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

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401
        try:
            return (initial or {}) != self.to_python(data)
        except ValidationError:
            return True


@dataclass(frozen=True, slots=True)
class CredentialChanges:
    """What a person did to named credentials: those that were entered, those to forget."""

    entered: dict[str, str] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()

    def applied_to(self, saved: Mapping[str, str]) -> dict[str, str]:
        """The credentials afterwards."""
        kept = {name: text for name, text in saved.items() if name not in self.forgotten}
        return {**kept, **self.entered}

    def __bool__(self) -> bool:
        return bool(self.entered or self.forgotten)


class CredentialsWidget(RowsWidget):
    """Saved credentials by name, never by value, and blank rows for new ones."""

    template_name = "connections/widgets/credentials.html"

    def __init__(self) -> None:
        super().__init__(names="Name", values="Value", example="api_key", is_secret=True)
        self.saved: list[str] = []

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"saved": self.saved, "keep": KEEP_HELP}
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:  # noqa: ANN401
        rows = super().value_from_datadict(data, files, name)
        return {"rows": rows, "forget": _all(data, f"{name}__forget")}


class CredentialsField(forms.Field):
    """Named credentials, for `{{ credentials.NAME }}`: written, never shown."""

    widget: CredentialsWidget

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(required=False, widget=CredentialsWidget(), **kwargs)

    def to_python(self, value: Any) -> CredentialChanges:  # noqa: ANN401
        entered: dict[str, str] = {}
        for name, text in (value or {}).get("rows", []):
            plain = name.strip()
            if not plain and not text:
                continue
            if not plain.isidentifier():
                raise ValidationError(
                    f'"{plain}" can\'t be the name of a credential: use letters, digits and _.'
                )
            if text:
                entered[plain] = text
        return CredentialChanges(entered, frozenset((value or {}).get("forget", [])))

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401, ARG002
        try:
            return bool(self.to_python(data))
        except ValidationError:
            return True


def _all(data: Any, name: str) -> list[str]:  # noqa: ANN401 - a QueryDict, or a test's dictionary.
    if hasattr(data, "getlist"):
        values: list[str] = data.getlist(name)
        return values
    value = data.get(name, [])
    return [value] if isinstance(value, str) else list(value)
