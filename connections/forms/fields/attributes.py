"""Fields over an account's attributes: those that are required, and the sample values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.core.attributes import (
    CATALOGUE,
    Attribute,
    AttributeType,
    AttributeValueError,
    Catalogue,
)

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class RequiredAttributesWidget(forms.CheckboxSelectMultiple):
    """A list of checkboxes with a search field."""

    template_name = "connections/widgets/attributes.html"

    def value_omitted_from_data(self, data: object, files: object, name: str) -> bool:  # noqa: ARG002
        return False


class RequiredAttributesField(forms.MultipleChoiceField):
    """The keys of the attributes without which a referral is not sent."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        super().__init__(required=False, widget=RequiredAttributesWidget(), **kwargs)
        self.set_catalogue(CATALOGUE)

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Set the attributes of an account as the choices."""
        self.choices = [(key, attribute.label) for key, attribute in catalogue.items()]


class SamplesWidget(forms.Widget):
    """One row for each attribute: its own sample, or the catalogue's example, or omitted."""

    template_name = "connections/widgets/samples.html"
    use_fieldset = True

    def __init__(self) -> None:
        super().__init__()
        self.catalogue: Catalogue = CATALOGUE

    def get_context(
        self, name: str, value: Mapping[str, object] | None, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        samples = value or {}
        context["widget"]["rows"] = [
            {
                "key": key,
                "attribute": attribute,
                "example": _to_text(attribute.example),
                "value": _to_text(samples.get(key, "")),
                "is_omitted": key in samples and samples[key] == "",
            }
            for key, attribute in self.catalogue.items()
        ]
        return context

    def value_from_datadict(
        self, data: Mapping[str, Any], files: object, name: str  # noqa: ARG002
    ) -> dict[str, str]:  # fmt: skip
        omitted = [key for key in self.catalogue if data.get(f"{name}__{key}__omit")]
        entered = {key: data.get(f"{name}__{key}", "") for key in self.catalogue}
        return {key: text for key, text in entered.items() if text} | dict.fromkeys(omitted, "")

    def value_omitted_from_data(self, data: object, files: object, name: str) -> bool:  # noqa: ARG002
        return False

    def id_for_label(self, id_: str) -> str:  # noqa: ARG002
        return ""


class SamplesField(forms.Field):
    """The sample attributes as they are stored; an empty text means that one is omitted."""

    widget: SamplesWidget

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        super().__init__(required=False, widget=SamplesWidget(), **kwargs)

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Set the attributes of an account as the rows."""
        self.widget.catalogue = catalogue

    def to_python(self, value: Mapping[str, str] | None) -> dict[str, Any]:
        cleaned, errors = {}, []
        for key, text in (value or {}).items():
            attribute = self.widget.catalogue[key]
            try:
                cleaned[key] = _clean_sample(attribute, text)
            except AttributeValueError as error:
                errors.append(f"{attribute.label}: {error}.")
        if errors:
            raise ValidationError(errors)
        return cleaned

    def has_changed(
        self, initial: Mapping[str, object] | None, data: Mapping[str, object] | None
    ) -> bool:
        before = {key: _to_text(value) for key, value in (initial or {}).items()}
        return before != {key: str(value) for key, value in (data or {}).items()}


def _clean_sample(attribute: Attribute, text: str) -> str | int | bool:
    if attribute.type is AttributeType.BOOLEAN and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    value = attribute.clean(text)
    return "" if value is None else value


def _to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
