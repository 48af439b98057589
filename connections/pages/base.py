"""What all pages about one connection share: who may open them, and the frame of the admin.

Must not know what a page shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.models import Connection

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Connection]


def connection_to_change(model_admin: Admin, request: HttpRequest, object_id: str) -> Connection:
    """The connection, for somebody who may change it.

    Another account's is not found, so that ids tell nothing; raises PermissionDenied otherwise.
    """
    connection = connection_to_view(model_admin, request, object_id)
    if not model_admin.has_change_permission(request, connection):
        raise PermissionDenied
    return connection


def connection_to_view(model_admin: Admin, request: HttpRequest, object_id: str) -> Connection:
    """The connection, for somebody who may see it."""
    connection = model_admin.get_object(request, object_id)
    if connection is None:
        raise Http404
    if not model_admin.has_view_permission(request, connection):
        raise PermissionDenied
    return connection


def render(
    model_admin: Admin, request: HttpRequest, template: str, context: dict[str, Any]
) -> HttpResponse:
    """The template in the frame of the admin."""
    frame = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        **context,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, template, frame)
