"""Users of the admin with roles and accounts, and clients that are logged in."""

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
        # A test that empties all tables takes the groups along, which only the migration makes.
        _ROLES.make_roles(apps, None)
        user.groups.add(Group.objects.get(name=role))
    if sees_customers:
        user.user_permissions.add(Permission.objects.get(codename="view_customer_data"))
    for account in accounts:
        account.members.add(user)
    return user


def login_client(user: User | None) -> Client:
    """Return a client in which the user is logged in, or nobody."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
