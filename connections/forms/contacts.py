"""The form of one technical contact."""

from __future__ import annotations

from django import forms

from connections.models import TechnicalContact


class TechnicalContactForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who at the advertiser answers questions, with the examples that the setup page gives."""

    class Meta:
        model = TechnicalContact
        fields = ["name", "role", "email", "phone"]
        help_texts = {"role": ""}
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": "John Smith"}),
            "role": forms.TextInput(attrs={"placeholder": "Technical support"}),
            "email": forms.EmailInput(attrs={"placeholder": "john.smith@company.com"}),
        }
