"""Pages of our own inside the admin: its index, and the Real-time Referral page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from referrals.pages import backfill, link_views

View = Callable[..., Any]


def urls(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """The addresses of the pages; `admin_view` keeps out who may not enter the admin."""
    base = "real-time-referral/"
    past = f"{base}<int:pk>/past/<int:campaign_pk>/"
    return [
        path(base, admin_view(link_views.real_time_referral), name="real_time_referral"),
        path(f"{base}<int:pk>/link/", admin_view(link_views.link), name="link_campaigns"),
        path(
            f"{base}<int:pk>/unlink/", admin_view(link_views.unlink_view), name="unlink_campaigns"
        ),
        path(f"{base}<int:pk>/pause/", admin_view(link_views.pause), name="pause_connection"),
        path(
            f"{base}<int:pk>/release/",
            admin_view(link_views.release_view),
            name="release_connection",
        ),
        path(past, admin_view(backfill.deliver_past), name="deliver_past"),
    ]
