"""Load the presets: complete connections for well-known CRMs, one TOML file each."""

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
    """A complete connection without credentials; `notes` say which values must be filled in."""

    slug: str
    spec: ConnectionSpec
    notes: str

    @property
    def vendor(self) -> str:
        """The CRM's name: the part of the preset's name before the colon."""
        return self.spec.name.partition(":")[0]

    @property
    def purpose(self) -> str:
        """The action at the CRM: the part of the preset's name after the colon."""
        return self.spec.name.partition(":")[2].strip().capitalize()


@cache
def presets() -> Mapping[str, Preset]:
    """Return all presets by slug, sorted by name."""
    loaded = [_load_preset(path) for path in _FOLDER.glob("*.toml")]
    return {preset.slug: preset for preset in sorted(loaded, key=lambda preset: preset.spec.name)}


def _load_preset(path: Path) -> Preset:
    text = path.read_text()
    # The lookup gives no values: a credential of the installation must not become the account's.
    spec = load_connection(text, lambda _: "")
    return Preset(slug=path.stem, spec=spec, notes=_parse_notes(text))


def _parse_notes(text: str) -> str:
    """Return the comment at the top of the file as paragraphs of text."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    paragraphs = re.split(r"\n{2,}", "\n".join(lines))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
