"""Tests of the rows that a user may see."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User

from connections.models import Account, Connection
from tests.users import create_user


def visible_names(user: User | AnonymousUser) -> list[str]:
    connections = Connection.objects.visible_to(user).order_by("pk")
    accounts = Account.objects.visible_to(user)
    assert {row.account for row in connections} == set(accounts)
    return [row.name for row in connections]


def test_users_see_the_rows_of_the_accounts_that_they_are_members_of(account: Account) -> None:
    other = Account.objects.create(name="Other", slug="other")
    for owner, name in ((account, "First"), (account, "Second"), (other, "Third")):
        Connection.objects.create(account=owner, name=name)

    assert visible_names(create_user("Eda", account, role="Editor")) == ["First", "Second"]
    assert visible_names(create_user("Bo", account, other, role="Editor")) == [
        "First", "Second", "Third",
    ]  # fmt: skip
    assert visible_names(create_user("Nil", role="Editor")) == []
    assert visible_names(User.objects.create_superuser("root")) == ["First", "Second", "Third"]
    assert visible_names(AnonymousUser()) == []
