"""Fields over the account's attributes: which are required, and what tests and previews send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connections.core.attributes import CATALOGUE, Attribute, AttributeType, AttributeValueError

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Catalogue = Mapping[str, Attribute]


class RequiredAttributesWidget(forms.CheckboxSelectMultiple):
    """A list of checkboxes that can be searched."""

    template_name = "connections/widgets/attributes.html"

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:  # noqa: ANN401, ARG002
        return False


class RequiredAttributesField(forms.MultipleChoiceField):
    """The attributes without which nothing is sent, as a list of keys."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(required=False, widget=RequiredAttributesWidget(), **kwargs)
        self.use(CATALOGUE)

    def use(self, catalogue: Catalogue) -> None:
        """Offer the attributes of an account."""
        self.choices = [(key, attribute.label) for key, attribute in catalogue.items()]


class SamplesWidget(forms.Widget):
    """One row for each attribute: its own sample, or the catalogue's example, or left out."""

    template_name = "connections/widgets/samples.html"
    use_fieldset = True

    def __init__(self) -> None:
        super().__init__()
        self.catalogue: Catalogue = CATALOGUE

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:  # noqa: ANN401
        context: dict[str, Any] = super().get_context(name, value, attrs)
        given = value or {}
        context["widget"]["rows"] = [
            {
                "key": key,
                "attribute": attribute,
                "example": _as_text(attribute.example),
                "value": _as_text(given.get(key, "")),
                "is_left_out": key in given and given[key] == "",
            }
            for key, attribute in self.catalogue.items()
        ]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:  # noqa: ANN401, ARG002
        left_out = [key for key in self.catalogue if data.get(f"{name}__{key}__omit")]
        given = {key: data.get(f"{name}__{key}", "") for key in self.catalogue}
        return {key: text for key, text in given.items() if text} | dict.fromkeys(left_out, "")

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:  # noqa: ANN401, ARG002
        return False

    def id_for_label(self, id_: str) -> str:  # noqa: ARG002
        return ""


class SamplesField(forms.Field):
    """Sample attributes as they are stored; an empty text means that the attribute is left out."""

    widget: SamplesWidget

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(required=False, widget=SamplesWidget(), **kwargs)

    def use(self, catalogue: Catalogue) -> None:
        """Offer the attributes of an account."""
        self.widget.catalogue = catalogue

    def to_python(self, value: Any) -> dict[str, Any]:  # noqa: ANN401
        cleaned, problems = {}, []
        for key, text in (value or {}).items():
            try:
                cleaned[key] = _cleaned(self.widget.catalogue[key], text)
            except AttributeValueError as error:
                problems.append(f"{self.widget.catalogue[key].label}: {error}.")
        if problems:
            raise ValidationError(problems)
        return cleaned

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401
        before = {key: _as_text(item) for key, item in (initial or {}).items()}
        return before != {key: str(item) for key, item in (data or {}).items()}


def _cleaned(attribute: Attribute, text: str) -> str | int | bool:
    if attribute.type is AttributeType.BOOLEAN and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    value = attribute.clean(text)
    return "" if value is None else value


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
