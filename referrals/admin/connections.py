"""Replace the admin of connections by one that can pause and release them."""

from __future__ import annotations

from django.contrib import admin

from connections.admin.connections import ConnectionAdmin
from connections.models import Connection

admin.site.unregister(Connection)


@admin.register(Connection)
class DeliveringConnectionAdmin(ConnectionAdmin):
    """The admin of connections, with a button that pauses or releases one."""

    change_form_template = "referrals/connection_change_form.html"
