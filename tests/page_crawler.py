"""Every page of the admin: its URL, the row that it shows, and the violations in its HTML.

The pages come from the site's own resolver, so that a new one is never forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, reverse
from lxml import html

from tests.factories import AccountRows

CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}

WITHOUT_PAGE = {"jsi18n", "view_on_site", "logout", "app_list", None}
"""Names of URLs without a page; the list of one app is a part of the index."""

_MODEL_PAGE = re.compile(r"([a-z]+_[a-z]+)_(changelist|add|change|delete|history)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One URL: `model` names the registered model, `kind` what the page does with it."""

    name: str
    arguments: tuple[object, ...] = ()
    query: str = ""
    model: str = ""
    kind: str = ""
    is_of_a_row: bool = False
    only_posts: bool = False

    @property
    def url(self) -> str:
        return reverse(f"admin:{self.name}", args=self.arguments) + self.query


def names() -> set[str | None]:
    """Return the names of all URLs of the admin."""
    return {pattern.name for pattern in _walk(admin.site.urls[0])}


def nameless() -> list[Any]:
    """Return the views of the admin's URLs that have no name."""
    return [pattern.callback for pattern in _walk(admin.site.urls[0]) if not pattern.name]


def pages(world: AccountRows) -> list[Page]:
    """Return every page, with the rows of this world."""
    rows = {
        "connections_account": world.account.pk,
        "connections_campaign": world.campaign.pk,
        "connections_connection": world.connection.pk,
        "connections_connectiontest": world.test.pk,
        "connections_link": world.link.pk,
        "referrals_delivery": world.delivery.pk,
        "referrals_intakekey": world.key.pk,
        "referrals_referral": world.referral.pk,
        "auth_group": _some(Group),
        "auth_user": _some(User),
    }
    found = [*_own_pages(world)]
    for name in sorted(filter(None, names())):
        match = _MODEL_PAGE.fullmatch(name)
        if match:
            model, kind = match[1], match[2]
            is_of_a_row = kind in ("change", "delete", "history")
            arguments = (rows[model],) if is_of_a_row else ()
            found.append(
                Page(
                    name=name, arguments=arguments, model=model, kind=kind, is_of_a_row=is_of_a_row
                )
            )
    return found


def problems(response: HttpResponse) -> list[str]:
    """Return what in a page the content security policy forbids, inline code among it."""
    found = []
    policy = response.headers.get("Content-Security-Policy", "")
    if set(policy.split("; ")) != CSP:
        found.append(f"policy: {policy}")
    is_page = "text/html" in response.headers.get("Content-Type", "")
    if is_page and response.content and response.status_code == 200:
        found += _inline(response.content.decode())
    return found


def _own_pages(world: AccountRows) -> Iterator[Page]:
    connection, test = world.connection.pk, world.test.pk
    of_connection: dict[str, Any] = {"arguments": (connection,), "is_of_a_row": True}
    of_test: dict[str, Any] = {"arguments": (connection, test), "is_of_a_row": True}
    yield Page(name="index")
    yield Page(name="index", query="?window=month")
    yield Page(name="password_change")
    yield Page(name="password_change_done")
    yield Page(name="login")
    yield Page(name="real_time_referral")
    yield Page(name="real_time_referral", query=f"?connection={connection}&unlinked=1")
    for filters in (
        "status=unrecognised",
        "q=FOREIGN",
        "q=OWN",
        "code=302",
        f"campaign={world.campaign.pk}",
    ):
        yield Page(
            name="referrals_delivery_changelist",
            query=f"?{filters}",
            model="referrals_delivery",
            kind="changelist",
        )
    yield Page(
        name="autocomplete",
        query="?app_label=connections&model_name=campaign&field_name=account&term=a",
    )
    for part in ("request", "response"):
        yield Page(
            name="referrals_deliveryattempt_raw", arguments=(world.attempt.pk, part),
            model="referrals_deliveryattempt", kind="raw", is_of_a_row=True,
        )  # fmt: skip
    for name in ("link_campaigns", "unlink_campaigns", "pause_connection", "release_connection"):
        yield Page(name=name, only_posts=True, **of_connection)
    yield Page(
        name="deliver_past", arguments=(connection, world.campaign.pk), is_of_a_row=True,
        model="referrals_delivery", kind="changing",
    )  # fmt: skip
    yield Page(
        name="referrals_delivery_action", arguments=(world.delivery.pk, "replay"),
        is_of_a_row=True, only_posts=True,
    )  # fmt: skip
    yield Page(
        name="connections_connection_add",
        query="?empty",
        model="connections_connection",
        kind="add",
    )
    for name in ("sources", "curl"):
        yield Page(
            name=f"connections_connection_{name}", model="connections_connection", kind="add"
        )
    yield Page(
        name="connections_connection_preset", arguments=("mailchimp_add_member",),
        model="connections_connection", kind="add",
    )  # fmt: skip
    yield Page(name="connections_connection_result", kind="view", **of_test)
    yield Page(
        name="connections_connection_wait", arguments=(connection, "no-such-job"),
        model="connections_connection", kind="changing", is_of_a_row=True,
    )  # fmt: skip
    yield Page(name="connections_connection_preview_new", only_posts=True)
    for name in ("preview", "test"):
        yield Page(name=f"connections_connection_{name}", only_posts=True, **of_connection)
    yield Page(
        name="connections_connection_send_now", arguments=(connection, "no-such-job"),
        only_posts=True, is_of_a_row=True,
    )  # fmt: skip
    for name in ("make_rule", "keep"):
        yield Page(name=f"connections_connection_{name}", only_posts=True, **of_test)
    yield Page(
        name="auth_user_password_change",
        arguments=(_some(User),),
        model="auth_user",
        kind="change",
        is_of_a_row=True,
    )


def _some(model: type[Group | User]) -> object:
    row = model._default_manager.order_by("pk").first()
    return row.pk if row else 0


def _walk(patterns: Any) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns)
        else:
            yield pattern


def _inline(content: str) -> Iterator[str]:
    """Yield inline scripts, styles and event handlers."""
    elements: Any = html.fromstring(content).iter()
    for element in elements:
        if not isinstance(element.tag, str):
            continue
        code = (element.text or "").strip()
        is_data = element.get("type") in ("application/json", "importmap")
        if element.tag == "style" or (element.tag == "script" and code and not is_data):
            yield f"<{element.tag}>: {code[:80]}"
        for name, value in element.attrib.items():
            if name == "style" or name.startswith("on"):
                yield f'{element.tag} {name}="{value[:80]}"'
            if name in ("href", "src", "action") and value.strip().lower().startswith(
                "javascript:"
            ):
                yield f'{element.tag} {name}="{value[:80]}"'
