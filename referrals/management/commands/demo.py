"""`manage.py demo`: everything that a first look needs, harmless twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.local_secrets import kept_key
from referrals.demo import LOGIN, Demo, make_demo, make_password
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
    """Prints how to sign in and a line that sends one referral. Refuses where others work."""

    help = "Creates the demo account with campaigns, connections to the CRM simulator and a login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a JSON object.")
        parser.add_argument("--port", default="8000", help="Where the product will listen.")
        parser.add_argument(
            "--crm", default="http://127.0.0.1:9000", help="Where the CRM simulator listens."
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        _refuse_elsewhere()
        demo = make_demo(
            crm_url=options["crm"].rstrip("/"),
            intake_key=kept_key(settings.VAR_DIR / "demo_intake_key", make_token),
            password=_kept_password(),
        )
        if options["json"]:
            self.stdout.write(json.dumps(demo.to_json()))
        else:
            self.stdout.write(_in_words(demo, options["port"]))
        if demo.password is None:
            self.stderr.write(_UNKNOWN_PASSWORD)


def _refuse_elsewhere() -> None:
    """Refuse to make a superuser where others work."""
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


def _kept_password() -> str:
    """The password, kept beside the data so that a second run can print it again; empty where
    there is a login, but no file that says how it opens."""
    path: Path = settings.VAR_DIR / "demo_password"
    if not path.exists() and User.objects.filter(username=LOGIN).exists():
        return ""
    return kept_key(path, make_password)


def _in_words(demo: Demo, port: str) -> str:
    values = demo.to_json() | {"password": demo.password or "not known"}
    return _SUMMARY.format(port=port, **values)
