"""Helpers of the tests of the pages."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages

PAGE = "/admin/real-time-referral/"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def messages(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]
