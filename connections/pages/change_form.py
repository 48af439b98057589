"""Template context of the page on which one connection is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField

from connections.core.request.authorization import authorizations
from connections.core.request.bodies import body_encodings
from connections.forms.tabs import tabs
from connections.mapping.draft import Draft, build_draft, saved_draft
from connections.models import Connection
from connections.pages.preview import preview_context
from connections.preview import Preview

_MODULES = [
    f"connections/{name}.js"
    for name in ("tabs", "filter", "formsets", "key_value", "choices", "insert", "preview")
]
"""The page's own JavaScript modules, which do not depend on each other."""

READONLY_FIELDSETS = [
    ("General", {"fields": ["account", "name", "documentation", "state_summary"]}),
    ("Endpoint", {"fields": ["method"]}),
    ("Authorization", {"fields": ["authorization_summary"]}),
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
"""The groups of fields for people who may only read: without the inputs for credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TabView:
    """One tab with its fieldset, its formsets and the number of problems on it."""

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
    """Return the context of the tabs, the preview, the checklist and the attribute palette."""
    form = context["adminform"].form
    preview = preview_context(_build_draft(context, connection))
    _annotate_rows(context, preview["preview"])
    return {
        **preview,
        "page_modules": _MODULES if can_change else ["connections/tabs.js"],
        "tabs": _build_tabs(context, dict(preview["problem_counts"])),
        "can_change": can_change,
        "show_save_and_add_another": False,
        **(_form_context(form) if can_change else {}),
        **(_saved_context(connection) if connection else {}),
    }


def _annotate_rows(context: Mapping[str, Any], preview: Preview) -> None:
    """Set `is_blank` on each row, and on an expected response how the rules classify it."""
    for inline in context["inline_admin_formsets"]:
        for number, row in enumerate(inline.formset.forms):
            row.is_blank = not row.instance.pk and not (row.is_bound and row.has_changed())
            if inline.formset.prefix == "expected_responses":
                row.response_check = preview.response_checks.get(number)


def _build_draft(context: Mapping[str, Any], connection: Connection | None) -> Draft:
    form = context["adminform"].form
    if form.is_bound:
        return build_draft(form, [inline.formset for inline in context["inline_admin_formsets"]])
    return saved_draft(connection) if connection else Draft(connection=form.instance)


def _build_tabs(context: Mapping[str, Any], problems: Mapping[str, int]) -> list[TabView]:
    inlines = {inline.formset.prefix: inline for inline in context["inline_admin_formsets"]}
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


def _form_context(form: Any) -> dict[str, Any]:  # noqa: ANN401 - the connection's form.
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


def _saved_context(connection: Connection) -> dict[str, Any]:
    return {
        "is_tested": connection.is_tested,  # Annotated by the admin's queryset.
        "last_test": connection.tests.first(),
    }
