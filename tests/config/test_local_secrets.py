"""An installation's own keys and socket: made once, whoever comes first, for its owner alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from config.local_secrets import kept_key, socket_path


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "var" / "key"

    key = kept_key(path)

    Fernet(key)
    assert path.read_text() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_key(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_a_person_has_put_there_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("my own\n")

    assert kept_key(path) == "my own"
    assert path.read_text() == "my own\n"


def test_all_who_come_at_once_read_the_same_key(tmp_path: Path) -> None:
    path, together = tmp_path / "key", Barrier(8)

    def read(number: int) -> str:
        together.wait(20)
        return kept_key(path)

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(read, range(8)))

    assert keys == {path.read_text()}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("length", [20, 99])
def test_a_socket_stands_where_it_is_wanted(length: int) -> None:
    wanted = Path("/" + "v" * length)

    assert socket_path(wanted) == wanted


def test_a_path_that_the_system_can_not_take_is_made_shorter() -> None:
    first, second = (Path("/" + letter * 100) for letter in ("a", "ü"))

    assert len(str(socket_path(first)).encode()) < 100
    assert socket_path(first) == socket_path(first)
    assert socket_path(first) != socket_path(second)
