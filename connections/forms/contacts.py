"""The form of one technical contact."""

from __future__ import annotations

from django import forms

from connections.models import TechnicalContact


class TechnicalContactForm(forms.ModelForm):  # type: ignore[type-arg] # Not generic at run time.
    """The advertiser's contact for questions, with the examples of the product's setup guide."""

    class Meta:
        model = TechnicalContact
        fields = ["name", "role", "email", "phone"]
        help_texts = {"role": ""}
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": "John Smith"}),
            "role": forms.TextInput(attrs={"placeholder": "Technical support"}),
            "email": forms.EmailInput(attrs={"placeholder": "john.smith@company.com"}),
        }
