"""Dump a connection as TOML text."""

from __future__ import annotations

import itertools
import re
from typing import Any

import tomlkit
from tomlkit.items import Item, String, StringType, Trivia

from connections.core.response.retry_after import RetryAfter
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits

_DEFAULTS = ConnectionSpec(name="")
_DEFAULT_LIMITS = Limits()


def dump_connection(spec: ConnectionSpec, credentials_prefix: str = "") -> str:
    """Return the connection as TOML; credentials become references that start with the prefix."""
    tables = _tables(spec, _constant_case(credentials_prefix or spec.name))
    document = tomlkit.document()
    for key, value in tables.items():
        document.add(key, _readable(value))
    return tomlkit.dumps(document)


def _tables(spec: ConnectionSpec, prefix: str) -> dict[str, Any]:
    """Return the file as plain tables, without empty tables and defaults."""
    authorization, credentials = _credential_tables(spec, prefix)
    tables = _filled(
        name=spec.name,
        documentation=spec.documentation,
        method=spec.method,
        empty_values=spec.empty_values.value,
        required=list(spec.required),
        reason=spec.response_handling.reason,
        reference=spec.response_handling.reference,
        content_type=spec.content_type,
    )
    if spec.on_unknown is not _DEFAULTS.on_unknown:
        tables["on_unknown"] = spec.on_unknown.value
    if spec.idempotency_header != _DEFAULTS.idempotency_header:
        # An empty name stays in the file: it says that no such header is sent.
        tables["idempotency_header"] = spec.idempotency_header
    return tables | _filled(
        endpoints={str(name): url for name, url in spec.endpoints.items()},
        authorization=authorization,
        credentials=credentials,
        headers=dict(spec.headers),
        sample={name: value for name, value in spec.sample.items() if value is not None},
        wait=_wait(spec.response_handling.wait),
        limits=_limits(spec.limits),
        body=_filled(encoding=spec.encoding, document=spec.document),
        rules=[_rule(rule) for rule in spec.response_handling.rules],
        expected_responses=[_expected(expected) for expected in spec.expected_responses],
    )


def _credential_tables(spec: ConnectionSpec, prefix: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the authorization and the named credentials; each secret has its own reference."""
    secrets = spec.authorization.secrets()
    taken: set[str] = set()
    references = {name: _reference(prefix, name, taken) for name in secrets}
    credentials = {
        name: _reference(prefix, name, taken) if value else ""
        for name, value in spec.credentials.items()
    }
    settings = spec.authorization.to_settings()
    return {"kind": spec.authorization.kind, **settings, **references}, credentials


def _rule(rule: Rule) -> dict[str, Any]:
    return _filled(
        status=rule.status,
        where=rule.where,
        path=rule.path,
        operator=rule.operator,
        value=rule.value[0] if len(rule.value) == 1 else list(rule.value),
        ignore_case=rule.ignore_case,
        outcome=rule.outcome.value,
    )


def _expected(expected: DocumentedResponse) -> dict[str, Any]:
    return _filled(
        name=expected.name,
        status=expected.status,
        headers=dict(expected.headers),
        body=expected.body,
        outcome=expected.outcome.value,
    )


def _wait(wait: RetryAfter | None) -> dict[str, str]:
    return {"where": wait.where, "path": wait.path, "unit": wait.unit.value} if wait else {}


def _limits(limits: Limits) -> dict[str, Any]:
    values = {name: getattr(limits, name) for name in Limits.__slots__}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value != getattr(_DEFAULT_LIMITS, name)
    }


def _filled(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - any TOML value.
    return {name: value for name, value in values.items() if value not in ("", [], {}, False)}


def _reference(prefix: str, name: str, taken: set[str]) -> str:
    """Return a unique reference, even where two names differ only in case or hyphens."""
    wanted = f"{prefix}_{_constant_case(name)}"
    numbered = (f"{wanted}_{number}" for number in itertools.count(2))
    free = next(found for found in itertools.chain([wanted], numbered) if found not in taken)
    taken.add(free)
    return f"env:{free}"


def _constant_case(text: str) -> str:
    words = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_") or "CONNECTION"
    return f"_{words}" if words[0].isdigit() else words


def _readable(value: Any) -> Item:  # noqa: ANN401 - any TOML value.
    """Return the value as a person would write it: documents in several lines, unescaped."""
    if isinstance(value, dict):
        table = tomlkit.table()
        for name, item in value.items():
            table.add(name, _inline(item) if isinstance(item, dict) else _readable(item))
        return table
    if isinstance(value, list) and value and isinstance(value[0], dict):
        rows = tomlkit.aot()
        for row in value:
            rows.append(_readable(row))
        return rows
    return _readable_text(value) if isinstance(value, str) else tomlkit.item(value)


def _inline(value: dict[str, Any]) -> Item:
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _readable_text(text: str) -> Item:
    """Return the text in the quotes that need the fewest escapes: literal ones need none."""
    lines = text.split("\n")
    if not all(line.replace("\t", "").isprintable() for line in lines):
        return tomlkit.string(text)
    if len(lines) == 1 and ("'" not in text or '"' not in text):
        return tomlkit.string(text, literal='"' in text)
    if "'''" in text or text.endswith("'"):
        return tomlkit.string(text)
    # TOML ignores a line break after the opening quotes, so the text may start below them.
    start = "\n" if len(lines) > 1 else ""
    return String(StringType.MLL, text, f"{start}{text}", Trivia())
