"""The preview of an unsaved form: the request that it would send. Nothing is sent or saved."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from connections.forms.tabs import get_tab, tabs
from connections.mapping.draft import Draft, build_draft
from connections.models import Connection
from connections.pages.base import Admin, connection_to_change
from connections.presentation.exchange import RequestView
from connections.preview import make_preview


def preview(model_admin: Admin, request: HttpRequest, object_id: str = "") -> HttpResponse:
    """Render the HTML fragments of the page that depend on the form's values."""
    connection = connection_to_change(model_admin, request, object_id) if object_id else None
    if connection is None and not model_admin.has_add_permission(request):
        raise PermissionDenied
    draft = posted_draft(model_admin, request, connection)
    response = render(request, "connections/preview/fragments.html", preview_context(draft))
    add_never_cache_headers(response)
    return response


def posted_draft(model_admin: Admin, request: HttpRequest, connection: Connection | None) -> Draft:
    """Return the draft of the posted form, saving nothing."""
    is_change = connection is not None
    form_class: Any = model_admin.get_form(request, connection, change=is_change)
    form = form_class(request.POST, instance=connection)
    form.is_valid()
    formsets, _ = model_admin._create_formsets(request, form.instance, change=is_change)  # type: ignore[attr-defined]
    for formset in formsets:
        formset.is_valid()
    return build_draft(form, formsets)


def preview_context(draft: Draft) -> dict[str, Any]:
    """Return the context of the preview's templates; each problem and requirement has its tab."""
    preview = make_preview(draft)
    problems = [(problem, get_tab(problem.field)) for problem in preview.problems]
    slugs = [slug for _, slug in problems]
    return {
        "preview": preview,
        "problems": problems,
        "request_view": RequestView.from_request(preview.request) if preview.request else None,
        "requirements": [(line, get_tab(line.field)) for line in preview.requirements],
        "missing": sum(not line.is_met for line in preview.requirements),
        "problem_counts": [(tab.slug, slugs.count(tab.slug)) for tab in tabs()],
    }
