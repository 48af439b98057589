"""Helpers that create users of the admin and log them in to test clients."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from connections.models import Account
from connections.operations.history import Actor, Door

SOMEBODY = Actor(door=Door.COMMAND)
"""Actor for operations whose actor is not tested."""

_ROLES = import_module("connections.migrations.0002_roles")


def create_user(
    name: str, *accounts: Account, role: str = "", sees_customers: bool = False
) -> User:
    """Create a staff user in the group of the role, a member of the accounts."""
    user = User.objects.create(username=name, is_staff=True)
    if role:
        # Transactional tests delete the groups, which only the migration creates.
        _ROLES.make_roles(apps, None)
        user.groups.add(Group.objects.get(name=role))
    if sees_customers:
        user.user_permissions.add(Permission.objects.get(codename="view_customer_data"))
    for account in accounts:
        account.members.add(user)
    return user


def login_client(user: User | None) -> Client:
    """Return a client with the user logged in, or with nobody if it is None."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
