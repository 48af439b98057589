"""Forms that create a connection from a preset or from a pasted curl command.

They save with `save_connection`, as a connection from a file is saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from connections.core.attributes import Attribute
from connections.core.errors import DescriptionError
from connections.core.request.authorization import Authorization
from connections.core.request.builder import check_endpoint
from connections.core.request.spec import Environment
from connections.core.spec import ConnectionSpec
from connections.forms.authorization import make_setting_field
from connections.forms.fields.document import DocumentField
from connections.importers.curl import ParsedCommand
from connections.importers.curl.attribute_matching import placeholder
from connections.importers.curl.parser import Candidate
from connections.models import Account, Connection
from connections.models.choices import ENVIRONMENT_CHOICES
from connections.operations.history import Actor
from connections.operations.save import save_connection

_SETTING, _CREDENTIAL, _ENDPOINT, _CANDIDATE = "setting_", "credential_", "endpoint_", "candidate_"


class _NewConnectionForm(forms.Form):
    """The fields of every new connection: an account, a name, and the missing credentials."""

    account = forms.ModelChoiceField(queryset=Account.objects.none())
    name = forms.CharField(max_length=200, help_text="Give your connection a name.")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        accounts: QuerySet[Account],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        set_accounts(self, accounts)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        account, name = cleaned.get("account"), cleaned.get("name")
        if account and name and Connection.objects.filter(account=account, name=name).exists():
            self.add_error("name", f"{account} has a connection of this name already.")
        return cleaned

    def save_spec(self, spec: ConnectionSpec, *, by: Actor, source: str) -> Connection | None:
        """Store the connection and return it; if the spec is wrong, add errors and return None."""
        try:
            return save_connection(spec, account=self.cleaned_data["account"], by=by, source=source)
        except DescriptionError as error:
            self.add_error(None, str(error))
        except ValidationError as error:
            self.add_error(None, error.messages)
        return None

    def complete_authorization(self, authorization: Authorization) -> Authorization:
        """Return the authorization with the entered settings; raise DescriptionError."""
        own = {
            setting.name: getattr(authorization, setting.name)
            for setting in authorization.settings()
        }
        entered = {name: value for name, value in self.entered(_SETTING).items() if value}
        return type(authorization).from_settings({**own, **entered})

    def entered(self, prefix: str) -> dict[str, str]:
        """Return the values of the fields with this prefix, by the rest of their names."""
        return {
            name.removeprefix(prefix): value
            for name, value in self.cleaned_data.items()
            if name.startswith(prefix)
        }

    def group(self, prefix: str) -> list[forms.BoundField]:
        """Return the fields with this prefix, for the template."""
        return [self[name] for name in self.fields if name.startswith(prefix)]

    def setting_group(self) -> list[forms.BoundField]:
        """Return the fields of the authorization's settings and of the named credentials."""
        return [*self.group(_SETTING), *self.group(_CREDENTIAL)]


