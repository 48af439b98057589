"""A field for bodies and other texts of several lines, which must come back as they were."""

from __future__ import annotations

from typing import Any

from django import forms


class DocumentField(forms.CharField):
    """Keeps all space, and has line feeds where browsers send carriage returns beside them.

    Otherwise saving without a change would be one, and a plain text body would be sent with them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **{**kwargs, "strip": False})

    def to_python(self, value: Any) -> str:  # noqa: ANN401
        return (super().to_python(value) or "").replace("\r\n", "\n")
