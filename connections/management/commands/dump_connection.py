"""`manage.py dump_connection`: print a connection as TOML, without its credentials."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.importers.files import dump_connection
from connections.management.lookups import find_connection
from connections.mapping.to_spec import build_spec


class Command(BaseCommand):
    """Print a connection as TOML; credentials become `env:NAME`, as load_connection reads them."""

    help = "Prints a connection as TOML; credentials become env:NAME references, never values."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="As in the connection's address.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        self.stdout.write(dump_connection(build_spec(find_connection(options["id"]))), ending="")
