"""Where an installation without settings keeps its own keys and its socket; knows nothing else."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

_MAX_SOCKET_PATH_BYTES = 100
"""Bytes. The operating system allows 107 on Linux and 103 on macOS."""


def encryption_key() -> str:
    """A new key for credentials at rest."""
    return Fernet.generate_key().decode()


def signing_key() -> str:
    """A new key for sessions and their like, of the length that Django asks for."""
    return secrets.token_urlsafe(48)


def kept_key(path: Path, make: Callable[[], str] = encryption_key) -> str:
    """The key in this file, which only its owner can read; made on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        # Several processes may start at once: the first link wins, and all read the same key.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def socket_path(wanted: Path) -> Path:
    """The path for a Unix socket, elsewhere if the wanted one is too long for the system."""
    if len(str(wanted).encode()) <= _MAX_SOCKET_PATH_BYTES:
        return wanted
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"valkey-{name}.sock"
