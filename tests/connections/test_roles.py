"""Tests of the roles that the migration makes."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group, Permission


def test_groups_have_the_permissions_of_the_migration_and_none_for_customer_data(db: None) -> None:
    roles = import_module("connections.migrations.0002_roles")
    roles.make_roles(apps, None)
    for name, rights in (("Editor", roles.EDITOR), ("Reporter", roles.REPORTER)):
        expected = {
            f"{app}.{action}_{model}"
            for app, models in rights.items()
            for model, actions in models.items()
            for action in actions
        }
        group = Group.objects.get(name=name)
        found = group.permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{codename}" for app, codename in found} == expected
    assert not Permission.objects.filter(codename="view_customer_data", group__isnull=False)


def test_permissions_are_created_once_with_the_names_of_django(db: None) -> None:
    roles = import_module("connections.migrations.0002_roles")
    before = Permission.objects.count()
    roles.make_roles(apps, None)
    assert Permission.objects.count() == before
    assert Permission.objects.get(codename="add_connectiontest").name == "Can add connection test"


def test_forgetting_the_roles_deletes_the_groups(db: None) -> None:
    roles = import_module("connections.migrations.0002_roles")
    roles.make_roles(apps, None)
    roles.forget_roles(apps, None)
    assert not Group.objects.exists()
