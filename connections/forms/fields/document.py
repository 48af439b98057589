"""A field for bodies and other texts of several lines, which are stored exactly as entered."""

from __future__ import annotations

from typing import Any

from django import forms


class DocumentField(forms.CharField):
    """A text that keeps all its space; CRLF, which browsers send for a line break, becomes LF.

    Otherwise saving an unchanged form would change the text, and a plain text body would be sent
    with carriage returns.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as every field.
        super().__init__(*args, **{**kwargs, "strip": False})

    def to_python(self, value: object) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")
