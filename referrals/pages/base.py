"""What every page of our own shares with the admin's pages; knows no model."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]

PERM_CHANGE_DELIVERY = "referrals.change_delivery"
"""The permission to have deliveries made, replayed, re-read or cancelled."""

MAX_AT_ONCE = 20_000
"""More than these are left to a command, which shows how far it is and can be interrupted."""


def context(request: HttpRequest, title: str) -> dict[str, Any]:
    """What the admin's base template asks for."""
    return {**admin.site.each_context(request), "title": title}


def person(request: HttpRequest) -> User:
    """Who asks; only logged-in staff come this far."""
    return cast("User", request.user)


def permission_required(permission: str) -> Callable[[View], View]:
    """For views of staff: whoever lacks the permission gets 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate
