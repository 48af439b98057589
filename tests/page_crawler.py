"""All pages of the admin: URLs, the rows that they show, and violations of the CSP.

The pages are read from the site's URL patterns, so that new ones are included.
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

NAMES_WITHOUT_PAGE = {"jsi18n", "view_on_site", "logout", "app_list", None}
"""Names of URLs that are not crawled; the list of one app is a part of the index."""

_MODEL_PAGE = re.compile(r"([a-z]+_[a-z]+)_(changelist|add|change|delete|history)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: `model` is the registered model, `kind` what the page does with it."""

    name: str
    arguments: tuple[object, ...] = ()
    query: str = ""
    model: str = ""
    kind: str = ""
    has_row: bool = False
    is_post_only: bool = False

    @property
    def url(self) -> str:
        return reverse(f"admin:{self.name}", args=self.arguments) + self.query


def url_names() -> set[str | None]:
    """Return the names of all URLs of the admin."""
    return {pattern.name for pattern in _walk(admin.site.urls[0])}


def unnamed_views() -> list[Any]:
    """Return the views of the admin's URLs without a name."""
    return [pattern.callback for pattern in _walk(admin.site.urls[0]) if not pattern.name]


def all_pages(rows: AccountRows) -> list[Page]:
    """Return all pages, with these rows in their URLs."""
    pks = {
        "connections_account": rows.account.pk,
        "connections_campaign": rows.campaign.pk,
        "connections_connection": rows.connection.pk,
        "connections_connectiontest": rows.test.pk,
        "connections_link": rows.link.pk,
        "referrals_delivery": rows.delivery.pk,
        "referrals_intakekey": rows.key.pk,
        "referrals_referral": rows.referral.pk,
        "auth_group": _first_pk(Group),
        "auth_user": _first_pk(User),
    }
    pages = [*_pages_of_the_product(rows)]
    for name in sorted(filter(None, url_names())):
        match = _MODEL_PAGE.fullmatch(name)
        if match:
            model, kind = match[1], match[2]
            has_row = kind in ("change", "delete", "history")
            arguments = (pks[model],) if has_row else ()
            pages.append(
                Page(name=name, arguments=arguments, model=model, kind=kind, has_row=has_row)
            )
    return pages


def csp_violations(response: HttpResponse) -> list[str]:
    """Return a wrong content security policy, and inline code that the policy forbids."""
    violations = []
    policy = response.headers.get("Content-Security-Policy", "")
    if set(policy.split("; ")) != CSP:
        violations.append(f"policy: {policy}")
    is_page = "text/html" in response.headers.get("Content-Type", "")
    if is_page and response.content and response.status_code == 200:
        violations += _inline_code(response.content.decode())
    return violations


def _pages_of_the_product(rows: AccountRows) -> Iterator[Page]:
    connection, test = rows.connection.pk, rows.test.pk
    of_connection: dict[str, Any] = {"arguments": (connection,), "has_row": True}
    of_test: dict[str, Any] = {"arguments": (connection, test), "has_row": True}
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
        f"campaign={rows.campaign.pk}",
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
            name="referrals_deliveryattempt_raw", arguments=(rows.attempt.pk, part),
            model="referrals_deliveryattempt", kind="raw", has_row=True,
        )  # fmt: skip
    for name in ("link_campaigns", "unlink_campaigns", "pause_connection", "release_connection"):
        yield Page(name=name, is_post_only=True, **of_connection)
    yield Page(
        name="deliver_past", arguments=(connection, rows.campaign.pk), has_row=True,
        model="referrals_delivery", kind="changing",
    )  # fmt: skip
    yield Page(
        name="referrals_delivery_action", arguments=(rows.delivery.pk, "replay"),
        has_row=True, is_post_only=True,
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
        model="connections_connection", kind="changing", has_row=True,
    )  # fmt: skip
    yield Page(name="connections_connection_preview_new", is_post_only=True)
    for name in ("preview", "test"):
        yield Page(name=f"connections_connection_{name}", is_post_only=True, **of_connection)
    yield Page(
        name="connections_connection_send_now", arguments=(connection, "no-such-job"),
        is_post_only=True, has_row=True,
    )  # fmt: skip
    for name in ("make_rule", "keep"):
        yield Page(name=f"connections_connection_{name}", is_post_only=True, **of_test)
    yield Page(
        name="auth_user_password_change",
        arguments=(_first_pk(User),),
        model="auth_user",
        kind="change",
        has_row=True,
    )


def _first_pk(model: type[Group | User]) -> object:
    row = model._default_manager.order_by("pk").first()
    return row.pk if row else 0


def _walk(patterns: Any) -> Iterator[URLPattern]:
    """Yield all URL patterns, those of included ones too."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns)
        else:
            yield pattern


def _inline_code(content: str) -> Iterator[str]:
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
