"""The doors to a new connection: from a preset, from a pasted command, or empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from connections.core.attributes import CATALOGUE
from connections.forms.new_connection import CommandForm, PresetForm, ReviewForm
from connections.importers.curl import CurlError, ParsedCommand, parse_curl
from connections.importers.presets import presets
from connections.models import Account, Connection
from connections.pages.base import render

if TYPE_CHECKING:
    from connections.pages.base import Admin


def kinds(model_admin: Admin, request: HttpRequest) -> HttpResponse:
    """What can be added; today it is referrals by API."""
    _check(model_admin, request)
    return render(model_admin, request, "connections/new/kinds.html", {"title": "Add connection"})


def doors(model_admin: Admin, request: HttpRequest) -> HttpResponse:
    """The three doors."""
    _check(model_admin, request)
    context = {
        "title": "Referrals: API",
        "presets": presets().values(),
        "command_form": CommandForm(None, accounts=_accounts(request)),
    }
    return render(model_admin, request, "connections/new/doors.html", context)


def from_preset(model_admin: Admin, request: HttpRequest, slug: str) -> HttpResponse:
    """A preset with what it leaves open; posting makes the connection."""
    _check(model_admin, request)
    preset = presets().get(slug)
    if preset is None:
        raise Http404
    form = PresetForm(request.POST or None, spec=preset.spec, accounts=_accounts(request))
    connection = form.save() if form.is_valid() else None
    if connection:
        return _made(model_admin, request, connection, f"preset {preset.slug}")
    context = {"title": preset.spec.name, "preset": preset, "form": form}
    return render(model_admin, request, "connections/new/preset.html", context)


def from_command(model_admin: Admin, request: HttpRequest) -> HttpResponse:
    """A pasted command as it was understood; posting the review makes the connection."""
    _check(model_admin, request)
    accounts = _accounts(request)
    form = CommandForm(request.POST or None, accounts=accounts)
    context: dict[str, Any] = {"title": "From a curl command", "form": form}
    if form.is_valid():
        account, command = form.cleaned_data["account"], form.cleaned_data["command"]
        catalogue = account.catalogue() if account else CATALOGUE
        try:
            reading = parse_curl(command, catalogue)
        except CurlError as error:
            form.add_error("command", str(error))
        else:
            review = ReviewForm(
                request.POST if "create" in request.POST else None,
                reading=reading, command=command, catalogue=catalogue,
                accounts=accounts,
            )  # fmt: skip
            connection = review.save() if review.is_valid() else None
            if connection:
                return _made(model_admin, request, connection, "curl command")
            context |= {"reading": reading, "review": review, "recognised": _recognised(reading)}
    return render(model_admin, request, "connections/new/curl.html", context)


def _recognised(reading: ParsedCommand) -> list[tuple[str, str]]:
    """What was understood beside the values, without any credential."""
    authorization = reading.credentials.authorization
    rows = [
        ("Method", reading.method),
        ("Endpoint", reading.url.with_templates(_url_templates(reading))),
        ("Authorization", authorization.label),
        *((f"Header {name}", value) for name, value in reading.headers.items()),
        ("Body", reading.encoding if reading.body else "none"),
        ("Content-Type", reading.content_type),
    ]
    return [(title, value) for title, value in rows if value]


def _url_templates(reading: ParsedCommand) -> dict[str, str]:
    chosen = {**reading.guessed(), **reading.hidden}
    return {
        label.removeprefix("url:"): template
        for label, template in chosen.items()
        if label.startswith("url:")
    }


def _made(
    model_admin: Admin, request: HttpRequest, connection: Connection, source: str
) -> HttpResponse:
    model_admin.log_addition(request, connection, f"Added from a {source}.")
    sentence = "The connection is made. See what is still missing, then test it."
    messages.success(request, sentence)
    return HttpResponseRedirect(connection.get_absolute_url())


def _check(model_admin: Admin, request: HttpRequest) -> None:
    if not model_admin.has_add_permission(request):
        raise PermissionDenied


def _accounts(request: HttpRequest) -> QuerySet[Account]:
    return Account.objects.visible_to(request.user)
