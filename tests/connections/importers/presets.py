"""The presets of the product, loaded with a credential for tests."""

from pathlib import Path

import connections
from connections.core.spec import ConnectionSpec
from connections.importers.files import load_connection

PRESETS = sorted(Path(connections.__file__).parent.glob("importers/presets/*.toml"))
SECRET = "a-credential-of-nobody"


def load_preset(path: Path) -> ConnectionSpec:
    return load_connection(path.read_text(encoding="utf-8"), lambda _: SECRET)


def get_preset(name: str) -> ConnectionSpec:
    return load_preset(next(path for path in PRESETS if path.stem == name))
