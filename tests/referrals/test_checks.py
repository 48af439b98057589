"""Tests of the system checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from referrals.checks import check_delivery_times, check_kept_keys

TIMES = {
    "DELIVERY_TOTAL_TIMEOUT": 30.0,
    "DELIVERY_SLICE_SECONDS": 5.0,
    "DELIVERY_JOB_TIMEOUT": 60,
    "DELIVERY_LEASE_SECONDS": 90.0,
}


@pytest.fixture
def times(settings: Any) -> Any:
    for name, value in TIMES.items():
        setattr(settings, name, value)
    return settings


def test_the_times_of_the_product_fit_together(times: Any) -> None:
    assert check_delivery_times() == []


SUM = "DELIVERY_SLICE_SECONDS + DELIVERY_TOTAL_TIMEOUT"

TOO_LONG = (
    (
        "DELIVERY_SLICE_SECONDS",
        0,
        "DELIVERY_TOTAL_TIMEOUT (30 s) must be less than {sum} (30 s).",
    ),
    (
        "DELIVERY_SLICE_SECONDS",
        30.5,
        "{sum} (60.5 s) must be less than DELIVERY_JOB_TIMEOUT (60 s).",
    ),
    (
        "DELIVERY_LEASE_SECONDS",
        60,
        "DELIVERY_JOB_TIMEOUT (60 s) must be less than DELIVERY_LEASE_SECONDS (60 s).",
    ),
)


@pytest.mark.parametrize(("name", "value", "found"), TOO_LONG)
def test_a_time_that_does_not_fit_is_refused(
    times: Any, name: str, value: float, found: str
) -> None:
    setattr(times, name, value)

    [error] = check_delivery_times()

    assert (error.id, error.msg) == ("referrals.E001", found.format(sum=SUM))
    assert error.hint == "Otherwise a referral could be sent twice at the same time."


def test_the_check_command_fails_with_times_that_do_not_fit(times: Any) -> None:
    times.DELIVERY_LEASE_SECONDS = 10

    with pytest.raises(SystemCheckError, match=r"referrals\.E001"):
        call_command("check")


@pytest.fixture
def host(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Use a folder of its own for the files of the host."""
    settings.VAR_DIR = tmp_path
    engine = settings.DATABASES["default"]["ENGINE"]
    yield settings
    settings.DATABASES["default"]["ENGINE"] = engine


def test_local_keys_beside_a_shared_database_are_a_warning(host: Any) -> None:
    host.DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
    assert check_kept_keys() == []
    (host.VAR_DIR / "encryption_key").touch()

    [warning] = check_kept_keys()

    assert warning.id == "referrals.W001"
    assert warning.hint == "Set SECRET_KEY and ENCRYPTION_KEYS to the same values on every host."


def test_local_keys_beside_a_local_database_are_no_warning(host: Any) -> None:
    host.DATABASES["default"]["ENGINE"] = "django.db.backends.sqlite3"
    (host.VAR_DIR / "encryption_key").touch()

    assert check_kept_keys() == []
