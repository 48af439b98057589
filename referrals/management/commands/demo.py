"""`manage.py demo`: creates the demo; running it again changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.local_secrets import read_or_create
from connections.operations.history import Actor
from referrals.demo import LOGIN, Demo, create_demo, find_crm_url, generate_password
from referrals.models.intake_keys import make_token

_SUMMARY = """
  Referrals       http://127.0.0.1:{port}/admin/    login {login}, password {password}
  Intake API      http://127.0.0.1:{port}/api/v1/docs
  CRM simulator   {crm}/received

  Send one referral:

    curl -s http://127.0.0.1:{port}/api/v1/campaigns/{campaign_key}/referrals \\
      -H 'Authorization: Bearer {intake_key}' -H 'Content-Type: application/json' \\
      -d '{{"external_id": "order-1001",
           "attributes": {{"email": "jo@example.com", "first_name": "Jo"}}}}'
"""
_UNKNOWN_PASSWORD = (
    f"The password of {LOGIN} is not known: the login is older than the kept one, or somebody "
    f"changed it. Set a new one with: manage.py changepassword {LOGIN}"
)


class Command(BaseCommand):
    """Creates the demo, and prints how to sign in and how to send a referral.

    It refuses to run on an installation that other people use.
    """

    help = "Creates the demo account with campaigns, connections to the CRM simulator and a login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a JSON object.")
        parser.add_argument("--port", default="8000", help="Where the product will listen.")
        parser.add_argument(
            "--crm",
            help="Where the CRM simulator listens; by default where the demo has it already, else "
            "http://127.0.0.1:9000.",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        _check_is_trial()
        demo = create_demo(
            crm_url=(options["crm"] or find_crm_url()).rstrip("/"),
            by=Actor.of_command(),
            intake_key=read_or_create(settings.VAR_DIR / "demo_intake_key", make_token),
            password=_stored_password(),
        )
        if options["json"]:
            self.stdout.write(json.dumps(demo.to_json()))
        else:
            self.stdout.write(_format_summary(demo, options["port"]))
        if demo.password is None:
            self.stderr.write(_UNKNOWN_PASSWORD)


def _check_is_trial() -> None:
    """Raise CommandError if other people use the installation: the demo creates a superuser."""
    if settings.HTTPS:
        raise CommandError(
            "The demo makes a superuser, and HTTPS is on: this installation is no trial. "
            "Run it with a VAR_DIR and DATABASE_URL of its own and without HTTPS."
        )
    if User.objects.exclude(username=LOGIN).exists():
        raise CommandError(
            "The demo makes a superuser, and this database has other users. "
            "Run it on a database of its own: set VAR_DIR, or DATABASE_URL."
        )


def _stored_password() -> str:
    """Return the password from its file, which lets a second run print it again.

    Create the file if there is none. Return an empty string if the login exists, but not the file.
    """
    path: Path = settings.VAR_DIR / "demo_password"
    if not path.exists() and User.objects.filter(username=LOGIN).exists():
        return ""
    return read_or_create(path, generate_password)


def _format_summary(demo: Demo, port: str) -> str:
    values = demo.to_json() | {"password": demo.password or "not known"}
    return _SUMMARY.format(port=port, **values)
