"""Pages of our own inside the admin: its index, and the Real-time Referral page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from referrals.pages import backfilling, linking

View = Callable[..., Any]


def urls(admin_view: Callable[[View], View]) -> list[URLPattern]:
    """The addresses of the pages; `admin_view` keeps out who may not enter the admin."""
    base = "real-time-referral/"
    past = f"{base}<int:pk>/past/<int:campaign_pk>/"
    return [
        path(base, admin_view(linking.real_time_referral), name="real_time_referral"),
        path(f"{base}<int:pk>/link/", admin_view(linking.link), name="link_campaigns"),
        path(f"{base}<int:pk>/unlink/", admin_view(linking.unlink_), name="unlink_campaigns"),
        path(f"{base}<int:pk>/pause/", admin_view(linking.pause), name="pause_connection"),
        path(f"{base}<int:pk>/release/", admin_view(linking.let_go), name="release_connection"),
        path(past, admin_view(backfilling.deliver_past), name="deliver_past"),
    ]
