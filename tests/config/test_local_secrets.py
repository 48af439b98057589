"""Tests of the keys and the socket path that an installation creates for itself."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from config.local_secrets import read_or_create, socket_path
from tests.timing import WAIT_SECONDS


def test_a_key_is_created_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "key"

    key = read_or_create(path)

    Fernet(key)
    assert path.read_text() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_an_existing_key_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("my own\n")

    assert read_or_create(path) == "my own"
    assert path.read_text() == "my own\n"


def test_concurrent_readers_get_the_same_new_key(tmp_path: Path) -> None:
    path, barrier = tmp_path / "key", Barrier(8)

    def read(number: int) -> str:
        barrier.wait(WAIT_SECONDS)
        return read_or_create(path)

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(read, range(8)))

    assert keys == {path.read_text()}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("length", [20, 99])
def test_a_short_socket_path_is_unchanged(length: int) -> None:
    path = Path("/" + "v" * length)

    assert socket_path(path) == path


def test_a_socket_path_that_is_too_long_is_replaced_by_a_short_one() -> None:
    first, second = (Path("/" + letter * 100) for letter in ("a", "ü"))

    assert len(str(socket_path(first)).encode()) < 100
    assert socket_path(first) == socket_path(first)
    assert socket_path(first) != socket_path(second)
