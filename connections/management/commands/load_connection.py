"""`manage.py load_connection`: create or replace an account's connection from a TOML file."""

from __future__ import annotations

from typing import Any

import environ
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.core.errors import DescriptionError
from connections.importers.files import load_connection
from connections.management.commands._files import (
    WRONG_FILE_EXIT_CODE,
    format_error,
    read_file,
)
from connections.management.lookups import find_account
from connections.operations.history import Actor
from connections.operations.save import save_connection


class Command(BaseCommand):
    """Create or replace a connection from a file; loading the same file again changes nothing."""

    help = (
        "Creates or replaces the account's connection of the file's name. A credential env:NAME is "
        "taken from the environment; where NAME is not set, what is saved already stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="A connection as a TOML file.")
        parser.add_argument("--account", metavar="SLUG", required=True, help="Whose it becomes.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        name, account, missing = options["file"], find_account(options["account"]), []

        def look_up(variable: str) -> str:
            value: str = environ.Env().str(variable, default="")
            if not value:
                missing.append(variable)
            return value

        try:
            connection = save_connection(
                load_connection(read_file(name), look_up),
                account=account,
                by=Actor.of_command(),
                source="a file",
            )
        except DescriptionError as error:
            message = format_error(name, error)
            raise CommandError(message, returncode=WRONG_FILE_EXIT_CODE) from error
        except ValidationError as error:
            message = f"{name}: {'; '.join(error.messages)}"
            raise CommandError(message, returncode=WRONG_FILE_EXIT_CODE) from error
        self.stdout.write(f"Connection {connection.pk}: {connection.name}, of {account}.")
        if missing:
            names = ", ".join(missing)
            self.stdout.write(f"Not set in the environment: {names}. Set them, or use the admin.")
