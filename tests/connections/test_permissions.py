"""Tests of the names of permissions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from connections import permissions
from connections.permissions import can_change_deliveries, can_view_customer_data

ROOT = Path(__file__).parents[2]
NAMES = {name: value for name, value in vars(permissions).items() if name.startswith("PERM_")}


@pytest.mark.parametrize("name", NAMES)
def test_every_permission_exists(db: None, name: str) -> None:
    app, _, codename = NAMES[name].partition(".")
    assert name == f"PERM_{codename.upper()}"
    assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists()


def test_code_and_templates_name_permissions_by_their_constants_alone() -> None:
    pattern = re.compile(
        r"""["'](connections|referrals)\.(add|change|delete|view)_\w+["']|perms\."""
    )
    matches = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for app in ("config", "connections", "referrals")
        for path in (*(ROOT / app).rglob("*.py"), *(ROOT / app).rglob("*.html"))
        if path != Path(permissions.__file__) and "migrations" not in path.parts
        for match in pattern.finditer(path.read_text())
    ]
    assert matches == []


@pytest.mark.parametrize(
    ("check", "codename"),
    [(can_change_deliveries, "change_delivery"), (can_view_customer_data, "view_customer_data")],
)
def test_a_check_is_true_for_a_user_with_the_permission_alone(
    db: None, check: object, codename: str
) -> None:
    assert callable(check)
    user = User.objects.create(username="Pia")
    assert (check(user), check(AnonymousUser())) == (False, False)
    user.user_permissions.add(Permission.objects.get(codename=codename))
    assert check(User.objects.get()) is True
