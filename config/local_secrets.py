"""Keys that an installation without settings generates, and the path of its socket."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

_MAX_SOCKET_PATH_BYTES = 100
"""The operating system allows 107 on Linux and 103 on macOS."""


def generate_encryption_key() -> str:
    """Generate a key for credentials at rest."""
    return Fernet.generate_key().decode()


def generate_signing_key() -> str:
    """Generate a SECRET_KEY of the length that Django asks for."""
    return secrets.token_urlsafe(48)


def read_or_create(path: Path, make: Callable[[], str] = generate_encryption_key) -> str:
    """Read the secret in this file; create it, readable by its owner only, on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        # Several processes may start at once: the first link wins, and all read the same secret.
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def socket_path(wanted: Path) -> Path:
    """Return the path for a Unix socket: in the temporary folder if `wanted` is too long."""
    if len(str(wanted).encode()) <= _MAX_SOCKET_PATH_BYTES:
        return wanted
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"valkey-{name}.sock"
