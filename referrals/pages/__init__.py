"""The pages that this app adds to the admin: dashboard and Real-time Referral page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from referrals.pages import backfill, link_and_unlink

View = Callable[..., Any]


def urls(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """Return the URLs of the pages; `admin_view` admits only users who may enter the admin."""
    base = "real-time-referral/"
    past = f"{base}<int:pk>/past/<int:campaign_pk>/"
    return [
        path(base, admin_view(link_and_unlink.real_time_referral), name="real_time_referral"),
        path(f"{base}<int:pk>/link/", admin_view(link_and_unlink.link_view), name="link_campaigns"),
        path(
            f"{base}<int:pk>/unlink/",
            admin_view(link_and_unlink.unlink_view),
            name="unlink_campaigns",
        ),
        path(
            f"{base}<int:pk>/pause/",
            admin_view(link_and_unlink.pause_view),
            name="pause_connection",
        ),
        path(
            f"{base}<int:pk>/release/",
            admin_view(link_and_unlink.release_view),
            name="release_connection",
        ),
        path(past, admin_view(backfill.deliver_past), name="deliver_past"),
    ]
