"""The configuration of the app."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Accounts, campaigns, connections and links."""

    name = "connections"
    verbose_name = "Connections"
