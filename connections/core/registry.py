"""How an open family of kinds (authorizations, encodings, places, operators) lists its members.

A kind is one class that declares its settings as dataclass fields; forms, masking, choices and the
file format are made from that declaration. Must not know any particular kind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from connections.core.errors import DescriptionError, suggestion


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One declared setting of a kind, as a form or a file needs to see it."""

    name: str
    label: str
    help: str
    is_secret: bool
    is_required: bool
    choices: tuple[tuple[str, str], ...]
    default: str


def setting(  # noqa: PLR0913 - it is a declaration, and all but the label is named.
    label: str,
    *,
    help: str = "",  # noqa: A002 - the word that Django's forms use for the same thing.
    secret: bool = False,
    required: bool = False,
    choices: tuple[tuple[str, str], ...] = (),
    default: str = "",
) -> Any:  # noqa: ANN401 - like dataclasses.field, it stands where a value of any type stands.
    """Declare a setting of a kind: a dataclass field of type str with its label and help."""
    declared = {
        "label": label,
        "help": help,
        "is_secret": secret,
        "is_required": required,
        "choices": choices,
    }
    return dataclasses.field(default=default, repr=not secret, metadata=declared)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A member of a family; subclasses are frozen dataclasses whose fields are settings.

    They have no slots: a dataclass with slots is created twice, which breaks class registration.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """The declared settings, in order."""
        return tuple(
            Setting(name=field.name, default=str(field.default), **field.metadata)
            for field in dataclasses.fields(cls)
        )

    @classmethod
    def from_settings(cls, values: Mapping[str, str]) -> Self:
        """Make the kind from a table of a file or form; refuses unknown and missing settings."""
        declared = {setting.name: setting for setting in cls.settings()}
        for name in values:
            if name not in declared:
                raise DescriptionError(
                    name, f'"{cls.kind}" has no such setting.{suggestion(name, declared)}'
                )
        for name, setting in declared.items():
            _check_setting(setting, values.get(name, setting.default))
        return cls(**values)

    def to_settings(self) -> dict[str, str]:
        """The settings that differ from their defaults, for a file."""
        values = {setting.name: getattr(self, setting.name) for setting in self.settings()}
        defaults = {setting.name: setting.default for setting in self.settings()}
        return {name: value for name, value in values.items() if value != defaults[name]}

    def secrets(self) -> dict[str, str]:
        """The secret settings that have a value, by name."""
        values = {setting.name: getattr(self, setting.name) for setting in self.settings()}
        return {
            setting.name: values[setting.name]
            for setting in self.settings()
            if setting.is_secret and values[setting.name]
        }


def _check_setting(setting: Setting, value: str) -> None:
    if not isinstance(value, str):
        raise DescriptionError(setting.name, f"Must be text, not {type(value).__name__}.")
    if setting.is_required and not setting.is_secret and not value:
        raise DescriptionError(setting.name, f"{setting.label} is needed.")
    allowed = [choice for choice, _ in setting.choices]
    if allowed and value not in allowed:
        raise DescriptionError(setting.name, f"Must be one of {', '.join(allowed)}.")


KindT = TypeVar("KindT", bound=type)


class Registry(Generic[KindT]):
    """The members of one family by name, in the order in which they registered."""

    def __init__(self, field: str, noun: str) -> None:
        self._field = field
        self._noun = noun
        self._members: dict[str, KindT] = {}

    def register(self, name: str) -> Callable[[KindT], KindT]:
        """Class decorator: makes the class a member of the family under this name."""

        def add(member: KindT) -> KindT:
            if name in self._members:
                raise LookupError(f"The {self._noun} {name!r} is registered twice.")
            self._members[name] = member
            return member

        return add

    def __getitem__(self, name: str) -> KindT:
        try:
            return self._members[name]
        except KeyError:
            known = ", ".join(self._members)
            message = f'There is no {self._noun} "{name}".{suggestion(name, self._members)}'
            raise DescriptionError(self._field, f"{message} Known: {known}.") from None

    def __iter__(self) -> Iterator[KindT]:
        return iter(self._members.values())

    def items(self) -> Iterator[tuple[str, KindT]]:
        """Names and members."""
        return iter(self._members.items())

    def __contains__(self, name: str) -> bool:
        return name in self._members
