"""Pages that add a connection: from a preset, from a pasted curl command, or empty."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from connections.core.attributes import CATALOGUE
from connections.forms.new_connection import CommandForm, PresetForm, ReviewForm
from connections.importers.curl import CurlError, ParsedCommand, parse_curl
from connections.importers.presets import presets
from connections.models import Account, Connection
from connections.operations.history import Actor
from connections.pages.base import Admin, render


def choose_kind(model_admin: Admin, request: HttpRequest) -> HttpResponse:
    """Render the kinds of connection that can be added; today there is one, referrals by API."""
    _check_add_permission(model_admin, request)
    return render(model_admin, request, "connections/new/kinds.html", {"title": "Add connection"})


def choose_source(model_admin: Admin, request: HttpRequest) -> HttpResponse:
    """Render the three ways to begin: a preset, a curl command, an empty form."""
    _check_add_permission(model_admin, request)
    context = {
        "title": "Referrals: API",
        "presets": presets().values(),
        "command_form": CommandForm(None, accounts=_accounts(request)),
    }
    return render(model_admin, request, "connections/new/sources.html", context)


def from_preset(model_admin: Admin, request: HttpRequest, slug: str) -> HttpResponse:
    """Render the form of a preset; a valid post creates the connection."""
    _check_add_permission(model_admin, request)
    preset = presets().get(slug)
    if preset is None:
        raise Http404
    form = PresetForm(request.POST or None, spec=preset.spec, accounts=_accounts(request))
    by, source = Actor.of_request(request), f"a preset {preset.slug}"
    connection = form.save(by=by, source=source) if form.is_valid() else None
    if connection:
        return _redirect_to_new(request, connection)
    context = {"title": preset.spec.name, "preset": preset, "form": form}
    return render(model_admin, request, "connections/new/preset.html", context)


def from_command(model_admin: Admin, request: HttpRequest) -> HttpResponse:
    """Render what was recognised in a command; a valid review creates the connection."""
    _check_add_permission(model_admin, request)
    accounts = _accounts(request)
    form = CommandForm(request.POST or None, accounts=accounts)
    context: dict[str, Any] = {"title": "From a curl command", "form": form}
    if form.is_valid():
        account, command = form.cleaned_data["account"], form.cleaned_data["command"]
        catalogue = account.catalogue() if account else CATALOGUE
        try:
            parsed = parse_curl(command, catalogue)
        except CurlError as error:
            form.add_error("command", str(error))
        else:
            review = ReviewForm(
                request.POST if "create" in request.POST else None,
                parsed=parsed, command=command, catalogue=catalogue,
                accounts=accounts,
            )  # fmt: skip
            by, source = Actor.of_request(request), "a curl command"
            connection = review.save(by=by, source=source) if review.is_valid() else None
            if connection:
                return _redirect_to_new(request, connection)
            context |= {"parsed": parsed, "review": review, "recognised": _recognised(parsed)}
    return render(model_admin, request, "connections/new/curl.html", context)


def _recognised(parsed: ParsedCommand) -> list[tuple[str, str]]:
    """Return the recognised parts with their titles, without values and credentials."""
    authorization = parsed.credentials.authorization
    rows = [
        ("Method", parsed.method),
        ("Endpoint", parsed.url.with_templates(_url_templates(parsed))),
        ("Authorization", authorization.label),
        *((f"Header {name}", value) for name, value in parsed.headers.items()),
        ("Body", parsed.encoding if parsed.body else "none"),
        ("Content-Type", parsed.content_type),
    ]
    return [(title, value) for title, value in rows if value]


def _url_templates(parsed: ParsedCommand) -> dict[str, str]:
    chosen = {**parsed.preselected(), **parsed.hidden}
    return {
        label.removeprefix("url:"): template
        for label, template in chosen.items()
        if label.startswith("url:")
    }


def _redirect_to_new(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Add a success message, and redirect to the new connection's page."""
    text = "The connection is made. See what is still missing, then test it."
    messages.success(request, text)
    return HttpResponseRedirect(connection.get_absolute_url())


def _check_add_permission(model_admin: Admin, request: HttpRequest) -> None:
    if not model_admin.has_add_permission(request):
        raise PermissionDenied


def _accounts(request: HttpRequest) -> QuerySet[Account]:
    return Account.objects.visible_to(request.user)
