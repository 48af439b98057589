"""Tests that the templates of this app work without the app referrals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.urls import URLPattern, URLResolver

import connections.admin.connections
from connections.models import Connection

TEMPLATES = Path(connections.__file__).parent / "templates"
URL_TAG = re.compile(r"""\{%\s*url\s+["']admin:(\w+)["']""")


def url_names() -> set[str | None]:
    """Return the names of the URLs of an admin site with the models of this app alone."""
    site = AdminSite()
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "connections":
            site.register(model, type(model_admin))
    site.unregister(Connection)
    site.register(Connection, connections.admin.connections.ConnectionAdmin)
    return {pattern.name for pattern in walk(site.get_urls())}


def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern


def templates() -> list[str]:
    return sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))


def test_an_admin_site_of_this_app_has_no_url_of_referrals() -> None:
    names = url_names()
    assert "connections_connection_result" in names
    assert not any("referral" in (name or "") or name == "pause_connection" for name in names)


@pytest.mark.parametrize("template", templates())
def test_a_template_uses_urls_and_files_of_this_app_only(template: str) -> None:
    text = (TEMPLATES / template).read_text()
    assert set(URL_TAG.findall(text)) <= url_names()
    assert not re.search(r"""\{%\s*url\s+["'](?!admin:)""", text)
    assert not re.search(r"""\{%\s*(extends|include|static)\s+["']referrals/""", text)