class PresetForm(_NewConnectionForm):
    """The endpoints and credentials that a preset has no values for."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        spec: ConnectionSpec,
        accounts: QuerySet[Account],
    ) -> None:
        super().__init__(data, accounts=accounts, initial={"name": spec.name})
        self._spec = spec
        for environment in Environment:
            self.fields[f"{_ENDPOINT}{environment}"] = forms.CharField(
                label=environment.value.capitalize(),
                required=environment is Environment.PRODUCTION,
                initial=spec.endpoints.get(environment, ""),
                max_length=2000,
                widget=forms.TextInput(attrs={"spellcheck": "false", "placeholder": "https://"}),
            )
        for setting in spec.authorization.settings():
            field = make_setting_field(setting)
            field.initial = "" if setting.is_secret else getattr(spec.authorization, setting.name)
            self.fields[f"{_SETTING}{setting.name}"] = field
        add_credential_fields(self, spec.credentials)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for environment in Environment:
            url = cleaned.get(f"{_ENDPOINT}{environment}")
            try:
                check_endpoint(url or "https://any")
            except DescriptionError as error:
                self.add_error(f"{_ENDPOINT}{environment}", error.message)
        return cleaned

    def endpoint_group(self) -> list[forms.BoundField]:
        """Return the fields of the endpoints."""
        return self.group(_ENDPOINT)

    def save(self, *, by: Actor, source: str) -> Connection | None:
        """Store the connection and return it; if a value is wrong, add errors and return None."""
        try:
            authorization = self.complete_authorization(self._spec.authorization)
        except DescriptionError as error:
            self.add_error(f"{_SETTING}{error.field}", error.message)
            return None
        endpoints = {name: url for name, url in self.entered(_ENDPOINT).items() if url}
        spec = replace(
            self._spec,
            name=self.cleaned_data["name"],
            endpoints=endpoints,
            authorization=authorization,
            credentials=self.entered(_CREDENTIAL),
        )
        return self.save_spec(spec, by=by, source=source)


class CommandForm(forms.Form):
    """A pasted command, and the account of the connection that it becomes."""

    account = forms.ModelChoiceField(queryset=Account.objects.none())
    command = DocumentField(
        label="Command",
        widget=forms.Textarea(
            attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, accounts: QuerySet[Account]) -> None:
        super().__init__(data)
        set_accounts(self, accounts)


class ReviewForm(_NewConnectionForm):
    """A parsed command: for each of its values, the placeholder that replaces it."""

    environment = forms.ChoiceField(choices=ENVIRONMENT_CHOICES)
    reviewed = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        parsed: ParsedCommand,
        command: str,
        catalogue: Mapping[str, Attribute],
        accounts: QuerySet[Account],
    ) -> None:
        super().__init__(data, accounts=accounts)
        self._parsed, self._catalogue = parsed, catalogue
        self._digest = hashlib.sha256(command.encode()).hexdigest()
        self.initial = {
            "name": parsed.host,
            "environment": parsed.environment.value,
            "reviewed": self._digest,
        }
        for number, candidate in enumerate(parsed.candidates):
            self.fields[f"{_CANDIDATE}{number}"] = _make_candidate_field(candidate, catalogue)
        authorization = parsed.credentials.authorization
        for setting in authorization.settings():
            if setting.is_secret and not getattr(authorization, setting.name):
                self.fields[f"{_SETTING}{setting.name}"] = make_setting_field(setting)
        missing = {name for name, value in parsed.credentials.named.items() if not value}
        add_credential_fields(self, dict.fromkeys(sorted(missing), ""))

    def clean_reviewed(self) -> str:
        """Raise ValidationError if the choices were made for another command than this one."""
        if self.cleaned_data["reviewed"] != self._digest:
            raise ValidationError("The command has changed since; look at its values once more.")
        return self._digest

    def candidates(self) -> Iterator[tuple[Candidate, forms.BoundField]]:
        """Yield each value of the command with its field."""
        for number, candidate in enumerate(self._parsed.candidates):
            yield candidate, self[f"{_CANDIDATE}{number}"]

    def save(self, *, by: Actor, source: str) -> Connection | None:
        """Store the connection and return it; if a value is wrong, add errors and return None."""
        chosen = {
            candidate.id: self.cleaned_data[field.name] for candidate, field in self.candidates()
        }
        spec = self._parsed.spec(
            {label: template for label, template in chosen.items() if template},
            name=self.cleaned_data["name"],
            environment=self.cleaned_data["environment"],
            catalogue=self._catalogue,
        )
        return self.save_spec(
            replace(
                spec,
                authorization=self.complete_authorization(spec.authorization),
                credentials={**spec.credentials, **self.entered(_CREDENTIAL)},
            ),
            by=by,
            source=source,
        )


def set_accounts(form: forms.Form, accounts: QuerySet[Account]) -> None:
    """Set the accounts as the choices of the form's field; a single one is chosen already."""
    field = form.fields["account"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - it is declared above.
    field.queryset = accounts
    only = list(accounts[:2])
    if len(only) == 1:
        field.initial, field.empty_label = only[0], None


def add_credential_fields(form: forms.Form, credentials: Mapping[str, str]) -> None:
    """Add a required field for each named credential, which its placeholder gets its value from."""
    for name in credentials:
        form.fields[f"{_CREDENTIAL}{name}"] = forms.CharField(
            label=f"Credential {name}",
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        )


def _make_candidate_field(
    candidate: Candidate, catalogue: Mapping[str, Attribute]
) -> forms.ChoiceField:
    choices = [
        (placeholder(attribute, is_text=candidate.value.is_text), attribute.label)
        for attribute in catalogue.values()
    ]
    suggested = candidate.match.template if candidate.match else ""
    if suggested and suggested not in dict(choices):
        choices.insert(0, (suggested, suggested))
    keep_label = f"keep {candidate.value.value[:60]}"
    is_sure = candidate.match is not None and candidate.match.is_sure
    return forms.ChoiceField(
        label=candidate.value.label,
        choices=[("", keep_label), *choices],
        required=False,
        initial=suggested if is_sure else "",
    )
