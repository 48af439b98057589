"""Register the kinds of a family: authorizations, body encodings, extractors, operators.

A kind is one class that declares its settings as dataclass fields. Forms, masking, choices and the
file format are built from that declaration.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from connections.core.errors import DescriptionError, did_you_mean


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One declared setting of a kind, for forms and files."""

    name: str
    label: str
    help: str
    is_secret: bool
    is_required: bool
    choices: tuple[tuple[str, str], ...]
    default: str


def setting(  # noqa: PLR0913 - a declaration; all but the label are keyword-only.
    label: str,
    *,
    help: str = "",  # noqa: A002 - Django's forms use the same word.
    secret: bool = False,
    required: bool = False,
    choices: tuple[tuple[str, str], ...] = (),
    default: str = "",
) -> Any:  # noqa: ANN401 - a default for a field of any type, as dataclasses.field.
    """Return a dataclass field of type str that declares a setting with its label and help."""
    metadata = {
        "label": label,
        "help": help,
        "is_secret": secret,
        "is_required": required,
        "choices": choices,
    }
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A member of a family; subclasses are frozen dataclasses whose fields are settings.

    They have no slots: a dataclass with slots is created twice, which breaks the registration.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """Return the declared settings, in order."""
        return tuple(
            Setting(name=field.name, default=str(field.default), **field.metadata)
            for field in dataclasses.fields(cls)
        )

    @classmethod
    def from_settings(cls, values: Mapping[str, str]) -> Self:
        """Return the kind with these settings from a file or form.

        Raises DescriptionError if a setting is unknown, missing or wrong.
        """
        declared = {setting.name: setting for setting in cls.settings()}
        for name in values:
            if name not in declared:
                raise DescriptionError(
                    name, f'"{cls.kind}" has no such setting.{did_you_mean(name, declared)}'
                )
        for name, setting in declared.items():
            _check_setting(setting, values.get(name, setting.default))
        return cls(**values)

    def to_settings(self) -> dict[str, str]:
        """Return the settings that differ from their defaults, for a file."""
        values = {setting.name: getattr(self, setting.name) for setting in self.settings()}
        defaults = {setting.name: setting.default for setting in self.settings()}
        return {name: value for name, value in values.items() if value != defaults[name]}

    def secrets(self) -> dict[str, str]:
        """Return the secret settings that have a value, by name."""
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
    """The members of one family by name, in the order of their registration."""

    def __init__(self, field: str, noun: str) -> None:
        self._field = field
        self._noun = noun
        self._members: dict[str, KindT] = {}

    def register(self, name: str) -> Callable[[KindT], KindT]:
        """Return a decorator that registers a class or function under this name.

        The decorator raises LookupError if the name is taken.
        """

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
            message = f'There is no {self._noun} "{name}".{did_you_mean(name, self._members)}'
            raise DescriptionError(self._field, f"{message} Known: {known}.") from None

    def __iter__(self) -> Iterator[KindT]:
        return iter(self._members.values())

    def items(self) -> Iterator[tuple[str, KindT]]:
        """Iterate over names and members."""
        return iter(self._members.items())

    def __contains__(self, name: str) -> bool:
        return name in self._members
