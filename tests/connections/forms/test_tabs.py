"""Tests of the tabs on which errors are shown."""

from __future__ import annotations

import pytest

from connections.checklist import build_checklist
from connections.core.errors import DescriptionError
from connections.forms.tabs import get_tab, tabs
from connections.mapping.draft import Draft
from connections.mapping.validation import FORM_FIELDS, find_form_field
from connections.models import Connection

PARTS_BY_TAB = {
    "general": {"name", "documentation"},
    "endpoint": {"endpoints", "method"},
    "authorization": {"authorization", "credentials"},
    "headers": {"headers", "idempotency_header", "content_type"},
    "body": {"body", "required"},
    "responses": {"rules", "reason", "reference", "wait", "where", "path"},
    "settings": {"sample", "limits"},
}


def test_every_part_of_a_description_is_assigned_to_one_of_the_tabs() -> None:
    assert set().union(*PARTS_BY_TAB.values()) == set(FORM_FIELDS)
    assert list(PARTS_BY_TAB) == [tab.slug for tab in tabs()]


@pytest.mark.parametrize("slug", PARTS_BY_TAB)
def test_an_error_is_shown_on_the_tab_of_its_part(slug: str) -> None:
    for part in PARTS_BY_TAB[slug]:
        for field in (part, f"{part}.any", f"{part}[2].path"):
            assert get_tab(find_form_field(DescriptionError(field, "Wrong."))) == slug


def test_an_error_without_a_form_field_is_shown_on_the_first_tab() -> None:
    assert find_form_field(DescriptionError("file", "Not valid TOML.")) == ""
    assert get_tab("") == get_tab("__all__") == "general"


def test_a_requirement_links_to_the_tab_of_its_form_field() -> None:
    requirements = build_checklist(Draft(connection=Connection()))
    assert [(line.title, get_tab(line.field)) for line in requirements] == [
        ("API documentation", "general"),
        ("Technical contact", "general"),
        ("Endpoints", "endpoint"),
        ("Method", "endpoint"),
        ("Authentication", "authorization"),
        ("Request body encoding", "body"),
        ("Required parameters", "body"),
        ("Expected responses", "responses"),
    ]
