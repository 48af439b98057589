"""The presets: ready connections for well-known CRMs, one file each, to start from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from connections.core.spec import ConnectionSpec
from connections.importers.files import load_connection

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One ready connection, without credentials; `notes` say what is to be put in."""

    slug: str
    spec: ConnectionSpec
    notes: str

    @property
    def vendor(self) -> str:
        """The CRM's name, which the preset's name begins with."""
        return self.spec.name.partition(":")[0]

    @property
    def purpose(self) -> str:
        """What the preset does there."""
        return self.spec.name.partition(":")[2].strip().capitalize()


@cache
def presets() -> Mapping[str, Preset]:
    """All presets by slug, in the order of their names."""
    found = [_read(path) for path in _FOLDER.glob("*.toml")]
    return {preset.slug: preset for preset in sorted(found, key=lambda one: one.spec.name)}


def _read(path: Path) -> Preset:
    text = path.read_text()
    # A reference to a variable of the server is no credential of this connection.
    return Preset(slug=path.stem, spec=load_connection(text, lambda _: ""), notes=_notes(text))


def _notes(text: str) -> str:
    """The comment at the top of the file, as running text in paragraphs."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    paragraphs = re.split(r"\n{2,}", "\n".join(lines))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
