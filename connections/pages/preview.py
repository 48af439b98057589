"""The preview while typing: what the form as it stands would send. Saves nothing, sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from connections.forms.draft import build_draft
from connections.forms.tabs import tabs
from connections.importers.curl import to_curl
from connections.mapping.draft import Draft
from connections.models import Connection
from connections.pages.base import connection_to_change
from connections.presentation.highlight import exact_request
from connections.preview import Preview, make_preview

if TYPE_CHECKING:
    from connections.pages.base import Admin


def preview(model_admin: Admin, request: HttpRequest, object_id: str = "") -> HttpResponse:
    """The parts of the page that depend on what is typed, each in a slot of its own."""
    connection = connection_to_change(model_admin, request, object_id) if object_id else None
    if connection is None and not model_admin.has_add_permission(request):
        raise PermissionDenied
    draft = posted_draft(model_admin, request, connection)
    response = render(request, "connections/preview/slots.html", preview_context(draft))
    add_never_cache_headers(response)
    return response


def posted_draft(model_admin: Admin, request: HttpRequest, connection: Connection | None) -> Draft:
    """What the posted form would save."""
    is_change = connection is not None
    form_class: Any = model_admin.get_form(request, connection, change=is_change)
    form = form_class(request.POST, instance=connection)
    form.is_valid()
    formsets, _ = model_admin._create_formsets(request, form.instance, change=is_change)  # type: ignore[attr-defined]
    for formset in formsets:
        formset.is_valid()
    return build_draft(form, formsets)


def preview_context(draft: Draft) -> dict[str, Any]:
    """What the templates of the preview ask for."""
    made = make_preview(draft)
    return {
        "preview": made,
        "exact": exact_request(made.request) if made.request else "",
        "curl": to_curl(made.request) if made.request else "",
        "missing": sum(not one.is_met for one in made.requirements),
        "problem_counts": _problem_counts(made),
    }


def _problem_counts(made: Preview) -> list[tuple[str, int]]:
    slugs = [problem.tab for problem in made.problems]
    return [(tab.slug, slugs.count(tab.slug)) for tab in tabs()]
