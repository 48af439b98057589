"""The app of what operators configure."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Accounts, campaigns, connections and links."""

    name = "connections"
    verbose_name = "Connections"
