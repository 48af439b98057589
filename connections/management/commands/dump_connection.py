"""`manage.py dump_connection`: a connection becomes a file, without its credentials."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.files import dump_connection
from connections.management.commands._files import WRONG_FILE
from connections.models import Connection


class Command(BaseCommand):
    """Credentials become references, env:NAME, that load_connection understands."""

    help = "Prints a connection as TOML; credentials become env:NAME references, never values."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="As in the connection's address.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        row = Connection.objects.with_everything().filter(pk=options["id"]).first()
        if row is None:
            known = ", ".join(
                f"{pk} ({name})" for pk, name in Connection.objects.values_list("pk", "name")[:20]
            )
            message = f"There is no connection {options['id']}. Connections: {known or 'none yet'}."
            raise CommandError(message, returncode=WRONG_FILE)
        self.stdout.write(dump_connection(row.spec()), ending="")
