"""`manage.py demo`: everything that a first look needs, harmless twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from referrals.demo import Demo, make_demo
from referrals.models.keys import make_token

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


class Command(BaseCommand):
    """Prints how to sign in and a line that sends one referral."""

    help = "Creates the demo account with campaigns, connections to the CRM simulator and a login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a JSON object.")
        parser.add_argument("--port", default="8000", help="Where the product will listen.")
        parser.add_argument(
            "--crm", default="http://127.0.0.1:9000", help="Where the CRM simulator listens."
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - Django's.
        demo = make_demo(crm_url=options["crm"].rstrip("/"), intake_key=_kept_token())
        if options["json"]:
            self.stdout.write(json.dumps(demo.to_json()))
        else:
            self.stdout.write(_in_words(demo, options["port"]))


def _kept_token() -> str:
    """The demo's own key is kept beside the data, so that a second run can print it again."""
    path: Path = settings.VAR_DIR / "demo_intake_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(make_token())
    return path.read_text().strip()


def _in_words(demo: Demo, port: str) -> str:
    return _SUMMARY.format(port=port, **demo.to_json())
