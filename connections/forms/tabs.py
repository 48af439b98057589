"""The tabs of a connection's page: the fields and formsets on each."""

from __future__ import annotations

from dataclasses import dataclass

from connections.forms.authorization import authorization_field_names
from connections.forms.limits import make_limit_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab: its fields, the prefixes of its formsets, and columns made of several fields."""

    slug: str
    title: str
    fields: tuple[str, ...] = ()
    formsets: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


_GENERAL = Tab(
    slug="general",
    title="General",
    fields=("account", "name", "documentation"),
    formsets=("technical_contacts",),
)
_ENDPOINT = Tab(slug="endpoint", title="Endpoint", fields=("method",), formsets=("endpoints",))
_HEADERS = Tab(
    slug="headers",
    title="Headers",
    fields=("headers", "content_type", "idempotency_header"),
)
_BODY = Tab(
    slug="body",
    title="Body",
    fields=("encoding", "document", "empty_values", "required_attributes"),
)
_RESPONSES = Tab(
    slug="responses",
    title="Response handling",
    fields=("reason_path", "reference_path", "wait_where", "wait_path", "wait_unit"),
    formsets=("response_rules", "expected_responses"),
)


def tabs() -> tuple[Tab, ...]:
    """Return the tabs in their order; a kind of authorization may have registered since."""
    return (
        _GENERAL, _ENDPOINT, _make_authorization_tab(), _HEADERS, _BODY, _RESPONSES,
        _make_settings_tab(),
    )  # fmt: skip


def get_tab(name: str) -> str:
    """Return the slug of the tab with this field, formset or column; else that of the first."""
    found = (tab.slug for tab in tabs() if name in (*tab.fields, *tab.formsets, *tab.columns))
    return next(found, _GENERAL.slug)


def _make_authorization_tab() -> Tab:
    return Tab(
        slug="authorization",
        title="Authorization",
        fields=("authorization_kind", *authorization_field_names(), "credentials"),
    )


def _make_settings_tab() -> Tab:
    return Tab(
        slug="settings",
        title="Settings",
        fields=(
            "test_environment", "expected_test_outcome", "sample_attributes",
            *make_limit_fields(), "on_unknown",
        ),
        columns=("limits",),
    )  # fmt: skip
