"""Access checks and rendering for all pages about one connection."""

from __future__ import annotations

from typing import Any, TypeAlias

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.models import Connection

Admin: TypeAlias = "admin.ModelAdmin[Connection]"
"""The admin of connections; a string, because the class is not generic at run time."""


def connection_to_change(model_admin: Admin, request: HttpRequest, object_id: str) -> Connection:
    """Return the connection if the user may change it; raise PermissionDenied otherwise.

    Raise Http404 for another account's connection, so that ids reveal nothing.
    """
    connection = connection_to_view(model_admin, request, object_id)
    if not model_admin.has_change_permission(request, connection):
        raise PermissionDenied
    return connection


def connection_to_view(model_admin: Admin, request: HttpRequest, object_id: str) -> Connection:
    """Return the connection if the user may see it; raise Http404 or PermissionDenied otherwise."""
    connection = model_admin.get_object(request, object_id)
    if connection is None:
        raise Http404
    if not model_admin.has_view_permission(request, connection):
        raise PermissionDenied
    return connection


def render(
    model_admin: Admin, request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    """Return the rendered template with the context that every page of the admin needs."""
    full_context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        **context,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, template, full_context)
