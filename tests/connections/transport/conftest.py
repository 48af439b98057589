"""Fixtures for tests of the token cache."""

from __future__ import annotations

import pytest

from tests.misbehaving_servers.tokens import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
