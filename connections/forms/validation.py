"""A base form that validates its row with the core before it is saved."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import construct_instance


class ValidatedModelForm(forms.ModelForm):  # type: ignore[type-arg] # Not generic at run time.
    """A model form with one more check, `validate_row`, which raises ValidationError."""

    validate_row: ClassVar[staticmethod[[Any], None]]

    def _post_clean(self) -> None:
        # Before the model's own checks, which skip a field that has an error already: a
        # constraint's message would say less than the core's.
        construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        try:
            self.validate_row(self.instance)
        except ValidationError as error:
            self.add_error(None, error)
        super()._post_clean()  # type: ignore[misc] # Not in the stubs.
