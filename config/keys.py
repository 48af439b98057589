"""Where an installation without settings keeps its own keys and its socket; knows nothing else."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

_LONGEST_SOCKET_PATH = 100
"""Bytes. The operating system allows 107 on Linux and 103 on macOS."""


def kept_key(path: Path) -> str:
    """The key in this file, which only its owner can read; made on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{id(path)}")
        draft.touch(mode=0o600)
        draft.write_text(Fernet.generate_key().decode())
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
    if len(str(wanted).encode()) <= _LONGEST_SOCKET_PATH:
        return wanted
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"valkey-{name}.sock"
