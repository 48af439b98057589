"""Helpers of the tests of management commands."""

from __future__ import annotations

from io import StringIO
from typing import Any

from django.core.management import CommandError, load_command_class

FIRST, SECOND, UNRECOGNISED = "a@example.com", "b@example.com", "odd@example.com"
"""The simulated CRM accepts the first two; its response to the third matches no rule."""


def run_command(name: str, *arguments: str) -> tuple[int, list[str]]:
    """Run a command as the shell does; return its exit code and the lines of its output."""
    command: Any = load_command_class("referrals", name)
    command._called_from_command_line = True
    out = StringIO()
    try:
        options = vars(command.create_parser("manage.py", name).parse_args(list(arguments)))
        command.execute(**{**options, "stdout": out, "no_color": True, "skip_checks": True})
    except SystemExit as end:
        return int(end.code or 0), lines(out)
    except CommandError as error:
        return error.returncode, [str(error)]
    return 0, lines(out)


def lines(out: StringIO) -> list[str]:
    return [line.strip() for line in out.getvalue().splitlines()]
