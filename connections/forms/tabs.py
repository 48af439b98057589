"""How the parts of a connection are grouped on its page; must not know how a group looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connections.forms.authorization import authorization_field_names
from connections.forms.limits import limit_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One group: its fields, and the prefixes of the formsets that belong to it."""

    slug: str
    title: str
    fields: tuple[str, ...] = ()
    formsets: tuple[str, ...] = ()


def tabs() -> tuple[Tab, ...]:
    """The tabs in their order; asked each time, as a kind may have registered since."""
    return (
        Tab(
            slug="general",
            title="General",
            fields=("account", "name", "documentation"),
            formsets=("technical_contacts",),
        ),
        Tab(slug="endpoint", title="Endpoint", fields=("method",), formsets=("endpoints",)),
        Tab(
            slug="authorization",
            title="Authorization",
            fields=("authorization_kind", *authorization_field_names(), "credentials"),
        ),
        Tab(
            slug="headers",
            title="Headers",
            fields=("headers", "content_type", "idempotency_header"),
        ),
        Tab(
            slug="body",
            title="Body",
            fields=("encoding", "document", "empty_values", "required_attributes"),
        ),
        Tab(
            slug="answers",
            title="Response handling",
            fields=("reason_path", "reference_path", "wait_where", "wait_path", "wait_unit"),
            formsets=("response_rules", "expected_responses"),
        ),
        Tab(
            slug="settings",
            title="Settings",
            fields=(
                "test_environment", "expected_test_outcome", "sample_attributes",
                *limit_fields(), "on_unknown",
            ),
        ),
    )  # fmt: skip


def get_tab(field: str) -> str:
    """The slug of the tab on which a field or formset stands."""
    return next((tab.slug for tab in tabs() if field in _names(tab)), "general")


def _names(tab: Tab) -> Iterator[str]:
    yield from tab.fields
    yield from tab.formsets
