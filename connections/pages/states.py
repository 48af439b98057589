"""Pausing a connection, and letting it go on after a pause or a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from connections.pages.page import connection_to_change
from connections.services import pause_connection, release_connection

if TYPE_CHECKING:
    from connections.pages.page import Admin


def change_state(model_admin: Admin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Pause the connection, or release it."""
    connection = connection_to_change(model_admin, request, object_id)
    if "pause" in request.POST:
        by = request.user.get_username()
        if pause_connection(connection, reason=f"Paused by {by}."):
            model_admin.log_change(request, connection, "Paused.")
            messages.success(request, "Paused: its deliveries wait until it is released.")
    elif release_connection(connection):
        model_admin.log_change(request, connection, "Released.")
        messages.success(request, "Released: its deliveries go on.")
    return HttpResponseRedirect(connection.get_absolute_url())
