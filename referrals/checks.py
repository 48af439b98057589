"""System checks of the settings for delivery and keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004

_MAX_CONNECTION_TIMEOUT = 60.0


@register(Tags.compatibility)
def check_delivery_times(**_: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature.
    """Return an error if a worker could still be sending after its lease has ended."""
    times = (
        ("DELIVERY_TOTAL_TIMEOUT", settings.DELIVERY_TOTAL_TIMEOUT),
        (
            "DELIVERY_SLICE_SECONDS + DELIVERY_TOTAL_TIMEOUT",
            settings.DELIVERY_SLICE_SECONDS + settings.DELIVERY_TOTAL_TIMEOUT,
        ),
        ("DELIVERY_JOB_TIMEOUT", settings.DELIVERY_JOB_TIMEOUT),
        ("DELIVERY_LEASE_SECONDS", settings.DELIVERY_LEASE_SECONDS),
    )
    return [
        Error(
            f"{shorter} ({shorter_time:g} s) must be less than {longer} ({longer_time:g} s).",
            hint="Otherwise a referral could be sent twice at the same time.",
            id="referrals.E001",
        )
        for (shorter, shorter_time), (longer, longer_time) in pairwise(times)
        if shorter_time >= longer_time
    ]


@register(Tags.security, deploy=True)
def check_kept_keys(**_: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature.
    """Return a warning if several hosts might each have generated keys of their own."""
    is_shared = not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if is_shared and (settings.VAR_DIR / "encryption_key").exists():
        message = "Keys were generated under VAR_DIR, but the database may be shared."
        hint = "Set SECRET_KEY and ENCRYPTION_KEYS to the same values on every host."
        return [Warning(message, hint=hint, id="referrals.W001")]
    return []
