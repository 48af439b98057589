"""What the page of one connection shows around its form; must not know how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField

from connections.core.request.authorization import authorizations
from connections.core.request.bodies import body_encodings
from connections.forms.draft import build_draft
from connections.forms.tabs import tabs
from connections.mapping.draft import Draft, saved_draft
from connections.models import Connection
from connections.pages.preview import preview_context
from connections.preview import Preview

_MODULES = [
    f"connections/{name}.js"
    for name in ("tabs", "filter", "formsets", "rows", "choices", "insert", "preview")
]
"""The page's own JavaScript: small modules that know nothing of each other."""

FIELDSETS_TO_READ = [
    ("General", {"fields": ["account", "name", "documentation", "shown_state_and_reason"]}),
    ("Endpoint", {"fields": ["method"]}),
    ("Authorization", {"fields": ["shown_authorization"]}),
    ("Headers", {"fields": ["headers", "content_type", "idempotency_header"]}),
    ("Body", {"fields": ["encoding", "document", "empty_values", "required_attributes"]}),
    (
        "Response handling",
        {"fields": ["reason_path", "reference_path", "wait_where", "wait_path", "wait_unit"]},
    ),
    (
        "Settings",
        {
            "fields": [
                "test_environment", "expected_test_outcome", "sample_attributes", "limits",
                "on_unknown",
            ]
        },
    ),
]  # fmt: skip
"""The same groups for people who may only read: without the fields that take credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TabView:
    """One tab with what stands on it."""

    slug: str
    title: str
    template: str
    fieldset: Any
    inlines: list[Any]
    problems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationGroup:
    """The fields of one kind of authorization."""

    kind: str
    label: str
    help: str
    fields: list[BoundField]


def page_context(
    context: Mapping[str, Any], connection: Connection | None, *, can_change: bool
) -> dict[str, Any]:
    """The tabs, the preview and the parts that the form's own widgets do not bring."""
    form = context["adminform"].form
    shown = preview_context(_draft(context, connection))
    _prepare_rows(context, shown["preview"])
    return {
        **shown,
        "page_modules": _MODULES if can_change else ["connections/tabs.js"],
        "tabs": _tabs(context, dict(shown["problem_counts"])),
        "can_change": can_change,
        "show_save_and_add_another": False,
        **(_form_parts(form) if can_change else {}),
        **(_saved_parts(connection) if connection else {}),
    }


def _prepare_rows(context: Mapping[str, Any], preview: Preview) -> None:
    """Let each row know whether it is blank, and an expected response how the rules read it."""
    for inline in context["inline_admin_formsets"]:
        for number, row in enumerate(inline.formset.forms):
            row.is_blank = not row.instance.pk and not (row.is_bound and row.has_changed())
            if inline.formset.prefix == "expected_responses":
                row.reading = preview.readings.get(number)


def _draft(context: Mapping[str, Any], connection: Connection | None) -> Draft:
    form = context["adminform"].form
    if form.is_bound:
        return build_draft(form, [one.formset for one in context["inline_admin_formsets"]])
    return saved_draft(connection) if connection else Draft(connection=form.instance)


def _tabs(context: Mapping[str, Any], problems: Mapping[str, int]) -> list[TabView]:
    inlines = {one.formset.prefix: one for one in context["inline_admin_formsets"]}
    return [
        TabView(
            slug=tab.slug,
            title=tab.title,
            template=f"connections/tabs/{tab.slug}.html",
            fieldset=fieldset,
            inlines=[inlines[prefix] for prefix in tab.formsets if prefix in inlines],
            problems=problems.get(tab.slug, 0),
        )
        for tab, fieldset in zip(tabs(), context["adminform"], strict=True)
    ]


def _form_parts(form: Any) -> dict[str, Any]:  # noqa: ANN401 - the connection's form.
    return {
        "form": form,
        "authorization_groups": [
            AuthorizationGroup(
                kind=kind.kind,
                label=kind.label,
                help=kind.help,
                fields=[form[f"{kind.kind}__{setting.name}"] for setting in kind.settings()],
            )
            for kind in authorizations
        ],
        "encodings": list(body_encodings),
        "palette": form.catalogue,
        "palette_credentials": form.saved_credentials(),
    }


def _saved_parts(connection: Connection) -> dict[str, Any]:
    return {
        "is_tested": connection.is_tested,  # type: ignore[attr-defined] # The admin's queryset asks.
        "last_test": connection.tests.first(),
    }
