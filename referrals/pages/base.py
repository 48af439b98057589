"""What the pages of this app share with the pages of the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

MAX_AT_ONCE = 20_000
"""The deliveries that one request may change at most. More are left to a command, which shows
progress and can be interrupted."""


def page_context(request: HttpRequest, title: str) -> dict[str, Any]:
    """Return the context of the admin's base template."""
    return {**admin.site.each_context(request), "title": title}
