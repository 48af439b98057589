"""The admin site: its titles, and the order of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse

from connections.permissions import PERM_VIEW_LINK

_ORDER = {
    "referrals": ("Delivery", "Referral", "IntakeKey"),
    "connections": ("Connection", "ConnectionTest", "Campaign", "Link", "Account"),
}
"""The order of the navigation; models that are not named here come last."""

_APPS = ("connections", "referrals", "auth")

_NAMES = {"Delivery": "Delivery log", "Link": "Link history"}


class ReferralsAdminSite(AdminSite):
    """The product's face."""

    site_title = "Referrals"
    site_header = "Referrals"
    index_title = "Real-time referral delivery"
    empty_value_display = "–"
    site_url = None  # There is no site beside the admin to view.
    index_template = "referrals/dashboard.html"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the dashboard."""
        from referrals.pages.dashboard import dashboard_context  # noqa: PLC0415 - models are not ready earlier.

        return super().index(request, {**dashboard_context(request), **(extra_context or {})})

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Return the URLs of our own pages, then those of the admin."""
        from referrals import pages  # noqa: PLC0415 - models are not ready earlier.

        return [*pages.urls(self.admin_view), *super().get_urls()]

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the navigation in our order, with the Real-time Referral page."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        for app in apps:
            names = _ORDER.get(app["app_label"], ())
            app["models"].sort(key=lambda model: _position(names, model["object_name"]))
            for model in app["models"]:
                model["name"] = _NAMES.get(model["object_name"], model["name"])
            if app["app_label"] == "connections" and request.user.has_perm(PERM_VIEW_LINK):
                app["models"].insert(1, _real_time_referral())
        return sorted(apps, key=lambda app: _position(_APPS, app["app_label"]))


def _position(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _real_time_referral() -> Mapping[str, Any]:
    """Return the page's entry in the navigation, in the shape of a model's."""
    return {
        "name": "Real-time Referral",
        "object_name": "RealTimeReferral",
        "admin_url": reverse("admin:real_time_referral"),
        "add_url": None,
        "view_only": True,
        "perms": {},
    }
