"""`manage.py check_connection`: check files against the responses that their CRMs document."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connections.core.attributes import CATALOGUE, Catalogue
from connections.core.connection_check import ConnectionCheck, check_connection
from connections.core.errors import DescriptionError
from connections.importers.files import load_connection
from connections.management.commands._files import (
    WRONG_FILE_EXIT_CODE,
    format_error,
    read_file,
)
from connections.management.lookups import find_account

_DIFFERENCE_EXIT_CODE = 1


class Command(BaseCommand):
    """Check connection files against their expected responses, without credentials or network."""

    help = (
        "Builds the request from sample attributes, reads every expected response and prints "
        "expected against actual. Exits 1 on a difference, 2 where a file is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="Connections as TOML files.")
        parser.add_argument("--json", action="store_true", help="One JSON object a file and line.")
        parser.add_argument("--account", metavar="SLUG", help="Whose own attributes may be used.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        slug = options["account"]
        catalogue = find_account(slug).catalogue() if slug else CATALOGUE
        codes = [self._check(name, catalogue, as_json=options["json"]) for name in options["files"]]
        if max(codes):
            sys.exit(max(codes))

    def _check(self, name: str, catalogue: Catalogue, *, as_json: bool) -> int:
        """Print the check of one file and return its exit code."""
        try:
            check = check_connection(load_connection(read_file(name)), catalogue)
        except DescriptionError as error:
            self.stderr.write(self.style.ERROR(format_error(name, error)))
            return WRONG_FILE_EXIT_CODE
        if as_json:
            self.stdout.write(json.dumps(check.to_json(), ensure_ascii=False))
        else:
            self._print(name, check)
        return 0 if check.is_good else _DIFFERENCE_EXIT_CODE

    def _print(self, name: str, check: ConnectionCheck) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        self.stdout.write(f"  {check.request.method} {check.request.url}")
        width = max((len(row.name) for row in check.responses), default=0)
        for row in check.responses:
            verdict = self.style.SUCCESS("ok     ") if row.is_good else self.style.ERROR("DIFFERS")
            rule = f"rule: {row.rule}" if row.rule else "by default"
            outcomes = f"expected {row.expected:12} actual {row.actual:12}"
            self.stdout.write(f"  {verdict} {row.name:{width}}  {outcomes} {rule}")
        if not check.responses:
            self.stdout.write("  No expected responses: nothing says whether the rules are right.")
